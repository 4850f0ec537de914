//! Scans that bring the first bits of a band of one component's AC coefficients (ITU-T T.81, G.1.2.2).

use super::bits::{Bits, Fault, Register, Window};
use super::bmi2::{self, Select, Work};
use super::progressive::Restarts;
use super::steps::{Banded, END_OF_BLOCK};
use super::store::{Coefficients, Store};
use super::stream::Scan;

/// Decodes a scan of as many blocks.
pub(super) fn scan(
    scan: &Scan<'_>,
    codes: &Banded,
    store: &mut Store,
    rows: usize,
    columns: usize,
) -> Result<(), Fault> {
    let header = &scan.header;
    let band = Band { codes, first: *header.band.start(), last: *header.band.end(), low: header.low, run: 0 };
    bmi2::run(All { band, scan, store, rows, columns })
}

/// A band of one component's AC coefficients.
struct Band<'t> {
    codes: &'t Banded,
    /// Indices in zigzag order.
    first: usize,
    last: usize,
    /// Which bit the lowest is.
    low: u32,
    /// How many blocks from the next on have no coefficients.
    run: u32,
}

/// A whole scan.
struct All<'a> {
    band: Band<'a>,
    scan: &'a Scan<'a>,
    store: &'a mut Store,
    rows: usize,
    columns: usize,
}

impl Work for All<'_> {
    type Done = Result<(), Fault>;

    #[inline(always)]
    fn with(self, _: impl Select) -> Result<(), Fault> {
        let All { mut band, scan, store, rows, columns } = self;
        let mut bits = Bits::new(scan.data);
        let mut restarts = Restarts::new(scan);
        for row in 0..rows {
            for column in 0..columns {
                if restarts.is_due() {
                    bits.restart()?;
                    band.run = 0;
                }
                if band.run > 0 {
                    band.run -= 1;
                    continue;
                }
                let block = store.block(row * store.columns + column);
                bits.prepare()?;
                let (mut register, window) = bits.lend();
                let result = band.block(&mut register, &window, block);
                bits.put(register);
                result.map_err(|fault| bits.fault(fault))?;
            }
        }
        bits.finish()
    }
}

impl Band<'_> {
    #[inline(always)]
    fn block(
        &mut self,
        bits: &mut Register,
        window: &Window<'_>,
        mut block: Coefficients<'_>,
    ) -> Result<(), Fault> {
        // One less than the next coefficient's.
        let mut k = self.first - 1;
        bits.fill(window);
        while k < self.last {
            // 25 bits or more are at hand: 56, less a code of sixteen and a value of fifteen.
            let mut step = self.codes.step(bits.top());
            bits.fill(window);
            if step.is_none() {
                step = self.codes.single(bits.top())?;
            }
            let value = step.value(bits.top());
            bits.take(step.total());
            k += step.advance();
            if value != 0 {
                if k > self.last {
                    return Err(Fault::Run);
                }
                *block.nonzero |= 1 << (k & 63);
                *block.at(k as u32) = value.wrapping_shl(self.low) as i16;
            } else if step.advance() >= END_OF_BLOCK {
                let run = (step.advance() - END_OF_BLOCK) as u32;
                self.run = (1 << run) - 1 + (bits.top() >> 1 >> (63 - run)) as u32;
                bits.take(run);
            }
        }
        Ok(())
    }
}
