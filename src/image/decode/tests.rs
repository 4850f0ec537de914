//! The decoders against the pictures in `tests/pictures`, most of which show one scene.

use super::decode;
use crate::image::pictures::bytes as file;
use crate::image::probe::probe_bytes;
use crate::image::{Color, Error, Layout, Sink};

/// A sink that keeps everything.
#[derive(Default)]
struct Picture {
    layout: Option<Layout>,
    planes: Vec<Vec<u8>>,
}

impl Picture {
    fn layout(&self) -> &Layout {
        self.layout.as_ref().expect("no layout was announced")
    }

    fn color(&self) -> Color {
        self.layout().color
    }

    /// Pixels of the only plane.
    fn pixels<const C: usize>(&self) -> &[[u8; C]] {
        assert_eq!((self.planes.len(), self.layout().planes[0].channels), (1, C));
        self.planes[0].as_chunks().0
    }
}

impl Sink for Picture {
    fn start(&mut self, layout: &Layout) -> Result<(), Error> {
        assert!(self.layout.is_none(), "announced twice");
        self.planes = vec![Vec::new(); layout.planes.len()];
        self.layout = Some(layout.clone());
        Ok(())
    }

    fn row(&mut self, plane: usize, samples: &[u8]) -> Result<(), Error> {
        let of = self.layout().planes[plane];
        assert_eq!(samples.len(), of.size.width as usize * of.channels);
        self.planes[plane].extend_from_slice(samples);
        Ok(())
    }
}

fn decoded(bytes: &[u8]) -> Result<Picture, Error> {
    let mut picture = Picture::default();
    decode(bytes, &probe_bytes(bytes)?, &mut picture)?;
    for (plane, samples) in picture.layout().planes.iter().zip(&picture.planes) {
        assert_eq!(samples.len() as u64, plane.size.pixels() * plane.channels as u64, "rows lack");
    }
    Ok(picture)
}

fn picture(name: &str) -> Picture {
    decoded(&file(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn error(name: &str) -> Error {
    decoded(&file(name)).err().unwrap_or_else(|| panic!("{name} was decoded"))
}

/// The largest difference and the mean one.
fn difference(a: &[u8], b: &[u8]) -> (u8, f64) {
    assert_eq!(a.len(), b.len());
    let all = a.iter().zip(b).map(|(&a, &b)| a.abs_diff(b));
    let sum: f64 = all.clone().map(f64::from).sum();
    (all.max().unwrap_or(0), sum / a.len() as f64)
}

fn is_truncated(error: &Error) -> bool {
    matches!(error, Error::Truncated(_))
}

mod jpeg {
    use super::*;

    /// Plane sizes and ratios.
    fn sampling(name: &str) -> Vec<(u32, u32, f64, f64)> {
        let picture = picture(name);
        assert_eq!(picture.color(), Color::YCbCr, "{name}");
        let planes = &picture.layout().planes;
        planes.iter().map(|p| (p.size.width, p.size.height, p.ratio.0, p.ratio.1)).collect()
    }

    #[test]
    fn planes_come_at_their_own_sampling() {
        let full = (125, 83, 1.0, 1.0);
        for (name, cb, cr) in [
            ("baseline-444.jpg", full, full),
            ("baseline-422.jpg", (63, 83, 2.0, 1.0), (63, 83, 2.0, 1.0)),
            ("baseline-420.jpg", (63, 42, 2.0, 2.0), (63, 42, 2.0, 2.0)),
            ("baseline-411.jpg", (32, 83, 4.0, 1.0), (32, 83, 4.0, 1.0)),
            ("baseline-440.jpg", (125, 42, 1.0, 2.0), (125, 42, 1.0, 2.0)),
            ("baseline-410.jpg", (32, 42, 4.0, 2.0), (32, 42, 4.0, 2.0)),
            ("uneven-sampling.jpg", (125, 42, 1.0, 2.0), (63, 83, 2.0, 1.0)),
            ("factors-1x2-all.jpg", full, full),
        ] {
            assert_eq!(sampling(name), [full, cb, cr], "{name}");
        }
        assert_eq!(sampling("luma-halved.jpg"), [(63, 83, 2.0, 1.0), full, full], "chroma larger than luma");
    }

    #[test]
    fn luma_is_the_same_whatever_the_chroma() {
        let luma = |name: &str| picture(name).planes.swap_remove(0);
        let reference = luma("baseline-444.jpg");
        for kind in ["422", "420", "411", "440", "410"] {
            assert!(luma(&format!("baseline-{kind}.jpg")) == reference, "{kind}");
        }
        assert!(luma("uneven-sampling.jpg") == reference);
        assert!(luma("factors-1x2-all.jpg") == reference);
    }

    #[test]
    fn how_scans_are_laid_out_changes_nothing() {
        for (name, same) in [
            ("three-scans.jpg", "baseline-420.jpg"),
            ("restarts-420.jpg", "baseline-420.jpg"),
            ("extended-8-bit.jpg", "baseline-420.jpg"),
            ("no-eoi.jpg", "baseline-420.jpg"),
            ("fill-bytes.jpg", "baseline-444.jpg"),
            ("progressive-420.jpg", "optimised-420.jpg"),
            ("progressive-restarts.jpg", "progressive-420.jpg"),
            ("grey-2x2.jpg", "grey.jpg"),
            ("ycc-bare.jpg", "ycc-adobe.jpg"),
            ("rgb-ids.jpg", "rgb-adobe.jpg"),
            ("cmyk-no-adobe.jpg", "cmyk.jpg"),
        ] {
            assert!(picture(name).planes == picture(same).planes, "{name} and {same}");
        }
    }

    #[test]
    fn inks_and_rgb_become_one_plane_of_rgb() {
        let reference = picture("rgb-adobe.jpg");
        assert_eq!(reference.color(), Color::Rgb);
        for (name, mean) in [("cmyk.jpg", 3.0), ("ycck.jpg", 3.0), ("ycck-420.jpg", 5.0)] {
            let inks = picture(name);
            assert_eq!(inks.color(), Color::Rgb, "{name}");
            let difference = difference(&inks.planes[0], &reference.planes[0]);
            assert!(difference.1 < mean, "{name}: {difference:?}");
        }
    }

    #[test]
    fn grey_stays_grey() {
        for name in ["grey.jpg", "progressive-grey.jpg", "wide.jpg", "high.jpg"] {
            assert_eq!(picture(name).color(), Color::Grey, "{name}");
        }
        let steps = picture("wide.jpg").planes.swap_remove(0);
        assert_eq!((steps[0], steps[65_534], steps.is_sorted()), (0, 224, true));
    }

    #[test]
    fn a_second_picture_behind_the_first_is_not_looked_at() {
        // A preview of another size follows the end marker, then bytes of a video.
        assert_eq!(picture("private.jpg").color(), Color::YCbCr);
    }

    /// Where the entropy-coded data of the last scan lie.
    fn last_scan(bytes: &[u8]) -> std::ops::Range<usize> {
        let header = bytes.windows(2).rposition(|w| w == [0xFF, 0xDA]).unwrap();
        let length = usize::from(u16::from_be_bytes([bytes[header + 2], bytes[header + 3]]));
        header + 2 + length..bytes.len() - 2
    }

    #[test]
    fn an_end_marker_before_the_end_is_no_picture() {
        for name in ["baseline-444.jpg", "baseline-420.jpg", "restarts-420.jpg", "grey.jpg", "cmyk.jpg"] {
            let bytes = file(name);
            let data = last_scan(&bytes);
            for cut in data.clone().step_by(data.len() / 40).chain(data.end - 5..data.end) {
                let ended = [&bytes[..cut], &[0xFF, 0xD9]].concat();
                let error = decoded(&ended).err();
                assert!(error.as_ref().is_some_and(is_truncated), "{name} cut at {cut}: {error:?}");
            }
        }
    }

    #[test]
    fn a_restart_marker_that_lacks_is_noticed() {
        let mut bytes = file("restarts-420.jpg");
        let data = last_scan(&bytes);
        let restarts: Vec<usize> =
            data.clone().filter(|&i| bytes[i] == 0xFF && matches!(bytes[i + 1], 0xD0..=0xD7)).collect();
        // The picture ends at the third, whole up to there.
        bytes.drain(restarts[2]..data.end);
        assert!(decoded(&bytes).err().as_ref().is_some_and(is_truncated));
    }

    #[test]
    fn a_file_without_tables_is_read_with_those_of_the_standard() {
        use crate::image::Size;
        use crate::image::encode::jpeg::{Planes, encode};

        // Our encoder uses them.
        let luma: Vec<u8> = (0..40 * 24).map(|i| (i * 7 % 251) as u8).collect();
        let mut bytes = Vec::new();
        encode(&Planes { size: Size { width: 40, height: 24 }, luma: &luma, chroma: None }, 90, &mut bytes);
        let (mut bare, mut at) = (bytes[..2].to_vec(), 2);
        while bytes[at + 1] != 0xDA {
            let next = at + 2 + usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
            if bytes[at + 1] != 0xC4 {
                bare.extend_from_slice(&bytes[at..next]);
            }
            at = next;
        }
        bare.extend_from_slice(&bytes[at..]);
        assert!(bare.len() + 200 < bytes.len());
        assert!(decoded(&bare).unwrap().planes == decoded(&bytes).unwrap().planes);
    }

    #[test]
    fn scans_are_limited() {
        let bytes = file("progressive-grey.jpg");
        let last = bytes.windows(2).rposition(|w| w == [0xFF, 0xDA]).unwrap();
        let scan = &bytes[last..bytes.len() - 2];
        let many = [&bytes[..last], &scan.repeat(70), &[0xFF, 0xD9]].concat();
        assert!(matches!(decoded(&many), Err(Error::Unsupported(_))));
    }

    #[test]
    fn a_claim_of_size_that_its_data_can_not_fill_is_refused_at_once() {
        assert!(is_truncated(&error("claims-16383.jpg")));
    }

    #[test]
    fn a_picture_of_another_size_than_probed_is_refused() {
        let bytes = file("grey.jpg");
        let mut probe = probe_bytes(&bytes).unwrap();
        probe.size.width += 1;
        let result = decode(&bytes, &probe, &mut Picture::default());
        assert!(matches!(result, Err(Error::Corrupt(_))), "{result:?}");
    }
}

mod png {
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
        for name in
            ["grey-1", "grey-2", "grey-4", "grey-16", "rgb-16", "grey-alpha-16", "rgba-16", "palette-4"]
        {
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
}

mod gif {
    use super::*;

    #[test]
    fn a_frame_that_fills_the_canvas_is_rgb() {
        let reference = picture("static.gif");
        assert_eq!(reference.color(), Color::Rgb);
        for name in
            ["interlaced.gif", "local-palette.gif", "animated.gif", "no-trailer.gif", "zero-canvas.gif"]
        {
            assert!(picture(name).planes == reference.planes, "{name}");
        }
        let scene = picture("rgb-8.png");
        assert!(difference(&reference.planes[0], &scene.planes[0]).1 < 12.0);
    }

    #[test]
    fn the_canvas_is_transparent_beside_the_frame() {
        let picture = picture("small-first-frame.gif");
        let inside = |i: usize| (9..40).contains(&(i % 45)) && (6..26).contains(&(i / 45));
        for (i, pixel) in picture.pixels::<4>().iter().enumerate() {
            assert_eq!(pixel[3], if inside(i) { 255 } else { 0 }, "pixel {i}");
        }
    }

    #[test]
    fn what_reaches_over_the_canvas_is_cut_off() {
        let picture = picture("frame-outside.gif");
        assert_eq!(picture.layout().size.pixels(), 40 * 20);
        let opaque = picture.pixels::<4>().iter().filter(|p| p[3] == 255).count();
        assert!(opaque > 0 && opaque < 40 * 20);
    }

    #[test]
    fn an_interlaced_frame_is_cut_off_as_any_other() {
        // The interlace flag is a bit of the image descriptor's last byte (GIF89a, 20).
        let mut bytes = file("interlaced.gif");
        let straight = picture("interlaced.gif");
        // A canvas four columns and three rows smaller than the frame.
        bytes[6..10].copy_from_slice(&[41, 0, 28, 0]);
        let clipped = decoded(&bytes).unwrap();
        let expected: Vec<[u8; 3]> =
            straight.pixels::<3>().chunks(45).take(28).flat_map(|row| row[..41].iter().copied()).collect();
        assert!(clipped.pixels::<3>() == expected);
    }

    #[test]
    fn one_colour_may_be_transparent() {
        let picture = picture("transparent.gif");
        let clear = picture.pixels::<4>().iter().filter(|p| p[3] == 0).count();
        assert!(clear > 0 && clear < 45 * 31, "{clear}");
    }

    #[test]
    fn frames_behind_the_first_are_not_looked_at() {
        let bytes = file("400-frames.gif");
        let first = picture("400-frames.gif");
        assert!(decoded(&bytes[..bytes.len() / 100]).unwrap().planes == first.planes);
    }

    #[test]
    fn data_that_lack_are_noticed() {
        assert!(is_truncated(&error("cut-in-data.gif")));
    }
}

mod webp {
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
}

/// A file that is cut anywhere is refused, or decodes to the very same picture: nothing is made up.
#[test]
fn no_prefix_of_a_file_decodes_to_something_else() {
    for name in [
        "baseline-420.jpg",
        "restarts-420.jpg",
        "three-scans.jpg",
        "progressive-420.jpg",
        "progressive-restarts.jpg",
        "ycck-420.jpg",
        "private.jpg",
        "rgb-8.png",
        "rgb-16-interlaced.png",
        "interlaced.gif",
        "static.gif",
        "lossy-alpha.webp",
        "lossless.webp",
        "animated.webp",
    ] {
        let bytes = file(name);
        let whole = decoded(&bytes).unwrap();
        let last = bytes.len().saturating_sub(40);
        for end in (0..last).step_by(bytes.len() / 60).chain(last..bytes.len()) {
            if let Ok(cut) = decoded(&bytes[..end]) {
                assert!(cut.planes == whole.planes, "{name} cut at {end}");
            }
        }
    }
}

/// Bytes changed here and there: any answer will do, but one must come, and no panic.
#[test]
fn damaged_files_are_answered() {
    for name in [
        "baseline-420.jpg",
        "progressive-420.jpg",
        "rgba-16-interlaced.png",
        "static.gif",
        "lossy-alpha.webp",
    ] {
        let bytes = file(name);
        for round in 0..60 {
            let mut damaged = bytes.clone();
            let at = 40 + round * (bytes.len() - 40) / 60;
            damaged[at] ^= 0x55;
            let _ = decoded(&damaged);
        }
    }
}

/// What a sink answers ends the decoding.
#[test]
fn a_sink_may_stop() {
    struct Stop;
    impl Sink for Stop {
        fn start(&mut self, _: &Layout) -> Result<(), Error> {
            Ok(())
        }
        fn row(&mut self, _: usize, _: &[u8]) -> Result<(), Error> {
            Err(Error::Unsupported("enough".to_owned()))
        }
    }
    for name in
        ["baseline-420.jpg", "cmyk.jpg", "rgb-8.png", "rgb-16-interlaced.png", "static.gif", "lossy.webp"]
    {
        let bytes = file(name);
        let result = decode(&bytes, &probe_bytes(&bytes).unwrap(), &mut Stop);
        assert_eq!(result, Err(Error::Unsupported("enough".to_owned())), "{name}");
    }
}
