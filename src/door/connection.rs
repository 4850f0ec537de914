//! One connection's life: heads, bodies, answers, one after the other, until one side ends it.
//!
//! The order for each request: framing, size, expectation, admission, `100 Continue`, body, a slot
//! to work in, the answer. Bytes and deadlines are left to `wire`, the rules to `head` and `framing`.

use std::net::IpAddr;
use std::time::Instant;

use super::crowd::Place;
use super::deadline::Pace;
use super::delivery;
use super::framing::{Decoder, Framing, Step, Version};
use super::head::{Parsed, Scanner};
use super::house::{House, guarded};
use super::render::{self, After};
use super::wire::{Broken, Wire};
use super::{Access, Answer, Exchange, Head, Lane, Method, Refusal, proxies};

/// A connection's buffer, in bytes, once a body comes, if heads may not be larger.
const BUFFER: usize = 16 * 1024;

/// Serves a connection to its end.
pub(super) fn serve(house: &House, place: &Place, peer: IpAddr) {
    // A head may follow one empty line.
    let capacity = BUFFER.max(house.config.max_head_bytes + 2);
    let wire = Wire::new(place.stream(), capacity);
    Connection { house, place, peer, wire, fresh: true }.serve();
}

struct Connection<'h> {
    house: &'h House,
    place: &'h Place,
    peer: IpAddr,
    wire: Wire<'h>,
    /// No request has come yet.
    fresh: bool,
}

/// A head that was understood, and what it says about the rest.
struct Request {
    head: Head,
    version: Version,
    framing: Result<Framing, Refusal>,
    waits: Result<bool, Refusal>,
    persists: bool,
    began: Instant,
}

/// Why there is no further request.
enum NoRequest {
    /// The other end has gone, or the connection was closed for another.
    Ended,
    /// Nothing came for too long, or nothing more is wanted.
    Idle,
    /// What came is refused.
    Refused(Refusal, Instant),
}

/// Why a request does not get as far as its answer.
enum Trouble {
    /// Nobody is there to be answered.
    Gone,
    /// The door refuses.
    Refused(Refusal),
    /// The service has answered already, with some of the body still to come.
    Answered(Answer),
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Trouble {
        Trouble::Refused(refusal)
    }
}

/// What comes after a request.
enum Fate {
    Next,
    /// Ours was the last word, and it must arrive.
    Linger,
    /// Nobody is there any more.
    HangUp,
}

/// An answer and what is known of its request.
struct Outgoing<'a> {
    answer: Answer,
    head: Option<&'a Head>,
    request_id: &'a str,
    version: Version,
    after: After,
    began: Instant,
    received: u64,
}

impl Connection<'_> {
    fn serve(mut self) {
        loop {
            let fate = match self.next_request() {
                Ok(request) => self.handle(request),
                Err(NoRequest::Ended) => return,
                Err(NoRequest::Idle) => Fate::Linger,
                Err(NoRequest::Refused(refusal, began)) => self.refuse(&refusal, began),
            };
            match fate {
                Fate::Next => self.fresh = false,
                Fate::Linger => return self.linger(),
                Fate::HangUp => return,
            }
        }
    }

    fn next_request(&mut self) -> Result<Request, NoRequest> {
        let config = &self.house.config;
        let mut scanner = Scanner::new(config);
        let mut began = Instant::now();
        let mut told = false;
        loop {
            let refused = |refusal| NoRequest::Refused(refusal, began);
            if let Some(range) = scanner.scan(self.wire.unread()).map_err(refused)? {
                let parsed = Parsed::read(&self.wire.unread()[range.clone()], config).map_err(refused)?;
                self.wire.take(range.end);
                self.place.wake().map_err(|_| NoRequest::Ended)?;
                return Ok(self.understand(parsed, began));
            }
            if scanner.begun() {
                if !told {
                    self.place.begin().map_err(|_| NoRequest::Ended)?;
                    told = true;
                }
                self.wire.read_by(began + config.head_time).map_err(|broken| match broken {
                    Broken::TimedOut => refused(Refusal::TooSlow),
                    Broken::Gone => NoRequest::Ended,
                })?;
            } else {
                self.wait()?;
                began = Instant::now();
            }
        }
    }

    /// Waits for the first byte of a head, and may be closed for another meanwhile.
    fn wait(&mut self) -> Result<(), NoRequest> {
        let config = &self.house.config;
        let longest = if self.fresh {
            config.head_time
        } else if self.place.crowd().is_crowded() {
            config.busy_idle_time.min(config.idle_time)
        } else {
            config.idle_time
        };
        self.wire.rest();
        // Closed already, or the door stops: what we said last must still arrive.
        self.place.rest().map_err(|_| NoRequest::Idle)?;
        self.wire.read_within(longest).map_err(|broken| match broken {
            Broken::TimedOut => NoRequest::Idle,
            Broken::Gone => NoRequest::Ended,
        })
    }

    fn understand(&self, parsed: Parsed, began: Instant) -> Request {
        let framing = Framing::declared(&parsed.headers, parsed.version);
        let (waits, persists) = (parsed.waits(), parsed.persists());
        let trusted = &self.house.config.trusted_proxies;
        let head = Head {
            peer: self.peer,
            client: proxies::client(self.peer, &parsed.headers, trusted),
            forwarded_proto: proxies::proto(self.peer, &parsed.headers, trusted),
            body_length: framing.ok().and_then(Framing::length),
            request_id: self.house.next_id(),
            method: parsed.method,
            path: parsed.path,
            query: parsed.query,
            headers: parsed.headers,
        };
        Request { head, version: parsed.version, framing, waits, persists, began }
    }

    #[inline(never)] // See `handle`.
    fn refuse(&mut self, refusal: &Refusal, began: Instant) -> Fate {
        if self.place.wake().is_err() {
            return Fate::HangUp;
        }
        let request_id = self.house.next_id();
        let answer = self.house.word(None, &request_id, refusal);
        self.deliver(Outgoing {
            answer,
            head: None,
            request_id: &request_id,
            version: Version::Http11,
            after: After::Close,
            began,
            received: 0,
        })
    }

    // Its frame is some kilobytes, which each of thousands of connections that only wait would hold as
    // well, were it a part of their caller's.
    #[inline(never)]
    fn handle(&mut self, request: Request) -> Fate {
        let head = &request.head;
        let mut received = 0;
        let (answer, last) = match self.converse(&request, &mut received) {
            Ok(answer) => (answer, !request.persists),
            Err(Trouble::Answered(answer)) => (answer, true),
            Err(Trouble::Refused(refusal)) => (self.house.word(Some(head), &head.request_id, &refusal), true),
            Err(Trouble::Gone) => {
                let request_id = head.request_id.as_str();
                log::debug!(request_id, received; "the client left before it was answered");
                self.house.tell(&Access {
                    head: Some(head),
                    peer: self.peer,
                    request_id,
                    status: 0,
                    received,
                    sent: 0,
                    micros: micros_since(request.began),
                    complete: false,
                });
                return Fate::HangUp;
            }
        };
        let after = if last || self.place.crowd().is_stopping() { After::Close } else { After::Keep };
        self.deliver(Outgoing {
            answer,
            head: Some(head),
            request_id: &head.request_id,
            version: request.version,
            after,
            began: request.began,
            received,
        })
    }

    /// All steps between a head and its answer. An `Ok` leaves the next request at the buffer's front.
    fn converse(&mut self, request: &Request, received: &mut u64) -> Result<Answer, Trouble> {
        let head = &request.head;
        let service = &self.house.service;
        let framing = request.framing?;
        let mut decoder = Decoder::new(framing, self.house.config.max_body_bytes)?;
        let waits = request.waits?;
        let admitted = match guarded(&head.request_id, || service.admit(head))? {
            Ok(admitted) => admitted,
            Err(answer) if framing == Framing::Length(0) => return Ok(answer),
            Err(answer) => return Err(Trouble::Answered(answer)),
        };
        if waits && framing != Framing::Length(0) && self.wire.unread().is_empty() {
            let mut pace = Pace::new(&self.house.config, Instant::now());
            let asked = self.wire.send(b"HTTP/1.1 100 Continue\r\n\r\n", &mut pace);
            asked.map_err(|_| Trouble::Gone)?;
        }
        let mut exchange = admitted.exchange;
        self.receive(&mut decoder, head, &mut *exchange, received)?;
        let _slot = match admitted.lane {
            Lane::Light => None,
            Lane::Work => match self.house.slots.take(self.house.config.work_wait) {
                Some(slot) => Some(slot),
                None => return Ok(self.house.word(Some(head), &head.request_id, &Refusal::Busy)),
            },
        };
        // Nobody waits for it any more: work that is given up is skipped.
        if admitted.lane == Lane::Work && self.wire.is_reset() {
            return Err(Trouble::Gone);
        }
        Ok(guarded(&head.request_id, || exchange.finish())?)
    }

    /// Reads the body and hands it on.
    fn receive(
        &mut self,
        decoder: &mut Decoder,
        head: &Head,
        exchange: &mut dyn Exchange,
        received: &mut u64,
    ) -> Result<(), Trouble> {
        let mut pace = Pace::new(&self.house.config, Instant::now());
        loop {
            let (used, step) = decoder.step(self.wire.unread())?;
            match step {
                Step::Data(bytes) => {
                    let count = bytes.len();
                    let arrived = Instant::now();
                    *received += count as u64;
                    pace.earn(count, arrived);
                    let taken = guarded(&head.request_id, || exchange.body(bytes))?;
                    taken.map_err(Trouble::Answered)?;
                    pace.excuse(arrived.elapsed());
                    self.wire.take(used);
                }
                Step::More => {
                    self.wire.take(used);
                    self.wire.read_by(pace.deadline()).map_err(|broken| match broken {
                        Broken::TimedOut => Trouble::Refused(Refusal::TooSlow),
                        Broken::Gone => Trouble::Gone,
                    })?;
                }
                Step::Done => {
                    self.wire.take(used);
                    return Ok(());
                }
            }
        }
    }

    fn deliver(&mut self, out: Outgoing<'_>) -> Fate {
        let mut answer = self.house.check(out.answer, out.head, out.request_id);
        let status = answer.status;
        let wants_body = out.head.is_none_or(|head| head.method != Method::Head);
        let rendered = render::head(&mut answer, out.version, out.after);
        let body = (wants_body && !render::is_bodiless(status)).then_some(answer.body);
        let sent_before = self.wire.sent();
        let mut pace = Pace::new(&self.house.config, Instant::now());
        let delivered = delivery::send(&mut self.wire, rendered, body, &mut pace);
        self.house.tell(&Access {
            head: out.head,
            peer: self.peer,
            request_id: out.request_id,
            status: status.0,
            received: out.received,
            sent: self.wire.sent() - sent_before,
            micros: micros_since(out.began),
            complete: delivered.is_ok(),
        });
        match (delivered, out.after) {
            (Err(_), _) => Fate::HangUp,
            (Ok(()), After::Close) => Fate::Linger,
            (Ok(()), After::Keep) => Fate::Next,
        }
    }

    /// Reads on after our last word; it may be closed for another meanwhile.
    fn linger(&mut self) {
        // Should it be closed already, there is nothing to read either.
        let _ = self.place.rest();
        self.wire.linger(self.house.config.linger_time, self.house.config.linger_bytes);
    }
}

fn micros_since(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX)
}
