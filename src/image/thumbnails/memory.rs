//! What a picture may cost in memory, told from its header: a worker asks before it takes it on.
//!
//! The figures follow from what each decoder holds, and were checked against the peak of a process
//! for large files of each kind; they err on the large side, by at most about two.

use super::finish::{HELD, encoding};
use super::press::detail;
use super::{Spec, fit};
use crate::image::Format;
use crate::image::decode::{MOST_CODES, jpeg_memory};
use crate::image::probe::{Coding, Frames, Interlacing, Probe, WebpPixels};

/// What any decoder, and the program beside it, may take that does not grow with the picture. A colour
/// profile is read before anything is decoded, in memory that thumbnails have later.
const FIXED: u64 = 4 << 20;

/// What resizers hold, a pixel of a source's row and of its column: rows that are being gathered, of
/// up to four channels, and the weights of three thumbnails.
const RESIZING: u64 = 100;

/// What they hold beside that, of rows and columns of thumbnails.
const RESIZED: u64 = 1 << 20;

/// What decoding a picture for the thumbnails `wanted`, resizing and encoding it, may hold at most, in bytes, the
/// file of `file_bytes` included.
pub fn memory_needed(probe: &Probe, file_bytes: u64, wanted: &[Spec]) -> u64 {
    let sides = u64::from(probe.size.width) + u64::from(probe.size.height);
    before_resizing(probe, file_bytes, wanted)
        .saturating_add(RESIZING * sides + RESIZED)
        .saturating_add(thumbnails(probe, wanted))
}

/// Thumbnails with all that becomes of them until they are files.
fn thumbnails(probe: &Probe, wanted: &[Spec]) -> u64 {
    let upright = probe.orientation.apply(probe.size);
    let size = |spec: &Spec| fit(upright, spec.bounds);
    let held = |spec: &Spec| {
        let channels = if spec.format == Format::Jpeg { 3 } else { 4 };
        size(spec).pixels().saturating_mul(channels * HELD)
    };
    let held = wanted.iter().map(held).fold(0, u64::saturating_add);
    // One is encoded after the other.
    let encoding =
        wanted.iter().map(|spec| encoding(spec.format, spec.effort, size(spec))).max().unwrap_or(0);
    held.saturating_add(encoding)
}

/// The part of [`memory_needed`] that is spent before any thumbnail.
pub(super) fn before_resizing(probe: &Probe, file_bytes: u64, wanted: &[Spec]) -> u64 {
    let (width, pixels) = (u64::from(probe.size.width), probe.size.pixels());
    let decoding = match &probe.coding {
        Coding::Jpeg { process, sampling } => {
            // Whether its colours are converted is not known yet: if so, more of its chroma is decoded.
            jpeg_memory(probe.size, *process, sampling, detail(probe.size, probe.orientation, wanted, true))
        }
        Coding::Png { interlacing, .. } => {
            let whole = if *interlacing == Interlacing::Adam7 { pixels.saturating_mul(4) } else { 0 };
            // The crate shifts its buffer back every four rows; a pixel has up to 8 bytes.
            whole.saturating_add(64 * width)
        }
        // An interlaced frame, a byte a pixel, and a row of the canvas and one of the frame.
        Coding::Gif { frame } => pixels + 8 * width + u64::from(frame.size.width),
        Coding::Webp { pixels: kind, frames, .. } => {
            // The crate decodes the alpha of an animation's frame whatever the header says.
            let alpha = probe.alpha || *frames == Frames::Animated;
            let codes = if alpha || *kind == WebpPixels::Lossless { MOST_CODES } else { 0 };
            file_bytes + codes + pixels * webp_bytes(*kind, alpha, *frames)
        }
    };
    // A PNG's sides alone, of up to 2³¹ - 1, come near the end of 64 bits.
    decoding.saturating_add(file_bytes + FIXED)
}

/// Bytes a pixel: planes, the picture made of them, alpha, and a canvas.
fn webp_bytes(pixels: WebpPixels, alpha: bool, frames: Frames) -> u64 {
    let still = match (pixels, alpha) {
        (WebpPixels::Lossy, false) => 5,
        (WebpPixels::Lossy, true) => 12,
        (WebpPixels::Lossless, _) => 9,
    };
    match frames {
        Frames::Still => still,
        Frames::Animated => still + 8,
    }
}
