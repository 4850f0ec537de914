//! Decoders: a file's bytes in, rows of 8-bit samples out, pushed into a [`Sink`].
//!
//! JPEG's decoder is our own. Each other format's file wraps one dependency, turns its errors into ours and
//! contains its known hazards.
//! Limits on pixels and memory are the caller's, who asks [`super::probe`] first, as is a decoder's panic.

use super::probe::Probe;
use super::{Error, Format, Sink, Size};

mod canvas;
mod gif;
mod jpeg;
mod png;
mod webp;

pub(super) use jpeg::memory as jpeg_memory;
pub(super) use webp::MOST_CODES;

#[cfg(test)]
mod tests;

/// Decodes a picture: calls [`Sink::start`] once, then [`Sink::row`] for every row of every plane.
///
/// Orientation is not applied. Of an animation the first frame counts, as composed on its canvas; a PNG's
/// default image that is no frame of its animation is not looked at, as in browsers. A JPEG comes no larger than the sink asks for ([`Sink::detail`]). No full frame is held for a JPEG of one scan, a PNG that is not interlaced, and a GIF that is not interlaced.
///
/// # Errors
/// [`Error::Truncated`] if data lacks, [`Error::Corrupt`] if it breaks the format's rules or belies
/// `probe`, [`Error::Unsupported`] for a variant that is not taken; rows may have been pushed before.
/// What the sink returns ends the decoding and is returned as it is.
///
/// # Panics
/// A dependency may panic on crafted bytes: the caller catches that.
pub fn decode(bytes: &[u8], probe: &Probe, sink: &mut dyn Sink) -> Result<(), Error> {
    match probe.format() {
        Format::Jpeg => jpeg::decode(bytes, probe.size, sink),
        Format::Png => png::decode(bytes, probe.size, sink),
        Format::Gif => gif::decode(bytes, probe.size, sink),
        Format::Webp => webp::decode(bytes, probe.size, sink),
    }
}

/// Refuses a picture whose data speak of another size than its header did: memory was budgeted by that.
fn check_size(found: Size, probed: Size) -> Result<(), Error> {
    if found == probed {
        return Ok(());
    }
    Err(Error::Corrupt(format!("its header says {probed} pixels, its data {found}")))
}
