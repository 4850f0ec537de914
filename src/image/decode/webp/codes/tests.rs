use super::*;

/// Writes data bit by bit.
#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
    at: usize,
}

impl Writer {
    fn put(mut self, value: usize, count: usize) -> Writer {
        for bit in 0..count {
            self.bytes.resize(self.at / 8 + 1, 0);
            self.bytes[self.at / 8] |= ((value >> bit & 1) as u8) << (self.at % 8);
            self.at += 1;
        }
        self
    }

    /// A code of one symbol.
    fn single(self, symbol: usize) -> Writer {
        self.put(0b101, 3).put(symbol, 8)
    }

    /// A code of eleven symbols, of 1, 2, … 9, 10 and 10 bits.
    fn long(self) -> Writer {
        // Lengths 1 to 6 have three bits, 7 to 10 four.
        let own = [0, 0, 0, 3, 3, 3, 3, 3, 0, 3, 4, 4, 4, 4];
        let writer = own.iter().fold(self.put(0, 1).put(own.len() - 4, 4), |w, &bits| w.put(bits, 3));
        // Eleven lengths follow, as a number of four bits says.
        let writer = writer.put(0b0011, 4).put(11 - 2, 4);
        let code = |w: Writer, length: usize| match length {
            1..=6 => w.put((length - 1).reverse_bits() >> (usize::BITS - 3), 3),
            _ => w.put((length - 7 + 12).reverse_bits() >> (usize::BITS - 4), 4),
        };
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10].into_iter().fold(writer, code)
    }
}

const SMALL: Size = Size { width: 16, height: 16 };

/// Data of a picture of 16 × 16 pixels with so many groups of long codes: one pixel says so.
fn groups(count: usize) -> Vec<u8> {
    // No transform, no cache, an entropy image of one pixel of 16 × 16.
    let writer = Writer::default().put(0, 1).put(0, 1).put(1, 1).put(2, 3);
    let writer = writer.put(0, 1).single((count - 1) & 0xFF).single((count - 1) >> 8);
    let writer = writer.single(0).single(0).single(0);
    (0..5 * count).fold(writer, |w, _| w.long()).bytes
}

#[test]
fn codes_are_held_to_a_limit() {
    assert_eq!(check(&groups(700), SMALL), Ok(()));
    assert!(matches!(check(&groups(800), SMALL), Err(Error::Unsupported(_))));
}

#[test]
fn their_memory_is_what_the_crate_takes() {
    let writer = Writer::default().long();
    let code = Walk { bits: Bits { data: &writer.bytes, at: 0 } }.code(256).unwrap();
    assert_eq!(code.symbols, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    assert_eq!(code.bytes(), 4096 + 3 * NODE);
}

#[test]
fn data_that_end_early_are_told() {
    let data = groups(1);
    for end in 0..data.len() {
        assert!(matches!(check(&data[..end], SMALL), Err(Error::Truncated(_))), "{end}");
    }
}

#[test]
fn near_distances_are_two_dimensional() {
    let found = [1, 2, 3, 4, 5, 119, 120, 121, 1000].map(|number| distance_of(number, 100));
    assert_eq!(found, [100, 1, 101, 99, 200, 608, 708, 1, 880]);
}
