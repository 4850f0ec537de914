//! Encoders of thumbnails: finished samples in, a file's bytes out. No metadata is written.
//!
//! [`jpeg`] is our own and takes planes, so that a JPEG's samples need never become RGB; [`ycbcr`]
//! makes such planes where the source has none,
//! [`chroma`] tells how large theirs must be; [`png`] wraps the crate of that name.

pub mod chroma;
pub mod jpeg;
pub mod png;
pub mod ycbcr;

#[cfg(target_arch = "x86_64")]
mod avx2;
mod bits;
mod dct;
pub(in crate::image) mod tables;
