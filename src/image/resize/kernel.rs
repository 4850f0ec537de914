//! The five inner loops, behind one choice: which instructions to run them with.
//!
//! Every implementation gives the same bits as [`scalar`]. The loops work on groups of [`ROWS`]
//! source rows; the layouts that pass between them are described here.

use super::alpha::Alpha;
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

/// A group of source rows, column pair by column pair: for each pair, for each channel, for each of
/// [`ROWS`] rows, the two samples; widened to 16 bits.
pub(super) type Columns = [i16];

/// Rows filtered horizontally, row pair by row pair: ROWS / 2 stretches, in each a pair per sample.
pub(super) type Pairs = [[i16; 2]];

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

    /// Turns [`ROWS`] rows of `rows.len()` / ROWS samples, a multiple of [`PADDING`] × channels,
    /// into [`Columns`].
    pub fn interleave(self, channels: usize, rows: &[u8], out: &mut Columns) {
        match channels {
            1 => self.interleave_of::<1>(rows, out),
            2 => self.interleave_of::<2>(rows, out),
            3 => self.interleave_of::<3>(rows, out),
            _ => self.interleave_of::<4>(rows, out),
        }
    }

    fn interleave_of<const C: usize>(self, rows: &[u8], out: &mut Columns) {
        match self {
            Kernel::Scalar => scalar::interleave::<C>(rows, out),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2(avx2) => avx2.interleave::<C>(rows, out),
        }
    }

    /// Filters a group of rows horizontally.
    pub fn horizontal(self, channels: usize, columns: &Columns, weights: &Weights, out: &mut Pairs) {
        match channels {
            1 => self.horizontal_of::<1>(columns, weights, out),
            2 => self.horizontal_of::<2>(columns, weights, out),
            3 => self.horizontal_of::<3>(columns, weights, out),
            _ => self.horizontal_of::<4>(columns, weights, out),
        }
    }

    fn horizontal_of<const C: usize>(self, columns: &Columns, weights: &Weights, out: &mut Pairs) {
        match self {
            Kernel::Scalar => scalar::horizontal::<C>(columns, weights, out),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2(avx2) => avx2.horizontal::<C>(columns, weights, out),
        }
    }

    /// Adds a group of rows, weighted, to one output row's sums, a multiple of [`PADDING`].
    pub fn vertical(self, pairs: &Pairs, taps: &[i16; ROWS], sums: &mut [i32]) {
        match self {
            Kernel::Scalar => scalar::vertical(pairs, taps, sums),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2(avx2) => avx2.vertical(pairs, taps, sums),
        }
    }

    /// Makes samples of sums with `bits` fraction bits, which were rounded by their first value; as
    /// many as a multiple of [`PADDING`].
    pub fn narrow(self, sums: &[i32], bits: u32, out: &mut [u8]) {
        match self {
            Kernel::Scalar => scalar::narrow(sums, bits, out),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2(avx2) => avx2.narrow(sums, bits, out),
        }
    }
}
