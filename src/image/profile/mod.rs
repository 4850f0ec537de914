//! What a file says of its colours, and the conversion to sRGB that follows from it.
//!
//! [`find`] takes the profile out of a file, [`icc`] rids it of all that a conversion does not need, and
//! [`Conversion`] is the arithmetic, by `moxcms`. What is broken, absurd or not understood counts as not
//! there, as in browsers: then samples are shown as sRGB. docs/colour.md tells the decisions.

mod conversion;
mod find;
mod icc;

#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::probe::{Coding, PngColor, Probe};

pub(in crate::image) use conversion::Conversion;

/// Longest profile that is taken, in bytes, inflated. Those of presses have up to three millions.
pub(in crate::image) const MAX_BYTES: usize = 4 << 20;

/// What a picture's samples are, as far as a profile must fit them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Samples {
    Grey,
    Rgb,
    Inks,
}

impl Samples {
    /// What a decoder makes of the picture.
    fn of(probe: &Probe) -> Samples {
        match &probe.coding {
            Coding::Jpeg { sampling, .. } => match sampling.len() {
                1 => Samples::Grey,
                4 => Samples::Inks,
                _ => Samples::Rgb,
            },
            Coding::Png { color: PngColor::Grey | PngColor::GreyAlpha, .. } => Samples::Grey,
            Coding::Png { .. } | Coding::Gif { .. } | Coding::Webp { .. } => Samples::Rgb,
        }
    }
}

/// What brings the samples of the picture in `bytes`, of which `probe` told the header, to sRGB. Nothing
/// if they are that already, to within [`conversion::TOLERANCE`], or if no usable profile says otherwise.
pub(in crate::image) fn conversion(bytes: &[u8], probe: &Probe) -> Option<Conversion> {
    let found = find::find(bytes, probe)?;
    // A panic over a crafted profile is one more way to say that it is broken; nothing outlives it.
    catch_unwind(AssertUnwindSafe(|| Conversion::new(&found, Samples::of(probe)))).unwrap_or(None)
}
