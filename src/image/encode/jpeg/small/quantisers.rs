//! Quantisation tables for thumbnails.
//!
//! Annex K's were made for pictures seen from further away: they spend too little on fine detail and too much on
//! what is coarse. These are a + b r^p, where r² = u² + v² + c u v and the mean luma and chroma stand for
//! themselves; the numbers were sought on photographs at 600 and 300 px for fewest bytes at SSIMULACRA2 of 70
//! and 80 (`docs/bytes.md`).

use super::super::super::tables::{self, BLOCK};

/// Luma's at quality 50, row by row: a = 16.6, b = 1.27, p = 1.7, c = 0.41.
#[rustfmt::skip]
const LUMA: [u8; BLOCK] = [
    12, 18, 21, 25, 30, 36, 43, 51,
    18, 19, 22, 26, 32, 38, 45, 54,
    21, 22, 25, 30, 35, 41, 49, 57,
    25, 26, 30, 34, 39, 46, 53, 62,
    30, 32, 35, 39, 45, 51, 59, 67,
    36, 38, 41, 46, 51, 58, 65, 74,
    43, 45, 49, 53, 59, 65, 73, 81,
    51, 54, 57, 62, 67, 74, 81, 90,
];

/// Chroma's: a = 15.5, b = 1.03, p = 1.76, c = 0.29.
#[rustfmt::skip]
const CHROMA: [u8; BLOCK] = [
    13, 17, 19, 23, 27, 33, 40, 47,
    17, 18, 20, 24, 29, 35, 41, 49,
    19, 20, 23, 27, 31, 37, 44, 52,
    23, 24, 27, 30, 35, 41, 48, 56,
    27, 29, 31, 35, 40, 46, 53, 61,
    33, 35, 37, 41, 46, 52, 59, 67,
    40, 41, 44, 48, 53, 59, 66, 73,
    47, 49, 52, 56, 61, 67, 73, 81,
];

/// Luma's at `quality`, 1 to 100, row by row; at any, pictures score as libjpeg's at that.
pub(super) fn luma(quality: u8) -> [u8; BLOCK] {
    tables::quantisers(&LUMA, quality)
}

/// Chroma's.
pub(super) fn chroma(quality: u8) -> [u8; BLOCK] {
    tables::quantisers(&CHROMA, quality)
}
