//! Our JPEG decoder against zune-jpeg at full size, and at every other size against its own word.

use std::io::Cursor;

use image_sharer::image::decode::decode;
use image_sharer::image::probe::{Coding, Probe, Process, probe_bytes};
use image_sharer::image::{Color, Detail, Error, Format, Layout, Sink, Size};
use libfuzzer_sys::Corpus;
use zune_jpeg::zune_core::options::DecoderOptions;
use zune_jpeg::{JpegDecoder, RawImcuRowStatus};

use crate::picture::Picture;

/// Most pixels, so that one input takes milliseconds.
const MAX_PIXELS: u64 = 1 << 17;

/// Most that samples may differ by: both transforms are off by less than one, and rounded.
const NEAR: u8 = 2;

/// Wants eighths of a picture's sides, and keeps what comes.
struct Eighths(u32, Picture);

impl Sink for Eighths {
    fn detail(&self, size: Size) -> Detail {
        let of = |side: u32| (u64::from(side) * u64::from(self.0) / 8) as u32;
        let luma = Size { width: of(size.width), height: of(size.height) };
        Detail { chroma: Size { width: luma.width / 2, height: luma.height / 2 }, luma }
    }

    fn start(&mut self, layout: &Layout) -> Result<(), Error> {
        self.1.start(layout)
    }

    fn row(&mut self, plane: usize, samples: &[u8]) -> Result<(), Error> {
        self.1.row(plane, samples)
    }
}

/// Bytes of a JPEG; others are of no interest here.
pub fn check(data: &[u8]) -> Corpus {
    let probe = match probe_bytes(data) {
        Ok(probe) if probe.format() == Format::Jpeg && probe.size.pixels() <= MAX_PIXELS => probe,
        _ => return Corpus::Reject,
    };
    let ours = at(data, &probe, 8);
    for eighths in 1..8 {
        // What is wrong with a file does not depend on how much of it is wanted.
        assert_eq!(at(data, &probe, eighths).err(), ours.as_ref().err().cloned(), "{eighths} eighths");
    }
    if let Ok(ours) = ours
        && let Some(planes) = ours.planes_of(&[Color::Grey, Color::YCbCr])
        && is_known_well(&probe)
        && let Ok(theirs) = peer(data, planes.len())
    {
        for (ours, theirs) in planes.iter().zip(&theirs) {
            let most = ours.iter().zip(theirs).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(ours.len() == theirs.len() && most <= Some(NEAR), "off by {most:?}");
        }
    }
    Corpus::Keep
}

fn at(data: &[u8], probe: &Probe, eighths: u32) -> Result<Picture, Error> {
    let mut sink = Eighths(eighths, Picture::default());
    decode(data, probe, &mut sink)?;
    sink.1.assert_complete(probe.size);
    Ok(sink.1)
}

/// Whether zune-jpeg decodes such files right, as far as is known (`vendor-notes/zune-jpeg.md`).
fn is_known_well(probe: &Probe) -> bool {
    match &probe.coding {
        Coding::Jpeg { process, sampling } => {
            *process == Process::Sequential && sampling.iter().all(|&(horizontal, _)| horizontal != 3)
        }
        _ => false,
    }
}

fn peer(data: &[u8], count: usize) -> Result<Vec<Vec<u8>>, ()> {
    let options = DecoderOptions::default().set_strict_mode(true);
    let mut decoder = JpegDecoder::new_with_options(Cursor::new(data), options);
    decoder.decode_headers().map_err(drop)?;
    let mut session = decoder.raw_output();
    let layout = session.layout().ok_or(())?;
    let strides: Vec<usize> = layout[..count].iter().map(|plane| plane.width).collect();
    let mut stripe: Vec<Vec<u8>> = layout[..count]
        .iter()
        .map(|plane| vec![0; plane.width * plane.vertical_sampling_factor * 8])
        .collect();
    let mut planes = vec![Vec::new(); count];
    loop {
        let mut into: Vec<&mut [u8]> = stripe.iter_mut().map(Vec::as_mut_slice).collect();
        match session.decode_next_imcu_row(&mut into, &strides).map_err(drop)? {
            RawImcuRowStatus::RowReady { rows_written } => {
                for (i, plane) in planes.iter_mut().enumerate() {
                    plane.extend_from_slice(&stripe[i][..strides[i] * rows_written[i]]);
                }
            }
            RawImcuRowStatus::NeedMoreInput => return Err(()),
            _ => return Ok(planes),
        }
    }
}
