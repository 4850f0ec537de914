//! A frame smaller than its canvas: a sink that puts its rows where they belong, the rest transparent.

use crate::image::probe::Area;
use crate::image::{Color, Error, Layout, Plane, Sink, Size};

/// Takes a frame's rows, of one plane, and pushes the canvas's.
pub(super) struct Canvas<'a> {
    size: Size,
    /// Where on it the frame lies.
    area: Area,
    /// Channels of the canvas: of a colour with alpha.
    channels: usize,
    /// Rows that are pushed.
    rows: u32,
    /// A row of the canvas.
    row: Vec<u8>,
    sink: &'a mut dyn Sink,
}

impl<'a> Canvas<'a> {
    /// A canvas for the frame at `area`, which lies on it.
    pub(super) fn new(size: Size, area: Area, sink: &'a mut dyn Sink) -> Canvas<'a> {
        Canvas { size, area, channels: 0, rows: 0, row: Vec::new(), sink }
    }

    /// Pushes what lies below the frame.
    pub(super) fn finish(mut self) -> Result<(), Error> {
        self.blank_until(self.size.height)
    }

    fn blank_until(&mut self, end: u32) -> Result<(), Error> {
        self.row.fill(0);
        while self.rows < end {
            self.sink.row(0, &self.row)?;
            self.rows += 1;
        }
        Ok(())
    }
}

impl Sink for Canvas<'_> {
    fn start(&mut self, layout: &Layout) -> Result<(), Error> {
        let color = match layout.color {
            Color::Grey | Color::GreyAlpha => Color::GreyAlpha,
            _ => Color::Rgba,
        };
        self.channels = if color == Color::GreyAlpha { 2 } else { 4 };
        self.row = vec![0; self.size.width as usize * self.channels];
        let plane = Plane { size: self.size, channels: self.channels, ratio: (1.0, 1.0) };
        self.sink.start(&Layout { size: self.size, color, planes: vec![plane] })?;
        self.blank_until(self.area.top)
    }

    fn row(&mut self, plane: usize, samples: &[u8]) -> Result<(), Error> {
        let own = samples.len() / self.area.size.width as usize;
        let start = self.area.left as usize * self.channels;
        for (pixel, from) in self.row[start..].chunks_exact_mut(self.channels).zip(samples.chunks_exact(own))
        {
            // Opaque, unless the frame has alpha itself.
            pixel[self.channels - 1] = 255;
            pixel[..own].copy_from_slice(from);
        }
        self.rows += 1;
        self.sink.row(plane, &self.row)
    }
}
