//! Any picture without its metadata; see `strip::check`.
#![no_main]

use image_sharer_fuzz::{Corpus, fuzz_mutator, fuzz_target, png, strip};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    png::mutate(data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| -> Corpus { strip::check(data) });
