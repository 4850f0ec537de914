//! S3's events; see `message::event`.
#![no_main]

use image_sharer_fuzz::{fuzz_target, message};

fuzz_target!(|data: &[u8]| message::event(data));
