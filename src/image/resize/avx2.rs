//! The inner loops with AVX2: the same bits as [`super::scalar`], whose functions say what they do.
//!
//! All `unsafe` of the kernel is here: loads and stores through references of the right size, and
//! calls of functions that need AVX2, which an [`Avx2`] proves to be there.

use std::arch::x86_64::*;
use std::array;

use super::alpha::{self, Alpha};
use super::kernel::{COLUMNS, Cell, Columns, Lines, MIDDLE_BITS, OUTPUTS, Pairs, Part, ROWS, Stretch, Sums};
use super::scalar;
use super::weights::Weights;

/// Proof that this processor has AVX2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Avx2(());

impl Avx2 {
    /// Asks the processor.
    pub fn detect() -> Option<Avx2> {
        is_x86_feature_detected!("avx2").then_some(Avx2(()))
    }

    pub fn premultiply(self, alpha: Alpha, row: &[u8], out: &mut [u8]) {
        match alpha {
            Alpha::None => out.copy_from_slice(row),
            // SAFETY: `self` was made where AVX2 was detected.
            Alpha::Grey => unsafe { premultiply::<2>(row, out) },
            // SAFETY: as above.
            Alpha::Colour => unsafe { premultiply::<4>(row, out) },
        }
    }

    pub fn interleave<const C: usize>(self, lines: &Lines<'_>, out: &mut Columns) {
        // SAFETY: `self` was made where AVX2 was detected.
        unsafe { interleave::<C>(lines, out) }
    }

    pub fn horizontal<const C: usize>(self, stretch: &Stretch<'_>, part: Part<'_>, out: &mut Pairs) {
        // SAFETY: `self` was made where AVX2 was detected.
        unsafe { horizontal::<C>(stretch, part, out) }
    }

    pub fn vertical(self, pairs: &Pairs, taps: &[i16; ROWS], sums: &mut Sums) {
        // SAFETY: `self` was made where AVX2 was detected.
        unsafe { vertical(pairs, taps, sums) }
    }

    pub fn narrow(self, sums: &Sums, bits: u32, out: &mut [u8]) {
        // SAFETY: `self` was made where AVX2 was detected.
        unsafe { narrow(sums, bits, out) }
    }

    pub fn narrow_colour(self, sums: &Sums, bits: u32, filtered: &mut [u8], straight: &mut [u8]) {
        // SAFETY: `self` was made where AVX2 was detected.
        unsafe { narrow_colour(sums, bits, filtered, straight) }
    }
}

/// The two's-complement numbers that registers are made of.
trait Number: Copy {}
impl Number for u8 {}
impl Number for i16 {}
impl Number for i32 {}
impl Number for [i16; 2] {}

#[target_feature(enable = "avx2")]
#[inline]
fn load<T: Number, const N: usize>(from: &[T; N]) -> __m256i {
    const { assert!(size_of::<[T; N]>() == 32) }
    // SAFETY: `from` is 32 readable bytes, of integers without padding; any alignment will do.
    unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
#[inline]
fn load_half<T: Number, const N: usize>(from: &[T; N]) -> __m128i {
    const { assert!(size_of::<[T; N]>() == 16) }
    // SAFETY: `from` is 16 readable bytes, of integers without padding; any alignment will do.
    unsafe { _mm_loadu_si128(from.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
#[inline]
fn store<T: Number, const N: usize>(to: &mut [T; N], value: __m256i) {
    const { assert!(size_of::<[T; N]>() == 32) }
    // SAFETY: `to` is 32 writable bytes, any of which make integers; any alignment will do.
    unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), value) }
}

#[target_feature(enable = "avx2")]
#[inline]
fn store_half<T: Number, const N: usize>(to: &mut [T; N], value: __m128i) {
    const { assert!(size_of::<[T; N]>() == 16) }
    // SAFETY: `to` is 16 writable bytes, any of which make integers; any alignment will do.
    unsafe { _mm_storeu_si128(to.as_mut_ptr().cast(), value) }
}

/// Two neighbouring taps, in every pair of lanes.
#[target_feature(enable = "avx2")]
#[inline]
fn broadcast(pair: [i16; 2]) -> __m256i {
    _mm256_set1_epi32((i32::from(pair[1]) << 16) | i32::from(pair[0] as u16))
}

#[target_feature(enable = "avx2")]
fn premultiply<const C: usize>(row: &[u8], out: &mut [u8]) {
    let (whole, rest) = row.as_chunks::<32>();
    let (whole_out, rest_out) = out.as_chunks_mut::<32>();
    // Within each half: the alpha of a pixel for all its channels, each as the low byte of 16 bits;
    // and 255 for alpha itself, which so stays as it is.
    let low: [i8; 16] = array::from_fn(|i| if i % 2 == 0 { (i / 2 / C * C + C - 1) as i8 } else { -1 });
    let high = low.map(|i| if i < 0 { i } else { i + 8 });
    let itself: [i16; 8] = array::from_fn(|i| if i % C == C - 1 { 255 } else { 0 });
    let both = |half: __m128i| _mm256_broadcastsi128_si256(half);
    let low = both(load_half(&low.map(|i| i as u8)));
    let high = both(load_half(&high.map(|i| i as u8)));
    let itself = both(load_half(&itself));
    let (zero, half) = (_mm256_setzero_si256(), _mm256_set1_epi16(128));
    let scale = |samples: __m256i, alphas: __m256i| {
        let products = _mm256_mullo_epi16(samples, _mm256_or_si256(alphas, itself));
        let products = _mm256_add_epi16(products, half);
        _mm256_srli_epi16::<8>(_mm256_add_epi16(products, _mm256_srli_epi16::<8>(products)))
    };
    for (from, to) in whole.iter().zip(whole_out) {
        let samples = load(from);
        let lows = scale(_mm256_unpacklo_epi8(samples, zero), _mm256_shuffle_epi8(samples, low));
        let highs = scale(_mm256_unpackhi_epi8(samples, zero), _mm256_shuffle_epi8(samples, high));
        store(to, _mm256_packus_epi16(lows, highs));
    }
    scalar::premultiply::<C>(rest, rest_out);
}

/// Takes two blocks of columns at a time, one in each half of the registers: as many whole column
/// pairs as fit 16 bytes. Pairs of samples then are 16-bit units, transposed across the rows.
#[target_feature(enable = "avx2")]
fn interleave<const C: usize>(lines: &Lines<'_>, out: &mut Columns) {
    // Units of a block: 8, 8, 6 and 8 for 1 to 4 channels.
    let units = const { 8 / C * C };
    let block = units * COLUMNS;
    // Where in a block the two bytes of a unit are. The second block is loaded so that it ends with
    // its own last byte, as nothing beyond a row may be read.
    let bytes: [u8; 16] = array::from_fn(|i| {
        let (unit, second) = (i / 2, i % 2);
        (unit / C * COLUMNS * C + second * C + unit % C).min(15) as u8
    });
    let late = 16 - block as u8;
    let first = load_half(&bytes);
    let second = load_half(&bytes.map(|i| (i + late).min(15)));
    let shuffle = _mm256_set_m128i(second, first);
    for (n, cells) in out.chunks_exact_mut(2 * units).enumerate() {
        let at = n * 2 * block;
        let loaded: [__m256i; ROWS] = array::from_fn(|r| {
            let line = &lines[r][at..at + 2 * block];
            let (Some(first), Some(second)) = (line.first_chunk(), line.last_chunk()) else {
                unreachable!("two blocks are 24 or 32 bytes")
            };
            let both = _mm256_set_m128i(load_half::<u8, 16>(second), load_half::<u8, 16>(first));
            if C == 1 { both } else { _mm256_shuffle_epi8(both, shuffle) }
        });
        let (first, second) = cells.split_at_mut(units);
        for ((column, first), second) in transposed(loaded).iter().zip(first).zip(second) {
            store(&mut first.0, _mm256_cvtepu8_epi16(_mm256_castsi256_si128(*column)));
            store(&mut second.0, _mm256_cvtepu8_epi16(_mm256_extracti128_si256::<1>(*column)));
        }
    }
}

/// Transposes 8 × 8 units of 16 bits in each half.
#[target_feature(enable = "avx2")]
#[inline]
fn transposed(r: [__m256i; 8]) -> [__m256i; 8] {
    let low16 = |a, b| _mm256_unpacklo_epi16(a, b);
    let high16 = |a, b| _mm256_unpackhi_epi16(a, b);
    let pairs = [
        low16(r[0], r[1]),
        high16(r[0], r[1]),
        low16(r[2], r[3]),
        high16(r[2], r[3]),
        low16(r[4], r[5]),
        high16(r[4], r[5]),
        low16(r[6], r[7]),
        high16(r[6], r[7]),
    ];
    let low32 = |a, b| _mm256_unpacklo_epi32(a, b);
    let high32 = |a, b| _mm256_unpackhi_epi32(a, b);
    let fours = [
        low32(pairs[0], pairs[2]),
        low32(pairs[4], pairs[6]),
        high32(pairs[0], pairs[2]),
        high32(pairs[4], pairs[6]),
        low32(pairs[1], pairs[3]),
        low32(pairs[5], pairs[7]),
        high32(pairs[1], pairs[3]),
        high32(pairs[5], pairs[7]),
    ];
    array::from_fn(|i| {
        let (a, b) = (fours[i / 2 * 2], fours[i / 2 * 2 + 1]);
        if i % 2 == 0 { _mm256_unpacklo_epi64(a, b) } else { _mm256_unpackhi_epi64(a, b) }
    })
}

/// Takes four output columns at a time, so that their samples' row pairs can be put in order in
/// registers.
#[target_feature(enable = "avx2")]
fn horizontal<const C: usize>(stretch: &Stretch<'_>, part: Part<'_>, out: &mut Pairs) {
    let Part { weights, outputs: (from, to) } = part;
    let length = out.len() / (ROWS / 2);
    let (upper, lower) = out.split_at_mut(2 * length);
    let ((a, b), (c, d)) = (upper.split_at_mut(length), lower.split_at_mut(length));
    let mut outs = [a, b, c, d];
    let shift = weights.precision() - MIDDLE_BITS;
    for n in from / OUTPUTS..to.div_ceil(OUTPUTS) {
        // Four outputs are C times four samples. As many at once as there are registers for their sums.
        let mut middle = [[_mm_setzero_si128(); C]; OUTPUTS];
        if C <= 3 {
            middle = filter::<C, OUTPUTS>(stretch, weights, n * OUTPUTS, shift);
        } else {
            let (first, second) = middle.split_at_mut(OUTPUTS / 2);
            first.copy_from_slice(&filter::<C, 2>(stretch, weights, n * OUTPUTS, shift));
            second.copy_from_slice(&filter::<C, 2>(stretch, weights, n * OUTPUTS + 2, shift));
        }
        let samples = middle.as_flattened().as_chunks::<4>().0;
        for (i, samples) in samples.iter().enumerate() {
            let at = n * C + i;
            for (out, pairs) in outs.iter_mut().zip(turned(samples)) {
                store_half(&mut out[at / 2].0.as_chunks_mut::<4>().0[at % 2], pairs);
            }
        }
    }
}

/// `N` output columns from `first` on: the weighted sums of their windows, rounded. All windows are equally
/// long, so that one loop does for all. Beyond the row's end, the last column again.
#[target_feature(enable = "avx2")]
#[inline]
fn filter<const C: usize, const N: usize>(
    stretch: &Stretch<'_>,
    weights: &Weights,
    first: usize,
    shift: u32,
) -> [[__m128i; C]; N] {
    let mut cells: [&[[Cell; C]]; N] = [&[]; N];
    let mut taps: [&[[i16; COLUMNS]]; N] = [&[]; N];
    let pairs = weights.length() / COLUMNS;
    for k in 0..N {
        let window = weights.window((first + k).min(weights.outputs() - 1));
        let from = (window.start - stretch.first) / COLUMNS * C;
        cells[k] = &stretch.columns[from..from + pairs * C].as_chunks().0[..pairs];
        taps[k] = &window.taps.as_chunks().0[..pairs];
    }
    let mut sums = [[_mm256_set1_epi32(1 << shift >> 1); C]; N];
    for i in 0..pairs {
        for k in 0..N {
            let taps = broadcast(taps[k][i]);
            for c in 0..C {
                sums[k][c] = _mm256_add_epi32(sums[k][c], _mm256_madd_epi16(load(&cells[k][i][c].0), taps));
            }
        }
    }
    let shift = _mm_cvtsi32_si128(shift as i32);
    let mut out = [[_mm_setzero_si128(); C]; N];
    for k in 0..N {
        for c in 0..C {
            let sum = _mm256_sra_epi32(sums[k][c], shift);
            out[k][c] = _mm_packs_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
        }
    }
    out
}

/// Transposes 4 × 4 units of 32 bits.
#[target_feature(enable = "avx2")]
#[inline]
fn turned(r: &[__m128i; 4]) -> [__m128i; 4] {
    let (a, b) = (_mm_unpacklo_epi32(r[0], r[1]), _mm_unpacklo_epi32(r[2], r[3]));
    let (c, d) = (_mm_unpackhi_epi32(r[0], r[1]), _mm_unpackhi_epi32(r[2], r[3]));
    [_mm_unpacklo_epi64(a, b), _mm_unpackhi_epi64(a, b), _mm_unpacklo_epi64(c, d), _mm_unpackhi_epi64(c, d)]
}

#[target_feature(enable = "avx2")]
fn vertical(pairs: &Pairs, taps: &[i16; ROWS], sums: &mut Sums) {
    let taps = taps.as_chunks::<2>().0;
    let taps = [broadcast(taps[0]), broadcast(taps[1]), broadcast(taps[2]), broadcast(taps[3])];
    let length = sums.len();
    let (upper, lower) = pairs[..ROWS / 2 * length].split_at(2 * length);
    let ((a, b), (c, d)) = (upper.split_at(length), lower.split_at(length));
    for i in 0..length {
        let product = |pairs: &Pairs, p: usize| _mm256_madd_epi16(load(&pairs[i].0), taps[p]);
        let upper = _mm256_add_epi32(product(a, 0), product(b, 1));
        let lower = _mm256_add_epi32(product(c, 2), product(d, 3));
        let sum = _mm256_add_epi32(load(&sums[i].0), _mm256_add_epi32(upper, lower));
        store(&mut sums[i].0, sum);
    }
}

#[target_feature(enable = "avx2")]
fn narrow(sums: &Sums, bits: u32, out: &mut [u8]) {
    let bits = _mm_cvtsi32_si128(bits as i32);
    let (sums, outs) = (sums.as_chunks::<4>().0, out.as_chunks_mut::<32>().0);
    for (sums, out) in sums.iter().zip(outs) {
        let level = |k: usize| _mm256_sra_epi32(load(&sums[k].0), bits);
        store(out, packed([level(0), level(1), level(2), level(3)]));
    }
}

/// The steps of [`alpha::narrow`] for two pixels of four channels at a time, all cases at once: each case
/// is a mask. The single-precision operations are the same, in the same order.
#[target_feature(enable = "avx2")]
fn narrow_colour(sums: &Sums, bits: u32, filtered: &mut [u8], straight: &mut [u8]) {
    let shift = _mm_cvtsi32_si128(bits as i32);
    let half = _mm256_set1_epi32(alpha::half(bits));
    let opaque = _mm256_set1_epi32(alpha::opaque(bits));
    let (zero, full) = (_mm256_setzero_si256(), _mm256_set1_epi32(255));
    let most = _mm256_set1_ps(255.0);
    let opacity = |channels: __m256i| _mm256_shuffle_epi32::<0xff>(channels);
    let with_opacity_of = |colours: __m256i, from: __m256i| _mm256_blend_epi32::<0x88>(colours, from);
    let value = |sums: __m256i| _mm256_cvtepi32_ps(_mm256_sub_epi32(sums, half));
    let outs = filtered.as_chunks_mut::<32>().0.iter_mut().zip(straight.as_chunks_mut::<32>().0);
    for (sums, (filtered, straight)) in sums.as_chunks::<4>().0.iter().zip(outs) {
        let (mut filtereds, mut straights) = ([zero; 4], [zero; 4]);
        for k in 0..4 {
            let sums = load(&sums[k].0);
            let levels = _mm256_sra_epi32(sums, shift);
            let levels = _mm256_min_epi32(_mm256_max_epi32(levels, zero), full);
            let shares = _mm256_div_ps(_mm256_mul_ps(value(sums), most), value(opacity(sums)));
            let shares = _mm256_add_ps(shares, _mm256_set1_ps(0.5));
            // What is no number, where nothing is opaque, becomes the second operand.
            let shares = _mm256_min_ps(_mm256_max_ps(shares, _mm256_setzero_ps()), most);
            let shares = _mm256_cvttps_epi32(shares);
            let is_opaque = _mm256_cmpeq_epi32(opacity(sums), opaque);
            let is_beyond = _mm256_cmpgt_epi32(opacity(sums), opaque);
            let is_clear = _mm256_cmpeq_epi32(opacity(levels), zero);
            let colours = _mm256_andnot_si256(is_clear, _mm256_blendv_epi8(shares, levels, is_opaque));
            straights[k] = with_opacity_of(colours, levels);
            filtereds[k] = with_opacity_of(_mm256_blendv_epi8(levels, shares, is_beyond), levels);
        }
        store(filtered, packed(filtereds));
        store(straight, packed(straights));
    }
}

/// Numbers clamped to bytes, in their order.
#[target_feature(enable = "avx2")]
#[inline]
fn packed(fours: [__m256i; 4]) -> __m256i {
    let upper = _mm256_packs_epi32(fours[0], fours[1]);
    let lower = _mm256_packs_epi32(fours[2], fours[3]);
    // Undoes the order in which packing leaves fours of samples.
    let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    _mm256_permutevar8x32_epi32(_mm256_packus_epi16(upper, lower), order)
}
