//! GIF's header (GIF89a): the logical screen, and the blocks up to the first image descriptor.

use std::io::{Read, Seek};

use super::{Area, Coding, Probe, size};
use crate::image::orientation::Orientation;
use crate::image::source::Source;
use crate::image::{Error, Size};

const PLACE: &str = "in the GIF header";

/// Most bytes before the first frame: colours, comments, profiles.
const MAX_HEADER: u64 = 16 << 20;

/// Walks to the first image descriptor.
pub(super) fn probe<R: Read + Seek>(source: &mut Source<R>) -> Result<Probe, Error> {
    source.skip(6, PLACE)?;
    let [w0, w1, h0, h1, flags, _, _] = source.array(PLACE)?;
    source.skip(colour_table(flags), PLACE)?;
    let mut transparent = false;
    while source.at() <= MAX_HEADER {
        match source.byte(PLACE)? {
            b',' => {
                let frame = descriptor(source)?;
                let canvas = canvas(u16::from_le_bytes([w0, w1]), u16::from_le_bytes([h0, h1]), frame);
                return Ok(Probe {
                    size: canvas,
                    orientation: Orientation::Upright,
                    alpha: transparent || !frame.covers(canvas),
                    coding: Coding::Gif { frame },
                });
            }
            b'!' => {
                if let Some(flags) = extension(source)? {
                    transparent = flags & 1 == 1;
                }
            }
            b';' => return Err(Error::Corrupt("a GIF without a frame".to_owned())),
            other => return Err(Error::Corrupt(format!("a GIF block of the unknown kind {other:#04x}"))),
        }
    }
    Err(Error::Corrupt(format!("no frame within the first {MAX_HEADER} bytes of the GIF")))
}

/// Bytes of the colour table that flags announce, in the logical screen's or in a frame's (18, 20).
fn colour_table(flags: u8) -> u64 {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

/// The canvas; without one (a side of 0), as viewers have it, the first frame's extent.
fn canvas(width: u16, height: u16, frame: Area) -> Size {
    if width == 0 || height == 0 {
        return Size { width: frame.left + frame.size.width, height: frame.top + frame.size.height };
    }
    Size { width: width.into(), height: height.into() }
}

/// An image descriptor behind its separator (20).
fn descriptor<R: Read + Seek>(source: &mut Source<R>) -> Result<Area, Error> {
    let [x0, x1, y0, y1, w0, w1, h0, h1, _] = source.array(PLACE)?;
    let pair = |low, high| u32::from(u16::from_le_bytes([low, high]));
    Ok(Area { left: pair(x0, x1), top: pair(y0, y1), size: size(pair(w0, w1), pair(h0, h1))? })
}

/// Passes over an extension behind its introducer; the flags, if it is a graphic control (23).
fn extension<R: Read + Seek>(source: &mut Source<R>) -> Result<Option<u8>, Error> {
    const GRAPHIC_CONTROL: u8 = 0xF9;
    let label = source.byte(PLACE)?;
    let mut flags = None;
    loop {
        let length = source.byte(PLACE)?;
        if length == 0 {
            return Ok(flags);
        }
        let mut rest = u64::from(length);
        if label == GRAPHIC_CONTROL && flags.is_none() {
            flags = Some(source.byte(PLACE)?);
            rest -= 1;
        }
        source.skip(rest, PLACE)?;
        if source.at() > MAX_HEADER {
            return Err(Error::Corrupt(format!("a GIF extension that ends beyond byte {MAX_HEADER}")));
        }
    }
}
