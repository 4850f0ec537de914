//! HTTP/1.1 messages as bytes, for the servers that the tests put in between: read whole, passed on unchanged.

use std::io::{self, BufRead, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// One request or answer: its head up to and with the empty line, and its body as it was framed.
#[derive(Clone, Debug, Default)]
pub struct Message {
    pub head: Vec<u8>,
    pub body: Vec<u8>,
}

/// How the end of an answer's body is told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// By the message's own head.
    Head,
    /// There is none, whatever the head says: the answer to a HEAD.
    Bodiless,
}

impl Message {
    /// Reads a message; `None` at the end of the connection.
    pub fn read(from: &mut impl BufRead, framing: Framing) -> io::Result<Option<Message>> {
        let mut message = Message::default();
        if !message.read_head(from)? {
            return Ok(None);
        }
        if framing == Framing::Head {
            message.read_body(from)?;
        }
        Ok(Some(message))
    }

    /// Reads a head; false at the end of the connection.
    pub fn read_head(&mut self, from: &mut impl BufRead) -> io::Result<bool> {
        while !self.head.ends_with(b"\r\n\r\n") {
            if from.read_until(b'\n', &mut self.head)? == 0 {
                return if self.head.is_empty() {
                    Ok(false)
                } else {
                    Err(io::ErrorKind::UnexpectedEof.into())
                };
            }
        }
        Ok(true)
    }

    /// Reads the body that the head announces.
    pub fn read_body(&mut self, from: &mut impl BufRead) -> io::Result<()> {
        let status = self.status();
        if self.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            return self.read_chunks(from);
        }
        match self.header("content-length") {
            Some(length) => {
                let length: u64 = length.parse().map_err(io::Error::other)?;
                if from.take(length).read_to_end(&mut self.body)? as u64 != length {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            None if status.is_some_and(|status| status != 204 && status != 304) => {
                from.read_to_end(&mut self.body)?;
            }
            None => {}
        }
        Ok(())
    }

    /// Reads chunks and keeps them as they came (RFC 9112, 7.1; no trailers).
    fn read_chunks(&mut self, from: &mut impl BufRead) -> io::Result<()> {
        loop {
            let mut line = String::new();
            from.read_line(&mut line)?;
            let length = u64::from_str_radix(line.trim_end(), 16).map_err(io::Error::other)?;
            self.body.extend(line.bytes());
            from.take(length + 2).read_to_end(&mut self.body)?;
            if length == 0 {
                return Ok(());
            }
        }
    }

    /// Status of an answer; `None` for a request.
    pub fn status(&self) -> Option<u16> {
        let head = std::str::from_utf8(&self.head).ok()?;
        head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()
    }

    /// Method and target of a request.
    pub fn line(&self) -> (&str, &str) {
        let head = std::str::from_utf8(&self.head).unwrap_or_default();
        let mut words = head.split(' ');
        (words.next().unwrap_or_default(), words.next().unwrap_or_default())
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let head = std::str::from_utf8(&self.head).ok()?;
        let lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
        lines.into_iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// Whether its sender ends the connection with it.
    pub fn closes(&self) -> bool {
        self.header("connection").is_some_and(|choice| choice.eq_ignore_ascii_case("close"))
    }

    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        to.write_all(&self.head)?;
        to.write_all(&self.body)?;
        to.flush()
    }

    /// An answer of our own.
    pub fn answer(status: &str, content_type: &str, body: &str) -> Message {
        let length = body.len();
        let head =
            format!("HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n");
        Message { head: head.into_bytes(), body: body.as_bytes().to_vec() }
    }
}

/// Serves each connection on a thread of its own, until the test process ends. Returns the address.
pub fn serve(connection: impl Fn(TcpStream) + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let connection = connection.clone();
            // A client that is gone, or was killed, must not hold a thread for ever.
            let _ = socket.set_read_timeout(Some(Duration::from_secs(120)));
            std::thread::spawn(move || connection(socket));
        }
    });
    address
}
