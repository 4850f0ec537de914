//! Scans that bring a further bit of a band of one component's AC coefficients (ITU-T T.81, G.1.2.3): where most of a
//! progressive picture's time goes.
//!
//! Each bit that corrects a coefficient goes either way, so none is looked at by itself: those of a whole run of
//! zeros are laid out on the set of coefficients that they are for, and a block's are applied together.

use super::bits::{Bits, Fault, FromBottom, Register, Window};
use super::bmi2::{self, Select, Work};
use super::huffman::{LOOKED_UP, Lookup, Spec};
use super::progressive::Restarts;
use super::store::Store;
use super::stream::Scan;

/// A scan of a band of one component's AC coefficients.
pub(super) struct Refining {
    lookup: Lookup,
    /// By the next ten bits, the first lowest.
    steps: [Step; 1 << LOOKED_UP],
    /// Coefficients of the band, in zigzag order.
    band: u64,
    /// Which bit this is.
    low: u32,
    /// How many blocks from the next on have no further new coefficients.
    run: u32,
}

/// What becomes of a block's coefficients: sets of them, in zigzag order.
#[derive(Clone, Copy, Default)]
pub(super) struct Changes {
    /// Those that were not zero and whose bit is set.
    pub grown: u64,
    /// Those that are zero no more, and those of them that are positive.
    pub new: u64,
    pub positive: u64,
}

/// What a code says, in one word: its length, its symbol, and above both, if one new coefficient follows a run of
/// zeros, a bit that has as many below it as that run has zeros.
#[derive(Clone, Copy)]
struct Step(u32);

impl Step {
    fn new(length: u8, symbol: u8) -> Step {
        let unit = if symbol & 15 == 1 { 1 << (symbol >> 4) } else { 0 };
        Step(u32::from(length) | u32::from(symbol) << 8 | unit << 16)
    }

    /// 0 where there is no code of as many bits as are looked up.
    #[inline(always)]
    fn length(self) -> u32 {
        self.0 & 0xFF
    }

    #[inline(always)]
    fn run(self) -> u32 {
        self.0 >> 12 & 15
    }

    #[inline(always)]
    fn size(self) -> u32 {
        self.0 >> 8 & 15
    }

    #[inline(always)]
    fn unit(self) -> u64 {
        u64::from(self.0 >> 16)
    }
}

impl Refining {
    pub fn new(scan: &Scan<'_>, spec: &Spec) -> Refining {
        let lookup = Lookup::new(spec);
        let (first, last) = (*scan.header.band.start() as u32, *scan.header.band.end() as u32);
        let steps = std::array::from_fn(|index| {
            let found = lookup.short[(index as u32).reverse_bits() as usize >> (32 - LOOKED_UP)];
            Step::new(found.length, found.symbol)
        });
        let band = u64::MAX << first & u64::MAX >> (63 - last);
        Refining { lookup, steps, band, low: scan.header.low, run: 0 }
    }

    /// Decodes the scan, of as many blocks.
    pub fn scan(self, scan: &Scan<'_>, store: &mut Store, rows: usize, columns: usize) -> Result<(), Fault> {
        bmi2::run(All { refining: self, scan, store, rows, columns })
    }

    /// What becomes of a block of which the coefficients `nonzero` are not zero so far.
    #[inline(always)]
    fn block(
        &mut self,
        select: impl Select,
        bits: &mut Register<FromBottom>,
        window: &Window<'_>,
        nonzero: u64,
    ) -> Result<Changes, Fault> {
        let mut changes = Changes::default();
        // Those that have not been passed.
        let mut ahead = self.band;
        bits.fill(window);
        while self.run == 0 && ahead != 0 {
            let mut step = self.steps[bits.bottom() as usize & ((1 << LOOKED_UP) - 1)];
            if step.unit() == 0 {
                if step.length() == 0 {
                    let found = self.lookup.long(bits.bottom().reverse_bits())?;
                    step = Step::new(found.length, found.symbol);
                }
                if step.size() > 1 {
                    return Err(Fault::Size);
                }
            }
            if step.size() == 0 {
                bits.take(step.length());
                if step.run() < 15 {
                    self.run = (1 << step.run()) + length(bits, step.run());
                    break;
                }
                // Sixteen zeros, which may lead to the band's end, and no further.
                let last = select.nth(!nonzero & ahead, 1 << 15);
                let passed = last ^ last.wrapping_sub(1);
                changes.grown |= correct(select, bits, window, nonzero & ahead & passed);
                ahead &= !passed;
                bits.fill(window);
                continue;
            }
            // Behind as many zeros as the run has: those that are not zero lie between.
            let new = select.nth(!nonzero & ahead, step.unit());
            if new == 0 {
                return Err(Fault::Run);
            }
            let passed = new ^ (new - 1);
            let corrected = nonzero & ahead & passed;
            ahead &= !passed;
            changes.new |= new;
            let sign = bits.bottom() >> step.length();
            changes.positive |= new & (sign & 1).wrapping_neg();
            let total = step.length() + 1 + corrected.count_ones();
            if total <= 56 {
                changes.grown |= select.lay(sign >> 1, corrected);
                bits.take(total);
            } else {
                bits.take(step.length() + 1);
                changes.grown |= correct(select, bits, window, corrected);
            }
            bits.fill(window);
        }
        if self.run > 0 {
            self.run -= 1;
            changes.grown |= correct(select, bits, window, nonzero & ahead);
        }
        Ok(changes)
    }
}

/// A whole scan.
struct All<'a> {
    refining: Refining,
    scan: &'a Scan<'a>,
    store: &'a mut Store,
    rows: usize,
    columns: usize,
}

impl Work for All<'_> {
    type Done = Result<(), Fault>;

    #[inline(always)]
    fn with(mut self, select: impl Select) -> Result<(), Fault> {
        let mut bits: Bits<'_, FromBottom> = Bits::new(self.scan.data);
        let mut restarts = Restarts::new(self.scan);
        for row in 0..self.rows {
            for column in 0..self.columns {
                if restarts.is_due() {
                    bits.restart()?;
                    self.refining.run = 0;
                }
                let mut block = self.store.block(row * self.store.columns + column);
                bits.prepare()?;
                let (mut register, window) = bits.lend();
                let result = self.refining.block(select, &mut register, &window, *block.nonzero);
                bits.put(register);
                block.change(result.map_err(|fault| bits.fault(fault))?, self.refining.low);
            }
        }
        bits.finish()
    }
}

/// Takes a bit for each of `set`; those for which it is set.
#[inline(always)]
fn correct(select: impl Select, bits: &mut Register<FromBottom>, window: &Window<'_>, set: u64) -> u64 {
    bits.fill(window);
    let count = set.count_ones();
    let mut grown = select.lay(bits.bottom(), set);
    if count <= 56 {
        bits.take(count);
    } else {
        let low = set & u64::from(u32::MAX);
        grown &= low;
        bits.take(low.count_ones());
        bits.fill(window);
        grown |= select.lay(bits.bottom(), set & !low);
        bits.take((set & !low).count_ones());
    }
    grown
}

/// `count` bits, 0 to 14, as a number.
#[inline(always)]
fn length(bits: &mut Register<FromBottom>, count: u32) -> u32 {
    let length = (bits.bottom().reverse_bits() >> 1 >> (63 - count)) as u32;
    bits.take(count);
    length
}

#[cfg(test)]
mod tests {
    use super::super::bmi2::Plain;
    use super::*;

    #[test]
    fn as_many_coefficients_as_a_block_has_take_a_bit_each() {
        let data: Vec<u8> = (0..32u8).map(|i| i.wrapping_mul(73) & 0x7f).collect();
        let bit = |at: u32| u64::from(data[at as usize / 8] >> (7 - at % 8) & 1);
        for set in [0, 2, !1, !1 >> 6, !1 >> 7, !1 << 5, 0x5555_5555_5555_5554, !0x8000_0001] {
            let mut bits: Bits<'_, FromBottom> = Bits::new(&data);
            bits.prepare().unwrap();
            let (mut register, window) = bits.lend();
            let got = correct(Plain, &mut register, &window, set);
            let places = (0..64).filter(|k| set >> k & 1 == 1);
            let expected = (0..).zip(places).fold(0, |all, (at, k)| all | bit(at) << k);
            assert_eq!(got, expected, "{set:x}");
            register.fill(&window);
            assert_eq!(register.bottom() & 1, bit(set.count_ones()), "the next bit behind {set:x}");
        }
    }
}
