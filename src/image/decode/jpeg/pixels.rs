//! What the decoder's planes become: planes of grey or of luma and chroma as they are, RGB and inks
//! as rows of RGB, or inks as rows of inks where the sink takes them.

use super::plan::{Plan, Strip};
use super::stream::Meaning;
use crate::image::color::{rgb_of_ycbcr, share};
use crate::image::{Color, Error, Layout, Plane, Sink};

/// Takes strips of planes and pushes rows.
pub(super) struct Pixels<'a> {
    plan: &'a Plan,
    meaning: Meaning,
    sink: &'a mut dyn Sink,
    /// Rows of each component that have come.
    done: Vec<usize>,
    /// Rows of interleaved pixels that have been pushed.
    pushed: usize,
    /// What is pushed.
    color: Color,
    /// The rows of each component that are to be pushed, each as wide as its plane.
    rows: Vec<Vec<u8>>,
    /// A row of interleaved pixels, where such are made.
    row: Vec<u8>,
    /// A row of each component at the picture's width, where it has fewer columns than that.
    widened: Vec<Vec<u8>>,
}

impl<'a> Pixels<'a> {
    /// Tells the sink what is to come.
    pub(super) fn start(
        plan: &'a Plan,
        meaning: Meaning,
        sink: &'a mut dyn Sink,
    ) -> Result<Pixels<'a>, Error> {
        let color = match meaning {
            Meaning::Grey => Color::Grey,
            Meaning::YCbCr => Color::YCbCr,
            Meaning::Cmyk | Meaning::Ycck if sink.takes_inks() => Color::Cmyk,
            Meaning::Rgb | Meaning::Cmyk | Meaning::Ycck => Color::Rgb,
        };
        let mut planes: Vec<Plane> = plan.components.iter().map(|component| component.plane).collect();
        let mut row = Vec::new();
        if matches!(color, Color::Rgb | Color::Cmyk) {
            let whole = Plane { channels: if color == Color::Cmyk { 4 } else { 3 }, ..plan.whole };
            row.resize(whole.channels * whole.size.width as usize, 0);
            planes = vec![whole];
        }
        sink.start(&Layout { size: plan.size, color, planes })?;
        let count = plan.components.len();
        let (rows, widened) = (vec![Vec::new(); count], vec![Vec::new(); count]);
        Ok(Pixels { plan, meaning, sink, done: vec![0; count], pushed: 0, color, rows, row, widened })
    }

    /// Pushes the rows of a row of minimum coded units, the `at`-th that the strips hold.
    pub(super) fn strips(&mut self, strips: &[Strip], at: usize) -> Result<(), Error> {
        for (index, (c, strip)) in self.plan.components.iter().zip(strips).enumerate() {
            let (most, size) = (c.v * c.scale.side(), c.plane.size);
            let count = most.min(size.height as usize - self.done[index]);
            strip.copy(at * most, count, size.width as usize, &mut self.rows[index]);
            self.done[index] += count;
        }
        if matches!(self.color, Color::Rgb | Color::Cmyk) {
            return self.interleaved();
        }
        for (plane, rows) in self.rows.iter().enumerate().filter(|(_, rows)| !rows.is_empty()) {
            let width = self.plan.components[plane].plane.size.width as usize;
            self.sink.rows(plane, width, rows)?;
        }
        Ok(())
    }

    /// Components of fewer samples are repeated, not interpolated: they are on their way to be reduced.
    fn interleaved(&mut self) -> Result<(), Error> {
        let components = &self.plan.components;
        let h_max = components.iter().map(|c| c.h).max().unwrap_or(1);
        let v_max = components.iter().map(|c| c.v).max().unwrap_or(1);
        // Samples of a minimum coded unit, across and down.
        let (across, down) = (h_max * self.plan.side, v_max * self.plan.side);
        let size = self.plan.whole.size;
        let (width, height) = (size.width as usize, size.height as usize);
        for y in 0..down.min(height - self.pushed) {
            let mut lines: [&[u8]; 4] = [&[]; 4];
            for (index, widened) in self.widened.iter_mut().enumerate() {
                let c = &components[index];
                let columns = c.plane.size.width as usize;
                let line = &self.rows[index][(y * c.v * c.scale.side() / down) * columns..][..columns];
                let samples = c.h * c.scale.side();
                if samples < across {
                    widened.clear();
                    widened.extend((0..width).map(|x| line[x * samples / across]));
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
        self.pushed = height.min(self.pushed + down);
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
