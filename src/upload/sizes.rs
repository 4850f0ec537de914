//! Which objects an upload has.

use crate::job::SIZES;
use crate::key::{Id, Key};

/// Name of the upload itself among its objects.
pub const ORIGINAL: &str = "original";

/// Names and keys of an upload's thumbnails, small to large.
pub fn thumbnails(id: &Id, extension: &str) -> Vec<(&'static str, Key)> {
    SIZES.iter().map(|&(name, _)| (name, id.object(name, extension))).collect()
}
