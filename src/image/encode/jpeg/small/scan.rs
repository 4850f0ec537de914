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

    /// Adds what codes this band of `blocks`, of which `quantised` tells the coefficients.
    pub fn tokens(self, blocks: &[[i16; BLOCK]], quantised: impl Fn(i16) -> i16, tokens: &mut Vec<Token>) {
        if self.first == 0 {
            return differences(blocks, tokens);
        }
        let mut ended = 0;
        for block in blocks {
            let mut run = 0;
            for &value in &block[self.first..=self.last] {
                let value = quantised(value);
                if value == 0 {
                    run += 1;
                    continue;
                }
                end_of_bands(&mut ended, tokens);
                while run > 15 {
                    tokens.push(Token::new(0xf0, 0, 0));
                    run -= 16;
                }
                let (value, size) = magnitude(value);
                tokens.push(Token::new(run << 4 | size, value, size));
                run = 0;
            }
            if run > 0 {
                ended += 1;
                if ended == LONGEST_RUN {
                    end_of_bands(&mut ended, tokens);
                }
            }
        }
        end_of_bands(&mut ended, tokens);
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
