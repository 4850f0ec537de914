//! WebP by `image-webp`: lossy or lossless, with or without alpha; of an animation the first frame on
//! its canvas. The crate decodes whole pictures alone, so one is held.

use std::io::{Cursor, ErrorKind};

use image_webp::{DecodingError, WebPDecoder};

use super::check_size;
use crate::image::{Color, Error, Layout, Plane, Sink, Size};

/// Decodes a WebP of the probed size into one plane, RGB or RGBA.
pub(super) fn decode(bytes: &[u8], probed: Size, sink: &mut dyn Sink) -> Result<(), Error> {
    check_length(bytes)?;
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(translate)?;
    let (width, height) = decoder.dimensions();
    check_size(Size { width, height }, probed)?;
    let (color, channels) = if decoder.has_alpha() { (Color::Rgba, 4) } else { (Color::Rgb, 3) };
    let plane = Plane { size: probed, channels, ratio: (1.0, 1.0) };
    sink.start(&Layout { size: probed, color, planes: vec![plane] })?;
    let stride = width as usize * channels;
    let mut picture = vec![0; stride * height as usize];
    decoder.read_image(&mut picture).map_err(translate)?;
    picture.chunks_exact(stride).try_for_each(|row| sink.row(0, row))
}

/// A lossy decoder makes something of any rest of its data: the container tells whether some lack
/// (RFC 9649, 2.4). Some encoders leave out the byte that pads the last chunk.
fn check_length(bytes: &[u8]) -> Result<(), Error> {
    let claimed = bytes.get(4..8).and_then(|length| length.try_into().ok()).map_or(0, u32::from_le_bytes);
    let claimed = u64::from(claimed) + 8;
    if claimed > bytes.len() as u64 + 1 {
        let there = bytes.len();
        return Err(Error::Truncated(format!("{there} of the {claimed} bytes that it claims are there")));
    }
    Ok(())
}

fn translate(error: DecodingError) -> Error {
    match error {
        DecodingError::IoError(e) if e.kind() == ErrorKind::UnexpectedEof => {
            Error::Truncated("its pixels' data lack".to_owned())
        }
        DecodingError::UnsupportedFeature(what) => Error::Unsupported(format!("WebP with {what}")),
        other => Error::Corrupt(other.to_string()),
    }
}
