//! Which thumbnails are made of every upload.
//!
//! The table travels in each job, so that a change here needs no other worker.

use crate::image::Size;
use crate::key::{Id, Key};

/// Name of the upload itself among its objects.
pub const ORIGINAL: &str = "original";

/// Name and bounds of each thumbnail: it fits inside, is never enlarged, and keeps its proportions.
pub const THUMBNAILS: [(&str, Size); 3] = [
    ("small", Size { width: 100, height: 100 }),
    ("medium", Size { width: 300, height: 300 }),
    ("large", Size { width: 600, height: 600 }),
];

/// Names and keys of an upload's thumbnails, small to large.
pub fn thumbnails(id: &Id, extension: &str) -> Vec<(&'static str, Key)> {
    THUMBNAILS.iter().map(|&(name, _)| (name, id.object(name, extension))).collect()
}
