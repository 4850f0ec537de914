//! Decodes the coefficients of one block of a sequential scan (ITU-T T.81, F.2.2): where most of a decoder's
//! time goes.
//!
//! A look-up tells what the next bits say; while it is on its way to the processor, further bits are loaded.
//! Coefficients beyond the last that a scale keeps are passed several at a time.

use super::bits::{Bits, Fault, Register, Window};
use super::scale::{Block, Scale};
use super::steps::{Alternating, Differential, END_OF_BLOCK, Step};

/// How a component's blocks are decoded.
pub(super) struct Coding<'t> {
    pub dc: &'t Differential,
    pub ac: &'t Alternating,
    pub scale: Scale,
}

/// What a block was found to be.
pub(super) struct Found {
    /// How much its DC coefficient differs from that of the block before.
    pub difference: i32,
    /// Whether it has no other.
    pub is_flat: bool,
}

impl Coding<'_> {
    /// Decodes a block's AC coefficients into `block`, which is all zero, where its scale keeps them.
    #[inline(always)]
    pub fn block(&self, bits: &mut Bits<'_>, block: &mut Block) -> Result<Found, Fault> {
        bits.prepare()?;
        let (mut register, window) = bits.lend();
        let found = self.found(&mut register, &window, block);
        bits.put(register);
        found.map_err(|fault| bits.fault(fault))
    }

    /// Wherever a look-up is done, also the first, twelve bits or more are at hand. 56 are after each load, and as
    /// many are enough for any code with its value, or for two that are looked up and what follows.
    #[inline(always)]
    fn found(&self, bits: &mut Register, window: &Window<'_>, block: &mut Block) -> Result<Found, Fault> {
        // Bits are loaded beside the look-up, and at hand whatever it finds.
        let step = self.dc.step(bits.top());
        bits.fill(window);
        let difference = self.dc.difference(step, bits)?;
        let (kept, k) = if self.scale.leaps() {
            let kept = self.kept(bits, window, block)?;
            (kept, self.others(bits, window, kept)?)
        } else {
            let k = self.all(bits, window, block)?;
            (k, k)
        };
        // Beyond the end of a block, all is well if that was coded before its last coefficient was.
        let is_sound = k == 63 || (END_OF_BLOCK..END_OF_BLOCK + 63).contains(&k);
        let found = Found { difference, is_flat: kept == END_OF_BLOCK };
        if is_sound { Ok(found) } else { Err(Fault::Run) }
    }

    /// Decodes all of a block; how far it came.
    #[inline(always)]
    fn all(&self, bits: &mut Register, window: &Window<'_>, block: &mut Block) -> Result<usize, Fault> {
        let places = self.scale.places();
        let mut k = 0;
        while k < 63 {
            let mut step = self.ac.step(bits.top());
            bits.fill(window);
            if step.is_none() {
                step = self.ac.single(bits.top())?;
                k = put(step, bits, places, block, k);
                continue;
            }
            k = put(step, bits, places, block, k);
            if k >= 63 {
                break;
            }
            let step = self.ac.step(bits.top());
            if !step.is_none() {
                k = put(step, bits, places, block, k);
            }
        }
        Ok(k)
    }

    /// Decodes coefficients up to the last that is kept, or to the block's end; how far it came.
    #[inline(always)]
    fn kept(&self, bits: &mut Register, window: &Window<'_>, block: &mut Block) -> Result<usize, Fault> {
        let places = self.scale.places();
        let until = self.scale.last();
        let mut k = 0;
        while k < until {
            let mut step = self.ac.step(bits.top());
            bits.fill(window);
            if step.is_none() {
                step = self.ac.single(bits.top())?;
                k = put(step, bits, places, block, k);
                continue;
            }
            k = put(step, bits, places, block, k) + step.end();
            if k >= until {
                break;
            }
            let step = self.ac.step(bits.top());
            if !step.is_none() {
                k = put(step, bits, places, block, k) + step.end();
            }
        }
        Ok(k)
    }

    /// Passes what is left of the block, of which nothing is kept.
    #[inline(always)]
    fn others(&self, bits: &mut Register, window: &Window<'_>, mut k: usize) -> Result<usize, Fault> {
        while k < 63 {
            let leap = self.ac.leap(bits.top());
            let next = k + leap.advance();
            bits.fill(window);
            if next < 63 {
                bits.take(leap.total());
                k = next + leap.end();
            } else {
                // Behind the last coefficient no end is coded: what follows may be another block's.
                let step = self.ac.single(bits.top())?;
                bits.take(step.total());
                k += step.advance();
            }
        }
        Ok(k)
    }
}

/// Takes a step's bits and puts its value into the block; how far that leads from coefficient `k`.
#[inline(always)]
fn put(step: Step, bits: &mut Register, places: &[u8; 256], block: &mut Block, k: usize) -> usize {
    let k = k + step.advance();
    // The end of a block leads beyond it, to where what is not kept goes. `k` is less than 256, and no place is beyond
    // 64: the masks say so.
    block[usize::from(places[k & 255]) & 127] = step.value(bits.top()) as i16;
    bits.take(step.total());
    k
}
