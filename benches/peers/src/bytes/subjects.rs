//! The thumbnails that encoders are given, as 8-bit RGB: the worker's own, of the pictures of a folder.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use image_sharer::image::probe::probe_bytes;
use image_sharer::image::thumbnails::{Limits, Spec, make, memory_needed};
use image_sharer::image::{Effort, Format, Size};

use crate::quality::Planes;

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

    /// Whether it shows the same, but for how it was compressed.
    fn shows_the_same_as(&self, other: &Picture) -> bool {
        let differences = self.rgb.iter().zip(&other.rgb).map(|(a, b)| u64::from(a.abs_diff(*b)));
        self.size == other.size && differences.sum::<u64>() < 4 * self.rgb.len() as u64
    }
}

/// Thumbnails of the photographs of a folder that fit a box, by name; those that would be enlarged, that are not
/// taken, or that show what another shows are left out.
pub fn of_folder(folder: &Path, side: u32) -> Result<Vec<Picture>, String> {
    let fault = |e: std::io::Error| format!("{}: {e}", folder.display());
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).map_err(fault)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    let mut pictures: Vec<Picture> = Vec::new();
    for file in files {
        let bytes = fs::read(&file).unwrap_or_default();
        let Ok(picture) = thumbnail(&bytes, side) else { continue };
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if picture.size.width.max(picture.size.height) == side
            && !pictures.iter().any(|other| other.shows_the_same_as(&picture))
        {
            pictures.push(Picture { name, ..picture });
        }
    }
    Ok(pictures)
}

/// The worker's thumbnail of a file, laid on white where it has alpha.
pub fn thumbnail(bytes: &[u8], side: u32) -> Result<Picture, String> {
    let probe = probe_bytes(bytes).map_err(|e| e.to_string())?;
    // Such a PNG loses nothing.
    let bounds = Size { width: side, height: side };
    let wanted = [Spec { bounds, format: Format::Png, effort: Effort::Fast }];
    let memory = memory_needed(&probe, bytes.len() as u64, &wanted);
    let made = make(bytes, &wanted, &Limits { max_pixels: u64::MAX, memory }).map_err(|e| e.to_string())?;
    decode_png(&made.first().ok_or("no thumbnail")?.bytes)
}

/// A PNG file's pixels, laid on white where it has alpha.
pub fn decode_png(file: &[u8]) -> Result<Picture, String> {
    let mut decoder = png::Decoder::new(Cursor::new(file));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(|e| e.to_string())?;
    let mut samples = vec![0; reader.output_buffer_size().ok_or("a large PNG")?];
    let info = reader.next_frame(&mut samples).map_err(|e| e.to_string())?;
    let channels = info.color_type.samples();
    let white = |level: u8, alpha: u8| {
        let (level, alpha) = (u32::from(level), u32::from(alpha));
        ((level * alpha + 255 * (255 - alpha) + 127) / 255) as u8
    };
    let pixel = |pixel: &[u8]| match *pixel {
        [grey] => [grey; 3],
        [grey, alpha] => [white(grey, alpha); 3],
        [red, green, blue] => [red, green, blue],
        [red, green, blue, alpha] => [red, green, blue].map(|level| white(level, alpha)),
        _ => [0; 3],
    };
    let rgb = samples.chunks_exact(channels).flat_map(pixel).collect();
    Ok(Picture { name: String::new(), size: Size { width: info.width, height: info.height }, rgb })
}
