//! Pictures to upload, and what arrives.

use std::path::Path;

use image_sharer::image::Size;
use image_sharer::image::encode::jpeg::{self, Chroma, Planes, Sampling};

/// A file of `tests/pictures`.
pub fn picture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures").join(name);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// A JPEG of this size with a scene of its own for each seed: some 0.3 bytes a pixel, as photographs have.
pub fn noise_jpeg(width: u32, height: u32, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut random = move || {
        // xorshift64 (Marsaglia 2003)
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as u8
    };
    let columns = width as usize;
    let mut y = vec![0u8; columns * height as usize];
    for (row, line) in y.chunks_exact_mut(columns).enumerate() {
        for (column, sample) in line.iter_mut().enumerate() {
            let wave = ((column * 3 + row * 2 + seed as usize * 31) >> 3) as u8;
            *sample = (wave >> 1) + (random() >> 3) + 40;
        }
    }
    let half = width.div_ceil(2) as usize * height.div_ceil(2) as usize;
    let (cb, cr) = (vec![100 + (seed % 50) as u8; half], vec![150 - (seed % 50) as u8; half]);
    let mut file = Vec::new();
    let chroma = Some(Chroma { sampling: Sampling::Halved, planes: [&cb, &cr] });
    let planes = Planes { size: Size { width, height }, luma: &y, chroma };
    jpeg::encode(&planes, 85, &mut file);
    file
}

/// Format, width and height of a thumbnail, read off its header here and not by the code under test.
pub fn dimensions(bytes: &[u8]) -> (&'static str, u32, u32) {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        return ("image/png", number(16), number(20));
    }
    assert!(bytes.starts_with(b"\xff\xd8\xff"), "neither PNG nor JPEG: {:?}", &bytes[..bytes.len().min(16)]);
    let number = |at: usize| u32::from(bytes[at]) << 8 | u32::from(bytes[at + 1]);
    let mut at = 2;
    loop {
        let marker = bytes[at + 1];
        if matches!(marker, 0xc0..=0xc2) {
            return ("image/jpeg", number(at + 7), number(at + 5));
        }
        at += 2 + number(at + 2) as usize;
    }
}
