//! Arithmetic of colours: BT.601 as JFIF uses it, inks, and samples of 16 bits.
//!
//! All of it is on gamma-encoded samples as files hold them; colour profiles are not looked at.

/// Red, green and blue of full-range BT.601 luma and chroma (JFIF 1.02, with libjpeg's rounding: to
/// nearest, in 16 fractional bits).
#[inline]
pub(in crate::image) fn rgb_of_ycbcr(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    const HALF: i32 = 1 << 15;
    let (y, cb, cr) = (i32::from(y), i32::from(cb) - 128, i32::from(cr) - 128);
    let red = y + ((91_881 * cr + HALF) >> 16);
    let green = y + ((-22_554 * cb - 46_802 * cr + HALF) >> 16);
    let blue = y + ((116_130 * cb + HALF) >> 16);
    [red, green, blue].map(|sample| sample.clamp(0, 255) as u8)
}

/// a × b / 255, rounded to nearest.
#[inline]
pub(in crate::image) fn share(a: u8, b: u8) -> u8 {
    let product = u32::from(a) * u32::from(b) + 128;
    ((product + (product >> 8)) >> 8) as u8
}

/// A gamma-encoded sample of straight alpha laid on white.
#[inline]
pub(in crate::image) fn on_white(sample: u8, alpha: u8) -> u8 {
    // Rounded once, so that white stays white.
    255 - share(255 - sample, alpha)
}

/// A sample of 16 bits as one of 8, rounded to nearest: v × 255 / 65,535.
#[inline]
pub(in crate::image) fn eight_bits(sample: u16) -> u8 {
    ((u32::from(sample) * 255 + 32_895) >> 16) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_to_nearest() {
        for a in 0..=255u8 {
            for b in 0..=255u8 {
                let exact = (f64::from(a) * f64::from(b) / 255.0).round();
                assert_eq!(f64::from(share(a, b)), exact, "{a} × {b}");
            }
        }
    }

    #[test]
    fn on_white_the_transparent_is_white_and_the_opaque_itself() {
        for sample in [0, 1, 127, 254, 255] {
            assert_eq!((on_white(sample, 0), on_white(sample, 255)), (255, sample));
        }
        assert_eq!((on_white(255, 77), on_white(0, 128)), (255, 127));
    }

    #[test]
    fn sixteen_bits_are_rounded_to_nearest() {
        for sample in 0..=u16::MAX {
            assert_eq!(f64::from(eight_bits(sample)), (f64::from(sample) / 257.0).round(), "{sample}");
        }
    }

    #[test]
    fn primaries_come_back_from_luma_and_chroma() {
        for (ycbcr, rgb) in [
            ([255, 128, 128], [255, 255, 255]),
            ([0, 128, 128], [0, 0, 0]),
            ([76, 85, 255], [254, 0, 0]),
            ([150, 44, 21], [0, 255, 1]),
            ([29, 255, 107], [0, 0, 254]),
        ] {
            assert_eq!(rgb_of_ycbcr(ycbcr[0], ycbcr[1], ycbcr[2]), rgb);
        }
    }
}
