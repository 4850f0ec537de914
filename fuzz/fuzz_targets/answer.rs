//! The answers of AWS's services, and records; see `answer::check`.
#![no_main]

use image_sharer_fuzz::{Corpus, answer, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus { answer::check(data) });
