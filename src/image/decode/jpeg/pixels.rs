//! What the decoder's planes become: planes of grey or of luma and chroma as they are, RGB and inks
//! as rows of RGB, or inks as rows of inks where the sink takes them.

use super::frame::Frame;
use super::stream::Meaning;
use crate::image::color::{rgb_of_ycbcr, share};
use crate::image::{Color, Error, Layout, Plane, Sink, Size};

/// Takes stripes of planes and pushes rows.
pub(super) struct Pixels<'a> {
    frame: &'a Frame,
    meaning: Meaning,
    sink: &'a mut dyn Sink,
    /// Size of each component's plane.
    sizes: Vec<Size>,
    /// Rows of each component that have come.
    done: Vec<u32>,
    /// What is pushed.
    color: Color,
    /// A row of interleaved pixels, where such are made.
    row: Vec<u8>,
    /// A row of each component at the picture's width, where it has fewer columns than that.
    widened: Vec<Vec<u8>>,
}

impl<'a> Pixels<'a> {
    /// Tells the sink what is to come.
    pub(super) fn start(
        frame: &'a Frame,
        meaning: Meaning,
        sink: &'a mut dyn Sink,
    ) -> Result<Pixels<'a>, Error> {
        let (h_max, v_max) = frame.factors();
        let mut sizes = Vec::new();
        let mut planes = Vec::new();
        for c in &frame.components {
            let width = (u64::from(frame.size.width) * c.h).div_ceil(h_max);
            let height = (u64::from(frame.size.height) * c.v).div_ceil(v_max);
            // At most the frame's sides.
            let size = Size { width: width as u32, height: height as u32 };
            let ratio = (h_max as f64 / c.h as f64, v_max as f64 / c.v as f64);
            sizes.push(size);
            planes.push(Plane { size, channels: 1, ratio });
        }
        let color = match meaning {
            Meaning::Grey => Color::Grey,
            Meaning::YCbCr => Color::YCbCr,
            Meaning::Cmyk | Meaning::Ycck if sink.takes_inks() => Color::Cmyk,
            Meaning::Rgb | Meaning::Cmyk | Meaning::Ycck => Color::Rgb,
        };
        let channels = if color == Color::Cmyk { 4 } else { 3 };
        let mut row = Vec::new();
        if matches!(color, Color::Rgb | Color::Cmyk) {
            planes = vec![Plane { size: frame.size, channels, ratio: (1.0, 1.0) }];
            row.resize(channels * frame.size.width as usize, 0);
        }
        sink.start(&Layout { size: frame.size, color, planes })?;
        let done = vec![0; sizes.len()];
        let widened = vec![Vec::new(); sizes.len()];
        Ok(Pixels { frame, meaning, sink, sizes, done, color, row, widened })
    }

    /// Pushes the `rows` of each component that a stripe holds, each as wide as its plane.
    pub(super) fn stripe(&mut self, stripe: &[Vec<u8>], rows: &[usize]) -> Result<(), Error> {
        match self.color {
            Color::Rgb | Color::Cmyk => self.rows(stripe, rows)?,
            _ => {
                for (plane, samples) in stripe.iter().enumerate() {
                    let width = self.sizes[plane].width as usize;
                    self.sink.rows(plane, width, &samples[..width * rows[plane]])?;
                }
            }
        }
        for (done, &rows) in self.done.iter_mut().zip(rows) {
            // A stripe has at most 32 rows.
            *done += rows as u32;
        }
        Ok(())
    }

    /// Every component's rows must have come.
    pub(super) fn finish(self) -> Result<(), Error> {
        if self.done.iter().zip(&self.sizes).all(|(&done, size)| done == size.height) {
            return Ok(());
        }
        Err(super::lacks_data())
    }

    /// Subsampled components are repeated, not interpolated: they are on their way to be reduced.
    fn rows(&mut self, stripe: &[Vec<u8>], rows: &[usize]) -> Result<(), Error> {
        let (h_max, v_max) = self.frame.factors();
        let (h_max, v_max) = (h_max as usize, v_max as usize);
        let width = self.frame.size.width as usize;
        let factors: Vec<(usize, usize)> =
            self.frame.components.iter().map(|c| (c.h as usize, c.v as usize)).collect();
        let full = factors.iter().position(|&(_, v)| v == v_max).unwrap_or(0);
        for y in 0..rows[full] {
            let mut lines: [&[u8]; 4] = [&[]; 4];
            for (index, widened) in self.widened.iter_mut().enumerate() {
                let (h, v) = factors[index];
                let columns = self.sizes[index].width as usize;
                let line = &stripe[index][(y * v / v_max) * columns..][..columns];
                if h < h_max {
                    widened.clear();
                    widened.extend((0..width).map(|x| line[x * h / h_max]));
                    lines[index] = widened;
                } else {
                    lines[index] = line;
                }
            }
            match self.color {
                Color::Cmyk => to_inks(self.meaning, lines, &mut self.row),
                _ => to_rgb(self.meaning, lines, &mut self.row),
            }
            self.sink.row(0, &self.row)?;
        }
        Ok(())
    }
}

/// One row of inks as they are stored, 255 for none.
fn to_inks(meaning: Meaning, [a, b, c, k]: [&[u8]; 4], inks: &mut [u8]) {
    for ((((inks, &a), &b), &c), &k) in inks.chunks_exact_mut(4).zip(a).zip(b).zip(c).zip(k) {
        let [c, m, y] = match meaning {
            // Luma and chroma are those of the inks as ink, 255 for most (jdcolor.c, ycck_cmyk).
            Meaning::Ycck => rgb_of_ycbcr(a, b, c).map(|ink| 255 - ink),
            _ => [a, b, c],
        };
        inks.copy_from_slice(&[c, m, y, k]);
    }
}

/// One row of RGB. Inks are what is stored, 255 for none, whether or not an Adobe segment says so:
/// browsers and Pillow show them that way.
fn to_rgb(meaning: Meaning, [a, b, c, k]: [&[u8]; 4], rgb: &mut [u8]) {
    let pixels = rgb.chunks_exact_mut(3).zip(a).zip(b).zip(c);
    match meaning {
        Meaning::Cmyk => {
            for ((((rgb, &c), &m), &y), &k) in pixels.zip(k) {
                rgb.copy_from_slice(&[share(c, k), share(m, k), share(y, k)]);
            }
        }
        Meaning::Ycck => {
            for ((((rgb, &y), &cb), &cr), &k) in pixels.zip(k) {
                // Luma and chroma are those of the inks as ink, 255 for most (jdcolor.c, ycck_cmyk).
                rgb.copy_from_slice(&rgb_of_ycbcr(y, cb, cr).map(|ink| share(255 - ink, k)));
            }
        }
        _ => {
            for (((rgb, &r), &g), &b) in pixels {
                rgb.copy_from_slice(&[r, g, b]);
            }
        }
    }
}
