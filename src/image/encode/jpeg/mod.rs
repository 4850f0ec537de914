//! JPEG files (ITU-T T.81) in a JFIF wrapping (T.871), from planes: grey, or YCbCr with chroma at full size
//! (4:4:4) or at half size both ways (4:2:0).
//!
//! [`encode`] is baseline and fast; [`encode_small`] is progressive, and takes its time for fewer bytes.

mod baseline;
mod small;

use super::bits::Bits;
use super::dct::Samples;
use super::tables::{BLOCK, Code, Huffman, ZIGZAG};
use crate::image::{Effort, Size};

pub use baseline::encode;
pub use small::encode as encode_small;

/// What an encoder holds at most at once for a picture of `size`, in bytes, beside its planes and its file.
pub(in crate::image) fn memory(size: Size, effort: Effort) -> u64 {
    match effort {
        Effort::Fast => 0,
        // Of up to three planes each sample's coefficient, and of two at once what codes them.
        Effort::Small => size.pixels().saturating_mul(3 * 2 + 2 * 4),
    }
}

/// Longest side that the format can say.
pub const MAX_SIDE: u32 = 65_535;

/// A picture's samples, full-range as in JFIF, each plane row by row without gaps.
#[derive(Clone, Copy)]
pub struct Planes<'a> {
    /// The picture's size, sides 1 to [`MAX_SIDE`].
    pub size: Size,
    /// Grey or Y, of that size.
    pub luma: &'a [u8],
    /// `None` for a grey picture.
    pub chroma: Option<Chroma<'a>>,
}

/// Cb and Cr.
#[derive(Clone, Copy)]
pub struct Chroma<'a> {
    /// How large they are.
    pub sampling: Sampling,
    /// Cb's samples and Cr's.
    pub planes: [&'a [u8]; 2],
}

/// How large chroma is beside luma.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// As large: 4:4:4.
    Full,
    /// Half as wide and high, rounded up: 4:2:0.
    Halved,
}

impl Sampling {
    /// Size of a chroma plane of a picture of `size`.
    pub fn of(self, size: Size) -> Size {
        match self {
            Sampling::Full => size,
            Sampling::Halved => Size { width: size.width.div_ceil(2), height: size.height.div_ceil(2) },
        }
    }

    /// Luma's sampling factors, horizontal and vertical in one byte, where chroma's are 1 (B.2.2).
    fn of_luma(self) -> u8 {
        match self {
            Sampling::Full => 0x11,
            Sampling::Halved => 0x22,
        }
    }
}

impl Planes<'_> {
    fn check(&self) {
        let sides = 1..=MAX_SIDE;
        assert!(sides.contains(&self.size.width) && sides.contains(&self.size.height), "{}", self.size);
        assert_eq!(self.luma.len() as u64, self.size.pixels(), "luma samples");
        if let Some(Chroma { sampling, planes }) = self.chroma {
            for plane in planes {
                assert_eq!(plane.len() as u64, sampling.of(self.size).pixels(), "chroma samples");
            }
        }
    }

    /// Each component's plane with its size: Y, then Cb and Cr.
    fn grids(&self) -> impl Iterator<Item = Grid<'_>> {
        let chroma = self
            .chroma
            .iter()
            .flat_map(|chroma| chroma.planes.map(|plane| Grid::new(chroma.sampling.of(self.size), plane)));
        std::iter::once(Grid::new(self.size, self.luma)).chain(chroma)
    }
}

/// A plane as blocks of 8 × 8 samples.
#[derive(Clone, Copy)]
struct Grid<'a> {
    samples: &'a [u8],
    width: usize,
    height: usize,
}

impl<'a> Grid<'a> {
    fn new(size: Size, samples: &'a [u8]) -> Grid<'a> {
        Grid { samples, width: size.width as usize, height: size.height as usize }
    }

    fn columns(&self) -> usize {
        self.width.div_ceil(8)
    }

    fn rows(&self) -> usize {
        self.height.div_ceil(8)
    }

    /// The block in column `x` and row `y` of blocks, the plane's last column and row repeated beyond its edges.
    fn block(&self, x: usize, y: usize) -> Samples {
        let (x, y) = (x * 8, y * 8);
        std::array::from_fn(|row| {
            let start = (y + row).min(self.height - 1) * self.width;
            let line = &self.samples[start..start + self.width];
            match line[x..].first_chunk() {
                Some(inside) => *inside,
                None => std::array::from_fn(|column| line[(x + column).min(self.width - 1)]),
            }
        })
    }
}

// Markers (T.81 Table B.1).
const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const APP0: u8 = 0xe0;
const DQT: u8 = 0xdb;
const SOF0: u8 = 0xc0;
const SOF2: u8 = 0xc2;
const DHT: u8 = 0xc4;
const SOS: u8 = 0xda;

/// Writes what comes before Huffman tables and scans: `frame` is the marker of the coding process, `quantisers`
/// are those of luma and of chroma, row by row.
fn write_frame(frame: u8, planes: &Planes<'_>, quantisers: [&[u8; BLOCK]; 2], out: &mut Vec<u8>) {
    // Components as (identifier, sampling factors, quantisers); JFIF numbers them 1 to 3.
    let luma = planes.chroma.map_or(0x11, |chroma| chroma.sampling.of_luma());
    let all = [(1, luma, 0), (2, 0x11, 1), (3, 0x11, 1)];
    let components = if planes.chroma.is_some() { &all[..] } else { &all[..1] };
    out.extend_from_slice(&[0xff, SOI]);
    // Version 1.02, square pixels of no given density, no preview.
    segment(out, APP0, b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0");
    for (id, quantisers) in (0u8..).zip(quantisers).take(components.len().min(2)) {
        let zigzag = ZIGZAG.map(|i| quantisers[usize::from(i)]);
        segment(out, DQT, &[&[id], &zigzag[..]].concat());
    }
    // `Planes::check` bounds both sides to 16 bits.
    let (height, width) = (planes.size.height as u16, planes.size.width as u16);
    let mut content = vec![8];
    content.extend_from_slice(&height.to_be_bytes());
    content.extend_from_slice(&width.to_be_bytes());
    content.push(components.len() as u8);
    content.extend(components.iter().flat_map(|&(id, sampling, table)| [id, sampling, table]));
    segment(out, frame, &content);
}

/// Writes a Huffman table; `id` is its class, 0 for DC and 1 for AC, and its number in one byte (B.2.4.2).
fn write_table(id: u8, table: &Huffman<'_>, out: &mut Vec<u8>) {
    segment(out, DHT, &[&[id], &table.lengths[..], table.symbols].concat());
}

/// Appends a marker segment. Its length, which counts its own two bytes, is that of a table here.
fn segment(out: &mut Vec<u8>, marker: u8, content: &[u8]) {
    let length = (content.len() + 2) as u16;
    out.extend_from_slice(&[0xff, marker]);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(content);
}

/// A coefficient as baseline codes it (T.81 F.1.2.1.1): how many bits it takes, and those bits, a
/// negative number less one.
#[inline(always)]
fn magnitude(value: i16) -> (u32, u32) {
    let value = i32::from(value);
    let size = 32 - value.unsigned_abs().leading_zeros();
    let bits = (value + (value >> 31)) as u32 & ((1 << size) - 1);
    (bits, size)
}

#[inline(always)]
fn put(bits: &mut Bits<'_>, code: Code, value: u32, size: u32) {
    bits.put(u32::from(code.bits) << size | value, u32::from(code.length) + size);
}

#[cfg(test)]
mod tests;
