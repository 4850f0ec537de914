//! Rate–distortion quantisation: of all ways to quantise a block's band, the one of least error and bits
//! together, found by dynamic programming (a "trellis": Crouse and Ramchandran, "Joint thresholding and
//! quantizer selection for transform image coding", 1997).
//!
//! Each coefficient becomes what is nearest; or, where that takes a bit more than the next smaller one, that; or
//! 0, if it is below one and a half. So no coefficient is off by more than one and a half quantisers. What a
//! coefficient's bits are depends on how many zeros are before it: states are the positions of those that stay.

use std::ops::Range;

use super::super::super::tables::{BLOCK, ZIGZAG};
use super::huffman::Histogram;
use super::scan::{Grain, Scan, Token};

/// Steps in which coefficients come, a quantiser.
pub(super) const STEPS: u8 = 32;

/// To the nearest whole quantiser, ties away from 0.
const NEAREST: Grain = Grain { more: STEPS as u16 / 2, bits: STEPS.ilog2() };

/// Like the trellis will for most coefficients, which leaves more of them 0.
pub(super) const FORETOLD: Grain = Grain { more: 14, ..NEAREST };

pub(super) fn round_dc(block: &mut [i16; BLOCK]) {
    block[0] = NEAREST.quantised(block[0]);
}

/// What symbols cost, in bits with those behind them.
pub(super) struct Pricing {
    symbols: [f32; 256],
    /// The end of a block's band, its share of a run of such.
    end: f32,
}

impl Pricing {
    /// From how often symbols occur, when `ends` is how many bands end and in how many bits beyond the symbols'.
    pub fn new(histogram: &Histogram, ends: Ends) -> Pricing {
        let total: u32 = histogram.0.iter().sum();
        // What does not occur might, and costs as if it did once in a while.
        let cost = |count: u32| (f64::from(total.max(1)) / f64::from(count).max(0.3)).log2().max(0.2) as f32;
        let symbols = std::array::from_fn(|symbol| {
            // In 256ths of a bit, so that the last bit of a logarithm, where libraries differ, chooses nothing.
            (cost(histogram.0[symbol]) * 256.0).round() / 256.0 + (symbol & 15) as f32
        });
        let of_ends: f32 = (0..15).map(|n| histogram.0[n << 4] as f32 * cost(histogram.0[n << 4])).sum();
        let end = (of_ends + ends.bits as f32) / ends.bands.max(1) as f32;
        Pricing { symbols, end: (end * 256.0).round() / 256.0 }
    }
}

/// How many bands end before the last coefficient, and how many bits behind symbols say so.
#[derive(Clone, Copy)]
pub(super) struct Ends {
    bands: u32,
    bits: u32,
}

impl Ends {
    /// Of the tokens of AC bands.
    pub fn of(tokens: &[Token]) -> Ends {
        let mut ends = Ends { bands: 0, bits: 0 };
        for token in tokens {
            if token.symbol() & 15 == 0 && token.symbol() != 0xf0 {
                ends.bands += (1 << token.size()) + token.value();
                ends.bits += token.size();
            }
        }
        ends
    }
}

/// Bits that a squared error of one quantiser is worth, in a flat block.
const WORTH: f32 = 17.3;

/// The variance at which it is worth half: errors hide in what is uneven.
const MASKING: f32 = 1715.0;

/// See the module.
pub(super) struct Trellis {
    /// Squared quantisers in zigzag order, in steps; none of the first.
    squares: [f32; BLOCK],
    /// Those of the band in work: the first stands for that none stays, then one for each position that may.
    ways: [Way; BLOCK + 1],
}

/// A way to quantise a band up to a coefficient that stays, and the best that ends with it.
#[derive(Clone, Copy, Default)]
struct Way {
    position: usize,
    /// What the coefficient becomes.
    value: i16,
    /// Which way goes before it.
    before: usize,
    /// The cost of this way less that of making all coefficients up to here 0.
    cost: f32,
}

impl Trellis {
    pub fn new(quantisers: &[u8; BLOCK]) -> Trellis {
        let square = |at: u8| {
            let step = f32::from(quantisers[usize::from(at)]) / f32::from(STEPS);
            step * step
        };
        let mut squares = ZIGZAG.map(square);
        squares[0] = 0.0;
        Trellis { squares, ways: [Way::default(); BLOCK + 1] }
    }

    /// Bits that a squared error of one step is worth in a block that is not quantised yet.
    pub fn worth(&self, block: &[i16; BLOCK]) -> f32 {
        let mut energies = [0.0; 8];
        for (values, squares) in block.as_chunks::<8>().0.iter().zip(self.squares.as_chunks::<8>().0) {
            for ((energy, &value), square) in energies.iter_mut().zip(values).zip(squares) {
                *energy += f32::from(value) * f32::from(value) * square;
            }
        }
        let variance = energies.iter().sum::<f32>() / 63.0;
        WORTH / (1.0 + variance / MASKING) / (f32::from(STEPS) * f32::from(STEPS))
    }

    /// Quantises a band of a block, where a squared error of one step is worth so many bits.
    pub fn quantise(&mut self, block: &mut [i16; BLOCK], band: Scan, pricing: &Pricing, worth: f32) {
        self.ways[0] = Way { position: band.first - 1, value: 0, before: 0, cost: 0.0 };
        let (mut first, mut count) = (0, 1);
        let mut left = NEAREST.nonzero(block) & band.positions();
        while left != 0 {
            let position = left.trailing_zeros() as usize;
            left &= left - 1;
            let way = best_of(&self.ways, first..count, position, block[position], pricing, worth);
            self.ways[count] = way;
            if NEAREST.quantised(block[position]).abs() > 1 {
                // It stays, on every way.
                first = count;
            }
            count += 1;
        }
        let end = |way: &Way| way.cost + if way.position == band.last { 0.0 } else { pricing.end };
        let costs = self.ways[first..count].iter().map(end);
        let least = costs.enumerate().fold((0, f32::INFINITY), |a, b| if b.1 < a.1 { b } else { a });
        block[band.first..=band.last].fill(0);
        let mut last = first + least.0;
        while last > 0 {
            let way = self.ways[last];
            block[way.position] = way.value;
            last = way.before;
        }
    }
}

/// The cheapest way that ends with the coefficient at `position`, behind one of those in `among`.
#[inline]
fn best_of(
    ways: &[Way],
    among: Range<usize>,
    position: usize,
    exact: i16,
    pricing: &Pricing,
    worth: f32,
) -> Way {
    let exact = i32::from(exact);
    let nearest = i32::from(NEAREST.quantised(exact as i16));
    let size = nearest.unsigned_abs().ilog2() + 1;
    // What the error is less than if it became 0.
    let saved = |value: i32| {
        let error = exact - value * i32::from(STEPS);
        worth * (exact * exact - error * error) as f32
    };
    let mut best = best_before(ways, among.clone(), position, size, pricing);
    best.value = nearest as i16;
    best.cost -= saved(nearest);
    // A power of two takes a bit more than what is one less.
    if size > 1 && nearest.unsigned_abs().is_power_of_two() {
        let value = nearest - nearest.signum();
        let mut less = best_before(ways, among, position, size - 1, pricing);
        less.value = value as i16;
        less.cost -= saved(value);
        if less.cost < best.cost {
            best = less;
        }
    }
    best
}

/// The cheapest of the ways in `among` on which a coefficient of `size` bits at `position` may follow, with the
/// cost of its bits.
#[inline]
fn best_before(ways: &[Way], among: Range<usize>, position: usize, size: u32, pricing: &Pricing) -> Way {
    let mut best = Way { position, value: 0, before: among.start, cost: f32::INFINITY };
    for before in among {
        let way = &ways[before];
        let run = position - way.position - 1;
        let long = if run > 15 { (run >> 4) as f32 * pricing.symbols[0xf0] } else { 0.0 };
        let cost = way.cost + long + pricing.symbols[(run & 15) << 4 | size as usize & 15];
        if cost < best.cost {
            best.cost = cost;
            best.before = before;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BAND: Scan = Scan { first: 1, last: 6 };

    fn pricing() -> Pricing {
        let mut counts = [0; 256];
        for (symbol, count) in counts.iter_mut().enumerate() {
            *count = 2000 / (1 + 3 * (symbol as u32 >> 4) + 7 * (symbol as u32 & 15));
        }
        Pricing::new(&Histogram(counts), Ends { bands: 900, bits: 100 })
    }

    /// The cost that the trellis makes least, told another way: bits of what is coded, and errors.
    fn cost(exact: &[i16; BLOCK], quantised: &[i16; BLOCK], pricing: &Pricing, worth: f32) -> f64 {
        let (mut cost, mut run) = (0.0, 0);
        for k in BAND.first..=BAND.last {
            let error = f64::from(exact[k]) - f64::from(quantised[k]) * f64::from(STEPS);
            cost += f64::from(worth) * error * error;
            if quantised[k] == 0 {
                run += 1;
            } else {
                let size = quantised[k].unsigned_abs().ilog2() as usize + 1;
                cost += f64::from(pricing.symbols[run << 4 | size]);
                run = 0;
            }
        }
        cost + if run > 0 { f64::from(pricing.end) } else { 0.0 }
    }

    proptest! {
        #[test]
        fn no_other_choice_costs_less(values in proptest::array::uniform6(-300i16..300), worth in 0.0001f32..0.1) {
            let mut exact = [0; BLOCK];
            exact[1..=6].copy_from_slice(&values);
            let pricing = pricing();
            let mut chosen = exact;
            Trellis::new(&[16; BLOCK]).quantise(&mut chosen, BAND, &pricing, worth);
            let of_chosen = cost(&exact, &chosen, &pricing, worth);
            // Each coefficient 0 if that may be, one less than the nearest if that is shorter, or the nearest.
            for choice in 0..3usize.pow(6) {
                let mut other = [0; BLOCK];
                for k in 1..=6usize {
                    let nearest = NEAREST.quantised(exact[k]).abs();
                    let size = match choice / 3usize.pow(k as u32 - 1) % 3 {
                        0 if nearest < 2 => 0,
                        1 if nearest > 1 && nearest & (nearest - 1) == 0 => nearest - 1,
                        _ => nearest,
                    };
                    other[k] = size * exact[k].signum();
                }
                prop_assert!(of_chosen <= cost(&exact, &other, &pricing, worth) * 1.0001);
            }
        }

        #[test]
        fn no_coefficient_is_off_by_more_than_one_and_a_half(
            values in proptest::collection::vec(-32_736i16..=32_736, BLOCK), scale in 0u32..12, worth in 0.0f32..0.002,
        ) {
            // Small ones too, of which bits cost more than the error does.
            let exact: [i16; BLOCK] = std::array::from_fn(|i| values[i] >> scale);
            let mut chosen = exact;
            round_dc(&mut chosen);
            let band = Scan { first: 1, last: 63 };
            Trellis::new(&[16; BLOCK]).quantise(&mut chosen, band, &pricing(), worth);
            for (exact, chosen) in exact.into_iter().zip(chosen) {
                let off = (i32::from(exact) - i32::from(chosen) * i32::from(STEPS)).abs();
                prop_assert!(off <= i32::from(STEPS) * 3 / 2, "{exact} became {chosen}");
                prop_assert!(chosen.abs() <= 1023);
            }
        }
    }
}
