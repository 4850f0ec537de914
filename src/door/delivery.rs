//! An answer's way out: head and body, in one write where both are small.

use std::os::unix::fs::FileExt;

use super::Body;
use super::deadline::Pace;
use super::wire::{Broken, Wire};

/// Up to so many bytes a body goes out in one write with its head.
const SMALL_BODY: u64 = 16 * 1024;

/// Sends an answer's rendered head, and its body if one is wanted.
pub(super) fn send(
    wire: &mut Wire<'_>,
    rendered: Vec<u8>,
    body: Option<Body>,
    pace: &mut Pace,
) -> Result<(), Broken> {
    let mut bytes = rendered;
    let Some(body) = body else { return wire.send(&bytes, pace) };
    let length = body.length();
    if length > SMALL_BODY {
        wire.announce(length);
        wire.send(&bytes, pace)?;
        return match body {
            Body::Bytes(body) => wire.send(&body, pace),
            Body::Static(body) => wire.send(body, pace),
            Body::File { file, range } => wire.send_file(&file, range, pace),
        };
    }
    match body {
        Body::Bytes(body) => bytes.extend_from_slice(&body),
        Body::Static(body) => bytes.extend_from_slice(body),
        Body::File { file, range } => {
            let head_end = bytes.len();
            bytes.resize(head_end + length as usize, 0);
            file.read_exact_at(&mut bytes[head_end..], range.start).map_err(|error| {
                log::error!(error:% = error; "a file could not be read as far as promised");
                Broken::Gone
            })?;
        }
    }
    wire.send(&bytes, pace)
}
