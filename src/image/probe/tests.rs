use proptest::prelude::*;

use super::*;
use crate::image::pictures::{self, Picture};

/// A probe's coding in the words of the pictures' table.
fn words(coding: &Coding) -> String {
    match coding {
        Coding::Jpeg { process, sampling } => {
            let process = match process {
                Process::Sequential => "sequential",
                Process::ScanByScan => "scan by scan",
                Process::Progressive => "progressive",
            };
            let factors: Vec<_> = sampling.iter().map(|(h, v)| format!("{h}x{v}")).collect();
            format!("{process}, {} components, {}", sampling.len(), factors.join(" "))
        }
        Coding::Png { color, depth, interlacing, frames } => {
            let color = match color {
                PngColor::Grey => "grey",
                PngColor::Rgb => "rgb",
                PngColor::Palette => "palette",
                PngColor::GreyAlpha => "grey-alpha",
                PngColor::Rgba => "rgba",
            };
            let interlaced = if *interlacing == Interlacing::Adam7 { ", interlaced" } else { "" };
            format!("{color}, {depth} bits{interlaced}{}", animated(*frames))
        }
        Coding::Gif { .. } => "first frame".to_owned(),
        Coding::Webp { pixels, frames, .. } => {
            let pixels = if *pixels == WebpPixels::Lossy { "lossy" } else { "lossless" };
            format!("{pixels}{}", animated(*frames))
        }
    }
}

fn animated(frames: Frames) -> &'static str {
    if frames == Frames::Animated { ", animated" } else { "" }
}

fn refusal(error: &Error) -> String {
    match error {
        Error::NotAnImage => "NotAnImage".to_owned(),
        Error::Unsupported(kind) => format!("Unsupported: {kind}"),
        Error::Truncated(_) => "Truncated".to_owned(),
        Error::Corrupt(_) => "Corrupt".to_owned(),
        other => panic!("{other:?}"),
    }
}

fn check(picture: &Picture) {
    let name = &picture.name;
    match (probe_bytes(&picture.bytes), picture.size) {
        (Ok(probe), Some(size)) => {
            assert_eq!(probe.size, size, "{name}");
            assert_eq!(probe.orientation, picture.orientation, "{name}");
            assert_eq!(probe.alpha, picture.alpha, "{name}");
            assert_eq!(words(&probe.coding), picture.coding, "{name}");
            assert!(name.ends_with(probe.format().extension()), "{name}");
        }
        (Err(error), None) => assert_eq!(refusal(&error), picture.coding, "{name}"),
        (found, expected) => panic!("{name}: {found:?} instead of {expected:?}"),
    }
}

#[test]
fn every_picture_is_what_the_table_says() {
    pictures::all().iter().for_each(check);
}

#[test]
fn a_picture_that_is_turned_swaps_its_sides() {
    for value in 1..=8 {
        let probe = probe_bytes(&pictures::bytes(&format!("orientation-{value}.jpg"))).unwrap();
        assert_eq!(probe.upright(), Size { width: 75, height: 50 }, "{value}");
    }
}

#[test]
fn thumbnails_are_png_where_pixels_may_be_transparent_or_were_drawn() {
    for (name, format) in [
        ("baseline-420.jpg", Format::Jpeg),
        ("rgb-8.png", Format::Png),
        ("static.gif", Format::Png),
        ("lossy.webp", Format::Jpeg),
        ("lossless-alpha.webp", Format::Png),
    ] {
        assert_eq!(probe_bytes(&pictures::bytes(name)).unwrap().thumbnail_format(), format, "{name}");
    }
}

#[test]
fn a_first_frame_is_told_where_it_lies() {
    let frame = |name| match probe_bytes(&pictures::bytes(name)).unwrap().coding {
        Coding::Gif { frame } | Coding::Webp { frame, .. } => frame,
        other => panic!("{name}: {other:?}"),
    };
    let area = |left, top, width, height| Area { left, top, size: Size { width, height } };
    assert_eq!(frame("small-first-frame.gif"), area(9, 6, 31, 20));
    assert_eq!(frame("frame-outside.gif"), area(4, 3, 45, 31));
    assert_eq!(frame("animated.webp"), area(8, 6, 32, 20));
    assert_eq!(frame("lossy.webp"), area(0, 0, 45, 31));
}

/// A file cut anywhere says the same as the whole or that it is cut: never anything else.
#[test]
fn a_file_cut_at_any_byte_is_told_as_cut() {
    for picture in pictures::all().iter().filter(|p| p.size.is_some()) {
        let whole = probe_bytes(&picture.bytes).unwrap();
        for end in 0..picture.bytes.len().min(3000) {
            match probe_bytes(&picture.bytes[..end]) {
                Ok(Probe { orientation, .. }) if orientation != whole.orientation => {
                    // Exif behind the pixels: cut off with them.
                    let late =
                        ["orientation-6.webp", "exif-prefixed.webp", "private.webp", "exif-after-data.png"];
                    assert!(late.contains(&&*picture.name), "{} cut at {end}", picture.name);
                }
                Ok(probe) => assert_eq!(probe, whole, "{} cut at {end}", picture.name),
                Err(Error::Truncated(_)) => assert!(end > 2, "{} cut at {end}", picture.name),
                Err(Error::NotAnImage) => assert!(end < 12, "{} cut at {end}", picture.name),
                Err(other) => panic!("{} cut at {end}: {other:?}", picture.name),
            }
        }
    }
}

#[test]
fn pictures_of_other_kinds_are_named() {
    let cases: &[(&[u8], &str)] = &[
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"\xEF\xBB\xBF <?xml version='1.0'?>\n<!-- a drawing -->\n<svg>", "SVG"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic\0\0", "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", "AVIF"),
        (b"\0\0\0\x1cftypavif\0\0\0\0mif1avifmiaf", "AVIF"),
        (b"\0\0\0\x14ftypmif1\0\0\0\0miafmeta", "HEIF"),
        (b"II*\0\x08\0\0\0", "TIFF"),
        (b"MM\0*\0\0\0\x08", "TIFF"),
        (b"BM\x3A\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x01\0\0\0", "BMP"),
        (b"\0\0\x01\0\x01\0\x10\x10\0\0\x01\0\x20\0", "ICO"),
        (b"\xFF\x0A\xFA\x1F", "JPEG XL"),
        (b"\0\0\0\x0CJXL \r\n\x87\n\0\0\0\x14ftypjxl ", "JPEG XL"),
        (b"\0\0\0\x0CjP  \r\n\x87\n\0\0\0\x14ftypjp2 ", "JPEG 2000"),
        (b"8BPS\0\x01", "Photoshop (PSD)"),
        (b"%PDF-1.7\n", "PDF"),
        (b"P6\n4 4\n255\n", "PNM"),
    ];
    for (bytes, kind) in cases {
        assert_eq!(probe_bytes(bytes), Err(Error::Unsupported((*kind).to_owned())), "{kind}");
    }
}

#[test]
fn what_is_no_picture_is_none() {
    let cases: &[&[u8]] = &[
        b"",
        b"hello",
        b"\0",
        b"\xFF\xD8",
        b"RIFF\x24\0\0\0WAVEfmt ",
        b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2mp41",
        b"BMW is a car maker",
        b"<!DOCTYPE html><html><svg></svg>",
        b"<svgfoo>",
        b"GIF88a\x01\0\x01\0",
        b"PK\x03\x04",
    ];
    for bytes in cases {
        assert_eq!(probe_bytes(bytes), Err(Error::NotAnImage), "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn a_jpeg_must_have_one_frame_before_its_first_scan() {
    let good = pictures::bytes("baseline-444.jpg");
    let at = good.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
    let without = [&good[..at], &good[at + 19..]].concat();
    assert!(matches!(probe_bytes(&without), Err(Error::Corrupt(_))));
    let patched = |offset: usize, byte: u8| {
        let mut bad = good.clone();
        bad[at + offset] = byte;
        probe_bytes(&bad)
    };
    for (offset, byte) in [(3, 18), (4, 9), (9, 0), (11, 0x51), (11, 0x01), (11, 0x10)] {
        assert!(matches!(patched(offset, byte), Err(Error::Corrupt(_))), "byte {offset} is {byte}");
    }
    assert_eq!(patched(9, 5), Err(Error::Unsupported("JPEG with 5 components".to_owned())));
}

#[test]
fn a_palette_is_of_whole_entries() {
    let good = pictures::bytes("palette-8.png");
    let at = good.windows(4).position(|kind| kind == b"PLTE").unwrap() - 4;
    let length = u32::from_be_bytes(good[at..at + 4].try_into().unwrap());
    let with = |palette: u32| {
        let chunk = [&palette.to_be_bytes()[..], b"PLTE", &vec![7; palette as usize + 4]].concat();
        probe_bytes(&[&good[..at], &chunk, &good[at + 12 + length as usize..]].concat())
    };
    assert_eq!((with(3), with(768)), (probe_bytes(&good), probe_bytes(&good)));
    for bytes in [0, 1, 49, 767, 771] {
        assert_eq!(with(bytes), Err(Error::Corrupt(format!("a PNG palette of {bytes} bytes"))));
    }
}

#[test]
fn stray_bytes_between_segments_are_passed_over_up_to_a_limit() {
    let good = pictures::bytes("baseline-444.jpg");
    let with = |stray: &[u8]| probe_bytes(&[&good[..20], stray, &good[20..]].concat());
    let whole = probe_bytes(&good);
    assert_eq!(with(&[0; 40_000]), whole);
    assert_eq!(with(&[0xFF; 40_000]), whole);
    assert_eq!(with(b"\xFF\0\xFF\0stray"), whole);
    assert!(matches!(with(&[0; 70_000]), Err(Error::Corrupt(_))));
    assert!(matches!(with(&[0xFF; 70_000]), Err(Error::Corrupt(_))));
}

#[test]
fn a_jpeg_with_endless_segments_is_given_up() {
    let segments = b"\xFF\xFE\0\x02".repeat(markers_limit() + 1);
    assert!(matches!(probe_bytes(&[b"\xFF\xD8".as_slice(), &segments].concat()), Err(Error::Corrupt(_))));
}

fn markers_limit() -> usize {
    crate::image::markers::MAX_SEGMENTS
}

#[test]
fn a_file_that_can_not_be_read_is_no_fault_of_the_picture() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk is gone"))
        }
    }
    impl Seek for Broken {
        fn seek(&mut self, _: std::io::SeekFrom) -> std::io::Result<u64> {
            Ok(0)
        }
    }
    assert!(matches!(probe(Broken, 100), Err(Error::Unreadable(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_damage_is_met_without_a_panic(
        which in any::<prop::sample::Index>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        thread_local!(static ALL: Vec<Vec<u8>> = pictures::all().into_iter().map(|p| p.bytes).collect());
        let mut bytes = ALL.with(|all| which.get(all).clone());
        // Headers matter: most damage goes there.
        let reach = bytes.len().min(400);
        for (at, byte) in damage {
            bytes[at.index(reach)] = byte;
        }
        if let Ok(probe) = probe_bytes(&bytes) {
            prop_assert!(probe.size.pixels() > 0 && probe.upright().pixels() == probe.size.pixels());
        }
    }

    #[test]
    fn any_bytes_are_met_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for start in [&b"\xFF\xD8\xFF"[..], b"\x89PNG\r\n\x1A\n", b"GIF89a", b"RIFF\xFF\0\0\0WEBPVP8X", b""] {
            let _ = probe_bytes(&[start, &bytes].concat());
        }
    }
}
