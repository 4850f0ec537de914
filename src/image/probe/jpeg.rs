//! JPEG's header (ITU-T T.81, Annex B): segments up to the first scan.

use std::io::{Read, Seek};

use super::{Coding, Probe, Process, exif, size};
use crate::image::markers::{self, APP1, EOI, EXIF, MAX_SEGMENTS, SOI, SOS};
use crate::image::orientation::Orientation;
use crate::image::source::Source;
use crate::image::{Error, Size};

const PLACE: &str = "in the JPEG header";

/// Walks to the first scan; there must be one frame header before it.
pub(super) fn probe<R: Read + Seek>(source: &mut Source<R>) -> Result<Probe, Error> {
    source.skip(2, PLACE)?;
    let mut frame = None;
    let mut orientation = None;
    for _ in 0..MAX_SEGMENTS {
        let marker = markers::next(source, PLACE)?;
        match marker {
            SOS => {
                let Some(Frame { size, mut coding }) = frame else {
                    return Err(Error::Corrupt("a JPEG scan before the frame header".to_owned()));
                };
                look_at_scan(source, &mut coding)?;
                return Ok(Probe {
                    size,
                    orientation: orientation.unwrap_or_default(),
                    alpha: false,
                    coding,
                });
            }
            SOI | EOI => return Err(Error::Corrupt("a JPEG that ends before its first scan".to_owned())),
            marker if markers::stands_alone(marker) => {}
            0xC0..=0xC3 | 0xC5..=0xCB | 0xCD..=0xCF | 0xDE | 0xF7 => {
                if frame.replace(frame_header(source, marker)?).is_some() {
                    return Err(Error::Corrupt("a JPEG with two frame headers".to_owned()));
                }
            }
            APP1 => {
                let found = application_1(source)?;
                orientation = orientation.or(found);
            }
            _ => {
                let length = markers::body_length(source, PLACE)?;
                source.skip(length as u64, PLACE)?;
            }
        }
    }
    Err(Error::Corrupt(format!("more than {MAX_SEGMENTS} segments in the JPEG header")))
}

struct Frame {
    size: Size,
    coding: Coding,
}

/// Finds out from the first scan's header (B.2.3), behind its marker, whether more must follow.
fn look_at_scan<R: Read + Seek>(source: &mut Source<R>, coding: &mut Coding) -> Result<(), Error> {
    let length = markers::body_length(source, PLACE)?;
    let components = usize::from(source.byte(PLACE)?);
    source.skip(length.saturating_sub(1) as u64, PLACE)?;
    if let Coding::Jpeg { process: process @ Process::Sequential, sampling } = coding
        && components < sampling.len()
    {
        *process = Process::ScanByScan;
    }
    Ok(())
}

/// A frame header (B.2.2) behind its marker.
fn frame_header<R: Read + Seek>(source: &mut Source<R>, marker: u8) -> Result<Frame, Error> {
    let process = process(marker)?;
    let length = markers::body_length(source, PLACE)?;
    let [precision, h1, h0, w1, w0, count] = source.array(PLACE)?;
    match (precision, marker) {
        (8, _) => {}
        (12, 0xC1 | 0xC2) => return Err(Error::Unsupported("12-bit JPEG".to_owned())),
        _ => return Err(Error::Corrupt(format!("a JPEG with {precision} bits a sample"))),
    }
    match count {
        1 | 3 | 4 => {}
        0 => return Err(Error::Corrupt("a JPEG of no components".to_owned())),
        _ => return Err(Error::Unsupported(format!("JPEG with {count} components"))),
    }
    if length != 6 + 3 * usize::from(count) {
        return Err(Error::Corrupt(format!("a JPEG frame header of {length} bytes for {count} components")));
    }
    let sampling = (0..count).map(|_| factors(source)).collect::<Result<Vec<_>, Error>>()?;
    let (width, height) = (u16::from_be_bytes([w1, w0]), u16::from_be_bytes([h1, h0]));
    if width != 0 && height == 0 {
        return Err(Error::Unsupported("JPEG with its height in a DNL marker".to_owned()));
    }
    Ok(Frame { size: size(width.into(), height.into())?, coding: Coding::Jpeg { process, sampling } })
}

/// What a frame header's marker promises (Table B.1).
fn process(marker: u8) -> Result<Process, Error> {
    let kind = match marker {
        0xC0 | 0xC1 => return Ok(Process::Sequential),
        0xC2 => return Ok(Process::Progressive),
        0xC3 => "lossless JPEG",
        0xC5..=0xC7 | 0xCD..=0xCF | 0xDE => "hierarchical JPEG",
        0xC9..=0xCB => "arithmetic-coded JPEG",
        0xF7 => "JPEG-LS",
        _ => return Err(Error::Corrupt(format!("the reserved JPEG marker {marker:#04x}"))),
    };
    Err(Error::Unsupported(kind.to_owned()))
}

/// One component's sampling factors, from the three bytes that specify it.
fn factors<R: Read + Seek>(source: &mut Source<R>) -> Result<(u8, u8), Error> {
    let [_, both, _] = source.array(PLACE)?;
    let (horizontal, vertical) = (both >> 4, both & 15);
    if !(1..=4).contains(&horizontal) || !(1..=4).contains(&vertical) {
        return Err(Error::Corrupt(format!("JPEG sampling factors of {horizontal} × {vertical}")));
    }
    Ok((horizontal, vertical))
}

/// An APP1 segment behind its marker: the orientation, if it is an Exif block.
fn application_1<R: Read + Seek>(source: &mut Source<R>) -> Result<Option<Orientation>, Error> {
    let length = markers::body_length(source, PLACE)?;
    let head = source.up_to(length.min(EXIF.len()))?;
    let rest = length - head.len();
    if head != EXIF {
        source.skip(rest as u64, PLACE)?;
        return Ok(None);
    }
    let mut tiff = vec![0; rest];
    source.fill(&mut tiff, PLACE)?;
    Ok(Some(exif::orientation(&tiff)))
}
