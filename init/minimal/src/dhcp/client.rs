//! The client's states and times (RFC 2131, section 4.4), without sockets and clocks: the caller
//! tells what time it is and what arrived, and does what is answered.
//!
//! One departure from the RFC: the first repetitions come after a tenth of a second and not after
//! four, since a cloud's server answers in milliseconds and the adapter may just be waking up.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::Mac;
use super::packet::{Ask, Lease, Reply, Request, reply};

/// Time, since whatever moment the caller counts from.
pub type Now = Duration;

const FIRST_REPEAT: Duration = Duration::from_millis(100);
const LAST_REPEAT: Duration = Duration::from_secs(16);

/// After so many unanswered requests for an offered address all begins anew.
const REQUESTS: u32 = 5;

/// Pause after a refusal, so that a server that refuses everything is not flooded.
const AFTER_NAK: Duration = Duration::from_secs(1);

/// Least time between two requests to extend a lease (section 4.4.5).
const LEAST_EXTEND: Duration = Duration::from_secs(60);

/// Least time before a lease is extended, whatever the server says.
const LEAST_RENEW: Duration = Duration::from_secs(5);

/// What the caller has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Do {
    /// Send this message.
    Send(Vec<u8>, To),
    /// Use this lease from now on; it may be the same as before.
    Use(Lease),
    /// Stop using the address.
    Lose(Lease),
}

/// Where to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// All servers on this network, from this address (unspecified as long as there is none).
    All(Ipv4Addr),
    /// This server, from this address.
    One(Ipv4Addr, Ipv4Addr),
}

/// What the client listens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ear {
    /// Nothing: it has a lease and waits.
    None,
    /// Everything that arrives at the adapter, since there is no address, or it may be refused.
    Adapter,
    /// What arrives at this address.
    Address(Ipv4Addr),
}

enum State {
    Discovering,
    Requesting { offer: Lease, tries: u32 },
    Bound(Held),
    Renewing(Held),
    Rebinding(Held),
}

/// A lease and the moments of its life.
#[derive(Clone)]
struct Held {
    lease: Lease,
    rebind: Now,
    ends: Now,
}

/// A DHCP client of one adapter.
pub struct Client {
    mac: Mac,
    state: State,
    transaction: u32,
    /// When the asking began.
    began: Now,
    /// When something is to be done next.
    due: Now,
    repeat: Duration,
}

impl Client {
    /// A client that has something to do at once.
    pub fn new(mac: Mac, now: Now) -> Client {
        Client { mac, state: State::Discovering, transaction: 0, began: now, due: now, repeat: FIRST_REPEAT }
    }

    /// When [`Client::on_time`] is to be called next.
    pub fn due(&self) -> Now {
        self.due
    }

    /// What to listen to until then.
    pub fn ear(&self) -> Ear {
        match &self.state {
            State::Discovering | State::Requesting { .. } | State::Rebinding(_) => Ear::Adapter,
            State::Bound(_) => Ear::None,
            State::Renewing(held) => Ear::Address(held.lease.address),
        }
    }

    /// The time is `due`, or later; `random` is any number, another each time.
    pub fn on_time(&mut self, now: Now, random: u32) -> Do {
        match &mut self.state {
            State::Discovering => self.discover(now, random),
            State::Requesting { tries, .. } if *tries >= REQUESTS => {
                self.begin(now);
                self.discover(now, random)
            }
            State::Requesting { offer, tries } => {
                *tries += 1;
                let ask = Ask::Select { address: offer.address, server: offer.server };
                self.repeat_after(now, random);
                Do::Send(self.request(now, ask), To::All(Ipv4Addr::UNSPECIFIED))
            }
            State::Bound(held) | State::Renewing(held) | State::Rebinding(held) => {
                let held = held.clone();
                self.extend(held, now, random)
            }
        }
    }

    /// This message arrived. `None` where it changes nothing.
    pub fn on_message(&mut self, now: Now, message: &[u8]) -> Option<Do> {
        let reply = reply(message, self.transaction, &self.mac)?;
        match (&self.state, reply) {
            (State::Discovering, Reply::Offer(offer)) => {
                self.state = State::Requesting { offer, tries: 0 };
                self.repeat = FIRST_REPEAT;
                self.due = now;
                None
            }
            (State::Requesting { .. } | State::Renewing(_) | State::Rebinding(_), Reply::Ack(lease)) => {
                Some(self.hold(now, lease))
            }
            (State::Requesting { .. }, Reply::Nak) => {
                self.begin(now + AFTER_NAK);
                None
            }
            (State::Renewing(held) | State::Rebinding(held), Reply::Nak) => {
                let lost = held.lease.clone();
                self.begin(now + AFTER_NAK);
                Some(Do::Lose(lost))
            }
            _ => None,
        }
    }

    fn begin(&mut self, at: Now) {
        self.state = State::Discovering;
        self.began = at;
        self.due = at;
        self.repeat = FIRST_REPEAT;
    }

    fn discover(&mut self, now: Now, random: u32) -> Do {
        self.transaction = random;
        self.repeat_after(now, random);
        Do::Send(self.request(now, Ask::Discover), To::All(Ipv4Addr::UNSPECIFIED))
    }

    fn extend(&mut self, held: Held, now: Now, random: u32) -> Do {
        if now >= held.ends {
            self.begin(now);
            return Do::Lose(held.lease);
        }
        if let State::Bound(_) = self.state {
            self.transaction = random;
            self.began = now;
        }
        let address = held.lease.address;
        let (to, until) = match now < held.rebind {
            true => (To::One(address, held.lease.server), held.rebind),
            false => (To::All(address), held.ends),
        };
        // Half of what is left, and not too often (section 4.4.5).
        self.due = until.min(now + ((until - now) / 2).max(LEAST_EXTEND));
        self.state = if now < held.rebind { State::Renewing(held) } else { State::Rebinding(held) };
        Do::Send(self.request(now, Ask::Extend { address }), to)
    }

    fn hold(&mut self, now: Now, lease: Lease) -> Do {
        let ends = lease.lasts.map_or(Duration::MAX, |lasts| now.saturating_add(lasts));
        let moment = |told: Option<Duration>, eighths: u32| {
            let lasts = lease.lasts.unwrap_or(Duration::MAX);
            // What a server tells counts if it is within the lease.
            let time = told.filter(|told| *told < lasts).unwrap_or(lasts / 8 * eighths);
            now.saturating_add(time.max(LEAST_RENEW))
        };
        let rebind = moment(lease.rebind, 7).min(ends);
        let renew = moment(lease.renew, 4).min(rebind);
        self.due = renew;
        self.state = State::Bound(Held { lease: lease.clone(), rebind, ends });
        Do::Use(lease)
    }

    /// Repeats later and later, each time up to an eighth off, so that a thousand machines that
    /// start together do not ask together.
    fn repeat_after(&mut self, now: Now, random: u32) {
        self.due = now + self.repeat + self.repeat / 8 * (random % 1024) / 1024;
        self.repeat = (self.repeat * 2).min(LAST_REPEAT);
    }

    fn request(&self, now: Now, ask: Ask) -> Vec<u8> {
        let waited = now.saturating_sub(self.began);
        Request { transaction: self.transaction, waited, mac: self.mac, ask }.bytes()
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
