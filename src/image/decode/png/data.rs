//! The pixels' bytes as a stream: the IDAT chunks put together, checked and inflated.

use fdeflate::{DecompressionError, Decompressor};

use crate::image::Error;

/// How far back deflate may refer (RFC 1951, 2): so much of what was inflated is kept.
const REACH: usize = 32 << 10;

/// What is inflated at a time, at least: within a processor's second cache.
const AHEAD: usize = 64 << 10;

/// See the module.
pub(super) struct Data<'a> {
    chunks: Chunks<'a>,
    /// What of the present chunk is not inflated yet.
    input: &'a [u8],
    inflater: Decompressor,
    /// What was inflated: what was taken, as far as it may be referred to, and what was not.
    window: Vec<u8>,
    taken: usize,
    filled: usize,
}

impl<'a> Data<'a> {
    /// Of a file whose signature and chunks up to the first IDAT are known to be sound.
    pub fn of(bytes: &'a [u8]) -> Data<'a> {
        let mut inflater = Decompressor::new();
        // The chunks have checksums, and a second one over the same bytes finds nothing more.
        inflater.ignore_adler32();
        Data { chunks: Chunks::of(bytes), input: &[], inflater, window: Vec::new(), taken: 0, filled: 0 }
    }

    /// The next `length` bytes.
    ///
    /// # Errors
    /// [`Error::Truncated`] if they lack, [`Error::Corrupt`] if they are not as they were written.
    pub fn take(&mut self, length: usize) -> Result<&[u8], Error> {
        if self.filled - self.taken < length {
            self.fill(length)?;
        }
        self.taken += length;
        Ok(&self.window[self.taken - length..self.taken])
    }

    /// Checks what follows the last row, which may lack: that takes nothing from the picture.
    pub fn end(mut self) -> Result<(), Error> {
        while self.chunks.next()?.is_some() {}
        Ok(())
    }

    fn fill(&mut self, length: usize) -> Result<(), Error> {
        let kept = self.taken.min(self.filled.saturating_sub(REACH));
        self.window.copy_within(kept..self.filled, 0);
        self.taken -= kept;
        self.filled -= kept;
        self.window.resize(self.window.len().max(REACH + length + AHEAD), 0);
        while self.filled - self.taken < length {
            self.inflate()?;
        }
        Ok(())
    }

    fn inflate(&mut self) -> Result<(), Error> {
        let mut is_last = false;
        if self.input.is_empty() {
            match self.chunks.next()? {
                Some(data) => self.input = data,
                None => is_last = true,
            }
        }
        let read = self.inflater.read(self.input, &mut self.window, self.filled, is_last);
        let (consumed, produced) = read.map_err(translate)?;
        self.input = &self.input[consumed..];
        self.filled += produced;
        if produced == 0 && self.inflater.is_done() {
            return Err(Error::Corrupt("its chunks end without enough data for its rows".to_owned()));
        }
        if produced == 0 && is_last { Err(super::cut()) } else { Ok(()) }
    }
}

fn translate(error: DecompressionError) -> Error {
    match error {
        DecompressionError::InsufficientInput => super::cut(),
        other => Error::Corrupt(format!("its pixels can't be inflated: {other:?}")),
    }
}

/// The file's consecutive IDAT chunks.
struct Chunks<'a> {
    /// What follows the chunks that were read.
    rest: &'a [u8],
}

impl<'a> Chunks<'a> {
    fn of(bytes: &'a [u8]) -> Chunks<'a> {
        let mut rest = bytes.get(8..).unwrap_or_default();
        while let Some((length, kind)) = header(rest)
            && kind != b"IDAT"
        {
            rest = rest.get(length + 12..).unwrap_or_default();
        }
        Chunks { rest }
    }

    /// The next one's data: all of it, or what there is where the file is cut.
    fn next(&mut self) -> Result<Option<&'a [u8]>, Error> {
        let Some((length, b"IDAT")) = header(self.rest) else { return Ok(None) };
        let Some((data, after)) = self.rest[8..].split_at_checked(length) else {
            let cut = &self.rest[8..];
            self.rest = &[];
            return Ok(Some(cut));
        };
        let checksum = crc32fast::hash(&self.rest[4..8 + length]);
        match after.split_first_chunk() {
            Some((stored, after)) => {
                self.rest = after;
                if u32::from_be_bytes(*stored) == checksum { Ok(Some(data)) } else { Err(damaged()) }
            }
            None => {
                self.rest = &[];
                Ok(Some(data))
            }
        }
    }
}

/// A chunk's length and kind.
fn header(bytes: &[u8]) -> Option<(usize, &[u8; 4])> {
    let (length, rest) = bytes.split_first_chunk()?;
    Some((u32::from_be_bytes(*length) as usize, rest.first_chunk()?))
}

fn damaged() -> Error {
    Error::Corrupt("a CRC error in an IDAT chunk: its pixels were damaged on the way".to_owned())
}
