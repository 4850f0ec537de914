//! A file read from its front, with its length known: what [`probe`](super::probe) and
//! [`metadata`](super::metadata) walk. It never takes memory by a length that a file claims.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use super::Error;

/// Bytes that are read at once.
const BUFFER: usize = 16 * 1024;

/// A file of known length and the place in it.
pub(super) struct Source<R> {
    input: BufReader<R>,
    at: u64,
    length: u64,
}

impl<R: Read + Seek> Source<R> {
    /// The first `length` bytes of `input`, from its start.
    pub(super) fn new(mut input: R, length: u64) -> Result<Source<R>, Error> {
        input.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        Ok(Source { input: BufReader::with_capacity(BUFFER, input), at: 0, length })
    }

    /// Goes back to the start.
    pub(super) fn rewind(&mut self) -> Result<(), Error> {
        self.input.rewind().map_err(unreadable)?;
        self.at = 0;
        Ok(())
    }

    /// Bytes before this place.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// Bytes from this place on.
    pub(super) fn left(&self) -> u64 {
        self.length - self.at
    }

    /// Takes what lies beyond `length` for no part of the file; no effect if the file is shorter.
    pub(super) fn end_at(&mut self, length: u64) {
        self.length = self.length.min(length.max(self.at));
    }

    /// The next bytes, as many as `into` holds; `place` completes "the image ends too early: ".
    pub(super) fn fill(&mut self, into: &mut [u8], place: &str) -> Result<(), Error> {
        if into.len() as u64 > self.left() {
            return Err(Error::Truncated(place.to_owned()));
        }
        self.input.read_exact(into).map_err(|e| match e.kind() {
            io::ErrorKind::UnexpectedEof => Error::Truncated(place.to_owned()),
            _ => unreadable(e),
        })?;
        self.at += into.len() as u64;
        Ok(())
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self, place: &str) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        self.fill(&mut bytes, place)?;
        Ok(bytes)
    }

    /// The next byte.
    pub(super) fn byte(&mut self, place: &str) -> Result<u8, Error> {
        Ok(self.array::<1>(place)?[0])
    }

    /// The next `most` bytes, or fewer where the file ends. `most` must be a limit, not a claim.
    pub(super) fn up_to(&mut self, most: usize) -> Result<Vec<u8>, Error> {
        let count = self.left().min(most as u64) as usize;
        let mut bytes = vec![0; count];
        self.fill(&mut bytes, "the file became shorter while it was read")?;
        Ok(bytes)
    }

    /// Passes over `count` bytes.
    pub(super) fn skip(&mut self, count: u64, place: &str) -> Result<(), Error> {
        if count > self.left() {
            return Err(Error::Truncated(place.to_owned()));
        }
        // A count within a file's length fits, but for files that no file system has.
        let relative = i64::try_from(count).map_err(|_| Error::Truncated(place.to_owned()))?;
        self.input.seek_relative(relative).map_err(unreadable)?;
        self.at += count;
        Ok(())
    }

    /// What is at hand from this place on, without passing over it; empty at the end alone.
    pub(super) fn peek(&mut self) -> Result<&[u8], Error> {
        let left = self.left();
        let bytes = self.input.fill_buf().map_err(unreadable)?;
        let count = left.min(bytes.len() as u64) as usize;
        Ok(&bytes[..count])
    }

    /// Passes over `count` bytes of what [`Source::peek`] showed.
    pub(super) fn consume(&mut self, count: usize) {
        self.input.consume(count);
        self.at += count as u64;
    }
}

fn unreadable(error: io::Error) -> Error {
    Error::Unreadable(error.to_string())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn source() -> Source<Cursor<&'static [u8]>> {
        Source::new(Cursor::new(&b"0123456789"[..]), 8).unwrap()
    }

    #[test]
    fn bytes_come_in_order_up_to_the_length() {
        let mut source = source();
        assert_eq!(source.array(""), Ok(*b"01"));
        source.skip(3, "").unwrap();
        assert_eq!((source.at(), source.left()), (5, 3));
        assert_eq!(source.peek(), Ok(&b"567"[..]));
        source.consume(1);
        assert_eq!(source.up_to(99), Ok(b"67".to_vec()));
        assert_eq!(source.peek(), Ok(&b""[..]));
    }

    #[test]
    fn what_is_not_there_is_truncated() {
        let cut = Err(Error::Truncated("here".to_owned()));
        assert_eq!(source().array::<9>("here").map(|_| ()), cut);
        assert_eq!(source().skip(9, "here"), cut);
        assert_eq!(source().skip(u64::MAX, "here"), cut);
        let mut shrunk = Source::new(Cursor::new(b"0"), 8).unwrap();
        assert_eq!(shrunk.array::<2>("here").map(|_| ()), cut);
    }

    #[test]
    fn an_earlier_end_holds_and_never_lies_behind() {
        let mut source = source();
        source.skip(4, "").unwrap();
        source.end_at(6);
        assert_eq!(source.left(), 2);
        source.end_at(1);
        assert_eq!(source.left(), 0);
    }
}
