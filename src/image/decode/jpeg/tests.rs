//! The decoder against zune-jpeg, which knows nothing of it, and at each scale against itself at full size.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use zune_jpeg::zune_core::options::DecoderOptions;
use zune_jpeg::{JpegDecoder, RawImcuRowStatus};

use super::scale::Scale;
use super::stream::{Stream, read};
use super::*;
use crate::image::pictures::{self, bytes as file};
use crate::image::{Color, Detail, Layout};

/// A sink that wants a scale, and keeps all.
struct Kept {
    scale: Scale,
    layout: Option<Layout>,
    planes: Vec<Vec<u8>>,
}

impl Sink for Kept {
    fn takes_inks(&self) -> bool {
        true
    }

    fn detail(&self, size: Size) -> Detail {
        // As much as makes luma of full sampling come at that scale, and chroma too, whatever its sampling.
        let least = |side: u32| (u64::from(side) * self.scale.side() as u64 / 8) as u32;
        let size = Size { width: least(size.width), height: least(size.height) };
        Detail { chroma: size, luma: size }
    }

    fn start(&mut self, layout: &Layout) -> Result<(), Error> {
        self.planes = vec![Vec::new(); layout.planes.len()];
        self.layout = Some(layout.clone());
        Ok(())
    }

    fn row(&mut self, plane: usize, samples: &[u8]) -> Result<(), Error> {
        self.planes[plane].extend_from_slice(samples);
        Ok(())
    }
}

fn kept(bytes: &[u8], scale: Scale) -> Result<Kept, Error> {
    let mut kept = Kept { scale, layout: None, planes: Vec::new() };
    decode(bytes, read(bytes)?.frame.size, &mut kept)?;
    for (plane, samples) in kept.layout.iter().flat_map(|layout| &layout.planes).zip(&kept.planes) {
        assert_eq!(samples.len() as u64, plane.size.pixels() * plane.channels as u64, "rows lack");
    }
    Ok(kept)
}

/// All JPEG files that decode.
fn sound() -> impl Iterator<Item = (String, Vec<u8>)> {
    let pictures = pictures::all().into_iter().map(|picture| (picture.name, picture.bytes));
    pictures.filter(|(name, bytes)| name.ends_with(".jpg") && kept(bytes, Scale::One).is_ok())
}

mod peer {
    use super::*;

    /// All ones, stuffed: no Huffman code, so that zune-jpeg fails where data lack, and does not make them up.
    const ENDING: [u8; 32] = {
        let mut ending = [0; 32];
        let mut i = 0;
        while i < 32 {
            ending[i] = 0xFF;
            i += 2;
        }
        ending
    };

    fn segment(out: &mut Vec<u8>, marker: u8, body: &[u8]) {
        out.extend_from_slice(&[0xFF, marker]);
        out.extend_from_slice(&(body.len() as u16 + 2).to_be_bytes());
        out.extend_from_slice(body);
    }

    /// What was read of a file, as a file of its frame, tables and scans alone.
    pub fn written(stream: &Stream<'_>) -> Vec<u8> {
        let mut out = vec![0xFF, 0xD8];
        let frame = &stream.frame;
        let mut header = vec![8];
        header.extend_from_slice(&(frame.size.height as u16).to_be_bytes());
        header.extend_from_slice(&(frame.size.width as u16).to_be_bytes());
        header.push(frame.components.len() as u8);
        for (index, (c, quantisers)) in frame.components.iter().zip(&stream.quantisers).enumerate() {
            let values = quantisers.iter().flat_map(|q| q.to_be_bytes());
            segment(&mut out, 0xDB, &[0x10 | index as u8].into_iter().chain(values).collect::<Vec<_>>());
            header.extend_from_slice(&[index as u8 + 1, (c.h << 4 | c.v) as u8, index as u8]);
        }
        segment(&mut out, if frame.progressive { 0xC2 } else { 0xC1 }, &header);
        for scan in &stream.scans {
            let mut parts = vec![scan.header.parts.len() as u8];
            for (index, part) in scan.header.parts.iter().enumerate() {
                for (class, specs) in [(0, &scan.dc), (0x10, &scan.ac)] {
                    if let Some(spec) = &specs[index] {
                        segment(&mut out, 0xC4, &[&[class | index as u8], &spec.body()[..]].concat());
                    }
                }
                parts.extend_from_slice(&[part.component as u8 + 1, (index << 4 | index) as u8]);
            }
            segment(&mut out, 0xDD, &(scan.restart_interval as u16).to_be_bytes());
            let header = &scan.header;
            let high = if header.refines { header.low as u8 + 1 } else { 0 };
            parts.extend_from_slice(&[
                *header.band.start() as u8,
                *header.band.end() as u8,
                high << 4 | header.low as u8,
            ]);
            segment(&mut out, 0xDA, &parts);
            out.extend_from_slice(scan.data);
            out.extend_from_slice(&ENDING);
        }
        out.extend_from_slice(&[0xFF, 0xD9]);
        out
    }

    /// Planes of components as zune-jpeg decodes them.
    pub fn planes(stream: &Stream<'_>) -> Result<Vec<Vec<u8>>, String> {
        let options = DecoderOptions::default()
            .set_max_width(65_535)
            .set_max_height(65_535)
            .set_strict_mode(stream.frame.progressive);
        let bytes = written(stream);
        let mut decoder = JpegDecoder::new_with_options(std::io::Cursor::new(&bytes), options);
        decoder.decode_headers().map_err(|e| format!("{e:?}"))?;
        let count = stream.frame.components.len();
        let mut session = decoder.raw_output();
        let layout = session.layout().ok_or("no layout")?;
        let strides: Vec<usize> = layout[..count].iter().map(|plane| plane.width).collect();
        let mut stripe: Vec<Vec<u8>> = layout[..count]
            .iter()
            .map(|plane| vec![0; plane.width * plane.vertical_sampling_factor * 8])
            .collect();
        let mut planes = vec![Vec::new(); count];
        loop {
            let mut into: Vec<&mut [u8]> = stripe.iter_mut().map(Vec::as_mut_slice).collect();
            match session.decode_next_imcu_row(&mut into, &strides).map_err(|e| format!("{e:?}"))? {
                RawImcuRowStatus::RowReady { rows_written } => {
                    for (i, plane) in planes.iter_mut().enumerate() {
                        plane.extend_from_slice(&stripe[i][..strides[i] * rows_written[i]]);
                    }
                }
                RawImcuRowStatus::NeedMoreInput => return Err("more input".to_owned()),
                _ => return Ok(planes),
            }
        }
    }

    /// Whether zune-jpeg is known to decode such a file wrong, or not at all, where this decoder does.
    pub fn knows(stream: &Stream<'_>) -> bool {
        let frame = &stream.frame;
        let partly = stream.scans.iter().any(|scan| {
            let parts = &scan.header.parts;
            let subsampled = parts.iter().any(|part| {
                let c = &frame.components[part.component];
                c.h * c.v > 1
            });
            !frame.progressive && parts.len() > 1 && parts.len() < frame.components.len() && subsampled
        });
        !partly && frame.components.iter().all(|c| c.h != 3)
    }
}

/// The planes of components, of a picture that stays in planes.
fn ours(bytes: &[u8]) -> Result<Option<Vec<Vec<u8>>>, Error> {
    let kept = kept(bytes, Scale::Eight)?;
    let planar = matches!(kept.layout.map(|layout| layout.color), Some(Color::Grey | Color::YCbCr));
    Ok(planar.then_some(kept.planes))
}

fn most(a: &[u8], b: &[u8]) -> u8 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0)
}

#[test]
fn at_full_size_samples_are_the_peers() {
    let mut compared = 0;
    for (name, bytes) in sound() {
        let stream = read(&bytes).unwrap();
        if let Some(ours) = ours(&bytes).unwrap() {
            let theirs = peer::planes(&stream).unwrap_or_else(|e| panic!("{name}: {e}"));
            for (ours, theirs) in ours.iter().zip(&theirs) {
                assert!(most(ours, theirs) <= 2, "{name}: {}", most(ours, theirs));
            }
            compared += 1;
        }
    }
    assert!(compared >= 30, "{compared} pictures");
}

/// By the definition: the N × N lowest frequencies of 8 × 8 samples as N × N.
fn scaled(n: usize, samples: &[[u8; 8]; 8]) -> Vec<f64> {
    let c = |k: usize| if k == 0 { FRAC_1_SQRT_2 } else { 1.0 };
    let cosine = |x: usize, u: usize, n: usize| ((2 * x + 1) as f64 * u as f64 * PI / (2 * n) as f64).cos();
    let coefficient = |i: usize| {
        let (u, v) = (i % n, i / n);
        let terms = (0..64).map(|j| (j % 8, j / 8));
        terms.map(|(x, y)| f64::from(samples[y][x]) * cosine(x, u, 8) * cosine(y, v, 8)).sum::<f64>()
            * c(u)
            * c(v)
            / 4.0
    };
    let coefficients: Vec<f64> = (0..n * n).map(coefficient).collect();
    let sample = |i: usize| {
        let terms = coefficients.iter().enumerate().map(|(j, f)| (j % n, j / n, f));
        let sum: f64 =
            terms.map(|(u, v, f)| c(u) * c(v) * f * cosine(i % n, u, n) * cosine(i / n, v, n)).sum();
        sum / 4.0
    };
    (0..n * n).map(sample).collect()
}

#[test]
fn at_each_scale_blocks_are_those_of_full_size_made_smaller() {
    for name in ["baseline-444.jpg", "progressive-444.jpg", "grey.jpg"] {
        let whole = kept(&file(name), Scale::Eight).unwrap();
        let Size { width, height } = whole.layout.as_ref().unwrap().size;
        for scale in Scale::ALL {
            let small = kept(&file(name), scale).unwrap();
            let n = scale.side();
            let columns = small.layout.as_ref().unwrap().planes[0].size.width as usize;
            assert_eq!(columns, (width as usize * n).div_ceil(8));
            for (plane, small) in whole.planes.iter().zip(&small.planes) {
                for (x, y) in
                    (0..height as usize / 8).flat_map(|y| (0..width as usize / 8).map(move |x| (x, y)))
                {
                    let block = std::array::from_fn(|row| {
                        let start = (y * 8 + row) * width as usize + x * 8;
                        *plane[start..].first_chunk::<8>().unwrap()
                    });
                    // Where samples were cut off at the ends of the range, what was cut off is not known.
                    if block.as_flattened().iter().any(|sample| matches!(sample, 0 | 255)) {
                        continue;
                    }
                    for (i, exact) in scaled(n, &block).into_iter().enumerate() {
                        let got = small[(y * n + i / n) * columns + x * n + i % n];
                        // Half a level by rounding at either size, and what the eight of a row sum to.
                        assert!((f64::from(got) - exact).abs() < 1.5, "{name} {scale:?}: {got} for {exact}");
                    }
                }
            }
        }
    }
}

#[test]
fn at_each_scale_the_order_of_coefficients_changes_nothing() {
    for scale in Scale::ALL {
        for (name, same) in [
            ("progressive-420.jpg", "optimised-420.jpg"),
            ("progressive-restarts.jpg", "optimised-420.jpg"),
            ("three-scans.jpg", "baseline-420.jpg"),
            ("restarts-420.jpg", "baseline-420.jpg"),
        ] {
            let [a, b] = [name, same].map(|name| kept(&file(name), scale).unwrap());
            assert!(a.layout == b.layout && a.planes == b.planes, "{name} and {same}, {scale:?}");
        }
    }
}

#[test]
fn one_row_of_units_in_several_scans_is_one_row() {
    // Rows behind the sixteenth are in the file still, and not looked at.
    let [a, b] = ["three-scans.jpg", "baseline-420.jpg"].map(|name| {
        let mut bytes = file(name);
        let frame = memchr::memmem::find(&bytes, &[0xFF, 0xC0]).unwrap();
        bytes[frame + 5..frame + 7].copy_from_slice(&[0, 16]);
        kept(&bytes, Scale::Eight).unwrap()
    });
    assert_eq!(a.planes[0].len(), 125 * 16);
    assert!(a.layout == b.layout && a.planes == b.planes);
}

#[test]
fn chroma_has_a_scale_of_its_own() {
    struct Wants(Detail, Vec<(u32, u32, f64)>);
    impl Sink for Wants {
        fn detail(&self, _: Size) -> Detail {
            self.0
        }
        fn start(&mut self, layout: &Layout) -> Result<(), Error> {
            self.1 = layout.planes.iter().map(|p| (p.size.width, p.size.height, p.ratio.0)).collect();
            Ok(())
        }
        fn row(&mut self, _: usize, _: &[u8]) -> Result<(), Error> {
            Ok(())
        }
    }
    let bytes = file("baseline-420.jpg");
    let size = read(&bytes).unwrap().frame.size;
    let detail = |luma: u32, chroma: u32| Detail {
        luma: Size { width: luma, height: 1 },
        chroma: Size { width: chroma, height: 1 },
    };
    for (detail, luma, chroma) in [
        (detail(60, 30), (63, 42, 2.0), (32, 21, 4.0)),
        (detail(60, 60), (63, 42, 2.0), (63, 42, 2.0)),
        (detail(1, 1), (16, 11, 8.0), (8, 6, 16.0)),
        (detail(125, 20), (125, 83, 1.0), (24, 16, 16.0 / 3.0)),
    ] {
        let mut wants = Wants(detail, Vec::new());
        decode(&bytes, size, &mut wants).unwrap();
        assert_eq!(wants.1, [luma, chroma, chroma], "{detail:?}");
    }
}

/// Whether a segment follows such a marker nobody can know: stripping takes it for data.
#[test]
fn a_marker_that_there_is_not_is_refused_between_scans() {
    let mut bytes = file("progressive-420.jpg");
    let scan = memchr::memmem::find_iter(&bytes, &[0xFF, 0xDA]).nth(1).unwrap();
    bytes.splice(scan..scan, [0xFF, 0x04, 0, 4, 0, 0]);
    assert!(matches!(read(&bytes), Err(Error::Corrupt(_))));
}

/// A file with some bytes changed, taken out or put in.
fn mutated() -> impl Strategy<Value = (String, Vec<u8>)> {
    let files: Vec<(String, Vec<u8>)> = sound().filter(|(_, bytes)| bytes.len() < 20_000).collect();
    let edits = proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..6u8), 1..5);
    (proptest::sample::select(files), edits).prop_map(|((name, mut bytes), edits)| {
        for (index, value, kind) in edits {
            let at = index.index(bytes.len());
            match kind {
                0 => drop(bytes.remove(at)),
                1 => bytes.insert(at, value),
                2 => bytes.truncate(at.max(2)),
                3 => bytes[at] ^= 1 << (value & 7),
                _ => bytes[at] = value,
            }
            if bytes.is_empty() {
                bytes.push(0xFF);
            }
        }
        (name, bytes)
    })
}

/// Whether zune-jpeg is known to take what is refused by `ours`.
fn is_explained(ours: &Error) -> bool {
    // It makes up what lacks where a restart marker comes too early, ends blocks where runs lead out of them, and
    // takes coefficients that a refining scan can't bring for such of one bit.
    let tolerated = ["restart marker", "leads out of its block", "more than a bit"];
    matches!(ours, Error::Corrupt(why) if tolerated.iter().any(|part| why.contains(part)))
}

/// Whatever a file is, both decoders take it, with the same samples, or neither does. Where they differ, see
/// `is_explained`.
fn assert_both_say_the_same(name: &str, bytes: &[u8]) {
    let Ok(stream) = read(bytes) else { return };
    if stream.frame.size.pixels() > 200_000 || !peer::knows(&stream) {
        return;
    }
    let Ok(theirs) = std::panic::catch_unwind(|| peer::planes(&stream)) else { return };
    // The peer has ones behind each scan, which may make up a last value's bits: with them, ours must take the file.
    let ours = match (ours(bytes), &theirs) {
        (Err(Error::Truncated(_)), Ok(_)) => ours(&peer::written(&stream)),
        (ours, _) => ours,
    };
    match (ours, theirs) {
        (Ok(Some(ours)), Ok(theirs)) => {
            for (ours, theirs) in ours.iter().zip(&theirs) {
                assert!(most(ours, theirs) <= 2, "{name}: {}", most(ours, theirs));
            }
        }
        (Ok(Some(_)), Err(theirs)) => panic!("{name}: they refuse: {theirs}"),
        (Err(ours), Ok(_)) => assert!(is_explained(&ours), "{name}: we refuse: {ours}"),
        _ => {}
    }
}

#[test]
fn a_scan_that_ends_within_its_last_value_is_refused() {
    let mut bytes = file("progressive-420.jpg");
    bytes.remove(420);
    assert!(matches!(ours(&bytes), Err(Error::Truncated(_))), "as libjpeg says too");
    assert_both_say_the_same("progressive-420.jpg", &bytes);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damage_panics_at_no_scale_and_is_the_same_at_all((_, bytes) in mutated()) {
        let size = read(&bytes).map_or(0, |stream| stream.frame.size.pixels());
        for scale in Scale::ALL.into_iter().filter(|_| size <= 200_000) {
            prop_assert_eq!(kept(&bytes, scale).err(), kept(&bytes, Scale::Eight).err());
        }
    }
}

/// Always the same damage: fuzzing (`decode_jpeg_peer`) looks for other, and knows more of the peer's limits.
#[test]
fn damage_is_what_the_peer_says_it_is() {
    let mut runner = TestRunner::deterministic();
    for _ in 0..600 {
        let (name, bytes) = mutated().new_tree(&mut runner).unwrap().current();
        assert_both_say_the_same(&name, &bytes);
    }
}
