//! RGB into the planes that JPEG takes: full-range Y, Cb and Cr as in JFIF (ITU-T T.871, 6.2). Each sample is
//! the equation's value rounded once, exactly.

use super::jpeg::{Chroma, Planes, Sampling};
use crate::image::Size;

/// A picture's planes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ycbcr {
    /// The picture's size.
    pub size: Size,
    /// Y, of that size.
    pub luma: Vec<u8>,
    /// How large Cb and Cr are.
    pub sampling: Sampling,
    /// Cb and Cr.
    pub chroma: [Vec<u8>; 2],
}

impl Ycbcr {
    /// Converts interleaved RGB. A chroma sample is that of the mean of the pixels it covers: where chroma is
    /// halved four, or fewer at an odd right or lower edge.
    ///
    /// # Panics
    /// If a side is 0, or `rgb` does not hold three samples a pixel.
    pub fn from_rgb(size: Size, rgb: &[u8], sampling: Sampling) -> Ycbcr {
        assert!(size.pixels() > 0 && rgb.len() as u64 == size.pixels() * 3, "{size}, {} samples", rgb.len());
        let luma = rgb.as_chunks().0.iter().map(luma).collect();
        let mut chroma = [(); 2].map(|()| Vec::with_capacity(sampling.of(size).pixels() as usize));
        match sampling {
            Sampling::Full => full(rgb, &mut chroma),
            Sampling::Halved => halved(rgb, size.width as usize * 3, &mut chroma),
        }
        Ycbcr { size, luma, sampling, chroma }
    }

    /// As the encoder takes them.
    pub fn planes(&self) -> Planes<'_> {
        let chroma = Chroma { sampling: self.sampling, planes: [&self.chroma[0], &self.chroma[1]] };
        Planes { size: self.size, luma: &self.luma, chroma: Some(chroma) }
    }
}

/// Y = 0.299 R + 0.587 G + 0.114 B. In units of 2^-22 the factors are off by at most half, the sum by
/// 1/10,000; two different values are 1/1000 apart, and a tie is brought across by the last term.
fn luma(&[r, g, b]: &[u8; 3]) -> u8 {
    const ONE: f64 = (1 << 22) as f64;
    const R: u32 = (0.299 * ONE + 0.5) as u32;
    const G: u32 = (0.587 * ONE + 0.5) as u32;
    const B: u32 = (0.114 * ONE + 0.5) as u32;
    const HALF: u32 = (1 << 21) + (0.0005 * ONE) as u32;
    ((u32::from(r) * R + u32::from(g) * G + u32::from(b) * B + HALF) >> 22) as u8
}

fn full(rgb: &[u8], chroma: &mut [Vec<u8>; 2]) {
    for pixel in rgb.as_chunks::<3>().0 {
        let [cb, cr] = chroma_of_four(pixel.map(|sample| 4 * i32::from(sample)));
        chroma[0].push(cb);
        chroma[1].push(cr);
    }
}

/// Of rows of `row` samples.
fn halved(rgb: &[u8], row: usize, chroma: &mut [Vec<u8>; 2]) {
    for rows in rgb.chunks(2 * row) {
        // The last row of an odd number pairs with itself.
        let (upper, lower) = rows.split_at(row);
        subsample(upper, if lower.is_empty() { upper } else { lower }, chroma);
    }
}

fn subsample(upper: &[u8], lower: &[u8], chroma: &mut [Vec<u8>; 2]) {
    let pixels = |row: &'_ [u8]| -> [i32; 6] {
        // The last pixel of an odd number pairs with itself.
        let pair = if row.len() == 3 { [row, row] } else { [&row[..3], &row[3..]] };
        std::array::from_fn(|i| i32::from(pair[i / 3][i % 3]))
    };
    for (upper, lower) in upper.chunks(6).zip(lower.chunks(6)) {
        let (upper, lower) = (pixels(upper), pixels(lower));
        let sums: [i32; 3] = std::array::from_fn(|c| upper[c] + upper[c + 3] + lower[c] + lower[c + 3]);
        let [cb, cr] = chroma_of_four(sums);
        chroma[0].push(cb);
        chroma[1].push(cr);
    }
}

/// Cb = (−0.299 R − 0.587 G + 0.886 B) / 1.772 + 128 and Cr = (0.701 R − 0.587 G − 0.114 B) / 1.402 + 128
/// of the mean of four pixels, given their sums.
fn chroma_of_four([r, g, b]: [i32; 3]) -> [u8; 2] {
    let cb = rounded(-299 * r - 587 * g + 886 * b, 4 * 1772);
    let cr = rounded(701 * r - 587 * g - 114 * b, 4 * 1402);
    [cb, cr]
}

/// `numerator` / `denominator` + 128, to the nearest, ties up. Only full blue or red exceeds 255, by a
/// tie that T.871 clamps.
fn rounded(numerator: i32, denominator: i32) -> u8 {
    // Never negative: the fraction is at least −127.5.
    let value = (numerator + 128 * denominator + denominator / 2) as u32 / denominator as u32;
    value.min(255) as u8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn grid() -> impl Iterator<Item = [u8; 3]> {
        // Steps that share no factor with the equations' decimals, and both ends.
        let steps = || (0..=255u8).step_by(7).chain([1, 127, 128, 254, 255]);
        steps().flat_map(move |r| steps().flat_map(move |g| steps().map(move |b| [r, g, b])))
    }

    #[test]
    fn luma_is_the_equation_rounded_once() {
        for [r, g, b] in grid() {
            let thousandths = 299 * u32::from(r) + 587 * u32::from(g) + 114 * u32::from(b);
            assert_eq!(u32::from(luma(&[r, g, b])), (thousandths + 500) / 1000, "{r} {g} {b}");
        }
    }

    #[test]
    fn chroma_is_the_equation_rounded_once() {
        for pixel in grid() {
            let [r, g, b] = pixel.map(f64::from);
            let y = 0.299 * r + 0.587 * g + 0.114 * b;
            let exact = [(b - y) / 1.772 + 128.0, (r - y) / 1.402 + 128.0];
            let got = chroma_of_four(pixel.map(|s| 4 * i32::from(s)));
            for (got, exact) in got.iter().zip(exact) {
                assert!(
                    (f64::from(*got) - exact.min(255.0)).abs() <= 0.5 + 1e-9,
                    "{pixel:?}: {got}, {exact}"
                );
            }
        }
    }

    #[test]
    fn known_colours() {
        let planes = |rgb: [u8; 3]| {
            let planes = Ycbcr::from_rgb(Size { width: 1, height: 1 }, &rgb, Sampling::Full);
            [planes.luma[0], planes.chroma[0][0], planes.chroma[1][0]]
        };
        assert_eq!(planes([0, 0, 0]), [0, 128, 128]);
        assert_eq!(planes([255, 255, 255]), [255, 128, 128]);
        assert_eq!(planes([255, 0, 0]), [76, 85, 255]);
        assert_eq!(planes([0, 255, 0]), [150, 44, 21]);
        assert_eq!(planes([0, 0, 255]), [29, 255, 107]);
    }

    proptest! {
        #[test]
        fn planes_have_their_sizes_and_a_constant_picture_is_constant(
            width in 1u32..9, height in 1u32..9, pixel: [u8; 3],
        ) {
            let size = Size { width, height };
            for sampling in [Sampling::Full, Sampling::Halved] {
                let planes = Ycbcr::from_rgb(size, &pixel.repeat(size.pixels() as usize), sampling);
                let of_one = Ycbcr::from_rgb(Size { width: 1, height: 1 }, &pixel, sampling);
                let samples = sampling.of(size).pixels() as usize;
                prop_assert_eq!(planes.luma, vec![of_one.luma[0]; size.pixels() as usize]);
                for c in 0..2 {
                    prop_assert_eq!(&planes.chroma[c], &vec![of_one.chroma[c][0]; samples]);
                }
            }
        }
    }

    #[test]
    fn a_chroma_sample_is_of_the_mean_of_what_it_covers() {
        let (red, blue) = ([255, 0, 0], [0, 0, 255]);
        let rgb = [red, blue, red, blue, red, red].concat();
        let planes = Ycbcr::from_rgb(Size { width: 3, height: 2 }, &rgb, Sampling::Halved);
        let of = |r, b| chroma_of_four([255 * r, 0, 255 * b]);
        for (c, plane) in planes.chroma.iter().enumerate() {
            assert_eq!(*plane, [of(2, 2)[c], of(4, 0)[c]]);
        }
    }
}
