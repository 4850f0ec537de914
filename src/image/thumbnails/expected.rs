//! What becomes of every test picture: its thumbnail's size, colour and samples before they are encoded,
//! or the error's code. `tests/pictures/thumbnails.txt` has it, and its head says how to write it anew.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::tests::{PLENTY, spec};
use super::*;
use crate::image::pictures::{self, Picture};

/// Where it is, from the project's root.
const FILE: &str = "tests/pictures/thumbnails.txt";

/// Set to write it.
const UPDATE: &str = "UPDATE_EXPECTED";

const HEAD: &str = "\
# What each test picture becomes in a box of 40 × 40 pixels, in the format of its thumbnails, before it is
# encoded: width × height, colour, and the first 16 digits of the SHA-256 of its planes; or the error's code.
# The samples are integers and the same with and without SIMD. A digest that changes means other pixels:
# look at them (tests/pictures/colour.py compares with Pillow) before you write this file anew:
#
#     UPDATE_EXPECTED=1 cargo test --lib every_picture_becomes_what_is_expected

";

fn line(picture: &Picture) -> String {
    let name = &picture.name;
    match upright(&picture.bytes) {
        Ok(Upright { color, planes, .. }) => {
            let mut digest = Sha256::new();
            for plane in &planes {
                digest.update([plane.size.width, plane.size.height].map(u32::to_le_bytes).concat());
                digest.update(&plane.samples);
            }
            let digits: String = digest.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{name}  {}  {color:?}  {digits}", planes[0].size)
        }
        Err(error) => format!("{name}  {}", error.code()),
    }
}

fn upright(bytes: &[u8]) -> Result<Upright, Error> {
    let probe = probe_bytes(bytes)?;
    let wanted = [spec(40, 40, probe.thumbnail_format())];
    check(&probe, bytes.len() as u64, &wanted, &PLENTY)?;
    let mut uprights: Vec<Upright> = pressed(bytes, &probe, &wanted, &PLENTY, &|| true)?.uprights().collect();
    Ok(uprights.remove(0))
}

#[test]
fn every_picture_becomes_what_is_expected() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let mut found = HEAD.to_owned();
    for picture in pictures::all() {
        writeln!(found, "{}", line(&picture)).unwrap();
    }
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(&path, &found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    let wrong: Vec<String> = found
        .lines()
        .filter(|line| !expected.lines().any(|other| other == *line))
        .map(|line| format!("found    {line}"))
        .chain(
            expected
                .lines()
                .filter(|line| !found.lines().any(|other| other == *line))
                .map(|line| format!("expected {line}")),
        )
        .collect();
    assert!(wrong.is_empty(), "not as in {FILE}; {UPDATE}=1 writes it anew:\n{}", wrong.join("\n"));
}
