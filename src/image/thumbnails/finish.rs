//! From a thumbnail's upright planes to its file, whatever the planes' colour and the file's format.

use super::Thumbnail;
use super::managed::interleaved;
use super::press::Image;
use crate::image::color::on_white;
use crate::image::encode::jpeg::{self, Chroma, Planes, Sampling};
use crate::image::encode::ycbcr::Ycbcr;
use crate::image::encode::{chroma, png};
use crate::image::{Color, Effort, Format, Size};

/// Quality of JPEG thumbnails, on libjpeg's scale.
const QUALITY: u8 = 80;

/// Encodes the planes of a picture of `color`: three for YCbCr, else one. Chroma of a JPEG is as large as
/// `chroma_of` says.
pub(super) fn encode(format: Format, effort: Effort, color: Color, planes: &[Image]) -> Thumbnail {
    let bytes = match format {
        Format::Jpeg => to_jpeg(effort, color, planes),
        _ => to_png(effort, color, planes),
    };
    Thumbnail { size: planes[0].size, bytes }
}

/// Bytes of each of a thumbnail's samples, until it is a file: the plane, the same turned, what it becomes before
/// it is encoded, and its file.
pub(super) const HELD: u64 = 4;

/// What [`encode`] holds at once for a thumbnail of `size`, in bytes, beside its planes and its file.
pub(super) fn encoding(format: Format, effort: Effort, size: Size) -> u64 {
    match format {
        Format::Jpeg => jpeg::memory(size, effort),
        _ => png::memory(size, effort),
    }
}

/// How large chroma comes for a JPEG of some effort, where planes of YCbCr come. What is to be small is seen whole
/// first: only then can be told whether it may be halved.
pub(super) fn chroma_of(effort: Effort) -> Sampling {
    match effort {
        Effort::Fast => Sampling::Halved,
        Effort::Small => Sampling::Full,
    }
}

fn to_jpeg(effort: Effort, color: Color, planes: &[Image]) -> Vec<u8> {
    let Image { size, samples, .. } = &planes[0];
    let grey = |luma: &[u8]| jpeg_of(effort, &Planes { size: *size, luma, chroma: None });
    let colour = |rgb: &[u8]| {
        let made = Ycbcr::from_rgb(*size, rgb, chroma_of(effort));
        jpeg_of_colour(effort, *size, &made.luma, [&made.chroma[0], &made.chroma[1]])
    };
    match color {
        Color::Grey => grey(samples),
        Color::GreyAlpha => grey(&flat::<1, 2>(samples)),
        Color::Rgb => colour(samples),
        Color::Rgba => colour(&flat::<3, 4>(samples)),
        Color::YCbCr => jpeg_of_colour(effort, *size, samples, [&planes[1].samples, &planes[2].samples]),
        Color::Cmyk => unreachable!("the press takes inks only if it can convert them"),
    }
}

/// Of chroma as [`chroma_of`] says, which is halved if it can be.
fn jpeg_of_colour(effort: Effort, size: Size, luma: &[u8], planes: [&[u8]; 2]) -> Vec<u8> {
    let of =
        |sampling, planes| jpeg_of(effort, &Planes { size, luma, chroma: Some(Chroma { sampling, planes }) });
    if chroma_of(effort) == Sampling::Halved {
        return of(Sampling::Halved, planes);
    }
    match chroma::sampling(size, planes) {
        Sampling::Full => of(Sampling::Full, planes),
        Sampling::Halved => {
            let [cb, cr] = planes.map(|plane| chroma::halve(size, plane));
            of(Sampling::Halved, [&cb, &cr])
        }
    }
}

fn to_png(effort: Effort, color: Color, planes: &[Image]) -> Vec<u8> {
    let Image { size, samples, .. } = &planes[0];
    if color != Color::YCbCr {
        return png::encode(*size, color, samples, effort);
    }
    png::encode(*size, Color::Rgb, &interleaved(planes), effort)
}

fn jpeg_of(effort: Effort, planes: &Planes<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    match effort {
        Effort::Fast => jpeg::encode(planes, QUALITY, &mut out),
        Effort::Small => jpeg::encode_small(planes, QUALITY, &mut out),
    }
    out
}

/// Pixels of `COLOURS` colours and alpha, `ALL` channels, laid on white.
fn flat<const COLOURS: usize, const ALL: usize>(samples: &[u8]) -> Vec<u8> {
    let pixels = samples.as_chunks::<ALL>().0;
    pixels.iter().flat_map(|pixel| pixel[..COLOURS].iter().map(|&c| on_white(c, pixel[COLOURS]))).collect()
}
