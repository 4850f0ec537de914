//! Whole thumbnails, and the planes that they are encoded from.

mod limits;
mod reference;
mod sizes;
mod whole;

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
