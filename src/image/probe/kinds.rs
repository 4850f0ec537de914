//! What kind of file its first bytes say it is: one of the four formats, or one that has a name.

use crate::image::{Error, Format};

/// How many of a file's first bytes are looked at.
pub(super) const SNIFFED: usize = 4096;

/// Kinds that are pictures and are not taken, by their first bytes.
const NAMED: &[(&[u8], &str)] = &[
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"IIU\0", "camera raw"),
    (b"IIRO", "camera raw"),
    (b"FUJIFILMCCD-RAW", "camera raw"),
    (b"\xFF\x0A", "JPEG XL"),
    (b"\0\0\0\x0CJXL \r\n\x87\n", "JPEG XL"),
    (b"\0\0\0\x0CjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xFF\x4F\xFF\x51", "JPEG 2000"),
    (b"II\xBC\x01", "JPEG XR"),
    (b"8BPS", "Photoshop (PSD)"),
    (b"gimp xcf", "GIMP (XCF)"),
    (b"%PDF-", "PDF"),
    (b"%!PS", "PostScript"),
    (b"\xC5\xD0\xD3\xC6", "PostScript"),
    (b"qoif", "QOI"),
    (b"\x76\x2F\x31\x01", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"DDS ", "DDS"),
    (b"icns", "Apple icon"),
    (b"AT&TFORM", "DjVu"),
    (b"\x8AMNG\r\n\x1A\n", "MNG"),
    (b"\x8BJNG\r\n\x1A\n", "JNG"),
    (b"farbfeld", "farbfeld"),
    (b"BPG\xFB", "BPG"),
    (b"\xD7\xCD\xC6\x9A", "WMF"),
];

/// The format of a file that begins with `start`, all of it or [`SNIFFED`] bytes.
pub(super) fn sniff(start: &[u8]) -> Result<Format, Error> {
    if let Some(format) = taken(start) {
        return Ok(format);
    }
    let name = NAMED.iter().find(|(magic, _)| start.starts_with(magic)).map(|&(_, name)| name);
    let name = name.or_else(|| boxed(start)).or_else(|| headed(start)).or_else(|| text(start));
    Err(name.map_or(Error::NotAnImage, |name| Error::Unsupported(name.to_owned())))
}

fn taken(start: &[u8]) -> Option<Format> {
    if start.starts_with(b"\xFF\xD8\xFF") {
        Some(Format::Jpeg)
    } else if start.starts_with(b"\x89PNG\r\n\x1A\n") {
        Some(Format::Png)
    } else if start.starts_with(b"GIF87a") || start.starts_with(b"GIF89a") {
        Some(Format::Gif)
    } else if start.starts_with(b"RIFF") && start.get(8..12) == Some(b"WEBP") {
        Some(Format::Webp)
    } else {
        None
    }
}

/// Pictures in ISO's box format, by their brands (ISO/IEC 23008-12; AVIF 1.1). Films share the format
/// and are no pictures.
fn boxed(start: &[u8]) -> Option<&'static str> {
    let length = u32::from_be_bytes(*start.first_chunk()?);
    let body = start.get(4..start.len().min(length as usize))?.strip_prefix(b"ftyp")?;
    let mut brands = body.chunks_exact(4).enumerate().filter(|(i, _)| *i != 1).map(|(_, brand)| brand);
    let major = brands.next()?;
    let name = |brand: &[u8]| match brand {
        b"avif" | b"avis" => Some("AVIF"),
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" => Some("HEIC"),
        b"crx " => Some("camera raw"),
        b"jxl " => Some("JPEG XL"),
        _ => None,
    };
    let generic = matches!(major, b"mif1" | b"msf1" | b"mif2");
    name(major).or_else(|| generic.then(|| brands.find_map(name).unwrap_or("HEIF")))
}

/// Pictures whose first bytes alone would fit other files too: more of the header must make sense.
fn headed(start: &[u8]) -> Option<&'static str> {
    let bmp = start.starts_with(b"BM")
        && start.get(6..10) == Some(&[0; 4])
        && matches!(start.get(14..18), Some([12 | 16 | 40 | 52 | 56 | 64 | 108 | 124, 0, 0, 0]));
    let icon = matches!(start, [0, 0, 1 | 2, 0, 1..=255, 0, _, _, _, 0, ..]);
    let emf = start.starts_with(&[1, 0, 0, 0]) && start.get(40..44) == Some(b" EMF");
    let pnm = matches!(start, [b'P', b'1'..=b'7', b' ' | b'\t' | b'\r' | b'\n', ..]);
    [(bmp, "BMP"), (icon, "ICO"), (emf, "EMF"), (pnm, "PNM")]
        .iter()
        .find(|(is, _)| *is)
        .map(|&(_, name)| name)
}

/// SVG: text that begins with a tag and names `svg` as an element in what is looked at.
fn text(start: &[u8]) -> Option<&'static str> {
    let start = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start).trim_ascii_start();
    let svg = start.starts_with(b"<")
        && memchr::memmem::find_iter(start, b"<svg").any(|at| {
            start.get(at + 4).is_none_or(|&next| next.is_ascii_whitespace() || matches!(next, b'>' | b'/'))
        });
    // A page that shows a drawing is no picture.
    let page = start.get(..5).is_some_and(|tag| tag.eq_ignore_ascii_case(b"<html"))
        || start.get(..14).is_some_and(|tag| tag.eq_ignore_ascii_case(b"<!doctype html"));
    (svg && !page).then_some("SVG")
}
