//! PNG files of thumbnails, by the `png` crate (`vendor-notes/png.md`).

use std::borrow::Cow;

use crate::image::{Color, Effort, Size};

/// A whole file of 8-bit interleaved samples. Alpha that is opaque everywhere is left out.
///
/// # Panics
/// If a side is 0, if `color` is [`Color::YCbCr`] or [`Color::Cmyk`], which PNG does not have, or if the
/// samples are not as many as size and colour ask for.
pub fn encode(size: Size, color: Color, samples: &[u8], effort: Effort) -> Vec<u8> {
    let channels = channels(color);
    assert!(size.pixels() > 0 && samples.len() as u64 == size.pixels() * channels as u64, "{size}");
    let (color, samples) = match color {
        Color::GreyAlpha if is_opaque::<2>(samples) => (Color::Grey, Cow::Owned(without_alpha::<2>(samples))),
        Color::Rgba if is_opaque::<4>(samples) => (Color::Rgb, Cow::Owned(without_alpha::<4>(samples))),
        _ => (color, Cow::Borrowed(samples)),
    };
    // The assertion above is all that the encoder asks of its caller, and writing into memory does not fail.
    write(size, color, &samples, effort).expect("size and samples fit, and memory takes what is written")
}

fn channels(color: Color) -> usize {
    match color {
        Color::Grey => 1,
        Color::GreyAlpha => 2,
        Color::Rgb => 3,
        Color::Rgba => 4,
        Color::YCbCr | Color::Cmyk => panic!("PNG has neither YCbCr nor inks"),
    }
}

fn is_opaque<const C: usize>(samples: &[u8]) -> bool {
    samples.as_chunks::<C>().0.iter().all(|pixel| pixel[C - 1] == 255)
}

fn without_alpha<const C: usize>(samples: &[u8]) -> Vec<u8> {
    samples.as_chunks::<C>().0.iter().flat_map(|pixel| &pixel[..C - 1]).copied().collect()
}

fn write(size: Size, color: Color, samples: &[u8], effort: Effort) -> Result<Vec<u8>, png::EncodingError> {
    let mut out = Vec::with_capacity(1024 + samples.len() / 2);
    let mut encoder = png::Encoder::new(&mut out, size.width, size.height);
    encoder.set_color(match color {
        Color::Grey => png::ColorType::Grayscale,
        Color::GreyAlpha => png::ColorType::GrayscaleAlpha,
        Color::Rgb | Color::YCbCr | Color::Cmyk => png::ColorType::Rgb,
        Color::Rgba => png::ColorType::Rgba,
    });
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(match effort {
        Effort::Fast => png::Compression::Fast,
        Effort::Small => png::Compression::Balanced,
    });
    let mut writer = encoder.write_header()?;
    writer.write_image_data(samples)?;
    writer.finish()?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    fn decode(file: &[u8]) -> (png::ColorType, Size, Vec<u8>) {
        let mut reader = png::Decoder::new(Cursor::new(file)).read_info().unwrap();
        let mut samples = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut samples).unwrap();
        (info.color_type, Size { width: info.width, height: info.height }, samples)
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
        let file = encode(Size { width: 1, height: 1 }, Color::Rgb, &[1, 2, 3], Effort::Fast);
        let mut kinds = Vec::new();
        let mut rest = &file[8..];
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            kinds.push(String::from_utf8_lossy(&after[..4]).into_owned());
            rest = &after[u32::from_be_bytes(*length) as usize + 8..];
        }
        assert_eq!(kinds, ["IHDR", "IDAT", "IEND"]);
    }
}
