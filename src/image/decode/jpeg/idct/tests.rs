use std::f64::consts::{FRAC_1_SQRT_2, PI};

use proptest::prelude::*;

use super::*;
use crate::image::encode::tables::ZIGZAG;

const STRIDE: usize = 16;

/// By the definition: N × N samples of a picture that has the block's N × N lowest frequencies.
fn reference(n: usize, coefficients: &[i16; 64], quantisers: &Quantisers) -> Vec<f64> {
    let c = |k: usize| if k == 0 { FRAC_1_SQRT_2 } else { 1.0 };
    let cosine = |x: usize, u: usize| ((2 * x + 1) as f64 * u as f64 * PI / (2 * n) as f64).cos();
    let value = |u: usize, v: usize| {
        let k = ZIGZAG.iter().position(|&place| usize::from(place) == v * 8 + u).unwrap();
        f64::from(coefficients[k]) * f64::from(quantisers[k])
    };
    let sample = |x: usize, y: usize| {
        let terms = (0..n * n).map(|i| (i % n, i / n));
        let sum: f64 = terms.map(|(u, v)| c(u) * c(v) * value(u, v) * cosine(x, u) * cosine(y, v)).sum();
        (sum / 4.0 + 128.0).clamp(0.0, 255.0)
    };
    (0..n * n).map(|i| sample(i % n, i / n)).collect()
}

/// Coefficients in zigzag order as a block of `scale`.
fn placed(scale: Scale, coefficients: &[i16; 64]) -> Block {
    let mut block = [0; 128];
    for (&place, &value) in scale.places().iter().zip(coefficients) {
        block[usize::from(place)] = value;
    }
    block
}

fn samples(inverse: &Inverse, block: &Block) -> Vec<u8> {
    let mut out = [7; STRIDE * 8];
    inverse.block(block, &mut out, STRIDE);
    let n = inverse.scale.side();
    out.chunks(STRIDE).take(n).flat_map(|row| row[..n].to_vec()).collect()
}

/// Coefficients as pictures have them, few of them large.
fn coefficients() -> impl Strategy<Value = [i16; 64]> {
    let one = prop_oneof![3 => Just(0i16), 3 => -20i16..20, 1 => -1024i16..1024];
    proptest::collection::vec(one, 64).prop_map(|all| all.try_into().unwrap())
}

proptest! {
    #[test]
    fn every_scale_is_the_definition_rounded(
        coefficients in coefficients(), quantisers: [u8; 64], coarse: bool,
    ) {
        let quantisers = quantisers.map(|q| if coarse { u16::from(q) } else { 1 + u16::from(q) % 16 });
        for scale in Scale::ALL {
            let inverse = Inverse::with(Kernel::Scalar, scale, &quantisers);
            let got = samples(&inverse, &placed(scale, &coefficients));
            let exact = reference(scale.side(), &coefficients, &quantisers);
            for (got, exact) in got.iter().zip(exact) {
                prop_assert!((f64::from(*got) - exact).abs() < 0.51, "{scale:?}: {got} for {exact}");
            }
        }
    }

    #[test]
    fn every_kernel_gives_the_same_bits(coefficients: [i16; 64], tame in coefficients(), quantisers: [u16; 64], wild: bool) {
        let (coefficients, quantisers) =
            if wild { (coefficients, quantisers) } else { (tame, quantisers.map(|q| q % 256)) };
        for scale in Scale::ALL {
            let block = placed(scale, &coefficients);
            let scalar = samples(&Inverse::with(Kernel::Scalar, scale, &quantisers), &block);
            prop_assert_eq!(scalar, samples(&Inverse::new(scale, &quantisers), &block), "{:?}", scale);
        }
    }

    #[test]
    fn two_blocks_side_by_side_are_what_each_alone_is(
        coefficients: [i16; 64], tame in coefficients(), quantisers: [u8; 64],
    ) {
        for scale in Scale::ALL {
            let n = scale.side();
            let blocks = [placed(scale, &coefficients), placed(scale, &tame)];
            for kernel in [Kernel::Scalar, Kernel::best()] {
                let inverse = Inverse::with(kernel, scale, &quantisers.map(u16::from));
                let mut out = [7; STRIDE * 8];
                inverse.pair(&blocks, &mut out, STRIDE);
                for (half, block) in blocks.iter().enumerate() {
                    let rows = out.chunks(STRIDE).take(n);
                    let got: Vec<u8> = rows.flat_map(|row| row[half * n..][..n].to_vec()).collect();
                    prop_assert_eq!(got, samples(&inverse, block), "{:?}", scale);
                }
            }
        }
    }

    #[test]
    fn a_block_of_dc_alone_is_flat_and_rounded_half_up(dc: i16, quantiser in 1u16..) {
        let level = ((f64::from(dc) * f64::from(quantiser) / 8.0 + 128.5).floor()).clamp(0.0, 255.0) as u8;
        for scale in Scale::ALL {
            let inverse = Inverse::new(scale, &[quantiser; 64]);
            let mut block = [0; 128];
            block[0] = dc;
            prop_assert!(samples(&inverse, &block).iter().all(|&sample| sample == level));
            let mut out = [0; STRIDE * 8];
            inverse.flat(dc, &mut out, STRIDE);
            prop_assert!(out[..scale.side()].iter().all(|&sample| sample == level), "{} for {}", out[0], level);
        }
    }
}

#[test]
#[should_panic(expected = "room for the block")]
fn a_block_is_not_written_where_it_does_not_fit() {
    let inverse = Inverse::new(Scale::Eight, &[1; 64]);
    inverse.block(&[0; 128], &mut [0; STRIDE * 7 + 7], STRIDE);
}
