//! A body by its Content-Type, a form above all; see `http::multipart`.
#![no_main]

use image_sharer_fuzz::{Corpus, fuzz_target, http};

fuzz_target!(|data: &[u8]| -> Corpus { http::multipart(data) });
