//! The inner loops, behind one choice: which instructions to run them with.
//!
//! Every implementation gives the same bits as [`scalar`]. The loops work on groups of [`ROWS`]
//! source rows; the layouts that pass between them are described here.

use super::alpha::{self, Alpha};
#[cfg(target_arch = "x86_64")]
use super::avx2::Avx2;
use super::scalar;
use super::weights::Weights;

/// Source rows that are filtered at a time: eight 32-bit sums fill one 256-bit register, and four
/// pairs of rows are what the vertical pass multiplies and adds at once.
pub(super) const ROWS: usize = 8;

/// Columns are taken two at a time, as multiply-add instructions do.
pub(super) const COLUMNS: usize = 2;

/// Output columns are made as many at a time, the last ones beyond the row's end.
pub(super) const OUTPUTS: usize = 4;

/// Fraction bits of a sample between the passes: 16 bits then hold −512 to 511, twice the overshoot
/// of Lanczos3 on 8-bit samples.
pub(super) const MIDDLE_BITS: u32 = 6;

/// What rows of samples are padded to a multiple of, so that loops need no remainder.
pub(super) const PADDING: usize = 32;

/// A column pair of one channel in a group of source rows: for each row the two samples, widened to
/// 16 bits. Aligned, so that loading one never crosses a cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
pub(super) struct Cell(pub [[i16; COLUMNS]; ROWS]);

impl Cell {
    pub const ZERO: Cell = Cell([[0; COLUMNS]; ROWS]);
}

/// A stretch of a group of source rows: for each column pair, for each channel, a cell.
pub(super) type Columns = [Cell];

/// Eight numbers that are loaded at once, aligned as [`Cell`] is.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
pub(super) struct Eight<T>(pub [T; 8]);

/// Rows filtered horizontally, row pair by row pair: ROWS / 2 stretches, in each a pair per sample.
pub(super) type Pairs = [Eight<[i16; 2]>];

/// Sums of one output row, one a sample.
pub(super) type Sums = [Eight<i32>];

/// A piece of [`ROWS`] source rows, as long in each: a multiple of [`PADDING`] × channels.
pub(super) type Lines<'a> = [&'a [u8]; ROWS];

/// Columns that lie side by side.
pub(super) struct Stretch<'a> {
    /// The source column that the first cell begins with.
    pub first: usize,
    pub columns: &'a Columns,
}

/// Some outputs of a row.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    pub weights: &'a Weights,
    /// The first one, a multiple of [`OUTPUTS`], and one past the last, a multiple of that or the row's
    /// end. The windows of all lie within the stretch.
    pub outputs: (usize, usize),
}

/// Which instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kernel {
    /// What every processor of the target has.
    Scalar,
    /// AVX2, where it was detected.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
}

impl Kernel {
    /// The fastest that this processor runs.
    pub fn best() -> Kernel {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = Avx2::detect() {
            return Kernel::Avx2(avx2);
        }
        Kernel::Scalar
    }

    /// Copies a row of straight alpha as premultiplied samples.
    pub fn premultiply(self, alpha: Alpha, row: &[u8], out: &mut [u8]) {
        match (self, alpha) {
            (_, Alpha::None) => out.copy_from_slice(row),
            (Kernel::Scalar, Alpha::Grey) => scalar::premultiply::<2>(row, out),
            (Kernel::Scalar, Alpha::Colour) => scalar::premultiply::<4>(row, out),
            #[cfg(target_arch = "x86_64")]
            (Kernel::Avx2(avx2), _) => avx2.premultiply(alpha, row, out),
        }
    }

    /// Turns rows into columns.
    pub fn interleave(self, channels: usize, lines: &Lines<'_>, out: &mut Columns) {
        match channels {
            1 => self.interleave_of::<1>(lines, out),
            2 => self.interleave_of::<2>(lines, out),
            3 => self.interleave_of::<3>(lines, out),
            _ => self.interleave_of::<4>(lines, out),
        }
    }

    fn interleave_of<const C: usize>(self, lines: &Lines<'_>, out: &mut Columns) {
        match self {
            Kernel::Scalar => scalar::interleave::<C>(lines, out),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2(avx2) => avx2.interleave::<C>(lines, out),
        }
    }

    /// Filters a stretch horizontally, to the outputs of `part`.
    pub fn horizontal(self, channels: usize, stretch: &Stretch<'_>, part: Part<'_>, out: &mut Pairs) {
        match channels {
            1 => self.horizontal_of::<1>(stretch, part, out),
            2 => self.horizontal_of::<2>(stretch, part, out),
            3 => self.horizontal_of::<3>(stretch, part, out),
            _ => self.horizontal_of::<4>(stretch, part, out),
        }
    }

    fn horizontal_of<const C: usize>(self, stretch: &Stretch<'_>, part: Part<'_>, out: &mut Pairs) {
        match self {
            Kernel::Scalar => scalar::horizontal::<C>(stretch, part, out),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2(avx2) => avx2.horizontal::<C>(stretch, part, out),
        }
    }

    /// Adds a group of rows, weighted, to one output row's sums, a multiple of [`PADDING`].
    pub fn vertical(self, pairs: &Pairs, taps: &[i16; ROWS], sums: &mut Sums) {
        match self {
            Kernel::Scalar => scalar::vertical(pairs, taps, sums),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2(avx2) => avx2.vertical(pairs, taps, sums),
        }
    }

    /// Makes samples of sums with `bits` fraction bits, which were rounded by their first value; as
    /// many as a multiple of [`PADDING`].
    pub fn narrow(self, sums: &Sums, bits: u32, out: &mut [u8]) {
        match self {
            Kernel::Scalar => scalar::narrow(sums, bits, out),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2(avx2) => avx2.narrow(sums, bits, out),
        }
    }

    /// The same of premultiplied sums: what is passed on, and the samples with straight alpha, each as many
    /// as a multiple of [`PADDING`].
    pub fn narrow_alpha(
        self,
        alpha: Alpha,
        sums: &Sums,
        bits: u32,
        filtered: &mut [u8],
        straight: &mut [u8],
    ) {
        match (self, alpha) {
            (_, Alpha::None) => {
                self.narrow(sums, bits, filtered);
                straight.copy_from_slice(filtered);
            }
            (_, Alpha::Grey) => alpha::narrow::<2>(sums, bits, filtered, straight),
            (Kernel::Scalar, Alpha::Colour) => alpha::narrow::<4>(sums, bits, filtered, straight),
            #[cfg(target_arch = "x86_64")]
            (Kernel::Avx2(avx2), Alpha::Colour) => avx2.narrow_colour(sums, bits, filtered, straight),
        }
    }
}
