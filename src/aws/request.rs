//! What goes out and what comes back, apart from how it is signed and carried.

use std::fmt::Write as _;
use std::io::{self, Read};

use sha2::{Digest, Sha256};

/// HTTP methods that are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `DELETE`.
    Delete,
    /// `GET`.
    Get,
    /// `HEAD`.
    Head,
    /// `POST`.
    Post,
    /// `PUT`.
    Put,
}

impl Method {
    /// Its name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Delete => "DELETE",
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
        }
    }
}

/// A request before it is signed.
pub struct Request<'a> {
    /// Its method.
    pub method: Method,
    /// The whole URL, percent-encoded.
    pub url: String,
    /// Header fields: lower-case names and values of printable ASCII.
    pub headers: Vec<(&'static str, String)>,
    /// Its body.
    pub body: Payload<'a>,
    /// What a success answers with.
    pub answer: Answer,
}

/// What the body of a successful answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A document of the service: an `<Error>` in it is an error, whatever the status says.
    Document,
    /// The caller's own bytes, never looked at.
    Object,
}

/// Bytes of a known length and hash that can be sent more than once.
pub struct Payload<'a> {
    /// How many bytes there are.
    pub length: u64,
    /// Their SHA-256 in lower-case hexadecimal.
    pub sha256: String,
    open: Box<Open<'a>>,
}

/// Reads a payload from its start.
type Open<'a> = dyn Fn() -> io::Result<Box<dyn Read + 'a>> + Sync + 'a;

/// How much of a payload is hashed at a time, in bytes.
const CHUNK: usize = 64 * 1024;

impl<'a> Payload<'a> {
    /// No bytes.
    pub fn empty() -> Payload<'static> {
        Payload::bytes(&[])
    }

    /// Bytes in memory.
    pub fn bytes(bytes: &'a [u8]) -> Payload<'a> {
        let open = move || Ok(Box::new(bytes) as Box<dyn Read + 'a>);
        Payload { length: bytes.len() as u64, sha256: hex(&Sha256::digest(bytes)), open: Box::new(open) }
    }

    /// What `open` reads, `length` bytes; it is read once here for its hash.
    ///
    /// # Errors
    /// When it can't be read, or is not of that length.
    pub fn reopenable(
        length: u64,
        open: impl Fn() -> io::Result<Box<dyn Read + 'a>> + Sync + 'a,
    ) -> io::Result<Payload<'a>> {
        let mut hash = Sha256::new();
        let mut reader = Exactly { left: length, inner: open()? };
        let mut chunk = vec![0; CHUNK];
        loop {
            match reader.read(&mut chunk) {
                Ok(0) => break,
                Ok(n) => hash.update(&chunk[..n]),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(Payload { length, sha256: hex(&hash.finalize()), open: Box::new(open) })
    }

    /// Reads it from the start; an error if there are more or fewer bytes than were declared, which
    /// would leave the server waiting or mistake a rest for the next request.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn open(&self) -> io::Result<impl Read + use<'_, 'a>> {
        Ok(Exactly { left: self.length, inner: (self.open)()? })
    }
}

struct Exactly<R> {
    left: u64,
    inner: R,
}

impl<R: Read> Read for Exactly<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        match self.left.checked_sub(n as u64) {
            Some(left) if n > 0 || left == 0 || buffer.is_empty() => {
                self.left = left;
                Ok(n)
            }
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, "the content's length has changed")),
        }
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Percent-encodes all but RFC 3986's unreserved characters and `/`, as S3 wants a key in a path.
pub fn encode_path(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// An answer, read whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Header fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// The first value of a header field, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Whether the status is one of success.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(payload: &Payload<'_>) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        payload.open()?.read_to_end(&mut bytes).map(|_| bytes)
    }

    #[test]
    fn a_payload_can_be_sent_again_and_knows_its_hash() {
        let payload = Payload::reopenable(3, || Ok(Box::new(&b"abc"[..]))).unwrap();
        assert_eq!((read(&payload).unwrap(), read(&payload).unwrap()), (b"abc".to_vec(), b"abc".to_vec()));
        // FIPS 180-4's example.
        assert_eq!(payload.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(payload.sha256, Payload::bytes(b"abc").sha256);
    }

    #[test]
    fn a_payload_that_is_shorter_or_longer_than_declared_is_refused() {
        for length in [0, 2, 4] {
            assert!(Payload::reopenable(length, || Ok(Box::new(&b"abc"[..]))).is_err(), "{length}");
        }
    }

    #[test]
    fn keys_are_encoded_byte_by_byte() {
        assert_eq!(encode_path("a b/c+d%é🦀~-._"), "a%20b/c%2Bd%25%C3%A9%F0%9F%A6%80~-._");
    }

    proptest::proptest! {
        #[test]
        fn any_key_can_be_read_back_from_its_path(key in ".{0,60}") {
            let path = encode_path(&key);
            let mut bytes = Vec::new();
            let mut rest = path.as_bytes();
            while let [first, tail @ ..] = rest {
                let (byte, tail) = match (first, tail) {
                    (b'%', [high, low, tail @ ..]) => {
                        let digits = [*high, *low];
                        (u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap(), tail)
                    }
                    _ => (*first, tail),
                };
                bytes.push(byte);
                rest = tail;
            }
            proptest::prop_assert_eq!(bytes, key.as_bytes());
        }
    }
}
