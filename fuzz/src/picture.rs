//! A decoded picture that checks that its decoder keeps its word.

use image_sharer::image::decode::decode;
use image_sharer::image::probe::{Probe, probe_bytes};
use image_sharer::image::{Color, Error, Layout, Sink, Size};

/// A sink that keeps all samples, and panics where a decoder breaks the rules of `Sink`.
#[derive(Debug, Default, PartialEq)]
pub struct Picture {
    layout: Option<Layout>,
    planes: Vec<Vec<u8>>,
}

impl Sink for Picture {
    fn start(&mut self, layout: &Layout) -> Result<(), Error> {
        assert!(self.layout.is_none(), "announced twice");
        let channels: Vec<usize> = layout.planes.iter().map(|plane| plane.channels).collect();
        match layout.color {
            Color::Grey => assert_eq!(channels, [1]),
            Color::GreyAlpha => assert_eq!(channels, [2]),
            Color::Rgb => assert_eq!(channels, [3]),
            Color::Rgba | Color::Cmyk => assert_eq!(channels, [4]),
            Color::YCbCr => assert_eq!(channels, [1, 1, 1]),
        }
        for plane in &layout.planes {
            let sides = [(plane.size.width, layout.size.width), (plane.size.height, layout.size.height)];
            for ((side, whole), ratio) in sides.into_iter().zip([plane.ratio.0, plane.ratio.1]) {
                // A sample that is cut by the picture's edge is one all the same. Ratios may be thirds.
                assert_eq!(f64::from(side), (f64::from(whole) / ratio - 1e-9).ceil(), "{layout:?}");
            }
        }
        self.planes = vec![Vec::new(); layout.planes.len()];
        self.layout = Some(layout.clone());
        Ok(())
    }

    fn row(&mut self, plane: usize, samples: &[u8]) -> Result<(), Error> {
        let of = self.layout.as_ref().expect("a row before the layout").planes[plane];
        assert_eq!(samples.len(), of.size.width as usize * of.channels, "a row of another length");
        self.planes[plane].extend_from_slice(samples);
        assert!(self.planes[plane].len() as u64 <= of.size.pixels() * of.channels as u64, "too many rows");
        Ok(())
    }
}

impl Picture {
    /// Bytes of samples of one plane.
    pub fn samples(&self) -> u64 {
        self.planes.iter().map(|plane| plane.capacity() as u64).sum()
    }

    /// Its planes, if its samples mean one of `colors`.
    pub fn planes_of(&self, colors: &[Color]) -> Option<&[Vec<u8>]> {
        let color = self.layout.as_ref()?.color;
        colors.contains(&color).then_some(&self.planes[..])
    }

    /// Panics if rows lack.
    pub fn assert_complete(&self, size: Size) {
        let layout = self.layout.as_ref().expect("no layout was announced");
        assert_eq!(layout.size, size, "another size than the header's");
        for (plane, samples) in layout.planes.iter().zip(&self.planes) {
            assert_eq!(samples.len() as u64, plane.size.pixels() * plane.channels as u64, "rows lack");
        }
    }
}

/// A sink that checks as [`Picture`] does and keeps nothing.
#[derive(Default)]
pub struct Seen {
    rules: Picture,
    rows: Vec<u32>,
}

impl Sink for Seen {
    fn start(&mut self, layout: &Layout) -> Result<(), Error> {
        self.rows = vec![0; layout.planes.len()];
        self.rules.start(layout)
    }

    fn row(&mut self, plane: usize, samples: &[u8]) -> Result<(), Error> {
        self.rules.row(plane, samples)?;
        self.rules.planes[plane].clear();
        self.rows[plane] += 1;
        Ok(())
    }
}

/// Decodes a picture and looks at every row.
///
/// # Errors
/// The decoder's, which is checked.
pub fn look_through(bytes: &[u8], probe: &Probe) -> Result<(), Error> {
    let mut seen = Seen::default();
    decode(bytes, probe, &mut seen).inspect_err(check_error)?;
    let layout = seen.rules.layout.as_ref().expect("no layout was announced");
    assert_eq!(layout.size, probe.size, "another size than the header's");
    for (plane, &rows) in layout.planes.iter().zip(&seen.rows) {
        assert_eq!(rows, plane.size.height, "rows lack, or are too many");
    }
    Ok(())
}

/// Decodes a picture whole.
///
/// # Errors
/// The probe's or the decoder's, which is checked.
pub fn decoded(bytes: &[u8]) -> Result<Picture, Error> {
    let probe = probe_bytes(bytes).inspect_err(check_error)?;
    let mut picture = Picture::default();
    decode(bytes, &probe, &mut picture).inspect_err(check_error)?;
    picture.assert_complete(probe.size);
    Ok(picture)
}

/// An error of a picture in memory: it blames the picture, and its sentence is fit to be shown.
pub fn check_error(error: &Error) {
    let code = error.code();
    let blames = matches!(code, "not_an_image" | "unsupported_image" | "truncated_image" | "corrupt_image");
    assert!(blames, "{code}: {error}");
    let sentence = error.to_string();
    assert!(sentence.len() < 400, "a sentence of {} bytes", sentence.len());
    assert!(!sentence.chars().any(char::is_control), "{sentence:?}");
}
