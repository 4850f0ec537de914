//! The decoders against the pictures in `tests/pictures`, most of which show one scene.

mod gif;
mod jpeg;
mod png;
mod webp;

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
