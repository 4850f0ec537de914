//! Colour profiles: whatever they hold, a picture that carries one becomes a thumbnail.
//!
//! Here alone a panic is no finding by itself: the engine's own are contained, and what its own overflow
//! checks say does not hold in a release. That they are contained, in time and in memory, is what is shown.

use std::panic;
use std::sync::{LazyLock, Once};

use image_sharer::image::encode::jpeg::{Chroma, Planes, Sampling, encode};
use image_sharer::image::probe::probe_bytes;
use image_sharer::image::thumbnails::{Limits, Spec, make, memory_needed};
use image_sharer::image::{Effort, Format, Size};
use libfuzzer_sys::Corpus;

use crate::memory;

/// Pictures of grey, of luma and chroma, and of inks.
static CARRIERS: LazyLock<[Vec<u8>; 3]> =
    LazyLock::new(|| [carrier(None), carrier(Some([&[90; 16], &[160; 16]])), INKS.to_vec()]);

const INKS: &[u8] = include_bytes!("../../tests/pictures/cmyk.jpg");

fn carrier(chroma: Option<[&[u8]; 2]>) -> Vec<u8> {
    let chroma = chroma.map(|planes| Chroma { sampling: Sampling::Halved, planes });
    let size = Size { width: 8, height: 8 };
    let luma: Vec<u8> = (0..64).map(|index| index * 4).collect();
    let mut file = Vec::new();
    encode(&Planes { size, luma: &luma, chroma }, 90, &mut file);
    file
}

/// A byte that says which kind of picture, then a profile.
pub fn check(data: &[u8]) -> Corpus {
    static CONTAIN: Once = Once::new();
    // libfuzzer-sys's own aborts.
    CONTAIN.call_once(|| panic::set_hook(Box::new(|_| ())));
    let Some((&kind, profile)) = data.split_first() else { return Corpus::Reject };
    // A segment's length has 16 bits.
    let Ok(length) = u16::try_from(profile.len() + 16) else { return Corpus::Reject };
    let (soi, rest) = CARRIERS[usize::from(kind) % CARRIERS.len()].split_at(2);
    let segment = [&[0xFF, 0xE2], &length.to_be_bytes()[..], b"ICC_PROFILE\0\x01\x01", profile].concat();
    let file = [soi, &segment, rest].concat();
    let contained = panic::catch_unwind(|| thumbnail(&file));
    if contained.is_err() {
        eprintln!("a panic that was not contained, or a promise that was not kept");
        std::process::abort();
    }
    Corpus::Keep
}

fn thumbnail(file: &[u8]) {
    let probe = probe_bytes(file).expect("a profile is not looked at by the probe");
    let bounds = Size { width: 8, height: 8 };
    let wanted = [Spec { bounds, format: Format::Png, effort: Effort::Small }];
    let needed = memory_needed(&probe, file.len() as u64, &wanted);
    let limits = Limits { max_pixels: 1 << 20, memory: needed };
    let (made, peak) = memory::peak(|| make(file, &wanted, &limits));
    let held = peak + file.len() as u64;
    assert!(held <= needed, "{held} bytes were held where {needed} were foreseen");
    assert_eq!(made.expect("a profile keeps no picture from being one").len(), 1);
}
