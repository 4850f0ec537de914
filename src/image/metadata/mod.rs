//! Takes people's metadata (places, names, serial numbers, hidden pictures) out of a file without
//! re-encoding it. What is kept is listed; everything else goes, known or not.
//!
//! [`strip`] reads a file once and says what remains of it, as a list of its own ranges and of a few
//! new bytes. [`Stripped::read_from`] then reads that from the same file, which never is in memory.

mod gif;
mod jpeg;
mod plan;
mod png;
mod reader;
mod webp;

#[cfg(test)]
mod tests;

use std::io::{Read, Seek};
use std::ops::Range;

use super::orientation::Orientation;
use super::probe::Probe;
use super::source::Source;
use super::{Error, Format};

pub use reader::Reader;

/// A piece of a stripped file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// These bytes of the source, as offsets from its start.
    Source(Range<u64>),
    /// These bytes instead.
    Bytes(Vec<u8>),
}

impl Piece {
    /// Its length in bytes.
    pub fn length(&self) -> u64 {
        match self {
            Piece::Source(range) => range.end - range.start,
            Piece::Bytes(bytes) => bytes.len() as u64,
        }
    }
}

/// A file without its metadata, as pieces of the file with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stripped {
    pieces: Vec<Piece>,
}

impl Stripped {
    /// Its length in bytes.
    pub fn length(&self) -> u64 {
        self.pieces.iter().map(Piece::length).sum()
    }

    /// Its pieces, in order.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Reads it from the file that was stripped; reading fails if that has become shorter.
    pub fn read_from<R: Read + Seek>(&self, source: R) -> Reader<'_, R> {
        Reader::new(&self.pieces, source)
    }
}

/// Strips the picture in the first `length` bytes of `input`, of which `probe` told the header; where
/// `input` stands afterwards is not defined.
///
/// Kept are pixels, animation, resolution and what colours mean (ICC profiles and the like), and the
/// orientation, in an Exif block that holds nothing else. A file that ends early is kept as far as it
/// goes: that it can't be decoded, a worker finds out. Stripping what is stripped changes nothing.
///
/// # Errors
/// [`Error::Truncated`] or [`Error::Corrupt`] for a header that is no such picture's or that falls into
/// absurdly many pieces, [`Error::Unreadable`] if `input` fails.
pub fn strip<R: Read + Seek>(input: R, length: u64, probe: &Probe) -> Result<Stripped, Error> {
    let mut source = Source::new(input, length)?;
    let plan = match probe.format() {
        Format::Jpeg => jpeg::strip(&mut source, probe.orientation),
        Format::Png => png::strip(&mut source, probe.orientation),
        Format::Gif => gif::strip(&mut source),
        Format::Webp => webp::strip(&mut source, probe.orientation),
    }?;
    Ok(Stripped { pieces: plan.into_pieces() })
}

/// A TIFF header (TIFF 6.0, section 2) with the orientation and nothing else; nothing if upright, which
/// is what no block means.
fn exif(orientation: Orientation) -> Option<[u8; 26]> {
    let mut block = *b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0?\0\0\0\0\0\0";
    block[19] = orientation.to_exif();
    (orientation != Orientation::Upright).then_some(block)
}
