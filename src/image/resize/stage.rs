//! Rows in, rows out: gathers source rows into groups, runs the kernels on them, keeps the sums of
//! the output rows in the making, and feeds each output's rows to the smaller outputs made of it.

use std::array;
use std::collections::VecDeque;
use std::sync::Arc;

use super::alpha::{self, Alpha};
use super::kernel::{
    COLUMNS, Cell, Eight, Kernel, Lines, MIDDLE_BITS, OUTPUTS, PADDING, Part, ROWS, Stretch,
};
use super::weights::{Limits, Weights};
use super::{Axis, Emit, LEAST_CASCADE_RATIO, MAX_CHANNELS, Target};

/// Bytes of columns that are filtered while they are in a processor's first cache, which holds 32 KiB
/// or more.
const STRIP_BYTES: usize = 16 << 10;

/// One source of rows and all outputs made of it directly.
#[derive(Clone)]
pub(super) struct Feed {
    kernel: Kernel,
    alpha: Alpha,
    channels: usize,
    /// Source rows in all.
    height: usize,
    /// Source rows so far.
    seen: usize,
    /// Samples of a source row.
    length: usize,
    /// Rows that came one at a time, until they are a group.
    gathered: Vec<u8>,
    /// How the columns of a group are gone through.
    strips: Strips,
    /// A strip, and before it what of the one before is still needed.
    columns: Vec<Cell>,
    stages: Vec<Stage>,
}

/// One output.
#[derive(Clone)]
struct Stage {
    /// The target's index, as the caller knows it.
    index: usize,
    horizontal: Arc<Weights>,
    vertical: Arc<Weights>,
    /// The group's rows, filtered horizontally.
    pairs: Vec<Eight<[i16; 2]>>,
    /// How many output columns are done when each strip is.
    parts: Vec<usize>,
    /// Sums of the output rows in the making, `done` first.
    sums: VecDeque<Vec<Eight<i32>>>,
    /// Memory for further rows.
    spare: Vec<Vec<Eight<i32>>>,
    /// Output rows that are complete.
    done: usize,
    /// Samples of an output row, without padding.
    length: usize,
    /// An output row as filtered, and the same with straight alpha.
    row: Vec<u8>,
    straight: Vec<u8>,
    /// The outputs made of this one.
    below: Feed,
}

/// A group's columns are filtered a strip at a time, so that they are still in the cache when they are
/// taken up again and again.
#[derive(Clone, Copy, Default)]
struct Strips {
    /// Columns of a source row, padded.
    columns: usize,
    /// Columns of a strip; more than `overlap`, and a multiple of [`PADDING`].
    step: usize,
    /// Columns before a strip that outputs which end within it begin with.
    overlap: usize,
}

impl Strips {
    /// For outputs that reach over as many columns at a time.
    fn new(columns: usize, channels: usize, reach: usize) -> Strips {
        let columns = columns.next_multiple_of(PADDING);
        let cached = STRIP_BYTES * COLUMNS / (size_of::<Cell>() * channels);
        let step = cached.max(reach).next_multiple_of(PADDING);
        if columns <= step {
            return Strips { columns, step: columns, overlap: 0 };
        }
        Strips { columns, step, overlap: reach }
    }

    /// Where each strip ends.
    fn ends(self) -> impl Iterator<Item = usize> {
        (1..=self.columns.div_ceil(self.step)).map(move |n| (n * self.step).min(self.columns))
    }
}

impl Feed {
    pub fn new(kernel: Kernel, alpha: Alpha, channels: usize, target: &Target) -> Feed {
        Feed::of(kernel, alpha, channels, target.x.source, target.y.source)
    }

    fn of(kernel: Kernel, alpha: Alpha, channels: usize, width: u32, height: u32) -> Feed {
        Feed {
            kernel,
            alpha,
            channels,
            height: height as usize,
            seen: 0,
            length: width as usize * channels,
            gathered: Vec::new(),
            strips: Strips::default(),
            columns: Vec::new(),
            stages: Vec::new(),
        }
    }

    /// Adds an output of this source.
    pub fn add(&mut self, index: usize, target: &Target) {
        self.stages.push(Stage::new(self, index, target));
        let reach = self.stages.iter().map(|stage| reach(&stage.horizontal)).max().unwrap_or(0);
        self.strips = Strips::new(self.length / self.channels, self.channels, reach);
        for stage in &mut self.stages {
            stage.parts = self.strips.ends().map(|end| done_by(&stage.horizontal, end)).collect();
        }
        // Nothing is held for a source that has no outputs.
        let columns = self.strips.overlap + self.strips.step;
        self.columns.resize(columns / COLUMNS * self.channels, Cell::ZERO);
    }

    /// Bytes of samples and weights that are held now.
    #[cfg(test)]
    pub fn held(&self) -> usize {
        let stage = |stage: &Stage| {
            let sums =
                stage.sums.iter().chain(&stage.spare).map(|sums| size_of_val(&sums[..])).sum::<usize>();
            let rows = size_of_val(&stage.pairs[..]) + stage.row.len() + stage.straight.len();
            let rows = rows + size_of_val(&stage.parts[..]);
            stage.horizontal.held() + stage.vertical.held() + sums + rows + stage.below.held()
        };
        self.gathered.len() + size_of_val(&self.columns[..]) + self.stages.iter().map(stage).sum::<usize>()
    }

    /// Indices of all outputs made of this source, directly or not.
    pub fn outputs(&self) -> Vec<usize> {
        let mut outputs: Vec<usize> = self.stages.iter().map(|s| s.index).collect();
        outputs.extend(self.stages.iter().flat_map(|s| s.below.outputs()));
        outputs
    }

    /// What is fed by output `index`.
    pub fn below(&mut self, index: usize) -> Option<&mut Feed> {
        self.stages.iter_mut().find_map(|stage| {
            if stage.index == index { Some(&mut stage.below) } else { stage.below.below(index) }
        })
    }

    pub fn restart(&mut self) {
        self.seen = 0;
        for stage in &mut self.stages {
            stage.done = 0;
            stage.spare.extend(stage.sums.drain(..));
            stage.below.restart();
        }
    }

    /// Takes source rows as the caller has them, alpha straight.
    pub fn push_source(&mut self, rows: &[u8], emit: &mut Emit<'_>) {
        let mut rest = rows;
        while rest.len() >= self.length {
            let group = ROWS * self.length;
            let is_whole = self.seen.is_multiple_of(ROWS) && self.seen + ROWS <= self.height;
            if self.alpha == Alpha::None && is_whole && rest.len() >= group && !self.stages.is_empty() {
                let (group, after) = rest.split_at(group);
                self.seen += ROWS;
                self.filter(group, emit);
                rest = after;
            } else {
                let (row, after) = rest.split_at(self.length);
                self.push(self.alpha, row, emit);
                rest = after;
            }
        }
    }

    /// Takes a row as the kernel has it, alpha premultiplied.
    fn push_filtered(&mut self, row: &[u8], emit: &mut Emit<'_>) {
        self.push(Alpha::None, row, emit);
    }

    fn push(&mut self, alpha: Alpha, row: &[u8], emit: &mut Emit<'_>) {
        if self.stages.is_empty() || self.seen == self.height {
            return;
        }
        // Only here: who pushes whole groups needs none of this memory.
        self.gathered.resize(self.length * ROWS, 0);
        let start = self.seen % ROWS * self.length;
        self.kernel.premultiply(alpha, row, &mut self.gathered[start..start + self.length]);
        self.seen += 1;
        if self.seen.is_multiple_of(ROWS) || self.seen == self.height {
            let rows = std::mem::take(&mut self.gathered);
            self.filter(&rows, emit);
            self.gathered = rows;
        }
    }

    /// Filters a group of rows. Those that the last group lacks may be anything: their taps are 0.
    fn filter(&mut self, rows: &[u8], emit: &mut Emit<'_>) {
        let per_column = |columns: usize| columns / COLUMNS * self.channels;
        let overlap = self.strips.overlap;
        let mut start = 0;
        for (n, end) in self.strips.ends().enumerate() {
            let columns = &mut self.columns[..per_column(overlap + end - start)];
            interleave(self.kernel, self.channels, rows, start, &mut columns[per_column(overlap)..]);
            // Before the first strip nothing lies.
            let kept = overlap.min(start);
            let stretch = Stretch { first: start - kept, columns: &columns[per_column(overlap - kept)..] };
            for stage in &mut self.stages {
                let outputs = (n.checked_sub(1).map_or(0, |before| stage.parts[before]), stage.parts[n]);
                if outputs.0 < outputs.1 {
                    let part = Part { weights: &stage.horizontal, outputs };
                    self.kernel.horizontal(self.channels, &stretch, part, &mut stage.pairs);
                }
            }
            self.columns.copy_within(per_column(end - start).., 0);
            start = end;
        }
        let group = (self.seen - 1) / ROWS * ROWS;
        for stage in &mut self.stages {
            stage.add(self.kernel, group);
            stage.finish(self.kernel, self.alpha, group + ROWS, emit);
        }
    }
}

/// Turns the columns from `start` on, as many as there is room for, of a group of rows. What lies beyond
/// the rows' end is 0.
fn interleave(kernel: Kernel, channels: usize, rows: &[u8], start: usize, out: &mut [Cell]) {
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
fn reach(weights: &Weights) -> usize {
    let last = weights.outputs() - 1;
    let reach =
        |first: usize| weights.window((first + OUTPUTS - 1).min(last)).end - weights.window(first).start;
    (0..=last).step_by(OUTPUTS).map(reach).max().unwrap_or(0)
}

/// How many outputs need no column from `end` on: all, or a multiple of [`OUTPUTS`].
fn done_by(weights: &Weights, end: usize) -> usize {
    let done = weights.windows(0).take_while(|window| window.end <= end).count();
    if done == weights.outputs() { done } else { done / OUTPUTS * OUTPUTS }
}

impl Stage {
    fn new(feed: &Feed, index: usize, target: &Target) -> Stage {
        let length = target.x.target as usize * feed.channels;
        let padded =
            ((target.x.target as usize).next_multiple_of(OUTPUTS) * feed.channels).next_multiple_of(PADDING);
        let magnitude = f64::from(i16::MAX) + 1.0;
        Stage {
            index,
            horizontal: Arc::new(Weights::new(&target.x, Limits { alignment: COLUMNS, magnitude: 255.0 })),
            vertical: Arc::new(Weights::new(&target.y, Limits { alignment: ROWS, magnitude })),
            pairs: vec![Eight([[0; 2]; 8]); padded / 8 * ROWS / 2],
            parts: Vec::new(),
            sums: VecDeque::new(),
            spare: Vec::new(),
            done: 0,
            length,
            row: vec![0; padded],
            straight: vec![0; if feed.alpha == Alpha::None { 0 } else { length }],
            below: Feed::of(feed.kernel, feed.alpha, feed.channels, target.x.target, target.y.target),
        }
    }

    /// Fraction bits of a sum.
    fn bits(&self) -> u32 {
        self.vertical.precision() + MIDDLE_BITS
    }

    /// Adds the group of rows that begins at `group` to every output row that it is part of.
    fn add(&mut self, kernel: Kernel, group: usize) {
        let touched = self.vertical.windows(self.done).take_while(|window| window.start <= group);
        let bits = self.bits();
        for (i, window) in touched.enumerate() {
            if i == self.sums.len() {
                let mut sums = self.spare.pop().unwrap_or_default();
                sums.clear();
                sums.resize(self.row.len() / 8, Eight([1 << (bits - 1); 8]));
                self.sums.push_back(sums);
            }
            // A window that ended with an earlier group is done, and not among these.
            if let Some(taps) = window.taps[group - window.start..].first_chunk() {
                kernel.vertical(&self.pairs, taps, &mut self.sums[i]);
            }
        }
    }

    /// Emits and passes on the output rows that need no source row from `end` on.
    fn finish(&mut self, kernel: Kernel, alpha: Alpha, end: usize, emit: &mut Emit<'_>) {
        while self.vertical.windows(self.done).next().is_some_and(|window| window.end <= end) {
            let Some(sums) = self.sums.pop_front() else { return };
            self.narrow(kernel, alpha, &sums);
            self.spare.push(sums);
            self.done += 1;
            let row = &self.row[..self.length];
            emit(self.index, if alpha == Alpha::None { row } else { &self.straight });
            self.below.push_filtered(row, emit);
        }
    }

    fn narrow(&mut self, kernel: Kernel, alpha: Alpha, sums: &[Eight<i32>]) {
        let bits = self.bits();
        match alpha {
            Alpha::None => kernel.narrow(sums, bits, &mut self.row),
            Alpha::Grey => alpha::narrow::<2>(sums, bits, &mut self.row, &mut self.straight),
            Alpha::Colour => alpha::narrow::<4>(sums, bits, &mut self.row, &mut self.straight),
        }
    }
}

/// Bytes that a resizer comes to hold, from its geometry alone, and somewhat more: as if each output
/// that may fed another, and all windows were aligned at their worst.
pub(super) fn memory(channels: usize, targets: &[Target]) -> u64 {
    let Some(first) = targets.first() else { return 0 };
    // Rows of a group, and a strip of them; `scale` is that of the outputs made of it.
    let gathered = |columns: u32, scale: f64| {
        let columns = columns as usize;
        // A window and three steps to the next, and what aligning adds.
        let reach = (9.0 * scale.max(1.0)) as usize + 4 * COLUMNS;
        let strips = Strips::new(columns, channels, reach.min(columns));
        let cells = (strips.overlap + strips.step) / COLUMNS * size_of::<Cell>();
        (channels * (columns * ROWS + cells)) as f64
    };
    let follows = |target: &Target| targets.iter().any(|larger| target.may_follow(larger));
    let scale_of = |target: &Target| target.x.scale;
    let largest = targets.iter().map(scale_of).fold(0.0, f64::max);
    let direct = targets.iter().filter(|target| !follows(target)).map(scale_of).fold(0.0, f64::max);
    let taps = |axis: &Axis, alignment: usize| {
        let aligned = 2.0 * alignment as f64;
        let window = (6.0 * axis.scale.max(1.0)).min(f64::from(axis.source)) + aligned;
        f64::from(axis.target) * (window * size_of::<i16>() as f64 + size_of::<u32>() as f64)
    };
    let stage = |target: &Target| {
        let row = (f64::from(target.x.target) + PADDING as f64) * channels as f64;
        // As many as lie under a window and a group of source rows; half as many again at the lower
        // edge, where windows that would reach beyond it begin earlier.
        let under = 9.0 * target.y.scale.max(1.0) + 4.0 * ROWS as f64;
        let rows = under / target.y.scale + 2.0 + clamped(&target.y);
        let sums = size_of::<i32>() as f64 * rows.min(f64::from(target.y.target));
        let pairs = (ROWS * size_of::<i16>()) as f64;
        let feeds = largest >= target.x.scale * LEAST_CASCADE_RATIO;
        taps(&target.x, COLUMNS)
            + taps(&target.y, ROWS)
            + row * (pairs + sums + 2.0)
            + if feeds { gathered(target.x.target, largest / target.x.scale) } else { 0.0 }
    };
    (gathered(first.x.source, direct) + targets.iter().map(stage).sum::<f64>()) as u64
}

/// How many output samples have their centre beyond an edge of the source, where all their windows are
/// one: at most so many.
fn clamped(axis: &Axis) -> f64 {
    // The index of the output sample whose centre lies there.
    let index = |place: f64| (place - axis.offset) / axis.scale - 0.5;
    let (target, source) = (f64::from(axis.target), f64::from(axis.source));
    let before = index(0.0).ceil().clamp(0.0, target);
    let behind = (target - 1.0 - index(source).floor()).clamp(0.0, target);
    before + behind
}
