//! The JPEG decoder alone: what each size costs.

use std::fs;

use image_sharer::image::decode::decode;
use image_sharer::image::probe::probe_bytes;
use image_sharer::image::{self, Detail, Layout, Sink, Size};

use crate::measure::{bind_to_one_core, cpu_time};
use crate::report::{Table, median};

const ROUNDS: usize = 11;

/// Eighths of its sides at which a picture is decoded. At one, Huffman decoding is nearly all there is.
const EIGHTHS: [u32; 7] = [1, 2, 3, 4, 5, 6, 8];

/// Wants eighths of a picture's sides, chroma as it is sampled, and keeps nothing.
struct Eighths(u32);

impl Sink for Eighths {
    fn detail(&self, size: Size) -> Detail {
        let of = |side: u32| side * self.0 / 8;
        let luma = Size { width: of(size.width), height: of(size.height) };
        Detail { chroma: Size { width: luma.width / 2, height: luma.height / 2 }, luma }
    }

    fn start(&mut self, _: &Layout) -> Result<(), image::Error> {
        Ok(())
    }

    fn row(&mut self, _: usize, _: &[u8]) -> Result<(), image::Error> {
        Ok(())
    }

    fn rows(&mut self, _: usize, _: usize, _: &[u8]) -> Result<(), image::Error> {
        Ok(())
    }
}

/// A table of CPU milliseconds, medians of rounds in turns.
pub fn table(files: &[(String, Vec<u8>)]) -> Result<String, String> {
    let head: Vec<String> = EIGHTHS.iter().map(|n| format!("{n}/8")).collect();
    let mut columns = vec!["the JPEG decoder alone, ms at N/8"];
    columns.extend(head.iter().map(String::as_str));
    let mut table = Table::new(&columns);
    for (name, bytes) in files {
        let probe = probe_bytes(bytes).map_err(|e| format!("{name}: {e}"))?;
        let mut times = [const { Vec::new() }; EIGHTHS.len()];
        for _ in 0..ROUNDS {
            for (&eighths, times) in EIGHTHS.iter().zip(&mut times) {
                let start = cpu_time();
                decode(bytes, &probe, &mut Eighths(eighths)).map_err(|e| format!("{name}: {e}"))?;
                times.push((cpu_time() - start).as_secs_f64() * 1e3);
            }
        }
        let mut row = vec![name.clone()];
        row.extend(times.iter().map(|times| format!("{:.2}", median(times))));
        table.row(&row);
    }
    Ok(format!("{}\n", table.text()))
}

pub fn print(paths: &[&str]) -> Result<(), String> {
    bind_to_one_core()?;
    let read = |path: &&str| Ok(((*path).to_owned(), fs::read(path).map_err(|e| format!("{path}: {e}"))?));
    let files: Vec<(String, Vec<u8>)> = paths.iter().map(read).collect::<Result<_, String>>()?;
    print!("{}", table(&files)?);
    Ok(())
}
