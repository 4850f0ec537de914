//! The inner loops in plain Rust: the reference for the others, and the fallback.
//!
//! Arranged so that the compiler can vectorise them. All arithmetic is exact in integers until the
//! two roundings, so the order of sums can't change a result.

use super::alpha;
use super::kernel::{COLUMNS, Cell, Columns, Lines, MIDDLE_BITS, Pairs, Part, ROWS, Stretch, Sums};

pub(super) fn premultiply<const C: usize>(row: &[u8], out: &mut [u8]) {
    for (from, to) in row.as_chunks::<C>().0.iter().zip(out.as_chunks_mut::<C>().0) {
        let opacity = from[C - 1];
        *to = from.map(|colour| alpha::multiply(colour, opacity));
        to[C - 1] = opacity;
    }
}

pub(super) fn interleave<const C: usize>(lines: &Lines<'_>, out: &mut Columns) {
    for (r, line) in lines.iter().enumerate() {
        for (pair, cells) in line.chunks_exact(C * COLUMNS).zip(out.as_chunks_mut::<C>().0) {
            for (c, cell) in cells.iter_mut().enumerate() {
                cell.0[r] = [i16::from(pair[c]), i16::from(pair[C + c])];
            }
        }
    }
}

pub(super) fn horizontal<const C: usize>(stretch: &Stretch<'_>, part: Part<'_>, out: &mut Pairs) {
    let Part { weights, outputs } = part;
    let shift = weights.precision() - MIDDLE_BITS;
    let length = out.len() / (ROWS / 2);
    for x in outputs.0..outputs.1 {
        let window = weights.window(x);
        let mut sums = [[1i32 << shift >> 1; ROWS]; C];
        let cells = &stretch.columns[(window.start - stretch.first) / COLUMNS * C..];
        for (cells, taps) in cells.as_chunks::<C>().0.iter().zip(window.taps.as_chunks::<COLUMNS>().0) {
            for c in 0..C {
                add_pairs(&mut sums[c], &cells[c], *taps);
            }
        }
        for (c, sums) in sums.iter().enumerate() {
            let middle = sums.map(|sum| (sum >> shift).clamp(i16::MIN.into(), i16::MAX.into()) as i16);
            for (p, pair) in middle.as_chunks::<2>().0.iter().enumerate() {
                let sample = x * C + c;
                out[p * length + sample / 8].0[sample % 8] = *pair;
            }
        }
    }
}

fn add_pairs(sums: &mut [i32; ROWS], cell: &Cell, taps: [i16; COLUMNS]) {
    let taps = taps.map(i32::from);
    for (sum, pair) in sums.iter_mut().zip(&cell.0) {
        *sum += i32::from(pair[0]) * taps[0] + i32::from(pair[1]) * taps[1];
    }
}

pub(super) fn vertical(pairs: &Pairs, taps: &[i16; ROWS], sums: &mut Sums) {
    let taps = taps.map(i32::from);
    for (p, pairs) in pairs.chunks_exact(sums.len()).enumerate() {
        let (a, b) = (taps[2 * p], taps[2 * p + 1]);
        for (sums, pairs) in sums.iter_mut().zip(pairs) {
            for (sum, pair) in sums.0.iter_mut().zip(&pairs.0) {
                *sum += i32::from(pair[0]) * a + i32::from(pair[1]) * b;
            }
        }
    }
}

pub(super) fn narrow(sums: &Sums, bits: u32, out: &mut [u8]) {
    for (sum, out) in sums.iter().flat_map(|sums| &sums.0).zip(out) {
        *out = (sum >> bits).clamp(0, 255) as u8;
    }
}
