//! The door over real loopback sockets, before a small service that echoes.

mod ending;
mod limits;
mod requests;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use super::*;

/// So long a test waits for what must come, so that a fault ends the test and a busy machine doesn't.
const PATIENCE: Duration = Duration::from_secs(30);

/// An answer that is told of, as the tests compare it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    path: Option<String>,
    status: u16,
    received: u64,
    complete: bool,
}

/// Answers by path; `/echo` gives back the request's body.
#[derive(Default)]
struct Echo {
    told: Mutex<Vec<Told>>,
    /// How many requests to `/wait` are being worked on, and whether they may end.
    gate: Mutex<(usize, bool)>,
    moved: Condvar,
}

impl Echo {
    /// Waits until `count` requests to `/wait` are being worked on.
    fn await_working(&self, count: usize) {
        let gate = self.gate.lock().unwrap();
        let (gate, late) = self.moved.wait_timeout_while(gate, PATIENCE, |gate| gate.0 < count).unwrap();
        assert!(!late.timed_out(), "{} of {count} at work", gate.0);
    }

    fn open_gate(&self) {
        // Also called when a test that holds the lock has failed.
        self.gate.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).1 = true;
        self.moved.notify_all();
    }

    /// Waits until `count` answers have been told of, and returns them.
    fn await_told(&self, count: usize) -> Vec<Told> {
        let told = self.told.lock().unwrap();
        let (told, _) = self.moved.wait_timeout_while(told, PATIENCE, |told| told.len() < count).unwrap();
        told.clone()
    }
}

struct EchoExchange<'s> {
    echo: &'s Echo,
    head: &'s Head,
    body: Vec<u8>,
}

impl Service for Echo {
    fn admit<'s>(&'s self, head: &'s Head) -> Result<Admitted<'s>, Answer> {
        match head.path.as_str() {
            "/forbidden" => return Err(Answer::new(403, "text/plain", "no")),
            "/panic/admit" => panic!("on purpose, at admission"),
            _ => {}
        }
        let lane = if head.path == "/wait" { Lane::Work } else { Lane::Light };
        Ok(Admitted { exchange: Box::new(EchoExchange { echo: self, head, body: Vec::new() }), lane })
    }

    fn refuse(&self, head: Option<&Head>, _: &str, refusal: &Refusal) -> Answer {
        if head.is_some_and(|head| head.path == "/panic/twice") {
            panic!("on purpose, at a refusal");
        }
        let answer = Answer::new(refusal.status().0, "text/plain", format!("{refusal:?}"));
        answer.with_header("X-Knows-Head", if head.is_some() { "yes" } else { "no" })
    }

    fn answered(&self, access: &Access<'_>) {
        let told = Told {
            path: access.head.map(|head| head.path.clone()),
            status: access.status,
            received: access.received,
            complete: access.complete,
        };
        self.told.lock().unwrap().push(told);
        self.moved.notify_all();
    }
}

impl Exchange for EchoExchange<'_> {
    fn body(&mut self, bytes: &[u8]) -> Result<(), Answer> {
        match self.head.path.as_str() {
            "/picky" => return Err(Answer::new(415, "text/plain", "not this")),
            "/panic/body" => panic!("on purpose, in the body"),
            _ => {}
        }
        self.body.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Answer {
        let split = |name: &str, value: &str| {
            let mut answer = Answer::new(200, "text/plain", "whole");
            answer.headers.push(Header::from_bytes(name, value).unwrap());
            answer
        };
        match self.head.path.as_str() {
            "/panic/finish" | "/panic/twice" => panic!("on purpose, at the end"),
            "/none" => Answer::empty(204),
            "/unchanged" => Answer::empty(304),
            "/continue" => Answer::empty(100),
            "/split/value" => split("X-A", "b\r\nX-Split: 1\r\n\r\n<p>"),
            "/split/name" => split("X-A: b\r\nX-Split", "1"),
            "/bytes" => Answer::new(200, "image/png", vec![7; self.head.query.parse().unwrap()]),
            "/file" => {
                let mut file = tempfile::tempfile().unwrap();
                let (length, promised) = self.head.query.split_once('&').unwrap();
                file.write_all(&(0..length.parse().unwrap()).map(|i: u32| i as u8).collect::<Vec<_>>())
                    .unwrap();
                Answer::file(206, "image/png", file, 3..promised.parse().unwrap())
            }
            "/wait" => {
                let mut gate = self.echo.gate.lock().unwrap();
                gate.0 += 1;
                self.echo.moved.notify_all();
                let gate = self.echo.moved.wait_timeout_while(gate, PATIENCE, |gate| !gate.1).unwrap().0;
                Answer::new(200, "text/plain", if gate.1 { "waited" } else { "in vain" })
            }
            _ => {
                let seen = format!("{} {} {:?}", self.head.method, self.head.path, self.head.body_length);
                Answer::new(200, "text/plain", self.body).with_header("X-Seen", &seen)
            }
        }
    }
}

/// An open door; stops when dropped.
struct Open {
    address: SocketAddr,
    echo: Arc<Echo>,
    stopper: Stopper,
    thread: Option<JoinHandle<Result<(), Error>>>,
}

/// Opens a door on a free port, with the limits that `adjust` sets.
fn open(adjust: impl FnOnce(&mut Config)) -> Open {
    let mut config = Config::new(SocketAddr::from(([127, 0, 0, 1], 0)));
    // No limit is met unless a test is about it, however slow the machine.
    config.head_time = PATIENCE;
    config.grace = PATIENCE;
    config.work_wait = PATIENCE;
    config.drain_time = PATIENCE;
    config.linger_time = PATIENCE;
    config.threads_at_start = 1;
    adjust(&mut config);
    let door = Door::bind(config).unwrap();
    let (address, stopper, echo) = (door.local_addr(), door.stopper(), Arc::new(Echo::default()));
    let service = echo.clone();
    let thread = Some(std::thread::spawn(move || door.run(service)));
    Open { address, echo, stopper, thread }
}

impl Open {
    fn client(&self) -> Client {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Client(BufReader::new(stream))
    }

    /// What one request on a connection of its own is answered.
    fn ask(&self, request: impl AsRef<[u8]>) -> Reply {
        let mut client = self.client();
        client.send(request);
        client.reply()
    }

    /// The status that such a request is answered with, and that the connection ends then.
    fn ask_last(&self, request: impl AsRef<[u8]>) -> u16 {
        let mut client = self.client();
        client.send(request);
        let reply = client.reply();
        assert_eq!(reply.header("connection"), Some("close"));
        assert!(client.is_at_end());
        reply.status
    }

    fn stop(&mut self) {
        self.stopper.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap().unwrap();
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.echo.open_gate();
        if !std::thread::panicking() {
            self.stop();
        }
    }
}

/// The client's end of a connection.
struct Client(BufReader<TcpStream>);

/// What a client was answered.
#[derive(Debug)]
struct Reply {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Client {
    fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.get_ref().write_all(bytes.as_ref()).unwrap();
    }

    /// The next answer's head, up to its empty line.
    fn head(&mut self) -> Reply {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let count = self.0.read_line(&mut head).unwrap();
            assert!(count > 0, "the connection ended within a head: {head:?}");
        }
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Reply { status, head, body: Vec::new() }
    }

    /// The next answer with its body.
    fn reply(&mut self) -> Reply {
        let mut reply = self.head();
        let length = reply.header("content-length").map_or(0, |digits| digits.parse().unwrap());
        reply.body.resize(length, 0);
        self.0.read_exact(&mut reply.body).unwrap();
        reply
    }

    /// Whether the server has closed the connection in good order.
    fn is_at_end(&mut self) -> bool {
        self.0.read(&mut [0]).unwrap() == 0
    }
}

impl Reply {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.split("\r\n").filter_map(|line| line.split_once(": "));
        lines.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// A request to `path` with these further header lines, each ending with CR LF.
fn get(path: &str, lines: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: h\r\n{lines}\r\n")
}

/// An upload to `path` with a counted body.
fn post(path: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}
