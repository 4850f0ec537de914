//! From a thumbnail's upright planes to its file, whatever the planes' colour and the file's format.

use super::Thumbnail;
use super::managed::interleaved;
use super::press::Image;
use crate::image::color::on_white;
use crate::image::encode::jpeg::{self, Planes};
use crate::image::encode::png;
use crate::image::encode::ycbcr::Ycbcr;
use crate::image::{Color, Effort, Format, Size};

/// Quality of JPEG thumbnails, on libjpeg's scale.
const QUALITY: u8 = 80;

/// Encodes the planes of a picture of `color`: three for YCbCr, else one.
pub(super) fn encode(format: Format, effort: Effort, color: Color, planes: &[Image]) -> Thumbnail {
    let bytes = match format {
        Format::Jpeg => to_jpeg(color, planes),
        _ => to_png(effort, color, planes),
    };
    Thumbnail { size: planes[0].size, bytes }
}

/// What [`encode`] holds at once for a thumbnail of `size`, in bytes, beside its planes and its file.
pub(super) fn encoding(format: Format, effort: Effort, size: Size) -> u64 {
    match format {
        Format::Png => png::memory(size, effort),
        _ => 0,
    }
}

fn to_jpeg(color: Color, planes: &[Image]) -> Vec<u8> {
    let Image { size, samples, .. } = &planes[0];
    let grey = |luma: &[u8]| jpeg_of(&Planes { size: *size, luma, chroma: None });
    match color {
        Color::Grey => grey(samples),
        Color::GreyAlpha => grey(&flat::<1, 2>(samples)),
        Color::Rgb => jpeg_of(&Ycbcr::from_rgb(*size, samples).planes()),
        Color::Rgba => jpeg_of(&Ycbcr::from_rgb(*size, &flat::<3, 4>(samples)).planes()),
        Color::YCbCr => {
            let chroma = Some([&planes[1].samples[..], &planes[2].samples[..]]);
            jpeg_of(&Planes { size: *size, luma: samples, chroma })
        }
        Color::Cmyk => unreachable!("the press takes inks only if it can convert them"),
    }
}

fn to_png(effort: Effort, color: Color, planes: &[Image]) -> Vec<u8> {
    let Image { size, samples, .. } = &planes[0];
    if color != Color::YCbCr {
        return png::encode(*size, color, samples, effort);
    }
    png::encode(*size, Color::Rgb, &interleaved(planes), effort)
}

fn jpeg_of(planes: &Planes<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    jpeg::encode(planes, QUALITY, &mut out);
    out
}

/// Pixels of `COLOURS` colours and alpha, `ALL` channels, laid on white.
fn flat<const COLOURS: usize, const ALL: usize>(samples: &[u8]) -> Vec<u8> {
    let pixels = samples.as_chunks::<ALL>().0;
    pixels.iter().flat_map(|pixel| pixel[..COLOURS].iter().map(|&c| on_white(c, pixel[COLOURS]))).collect()
}
