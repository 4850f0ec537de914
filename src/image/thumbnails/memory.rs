//! What a picture may cost in memory, told from its header: a worker asks before it takes it on.
//!
//! The figures follow from what each decoder holds, and were checked against the peak of a process
//! for large files of each kind; they err on the large side, by at most about two.

use crate::image::decode::MOST_CODES;
use crate::image::probe::{Coding, Frames, Interlacing, Probe, Process, WebpPixels};

/// What any decoder, and the program beside it, may take that does not grow with the picture. A colour
/// profile is read before anything is decoded, in memory that thumbnails have later.
const FIXED: u64 = 4 << 20;

/// What resizers hold, a pixel of a source's row and of its column: rows that are being gathered, of
/// up to four channels, and the weights of three thumbnails.
const RESIZING: u64 = 100;

/// Thumbnails of the usual sizes, with all that becomes of them until they are files.
const THUMBNAILS: u64 = 8 << 20;

/// What decoding and resizing a picture to thumbnails of the usual sizes (up to 600 × 600 px, three of
/// them) may hold at most, in bytes, the file of `file_bytes` included.
pub fn memory_needed(probe: &Probe, file_bytes: u64) -> u64 {
    let sides = u64::from(probe.size.width) + u64::from(probe.size.height);
    before_resizing(probe, file_bytes).saturating_add(RESIZING * sides + THUMBNAILS)
}

/// The part of [`memory_needed`] that is spent before any thumbnail.
pub(super) fn before_resizing(probe: &Probe, file_bytes: u64) -> u64 {
    let (width, pixels) = (u64::from(probe.size.width), probe.size.pixels());
    let decoding = match &probe.coding {
        Coding::Jpeg { process, sampling } => {
            // Rows of one minimum coded unit: decoded, copied, and what zune-jpeg sets aside for
            // upsampling that it is never asked for.
            512 * width + jpeg_samples(sampling, pixels) * jpeg_bytes(*process)
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

/// Bytes a sample. A progressive picture's coefficients are held twice while a scan is read.
fn jpeg_bytes(process: Process) -> u64 {
    match process {
        Process::Sequential => 0,
        Process::ScanByScan => 2,
        Process::Progressive => 4,
    }
}

/// Samples of all components, with what fills up their minimum coded units.
fn jpeg_samples(sampling: &[(u8, u8)], pixels: u64) -> u64 {
    let h_max = sampling.iter().map(|s| u64::from(s.0)).max().unwrap_or(1);
    let v_max = sampling.iter().map(|s| u64::from(s.1)).max().unwrap_or(1);
    let units: u64 = sampling.iter().map(|s| u64::from(s.0) * u64::from(s.1)).sum();
    (pixels + pixels / 16) * units / (h_max * v_max)
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
