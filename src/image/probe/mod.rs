//! What a picture's header says: format, size, orientation, alpha, and what a decoder must hold.
//!
//! Nothing is decoded, and work and memory are bounded whatever a file claims: a server may ask this
//! of any bytes. That the rest of the file holds a picture as well, a worker finds out.

mod exif;
mod gif;
mod jpeg;
mod kinds;
mod png;
mod webp;

#[cfg(test)]
mod tests;

use std::io::{Cursor, Read, Seek};

use super::orientation::Orientation;
use super::source::Source;
use super::{Error, Format, Size};

/// What a picture's header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// As stored, orientation not applied. Of a GIF or an animated WebP: the canvas.
    pub size: Size,
    /// How to turn it upright.
    pub orientation: Orientation,
    /// Whether it has an alpha channel, a transparent colour, or a canvas that its first frame does
    /// not cover. It may be opaque all the same.
    pub alpha: bool,
    /// What a decoder must hold.
    pub coding: Coding,
}

impl Probe {
    /// Its file format.
    pub fn format(&self) -> Format {
        match self.coding {
            Coding::Jpeg { .. } => Format::Jpeg,
            Coding::Png { .. } => Format::Png,
            Coding::Gif { .. } => Format::Gif,
            Coding::Webp { .. } => Format::Webp,
        }
    }

    /// The format of its thumbnails: JPEG, but PNG where pixels may be transparent or were drawn.
    pub fn thumbnail_format(&self) -> Format {
        match self.format() {
            Format::Jpeg => Format::Jpeg,
            Format::Webp if !self.alpha => Format::Jpeg,
            Format::Webp | Format::Png | Format::Gif => Format::Png,
        }
    }

    /// Its size when its orientation is applied.
    pub fn upright(&self) -> Size {
        self.orientation.apply(self.size)
    }
}

/// How a picture is coded: what a decoder's need of memory depends on, beside its size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coding {
    /// JPEG with 8 bits a sample, Huffman-coded.
    Jpeg {
        /// Order in which coefficients come.
        process: Process,
        /// Horizontal and vertical sampling factors, 1 to 4, of each component: 1, 3 or 4 of them.
        sampling: Vec<(u8, u8)>,
    },
    /// PNG.
    Png {
        /// What a pixel consists of.
        color: PngColor,
        /// Bits of a sample or a palette index: 1, 2, 4, 8 or 16.
        depth: u8,
        /// Order of the rows.
        interlacing: Interlacing,
        /// Whether more frames follow (APNG).
        frames: Frames,
    },
    /// GIF.
    Gif {
        /// Where on the canvas the first frame lies. It may reach beyond the canvas.
        frame: Area,
    },
    /// WebP.
    Webp {
        /// How the first frame's pixels are coded.
        pixels: WebpPixels,
        /// Where on the canvas the first frame lies, always within it.
        frame: Area,
        /// Whether more frames follow.
        frames: Frames,
    },
}

/// A JPEG's process (ITU-T T.81, 4.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Process {
    /// Baseline or extended sequential: block by block (SOF0, SOF1), all components in one scan.
    Sequential,
    /// The same with components in scans of their own: all samples are held until the last scan.
    ScanByScan,
    /// All coefficients are held until the last scan (SOF2).
    Progressive,
}

/// A PNG's colour type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PngColor {
    /// Type 0.
    Grey,
    /// Type 2.
    Rgb,
    /// Type 3.
    Palette,
    /// Type 4.
    GreyAlpha,
    /// Type 6.
    Rgba,
}

/// Order of a PNG's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interlacing {
    /// Top to bottom.
    None,
    /// Seven passes: the whole picture is held.
    Adam7,
}

/// Coding of a WebP's pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebpPixels {
    /// VP8, with or without an alpha plane.
    Lossy,
    /// VP8L.
    Lossless,
}

/// How many pictures a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frames {
    /// One.
    Still,
    /// An animation, of which the first frame counts.
    Animated,
}

/// A frame's place on its canvas, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    /// Columns left of it.
    pub left: u32,
    /// Rows above it.
    pub top: u32,
    /// Its own size.
    pub size: Size,
}

impl Area {
    /// Whether every pixel of a canvas lies in it.
    pub fn covers(self, canvas: Size) -> bool {
        self.left == 0
            && self.top == 0
            && self.size.width >= canvas.width
            && self.size.height >= canvas.height
    }

    /// Whether every pixel of it lies on a canvas.
    pub fn lies_in(self, canvas: Size) -> bool {
        let within = |start: u32, side: u32, end: u32| start.checked_add(side).is_some_and(|sum| sum <= end);
        within(self.left, self.size.width, canvas.width) && within(self.top, self.size.height, canvas.height)
    }
}

/// Reads the header of the picture in the first `length` bytes of `input`, from its start; where
/// `input` stands afterwards is not defined.
///
/// # Errors
/// [`Error::NotAnImage`], [`Error::Unsupported`], [`Error::Truncated`] (in the header),
/// [`Error::Corrupt`], [`Error::Unreadable`] if `input` fails.
pub fn probe<R: Read + Seek>(input: R, length: u64) -> Result<Probe, Error> {
    let mut source = Source::new(input, length)?;
    let start = source.up_to(kinds::SNIFFED)?;
    source.rewind()?;
    match kinds::sniff(&start)? {
        Format::Jpeg => jpeg::probe(&mut source),
        Format::Png => png::probe(&mut source),
        Format::Gif => gif::probe(&mut source),
        Format::Webp => webp::probe(&mut source),
    }
}

/// [`probe`] of a file in memory.
///
/// # Errors
/// As [`probe`].
pub fn probe_bytes(file: &[u8]) -> Result<Probe, Error> {
    probe(Cursor::new(file), file.len() as u64)
}

/// A size of two sides that must not be 0.
fn size(width: u32, height: u32) -> Result<Size, Error> {
    if width == 0 || height == 0 {
        return Err(Error::Corrupt(format!("a picture of {width} × {height} pixels")));
    }
    Ok(Size { width, height })
}
