//! What the decoder makes of WebP files of the collection.

use super::*;

#[test]
fn each_kind_shows_the_scene() {
    let scene = picture("rgb-8.png");
    for (name, mean) in [
        ("lossy.webp", 12.0),
        ("lossless.webp", 0.0),
        ("extended-opaque.webp", 12.0),
        ("animated-opaque.webp", 0.0),
    ] {
        let picture = picture(name);
        assert_eq!(picture.color(), Color::Rgb, "{name}");
        let difference = difference(&picture.planes[0], &scene.planes[0]);
        assert!(difference.1 <= mean, "{name}: {difference:?}");
    }
}

#[test]
fn alpha_comes_along() {
    let lossless = picture("lossless-alpha.webp");
    let png = picture("rgba-8.png");
    let alphas = |p: &Picture| p.pixels::<4>().iter().map(|p| p[3]).collect::<Vec<u8>>();
    assert!(alphas(&lossless) == alphas(&png));
    assert!(alphas(&picture("lossy-alpha.webp")) == alphas(&png));
}

#[test]
fn an_animations_first_frame_lies_on_a_transparent_canvas() {
    let picture = picture("animated.webp");
    let inside = |i: usize| (8..40).contains(&(i % 45)) && (6..26).contains(&(i / 45));
    let wrong = picture.pixels::<4>().iter().enumerate().filter(|(i, p)| !inside(*i) && p[3] > 0);
    assert_eq!(wrong.count(), 0);
    assert!(picture.pixels::<4>().iter().any(|p| p[3] > 0));
}

#[test]
fn damage_is_told_apart() {
    assert!(is_truncated(&error("cut-in-data.webp")));
    assert!(matches!(error("canvas-differs.webp"), Error::Corrupt(_)));
}

/// What stripping leaves of such a file ends there, so it is no picture before either.
#[test]
fn pixels_beyond_the_container_are_not_read() {
    for name in ["lossy.webp", "lossless.webp", "extended-opaque.webp", "animated.webp"] {
        let mut bytes = file(name);
        let claimed = bytes.len() as u32 - 8 - 60;
        bytes[4..8].copy_from_slice(&claimed.to_le_bytes());
        assert!(matches!(decoded(&bytes), Err(Error::Truncated(_))), "{name}");
    }
}

#[test]
fn what_follows_the_container_is_no_harm() {
    for name in ["lossy.webp", "lossless.webp"] {
        let trailed = [file(name), b"and more".to_vec()].concat();
        assert!(decoded(&trailed).is_ok(), "{name}");
    }
}
