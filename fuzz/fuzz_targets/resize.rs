//! Any geometry and samples through the resampling kernel; see `resize::check`.
#![no_main]

use image_sharer_fuzz::{fuzz_target, resize};

fuzz_target!(|data: &[u8]| resize::check(data));
