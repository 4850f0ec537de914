//! What a JPEG file's markers say (ITU-T T.81, Annex B): its frame, and its scans with all that they need.
//!
//! All segments are read and checked before anything is decoded, and what can be told to lack without
//! decoding is found out here.

use std::rc::Rc;

use super::frame::{Frame, Header};
use super::huffman::Spec;
use super::tables::{Quantisers, Tables};
use crate::image::Error;

/// Most scans of one picture. Encoders write ten; a progressive scan costs a pass over all blocks.
pub(super) const MAX_SCANS: usize = 64;

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
    /// What each component was quantised by.
    pub(super) quantisers: Vec<Quantisers>,
    /// At least one of each component.
    pub(super) scans: Vec<Scan<'a>>,
}

/// One scan: what its header says, its entropy-coded data, and the tables that they are coded by.
pub(super) struct Scan<'a> {
    pub(super) header: Header,
    pub(super) data: &'a [u8],
    /// MCUs between restart markers; 0 for none.
    pub(super) restart_interval: u64,
    /// One of each part, where the scan uses such.
    pub(super) dc: Vec<Option<Rc<Spec>>>,
    pub(super) ac: Vec<Option<Rc<Spec>>>,
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
        tables: Tables::default(),
        quantisers: Vec::new(),
        scans: Vec::new(),
        has_jfif: false,
        adobe: None,
        restart_interval: 0,
    };
    if !bytes.starts_with(&[0xFF, 0xD8]) {
        return Err(corrupt("it does not start as a JPEG does"));
    }
    walk.at = 2;
    walk.run()
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    frame: Option<Frame>,
    tables: Tables,
    /// Of each component those that held at its first scan, as in libjpeg.
    quantisers: Vec<Option<Quantisers>>,
    scans: Vec<Scan<'a>>,
    has_jfif: bool,
    /// The Adobe segment's colour transform.
    adobe: Option<u8>,
    /// MCUs between restart markers; 0 for none.
    restart_interval: u64,
}

impl<'a> Walk<'a> {
    fn run(mut self) -> Result<Stream<'a>, Error> {
        loop {
            let Some(marker) = self.marker()? else {
                // The end marker may lack where all else is there.
                if self.is_refined() {
                    return self.finish();
                }
                return Err(Error::Truncated("its end marker and more lack".to_owned()));
            };
            match marker {
                0xD9 => return self.finish(),
                0x01 | 0xD0..=0xD7 => {}
                // Reserved (B.1.1.3). What follows may be a segment or not: nobody can know, and libjpeg
                // refuses it too.
                0x02..=0xBF if self.is_refined() => return self.finish(),
                0x02..=0xBF => return Err(corrupt("a marker that there is not among its data")),
                0xD8 => return Err(corrupt("a second picture begins within it")),
                _ => {
                    let body = self.body()?;
                    self.segment(marker, body)?;
                    if marker == 0xDA && self.frame.as_ref().is_some_and(|f| !f.progressive && f.is_refined())
                    {
                        return self.finish();
                    }
                }
            }
        }
    }

    /// Whether the scans so far have all that the picture can have.
    fn is_refined(&self) -> bool {
        self.frame.as_ref().is_some_and(Frame::is_refined)
    }

    /// The code of the next marker.
    fn marker(&mut self) -> Result<Option<u8>, Error> {
        loop {
            let Some(found) = memchr::memchr(0xFF, &self.bytes[self.at..]) else { return Ok(None) };
            self.at += found + 1;
            match self.bytes.get(self.at) {
                None => return Ok(None),
                Some(0 | 0xFF) => {}
                Some(&code) => {
                    self.at += 1;
                    return Ok(Some(code));
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

    fn segment(&mut self, marker: u8, body: &'a [u8]) -> Result<(), Error> {
        match marker {
            0xC0..=0xC2 => {
                if self.frame.is_some() {
                    return Err(corrupt("it has two frame headers"));
                }
                let frame = Frame::parse(body, marker == 0xC2)?;
                self.quantisers = vec![None; frame.components.len()];
                self.frame = Some(frame);
            }
            0xC3 => return Err(Error::Unsupported("lossless JPEG".to_owned())),
            0xC5..=0xC7 => return Err(Error::Unsupported("hierarchical JPEG".to_owned())),
            0xC9..=0xCF => {
                return Err(Error::Unsupported("arithmetic-coded JPEG".to_owned()));
            }
            0xC4 => self.tables.define_huffman(body)?,
            0xDB => self.tables.define_quantisers(body)?,
            0xDD => {
                let interval: [u8; 2] = body.try_into().map_err(|_| corrupt("a bad restart interval"))?;
                self.restart_interval = u64::from(u16::from_be_bytes(interval));
            }
            0xE0 => self.has_jfif |= body.starts_with(b"JFIF\0"),
            0xEE if body.starts_with(b"Adobe") => self.adobe = body.get(11).copied(),
            0xDA => self.scan(body)?,
            _ => {}
        }
        Ok(())
    }

    /// A scan: its header has been read, its data follow.
    fn scan(&mut self, header: &[u8]) -> Result<(), Error> {
        if self.scans.len() == MAX_SCANS {
            return Err(Error::Unsupported(format!("a JPEG of more than {MAX_SCANS} scans")));
        }
        let frame = self.frame.as_mut().ok_or_else(|| corrupt("a scan without a frame header"))?;
        let header = frame.scan(header)?;
        for part in &header.parts {
            let quantisers = &mut self.quantisers[part.component];
            if quantisers.is_some() && !frame.progressive {
                return Err(corrupt("a component that has two sequential scans"));
            }
            let defined = self.tables.quantisers(frame.components[part.component].quantisers);
            quantisers.get_or_insert(*defined?);
        }
        let (dc, ac) = self.tables.of_scan(&header, frame.progressive)?;
        let (data, restarts) = self.entropy_coded();
        let least = header.least_bits.div_ceil(8);
        if (data.len() as u64) < least {
            let found = data.len();
            return Err(Error::Truncated(format!("{found} bytes where a scan has at least {least}")));
        }
        let restart_interval = self.restart_interval;
        if restart_interval > 0 {
            let needed = header.mcus.div_ceil(restart_interval) - 1;
            if restarts < needed {
                return Err(Error::Truncated(format!("{restarts} of {needed} restart markers are there")));
            }
        }
        self.scans.push(Scan { header, data, restart_interval, dc, ac });
        Ok(())
    }

    /// Passes over entropy-coded data up to the next marker that is none of theirs, or the end; the data,
    /// and how many restart markers are among them.
    fn entropy_coded(&mut self) -> (&'a [u8], u64) {
        let data = &self.bytes[self.at..];
        let mut restarts = 0;
        for found in memchr::memchr_iter(0xFF, data) {
            match data.get(found + 1) {
                Some(0xD0..=0xD7) => restarts += 1,
                Some(0 | 0xFF) => {}
                _ => {
                    self.at += found;
                    return (&data[..found], restarts);
                }
            }
        }
        self.at = self.bytes.len();
        (data, restarts)
    }

    fn finish(self) -> Result<Stream<'a>, Error> {
        let frame = self.frame.ok_or_else(|| corrupt("it has no frame header"))?;
        // There are quantisers of those alone that have had a scan.
        let quantisers: Option<Vec<Quantisers>> = self.quantisers.into_iter().collect();
        match quantisers {
            Some(quantisers) if frame.is_started() => {
                let meaning = meaning(&frame, self.has_jfif, self.adobe)?;
                Ok(Stream { frame, meaning, quantisers, scans: self.scans })
            }
            _ => Err(Error::Truncated("not all components have data".to_owned())),
        }
    }
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
