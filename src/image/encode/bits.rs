//! Entropy-coded bits into bytes (T.81 F.1.2): most significant first, a zero byte stuffed after
//! every 0xFF, the last byte filled with ones.

/// Appends bits to a file's bytes.
pub(super) struct Bits<'a> {
    out: &'a mut Vec<u8>,
    /// The last `count` bits are waiting, fewer than 32 between calls.
    waiting: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub fn new(out: &'a mut Vec<u8>) -> Bits<'a> {
        Bits { out, waiting: 0, count: 0 }
    }

    /// Appends the last `count` (at most 32) bits of `bits`; those above must be 0.
    #[inline]
    pub fn put(&mut self, bits: u32, count: u32) {
        debug_assert!(count == 32 || bits >> count == 0);
        self.waiting = self.waiting << count | u64::from(bits);
        self.count += count;
        if self.count >= 32 {
            self.count -= 32;
            self.write((self.waiting >> self.count) as u32);
        }
    }

    /// Fills the last byte with ones and writes what is waiting.
    pub fn finish(mut self) {
        let fill = self.count.wrapping_neg() % 8;
        self.put((1 << fill) - 1, fill);
        for shift in (0..self.count / 8).rev().map(|byte| byte * 8) {
            self.write_byte((self.waiting >> shift) as u8);
        }
    }

    #[inline]
    fn write(&mut self, word: u32) {
        let bytes = word.to_be_bytes();
        // A byte's top bit is set here if the byte is 0xFF, or if it is above 0x80 and a carry came in.
        let suspect = word & !word.wrapping_add(0x0101_0101) & 0x8080_8080;
        if suspect == 0 {
            self.out.extend_from_slice(&bytes);
        } else {
            bytes.into_iter().for_each(|byte| self.write_byte(byte));
        }
    }

    fn write_byte(&mut self, byte: u8) {
        self.out.push(byte);
        if byte == 0xff {
            self.out.push(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(parts: &[(u32, u32)]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut bits = Bits::new(&mut out);
        parts.iter().for_each(|&(value, count)| bits.put(value, count));
        bits.finish();
        out
    }

    #[test]
    fn bits_come_most_significant_first_and_the_last_byte_is_filled_with_ones() {
        assert_eq!(written(&[]), [0u8; 0]);
        assert_eq!(written(&[(0b101, 3)]), [0b1011_1111]);
        assert_eq!(
            written(&[(0x12, 8), (0x3456, 16), (0x789a, 16), (0, 4)]),
            [0x12, 0x34, 0x56, 0x78, 0x9a, 0x0f]
        );
    }

    #[test]
    fn a_zero_follows_every_ff() {
        assert_eq!(
            written(&[(0xffff_ffff, 32), (0x01ff, 16), (1, 1)]),
            [0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0, 0x01, 0xff, 0, 0xff, 0]
        );
    }

    #[test]
    fn words_are_stuffed_wherever_the_ff_is() {
        for (i, filler) in (0..4).flat_map(|i| [0x00u8, 0x7f, 0x80, 0xfe].map(|filler| (i, filler))) {
            let mut bytes = [filler; 4];
            bytes[i] = 0xff;
            let expected: Vec<u8> =
                bytes.iter().flat_map(|&b| if b == 0xff { vec![b, 0] } else { vec![b] }).collect();
            assert_eq!(written(&[(u32::from_be_bytes(bytes), 32)]), expected);
        }
    }
}
