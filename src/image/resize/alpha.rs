//! Straight and premultiplied alpha in rows of 8-bit samples, the last channel being alpha.
//!
//! Weighted means of colours are right only if each colour counts as much as it is opaque: the
//! kernel therefore filters premultiplied samples.

use super::Error;
use super::kernel::Sums;

/// Whether samples have alpha, and in which channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alpha {
    /// No alpha: all channels are filtered as they are.
    None,
    /// Grey and alpha.
    Grey,
    /// Red, green, blue and alpha.
    Colour,
}

impl Alpha {
    /// Of `channels` interleaved channels with alpha.
    pub fn of(channels: usize) -> Result<Alpha, Error> {
        match channels {
            2 => Ok(Alpha::Grey),
            4 => Ok(Alpha::Colour),
            _ => Err(Error::Channels),
        }
    }
}

/// `colour` × `alpha` / 255, rounded to the nearest (exactly, for all inputs).
pub(super) fn multiply(colour: u8, alpha: u8) -> u8 {
    let product = u16::from(colour) * u16::from(alpha) + 128;
    ((product + (product >> 8)) >> 8) as u8
}

/// Makes samples of a row's premultiplied sums, which have `bits` fraction bits and were rounded by
/// their first value: `filtered` premultiplied, for outputs made of this one, and `straight`.
///
/// Both take colour relative to alpha before either is clamped: beside a hard edge alpha overshoots
/// 255 and colour with it, and clamped apart they would brighten the colour. Where colour lies above
/// alpha it is full; where nothing is opaque it is 0.
pub(super) fn narrow<const C: usize>(sums: &Sums, bits: u32, filtered: &mut [u8], straight: &mut [u8]) {
    let pixels = sums.iter().flat_map(|sums| sums.0.as_chunks::<C>().0);
    let outs = filtered.as_chunks_mut::<C>().0.iter_mut().zip(straight.as_chunks_mut::<C>().0);
    for (sums, (filtered, straight)) in pixels.zip(outs) {
        *filtered = sums.map(|sum| level(sum, bits));
        *straight = match filtered[C - 1] {
            0 => [0; C],
            alpha => {
                let mut pixel = if sums[C - 1] == opaque(bits) { *filtered } else { divide(sums, bits) };
                if sums[C - 1] > opaque(bits) {
                    *filtered = pixel;
                }
                pixel[C - 1] = alpha;
                pixel
            }
        };
        filtered[C - 1] = level(sums[C - 1], bits);
    }
}

/// The sum of alpha where all is opaque: exact, since the weights sum to exactly one.
pub(super) fn opaque(bits: u32) -> i32 {
    (255 << bits) + half(bits)
}

/// What a sum begins with, so that a shift rounds it to the nearest.
pub(super) fn half(bits: u32) -> i32 {
    1 << (bits - 1)
}

fn level(sum: i32, bits: u32) -> u8 {
    (sum >> bits).clamp(0, 255) as u8
}

/// All channels as shares of the last, which is above 0, in units of 1 / 255.
fn divide<const C: usize>(sums: &[i32; C], bits: u32) -> [u8; C] {
    let alpha = (sums[C - 1] - half(bits)) as f32;
    // A cast from floating point saturates: below 0 is 0, above 255 is 255.
    sums.map(|sum| ((sum - half(bits)) as f32 * 255.0 / alpha + 0.5) as u8)
}

#[cfg(test)]
mod tests {
    use super::super::kernel::Eight;
    use super::*;

    const BITS: u32 = 20;

    /// One pixel of these levels, straightened.
    fn straight<const C: usize>(levels: [f64; C]) -> [u8; C] {
        let sums = levels.map(|level| (level * f64::from(1 << BITS)).round() as i32 + half(BITS));
        let (mut filtered, mut straight) = ([0; C], [0; C]);
        let mut eight = Eight([0; 8]);
        eight.0[..C].copy_from_slice(&sums);
        narrow::<C>(&[eight], BITS, &mut filtered, &mut straight);
        assert_eq!(filtered[C - 1], straight[C - 1]);
        straight
    }

    fn every_pair() -> impl Iterator<Item = (u8, u8)> {
        (0..=255).flat_map(|colour| (0..=255).map(move |alpha| (colour, alpha)))
    }

    #[test]
    fn multiplying_rounds_to_the_nearest() {
        for (colour, alpha) in every_pair() {
            let exact = (f64::from(colour) * f64::from(alpha) / 255.0).round();
            assert_eq!(f64::from(multiply(colour, alpha)), exact, "{colour} × {alpha}");
        }
    }

    #[test]
    fn straightening_rounds_to_the_nearest_and_clamps() {
        for (colour, alpha) in every_pair().filter(|&(_, alpha)| alpha > 0) {
            let levels = [f64::from(colour), -3.0, f64::from(alpha), f64::from(alpha)];
            let exact = (levels[0] * 255.0 / levels[3]).min(255.0).round();
            assert_eq!(straight(levels), [exact as u8, 0, 255, alpha], "{colour} / {alpha}");
        }
    }

    #[test]
    fn overshoot_of_alpha_leaves_the_colour_as_it_is() {
        assert_eq!(straight([200.0 * 1.08, 100.0 * 1.08, 0.0, 255.0 * 1.08]), [200, 100, 0, 255]);
        assert_eq!(straight([0.2, 0.4]), [0, 0]);
        assert_eq!(straight([-9.0, -1.0]), [0, 0]);
    }

    #[test]
    fn opaque_pixels_come_back_as_they_were() {
        for colour in 0..=255 {
            assert_eq!(straight([f64::from(multiply(colour, 255)), 255.0]), [colour, 255]);
        }
    }
}
