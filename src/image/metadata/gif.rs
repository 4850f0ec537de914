//! Strips GIF (GIF89a). It knows no orientation.

use std::io::{Read, Seek};

use super::plan::Plan;
use crate::image::Error;
use crate::image::source::Source;

const PLACE: &str = "in the GIF header";

/// Most data bytes of an extension that says how often an animation repeats: 4 are usual.
const MAX_LOOP: u64 = 16;

/// Keeps frames, their controls, repetition and colour profile, up to the trailer or the file's end.
pub(super) fn strip<R: Read + Seek>(source: &mut Source<R>) -> Result<Plan, Error> {
    let header: [u8; 13] = source.array(PLACE)?;
    source.skip(colour_table(header[10]), PLACE)?;
    let mut plan = Plan::default();
    plan.keep(0..source.at())?;
    loop {
        let start = source.at();
        match block(source) {
            Ok(Block::Kept) => plan.keep(start..source.at())?,
            Ok(Block::Dropped) => {}
            Ok(Block::Trailer) => {
                plan.keep(start..source.at())?;
                return Ok(plan);
            }
            // Browsers show what came before it, as if the file ended there.
            Ok(Block::Unknown) => return Ok(plan),
            // A frame that the file's end cuts is kept as far as it goes.
            Err(Error::Truncated(what)) if what == FRAME => {
                let rest = source.left();
                source.skip(rest, PLACE)?;
                plan.keep(start..source.at())?;
                return Ok(plan);
            }
            Err(Error::Truncated(_)) => return Ok(plan),
            Err(other) => return Err(other),
        }
    }
}

const FRAME: &str = "in a GIF frame";
const EXTENSION: &str = "in a GIF extension";

enum Block {
    Kept,
    Dropped,
    Trailer,
    Unknown,
}

/// Bytes of the colour table that flags announce, in the logical screen's or in a frame's (18, 20).
fn colour_table(flags: u8) -> u64 {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

/// Passes over a block.
fn block<R: Read + Seek>(source: &mut Source<R>) -> Result<Block, Error> {
    match source.byte(EXTENSION)? {
        b';' => Ok(Block::Trailer),
        b',' => frame(source).map(|()| Block::Kept),
        b'!' => extension(source),
        _ => Ok(Block::Unknown),
    }
}

/// A frame behind its separator: descriptor, colours, pixels (20 to 22).
fn frame<R: Read + Seek>(source: &mut Source<R>) -> Result<(), Error> {
    let descriptor: [u8; 9] = source.array(FRAME)?;
    source.skip(colour_table(descriptor[8]) + 1, FRAME)?;
    sub_blocks(source, FRAME).map(|_| ())
}

/// An extension behind its introducer (23 to 26).
fn extension<R: Read + Seek>(source: &mut Source<R>) -> Result<Block, Error> {
    const PLAIN_TEXT: u8 = 0x01;
    const GRAPHIC_CONTROL: u8 = 0xF9;
    const APPLICATION: u8 = 0xFF;
    match source.byte(EXTENSION)? {
        // Plain text is drawn, so it is picture.
        GRAPHIC_CONTROL | PLAIN_TEXT => sub_blocks(source, EXTENSION).map(|_| Block::Kept),
        APPLICATION => application(source),
        _ => sub_blocks(source, EXTENSION).map(|_| Block::Dropped),
    }
}

/// An application extension behind its label: repetition and colour profile are kept.
fn application<R: Read + Seek>(source: &mut Source<R>) -> Result<Block, Error> {
    let length = source.byte(EXTENSION)?;
    let mut name = vec![0; usize::from(length)];
    source.fill(&mut name, EXTENSION)?;
    let data = if length == 0 { 0 } else { sub_blocks(source, EXTENSION)? };
    Ok(match &*name {
        b"NETSCAPE2.0" | b"ANIMEXTS1.0" if data <= MAX_LOOP => Block::Kept,
        b"ICCRGBG1012" => Block::Kept,
        _ => Block::Dropped,
    })
}

/// Passes over sub-blocks up to their end, and counts their bytes (15, 16).
fn sub_blocks<R: Read + Seek>(source: &mut Source<R>, place: &str) -> Result<u64, Error> {
    let mut sum = 0;
    loop {
        let length = u64::from(source.byte(place)?);
        if length == 0 {
            return Ok(sum);
        }
        source.skip(length, place)?;
        sum += length;
    }
}
