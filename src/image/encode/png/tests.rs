//! What comes back out of the files, by the `png` crate, and what they are made of.

use std::io::Cursor;

use proptest::prelude::*;

use super::oklab::{Eye, distance};
use super::*;

/// Its kind, its size and its samples.
fn decode(file: &[u8]) -> (png::ColorType, Size, Vec<u8>) {
    let mut reader = png::Decoder::new(Cursor::new(file)).read_info().unwrap();
    let mut samples = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut samples).unwrap();
    (info.color_type, Size { width: info.width, height: info.height }, samples)
}

/// What is to be seen of a file.
fn seen(file: &[u8]) -> Vec<[u8; 4]> {
    let mut decoder = png::Decoder::new(Cursor::new(file));
    decoder.set_transformations(png::Transformations::normalize_to_color8() | png::Transformations::ALPHA);
    let mut reader = decoder.read_info().unwrap();
    let mut samples = vec![0; reader.output_buffer_size().unwrap()];
    match reader.next_frame(&mut samples).unwrap().color_type {
        png::ColorType::GrayscaleAlpha => pixels(Color::GreyAlpha, &samples),
        _ => pixels(Color::Rgba, &samples),
    }
}

/// Colour type (PNG specification, 11.2.1) and bits a sample.
fn kind(file: &[u8]) -> (u8, u8) {
    (file[25], file[24])
}

fn small_rgba(size: Size, pixels: &[[u8; 4]]) -> Vec<u8> {
    encode(size, Color::Rgba, pixels.as_flattened(), Effort::Small)
}

/// `width` × `height` pixels, each by its place.
fn drawn(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 4]) -> (Size, Vec<[u8; 4]>) {
    let pixels =
        (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| pixel(x, y)).collect();
    (Size { width, height }, pixels)
}

/// About a photograph: soft, of few hues, with grain and an edge.
fn photo(width: u32, height: u32) -> (Size, Vec<[u8; 4]>) {
    drawn(width, height, |x, y| {
        let grain = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(2_246_822_519)) >> 13 & 7;
        let (x, y) = (x as f32 / width as f32, y as f32 / height as f32);
        let light =
            (90.0 + 60.0 * (7.0 * x).sin() + 50.0 * (5.0 * y * x).cos()) * if x > y { 1.0 } else { 0.7 };
        [light * 1.1 + 20.0, light, light * 0.7 + 30.0 * y, 255.0]
            .map(|level| level as u8)
            .map(|level| if level == 255 { level } else { level.saturating_add(grain as u8) })
    })
}

/// All hues in all shades.
fn rainbow(width: u32, height: u32) -> (Size, Vec<[u8; 4]>) {
    drawn(width, height, |x, y| {
        let (hue, light) = (x as f32 / width as f32 * 6.0, 255.0 - 255.0 * y as f32 / height as f32);
        let level = |shift: f32| {
            let place = (shift + hue) % 6.0;
            (light - light * place.min(4.0 - place).clamp(0.0, 1.0)) as u8
        };
        [level(5.0), level(3.0), level(1.0), 255]
    })
}

/// A ring with a soft edge and a gradient, on a soft shadow with a grain.
fn logo(side: u32) -> (Size, Vec<[u8; 4]>) {
    drawn(side, side, |x, y| {
        let grain = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(2_246_822_519)) >> 14 & 3;
        let (x, y) = (x as f32 / side as f32 - 0.5, y as f32 / side as f32 - 0.5);
        let far = x.hypot(y);
        let ring = ((0.4 - far) * 100.0).clamp(0.0, 1.0) * ((far - 0.25) * 100.0).clamp(0.0, 1.0);
        let shadow = ((0.48 - far) * 10.0).clamp(0.0, 1.0) * 0.4;
        let alpha = ring + shadow * (1.0 - ring);
        [200.0 * ring + 80.0 * y, 120.0 * ring - 70.0 * y + grain as f32, 90.0 * ring, alpha * 255.0]
            .map(|level| level as u8)
    })
}

proptest! {
    #[test]
    fn samples_come_back_as_they_were(width in 1u32..40, height in 1u32..40, kind in 0usize..4, seed: u8) {
        let size = Size { width, height };
        let (color, stored) = [
            (Color::Grey, png::ColorType::Grayscale),
            (Color::GreyAlpha, png::ColorType::GrayscaleAlpha),
            (Color::Rgb, png::ColorType::Rgb),
            (Color::Rgba, png::ColorType::Rgba),
        ][kind];
        let count = size.pixels() as usize * channels(color);
        let mut samples: Vec<u8> = (0..count).map(|i| (i * i / 7 + i) as u8 ^ seed).collect();
        samples[channels(color) - 1] = 3;
        prop_assert_eq!(decode(&encode(size, color, &samples, Effort::Fast)), (stored, size, samples));
    }

    #[test]
    fn up_to_256_colours_come_back_as_they_were(
        width in 1u32..70, height in 1u32..70,
        palette in prop::collection::vec(any::<[u8; 4]>(), 1..257), flat in 1u32..9, seed: u32,
    ) {
        let (size, pixels) = drawn(width, height, |x, y| {
            let place = (x / flat).wrapping_mul(7).wrapping_add((y / flat).wrapping_mul(seed | 1));
            palette[place as usize % palette.len()]
        });
        let shown = super::pixels(Color::Rgba, pixels.as_flattened());
        let file = small_rgba(size, &pixels);
        prop_assert_eq!(seen(&file), shown);
        prop_assert!(file.len() <= encode(size, Color::Rgba, pixels.as_flattened(), Effort::Fast).len());
    }

    #[test]
    fn grey_comes_back_as_it_was(width in 1u32..70, height in 1u32..70, seed: u32, steps in 1u32..256) {
        let (size, pixels) = drawn(width, height, |x, y| {
            let grey = ((x * x + y.wrapping_mul(seed)) % steps * 255 / steps) as u8;
            [grey, grey, grey, 255]
        });
        let grey: Vec<u8> = pixels.iter().map(|pixel| pixel[0]).collect();
        prop_assert_eq!(&seen(&encode(size, Color::Grey, &grey, Effort::Small)), &pixels);
        prop_assert_eq!(seen(&small_rgba(size, &pixels)), pixels);
    }

    #[test]
    fn what_is_not_as_it_was_is_hardly_off(width in 1u32..200, height in 1u32..200, which in 0usize..3) {
        let (size, pixels) = [photo, rainbow, |width, _| logo(width)][which](width, height);
        let file = small_rgba(size, &pixels);
        let (shown, wanted) = (seen(&file), super::pixels(Color::Rgba, pixels.as_flattened()));
        if kind(&file).0 != 3 {
            prop_assert_eq!(shown, wanted);
            return Ok(());
        }
        let eye = Eye::on(size);
        let (shown, wanted) = (eye.points(&shown), eye.points(&wanted));
        let off = shown.iter().zip(&wanted).map(|(a, b)| distance(a, b)).sum::<f32>() / shown.len() as f32;
        prop_assert!(off <= eye.forgives * 1.01, "{}", off);
    }
}

#[test]
fn opaque_alpha_is_left_out() {
    let size = Size { width: 2, height: 1 };
    let colour = encode(size, Color::Rgba, &[1, 2, 3, 255, 4, 5, 6, 255], Effort::Fast);
    assert_eq!(decode(&colour), (png::ColorType::Rgb, size, vec![1, 2, 3, 4, 5, 6]));
    let grey = encode(size, Color::GreyAlpha, &[7, 255, 8, 255], Effort::Fast);
    assert_eq!(decode(&grey), (png::ColorType::Grayscale, size, vec![7, 8]));
}

#[test]
fn a_file_holds_nothing_but_the_picture() {
    let kinds = |file: &[u8]| {
        let mut kinds = Vec::new();
        let mut rest = &file[8..];
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            kinds.push(String::from_utf8_lossy(&after[..4]).into_owned());
            rest = &after[u32::from_be_bytes(*length) as usize + 8..];
        }
        kinds
    };
    let plain = encode(Size { width: 1, height: 1 }, Color::Rgb, &[1, 2, 3], Effort::Fast);
    assert_eq!(kinds(&plain), ["IHDR", "IDAT", "IEND"]);
    let (size, pixels) = photo(300, 200);
    assert_eq!(kinds(&small_rgba(size, &pixels)), ["IHDR", "PLTE", "IDAT", "IEND"]);
    let (size, pixels) = logo(300);
    assert_eq!(kinds(&small_rgba(size, &pixels)), ["IHDR", "PLTE", "tRNS", "IDAT", "IEND"]);
}

#[test]
fn a_number_takes_no_more_bits_than_it_needs() {
    for (colours, bits) in [(2, 1), (3, 2), (4, 2), (5, 4), (16, 4), (17, 8), (256, 8)] {
        let (size, pixels) = drawn(301, 203, |x, y| {
            let place = (x / 3).wrapping_mul(2_654_435_761) ^ (y / 2).wrapping_mul(2_246_822_519);
            let number = ((place ^ place >> 15) % colours) as u8;
            [number, 255 - number, 90, 255]
        });
        let file = small_rgba(size, &pixels);
        assert_eq!((kind(&file), seen(&file) == pixels), ((3, bits), true), "{colours} colours");
    }
}

#[test]
fn channels_that_say_nothing_are_left_out() {
    let grey = |alpha: u32| {
        drawn(120, 90, move |x, y| [(x + y) as u8, (x + y) as u8, (x + y) as u8, (255 - x * alpha) as u8])
    };
    let (size, pixels) = grey(0);
    assert_eq!(kind(&small_rgba(size, &pixels)), (0, 8));
    let (size, pixels) = rainbow(300, 300);
    assert_eq!(kind(&small_rgba(size, &pixels)), (2, 8));
}

#[test]
fn what_no_alpha_hides_is_no_colour() {
    let (size, pixels) =
        drawn(90, 90, |x, y| [x as u8, y as u8, (x * y) as u8, if x < 60 { 0 } else { 255 }]);
    let clear = pixels.iter().map(|pixel| if pixel[3] == 0 { [0; 4] } else { *pixel });
    let clear: Vec<[u8; 4]> = clear.map(|[_, _, _, alpha]| [9, 9, 9, alpha]).collect();
    let file = small_rgba(size, &clear);
    assert_eq!(kind(&file), (3, 1));
    assert!(seen(&file).iter().zip(&pixels).all(|(shown, pixel)| shown[3] == pixel[3]));
}

#[test]
fn photographs_and_logos_become_a_third() {
    for (what, (size, pixels), most) in
        [("photo", photo(600, 450), 0.40), ("logo", logo(600), 0.60), ("small photo", photo(300, 225), 0.40)]
    {
        let bytes = |effort| encode(size, Color::Rgba, pixels.as_flattened(), effort).len() as f64;
        let ratio = bytes(Effort::Small) / bytes(Effort::Fast);
        assert!(ratio <= most, "{what}: {ratio:.3}");
    }
}

#[test]
fn the_same_picture_becomes_the_same_file() {
    for (size, pixels) in [photo(311, 207), rainbow(200, 160), logo(333), photo(100, 75)] {
        let files: Vec<Vec<u8>> = (0..3)
            .map(|_| {
                let pixels = pixels.clone();
                std::thread::spawn(move || small_rgba(size, &pixels)).join().unwrap()
            })
            .collect();
        assert!(files[0] == files[1] && files[1] == files[2], "{size}");
    }
}

#[test]
fn any_side_may_be_one() {
    for (width, height) in [(1, 1), (1, 700), (700, 1), (3, 501)] {
        let (size, pixels) = photo(width, height);
        let shown = seen(&small_rgba(size, &pixels));
        assert_eq!(shown.len(), pixels.len());
        assert!(shown.iter().zip(&pixels).all(|(a, b)| a[0].abs_diff(b[0]) < 24), "{size}");
    }
}
