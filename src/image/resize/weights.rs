//! Lanczos3 weights of one axis as 16-bit fixed-point numbers, summing to exactly one.
//!
//! Says for each output sample which source samples it takes and how much of each; leaves the
//! sums to the kernels.

use std::f64::consts::PI;
use std::sync::OnceLock;

use super::Axis;

/// Lobes of the windowed sinc to each side (Lanczos, *Applied Analysis*, 1956; a = 3).
const LOBES: usize = 3;

/// Steps per unit of the tabulated kernel. Interpolated linearly, it is off by at most
/// |L''| / 8 / 1024² < 5e-7: a seventieth of the smallest step of a 15-bit weight.
const STEPS: usize = 1024;

/// One output sample's stretch of source samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// First source sample; a multiple of the alignment.
    pub start: usize,
    /// Where its taps begin.
    first: usize,
    /// How many taps; a multiple of the alignment.
    pub length: usize,
}

impl Window {
    /// One past the last source sample; may lie past the source's end, where all taps are 0.
    pub fn end(&self) -> usize {
        self.start + self.length
    }
}

/// All weights of one axis. Windows begin, and end, one after the other, never before the one before.
#[derive(Debug)]
pub(super) struct Weights {
    windows: Vec<Window>,
    taps: Vec<i16>,
    /// Fraction bits of a tap: the taps of a window sum to 1 << precision.
    precision: u32,
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

impl Weights {
    pub fn new(axis: &Axis, limits: Limits) -> Weights {
        let mut stretch = Stretch { start: 0, weights: Vec::new() };
        let (mut peak, mut total) = (0f64, 0f64);
        for j in 0..axis.target {
            stretch.compute(axis, j);
            let magnitudes = stretch.weights.iter().map(|w| w.abs());
            peak = magnitudes.clone().fold(peak, f64::max);
            total = total.max(magnitudes.sum());
        }
        let mut weights = Weights {
            windows: Vec::with_capacity(axis.target as usize),
            taps: Vec::new(),
            precision: precision(peak, total, limits.magnitude),
        };
        for j in 0..axis.target {
            stretch.compute(axis, j);
            weights.push(&stretch, limits.alignment);
        }
        weights
    }

    pub fn windows(&self) -> &[Window] {
        &self.windows
    }

    pub fn precision(&self) -> u32 {
        self.precision
    }

    pub fn taps(&self, window: &Window) -> &[i16] {
        &self.taps[window.first..window.first + window.length]
    }

    /// Rounds a stretch's weights so that the running sum is always within half a unit of the true
    /// one: the whole then sums to exactly one, and neighbours' errors cancel on smooth content.
    fn push(&mut self, stretch: &Stretch, alignment: usize) {
        let start = stretch.start / alignment * alignment;
        let first = self.taps.len();
        self.taps.resize(first + stretch.start - start, 0);
        let one = f64::from(1u32 << self.precision);
        let (mut sum, mut rounded) = (0f64, 0i32);
        for weight in &stretch.weights {
            sum += weight;
            let next = (sum * one).round() as i32;
            // `precision` keeps every weight and one unit more within 16 bits.
            self.taps.push((next - rounded) as i16);
            rounded = next;
        }
        let length = (self.taps.len() - first).next_multiple_of(alignment);
        self.taps.resize(first + length, 0);
        self.windows.push(Window { start, first, length });
    }
}

/// The most fraction bits with which no tap leaves 16 bits, and no sum of products 32.
fn precision(peak: f64, total: f64, magnitude: f64) -> u32 {
    let fits = |bits: u32| {
        let one = f64::from(1u32 << bits);
        // Each tap may be off by a unit; the sum of magnitudes is padded amply for that and rounding.
        peak * one + 1.0 <= f64::from(i16::MAX)
            && (total * 1.01 + 0.01) * one * magnitude < f64::from(i32::MAX)
    };
    (8..=MAX_PRECISION).rev().find(|&bits| fits(bits)).unwrap_or(8)
}

/// One output sample's weights before rounding, summing to 1.
struct Stretch {
    start: usize,
    weights: Vec<f64>,
}

impl Stretch {
    fn compute(&mut self, axis: &Axis, j: u32) {
        let source = f64::from(axis.source);
        let centre = ((f64::from(j) + 0.5) * axis.scale + axis.offset).clamp(0.0, source);
        let stretch = axis.scale.max(1.0);
        let reach = LOBES as f64 * stretch;
        let start = (centre - reach - 0.5).ceil().max(0.0);
        let last = (centre + reach - 0.5).floor().min(source - 1.0);
        self.start = start as usize;
        let kernel = kernel();
        let step = STEPS as f64 / stretch;
        let origin = (start + 0.5 - centre) * step;
        self.weights.clear();
        self.weights.extend((0..=(last - start) as usize).map(|k| kernel.at(origin + k as f64 * step)));
        let sum: f64 = self.weights.iter().sum();
        self.weights.iter_mut().for_each(|w| *w /= sum);
    }
}

/// L(x) = sinc(x) sinc(x / 3) for |x| < 3, else 0; tabulated at multiples of 1 / STEPS.
struct Kernel(Vec<f32>);

impl Kernel {
    /// L at `position` / STEPS.
    fn at(&self, position: f64) -> f64 {
        let position = position.abs().min((LOBES * STEPS) as f64);
        let (index, rest) = (position as usize, position.fract());
        let (a, b) = (f64::from(self.0[index]), f64::from(self.0[index + 1]));
        a + (b - a) * rest
    }
}

fn kernel() -> &'static Kernel {
    static KERNEL: OnceLock<Kernel> = OnceLock::new();
    KERNEL.get_or_init(|| Kernel((0..=LOBES * STEPS + 1).map(|i| lanczos(i) as f32).collect()))
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
            for window in weights.windows() {
                let sum: i32 = weights.taps(window).iter().map(|&t| i32::from(t)).sum();
                assert_eq!(sum, 1 << weights.precision(), "{source} -> {target}");
            }
        }
    }

    #[test]
    fn windows_are_aligned_in_order_and_cover_the_source() {
        for (source, target) in [(1u32, 1), (9, 8), (4000, 600), (33, 2), (5, 40)] {
            let weights = weights(&Axis::fit(source, target));
            let windows = weights.windows();
            assert_eq!(windows.len(), target as usize);
            assert!(windows.iter().all(|w| w.start % 8 == 0 && w.length % 8 == 0 && w.length > 0));
            assert!(windows.is_sorted_by_key(|w| w.start) && windows.is_sorted_by_key(|w| w.end()));
            assert_eq!(windows[0].start, 0);
            assert_eq!(windows[windows.len() - 1].end(), (source as usize).next_multiple_of(8));
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
