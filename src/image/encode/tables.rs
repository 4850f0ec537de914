//! The tables of ITU-T T.81 that every baseline decoder is at home with: example quantisation tables
//! (Annex K.1), typical Huffman tables (K.3), and the zigzag order (Figure A.6).

/// Coefficients of a block.
pub(in crate::image) const BLOCK: usize = 64;

/// Zigzag order: where in a block, row by row, its k-th coefficient lies.
pub(in crate::image) const ZIGZAG: [u8; BLOCK] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
    14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39,
    46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// Where in a block, *column by column*, its k-th coefficient in zigzag order lies.
pub(super) const COLUMNWISE: [u8; BLOCK] = {
    let mut order = ZIGZAG;
    let mut k = 0;
    while k < BLOCK {
        order[k] = ZIGZAG[k] % 8 * 8 + ZIGZAG[k] / 8;
        k += 1;
    }
    order
};

/// A set of coefficients, a bit for each column by column, as the same set in zigzag order: eight
/// look-ups, where ordering the coefficients themselves takes sixty-four moves.
pub(super) fn in_zigzag(columnwise: u64) -> u64 {
    static SETS: [[u64; 256]; 8] = zigzag_sets();
    let bytes = columnwise.to_le_bytes();
    SETS.iter().zip(bytes).fold(0, |set, (sets, byte)| set | sets[usize::from(byte)])
}

const fn zigzag_sets() -> [[u64; 256]; 8] {
    let mut sets = [[0; 256]; 8];
    let mut k = 0;
    while k < BLOCK {
        let (column, row) = (COLUMNWISE[k] as usize / 8, COLUMNWISE[k] % 8);
        let mut set = 0;
        while set < 256 {
            if set >> row & 1 == 1 {
                sets[column][set] |= 1 << k;
            }
            set += 1;
        }
        k += 1;
    }
    sets
}

/// Luminance quantisation (Table K.1), row by row.
pub(super) const LUMA: [u8; BLOCK] = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17,
    22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78,
    87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];

/// Chrominance quantisation (Table K.2), row by row.
pub(super) const CHROMA: [u8; BLOCK] = [
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
];

/// A quantisation table at `quality`, 1 to 100, scaled as libjpeg's `jpeg_set_quality` does: 50 is
/// the table itself, 100 all ones.
pub(super) fn quantisers(base: &[u8; BLOCK], quality: u8) -> [u8; BLOCK] {
    let quality = u32::from(quality.clamp(1, 100));
    let percent = if quality < 50 { 5000 / quality } else { 200 - 2 * quality };
    base.map(|q| ((u32::from(q) * percent + 50) / 100).clamp(1, 255) as u8)
}

/// A Huffman table as a file holds it: codes of each length 1 to 16, and the symbols in code order.
pub(in crate::image) struct Huffman<'a> {
    pub lengths: [u8; 16],
    pub symbols: &'a [u8],
}

/// Luminance DC differences (Table K.3).
pub(in crate::image) const LUMA_DC: Huffman<'static> = Huffman {
    lengths: [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0],
    symbols: &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
};

/// Chrominance DC differences (Table K.4).
pub(in crate::image) const CHROMA_DC: Huffman<'static> = Huffman {
    lengths: [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0],
    symbols: &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
};

/// Luminance AC coefficients (Table K.5).
pub(in crate::image) const LUMA_AC: Huffman<'static> = Huffman {
    lengths: [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7d],
    symbols: &[
        0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07, 0x22,
        0x71, 0x14, 0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52, 0xd1, 0xf0, 0x24, 0x33,
        0x62, 0x72, 0x82, 0x09, 0x0a, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x34,
        0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55,
        0x56, 0x57, 0x58, 0x59, 0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75, 0x76,
        0x77, 0x78, 0x79, 0x7a, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96,
        0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5,
        0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4,
        0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf1,
        0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa,
    ],
};

/// Chrominance AC coefficients (Table K.6).
pub(in crate::image) const CHROMA_AC: Huffman<'static> = Huffman {
    lengths: [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 0x77],
    symbols: &[
        0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71, 0x13,
        0x22, 0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xa1, 0xb1, 0xc1, 0x09, 0x23, 0x33, 0x52, 0xf0, 0x15, 0x62,
        0x72, 0xd1, 0x0a, 0x16, 0x24, 0x34, 0xe1, 0x25, 0xf1, 0x17, 0x18, 0x19, 0x1a, 0x26, 0x27, 0x28, 0x29,
        0x2a, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54,
        0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75,
        0x76, 0x77, 0x78, 0x79, 0x7a, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94,
        0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3,
        0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2,
        0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea,
        0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa,
    ],
};

/// A code: its bits, right-aligned, and how many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Code {
    pub bits: u16,
    pub length: u8,
}

/// The code of each symbol (T.81 Annex C). A symbol that has none has length 0.
pub(super) type Codes = [Code; 256];

impl Huffman<'_> {
    /// Counts up through the codes, a bit longer at each length.
    pub(super) const fn codes(&self) -> Codes {
        let mut codes = [Code { bits: 0, length: 0 }; 256];
        let (mut next, mut symbol, mut length) = (0u16, 0, 0);
        while length < self.lengths.len() {
            let mut n = 0;
            while n < self.lengths[length] {
                codes[self.symbols[symbol] as usize] = Code { bits: next, length: length as u8 + 1 };
                next += 1;
                symbol += 1;
                n += 1;
            }
            next <<= 1;
            length += 1;
        }
        assert!(symbol == self.symbols.len());
        codes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zigzag_visits_every_coefficient_once() {
        let mut visited = ZIGZAG;
        visited.sort_unstable();
        assert!(visited.iter().enumerate().all(|(i, &v)| i == usize::from(v)));
    }

    #[test]
    fn a_set_of_coefficients_is_put_in_zigzag_order() {
        assert_eq!((in_zigzag(0), in_zigzag(u64::MAX)), (0, u64::MAX));
        for (k, row_by_row) in ZIGZAG.into_iter().enumerate() {
            let columnwise = row_by_row % 8 * 8 + row_by_row / 8;
            assert_eq!(in_zigzag(1 << columnwise), 1 << k);
            assert_eq!(COLUMNWISE[k], columnwise);
        }
    }

    #[test]
    fn quality_scales_as_in_libjpeg() {
        assert_eq!(quantisers(&LUMA, 50), LUMA);
        assert_eq!(quantisers(&LUMA, 100), [1; BLOCK]);
        // From `cjpeg -quality 80` and `-quality 10`.
        assert_eq!(quantisers(&LUMA, 80)[..8], [6, 4, 4, 6, 10, 16, 20, 24]);
        assert_eq!(quantisers(&LUMA, 10)[..8], [80, 55, 50, 80, 120, 200, 255, 255]);
        assert_eq!(quantisers(&LUMA, 0), quantisers(&LUMA, 1));
        assert_eq!(quantisers(&LUMA, 255), quantisers(&LUMA, 100));
    }

    #[test]
    fn codes_are_those_of_annex_k() {
        let code = |bits, length| Code { bits, length };
        assert_eq!(LUMA_DC.codes()[0], code(0b00, 2));
        assert_eq!(LUMA_DC.codes()[11], code(0b1_1111_1110, 9));
        assert_eq!(CHROMA_DC.codes()[11], code(0b111_1111_1110, 11));
        assert_eq!(LUMA_AC.codes()[0x00], code(0b1010, 4));
        assert_eq!(LUMA_AC.codes()[0xf0], code(0b111_1111_1001, 11));
        assert_eq!(LUMA_AC.codes()[0xfa], code(0xfffe, 16));
        assert_eq!(CHROMA_AC.codes()[0x00], code(0b00, 2));
        assert_eq!(CHROMA_AC.codes()[0xf0], code(0b11_1111_1010, 10));
        assert_eq!(CHROMA_AC.codes()[0xfa], code(0xfffe, 16));
    }

    #[test]
    fn every_symbol_of_a_baseline_block_has_a_code() {
        for ac in [LUMA_AC.codes(), CHROMA_AC.codes()] {
            let sizes = |run: usize| (1..=10).map(move |size| run << 4 | size);
            assert!((0..16).flat_map(sizes).chain([0x00, 0xf0]).all(|symbol| ac[symbol].length > 0));
        }
        for dc in [LUMA_DC.codes(), CHROMA_DC.codes()] {
            assert!(dc[..12].iter().all(|code| code.length > 0));
        }
    }
}
