//! WebP by `image-webp`: lossy or lossless, with or without alpha; of an animation the first frame on
//! its canvas. The crate decodes whole pictures alone, so one is held.

use std::io::{Cursor, ErrorKind};

use image_webp::{DecodingError, WebPDecoder};

use super::check_size;
use crate::image::{Color, Error, Layout, Plane, Sink, Size};

mod codes;

pub(in crate::image) use codes::MOST as MOST_CODES;

/// Decodes a WebP of the probed size into one plane, RGB or RGBA.
pub(super) fn decode(bytes: &[u8], probed: Size, sink: &mut dyn Sink) -> Result<(), Error> {
    let bytes = contained(bytes)?;
    check_reach(bytes)?;
    check_codes(bytes, probed)?;
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

/// The bytes that the container claims (RFC 9649, 2.4): what follows is not the picture's. A lossy decoder makes
/// something of any rest of its data, so the container tells whether some lack. Some encoders leave out the
/// byte that pads the last chunk.
fn contained(bytes: &[u8]) -> Result<&[u8], Error> {
    let claimed = bytes.get(4..8).and_then(|length| length.try_into().ok()).map_or(0, u32::from_le_bytes);
    let claimed = u64::from(claimed) + 8;
    let there = bytes.len();
    if claimed > there as u64 + 1 {
        return Err(Error::Truncated(format!("{there} of the {claimed} bytes that it claims are there")));
    }
    // Not more than there are, so it fits.
    Ok(&bytes[..there.min(claimed as usize)])
}

/// Refuses chunks of pixels that reach beyond the container, where the crate would read on.
fn check_reach(bytes: &[u8]) -> Result<(), Error> {
    let mut rest = bytes.get(12..).unwrap_or_default();
    while let Some((&[k0, k1, k2, k3, l0, l1, l2, l3], body)) = rest.split_first_chunk() {
        let kind = [k0, k1, k2, k3];
        let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        if length > body.len() && [b"VP8 ", b"VP8L", b"ALPH", b"ANMF"].contains(&&kind) {
            let there = body.len();
            return Err(Error::Truncated(format!("{there} of the {length} bytes of its pixels are there")));
        }
        rest = body.get(length + length % 2..).unwrap_or_default();
    }
    Ok(())
}

/// Holds the prefix codes of the first frame to a limit: those of a lossless picture, or of an alpha plane
/// that is coded like one.
fn check_codes(bytes: &[u8], canvas: Size) -> Result<(), Error> {
    let mut animated = false;
    // All chunks of the first level, and the first two of the first animation frame: more of them are
    // looked at than the crate reads.
    for (kind, body) in chunks(bytes.get(12..).unwrap_or_default()) {
        match kind {
            b"ANMF" if !std::mem::replace(&mut animated, true) => {
                let Some(&[_, _, _, _, _, _, w0, w1, w2, h0, h1, h2, ..]) = body.first_chunk::<16>() else {
                    continue;
                };
                let side = |low, middle, high| u32::from_le_bytes([low, middle, high, 0]) + 1;
                let size = Size { width: side(w0, w1, w2), height: side(h0, h1, h2) };
                if size.width > canvas.width || size.height > canvas.height {
                    return Err(Error::Corrupt(format!("a frame of {size} pixels on a canvas of {canvas}")));
                }
                chunks(&body[16..]).take(2).try_for_each(|(kind, body)| check_chunk(kind, body, size))?;
            }
            _ => check_chunk(kind, body, canvas)?,
        }
    }
    Ok(())
}

fn check_chunk(kind: &[u8], body: &[u8], size: Size) -> Result<(), Error> {
    match (kind, body) {
        // The header says the size once more (RFC 9649, 3.4), and the crate compares.
        (b"VP8L", [_, _, _, _, _, data @ ..]) => codes::check(data, size),
        // The lowest two bits: compressed (2.7.1.2).
        (b"ALPH", [flags, data @ ..]) if flags & 3 == 1 => codes::check(data, size),
        _ => Ok(()),
    }
}

/// Kinds and bodies of chunks that lie side by side; the last may be cut.
fn chunks(mut bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    std::iter::from_fn(move || {
        let (head, rest) = bytes.split_at_checked(8)?;
        let length = u32::from_le_bytes(*head.last_chunk()?) as usize;
        let body = &rest[..length.min(rest.len())];
        bytes = rest.get(length.saturating_add(length % 2)..).unwrap_or_default();
        Some((&head[..4], body))
    })
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
