//! What is held of a progressive picture until its last scan: of each block the coefficients that its scale keeps, and
//! of all 64 whether they are zero so far, for a scan that refines brings a bit for each that is not. All else is decoded
//! and forgotten.

use std::ops::Range;

use super::idct::Inverse;
use super::plan::Plan;
use super::refine::Changes;
use super::scale::{Block, Scale};

/// One component's coefficients so far.
pub(super) struct Store {
    scale: Scale,
    /// Blocks of a row, those included that fill up minimum coded units.
    pub columns: usize,
    /// N × N a block.
    kept: Vec<i16>,
    /// A bit for each coefficient in zigzag order: whether it is not zero. DC is left out.
    nonzero: Vec<u64>,
}

impl Store {
    /// Zeros for a component of `plan`.
    pub fn new(plan: &Plan, component: usize) -> Store {
        let (columns, rows) = plan.padded(component);
        let scale = plan.components[component].scale;
        let side = scale.side();
        Store {
            scale,
            columns,
            kept: vec![0; columns * rows * side * side],
            nonzero: vec![0; columns * rows],
        }
    }

    /// A block's DC.
    #[inline(always)]
    pub fn dc(&mut self, index: usize) -> &mut i16 {
        &mut self.kept[index * self.scale.side() * self.scale.side()]
    }

    /// A block's coefficients.
    #[inline(always)]
    pub fn block(&mut self, index: usize) -> Coefficients<'_> {
        let area = self.scale.side() * self.scale.side();
        let kept = &mut self.kept[index * area..][..area];
        let (places, last) = (self.scale.packed(), self.scale.last() as u32);
        Coefficients { kept, nonzero: &mut self.nonzero[index], places, last, other: 0 }
    }

    /// Transforms one block, or two side by side.
    pub fn transform(
        &self,
        indices: Range<usize>,
        room: &mut [Block; 2],
        inverse: &Inverse,
        out: &mut [u8],
        stride: usize,
    ) {
        let side = self.scale.side();
        let is_flat = self.nonzero[indices.clone()].iter().all(|&nonzero| nonzero == 0);
        for (at, (index, block)) in indices.clone().zip(room.iter_mut()).enumerate() {
            if is_flat {
                inverse.flat(self.kept[index * side * side], &mut out[at * side..], stride);
            } else {
                self.unpack(index, block);
            }
        }
        match indices.len() {
            _ if is_flat => {}
            2 => inverse.pair(room, out, stride),
            _ => inverse.block(&room[0], out, stride),
        }
    }

    /// A block as it is transformed.
    #[inline]
    fn unpack(&self, index: usize, block: &mut Block) {
        match self.scale {
            Scale::One => self.unpack_of::<1>(index, block),
            Scale::Two => self.unpack_of::<2>(index, block),
            Scale::Three => self.unpack_of::<3>(index, block),
            Scale::Four => self.unpack_of::<4>(index, block),
            Scale::Five => self.unpack_of::<5>(index, block),
            Scale::Six => self.unpack_of::<6>(index, block),
            Scale::Eight => self.unpack_of::<8>(index, block),
        }
    }

    /// Of a length that is known here: a few moves, and no call.
    #[inline(always)]
    fn unpack_of<const N: usize>(&self, index: usize, block: &mut Block) {
        let stride = if N <= 4 { 4 } else { 8 };
        let columns = self.kept[index * N * N..][..N * N].as_chunks::<N>().0;
        for (to, from) in block.chunks_exact_mut(stride).zip(columns) {
            to[..N].copy_from_slice(from);
        }
    }
}

/// One block's coefficients.
pub(super) struct Coefficients<'s> {
    kept: &'s mut [i16],
    /// See [`Store`].
    pub nonzero: &'s mut u64,
    places: &'static [u8; 64],
    /// The last that is kept, in zigzag order.
    last: u32,
    /// Stands for any that is not.
    other: i16,
}

impl Coefficients<'_> {
    /// Coefficient `k` in zigzag order, or what stands for it if it is not kept.
    #[inline(always)]
    pub fn at(&mut self, k: u32) -> &mut i16 {
        self.kept.get_mut(usize::from(self.places[(k & 63) as usize])).unwrap_or(&mut self.other)
    }

    /// Changes coefficients by bit `low`.
    #[inline(always)]
    pub fn change(&mut self, changes: Changes, low: u32) {
        const OF_TWO: [u16; 4] = members(Scale::Two);
        const OF_THREE: [u16; 9] = members(Scale::Three);
        *self.nonzero |= changes.new;
        // Larger blocks need sets of more bits, of which too few fit a vector.
        if let Ok(kept) = (&mut *self.kept).try_into() {
            together(kept, &OF_TWO, changes, low);
        } else if let Ok(kept) = (&mut *self.kept).try_into() {
            together(kept, &OF_THREE, changes, low);
        } else {
            self.change_each(changes, low);
        }
    }

    #[inline(always)]
    fn change_each(&mut self, changes: Changes, low: u32) {
        let mut left = (changes.new | changes.grown) & (u64::MAX >> (63 - self.last));
        while left != 0 {
            let k = left.trailing_zeros();
            let has = |set: u64| (set >> k & 1) as i16;
            let coefficient = self.at(k);
            // One that has this bit already, by a scan that came before, is left as it is.
            let is_new = ((*coefficient >> low) & 1) ^ 1;
            let grown = (has(changes.grown) & is_new).wrapping_mul((*coefficient >> 15) | 1);
            let new = has(changes.new) * (has(changes.positive) * 2 - 1);
            *coefficient = coefficient.wrapping_add((grown + new).wrapping_shl(low));
            left &= left - 1;
        }
    }
}

/// Of the coefficients that are kept at N = 2 or 3, but for DC, the bit of each in a set.
const fn members<const AREA: usize>(scale: Scale) -> [u16; AREA] {
    let (mut members, mut k) = ([0; AREA], 1);
    while k <= scale.last() {
        let place = scale.packed()[k] as usize;
        if place < AREA {
            members[place] = 1 << k;
        }
        k += 1;
    }
    members
}

/// Changes all of a block's coefficients at once, whichever become others.
#[inline(always)]
fn together<const AREA: usize>(kept: &mut [i16; AREA], members: &[u16; AREA], changes: Changes, low: u32) {
    let [grown, new, positive] = [changes.grown, changes.new, changes.positive].map(|set| set as u16);
    // DC is none of them; without it those of N = 3 fill a vector.
    for (coefficient, &member) in kept[1..].iter_mut().zip(&members[1..]) {
        // All ones for a member.
        let has = |set: u16| -i16::from(set & member != 0);
        let is_new = ((*coefficient >> low) & 1) - 1;
        let by = (has(grown) & is_new & ((*coefficient >> 15) | 1)) + (has(new) & ((has(positive) & 2) - 1));
        *coefficient = coefficient.wrapping_add(by << low);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn all_changed_together_are_what_each_is(
            kept: [i16; 9], zero: u64, grown: u64, new: u64, positive: u64, low in 0u32..14,
        ) {
            // What is zero may become new, and what is not, grow; DC does neither.
            let changes = Changes { grown: grown & !zero & !1, new: new & zero & !1, positive: positive & new & zero };
            for scale in [Scale::Two, Scale::Three] {
                let (places, last) = (scale.packed(), scale.last() as u32);
                let mut each = kept[..scale.side() * scale.side()].to_vec();
                for k in (1..64).filter(|k| zero >> k & 1 == 1) {
                    if let Some(coefficient) = each.get_mut(usize::from(places[k])) {
                        *coefficient = 0;
                    }
                }
                let mut together = each.clone();
                let [mut a, mut b] = [0; 2];
                Coefficients { kept: &mut each, nonzero: &mut a, places, last, other: 0 }.change_each(changes, low);
                Coefficients { kept: &mut together, nonzero: &mut b, places, last, other: 0 }.change(changes, low);
                prop_assert_eq!(together, each, "{:?}", scale);
                prop_assert_eq!(b, changes.new);
            }
        }
    }
}
