//! Any bytes as a picture's header; see `decode::probe`.
#![no_main]

use image_sharer_fuzz::{decode, fuzz_mutator, fuzz_target, png};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    png::mutate(data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| decode::probe(data));
