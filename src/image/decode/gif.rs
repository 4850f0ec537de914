//! GIF by the `gif` crate: the first frame on its canvas, which is transparent where the frame is not
//! (as in all browsers; the background colour of the standard is not used by anyone).
//!
//! Rows are decoded one by one; of an interlaced frame alone what lies on the canvas is held, a byte a
//! pixel.

use std::num::NonZeroU64;
use std::ops::Range;

use gif::{ColorOutput, DecodeOptions, Decoder, DecodingError, MemoryLimit};

use crate::image::{Color, Error, Layout, Plane, Sink, Size};

/// What the crate may hold of the blocks before the frame: its XMP, its ICC profile.
const MEMORY_BYTES: NonZeroU64 = NonZeroU64::new(64 << 20).unwrap();

/// A colour table's entries as pixels; those beyond its end are opaque black.
type Table = [[u8; 4]; 256];

/// Decodes a GIF's first frame on a canvas of the probed size into one plane: RGBA if some of the
/// canvas may be transparent, else RGB.
pub(super) fn decode(bytes: &[u8], canvas: Size, sink: &mut dyn Sink) -> Result<(), Error> {
    let mut options = DecodeOptions::new();
    options.set_memory_limit(MemoryLimit::Bytes(MEMORY_BYTES));
    options.set_color_output(ColorOutput::Indexed);
    // Private extensions are passed over, as everywhere.
    options.allow_unknown_blocks(true);
    let mut decoder = options.read_info(bytes).map_err(translate)?;
    let frame = decoder.next_frame_info().map_err(translate)?;
    let frame = frame.ok_or_else(|| Error::Corrupt("it has no frame".to_owned()))?;
    let transparent = frame.transparent;
    let interlaced = frame.interlaced;
    let place = Place::new(frame, canvas);
    let table = table(decoder.palette().map_err(translate)?, transparent);
    let (color, channels) = match transparent.is_none() && place.covers(canvas) {
        true => (Color::Rgb, 3),
        false => (Color::Rgba, 4),
    };
    let plane = Plane { size: canvas, channels, ratio: (1.0, 1.0) };
    sink.start(&Layout { size: canvas, color, planes: vec![plane] })?;
    let mut painter =
        Painter { table, place, channels, row: vec![0; canvas.width as usize * channels], sink };
    painter.blank_rows(0..painter.place.rows.start)?;
    if interlaced {
        painter.interlaced(&mut decoder)?;
    } else {
        painter.row_by_row(&mut decoder)?;
    }
    painter.blank_rows(painter.place.rows.end..canvas.height)
}

/// Where a frame lies on the canvas; what reaches beyond it is cut off.
struct Place {
    /// The frame's own width and height.
    size: Size,
    /// Columns and rows of the canvas that it covers.
    columns: Range<u32>,
    rows: Range<u32>,
}

impl Place {
    fn new(frame: &gif::Frame<'_>, canvas: Size) -> Place {
        let clip = |start: u16, length: u16, limit: u32| {
            let start = u32::from(start);
            start.min(limit)..(start + u32::from(length)).min(limit)
        };
        Place {
            size: Size { width: u32::from(frame.width), height: u32::from(frame.height) },
            columns: clip(frame.left, frame.width, canvas.width),
            rows: clip(frame.top, frame.height, canvas.height),
        }
    }

    fn covers(&self, canvas: Size) -> bool {
        self.columns == (0..canvas.width) && self.rows == (0..canvas.height)
    }
}

fn table(palette: &[u8], transparent: Option<u8>) -> Table {
    let mut table = [[0, 0, 0, 255]; 256];
    for (entry, color) in table.iter_mut().zip(palette.chunks_exact(3)) {
        entry[..3].copy_from_slice(color);
    }
    if let Some(index) = transparent {
        table[usize::from(index)] = [0; 4];
    }
    table
}

/// Makes rows of the canvas of rows of the frame.
struct Painter<'a> {
    table: Table,
    place: Place,
    channels: usize,
    /// A row of the canvas, transparent beside the frame.
    row: Vec<u8>,
    sink: &'a mut dyn Sink,
}

impl Painter<'_> {
    fn blank_rows(&mut self, rows: Range<u32>) -> Result<(), Error> {
        self.row.fill(0);
        rows.into_iter().try_for_each(|_| self.sink.row(0, &self.row))
    }

    /// Pushes the canvas row of which the frame's part is `indices`.
    fn paint(&mut self, indices: &[u8]) -> Result<(), Error> {
        let start = self.place.columns.start as usize * self.channels;
        // What reaches beyond the canvas on the right finds no pixel.
        for (pixel, &index) in self.row[start..].chunks_exact_mut(self.channels).zip(indices) {
            pixel.copy_from_slice(&self.table[usize::from(index)][..self.channels]);
        }
        self.sink.row(0, &self.row)
    }

    fn row_by_row(&mut self, decoder: &mut Decoder<&[u8]>) -> Result<(), Error> {
        let mut indices = vec![0; self.place.size.width as usize];
        for _ in self.place.rows.clone() {
            if !decoder.fill_buffer(&mut indices).map_err(translate)? {
                return Err(pixels_lack());
            }
            self.paint(&indices)?;
        }
        Ok(())
    }

    /// Rows of an interlaced frame come in four passes; those on the canvas are kept until all are there.
    fn interlaced(&mut self, decoder: &mut Decoder<&[u8]>) -> Result<(), Error> {
        const PASSES: [(u32, usize); 4] = [(0, 8), (4, 8), (2, 4), (1, 2)];
        let mut indices = vec![0; self.place.size.width as usize];
        let (columns, rows) = (self.place.columns.len(), self.place.rows.len());
        let mut kept = vec![0; columns * rows];
        for (start, step) in PASSES {
            for y in (start..self.place.size.height).step_by(step) {
                if !decoder.fill_buffer(&mut indices).map_err(translate)? {
                    return Err(pixels_lack());
                }
                if (y as usize) < rows {
                    kept[y as usize * columns..][..columns].copy_from_slice(&indices[..columns]);
                }
            }
        }
        // A frame wholly outside has no columns, and so nothing but blank rows.
        (0..rows).try_for_each(|y| self.paint(&kept[y * columns..][..columns]))
    }
}

fn pixels_lack() -> Error {
    Error::Truncated("pixels of its first frame lack".to_owned())
}

fn translate(error: DecodingError) -> Error {
    match error {
        DecodingError::UnexpectedEof => pixels_lack(),
        DecodingError::Io(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => pixels_lack(),
        // The crate's word for a frame whose data end before its pixels do.
        DecodingError::Format(e) if e.to_string() == "image truncated" => pixels_lack(),
        other => Error::Corrupt(other.to_string()),
    }
}
