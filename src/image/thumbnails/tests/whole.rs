//! Thumbnails as files: what they show, and how they are coded.

use super::*;

/// The upper left of a thumbnail 16 px wide, where every picture of the scene is opaque.
fn corner(name: &str, format: Format) -> Vec<[u8; 4]> {
    let pixels = pixels(&one(name, spec(16, 16, format)).bytes);
    pixels.chunks(16).take(4).flat_map(|row| row[..6].to_vec()).collect()
}

#[test]
fn every_kind_shows_the_scene_in_either_format() {
    let scene = corner("rgb-8.png", Format::Png);
    for (name, least) in [
        ("baseline-444.jpg", 34.0),
        ("baseline-420.jpg", 34.0),
        ("baseline-410.jpg", 34.0),
        ("progressive-420.jpg", 34.0),
        ("three-scans.jpg", 34.0),
        ("cmyk.jpg", 34.0),
        ("ycck-420.jpg", 34.0),
        ("rgb-adobe.jpg", 34.0),
        ("rgb-16.png", 45.0),
        ("rgb-16-interlaced.png", 45.0),
        ("rgba-8.png", 45.0),
        ("rgba-16-interlaced.png", 45.0),
        ("palette-8.png", 30.0),
        ("palette-4-interlaced.png", 25.0),
        ("static.gif", 30.0),
        ("lossy.webp", 27.0),
        ("lossless-alpha.webp", 45.0),
        ("animated-opaque.webp", 45.0),
    ] {
        let likeness = psnr(colours(&corner(name, Format::Png), &scene));
        assert!(likeness >= least, "{name} as PNG: {likeness:.1} dB");
        let likeness = psnr(colours(&luma(&corner(name, Format::Jpeg)), &luma(&scene)));
        assert!(likeness >= f64::min(least, 28.0), "{name} as JPEG: {likeness:.1} dB");
    }
}

#[test]
fn grey_kinds_show_the_scene_in_either_format() {
    let scene = luma(&corner("rgb-8.png", Format::Png));
    for (name, least) in [
        ("grey.jpg", 34.0),
        ("grey-2x2.jpg", 34.0),
        ("grey-8.png", 45.0),
        ("grey-16-interlaced.png", 45.0),
        ("grey-4.png", 30.0),
        ("grey-alpha-8.png", 45.0),
        ("grey-alpha-16-interlaced.png", 45.0),
    ] {
        for (format, most) in [(Format::Png, 99.0), (Format::Jpeg, 28.0)] {
            let likeness = psnr(colours(&corner(name, format), &scene));
            assert!(likeness >= f64::min(least, most), "{name} as {format}: {likeness:.1} dB");
        }
    }
}

#[test]
fn what_exif_turned_stands_upright() {
    let reference = pixels(&one("orientation-1.jpg", spec(40, 40, Format::Png)).bytes);
    for value in 2..=8 {
        let turned = pixels(&one(&format!("orientation-{value}.jpg"), spec(40, 40, Format::Png)).bytes);
        let likeness = psnr(colours(&turned, &reference));
        assert!(likeness > 30.0, "{value}: {likeness:.1} dB");
    }
    let reference = pixels(&one("rgb-8.png", spec(40, 40, Format::Png)).bytes);
    for (name, least) in [
        ("orientation-6.png", 45.0),
        ("exif-after-data.png", 45.0),
        ("orientation-6.webp", 24.0),
        ("exif-prefixed.webp", 24.0),
    ] {
        let turned = pixels(&one(name, spec(40, 40, Format::Png)).bytes);
        let likeness = psnr(colours(&turned, &reference));
        assert!(likeness > least, "{name}: {likeness:.1} dB");
    }
}

#[test]
fn alpha_is_kept_in_png_and_laid_on_white_in_jpeg() {
    for name in ["rgba-8.png", "grey-alpha-8.png", "lossless-alpha.webp"] {
        // The lower right corner is transparent, the upper left opaque.
        let png = pixels(&one(name, spec(40, 40, Format::Png)).bytes);
        assert_eq!((png[0][3], png[png.len() - 1][3]), (255, 0), "{name}");
        let jpeg = pixels(&one(name, spec(40, 40, Format::Jpeg)).bytes);
        let corner = jpeg[jpeg.len() - 1];
        assert!(corner[..3].iter().all(|&c| c > 245), "{name}: {corner:?}");
    }
}

#[test]
fn several_come_in_the_order_in_which_they_are_wanted() {
    let wanted = [spec(10, 10, Format::Jpeg), spec(100, 100, Format::Png), spec(50, 50, Format::Jpeg)];
    let made = make(&file("baseline-420.jpg"), &wanted, &PLENTY).unwrap();
    let sizes: Vec<u32> = made.iter().map(|t| t.size.width).collect();
    assert_eq!(sizes, [10, 100, 50]);
    assert!(made[0].bytes.starts_with(&[0xFF, 0xD8]) && made[1].bytes.starts_with(b"\x89PNG"));
    assert_eq!(make(&file("grey.jpg"), &[], &PLENTY), Ok(Vec::new()));
}

#[test]
fn metadata_stay_behind() {
    for name in ["private.jpg", "private.png", "private.gif", "private.webp"] {
        for format in [Format::Jpeg, Format::Png] {
            let made = one(name, spec(600, 600, format));
            assert!(!made.bytes.windows(7).any(|w| w == b"PRIVATE"), "{name}");
        }
    }
}

/// The sampling factors of luma in a JPEG file.
fn luma_factors(file: &[u8]) -> u8 {
    let frame = file.windows(2).position(|w| matches!(w, [0xff, 0xc0 | 0xc2])).unwrap();
    file[frame + 11]
}

#[test]
fn small_files_are_smaller_and_show_the_same() {
    for name in ["baseline-420.jpg", "baseline-444.jpg", "rgb-8.png", "rgba-8.png", "grey.jpg", "cmyk.jpg"] {
        for format in [Format::Jpeg, Format::Png] {
            let wanted = spec(40, 40, format);
            let [fast, small] =
                [Effort::Fast, Effort::Small].map(|effort| one(name, Spec { effort, ..wanted }).bytes);
            assert!(small.len() <= fast.len(), "{name} as {format}: {} of {}", small.len(), fast.len());
            // Of luma alone: chroma may be halved in one and not in the other.
            let (fast, small) = (luma(&pixels(&fast)), luma(&pixels(&small)));
            let likeness = psnr(colours(&fast, &small));
            assert!(likeness > 28.0, "{name} as {format}: {likeness} dB");
        }
    }
}

#[test]
fn coloured_letters_keep_their_chroma_in_small_files() {
    let factors = |effort, pixel: fn(u32) -> [u8; 3]| {
        let rgb: Vec<u8> = (0..64 * 64).flat_map(pixel).collect();
        let size = Size { width: 64, height: 64 };
        let bytes = crate::image::encode::png::encode(size, Color::Rgb, &rgb, Effort::Fast);
        let wanted = Spec { effort, ..spec(64, 64, Format::Jpeg) };
        luma_factors(&make(&bytes, &[wanted], &PLENTY).unwrap()[0].bytes)
    };
    let stripes = |i: u32| if (i / 3).is_multiple_of(2) { [220, 0, 0] } else { [255; 3] };
    let ramps = |i: u32| [(i % 64 * 4) as u8, (i / 64 * 4) as u8, 90];
    assert_eq!((factors(Effort::Fast, stripes), factors(Effort::Small, stripes)), (0x22, 0x11));
    assert_eq!(factors(Effort::Small, ramps), 0x22);
}

#[test]
fn extreme_shapes_pass() {
    for name in ["one-pixel.jpg", "one-pixel.png", "one-pixel.gif", "one-pixel.webp"] {
        assert_eq!(one(name, spec(600, 600, Format::Png)).size, Size { width: 1, height: 1 }, "{name}");
    }
    for (name, size) in [("wide.jpg", (600, 1)), ("high.jpg", (1, 600)), ("wide.png", (600, 1))] {
        let made = one(name, spec(600, 600, Format::Jpeg)).size;
        assert_eq!((made.width, made.height), size, "{name}");
    }
}
