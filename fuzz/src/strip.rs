//! Stripping of metadata.

use std::io::{Cursor, Read};

use image_sharer::image::Error;
use image_sharer::image::metadata::strip;
use image_sharer::image::probe::{Probe, probe_bytes};
use libfuzzer_sys::Corpus;

use crate::memory;
use crate::picture::{check_error, decoded};

/// Most bytes that stripping adds: an orientation's block, an extended header, a byte of padding.
const MOST_ADDED: usize = 64;

/// Most pixels of a picture that is decoded, before and after.
const MAX_PIXELS: u64 = 1 << 17;

/// Most bytes that the plan of a stripped file may hold while it is made: a server strips any bytes.
const MOST_HELD: u64 = 16 << 20;

fn stripped(data: &[u8], probe: &Probe) -> Result<Vec<u8>, Error> {
    let (plan, peak) = memory::peak(|| strip(Cursor::new(data), data.len() as u64, probe));
    assert!(peak <= MOST_HELD, "{peak} bytes to strip a file");
    let plan = plan?;
    let mut bytes = Vec::new();
    plan.read_from(Cursor::new(data)).read_to_end(&mut bytes).expect("the source is there");
    assert_eq!(bytes.len() as u64, plan.length());
    Ok(bytes)
}

/// Any bytes that have a picture's header.
pub fn check(data: &[u8]) -> Corpus {
    let Ok(probe) = probe_bytes(data) else { return Corpus::Reject };
    let once = match stripped(data, &probe) {
        Ok(once) => once,
        Err(error) => {
            check_error(&error);
            return Corpus::Keep;
        }
    };
    assert!(once.len() <= data.len() + MOST_ADDED, "{} bytes became {}", data.len(), once.len());
    assert_eq!(probe_bytes(&once), Ok(probe.clone()), "what the header says has changed");
    let twice = stripped(&once, &probe).expect("what is stripped can be stripped");
    assert!(once == twice, "stripping what is stripped changes it");
    if probe.size.pixels() <= MAX_PIXELS
        && let Ok(before) = decoded(data)
    {
        match decoded(&once) {
            Ok(after) => assert!(before == after, "pixels have changed"),
            // Where a chunk that is no chunk is the file's last, what is left is a PNG that breaks off: rows
            // may lack that the decoder had held back until it saw what follows.
            Err(Error::Truncated(_)) if is_broken_png(data) => {}
            // As for browsers, a GIF ends at a block of no known kind; its decoder passes over that, and gives
            // a first frame that lacks pixels those of the next.
            Err(Error::Truncated(_)) if is_broken_gif(&once) => {}
            Err(error) => panic!("what is stripped decodes no more: {error}"),
        }
    }
    Corpus::Keep
}

/// Whether a stripped file is a GIF that ended before its trailer.
fn is_broken_gif(once: &[u8]) -> bool {
    once.starts_with(b"GIF") && !once.ends_with(b";")
}

/// Whether a file is a PNG whose chunks lead to no end chunk.
fn is_broken_png(data: &[u8]) -> bool {
    let mut at = 8;
    while let Some(&[l3, l2, l1, l0, ref kind @ ..]) = data.get(at..at + 8) {
        if kind == b"IEND" {
            return false;
        }
        at += 12 + u32::from_be_bytes([l3, l2, l1, l0]) as usize;
    }
    data.starts_with(b"\x89PNG")
}
