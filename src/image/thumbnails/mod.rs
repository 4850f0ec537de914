//! The one door to all this for a worker: a file's bytes in, thumbnails' bytes out.
//!
//! A picture passes through once: the decoder's rows go into the resizers ([`press`]), the small planes
//! that come out are turned upright ([`turn`]), brought to sRGB ([`managed`]) and encoded ([`finish`]). A limit on pixels, a budget of
//! memory and a net under the decoders are here.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::decode::decode;
use super::encode::jpeg::MAX_SIDE;
use super::probe::{Probe, probe_bytes};
use super::profile;
use super::{Effort, Error, Format, Size};

mod finish;
mod interruptible;
mod managed;
mod memory;
mod press;
mod turn;

#[cfg(test)]
mod colours;
#[cfg(test)]
mod expected;
#[cfg(test)]
mod tests;

use interruptible::Interruptible;
pub use memory::memory_needed;
use press::Press;
#[cfg(test)]
use press::Upright;

/// One thumbnail that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    /// The box that it must fit, in pixels, at least 1 × 1.
    pub bounds: Size,
    /// Its file format, JPEG or PNG.
    pub format: Format,
    /// What is spent on the smallness of its file.
    pub effort: Effort,
}

/// One thumbnail that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thumbnail {
    /// Its size, upright.
    pub size: Size,
    /// Its file. It holds no metadata.
    pub bytes: Vec<u8>,
}

/// What a job may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most pixels of a picture, by its header.
    pub max_pixels: u64,
    /// Most bytes of memory that are held at once, the file itself included.
    pub memory: u64,
}

/// Makes thumbnails of a picture, in the order in which they are wanted: upright, of the picture's
/// aspect, never enlarged, at least 1 pixel a side, in sRGB and without a profile. Alpha is laid on white where JPEG is wanted.
///
/// # Errors
/// [`Error::TooManyPixels`] and [`Error::TooLargeForWorker`] before anything is decoded (the latter also
/// where what is wanted is large itself); [`Error::Unsupported`] where something else than JPEG or PNG is
/// wanted or the picture is of a kind that is not taken; [`Error::Truncated`] and [`Error::Corrupt`]
/// for pictures that can't be decoded to their last row; [`Error::NotAnImage`].
pub fn make(bytes: &[u8], wanted: &[Spec], limits: &Limits) -> Result<Vec<Thumbnail>, Error> {
    make_while(bytes, wanted, limits, &|| true)
}

/// The same, for as long as `go_on` says so: it is asked before each of the decoder's rows. A decoder
/// that emits none for long (of a progressive JPEG, an interlaced PNG or a WebP, until its last byte) is not interrupted.
///
/// # Errors
/// As of [`make`], and [`Error::Interrupted`].
pub fn make_while(
    bytes: &[u8],
    wanted: &[Spec],
    limits: &Limits,
    go_on: &dyn Fn() -> bool,
) -> Result<Vec<Thumbnail>, Error> {
    let probe = probe_bytes(bytes)?;
    check(&probe, bytes.len() as u64, wanted, limits)?;
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    Ok(pressed(bytes, &probe, wanted, limits, go_on)?.finish())
}

/// The press when a picture, which is within the limits, has gone through it.
fn pressed<'a>(
    bytes: &[u8],
    probe: &Probe,
    wanted: &'a [Spec],
    limits: &Limits,
    go_on: &dyn Fn() -> bool,
) -> Result<Press<'a>, Error> {
    let spare = limits.memory - memory::before_resizing(probe, bytes.len() as u64, wanted);
    let mut press = Press::new(probe.orientation, profile::conversion(bytes, probe), wanted, spare)?;
    guarded(|| decode(bytes, probe, &mut Interruptible { sink: &mut press, go_on }))?;
    Ok(press)
}

fn check(probe: &Probe, file_bytes: u64, wanted: &[Spec], limits: &Limits) -> Result<(), Error> {
    if probe.size.pixels() > limits.max_pixels {
        return Err(Error::TooManyPixels { size: probe.size, limit: limits.max_pixels });
    }
    let needed = memory_needed(probe, file_bytes, wanted);
    if needed > limits.memory {
        return Err(Error::TooLargeForWorker { needed, available: limits.memory });
    }
    Ok(())
}

/// Runs a decoder, of which a panic is one more way to say that the file is damaged.
fn guarded(decoder: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
    // After a panic nothing that the decoder touched is looked at again: the caller drops it.
    catch_unwind(AssertUnwindSafe(decoder))
        .unwrap_or_else(|_| Err(Error::Corrupt("the decoder gave up".to_owned())))
}

/// The size of a picture of `upright` size in `bounds`: the tighter side fills its bound, the other is
/// rounded to nearest. No side is longer than a JPEG's can be.
pub fn fit(upright: Size, bounds: Size) -> Size {
    let (width, height) = (u64::from(upright.width), u64::from(upright.height));
    let most = |side: u32| u64::from(side.clamp(1, MAX_SIDE));
    let (most_width, most_height) = (most(bounds.width), most(bounds.height));
    if width <= most_width && height <= most_height {
        return upright;
    }
    // Rounded, these are no more than the bound, which fits its type.
    let scaled = |side: u64, by: u64, of: u64| ((side * by * 2 + of) / (of * 2)).max(1) as u32;
    if width * most_height >= height * most_width {
        Size { width: most_width as u32, height: scaled(height, most_width, width) }
    } else {
        Size { width: scaled(width, most_height, height), height: most_height as u32 }
    }
}
