//! Which profile is found and followed, and what it makes of colours.

use proptest::prelude::*;

use super::find::{Found, find};
use super::*;
use crate::image::pictures;
use crate::image::probe::probe_bytes;

fn found(name: &str) -> Option<Found> {
    let bytes = pictures::bytes(name);
    find(&bytes, &probe_bytes(&bytes).unwrap())
}

fn converted(name: &str) -> Option<Conversion> {
    let bytes = pictures::bytes(name);
    conversion(&bytes, &probe_bytes(&bytes).unwrap())
}

fn icc(name: &str) -> Vec<u8> {
    match found(name) {
        Some(Found::Icc(icc)) => icc,
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn a_profile_is_found_wherever_its_format_has_it() {
    let p3 = icc("display-p3.jpg");
    assert_eq!(p3.len(), u32::from_be_bytes([p3[0], p3[1], p3[2], p3[3]]) as usize);
    for name in ["private.jpg", "display-p3.png", "palette-p3.png", "display-p3.webp", "private.webp"] {
        assert!(icc(name) == p3, "{name}");
    }
    assert!(icc("adobe-rgb-two-parts.jpg") == icc("adobe-rgb.jpg"), "parts are joined");
    assert_eq!(found("cicp-p3.png"), Some(Found::CodePoints { primaries: 12, transfer: 13 }));
    assert_eq!(found("cicp-and-iccp.png"), found("cicp-p3.png"), "cICP goes before iCCP");
}

#[test]
fn what_is_no_whole_profile_is_not_found() {
    for name in [
        "baseline-420.jpg",
        "rgb-8.png",
        "lossy.webp",
        "animated.webp",
        "private.gif",
        "gamma-1.png",
        "srgb-chunks.png",
        "cicp-pq.png",
        "profile-part-lacks.jpg",
        "profile-inflates.png",
        "profile-of-rgb.png",
        "profile-unannounced.webp",
    ] {
        assert_eq!(found(name), None, "{name}");
    }
}

#[test]
fn a_profile_is_followed_where_it_fits() {
    for name in ["display-p3.jpg", "adobe-rgb.jpg", "prophoto.jpg", "cicp-p3.png", "display-p3-alpha.webp"] {
        assert!(matches!(converted(name), Some(Conversion::Rgb(_))), "{name}");
    }
    for name in ["grey-gamma.jpg", "grey-adobe-rgb.jpg", "grey-gamma.png"] {
        assert!(matches!(converted(name), Some(Conversion::Grey(_))), "{name}");
    }
    for name in ["cmyk-profile.jpg", "ycck-profile.jpg"] {
        assert!(matches!(converted(name), Some(Conversion::Inks(_))), "{name}");
    }
}

#[test]
fn what_is_broken_absurd_or_of_another_kind_is_not_followed() {
    for name in [
        "grey-bad-profile.jpg",
        "profile-cut.jpg",
        "profile-of-grey.jpg",
        "profile-of-inks.jpg",
        "profile-black.jpg",
    ] {
        assert!(found(name).is_some() && converted(name).is_none(), "{name}");
    }
}

#[test]
fn srgb_is_known_whatever_its_profile_is_called() {
    assert!(found("srgb-profile.jpg").is_some() && converted("srgb-profile.jpg").is_none());
    let srgb = Found::CodePoints { primaries: 1, transfer: 13 };
    assert!(Conversion::new(&srgb, Samples::Rgb).is_none());
    // The profile that the engine itself writes, as a curve in parameters.
    let written = moxcms::ColorProfile::new_srgb().encode().unwrap();
    assert!(Conversion::new(&Found::Icc(written), Samples::Rgb).is_none());
    let other = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    assert!(Conversion::new(&Found::Icc(other), Samples::Rgb).is_some());
}

/// Colours and what littlecms 2.19 (Pillow 13's) makes of them by the profiles of the test pictures: perceptual
/// intent, no black-point compensation, to an sRGB profile of version 2 with a curve of 4096 entries: `managed`
/// of `tests/pictures/colour.py`, which measures many more.
mod littlecms {
    use super::*;

    /// Levels by which a channel may differ. Half a level of rounding each, and curves that are tables.
    const MOST: u8 = 2;

    fn check<const N: usize>(name: &str, pairs: &[([u8; N], [u8; 3])]) {
        let engine = match converted(name) {
            Some(Conversion::Rgb(engine) | Conversion::Inks(engine)) => engine,
            _ => panic!("{name} has no conversion"),
        };
        for (from, to) in pairs {
            let rgb = engine.rgb(from, N);
            let most = rgb.iter().zip(to).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(most <= Some(MOST), "{name}: {from:?} becomes {rgb:?}, not {to:?}");
        }
    }

    #[test]
    fn display_p3() {
        let pairs = [
            ([255, 255, 255], [255, 255, 255]),
            ([0, 0, 0], [0, 0, 0]),
            ([128, 128, 128], [128, 128, 128]),
            ([200, 60, 40], [217, 42, 23]),
            ([40, 160, 60], [0, 163, 40]),
            ([50, 70, 190], [44, 71, 197]),
            ([230, 220, 120], [232, 220, 103]),
            ([90, 30, 100], [98, 24, 103]),
            ([20, 24, 28], [19, 24, 28]),
        ];
        for name in ["display-p3.jpg", "display-p3.png", "display-p3.webp", "cicp-p3.png"] {
            check(name, &pairs);
        }
    }

    #[test]
    fn adobe_rgb() {
        let pairs = [
            ([255, 255, 255], [255, 255, 255]),
            ([0, 0, 0], [0, 0, 0]),
            ([128, 128, 128], [129, 129, 129]),
            ([200, 60, 40], [231, 57, 34]),
            ([40, 160, 60], [0, 161, 46]),
            ([50, 70, 190], [34, 68, 195]),
            ([230, 220, 120], [234, 221, 114]),
            ([90, 30, 100], [104, 24, 102]),
            ([20, 24, 28], [10, 17, 22]),
        ];
        for name in ["adobe-rgb.jpg", "adobe-rgb-two-parts.jpg", "adobe-rgb.png", "adobe-rgb.webp"] {
            check(name, &pairs);
        }
    }

    #[test]
    fn prophoto() {
        let pairs = [
            ([255, 255, 255], [255, 255, 255]),
            ([128, 128, 128], [146, 146, 146]),
            ([200, 60, 40], [255, 0, 43]),
            ([40, 160, 60], [0, 191, 38]),
            ([50, 70, 190], [0, 92, 213]),
            ([230, 220, 120], [255, 225, 116]),
            ([90, 30, 100], [134, 0, 127]),
            ([20, 24, 28], [15, 33, 38]),
        ];
        check("prophoto.jpg", &pairs);
        check("prophoto-16.png", &pairs);
    }

    #[test]
    fn grey() {
        for name in ["grey-gamma.jpg", "grey-gamma.png"] {
            let Some(Conversion::Grey(table)) = converted(name) else { panic!("{name}") };
            for (from, to) in [(0, 0), (10, 10), (64, 81), (128, 146), (200, 210), (255, 255u8)] {
                assert!(table[from].abs_diff(to) <= 1, "{name}: {from} becomes {}, not {to}", table[from]);
            }
        }
    }

    #[test]
    fn inks() {
        let pairs = [
            ([0, 0, 0, 0], [255, 255, 255]),
            ([255, 255, 255, 255], [3, 2, 1]),
            ([0, 0, 0, 255], [56, 56, 56]),
            ([255, 0, 0, 0], [56, 162, 212]),
            ([0, 255, 0, 0], [206, 63, 129]),
            ([0, 0, 255, 0], [241, 221, 69]),
            ([128, 128, 128, 0], [154, 134, 124]),
            ([40, 90, 200, 30], [188, 156, 96]),
            ([200, 150, 20, 60], [92, 97, 130]),
            ([0, 255, 255, 0], [195, 53, 30]),
            ([77, 20, 180, 120], [140, 138, 93]),
        ];
        check("cmyk-profile.jpg", &pairs);
        check("ycck-profile.jpg", &pairs);
    }
}

#[test]
fn what_a_conversion_does_not_need_may_be_broken() {
    let whole = icc("display-p3.jpg");
    let entry =
        |name: &[u8]| 132 + 12 * whole[132..].chunks(12).position(|tag| tag.starts_with(name)).unwrap();
    let mut broken = whole.clone();
    // Its description lies beyond its end, its date and its intent are nonsense, and so is its length.
    broken[entry(b"desc") + 4..][..4].fill(0xFF);
    broken[24..36].fill(0xFF);
    broken[64..68].fill(0xFF);
    broken[..4].fill(0);
    assert!(Conversion::new(&Found::Icc(broken), Samples::Rgb).is_some());
    let mut broken = whole.clone();
    broken[entry(b"gXYZ") + 4..][..4].fill(0xFF);
    assert!(Conversion::new(&Found::Icc(broken), Samples::Rgb).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn damaged_profiles_are_met_without_a_panic(
        which in 0usize..4,
        cut in any::<prop::sample::Index>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
    ) {
        let (name, samples) = [
            ("display-p3.jpg", Samples::Rgb),
            ("srgb-profile.jpg", Samples::Rgb),
            ("grey-gamma.jpg", Samples::Grey),
            ("cmyk-profile.jpg", Samples::Inks),
        ][which];
        let mut bytes = icc(name);
        for (at, byte) in damage {
            // Heads of tables, where counts are, as often as all else.
            let reach = if byte % 2 == 0 { 600.min(bytes.len()) } else { bytes.len() };
            let at = at.index(reach);
            bytes[at] = byte;
        }
        bytes.truncate(if cut.index(3) == 0 { cut.index(bytes.len()) } else { bytes.len() });
        let _ = Conversion::new(&Found::Icc(bytes), samples);
    }
}
