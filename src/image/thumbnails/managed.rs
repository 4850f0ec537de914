//! Brings a thumbnail's upright planes to sRGB, where its picture's profile asks for that.
//!
//! It is done here, at the thumbnail's size and not the source's: a hundredth of the work. Resampling
//! before instead of after differs by next to nothing, since both are gamma-encoded (docs/colour.md).

use super::press::Image;
use crate::image::Color;
use crate::image::color::rgb_of_ycbcr;
use crate::image::profile::Conversion;

/// The planes of a picture of `color` in sRGB, and what their samples mean then. Three planes must be of
/// one size.
pub(super) fn managed(conversion: &Conversion, color: Color, mut planes: Vec<Image>) -> (Color, Vec<Image>) {
    match (conversion, color) {
        (Conversion::Grey(table), Color::Grey | Color::GreyAlpha) => {
            for pixel in planes[0].samples.chunks_exact_mut(if color == Color::Grey { 1 } else { 2 }) {
                pixel[0] = table[usize::from(pixel[0])];
            }
            (color, planes)
        }
        (Conversion::Rgb(engine), Color::Rgb) => {
            let rgb = engine.rgb(&planes[0].samples, 3);
            (Color::Rgb, vec![with(&planes[0], 3, rgb)])
        }
        (Conversion::Rgb(engine), Color::Rgba) => {
            let pixels = planes[0].samples.as_chunks_mut::<4>().0;
            let colours: Vec<u8> = pixels.iter().flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
            for (pixel, rgb) in pixels.iter_mut().zip(engine.rgb(&colours, 3).chunks_exact(3)) {
                pixel[..3].copy_from_slice(rgb);
            }
            (color, planes)
        }
        (Conversion::Rgb(engine), Color::YCbCr) => {
            let rgb = engine.rgb(&interleaved(&planes), 3);
            (Color::Rgb, vec![with(&planes[0], 3, rgb)])
        }
        (Conversion::Inks(engine), Color::Cmyk) => {
            // Stored as 255 for none; a profile has it the other way.
            let inks: Vec<u8> = planes[0].samples.iter().map(|&ink| 255 - ink).collect();
            let rgb = engine.rgb(&inks, 4);
            (Color::Rgb, vec![with(&planes[0], 3, rgb)])
        }
        // The conversion is for what the header promised, and the decoder found something else.
        _ => (color, planes),
    }
}

/// Red, green and blue of planes of luma and chroma.
pub(super) fn interleaved(planes: &[Image]) -> Vec<u8> {
    let chroma = planes[1].samples.iter().zip(&planes[2].samples);
    planes[0].samples.iter().zip(chroma).flat_map(|(&y, (&cb, &cr))| rgb_of_ycbcr(y, cb, cr)).collect()
}

fn with(image: &Image, channels: usize, samples: Vec<u8>) -> Image {
    Image { size: image.size, channels, samples }
}
