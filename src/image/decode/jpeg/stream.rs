//! What a JPEG file's markers say (ITU-T T.81, Annex B), and the file as its decoder gets to see it.
//!
//! The decoder is shown frame, tables and scans alone. Behind each scan's data stand bits that no
//! Huffman code begins with, so that it fails where data lack and never paints what is not there.

use super::frame::Frame;
use super::splice::Part;
use crate::image::Error;

/// Most scans of one picture. Encoders write ten; a progressive scan costs a pass over all blocks.
pub(super) const MAX_SCANS: usize = 64;

/// All ones, stuffed: a Huffman table holds no such code (T.81, Annex C), and a decoder that has all
/// it needs never looks further than these.
const ENDING: &[u8] = &[
    0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF,
    0, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0,
];

/// The end marker.
const END: &[u8] = &[0xFF, 0xD9];

/// Motion JPEG's mark: it makes the decoder take the tables of Annex K where a file brings none.
const STANDARD_TABLES: &[u8] = b"\xFF\xE0\0\x0EAVI1\0\0\0\0\0\0\0\0";

/// What the three or four components of a picture are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// One component.
    Grey,
    /// Three: luma and chroma, full range, BT.601.
    YCbCr,
    /// Three.
    Rgb,
    /// Four inks, stored inverted: 255 is no ink.
    Cmyk,
    /// Four: the first three inks as luma and chroma.
    Ycck,
}

/// A file that has been looked through.
pub(super) struct Stream<'a> {
    pub(super) frame: Frame,
    pub(super) meaning: Meaning,
    /// What the decoder is to see.
    pub(super) parts: Vec<Part<'a>>,
}

/// Looks through a file's markers up to its end, or to where its picture is complete.
///
/// # Errors
/// [`Error::Truncated`] where data lack that can be told without decoding them, [`Error::Unsupported`]
/// for a process or a sampling that is not taken, [`Error::Corrupt`] for broken segments.
pub(super) fn read(bytes: &[u8]) -> Result<Stream<'_>, Error> {
    let mut walk = Walk {
        bytes,
        at: 0,
        frame: None,
        parts: Vec::new(),
        has_tables: false,
        has_jfif: false,
        adobe: None,
        restart_interval: 0,
        restart_segment: &[],
        scans: 0,
    };
    if !bytes.starts_with(&[0xFF, 0xD8]) {
        return Err(corrupt("it does not start as a JPEG does"));
    }
    walk.keep(0, 2);
    walk.at = 2;
    walk.run()
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    frame: Option<Frame>,
    parts: Vec<Part<'a>>,
    has_tables: bool,
    has_jfif: bool,
    /// The Adobe segment's colour transform.
    adobe: Option<u8>,
    /// MCUs between restart markers; 0 for none.
    restart_interval: u64,
    /// The segment that defined it, marker included.
    restart_segment: &'a [u8],
    scans: usize,
}

impl<'a> Walk<'a> {
    fn run(mut self) -> Result<Stream<'a>, Error> {
        loop {
            let Some((start, marker)) = self.marker()? else {
                // The end marker may lack where all else is there.
                return match self.frame {
                    Some(ref frame) if frame.is_refined() => self.finish(),
                    _ => Err(Error::Truncated("its end marker and more lack".to_owned())),
                };
            };
            match marker {
                0xD9 => return self.finish(),
                0x01 | 0xD0..=0xD7 => {}
                0xD8 => return Err(corrupt("a second picture begins within it")),
                _ => {
                    let body = self.body()?;
                    self.segment(start, marker, body)?;
                    if marker == 0xDA && self.frame.as_ref().is_some_and(|f| !f.progressive && f.is_refined())
                    {
                        return self.finish();
                    }
                }
            }
        }
    }

    /// The next marker: where its last 0xFF stands, and its code.
    fn marker(&mut self) -> Result<Option<(usize, u8)>, Error> {
        loop {
            let Some(found) = memchr::memchr(0xFF, &self.bytes[self.at..]) else { return Ok(None) };
            self.at += found + 1;
            match self.bytes.get(self.at) {
                None => return Ok(None),
                Some(0 | 0xFF) => {}
                Some(&code) => {
                    self.at += 1;
                    return Ok(Some((self.at - 2, code)));
                }
            }
        }
    }

    /// The body of the segment whose marker has been read.
    fn body(&mut self) -> Result<&'a [u8], Error> {
        let cut = || Error::Truncated("it is cut within a segment".to_owned());
        let length = self.bytes.get(self.at..self.at + 2).ok_or_else(cut)?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        if length < 2 {
            return Err(corrupt("a segment of impossible length"));
        }
        let body = self.bytes.get(self.at + 2..self.at + length).ok_or_else(cut)?;
        self.at += length;
        Ok(body)
    }

    fn segment(&mut self, start: usize, marker: u8, body: &'a [u8]) -> Result<(), Error> {
        match marker {
            0xC0..=0xC2 => {
                if self.frame.is_some() {
                    return Err(corrupt("it has two frame headers"));
                }
                self.frame = Some(Frame::parse(body, marker == 0xC2)?);
                self.keep(start, self.at);
            }
            0xC3 => return Err(Error::Unsupported("lossless JPEG".to_owned())),
            0xC5..=0xC7 => return Err(Error::Unsupported("hierarchical JPEG".to_owned())),
            0xC9..=0xCF => {
                return Err(Error::Unsupported("arithmetic-coded JPEG".to_owned()));
            }
            0xC4 => {
                self.has_tables = true;
                self.keep(start, self.at);
            }
            0xDB => self.keep(start, self.at),
            0xDD => {
                let interval: [u8; 2] = body.try_into().map_err(|_| corrupt("a bad restart interval"))?;
                self.restart_interval = u64::from(u16::from_be_bytes(interval));
                self.restart_segment = &self.bytes[start..self.at];
            }
            0xE0 => self.has_jfif |= body.starts_with(b"JFIF\0"),
            0xEE if body.starts_with(b"Adobe") => self.adobe = body.get(11).copied(),
            0xDA => self.scan(start, body)?,
            _ => {}
        }
        Ok(())
    }

    /// A scan: its header has been read, its data follow.
    fn scan(&mut self, start: usize, header: &[u8]) -> Result<(), Error> {
        self.scans += 1;
        if self.scans > MAX_SCANS {
            return Err(Error::Unsupported(format!("a JPEG of more than {MAX_SCANS} scans")));
        }
        let frame = self.frame.as_mut().ok_or_else(|| corrupt("a scan without a frame header"))?;
        let scan = frame.scan(header)?;
        if !self.has_tables && !frame.progressive {
            self.has_tables = true;
            self.parts.push(Part { bytes: STANDARD_TABLES, ending: false });
        }
        let data = self.entropy_coded();
        let least = scan.least_bits.div_ceil(8);
        if (data.length as u64) < least {
            let found = data.length;
            return Err(Error::Truncated(format!("{found} bytes where a scan has at least {least}")));
        }
        if self.restart_interval > 0 {
            let restarts = scan.mcus.div_ceil(self.restart_interval) - 1;
            if data.restarts < restarts {
                let found = data.restarts;
                return Err(Error::Truncated(format!("{found} of {restarts} restart markers are there")));
            }
        }
        // Before every scan: zune-jpeg counts on from where the scan before ended, but for this.
        self.parts.push(Part { bytes: self.restart_segment, ending: false });
        self.keep(start, self.at);
        self.parts.push(Part { bytes: ENDING, ending: true });
        Ok(())
    }

    /// Passes over entropy-coded data up to the next marker that is none of theirs, or the end.
    fn entropy_coded(&mut self) -> Data {
        let start = self.at;
        let mut restarts = 0;
        for found in memchr::memchr_iter(0xFF, &self.bytes[start..]) {
            match self.bytes.get(start + found + 1) {
                Some(0xD0..=0xD7) => restarts += 1,
                Some(0 | 0xFF) => {}
                _ => {
                    self.at = start + found;
                    return Data { length: found, restarts };
                }
            }
        }
        self.at = self.bytes.len();
        Data { length: self.at - start, restarts }
    }

    /// Shows the decoder these bytes of the file.
    fn keep(&mut self, start: usize, end: usize) {
        self.parts.push(Part { bytes: &self.bytes[start..end], ending: false });
    }

    fn finish(mut self) -> Result<Stream<'a>, Error> {
        self.parts.push(Part { bytes: END, ending: true });
        let frame = self.frame.ok_or_else(|| corrupt("it has no frame header"))?;
        if !frame.is_started() {
            return Err(Error::Truncated("not all components have data".to_owned()));
        }
        let meaning = meaning(&frame, self.has_jfif, self.adobe)?;
        Ok(Stream { frame, meaning, parts: self.parts })
    }
}

struct Data {
    length: usize,
    restarts: u64,
}

/// What the components are, by the rules of libjpeg (`default_decompress_parms` in jdapimin.c), which
/// all browsers follow.
fn meaning(frame: &Frame, has_jfif: bool, adobe: Option<u8>) -> Result<Meaning, Error> {
    let ids: Vec<u8> = frame.components.iter().map(|component| component.id).collect();
    Ok(match (ids.len(), adobe) {
        (1, _) => Meaning::Grey,
        (3, _) if has_jfif => Meaning::YCbCr,
        (3, Some(0)) => Meaning::Rgb,
        (3, None) if ids == *b"RGB" => Meaning::Rgb,
        (3, _) => Meaning::YCbCr,
        (4, None | Some(0)) => Meaning::Cmyk,
        (4, _) => Meaning::Ycck,
        (count, _) => return Err(Error::Unsupported(format!("a JPEG of {count} components"))),
    })
}

pub(super) fn corrupt(what: &str) -> Error {
    Error::Corrupt(what.to_owned())
}
