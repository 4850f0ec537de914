//! The inverse DCT with AVX2: the operations of [`super::passes`] on vectors of four or eight. All `unsafe` of
//! the JPEG decoder is here.

use std::arch::x86_64::*;
use std::array;

use super::passes::{self, Lanes};
use super::{Factors, Inverse, LEVEL, MOST, WRITTEN};
use crate::image::decode::jpeg::scale::{Block, Scale};

/// Proof that this processor has AVX2.
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

impl Avx2 {
    /// Asks the processor.
    pub fn detect() -> Option<Avx2> {
        is_x86_feature_detected!("avx2").then_some(Avx2(()))
    }

    /// See [`Inverse::block`]; of N = 2 and more.
    #[inline]
    pub fn block(self, inverse: &Inverse, block: &Block, out: &mut [u8], stride: usize) {
        let (scale, factors) = (inverse.scale, &*inverse.factors);
        let rows = Rows::new(scale.side(), out, stride);
        // SAFETY: `self` was made where AVX2 was detected.
        unsafe {
            match scale {
                Scale::Two => two(block, factors, rows),
                Scale::Three => three(block, factors, rows),
                Scale::Five => five(block, factors, rows),
                Scale::Six => six(block, factors, rows),
                Scale::Eight => eight(block, factors, rows),
                _ => four(block, factors, rows),
            }
        }
    }

    /// See [`Inverse::pair`]; of N = 3 and 4.
    #[inline]
    pub fn pair(self, inverse: &Inverse, blocks: &[Block; 2], out: &mut [u8], stride: usize) {
        let (scale, factors) = (inverse.scale, &*inverse.factors);
        let rows = Rows::new(scale.side(), out, stride);
        // SAFETY: `self` was made where AVX2 was detected.
        unsafe {
            match scale {
                Scale::Three => two_threes(blocks, factors, rows),
                _ => two_fours(blocks, factors, rows),
            }
        }
    }
}

/// Rows of samples of which the first [`WRITTEN`] may be written.
struct Rows<'o> {
    out: &'o mut [u8],
    stride: usize,
    count: usize,
}

impl Rows<'_> {
    fn new(count: usize, out: &mut [u8], stride: usize) -> Rows<'_> {
        assert!(
            count > 0 && out.len() >= WRITTEN && out.len() - WRITTEN >= (count - 1).saturating_mul(stride),
            "room for the rows"
        );
        Rows { out, stride, count }
    }

    /// Writes eight samples of row `y`, which must be one of the rows.
    #[inline(always)]
    fn write(&mut self, y: usize, samples: u64) {
        debug_assert!(y < self.count);
        // SAFETY: `y` is less than `count` (each caller's loop ends at its N, with which the rows were made),
        // and `new` checked that `count - 1` strides and eight bytes lie within `out`.
        unsafe { self.out.as_mut_ptr().add(y * self.stride).cast::<u64>().write_unaligned(samples) }
    }
}

/// Four numbers. Made where AVX2 is enabled alone, as its methods need.
#[derive(Clone, Copy)]
struct Four(__m128);

/// Eight numbers, likewise.
#[derive(Clone, Copy)]
struct Eight(__m256);

impl Lanes for Four {
    #[inline(always)]
    fn plus(self, other: Four) -> Four {
        // SAFETY: a `Four` is at hand, so AVX2 is enabled here.
        Four(unsafe { _mm_add_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn minus(self, other: Four) -> Four {
        // SAFETY: as above.
        Four(unsafe { _mm_sub_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn times(self, factor: f32) -> Four {
        // SAFETY: as above.
        Four(unsafe { _mm_mul_ps(self.0, _mm_set1_ps(factor)) })
    }
}

impl Lanes for Eight {
    #[inline(always)]
    fn plus(self, other: Eight) -> Eight {
        // SAFETY: an `Eight` is at hand, so AVX2 is enabled here.
        Eight(unsafe { _mm256_add_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn minus(self, other: Eight) -> Eight {
        // SAFETY: as above.
        Eight(unsafe { _mm256_sub_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn times(self, factor: f32) -> Eight {
        // SAFETY: as above.
        Eight(unsafe { _mm256_mul_ps(self.0, _mm256_set1_ps(factor)) })
    }
}

#[target_feature(enable = "avx2")]
fn two(block: &Block, factors: &Factors, mut rows: Rows<'_>) {
    let Eight(columns) = eights(block, factors, 0);
    let columns = [Four(_mm256_castps256_ps128(columns)), Four(_mm256_extractf128_ps::<1>(columns))];
    let [left, right] = passes::two(columns);
    // Two samples of both rows of frequencies; then each row twice, the second added and taken away.
    let both = _mm_unpacklo_ps(left.0, right.0);
    let (first, second) = (levelled_4(Four(_mm_movelh_ps(both, both))), Four(_mm_movehl_ps(both, both)));
    let samples = _mm_blend_ps::<0b1100>(first.plus(second).0, first.minus(second).0);
    let samples = _mm_packs_epi32(whole_4(Four(samples)), _mm_setzero_si128());
    let samples = u64::from(_mm_cvtsi128_si32(_mm_packus_epi16(samples, samples)) as u32);
    rows.write(0, samples);
    rows.write(1, samples >> 16);
}

#[target_feature(enable = "avx2")]
fn three(block: &Block, factors: &Factors, rows: Rows<'_>) {
    let [a, b, c, _] = fours(block, factors);
    let [x0, x1, x2] = passes::three([a, b, c]);
    // The fourth column of samples is written and means nothing: any finite numbers will do.
    let [v0, v1, v2, _] = transposed_4([x0, x1, x2, x2]);
    let [y0, y1, y2] = passes::three([levelled_4(v0), v1, v2]);
    write_4::<3>([y0, y1, y2, y2], rows);
}

#[target_feature(enable = "avx2")]
fn four(block: &Block, factors: &Factors, rows: Rows<'_>) {
    let [v0, v1, v2, v3] = transposed_4(passes::four(fours(block, factors)));
    write_4::<4>(passes::four([levelled_4(v0), v1, v2, v3]), rows);
}

/// Two blocks of N = 3, one in each half of all vectors.
#[target_feature(enable = "avx2")]
fn two_threes(blocks: &[Block; 2], factors: &Factors, mut rows: Rows<'_>) {
    let [x0, x1, x2] = passes::three(array::from_fn(|u| pair(blocks, factors, u)));
    let [v0, v1, v2, _] = transposed_halves([x0, x1, x2, x2]);
    let [y0, y1, y2] = passes::three([levelled_8(v0), v1, v2]);
    // Of each four samples three mean something: those of a row are put together.
    let gaps = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 6, 6, 8, 9, 10, 12, 13, 14, 14, 14);
    let [top, bottom] = halves_by_rows([y0, y1, y2, y2]).map(|two| _mm_shuffle_epi8(two, gaps));
    rows.write(0, _mm_cvtsi128_si64(top) as u64);
    rows.write(1, _mm_extract_epi64::<1>(top) as u64);
    rows.write(2, _mm_cvtsi128_si64(bottom) as u64);
}

/// Two blocks of N = 4, likewise.
#[target_feature(enable = "avx2")]
fn two_fours(blocks: &[Block; 2], factors: &Factors, mut rows: Rows<'_>) {
    let across = passes::four(array::from_fn(|u| pair(blocks, factors, u)));
    let [v0, v1, v2, v3] = transposed_halves(across);
    let y = passes::four([levelled_8(v0), v1, v2, v3]);
    for (i, two) in halves_by_rows(y).into_iter().enumerate() {
        rows.write(2 * i, _mm_cvtsi128_si64(two) as u64);
        rows.write(2 * i + 1, _mm_extract_epi64::<1>(two) as u64);
    }
}

/// Column `u`, 0 to 3, of two blocks of four columns, dequantised.
#[target_feature(enable = "avx2")]
#[inline]
fn pair(blocks: &[Block; 2], factors: &Factors, u: usize) -> Eight {
    let [left, right]: [&[i16; 4]; 2] = [&blocks[0].as_chunks().0[u], &blocks[1].as_chunks().0[u]];
    let factors: &[f32; 4] = &factors.as_chunks().0[u];
    // SAFETY: these are eight readable bytes each, and sixteen; any alignment will do.
    let (left, right, factors) = unsafe {
        let (left, right) = (_mm_loadl_epi64(left.as_ptr().cast()), _mm_loadl_epi64(right.as_ptr().cast()));
        (left, right, _mm_loadu_ps(factors.as_ptr()))
    };
    let both = _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(_mm_unpacklo_epi64(left, right)));
    Eight(_mm256_mul_ps(both, _mm256_set_m128(factors, factors)))
}

/// Four by four numbers transposed, in each half.
#[target_feature(enable = "avx2")]
#[inline]
fn transposed_halves([a, b, c, d]: [Eight; 4]) -> [Eight; 4] {
    let (ab, cd) = (_mm256_unpacklo_ps(a.0, b.0), _mm256_unpacklo_ps(c.0, d.0));
    let (ab_high, cd_high) = (_mm256_unpackhi_ps(a.0, b.0), _mm256_unpackhi_ps(c.0, d.0));
    [
        Eight(_mm256_shuffle_ps::<0b01_00_01_00>(ab, cd)),
        Eight(_mm256_shuffle_ps::<0b11_10_11_10>(ab, cd)),
        Eight(_mm256_shuffle_ps::<0b01_00_01_00>(ab_high, cd_high)),
        Eight(_mm256_shuffle_ps::<0b11_10_11_10>(ab_high, cd_high)),
    ]
}

/// Four rows of two blocks as samples: two rows each, in each row four samples of the one, then of the other.
#[target_feature(enable = "avx2")]
#[inline]
fn halves_by_rows([a, b, c, d]: [Eight; 4]) -> [__m128i; 2] {
    let whole = |a: Eight, b: Eight| _mm256_packs_epi32(whole_8(a), whole_8(b));
    let samples = _mm256_packus_epi16(whole(a, b), whole(c, d));
    let (left, right) = (_mm256_castsi256_si128(samples), _mm256_extracti128_si256::<1>(samples));
    [_mm_unpacklo_epi32(left, right), _mm_unpackhi_epi32(left, right)]
}

#[target_feature(enable = "avx2")]
fn five(block: &Block, factors: &Factors, rows: Rows<'_>) {
    let [x0, x1, x2, x3, x4] = passes::five(array::from_fn(|u| eights(block, factors, u)));
    let v = transposed_8([x0, x1, x2, x3, x4, x4, x4, x4]);
    let y = passes::five([levelled_8(v[0]), v[1], v[2], v[3], v[4]]);
    write_8::<5>([y[0], y[1], y[2], y[3], y[4], y[4], y[4], y[4]], rows);
}

#[target_feature(enable = "avx2")]
fn six(block: &Block, factors: &Factors, rows: Rows<'_>) {
    let [x0, x1, x2, x3, x4, x5] = passes::six(array::from_fn(|u| eights(block, factors, u)));
    let v = transposed_8([x0, x1, x2, x3, x4, x5, x5, x5]);
    let y = passes::six([levelled_8(v[0]), v[1], v[2], v[3], v[4], v[5]]);
    write_8::<6>([y[0], y[1], y[2], y[3], y[4], y[5], y[5], y[5]], rows);
}

#[target_feature(enable = "avx2")]
fn eight(block: &Block, factors: &Factors, rows: Rows<'_>) {
    let mut v = transposed_8(passes::eight(array::from_fn(|u| eights(block, factors, u))));
    v[0] = levelled_8(v[0]);
    write_8::<8>(passes::eight(v), rows);
}

/// Four columns of four coefficients, dequantised.
#[target_feature(enable = "avx2")]
#[inline]
fn fours(block: &Block, factors: &Factors) -> [Four; 4] {
    let two = |i: usize| {
        let Eight(both) = eights(block, factors, i);
        [Four(_mm256_castps256_ps128(both)), Four(_mm256_extractf128_ps::<1>(both))]
    };
    let ([a, b], [c, d]) = (two(0), two(1));
    [a, b, c, d]
}

/// The `i`-th eight coefficients of eight, dequantised.
#[target_feature(enable = "avx2")]
#[inline]
fn eights(block: &Block, factors: &Factors, i: usize) -> Eight {
    let coefficients: &[i16; 8] = &block.as_chunks().0[i];
    let factors: &[f32; 8] = &factors.as_chunks().0[i];
    // SAFETY: these are 16 and 32 readable bytes; any alignment will do.
    let (coefficients, factors) =
        unsafe { (_mm_loadu_si128(coefficients.as_ptr().cast()), _mm256_loadu_ps(factors.as_ptr())) };
    Eight(_mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(coefficients)), factors))
}

#[target_feature(enable = "avx2")]
#[inline]
fn levelled_4(row: Four) -> Four {
    Four(_mm_add_ps(row.0, _mm_set1_ps(LEVEL)))
}

#[target_feature(enable = "avx2")]
#[inline]
fn levelled_8(row: Eight) -> Eight {
    Eight(_mm256_add_ps(row.0, _mm256_set1_ps(LEVEL)))
}

#[target_feature(enable = "avx2")]
#[inline]
fn transposed_4([a, b, c, d]: [Four; 4]) -> [Four; 4] {
    let (ab, cd) = (_mm_unpacklo_ps(a.0, b.0), _mm_unpacklo_ps(c.0, d.0));
    let (ab_high, cd_high) = (_mm_unpackhi_ps(a.0, b.0), _mm_unpackhi_ps(c.0, d.0));
    [
        Four(_mm_movelh_ps(ab, cd)),
        Four(_mm_movehl_ps(cd, ab)),
        Four(_mm_movelh_ps(ab_high, cd_high)),
        Four(_mm_movehl_ps(cd_high, ab_high)),
    ]
}

#[target_feature(enable = "avx2")]
#[inline]
fn transposed_8(r: [Eight; 8]) -> [Eight; 8] {
    let twos: [__m256; 8] = array::from_fn(|i| {
        let (a, b) = (r[i / 2 * 2].0, r[i / 2 * 2 + 1].0);
        if i % 2 == 0 { _mm256_unpacklo_ps(a, b) } else { _mm256_unpackhi_ps(a, b) }
    });
    let fours: [__m256; 8] = array::from_fn(|i| {
        let (a, b) = (twos[i / 4 * 4 + i / 2 % 2], twos[i / 4 * 4 + i / 2 % 2 + 2]);
        if i % 2 == 0 {
            _mm256_shuffle_ps::<0b01_00_01_00>(a, b)
        } else {
            _mm256_shuffle_ps::<0b11_10_11_10>(a, b)
        }
    });
    array::from_fn(|i| {
        let (a, b) = (fours[i % 4], fours[i % 4 + 4]);
        Eight(if i < 4 { _mm256_permute2f128_ps::<0x20>(a, b) } else { _mm256_permute2f128_ps::<0x31>(a, b) })
    })
}

/// Writes rows of four samples; what is written behind them is zero.
#[target_feature(enable = "avx2")]
#[inline]
fn write_4<const N: usize>([a, b, c, d]: [Four; 4], mut rows: Rows<'_>) {
    let whole = |a: Four, b: Four| _mm_packs_epi32(whole_4(a), whole_4(b));
    let samples = _mm_packus_epi16(whole(a, b), whole(c, d));
    let (low, high) = (_mm_cvtsi128_si64(samples) as u64, _mm_extract_epi64::<1>(samples) as u64);
    for (y, samples) in [low, low >> 32, high, high >> 32].into_iter().enumerate().take(N) {
        rows.write(y, samples);
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn whole_8(row: Eight) -> __m256i {
    _mm256_cvttps_epi32(_mm256_min_ps(row.0, _mm256_set1_ps(MOST)))
}

#[target_feature(enable = "avx2")]
#[inline]
fn whole_4(row: Four) -> __m128i {
    _mm_cvttps_epi32(_mm_min_ps(row.0, _mm_set1_ps(MOST)))
}

/// Writes rows of eight samples.
#[target_feature(enable = "avx2")]
#[inline]
fn write_8<const N: usize>(y: [Eight; 8], mut rows: Rows<'_>) {
    let whole = y.map(|row| whole_8(row));
    for (i, four) in whole.as_chunks::<4>().0.iter().enumerate() {
        // Packing takes fours of each in turn: rows a, b, c, d become a b c d of left halves, then of right.
        let both =
            _mm256_packus_epi16(_mm256_packs_epi32(four[0], four[1]), _mm256_packs_epi32(four[2], four[3]));
        let both = _mm256_permutevar8x32_epi32(both, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
        let (low, high) = (_mm256_castsi256_si128(both), _mm256_extracti128_si256::<1>(both));
        let quarters = [
            _mm_cvtsi128_si64(low),
            _mm_extract_epi64::<1>(low),
            _mm_cvtsi128_si64(high),
            _mm_extract_epi64::<1>(high),
        ];
        for (y, samples) in (i * 4..).zip(quarters).take_while(|&(y, _)| y < N) {
            rows.write(y, samples as u64);
        }
    }
}
