//! JPEG by zune-jpeg: planes of luma and chroma at their own sampling, a few rows at a time.
//!
//! [`stream`] looks through the file first; what it shows the decoder holds no metadata. RGB and the
//! inks become RGB here, but for a sink that takes inks. No colour profile is applied.

use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::options::DecoderOptions;
use zune_jpeg::{JpegDecoder, RawDecodeSession, RawImcuRowStatus};

use self::frame::Frame;
use self::pixels::Pixels;
use self::splice::Splice;
use self::stream::{MAX_SCANS, Meaning, Stream, corrupt};
use crate::image::{Error, Sink, Size};

mod frame;
mod pixels;
mod splice;
mod stream;

/// Longest side that a frame header can claim, in pixels.
const MAX_SIDE: usize = 65_535;

/// Rows and columns of a block.
const BLOCK: usize = 8;

/// Decodes a JPEG of the probed size: one plane for grey and RGB, three for YCbCr.
pub(super) fn decode(bytes: &[u8], probed: Size, sink: &mut dyn Sink) -> Result<(), Error> {
    let Stream { frame, meaning, parts } = stream::read(bytes)?;
    super::check_size(frame.size, probed)?;
    // Strictness ends a progressive decoding at damage where zune-jpeg would show what it has.
    let options = DecoderOptions::default()
        .set_max_width(MAX_SIDE)
        .set_max_height(MAX_SIDE)
        .jpeg_set_max_scans(MAX_SCANS)
        .set_strict_mode(frame.progressive);
    let mut decoder = JpegDecoder::new_with_options(Splice::new(parts), options);
    let result = match decoder.decode_headers() {
        Ok(()) => pull(decoder.raw_output(), &frame, meaning, sink),
        Err(error) => Err(Stop::Decoder(error)),
    };
    result.map_err(|stop| match stop {
        Stop::Ours(error) => error,
        Stop::Decoder(error) => translate(&error, &decoder.into_inner()),
    })
}

/// What ended a decoding early.
enum Stop {
    Decoder(DecodeErrors),
    Ours(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Ours(error)
    }
}

/// Pulls the picture out of the decoder, a row of its minimum coded units at a time.
fn pull(
    mut session: RawDecodeSession<'_, Splice<'_>>,
    frame: &Frame,
    meaning: Meaning,
    sink: &mut dyn Sink,
) -> Result<(), Stop> {
    let Some(layout) = session.layout() else {
        return Err(corrupt("its planes are too large to address").into());
    };
    let planes = &layout[..frame.components.len()];
    let strides: Vec<usize> = planes.iter().map(|plane| plane.width).collect();
    let mut stripe: Vec<Vec<u8>> =
        planes.iter().map(|plane| vec![0; plane.width * plane.vertical_sampling_factor * BLOCK]).collect();
    let mut pixels = Pixels::start(frame, meaning, sink)?;
    loop {
        let mut into: Vec<&mut [u8]> = stripe.iter_mut().map(Vec::as_mut_slice).collect();
        match session.decode_next_imcu_row(&mut into, &strides).map_err(Stop::Decoder)? {
            RawImcuRowStatus::RowReady { rows_written } => pixels.stripe(&stripe, &rows_written)?,
            RawImcuRowStatus::NeedMoreInput => return Err(lacks_data().into()),
            _ => return Ok(pixels.finish()?),
        }
    }
}

fn lacks_data() -> Error {
    Error::Truncated("data of its scans lack".to_owned())
}

/// The decoder's error in our words. Where it had read all that the file holds, data lack; it reads a
/// few bytes ahead, so damage in the very last bytes counts as that too.
fn translate(error: &DecodeErrors, input: &Splice<'_>) -> Error {
    match error {
        DecodeErrors::Unsupported(_) => Error::Unsupported(format!("this kind of JPEG ({error})")),
        _ if error.is_recoverable_eof() || input.at_ending() => lacks_data(),
        _ => Error::Corrupt(format!("{error}").replace('"', "")),
    }
}
