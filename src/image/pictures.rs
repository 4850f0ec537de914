//! The committed test pictures, `tests/pictures`, and the table of what is expected of each.

use std::fs;
use std::path::Path;

use super::Size;
use super::orientation::Orientation;

/// A test picture and its line of the table.
pub(crate) struct Picture {
    /// File name.
    pub(crate) name: String,
    /// The file.
    pub(crate) bytes: Vec<u8>,
    /// Stored size; nothing where the header is to be refused.
    pub(crate) size: Option<Size>,
    /// Expected orientation.
    pub(crate) orientation: Orientation,
    /// Expected alpha.
    pub(crate) alpha: bool,
    /// Coding in words, or why it is refused.
    pub(crate) coding: String,
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pictures"))
}

/// The bytes of one picture.
pub(crate) fn bytes(name: &str) -> Vec<u8> {
    fs::read(folder().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// All pictures.
pub(crate) fn all() -> Vec<Picture> {
    let table = fs::read_to_string(folder().join("README.md")).unwrap();
    let pictures: Vec<_> = table.lines().filter(|line| line.starts_with("| `")).map(read_line).collect();
    assert!(pictures.len() > 100, "the table of pictures can't be read");
    pictures
}

fn read_line(line: &str) -> Picture {
    let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [name, size, orientation, alpha, coding, _] = cells[..] else { panic!("{line}") };
    let name = name.trim_matches('`').to_owned();
    let size = size
        .split_once(" × ")
        .map(|(w, h)| Size { width: w.parse().expect("a width"), height: h.parse().expect("a height") });
    Picture {
        bytes: bytes(&name),
        name,
        size,
        orientation: Orientation::from_exif(orientation.parse().expect("a number")).expect("1 to 8"),
        alpha: alpha == "yes",
        coding: coding.to_owned(),
    }
}
