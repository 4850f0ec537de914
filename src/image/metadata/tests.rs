use std::io::Cursor;

use proptest::prelude::*;

use super::*;
use crate::image::pictures;
use crate::image::probe::probe_bytes;

fn stripped(file: &[u8]) -> Result<Vec<u8>, Error> {
    let plan = strip(Cursor::new(file), file.len() as u64, &probe_bytes(file)?)?;
    let mut bytes = Vec::new();
    plan.read_from(Cursor::new(file)).read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes.len() as u64, plan.length());
    Ok(bytes)
}

fn contains(file: &[u8], words: &[u8]) -> bool {
    memchr::memmem::find(file, words).is_some()
}

/// All samples of all frames, or that there are none to be had.
fn pixels(file: &[u8], format: Format) -> Option<Vec<u8>> {
    match format {
        Format::Jpeg => zune_jpeg::JpegDecoder::new(Cursor::new(file)).decode().ok(),
        Format::Png => png_pixels(file),
        Format::Gif => gif_pixels(file),
        Format::Webp => webp_pixels(file),
    }
}

fn png_pixels(file: &[u8]) -> Option<Vec<u8>> {
    let mut reader = ::png::Decoder::new(Cursor::new(file)).read_info().ok()?;
    let frames = reader.info().animation_control().map_or(1, |control| control.num_frames);
    let size = reader.output_buffer_size()?;
    let mut all = Vec::new();
    for _ in 0..frames {
        let mut frame = vec![0; size];
        reader.next_frame(&mut frame).ok()?;
        all.extend(frame);
    }
    Some(all)
}

fn gif_pixels(file: &[u8]) -> Option<Vec<u8>> {
    let mut options = ::gif::DecodeOptions::new();
    options.allow_unknown_blocks(true);
    let mut reader = options.read_info(file).ok()?;
    let mut all = format!("{:?}", reader.repeat()).into_bytes();
    while let Some(frame) = reader.read_next_frame().ok()? {
        all.extend([frame.left, frame.top, frame.width, frame.height, frame.delay].map(|n| n as u8));
        all.extend(frame.transparent);
        all.extend(&*frame.buffer);
    }
    Some(all)
}

fn webp_pixels(file: &[u8]) -> Option<Vec<u8>> {
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(file)).ok()?;
    let mut frame = vec![0; decoder.output_buffer_size()?];
    if !decoder.is_animated() {
        decoder.read_image(&mut frame).ok()?;
        return Some(frame);
    }
    let mut all = Vec::new();
    for _ in 0..decoder.num_frames() {
        decoder.read_frame(&mut frame).ok()?;
        all.extend(&frame);
    }
    Some(all)
}

#[test]
fn nothing_private_remains() {
    for extension in ["jpg", "png", "gif", "webp"] {
        let file = pictures::bytes(&format!("private.{extension}"));
        assert!(contains(&file, b"PRIVATE"), "{extension}");
        let after = stripped(&file).unwrap();
        if let Some(at) = memchr::memmem::find(&after, b"PRIVATE") {
            panic!("{extension}: {}", String::from_utf8_lossy(&after[at..at + 30]));
        }
    }
    for extension in ["jpg", "gif"] {
        for picture in pictures::all().iter().filter(|p| p.size.is_some() && p.name.ends_with(extension)) {
            assert!(!contains(&stripped(&picture.bytes).unwrap(), b"PRIVATE"), "{}", picture.name);
        }
    }
}

#[test]
fn colour_profiles_remain() {
    for (name, words) in [
        ("private.jpg", &b"acsp"[..]),
        ("display-p3.jpg", b"acsp"),
        ("private.webp", b"acsp"),
        ("private.gif", b"acsp"),
        ("display-p3.png", b"iCCP"),
        ("cicp-p3.png", b"cICP"),
        ("gamma-1.png", b"gAMA"),
        ("srgb-chunks.png", b"sRGB"),
        ("srgb-chunks.png", b"cHRM"),
        ("ycck.jpg", b"Adobe\0\x64"),
        ("private.jpg", b"Adobe\0\x64"),
    ] {
        assert!(contains(&stripped(&pictures::bytes(name)).unwrap(), words), "{name}");
    }
    let two = stripped(&pictures::bytes("adobe-rgb-two-parts.jpg")).unwrap();
    assert!(contains(&two, b"ICC_PROFILE\0\x01\x02") && contains(&two, b"ICC_PROFILE\0\x02\x02"));
}

#[test]
fn every_picture_looks_and_probes_as_before() {
    for picture in pictures::all().iter().filter(|p| p.size.is_some()) {
        let (name, before) = (&picture.name, probe_bytes(&picture.bytes).unwrap());
        let after = stripped(&picture.bytes).unwrap();
        assert_eq!(probe_bytes(&after), Ok(before.clone()), "{name}");
        assert_eq!(stripped(&after), Ok(after.clone()), "{name}: stripped twice");
        if before.size.pixels() < 1_000_000 {
            let format = before.format();
            assert!(pixels(&after, format) == pixels(&picture.bytes, format), "{name}: other pixels");
        }
    }
}

#[test]
fn the_comparison_of_pixels_compares_something() {
    for name in ["private.jpg", "private.png", "private.gif", "private.webp", "animated.png", "animated.webp"]
    {
        let file = pictures::bytes(name);
        let format = probe_bytes(&file).unwrap().format();
        assert!(pixels(&file, format).is_some_and(|all| all.len() > 1000), "{name}");
    }
}

#[test]
fn a_file_without_metadata_is_not_touched() {
    for name in ["baseline-420.jpg", "progressive-restarts.jpg", "cmyk.jpg", "rgb-8.png", "animated.png"]
        .into_iter()
        .chain(["static.gif", "animated.gif", "lossy.webp", "lossless-alpha.webp", "animated.webp"])
    {
        let file = pictures::bytes(name);
        assert_eq!(stripped(&file), Ok(file), "{name}");
    }
}

#[test]
fn jfif_comes_first_and_the_orientation_second() {
    for name in ["exif-before-jfif.jpg", "private.jpg"] {
        let after = stripped(&pictures::bytes(name)).unwrap();
        assert!(after.starts_with(b"\xFF\xD8\xFF\xE0\0\x10JFIF\0"), "{name}");
        let exif = b"\xFF\xE1\0\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06";
        assert!(after[20..].starts_with(exif), "{name}");
    }
}

#[test]
fn what_follows_the_end_goes() {
    for (name, end) in [
        ("baseline-420.jpg", &b"\xFF\xD9"[..]),
        ("rgb-8.png", b"IEND\xAE\x42\x60\x82"),
        ("static.gif", b";"),
        ("lossy.webp", b""),
    ] {
        let file = pictures::bytes(name);
        assert!(file.ends_with(end), "{name}");
        assert_eq!(stripped(&[&file, &b"trailing \xFF\xD9 ; bytes"[..]].concat()), Ok(file), "{name}");
    }
}

#[test]
fn a_gif_ends_at_a_block_of_no_known_kind() {
    let file = pictures::bytes("static.gif");
    let frame = &file[..file.len() - 1];
    assert_eq!(stripped(&[frame, &b"\x04\x07PRIVATE\0;"[..]].concat()), Ok(frame.to_vec()));
}

#[test]
fn unknown_chunks_within_an_animation_frame_go() {
    let file = pictures::bytes("animated.webp");
    let at = memchr::memmem::find(&file, b"ANMF").unwrap();
    let length = u32::from_le_bytes(file[at + 4..at + 8].try_into().unwrap());
    let end = at + 8 + length as usize;
    let extra = b"PRVT\x07\0\0\0PRIVATE\0";
    let mut grown = [&file[..end], extra, &file[end..]].concat();
    grown[at + 4..at + 8].copy_from_slice(&(length + extra.len() as u32).to_le_bytes());
    let riff = grown.len() as u32 - 8;
    grown[4..8].copy_from_slice(&riff.to_le_bytes());
    assert_eq!(stripped(&grown), Ok(file));
}

#[test]
fn an_animation_frame_without_pixels_goes() {
    let mut file = pictures::bytes("animated.webp");
    let second = memchr::memmem::rfind(&file, b"ANMF").unwrap();
    file[second + 24..][..4].copy_from_slice(b"none");
    let stripped = stripped(&file).unwrap();
    assert_eq!(memchr::memmem::find_iter(&stripped, b"ANMF").count(), 1);
    assert!(image_webp::WebPDecoder::new(Cursor::new(&stripped)).is_ok());
}

#[test]
fn the_orientation_outlives_a_chunk_that_is_cut() {
    let whole = pictures::bytes("orientation-6.webp");
    for cut in [&b"XMP \xFF\0\0\0PRIVATE"[..], b"ANMF\xFF\0\0\0kept"] {
        let mut file = [&whole[..], cut].concat();
        let riff = file.len() as u32 - 8;
        file[4..8].copy_from_slice(&riff.to_le_bytes());
        let after = stripped(&file).unwrap();
        assert_eq!(probe_bytes(&after).unwrap().orientation, Orientation::QuarterTurn);
        assert!(!contains(&after, b"PRIVATE"));
        assert_eq!(stripped(&after), Ok(after));
    }
}

#[test]
fn data_with_fill_bytes_keeps_its_meaning() {
    let file = pictures::bytes("restarts-420.jpg");
    let at = memchr::memmem::find(&file, b"\xFF\xD0").unwrap();
    let filled = [&file[..at], b"\xFF\xFF", &file[at..]].concat();
    assert_eq!(stripped(&filled), Ok(filled.clone()), "fill bytes before a restart marker");
    let filled = [&file[..file.len() - 2], b"\xFF\xFF", &file[file.len() - 2..]].concat();
    assert_eq!(stripped(&filled), Ok(file), "fill bytes before the end marker");
}

#[test]
fn data_longer_than_a_buffer_is_kept_whole() {
    let file = pictures::bytes("grey.jpg");
    let at = file.len() - 2;
    for shift in 0..2 {
        let data = [&b"x"[..shift], &b"\xFF\0".repeat(20_000), &b"\xFF\xD3data".repeat(9_001)].concat();
        let long = [&file[..at], &data, &file[at..]].concat();
        assert!(stripped(&long) == Ok(long), "shifted by {shift}");
    }
}

#[test]
fn absurdly_many_pieces_are_refused() {
    let file = pictures::bytes("rgb-8.png");
    let (head, tail) = file.split_at(33);
    let kept_and_dropped = b"\0\0\0\0sBIT....\0\0\0\0tEXt....".repeat(70_000);
    let crafted = [head, &kept_and_dropped, tail].concat();
    // The probe has a limit of its own, on chunks before the pixels.
    let probe = probe_bytes(&file).unwrap();
    let plan = strip(Cursor::new(&crafted), crafted.len() as u64, &probe);
    assert!(matches!(plan, Err(Error::Corrupt(_))), "{:?}", plan.map(|plan| plan.pieces().len()));
}

/// A file cut anywhere behind its header is stripped of what it has, to something like itself.
#[test]
fn a_file_cut_at_any_byte_is_stripped_as_far_as_it_goes() {
    for picture in pictures::all().iter().filter(|p| p.size.is_some()) {
        let length = picture.bytes.len();
        for end in (0..length.min(1200)).chain((1200..length).step_by(97)) {
            let cut = &picture.bytes[..end];
            let Ok(before) = probe_bytes(cut) else { continue };
            let after = stripped(cut).unwrap_or_else(|e| panic!("{} cut at {end}: {e}", picture.name));
            assert!(after.len() <= end + 64, "{} cut at {end}", picture.name);
            assert_eq!(probe_bytes(&after), Ok(before), "{} cut at {end}", picture.name);
            assert_eq!(stripped(&after), Ok(after.clone()), "{} cut at {end}", picture.name);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_damage_is_met_without_a_panic(
        which in any::<prop::sample::Index>(),
        // Headers matter: most damage goes there.
        reach in prop_oneof![Just(60), Just(500), Just(usize::MAX)],
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        thread_local!(static ALL: Vec<Vec<u8>> = pictures::all().into_iter().map(|p| p.bytes).collect());
        let mut bytes = ALL.with(|all| which.get(all).clone());
        for (at, byte) in damage {
            let at = at.index(bytes.len().min(reach));
            bytes[at] = byte;
        }
        let Ok(before) = probe_bytes(&bytes) else { return Ok(()) };
        if let Ok(after) = stripped(&bytes) {
            prop_assert!(after.len() <= bytes.len() + 64);
            prop_assert_eq!(probe_bytes(&after), Ok(before));
            prop_assert_eq!(stripped(&after), Ok(after.clone()));
        }
    }
}
