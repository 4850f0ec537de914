//! JPEG files through our decoder at each size, and at full size through a peer; see `jpeg::check`.
#![no_main]

use image_sharer_fuzz::{Corpus, fuzz_target, jpeg};

fuzz_target!(|data: &[u8]| -> Corpus { jpeg::check(data) });
