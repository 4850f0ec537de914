//! The forward DCT with AVX2: the same operations in the same order as in [`super::dct`], and so the
//! same bits. All `unsafe` of the encoders is here.

use std::arch::x86_64::*;
use std::array;

use super::dct::{C2_LESS_C6, C2_PLUS_C6, C4, C6, Coefficients, Divisors, Samples};
use super::tables::BLOCK;

/// Proof that this processor has AVX2.
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

impl Avx2 {
    /// Asks the processor.
    pub fn detect() -> Option<Avx2> {
        is_x86_feature_detected!("avx2").then_some(Avx2(()))
    }

    #[inline]
    pub fn transform(self, samples: &Samples, divisors: &Divisors) -> Coefficients {
        // SAFETY: `self` was made where AVX2 was detected.
        unsafe { transform(samples, divisors) }
    }
}

#[target_feature(enable = "avx2")]
fn transform(samples: &Samples, divisors: &Divisors) -> Coefficients {
    let middle = _mm256_set1_ps(128.0);
    let rows = array::from_fn(|i| {
        let row = _mm_cvtsi64_si128(i64::from_le_bytes(samples[i]));
        _mm256_sub_ps(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(row)), middle)
    });
    let columns = pass(transposed(pass(rows)));
    let (least, most) = (_mm256_set1_ps(-divisors.largest), _mm256_set1_ps(divisors.largest));
    let quantised: [__m256i; 8] = array::from_fn(|i| {
        let value = _mm256_mul_ps(columns[i], load(&divisors.factors[i]));
        _mm256_cvtps_epi32(_mm256_min_ps(_mm256_max_ps(value, least), most))
    });
    let mut coefficients = Coefficients { values: [0; BLOCK], nonzero: 0 };
    for (i, out) in coefficients.values.as_chunks_mut::<32>().0.iter_mut().enumerate() {
        // Packing takes fours of each in turn; one permutation of fours puts them in order.
        let packed: [__m256i; 2] = array::from_fn(|j| {
            let k = i * 4 + j * 2;
            let both = _mm256_packs_epi32(quantised[k], quantised[k + 1]);
            _mm256_permute4x64_epi64::<0b11_01_10_00>(both)
        });
        let zero = packed.map(|values| _mm256_cmpeq_epi16(values, _mm256_setzero_si256()));
        let zero = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packs_epi16(zero[0], zero[1]));
        coefficients.nonzero |= u64::from(!_mm256_movemask_epi8(zero) as u32) << (i * 32);
        let (upper, lower) = out.split_at_mut(16);
        if let (Some(upper), Some(lower)) = (upper.first_chunk_mut(), lower.first_chunk_mut()) {
            store(upper, packed[0]);
            store(lower, packed[1]);
        }
    }
    coefficients
}

#[target_feature(enable = "avx2")]
#[inline]
fn load(from: &[f32; 8]) -> __m256 {
    // SAFETY: `from` is 32 readable bytes; any alignment will do.
    unsafe { _mm256_loadu_ps(from.as_ptr()) }
}

#[target_feature(enable = "avx2")]
#[inline]
fn store(to: &mut [i16; 16], value: __m256i) {
    // SAFETY: `to` is 32 writable bytes, any of which make integers; any alignment will do.
    unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), value) }
}

#[target_feature(enable = "avx2")]
#[inline]
fn transposed(r: [__m256; 8]) -> [__m256; 8] {
    let twos: [__m256; 8] = array::from_fn(|i| {
        let (a, b) = (r[i / 2 * 2], r[i / 2 * 2 + 1]);
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
        if i < 4 { _mm256_permute2f128_ps::<0x20>(a, b) } else { _mm256_permute2f128_ps::<0x31>(a, b) }
    })
}

/// See `pass` in [`super::dct`].
#[target_feature(enable = "avx2")]
#[inline]
fn pass(d: [__m256; 8]) -> [__m256; 8] {
    let add = |a, b| _mm256_add_ps(a, b);
    let sub = |a, b| _mm256_sub_ps(a, b);
    let times = |a, factor| _mm256_mul_ps(a, _mm256_set1_ps(factor));

    let sums: [__m256; 4] = array::from_fn(|i| add(d[i], d[7 - i]));
    let differences: [__m256; 4] = array::from_fn(|i| sub(d[i], d[7 - i]));

    let (outer, outer_difference) = (add(sums[0], sums[3]), sub(sums[0], sums[3]));
    let (inner, inner_difference) = (add(sums[1], sums[2]), sub(sums[1], sums[2]));
    let turned = times(add(inner_difference, outer_difference), C4);

    let low = add(differences[3], differences[2]);
    let middle = times(add(differences[2], differences[1]), C4);
    let high = add(differences[1], differences[0]);
    let common = times(sub(low, high), C6);
    let low = add(times(low, C2_LESS_C6), common);
    let high = add(times(high, C2_PLUS_C6), common);
    let (plus, minus) = (add(differences[0], middle), sub(differences[0], middle));

    [
        add(outer, inner),
        add(plus, high),
        add(outer_difference, turned),
        sub(minus, low),
        sub(outer, inner),
        add(minus, low),
        sub(outer_difference, turned),
        sub(plus, high),
    ]
}
