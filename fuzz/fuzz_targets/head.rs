//! A request's head and the framing of its body; see `http::head`.
#![no_main]

use image_sharer_fuzz::{fuzz_target, http};

fuzz_target!(|data: &[u8]| http::head(data));
