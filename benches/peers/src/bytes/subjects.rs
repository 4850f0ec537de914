//! The thumbnails that encoders are given, as 8-bit samples: the worker's own, of the pictures of a folder or of
//! made-up ones.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use image_sharer::image::encode::png as encoder;
use image_sharer::image::probe::probe_bytes;
use image_sharer::image::thumbnails::{Limits, Spec, make, memory_needed};
use image_sharer::image::{Color, Effort, Format, Size};

use crate::quality::Planes;
use crate::scene::{Scene, Style};

/// A thumbnail.
pub struct Picture {
    pub name: String,
    pub size: Size,
    /// R, G and B of each pixel, row by row.
    pub rgb: Vec<u8>,
}

impl Picture {
    /// To be scored.
    pub fn planes(&self) -> Planes {
        Planes::rgb(self.size.width as usize, self.size.height as usize, 3, &self.rgb)
    }

    /// A number that tells it from others (FNV-1a).
    pub fn hash(&self) -> u64 {
        let step = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        self.rgb.iter().fold(0xcbf2_9ce4_8422_2325, step)
    }

    /// Whether it shows the same, but for how it was compressed and turned.
    fn shows_the_same_as(&self, other: &Picture) -> bool {
        let (mine, others) = (self.coarse(), other.coarse());
        let differences = mine.iter().zip(&others).map(|(a, b)| a.abs_diff(*b));
        self.size == other.size && differences.sum::<u64>() < 4 * mine.len() as u64
    }

    /// Means of squares of a sixteenth of the width.
    fn coarse(&self) -> Vec<u64> {
        let (width, side) = (self.size.width as usize, (self.size.width as usize / 16).max(1));
        let rows: Vec<&[u8]> = self.rgb.chunks_exact(width * 3).collect();
        let mean = |rows: &[&[u8]], i: usize| {
            let of = |row: &&[u8]| {
                row[i * side * 3..][..side * 3].iter().map(|&level| u64::from(level)).sum::<u64>()
            };
            rows.iter().map(of).sum::<u64>() / (rows.len() * side * 3) as u64
        };
        rows.chunks(side).flat_map(|rows| (0..width / side).map(move |i| mean(rows, i))).collect()
    }
}

/// Samples as a PNG has them.
pub struct Samples {
    pub size: Size,
    pub color: Color,
    pub samples: Vec<u8>,
}

impl Samples {
    /// Laid on white where there is alpha.
    pub fn on_white(&self) -> Picture {
        let white = |level: u8, alpha: u8| {
            let (level, alpha) = (u32::from(level), u32::from(alpha));
            ((level * alpha + 255 * (255 - alpha) + 127) / 255) as u8
        };
        let pixel = |pixel: &[u8]| match *pixel {
            [grey] => [grey; 3],
            [grey, alpha] => [white(grey, alpha); 3],
            [red, green, blue] => [red, green, blue],
            [red, green, blue, alpha] => [red, green, blue].map(|level| white(level, alpha)),
            _ => unreachable!("one to four channels"),
        };
        let rgb = self.samples.chunks_exact(self.channels()).flat_map(pixel).collect();
        Picture { name: String::new(), size: self.size, rgb }
    }

    pub fn channels(&self) -> usize {
        self.samples.len() / self.size.pixels() as usize
    }
}

/// The files of a folder by name, each with its bytes.
pub fn read(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, String> {
    let fault = |e: std::io::Error| format!("{}: {e}", folder.display());
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).map_err(fault)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    let name = |file: &Path| file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    files.retain(|file| file.is_file());
    files.iter().map(|file| Ok((name(file), fs::read(file).map_err(fault)?))).collect()
}

/// Six made-up photographs, parts of one large scene.
pub fn made() -> Vec<(String, Vec<u8>)> {
    let (part, across, down) = (Size { width: 1200, height: 900 }, 3, 2);
    let whole = Size { width: part.width * across, height: part.height * down };
    let mut scene = Scene::new(Style::Photo, whole);
    let mut row = vec![0; whole.width as usize * 3];
    let mut parts = vec![Vec::new(); (across * down) as usize];
    for y in 0..whole.height {
        scene.row(&mut row);
        let parts = parts.iter_mut().skip((y / part.height * across) as usize);
        row.chunks(part.width as usize * 3).zip(parts).for_each(|(row, part)| part.extend_from_slice(row));
    }
    let file = |(i, rgb): (usize, Vec<u8>)| {
        (format!("made {}", i + 1), encoder::encode(part, Color::Rgb, &rgb, Effort::Fast))
    };
    parts.into_iter().enumerate().map(file).collect()
}

/// Thumbnails of pictures that fit a box; those that would be enlarged, that are not taken, or that
/// show what another shows are left out.
pub fn thumbnails(files: &[(String, Vec<u8>)], side: u32) -> Vec<Picture> {
    let mut pictures: Vec<Picture> = Vec::new();
    for (name, bytes) in files {
        let Ok(samples) = thumbnail(bytes, side) else { continue };
        let picture = Picture { name: name.clone(), ..samples.on_white() };
        if picture.size.width.max(picture.size.height) == side
            && !pictures.iter().any(|other| other.shows_the_same_as(&picture))
        {
            pictures.push(picture);
        }
    }
    pictures
}

/// The samples of the worker's thumbnail of a file.
pub fn thumbnail(bytes: &[u8], side: u32) -> Result<Samples, String> {
    let probe = probe_bytes(bytes).map_err(|e| e.to_string())?;
    // Such a PNG loses nothing.
    let bounds = Size { width: side, height: side };
    let wanted = [Spec { bounds, format: Format::Png, effort: Effort::Fast }];
    let memory = memory_needed(&probe, bytes.len() as u64, &wanted);
    let made = make(bytes, &wanted, &Limits { max_pixels: u64::MAX, memory }).map_err(|e| e.to_string())?;
    decode_png(&made.first().ok_or("no thumbnail")?.bytes)
}

/// A PNG file's samples, a palette's as colours.
pub fn decode_png(file: &[u8]) -> Result<Samples, String> {
    let mut decoder = png::Decoder::new(Cursor::new(file));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(|e| e.to_string())?;
    let mut samples = vec![0; reader.output_buffer_size().ok_or("a large PNG")?];
    let info = reader.next_frame(&mut samples).map_err(|e| e.to_string())?;
    let color = match info.color_type.samples() {
        1 => Color::Grey,
        2 => Color::GreyAlpha,
        3 => Color::Rgb,
        _ => Color::Rgba,
    };
    Ok(Samples { size: Size { width: info.width, height: info.height }, color, samples })
}
