//! PNG files of thumbnails, by the `png` crate (`vendor-notes/png.md`): quickly, or of few bytes.
//!
//! Few bytes are those of the fewest channels and bits that hold the picture ([`exact`]); else of a palette, if
//! it shows the same to the eye ([`lossy`]); else of all its colours, with more time for their compression.

use std::borrow::Cow;

use crate::image::{Color, Effort, Size};

mod dither;
mod exact;
mod lossy;
mod nearest;
mod oklab;
mod palette;
mod raster;

#[cfg(test)]
mod tests;

use raster::{Pack, Raster};

/// A whole file of 8-bit interleaved samples. Alpha that is opaque everywhere is left out. [`Effort::Small`]
/// may leave out what is not seen as well: a colour under no alpha, or some of more than 256 colours.
///
/// # Panics
/// If a side is 0, if `color` is [`Color::YCbCr`] or [`Color::Cmyk`], which PNG does not have, or if the
/// samples are not as many as size and colour ask for.
pub fn encode(size: Size, color: Color, samples: &[u8], effort: Effort) -> Vec<u8> {
    let channels = channels(color);
    assert!(size.pixels() > 0 && samples.len() as u64 == size.pixels() * channels as u64, "{size}");
    match effort {
        Effort::Fast => fast(size, color, samples),
        Effort::Small => small(size, color, samples),
    }
}

/// What [`encode`] holds at most at once for a picture of `size`, in bytes, beside its samples and its file.
pub(in crate::image) fn memory(size: Size, effort: Effort) -> u64 {
    let pixels = size.pixels();
    match effort {
        Effort::Fast => 0,
        // Pixels, points and numbers, or samples and files that are tried; what a palette is sought by, some
        // pixels and then their shades, and zlib's tables.
        Effort::Small => {
            pixels.saturating_mul(24).saturating_add(48 * pixels.min(palette::MOST_PIXELS as u64) + (4 << 20))
        }
    }
}

fn fast(size: Size, color: Color, samples: &[u8]) -> Vec<u8> {
    let (color, samples) = match color {
        Color::GreyAlpha if is_opaque::<2>(samples) => (Color::Grey, Cow::Owned(without_alpha::<2>(samples))),
        Color::Rgba if is_opaque::<4>(samples) => (Color::Rgb, Cow::Owned(without_alpha::<4>(samples))),
        _ => (color, Cow::Borrowed(samples)),
    };
    raster(size, color, samples).pack(Pack::Fast)
}

fn small(size: Size, color: Color, samples: &[u8]) -> Vec<u8> {
    let pixels = pixels(color, samples);
    let all = || exact::all_colours(size, &pixels);
    let Some(raster) = exact::few_colours(size, &pixels).or_else(|| lossy::palette(size, &pixels)) else {
        return all().smallest();
    };
    let file = raster.smallest();
    let bits = 8 * file.len() as u64;
    if file.len() > TINY && bits > GRAINY * size.pixels() {
        return file;
    }
    // Of what is very small, or changes as evenly as filters foresee, a palette makes more, not less.
    let all = all();
    if file.len() > TINY && file.len() <= all.pack(Pack::Fast).len() / 2 {
        return file;
    }
    let all = all.smallest();
    if all.len() < file.len() { all } else { file }
}

/// Bytes of a file of which a palette is a large part.
const TINY: usize = 4096;

/// Bits a pixel of numbers in a palette where filters would foresee nothing.
const GRAINY: u64 = 3;

fn raster(size: Size, color: Color, samples: Cow<'_, [u8]>) -> Raster<'_> {
    let color = match color {
        Color::Grey => png::ColorType::Grayscale,
        Color::GreyAlpha => png::ColorType::GrayscaleAlpha,
        Color::Rgb | Color::YCbCr | Color::Cmyk => png::ColorType::Rgb,
        Color::Rgba => png::ColorType::Rgba,
    };
    Raster::of_samples(size, color, samples)
}

fn channels(color: Color) -> usize {
    match color {
        Color::Grey => 1,
        Color::GreyAlpha => 2,
        Color::Rgb => 3,
        Color::Rgba => 4,
        Color::YCbCr | Color::Cmyk => panic!("PNG has neither YCbCr nor inks"),
    }
}

/// Red, green, blue and alpha of each; where there is no alpha there is no colour either.
fn pixels(color: Color, samples: &[u8]) -> Vec<[u8; 4]> {
    let seen = |pixel: [u8; 4]| if pixel[3] == 0 { [0; 4] } else { pixel };
    match color {
        Color::Grey => samples.iter().map(|&grey| [grey, grey, grey, 255]).collect(),
        Color::GreyAlpha => {
            samples.as_chunks().0.iter().map(|&[grey, alpha]| seen([grey, grey, grey, alpha])).collect()
        }
        Color::Rgba => samples.as_chunks().0.iter().map(|&pixel| seen(pixel)).collect(),
        Color::Rgb | Color::YCbCr | Color::Cmyk => {
            samples.as_chunks().0.iter().map(|&[r, g, b]| [r, g, b, 255]).collect()
        }
    }
}

fn is_opaque<const C: usize>(samples: &[u8]) -> bool {
    samples.as_chunks::<C>().0.iter().all(|pixel| pixel[C - 1] == 255)
}

fn without_alpha<const C: usize>(samples: &[u8]) -> Vec<u8> {
    samples.as_chunks::<C>().0.iter().flat_map(|pixel| &pixel[..C - 1]).copied().collect()
}
