//! JPEG files through decoder, kernel and encoders; see `decode::decode`.
#![no_main]

use image_sharer::image::Format;
use image_sharer_fuzz::{Corpus, decode, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus { decode::decode(data, Format::Jpeg) });
