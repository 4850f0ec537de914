//! PNG files through decoder, kernel and encoders; see `decode::decode`.
#![no_main]

use image_sharer::image::Format;
use image_sharer_fuzz::{Corpus, decode, fuzz_mutator, fuzz_target, png};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    png::mutate(data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| -> Corpus { decode::decode(data, Format::Png) });
