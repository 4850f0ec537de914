//! Huffman tables made for what is coded (T.81 K.2).

use super::super::super::tables::Huffman;
use super::scan::Token;

/// How often each symbol occurs.
pub(super) struct Histogram(pub [u32; 256]);

/// A table as a file holds it, of a picture's own.
pub(super) struct Fitted {
    lengths: [u8; 16],
    symbols: Vec<u8>,
}

impl Fitted {
    pub fn table(&self) -> Huffman<'_> {
        Huffman { lengths: self.lengths, symbols: &self.symbols }
    }
}

/// Longest code that JPEG has.
const LONGEST: usize = 16;

impl Histogram {
    pub fn of(tokens: &[Token]) -> Histogram {
        let mut counts = [0; 256];
        tokens.iter().for_each(|token| counts[usize::from(token.symbol())] += 1);
        Histogram(counts)
    }

    /// The table that takes fewest bits.
    pub fn fitted(&self) -> Fitted {
        let mut lengths = self.code_lengths();
        shorten(&mut lengths);
        // The longest code is given up: none may be all ones. It stands for no symbol, see `code_lengths`.
        if let Some(last) = lengths.iter_mut().rev().find(|count| **count > 0) {
            *last -= 1;
        }
        let mut symbols: Vec<u8> = (0..=255).filter(|&s| self.0[usize::from(s)] > 0).collect();
        // More frequent ones have shorter codes; among equals the order is theirs, always the same.
        symbols.sort_by_key(|&symbol| std::cmp::Reverse(self.0[usize::from(symbol)]));
        let lengths = std::array::from_fn(|i| lengths[i + 1]);
        Fitted { lengths, symbols }
    }

    /// How many codes there are of each length, without regard to [`LONGEST`], with one more that stands for no
    /// symbol and is among the longest.
    fn code_lengths(&self) -> [u8; 258] {
        /// Symbols, or two nodes that were joined.
        #[derive(Clone, Copy)]
        struct Node {
            weight: u64,
            parent: usize,
        }
        let none = usize::MAX;
        // Every symbol weighs more than the one that stands for none.
        let mut nodes = vec![Node { weight: 1, parent: none }];
        nodes.extend(
            self.0.iter().filter(|&&n| n > 0).map(|&n| Node { weight: 2 * u64::from(n), parent: none }),
        );
        nodes.sort_by_key(|node| node.weight);
        let leaves = nodes.len();
        // Leaves and joined nodes are both in the order of their weights: the two lightest are at the fronts.
        let (mut leaf, mut joined) = (0, leaves);
        while leaf < leaves && nodes.len() > 1 || nodes.len() - joined > 1 {
            let mut lightest = || {
                let take_leaf =
                    leaf < leaves && (joined >= nodes.len() || nodes[leaf].weight <= nodes[joined].weight);
                let front = if take_leaf { &mut leaf } else { &mut joined };
                *front += 1;
                *front - 1
            };
            let (a, b) = (lightest(), lightest());
            let parent = nodes.len();
            nodes[a].parent = parent;
            nodes[b].parent = parent;
            nodes.push(Node { weight: nodes[a].weight + nodes[b].weight, parent: none });
        }
        let mut depths = vec![0usize; nodes.len()];
        let mut lengths = [0; 258];
        for node in (0..nodes.len()).rev() {
            if nodes[node].parent != none {
                depths[node] = depths[nodes[node].parent] + 1;
            }
            if node < leaves {
                lengths[depths[node].max(1)] += 1;
            }
        }
        lengths
    }
}

/// Makes codes longer than [`LONGEST`] shorter (T.81 Figure K.3): of two that are siblings, one takes the place
/// of their parent, the other becomes the sibling of a shorter code, which moves down.
fn shorten(lengths: &mut [u8; 258]) {
    for length in (LONGEST + 1..lengths.len()).rev() {
        while lengths[length] > 0 {
            let mut shorter = length - 2;
            while lengths[shorter] == 0 {
                shorter -= 1;
            }
            lengths[length] -= 2;
            lengths[length - 1] += 1;
            lengths[shorter + 1] += 2;
            lengths[shorter] -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn histogram(counts: &[u32]) -> Histogram {
        let mut all = [0; 256];
        all[..counts.len()].copy_from_slice(counts);
        Histogram(all)
    }

    /// Bits that all symbols take; panics if a code is not as JPEG has them.
    fn bits(histogram: &Histogram) -> u64 {
        let fitted = histogram.fitted();
        let codes = fitted.table().codes();
        let mut space = 0u64;
        let mut bits = 0;
        for (&count, code) in histogram.0.iter().zip(codes) {
            assert_eq!(count > 0, code.length > 0, "symbols that occur have codes");
            assert!(usize::from(code.length) <= LONGEST);
            assert!(code.length == 0 || code.bits != ((1u32 << code.length) - 1) as u16, "all ones");
            space += if count > 0 { 1 << (LONGEST - usize::from(code.length)) } else { 0 };
            bits += u64::from(count) * u64::from(code.length);
        }
        assert!(space < 1 << LONGEST, "codes are no prefixes of one another, and room is left");
        bits
    }

    proptest! {
        #[test]
        fn codes_take_hardly_more_than_the_entropy(counts in proptest::collection::vec(0u32..5000, 1..=256)) {
            let histogram = histogram(&counts);
            let total: f64 = counts.iter().map(|&n| f64::from(n)).sum();
            let entropy: f64 =
                counts.iter().filter(|&&n| n > 0).map(|&n| f64::from(n) * (total / f64::from(n)).log2()).sum();
            // A symbol takes a bit more than its entropy at most, and one code is given up.
            prop_assert!(bits(&histogram) as f64 <= entropy + 2.0 * total);
        }

        #[test]
        fn codes_are_legal_however_uneven_the_counts(powers in proptest::collection::vec(0u32..31, 1..=256)) {
            bits(&histogram(&powers.iter().map(|&p| 1 << p).collect::<Vec<u32>>()));
        }
    }

    #[test]
    fn a_known_histogram_has_the_shortest_codes() {
        // One code of each length 1 to 4; the one that is given up is the fifth symbol's sibling.
        assert_eq!(bits(&histogram(&[80, 40, 20, 10])), 80 + 2 * 40 + 3 * 20 + 4 * 10);
        assert_eq!(bits(&histogram(&[0, 7])), 7);
    }

    #[test]
    fn the_steepest_histogram_is_brought_to_sixteen_bits() {
        let mut fibonacci = vec![1u32, 1];
        while fibonacci.len() < 40 {
            fibonacci.push(fibonacci[fibonacci.len() - 1] + fibonacci[fibonacci.len() - 2]);
        }
        bits(&histogram(&fibonacci));
    }

    #[test]
    fn no_symbols_have_an_empty_table() {
        assert_eq!(bits(&histogram(&[])), 0);
    }
}
