//! A baseline JPEG encoder (ITU-T T.81) in a JFIF wrapping (T.871), from planes: grey, or YCbCr with
//! chroma at half size both ways (4:2:0).
//!
//! One pass with the typical Huffman tables: thumbnails are small, and a second pass to fit tables
//! would cost more time than its few per cent of bytes are worth.

use super::bits::Bits;
use super::dct::{Coefficients, Divisors, Samples, Transform};
use super::tables::{self, BLOCK, COLUMNWISE, Code, Codes, Huffman, ZIGZAG};
use crate::image::Size;

/// Longest side that the format can say.
pub const MAX_SIDE: u32 = 65_535;

/// A picture's samples, full-range as in JFIF, each plane row by row without gaps.
#[derive(Clone, Copy)]
pub struct Planes<'a> {
    /// The picture's size, sides 1 to [`MAX_SIDE`].
    pub size: Size,
    /// Grey or Y, of that size.
    pub luma: &'a [u8],
    /// Cb and Cr, each of half that size, rounded up; `None` for a grey picture.
    pub chroma: Option<[&'a [u8]; 2]>,
}

impl Planes<'_> {
    /// Size of a chroma plane of a picture of `size`.
    pub fn chroma_size(size: Size) -> Size {
        Size { width: size.width.div_ceil(2), height: size.height.div_ceil(2) }
    }

    fn check(&self) {
        let sides = 1..=MAX_SIDE;
        assert!(sides.contains(&self.size.width) && sides.contains(&self.size.height), "{}", self.size);
        assert_eq!(self.luma.len() as u64, self.size.pixels(), "luma samples");
        for plane in self.chroma.iter().flatten() {
            assert_eq!(plane.len() as u64, Self::chroma_size(self.size).pixels(), "chroma samples");
        }
    }
}

/// Appends the picture as a whole file, at `quality` 1 to 100 on libjpeg's scale.
///
/// # Panics
/// If a side or a plane's length is not as [`Planes`] says.
pub fn encode(planes: &Planes<'_>, quality: u8, out: &mut Vec<u8>) {
    planes.check();
    let luma = tables::quantisers(&tables::LUMA, quality);
    let chroma = tables::quantisers(&tables::CHROMA, quality);
    // At usual qualities a pixel takes a bit or two.
    out.reserve(1024 + planes.luma.len() / 4);
    write_header(planes, [&luma, &chroma], out);
    let mut bits = Bits::new(out);
    let luma = Component::new(planes.luma, planes.size, &luma, &LUMA_CODES);
    match planes.chroma {
        None => encode_grey(luma, &mut bits),
        Some(planes_of_chroma) => {
            let size = Planes::chroma_size(planes.size);
            let chroma = planes_of_chroma.map(|plane| Component::new(plane, size, &chroma, &CHROMA_CODES));
            encode_colour(luma, chroma, &mut bits);
        }
    }
    bits.finish();
    out.extend_from_slice(&[0xff, EOI]);
}

// Markers (T.81 Table B.1).
const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const APP0: u8 = 0xe0;
const DQT: u8 = 0xdb;
const SOF0: u8 = 0xc0;
const DHT: u8 = 0xc4;
const SOS: u8 = 0xda;

fn write_header(planes: &Planes<'_>, quantisers: [&[u8; BLOCK]; 2], out: &mut Vec<u8>) {
    // Components as (identifier, sampling factors, tables); JFIF numbers them 1 to 3.
    let components: &[(u8, u8, u8)] = match planes.chroma {
        None => &[(1, 0x11, 0)],
        Some(_) => &[(1, 0x22, 0), (2, 0x11, 1), (3, 0x11, 1)],
    };
    let huffman: [[(u8, Huffman); 2]; 2] = [
        [(0x00, tables::LUMA_DC), (0x10, tables::LUMA_AC)],
        [(0x01, tables::CHROMA_DC), (0x11, tables::CHROMA_AC)],
    ];
    let kinds = components.len().min(2);

    out.extend_from_slice(&[0xff, SOI]);
    // Version 1.02, square pixels of no given density, no preview.
    segment(out, APP0, b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0");
    for (id, quantisers) in (0u8..).zip(quantisers).take(kinds) {
        let zigzag = ZIGZAG.map(|i| quantisers[usize::from(i)]);
        segment(out, DQT, &[&[id], &zigzag[..]].concat());
    }
    // `Planes::check` bounds both sides to 16 bits.
    let (height, width) = (planes.size.height as u16, planes.size.width as u16);
    let mut frame = vec![8];
    frame.extend_from_slice(&height.to_be_bytes());
    frame.extend_from_slice(&width.to_be_bytes());
    frame.push(components.len() as u8);
    frame.extend(components.iter().flat_map(|&(id, sampling, table)| [id, sampling, table]));
    segment(out, SOF0, &frame);
    for (id, table) in huffman.iter().take(kinds).flatten() {
        segment(out, DHT, &[&[*id], &table.lengths[..], table.symbols].concat());
    }
    let mut scan = vec![components.len() as u8];
    scan.extend(components.iter().flat_map(|&(id, _, table)| [id, table << 4 | table]));
    scan.extend_from_slice(&[0, 63, 0]);
    segment(out, SOS, &scan);
}

/// Appends a marker segment. Its length, which counts its own two bytes, is that of a table here.
fn segment(out: &mut Vec<u8>, marker: u8, content: &[u8]) {
    let length = (content.len() + 2) as u16;
    out.extend_from_slice(&[0xff, marker]);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(content);
}

fn encode_grey(mut luma: Component<'_>, bits: &mut Bits<'_>) {
    for y in 0..luma.height.div_ceil(8) {
        for x in 0..luma.width.div_ceil(8) {
            luma.encode_block(x, y, bits);
        }
    }
}

/// A minimum coded unit is 16 × 16 pixels: four blocks of Y, then one of Cb and one of Cr.
fn encode_colour(mut luma: Component<'_>, mut chroma: [Component<'_>; 2], bits: &mut Bits<'_>) {
    for y in 0..luma.height.div_ceil(16) {
        for x in 0..luma.width.div_ceil(16) {
            for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                luma.encode_block(2 * x + dx, 2 * y + dy, bits);
            }
            for plane in &mut chroma {
                plane.encode_block(x, y, bits);
            }
        }
    }
}

/// Huffman codes of one kind of component.
struct CodeTables {
    dc: Codes,
    ac: Codes,
}

static LUMA_CODES: CodeTables = CodeTables { dc: tables::LUMA_DC.codes(), ac: tables::LUMA_AC.codes() };
static CHROMA_CODES: CodeTables = CodeTables { dc: tables::CHROMA_DC.codes(), ac: tables::CHROMA_AC.codes() };

/// One plane on its way into the file.
struct Component<'a> {
    samples: &'a [u8],
    width: usize,
    height: usize,
    transform: Transform,
    divisors: Divisors,
    codes: &'static CodeTables,
    /// The last block's DC coefficient, which the next is coded as the difference to.
    dc: i16,
}

impl<'a> Component<'a> {
    fn new(samples: &'a [u8], size: Size, quantisers: &[u8; BLOCK], codes: &'static CodeTables) -> Self {
        let (width, height) = (size.width as usize, size.height as usize);
        let (transform, divisors) = (Transform::best(), Divisors::new(quantisers));
        Component { samples, width, height, transform, divisors, codes, dc: 0 }
    }

    /// Encodes the block in column `x` and row `y` of blocks. One that lies outside the picture is
    /// made like the one before: nobody sees it, and so it takes fewest bits.
    fn encode_block(&mut self, x: usize, y: usize, bits: &mut Bits<'_>) {
        if x * 8 >= self.width || y * 8 >= self.height {
            self.encode_dc(self.dc, bits);
            self.encode_ac(&Coefficients { values: [0; BLOCK], nonzero: 0 }, bits);
        } else {
            let coefficients = self.transform.run(&self.block(x * 8, y * 8), &self.divisors);
            self.encode_dc(coefficients.values[0], bits);
            self.encode_ac(&coefficients, bits);
        }
    }

    /// The samples from (`x`, `y`) on, the picture's last column and row repeated beyond its edges.
    fn block(&self, x: usize, y: usize) -> Samples {
        std::array::from_fn(|row| {
            let start = (y + row).min(self.height - 1) * self.width;
            let line = &self.samples[start..start + self.width];
            match line[x..].first_chunk() {
                Some(inside) => *inside,
                None => std::array::from_fn(|column| line[(x + column).min(self.width - 1)]),
            }
        })
    }

    fn encode_dc(&mut self, dc: i16, bits: &mut Bits<'_>) {
        let difference = dc - self.dc;
        self.dc = dc;
        let (value, size) = magnitude(difference);
        put(bits, self.codes.dc[size as usize], value, size);
    }

    /// Codes runs of zeros and the coefficients that end them, in zigzag order (T.81 F.1.2.2).
    fn encode_ac(&self, coefficients: &Coefficients, bits: &mut Bits<'_>) {
        let ac = &self.codes.ac;
        let mut nonzero = tables::in_zigzag(coefficients.nonzero & !1);
        let mut last = 0;
        while nonzero != 0 {
            let index = nonzero.trailing_zeros();
            nonzero &= nonzero - 1;
            let mut run = index - last - 1;
            last = index;
            while run > 15 {
                put(bits, ac[0xf0], 0, 0);
                run -= 16;
            }
            let at = usize::from(COLUMNWISE[index as usize]) % BLOCK;
            let (value, size) = magnitude(coefficients.values[at]);
            put(bits, ac[(run << 4 | size) as usize], value, size);
        }
        if last != 63 {
            put(bits, ac[0], 0, 0);
        }
    }
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
