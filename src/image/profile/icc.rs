//! An ICC profile (ICC.1:2022) rid of all that a conversion to sRGB does not need.
//!
//! Descriptions, dates, conversions the other way: most of a profile, and most of what is broken in
//! those that are found in files. The engine is stricter than browsers about them, so it never sees them.

use super::{MAX_BYTES, Samples};

/// Bytes of the header, and of a tag's entry in the table behind it (7.2, 7.3).
const HEADER: usize = 128;
const ENTRY: usize = 12;

/// Most tags that are looked at. Real profiles have some ten to thirty.
const MAX_TAGS: usize = 100;

/// Longest profile that remains. A table of 21⁴ steps, larger than any in use, has 1.2 MB; the engine
/// holds it in four times as much.
const MAX_KEPT: usize = 2 << 20;

/// The tables from the device to the connection space, in the order in which one is taken: perceptual,
/// then colorimetric, then saturated (9.2.1 to 9.2.3). It is passed on as the perceptual one.
const TABLES: [&[u8; 4]; 3] = [b"A2B0", b"A2B1", b"A2B2"];

/// Primaries and curves (8.3.3, 8.3.4, 8.4.3), each where it is for.
const RGB: &[&[u8; 4]] = &[b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC"];
const GREY: &[&[u8; 4]] = &[b"kTRC"];

/// What a profile's samples are; nothing for a profile of other samples than ours, or for no profile.
pub(super) fn samples(icc: &[u8]) -> Option<Samples> {
    if icc.len() < HEADER + 4 || &icc[36..40] != b"acsp" {
        return None;
    }
    // Links between devices, abstract and named-colour profiles describe no picture's samples (7.2.5).
    if !matches!(&icc[12..16], b"scnr" | b"mntr" | b"prtr" | b"spac") {
        return None;
    }
    match &icc[16..20] {
        b"GRAY" => Some(Samples::Grey),
        b"RGB " => Some(Samples::Rgb),
        b"CMYK" => Some(Samples::Inks),
        _ => None,
    }
}

/// The profile with a header that is right in all its fields and with the tags of its kind alone.
pub(super) fn pared(icc: &[u8]) -> Option<Vec<u8>> {
    let kind = samples(icc)?;
    if icc.len() > MAX_BYTES {
        return None;
    }
    let tags = tags(icc)?;
    let find = |name: &[u8; 4]| tags.iter().find(|tag| &tag.name == name);
    let curves = match kind {
        Samples::Grey => GREY,
        Samples::Rgb => RGB,
        Samples::Inks => &[],
    };
    let mut kept: Vec<Tag> = curves.iter().filter_map(|name| find(name)).copied().collect();
    if kind != Samples::Grey
        && let Some(table) = TABLES.iter().find_map(|name| find(name))
    {
        kept.push(Tag { name: *TABLES[0], ..*table });
    }
    let mut out = header(icc);
    out.extend_from_slice(&(kept.len() as u32).to_be_bytes());
    let mut start = out.len() + ENTRY * kept.len();
    for tag in &kept {
        // Both are far below 2³²: they are bounded below.
        out.extend_from_slice(&tag.name);
        out.extend_from_slice(&(start as u32).to_be_bytes());
        out.extend_from_slice(&(tag.length as u32).to_be_bytes());
        start += tag.length.next_multiple_of(4);
        if start > MAX_KEPT {
            return None;
        }
    }
    for tag in &kept {
        out.extend_from_slice(&icc[tag.start..tag.start + tag.length]);
        out.resize(out.len().next_multiple_of(4), 0);
    }
    Some(out)
}

/// Version, class, samples and connection space as they are; the rest as the standard wants it.
fn header(icc: &[u8]) -> Vec<u8> {
    let mut header = vec![0; HEADER];
    // Versions below 4 are all read as 2.4, all others as 4.3: nothing that is kept differs in between.
    header[8..10].copy_from_slice(if icc[8] < 4 { &[2, 0x40] } else { &[4, 0x30] });
    header[12..24].copy_from_slice(&icc[12..24]);
    // The first of January 2000.
    header[24..30].copy_from_slice(&[7, 0xD0, 0, 1, 0, 1]);
    header[36..40].copy_from_slice(b"acsp");
    // D50 (7.2.16).
    header[68..80].copy_from_slice(&[0, 0, 0xF6, 0xD6, 0, 1, 0, 0, 0, 0, 0xD3, 0x2D]);
    header
}

/// One tag: a name and a range of the profile.
#[derive(Clone, Copy)]
struct Tag {
    name: [u8; 4],
    start: usize,
    length: usize,
}

/// The table's tags that lie within the profile; nothing if the table itself does not.
fn tags(icc: &[u8]) -> Option<Vec<Tag>> {
    let number = |at: usize| u32::from_be_bytes([icc[at], icc[at + 1], icc[at + 2], icc[at + 3]]) as usize;
    let count = number(HEADER);
    if count > MAX_TAGS || icc.len() < HEADER + 4 + count * ENTRY {
        return None;
    }
    let tags = (0..count).map(|i| HEADER + 4 + i * ENTRY).map(|at| Tag {
        name: [icc[at], icc[at + 1], icc[at + 2], icc[at + 3]],
        start: number(at + 4),
        length: number(at + 8),
    });
    Some(tags.filter(|tag| tag.start.checked_add(tag.length).is_some_and(|end| end <= icc.len())).collect())
}
