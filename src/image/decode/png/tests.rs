//! The own path against the `png` crate, on sound files and on damaged ones.

use proptest::prelude::*;

use super::*;
use crate::image::pictures;

/// Rows as they come.
#[derive(Default, Debug, PartialEq)]
struct Rows(Vec<u8>);

impl Sink for Rows {
    fn start(&mut self, _: &Layout) -> Result<(), Error> {
        Ok(())
    }

    fn row(&mut self, _: usize, samples: &[u8]) -> Result<(), Error> {
        self.0.extend_from_slice(samples);
        Ok(())
    }
}

/// What one way of decoding a file of `size` comes to: its samples, or in which way it fails.
fn outcome(decoded: Result<(), Error>, rows: Rows) -> Result<Rows, &'static str> {
    match decoded {
        Ok(()) => Ok(rows),
        Err(Error::Truncated(_)) => Err("truncated"),
        Err(Error::Corrupt(_)) => Err("corrupt"),
        Err(other) => panic!("{other}"),
    }
}

/// By the own path and by the crate; nothing if the own path doesn't take the file.
fn both_ways(bytes: &[u8], size: Size) -> Option<[Result<Rows, &'static str>; 2]> {
    let reader = open(bytes, size).ok()?;
    if !plain::takes(reader.info()) {
        return None;
    }
    let mut own = Rows::default();
    let decoded = plain(bytes, &reader, size, &mut own);
    let own = outcome(decoded, own);
    let mut crates = Rows::default();
    let decoded = open(bytes, size).and_then(|mut reader| frame(&mut reader, size, &mut crates));
    Some([own, outcome(decoded, crates)])
}

/// A file whose rows go through every filter, its data in chunks of `chunk` bytes.
fn file(size: Size, kind: ColorType, chunk: usize) -> Vec<u8> {
    let stride = size.width as usize * kind.samples();
    let sample =
        |i: usize| if (i / stride).is_multiple_of(3) { 0 } else { (i * i / 50 + i / 7) as u8 & 0xf3 };
    let samples: Vec<u8> = (0..stride * size.height as usize).map(sample).collect();
    let mut filtered = Vec::new();
    for (y, row) in samples.chunks_exact(stride).enumerate() {
        // Any differences are the differences of some picture.
        filtered.push((y % 5) as u8);
        filtered.extend_from_slice(row);
    }
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    let color = match kind {
        ColorType::Grayscale => 0,
        ColorType::Rgb => 2,
        ColorType::GrayscaleAlpha => 4,
        _ => 6,
    };
    let sides = [size.width.to_be_bytes(), size.height.to_be_bytes()].concat();
    put(&mut out, b"IHDR", &[&sides[..], &[8, color, 0, 0, 0]].concat());
    for data in fdeflate::compress_to_vec(&filtered).chunks(chunk) {
        put(&mut out, b"IDAT", data);
    }
    put(&mut out, b"IEND", &[]);
    out
}

fn put(out: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    out.extend((data.len() as u32).to_be_bytes());
    let start = out.len();
    out.extend(kind);
    out.extend(data);
    out.extend(crc32fast::hash(&out[start..]).to_be_bytes());
}

fn any_file() -> impl Strategy<Value = (Size, Vec<u8>)> {
    let kind = prop::sample::select(vec![
        ColorType::Grayscale,
        ColorType::GrayscaleAlpha,
        ColorType::Rgb,
        ColorType::Rgba,
    ]);
    (1u32..90, 1u32..60, kind, 1usize..5000).prop_map(|(width, height, kind, chunk)| {
        let size = Size { width, height };
        (size, file(size, kind, chunk))
    })
}

proptest! {
    #[test]
    fn sound_files_come_out_the_same((size, file) in any_file()) {
        let [own, crates] = both_ways(&file, size).unwrap();
        prop_assert!(own.is_ok());
        prop_assert_eq!(own, crates);
    }

    #[test]
    fn cut_files_fail_in_the_same_way((size, file) in any_file(), kept in 0.0..1.0f64) {
        let kept = (file.len() as f64 * kept) as usize;
        if let Some([own, crates]) = both_ways(&file[..kept], size) {
            prop_assert_eq!(own, crates);
        }
    }

    /// Which damage is noticed first may differ: whether it is noticed does not.
    #[test]
    fn damaged_files_fail_as_well((size, mut file) in any_file(), at in 33..100_000usize, bits in 1u8..) {
        let at = 33 + at % (file.len() - 33);
        file[at] ^= bits;
        if let Some([own, crates]) = both_ways(&file, size) {
            prop_assert_eq!(own.ok(), crates.ok());
        }
    }
}

#[test]
fn large_rows_and_small_chunks_pass_the_window() {
    for (size, chunk) in [((30_000, 12), 100_000), ((40, 9000), 17), ((3000, 100), 1)] {
        let size = Size { width: size.0, height: size.1 };
        let [own, crates] = both_ways(&file(size, ColorType::Rgba, chunk), size).unwrap();
        assert!(own.is_ok() && own == crates, "{size}");
    }
}

#[test]
fn every_file_of_the_collection_comes_out_the_same() {
    let mut taken = 0;
    for picture in pictures::all() {
        let Some(size) = picture.size.filter(|_| picture.name.ends_with(".png")) else { continue };
        if let Some([own, crates]) = both_ways(&picture.bytes, size) {
            assert_eq!(own.ok(), crates.ok(), "{}", picture.name);
            taken += 1;
        }
    }
    assert!(taken >= 5, "{taken}");
}
