//! Any planes to a JPEG file and back; see `encode::check`.
#![no_main]

use image_sharer_fuzz::{Corpus, encode, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus { encode::check(data) });
