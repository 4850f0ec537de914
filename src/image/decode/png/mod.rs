//! PNG, row by row: all colour types and depths become grey or RGB of 8 bits, with alpha where there is
//! any. An interlaced picture alone is held whole.
//!
//! The `png` crate reads headers, and the pixels of what is not [plain](mod@plain).
//!
//! No gamma, chromaticities or colour profile are applied.

use std::io::{Cursor, ErrorKind};

use png::{BitDepth, ColorType, Decoder, DecodingError, InterlaceInfo, Limits, Reader, Transformations};

use super::canvas::Canvas;
use super::check_size;
use crate::image::color::eight_bits;
use crate::image::probe::Area;
use crate::image::{Color, Error, Layout, Plane, Sink, Size};

mod data;
mod plain;
mod unfilter;

/// What the crate may take for chunks that are not pixels, in bytes; it copies them out of the file.
const CHUNK_BYTES: usize = 64 << 20;

type Png<'a> = Reader<Cursor<&'a [u8]>>;

/// Decodes a PNG of the probed size into one plane. An APNG's first frame is its default image, which is
/// full-size by the standard's rule, or else the frame behind it, which need not be: the default image is
/// then for viewers that know no APNG, and browsers never show it.
pub(super) fn decode(bytes: &[u8], probed: Size, sink: &mut dyn Sink) -> Result<(), Error> {
    let mut reader = open(bytes, probed)?;
    let info = reader.info();
    if info.animation_control.is_some() && info.frame_control.is_none() {
        reader.next_frame_info().map_err(translate)?;
    }
    let area = reader.info().frame_control.map_or(Area { left: 0, top: 0, size: probed }, |frame| Area {
        left: frame.x_offset,
        top: frame.y_offset,
        size: Size { width: frame.width, height: frame.height },
    });
    if area.covers(probed) {
        return if plain::takes(reader.info()) {
            plain(bytes, &reader, probed, sink)
        } else {
            frame(&mut reader, probed, sink)
        };
    }
    if !area.lies_in(probed) {
        return Err(Error::Corrupt("its first frame reaches over the canvas".to_owned()));
    }
    let mut canvas = Canvas::new(probed, area, sink);
    frame(&mut reader, area.size, &mut canvas)?;
    canvas.finish()
}

/// Reads all up to the pixels.
fn open(bytes: &[u8], probed: Size) -> Result<Png<'_>, Error> {
    // Two rows of 16-bit RGBA on top.
    let limits = Limits { bytes: CHUNK_BYTES + 16 * probed.width as usize };
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(Transformations::EXPAND);
    let reader = decoder.read_info().map_err(translate)?;
    let info = reader.info();
    check_size(Size { width: info.width, height: info.height }, probed)?;
    Ok(reader)
}

/// Decodes the frame that the reader stands before.
fn frame(reader: &mut Png<'_>, size: Size, sink: &mut dyn Sink) -> Result<(), Error> {
    let interlaced = reader.info().interlaced;
    let (_, depth) = reader.output_color_type();
    let plane = start(reader, size, sink)?;
    if interlaced {
        whole(reader, &plane, depth, sink)?;
    } else {
        rows(reader, &plane, depth, sink)?;
    }
    after_rows(reader)
}

/// Decodes the file's only frame, which is [plain](mod@plain).
fn plain(bytes: &[u8], reader: &Png<'_>, size: Size, sink: &mut dyn Sink) -> Result<(), Error> {
    let plane = start(reader, size, sink)?;
    plain::rows(bytes, &plane, sink)
}

/// Tells the sink what comes: one plane.
fn start(reader: &Png<'_>, size: Size, sink: &mut dyn Sink) -> Result<Plane, Error> {
    let (color, channels) = match reader.output_color_type().0 {
        ColorType::Grayscale => (Color::Grey, 1),
        ColorType::GrayscaleAlpha => (Color::GreyAlpha, 2),
        ColorType::Rgb => (Color::Rgb, 3),
        ColorType::Rgba => (Color::Rgba, 4),
        ColorType::Indexed => return Err(Error::Corrupt("its palette lacks".to_owned())),
    };
    let plane = Plane { size, channels, ratio: (1.0, 1.0) };
    sink.start(&Layout { size, color, planes: vec![plane] })?;
    Ok(plane)
}

/// Pushes rows as they come.
fn rows(reader: &mut Png<'_>, plane: &Plane, depth: BitDepth, sink: &mut dyn Sink) -> Result<(), Error> {
    let mut narrowed = Vec::new();
    for _ in 0..plane.size.height {
        let row = reader.next_row().map_err(translate)?.ok_or_else(rows_lack)?;
        sink.row(0, narrow(row.data(), depth, &mut narrowed))?;
    }
    Ok(())
}

/// Puts the seven passes together (PNG, 8.2), then pushes all rows.
fn whole(reader: &mut Png<'_>, plane: &Plane, depth: BitDepth, sink: &mut dyn Sink) -> Result<(), Error> {
    let stride = plane.size.width as usize * plane.channels;
    let mut picture = vec![0; stride * plane.size.height as usize];
    let mut narrowed = Vec::new();
    while let Some(row) = reader.next_interlaced_row().map_err(translate)? {
        let InterlaceInfo::Adam7(pass) = row.interlace() else { return Err(rows_lack()) };
        let samples = narrow(row.data(), depth, &mut narrowed);
        // One to four samples of eight bits.
        png::expand_interlaced_row(&mut picture, stride, samples, pass, 8 * plane.channels as u8);
    }
    picture.chunks_exact(stride).try_for_each(|row| sink.row(0, row))
}

/// What follows the last row is checked too (the checksum of the data, at least), but may lack: that
/// takes nothing from the picture.
fn after_rows(reader: &mut Png<'_>) -> Result<(), Error> {
    match reader.next_row() {
        Ok(_) => Ok(()),
        Err(DecodingError::IoError(e)) if e.kind() == ErrorKind::UnexpectedEof => Ok(()),
        Err(error) => Err(translate(error)),
    }
}

/// A row of 8-bit samples: the row itself, or its 16-bit samples rounded, in `narrowed`.
fn narrow<'a>(row: &'a [u8], depth: BitDepth, narrowed: &'a mut Vec<u8>) -> &'a [u8] {
    if depth != BitDepth::Sixteen {
        return row;
    }
    narrowed.clear();
    narrowed.extend(row.chunks_exact(2).map(|pair| eight_bits(u16::from_be_bytes([pair[0], pair[1]]))));
    narrowed
}

fn cut() -> Error {
    Error::Truncated("it is cut before its last row".to_owned())
}

fn rows_lack() -> Error {
    Error::Truncated("rows lack".to_owned())
}

fn translate(error: DecodingError) -> Error {
    match error {
        DecodingError::IoError(e) if e.kind() == ErrorKind::UnexpectedEof => cut(),
        DecodingError::LimitsExceeded => {
            Error::Corrupt(format!("a chunk beside the pixels of more than {CHUNK_BYTES} bytes"))
        }
        other => Error::Corrupt(without_innards(&other.to_string())),
    }
}

/// The crate's sentence without the innards of its `ChunkType`: the chunk's name alone.
fn without_innards(sentence: &str) -> String {
    let pieces = sentence.split_once("ChunkType { type: ").and_then(|(before, rest)| {
        let (name, rest) = rest.split_once(',')?;
        let (_, after) = rest.split_once('}')?;
        Some(format!("{before}{name}{after}"))
    });
    pieces.unwrap_or_else(|| sentence.to_owned())
}

#[cfg(test)]
mod tests;
