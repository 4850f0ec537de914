//! What blocks are decoded by (ITU-T T.81, F.1.2, G.1.2.2): look-ups that tell, of the next ten or twelve bits, all that
//! a decoder does about them. What refines coefficients has its own (`refine.rs`).

use std::array;

use super::bits::{Fault, Register};
use super::huffman::{LOOKED_UP, Lookup, Spec, Symbol, extend};
use super::scale::Scale;

/// What the end of a block advances by: from any coefficient to beyond where a run can lead.
pub(super) const END_OF_BLOCK: usize = 128;

/// Bits that are looked up at once where values are not wanted.
const LOOKED_OVER: u32 = 12;

/// Most bits of a step that is looked up: whoever has 56 at hand can take two such, and look up what follows.
const MOST: u32 = (56 - LOOKED_OVER) / 2;

/// What the next bits of a sequential block's AC coefficients say, in one word: a code and its value, and the
/// end of the block if that follows at once.
#[derive(Clone, Copy, Default)]
pub(super) struct Step(u32);

impl Step {
    fn new(length: u32, symbol: u8) -> Step {
        let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
        let advance = if ends(symbol) { END_OF_BLOCK as u32 } else { run + 1 };
        Step((length + size) | (length << 8) | ((63 - size) << 16) | (advance << 24))
    }

    /// The same of a band's coefficients, of which the end may be that of further bands too (G.1.2.2): beyond
    /// [`END_OF_BLOCK`], how many bits tell how many those are.
    fn of_band(length: u32, symbol: u8) -> Step {
        let step = Step::new(length, symbol);
        if ends(symbol) { Step(step.0 + (u32::from(symbol >> 4) << 24)) } else { step }
    }

    /// The same, and the end of the block by a code of `length` bits.
    fn and_end(self, length: u32) -> Step {
        Step((self.0 + length) | ((END_OF_BLOCK as u32) << 16))
    }

    /// Whether there is none.
    #[inline(always)]
    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Bits that it takes.
    #[inline(always)]
    pub fn total(self) -> u32 {
        self.0 & 0xFF
    }

    /// Coefficients that it passes, its own included; [`END_OF_BLOCK`] or more where it is the end alone.
    #[inline(always)]
    pub fn advance(self) -> usize {
        (self.0 >> 24) as usize
    }

    /// [`END_OF_BLOCK`] where the end follows, else 0.
    #[inline(always)]
    pub fn end(self) -> usize {
        (self.0 >> 16) as usize & END_OF_BLOCK
    }

    /// Its value, which stands in `bits` behind its code (F.1.2.1.1); 0 for a size of 0.
    #[inline(always)]
    pub fn value(self, bits: u64) -> i32 {
        // Shifts take no notice of what else is in the word.
        extend(bits.wrapping_shl(self.0 >> 8), self.0 >> 16)
    }
}

/// Several codes in one word, of which the values are not wanted: bits that they take, coefficients that they
/// pass, and whether the block ends there.
#[derive(Clone, Copy)]
pub(super) struct Leap(u16);

impl Leap {
    /// Passes more than there are: for codes that are not looked up.
    const NONE: Leap = Leap(0x7F << 8);

    #[inline(always)]
    pub fn total(self) -> u32 {
        u32::from(self.0 & 0xFF)
    }

    #[inline(always)]
    pub fn advance(self) -> usize {
        usize::from(self.0 >> 8 & 0x7F)
    }

    /// [`END_OF_BLOCK`] where it ends, else 0.
    #[inline(always)]
    pub fn end(self) -> usize {
        usize::from(self.0 >> 8) & END_OF_BLOCK
    }
}

/// Whether an AC symbol of a sequential scan ends its block: a size of 0, whatever the run, but for one of
/// sixteen (F.1.2.2.1).
fn ends(symbol: u8) -> bool {
    symbol & 15 == 0 && symbol >> 4 < 15
}

/// The look-ups of a sequential scan's DC coefficients, which are coded by their differences.
pub(super) struct Differential {
    codes: Lookup,
    steps: [Step; 1 << LOOKED_UP],
}

impl Differential {
    pub fn new(spec: &Spec) -> Differential {
        let codes = Lookup::new(spec);
        let steps = array::from_fn(|index| codes.step(index));
        Differential { codes, steps }
    }

    /// What the next ten bits say: none where that does not tell all, or a value is large.
    #[inline(always)]
    pub fn step(&self, bits: u64) -> Step {
        self.steps[(bits >> (64 - LOOKED_UP)) as usize]
    }

    /// Takes the next difference, of which `step` says what it can: at most 31 bits.
    #[inline(always)]
    pub fn difference(&self, mut step: Step, bits: &mut Register) -> Result<i32, Fault> {
        if step.is_none() {
            step = self.single(bits.top())?;
        }
        let difference = step.value(bits.top());
        bits.take(step.total());
        Ok(difference)
    }

    #[cold]
    #[inline(never)]
    fn single(&self, bits: u64) -> Result<Step, Fault> {
        self.codes.single(bits)
    }
}

/// All look-ups of a sequential scan's AC coefficients.
pub(super) struct Alternating {
    codes: Lookup,
    steps: [Step; 1 << LOOKED_UP],
    leaps: [Leap; 1 << LOOKED_OVER],
}

impl Alternating {
    /// For blocks of `scale`.
    pub fn new(spec: &Spec, scale: Scale) -> Alternating {
        let codes = Lookup::new(spec);
        // Where steps may lead to the last coefficient, behind which no end is coded, they are single.
        let (steps, leaps) = match scale.leaps() {
            true => {
                (array::from_fn(|index| codes.step_and_end(index)), array::from_fn(|index| codes.leap(index)))
            }
            false => (array::from_fn(|index| codes.step(index)), [Leap::NONE; 1 << LOOKED_OVER]),
        };
        Alternating { codes, steps, leaps }
    }

    /// What the next ten bits say: none where that does not tell all, or a value is large.
    #[inline(always)]
    pub fn step(&self, bits: u64) -> Step {
        self.steps[(bits >> (64 - LOOKED_UP)) as usize]
    }

    /// What the next code says, whatever its length, and no more.
    #[cold]
    #[inline(never)]
    pub fn single(&self, bits: u64) -> Result<Step, Fault> {
        self.codes.single(bits)
    }

    /// The same as of [`Alternating::step`] where values are not wanted.
    #[inline(always)]
    pub fn leap(&self, bits: u64) -> Leap {
        self.leaps[(bits >> (64 - LOOKED_OVER)) as usize]
    }
}

/// The look-ups of a scan that brings the first bits of a band.
pub(super) struct Banded {
    codes: Lookup,
    steps: [Step; 1 << LOOKED_UP],
}

impl Banded {
    pub fn new(spec: &Spec) -> Banded {
        let codes = Lookup::new(spec);
        let step =
            |index| codes.within(index, 0).map(|found| Step::of_band(found.length.into(), found.symbol));
        let steps = array::from_fn(|index| step(index).unwrap_or_default());
        Banded { codes, steps }
    }

    /// What the next ten bits say: none where that does not tell all.
    #[inline(always)]
    pub fn step(&self, bits: u64) -> Step {
        self.steps[(bits >> (64 - LOOKED_UP)) as usize]
    }

    /// What the next code says, whatever its length.
    #[cold]
    #[inline(never)]
    pub fn single(&self, bits: u64) -> Result<Step, Fault> {
        let found = self.codes.found(bits)?;
        Ok(Step::of_band(found.length.into(), found.symbol))
    }
}

impl Lookup {
    /// The code that begins at bit `at` of the bits of a look-up, if it ends within them.
    fn within(&self, index: usize, at: u32) -> Option<Symbol> {
        self.among(LOOKED_UP, index, at)
    }

    /// The same of `count` bits, [`LOOKED_UP`] or more.
    fn among(&self, count: u32, index: usize, at: u32) -> Option<Symbol> {
        let found = self.short[(index << at & ((1 << count) - 1)) >> (count - LOOKED_UP)];
        (found.length > 0 && at + u32::from(found.length) <= count).then_some(found)
    }

    fn single(&self, bits: u64) -> Result<Step, Fault> {
        let found = self.found(bits)?;
        Ok(Step::new(found.length.into(), found.symbol))
    }

    fn step(&self, index: usize) -> Step {
        let step = self.within(index, 0).map(|found| Step::new(found.length.into(), found.symbol));
        step.filter(|step| step.total() <= MOST).unwrap_or_default()
    }

    fn step_and_end(&self, index: usize) -> Step {
        let step = self.step(index);
        if step.is_none() || step.advance() == END_OF_BLOCK || step.total() >= LOOKED_UP {
            return step;
        }
        match self.within(index, step.total()) {
            Some(next) if ends(next.symbol) => step.and_end(next.length.into()),
            _ => step,
        }
    }

    fn leap(&self, index: usize) -> Leap {
        let (mut total, mut advance) = (0, 0);
        while total < LOOKED_OVER {
            let Some(found) = self.among(LOOKED_OVER, index, total) else { break };
            total += u32::from(found.length);
            if ends(found.symbol) {
                return Leap(total as u16 | (advance | END_OF_BLOCK as u16) << 8);
            }
            // A value may reach beyond the bits that are looked up: it is not looked at.
            total += u32::from(found.symbol & 15);
            advance += u16::from(found.symbol >> 4) + 1;
            if advance >= 0x7F || total > MOST {
                return Leap::NONE;
            }
        }
        if total == 0 { Leap::NONE } else { Leap(total as u16 | advance << 8) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::encode::tables::{CHROMA_AC, LUMA_AC};

    #[test]
    fn several_codes_are_what_each_alone_is() {
        for table in [&LUMA_AC, &CHROMA_AC] {
            let spec = Spec::new(table.lengths, table.symbols).unwrap();
            let lookup = Alternating::new(&spec, Scale::Three);
            // Tails of ones are no code.
            for (bits, tail) in
                (0..1 << LOOKED_OVER).flat_map(|index: u64| [(index, 0), (index, 0x0123_4567_89AB)])
            {
                let bits = bits << (64 - LOOKED_OVER) | tail;
                let leap = lookup.leap(bits);
                let (mut total, mut advance, mut end) = (0, 0, 0);
                while leap.0 != Leap::NONE.0 && total < leap.total() {
                    let step = lookup.single(bits << total).unwrap();
                    total += step.total();
                    match step.advance() {
                        END_OF_BLOCK => end = END_OF_BLOCK,
                        passed => advance += passed,
                    }
                }
                if leap.0 != Leap::NONE.0 {
                    assert_eq!((total, advance, end), (leap.total(), leap.advance(), leap.end()), "{bits:x}");
                }
                let step = lookup.step(bits);
                if step.is_none() {
                    continue;
                }
                let single = lookup.single(bits).unwrap();
                let ending = if step.end() == 0 {
                    Step::default()
                } else {
                    lookup.single(bits << single.total()).unwrap()
                };
                assert_eq!(ending.advance(), step.end(), "{bits:x}");
                assert_eq!(step.total(), single.total() + ending.total(), "{bits:x}");
                assert_eq!(
                    (step.advance(), step.value(bits)),
                    (single.advance(), single.value(bits)),
                    "{bits:x}"
                );
            }
        }
    }
}
