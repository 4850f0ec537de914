//! Dequantisation and the inverse DCT of N × N points (ITU-T T.81, A.3.3 and A.3.4), in 32-bit floating point
//! and rounded half up. What processors have vectors for does it in them, with the same bits.

use std::array;

use super::scale::{Block, Scale};
use super::tables::Quantisers;

#[cfg(target_arch = "x86_64")]
mod avx2;
mod passes;
#[cfg(test)]
mod tests;

use passes::Lanes;

/// Samples of a row that are written at once, whatever N is.
pub(super) const WRITTEN: usize = 8;

/// The middle of the range (A.3.1), and a half for rounding by truncation.
const LEVEL: f32 = 128.5;

/// Beyond any sample, and within what 32-bit integers hold.
const MOST: f32 = 65_535.0;

/// What each coefficient of a [`Block`] is multiplied by.
type Factors = [f32; 64];

/// How it is computed.
#[derive(Clone, Copy)]
enum Kernel {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Avx2),
}

impl Kernel {
    fn best() -> Kernel {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = avx2::Avx2::detect() {
            return Kernel::Avx2(avx2);
        }
        Kernel::Scalar
    }
}

/// The inverse transform of one component's blocks.
pub(super) struct Inverse {
    kernel: Kernel,
    scale: Scale,
    factors: Box<Factors>,
    /// That of DC.
    quantiser: i32,
}

impl Inverse {
    pub fn new(scale: Scale, quantisers: &Quantisers) -> Inverse {
        Inverse::with(Kernel::best(), scale, quantisers)
    }

    fn with(kernel: Kernel, scale: Scale, quantisers: &Quantisers) -> Inverse {
        let mut factors = Box::new([0.0; 64]);
        let n = scale.side();
        for (k, (&place, &quantiser)) in scale.places().iter().zip(quantisers).enumerate() {
            let place = usize::from(place);
            if k <= scale.last() && place < scale.used() {
                let (column, row) = (place / scale.stride(), place % scale.stride());
                let factor = passes::factor(n, column) * passes::factor(n, row) / 8.0;
                factors[place] = (f64::from(quantiser) * factor) as f32;
            }
        }
        Inverse { kernel, scale, factors, quantiser: quantisers[0].into() }
    }

    /// Writes the samples of a block, N rows of N, `stride` from row to row. In each row [`WRITTEN`] are
    /// written; those beyond N mean nothing.
    ///
    /// # Panics
    /// If `out` ends before the last of these.
    #[inline]
    pub fn block(&self, block: &Block, out: &mut [u8], stride: usize) {
        assert!(self.fits(out, stride), "room for the block");
        match (self.scale, self.kernel) {
            (Scale::One, _) => self.flat(block[0], out, stride),
            #[cfg(target_arch = "x86_64")]
            (_, Kernel::Avx2(avx2)) => avx2.block(self, block, out, stride),
            (Scale::Two, Kernel::Scalar) => self.two(block, out, stride),
            (_, Kernel::Scalar) => self.scalar(block, out, stride),
        }
    }

    /// As [`Inverse::block`], of two blocks side by side: rows of 2 N, or of [`WRITTEN`] if that is more.
    #[inline]
    pub fn pair(&self, blocks: &[Block; 2], out: &mut [u8], stride: usize) {
        match (self.scale, self.kernel) {
            #[cfg(target_arch = "x86_64")]
            (Scale::Three | Scale::Four, Kernel::Avx2(avx2)) => avx2.pair(self, blocks, out, stride),
            _ => {
                self.block(&blocks[0], out, stride);
                self.block(&blocks[1], &mut out[self.scale.side()..], stride);
            }
        }
    }

    /// As [`Inverse::block`], of a block whose only coefficient is `dc`.
    #[inline]
    pub fn flat(&self, dc: i16, out: &mut [u8], stride: usize) {
        let level = ((i32::from(dc) * self.quantiser + 4) >> 3) + 128;
        let row = [level.clamp(0, 255) as u8; WRITTEN];
        for y in 0..self.scale.side() {
            out[y * stride..][..WRITTEN].copy_from_slice(&row);
        }
    }

    fn fits(&self, out: &[u8], stride: usize) -> bool {
        stride >= WRITTEN && out.len() >= (self.scale.side() - 1) * stride + WRITTEN
    }

    fn value(&self, block: &Block, place: usize) -> f32 {
        f32::from(block[place]) * self.factors[place]
    }

    fn two(&self, block: &Block, out: &mut [u8], stride: usize) {
        let column = |u: usize| array::from_fn(|v| self.value(block, u * 4 + v));
        let [left, right]: [[f32; 2]; 2] = [column(0), column(1)];
        let rows: [[f32; 2]; 2] = array::from_fn(|v| passes::two([left[v], right[v]]));
        let [[a, b], [c, d]]: [[f32; 2]; 2] =
            array::from_fn(|x| passes::two([rows[0][x] + LEVEL, rows[1][x]]));
        out[..2].copy_from_slice(&[sample(a), sample(c)]);
        out[stride..stride + 2].copy_from_slice(&[sample(b), sample(d)]);
    }

    fn scalar(&self, block: &Block, out: &mut [u8], stride: usize) {
        match self.scale {
            Scale::Three => self.each::<3>(block, out, stride, passes::three),
            Scale::Four => self.each::<4>(block, out, stride, passes::four),
            Scale::Five => self.each::<5>(block, out, stride, passes::five),
            Scale::Six => self.each::<6>(block, out, stride, passes::six),
            _ => self.each::<8>(block, out, stride, passes::eight),
        }
    }

    fn each<const N: usize>(
        &self,
        block: &Block,
        out: &mut [u8],
        stride: usize,
        pass: impl Fn([Eight; N]) -> [Eight; N],
    ) {
        // Columns of frequencies, then rows: what is transformed lies across vectors.
        let columns: [Eight; N] = array::from_fn(|u| {
            Eight(array::from_fn(
                |v| if v < N { self.value(block, u * self.scale.stride() + v) } else { 0.0 },
            ))
        });
        let across = pass(columns);
        let mut rows: [Eight; N] =
            array::from_fn(|v| Eight(array::from_fn(|x| if x < N { across[x].0[v] } else { 0.0 })));
        rows[0].0.iter_mut().for_each(|value| *value += LEVEL);
        for (y, row) in pass(rows).into_iter().enumerate() {
            out[y * stride..][..N].copy_from_slice(&row.0.map(sample)[..N]);
        }
    }
}

/// A level to which [`LEVEL`] was added, as a sample.
fn sample(level: f32) -> u8 {
    level.clamp(0.0, MOST) as u8
}

/// Eight columns, or rows, at a time.
#[derive(Clone, Copy)]
struct Eight([f32; 8]);

impl Lanes for Eight {
    #[inline(always)]
    fn plus(self, other: Eight) -> Eight {
        Eight(array::from_fn(|i| self.0[i] + other.0[i]))
    }
    #[inline(always)]
    fn minus(self, other: Eight) -> Eight {
        Eight(array::from_fn(|i| self.0[i] - other.0[i]))
    }
    #[inline(always)]
    fn times(self, factor: f32) -> Eight {
        Eight(self.0.map(|value| value * factor))
    }
}
