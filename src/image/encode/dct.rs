//! The forward DCT of 8 × 8 samples, and quantisation.
//!
//! Arai, Agui and Nakajima's factorisation ("A Fast DCT-SQ Scheme for Images", 1988) in 32-bit
//! floating point: five multiplications a line, its scale factors folded into the quantisers.
//! Rows are vectors of eight lanes, so that compilers make SIMD code of plain arithmetic.

use std::array;
use std::ops::{Add, Mul, Sub};

#[cfg(target_arch = "x86_64")]
use super::avx2::Avx2;
use super::tables::BLOCK;

/// Samples of a block, row by row.
pub(super) type Samples = [[u8; 8]; 8];

/// Quantised coefficients.
pub(super) struct Coefficients {
    /// *Column by column*: the second pass leaves them so, and zigzag order can be read off as well.
    pub values: [i16; BLOCK],
    /// A bit for each that is not 0, the first one's lowest.
    pub nonzero: u64,
}

/// Largest magnitude of a coefficient: baseline's Huffman tables have no code beyond (T.81 F.1.2.2).
const LARGEST: f32 = 1023.0;

/// What coefficients are quantised by.
pub(super) struct Divisors {
    /// What each is multiplied with, column by column: steps a quantiser / (quantiser × scale of the DCT).
    pub factors: [[f32; 8]; 8],
    /// Largest magnitude of what comes out.
    pub largest: f32,
}

impl Divisors {
    /// For quantisers row by row.
    pub fn new(quantisers: &[u8; BLOCK]) -> Divisors {
        Divisors::in_steps(1, quantisers)
    }

    /// The same, in so many steps a quantiser, 1 to 32.
    pub fn in_steps(steps: u8, quantisers: &[u8; BLOCK]) -> Divisors {
        // The factorisation leaves coefficient (u, v) too large by 8 s(u) s(v), where s(0) = 1 and
        // s(k) = √2 cos(kπ / 16).
        let scale = |k: usize| match k {
            0 => 1.0,
            _ => std::f64::consts::SQRT_2 * (k as f64 * std::f64::consts::PI / 16.0).cos(),
        };
        let factor = |row: usize, column: usize| {
            let quantiser = f64::from(quantisers[row * 8 + column]);
            (f64::from(steps) / (quantiser * scale(row) * scale(column) * 8.0)) as f32
        };
        let factors = array::from_fn(|column| array::from_fn(|row| factor(row, column)));
        Divisors { factors, largest: f32::from(steps) * LARGEST }
    }
}

/// What to transform with. Every way gives the same bits.
#[derive(Clone, Copy)]
pub(super) enum Transform {
    /// Plain arithmetic.
    Scalar,
    /// AVX2, where it was detected.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
}

impl Transform {
    /// The fastest that this processor runs.
    pub fn best() -> Transform {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = Avx2::detect() {
            return Transform::Avx2(avx2);
        }
        Transform::Scalar
    }

    /// Transforms and quantises a block, to the nearest; ties go to the even.
    #[inline]
    pub fn run(self, samples: &Samples, divisors: &Divisors) -> Coefficients {
        match self {
            Transform::Scalar => transform(samples, divisors),
            #[cfg(target_arch = "x86_64")]
            Transform::Avx2(avx2) => avx2.transform(samples, divisors),
        }
    }
}

fn transform(samples: &Samples, divisors: &Divisors) -> Coefficients {
    let rows = samples.map(|row| Lanes(row.map(|sample| f32::from(sample) - 128.0)));
    let columns = pass(transposed(pass(rows)));
    let mut coefficients = Coefficients { values: [0; BLOCK], nonzero: 0 };
    let outs = coefficients.values.as_chunks_mut::<8>().0;
    for ((column, factors), out) in columns.iter().zip(divisors.factors).zip(outs) {
        *out = (*column * Lanes(factors))
            .0
            .map(|value| nearest(value.clamp(-divisors.largest, divisors.largest)));
    }
    for (i, &value) in coefficients.values.iter().enumerate() {
        coefficients.nonzero |= u64::from(value != 0) << i;
    }
    coefficients
}

/// The nearest whole number, ties to even, of a magnitude below 2^22: adding 1.5 × 2^23 leaves no
/// room for a fraction, and the sum's low bits are the number.
#[inline(always)]
fn nearest(value: f32) -> i16 {
    const MAGIC: f32 = 12_582_912.0;
    ((value + MAGIC).to_bits() as i32).wrapping_sub(MAGIC.to_bits() as i32) as i16
}

/// Eight numbers that are treated alike.
#[derive(Clone, Copy)]
struct Lanes([f32; 8]);

impl Add for Lanes {
    type Output = Lanes;
    #[inline(always)]
    fn add(self, other: Lanes) -> Lanes {
        Lanes(array::from_fn(|i| self.0[i] + other.0[i]))
    }
}

impl Sub for Lanes {
    type Output = Lanes;
    #[inline(always)]
    fn sub(self, other: Lanes) -> Lanes {
        Lanes(array::from_fn(|i| self.0[i] - other.0[i]))
    }
}

impl Mul for Lanes {
    type Output = Lanes;
    #[inline(always)]
    fn mul(self, other: Lanes) -> Lanes {
        Lanes(array::from_fn(|i| self.0[i] * other.0[i]))
    }
}

impl Mul<f32> for Lanes {
    type Output = Lanes;
    #[inline(always)]
    fn mul(self, factor: f32) -> Lanes {
        Lanes(self.0.map(|value| value * factor))
    }
}

#[inline(always)]
fn transposed(rows: [Lanes; 8]) -> [Lanes; 8] {
    array::from_fn(|column| Lanes(array::from_fn(|row| rows[row].0[column])))
}

// cos(π/4), cos(3π/8), cos(π/8) − cos(3π/8), cos(π/8) + cos(3π/8).
pub(super) const C4: f32 = std::f32::consts::FRAC_1_SQRT_2;
pub(super) const C6: f32 = 0.382_683_43;
pub(super) const C2_LESS_C6: f32 = 0.541_196_1;
pub(super) const C2_PLUS_C6: f32 = 1.306_563;

/// One-dimensional DCTs down the eight columns.
#[inline(always)]
fn pass(d: [Lanes; 8]) -> [Lanes; 8] {
    let (sum0, difference0) = (d[0] + d[7], d[0] - d[7]);
    let (sum1, difference1) = (d[1] + d[6], d[1] - d[6]);
    let (sum2, difference2) = (d[2] + d[5], d[2] - d[5]);
    let (sum3, difference3) = (d[3] + d[4], d[3] - d[4]);

    let (outer, outer_difference) = (sum0 + sum3, sum0 - sum3);
    let (inner, inner_difference) = (sum1 + sum2, sum1 - sum2);
    let turned = (inner_difference + outer_difference) * C4;

    let low = difference3 + difference2;
    let middle = (difference2 + difference1) * C4;
    let high = difference1 + difference0;
    let common = (low - high) * C6;
    let low = low * C2_LESS_C6 + common;
    let high = high * C2_PLUS_C6 + common;
    let (plus, minus) = (difference0 + middle, difference0 - middle);

    [
        outer + inner,
        plus + high,
        outer_difference + turned,
        minus - low,
        outer - inner,
        minus + low,
        outer_difference - turned,
        plus - high,
    ]
}

#[cfg(test)]
mod tests {
    use std::f64::consts::{FRAC_1_SQRT_2, PI};

    use proptest::prelude::*;

    use super::*;

    /// T.81 A.3.3, straight from the definition; column by column.
    fn reference(samples: &Samples) -> [f64; BLOCK] {
        let c = |k: usize| if k == 0 { FRAC_1_SQRT_2 } else { 1.0 };
        let cosine = |x: usize, u: usize| ((2 * x + 1) as f64 * u as f64 * PI / 16.0).cos();
        array::from_fn(|i| {
            let (u, v) = (i / 8, i % 8);
            let sum: f64 = (0..BLOCK)
                .map(|k| (f64::from(samples[k / 8][k % 8]) - 128.0) * cosine(k % 8, u) * cosine(k / 8, v))
                .sum();
            c(u) * c(v) / 4.0 * sum
        })
    }

    proptest! {
        #[test]
        fn every_coefficient_is_the_definition_rounded(
            samples: Samples, extreme: bool, quantiser in 1u8..=255,
        ) {
            let samples =
                if extreme { samples.map(|row| row.map(|s| if s > 127 { 255 } else { 0 })) } else { samples };
            let got = transform(&samples, &Divisors::new(&[quantiser; BLOCK]));
            for (got, exact) in got.values.iter().zip(reference(&samples)) {
                let exact = (exact / f64::from(quantiser)).clamp(-1023.0, 1023.0);
                prop_assert!((f64::from(*got) - exact).abs() < 0.501, "{got} for {exact}");
            }
        }
    }

    proptest! {
        #[test]
        fn every_transform_gives_the_same_bits(samples: Samples, extreme: bool, quality in 1u8..=100) {
            let samples =
                if extreme { samples.map(|row| row.map(|s| if s > 127 { 255 } else { 0 })) } else { samples };
            let divisors = Divisors::new(&super::super::tables::quantisers(&super::super::tables::LUMA, quality));
            let (scalar, best) = (transform(&samples, &divisors), Transform::best().run(&samples, &divisors));
            prop_assert_eq!(scalar.values, best.values);
            prop_assert_eq!(scalar.nonzero, best.nonzero);
            for (i, &value) in scalar.values.iter().enumerate() {
                prop_assert_eq!(scalar.nonzero >> i & 1 == 1, value != 0);
            }
        }
    }

    #[test]
    fn no_coefficient_is_beyond_what_can_be_coded() {
        let stripes = array::from_fn(|_| array::from_fn(|x| if x.div_ceil(2) % 2 == 0 { 255 } else { 0 }));
        let finest = Divisors::new(&[1; BLOCK]);
        for samples in [[[0; 8]; 8], [[255; 8]; 8], stripes] {
            assert!(transform(&samples, &finest).values.iter().all(|c| c.abs() <= 1023));
        }
    }

    #[test]
    fn rounding_goes_to_the_nearest_even() {
        for (value, whole) in [(0.5, 0), (1.5, 2), (-0.5, 0), (-1.5, -2), (2.4999, 2), (-1023.0, -1023)] {
            assert_eq!(nearest(value), whole);
        }
    }
}
