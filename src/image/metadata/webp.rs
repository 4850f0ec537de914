//! Strips WebP (RFC 9649).

use std::io::{Read, Seek};

use super::exif;
use super::plan::Plan;
use crate::image::Error;
use crate::image::orientation::Orientation;
use crate::image::source::Source;

const PLACE: &str = "in the WebP header";

/// VP8X's flags that stay: ICC profile, alpha, animation (section 2.7.1).
const KEPT_FLAGS: u8 = 0x20 | 0x10 | 0x02;

/// VP8X's flag for an EXIF chunk.
const EXIF_FLAG: u8 = 0x08;

/// Bytes of an animation frame's header (section 2.7.1.1).
const FRAME_HEADER: u64 = 16;

/// Keeps the chunks of pixels, animation and colour. The orientation comes behind them, but before a
/// chunk that is cut: within that it would become data.
pub(super) fn strip<R: Read + Seek>(source: &mut Source<R>, orientation: Orientation) -> Result<Plan, Error> {
    let head: [u8; 12] = source.array(PLACE)?;
    source.end_at(8 + u64::from(u32::from_le_bytes([head[4], head[5], head[6], head[7]])));
    let mut body = Body::default();
    let first = read_head(source)?;
    let extended = if &first.kind == b"VP8X" { Some(extended_header(source, &first)?) } else { None };
    if extended.is_none() {
        chunk(source, &first, &mut body)?;
    }
    while source.left() >= 8 {
        let head = read_head(source)?;
        chunk(source, &head, &mut body)?;
    }
    // Without VP8X no such chunk is allowed.
    let exif = if extended.is_some() { exif(orientation) } else { None };
    let extended = extended.map(|mut header| {
        header[0] = header[0] & KEPT_FLAGS | if exif.is_some() { EXIF_FLAG } else { 0 };
        header[1..4].fill(0);
        [b"VP8X\x0A\0\0\0", &header[..]].concat()
    });
    let exif = exif.map(|block| [&b"EXIF"[..], &(block.len() as u32).to_le_bytes(), &block].concat());
    let added: u64 = [&extended, &exif].into_iter().flatten().map(|bytes| bytes.len() as u64).sum();
    let riff = u32::try_from(4 + added + body.whole.length() + body.cut.length())
        .map_err(|_| Error::Corrupt("a WebP longer than its format admits".to_owned()))?;
    let mut plan = Plan::default();
    plan.write([b"RIFF", &riff.to_le_bytes()[..], b"WEBP", &extended.unwrap_or_default()].concat())?;
    plan.append(body.whole)?;
    if let Some(exif) = exif {
        plan.write(exif)?;
    }
    plan.append(body.cut)?;
    Ok(plan)
}

/// The chunks that are kept: those that lie wholly within the file, and the last if it does not.
#[derive(Default)]
struct Body {
    whole: Plan,
    cut: Plan,
}

/// Whether a chunk lies wholly within the file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Complete {
    Yes,
    No,
}

/// The VP8X chunk's ten bytes, behind its head; passes over what a newer format may add.
fn extended_header<R: Read + Seek>(source: &mut Source<R>, head: &Head) -> Result<[u8; 10], Error> {
    if head.length < 10 {
        return Err(Error::Corrupt(format!("a VP8X chunk of {} bytes", head.length)));
    }
    let header = source.array(PLACE)?;
    source.skip((head.length + head.length % 2 - 10).min(source.left()), PLACE)?;
    Ok(header)
}

/// Keeps or drops a chunk behind its head.
fn chunk<R: Read + Seek>(source: &mut Source<R>, head: &Head, body: &mut Body) -> Result<(), Error> {
    match &head.kind {
        b"ANMF" => animation_frame(source, head, body),
        b"ICCP" | b"ANIM" | b"ALPH" | b"VP8 " | b"VP8L" => keep(source, head, body),
        _ => pass(source, head).map(|_| ()),
    }
}

struct Head {
    kind: [u8; 4],
    /// Where the chunk's head begins.
    start: u64,
    /// Bytes of the body, padding not included.
    length: u64,
}

fn read_head<R: Read + Seek>(source: &mut Source<R>) -> Result<Head, Error> {
    let start = source.at();
    let kind = source.array(PLACE)?;
    let length = u64::from(u32::from_le_bytes(source.array(PLACE)?));
    Ok(Head { kind, start, length })
}

/// Passes over a chunk's body and padding, as far as the file goes.
fn pass<R: Read + Seek>(source: &mut Source<R>, head: &Head) -> Result<Complete, Error> {
    let complete = if source.left() < head.length { Complete::No } else { Complete::Yes };
    source.skip((head.length + head.length % 2).min(source.left()), PLACE)?;
    Ok(complete)
}

/// Keeps a chunk, with the padding that some writers forget at the end.
fn keep<R: Read + Seek>(source: &mut Source<R>, head: &Head, body: &mut Body) -> Result<(), Error> {
    if pass(source, head)? == Complete::No {
        return body.cut.keep(head.start..source.at());
    }
    body.whole.keep(head.start..source.at())?;
    if source.at() - head.start != 8 + head.length + head.length % 2 {
        body.whole.write(vec![0])?;
    }
    Ok(())
}

/// Keeps an animation frame's header and, of the chunks in it, those of pixels; nothing if there are none.
fn animation_frame<R: Read + Seek>(
    source: &mut Source<R>,
    whole: &Head,
    body: &mut Body,
) -> Result<(), Error> {
    let end = whole.start + 8 + whole.length;
    if whole.length < FRAME_HEADER || source.left() < whole.length {
        return keep(source, whole, body);
    }
    source.skip(FRAME_HEADER, PLACE)?;
    let mut pixels = Plan::default();
    while end.saturating_sub(source.at()) >= 8 {
        let inner = read_head(source)?;
        let rest = inner.length + inner.length % 2;
        if rest > end - source.at() {
            // Damaged: the frame's remainder is kept as it is.
            source.skip(end - source.at(), PLACE)?;
            pixels.keep(inner.start..end)?;
            break;
        }
        source.skip(rest, PLACE)?;
        if matches!(&inner.kind, b"ALPH" | b"VP8 " | b"VP8L") {
            pixels.keep(inner.start..source.at())?;
        }
    }
    let is_empty = pixels.length() == 0;
    let start = whole.start + 8;
    source.skip((end + whole.length % 2).saturating_sub(source.at()).min(source.left()), PLACE)?;
    if is_empty {
        // A frame that shows nothing goes: a decoder refuses the file for one that is but a header.
        return Ok(());
    }
    let plan = &mut body.whole;
    // Not longer than the chunk was, so it fits.
    let length = (FRAME_HEADER + pixels.length()) as u32;
    if u64::from(length) == whole.length {
        plan.keep(whole.start..start)?;
    } else {
        plan.write([b"ANMF", &length.to_le_bytes()[..]].concat())?;
    }
    plan.keep(start..start + FRAME_HEADER)?;
    plan.append(pixels)?;
    if length % 2 == 1 {
        plan.write(vec![0])?;
    }
    Ok(())
}
