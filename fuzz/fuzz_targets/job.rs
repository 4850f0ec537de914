//! The message between server and worker; see `message::check`.
#![no_main]

use image_sharer_fuzz::{fuzz_target, message};

fuzz_target!(|data: &[u8]| message::check(data));
