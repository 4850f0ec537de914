//! Undoes the five filters of PNG's rows (W3C PNG, 9): each sample was written as its difference from what
//! its neighbours, to the left and above, foretell.
//!
//! Eight pixels at a time are looked at first: where all are as foretold and what is left of and above them
//! is of one colour, so are they. That is most of a logo, a screenshot, or what surrounds a cut-out object.

use std::array;

use crate::image::Error;

/// Makes a row of `filtered` samples, of `channels` bytes a pixel (1 to 4), and the row above it, zeros for
/// the first. All are equally long, in whole pixels.
///
/// # Errors
/// [`Error::Corrupt`] if there is no such filter.
pub(super) fn unfilter(
    filter: u8,
    channels: usize,
    filtered: &[u8],
    above: &[u8],
    row: &mut [u8],
) -> Result<(), Error> {
    match channels {
        1 => unfilter_of::<1, 8>(filter, filtered, above, row),
        2 => unfilter_of::<2, 16>(filter, filtered, above, row),
        3 => unfilter_of::<3, 24>(filter, filtered, above, row),
        _ => unfilter_of::<4, 32>(filter, filtered, above, row),
    }
}

fn unfilter_of<const C: usize, const BLOCK: usize>(
    filter: u8,
    filtered: &[u8],
    above: &[u8],
    row: &mut [u8],
) -> Result<(), Error> {
    match filter {
        0 => row.copy_from_slice(filtered),
        1 => along::<C, BLOCK>(filtered, above, row, |left, _, _| left),
        2 => {
            for ((sample, filtered), above) in row.iter_mut().zip(filtered).zip(above) {
                *sample = filtered.wrapping_add(*above);
            }
        }
        3 => along::<C, BLOCK>(filtered, above, row, |left, above, _| {
            // The mean, rounded down, without a ninth bit.
            (left & above) + ((left ^ above) >> 1)
        }),
        4 => along::<C, BLOCK>(filtered, above, row, paeth),
        _ => return Err(Error::Corrupt(format!("a row with filter {filter}, which PNG does not have"))),
    }
    Ok(())
}

/// Goes from pixel to pixel; `foretell` makes a sample of those left of, above, and left above it, and of the
/// first two the same where they are alike.
#[inline]
fn along<const C: usize, const BLOCK: usize>(
    filtered: &[u8],
    above: &[u8],
    row: &mut [u8],
    foretell: impl Fn(u8, u8, u8) -> u8,
) {
    let mut beside = Beside { left: [0; C], corner: [0; C] };
    let (blocks, rest) = filtered.as_chunks::<BLOCK>();
    let (blocks_above, rest_above) = above.as_chunks::<BLOCK>();
    let (blocks_out, rest_out) = row.as_chunks_mut::<BLOCK>();
    for ((filtered, above), out) in blocks.iter().zip(blocks_above).zip(blocks_out) {
        let flat: [u8; BLOCK] = array::from_fn(|i| beside.left[i % C]);
        // Whatever the corner is: of left and above that are alike, each filter foretells that.
        if *filtered == [0; BLOCK] && *above == flat {
            *out = flat;
            beside.corner = beside.left;
        } else {
            beside.unfilter(filtered, above, out, &foretell);
        }
    }
    beside.unfilter(rest, rest_above, rest_out, &foretell);
}

/// The pixels left of the next one, and above that.
struct Beside<const C: usize> {
    left: [u8; C],
    corner: [u8; C],
}

impl<const C: usize> Beside<C> {
    #[inline]
    fn unfilter(
        &mut self,
        filtered: &[u8],
        above: &[u8],
        row: &mut [u8],
        foretell: impl Fn(u8, u8, u8) -> u8,
    ) {
        let Beside { mut left, mut corner } = *self;
        let neighbours = filtered.as_chunks::<C>().0.iter().zip(above.as_chunks::<C>().0);
        for ((filtered, above), pixel) in neighbours.zip(row.as_chunks_mut::<C>().0) {
            left = array::from_fn(|c| filtered[c].wrapping_add(foretell(left[c], above[c], corner[c])));
            *pixel = left;
            corner = *above;
        }
        *self = Beside { left, corner };
    }
}

/// Whichever of the three is nearest to left + above − corner; of equals the first (W3C PNG, 9.4).
///
/// Said otherwise, for fewer steps that wait for `left`: with d = 3 corner − left − above, the smaller of
/// the two is nearest where d reaches the larger, the larger where d is at most the smaller, and the corner
/// in between.
#[inline]
fn paeth(left: u8, above: u8, corner: u8) -> u8 {
    let (low, high) = (left.min(above), left.max(above));
    let distance = 3 * i16::from(corner) - i16::from(left) - i16::from(above);
    let either = if i16::from(high) <= distance { low } else { corner };
    if distance <= i16::from(low) { high } else { either }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The standard's own words.
    fn paeth_of_the_standard(a: u8, b: u8, c: u8) -> u8 {
        let (a16, b16, c16) = (i16::from(a), i16::from(b), i16::from(c));
        let p = a16 + b16 - c16;
        let (pa, pb, pc) = ((p - a16).abs(), (p - b16).abs(), (p - c16).abs());
        if pa <= pb && pa <= pc {
            a
        } else if pb <= pc {
            b
        } else {
            c
        }
    }

    /// A row filtered as an encoder does it.
    fn filtered(filter: u8, channels: usize, row: &[u8], above: &[u8]) -> Vec<u8> {
        let before = |line: &[u8], i: usize| i.checked_sub(channels).map_or(0, |i| line[i]);
        let foretold = |i: usize| match filter {
            0 => 0,
            1 => before(row, i),
            2 => above[i],
            3 => ((u16::from(before(row, i)) + u16::from(above[i])) / 2) as u8,
            _ => paeth_of_the_standard(before(row, i), above[i], before(above, i)),
        };
        (0..row.len()).map(|i| row[i].wrapping_sub(foretold(i))).collect()
    }

    /// Runs of one colour between noise: both ways through a block.
    fn line(channels: usize, pixels: usize) -> impl Strategy<Value = Vec<u8>> {
        let run = (0..4u8, 1..40usize, any::<[u8; 4]>());
        prop::collection::vec(run, 1..12).prop_map(move |runs| {
            let colours = runs.iter().flat_map(|(kind, length, colour)| {
                (0..*length).map(move |i| match kind {
                    0 => [0; 4],
                    1 => colour.map(|c| c.wrapping_mul(i as u8 | 1)),
                    _ => colour.map(|c| c & 0x80),
                })
            });
            let samples = colours.flat_map(|colour| colour[..channels].to_vec());
            samples.chain(std::iter::repeat(0)).take(channels * pixels).collect()
        })
    }

    fn two_lines() -> impl Strategy<Value = (usize, Vec<u8>, Vec<u8>)> {
        (1usize..=4, 1usize..200).prop_flat_map(|(channels, pixels)| {
            (Just(channels), line(channels, pixels), line(channels, pixels))
        })
    }

    proptest! {
        #[test]
        fn every_filter_is_undone((channels, row, above) in two_lines(), alike: bool, filter in 0u8..=4) {
            let above = if alike { row.clone() } else { above };
            let mut got = vec![1; row.len()];
            unfilter(filter, channels, &filtered(filter, channels, &row, &above), &above, &mut got).unwrap();
            prop_assert_eq!(got, row);
        }
    }

    /// Behind eight pixels that were passed over, what is left above is theirs, not what was before them.
    #[test]
    fn the_corner_behind_a_flat_block_is_the_blocks() {
        for channels in 1..=4 {
            let line = |runs: &[(usize, u8)]| -> Vec<u8> {
                runs.iter().flat_map(|&(pixels, level)| vec![level; pixels * channels]).collect()
            };
            let (row, above) = (line(&[(24, 200)]), line(&[(7, 200), (1, 64), (8, 200), (8, 100)]));
            let mut got = vec![1; row.len()];
            unfilter(4, channels, &filtered(4, channels, &row, &above), &above, &mut got).unwrap();
            assert_eq!(got, row, "{channels} channels");
        }
    }

    #[test]
    fn the_foretold_sample_is_the_standards() {
        let levels = || (0..=255u8).step_by(3).chain([1, 2, 127, 128, 254]);
        for (a, b) in levels().flat_map(|a| levels().map(move |b| (a, b))) {
            for c in levels() {
                assert_eq!(paeth(a, b, c), paeth_of_the_standard(a, b, c), "{a} {b} {c}");
            }
        }
    }

    #[test]
    fn a_filter_that_there_is_not_is_refused() {
        assert!(matches!(unfilter(5, 1, &[0], &[0], &mut [0]), Err(Error::Corrupt(_))));
    }
}
