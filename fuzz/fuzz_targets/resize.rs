//! Any geometry and samples through the resampling kernel; see `resize::check`.
#![no_main]

use image_sharer_fuzz::{fuzz_target, resize};

fuzz_target!(|data: &[u8]| {
    if std::env::var_os("FUZZ_DESCRIBE").is_some() {
        eprintln!("{}", resize::describe(data));
    }
    resize::check(data)
});
