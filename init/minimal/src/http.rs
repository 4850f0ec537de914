//! One HTTP/1.1 request without a body and its answer: as much of it as EC2's metadata service needs.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Connecting, and each read: the service is on this very machine.
const TIME: Duration = Duration::from_secs(2);

/// Largest answer in bytes: user data is at most 16 KiB.
const LARGEST: u64 = 64 * 1024;

/// Whoever takes a request and gives the answer's bytes.
pub trait Wire {
    /// Sends the request and reads until the answer is complete.
    ///
    /// # Errors
    /// When nothing answers.
    fn exchange(&mut self, request: &[u8]) -> io::Result<Vec<u8>>;
}

/// A connection for each request.
pub struct Tcp(pub SocketAddr);

impl Wire for Tcp {
    fn exchange(&mut self, request: &[u8]) -> io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect_timeout(&self.0, TIME)?;
        stream.set_read_timeout(Some(TIME))?;
        stream.set_write_timeout(Some(TIME))?;
        stream.write_all(request)?;
        let mut answer = Vec::new();
        let mut part = [0; 4096];
        // A service that keeps the connection open is not waited for.
        while Answer::parse(&answer).is_none() && (answer.len() as u64) < LARGEST {
            match stream.read(&mut part)? {
                0 => break,
                length => answer.extend(&part[..length]),
            }
        }
        Ok(answer)
    }
}

/// A request's bytes.
pub fn request(method: &str, path: &str, host: &str, header: (&str, &str)) -> Vec<u8> {
    let (name, value) = header;
    let head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n{name}: {value}\r\n");
    // A PUT without a body says so.
    format!("{head}Content-Length: 0\r\nConnection: close\r\n\r\n").into_bytes()
}

/// An answer that is complete.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    /// 100 to 999.
    pub status: u16,
    head: &'a str,
    /// The body.
    pub body: &'a [u8],
}

impl<'a> Answer<'a> {
    /// Reads an answer; `None` as long as it is not complete, or when it is none.
    ///
    /// Its length must be told (no chunks): the metadata service does.
    pub fn parse(bytes: &'a [u8]) -> Option<Answer<'a>> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&bytes[..end]).ok()?;
        let mut words = head.lines().next()?.split(' ');
        words.next().filter(|version| version.starts_with("HTTP/1."))?;
        let status = words.next()?.parse().ok()?;
        let mut answer = Answer { status, head, body: &[] };
        let length: usize = answer.header("content-length")?.parse().ok()?;
        answer.body = bytes[end + 4..].get(..length)?;
        Some(answer)
    }

    /// A header's value, without the spaces around it.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let fields = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        fields.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &[u8] = b"HTTP/1.1 200 OK\r\nServer: x\r\ncontent-LENGTH:  5 \r\n\r\nhello";

    #[test]
    fn an_answer_is_complete_with_its_last_byte() {
        let answer = Answer::parse(WHOLE).unwrap();
        assert_eq!((answer.status, answer.body, answer.header("Server")), (200, &b"hello"[..], Some("x")));
        assert!((0..WHOLE.len()).all(|end| Answer::parse(&WHOLE[..end]).is_none()));
    }

    #[test]
    fn what_follows_an_answer_is_not_its_own() {
        let more = [WHOLE, b"HTTP/1.1"].concat();
        assert_eq!(Answer::parse(&more).unwrap().body, b"hello");
    }

    #[test]
    fn what_is_no_answer_is_none() {
        for bytes in [
            &b"SSH-2.0-x\r\n\r\n"[..],
            b"HTTP/1.1 abc\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n\r\n",
        ] {
            assert_eq!(Answer::parse(bytes), None);
        }
    }

    #[test]
    fn a_request_names_host_and_header() {
        let text = String::from_utf8(request("PUT", "/a", "h", ("x", "1"))).unwrap();
        assert_eq!(
            text,
            "PUT /a HTTP/1.1\r\nHost: h\r\nx: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
    }
}
