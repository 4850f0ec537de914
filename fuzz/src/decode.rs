//! Decoders and what is made of them: rows, thumbnails, memory.

use image_sharer::image::probe::{Probe, probe_bytes};
use image_sharer::image::thumbnails::{Limits, Spec, Thumbnail, make, memory_needed};
use image_sharer::image::{Effort, Format, Size};
use libfuzzer_sys::Corpus;

use crate::memory;
use crate::picture::{check_error, look_through};

/// Most pixels, so that one input takes milliseconds.
const MAX_PIXELS: u64 = 1 << 19;

const fn spec(width: u32, height: u32, format: Format, effort: Effort) -> Spec {
    Spec { bounds: Size { width, height }, format, effort }
}

/// Small ones, one of them below the others, and one that is often the whole picture.
const WANTED: [Spec; 6] = [
    spec(40, 40, Format::Jpeg, Effort::Fast),
    spec(19, 64, Format::Png, Effort::Fast),
    spec(24, 30, Format::Png, Effort::Small),
    spec(8, 8, Format::Jpeg, Effort::Fast),
    spec(33, 90, Format::Jpeg, Effort::Small),
    spec(90, 90, Format::Jpeg, Effort::Fast),
];

/// Any bytes: they are a picture's header, or an error that says why not.
pub fn probe(data: &[u8]) {
    /// A server asks this of any bytes: what it may take does not depend on them.
    const MOST: u64 = 512 * 1024;
    let (result, peak) = memory::peak(|| probe_bytes(data));
    assert!(peak <= MOST, "{peak} bytes to look at a header");
    match result {
        Ok(probe) => {
            assert!(probe.size.width > 0 && probe.size.height > 0);
            assert!(probe.upright().pixels() == probe.size.pixels());
            assert!(memory_needed(&probe, data.len() as u64, &WANTED) > data.len() as u64);
            assert!(matches!(probe.thumbnail_format(), Format::Jpeg | Format::Png));
        }
        Err(error) => check_error(&error),
    }
}

/// Bytes of a picture of `format`; others are of no interest here.
pub fn decode(data: &[u8], format: Format) -> Corpus {
    let probe = match probe_bytes(data) {
        Ok(probe) if probe.format() == format && probe.size.pixels() <= MAX_PIXELS => probe,
        _ => return Corpus::Reject,
    };
    let whole = [spec(probe.size.width, probe.size.height, Format::Png, Effort::Fast)];
    let (seen, peak) = memory::peak(|| look_through(data, &probe));
    assert_within(peak, data, memory_needed(&probe, data.len() as u64, &whole));
    if seen.is_err() {
        return Corpus::Keep;
    }
    let needed = memory_needed(&probe, data.len() as u64, &WANTED);
    let limits = Limits { max_pixels: MAX_PIXELS, memory: needed };
    let (made, peak) = memory::peak(|| make(data, &WANTED, &limits));
    assert_within(peak, data, needed);
    let made = made.expect("a picture that decodes becomes thumbnails");
    assert_eq!(made.len(), WANTED.len());
    made.iter().zip(&WANTED).for_each(|(thumbnail, wanted)| check(thumbnail, wanted, &probe));
    Corpus::Keep
}

/// image-webp asks for the room of a partition, of up to 2²⁴ bytes by what the file claims, before it finds
/// that the file ends: zeroed pages that nobody touches, and so no memory.
const UNTOUCHED: u64 = 16 << 20;

fn assert_within(peak: u64, data: &[u8], needed: u64) {
    let untouched = if data.starts_with(b"RIFF") { UNTOUCHED } else { 0 };
    let held = (peak + data.len() as u64).saturating_sub(untouched);
    assert!(held <= needed, "{held} bytes were held where {needed} were foreseen");
}

/// A thumbnail is a sound file of the right size.
fn check(thumbnail: &Thumbnail, wanted: &Spec, source: &Probe) {
    let (size, upright, bounds) = (thumbnail.size, source.upright(), wanted.bounds);
    let fits = size.width <= bounds.width && size.height <= bounds.height;
    let fills = size.width == bounds.width || size.height == bounds.height || size == upright;
    let enlarged = size.width > upright.width || size.height > upright.height;
    assert!(size.pixels() > 0 && fits && fills && !enlarged, "{upright} in {bounds} became {size}");
    let probe = probe_bytes(&thumbnail.bytes).expect("a thumbnail is a picture");
    assert_eq!((probe.format(), probe.size, probe.upright()), (wanted.format, size, size));
    assert!(!probe.alpha || source.alpha, "alpha from nowhere");
    look_through(&thumbnail.bytes, &probe).expect("a thumbnail decodes");
}
