//! Strips PNG (W3C PNG, third edition).

use std::io::{Read, Seek};

use super::exif;
use super::plan::Plan;
use crate::image::Error;
use crate::image::crc::crc32;
use crate::image::orientation::Orientation;
use crate::image::source::Source;

const PLACE: &str = "in the PNG header";

/// Bytes of the signature and of IHDR with its length, kind and checksum.
const HEADER: u64 = 8 + 12 + 13;

/// What decoding, colour, resolution and animation need.
const KEPT: &[&[u8; 4]] = &[
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"mDCV",
    b"cLLI", b"sBIT", b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT",
];

/// Keeps the chunks of that list, up to the end of the image or of the file. The orientation comes
/// right behind IHDR.
pub(super) fn strip<R: Read + Seek>(source: &mut Source<R>, orientation: Orientation) -> Result<Plan, Error> {
    source.skip(HEADER, PLACE)?;
    let mut plan = Plan::default();
    plan.keep(0..HEADER)?;
    if let Some(block) = exif(orientation) {
        plan.write(chunk(b"eXIf", &block))?;
    }
    while source.left() >= 8 {
        let start = source.at();
        let length = u32::from_be_bytes(source.array(PLACE)?);
        let kind: [u8; 4] = source.array(PLACE)?;
        // A chunk that the file's end cuts is kept as far as it goes.
        let rest = source.left().min(u64::from(length) + 4);
        source.skip(rest, PLACE)?;
        if KEPT.contains(&&kind) {
            plan.keep(start..source.at())?;
        }
        if &kind == b"IEND" {
            break;
        }
    }
    Ok(plan)
}

fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    // Bodies here are of a few dozen bytes.
    let length = (body.len() as u32).to_be_bytes();
    [&length[..], kind, body, &crc32(&[kind, body]).to_be_bytes()].concat()
}
