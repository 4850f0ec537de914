//! Lanczos3 weights of one axis as 16-bit fixed-point numbers, summing to exactly one.
//!
//! Says for each output sample which source samples it takes and how much of each; leaves the
//! sums to the kernels.

use std::f64::consts::PI;
use std::ops::Range;
use std::sync::OnceLock;

use super::Axis;

/// Lobes of the windowed sinc to each side (Lanczos, *Applied Analysis*, 1956; a = 3).
const LOBES: usize = 3;

/// Steps per unit of the tabulated kernel. Interpolated linearly, it is off by at most
/// |L''| / 8 / 1024² < 5e-7: a seventieth of the smallest step of a 15-bit weight.
const STEPS: usize = 1024;

/// All weights of one axis: for each output sample a window of source samples and their taps.
///
/// All windows are equally long, as loops of an unchanging length are predicted best; where a window
/// reaches further than it must, taps are 0. Each begins where the one before does, or after.
#[derive(Debug)]
pub(super) struct Weights {
    /// First source sample of each window; a multiple of the alignment.
    starts: Vec<u32>,
    /// Samples of a window; a multiple of the alignment.
    length: usize,
    taps: Vec<i16>,
    /// Fraction bits of a tap: the taps of a window sum to 1 << precision.
    precision: u32,
}

/// One output sample's window.
#[derive(Clone, Copy)]
pub(super) struct Window<'a> {
    /// First source sample.
    pub start: usize,
    /// One past the last source sample; may lie past the source's end, by less than the alignment.
    pub end: usize,
    /// How much of each sample.
    pub taps: &'a [i16],
}

/// What the taps will be multiplied with, which bounds how precise they may be.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Windows begin and end at multiples of this many source samples.
    pub alignment: usize,
    /// Largest magnitude of a sample.
    pub magnitude: f64,
}

/// Most fraction bits: beyond, 8-bit results don't get any better.
const MAX_PRECISION: u32 = 18;

/// Fewest: that many the kernels rely on. A weight would have to be above 127 to need fewer, and a
/// window's centre lies within the source, next to a sample of a large share of all weight.
const MIN_PRECISION: u32 = 8;

impl Weights {
    /// With the most fraction bits with which no tap leaves 16 bits, and no sum of products 32.
    pub fn new(axis: &Axis, limits: Limits) -> Weights {
        let length = (0..axis.target).map(|j| Span::new(axis, j).aligned(limits.alignment).len()).max();
        let length = length.unwrap_or(0);
        // What is too much shows at the first window, where an edge cuts the kernel, or hardly ever.
        let precisions = (MIN_PRECISION..=MAX_PRECISION).rev();
        let mut precise = precisions.map(|bits| Weights::with(axis, limits, length, bits));
        precise.find_map(|weights| weights).unwrap_or_else(|| unreachable!("see MIN_PRECISION"))
    }

    /// `None` if a window does not go with `precision`.
    fn with(axis: &Axis, limits: Limits, length: usize, precision: u32) -> Option<Weights> {
        let outputs = axis.target as usize;
        let (starts, taps) = (Vec::with_capacity(outputs), vec![0; outputs * length]);
        let mut weights = Weights { starts, length, taps, precision };
        // The last windows begin earlier than they must, so that all end within the padded source.
        let last = (axis.source as usize).next_multiple_of(limits.alignment) - length;
        let mut stretch = Stretch::default();
        let period = period(axis);
        for j in 0..axis.target {
            let span = Span::new(axis, j);
            let start = (span.first / limits.alignment * limits.alignment).min(last);
            if let Some(alike) = period.and_then(|period| span.alike(axis, j.checked_sub(period)?)) {
                weights.repeat(&alike, &span, start);
                continue;
            }
            stretch.compute(axis, &span);
            let found = weights.push(&stretch, start);
            if !found.fit(limits.magnitude, precision) {
                return None;
            }
        }
        Some(weights)
    }

    /// The window of an output sample.
    ///
    /// # Panics
    /// If there is no such output sample.
    #[inline]
    pub fn window(&self, output: usize) -> Window<'_> {
        let start = self.starts[output] as usize;
        let taps = &self.taps[output * self.length..][..self.length];
        Window { start, end: start + taps.len(), taps }
    }

    /// Windows in the order of the output samples, from output sample `first` on.
    pub fn windows(&self, first: usize) -> impl Iterator<Item = Window<'_>> {
        (first..self.outputs()).map(|output| self.window(output))
    }

    /// How many windows there are.
    pub fn outputs(&self) -> usize {
        self.starts.len()
    }

    /// Samples of a window.
    pub fn length(&self) -> usize {
        self.length
    }

    pub fn precision(&self) -> u32 {
        self.precision
    }

    /// Bytes that are held.
    #[cfg(test)]
    pub fn held(&self) -> usize {
        size_of_val(&self.starts[..]) + size_of_val(&self.taps[..])
    }

    /// Gives the output sample of `span`, the next, the taps of the one of `alike`.
    fn repeat(&mut self, alike: &Span, span: &Span, start: usize) {
        let from = alike.j * self.length + alike.first - self.starts[alike.j] as usize;
        let to = span.j * self.length + span.first - start;
        self.taps.copy_within(from..from + span.last + 1 - span.first, to);
        self.starts.push(start as u32);
    }

    /// Rounds a stretch's weights so that the running sum is always within half a unit of the true
    /// one: the whole then sums to exactly one, and neighbours' errors cancel on smooth content.
    ///
    /// The running sum is kept in integers, whose additions take no time to wait for.
    fn push(&mut self, stretch: &Stretch, start: usize) -> Magnitudes {
        /// Bits behind the point of a running sum. That many source samples there are not that their
        /// errors could sum to half a unit.
        const FRACTION: u32 = 40;
        let scale = (1u64 << (self.precision + FRACTION)) as f64 / stretch.sum;
        let (mut sum, mut rounded) = (1i64 << (FRACTION - 1), 0);
        let mut found = Magnitudes::default();
        let first = self.starts.len() * self.length + stretch.start - start;
        for (tap, weight) in self.taps[first..].iter_mut().zip(&stretch.weights) {
            sum += (weight * scale) as i64;
            let next = sum >> FRACTION;
            let value = next - rounded;
            rounded = next;
            // If it doesn't fit, its magnitude tells.
            *tap = value as i16;
            found.peak = found.peak.max(value.abs());
            found.total += value.abs();
        }
        // A source sample's index fits 32 bits, as the number of them does.
        self.starts.push(start as u32);
        found
    }
}

/// Of a window's taps.
#[derive(Default)]
struct Magnitudes {
    peak: i64,
    total: i64,
}

impl Magnitudes {
    /// Whether each tap fits 16 bits, and their sum with samples up to `magnitude` 32. Sums begin with
    /// half a result's unit, which lies well within what is added here.
    fn fit(&self, magnitude: f64, precision: u32) -> bool {
        let (total, one) = (self.total as f64, f64::from(1u32 << precision));
        self.peak <= i64::from(i16::MAX) && (total + 0.01 * one) * magnitude < f64::from(i32::MAX)
    }
}

/// The source samples that an output sample is made of, and where its centre lies.
struct Span {
    /// The output sample's index.
    j: usize,
    centre: f64,
    first: usize,
    last: usize,
}

impl Span {
    fn new(axis: &Axis, j: u32) -> Span {
        let source = f64::from(axis.source);
        let centre = ((f64::from(j) + 0.5) * axis.scale + axis.offset).clamp(0.0, source);
        let reach = LOBES as f64 * axis.scale.max(1.0);
        // A cast from floating point saturates, below 0 is 0; it rounds towards 0, which here is down.
        let place = centre - reach - 0.5;
        let first = place as usize + usize::from(place > f64::from(place as u32));
        let last = (centre + reach - 0.5).min(source - 1.0) as usize;
        Span { j: j as usize, centre, first, last }
    }

    /// The span of output sample `j`, a period before, if the two are alike: neither is cut by an edge.
    fn alike(&self, axis: &Axis, j: u32) -> Option<Span> {
        let other = Span::new(axis, j);
        let distance = (self.j - other.j) as f64 * axis.scale;
        let is_whole = |span: &Span| span.first > 0 && span.last + 1 < axis.source as usize;
        let is_alike = self.last - self.first == other.last - other.first
            && (self.first - other.first) as f64 == distance.round()
            && (self.centre - other.centre - distance.round()).abs() < SAME;
        (is_alike && is_whole(self) && is_whole(&other)).then_some(other)
    }

    fn aligned(&self, alignment: usize) -> Range<usize> {
        self.first / alignment * alignment..(self.last + 1).next_multiple_of(alignment)
    }
}

/// After how many output samples the grids of source and output lie as before, where that is soon: sides
/// of pictures mostly have large common factors with those of thumbnails.
fn period(axis: &Axis) -> Option<u32> {
    let is_whole = |length: f64| (length - length.round()).abs() < SAME;
    (1..=64).find(|&period| is_whole(f64::from(period) * axis.scale))
}

/// Places nearer than this are the same, in source samples: what rounding in double precision leaves,
/// which no weight shows.
const SAME: f64 = 1e-9;

/// One output sample's weights before rounding and norming.
#[derive(Default)]
struct Stretch {
    start: usize,
    weights: Vec<f64>,
    sum: f64,
}

impl Stretch {
    fn compute(&mut self, axis: &Axis, span: &Span) {
        let kernel = kernel();
        let step = STEPS as f64 / axis.scale.max(1.0);
        let origin = (span.first as f64 + 0.5 - span.centre) * step;
        let weight = |k: usize| kernel.at(origin + f64::from(k as u32) * step);
        self.start = span.first;
        self.weights.clear();
        self.weights.extend((0..=span.last - span.first).map(weight));
        // Four sums, that additions need not wait for each other.
        let (fours, rest) = self.weights.as_chunks::<4>();
        let mut sums = [rest.iter().sum(), 0.0, 0.0, 0.0];
        for four in fours {
            sums.iter_mut().zip(four).for_each(|(sum, weight)| *sum += weight);
        }
        self.sum = sums.iter().sum();
    }
}

/// L(x) = sinc(x) sinc(x / 3) for |x| < 3, else 0; tabulated at multiples of 1 / STEPS.
struct Kernel([Step; LOBES * STEPS + 1]);

/// A value, and how far on the next is.
struct Step {
    value: f32,
    rise: f32,
}

impl Kernel {
    /// L at `position` / STEPS.
    fn at(&self, position: f64) -> f64 {
        let position = position.abs().min((LOBES * STEPS) as f64);
        let index = position as u32;
        let step = &self.0[index as usize];
        f64::from(step.value) + f64::from(step.rise) * (position - f64::from(index))
    }
}

fn kernel() -> &'static Kernel {
    static KERNEL: OnceLock<Kernel> = OnceLock::new();
    let step = |i| Step { value: lanczos(i) as f32, rise: (lanczos(i + 1) - lanczos(i)) as f32 };
    KERNEL.get_or_init(|| Kernel(std::array::from_fn(step)))
}

/// L(`i` / STEPS), exactly 0 at whole numbers.
fn lanczos(i: usize) -> f64 {
    if i == 0 {
        return 1.0;
    }
    if i.is_multiple_of(STEPS) || i >= LOBES * STEPS {
        return 0.0;
    }
    let x = PI * i as f64 / STEPS as f64;
    let lobes = LOBES as f64;
    lobes * x.sin() * (x / lobes).sin() / (x * x)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(axis: &Axis) -> Weights {
        Weights::new(axis, Limits { alignment: 8, magnitude: 255.0 })
    }

    #[test]
    fn taps_sum_to_exactly_one() {
        for (source, target) in [(1, 1), (2, 1), (7, 3), (4000, 600), (100_000, 3), (5, 40), (301, 300)] {
            let weights = weights(&Axis::fit(source, target));
            for window in weights.windows(0) {
                let sum: i32 = window.taps.iter().map(|&t| i32::from(t)).sum();
                assert_eq!(sum, 1 << weights.precision(), "{source} -> {target}");
            }
        }
    }

    #[test]
    fn windows_are_aligned_in_order_and_cover_the_source() {
        for (source, target) in [(1u32, 1), (9, 8), (4000, 600), (33, 2), (5, 40)] {
            let weights = weights(&Axis::fit(source, target));
            let windows: Vec<Window<'_>> = weights.windows(0).collect();
            assert_eq!(windows.len(), target as usize);
            assert!(windows.iter().all(|w| w.start.is_multiple_of(8) && w.end == w.start + weights.length));
            assert!(weights.length > 0 && weights.length.is_multiple_of(8));
            assert!(windows.is_sorted_by_key(|w| w.start));
            assert_eq!(windows[0].start, 0);
            assert_eq!(windows[windows.len() - 1].end, (source as usize).next_multiple_of(8));
        }
    }

    #[test]
    fn the_table_is_lanczos() {
        for i in 1..30_000 {
            let x = f64::from(i) / 10_000.0;
            let (a, b) = (PI * x, PI * x / 3.0);
            let exact = a.sin() / a * b.sin() / b;
            let got = kernel().at(x * STEPS as f64);
            assert!((exact - got).abs() < 6e-7, "L({x}) = {exact}, got {got}");
        }
    }
}
