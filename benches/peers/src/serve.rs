//! Ours as one of the peers: a process that makes thumbnails as a worker does, bytes in, files out.

use std::fs;
use std::io::{self, BufRead};
use std::path::Path;

use image_sharer::image::probe::probe_bytes;
use image_sharer::image::thumbnails::{Limits, Spec, make, memory_needed};
use image_sharer::image::{Effort, Size};

use crate::measure::{cpu_time, minor_faults};

/// Boxes of the thumbnails, from large to small.
pub const SIDES: [u32; 3] = [600, 300, 100];

/// Makes a picture's thumbnails, from large to small.
type Make = fn(&[u8]) -> Result<Vec<Vec<u8>>, String>;

/// Answers each line on standard input with one; `child.rs` says what they are.
pub fn run(make: Make) -> Result<(), String> {
    for line in io::stdin().lock().lines() {
        let line = line.map_err(|e| e.to_string())?;
        let words: Vec<&str> = line.split('\t').collect();
        let answer = match words[..] {
            ["job", path, count] => job(make, path, count)?,
            ["keep", path, folder] => keep(make, path, Path::new(folder))?,
            ["version"] => format!("image-sharer {}", env!("CARGO_PKG_VERSION")),
            _ => return Err(format!("what is {line}?")),
        };
        println!("{answer}");
    }
    Ok(())
}

fn job(make: Make, path: &str, count: &str) -> Result<String, String> {
    let count: u32 = count.parse().map_err(|_| "a count of jobs")?;
    let bytes = fs::read(path).map_err(|e| e.to_string())?;
    let (start, faults) = (cpu_time(), minor_faults());
    let mut made = Vec::new();
    for _ in 0..count {
        made = make(&bytes)?;
    }
    let (cpu, faults) = (cpu_time() - start, minor_faults() - faults);
    let sizes: Vec<String> = made.iter().map(|file| file.len().to_string()).collect();
    let each = f64::from(count);
    Ok(format!("{}\t{}\t{}", cpu.as_secs_f64() * 1e3 / each, faults as f64 / each, sizes.join("\t")))
}

fn keep(make: Make, path: &str, folder: &Path) -> Result<String, String> {
    let bytes = fs::read(path).map_err(|e| e.to_string())?;
    for (side, thumbnail) in SIDES.iter().zip(make(&bytes)?) {
        fs::write(folder.join(side.to_string()), thumbnail).map_err(|e| e.to_string())?;
    }
    Ok(String::new())
}

/// What `worker::make` does with an original, as the peers do it: what is measured is time.
pub fn fast(bytes: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    ours(bytes, Effort::Fast)
}

/// The same as it is by default.
pub fn small(bytes: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    ours(bytes, Effort::Small)
}

fn ours(bytes: &[u8], effort: Effort) -> Result<Vec<Vec<u8>>, String> {
    let probe = probe_bytes(bytes).map_err(|e| e.to_string())?;
    let format = probe.thumbnail_format();
    let wanted = SIDES.map(|side| Spec { bounds: Size { width: side, height: side }, format, effort });
    let memory = memory_needed(&probe, bytes.len() as u64, &wanted);
    let limits = Limits { max_pixels: u64::MAX, memory };
    let made = make(bytes, &wanted, &limits).map_err(|e| e.to_string())?;
    Ok(made.into_iter().map(|thumbnail| thumbnail.bytes).collect())
}
