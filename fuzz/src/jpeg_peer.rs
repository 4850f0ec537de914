//! Our JPEG decoder against zune-jpeg, which is handed what `jpeg_file` makes of the file: both take it, with the
//! same samples, or neither does.

use std::io::Cursor;
use std::panic;

use image_sharer::image::probe::probe_bytes;
use image_sharer::image::{Color, Error, Format};
use libfuzzer_sys::Corpus;
use zune_jpeg::zune_core::options::DecoderOptions;
use zune_jpeg::{JpegDecoder, RawImcuRowStatus};

use crate::jpeg_file::{File, Read, Scan, read};
use crate::picture::decoded;

/// Most pixels, so that one input takes milliseconds.
const MAX_PIXELS: u64 = 1 << 15;

/// Most scans: the peer copies all tables for each.
const MAX_SCANS: usize = 16;

/// Most that samples may differ by: both transforms are off by less than one, and rounded.
const NEAR: u8 = 2;

/// Bytes of a JPEG; others are of no interest here.
pub fn check(data: &[u8]) -> Corpus {
    match probe_bytes(data) {
        Ok(probe) if probe.format() == Format::Jpeg && probe.size.pixels() <= MAX_PIXELS => {}
        _ => return Corpus::Reject,
    }
    let ours = decoded(data);
    let file = match read(data) {
        Read::File(file) => file,
        Read::Refused => {
            assert!(ours.is_err(), "what breaks the standard is taken");
            return Corpus::Keep;
        }
        Read::Unknown => return Corpus::Keep,
    };
    if file.scans.len() > MAX_SCANS || !is_known_well(&file) {
        return Corpus::Keep;
    }
    let written = file.written();
    let theirs = peer(&written, &file);
    // Where data lack the ones behind them may complete the last code, and to a scan that refines they are bits as any:
    // with them ours must take the file too.
    let ours = match (ours, &theirs) {
        (Err(Error::Truncated(why)), Verdict::Planes(_)) if !why.contains("restart markers") => {
            decoded(&written)
        }
        (ours, _) => ours,
    };
    match (ours, theirs) {
        (Ok(ours), Verdict::Planes(theirs)) => {
            // Others have been turned into RGB.
            let Some(planes) = ours.planes_of(&[Color::Grey, Color::YCbCr]) else { return Corpus::Keep };
            planes.iter().zip(&theirs).for_each(|(ours, theirs)| compare(ours, theirs));
        }
        (Ok(_), Verdict::Refused(why)) => panic!("ours takes what the peer refuses: {why}"),
        (Err(why), Verdict::Planes(_)) => {
            assert!(is_explained(&why, &file), "the peer takes what ours refuses: {why}")
        }
        (Err(_), Verdict::Refused(_)) | (_, Verdict::Panicked) => {}
    }
    Corpus::Keep
}

/// Blocks must be the same. One that reaches an end of the range may be of coefficients that no samples have, which
/// lead beyond what the peer reckons with.
fn compare(ours: &[u8], theirs: &Plane) {
    assert_eq!(ours.len(), theirs.samples.len(), "planes of other sizes");
    let rows = |samples| <[u8]>::chunks(samples, theirs.width);
    for (ours, theirs) in
        rows(ours).collect::<Vec<_>>().chunks(8).zip(rows(&theirs.samples).collect::<Vec<_>>().chunks(8))
    {
        for x in (0..ours[0].len()).step_by(8) {
            let block = |rows: &[&[u8]]| -> Vec<u8> {
                rows.iter().flat_map(|row| row[x..row.len().min(x + 8)].iter().copied()).collect()
            };
            let (ours, theirs) = (block(ours), block(theirs));
            let most = ours.iter().zip(&theirs).map(|(a, b)| a.abs_diff(*b)).max();
            let is_cut = ours.iter().any(|sample| matches!(sample, 0 | 255));
            assert!(is_cut || most <= Some(NEAR), "off by {most:?}");
        }
    }
}

/// Whether the peer is known to take what ours refuses so (`vendor-notes/zune-jpeg.md`).
fn is_explained(ours: &Error, file: &File<'_>) -> bool {
    match ours {
        // It makes up what lacks where a restart marker comes too early, ends blocks where runs lead out of them, and
        // takes coefficients that a refining scan can't bring for such of one bit.
        Error::Corrupt(why) => ["restart marker", "leads out of its block", "more than a bit"]
            .iter()
            .any(|part| why.contains(part)),
        // So it does where restart markers lack altogether, or bits of a scan that has no codes.
        Error::Truncated(why) => {
            why.contains("restart markers") || file.scans.iter().any(Scan::is_of_bits_alone)
        }
        _ => false,
    }
}

/// Whether the peer decodes such files right, as far as is known.
fn is_known_well(file: &File<'_>) -> bool {
    let is_partly = file.scans.iter().any(|scan| {
        let is_subsampled = scan.parts.iter().any(|part| {
            let c = &file.components[part.component];
            c.h * c.v > 1
        });
        !file.progressive && scan.parts.len() > 1 && scan.parts.len() < file.components.len() && is_subsampled
    });
    // It takes no high bit above 13, which the bit before the highest low one would be.
    let is_high = file.scans.iter().any(|scan| scan.refined().is_some_and(|bit| bit > 12));
    // It adds what comes twice.
    file.is_ordered && !is_partly && !is_high && file.components.iter().all(|c| c.h != 3)
}

/// What the peer says.
enum Verdict {
    Planes(Vec<Plane>),
    Refused(String),
    Panicked,
}

/// Samples of a component.
struct Plane {
    width: usize,
    samples: Vec<u8>,
}

fn peer(written: &[u8], file: &File<'_>) -> Verdict {
    // Its panics are its own affair: libFuzzer's hook ends the process at any.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let planes = panic::catch_unwind(|| peer_planes(written, file.components.len(), file.progressive));
    panic::set_hook(hook);
    match planes {
        Ok(Ok(planes)) => Verdict::Planes(planes),
        Ok(Err(why)) => Verdict::Refused(why),
        Err(_) => Verdict::Panicked,
    }
}

fn peer_planes(bytes: &[u8], count: usize, strict: bool) -> Result<Vec<Plane>, String> {
    let options =
        DecoderOptions::default().set_max_width(65_535).set_max_height(65_535).set_strict_mode(strict);
    let mut decoder = JpegDecoder::new_with_options(Cursor::new(bytes), options);
    decoder.decode_headers().map_err(|e| format!("{e:?}"))?;
    let mut session = decoder.raw_output();
    let layout = session.layout().ok_or("no layout")?;
    let strides: Vec<usize> = layout[..count].iter().map(|plane| plane.width).collect();
    let mut stripe: Vec<Vec<u8>> = layout[..count]
        .iter()
        .map(|plane| vec![0; plane.width * plane.vertical_sampling_factor * 8])
        .collect();
    let mut planes: Vec<Plane> = strides.iter().map(|&width| Plane { width, samples: Vec::new() }).collect();
    loop {
        let mut into: Vec<&mut [u8]> = stripe.iter_mut().map(Vec::as_mut_slice).collect();
        match session.decode_next_imcu_row(&mut into, &strides).map_err(|e| format!("{e:?}"))? {
            RawImcuRowStatus::RowReady { rows_written } => {
                for (i, plane) in planes.iter_mut().enumerate() {
                    plane.samples.extend_from_slice(&stripe[i][..strides[i] * rows_written[i]]);
                }
            }
            RawImcuRowStatus::NeedMoreInput => return Err("more input".to_owned()),
            _ => return Ok(planes),
        }
    }
}
