//! How a group of source rows is gone through: strip by strip of its columns, past what is 0.

use std::array;

use super::MAX_CHANNELS;
use super::kernel::{COLUMNS, Cell, Kernel, Lines, OUTPUTS, PADDING, Pairs, ROWS};
use super::weights::Weights;

/// Bytes of columns that are filtered while they are in a processor's first cache, which holds 32 KiB
/// or more.
const STRIP_BYTES: usize = 16 << 10;

/// A group's columns are filtered a strip at a time, so that they are still in the cache when they are
/// taken up again and again.
#[derive(Clone, Copy, Default)]
pub(super) struct Strips {
    /// Columns of a source row, padded.
    columns: usize,
    /// Columns of a strip; more than `overlap`, and a multiple of [`PADDING`].
    pub step: usize,
    /// Columns before a strip that outputs which end within it begin with.
    pub overlap: usize,
}

impl Strips {
    /// For outputs that reach over as many columns at a time.
    pub fn new(columns: usize, channels: usize, reach: usize) -> Strips {
        let columns = columns.next_multiple_of(PADDING);
        let cached = STRIP_BYTES * COLUMNS / (size_of::<Cell>() * channels);
        let step = cached.max(reach).next_multiple_of(PADDING);
        if columns <= step {
            return Strips { columns, step: columns, overlap: 0 };
        }
        Strips { columns, step, overlap: reach }
    }

    /// Where each strip ends.
    pub fn ends(self) -> impl Iterator<Item = usize> {
        (1..=self.columns.div_ceil(self.step)).map(move |n| (n * self.step).min(self.columns))
    }
}

/// Whether all samples are 0.
pub(super) fn is_zero(samples: &[u8]) -> bool {
    let (blocks, rest) = samples.as_chunks::<64>();
    let all = |block: &[u8]| block.iter().fold(0, |all, sample| all | sample) == 0;
    blocks.iter().all(|block| all(block)) && all(rest)
}

/// Whether all samples are 0 in each row from `from` to `to`, which may lie beyond the rows' end.
pub(super) fn is_zero_between(rows: &[u8], from: usize, to: usize) -> bool {
    let length = rows.len() / ROWS;
    rows.chunks_exact(length).all(|row| is_zero(&row[from.min(length)..to.min(length)]))
}

/// Sets the row pairs of samples `from` to `to` to what the horizontal pass makes of zeros.
pub(super) fn clear(pairs: &mut Pairs, from: usize, to: usize) {
    let length = pairs.len() / (ROWS / 2);
    for pairs in pairs.chunks_exact_mut(length) {
        for sample in from..to {
            pairs[sample / 8].0[sample % 8] = [0; 2];
        }
    }
}

/// Turns the columns from `start` on, as many as there is room for, of a group of rows. What lies beyond
/// the rows' end is 0.
pub(super) fn interleave(kernel: Kernel, channels: usize, rows: &[u8], start: usize, out: &mut [Cell]) {
    let length = rows.len() / ROWS;
    let from = start * channels;
    let to = from + out.len() * COLUMNS;
    // The padding, and columns beside it that fill a multiple of it.
    let block = PADDING * channels;
    let inside = to.min(from + (length - from) / block * block);
    let (whole, edge) = out.split_at_mut((inside - from) / COLUMNS);
    let lines: Lines<'_> = array::from_fn(|r| &rows[r * length + from..r * length + inside]);
    kernel.interleave(channels, &lines, whole);
    if !edge.is_empty() {
        let mut padded = [[0; PADDING * MAX_CHANNELS]; ROWS];
        for (padded, row) in padded.iter_mut().zip(rows.chunks_exact(length)) {
            padded[..length - inside].copy_from_slice(&row[inside..]);
        }
        let lines: Lines<'_> = array::from_fn(|r| &padded[r][..block]);
        kernel.interleave(channels, &lines, edge);
    }
}

/// Columns that [`OUTPUTS`] outputs reach over at most.
pub(super) fn reach(weights: &Weights) -> usize {
    let last = weights.outputs() - 1;
    let reach =
        |first: usize| weights.window((first + OUTPUTS - 1).min(last)).end - weights.window(first).start;
    (0..=last).step_by(OUTPUTS).map(reach).max().unwrap_or(0)
}

/// How many outputs need no column from `end` on: all, or a multiple of [`OUTPUTS`].
pub(super) fn done_by(weights: &Weights, end: usize) -> usize {
    let done = weights.windows(0).take_while(|window| window.end <= end).count();
    if done == weights.outputs() { done } else { done / OUTPUTS * OUTPUTS }
}
