//! Whether a picture's chroma can be halved, and halving it.
//!
//! Halved chroma is a quarter of the samples, and in photographs next to nothing is seen of it; but coloured
//! letters and edges bleed. What is lost is measured (`docs/bytes.md` has how it goes with what is seen).

use super::jpeg::Sampling;
use crate::image::Size;

/// Most that halving may lose, as the mean squared difference of Cb's and Cr's samples to the mean of the
/// 2 × 2 that they become, in levels. Photographs lose up to so much; what bleeds, more.
const MOST_LOST: u64 = 15;

/// The sampling that a picture of `size` with Cb and Cr of full size needs.
///
/// # Panics
/// If a plane does not have a sample a pixel.
pub fn sampling(size: Size, planes: [&[u8]; 2]) -> Sampling {
    let width = size.width as usize;
    // Of four samples, 4 Σv² − (Σv)² is four times the sum of their squared differences to the mean.
    let lost: u64 = planes
        .into_iter()
        .map(|plane| {
            assert_eq!(plane.len() as u64, size.pixels(), "chroma samples");
            fours(plane, width)
                .map(|four| {
                    let sum: u32 = four.iter().map(|&v| u32::from(v)).sum();
                    let squares: u32 = four.iter().map(|&v| u32::from(v) * u32::from(v)).sum();
                    u64::from(4 * squares - sum * sum)
                })
                .sum::<u64>()
        })
        .sum();
    let samples = 2 * 4 * Sampling::Halved.of(size).pixels();
    if lost > 4 * MOST_LOST * samples { Sampling::Full } else { Sampling::Halved }
}

/// A plane at half its width and height, rounded up: means of 2 × 2 samples, ties up; at an odd right or lower
/// edge of those that there are.
pub fn halve(size: Size, plane: &[u8]) -> Vec<u8> {
    let mean = |four: [u8; 4]| ((four.iter().map(|&v| u32::from(v)).sum::<u32>() + 2) / 4) as u8;
    fours(plane, size.width as usize).map(mean).collect()
}

/// The samples in twos by twos; the last column or row of an odd number pairs with itself.
fn fours(plane: &[u8], width: usize) -> impl Iterator<Item = [u8; 4]> {
    plane.chunks(2 * width).flat_map(move |rows| {
        let (upper, lower) = rows.split_at(width);
        let lower = if lower.is_empty() { upper } else { lower };
        let twos = upper.chunks(2).zip(lower.chunks(2));
        twos.map(|(a, b)| [a[0], a[a.len() - 1], b[0], b[b.len() - 1]])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { width: 5, height: 3 };

    #[test]
    fn halves_are_means_of_what_there_is() {
        let plane = [0, 4, 10, 11, 7, 8, 4, 10, 12, 9, 1, 2, 3, 4, 5];
        assert_eq!(halve(SIZE, &plane), [4, 11, 8, 2, 4, 5]);
        assert_eq!(halve(Size { width: 1, height: 1 }, &[9]), [9]);
    }

    #[test]
    fn chroma_that_changes_from_pixel_to_pixel_is_kept_whole() {
        let size = Size { width: 64, height: 64 };
        let with = |amplitude: u8| [100, 100 + amplitude].repeat(64 * 32);
        let plain = vec![128; 64 * 64];
        assert_eq!(sampling(size, [&plain, &plain]), Sampling::Halved);
        // Half the samples are lost by half the amplitude each way, in one of two planes.
        assert_eq!(sampling(size, [&with(10), &plain]), Sampling::Halved);
        assert_eq!(sampling(size, [&with(12), &plain]), Sampling::Full);
        assert_eq!(sampling(size, [&plain, &with(12)]), Sampling::Full);
    }

    #[test]
    fn chroma_that_changes_slowly_is_halved() {
        let size = Size { width: 255, height: 9 };
        let ramp: Vec<u8> = (0..9).flat_map(|_| 0..255).collect();
        assert_eq!(sampling(size, [&ramp, &ramp]), Sampling::Halved);
    }
}
