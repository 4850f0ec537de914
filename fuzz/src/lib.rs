//! What the fuzz targets share. Each target is a file in `fuzz_targets/` that hands its input to one
//! function here; what must hold for every input is asserted there, in one place a room.
//!
//! `libfuzzer-sys` aborts at the first panic, even where a `catch_unwind` would contain it: so that a
//! decoder's panic, which costs a job alone in production, is a finding here.

pub mod answer;
pub mod decode;
pub mod encode;
pub mod http;
pub mod jpeg_file;
pub mod jpeg_peer;
pub mod memory;
pub mod message;
pub mod picture;
pub mod png;
pub mod profile;
pub mod resize;
pub mod strip;

pub use libfuzzer_sys::{Corpus, fuzz_mutator, fuzz_target, fuzzer_mutate};

/// Pieces of `length` bytes cut as the input itself decides: a hash of it (FNV-1a) says where.
///
/// Returns the ends of all pieces, the last of which is `length`.
pub fn cuts(data: &[u8], length: usize) -> Vec<usize> {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut next = |more: u8| {
        hash = (hash ^ u64::from(more)).wrapping_mul(0x0000_0100_0000_01b3);
        (hash >> 32) as usize
    };
    for &byte in data {
        next(byte);
    }
    let longest = 1 + next(0) % 64;
    let mut ends = Vec::new();
    let mut end = 0;
    while end < length {
        end = (end + 1 + next(1) % longest).min(length);
        ends.push(end);
    }
    ends
}
