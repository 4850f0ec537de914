//! What the decoder makes of PNG files of the collection.

use super::*;

fn rgba(picture: &Picture) -> Vec<[u8; 4]> {
    match picture.color() {
        Color::Grey => picture.pixels().iter().map(|&[g]| [g, g, g, 255]).collect(),
        Color::GreyAlpha => picture.pixels().iter().map(|&[g, a]| [g, g, g, a]).collect(),
        Color::Rgb => picture.pixels().iter().map(|&[r, g, b]| [r, g, b, 255]).collect(),
        Color::Rgba => picture.pixels().to_vec(),
        Color::YCbCr | Color::Cmyk => panic!("no PNG has that"),
    }
}

#[test]
fn each_colour_type_and_depth_shows_the_scene() {
    let rgb = picture("rgb-8.png");
    let scene = rgba(&rgb);
    let luma =
        |p: &[u8; 4]| (0.299 * f64::from(p[0]) + 0.587 * f64::from(p[1]) + 0.114 * f64::from(p[2])) as u8;
    let grey: Vec<[u8; 4]> = scene.iter().map(|p| [luma(p), luma(p), luma(p), 255]).collect();
    for (name, color, reference, mean) in [
        ("rgb-16.png", Color::Rgb, &scene, 0.3),
        ("rgba-8.png", Color::Rgba, &scene, 0.1),
        ("rgba-16.png", Color::Rgba, &scene, 0.3),
        ("grey-8.png", Color::Grey, &grey, 1.0),
        ("grey-16.png", Color::Grey, &grey, 1.0),
        ("grey-4.png", Color::Grey, &grey, 17.0 / 3.0),
        ("grey-2.png", Color::Grey, &grey, 85.0 / 3.0),
        ("grey-1.png", Color::Grey, &grey, 100.0),
        ("grey-alpha-8.png", Color::GreyAlpha, &grey, 1.0),
        ("grey-alpha-16.png", Color::GreyAlpha, &grey, 1.0),
        ("palette-8.png", Color::Rgb, &scene, 10.0),
        ("palette-8-trns.png", Color::Rgba, &scene, 10.0),
        ("palette-4.png", Color::Rgb, &scene, 20.0),
        ("palette-2.png", Color::Rgb, &scene, 40.0),
        ("palette-1.png", Color::Rgb, &scene, 60.0),
        ("srgb-chunks.png", Color::Rgb, &scene, 0.0),
        ("animated.png", Color::Rgb, &scene, 0.0),
        ("no-iend.png", Color::Rgb, &scene, 0.0),
    ] {
        let picture = picture(name);
        assert_eq!(picture.color(), color, "{name}");
        let colours =
            |pixels: &[[u8; 4]]| -> Vec<u8> { pixels.iter().flat_map(|p| [p[0], p[1], p[2]]).collect() };
        let difference = difference(&colours(&rgba(&picture)), &colours(reference));
        assert!(difference.1 <= mean, "{name}: {difference:?}");
    }
}

#[test]
fn interlaced_or_not_it_is_the_same() {
    for name in ["grey-1", "grey-2", "grey-4", "grey-16", "rgb-16", "grey-alpha-16", "rgba-16", "palette-4"] {
        let interlaced = picture(&format!("{name}-interlaced.png"));
        assert!(interlaced.planes == picture(&format!("{name}.png")).planes, "{name}");
    }
}

#[test]
fn a_transparent_colour_becomes_alpha() {
    let clear = |name: &str| {
        let pixels = rgba(&picture(name));
        assert!(pixels.iter().all(|p| matches!(p[3], 0 | 255)), "{name}");
        pixels.iter().filter(|p| p[3] == 0).count()
    };
    assert_eq!(clear("grey-16-trns.png"), 1, "16 bits are compared, not eight");
    assert_eq!(clear("rgb-8-trns.png"), clear("rgb-16-trns-interlaced.png"));
    assert!((20..100).contains(&clear("rgb-8-trns.png")));
    assert!(clear("grey-8-trns.png") > 0);
    let some: Vec<u8> = rgba(&picture("palette-4-trns.png")).iter().map(|p| p[3]).collect();
    assert!(some.iter().any(|a| (1..255).contains(a)) && some.contains(&255));
}

#[test]
fn a_default_image_that_is_no_frame_is_not_shown() {
    let picture = picture("default-apart.png");
    assert_eq!(picture.color(), Color::Rgba);
    let scene = rgba(&super::picture("rgb-8.png"));
    let inside = |i: usize| (8..40).contains(&(i % 45)) && (6..26).contains(&(i / 45));
    for (i, (pixel, scene)) in rgba(&picture).iter().zip(&scene).enumerate() {
        assert_eq!(*pixel, if inside(i) { *scene } else { [0; 4] }, "pixel {i}");
    }
}

#[test]
fn what_breaks_the_rules_says_where() {
    let Error::Corrupt(why) = error("bad-data-crc.png") else { panic!() };
    assert!(why.contains("CRC") && why.contains("IDAT") && !why.contains("ChunkType"), "{why}");
    assert!(is_truncated(&error("cut-in-data.png")));
    let Error::Corrupt(why) = error("claims-30000.png") else { panic!() };
    assert!(why.contains("enough data"), "{why}");
}

#[test]
fn long_rows_and_many_rows_pass() {
    assert_eq!(picture("wide.png").planes[0].len(), 65_535);
    assert_eq!(picture("high.png").planes[0].len(), 65_535);
}
