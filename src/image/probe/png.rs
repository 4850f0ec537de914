//! PNG's header (W3C PNG, third edition): IHDR, and the chunks that tell of alpha and orientation.

use std::io::{Read, Seek};
use std::ops::RangeInclusive;

use super::{Coding, Frames, Interlacing, PngColor, Probe, exif, size};
use crate::image::crc::crc32;
use crate::image::source::Source;
use crate::image::{Error, Size};

const PLACE: &str = "in the PNG header";

/// Longest chunk and largest side (section 4.3 of the RFC and 7.1 of the standard): 2³¹ - 1.
const MAX_LENGTH: u32 = (1 << 31) - 1;

/// Bytes of a palette: 1 to 256 entries of three each (11.2.2).
const PALETTE: RangeInclusive<u32> = 3..=768;

/// Most chunks that are looked at; an orientation that comes later is not seen.
const MAX_CHUNKS: usize = 100_000;

/// Walks to the first IDAT, and on to IEND for an orientation that comes late.
pub(super) fn probe<R: Read + Seek>(source: &mut Source<R>) -> Result<Probe, Error> {
    source.skip(8, PLACE)?;
    let header = header(source)?;
    let seen = before_data(source, header.color)?;
    if header.color == PngColor::Palette && !seen.palette {
        return Err(Error::Corrupt("a PNG with palette colours and no palette".to_owned()));
    }
    let exif = match seen.exif {
        Some(exif) => Some(exif),
        None => after_data(source)?,
    };
    Ok(Probe {
        size: header.size,
        orientation: exif.map(|tiff| exif::orientation(&tiff)).unwrap_or_default(),
        alpha: seen.transparency
            || seen.apart
            || matches!(header.color, PngColor::GreyAlpha | PngColor::Rgba),
        coding: Coding::Png {
            color: header.color,
            depth: header.depth,
            interlacing: header.interlacing,
            frames: seen.frames,
        },
    })
}

struct Header {
    size: Size,
    color: PngColor,
    depth: u8,
    interlacing: Interlacing,
}

/// IHDR, which must be the first chunk.
fn header<R: Read + Seek>(source: &mut Source<R>) -> Result<Header, Error> {
    let (length, kind) = chunk(source)?;
    match (&kind, length) {
        (b"IHDR", 13) => {}
        (b"CgBI", _) => return Err(Error::Unsupported("Apple's CgBI PNG".to_owned())),
        _ => return Err(Error::Corrupt("a PNG whose first chunk is not IHDR".to_owned())),
    }
    let body: [u8; 13] = source.array(PLACE)?;
    if u32::from_be_bytes(source.array(PLACE)?) != crc32(&[&kind, &body]) {
        return Err(Error::Corrupt("the checksum of the PNG header is wrong".to_owned()));
    }
    let [w3, w2, w1, w0, h3, h2, h1, h0, depth, color, compression, filter, interlacing] = body;
    let (width, height) = (u32::from_be_bytes([w3, w2, w1, w0]), u32::from_be_bytes([h3, h2, h1, h0]));
    let size = size(width, height)?;
    if width > MAX_LENGTH || height > MAX_LENGTH {
        return Err(Error::Corrupt(format!("a PNG of {size} pixels")));
    }
    let interlacing = match (compression, filter, interlacing) {
        (0, 0, 0) => Interlacing::None,
        (0, 0, 1) => Interlacing::Adam7,
        other => return Err(Error::Corrupt(format!("a PNG with the unknown methods {other:?}"))),
    };
    Ok(Header { size, color: color_type(color, depth)?, depth, interlacing })
}

/// The colour type, if it admits that depth (Table 12).
fn color_type(color: u8, depth: u8) -> Result<PngColor, Error> {
    match (color, depth) {
        (0, 1 | 2 | 4 | 8 | 16) => Ok(PngColor::Grey),
        (2, 8 | 16) => Ok(PngColor::Rgb),
        (3, 1 | 2 | 4 | 8) => Ok(PngColor::Palette),
        (4, 8 | 16) => Ok(PngColor::GreyAlpha),
        (6, 8 | 16) => Ok(PngColor::Rgba),
        _ => Err(Error::Corrupt(format!("a PNG of colour type {color} with {depth} bits"))),
    }
}

/// A chunk's length and kind, which come before its body.
fn chunk<R: Read + Seek>(source: &mut Source<R>) -> Result<(u32, [u8; 4]), Error> {
    let length = u32::from_be_bytes(source.array(PLACE)?);
    let kind = source.array(PLACE)?;
    if length > MAX_LENGTH {
        return Err(Error::Corrupt(format!("a PNG chunk of {length} bytes")));
    }
    Ok((length, kind))
}

struct Seen {
    palette: bool,
    transparency: bool,
    frames: Frames,
    /// The default image is no frame of the animation; whether the first frame covers the canvas is not
    /// looked up.
    apart: bool,
    exif: Option<Vec<u8>>,
}

/// The chunks between IHDR and the first IDAT, behind whose head it stops.
fn before_data<R: Read + Seek>(source: &mut Source<R>, color: PngColor) -> Result<Seen, Error> {
    let mut seen =
        Seen { palette: false, transparency: false, frames: Frames::Still, apart: false, exif: None };
    let mut controlled = false;
    for _ in 0..MAX_CHUNKS {
        let (length, kind) = chunk(source)?;
        match &kind {
            b"IDAT" => {
                // Data that ends early is the worker's to judge; one byte of it must not be missing here.
                let rest = source.left().min(u64::from(length) + 4);
                source.skip(rest, PLACE)?;
                seen.apart = seen.frames == Frames::Animated && !controlled;
                return Ok(seen);
            }
            b"IEND" => return Err(Error::Corrupt("a PNG without data".to_owned())),
            b"PLTE" => {
                // Where colours are no indices, a palette is a hint, and damage to it none to the picture.
                if color == PngColor::Palette && (!PALETTE.contains(&length) || length % 3 != 0) {
                    return Err(Error::Corrupt(format!("a PNG palette of {length} bytes")));
                }
                seen.palette = true;
            }
            b"tRNS" => seen.transparency = true,
            b"fcTL" => controlled = true,
            b"acTL" => seen.frames = Frames::Animated,
            b"eXIf" if seen.exif.is_none() => {
                seen.exif = Some(block(source, length, PLACE)?);
                continue;
            }
            _ => {}
        }
        source.skip(u64::from(length) + 4, PLACE)?;
    }
    Err(Error::Corrupt(format!("more than {MAX_CHUNKS} chunks in the PNG header")))
}

/// An Exif block that comes after the first IDAT. What ends or is damaged there is no header.
fn after_data<R: Read + Seek>(source: &mut Source<R>) -> Result<Option<Vec<u8>>, Error> {
    for _ in 0..MAX_CHUNKS {
        match late_chunk(source) {
            Ok(Late::Exif(block)) => return Ok(Some(block)),
            Ok(Late::Other) => {}
            Ok(Late::End) | Err(Error::Truncated(_) | Error::Corrupt(_)) => return Ok(None),
            Err(other) => return Err(other),
        }
    }
    Ok(None)
}

enum Late {
    Exif(Vec<u8>),
    Other,
    End,
}

fn late_chunk<R: Read + Seek>(source: &mut Source<R>) -> Result<Late, Error> {
    let (length, kind) = chunk(source)?;
    match &kind {
        b"eXIf" => return block(source, length, PLACE).map(Late::Exif),
        b"IEND" => return Ok(Late::End),
        _ => source.skip(u64::from(length) + 4, PLACE)?,
    }
    Ok(Late::Other)
}

/// The beginning of a chunk's body; passes over the rest and the checksum.
fn block<R: Read + Seek>(source: &mut Source<R>, length: u32, place: &str) -> Result<Vec<u8>, Error> {
    let mut block = vec![0; (length as usize).min(exif::MAX_BLOCK)];
    source.fill(&mut block, place)?;
    source.skip(u64::from(length) - block.len() as u64 + 4, place)?;
    Ok(block)
}
