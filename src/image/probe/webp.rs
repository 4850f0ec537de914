//! WebP's header (RFC 9649; VP8's frame header in RFC 6386, 9.1): the canvas and the first frame's.

use std::io::{Read, Seek};

use super::{Area, Coding, Frames, Probe, WebpPixels, exif, size};
use crate::image::markers::EXIF;
use crate::image::orientation::Orientation;
use crate::image::source::Source;
use crate::image::{Error, Size};

const PLACE: &str = "in the WebP header";

/// Most chunks that are looked at; an orientation that comes later is not seen.
const MAX_CHUNKS: usize = 100_000;

/// VP8X's flags (section 2.7.1).
mod flags {
    pub(super) const ALPHA: u8 = 0x10;
    pub(super) const EXIF: u8 = 0x08;
    pub(super) const ANIMATION: u8 = 0x02;
}

/// A chunk's kind and the length of its body, which an odd one's padding follows.
struct Chunk {
    kind: [u8; 4],
    length: u32,
}

/// What the header of a frame's pixels says.
struct Pixels {
    size: Size,
    alpha: bool,
    coding: WebpPixels,
}

/// Reads the first chunk, and what an extended header announces.
pub(super) fn probe<R: Read + Seek>(source: &mut Source<R>) -> Result<Probe, Error> {
    let head: [u8; 12] = source.array(PLACE)?;
    let riff = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
    source.end_at(8 + u64::from(riff));
    let first = chunk(source)?;
    match &first.kind {
        b"VP8X" => extended(source, &first),
        b"VP8 " | b"VP8L" => {
            let pixels = pixels(source, &first)?;
            let frame = Area { left: 0, top: 0, size: pixels.size };
            Ok(Probe {
                size: pixels.size,
                orientation: Orientation::Upright,
                alpha: pixels.alpha,
                coding: Coding::Webp { pixels: pixels.coding, frame, frames: Frames::Still },
            })
        }
        _ => Err(Error::Corrupt("a WebP whose first chunk holds no picture".to_owned())),
    }
}

fn chunk<R: Read + Seek>(source: &mut Source<R>) -> Result<Chunk, Error> {
    let kind = source.array(PLACE)?;
    let length = u32::from_le_bytes(source.array(PLACE)?);
    Ok(Chunk { kind, length })
}

/// Passes over the rest of a chunk of which `read` bytes are read; where the file ends earlier, to its end.
fn finish<R: Read + Seek>(source: &mut Source<R>, chunk: &Chunk, read: u64) -> Result<(), Error> {
    let padded = u64::from(chunk.length) + u64::from(chunk.length % 2);
    let rest = padded.saturating_sub(read).min(source.left());
    source.skip(rest, PLACE)
}

fn u24(bytes: &[u8; 3]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0])
}

/// A file with a VP8X chunk, behind its head.
fn extended<R: Read + Seek>(source: &mut Source<R>, head: &Chunk) -> Result<Probe, Error> {
    let [flags, _, _, _, w0, w1, w2, h0, h1, h2] = source.array(PLACE)?;
    if head.length < 10 {
        return Err(Error::Corrupt(format!("a VP8X chunk of {} bytes", head.length)));
    }
    let canvas = size(u24(&[w0, w1, w2]) + 1, u24(&[h0, h1, h2]) + 1)?;
    finish(source, head, 10)?;
    let frames = if flags & flags::ANIMATION == 0 { Frames::Still } else { Frames::Animated };
    let (frame, alpha, pixels) = first_frame(source, frames)?;
    if !frame.lies_in(canvas) || frames == Frames::Still && frame.size != canvas {
        let Area { left, top, size } = frame;
        return Err(Error::Corrupt(format!("a WebP canvas of {canvas}, a frame of {size} at {left}, {top}")));
    }
    let orientation = if flags & flags::EXIF == 0 { None } else { orientation(source)? };
    Ok(Probe {
        size: canvas,
        orientation: orientation.unwrap_or_default(),
        alpha: alpha || flags & flags::ALPHA != 0,
        coding: Coding::Webp { pixels, frame, frames },
    })
}

/// The chunks up to the first frame's pixels, through which it passes.
fn first_frame<R: Read + Seek>(
    source: &mut Source<R>,
    frames: Frames,
) -> Result<(Area, bool, WebpPixels), Error> {
    let mut alpha = false;
    for _ in 0..MAX_CHUNKS {
        let next = chunk(source)?;
        match (&next.kind, frames) {
            (b"VP8 " | b"VP8L", Frames::Still) => {
                let start = source.at();
                let found = pixels(source, &next)?;
                finish(source, &next, source.at() - start)?;
                let frame = Area { left: 0, top: 0, size: found.size };
                return Ok((frame, alpha || found.alpha, found.coding));
            }
            (b"ANMF", Frames::Animated) => return animation_frame(source, &next),
            (b"ALPH", Frames::Still) => alpha = true,
            _ => {}
        }
        finish(source, &next, 0)?;
    }
    Err(Error::Corrupt(format!("no picture within {MAX_CHUNKS} WebP chunks")))
}

/// An ANMF chunk behind its head (section 2.7.1.1). Its alpha shows only if the header's flag says so.
fn animation_frame<R: Read + Seek>(
    source: &mut Source<R>,
    whole: &Chunk,
) -> Result<(Area, bool, WebpPixels), Error> {
    let start = source.at();
    let [x0, x1, x2, y0, y1, y2, w0, w1, w2, h0, h1, h2, ..] = source.array::<16>(PLACE)?;
    let size = size(u24(&[w0, w1, w2]) + 1, u24(&[h0, h1, h2]) + 1)?;
    let frame = Area { left: 2 * u24(&[x0, x1, x2]), top: 2 * u24(&[y0, y1, y2]), size };
    let mut inner = chunk(source)?;
    if &inner.kind == b"ALPH" {
        finish(source, &inner, 0)?;
        inner = chunk(source)?;
    }
    let found = pixels(source, &inner)?;
    if found.size != size {
        return Err(Error::Corrupt(format!("a WebP frame of {size} that holds {}", found.size)));
    }
    finish(source, whole, source.at() - start)?;
    Ok((frame, false, found.coding))
}

/// The header of a VP8 or VP8L chunk's pixels, behind the chunk's head.
fn pixels<R: Read + Seek>(source: &mut Source<R>, chunk: &Chunk) -> Result<Pixels, Error> {
    match (&chunk.kind, chunk.length) {
        (b"VP8 ", 10..) => lossy(source),
        (b"VP8L", 5..) => lossless(source),
        _ => Err(Error::Corrupt("a WebP frame without a picture".to_owned())),
    }
}

fn lossy<R: Read + Seek>(source: &mut Source<R>) -> Result<Pixels, Error> {
    let [tag, _, _, 0x9D, 0x01, 0x2A, w0, w1, h0, h1] = source.array(PLACE)? else {
        return Err(Error::Corrupt("a VP8 picture without its start code".to_owned()));
    };
    if tag & 1 != 0 {
        return Err(Error::Corrupt("a VP8 picture that is no key frame".to_owned()));
    }
    let side = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3FFF);
    Ok(Pixels { size: size(side(w0, w1), side(h0, h1))?, alpha: false, coding: WebpPixels::Lossy })
}

fn lossless<R: Read + Seek>(source: &mut Source<R>) -> Result<Pixels, Error> {
    let [0x2F, b0, b1, b2, b3] = source.array(PLACE)? else {
        return Err(Error::Corrupt("a VP8L picture without its signature".to_owned()));
    };
    let bits = u32::from_le_bytes([b0, b1, b2, b3]);
    if bits >> 29 != 0 {
        return Err(Error::Corrupt(format!("a VP8L picture of the unknown version {}", bits >> 29)));
    }
    Ok(Pixels {
        size: size((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)?,
        alpha: bits >> 28 & 1 == 1,
        coding: WebpPixels::Lossless,
    })
}

/// The orientation of an EXIF chunk behind the pixels. What ends or is damaged there is no header.
fn orientation<R: Read + Seek>(source: &mut Source<R>) -> Result<Option<Orientation>, Error> {
    for _ in 0..MAX_CHUNKS {
        if source.left() < 8 {
            break;
        }
        let next = chunk(source)?;
        if &next.kind == b"EXIF" {
            let block = source.up_to((next.length as usize).min(exif::MAX_BLOCK))?;
            // Some programs put JPEG's prefix here as well.
            return Ok(Some(exif::orientation(block.strip_prefix(EXIF).unwrap_or(&block))));
        }
        finish(source, &next, 0)?;
    }
    Ok(None)
}
