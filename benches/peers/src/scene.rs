//! Pictures about as hard to code and to filter as photographs are, made up row by row: shapes with
//! sharp edges, texture of all sizes where there is texture, smooth areas, and grain. The same picture
//! at every size and on every machine.

use image_sharer::image::Size;

/// What is to be seen.
#[derive(Clone, Copy, PartialEq)]
pub enum Style {
    /// Texture and grain everywhere.
    Photo,
    /// Flat colours with edges.
    Drawing,
}

/// Width at which the finest texture has a wavelength of two pixels; wider pictures show the same.
const DETAILED_WIDTH: f32 = 4000.0;

/// Makes rows from top to bottom.
pub struct Scene {
    style: Style,
    width: usize,
    /// Texture, from coarse to fine.
    octaves: Vec<Waves>,
    /// Where there is texture, what regions there are, and their two differences of colour.
    activity: Waves,
    regions: Waves,
    tints: [Waves; 2],
    grain: u32,
    luma: Vec<f32>,
    tint: [Vec<f32>; 2],
    scratch: Vec<f32>,
}

impl Scene {
    pub fn new(style: Style, size: Size) -> Scene {
        let width = size.width as usize;
        let unit = size.width as f32 / DETAILED_WIDTH;
        let waves = |seed: u32, length: f32| Waves::new(seed, (length * unit).max(1.0), width);
        let lengths = (0..10).map(|i| 1024.0 / f32::from(1u16 << i)).filter(|length| length * unit >= 1.9);
        Scene {
            style,
            width,
            octaves: lengths.zip(1..).map(|(length, seed)| waves(seed, length)).collect(),
            activity: waves(101, 500.0),
            regions: waves(102, 700.0),
            tints: [waves(103, 900.0), waves(104, 600.0)],
            grain: 1,
            luma: vec![0.0; width],
            tint: [vec![0.0; width], vec![0.0; width]],
            scratch: vec![0.0; width],
        }
    }

    /// The next row, of three samples a pixel.
    pub fn row(&mut self, rgb: &mut [u8]) {
        self.fill();
        for (x, pixel) in rgb.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let (luma, blue, red) = (self.luma[x], self.tint[0][x], self.tint[1][x]);
            let green = luma - 0.34 * blue - 0.71 * red;
            *pixel = [luma + 1.4 * red, green, luma + 1.77 * blue].map(|level| level as u8);
        }
    }

    /// The next row as full-range Y, Cb and Cr.
    pub fn planes(&mut self, out: &mut [Vec<u8>]) {
        self.fill();
        out[0].extend(self.luma.iter().map(|&level| level as u8));
        for (out, tint) in out[1..].iter_mut().zip(&self.tint) {
            out.extend(tint.iter().map(|&level| (level + 128.0) as u8));
        }
    }

    fn fill(&mut self) {
        let (luma, scratch) = (&mut self.luma, &mut self.scratch);
        self.regions.row(scratch);
        // Seven regions, an edge two pixels wide or less between each two.
        for (level, at) in luma.iter_mut().zip(&*scratch) {
            let step = (at * 4.0).round();
            *level = 128.0 + 42.0 * (step * 2.3).sin();
        }
        for (tint, waves) in self.tint.iter_mut().zip(&mut self.tints) {
            waves.row(tint);
            let flat = self.style == Style::Drawing;
            for level in tint.iter_mut() {
                *level = if flat { (*level * 3.0).round() * 12.0 } else { *level * 36.0 };
            }
        }
        if self.style == Style::Drawing {
            return;
        }
        self.activity.row(scratch);
        let activity: Vec<f32> = scratch.iter().map(|at| (at * 1.8 + 0.5).clamp(0.03, 1.0)).collect();
        for waves in &mut self.octaves {
            waves.row(scratch);
            for ((level, wave), activity) in luma.iter_mut().zip(&*scratch).zip(&activity) {
                *level += 21.0 * wave * activity;
            }
        }
        for level in luma.iter_mut() {
            self.grain = self.grain.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *level += (self.grain >> 24) as f32 / 51.0 - 2.5;
        }
    }

    /// How opaque the next row is, if this is a picture cut out of its ground: call instead of `row`.
    pub fn opacity(&mut self, out: &mut Vec<u8>) {
        let scratch = &mut self.scratch;
        self.regions.row(scratch);
        out.clear();
        out.extend(scratch[..self.width].iter().map(|at| ((at - 0.3) * 9000.0).clamp(0.0, 255.0) as u8));
    }
}

/// Values at random at the points of a grid, −1 to 1, joined smoothly.
struct Waves {
    seed: u32,
    length: f32,
    y: u32,
    line: Option<u32>,
    upper: Vec<f32>,
    lower: Vec<f32>,
    points: usize,
}

impl Waves {
    fn new(seed: u32, length: f32, width: usize) -> Waves {
        let points = (width as f32 / length) as usize + 3;
        Waves { seed, length, y: 0, line: None, upper: Vec::new(), lower: Vec::new(), points }
    }

    fn row(&mut self, out: &mut [f32]) {
        let at = self.y as f32 / self.length;
        self.y += 1;
        let line = at as u32;
        if self.line != Some(line) {
            self.upper = self.values(line);
            self.lower = self.values(line + 1);
            self.line = Some(line);
        }
        let down = smooth(at - line as f32);
        let values: Vec<f32> =
            self.upper.iter().zip(&self.lower).map(|(upper, lower)| upper + (lower - upper) * down).collect();
        let step = 1.0 / self.length;
        for (x, out) in out.iter_mut().enumerate() {
            let at = x as f32 * step;
            let point = at as usize;
            let (left, right) = (values[point], values[point + 1]);
            *out = left + (right - left) * smooth(at - point as f32);
        }
    }

    fn values(&self, line: u32) -> Vec<f32> {
        let value = |point: u32| {
            let mut n = self.seed.wrapping_mul(0x9E37_79B9) ^ point.wrapping_mul(374_761_393);
            n ^= line.wrapping_mul(668_265_263);
            n = (n ^ (n >> 15)).wrapping_mul(0x2C1B_3C6D);
            n = (n ^ (n >> 12)).wrapping_mul(0x297A_2D39);
            (n ^ (n >> 15)) as f32 / (1u32 << 31) as f32 - 1.0
        };
        (0..self.points as u32).map(value).collect()
    }
}

fn smooth(t: f32) -> f32 {
    t * t * (3.0 - 2.0 * t)
}
