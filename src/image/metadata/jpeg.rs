//! Strips JPEG (ITU-T T.81, Annex B).
//!
//! JFIF comes first and the orientation second: each standard wants its segment to be the first, and
//! this order is what cameras and viewers have settled on.

use std::io::{Read, Seek};
use std::ops::Range;

use super::plan::Plan;
use super::{Piece, exif};
use crate::image::Error;
use crate::image::markers::{self, APP0, APP1, APP2, APP14, EOI, EXIF, ICC, MAX_SEGMENTS, SOI, SOS};
use crate::image::orientation::Orientation;
use crate::image::source::Source;

const PLACE: &str = "in the JPEG header";

/// Bytes of a JFIF segment's body without a thumbnail.
const JFIF: usize = 14;

/// Bytes of an Adobe segment's body.
const ADOBE: usize = 12;

/// Keeps what decoding needs, up to the end of the image.
pub(super) fn strip<R: Read + Seek>(source: &mut Source<R>, orientation: Orientation) -> Result<Plan, Error> {
    source.skip(2, PLACE)?;
    let header = header(source)?;
    let mut plan = Plan::default();
    plan.keep(0..2)?;
    match header.jfif {
        Some(Piece::Source(range)) => plan.keep(range)?,
        Some(Piece::Bytes(bytes)) => plan.write(bytes)?,
        None => {}
    }
    if let Some(block) = exif(orientation) {
        plan.write(segment(APP1, &[EXIF, &block].concat()))?;
    }
    plan.append(header.rest)?;
    scans(source, &mut plan)?;
    Ok(plan)
}

struct Header {
    jfif: Option<Piece>,
    rest: Plan,
}

/// Segments up to and including the first scan's header.
fn header<R: Read + Seek>(source: &mut Source<R>) -> Result<Header, Error> {
    let mut header = Header { jfif: None, rest: Plan::default() };
    for _ in 0..MAX_SEGMENTS {
        let marker = markers::next(source, PLACE)?;
        match marker {
            SOI | EOI => return Err(Error::Corrupt("a JPEG that ends before its first scan".to_owned())),
            marker if markers::stands_alone(marker) => continue,
            _ => {}
        }
        let start = source.at() - 2;
        let length = markers::body_length(source, PLACE)?;
        let body = start + 4..start + 4 + length as u64;
        match marker {
            APP0 => {
                let found = cut(source, APP0, length, b"JFIF\0", JFIF)?.map(|bytes| whole(&body, bytes));
                header.jfif = header.jfif.or(found);
            }
            APP14 => {
                if let Some(bytes) = cut(source, APP14, length, b"Adobe", ADOBE)? {
                    match whole(&body, bytes) {
                        Piece::Source(range) => header.rest.keep(range)?,
                        Piece::Bytes(bytes) => header.rest.write(bytes)?,
                    }
                }
            }
            APP2 => {
                let head = source.up_to(length.min(ICC.len()))?;
                if head == ICC {
                    header.rest.keep(start..body.end)?;
                }
            }
            _ if is_coding(marker) => header.rest.keep(start..body.end)?,
            _ => {}
        }
        source.skip(body.end.saturating_sub(source.at()), PLACE)?;
        if marker == SOS {
            return Ok(header);
        }
    }
    Err(Error::Corrupt(format!("more than {MAX_SEGMENTS} segments in the JPEG header")))
}

/// Frame, tables, restart interval, scan, number of lines.
fn is_coding(marker: u8) -> bool {
    matches!(marker, 0xC0..=0xCF | SOS..=0xDF)
}

fn segment(marker: u8, body: &[u8]) -> Vec<u8> {
    // Bodies here are of a few dozen bytes.
    let length = (body.len() + 2) as u16;
    [&[0xFF, marker], &length.to_be_bytes()[..], body].concat()
}

/// A segment that begins with `name`, without what follows its `fixed` bytes (a thumbnail, anything):
/// nothing if it is another kind of segment.
fn cut<R: Read + Seek>(
    source: &mut Source<R>,
    marker: u8,
    length: usize,
    name: &[u8],
    fixed: usize,
) -> Result<Option<Vec<u8>>, Error> {
    let mut body = source.up_to(length.min(fixed))?;
    if body.len() < fixed || !body.starts_with(name) {
        return Ok(None);
    }
    if marker == APP0 {
        // Width and height of the thumbnail.
        body[JFIF - 2..].fill(0);
    }
    Ok(Some(segment(marker, &body)))
}

/// The segment as it lies in the source if nothing is cut off it, else its new bytes.
fn whole(body: &Range<u64>, bytes: Vec<u8>) -> Piece {
    if bytes.len() as u64 == body.end - body.start + 4 {
        return Piece::Source(body.start - 4..body.end);
    }
    Piece::Bytes(bytes)
}

/// From the first scan's data to the end of the image, or of the file.
fn scans<R: Read + Seek>(source: &mut Source<R>, plan: &mut Plan) -> Result<(), Error> {
    let mut scanning = true;
    loop {
        let marker = if scanning { entropy_coded(source, plan)? } else { next_or_end(source)? };
        let start = source.at().saturating_sub(2);
        match marker {
            None | Some(SOI) => return Ok(()),
            Some(EOI) => return plan.keep(start..source.at()),
            Some(marker) if markers::stands_alone(marker) => {}
            Some(marker) => {
                let Some(end) = segment_end(source)? else { return Ok(()) };
                if is_coding(marker) {
                    plan.keep(start..end)?;
                }
                scanning = marker == SOS;
            }
        }
    }
}

/// Behind the first scan a file that breaks off, or breaks the rules, simply ends.
fn end_if_damaged<T>(found: Result<T, Error>) -> Result<Option<T>, Error> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(Error::Truncated(_) | Error::Corrupt(_)) => Ok(None),
        Err(other) => Err(other),
    }
}

fn next_or_end<R: Read + Seek>(source: &mut Source<R>) -> Result<Option<u8>, Error> {
    end_if_damaged(markers::next(source, PLACE))
}

/// Passes over a segment behind its marker, and says where it ends; nothing if the file ends before.
fn segment_end<R: Read + Seek>(source: &mut Source<R>) -> Result<Option<u64>, Error> {
    let Some(length) = end_if_damaged(markers::body_length(source, PLACE))? else { return Ok(None) };
    Ok(end_if_damaged(source.skip(length as u64, PLACE))?.map(|()| source.at()))
}

/// Keeps entropy-coded data with its restart markers (B.1.1.5) and passes over the marker that ends it,
/// fill bytes included.
fn entropy_coded<R: Read + Seek>(source: &mut Source<R>, plan: &mut Plan) -> Result<Option<u8>, Error> {
    let start = source.at();
    loop {
        let bytes = source.peek()?;
        let Some(index) = doubtful(bytes) else {
            let count = bytes.len();
            source.consume(count);
            if count == 0 {
                plan.keep(start..source.at())?;
                return Ok(None);
            }
            continue;
        };
        source.consume(index);
        let end = source.at();
        match code(source)? {
            Some(code) if is_data(code) => {}
            Some(marker) => {
                plan.keep(start..end)?;
                return Ok(Some(marker));
            }
            None => {
                plan.keep(start..source.at())?;
                return Ok(None);
            }
        }
    }
}

/// Whether 0xFF and this code belong to entropy-coded data: a stuffed 0xFF or a restart marker. Other
/// codes below 0xC0 are no markers that a program writes; decoders differ on them, so they stay.
fn is_data(code: u8) -> bool {
    matches!(code, 0..=0xBF | 0xD0..=0xD7)
}

/// The first 0xFF that may begin something else, or whose code is not at hand.
fn doubtful(bytes: &[u8]) -> Option<usize> {
    memchr::memchr_iter(0xFF, bytes).find(|at| bytes.get(at + 1).is_none_or(|&code| !is_data(code)))
}

/// Passes over bytes 0xFF and the one behind them, which it returns; nothing if the file ends before.
fn code<R: Read + Seek>(source: &mut Source<R>) -> Result<Option<u8>, Error> {
    loop {
        match source.peek()?.first() {
            None => return Ok(None),
            Some(&byte) => {
                source.consume(1);
                if byte != 0xFF {
                    return Ok(Some(byte));
                }
            }
        }
    }
}
