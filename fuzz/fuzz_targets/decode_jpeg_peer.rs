//! JPEG files through our decoder at full size, and through a peer; see `jpeg_peer::check`.
#![no_main]

use image_sharer_fuzz::{Corpus, fuzz_target, jpeg_peer};

fuzz_target!(|data: &[u8]| -> Corpus { jpeg_peer::check(data) });
