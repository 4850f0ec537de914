//! Huffman tables (ITU-T T.81, B.2.4.2 and Annex C) and looking codes up in them: those of up to ten bits at once;
//! longer ones are one in hundreds.

use super::bits::Fault;
use super::stream::corrupt;
use crate::image::Error;

/// Bits that are looked up at once.
pub(super) const LOOKED_UP: u32 = 10;

/// A table as a file holds it: codes of each length 1 to 16, and the symbols in code order.
#[derive(Clone)]
pub(super) struct Spec {
    counts: [u8; 16],
    symbols: Box<[u8]>,
}

impl Spec {
    /// Reads one table off `body`, which begins with its 16 counts.
    pub fn parse(body: &[u8]) -> Result<(Spec, &[u8]), Error> {
        let bad = || corrupt("a bad Huffman table");
        let (counts, rest) = body.split_first_chunk::<16>().ok_or_else(bad)?;
        let total: usize = counts.iter().map(|&count| usize::from(count)).sum();
        if total > 256 || rest.len() < total {
            return Err(bad());
        }
        let (symbols, rest) = rest.split_at(total);
        Ok((Spec::new(*counts, symbols)?, rest))
    }

    /// # Errors
    /// If there are more codes of a length than are left by shorter ones (Annex C).
    pub fn new(counts: [u8; 16], symbols: &[u8]) -> Result<Spec, Error> {
        let mut free = 1u32;
        for &count in &counts {
            free = (free * 2)
                .checked_sub(u32::from(count))
                .ok_or_else(|| corrupt("a Huffman table of too many codes"))?;
        }
        Ok(Spec { counts, symbols: symbols.into() })
    }

    /// As a file holds it.
    #[cfg(test)]
    pub fn body(&self) -> Vec<u8> {
        [&self.counts, &self.symbols[..]].concat()
    }

    /// Whether all symbols are sizes that a DC difference can have (F.1.2.1, H.1.2.2).
    pub fn is_of_differences(&self) -> bool {
        self.symbols.iter().all(|&size| size <= 15)
    }

    /// Code, left-aligned in 16 bits, length and symbol of each.
    fn codes(&self) -> impl Iterator<Item = (u32, u32, u8)> {
        let lengths =
            (1u32..).zip(self.counts).flat_map(|(length, count)| std::iter::repeat_n(length, count.into()));
        lengths.zip(self.symbols.iter()).scan(0u32, |next, (length, &symbol)| {
            let code = *next;
            *next += 1 << (16 - length);
            Some((code, length, symbol))
        })
    }
}

/// A symbol and the length of its code; length 0 for none.
#[derive(Clone, Copy, Default)]
pub(super) struct Symbol {
    pub length: u8,
    pub symbol: u8,
}

/// The value that the top 63 - `shift` bits, 0 to 15, stand for: they begin with a one if it is positive (Figure F.12).
/// Of `shift` the low six bits count.
///
/// Without a branch: with the opposite of their first bit before them, the bits are a number in two's complement,
/// which is one too low if it is negative.
#[inline(always)]
pub(super) fn extend(bits: u64, shift: u32) -> i32 {
    let signed = (bits as i64 >> 1) ^ i64::MIN;
    let value = signed.wrapping_shr(shift) as i32;
    value + (value as u32 >> 31) as i32
}

/// A table ready to look up in.
pub(super) struct Lookup {
    /// By the next ten bits.
    pub short: [Symbol; 1 << LOOKED_UP],
    /// Of lengths 1 to 16: the first code that is longer, left-aligned in 16 bits.
    limits: [u32; 16],
    /// Of each length, how far a code's symbol lies from the code, aligned right.
    offsets: [i32; 16],
    symbols: [u8; 256],
}

impl Lookup {
    pub fn new(spec: &Spec) -> Lookup {
        let mut lookup = Lookup {
            short: [Symbol::default(); 1 << LOOKED_UP],
            limits: [0; 16],
            offsets: [0; 16],
            symbols: [0; 256],
        };
        lookup.symbols[..spec.symbols.len()].copy_from_slice(&spec.symbols);
        for (code, length, symbol) in spec.codes().take_while(|&(_, length, _)| length <= LOOKED_UP) {
            let first = (code >> (16 - LOOKED_UP)) as usize;
            let symbol = Symbol { length: length as u8, symbol };
            lookup.short[first..first + (1 << (LOOKED_UP - length))].fill(symbol);
        }
        let (mut code, mut index) = (0u32, 0i32);
        for (i, &count) in spec.counts.iter().enumerate() {
            let unit = 1u32 << (15 - i);
            lookup.offsets[i] = index - (code >> (15 - i)) as i32;
            code += u32::from(count) * unit;
            index += i32::from(count);
            lookup.limits[i] = code;
        }
        lookup
    }

    /// The next code, whatever its length. At least 16 bits must be at hand.
    #[inline(always)]
    pub fn found(&self, bits: u64) -> Result<Symbol, Fault> {
        let found = self.short[(bits >> (64 - LOOKED_UP)) as usize];
        if found.length == 0 { self.long(bits) } else { Ok(found) }
    }

    /// What the next sixteen bits say, where ten were not enough.
    #[cold]
    #[inline(never)]
    pub fn long(&self, bits: u64) -> Result<Symbol, Fault> {
        let code = (bits >> 48) as u32;
        let i = self.limits.iter().position(|&limit| code < limit).ok_or(Fault::Code)?;
        let index = (code >> (15 - i)) as i32 + self.offsets[i];
        let symbol = *self.symbols.get(index as usize).ok_or(Fault::Code)?;
        Ok(Symbol { length: i as u8 + 1, symbol })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_found_short_or_long() {
        // One code of each length, as the ones of Annex C: 0, 10, 110, …
        let symbols: Vec<u8> = (100..116).collect();
        let spec = Spec::new([1; 16], &symbols).unwrap();
        let lookup = Lookup::new(&spec);
        for (length, symbol) in (1u32..=16).zip(100..) {
            let bits = (((1u64 << (length - 1)) - 1) << 1) << (64 - length);
            for tail in [0, u64::MAX >> length] {
                let short = lookup.short[((bits | tail) >> (64 - LOOKED_UP)) as usize];
                let found = if short.length == 0 { lookup.long(bits | tail).unwrap() } else { short };
                assert_eq!((u32::from(found.length), found.symbol), (length, symbol));
                assert_eq!(short.length == 0, length > LOOKED_UP);
            }
        }
        assert_eq!(lookup.long(u64::MAX).err(), Some(Fault::Code));
    }

    #[test]
    fn values_are_those_of_the_standard() {
        for size in 0..16u32 {
            for bits in [0u64, 1, (1 << size >> 1), (1u64 << size) - 1] {
                let bits = bits & ((1 << size) - 1);
                let expected = match size {
                    0 => 0,
                    _ if bits >> (size - 1) == 1 => bits as i32,
                    _ => bits as i32 - (1 << size) + 1,
                };
                let top = if size == 0 { 0 } else { bits << (64 - size) };
                assert_eq!(extend(top, 63 - size), expected, "{bits} of {size}");
                assert_eq!(
                    extend(top | u64::MAX >> 1 >> size.max(1), 63 - size),
                    expected,
                    "{bits} of {size}"
                );
            }
        }
    }

    #[test]
    fn tables_of_too_many_codes_are_refused() {
        let counts = |pairs: &[(usize, u8)]| {
            let mut counts = [0; 16];
            pairs.iter().for_each(|&(length, count)| counts[length - 1] = count);
            counts
        };
        for (pairs, fits) in [
            (&[(1, 2)][..], true),
            (&[(1, 3)], false),
            (&[(1, 2), (2, 1)], false),
            (&[(1, 1), (2, 1), (3, 2)], true),
            (&[(8, 255)], true),
        ] {
            assert_eq!(Spec::new(counts(pairs), &[0; 256]).is_ok(), fits, "{pairs:?}");
        }
        assert!(Spec::parse(&[0; 15]).is_err());
        assert!(Spec::parse(&[1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]).is_err(), "a symbol lacks");
        assert!(Spec::parse(&[255; 300]).is_err());
    }
}
