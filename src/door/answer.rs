//! An [`Answer`] and how to build one: constructors that can't make a header split the answer.
//!
//! Every header made here is checked, so a CR, LF or other control character in a value never
//! reaches the wire. How an answer is put into bytes is left to `render`.

use std::fs::File;
use std::ops::Range;

use super::{Header, StatusCode};

/// An answer to be sent.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers; the door adds Date, Content-Length, Connection.
    pub headers: Vec<Header>,
    /// Its body; the door leaves it out for HEAD, 204 and 304.
    pub body: Body,
}

/// An answer's body.
#[derive(Debug)]
pub enum Body {
    /// Bytes in memory.
    Bytes(Vec<u8>),
    /// Bytes of the program.
    Static(&'static [u8]),
    /// A range of a file, streamed.
    File {
        /// The open file.
        file: File,
        /// Which of its bytes.
        range: Range<u64>,
    },
}

impl Body {
    /// Its length in bytes.
    pub fn length(&self) -> u64 {
        match self {
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::Static(bytes) => bytes.len() as u64,
            Body::File { range, .. } => range.end.saturating_sub(range.start),
        }
    }

    /// The bytes, if they are in memory.
    pub fn in_memory(&self) -> Option<&[u8]> {
        match self {
            Body::Bytes(bytes) => Some(bytes),
            Body::Static(bytes) => Some(bytes),
            Body::File { .. } => None,
        }
    }
}

/// Headers that frame the message or belong to the connection: the door alone sets them.
const OURS: [&str; 9] = [
    "Connection",
    "Content-Length",
    "Date",
    "Keep-Alive",
    "Server",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
];

impl Answer {
    /// An answer with a body from memory.
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Answer {
        Answer::empty(status).with_body(Body::Bytes(body.into())).with_header("Content-Type", content_type)
    }

    /// An answer whose body is part of the program.
    pub fn fixed(status: u16, content_type: &str, body: &'static [u8]) -> Answer {
        Answer::empty(status).with_body(Body::Static(body)).with_header("Content-Type", content_type)
    }

    /// An answer that streams the bytes `range` of `file`.
    ///
    /// A file that turns out shorter ends the connection, so the client sees that bytes are missing.
    pub fn file(status: u16, content_type: &str, file: File, range: Range<u64>) -> Answer {
        Answer::empty(status).with_body(Body::File { file, range }).with_header("Content-Type", content_type)
    }

    /// An answer without a body and without headers.
    pub fn empty(status: u16) -> Answer {
        Answer { status: StatusCode(status), headers: Vec::new(), body: Body::Static(b"") }
    }

    /// The same answer with another body.
    #[must_use]
    pub fn with_body(mut self, body: Body) -> Answer {
        self.body = body;
        self
    }

    /// The same answer with one more header.
    ///
    /// One that is no valid header (see [`header`]), or is the door's own to set (`Connection`,
    /// `Content-Length`, `Date`, …), is left out and logged as an error: the mistake is ours, and
    /// the rest of the answer is still worth having.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Answer {
        match header(name, value) {
            Some(header) if is_open(&header) => self.headers.push(header),
            _ => log::error!(name:?, value:?; "left out a header that may not be sent"),
        }
        self
    }

    /// The value of its first header called `name` (in any case).
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

/// The header `name: value`, or `None` if that is not a header which may be sent.
///
/// The name must be a token (RFC 9110, section 5.6.2), the value visible ASCII with single spaces
/// and tabs inside (section 5.5). Text beyond ASCII must be encoded first (RFC 8187).
pub fn header(name: &str, value: &str) -> Option<Header> {
    let value_fits = value.bytes().all(|b| matches!(b, b'\t' | b' '..=b'~'))
        && !value.starts_with([' ', '\t'])
        && !value.ends_with([' ', '\t']);
    let fits = is_token(name.as_bytes()) && value_fits;
    fits.then(|| Header::from_bytes(name, value).ok()).flatten()
}

/// Whether a service may set this header, and its text can be sent as it is.
///
/// [`Header`]'s own constructors take any ASCII, line ends too; so the door asks this of every
/// header once more before it renders it.
pub(super) fn is_open(candidate: &Header) -> bool {
    let name = candidate.field.as_str().as_str();
    header(name, candidate.value.as_str()).is_some() && !OURS.iter().any(|o| o.eq_ignore_ascii_case(name))
}

/// The value of the first of `headers` that is called `name` (in any case).
pub(super) fn find<'h>(headers: &'h [Header], name: &str) -> Option<&'h str> {
    let called = |h: &&Header| h.field.as_str().as_str().eq_ignore_ascii_case(name);
    headers.iter().find(called).map(|h| h.value.as_str())
}

/// Whether these bytes are a token (RFC 9110, section 5.6.2).
pub(super) fn is_token(bytes: &[u8]) -> bool {
    let in_token = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b);
    !bytes.is_empty() && bytes.iter().all(in_token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_answers_of_each_kind() {
        let made = Answer::new(202, "application/json", "{}").with_header("Location", "/i/abc");
        assert_eq!(made.status, StatusCode(202));
        assert_eq!(made.header("content-type"), Some("application/json"));
        assert_eq!(made.header("location"), Some("/i/abc"));
        assert_eq!(made.body.in_memory(), Some(&b"{}"[..]));
        assert_eq!(Answer::fixed(200, "text/html", b"<p>").body.length(), 3);
        let file = tempfile::tempfile().unwrap();
        assert_eq!(Answer::file(206, "image/png", file, 5..9).body.length(), 4);
        assert_eq!(Answer::empty(204).body.length(), 0);
    }

    #[test]
    fn leaves_out_what_would_split_the_answer() {
        for value in ["a\r\nSet-Cookie: b", "a\nb", "a\rb", "nul\0", "\u{7f}", "naïve", " padded", "padded "]
        {
            assert!(Answer::empty(200).with_header("X-Test", value).headers.is_empty(), "{value:?}");
        }
        for name in ["", "two words", "colon:", "line\r\n", "naïve"] {
            assert!(Answer::empty(200).with_header(name, "fine").headers.is_empty(), "{name:?}");
        }
        let fine = Answer::empty(200).with_header("X-Test", "tab\tand space").with_header("X-Empty", "");
        assert_eq!(fine.headers.len(), 2);
    }

    #[test]
    fn keeps_framing_to_the_door() {
        for name in OURS {
            assert!(Answer::empty(200).with_header(&name.to_lowercase(), "1").headers.is_empty(), "{name}");
        }
    }
}
