//! Finding the n-th of a set's bits: by one instruction where processors do that fast, else bit by bit.

/// Finds bits of sets.
pub(super) trait Select: Copy {
    /// The place of the bit of `set` before which `n` others are, below 64; 64 if there are no more than `n`.
    fn nth(self, set: u64, n: u32) -> u32;
}

/// On any processor.
#[derive(Clone, Copy)]
pub(super) struct Plain;

impl Select for Plain {
    #[inline(always)]
    fn nth(self, mut set: u64, n: u32) -> u32 {
        for _ in 0..n {
            set &= set.wrapping_sub(1);
        }
        set.trailing_zeros()
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
    pub fn run<R>(self, work: impl FnOnce(Bmi2) -> R) -> R {
        #[target_feature(enable = "bmi1,bmi2,lzcnt,popcnt")]
        fn enabled<R>(bmi2: Bmi2, work: impl FnOnce(Bmi2) -> R) -> R {
            work(bmi2)
        }
        // SAFETY: `self` was made where these were detected.
        unsafe { enabled(self, work) }
    }
}

#[cfg(target_arch = "x86_64")]
impl Select for Bmi2 {
    #[inline(always)]
    fn nth(self, set: u64, n: u32) -> u32 {
        // SAFETY: `self` was made where BMI2 was detected.
        unsafe { std::arch::x86_64::_pdep_u64(1 << (n & 63), set) }.trailing_zeros()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_found_in_order() {
        for set in [0u64, 1, 1 << 63, u64::MAX, 0x8000_0100_0040_0203, 0xF0F0_F0F0_F0F0_F0F0] {
            let places: Vec<u32> = (0..64).filter(|place| set >> place & 1 == 1).chain([64; 16]).collect();
            for n in 0..16 {
                assert_eq!(Plain.nth(set, n), places[n as usize], "{set:x} {n}");
                #[cfg(target_arch = "x86_64")]
                if let Some(bmi2) = Bmi2::detect() {
                    assert_eq!(bmi2.run(|bmi2| bmi2.nth(set, n)), places[n as usize], "{set:x} {n}");
                }
            }
        }
    }
}
