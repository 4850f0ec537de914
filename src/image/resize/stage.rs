//! Rows in, rows out: gathers source rows into groups, runs the kernels on them, keeps the sums of
//! the output rows in the making, and feeds each output's rows to the smaller outputs made of it.

use std::collections::VecDeque;
use std::sync::Arc;

use super::alpha::Alpha;
use super::kernel::{COLUMNS, Cell, Eight, Kernel, MIDDLE_BITS, OUTPUTS, PADDING, Part, ROWS, Stretch};
use super::strips::{Strips, clear, done_by, interleave, is_zero, is_zero_between, reach};
use super::weights::{Limits, Weights};
use super::{Emit, Target};

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
        let group = (self.seen - 1) / ROWS * ROWS;
        // Around a cut-out object, and in black bars: 0, and adding it changes no sum.
        let is_blank = is_zero(rows);
        if !is_blank {
            self.filter_strips(rows);
        }
        for stage in &mut self.stages {
            let touched = stage.touch(group);
            if !is_blank {
                stage.add(self.kernel, group, touched);
            }
            stage.finish(self.kernel, self.alpha, group + ROWS, emit);
        }
    }

    /// Filters a group of rows horizontally, strip by strip.
    fn filter_strips(&mut self, rows: &[u8]) {
        let per_column = |columns: usize| columns / COLUMNS * self.channels;
        let overlap = self.strips.overlap;
        let (mut start, mut is_overlap_zero) = (0, false);
        for (n, end) in self.strips.ends().enumerate() {
            let is_blank = is_zero_between(rows, start * self.channels, end * self.channels);
            if is_blank && n == 0 {
                self.columns[..per_column(overlap)].fill(Cell::ZERO);
                is_overlap_zero = true;
            }
            let columns = &mut self.columns[..per_column(overlap + end - start)];
            let skipped = is_blank && is_overlap_zero;
            if !skipped {
                interleave(self.kernel, self.channels, rows, start, &mut columns[per_column(overlap)..]);
            }
            // Before the first strip nothing lies.
            let kept = overlap.min(start);
            let stretch = Stretch { first: start - kept, columns: &columns[per_column(overlap - kept)..] };
            for stage in &mut self.stages {
                let outputs = (n.checked_sub(1).map_or(0, |before| stage.parts[before]), stage.parts[n]);
                if outputs.0 >= outputs.1 {
                    continue;
                }
                if skipped {
                    clear(&mut stage.pairs, outputs.0 * self.channels, outputs.1 * self.channels);
                } else {
                    let part = Part { weights: &stage.horizontal, outputs };
                    self.kernel.horizontal(self.channels, &stretch, part, &mut stage.pairs);
                }
            }
            if !skipped {
                self.columns.copy_within(per_column(end - start).., 0);
                is_overlap_zero = is_blank;
            }
            start = end;
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
            pairs: vec![Eight([[0; 2]; 8]); padded / 8 * ROWS / 2],
            parts: Vec::new(),
            sums: VecDeque::new(),
            spare: Vec::new(),
            done: 0,
            length,
            row: vec![0; padded],
            straight: vec![0; if feed.alpha == Alpha::None { 0 } else { padded }],
            below: Feed::of(feed.kernel, feed.alpha, feed.channels, target.x.target, target.y.target),
        }
    }

    /// Fraction bits of a sum.
    fn bits(&self) -> u32 {
        self.vertical.precision() + MIDDLE_BITS
    }

    /// How many output rows the group of rows that begins at `group` is part of; each now has its sums.
    fn touch(&mut self, group: usize) -> usize {
        let touched = self.vertical.windows(self.done).take_while(|window| window.start <= group).count();
        let (length, half) = (self.row.len() / 8, 1 << (self.bits() - 1));
        while self.sums.len() < touched {
            let mut sums = self.spare.pop().unwrap_or_default();
            sums.clear();
            sums.resize(length, Eight([half; 8]));
            self.sums.push_back(sums);
        }
        touched
    }

    /// Adds the group of rows that begins at `group` to the `touched` output rows that it is part of.
    fn add(&mut self, kernel: Kernel, group: usize, touched: usize) {
        for (sums, window) in self.sums.iter_mut().take(touched).zip(self.vertical.windows(self.done)) {
            // A window that ended with an earlier group is done, and not among these.
            if let Some(taps) = window.taps[group - window.start..].first_chunk() {
                kernel.vertical(&self.pairs, taps, sums);
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
            emit(self.index, if alpha == Alpha::None { row } else { &self.straight[..self.length] });
            self.below.push_filtered(row, emit);
        }
    }

    fn narrow(&mut self, kernel: Kernel, alpha: Alpha, sums: &[Eight<i32>]) {
        let bits = self.bits();
        match alpha {
            Alpha::None => kernel.narrow(sums, bits, &mut self.row),
            _ => kernel.narrow_alpha(alpha, sums, bits, &mut self.row, &mut self.straight),
        }
    }
}
