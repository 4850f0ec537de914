//! The inner loops in plain Rust: the reference for the others, and the fallback.
//!
//! Arranged so that the compiler can vectorise them. All arithmetic is exact in integers until the
//! two roundings, so the order of sums can't change a result.

use super::alpha;
use super::kernel::{COLUMNS, Columns, MIDDLE_BITS, Pairs, ROWS};
use super::weights::Weights;

/// Length of one column pair of one channel in [`Columns`].
const CELL: usize = ROWS * COLUMNS;

pub(super) fn premultiply<const C: usize>(row: &[u8], out: &mut [u8]) {
    for (from, to) in row.as_chunks::<C>().0.iter().zip(out.as_chunks_mut::<C>().0) {
        let opacity = from[C - 1];
        *to = from.map(|colour| alpha::multiply(colour, opacity));
        to[C - 1] = opacity;
    }
}

pub(super) fn interleave<const C: usize>(rows: &[u8], out: &mut Columns) {
    for (r, row) in rows.chunks_exact(rows.len() / ROWS).enumerate() {
        let cells = out.as_chunks_mut::<CELL>().0.chunks_exact_mut(C);
        for (pair, cells) in row.chunks_exact(C * COLUMNS).zip(cells) {
            for c in 0..C {
                cells[c][r * COLUMNS] = i16::from(pair[c]);
                cells[c][r * COLUMNS + 1] = i16::from(pair[C + c]);
            }
        }
    }
}

pub(super) fn horizontal<const C: usize>(columns: &Columns, weights: &Weights, out: &mut Pairs) {
    let shift = weights.precision() - MIDDLE_BITS;
    let stretch = out.len() / (ROWS / 2);
    let columns = columns.as_chunks::<CELL>().0;
    for (x, window) in weights.windows(0).enumerate() {
        let mut sums = [[1i32 << shift >> 1; ROWS]; C];
        let cells = &columns[window.start / COLUMNS * C..window.end / COLUMNS * C];
        for (cells, taps) in cells.chunks_exact(C).zip(window.taps.as_chunks::<COLUMNS>().0) {
            for c in 0..C {
                add_pairs(&mut sums[c], &cells[c], *taps);
            }
        }
        for (c, sums) in sums.iter().enumerate() {
            let middle = sums.map(|sum| (sum >> shift).clamp(i16::MIN.into(), i16::MAX.into()) as i16);
            for (p, pair) in middle.as_chunks::<2>().0.iter().enumerate() {
                out[p * stretch + x * C + c] = *pair;
            }
        }
    }
}

fn add_pairs(sums: &mut [i32; ROWS], cell: &[i16; CELL], taps: [i16; COLUMNS]) {
    let taps = taps.map(i32::from);
    for (sum, pair) in sums.iter_mut().zip(cell.as_chunks::<COLUMNS>().0) {
        *sum += i32::from(pair[0]) * taps[0] + i32::from(pair[1]) * taps[1];
    }
}

pub(super) fn vertical(pairs: &Pairs, taps: &[i16; ROWS], sums: &mut [i32]) {
    let taps = taps.map(i32::from);
    for (p, pairs) in pairs.chunks_exact(sums.len()).enumerate() {
        let (a, b) = (taps[2 * p], taps[2 * p + 1]);
        for (sum, pair) in sums.iter_mut().zip(pairs) {
            *sum += i32::from(pair[0]) * a + i32::from(pair[1]) * b;
        }
    }
}

pub(super) fn narrow(sums: &[i32], bits: u32, out: &mut [u8]) {
    for (sum, out) in sums.iter().zip(out) {
        *out = (sum >> bits).clamp(0, 255) as u8;
    }
}
