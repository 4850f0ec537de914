//! One-dimensional inverse DCTs of N points for N = 2, 3, 4, 5, 6 and 8, on vectors of any width: written
//! once, so that every processor does the same operations in the same order, and gets the same bits.
//!
//! Sample n of N is F₀ + √2 Σ Fₖ cos((2n + 1) kπ / 2N) (T.81, A.3.3, with the N lowest frequencies of eight).
//! Even and odd frequencies are summed apart: they are symmetric, and antisymmetric, about the middle. A
//! factor that all uses of a coefficient share is taken into its dequantisation, [`factor`].

use std::f64::consts::{FRAC_1_SQRT_2, PI, SQRT_2};

/// A vector of 32-bit floating-point numbers. Nothing is fused.
pub(super) trait Lanes: Copy {
    fn plus(self, other: Self) -> Self;
    fn minus(self, other: Self) -> Self;
    fn times(self, factor: f32) -> Self;
}

impl Lanes for f32 {
    #[inline(always)]
    fn plus(self, other: f32) -> f32 {
        self + other
    }
    #[inline(always)]
    fn minus(self, other: f32) -> f32 {
        self - other
    }
    #[inline(always)]
    fn times(self, factor: f32) -> f32 {
        self * factor
    }
}

/// What coefficient `k` of a transform of `n` points is multiplied by beforehand.
pub(super) fn factor(n: usize, k: usize) -> f64 {
    let cosine = |degrees: f64| (degrees * PI / 180.0).cos();
    match (n, k) {
        (_, 0) => 1.0,
        (2, 1) | (4, 2) | (6, 1 | 3 | 5) => 1.0,
        (3, 1) | (6, 2) => SQRT_2 * cosine(30.0),
        (3, 2) | (6, 4) => FRAC_1_SQRT_2,
        (4, _) => SQRT_2 * cosine(22.5),
        (5, 1 | 3) => SQRT_2 * cosine(18.0),
        (5, _) => SQRT_2,
        (_, k) => SQRT_2 * cosine(k as f64 * 11.25),
    }
}

#[inline(always)]
pub(super) fn two<V: Lanes>(f: [V; 2]) -> [V; 2] {
    [f[0].plus(f[1]), f[0].minus(f[1])]
}

#[inline(always)]
pub(super) fn three<V: Lanes>(f: [V; 3]) -> [V; 3] {
    let even = f[0].plus(f[2]);
    [even.plus(f[1]), f[0].minus(f[2].plus(f[2])), even.minus(f[1])]
}

#[inline(always)]
pub(super) fn four<V: Lanes>(f: [V; 4]) -> [V; 4] {
    // tan(π/8)
    const T: f32 = 0.414_213_57;
    let (even0, even1) = (f[0].plus(f[2]), f[0].minus(f[2]));
    let (odd0, odd1) = (f[1].plus(f[3].times(T)), f[1].times(T).minus(f[3]));
    [even0.plus(odd0), even1.plus(odd1), even1.minus(odd1), even0.minus(odd0)]
}

#[inline(always)]
pub(super) fn five<V: Lanes>(f: [V; 5]) -> [V; 5] {
    // cos(π/5), cos(2π/5), and 2 sin(π/10)
    const A: f32 = 0.809_017;
    const B: f32 = 0.309_017;
    const T: f32 = 0.618_034;
    let even0 = f[0].plus(f[2].times(A)).plus(f[4].times(B));
    let even1 = f[0].minus(f[2].times(B)).minus(f[4].times(A));
    let middle = f[0].minus(f[2]).plus(f[4]);
    let (odd0, odd1) = (f[1].plus(f[3].times(T)), f[1].times(T).minus(f[3]));
    [even0.plus(odd0), even1.plus(odd1), middle, even1.minus(odd1), even0.minus(odd0)]
}

#[inline(always)]
pub(super) fn six<V: Lanes>(f: [V; 6]) -> [V; 6] {
    // cos(5π/12) / cos(π/4)
    const R: f32 = 0.366_025_4;
    let [even0, even1, even2] = three([f[0], f[2], f[4]]);
    let common = f[1].plus(f[5]).times(R);
    let odd0 = f[1].plus(f[3]).plus(common);
    let odd1 = f[1].minus(f[3]).minus(f[5]);
    let odd2 = f[5].minus(f[3]).plus(common);
    [
        even0.plus(odd0),
        even1.plus(odd1),
        even2.plus(odd2),
        even2.minus(odd2),
        even1.minus(odd1),
        even0.minus(odd0),
    ]
}

/// By Arai, Agui and Nakajima, backwards: five multiplications.
#[inline(always)]
pub(super) fn eight<V: Lanes>(f: [V; 8]) -> [V; 8] {
    // 2 cos(π/4), 2 cos(π/8), 2 (cos(π/8) − cos(3π/8)), 2 (cos(π/8) + cos(3π/8))
    const C4: f32 = std::f32::consts::SQRT_2;
    const C2: f32 = 1.847_759_1;
    const C2_LESS_C6: f32 = 1.082_392_2;
    const C2_PLUS_C6: f32 = 2.613_126;
    let (sum04, difference04) = (f[0].plus(f[4]), f[0].minus(f[4]));
    let sum26 = f[2].plus(f[6]);
    let difference26 = f[2].minus(f[6]).times(C4).minus(sum26);
    let (even0, even3) = (sum04.plus(sum26), sum04.minus(sum26));
    let (even1, even2) = (difference04.plus(difference26), difference04.minus(difference26));

    let (sum53, difference53) = (f[5].plus(f[3]), f[5].minus(f[3]));
    let (sum17, difference17) = (f[1].plus(f[7]), f[1].minus(f[7]));
    let odd0 = sum17.plus(sum53);
    let common = difference53.plus(difference17).times(C2);
    let odd1 = common.minus(difference53.times(C2_PLUS_C6)).minus(odd0);
    let odd2 = sum17.minus(sum53).times(C4).minus(odd1);
    let odd3 = common.minus(difference17.times(C2_LESS_C6)).minus(odd2);
    [
        even0.plus(odd0),
        even1.plus(odd1),
        even2.plus(odd2),
        even3.plus(odd3),
        even3.minus(odd3),
        even2.minus(odd2),
        even1.minus(odd1),
        even0.minus(odd0),
    ]
}
