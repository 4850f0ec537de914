//! JPEG: planes of luma and chroma at their own sampling, a few rows at a time, and as small as the sink wants
//! them. `docs/jpeg.md` explains the whole.
//!
//! [`stream`] reads all markers first: what is decoded by them is checked. RGB and the inks become RGB here,
//! but for a sink that takes inks. No colour profile is applied.

use self::bits::{Cut, Fault};
use self::pixels::Pixels;
use self::plan::Plan;
use self::scale::Scales;
use self::stream::corrupt;
use crate::image::{Error, Sink, Size};

mod band;
mod bits;
mod block;
mod bmi2;
mod frame;
mod huffman;
mod idct;
mod memory;
mod pixels;
mod plan;
mod progressive;
mod refine;
mod scale;
mod sequential;
mod steps;
mod store;
mod stream;
mod tables;
#[cfg(test)]
mod tests;

pub(in crate::image) use memory::memory;

/// Decodes a JPEG of the probed size: one plane for grey and RGB, three for YCbCr.
pub(super) fn decode(bytes: &[u8], probed: Size, sink: &mut dyn Sink) -> Result<(), Error> {
    let stream = stream::read(bytes)?;
    let frame = &stream.frame;
    super::check_size(frame.size, probed)?;
    let scales = Scales::new(frame, stream.meaning, sink.detail(frame.size));
    let plan = Plan::new(frame, &scales, &stream.quantisers);
    let mut pixels = Pixels::start(&plan, stream.meaning, sink)?;
    if frame.progressive {
        progressive::decode(&stream, &plan, &mut pixels)
    } else {
        sequential::decode(&stream, &plan, &mut pixels)
    }
}

fn lacks_data() -> Error {
    Error::Truncated("data of its scans lack".to_owned())
}

/// What is wrong with the picture when a scan is.
fn fault(fault: Fault) -> Error {
    match fault {
        Fault::Lacks(Cut::Scan) => lacks_data(),
        Fault::Lacks(Cut::Restart) => corrupt("a restart marker stands where data should"),
        Fault::Code => corrupt("bits that are no Huffman code"),
        Fault::Size => corrupt("a refined coefficient of more than a bit"),
        Fault::Run => corrupt("a run of zeros that leads out of its block"),
    }
}
