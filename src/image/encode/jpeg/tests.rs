use std::io::Cursor;

use proptest::prelude::*;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::super::ycbcr::Ycbcr;
use super::*;

fn grey(size: Size, sample: impl Fn(u32, u32) -> u8) -> Vec<u8> {
    (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y))).map(|(x, y)| sample(x, y)).collect()
}

/// The picture as an independent decoder sees it.
fn decode(file: &[u8], colour: ColorSpace) -> (Size, Vec<u8>) {
    let options = DecoderOptions::default().jpeg_set_out_colorspace(colour).set_strict_mode(true);
    let mut decoder = JpegDecoder::new_with_options(Cursor::new(file), options);
    let samples = decoder.decode().unwrap();
    let (width, height) = decoder.dimensions().unwrap();
    (Size { width: width as u32, height: height as u32 }, samples)
}

/// Both encoders.
const ENCODERS: [fn(&Planes<'_>, u8, &mut Vec<u8>); 2] = [encode, encode_small];

fn encoded(encode: fn(&Planes<'_>, u8, &mut Vec<u8>), planes: &Planes<'_>, quality: u8) -> Vec<u8> {
    let mut out = Vec::new();
    encode(planes, quality, &mut out);
    out
}

/// The files that both encoders make of one plane.
fn encode_grey(size: Size, luma: &[u8], quality: u8) -> [Vec<u8>; 2] {
    ENCODERS.map(|encode| encoded(encode, &Planes { size, luma, chroma: None }, quality))
}

fn encode_rgb(size: Size, rgb: &[u8], quality: u8) -> [Vec<u8>; 2] {
    ENCODERS.map(|encode| encoded(encode, &Ycbcr::from_rgb(size, rgb, Sampling::Halved).planes(), quality))
}

fn psnr(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    let errors: f64 = a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum();
    10.0 * (255.0 * 255.0 * a.len() as f64 / errors.max(1e-9)).log10()
}

fn size(width: u32, height: u32) -> Size {
    Size { width, height }
}

/// Shapes and detail, smooth enough for JPEG to do well.
fn scene(x: u32, y: u32) -> u8 {
    let (x, y) = (f64::from(x), f64::from(y));
    let edge = if (x - 60.0).hypot(y - 40.0) < 30.0 { 50.0 } else { 0.0 };
    (110.0 + 40.0 * (x / 13.0).sin() + 30.0 * (y / 9.0 + x / 50.0).cos() + edge) as u8
}

#[test]
fn every_small_size_decodes_to_what_it_was() {
    for (width, height) in (1..=40).flat_map(|w| (1..=40).map(move |h| (w, h))) {
        let size = size(width, height);
        let luma = grey(size, scene);
        for file in encode_grey(size, &luma, 95) {
            let (got, samples) = decode(&file, ColorSpace::Luma);
            assert_eq!(got, size);
            let quality = psnr(&samples, &luma);
            assert!(quality > 39.0, "{size} grey: {quality} dB");
        }

        let rgb: Vec<u8> = luma.iter().flat_map(|&s| [s, s / 2 + 60, 200 - s / 2]).collect();
        for file in encode_rgb(size, &rgb, 95) {
            let (got, samples) = decode(&file, ColorSpace::RGB);
            assert_eq!(got, size);
            let quality = psnr(&samples, &rgb);
            assert!(quality > 28.0, "{size} colour: {quality} dB");
        }
    }
}

#[test]
fn quality_buys_fidelity() {
    let size = size(200, 150);
    let luma = grey(size, scene);
    for encode in ENCODERS {
        let at = |quality| {
            let file = encoded(encode, &Planes { size, luma: &luma, chroma: None }, quality);
            (file.len(), psnr(&decode(&file, ColorSpace::Luma).1, &luma))
        };
        let steps = [1, 10, 30, 50, 80, 95, 100].map(at);
        assert!(steps.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1), "{steps:?}");
        assert!(steps[6].1 > 55.0, "{steps:?}");
    }
}

#[test]
fn a_constant_picture_stays_constant() {
    for value in [0, 1, 127, 128, 254, 255] {
        let size = size(37, 21);
        let luma = vec![value; 37 * 21];
        for file in encode_grey(size, &luma, 100) {
            let (_, samples) = decode(&file, ColorSpace::Luma);
            assert!(samples.iter().all(|s| s.abs_diff(value) <= 1), "{value}");
        }
    }
}

#[test]
fn extreme_content_survives_at_any_quality() {
    let size = size(64, 48);
    let checks: [fn(u32, u32) -> u8; 4] = [
        |x, y| if (x + y) % 2 == 0 { 255 } else { 0 },
        |x, _| if x.div_ceil(2) % 2 == 0 { 255 } else { 0 },
        |x, y| if (x / 8 + y / 8) % 2 == 0 { 255 } else { 0 },
        |x, y| {
            (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(2_246_822_519)).wrapping_mul(97).to_be_bytes()[0]
        },
    ];
    for check in checks {
        let luma = grey(size, check);
        for file in encode_grey(size, &luma, 100) {
            let (_, samples) = decode(&file, ColorSpace::Luma);
            let quality = psnr(&samples, &luma);
            assert!(quality > 45.0, "{quality} dB");
        }
        for file in [1, 25, 75].into_iter().flat_map(|quality| encode_grey(size, &luma, quality)) {
            assert_eq!(decode(&file, ColorSpace::Luma).0, size);
        }
    }
}

#[test]
fn the_longest_sides_can_be_written() {
    for size in [size(MAX_SIDE, 1), size(1, MAX_SIDE)] {
        let luma = grey(size, |x, y| ((x + y) / 100) as u8);
        for (file, frame) in encode_grey(size, &luma, 80).iter().zip([SOF0, SOF2]) {
            assert_eq!(file[file.len() - 2..], [0xff, EOI]);
            let frame = file.windows(2).position(|pair| pair == [0xff, frame]).unwrap();
            let side = |at: usize| u32::from(u16::from_be_bytes([file[frame + at], file[frame + at + 1]]));
            assert_eq!((side(7), side(5)), (size.width, size.height));
        }
    }
}

/// The markers of a file's segments, those between scans too.
fn markers(file: &[u8]) -> Vec<u8> {
    let (mut markers, mut at) = (Vec::new(), 2);
    while file[at + 1] != EOI {
        markers.push(file[at + 1]);
        at += 2 + usize::from(u16::from_be_bytes([file[at + 2], file[at + 3]]));
        // Behind a scan's header are coded bits, up to the next marker.
        while file[at] != 0xff || file[at + 1] == 0 {
            at += 1;
        }
    }
    assert_eq!(at, file.len() - 2);
    markers
}

#[test]
fn a_file_is_appended_and_holds_no_metadata() {
    let planes = Planes { size: size(8, 8), luma: &[9; 64], chroma: None };
    for (encode, expected) in ENCODERS
        .into_iter()
        .zip([&[APP0, DQT, SOF0, DHT, DHT, SOS][..], &[APP0, DQT, SOF2, DHT, SOS, DHT, SOS, DHT, SOS]])
    {
        let mut out = b"before".to_vec();
        encode(&planes, 80, &mut out);
        assert_eq!(out[..6], *b"before");
        assert_eq!(markers(&out[6..]), expected);
    }
}

#[test]
fn less_time_is_more_bytes() {
    let size = size(200, 150);
    let rgb: Vec<u8> = grey(size, |x, y| scene(x, y) ^ (x * y) as u8 & 15)
        .into_iter()
        .flat_map(|s| [s, s / 2, 255 - s])
        .collect();
    let [fast, small] = encode_rgb(size, &rgb, 80);
    let [of_fast, of_small] = [&fast, &small].map(|file| psnr(&decode(file, ColorSpace::RGB).1, &rgb));
    assert!(small.len() * 10 < fast.len() * 9, "{} of {} bytes", small.len(), fast.len());
    assert!(of_small > of_fast - 1.5, "{of_small} dB, fast {of_fast}");
}

#[test]
fn bands_end_in_runs_of_any_length() {
    // 65,536 blocks, of which one behind more than a symbol can say the end of has a picture: it must stand there.
    let size = size(2048, 2048);
    let textured = |x: u32, y: u32| x / 8 == 2 && y / 8 == 130;
    let luma = grey(size, |x, y| if textured(x, y) { 40 + (x * 37 + y * 91) as u8 % 160 } else { 77 });
    let [_, file] = encode_grey(size, &luma, 95);
    assert!(file.len() < 9_000, "{} bytes", file.len());
    let (_, samples) = decode(&file, ColorSpace::Luma);
    for (at, (got, sample)) in (0u32..).zip(samples.iter().zip(&luma)) {
        let bound = if textured(at % 2048, at / 2048) { 24 } else { 1 };
        assert!(got.abs_diff(*sample) <= bound, "{got} for {sample} at {} × {}", at % 2048, at / 2048);
    }
}

#[test]
#[should_panic(expected = "chroma samples")]
fn a_plane_of_another_size_is_refused() {
    encode(
        &Planes {
            size: size(3, 3),
            luma: &[0; 9],
            chroma: Some(Chroma { sampling: Sampling::Halved, planes: [&[0; 4], &[0; 9]] }),
        },
        80,
        &mut Vec::new(),
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_planes_at_any_quality_decode_to_their_size(
        width in 1u32..70, height in 1u32..70, quality: u8, seed: u32, coarse in 1u32..20,
    ) {
        let size = size(width, height);
        let noise = |x: u32, y: u32| {
            let n = (x / coarse).wrapping_mul(374_761_393) ^ (y / coarse).wrapping_mul(668_265_263) ^ seed;
            (n ^ n >> 13).wrapping_mul(1_274_126_177).to_be_bytes()[1]
        };
        let luma = grey(size, noise);
        for sampling in [Sampling::Full, Sampling::Halved] {
            let of_chroma = sampling.of(size);
            let (cb, cr) = (grey(of_chroma, |x, y| noise(y, x)), grey(of_chroma, |x, y| !noise(x, y)));
            let chroma = Some(Chroma { sampling, planes: [&cb, &cr] });
            for encode in ENCODERS {
                let file = encoded(encode, &Planes { size, luma: &luma, chroma }, quality);
                let (got, samples) = decode(&file, ColorSpace::YCbCr);
                prop_assert_eq!(got, size);
                if quality >= 90 {
                    let of = |c| samples.iter().skip(c).step_by(3).copied().collect::<Vec<u8>>();
                    prop_assert!(psnr(&of(0), &luma) > 30.0);
                    if sampling == Sampling::Full {
                        prop_assert!(psnr(&of(1), &cb) > 26.0 && psnr(&of(2), &cr) > 26.0);
                    }
                }
            }
        }
    }
}
