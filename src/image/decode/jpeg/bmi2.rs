//! Finding the n-th of a set's bits, and laying bits out on a set: by one instruction where processors do that
//! fast, else bit by bit.

/// Does what is done with sets.
pub(super) trait Select: Copy {
    /// `bits`, the lowest first, laid out on the members of `set`, the lowest first.
    fn lay(self, bits: u64, set: u64) -> u64;

    /// The member of `set` before which as many others are as the one bit of `unit` has below it; 0 if there are no
    /// more than those.
    #[inline(always)]
    fn nth(self, set: u64, unit: u64) -> u64 {
        self.lay(unit, set)
    }
}

/// What is compiled for each kind of processor.
pub(super) trait Work {
    /// What comes of it.
    type Done;

    /// Does it. To be compiled for the processor that `select` is for, this must be `#[inline(always)]`, and so
    /// must be all that it calls in a loop.
    fn with(self, select: impl Select) -> Self::Done;
}

/// Does `work` in the best way that this processor has.
#[inline]
pub(super) fn run<W: Work>(work: W) -> W::Done {
    #[cfg(target_arch = "x86_64")]
    if let Some(bmi2) = Bmi2::detect() {
        return bmi2.run(work);
    }
    work.with(Plain)
}

/// On any processor.
#[derive(Clone, Copy)]
pub(super) struct Plain;

impl Select for Plain {
    #[inline(always)]
    fn lay(self, mut bits: u64, mut set: u64) -> u64 {
        let mut laid = 0;
        while set != 0 && bits != 0 {
            laid |= set & set.wrapping_neg() & (bits & 1).wrapping_neg();
            bits >>= 1;
            set &= set - 1;
        }
        laid
    }

    #[inline(always)]
    fn nth(self, mut set: u64, unit: u64) -> u64 {
        for _ in 0..unit.trailing_zeros() {
            set &= set.wrapping_sub(1);
        }
        set & set.wrapping_neg()
    }
}

/// Proof that this processor has BMI1, BMI2, LZCNT and POPCNT.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(super) struct Bmi2(());

#[cfg(target_arch = "x86_64")]
impl Bmi2 {
    /// Asks the processor; only such are taken as have VAES too, since older ones of AMD's take hundreds of
    /// cycles for what this is for.
    pub fn detect() -> Option<Bmi2> {
        let has_all = is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("popcnt")
            && is_x86_feature_detected!("vaes");
        has_all.then_some(Bmi2(()))
    }

    /// Does `work`, compiled for such processors.
    #[inline]
    fn run<W: Work>(self, work: W) -> W::Done {
        #[target_feature(enable = "bmi1,bmi2,lzcnt,popcnt")]
        fn enabled<W: Work>(bmi2: Bmi2, work: W) -> W::Done {
            work.with(bmi2)
        }
        // SAFETY: `self` was made where these were detected.
        unsafe { enabled(self, work) }
    }
}

#[cfg(target_arch = "x86_64")]
impl Select for Bmi2 {
    #[inline(always)]
    fn lay(self, bits: u64, set: u64) -> u64 {
        // SAFETY: `self` was made where BMI2 was detected.
        unsafe { std::arch::x86_64::_pdep_u64(bits, set) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETS: [u64; 6] = [0, 1, 1 << 63, u64::MAX, 0x8000_0100_0040_0203, 0xF0F0_F0F0_F0F0_F0F0];

    #[derive(Clone, Copy)]
    struct Lay(u64, u64);

    #[derive(Clone, Copy)]
    struct Nth(u64, u64);

    impl Work for Lay {
        type Done = u64;
        #[inline(always)]
        fn with(self, select: impl Select) -> u64 {
            select.lay(self.0, self.1)
        }
    }

    impl Work for Nth {
        type Done = u64;
        #[inline(always)]
        fn with(self, select: impl Select) -> u64 {
            select.nth(self.0, self.1)
        }
    }

    /// What each way of doing `work` gives.
    fn each<W: Work<Done = u64> + Copy>(work: W) -> [u64; 2] {
        [work.with(Plain), run(work)]
    }

    #[test]
    fn members_are_found_in_order() {
        for set in SETS {
            let members = (0..64).map(|place| 1u64 << place).filter(|member| set & member != 0);
            for (n, member) in members.chain([0; 16]).take(64).enumerate() {
                for found in each(Nth(set, 1 << n)) {
                    assert_eq!(found, member, "{set:x} {n}");
                }
            }
        }
    }

    #[test]
    fn bits_are_laid_out_in_order() {
        for (set, bits) in SETS.into_iter().flat_map(|set| SETS.map(|bits| (set, bits))) {
            let members = (0..64).map(|place| 1u64 << place).filter(|member| set & member != 0);
            let expected: u64 =
                members.enumerate().map(|(n, member)| if bits >> n & 1 == 1 { member } else { 0 }).sum();
            for laid in each(Lay(bits, set)) {
                assert_eq!(laid, expected, "{bits:x} on {set:x}");
            }
        }
    }
}
