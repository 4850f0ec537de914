//! Colour profiles in a picture; see `profile::check`.
#![no_main]

use image_sharer_fuzz::{Corpus, fuzz_target, profile};

fuzz_target!(|data: &[u8]| -> Corpus { profile::check(data) });
