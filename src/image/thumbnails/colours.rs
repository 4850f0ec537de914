//! Colours in profiles, seen through whole thumbnails.

use super::tests::{colours, luma, one, pixels, spec};
use super::*;
use crate::image::pictures::bytes as file;

fn png(name: &str) -> Vec<[u8; 4]> {
    pixels(&one(name, spec(40, 40, Format::Png)).bytes)
}

/// The mean difference of colour samples where both are opaque.
fn difference(a: &[[u8; 4]], b: &[[u8; 4]]) -> f64 {
    let pairs: Vec<(f64, f64)> = colours(a, b).collect();
    pairs.iter().map(|(a, b)| (a - b).abs()).sum::<f64>() / pairs.len() as f64
}

/// Pictures whose samples, through their profile, show the scene; and the same without a profile.
const PROFILED: [(&str, &str); 14] = [
    ("display-p3.jpg", "baseline-444.jpg"),
    ("adobe-rgb.jpg", "baseline-444.jpg"),
    ("adobe-rgb-two-parts.jpg", "baseline-444.jpg"),
    ("prophoto.jpg", "baseline-444.jpg"),
    ("grey-gamma.jpg", "grey.jpg"),
    ("display-p3.png", "rgb-8.png"),
    ("adobe-rgb.png", "rgb-8.png"),
    ("prophoto-16.png", "rgb-8.png"),
    ("cicp-p3.png", "rgb-8.png"),
    ("cicp-and-iccp.png", "rgb-8.png"),
    ("grey-gamma.png", "grey-8.png"),
    ("display-p3-alpha.png", "rgba-8.png"),
    ("display-p3.webp", "rgb-8.png"),
    ("display-p3-alpha.webp", "lossless-alpha.webp"),
];

#[test]
fn what_lies_in_a_profile_shows_as_what_does_not() {
    for (name, same) in PROFILED {
        let difference = difference(&png(name), &png(same));
        assert!(difference < 2.0, "{name}: {difference:.2} levels");
    }
}

#[test]
fn both_formats_of_thumbnails_are_converted() {
    for (name, same) in PROFILED {
        // Luma alone: chroma is quartered, and repeated here.
        let jpeg = |name: &str| luma(&pixels(&one(name, spec(40, 40, Format::Jpeg)).bytes));
        let difference = difference(&jpeg(name), &jpeg(same));
        assert!(difference < 4.0, "{name}: {difference:.2} levels");
    }
}

#[test]
fn a_profile_that_is_not_followed_changes_nothing() {
    for (name, same) in [
        ("srgb-profile.jpg", "baseline-444.jpg"),
        ("profile-part-lacks.jpg", "baseline-444.jpg"),
        ("profile-cut.jpg", "baseline-444.jpg"),
        ("profile-of-grey.jpg", "baseline-444.jpg"),
        ("profile-of-inks.jpg", "baseline-444.jpg"),
        ("profile-black.jpg", "baseline-444.jpg"),
        ("srgb-chunks.png", "rgb-8.png"),
        ("cicp-pq.png", "rgb-8.png"),
        ("profile-inflates.png", "rgb-8.png"),
        ("profile-of-rgb.png", "grey-8.png"),
        ("profile-unannounced.webp", "lossless.webp"),
    ] {
        for format in [Format::Jpeg, Format::Png] {
            assert!(one(name, spec(40, 40, format)) == one(same, spec(40, 40, format)), "{name} as {format}");
        }
    }
}

#[test]
fn inks_by_a_profile_are_those_of_its_paper() {
    let plain = png("cmyk.jpg");
    for name in ["cmyk-profile.jpg", "ycck-profile.jpg"] {
        let made = png(name);
        assert!(difference(&made, &png("cmyk-profile.jpg")) < 3.0, "{name}");
        assert!(difference(&made, &plain) > 8.0, "{name}: its inks are weaker than those that are assumed");
    }
}

#[test]
fn grey_stays_grey() {
    for name in
        ["grey.jpg", "grey-8.png", "grey-16.png", "grey-gamma.jpg", "grey-gamma.png", "grey-adobe-rgb.jpg"]
    {
        let jpeg = one(name, spec(40, 40, Format::Jpeg)).bytes;
        let at = memchr::memmem::find(&jpeg, &[0xFF, 0xC0]).unwrap();
        assert_eq!(jpeg[at + 9], 1, "{name}: components");
        // IHDR's colour type.
        assert_eq!(one(name, spec(40, 40, Format::Png)).bytes[25], 0, "{name}");
    }
    for name in ["grey-alpha-8.png", "grey-alpha-16.png", "grey-8-trns.png"] {
        assert_eq!(one(name, spec(40, 40, Format::Png)).bytes[25], 4, "{name}");
    }
}

#[test]
fn thumbnails_carry_no_profile() {
    for (name, _) in PROFILED.into_iter().chain([("srgb-profile.jpg", ""), ("cmyk-profile.jpg", "")]) {
        for format in [Format::Jpeg, Format::Png] {
            let made = one(name, spec(40, 40, format)).bytes;
            for word in [&b"ICC_PROFILE"[..], b"iCCP", b"cICP", b"acsp"] {
                assert!(memchr::memmem::find(&made, word).is_none(), "{name} as {format}");
            }
        }
    }
    assert!(memchr::memmem::find(&file("srgb-profile.jpg"), b"acsp").is_some());
}
