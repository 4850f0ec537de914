//! Scans of a band of one component's AC coefficients (ITU-T T.81, G.1.2.2 and G.1.2.3): where most of a
//! progressive picture's time goes, above all to bits that refine, each of which goes either way.

use std::ops::Range;

use super::bits::{Bits, Fault, Register, Window};
#[cfg(target_arch = "x86_64")]
use super::bmi2::Bmi2;
use super::bmi2::{Plain, Select};
use super::huffman::{Lookup, extend};
use super::progressive::{Coefficients, Restarts, Store};
use super::stream::Scan;

/// A scan of a band of one component's AC coefficients.
pub(super) struct Band {
    lookup: Lookup,
    /// Indices in zigzag order.
    band: Range<u32>,
    low: u32,
    refines: bool,
    /// How many blocks from the next on have no further new coefficients.
    run: u32,
}

impl Band {
    pub fn new(scan: &Scan<'_>, lookup: Lookup) -> Band {
        let (first, last) = (*scan.header.band.start() as u32, *scan.header.band.end() as u32);
        Band { lookup, band: first..last + 1, low: scan.header.low, refines: scan.header.refines, run: 0 }
    }

    /// Decodes the scan, of as many blocks.
    pub fn scan(
        &mut self,
        scan: &Scan<'_>,
        store: &mut Store,
        rows: usize,
        columns: usize,
    ) -> Result<(), Fault> {
        #[cfg(target_arch = "x86_64")]
        if let Some(bmi2) = Bmi2::detect() {
            return bmi2.run(|bmi2| self.scan_with(bmi2, scan, store, rows, columns));
        }
        self.scan_with(Plain, scan, store, rows, columns)
    }

    #[inline(always)]
    fn scan_with(
        &mut self,
        select: impl Select,
        scan: &Scan<'_>,
        store: &mut Store,
        rows: usize,
        columns: usize,
    ) -> Result<(), Fault> {
        let mut bits = Bits::new(scan.data);
        let mut restarts = Restarts::new(scan);
        for row in 0..rows {
            for column in 0..columns {
                if restarts.is_due() {
                    bits.restart()?;
                    self.run = 0;
                }
                // A run of blocks without new coefficients brings nothing but what refines others.
                if self.run > 0 && !self.refines {
                    self.run -= 1;
                    continue;
                }
                let block = store.block(row * store.columns + column);
                let (mut register, window) = bits.prepare()?;
                let result = match self.refines {
                    true => self.refine(select, &mut register, &window, block),
                    false => self.first(&mut register, &window, block),
                };
                bits.put(register);
                result.map_err(|fault| bits.fault(fault))?;
            }
        }
        bits.finish()
    }

    /// The first bits of a block's band (G.1.2.2).
    #[inline(always)]
    fn first(
        &mut self,
        bits: &mut Register,
        window: &Window<'_>,
        mut block: Coefficients<'_>,
    ) -> Result<(), Fault> {
        let mut k = self.band.start;
        bits.fill(window);
        while k < self.band.end {
            // 25 bits or more are at hand: 56, less a code of sixteen and a value of fifteen.
            let symbol = self.lookup.symbol(bits)?;
            bits.fill(window);
            let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
            if size == 0 {
                if run < 15 {
                    self.run = (1 << run) - 1 + length(bits, run);
                    return Ok(());
                }
                k += 16;
                continue;
            }
            k += run;
            if k >= self.band.end {
                return Err(Fault::Run);
            }
            *block.nonzero |= 1 << k;
            *block.at(k) = extend(bits.top(), size).wrapping_shl(self.low) as i16;
            bits.take(size);
            k += 1;
        }
        Ok(())
    }

    /// A further bit of each coefficient of a block's band that is not zero, and those that no longer are
    /// (G.1.2.3).
    #[inline(always)]
    fn refine(
        &mut self,
        select: impl Select,
        bits: &mut Register,
        window: &Window<'_>,
        mut block: Coefficients<'_>,
    ) -> Result<(), Fault> {
        let mut k = self.band.start;
        while self.run == 0 && k < self.band.end {
            bits.fill(window);
            let symbol = self.lookup.symbol(bits)?;
            let (run, size) = (u32::from(symbol >> 4), symbol & 15);
            if size == 0 && run < 15 {
                self.run = (1 << run) + length(bits, run);
                break;
            }
            if size > 1 {
                return Err(Fault::Size);
            }
            let is_positive = size == 1 && bits.bit();
            // Behind as many zeros as the run has: those that are not zero lie between.
            let place = select.nth(!*block.nonzero & (u64::MAX << k), run);
            if place >= self.band.end {
                if size == 1 {
                    return Err(Fault::Run);
                }
                // Sixteen zeros that lead to the band's end and no further.
                self.correct(bits, window, &mut block, k..self.band.end);
                return Ok(());
            }
            self.correct(bits, window, &mut block, k..place);
            if size == 1 {
                *block.nonzero |= 1 << place;
                *block.at(place) = if is_positive { 1 } else { -1i16 } << self.low;
            }
            k = place + 1;
        }
        if self.run > 0 {
            self.run -= 1;
            self.correct(bits, window, &mut block, k..self.band.end);
        }
        Ok(())
    }

    /// Takes a bit for each coefficient of `range` that is not zero.
    #[inline(always)]
    fn correct(
        &self,
        bits: &mut Register,
        window: &Window<'_>,
        block: &mut Coefficients<'_>,
        range: Range<u32>,
    ) {
        let mut left = *block.nonzero & (u64::MAX << range.start) & !(u64::MAX << 1 << (range.end - 1));
        while left != 0 {
            bits.fill(window);
            let mut at_hand = 56;
            while left != 0 && at_hand > 0 {
                let k = left.trailing_zeros();
                if k > block.last {
                    // Of those behind the last that is kept it is enough to know how many they are.
                    let others = left.count_ones();
                    let count = others.min(at_hand);
                    bits.take(count);
                    if count < others {
                        bits.fill(window);
                        bits.take(others - count);
                    }
                    return;
                }
                // Which way a bit goes can't be foreseen: without a branch.
                let coefficient = block.at(k);
                let is_new = ((*coefficient >> self.low) & 1) ^ 1;
                let away = (*coefficient >> 15) | 1;
                let grows = i16::from(bits.bit());
                *coefficient = coefficient.wrapping_add((is_new & grows).wrapping_mul(away) << self.low);
                left &= left - 1;
                at_hand -= 1;
            }
        }
    }
}

/// `count` bits, 0 to 14, as a number.
#[inline(always)]
fn length(bits: &mut Register, count: u32) -> u32 {
    let length = (bits.top() >> 1 >> (63 - count)) as u32;
    bits.take(count);
    length
}
