//! A reader over slices that need not lie side by side, as if they did.
//!
//! It shows the decoder an edited file without a copy of it: the parts come from [`super::stream`].

use zune_jpeg::zune_core::bytestream::{ZByteIoError, ZByteReaderTrait, ZSeekFrom};

/// One slice, and whether it stands for missing data.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    pub(super) bytes: &'a [u8],
    /// Not from the file: what a decoder may only look ahead into.
    pub(super) ending: bool,
}

/// The parts, and a position in them.
pub(super) struct Splice<'a> {
    parts: Vec<Part<'a>>,
    /// Where each part starts in the whole; one more than parts, the last is the length.
    starts: Vec<usize>,
    /// Which part is read, kept apart from `parts` for the hot path.
    current: &'a [u8],
    index: usize,
    /// Position in `current`, at most its length.
    at: usize,
}

impl<'a> Splice<'a> {
    pub(super) fn new(parts: Vec<Part<'a>>) -> Splice<'a> {
        let mut starts = vec![0];
        let mut end = 0;
        for part in &parts {
            end += part.bytes.len();
            starts.push(end);
        }
        let current = parts.first().map_or(&[][..], |part| part.bytes);
        Splice { parts, starts, current, index: 0, at: 0 }
    }

    /// Whether the position is where the file's data have ended.
    pub(super) fn at_ending(&self) -> bool {
        self.parts.get(self.index).is_none_or(|part| part.ending)
    }

    fn position(&self) -> usize {
        self.starts[self.index] + self.at
    }

    fn length(&self) -> usize {
        self.starts[self.parts.len()]
    }

    /// Moves to `position`, or to the end if that is beyond it.
    fn go_to(&mut self, position: usize) {
        let position = position.min(self.length());
        // The last part that starts at or before it; empty parts are passed over.
        let index = self.starts[..self.parts.len()].partition_point(|&start| start <= position);
        self.index = index.saturating_sub(1);
        self.current = self.parts.get(self.index).map_or(&[][..], |part| part.bytes);
        self.at = position - self.starts[self.index];
    }

    /// Copies what there is from the position on, without moving it.
    #[cold]
    fn copy_out(&self, out: &mut [u8]) -> usize {
        let (mut index, mut at, mut done) = (self.index, self.at, 0);
        while done < out.len() && index < self.parts.len() {
            let from = &self.parts[index].bytes[at..];
            let count = from.len().min(out.len() - done);
            out[done..done + count].copy_from_slice(&from[..count]);
            done += count;
            index += 1;
            at = 0;
        }
        done
    }
}

impl ZByteReaderTrait for Splice<'_> {
    #[inline(always)]
    fn read_byte_no_error(&mut self) -> u8 {
        if let Some(&byte) = self.current.get(self.at) {
            self.at += 1;
            return byte;
        }
        let mut byte = [0];
        let _ = self.read_bytes(&mut byte);
        byte[0]
    }

    #[inline(always)]
    fn read_exact_bytes(&mut self, out: &mut [u8]) -> Result<(), ZByteIoError> {
        if let Some(run) = self.current.get(self.at..self.at + out.len()) {
            out.copy_from_slice(run);
            self.at += out.len();
            return Ok(());
        }
        self.peek_exact_bytes(out)?;
        self.go_to(self.position() + out.len());
        Ok(())
    }

    fn read_bytes(&mut self, out: &mut [u8]) -> Result<usize, ZByteIoError> {
        let count = self.copy_out(out);
        self.go_to(self.position() + count);
        Ok(count)
    }

    fn peek_bytes(&mut self, out: &mut [u8]) -> Result<usize, ZByteIoError> {
        Ok(self.copy_out(out))
    }

    fn peek_exact_bytes(&mut self, out: &mut [u8]) -> Result<(), ZByteIoError> {
        let count = self.copy_out(out);
        if count < out.len() {
            return Err(ZByteIoError::NotEnoughBytes(count, out.len()));
        }
        Ok(())
    }

    #[inline(always)]
    fn z_seek(&mut self, from: ZSeekFrom) -> Result<u64, ZByteIoError> {
        let (base, offset) = match from {
            ZSeekFrom::Start(position) => (0, i64::try_from(position)?),
            ZSeekFrom::End(offset) => (self.length(), offset),
            ZSeekFrom::Current(offset) => {
                // The decoder steps back four bytes at every 0xFF.
                if let Some(at) = self.at.checked_add_signed(offset as isize)
                    && at <= self.current.len()
                {
                    self.at = at;
                    return Ok(self.position() as u64);
                }
                (self.position(), offset)
            }
        };
        let position = isize::try_from(offset)
            .ok()
            .and_then(|offset| base.checked_add_signed(offset))
            .ok_or(ZByteIoError::SeekError("before the start"))?;
        self.go_to(position);
        Ok(self.position() as u64)
    }

    #[inline(always)]
    fn is_eof(&mut self) -> Result<bool, ZByteIoError> {
        Ok(self.at == self.current.len() && self.position() == self.length())
    }

    fn z_position(&mut self) -> Result<u64, ZByteIoError> {
        Ok(self.position() as u64)
    }

    fn read_remaining(&mut self, sink: &mut Vec<u8>) -> Result<usize, ZByteIoError> {
        let count = self.length() - self.position();
        let start = sink.len();
        sink.resize(start + count, 0);
        self.read_bytes(&mut sink[start..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn splice<'a>(parts: &[&'a [u8]]) -> Splice<'a> {
        Splice::new(parts.iter().map(|&bytes| Part { bytes, ending: bytes == b"end" }).collect())
    }

    #[test]
    fn reads_run_over_the_seams() {
        let mut s = splice(&[b"ab", b"", b"c", b"defg"]);
        let mut four = [0; 4];
        s.read_exact_bytes(&mut four).unwrap();
        assert_eq!((&four, s.z_position().unwrap()), (b"abcd", 4));
        s.z_seek(ZSeekFrom::Current(-3)).unwrap();
        assert_eq!([s.read_byte_no_error(), s.read_byte_no_error(), s.read_byte_no_error()], *b"bcd");
        assert!(s.read_exact_bytes(&mut four).is_err(), "three are left");
        assert_eq!(s.z_position().unwrap(), 4, "a failed read does not move");
        s.z_seek(ZSeekFrom::End(-1)).unwrap();
        assert!(!s.is_eof().unwrap());
        assert_eq!((s.read_byte_no_error(), s.is_eof().unwrap()), (b'g', true));
        assert_eq!(s.read_byte_no_error(), 0);
        s.z_seek(ZSeekFrom::Start(2)).unwrap();
        let mut rest = Vec::new();
        assert_eq!((s.read_remaining(&mut rest).unwrap(), &rest[..]), (5, &b"cdefg"[..]));
        assert!(s.z_seek(ZSeekFrom::Current(-8)).is_err());
    }

    #[test]
    fn it_knows_where_the_files_data_have_ended() {
        let mut s = splice(&[b"ab", b"end"]);
        assert!(!s.at_ending());
        s.z_seek(ZSeekFrom::Start(3)).unwrap();
        assert!(s.at_ending());
        assert!(splice(&[]).is_eof().unwrap());
    }
}
