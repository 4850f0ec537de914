//! The JPEG encoders that are compared, one line each: 4:2:0, but for ours where it keeps chroma whole.

use std::hint::black_box;

use image_sharer::image::Effort;
use image_sharer::image::encode::jpeg::{self, Chroma, Planes, Sampling};
use image_sharer::image::encode::{chroma, ycbcr::Ycbcr};

use super::subjects::Picture;
use super::tools::{Sharp, filter, ppm};
use crate::measure::cpu_time;

/// The quality that thumbnails have, on libjpeg's scale; sharp's and mozjpeg's is the same by default.
pub const QUALITY: u8 = 80;

/// Who encodes.
enum By {
    Ours(Effort),
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
        of("fast", "ours, fast", By::Ours(Effort::Fast)),
        of("small", "ours, small", By::Ours(Effort::Small)),
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
            By::Ours(effort) => Ok(ours(effort, picture, quality)),
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
            By::Ours(effort) => Ok(Some(cpu_ms(|| drop(black_box(ours(effort, picture, QUALITY)))))),
            By::Cjpeg => turbo_ms(picture),
            By::Mozjpeg => {
                let job = ("mozjpeg", QUALITY, 1);
                Ok(Some(sharp.encode(picture.size, 3, &picture.rgb, job)?.1))
            }
        }
    }

    /// The same for one of ours from the planes that a worker has of a JPEG; `None` for a peer.
    pub fn cost_from_planes(&self, picture: &Picture) -> Option<f64> {
        let By::Ours(effort) = self.by else { return None };
        let planes = planes(effort, picture);
        Some(cpu_ms(|| drop(black_box(written(effort, &planes, QUALITY)))))
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

/// A file as a worker makes it.
fn ours(effort: Effort, picture: &Picture, quality: u8) -> Vec<u8> {
    written(effort, &planes(effort, picture), quality)
}

fn planes(effort: Effort, picture: &Picture) -> Ycbcr {
    let sampling = match effort {
        Effort::Fast => Sampling::Halved,
        Effort::Small => Sampling::Full,
    };
    Ycbcr::from_rgb(picture.size, &picture.rgb, sampling)
}

/// What is to be small has whole chroma, which is halved where that can be.
fn written(effort: Effort, whole: &Ycbcr, quality: u8) -> Vec<u8> {
    let mut file = Vec::new();
    if effort == Effort::Fast {
        jpeg::encode(&whole.planes(), quality, &mut file);
        return file;
    }
    let chroma = whole.chroma.each_ref().map(Vec::as_slice);
    match chroma::sampling(whole.size, chroma) {
        Sampling::Full => jpeg::encode_small(&whole.planes(), quality, &mut file),
        Sampling::Halved => {
            let [cb, cr] = chroma.map(|plane| chroma::halve(whole.size, plane));
            let chroma = Chroma { sampling: Sampling::Halved, planes: [&cb, &cr] };
            let planes = Planes { size: whole.size, luma: &whole.luma, chroma: Some(chroma) };
            jpeg::encode_small(&planes, quality, &mut file);
        }
    }
    file
}
