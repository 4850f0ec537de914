//! The JPEG encoder: whatever the samples, its files decode to what they were, as near as the
//! quantisation tables in the file allow.

use std::io::Cursor;

use image_sharer::image::Size;
use image_sharer::image::encode::jpeg::{Chroma, Planes, Sampling, encode, encode_small};
use libfuzzer_sys::Corpus;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// Longest side of a picture.
const MAX_SIDE: u32 = 48;

/// Four bytes say width, height, quality, and kind and encoder; the rest are samples, over and over.
pub fn check(data: &[u8]) -> Corpus {
    let [width, height, quality, kind, samples @ ..] = data else { return Corpus::Reject };
    let side = |byte: u8| 1 + u32::from(byte) % MAX_SIDE;
    let size = Size { width: side(*width), height: side(*height) };
    let quality = 1 + quality % 100;
    let mut samples = samples.iter().copied().cycle();
    let mut plane =
        |size: Size| -> Vec<u8> { (0..size.pixels()).map(|_| samples.next().unwrap_or(0)).collect() };
    let luma = plane(size);
    let sampling = [None, Some(Sampling::Halved), Some(Sampling::Full)][usize::from(kind % 3)];
    let chroma = sampling.map(|sampling| (sampling, [(); 2].map(|()| plane(sampling.of(size)))));
    let chroma = chroma
        .as_ref()
        .map(|(sampling, [cb, cr])| Chroma { sampling: *sampling, planes: [&cb[..], &cr[..]] });
    // Fractions of a quantiser that a coefficient may be off by.
    let (encode, off): (fn(&Planes<'_>, u8, &mut Vec<u8>), f64) =
        if kind & 0x80 == 0 { (encode, 0.5) } else { (encode_small, 1.5) };
    let (mut file, mut again) = (Vec::new(), Vec::new());
    let planes = Planes { size, luma: &luma, chroma };
    encode(&planes, quality, &mut file);
    encode(&planes, quality, &mut again);
    assert!(file == again, "the same planes became another file");
    let decoded = luma_of(&file, size, chroma.is_some());
    let bound = error_bound(&file, off);
    let worst = luma.iter().zip(&decoded).map(|(&a, &b)| a.abs_diff(b)).max().unwrap_or(0);
    assert!(f64::from(worst) <= bound, "{size}, quality {quality}: off by {worst}, {bound:.1} are allowed");
    Corpus::Keep
}

/// The luma that an independent decoder sees.
fn luma_of(file: &[u8], size: Size, colour: bool) -> Vec<u8> {
    let space = if colour { ColorSpace::YCbCr } else { ColorSpace::Luma };
    let options = DecoderOptions::default().jpeg_set_out_colorspace(space).set_strict_mode(true);
    let mut decoder = JpegDecoder::new_with_options(Cursor::new(file), options);
    let samples = decoder.decode().expect("the file decodes");
    assert_eq!(decoder.dimensions(), Some((size.width as usize, size.height as usize)));
    samples.into_iter().step_by(if colour { 3 } else { 1 }).collect()
}

/// How far a sample may be off: a block's transform is orthonormal, so an error of all its coefficients,
/// at most `off` of a quantiser each, is at most their root sum of squares in any sample. Integer transforms
/// are off by a little more.
fn error_bound(file: &[u8], off: f64) -> f64 {
    const ROUNDING: f64 = 3.0;
    let at = file.windows(5).position(|w| w == [0xFF, 0xDB, 0, 67, 0]).expect("a table for luma");
    let quantisers = &file[at + 5..at + 69];
    // That part of a quantiser, and what the encoder's rounding of the transform may add to that.
    let squares: f64 = quantisers.iter().map(|&q| (f64::from(q) * off + 0.25).powi(2)).sum();
    squares.sqrt() + ROUNDING
}
