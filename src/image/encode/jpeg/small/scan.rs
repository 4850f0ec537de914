//! Scans of a progressive file (T.81 G.1.2): a band of the coefficients of one component, in whole.

use super::super::super::bits::Bits;
use super::super::super::tables::{BLOCK, Codes};
use super::super::{SOS, magnitude, segment};

/// A band of coefficients in zigzag order: the DC coefficient alone, or some AC coefficients.
#[derive(Clone, Copy)]
pub(super) struct Scan {
    pub first: usize,
    pub last: usize,
}

const fn scan(first: usize, last: usize) -> Scan {
    Scan { first, last }
}

/// Luma's. Lower bands come first, as readers see them first; parted here, they code in fewest bits.
pub(super) const LUMA: &[Scan] = &[scan(0, 0), scan(1, 8), scan(9, 63)];

/// Chroma's: there is too little in its upper bands to be worth a scan's header.
pub(super) const CHROMA: &[Scan] = &[scan(0, 0), scan(1, 63)];

/// Most blocks that one end of band stands for (G.1.2.2).
const LONGEST_RUN: u32 = 0x7fff;

/// A symbol to be coded by a Huffman table, and the bits behind it.
#[derive(Clone, Copy)]
pub(super) struct Token(u32);

impl Token {
    fn new(symbol: u32, value: u32, size: u32) -> Token {
        Token(symbol << 24 | size << 16 | value)
    }

    pub fn symbol(self) -> u8 {
        (self.0 >> 24) as u8
    }

    /// How many bits follow the symbol.
    pub fn size(self) -> u32 {
        self.0 >> 16 & 0xff
    }

    /// Those bits.
    pub fn value(self) -> u32 {
        self.0 & 0xffff
    }

    #[inline]
    pub fn put(self, codes: &Codes, bits: &mut Bits<'_>) {
        super::super::put(bits, codes[usize::from(self.symbol())], self.value(), self.size());
    }
}

impl Scan {
    /// 0 for a DC, 1 for an AC table.
    pub fn class(self) -> u8 {
        u8::from(self.first > 0)
    }

    /// Writes the scan's header (B.2.3).
    pub fn write_header(self, component: u8, table: u8, out: &mut Vec<u8>) {
        // A band ends at 63 at most.
        let (first, last) = (self.first as u8, self.last as u8);
        segment(out, SOS, &[1, component, table << 4 | table, first, last, 0]);
    }

    /// Adds what codes this band of `blocks`, whose coefficients `grain` quantises.
    pub fn tokens(self, blocks: &[[i16; BLOCK]], grain: Grain, tokens: &mut Vec<Token>) {
        if self.first == 0 {
            return differences(blocks, tokens);
        }
        let mut ended = 0;
        for block in blocks {
            let mut left = grain.nonzero(block) & self.positions();
            if left != 0 {
                end_of_bands(&mut ended, tokens);
            }
            // The position behind the last coefficient that is not 0.
            let mut behind = self.first;
            while left != 0 {
                let position = left.trailing_zeros() as usize;
                left &= left - 1;
                let mut run = (position - behind) as u32;
                behind = position + 1;
                while run > 15 {
                    tokens.push(Token::new(0xf0, 0, 0));
                    run -= 16;
                }
                let (value, size) = magnitude(grain.quantised(block[position]));
                tokens.push(Token::new(run << 4 | size, value, size));
            }
            if behind <= self.last {
                ended += 1;
                if ended == LONGEST_RUN {
                    end_of_bands(&mut ended, tokens);
                }
            }
        }
        end_of_bands(&mut ended, tokens);
    }

    /// A bit for each of the band's positions, the first coefficient's lowest.
    pub fn positions(self) -> u64 {
        u64::MAX >> (BLOCK - 1 - self.last) & u64::MAX << self.first
    }
}

/// How coefficients are quantised: magnitude + `more`, in steps of 2^`bits`, rounded down.
#[derive(Clone, Copy)]
pub(super) struct Grain {
    pub more: u16,
    pub bits: u32,
}

impl Grain {
    /// For coefficients that are quantised already.
    pub const WHOLE: Grain = Grain { more: 0, bits: 0 };

    #[inline]
    pub fn quantised(self, value: i16) -> i16 {
        // At most 2^15 before the shift.
        let size = (u32::from(value.unsigned_abs()) + u32::from(self.more)) >> self.bits;
        if value < 0 { -(size as i16) } else { size as i16 }
    }

    /// A bit for each coefficient that does not become 0, the first one's lowest.
    #[inline]
    pub fn nonzero(self, block: &[i16; BLOCK]) -> u64 {
        let least = (1 << self.bits) - self.more;
        let flags: [u8; BLOCK] = std::array::from_fn(|i| u8::from(block[i].unsigned_abs() >= least));
        let eights = flags.as_chunks::<8>().0.iter();
        eights.enumerate().fold(0, |bits, (i, eight)| {
            // Each byte's lowest bit comes to be the one in the top byte that has its number.
            let byte = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
            bits | byte << (8 * i)
        })
    }
}

/// DC coefficients as differences, each to the one before.
fn differences(blocks: &[[i16; BLOCK]], tokens: &mut Vec<Token>) {
    let mut before = 0;
    for block in blocks {
        let (value, size) = magnitude(block[0] - before);
        before = block[0];
        tokens.push(Token::new(size, value, size));
    }
}

/// Says that the bands of so many blocks are at their end (G.1.2.2): of a number from 2^n on, the symbol says n,
/// and n bits the rest.
fn end_of_bands(ended: &mut u32, tokens: &mut Vec<Token>) {
    if let Some(size) = ended.checked_ilog2() {
        tokens.push(Token::new(size << 4, *ended - (1 << size), size));
        *ended = 0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_not_zero_is_what_is_not_quantised_to_it(
            values in proptest::collection::vec(-70i16..70, BLOCK), more in 0u16..32,
        ) {
            let block: [i16; BLOCK] = values.try_into().unwrap();
            for grain in [Grain { more, bits: 5 }, Grain::WHOLE] {
                let bits = grain.nonzero(&block);
                for (i, value) in block.into_iter().enumerate() {
                    prop_assert_eq!(bits >> i & 1 == 1, grain.quantised(value) != 0, "{} of {}", i, value);
                }
            }
        }
    }

    #[test]
    fn bands_have_their_positions() {
        assert_eq!(scan(1, 8).positions(), 0x1fe);
        assert_eq!(scan(9, 63).positions(), !0x1ff);
        assert_eq!(scan(1, 63).positions(), !1);
    }
}
