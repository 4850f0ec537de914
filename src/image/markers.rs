//! JPEG's markers (ITU-T T.81, Annex B), for [`probe`](super::probe) and [`metadata`](super::metadata).

use std::io::{Read, Seek};

use super::Error;
use super::source::Source;

/// Most bytes that may lie between one segment's end and the next marker. T.81 admits fill bytes
/// (0xFF) alone, but decoders take what careless programs leave there.
const MAX_STRAY: usize = 65_536;

/// Most segments of one file. The longest metadata in use (depth maps in extended XMP) takes hundreds.
pub(super) const MAX_SEGMENTS: usize = 10_000;

/// Start of image.
pub(super) const SOI: u8 = 0xD8;
/// End of image.
pub(super) const EOI: u8 = 0xD9;
/// Start of scan.
pub(super) const SOS: u8 = 0xDA;
/// Application segment 0: JFIF.
pub(super) const APP0: u8 = 0xE0;
/// Application segment 1: Exif and XMP.
pub(super) const APP1: u8 = 0xE1;
/// Application segment 2: ICC profile, MPF.
pub(super) const APP2: u8 = 0xE2;
/// Application segment 14: Adobe.
pub(super) const APP14: u8 = 0xEE;

/// How an APP1 segment with an Exif block begins.
pub(super) const EXIF: &[u8] = b"Exif\0\0";

/// How an APP2 segment with a part of an ICC profile begins (ICC.1, B.4).
pub(super) const ICC: &[u8] = b"ICC_PROFILE\0";

/// Whether no length and body follow the marker: TEM, RST0 to RST7, SOI, EOI.
pub(super) fn stands_alone(marker: u8) -> bool {
    matches!(marker, 0x01 | 0xD0..=EOI)
}

/// Passes over the next marker and returns its code; `place` says where, if the file ends instead.
pub(super) fn next<R: Read + Seek>(source: &mut Source<R>, place: &str) -> Result<u8, Error> {
    let mut stray = 0;
    loop {
        let found = seek_ff(source)?;
        stray += found.passed;
        if !found.any {
            return Err(Error::Truncated(place.to_owned()));
        }
        let mut code = 0xFF;
        while code == 0xFF && stray <= MAX_STRAY {
            code = source.byte(place)?;
            stray += 1;
        }
        if stray > MAX_STRAY {
            return Err(Error::Corrupt(format!("no JPEG marker within {MAX_STRAY} bytes")));
        }
        if code != 0 {
            return Ok(code);
        }
    }
}

struct Found {
    any: bool,
    passed: usize,
}

/// Passes over everything up to and including the next 0xFF, or to the end or [`MAX_STRAY`].
fn seek_ff<R: Read + Seek>(source: &mut Source<R>) -> Result<Found, Error> {
    let mut passed = 0;
    loop {
        let bytes = source.peek()?;
        if let Some(index) = memchr::memchr(0xFF, bytes) {
            source.consume(index + 1);
            return Ok(Found { any: true, passed: passed + index });
        }
        let count = bytes.len();
        source.consume(count);
        passed += count;
        if count == 0 || passed > MAX_STRAY {
            return Ok(Found { any: count != 0, passed });
        }
    }
}

/// Reads a segment's length, which precedes its body, and returns the body's length.
pub(super) fn body_length<R: Read + Seek>(source: &mut Source<R>, place: &str) -> Result<usize, Error> {
    let length = u16::from_be_bytes(source.array(place)?);
    usize::from(length)
        .checked_sub(2)
        .ok_or_else(|| Error::Corrupt(format!("a JPEG segment of length {length}; the least is 2")))
}
