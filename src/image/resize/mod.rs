//! The resampling kernel: streaming, separable Lanczos3 on 8-bit samples, all outputs in one pass.
//!
//! It owns geometry, weights and filtering. It knows nothing of files, colour or orientation: the
//! caller says where each output's samples lie ([`Axis`]) and gets rows in the order of the source.

use std::fmt;

mod alpha;
#[cfg(target_arch = "x86_64")]
mod avx2;
mod kernel;
mod memory;
mod scalar;
mod stage;
mod strips;
mod weights;

#[cfg(test)]
mod tests;

use kernel::Kernel;
use stage::Feed;

/// A smaller output is made from a larger one, instead of from the source, where it is smaller by
/// at least this factor both ways. At 2 the larger one's transition band lies beyond what the
/// smaller one keeps; the slack admits sides that were rounded to whole pixels.
const LEAST_CASCADE_RATIO: f64 = 1.9;

/// Largest scale: no side has more samples. Its reciprocal is the smallest.
const SCALE_MAX: f64 = 4_294_967_296.0;

/// Largest shift, beyond any side at any scale.
const OFFSET_MAX: f64 = SCALE_MAX * SCALE_MAX;

/// Most interleaved channels.
pub const MAX_CHANNELS: usize = 4;

/// Geometry of one axis. In edge coordinates, where source sample i spans i to i + 1, the centre of
/// output sample j lies at (j + 0.5) × `scale` + `offset`. Centres outside the source count as at its edge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axis {
    /// Samples of the source, at least 1.
    pub source: u32,
    /// Samples of the output, at least 1.
    pub target: u32,
    /// Source samples per output sample, 2⁻³² to 2³²; below 1 the axis is enlarged.
    pub scale: f64,
    /// Shift of the output's grid, in source samples, -2⁶⁴ to 2⁶⁴.
    pub offset: f64,
}

impl Axis {
    /// The whole source onto the whole output.
    pub fn fit(source: u32, target: u32) -> Axis {
        Axis::span(source, target, f64::from(source), f64::from(target))
    }

    /// An axis whose picture ends within the last sample: the first `extent` source samples show
    /// what the first `reach` output samples are to show. A chroma plane at half size of a picture
    /// of odd width W has ceil(W / 2) samples and the extent W / 2.
    pub fn span(source: u32, target: u32, extent: f64, reach: f64) -> Axis {
        Axis { source, target, scale: extent / reach, offset: 0.0 }
    }

    /// The same axis with the output's grid laid from the far end (`extent`, in source samples), for
    /// an output whose samples will be put in reverse order. Differs only where `extent` is not
    /// target × scale.
    pub fn from_end(self, extent: f64) -> Axis {
        Axis { offset: extent - f64::from(self.target) * self.scale, ..self }
    }

    /// The same output axis as seen from the output of `parent`.
    fn seen_from(&self, parent: &Axis) -> Axis {
        Axis {
            source: parent.target,
            target: self.target,
            scale: self.scale / parent.scale,
            offset: (self.offset - parent.offset) / parent.scale,
        }
    }

    fn check(&self) -> Result<(), Error> {
        if self.source == 0 || self.target == 0 {
            return Err(Error::Empty);
        }
        // Within these, an axis that is seen from another output is finite too.
        let scales = SCALE_MAX.recip()..=SCALE_MAX;
        let sane = scales.contains(&self.scale) && self.offset.abs() <= OFFSET_MAX;
        if sane { Ok(()) } else { Err(Error::Scale) }
    }
}

/// Geometry of one output.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// Columns.
    pub x: Axis,
    /// Rows.
    pub y: Axis,
}

impl Target {
    fn samples(&self) -> u64 {
        u64::from(self.x.target) * u64::from(self.y.target)
    }

    /// Whether this output may be made from `larger`'s rows.
    fn may_follow(&self, larger: &Target) -> bool {
        self.x.scale >= larger.x.scale * LEAST_CASCADE_RATIO
            && self.y.scale >= larger.y.scale * LEAST_CASCADE_RATIO
    }

    fn seen_from(&self, parent: &Target) -> Target {
        Target { x: self.x.seen_from(&parent.x), y: self.y.seen_from(&parent.y) }
    }
}

/// What keeps a [`Resizer`] from being made: a mistake of the caller's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// No target, or a side of none.
    Empty,
    /// A scale or an offset beyond what [`Axis`] admits.
    Scale,
    /// Targets of different sources.
    Sources,
    /// Channels other than 1 to 4, or with alpha other than 2 or 4.
    Channels,
    /// Rows that no address space holds.
    TooLarge,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Error::Empty => "a side of no samples can't be resized",
            Error::Scale => "a scale must be 2^-32 to 2^32, an offset -2^64 to 2^64",
            Error::Sources => "all targets must be of one source",
            Error::Channels => "channels must be 1 to 4; 2 or 4 with alpha",
            Error::TooLarge => "a row is longer than can be addressed",
        })
    }
}

impl std::error::Error for Error {}

/// Resizes one plane to any number of outputs as its rows go by. A clone shares the weights.
#[derive(Clone)]
pub struct Resizer {
    feed: Feed,
    row_length: usize,
}

/// Takes output rows: the target's index as given to [`Resizer::new`], and the row's samples. Each
/// target's rows come from top to bottom.
pub type Emit<'a> = dyn FnMut(usize, &[u8]) + 'a;

impl Resizer {
    /// A resizer of `channels` (1 to 4) interleaved channels that are filtered alike.
    ///
    /// # Errors
    /// When an argument breaks a rule that is named in [`Error`].
    pub fn new(channels: usize, targets: &[Target]) -> Result<Resizer, Error> {
        Resizer::with_kernel(Kernel::best(), alpha::Alpha::None, channels, targets)
    }

    /// A resizer whose last of 2 or 4 channels is straight alpha: colour is weighted by it, so that
    /// what is transparent leaves no fringe. Rows go in and come out straight.
    ///
    /// # Errors
    /// When an argument breaks a rule that is named in [`Error`].
    pub fn with_alpha(channels: usize, targets: &[Target]) -> Result<Resizer, Error> {
        Resizer::with_kernel(Kernel::best(), alpha::Alpha::of(channels)?, channels, targets)
    }

    fn with_kernel(
        kernel: Kernel,
        alpha: alpha::Alpha,
        channels: usize,
        targets: &[Target],
    ) -> Result<Resizer, Error> {
        let row_length = check(channels, targets)?;
        let mut order: Vec<usize> = (0..targets.len()).collect();
        order.sort_by_key(|&i| std::cmp::Reverse(targets[i].samples()));
        let mut feed = Feed::new(kernel, alpha, channels, &targets[0]);
        for index in order {
            place(&mut feed, targets, index);
        }
        Ok(Resizer { feed, row_length })
    }

    /// Takes the next source rows, one or more, each of columns × channels samples, and emits the output
    /// rows that they complete. Rows beyond the source's last are ignored. Eight rows at a time from
    /// the top, or sixteen, are not copied.
    ///
    /// # Panics
    /// If there are not whole rows.
    pub fn push(&mut self, rows: &[u8], emit: &mut Emit<'_>) {
        assert!(rows.len().is_multiple_of(self.row_length), "rows of another length");
        self.feed.push_source(rows, emit);
    }

    /// Forgets the rows pushed so far: the next is the first row of another picture of this geometry.
    pub fn restart(&mut self) {
        self.feed.restart();
    }

    /// Bytes that a resizer of this geometry comes to hold, at most: known before it is made. A clone
    /// holds somewhat less, as weights are shared.
    pub fn memory(channels: usize, targets: &[Target]) -> u64 {
        memory::memory(channels, targets)
    }
}

/// Checks what every part relies on; returns the length of a source row in samples.
fn check(channels: usize, targets: &[Target]) -> Result<usize, Error> {
    let first = targets.first().ok_or(Error::Empty)?;
    if !(1..=MAX_CHANNELS).contains(&channels) {
        return Err(Error::Channels);
    }
    for target in targets {
        target.x.check()?;
        target.y.check()?;
        if (target.x.source, target.y.source) != (first.x.source, first.y.source) {
            return Err(Error::Sources);
        }
    }
    // Leaves room for the factors that buffers are larger by, also where usize has 32 bits.
    let longest = targets.iter().map(|t| t.x.source.max(t.x.target)).max().unwrap_or(0);
    let fits = u64::from(longest) * 1024 < usize::MAX as u64;
    if fits { Ok(first.x.source as usize * channels) } else { Err(Error::TooLarge) }
}

/// Hangs target `index` below the largest of the placed outputs that it may follow, else below the source.
///
/// Each step rounds and clamps, most of all beside the hard edges of what is cut out: one step is enough, and
/// the smallest output would gain next to nothing by a second.
fn place(feed: &mut Feed, targets: &[Target], index: usize) {
    let target = &targets[index];
    let larger = feed.outputs().into_iter().filter(|&i| target.may_follow(&targets[i]));
    let parent = larger.max_by_key(|&i| targets[i].samples());
    match parent.and_then(|parent| feed.below(parent).map(|feed| (parent, feed))) {
        Some((parent, feed)) => feed.add(index, &target.seen_from(&targets[parent])),
        None => feed.add(index, target),
    }
}
