//! Colours as points whose distance is about as large as the difference that is seen: Oklab, weighted by alpha.
//!
//! Oklab is Björn Ottosson's (<https://bottosson.github.io/posts/oklab/>).

use std::sync::LazyLock;

use crate::image::Size;

/// Alpha from 0 to 1, then Oklab's L, a and b, each times alpha: what of a colour is seen on any ground.
pub(super) type Point = [f32; 4];

/// Longest side of a picture that is seen as a spot of colour, rather than for its detail.
const SPOT: u32 = 160;

/// How a picture is looked at. `docs/bytes.md` has what these were chosen by.
#[derive(Clone, Copy)]
pub(super) struct Eye {
    /// How much longer differences of hue are than they are in Oklab.
    hue: f32,
    /// How much of a pixel's error its neighbours take.
    pub(super) diffused: f32,
    /// Most that pixels may be off, the mean of squared distances, to look the same.
    pub(super) forgives: f32,
}

impl Eye {
    /// On a picture of `size`.
    pub(super) fn on(size: Size) -> Eye {
        if size.width.max(size.height) <= SPOT {
            // Grain of the size of the details would hide these.
            Eye { hue: 2.0, diffused: 0.0, forgives: 0.000_2 }
        } else {
            // All of the error would make grain where there are gaps in the palette.
            Eye { hue: 1.0, diffused: 0.7, forgives: 0.000_21 }
        }
    }

    /// The point of each pixel: red, green, blue and straight alpha.
    pub(super) fn points(self, pixels: &[[u8; 4]]) -> Vec<Point> {
        let mut points = Vec::with_capacity(pixels.len());
        let light = &*LIGHT;
        for chunk in pixels.chunks(LANES) {
            let mut lanes = [[0; 4]; LANES];
            lanes[..chunk.len()].copy_from_slice(chunk);
            points.extend_from_slice(&side_by_side(light, self.hue, &lanes)[..chunk.len()]);
        }
        points
    }

    /// The pixel nearest to a point.
    pub(super) fn pixel(self, [alpha, l, a, b]: Point) -> [u8; 4] {
        let opacity = (alpha.clamp(0.0, 1.0) * 255.0).round() as u8;
        if opacity == 0 {
            return [0; 4];
        }
        let [l, a, b] = [l, a / self.hue, b / self.hue].map(|value| value / alpha);
        let long = (l + 0.396_337_78 * a + 0.215_803_76 * b).powi(3);
        let medium = (l - 0.105_561_346 * a - 0.063_854_17 * b).powi(3);
        let short = (l - 0.089_484_18 * a - 1.291_485_5 * b).powi(3);
        let level = |light: f32| {
            let light = light.clamp(0.0, 1.0);
            let level =
                if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 };
            (level * 255.0).round() as u8
        };
        [
            level(4.076_741_7 * long - 3.307_711_6 * medium + 0.230_969_94 * short),
            level(-1.268_438 * long + 2.609_757_4 * medium - 0.341_319_4 * short),
            level(-0.004_196_086_3 * long - 0.703_418_6 * medium + 1.707_614_7 * short),
            opacity,
        ]
    }
}

/// Light of an sRGB level (IEC 61966-2-1).
static LIGHT: LazyLock<[f32; 256]> = LazyLock::new(|| {
    std::array::from_fn(|level| {
        let level = level as f32 / 255.0;
        if level <= 0.04045 { level / 12.92 } else { ((level + 0.055) / 1.055).powf(2.4) }
    })
});

/// How many pixels are worked on side by side, for the compiler to use vectors.
const LANES: usize = 8;

fn side_by_side(light: &[f32; 256], hue: f32, pixels: &[[u8; 4]; LANES]) -> [Point; LANES] {
    let [mut r, mut g, mut b, mut alpha] = [[0.0_f32; LANES]; 4];
    for lane in 0..LANES {
        let [red, green, blue, opacity] = pixels[lane];
        (r[lane], g[lane]) = (light[usize::from(red)], light[usize::from(green)]);
        (b[lane], alpha[lane]) = (light[usize::from(blue)], f32::from(opacity) / 255.0);
    }
    let cone = |by: [f32; 3]| -> [f32; LANES] {
        std::array::from_fn(|i| cube_root(by[0] * r[i] + by[1] * g[i] + by[2] * b[i]))
    };
    let long = cone([0.412_221_46, 0.536_332_54, 0.051_445_995]);
    let medium = cone([0.211_903_5, 0.680_699_5, 0.107_396_96]);
    let short = cone([0.088_302_46, 0.281_718_85, 0.629_978_7]);
    let axis = |by: [f32; 3]| -> [f32; LANES] {
        std::array::from_fn(|i| alpha[i] * (by[0] * long[i] + by[1] * medium[i] + by[2] * short[i]))
    };
    let l = axis([0.210_454_26, 0.793_617_8, -0.004_072_047]);
    let a = axis([1.977_998_5, -2.428_592_2, 0.450_593_7]).map(|a| a * hue);
    let b = axis([0.025_904_037, 0.782_771_77, -0.808_675_77]).map(|b| b * hue);
    std::array::from_fn(|i| [alpha[i], l[i], a[i], b[i]])
}

/// Squared distance.
pub(super) fn distance(a: &Point, b: &Point) -> f32 {
    let [w, x, y, z] = std::array::from_fn(|i| (a[i] - b[i]) * (a[i] - b[i]));
    w + x + (y + z)
}

/// Of 0 to 1, to a millionth, and almost 0 of 0: a guess from the exponent, and Newton's method twice.
fn cube_root(x: f32) -> f32 {
    let better = |guess: f32| (2.0 * guess + x / (guess * guess)) * (1.0 / 3.0);
    better(better(f32::from_bits(x.to_bits() / 3 + 0x2a51_19f2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_come_back_to_a_level() {
        let eye = Eye::on(Size { width: 9, height: 9 });
        let point = |pixel| eye.points(&[pixel])[0];
        for r in (0..=255).step_by(15) {
            for g in (0..=255).step_by(17) {
                for b in (0..=255).step_by(51) {
                    let back = eye.pixel(point([r, g, b, 255]));
                    assert!(back.iter().zip([r, g, b, 255]).all(|(&x, y)| x.abs_diff(y) <= 1), "{back:?}");
                }
            }
        }
        assert_eq!(eye.pixel(point([255; 4])), [255; 4]);
        assert_eq!(eye.pixel(point([0, 0, 0, 255])), [0, 0, 0, 255]);
        assert_eq!(eye.pixel(point([9, 8, 7, 0])), [0; 4]);
    }

    #[test]
    fn the_published_values_are_met() {
        // Red, by the reference implementation.
        let [_, l, a, b] = Eye::on(Size { width: 900, height: 900 }).points(&[[255, 0, 0, 255]])[0];
        assert!((l - 0.627_955).abs() < 1e-4 && (a - 0.224_863).abs() < 1e-4 && (b - 0.125_846).abs() < 1e-4);
    }
}
