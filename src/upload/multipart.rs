//! A push parser of `multipart/form-data` (RFC 7578; RFC 2046 §5.1): bytes in, events out.
//!
//! It does no I/O and holds no more than one part's head. Content is passed on in slices of what
//! came in. Which parts are wanted, and how long they may be, is left to [`super::intake`].

use std::fmt;

use memchr::memmem;

use super::parameters::Parameterised;

/// Most bytes of a boundary (RFC 2046 §5.1.1).
pub const MAX_BOUNDARY: usize = 70;

/// Most bytes of padding after a delimiter; RFC 2046 names no limit, and nobody sends any.
const MAX_PADDING: usize = 64;

/// The text that parts a body's parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boundary(String);

impl Boundary {
    /// Reads a boundary; `None` unless it is 1 to 70 of RFC 2046's `bchars`, the last one no space.
    pub fn parse(text: &str) -> Option<Boundary> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&b);
        let well_formed =
            (1..=MAX_BOUNDARY).contains(&text.len()) && text.bytes().all(allowed) && !text.ends_with(' ');
        well_formed.then(|| Boundary(text.to_owned()))
    }
}

/// What one body may have.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most parts.
    pub parts: usize,
    /// Most bytes of one part's head.
    pub head_bytes: usize,
    /// Most headers of one part.
    pub headers: usize,
}

/// What a part's head says of it; no other header of a part is believed, so none is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Name of the form's field.
    pub name: String,
    /// Name of the file, where the part says that it is one. It may be empty, and it is a stranger's
    /// text: never to be used as a path.
    pub filename: Option<String>,
}

/// What the parser tells.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A part begins.
    Begin(Part),
    /// The next bytes of its content, never empty.
    Data(&'a [u8]),
    /// The part is complete.
    End,
}

/// How a body breaks the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// A boundary is followed by something other than a line's end or `--`.
    Delimiter,
    /// A part's head is no list of headers.
    Header,
    /// A part has no `Content-Disposition: form-data` with a name.
    Disposition,
    /// A part's head has more bytes or more headers than allowed.
    HeadTooLarge,
    /// More parts than allowed.
    TooManyParts,
    /// The body ends before its last boundary.
    Unfinished,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Error::Delimiter => "a boundary is followed by something other than a line's end",
            Error::Header => "a part's head is no list of headers",
            Error::Disposition => "a part lacks its `Content-Disposition: form-data; name=…`",
            Error::HeadTooLarge => "a part's head is too large",
            Error::TooManyParts => "there are too many parts",
            Error::Unfinished => "it ends before its last boundary",
        })
    }
}

impl std::error::Error for Error {}

/// Where in a body the parser is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first delimiter; what is there means nothing.
    Preamble,
    /// Right after a delimiter's boundary: a line's end or `--` must follow.
    AfterBoundary,
    /// Within a part's head.
    Head,
    /// Within a part's content.
    Content,
    /// After the last delimiter; what is there means nothing.
    Epilogue,
}

/// The parser. Feed it by [`push`](Parser::push), then ask [`finish`](Parser::finish).
#[derive(Debug)]
pub struct Parser {
    /// Finds `CR LF "--" boundary`.
    delimiter: memmem::Finder<'static>,
    /// How many of the delimiter's first bytes the input so far ends with; those are held back.
    matched: usize,
    state: State,
    /// The delimiter's line or the part's head, as far as it has come.
    line: Vec<u8>,
    parts: usize,
    limits: Limits,
}

impl Parser {
    /// A parser for a body parted by `boundary`.
    pub fn new(boundary: &Boundary, limits: Limits) -> Parser {
        let delimiter = format!("\r\n--{}", boundary.0);
        Parser {
            delimiter: memmem::Finder::new(delimiter.as_bytes()).into_owned(),
            // The first delimiter may open the body, without a line's end before it (RFC 2046
            // §5.1.1): as if that line's end had just gone by.
            matched: 2,
            state: State::Preamble,
            line: Vec::new(),
            parts: 0,
            limits,
        }
    }

    /// Takes the body's next bytes, however it was split, and tells `on` what they hold.
    ///
    /// # Errors
    /// The body's fault, or what `on` returned; nothing may be pushed afterwards.
    pub fn push<E: From<Error>>(
        &mut self,
        mut bytes: &[u8],
        on: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        while !bytes.is_empty() {
            let taken = match self.state {
                State::Preamble | State::Content => self.take_content(bytes, on)?,
                State::AfterBoundary => self.take_delimiter_end(bytes)?,
                State::Head => self.take_head(bytes, on)?,
                State::Epilogue => bytes.len(),
            };
            bytes = &bytes[taken..];
        }
        Ok(())
    }

    /// The body has ended.
    ///
    /// # Errors
    /// [`Error::Unfinished`] if it should not have.
    pub fn finish(&self) -> Result<(), Error> {
        match self.state {
            State::Epilogue => Ok(()),
            _ => Err(Error::Unfinished),
        }
    }

    /// Passes content on up to the next delimiter; returns how many bytes were dealt with.
    fn take_content<E: From<Error>>(
        &mut self,
        bytes: &[u8],
        on: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<usize, E> {
        if self.matched > 0 {
            return self.take_begun_delimiter(bytes, on);
        }
        if let Some(at) = self.delimiter.find(bytes) {
            self.tell_data(&bytes[..at], on)?;
            self.delimiter_found(on)?;
            return Ok(at + self.delimiter.needle().len());
        }
        self.matched = begun(self.delimiter.needle(), bytes);
        self.tell_data(&bytes[..bytes.len() - self.matched], on)?;
        Ok(bytes.len())
    }

    /// The same where the bytes before these end with the beginning of a delimiter.
    fn take_begun_delimiter<E: From<Error>>(
        &mut self,
        bytes: &[u8],
        on: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<usize, E> {
        let missing = &self.delimiter.needle()[self.matched..];
        let same = missing.iter().zip(bytes).take_while(|(a, b)| a == b).count();
        if same == missing.len() {
            self.matched = 0;
            self.delimiter_found(on)?;
            return Ok(same);
        }
        if same == bytes.len() {
            self.matched += same;
            return Ok(same);
        }
        // No delimiter after all. Its only CR is its first byte, so that none can begin within what
        // was held back: all of that is content.
        let held = &self.delimiter.needle()[..self.matched];
        if self.state == State::Content {
            on(Event::Data(held))?;
        }
        self.matched = 0;
        Ok(0)
    }

    fn tell_data<E>(&self, data: &[u8], on: &mut impl FnMut(Event<'_>) -> Result<(), E>) -> Result<(), E> {
        match self.state {
            State::Content if !data.is_empty() => on(Event::Data(data)),
            _ => Ok(()),
        }
    }

    fn delimiter_found<E>(&mut self, on: &mut impl FnMut(Event<'_>) -> Result<(), E>) -> Result<(), E> {
        if self.state == State::Content {
            on(Event::End)?;
        }
        self.state = State::AfterBoundary;
        self.line.clear();
        Ok(())
    }

    /// Takes what follows a boundary: `--`, or padding and a line's end.
    fn take_delimiter_end(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        for (at, &byte) in bytes.iter().enumerate() {
            self.line.push(byte);
            match self.line.as_slice() {
                b"--" => self.state = State::Epilogue,
                b"-" => continue,
                [padding @ .., b'\r', b'\n'] if is_padding(padding) => self.begin_head()?,
                [padding @ .., b'\r'] if is_padding(padding) => continue,
                padding if is_padding(padding) => continue,
                _ => return Err(Error::Delimiter),
            }
            return Ok(at + 1);
        }
        Ok(bytes.len())
    }

    fn begin_head(&mut self) -> Result<(), Error> {
        self.parts += 1;
        if self.parts > self.limits.parts {
            return Err(Error::TooManyParts);
        }
        // A head that has no header is its empty line alone: as if a line had ended before it.
        self.line.clear();
        self.line.extend_from_slice(b"\r\n");
        self.state = State::Head;
        Ok(())
    }

    /// Gathers a part's head up to its empty line.
    fn take_head<E: From<Error>>(
        &mut self,
        bytes: &[u8],
        on: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<usize, E> {
        const EMPTY_LINE: &[u8] = b"\r\n\r\n";
        let before = self.line.len();
        let room = self.limits.head_bytes + EMPTY_LINE.len() - before;
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
        // The empty line may have begun in what came before.
        let from = before.saturating_sub(EMPTY_LINE.len() - 1);
        let Some(at) = memmem::find(&self.line[from..], EMPTY_LINE) else {
            if bytes.len() >= room {
                return Err(Error::HeadTooLarge.into());
            }
            return Ok(bytes.len());
        };
        let end = from + at;
        let part = read_head(&self.line[..end], self.limits.headers)?;
        self.state = State::Content;
        // The empty line's end is not taken for the beginning of a delimiter: content that is empty
        // has a line's end of its own before the boundary.
        self.matched = 0;
        on(Event::Begin(part))?;
        Ok(end + EMPTY_LINE.len() - before)
    }
}

fn is_padding(bytes: &[u8]) -> bool {
    bytes.len() <= MAX_PADDING && bytes.iter().all(|b| matches!(b, b' ' | b'\t'))
}

/// How many of `needle`'s first bytes `bytes` ends with. The needle's only CR is its first byte, so
/// that just the last CR of `bytes` can begin one.
fn begun(needle: &[u8], bytes: &[u8]) -> usize {
    let tail = &bytes[bytes.len().saturating_sub(needle.len() - 1)..];
    match memchr::memrchr(b'\r', tail) {
        Some(at) if needle.starts_with(&tail[at..]) => tail.len() - at,
        _ => 0,
    }
}

/// Reads a part's head: CR LF before each line, none after the last.
fn read_head(head: &[u8], max_headers: usize) -> Result<Part, Error> {
    // File names come as UTF-8 (RFC 7578 §5.1.2), or as whatever the client had: not worth refusing.
    let head = String::from_utf8_lossy(head);
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let mut disposition = None;
    for (count, line) in unfolded.split("\r\n").skip(1).enumerate() {
        if count == max_headers {
            return Err(Error::HeadTooLarge);
        }
        let (name, value) = line.split_once(':').ok_or(Error::Header)?;
        let is_token = !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic());
        if !is_token || value.contains(['\r', '\n', '\0']) {
            return Err(Error::Header);
        }
        if name.eq_ignore_ascii_case("content-disposition") && disposition.replace(value).is_some() {
            return Err(Error::Disposition);
        }
    }
    disposition.and_then(read_disposition).ok_or(Error::Disposition)
}

fn read_disposition(value: &str) -> Option<Part> {
    let disposition = Parameterised::parse(value)?;
    if disposition.value != "form-data" {
        return None;
    }
    // RFC 7578 §4.2 forbids `filename*`, but who sends it sends a file.
    let filename = disposition.get("filename").or_else(|| disposition.get("filename*"));
    Some(Part { name: disposition.get("name")?.to_owned(), filename: filename.map(str::to_owned) })
}

#[cfg(test)]
#[path = "multipart_tests.rs"]
mod tests;
