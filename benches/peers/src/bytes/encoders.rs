//! The JPEG encoders that are compared, all of them 4:2:0: one line each.

use std::hint::black_box;

use image_sharer::image::encode::{jpeg, ycbcr::Ycbcr};

use super::subjects::Picture;
use super::tools::{Sharp, filter, ppm};
use crate::measure::cpu_time;

/// The quality that thumbnails have, on libjpeg's scale; sharp's and mozjpeg's is the same by default.
pub const QUALITY: u8 = 80;

/// Who encodes.
enum By {
    Ours(fn(&Picture, u8) -> Vec<u8>),
    /// libjpeg-turbo's program, with what it does if not told otherwise: the typical Huffman tables, one scan.
    Cjpeg,
    /// mozjpeg with all that it has, by sharp.
    Mozjpeg,
}

pub struct Encoder {
    /// Its name in files and commands.
    pub key: &'static str,
    /// Its name in words.
    pub title: &'static str,
    by: By,
}

/// All of them.
pub fn encoders() -> Vec<Encoder> {
    let of = |key, title, by| Encoder { key, title, by };
    vec![
        of("fast", "ours, fast", By::Ours(|picture, quality| ours(jpeg::encode, picture, quality))),
        of("small", "ours, small", By::Ours(|picture, quality| ours(jpeg::encode_small, picture, quality))),
        of("turbo", "libjpeg-turbo", By::Cjpeg),
        of("mozjpeg", "mozjpeg", By::Mozjpeg),
    ]
}

impl Encoder {
    pub fn is_ours(&self) -> bool {
        matches!(self.by, By::Ours(_))
    }

    /// The file of a picture.
    pub fn encode(&self, picture: &Picture, quality: u8, sharp: &Sharp) -> Result<Vec<u8>, String> {
        match self.by {
            By::Ours(encode) => Ok(encode(picture, quality)),
            By::Cjpeg => {
                let quality = quality.to_string();
                Ok(filter("cjpeg", &["-sample", "2x2", "-quality", &quality], &ppm(picture))?.output)
            }
            By::Mozjpeg => {
                let job = ("mozjpeg", quality, 1);
                Ok(sharp.encode(picture.size, 3, &picture.rgb, job)?.0)
            }
        }
    }

    /// CPU milliseconds of one file at the usual quality; `None` where that can't be measured.
    pub fn cost(&self, picture: &Picture, sharp: &Sharp) -> Result<Option<f64>, String> {
        match self.by {
            By::Ours(encode) => Ok(Some(cpu_ms(|| drop(black_box(encode(picture, QUALITY)))))),
            By::Cjpeg => turbo_ms(picture),
            By::Mozjpeg => {
                let job = ("mozjpeg", QUALITY, 1);
                Ok(Some(sharp.encode(picture.size, 3, &picture.rgb, job)?.1))
            }
        }
    }
}

/// libjpeg-turbo in this process, where it was built in: a program's start is not its work.
fn turbo_ms(picture: &Picture) -> Result<Option<f64>, String> {
    #[cfg(feature = "turbojpeg")]
    {
        let mut file = Ok(Vec::new());
        let ms = cpu_ms(|| file = crate::turbo::encode(picture.size, &picture.rgb, QUALITY));
        file.map(|_| Some(ms))
    }
    #[cfg(not(feature = "turbojpeg"))]
    {
        let _ = picture;
        Ok(None)
    }
}

/// CPU time of some work, in milliseconds.
pub fn cpu_ms(work: impl FnOnce()) -> f64 {
    let start = cpu_time();
    work();
    (cpu_time() - start).as_secs_f64() * 1e3
}

/// One of our encoders.
type Encode = fn(&jpeg::Planes<'_>, u8, &mut Vec<u8>);

fn ours(encode: Encode, picture: &Picture, quality: u8) -> Vec<u8> {
    let mut file = Vec::new();
    encode(&Ycbcr::from_rgb(picture.size, &picture.rgb, jpeg::Sampling::Halved).planes(), quality, &mut file);
    file
}
