//! Where each format keeps what it says of colours. Work and memory are bounded whatever a file claims.
//!
//! A GIF's profile is not looked for, and a PNG's gAMA and cHRM are not: see docs/colour.md.

use std::io::Cursor;

use super::{MAX_BYTES, Samples};
use crate::image::Format;
use crate::image::markers::{self, APP2, EOI, ICC, MAX_SEGMENTS, SOI, SOS};
use crate::image::probe::Probe;
use crate::image::source::Source;

/// What a file says of its colours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// An ICC profile.
    Icc(Vec<u8>),
    /// Code points (ITU-T H.273): colour primaries and transfer characteristics, for full-range RGB.
    CodePoints {
        /// Table 2.
        primaries: u8,
        /// Table 3.
        transfer: u8,
    },
}

/// Looks where the format keeps it; nothing if it is not there, in pieces that don't fit, or too long.
pub(super) fn find(bytes: &[u8], probe: &Probe) -> Option<Found> {
    match probe.format() {
        Format::Jpeg => jpeg(bytes).map(Found::Icc),
        Format::Png => png(bytes, Samples::of(probe)),
        Format::Webp => webp(bytes).map(Found::Icc),
        Format::Gif => None,
    }
}

/// The parts of a profile in APP2 segments before the first scan (ICC.1, B.4). As for libjpeg, there must
/// be as many as each says, each once.
fn jpeg(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut source = Source::new(Cursor::new(bytes), bytes.len() as u64).ok()?;
    source.skip(2, "").ok()?;
    let mut parts: Vec<Option<&[u8]>> = Vec::new();
    for _ in 0..MAX_SEGMENTS {
        let marker = markers::next(&mut source, "").ok()?;
        match marker {
            SOS | SOI | EOI => break,
            _ if markers::stands_alone(marker) => continue,
            _ => {}
        }
        let length = markers::body_length(&mut source, "").ok()?;
        let start = source.at() as usize;
        let body = bytes.get(start..start + length)?;
        if marker == APP2
            && let Some([number, count, part @ ..]) = body.strip_prefix(ICC)
        {
            if parts.is_empty() {
                parts.resize(usize::from(*count), None);
            }
            let place = parts.get_mut(usize::from(*number).checked_sub(1)?)?;
            if place.replace(part).is_some() {
                return None;
            }
        }
        source.skip(length as u64, "").ok()?;
    }
    let parts = parts.into_iter().collect::<Option<Vec<&[u8]>>>()?;
    let length: usize = parts.iter().map(|part| part.len()).sum();
    (1..=MAX_BYTES).contains(&length).then(|| parts.concat())
}

/// cICP goes before iCCP (W3C PNG, third edition, 4.3), if it is one that we can follow.
fn png(bytes: &[u8], samples: Samples) -> Option<Found> {
    let mut rest = bytes.get(8..)?;
    let (mut code_points, mut profile) = (None, None);
    while let Some((head, behind)) = rest.split_first_chunk::<8>() {
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let Some(body) = behind.get(..length) else { break };
        match &head[4..] {
            b"IDAT" => break,
            b"cICP" => code_points = code_points.or(following(body)),
            b"iCCP" => profile = profile.or(Some(body)),
            _ => {}
        }
        // The checksum: what is damaged here, the decoder refuses or the profile's own structure shows.
        rest = behind.get(length + 4..).unwrap_or_default();
    }
    code_points.or_else(|| inflated(profile?).filter(|icc| fits(icc, samples)).map(Found::Icc))
}

/// Code points that mean an encoding of light for screens; those of high dynamic range (PQ, HLG) would
/// need tone mapping, and YCbCr or narrow range are not for PNG.
fn following(body: &[u8]) -> Option<Found> {
    let &[primaries, transfer, 0, 1] = body else { return None };
    let known = matches!(primaries, 1 | 4..=9 | 11 | 12 | 22) && matches!(transfer, 1 | 4..=8 | 13..=15);
    known.then_some(Found::CodePoints { primaries, transfer })
}

/// An iCCP chunk's profile: behind a name and a method, deflated (11.3.2.3).
fn inflated(body: &[u8]) -> Option<Vec<u8>> {
    let end = memchr::memchr(0, body.get(..80.min(body.len()))?)?;
    let (0, deflated) = body[end + 1..].split_first().map(|(method, rest)| (*method, rest))? else {
        return None;
    };
    fdeflate::decompress_to_vec_bounded(deflated, MAX_BYTES).ok()
}

/// PNG has grey profiles for grey pictures alone, and RGB profiles for all others (11.3.2.3); libpng, and
/// so every browser, refuses what differs.
fn fits(icc: &[u8], samples: Samples) -> bool {
    icc.get(16..20) == Some(if samples == Samples::Grey { b"GRAY" } else { b"RGB " })
}

/// The ICCP chunk (RFC 9649, 2.7.1.4), which lies between an extended header that announces it and the
/// pixels.
fn webp(bytes: &[u8]) -> Option<Vec<u8>> {
    const ANNOUNCED: u8 = 0x20;
    let mut rest = bytes.get(12..)?;
    if rest.get(..4)? != b"VP8X" || rest.get(8)? & ANNOUNCED == 0 {
        return None;
    }
    while let Some((head, behind)) = rest.split_first_chunk::<8>() {
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        match &head[..4] {
            b"ICCP" => {
                return behind
                    .get(..length.min(MAX_BYTES + 1))
                    .filter(|b| b.len() <= MAX_BYTES)
                    .map(<[u8]>::to_vec);
            }
            b"VP8 " | b"VP8L" | b"ANMF" => break,
            _ => {}
        }
        rest = behind.get(length.checked_add(length % 2)?..)?;
    }
    None
}
