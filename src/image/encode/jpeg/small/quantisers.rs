//! Quantisation tables for thumbnails.

use super::super::super::tables::{self, BLOCK};

pub(super) fn luma(quality: u8) -> [u8; BLOCK] {
    tables::quantisers(&tables::LUMA, quality)
}

pub(super) fn chroma(quality: u8) -> [u8; BLOCK] {
    tables::quantisers(&tables::CHROMA, quality)
}
