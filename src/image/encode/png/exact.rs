//! The fewest channels and bits that hold a picture as it is.

use std::borrow::Cow;

use super::raster::Raster;
use crate::image::Size;

/// More than a palette holds.
const MANY: usize = 257;

/// A palette, or shades of grey, if there are no more than 256 colours.
pub(super) fn few_colours(size: Size, pixels: &[[u8; 4]]) -> Option<Raster<'static>> {
    let palette = distinct(pixels)?;
    // Shades of grey are filtered, and need no palette; fewer bits a pixel outweigh that.
    if palette.len() > 16 && palette.iter().all(|pixel| is_grey(pixel) && pixel[3] == 255) {
        let grey = pixels.iter().map(|pixel| pixel[0]).collect();
        return Some(Raster::of_samples(size, png::ColorType::Grayscale, Cow::Owned(grey)));
    }
    Some(numbered(size, &palette, pixels))
}

/// Those of `palette`, which is in order and holds all of `pixels`, as numbers.
fn numbered(size: Size, palette: &[[u8; 4]], pixels: &[[u8; 4]]) -> Raster<'static> {
    let mut last = ([0; 4], None);
    let number = |pixel: &[u8; 4]| {
        if last.1.is_none() || last.0 != *pixel {
            last = (*pixel, palette.binary_search_by_key(&key(pixel), key).ok());
        }
        last.1.unwrap_or(0) as u8
    };
    let numbers: Vec<u8> = pixels.iter().map(number).collect();
    Raster::of_numbers(size, palette, &numbers)
}

/// The order of palettes: what is not opaque first, as tRNS has it, and then from dark to light, so that like numbers are like colours.
pub(super) fn key([r, g, b, alpha]: &[u8; 4]) -> (u8, u32, [u8; 3]) {
    (*alpha, 299 * u32::from(*r) + 587 * u32::from(*g) + 114 * u32::from(*b), [*r, *g, *b])
}

/// The colours in their order, if a palette holds them.
fn distinct(pixels: &[[u8; 4]]) -> Option<Vec<[u8; 4]>> {
    let mut found: Vec<[u8; 4]> = Vec::with_capacity(MANY);
    for run in pixels.chunk_by(|a, b| a == b) {
        if let Err(at) = found.binary_search_by_key(&key(&run[0]), key) {
            found.insert(at, run[0]);
        }
        if found.len() == MANY {
            return None;
        }
    }
    Some(found)
}

/// All colours, in as few channels as hold them.
pub(super) fn all_colours(size: Size, pixels: &[[u8; 4]]) -> Raster<'static> {
    let grey = pixels.iter().all(is_grey);
    let opaque = pixels.iter().all(|pixel| pixel[3] == 255);
    let (color, samples) = match (grey, opaque) {
        (true, true) => (png::ColorType::Grayscale, chosen(pixels, [0])),
        (true, false) => (png::ColorType::GrayscaleAlpha, chosen(pixels, [0, 3])),
        (false, true) => (png::ColorType::Rgb, chosen(pixels, [0, 1, 2])),
        (false, false) => (png::ColorType::Rgba, chosen(pixels, [0, 1, 2, 3])),
    };
    Raster::of_samples(size, color, Cow::Owned(samples))
}

fn is_grey(pixel: &[u8; 4]) -> bool {
    pixel[0] == pixel[1] && pixel[1] == pixel[2]
}

fn chosen<const N: usize>(pixels: &[[u8; 4]], channels: [usize; N]) -> Vec<u8> {
    pixels.iter().flat_map(|pixel| channels.map(|channel| pixel[channel])).collect()
}
