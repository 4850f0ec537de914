//! Reads a stripped file's pieces one after another.

use std::io::{self, Read, Seek, SeekFrom};

use super::Piece;

/// A stripped file's bytes; see [`Stripped::read_from`](super::Stripped::read_from).
#[derive(Debug)]
pub struct Reader<'a, R> {
    pieces: &'a [Piece],
    source: R,
    /// Bytes of the first piece that are read.
    done: u64,
}

impl<'a, R: Read + Seek> Reader<'a, R> {
    pub(super) fn new(pieces: &'a [Piece], source: R) -> Reader<'a, R> {
        Reader { pieces, source, done: 0 }
    }
}

impl<R: Read + Seek> Read for Reader<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while let [piece, rest @ ..] = self.pieces {
            if self.done == piece.length() {
                (self.pieces, self.done) = (rest, 0);
                continue;
            }
            let most = (piece.length() - self.done).min(into.len() as u64) as usize;
            let count = match piece {
                // At most the length of `bytes`, which is in memory.
                Piece::Bytes(bytes) => (&bytes[self.done as usize..]).read(&mut into[..most])?,
                Piece::Source(range) => {
                    if self.done == 0 {
                        self.source.seek(SeekFrom::Start(range.start))?;
                    }
                    self.source.read(&mut into[..most])?
                }
            };
            if count == 0 && most != 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the upload's file became shorter"));
            }
            self.done += count as u64;
            return Ok(count);
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn pieces() -> Vec<Piece> {
        vec![Piece::Source(6..9), Piece::Bytes(b"--".to_vec()), Piece::Source(0..2)]
    }

    #[test]
    fn pieces_come_in_order_whatever_the_buffer() {
        for size in [1, 2, 4, 64] {
            let pieces = pieces();
            let mut reader = Reader::new(&pieces, Cursor::new(b"0123456789"));
            let (mut all, mut buffer) = (Vec::new(), vec![0; size]);
            loop {
                match reader.read(&mut buffer).unwrap() {
                    0 => break,
                    count => all.extend_from_slice(&buffer[..count]),
                }
            }
            assert_eq!(all, b"678--01", "{size} bytes at once");
        }
    }

    #[test]
    fn a_source_that_became_shorter_is_an_error() {
        let pieces = pieces();
        let mut all = Vec::new();
        let error = Reader::new(&pieces, Cursor::new(b"01234567")).read_to_end(&mut all).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
