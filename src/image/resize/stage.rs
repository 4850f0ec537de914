//! Rows in, rows out: gathers source rows into groups, runs the kernels on them, keeps the sums of
//! the output rows in the making, and feeds each output's rows to the smaller outputs made of it.

use std::collections::VecDeque;
use std::sync::Arc;

use super::alpha::{self, Alpha};
use super::kernel::{COLUMNS, Kernel, MIDDLE_BITS, OUTPUTS, PADDING, ROWS};
use super::weights::{Limits, Weights};
use super::{Axis, Emit, Target};

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
    /// Samples of a source row, without and with padding.
    length: usize,
    padded: usize,
    /// The rows of the group in the making.
    rows: Vec<u8>,
    /// The whole group as [`super::kernel::Columns`].
    columns: Vec<i16>,
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
    pairs: Vec<[i16; 2]>,
    /// Sums of the output rows in the making, `done` first.
    sums: VecDeque<Vec<i32>>,
    /// Memory for further rows.
    spare: Vec<Vec<i32>>,
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
            padded: (width as usize).next_multiple_of(PADDING) * channels,
            rows: Vec::new(),
            columns: Vec::new(),
            stages: Vec::new(),
        }
    }

    /// Adds an output of this source.
    pub fn add(&mut self, index: usize, target: &Target) {
        // Nothing is held for a source that has no outputs.
        self.rows.resize(self.padded * ROWS, 0);
        self.columns.resize(self.padded * ROWS, 0);
        self.stages.push(Stage::new(self, index, target));
    }

    /// Bytes of samples and weights that are held now.
    #[cfg(test)]
    pub fn held(&self) -> usize {
        let stage = |stage: &Stage| {
            let sums =
                stage.sums.iter().chain(&stage.spare).map(|sums| size_of_val(&sums[..])).sum::<usize>();
            let rows = size_of_val(&stage.pairs[..]) + stage.row.len() + stage.straight.len();
            stage.horizontal.held() + stage.vertical.held() + sums + rows + stage.below.held()
        };
        self.rows.len() + size_of_val(&self.columns[..]) + self.stages.iter().map(stage).sum::<usize>()
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

    /// Takes a source row as the caller has it, alpha straight.
    pub fn push_source(&mut self, row: &[u8], emit: &mut Emit<'_>) {
        self.push(self.alpha, row, emit);
    }

    /// Takes a row as the kernel has it, alpha premultiplied.
    fn push_filtered(&mut self, row: &[u8], emit: &mut Emit<'_>) {
        self.push(Alpha::None, row, emit);
    }

    fn push(&mut self, alpha: Alpha, row: &[u8], emit: &mut Emit<'_>) {
        if self.stages.is_empty() || self.seen == self.height {
            return;
        }
        let start = self.seen % ROWS * self.padded;
        self.kernel.premultiply(alpha, row, &mut self.rows[start..start + self.length]);
        self.seen += 1;
        if self.seen.is_multiple_of(ROWS) || self.seen == self.height {
            self.filter(emit);
        }
    }

    /// Filters the group. Rows that the last one lacks are left from the one before: their taps are 0.
    fn filter(&mut self, emit: &mut Emit<'_>) {
        self.kernel.interleave(self.channels, &self.rows, &mut self.columns);
        let group = (self.seen - 1) / ROWS * ROWS;
        for stage in &mut self.stages {
            self.kernel.horizontal(self.channels, &self.columns, &stage.horizontal, &mut stage.pairs);
            stage.add(self.kernel, group);
            stage.finish(self.kernel, self.alpha, group + ROWS, emit);
        }
    }
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
            pairs: vec![[0; 2]; padded * ROWS / 2],
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
                sums.resize(self.row.len(), 1 << (bits - 1));
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

    fn narrow(&mut self, kernel: Kernel, alpha: Alpha, sums: &[i32]) {
        let bits = self.bits();
        match alpha {
            Alpha::None => kernel.narrow(sums, bits, &mut self.row),
            Alpha::Grey => alpha::narrow::<2>(sums, bits, &mut self.row, &mut self.straight),
            Alpha::Colour => alpha::narrow::<4>(sums, bits, &mut self.row, &mut self.straight),
        }
    }
}

/// Bytes that a resizer comes to hold, from its geometry alone, and somewhat more: as if each output
/// fed another, and all windows were aligned at their worst.
pub(super) fn memory(channels: usize, targets: &[Target]) -> u64 {
    let Some(first) = targets.first() else { return 0 };
    let gathered = |columns: u32| {
        f64::from(columns.next_multiple_of(PADDING as u32))
            * (channels * ROWS * (1 + size_of::<i16>())) as f64
    };
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
        taps(&target.x, COLUMNS)
            + taps(&target.y, ROWS)
            + row * (pairs + sums + 2.0)
            + gathered(target.x.target)
    };
    (gathered(first.x.source) + targets.iter().map(stage).sum::<f64>()) as u64
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
