//! Whole thumbnails, and the planes that they are encoded from.

use super::press::{Image, Press};
use super::*;
use crate::image::decode::decode;
use crate::image::orientation::Orientation;
use crate::image::pictures::bytes as file;
use crate::image::{Color, Layout, Plane, Sink};

pub(super) const PLENTY: Limits = Limits { max_pixels: 220_000_000, memory: 1 << 30 };

pub(super) const fn spec(width: u32, height: u32, format: Format) -> Spec {
    Spec { bounds: Size { width, height }, format, effort: Effort::Fast }
}

pub(super) fn one(name: &str, wanted: Spec) -> Thumbnail {
    make(&file(name), &[wanted], &PLENTY).unwrap_or_else(|e| panic!("{name}: {e}")).remove(0)
}

/// A sink that keeps everything.
#[derive(Default)]
struct Kept {
    layout: Option<Layout>,
    planes: Vec<Vec<u8>>,
}

impl Sink for Kept {
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

fn kept(bytes: &[u8]) -> Kept {
    let mut kept = Kept::default();
    decode(bytes, &probe_bytes(bytes).unwrap(), &mut kept).unwrap();
    kept
}

/// Pixels of a thumbnail as RGBA; chroma is repeated.
pub(super) fn pixels(bytes: &[u8]) -> Vec<[u8; 4]> {
    let Kept { layout, planes } = kept(bytes);
    let layout = layout.unwrap();
    let width = layout.size.width as usize;
    let first = planes[0].iter();
    match layout.color {
        Color::Grey => first.map(|&g| [g, g, g, 255]).collect(),
        Color::GreyAlpha => planes[0].as_chunks().0.iter().map(|&[g, a]| [g, g, g, a]).collect(),
        Color::Rgb => planes[0].as_chunks().0.iter().map(|&[r, g, b]| [r, g, b, 255]).collect(),
        Color::Rgba => planes[0].as_chunks().0.to_vec(),
        Color::YCbCr => {
            let columns = layout.planes[1].size.width as usize;
            let ratio = width.div_ceil(columns);
            let chroma = |i: usize| i / width / ratio * columns + i % width / ratio;
            let pixel = |(i, &y): (usize, &u8)| {
                let [r, g, b] =
                    crate::image::color::rgb_of_ycbcr(y, planes[1][chroma(i)], planes[2][chroma(i)]);
                [r, g, b, 255]
            };
            first.enumerate().map(pixel).collect()
        }
        Color::Cmyk => panic!("this sink takes none"),
    }
}

pub(super) fn psnr(pairs: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (mut sum, mut count) = (0.0, 0);
    for (a, b) in pairs {
        sum += (a - b) * (a - b);
        count += 1;
    }
    10.0 * (255.0 * 255.0 * f64::from(count) / sum).log10()
}

pub(super) fn colours<'a>(a: &'a [[u8; 4]], b: &'a [[u8; 4]]) -> impl Iterator<Item = (f64, f64)> + 'a {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).flat_map(|(a, b)| (0..3).map(move |c| (f64::from(a[c]), f64::from(b[c]))))
}

pub(super) fn luma(pixels: &[[u8; 4]]) -> Vec<[u8; 4]> {
    let luma = |p: &[u8; 4]| 0.299 * f64::from(p[0]) + 0.587 * f64::from(p[1]) + 0.114 * f64::from(p[2]);
    pixels.iter().map(|p| [luma(p).round() as u8; 4]).collect()
}

mod sizes {
    use super::*;

    fn fitted(width: u32, height: u32, bound: (u32, u32)) -> (u32, u32) {
        let size = fit(Size { width, height }, Size { width: bound.0, height: bound.1 });
        (size.width, size.height)
    }

    #[test]
    fn the_tighter_side_fills_its_bound() {
        assert_eq!(fitted(4000, 3000, (600, 600)), (600, 450));
        assert_eq!(fitted(3000, 4000, (600, 600)), (450, 600));
        assert_eq!(fitted(4000, 3000, (600, 100)), (133, 100));
        assert_eq!(fitted(1000, 667, (100, 100)), (100, 67));
        assert_eq!(fitted(601, 600, (600, 600)), (600, 599));
    }

    #[test]
    fn nothing_is_enlarged_and_nothing_vanishes() {
        assert_eq!(fitted(600, 450, (600, 600)), (600, 450));
        assert_eq!(fitted(1, 1, (100, 100)), (1, 1));
        assert_eq!(fitted(65_535, 1, (600, 600)), (600, 1));
        assert_eq!(fitted(1, u32::MAX, (600, 600)), (1, 600));
        assert_eq!(fitted(5, 5, (0, 0)), (1, 1));
        assert_eq!(fitted(u32::MAX, u32::MAX, (u32::MAX, u32::MAX)), (MAX_SIDE, MAX_SIDE));
    }

    #[test]
    fn a_quarter_turn_swaps_the_thumbnails_sides() {
        for (name, size) in [
            ("orientation-1.jpg", (48, 32)),
            ("orientation-6.jpg", (48, 32)),
            ("orientation-6.png", (48, 33)),
            ("baseline-420.jpg", (48, 32)),
            ("wide.jpg", (48, 1)),
            ("high.png", (1, 48)),
            ("one-pixel.gif", (1, 1)),
        ] {
            let format = probe_bytes(&file(name)).unwrap().format();
            let format = if format == Format::Jpeg { format } else { Format::Png };
            let made = one(name, spec(48, 48, format)).size;
            let fits = if name == "orientation-6.png" { (45, 31) } else { size };
            assert_eq!((made.width, made.height), fits, "{name}");
        }
    }
}

/// Resampling by its definition in 64-bit floating point, Lanczos with three lobes, and the geometry
/// worked out anew: which place in a stored plane an upright sample is the mean about.
mod reference {
    use super::*;

    /// Mean about `centre` (in samples' edge coordinates) of `count` samples, `scale` to an output sample.
    fn weights(count: usize, centre: f64, scale: f64) -> Vec<f64> {
        let scale = scale.max(1.0);
        let sinc = |x: f64| {
            if x == 0.0 { 1.0 } else { (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x) }
        };
        let raw: Vec<f64> = (0..count)
            .map(|i| (i as f64 + 0.5 - centre) / scale)
            .map(|x| if x.abs() < 3.0 { sinc(x) * sinc(x / 3.0) } else { 0.0 })
            .collect();
        let sum: f64 = raw.iter().sum();
        raw.iter().map(|w| w / sum).collect()
    }

    /// Weights of all outputs of one stored axis, in upright order. `step` upright pixels an output.
    fn axis(plane: u32, ratio: f64, source: u32, fitted: u32, step: f64, reversed: bool) -> Vec<Vec<f64>> {
        let zoom = f64::from(source) / f64::from(fitted);
        (0..(f64::from(fitted) / step).ceil() as usize)
            .map(|j| {
                let upright = (j as f64 + 0.5) * step;
                let stored = if reversed { f64::from(fitted) - upright } else { upright };
                let centre = (stored * zoom / ratio).clamp(0.0, f64::from(plane));
                weights(plane as usize, centre, step * zoom / ratio)
            })
            .collect()
    }

    /// The upright plane that is to be encoded.
    pub fn plane(
        picture: &Kept,
        index: usize,
        orientation: Orientation,
        fitted: Size,
        step: f64,
    ) -> Vec<Vec<f64>> {
        let layout = picture.layout.as_ref().unwrap();
        let Plane { size, channels, ratio } = layout.planes[index];
        let stored = orientation.apply(fitted);
        let x =
            axis(size.width, ratio.0, layout.size.width, stored.width, step, orientation.reverses_columns());
        let y =
            axis(size.height, ratio.1, layout.size.height, stored.height, step, orientation.reverses_rows());
        let samples = &picture.planes[index];
        let at = |column: usize, row: usize, c: usize| {
            f64::from(samples[(row * size.width as usize + column) * channels + c])
        };
        // Rows first: one value a channel for each output column of each source row.
        let mut across = vec![vec![0.0; x.len() * channels]; size.height as usize];
        for (row, out) in across.iter_mut().enumerate() {
            for (j, w) in x.iter().enumerate() {
                for c in 0..channels {
                    out[j * channels + c] = w.iter().enumerate().map(|(i, w)| w * at(i, row, c)).sum();
                }
            }
        }
        let value = |column: usize, row: usize, c: usize| -> f64 {
            let sum: f64 = y[row].iter().zip(&across).map(|(w, r)| w * r[column * channels + c]).sum();
            sum.clamp(0.0, 255.0)
        };
        let (columns, rows) = if orientation.swaps_sides() { (y.len(), x.len()) } else { (x.len(), y.len()) };
        (0..rows)
            .map(|row| {
                (0..columns)
                    .flat_map(|column| (0..channels).map(move |c| (column, c)))
                    .map(|(column, c)| {
                        if orientation.swaps_sides() { value(row, column, c) } else { value(column, row, c) }
                    })
                    .collect()
            })
            .collect()
    }
}

/// Upright planes of a picture's thumbnail, before they are encoded.
fn planes(picture: &Kept, orientation: Orientation, wanted: Spec) -> Vec<Image> {
    let wanted = [wanted];
    let mut press = Press::new(orientation, None, &wanted, u64::MAX).unwrap();
    let layout = picture.layout.as_ref().unwrap();
    press.start(layout).unwrap();
    for (index, plane) in layout.planes.iter().enumerate() {
        for row in picture.planes[index].chunks(plane.size.width as usize * plane.channels) {
            press.row(index, row).unwrap();
        }
    }
    press.uprights().next().unwrap().planes
}

#[track_caller]
fn assert_near(image: &Image, reference: &[Vec<f64>], what: &str) {
    let width = image.size.width as usize * image.channels;
    assert_eq!((width, image.size.height as usize), (reference[0].len(), reference.len()), "{what}");
    let pairs = image.samples.iter().map(|&s| f64::from(s)).zip(reference.iter().flatten().copied());
    let psnr = psnr(pairs);
    assert!(psnr >= 54.0, "{what}: {psnr:.1} dB");
}

#[test]
fn planes_are_the_references_for_every_sampling_and_format() {
    let upright = Orientation::Upright;
    for name in
        ["baseline-444", "baseline-422", "baseline-420", "baseline-411", "baseline-440", "uneven-sampling"]
            .into_iter()
            .chain(["luma-halved"])
    {
        let picture = kept(&file(&format!("{name}.jpg")));
        for bound in [61, 30] {
            let jpeg = planes(&picture, upright, spec(bound, bound, Format::Jpeg));
            let png = planes(&picture, upright, spec(bound, bound, Format::Png));
            let fitted = jpeg[0].size;
            for index in 0..3 {
                let step = if index == 0 { 1.0 } else { 2.0 };
                let what = format!("{name} {fitted}, plane {index}");
                assert_near(&jpeg[index], &reference::plane(&picture, index, upright, fitted, step), &what);
                assert_near(&png[index], &reference::plane(&picture, index, upright, fitted, 1.0), &what);
            }
        }
    }
}

#[test]
fn planes_are_the_references_for_grey_and_rgb() {
    for name in
        ["grey.jpg", "rgb-adobe.jpg", "cmyk.jpg", "rgb-8.png", "grey-16.png", "static.gif", "lossy.webp"]
    {
        let picture = kept(&file(name));
        for format in [Format::Jpeg, Format::Png] {
            let made = planes(&picture, Orientation::Upright, spec(29, 29, format));
            let expected = reference::plane(&picture, 0, Orientation::Upright, made[0].size, 1.0);
            assert_near(&made[0], &expected, name);
        }
    }
}

/// Odd sides on purpose: there the chroma of a mirrored picture is sited otherwise in the stored one.
#[test]
fn planes_are_the_references_in_every_orientation() {
    for name in ["baseline-420.jpg", "baseline-411.jpg"] {
        let picture = kept(&file(name));
        for orientation in Orientation::ALL {
            for bound in [41, 26] {
                let made = planes(&picture, orientation, spec(bound, bound, Format::Jpeg));
                let fitted = made[0].size;
                for (index, plane) in made.iter().enumerate() {
                    let step = if index == 0 { 1.0 } else { 2.0 };
                    let expected = reference::plane(&picture, index, orientation, fitted, step);
                    assert_near(plane, &expected, &format!("{name} {orientation:?} {fitted} plane {index}"));
                }
            }
        }
    }
}

/// A picture at full sampling as a camera that was held otherwise had stored it.
fn stored_as(upright: &Kept, orientation: Orientation) -> Kept {
    let back = match orientation {
        Orientation::QuarterTurn => Orientation::ThreeQuarterTurn,
        Orientation::ThreeQuarterTurn => Orientation::QuarterTurn,
        undoes_itself => undoes_itself,
    };
    let mut layout = upright.layout.clone().unwrap();
    let mut planes = Vec::new();
    for (plane, samples) in layout.planes.iter_mut().zip(&upright.planes) {
        let image = Image { size: plane.size, channels: plane.channels, samples: samples.clone() };
        let turned = turn::turn(image, back);
        plane.size = turned.size;
        planes.push(turned.samples);
    }
    layout.size = back.apply(layout.size);
    Kept { layout: Some(layout), planes }
}

#[test]
fn all_orientations_give_the_same_thumbnail() {
    let upright = kept(&file("baseline-444.jpg"));
    for wanted in [spec(41, 41, Format::Jpeg), spec(40, 40, Format::Jpeg), spec(33, 33, Format::Png)] {
        let reference = planes(&upright, Orientation::Upright, wanted);
        for orientation in Orientation::ALL {
            let made = planes(&stored_as(&upright, orientation), orientation, wanted);
            for (made, reference) in made.iter().zip(&reference) {
                assert_eq!(made.size, reference.size, "{orientation:?}");
                let most = made.samples.iter().zip(&reference.samples).map(|(a, b)| a.abs_diff(*b)).max();
                assert!(most <= Some(1), "{orientation:?}: {most:?}");
            }
        }
    }
}

mod whole {
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
        for name in
            ["baseline-420.jpg", "baseline-444.jpg", "rgb-8.png", "rgba-8.png", "grey.jpg", "cmyk.jpg"]
        {
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
}

mod limits {
    use super::*;

    const WANTED: [Spec; 1] = [spec(600, 600, Format::Jpeg)];

    #[test]
    fn pixels_are_counted_before_anything_is_decoded() {
        let limits = Limits { max_pixels: 100_000_000, ..PLENTY };
        let size = Size { width: 16_383, height: 16_383 };
        assert_eq!(
            make(&file("claims-16383.jpg"), &WANTED, &limits),
            Err(Error::TooManyPixels { size, limit: 100_000_000 })
        );
        let exact = Limits { max_pixels: 125 * 83, ..PLENTY };
        assert!(make(&file("grey.jpg"), &WANTED, &exact).is_ok());
        let less = Limits { max_pixels: 125 * 83 - 1, ..PLENTY };
        assert!(matches!(make(&file("grey.jpg"), &WANTED, &less), Err(Error::TooManyPixels { .. })));
    }

    #[test]
    fn memory_is_budgeted_by_how_a_picture_is_coded() {
        let needed = |name: &str| {
            let mut probe = probe_bytes(&file(name)).unwrap();
            probe.size = Size { width: 10_000, height: 10_000 };
            memory_needed(&probe, 1_000_000, &WANTED) >> 20
        };
        assert!(needed("baseline-420.jpg") < 30);
        assert!(needed("rgba-16.png") < 30);
        assert!((38..48).contains(&needed("progressive-420.jpg")), "18 bytes for 64 pixels");
        assert!(needed("three-scans.jpg") < 24);
        assert!((380..500).contains(&needed("rgb-16-interlaced.png")));
        assert!((90..200).contains(&needed("static.gif")));
        assert!((1100..1300).contains(&needed("lossy-alpha.webp")));
    }

    #[test]
    fn larger_thumbnails_need_more_of_a_progressive_picture() {
        let mut probe = probe_bytes(&file("progressive-420.jpg")).unwrap();
        probe.size = Size { width: 10_000, height: 10_000 };
        let needed = |side: u32| memory_needed(&probe, 0, &[spec(side, side, Format::Jpeg)]) >> 20;
        let [small, usual, large, whole] = [100, 600, 2000, 10_000].map(needed);
        assert!(small <= usual && usual < large && large < whole, "{small} {usual} {large} {whole}");
        assert!(
            (1400..1550).contains(&whole),
            "three and a quarter bytes a pixel, twelve of the thumbnail's"
        );
    }

    #[test]
    fn the_largest_sides_that_a_header_can_claim_are_budgeted_too() {
        let mut probe = probe_bytes(&file("rgb-16-interlaced.png")).unwrap();
        probe.size = Size { width: (1 << 31) - 1, height: (1 << 31) - 1 };
        assert_eq!(memory_needed(&probe, 1000, &WANTED), u64::MAX);
    }

    #[test]
    fn what_needs_more_memory_than_there_is_is_refused() {
        let bytes = file("progressive-420.jpg");
        let needed = memory_needed(&probe_bytes(&bytes).unwrap(), bytes.len() as u64, &WANTED);
        let limits = Limits { memory: needed, ..PLENTY };
        assert!(make(&bytes, &WANTED, &limits).is_ok());
        let limits = Limits { memory: needed - 1, ..PLENTY };
        assert_eq!(
            make(&bytes, &WANTED, &limits),
            Err(Error::TooLargeForWorker { needed, available: needed - 1 })
        );
    }

    #[test]
    fn thumbnails_themselves_must_fit_the_budget() {
        let bytes = file("wide.png");
        let memory = memory_needed(&probe_bytes(&bytes).unwrap(), bytes.len() as u64, &WANTED);
        let many = vec![spec(60_000, 60_000, Format::Png); 16];
        let made = make(&bytes, &many, &Limits { memory, ..PLENTY });
        assert!(matches!(made, Err(Error::TooLargeForWorker { .. })), "{made:?}");
    }

    #[test]
    fn only_jpeg_and_png_are_made() {
        let made = make(&file("grey.jpg"), &[spec(9, 9, Format::Webp)], &PLENTY);
        assert!(matches!(made, Err(Error::Unsupported(_))));
    }

    #[test]
    fn a_decoder_that_panics_is_a_damaged_picture() {
        let result = guarded(|| panic!("a crafted file, for the test"));
        assert_eq!(result, Err(Error::Corrupt("the decoder gave up".to_owned())));
    }

    #[test]
    fn bad_pictures_say_what_they_are() {
        let error = |name: &str| make(&file(name), &WANTED, &PLENTY).map(|_| ()).unwrap_err().code();
        for name in [
            "cut-in-data.jpg",
            "progressive-cut.jpg",
            "cut-in-data.png",
            "cut-in-data.gif",
            "cut-in-data.webp",
        ] {
            assert_eq!(error(name), "truncated_image", "{name}");
        }
        for name in ["bad-data-crc.png", "two-frames.jpg", "claims-30000.png"] {
            let code = error(name);
            assert!(matches!(code, "corrupt_image" | "too_many_pixels"), "{name}: {code}");
        }
        assert_eq!(error("arithmetic.jpg"), "unsupported_image");
        assert_eq!(make(b"GIF97a", &WANTED, &PLENTY), Err(Error::NotAnImage));
    }
}
