//! A small HTTP/1.1 client: one request a connection, everything it sends and gets in plain sight.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Talks to one server.
#[derive(Clone, Copy)]
pub struct Client {
    pub address: SocketAddr,
}

/// A server's answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Client {
    /// Sends a request with these headers and this body, and reads the answer.
    pub fn request(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Reply> {
        let mut head =
            format!("{method} {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.address);
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() || method == "POST" || method == "PUT" {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        head += "\r\n";
        let mut socket = TcpStream::connect_timeout(&self.address, Duration::from_secs(10))?;
        socket.set_read_timeout(Some(Duration::from_secs(60)))?;
        socket.set_write_timeout(Some(Duration::from_secs(60)))?;
        socket.write_all(head.as_bytes())?;
        // A server that refuses early may close before all is sent: its answer counts.
        let _ = socket.write_all(body);
        let mut bytes = Vec::new();
        match socket.read_to_end(&mut bytes) {
            Err(error) if bytes.is_empty() => return Err(error),
            _ => {}
        }
        Reply::parse(&bytes).ok_or_else(|| io::Error::other(format!("no answer in {} bytes", bytes.len())))
    }

    pub fn get(&self, target: &str) -> Reply {
        self.request("GET", target, &[], b"").unwrap_or_else(|e| panic!("GET {target}: {e}"))
    }

    /// Fetches a full URL of this server.
    pub fn get_url(&self, url: &str) -> Reply {
        let base = format!("http://{}", self.address);
        self.get(url.strip_prefix(&base).unwrap_or_else(|| panic!("{url} is not at {base}")))
    }

    /// Uploads a file as curl's `-F image=@…` does.
    pub fn upload(&self, name: &str, bytes: &[u8]) -> Reply {
        self.try_upload(name, bytes).unwrap_or_else(|e| panic!("upload of {name}: {e}"))
    }

    pub fn try_upload(&self, name: &str, bytes: &[u8]) -> io::Result<Reply> {
        let (content_type, body) = form(&[("image", Some(name), bytes)]);
        self.request("POST", "/", &[("Content-Type", &content_type)], &body)
    }

    /// Fetches `url` until it answers 200, as a client of the contract does.
    pub fn wait_for(&self, url: &str, patience: Duration) -> Reply {
        let deadline = Instant::now() + patience;
        loop {
            let reply = self.get_url(url);
            match reply.status {
                200 => return reply,
                404 if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(20)),
                other => panic!("{url} answered {other} (patience {patience:?})"),
            }
        }
    }
}

impl Reply {
    fn parse(bytes: &[u8]) -> Option<Reply> {
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&bytes[..end]).ok()?;
        let mut lines = head.split("\r\n");
        let status: u16 = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        if status == 100 {
            return Reply::parse(&bytes[end + 4..]);
        }
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(n, v)| (n.to_ascii_lowercase(), v.to_owned()))
            .collect();
        Some(Reply { status, headers, body: bytes[end + 4..].to_vec() })
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e} in {}", self.text()))
    }

    /// The four URLs of an accepted upload.
    pub fn url(&self, name: &str) -> String {
        assert_eq!(self.status, 202, "{}", self.text());
        self.json()[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.text())).to_owned()
    }

    /// The stable word of an error.
    pub fn error_code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_else(|| panic!("{}", self.text())).to_owned()
    }
}

/// A multipart form of (field, file name, bytes): its content type and its body.
pub fn form(parts: &[(&str, Option<&str>, &[u8])]) -> (String, Vec<u8>) {
    let boundary = "------------------------d74496d66958873e";
    let mut body = Vec::new();
    for (field, file, bytes) in parts {
        let file = file.map_or(String::new(), |file| format!("; filename=\"{file}\""));
        body.extend(
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{field}\"{file}\r\n").bytes(),
        );
        body.extend(b"Content-Type: application/octet-stream\r\n\r\n");
        body.extend(*bytes);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{boundary}--\r\n").bytes());
    (format!("multipart/form-data; boundary={boundary}"), body)
}
