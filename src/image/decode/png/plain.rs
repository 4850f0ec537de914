//! The commonest kind of PNG by a path of our own: eight bits a sample, no palette, not interlaced.
//!
//! fdeflate inflates; rows are unfiltered from its window straight into groups that the resize kernel takes
//! as they lie, and what is flat is passed over. The `png` crate has read all up to the pixels before, and
//! decodes every other kind.

use png::{BitDepth, ColorType, Info};

use super::data::Data;
use super::unfilter::unfilter;
use crate::image::{Error, Plane, Sink};

/// Rows that the sink gets at a time.
const ROWS: usize = 8;

/// Whether this path takes such a picture.
pub(super) fn takes(info: &Info<'_>) -> bool {
    let is_plain = !info.interlaced && info.trns.is_none() && info.animation_control.is_none();
    is_plain && info.bit_depth == BitDepth::Eight && info.color_type != ColorType::Indexed
}

/// Pushes the rows of `plane`, whose channels are those of the file.
///
/// # Errors
/// As of [`super::decode`].
pub(super) fn rows(bytes: &[u8], plane: &Plane, sink: &mut dyn Sink) -> Result<(), Error> {
    let stride = plane.size.width as usize * plane.channels;
    let mut data = Data::of(bytes);
    let mut group = vec![0; ROWS * stride];
    let mut above = vec![0; stride];
    let mut left = plane.size.height as usize;
    while left > 0 {
        let rows = left.min(ROWS);
        for r in 0..rows {
            let (before, row) = group.split_at_mut(r * stride);
            let above = before.rchunks_exact(stride).next().unwrap_or(&above);
            let (&filter, filtered) = data.take(1 + stride)?.split_first().ok_or_else(super::rows_lack)?;
            unfilter(filter, plane.channels, filtered, above, &mut row[..stride])?;
        }
        sink.rows(0, stride, &group[..rows * stride])?;
        above.copy_from_slice(&group[(rows - 1) * stride..rows * stride]);
        left -= rows;
    }
    data.end()
}
