//! A request's head: finds its end, screens its bytes, parses it once. No I/O in here.
//!
//! RFC 9112, sections 2 to 5, read strictly. What the headers say about the body is left to
//! `framing`, what they ask for to the service.

use std::ops::Range;

use httparse::Status;

use super::config::MOST_HEADERS;
use super::framing::Version;
use super::{Config, Header, Method, Refusal};

/// Method, version and blanks of a request line: so much may it be longer than its target, in bytes.
const LINE_SLACK: usize = 64;

/// Looks for the end of a head in bytes as they come, each of them once.
#[derive(Debug)]
pub struct Scanner {
    /// How many bytes have been looked at.
    scanned: usize,
    /// Where the head starts: after one empty line, if there is one (RFC 9112, section 2.2).
    start: usize,
    /// How many of the four bytes CR LF CR LF the scanned bytes end with.
    matched: u8,
    in_first_line: bool,
    max_line: usize,
    max_head: usize,
}

impl Scanner {
    /// A scanner for one head within the limits of `config`.
    pub fn new(config: &Config) -> Scanner {
        Scanner {
            scanned: 0,
            start: 0,
            matched: 0,
            in_first_line: true,
            max_line: config.max_target.saturating_add(LINE_SLACK),
            max_head: config.max_head_bytes,
        }
    }

    /// Whether a byte of the head itself has come.
    pub fn begun(&self) -> bool {
        // A lone CR may still turn out to be the empty line before a head.
        self.scanned > self.start && !(self.scanned == 1 && self.matched == 1)
    }

    /// Looks at what is new in `input`, which holds all bytes since the last request.
    ///
    /// Returns the head's range in it, once it is complete.
    ///
    /// # Errors
    /// A refusal as soon as a byte breaks the rules or a limit is passed.
    pub fn scan(&mut self, input: &[u8]) -> Result<Option<Range<usize>>, Refusal> {
        while let Some(&byte) = input.get(self.scanned) {
            self.scanned += 1;
            self.look_at(byte)?;
            if self.matched == 4 {
                return Ok(Some(self.start..self.scanned));
            }
            let length = self.scanned - self.start;
            if self.in_first_line && length > self.max_line {
                return Err(Refusal::TargetTooLong);
            }
            if length >= self.max_head {
                return Err(Refusal::HeadTooLarge);
            }
        }
        Ok(None)
    }

    fn look_at(&mut self, byte: u8) -> Result<(), Refusal> {
        self.matched = match (byte, self.matched) {
            (b'\n', 1) if self.scanned == 2 => {
                self.start = 2;
                0
            }
            (b'\r', 0) if self.scanned == self.start + 1 && self.start > 0 => {
                return Err(Refusal::Malformed("an empty request line"));
            }
            (b'\r', 0 | 2) | (b'\n', 1 | 3) => self.matched + 1,
            (_, 1 | 3) => return Err(Refusal::Malformed("a carriage return without a line feed")),
            (b'\n', _) => return Err(Refusal::Malformed("a line feed without a carriage return")),
            (b' ' | b'\t', 2) => return Err(Refusal::Malformed("a folded header line")),
            (b'\t' | b' '..=b'~', _) => 0,
            _ => return Err(Refusal::Malformed("a control character or a byte that is not ASCII")),
        };
        self.in_first_line &= self.matched < 2;
        Ok(())
    }
}

/// A head, understood.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// Its method.
    pub method: Method,
    /// Its target up to a `?`.
    pub path: String,
    /// What follows the `?`, or nothing.
    pub query: String,
    /// Its version.
    pub version: Version,
    /// Its headers.
    pub headers: Vec<Header>,
}

impl Parsed {
    /// Reads a complete head that a [`Scanner`] found.
    ///
    /// # Errors
    /// A refusal if it breaks the rules or the limits of `config`.
    #[inline(never)] // Its frame holds all headers; a connection that only waits needs none of it.
    pub fn read(bytes: &[u8], config: &Config) -> Result<Parsed, Refusal> {
        let mut space = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut request = httparse::Request::new(&mut space[..config.max_headers.min(MOST_HEADERS)]);
        match request.parse(bytes) {
            Ok(Status::Complete(length)) if length == bytes.len() => {}
            Ok(_) => return Err(Refusal::Malformed("a head that ends elsewhere")),
            Err(error) => return Err(refusal_of(error, bytes)),
        }
        let (Some(method), Some(target), Some(minor)) = (request.method, request.path, request.version)
        else {
            return Err(Refusal::Malformed("an incomplete request line"));
        };
        let (path, query) = read_target(target, config.max_target)?;
        let headers = request.headers.iter().map(read_header).collect::<Result<Vec<_>, _>>()?;
        let version = if minor == 0 { Version::Http10 } else { Version::Http11 };
        check_host(&headers, version)?;
        let method = method.parse().map_err(|()| Refusal::Malformed("a malformed method"))?;
        Ok(Parsed { method, path, query, version, headers })
    }

    /// Whether the client means to send another request on this connection (RFC 9112, section 9.3).
    pub fn persists(&self) -> bool {
        let options = || {
            let of_name = self.headers.iter().filter(|h| h.field.equiv("Connection"));
            of_name.flat_map(|h| h.value.as_str().split(',')).map(str::trim)
        };
        let says = |option: &str| options().any(|o| o.eq_ignore_ascii_case(option));
        !says("close") && (self.version == Version::Http11 || says("keep-alive"))
    }

    /// Whether the client waits for `100 Continue` before it sends the body.
    ///
    /// # Errors
    /// [`Refusal::Expectation`] if it expects anything else. HTTP/1.0 knows no expectations.
    pub fn waits(&self) -> Result<bool, Refusal> {
        if self.version == Version::Http10 {
            return Ok(false);
        }
        let mut expected = self.headers.iter().filter(|h| h.field.equiv("Expect")).map(|h| h.value.as_str());
        match (expected.next(), expected.next()) {
            (None, _) => Ok(false),
            (Some(value), None) if value.eq_ignore_ascii_case("100-continue") => Ok(true),
            _ => Err(Refusal::Expectation),
        }
    }
}

fn refusal_of(error: httparse::Error, head: &[u8]) -> Refusal {
    use httparse::Error;
    match error {
        Error::TooManyHeaders => Refusal::HeadTooLarge,
        Error::Version if names_http_version(head) => Refusal::Version,
        Error::Version => Refusal::Malformed("a malformed version"),
        Error::HeaderName => Refusal::Malformed("a malformed header name"),
        Error::HeaderValue => Refusal::Malformed("a malformed header value"),
        _ => Refusal::Malformed("a malformed request line"),
    }
}

/// Whether the request line is well formed up to its version, `HTTP/` digit `.` digit.
fn names_http_version(head: &[u8]) -> bool {
    let line_end = head.iter().position(|&b| b == b'\r').unwrap_or(head.len());
    let mut parts = head[..line_end].split(|&b| b == b' ').skip(2);
    let version = parts.next().unwrap_or_default();
    let well_formed = matches!(version, [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9']);
    well_formed && parts.next().is_none()
}

fn read_target(target: &str, longest: usize) -> Result<(String, String), Refusal> {
    if target.len() > longest {
        return Err(Refusal::TargetTooLong);
    }
    if !target.starts_with('/') {
        return Err(Refusal::Malformed("a target that does not start with a slash"));
    }
    if target.contains('#') {
        return Err(Refusal::Malformed("a target with a fragment"));
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Ok((path.to_owned(), query.to_owned()))
}

fn read_header(raw: &httparse::Header<'_>) -> Result<Header, Refusal> {
    let value = raw.value.trim_ascii();
    Header::from_bytes(raw.name, value).map_err(|()| Refusal::Malformed("a header that is not ASCII"))
}

/// One Host in HTTP/1.1, at most one in 1.0, of the characters a host and a port can have: page
/// addresses are built from it.
fn check_host(headers: &[Header], version: Version) -> Result<(), Refusal> {
    let mut hosts = headers.iter().filter(|h| h.field.equiv("Host")).map(|h| h.value.as_str());
    let in_host = |b: u8| b.is_ascii_alphanumeric() || b"-._~%:[]".contains(&b);
    match (hosts.next(), hosts.next()) {
        (None, _) if version == Version::Http10 => Ok(()),
        (None, _) => Err(Refusal::Malformed("no Host")),
        (Some(_), Some(_)) => Err(Refusal::Malformed("more than one Host")),
        (Some(host), None) if host.bytes().all(in_host) => Ok(()),
        (Some(_), None) => Err(Refusal::Malformed("a malformed Host")),
    }
}

#[cfg(test)]
#[path = "head_tests.rs"]
mod tests;
