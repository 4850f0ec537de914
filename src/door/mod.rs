//! The public socket: connections, deadlines, caps, framing.
//!
//! One seam leads on from here, [`Service`]: a complete, screened request in, an answer out. The
//! door owns sockets and never looks at what a body means; a service never sees a socket.
//! `tiny_http` gives the words (its [`Method`], [`Header`], [`StatusCode`]) and renders an answer's
//! head; its accept loop, thread pool and request parser are not used (`vendor-notes/tiny_http.md`).
//!
//! The way of a connection: `listener` accepts it, `crowd` gives it a place or `usher` turns it away,
//! a thread of `pool` serves it in `connection`, which reads and writes through `wire`, asks [`head`] and
//! [`framing`] what the bytes mean, and answers through `render` and `delivery`. A body is handed on as it comes: how much of it is
//! held in memory is for the service to bound.

use std::net::IpAddr;

mod answer;
mod config;
mod connection;
mod crowd;
mod deadline;
mod delivery;
pub mod framing;
pub mod head;
mod house;
mod listener;
mod pool;
mod process;
mod proxies;
mod render;
mod slots;
mod usher;
mod wire;

pub use answer::{Answer, Body, header};
pub use config::{Config, MOST_HEADERS};
pub use listener::{Door, Error, Stopper};
pub use process::prepare_process;
pub use proxies::{Network, Networks, client_network};
pub use tiny_http::{Header, Method, StatusCode};

/// A request's head, screened: every rule of framing was checked.
#[derive(Clone, Debug)]
pub struct Head {
    /// The request's method.
    pub method: Method,
    /// Path of the target, starting with `/`, percent-encoding as sent.
    pub path: String,
    /// What follows the target's `?`, as sent; empty if there is none.
    pub query: String,
    /// All headers, in their order.
    pub headers: Vec<Header>,
    /// Address of the socket's other end.
    pub peer: IpAddr,
    /// Address of the client: `peer`, or what a trusted proxy's `X-Forwarded-For` says.
    pub client: IpAddr,
    /// Scheme the client used, as a trusted proxy's `X-Forwarded-Proto` says: `http` or `https`.
    pub forwarded_proto: Option<&'static str>,
    /// Declared length of the body in bytes; `None` if it comes in chunks, 0 if there is none.
    pub body_length: Option<u64>,
    /// Names this request in answers and logs.
    pub request_id: String,
}

impl Head {
    /// The value of the first header called `name` (in any case).
    pub fn header(&self, name: &str) -> Option<&str> {
        answer::find(&self.headers, name)
    }
}

/// What stands behind the door.
pub trait Service: Send + Sync {
    /// Decides from the head alone, before `100 Continue` and before any byte of the body.
    ///
    /// # Errors
    /// The refusal, where this request is not taken: sent at once, and the connection closed if a
    /// body is still to come.
    fn admit<'s>(&'s self, head: &'s Head) -> Result<Admitted<'s>, Answer>;

    /// Words a refusal by the door itself; `head` is there once it was read and understood.
    fn refuse(&self, head: Option<&Head>, request_id: &str, refusal: &Refusal) -> Answer;

    /// Told of every request when its answer is out, or given up: the access log.
    fn answered(&self, access: &Access<'_>);
}

/// An admitted request.
pub struct Admitted<'s> {
    /// Takes its body and answers it.
    pub exchange: Box<dyn Exchange + 's>,
    /// Which bound applies to its work.
    pub lane: Lane,
}

/// Which bound applies to the work of answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Costs processor, disk or memory: a bounded number at once, a bounded wait, then 503.
    Work,
    /// Costs next to nothing, or sleeps (a long poll): bounded by connections alone.
    Light,
}

/// One admitted request's way to its answer.
pub trait Exchange: Send {
    /// The next bytes of the body, as they come off the socket (framing removed).
    ///
    /// # Errors
    /// A refusal, where it is clear already that this body is not taken.
    fn body(&mut self, bytes: &[u8]) -> Result<(), Answer>;

    /// The body is complete: works and answers.
    fn finish(self: Box<Self>) -> Answer;
}

/// Why the door itself refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// 400: breaks HTTP's rules; says which.
    Malformed(&'static str),
    /// 408: head or body slower than the deadlines.
    TooSlow,
    /// 413: more body bytes than the limit.
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// 414: the target is too long.
    TargetTooLong,
    /// 417: an expectation other than 100-continue.
    Expectation,
    /// 429: this address has its share of connections already.
    TooManyConnections,
    /// 431: too many header bytes or headers.
    HeadTooLarge,
    /// 500: the service panicked.
    Panicked,
    /// 501: a transfer coding that is not spoken.
    TransferCoding,
    /// 503: all connections, or all working slots, are taken.
    Busy,
    /// 505: an HTTP version that is not spoken.
    Version,
}

impl Refusal {
    /// The status it is answered with.
    pub fn status(&self) -> StatusCode {
        StatusCode(match self {
            Refusal::Malformed(_) => 400,
            Refusal::TooSlow => 408,
            Refusal::TooLarge { .. } => 413,
            Refusal::TargetTooLong => 414,
            Refusal::Expectation => 417,
            Refusal::TooManyConnections => 429,
            Refusal::HeadTooLarge => 431,
            Refusal::Panicked => 500,
            Refusal::TransferCoding => 501,
            Refusal::Busy => 503,
            Refusal::Version => 505,
        })
    }
}

/// One line of the access log.
pub struct Access<'a> {
    /// The request's head, if it was understood.
    pub head: Option<&'a Head>,
    /// Address of the socket's other end.
    pub peer: IpAddr,
    /// Names the request.
    pub request_id: &'a str,
    /// Status of the answer; 0 where the client left before there was one.
    pub status: u16,
    /// Bytes of body received.
    pub received: u64,
    /// Bytes of answer sent, head included.
    pub sent: u64,
    /// From the first byte of the head to the last of the answer, in microseconds.
    pub micros: u64,
    /// Whether all of the answer went out.
    pub complete: bool,
}

#[cfg(test)]
mod tests;
