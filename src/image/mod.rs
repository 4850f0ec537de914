//! Pictures: bytes in, thumbnails out. No files, no network, no clock, no threads of its own.
//!
//! A decoder pushes rows of samples into a [`Sink`]; the sink's kernel ([`resize`]) emits the rows
//! of all thumbnails as the source goes by; the encoders take those. [`thumbnails`] joins them and
//! is the one door to all this for a worker; [`probe`] and [`metadata`] are what a server uses.

use std::fmt;

use serde::{Deserialize, Serialize};

mod color;
mod crc;
pub mod decode;
pub mod encode;
mod markers;
pub mod metadata;
pub mod orientation;
#[cfg(test)]
pub(crate) mod pictures;
pub mod probe;
mod profile;
pub mod resize;
mod source;
pub mod thumbnails;

/// A file format that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// ITU-T T.81, in a JFIF, Exif or Adobe wrapping.
    Jpeg,
    /// W3C PNG, third edition.
    Png,
    /// GIF87a or GIF89a; the first frame counts.
    Gif,
    /// WebP, lossy or lossless; the first frame counts.
    Webp,
}

impl Format {
    /// Extension in keys and file names, without a dot.
    pub fn extension(self) -> &'static str {
        match self {
            Format::Jpeg => "jpg",
            Format::Png => "png",
            Format::Gif => "gif",
            Format::Webp => "webp",
        }
    }

    /// Media type that it is served with.
    pub fn content_type(self) -> &'static str {
        match self {
            Format::Jpeg => "image/jpeg",
            Format::Png => "image/png",
            Format::Gif => "image/gif",
            Format::Webp => "image/webp",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Jpeg => "JPEG",
            Format::Png => "PNG",
            Format::Gif => "GIF",
            Format::Webp => "WebP",
        })
    }
}

/// Width × height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Size {
    /// Width × height.
    pub fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Height × width: the size after a quarter turn.
    pub fn transposed(self) -> Size {
        Size { width: self.height, height: self.width }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} × {}", self.width, self.height)
    }
}

/// What a thumbnail's encoder spends to have a smaller file. A thumbnail is made once and fetched many times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// As little time as can be.
    Fast,
    /// Some milliseconds a thumbnail, for as few bytes as they buy.
    Small,
}

impl Effort {
    /// By its name in settings, `fast` or `small`.
    pub fn parse(text: &str) -> Option<Effort> {
        match text {
            "fast" => Some(Effort::Fast),
            "small" => Some(Effort::Small),
            _ => None,
        }
    }
}

/// What the samples of a decoded picture mean. Samples are 8 bits, gamma-encoded as in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// One plane of one channel.
    Grey,
    /// One plane of two interleaved channels, grey and straight (not premultiplied) alpha.
    GreyAlpha,
    /// One plane of three interleaved channels.
    Rgb,
    /// One plane of four interleaved channels, alpha straight (not premultiplied).
    Rgba,
    /// Three planes of one channel each, full-range BT.601 as in JFIF; Cb and Cr may be smaller.
    YCbCr,
    /// One plane of four interleaved inks, cyan, magenta, yellow and black, 255 for none. Only a sink
    /// that [takes them](Sink::takes_inks) gets to see it.
    Cmyk,
}

/// One plane of a decoded picture: rows × columns × interleaved channels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plane {
    /// Columns and rows of this plane.
    pub size: Size,
    /// Interleaved channels, 1 to 4.
    pub channels: usize,
    /// How many columns and rows of the picture one of this plane's covers, as the ratio of the
    /// picture's sampling to the plane's: 2.0 × 2.0 for the chroma of 4:2:0. Sample centres are
    /// where JFIF has them: sample i spans picture columns i × ratio to (i + 1) × ratio.
    pub ratio: (f64, f64),
}

/// What a decoder is about to push.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// The picture's size, as stored (orientation not applied).
    pub size: Size,
    /// What the samples mean.
    pub color: Color,
    /// One plane, or three for [`Color::YCbCr`].
    pub planes: Vec<Plane>,
}

/// How few columns and rows the whole of a picture may come in. No less is made of a picture that is smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detail {
    /// Of a plane of chroma.
    pub chroma: Size,
    /// Of any other plane.
    pub luma: Size,
}

/// Takes a decoded picture row by row.
pub trait Sink {
    /// Whether a picture in inks is wanted as such, [`Color::Cmyk`]. Else it comes as the RGB that
    /// browsers make of inks without a profile.
    fn takes_inks(&self) -> bool {
        false
    }

    /// How much of a picture of `size` is wanted: all of it, if nothing else is said. A decoder that can make a
    /// smaller picture at less cost announces planes of fewer samples, but not of fewer than this.
    fn detail(&self, size: Size) -> Detail {
        Detail { chroma: size, luma: size }
    }

    /// Called once, before any row.
    ///
    /// # Errors
    /// When such a picture is not wanted; decoding ends with that error.
    fn start(&mut self, layout: &Layout) -> Result<(), Error>;

    /// The next row of `plane`: columns × channels samples. Rows of a plane come from top to bottom,
    /// each once; planes may take turns in any order.
    ///
    /// # Errors
    /// When the sink can't go on; decoding ends with that error.
    fn row(&mut self, plane: usize, samples: &[u8]) -> Result<(), Error>;

    /// The next rows of `plane`, each of `length` samples, without gaps: what [`Sink::row`] takes one
    /// by one.
    ///
    /// # Errors
    /// As of [`Sink::row`].
    fn rows(&mut self, plane: usize, length: usize, samples: &[u8]) -> Result<(), Error> {
        samples.chunks_exact(length).try_for_each(|row| self.row(plane, row))
    }
}

/// What keeps a picture from becoming thumbnails.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are of no known picture format.
    NotAnImage,
    /// A picture, but of a kind that is not taken: names it (`HEIC`, `arithmetic-coded JPEG`).
    Unsupported(String),
    /// A picture whose file ends too early, in its header or in its data.
    Truncated(String),
    /// A picture whose bytes break its format's rules.
    Corrupt(String),
    /// The file that holds the picture can't be read: a fault of this machine, not of the picture.
    Unreadable(String),
    /// More pixels than the limit allows.
    TooManyPixels {
        /// What its header claims.
        size: Size,
        /// The limit, in pixels.
        limit: u64,
    },
    /// A picture that needs more memory to decode than there is.
    TooLargeForWorker {
        /// What it needs, in bytes.
        needed: u64,
        /// What there is, in bytes.
        available: u64,
    },
    /// The caller wanted no more rows: the picture took longer than it may.
    Interrupted,
}

impl Error {
    /// A stable word for it, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Error::NotAnImage => "not_an_image",
            Error::Unsupported(_) => "unsupported_image",
            Error::Truncated(_) => "truncated_image",
            Error::Corrupt(_) => "corrupt_image",
            Error::Unreadable(_) => "unreadable_image",
            Error::TooManyPixels { .. } => "too_many_pixels",
            Error::TooLargeForWorker { .. } => "too_large_for_worker",
            Error::Interrupted => "interrupted",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotAnImage => f.write_str("these bytes are no image; send a JPEG, PNG, GIF or WebP file"),
            Error::Unsupported(kind) => {
                write!(f, "{kind} is not supported; send a JPEG, PNG, GIF or WebP file")
            }
            Error::Truncated(what) => write!(f, "the image ends too early: {what}"),
            Error::Corrupt(what) => write!(f, "the image is damaged: {what}"),
            Error::Unreadable(why) => write!(f, "the image can't be read: {why}"),
            Error::TooManyPixels { size, limit } => {
                write!(f, "the image has {size} pixels, {} in all; at most {limit} are taken", size.pixels())
            }
            Error::TooLargeForWorker { needed, available } => {
                write!(f, "decoding the image needs {needed} bytes of memory; this worker has {available}")
            }
            Error::Interrupted => f.write_str("the image took longer than it may"),
        }
    }
}

impl std::error::Error for Error {}
