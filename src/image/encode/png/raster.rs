//! A picture as PNG stores it, and how much work goes into packing it.

use std::borrow::Cow;

use crate::image::Size;

/// Samples of one of PNG's kinds, without its filters.
pub(super) struct Raster<'a> {
    size: Size,
    color: png::ColorType,
    depth: png::BitDepth,
    colours: Option<Colours>,
    rows: Cow<'a, [u8]>,
}

/// PLTE and tRNS (PNG specification, 11.2.2 and 11.3.1.1).
struct Colours {
    rgb: Vec<u8>,
    /// Of the first colours; those after them are opaque.
    alpha: Vec<u8>,
}

/// How a raster is packed.
#[derive(Clone, Copy)]
pub(super) enum Pack {
    /// With the filter that suits each row, in the least time.
    Fast,
    /// The same with zlib's level.
    Filtered(u8),
    /// Without filters, with zlib's level.
    Plain(u8),
}

/// zlib's level beyond which what does not repeat becomes hardly smaller, for a multiple of the time.
const ENOUGH: u8 = 5;

/// The same for filtered samples of several channels, where it takes longest.
const ENOUGH_FOR_CHANNELS: u8 = 4;

/// zlib's last level.
const ALL: u8 = 9;

impl<'a> Raster<'a> {
    /// Of 8-bit samples.
    pub(super) fn of_samples(size: Size, color: png::ColorType, rows: Cow<'a, [u8]>) -> Raster<'a> {
        Raster { size, color, depth: png::BitDepth::Eight, colours: None, rows }
    }

    /// Of numbers of `palette`, which has 1 to 256 colours, those that are not opaque first. It takes as few bits a number as will do.
    pub(super) fn of_numbers(size: Size, palette: &[[u8; 4]], numbers: &[u8]) -> Raster<'a> {
        let (depth, bits) = match palette.len() {
            0..=2 => (png::BitDepth::One, 1),
            3..=4 => (png::BitDepth::Two, 2),
            5..=16 => (png::BitDepth::Four, 4),
            _ => (png::BitDepth::Eight, 8),
        };
        let colours = Colours {
            rgb: palette.iter().flat_map(|[r, g, b, _]| [*r, *g, *b]).collect(),
            alpha: palette.iter().map(|pixel| pixel[3]).take_while(|&alpha| alpha < 255).collect(),
        };
        let rows = Cow::Owned(packed(numbers, size.width as usize, bits));
        Raster { size, color: png::ColorType::Indexed, depth, colours: Some(colours), rows }
    }

    /// The smallest of the files that are worth trying.
    pub(super) fn smallest(&self) -> Vec<u8> {
        let numbers = self.color == png::ColorType::Indexed;
        let first = self.pack(if numbers { Pack::Plain(ENOUGH) } else { Pack::Fast });
        // What packs well repeats itself: there looking longer pays, and takes little time.
        let repeats = first.len() < self.rows.len() / 4;
        let more: &[Pack] = match (numbers, repeats) {
            (true, true) => &[Pack::Plain(ALL)],
            (true, false) => &[],
            (false, true) => &[Pack::Filtered(ALL)],
            (false, false) if self.color == png::ColorType::Grayscale => &[Pack::Filtered(ENOUGH)],
            (false, false) => &[Pack::Filtered(ENOUGH_FOR_CHANNELS)],
        };
        more.iter()
            .map(|pack| self.pack(*pack))
            .fold(first, |best, file| if file.len() < best.len() { file } else { best })
    }

    /// Its file.
    pub(super) fn pack(&self, pack: Pack) -> Vec<u8> {
        // The rows are as many as size, colour and depth ask for, and writing into memory does not fail.
        self.write(pack).expect("rows fit the header, and memory takes what is written")
    }

    fn write(&self, pack: Pack) -> Result<Vec<u8>, png::EncodingError> {
        let mut out = Vec::with_capacity(1024 + self.rows.len() / 2);
        let mut encoder = png::Encoder::new(&mut out, self.size.width, self.size.height);
        encoder.set_color(self.color);
        encoder.set_depth(self.depth);
        if let Some(Colours { rgb, alpha }) = &self.colours {
            encoder.set_palette(rgb.as_slice());
            if !alpha.is_empty() {
                encoder.set_trns(alpha.as_slice());
            }
        }
        match pack {
            Pack::Fast => encoder.set_compression(png::Compression::Fast),
            Pack::Filtered(level) | Pack::Plain(level) => {
                encoder.set_deflate_compression(png::DeflateCompression::Level(level));
            }
        }
        match pack {
            Pack::Fast => {}
            Pack::Filtered(_) => encoder.set_filter(png::Filter::Adaptive),
            Pack::Plain(_) => encoder.set_filter(png::Filter::NoFilter),
        }
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.rows)?;
        writer.finish()?;
        Ok(out)
    }
}

/// Rows of numbers of `bits`, 1, 2, 4 or 8, the first in a byte's highest; each row begins a byte (PNG specification, 7.2).
fn packed(numbers: &[u8], width: usize, bits: usize) -> Vec<u8> {
    if bits == 8 {
        return numbers.to_vec();
    }
    let byte = |few: &[u8]| {
        few.iter().enumerate().fold(0, |byte, (at, number)| byte | number << (8 - bits * (at + 1)))
    };
    numbers.chunks_exact(width).flat_map(|row| row.chunks(8 / bits).map(byte)).collect()
}
