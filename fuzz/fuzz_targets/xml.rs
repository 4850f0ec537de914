//! S3's XML; see `message::document`.
#![no_main]

use image_sharer_fuzz::{fuzz_target, message};

fuzz_target!(|data: &[u8]| message::document(data));
