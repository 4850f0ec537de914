//! How much memory image-webp will take for the prefix codes of lossless data (RFC 9649, section 3).
//!
//! One pixel of an entropy image makes the crate build up to 65,536 groups of five codes, of some 4 KB
//! each: four megabytes of a file that shows 16 × 16 pixels became 1.3 GB. So the data are walked up to
//! there first, without building any of it.

use crate::image::{Error, Size};

/// Most bytes of codes of one picture. For photographs of two megapixels libwebp writes up to 20 groups,
/// of some 16 KB each.
pub(in crate::image) const MOST: u64 = 16 << 20;

/// What the crate takes for a group of codes, in a list that grows by doubling, in bytes.
const GROUP: u64 = 1024;

/// Bits that the crate's tables are looked up by; longer codes go on in a tree, of two nodes a symbol.
const TABLE_BITS: usize = 10;

/// Bytes of a node of such a tree.
const NODE: u64 = 16;

/// Longest code, in bits.
const LONGEST: usize = 15;

/// Symbols of green and of lengths, of red, of blue, of alpha and of distances (section 3.7.2.2).
const ALPHABETS: [usize; 5] = [256 + LENGTHS, 256, 256, 256, 40];

/// Symbols that stand for the length of a repetition.
const LENGTHS: usize = 24;

/// Refuses data, behind their header, of a picture of `size` whose codes take more than [`MOST`] bytes.
pub(super) fn check(data: &[u8], size: Size) -> Result<(), Error> {
    let mut walk = Walk { bits: Bits { data, at: 0 } };
    let width = walk.transforms(size)?;
    let cache = walk.cache_bits()?;
    let groups = walk.groups(width, size.height)?;
    let mut bytes = 0;
    for _ in 0..groups {
        bytes += walk.group(cache)?.iter().map(Code::bytes).sum::<u64>() + GROUP;
        if bytes > MOST {
            return Err(Error::Unsupported(format!("a WebP whose prefix codes take more than {MOST} bytes")));
        }
    }
    Ok(())
}

fn corrupt(what: &str) -> Error {
    Error::Corrupt(format!("its lossless data have {what}"))
}

/// Data, bit by bit, the least significant first.
struct Bits<'a> {
    data: &'a [u8],
    /// Bits that are taken.
    at: usize,
}

impl Bits<'_> {
    /// The next `count` bits, at most 32.
    fn take(&mut self, count: usize) -> Result<usize, Error> {
        let rest = self.data.get(self.at / 8..).unwrap_or_default();
        if self.at % 8 + count > rest.len() * 8 {
            return Err(Error::Truncated("its pixels' data lack".to_owned()));
        }
        let mut eight = [0; 8];
        let there = rest.len().min(8);
        eight[..there].copy_from_slice(&rest[..there]);
        let value = u64::from_le_bytes(eight) >> (self.at % 8) & ((1 << count) - 1);
        self.at += count;
        Ok(value as usize)
    }

    fn flag(&mut self) -> Result<bool, Error> {
        Ok(self.take(1)? == 1)
    }
}

/// A prefix code: how many symbols have codes of each length, and all symbols in the order of their codes.
struct Code {
    counts: [usize; LONGEST + 1],
    symbols: Vec<u16>,
}

impl Code {
    /// A symbol that takes no bits, or two of one bit.
    fn simple(symbols: Vec<u16>) -> Code {
        let mut counts = [0; LONGEST + 1];
        counts[symbols.len() - 1] = symbols.len();
        Code { counts, symbols }
    }

    /// The code of which symbol i has `lengths[i]` bits, or 0 if it does not occur.
    fn of_lengths(lengths: &[u8]) -> Result<Code, Error> {
        let occurring = || (0u16..).zip(lengths).filter(|&(_, &length)| length != 0);
        if occurring().count() == 1 {
            return Ok(Code::simple(occurring().map(|(symbol, _)| symbol).collect()));
        }
        let mut counts = [0; LONGEST + 1];
        occurring().for_each(|(_, &length)| counts[usize::from(length)] += 1);
        let space: usize = counts.iter().enumerate().map(|(length, count)| count << (LONGEST - length)).sum();
        if space != 1 << LONGEST {
            return Err(corrupt("a prefix code that is not complete"));
        }
        let mut symbols: Vec<(u8, u16)> = occurring().map(|(symbol, &length)| (length, symbol)).collect();
        symbols.sort_unstable();
        Ok(Code { counts, symbols: symbols.into_iter().map(|(_, symbol)| symbol).collect() })
    }

    /// The next symbol.
    fn read(&self, bits: &mut Bits<'_>) -> Result<usize, Error> {
        let (mut code, mut first, mut index) = (0, 0, 0);
        for count in self.counts {
            if code < first + count {
                return Ok(usize::from(self.symbols[index + code - first]));
            }
            index += count;
            first = (first + count) << 1;
            code = code << 1 | bits.take(1)?;
        }
        Err(corrupt("a prefix code of more than 15 bits"))
    }

    /// What the crate takes for it.
    fn bytes(&self) -> u64 {
        let longest = self.counts.iter().rposition(|&count| count > 0).unwrap_or(0).min(TABLE_BITS);
        let beyond: usize = self.counts[TABLE_BITS + 1..].iter().sum();
        (4 << longest) + (2 * beyond as u64 + 3) * NODE
    }
}

struct Walk<'a> {
    bits: Bits<'a>,
}

impl Walk<'_> {
    /// Passes over the transforms (section 3.5); returns the width of the picture that they are made of.
    fn transforms(&mut self, size: Size) -> Result<u32, Error> {
        let mut width = size.width;
        let mut seen = [false; 4];
        while self.bits.flag()? {
            let kind = self.bits.take(2)?;
            if std::mem::replace(&mut seen[kind], true) {
                return Err(corrupt("a transform twice"));
            }
            match kind {
                0 | 1 => {
                    let block = self.block()?;
                    self.pixels(width.div_ceil(block), size.height.div_ceil(block))?;
                }
                2 => {}
                _ => {
                    let colours = self.bits.take(8)? as u32 + 1;
                    self.pixels(colours, 1)?;
                    let together = match colours {
                        0..=2 => 8,
                        3..=4 => 4,
                        5..=16 => 2,
                        _ => 1,
                    };
                    width = width.div_ceil(together);
                }
            }
        }
        Ok(width)
    }

    /// Columns and rows of the picture that a pixel of a smaller one stands for.
    fn block(&mut self) -> Result<u32, Error> {
        Ok(4 << self.bits.take(3)?)
    }

    /// How many groups of codes the picture has (section 3.7.2.2).
    fn groups(&mut self, width: u32, height: u32) -> Result<u32, Error> {
        if !self.bits.flag()? {
            return Ok(1);
        }
        let block = self.block()?;
        let pixels = self.pixels(width.div_ceil(block), height.div_ceil(block))?;
        Ok(pixels.iter().map(|argb| argb >> 8 & 0xFFFF).max().unwrap_or(0) + 1)
    }

    /// Bits of an index into the colour cache, 0 if there is none (section 3.6.2.3).
    fn cache_bits(&mut self) -> Result<usize, Error> {
        if !self.bits.flag()? {
            return Ok(0);
        }
        match self.bits.take(4)? {
            bits @ 1..=11 => Ok(bits),
            _ => Err(corrupt("a colour cache of an impossible size")),
        }
    }

    fn group(&mut self, cache_bits: usize) -> Result<[Code; 5], Error> {
        let [green, red, blue, alpha, distance] = ALPHABETS;
        let colours = if cache_bits > 0 { 1 << cache_bits } else { 0 };
        Ok([
            self.code(green + colours)?,
            self.code(red)?,
            self.code(blue)?,
            self.code(alpha)?,
            self.code(distance)?,
        ])
    }

    /// One code (section 3.7.2.1).
    fn code(&mut self, alphabet: usize) -> Result<Code, Error> {
        if !self.bits.flag()? {
            let lengths = self.lengths(alphabet)?;
            return Code::of_lengths(&lengths);
        }
        let two = self.bits.flag()?;
        let wide = self.bits.flag()?;
        let mut symbols = vec![self.bits.take(if wide { 8 } else { 1 })? as u16];
        if two {
            symbols.push(self.bits.take(8)? as u16);
        }
        match symbols.iter().all(|&symbol| usize::from(symbol) < alphabet) {
            true => Ok(Code::simple(symbols)),
            false => Err(corrupt("a symbol that does not exist")),
        }
    }

    /// A code's lengths, which are coded themselves.
    fn lengths(&mut self, alphabet: usize) -> Result<Vec<u8>, Error> {
        const ORDER: [usize; 19] = [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
        let mut own = [0; 19];
        let count = self.bits.take(4)? + 4;
        for &place in &ORDER[..count] {
            own[place] = self.bits.take(3)? as u8;
        }
        let code = Code::of_lengths(&own)?;
        let mut symbols = usize::MAX;
        if self.bits.flag()? {
            let width = 2 + 2 * self.bits.take(3)?;
            symbols = 2 + self.bits.take(width)?;
            if symbols > alphabet {
                return Err(corrupt("more lengths than symbols"));
            }
        }
        let mut lengths = Vec::with_capacity(alphabet);
        let mut last = 8;
        while lengths.len() < alphabet && symbols > 0 {
            symbols -= 1;
            let (length, times) = match code.read(&mut self.bits)? {
                16 => (last, 3 + self.bits.take(2)?),
                17 => (0, 3 + self.bits.take(3)?),
                18 => (0, 11 + self.bits.take(7)?),
                // At most 15.
                length => (length as u8, 1),
            };
            if length != 0 {
                last = length;
            }
            lengths.resize(lengths.len() + times, length);
        }
        if lengths.len() > alphabet {
            return Err(corrupt("more lengths than symbols"));
        }
        lengths.resize(alphabet, 0);
        Ok(lengths)
    }

    /// A picture within the data, of a group of codes of its own, as alpha, red, green and blue.
    fn pixels(&mut self, width: u32, height: u32) -> Result<Vec<u32>, Error> {
        let cache_bits = self.cache_bits()?;
        let codes = self.group(cache_bits)?;
        let count = width as usize * height as usize;
        let mut cache = vec![0; if cache_bits > 0 { 1 << cache_bits } else { 0 }];
        let mut pixels: Vec<u32> = Vec::with_capacity(count);
        while pixels.len() < count {
            let start = pixels.len();
            let green = codes[0].read(&mut self.bits)?;
            if green < 256 {
                let [red, blue, alpha] = [1, 2, 3].map(|code| codes[code].read(&mut self.bits));
                pixels.push((alpha? << 24 | red? << 16 | green << 8 | blue?) as u32);
            } else if green < 256 + LENGTHS {
                let length = self.number(green - 256)?;
                let distance = codes[4].read(&mut self.bits)?;
                let distance = distance_of(self.number(distance)?, width);
                if distance > start || length > count - start {
                    return Err(corrupt("a repetition of what is not there"));
                }
                (start..start + length).for_each(|index| pixels.push(pixels[index - distance]));
            } else {
                let colour = cache.get(green - 256 - LENGTHS).copied();
                pixels.push(colour.ok_or_else(|| corrupt("a colour from no cache"))?);
            }
            for &argb in if cache_bits > 0 { &pixels[start..] } else { &[] } {
                cache[(0x1E35_A7BD_u32.wrapping_mul(argb) >> (32 - cache_bits)) as usize] = argb;
            }
        }
        Ok(pixels)
    }

    /// A length or a distance of this symbol (section 3.6.2.2).
    fn number(&mut self, symbol: usize) -> Result<usize, Error> {
        if symbol < 4 {
            return Ok(symbol + 1);
        }
        let extra = (symbol - 2) >> 1;
        Ok(((2 + (symbol & 1)) << extra) + self.bits.take(extra)? + 1)
    }
}

/// Pixels back that a distance's number stands for: the first 120 are near in two dimensions.
fn distance_of(number: usize, width: u32) -> usize {
    /// Rows up × 16 + 8 - columns to the left, in the order of the RFC's table.
    #[rustfmt::skip]
    const NEAR: [u8; 120] = [
        0x18, 0x07, 0x17, 0x19, 0x28, 0x06, 0x27, 0x29, 0x16, 0x1a, 0x26, 0x2a, 0x38, 0x05, 0x37, 0x39,
        0x15, 0x1b, 0x36, 0x3a, 0x25, 0x2b, 0x48, 0x04, 0x47, 0x49, 0x14, 0x1c, 0x35, 0x3b, 0x46, 0x4a,
        0x24, 0x2c, 0x58, 0x45, 0x4b, 0x34, 0x3c, 0x03, 0x57, 0x59, 0x13, 0x1d, 0x56, 0x5a, 0x23, 0x2d,
        0x44, 0x4c, 0x55, 0x5b, 0x33, 0x3d, 0x68, 0x02, 0x67, 0x69, 0x12, 0x1e, 0x66, 0x6a, 0x22, 0x2e,
        0x54, 0x5c, 0x43, 0x4d, 0x65, 0x6b, 0x32, 0x3e, 0x78, 0x01, 0x77, 0x79, 0x53, 0x5d, 0x11, 0x1f,
        0x64, 0x6c, 0x42, 0x4e, 0x76, 0x7a, 0x21, 0x2f, 0x75, 0x7b, 0x31, 0x3f, 0x63, 0x6d, 0x52, 0x5e,
        0x00, 0x74, 0x7c, 0x41, 0x4f, 0x10, 0x20, 0x62, 0x6e, 0x30, 0x73, 0x7d, 0x51, 0x5f, 0x40, 0x72,
        0x7e, 0x61, 0x6f, 0x50, 0x71, 0x7f, 0x60, 0x70,
    ];
    match NEAR.get(number - 1) {
        Some(&near) => {
            let (rows, columns) = (i64::from(near >> 4), 8 - i64::from(near & 15));
            // At most 7 rows of 2¹⁴ pixels, and at least 1.
            (rows * i64::from(width) + columns).max(1) as usize
        }
        None => number - NEAR.len(),
    }
}

#[cfg(test)]
mod tests;
