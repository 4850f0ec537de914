//! Where a request's body ends: `Content-Length`, chunks, or no body. No I/O in here.
//!
//! RFC 9112, sections 6 and 7. Everything two servers could read in two ways is refused, since
//! that is how a second request is smuggled past a proxy.

use super::{Header, Refusal};

/// Longest chunk line: its size, extensions and line end, in bytes.
pub const MAX_CHUNK_LINE: usize = 1024;

/// Most bytes of trailers after the last chunk.
pub const MAX_TRAILERS: usize = 8 * 1024;

/// How a request's body is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// So many bytes; 0 if there is no body.
    Length(u64),
    /// Chunks up to an empty one.
    Chunked,
}

/// A version of HTTP that is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0: no transfer codings, no expectations, connections end unless asked to stay.
    Http10,
    /// HTTP/1.1.
    Http11,
}

impl Framing {
    /// Reads it from a request's headers; without any of them there is no body.
    ///
    /// # Errors
    /// A refusal if they are malformed, contradict each other, or name a coding that is not spoken.
    pub fn declared(headers: &[Header], version: Version) -> Result<Framing, Refusal> {
        let length = only(headers, "Content-Length", "more than one Content-Length")?;
        let coding = only(headers, "Transfer-Encoding", "more than one Transfer-Encoding")?;
        match (length, coding) {
            (None, None) => Ok(Framing::Length(0)),
            (Some(digits), None) => read_length(digits).map(Framing::Length),
            (None, Some(_)) if version == Version::Http10 => {
                Err(Refusal::Malformed("Transfer-Encoding in HTTP/1.0"))
            }
            (None, Some(coding)) if coding.eq_ignore_ascii_case("chunked") => Ok(Framing::Chunked),
            (None, Some(_)) => Err(Refusal::TransferCoding),
            (Some(_), Some(_)) => Err(Refusal::Malformed("both Content-Length and Transfer-Encoding")),
        }
    }

    /// Declared length in bytes; `None` for chunks.
    pub fn length(self) -> Option<u64> {
        match self {
            Framing::Length(bytes) => Some(bytes),
            Framing::Chunked => None,
        }
    }
}

fn only<'h>(
    headers: &'h [Header],
    name: &'static str,
    fault: &'static str,
) -> Result<Option<&'h str>, Refusal> {
    let mut found = headers.iter().filter(|h| h.field.equiv(name)).map(|h| h.value.as_str());
    match (found.next(), found.next()) {
        (value, None) => Ok(value),
        _ => Err(Refusal::Malformed(fault)),
    }
}

/// Digits only; a number beyond 64 bits is a length too, and above any limit.
fn read_length(digits: &str) -> Result<u64, Refusal> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Refusal::Malformed("Content-Length is not a number"));
    }
    Ok(digits.parse().unwrap_or(u64::MAX))
}

/// What a [`Decoder`] found in its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'b> {
    /// Some bytes of the body, never none.
    Data(&'b [u8]),
    /// The input is used up; more must come.
    More,
    /// The body is complete.
    Done,
}

/// Takes a body out of its framing.
#[derive(Debug)]
pub struct Decoder {
    state: State,
    /// Payload bytes that may still come.
    allowance: u64,
    limit: u64,
}

#[derive(Debug)]
enum State {
    /// Exactly so many bytes are left, and then the body is complete.
    Counted(u64),
    /// In a chunk's size line.
    Size {
        value: u64,
        digits: u32,
        line: usize,
        part: SizePart,
    },
    /// In a chunk's data.
    Chunk(u64),
    /// In the line end after a chunk's data.
    ChunkEnd(LineEnd),
    /// After the empty chunk: `line` bytes of this trailer line, `total` of all.
    Trailers {
        line: usize,
        total: usize,
        end: LineEnd,
    },
    Done,
}

#[derive(Clone, Copy, Debug)]
enum SizePart {
    Digits,
    /// Blanks after the digits.
    Blanks,
    Extension,
    LineFeed,
}

#[derive(Clone, Copy, Debug)]
enum LineEnd {
    CarriageReturn,
    LineFeed,
}

const NEW_SIZE: State = State::Size { value: 0, digits: 0, line: 0, part: SizePart::Digits };

impl Decoder {
    /// A decoder for one body of at most `limit` payload bytes.
    ///
    /// # Errors
    /// [`Refusal::TooLarge`] if the declared length is above the limit.
    pub fn new(framing: Framing, limit: u64) -> Result<Decoder, Refusal> {
        let state = match framing {
            Framing::Length(0) => State::Done,
            Framing::Length(length) if length > limit => return Err(Refusal::TooLarge { limit }),
            Framing::Length(length) => State::Counted(length),
            Framing::Chunked => NEW_SIZE,
        };
        Ok(Decoder { state, allowance: limit, limit })
    }

    /// Takes the next step in `input`; also says how many of its bytes are used up.
    ///
    /// [`Step::More`] uses all of them. After [`Step::Done`], the rest belongs to the next request.
    ///
    /// # Errors
    /// A refusal if the chunks are malformed or above the limit. The decoder is then of no more use.
    pub fn step<'b>(&mut self, input: &'b [u8]) -> Result<(usize, Step<'b>), Refusal> {
        let mut used = 0;
        loop {
            match &mut self.state {
                State::Done => return Ok((used, Step::Done)),
                State::Counted(left) | State::Chunk(left) => {
                    let rest = &input[used..];
                    let taken = rest.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    if taken == 0 {
                        return Ok((used, Step::More));
                    }
                    *left -= taken as u64;
                    self.finish_data();
                    return Ok((used + taken, Step::Data(&rest[..taken])));
                }
                _ => match input.get(used) {
                    Some(&byte) => self.framing_byte(byte)?,
                    None => return Ok((used, Step::More)),
                },
            }
            used += 1;
        }
    }

    fn finish_data(&mut self) {
        match self.state {
            State::Counted(0) => self.state = State::Done,
            State::Chunk(0) => self.state = State::ChunkEnd(LineEnd::CarriageReturn),
            _ => {}
        }
    }

    fn framing_byte(&mut self, byte: u8) -> Result<(), Refusal> {
        match (&mut self.state, byte) {
            (State::Size { .. }, _) => self.size_byte(byte)?,
            (State::ChunkEnd(end @ LineEnd::CarriageReturn), b'\r') => *end = LineEnd::LineFeed,
            (State::ChunkEnd(LineEnd::LineFeed), b'\n') => self.state = NEW_SIZE,
            (State::ChunkEnd(_), _) => return Err(Refusal::Malformed("a chunk longer than its size")),
            (State::Trailers { .. }, _) => self.trailer_byte(byte)?,
            (State::Counted(_) | State::Chunk(_) | State::Done, _) => {}
        }
        Ok(())
    }

    fn size_byte(&mut self, byte: u8) -> Result<(), Refusal> {
        let State::Size { value, digits, line, part } = &mut self.state else { return Ok(()) };
        *line += 1;
        if *line > MAX_CHUNK_LINE {
            return Err(Refusal::Malformed("too long a chunk line"));
        }
        match (*part, byte) {
            (SizePart::Digits, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                *digits += 1;
                // Sixteen digits fill 64 bits; more, even zeros, are nobody's honest size.
                if *digits > 16 {
                    return Err(Refusal::Malformed("a chunk size of too many digits"));
                }
                let digit = char::from(byte).to_digit(16).unwrap_or(0);
                *value = *value << 4 | u64::from(digit);
            }
            (SizePart::Digits | SizePart::Blanks, _) if *digits == 0 => {
                return Err(Refusal::Malformed("a chunk without a size"));
            }
            (SizePart::Digits | SizePart::Blanks, b' ' | b'\t') => *part = SizePart::Blanks,
            (SizePart::Digits | SizePart::Blanks, b';') => *part = SizePart::Extension,
            (SizePart::Extension, b'\t' | b' '..=b'~') => {}
            (SizePart::Digits | SizePart::Blanks | SizePart::Extension, b'\r') => {
                *part = SizePart::LineFeed;
            }
            (SizePart::LineFeed, b'\n') => {
                let size = *value;
                return self.begin_chunk(size);
            }
            _ => return Err(Refusal::Malformed("a malformed chunk line")),
        }
        Ok(())
    }

    fn begin_chunk(&mut self, size: u64) -> Result<(), Refusal> {
        // Refused as soon as the size is known, before any of it is read.
        self.allowance = self.allowance.checked_sub(size).ok_or(Refusal::TooLarge { limit: self.limit })?;
        self.state = match size {
            0 => State::Trailers { line: 0, total: 0, end: LineEnd::CarriageReturn },
            size => State::Chunk(size),
        };
        Ok(())
    }

    /// Trailers are passed over: nothing here asks for one (RFC 9110, section 6.5.1).
    fn trailer_byte(&mut self, byte: u8) -> Result<(), Refusal> {
        let State::Trailers { line, total, end } = &mut self.state else { return Ok(()) };
        *total += 1;
        if *total > MAX_TRAILERS {
            return Err(Refusal::HeadTooLarge);
        }
        match (*end, byte) {
            (LineEnd::CarriageReturn, b'\r') => *end = LineEnd::LineFeed,
            (LineEnd::LineFeed, b'\n') if *line == 0 => self.state = State::Done,
            (LineEnd::LineFeed, b'\n') => {
                *line = 0;
                *end = LineEnd::CarriageReturn;
            }
            (LineEnd::CarriageReturn, b'\t' | b' '..=b'~') => *line += 1,
            _ => return Err(Refusal::Malformed("a malformed trailer")),
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "framing_tests.rs"]
mod tests;
