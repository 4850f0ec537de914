//! How near thumbnails come to the best there could be: Lanczos3 of the whole picture in double
//! precision, straight from the definition.

use std::f64::consts::PI;

use ssimulacra2::{ColorPrimaries, Rgb, TransferCharacteristic, compute_frame_ssimulacra2};

/// Planes of samples that are not rounded.
#[derive(Clone)]
pub struct Planes {
    pub width: usize,
    pub height: usize,
    pub planes: Vec<Vec<f64>>,
}

impl Planes {
    /// Of interleaved 8-bit samples: R, G and B; where there is alpha, all three times that, and alpha.
    pub fn rgb(width: usize, height: usize, channels: usize, samples: &[u8]) -> Planes {
        let alpha = |pixel: &[u8]| f64::from(pixel[channels - 1]);
        let has_alpha = matches!(channels, 2 | 4);
        let of = |c: usize| {
            let pixel = |pixel: &[u8]| {
                let colour = f64::from(pixel[if channels < 3 { 0 } else { c }]);
                if has_alpha { colour * alpha(pixel) / 255.0 } else { colour }
            };
            samples.chunks_exact(channels).map(pixel).collect()
        };
        let mut planes: Vec<Vec<f64>> = (0..3).map(of).collect();
        if has_alpha {
            planes.push(samples.chunks_exact(channels).map(alpha).collect());
        }
        Planes { width, height, planes }
    }

    /// R, G and B, laid on white where there is alpha.
    pub fn on_white(&self) -> Planes {
        let [colours @ .., alpha] = &self.planes[..] else { return self.clone() };
        if colours.len() < 3 {
            return self.clone();
        }
        let laid = |colour: &Vec<f64>| colour.iter().zip(alpha).map(|(c, a)| c + 255.0 - a).collect();
        Planes { planes: colours.iter().map(laid).collect(), ..*self }
    }

    /// Of one plane of luma.
    pub fn grey(width: usize, height: usize, samples: &[u8]) -> Planes {
        Planes { width, height, planes: vec![samples.iter().map(|&s| f64::from(s)).collect()] }
    }

    /// Y of R, G and B (BT.601).
    pub fn luma(&self) -> Planes {
        let opaque = self.on_white();
        let [r, g, b] = &opaque.planes[..] else { return opaque };
        let luma = r.iter().zip(g).zip(b).map(|((r, g), b)| 0.299 * r + 0.587 * g + 0.114 * b).collect();
        Planes { width: self.width, height: self.height, planes: vec![luma] }
    }

    /// The reference.
    pub fn resized(&self, width: usize, height: usize) -> Planes {
        let (columns, rows) = (weights(self.width, width), weights(self.height, height));
        let resize = |plane: &Vec<f64>| {
            let narrow: Vec<f64> = plane
                .chunks_exact(self.width)
                .flat_map(|row| columns.iter().map(|(first, taps)| sum(taps, &row[*first..])))
                .collect();
            let mut out = vec![0.0; width * height];
            for ((first, taps), out) in rows.iter().zip(out.chunks_exact_mut(width)) {
                for (tap, row) in taps.iter().zip(narrow.chunks_exact(width).skip(*first)) {
                    out.iter_mut().zip(row).for_each(|(out, sample)| *out += tap * sample);
                }
            }
            out
        };
        let mut planes: Vec<Vec<f64>> = self.planes.iter().map(resize).collect();
        clamp(&mut planes);
        Planes { width, height, planes }
    }

    fn frame(&self) -> Result<Rgb, String> {
        let opaque = self.on_white();
        let level = |c: usize, i: usize| (opaque.planes[c][i] / 255.0) as f32;
        let pixels = (0..self.width * self.height).map(|i| [level(0, i), level(1, i), level(2, i)]).collect();
        let (transfer, primaries) = (TransferCharacteristic::SRGB, ColorPrimaries::BT709);
        Rgb::new(pixels, self.width, self.height, transfer, primaries).map_err(|e| e.to_string())
    }
}

/// To what a file can hold: beside an edge alpha overshoots, and colours with it, which are clamped as shares
/// of alpha before alpha is.
fn clamp(planes: &mut [Vec<f64>]) {
    let clamp_all =
        |plane: &mut Vec<f64>| plane.iter_mut().for_each(|level| *level = level.clamp(0.0, 255.0));
    let [colours @ .., alpha] = planes else { return };
    if colours.len() < 3 {
        planes.iter_mut().for_each(clamp_all);
        return;
    }
    for colour in colours {
        for (level, alpha) in colour.iter_mut().zip(&*alpha) {
            let share = if *alpha > 0.0 { *level / alpha } else { 0.0 };
            *level = share.clamp(0.0, 1.0) * alpha.clamp(0.0, 255.0);
        }
    }
    clamp_all(alpha);
}

fn sum(taps: &[f64], samples: &[f64]) -> f64 {
    taps.iter().zip(samples).map(|(tap, sample)| tap * sample).sum()
}

/// For each output sample the first source sample it takes, and how much of that and those that follow.
fn weights(source: usize, target: usize) -> Vec<(usize, Vec<f64>)> {
    let lanczos = |x: f64| match x.abs() {
        0.0 => 1.0,
        x if x < 3.0 => 3.0 * (PI * x).sin() * (PI * x / 3.0).sin() / (PI * x).powi(2),
        _ => 0.0,
    };
    let scale = source as f64 / target as f64;
    let reach = 3.0 * scale.max(1.0);
    let of = |j: usize| {
        let centre = (j as f64 + 0.5) * scale;
        let first = (centre - reach).floor().max(0.0) as usize;
        let last = ((centre + reach).ceil() as usize).min(source);
        let taps: Vec<f64> =
            (first..last).map(|i| lanczos((i as f64 + 0.5 - centre) / scale.max(1.0))).collect();
        let sum: f64 = taps.iter().sum();
        (first, taps.iter().map(|tap| tap / sum).collect())
    };
    (0..target).map(of).collect()
}

/// Peak signal-to-noise ratio in dB, all planes together.
pub fn psnr(got: &Planes, reference: &Planes) -> f64 {
    let (got, reference) = (got.planes.concat(), reference.planes.concat());
    assert_eq!(got.len(), reference.len(), "planes of one size");
    let squares: f64 = got.iter().zip(&reference).map(|(a, b)| (a - b).powi(2)).sum();
    10.0 * (255.0 * 255.0 * got.len() as f64 / squares).log10()
}

/// SSIMULACRA2: 100 is the same, 90 can't be told apart side by side, 70 is high quality.
pub fn ssimulacra2(got: &Planes, reference: &Planes) -> Result<f64, String> {
    compute_frame_ssimulacra2(reference.frame()?, got.frame()?).map_err(|e| e.to_string())
}
