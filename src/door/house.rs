//! What all connections share: limits, slots, request ids, and the service behind a wall.
//!
//! Every call of the service goes through here, so that its panics end one request and no more.

use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::slots::Slots;
use super::{Access, Answer, Config, Head, Refusal, Service, StatusCode};

/// Shared by all connections.
pub(super) struct House {
    /// The limits.
    pub config: Config,
    /// What stands behind the door.
    pub service: Arc<dyn Service>,
    /// Bounds [`super::Lane::Work`].
    pub slots: Slots,
    ids: Ids,
}

impl House {
    /// A house for `service` within the limits of `config`.
    ///
    /// # Errors
    /// When the operating system has no randomness to give.
    pub fn new(config: Config, service: Arc<dyn Service>) -> Result<House, getrandom::Error> {
        let slots = Slots::new(config.work_slots);
        Ok(House { config, service, slots, ids: Ids::new()? })
    }

    /// A name for the next request.
    pub fn next_id(&self) -> String {
        self.ids.next()
    }

    /// Has the service word a refusal; a plain one if it panics.
    pub fn word(&self, head: Option<&Head>, request_id: &str, refusal: &Refusal) -> Answer {
        let worded = guarded(request_id, || self.service.refuse(head, request_id, refusal));
        worded.unwrap_or_else(|_| {
            let status = refusal.status();
            Answer::new(status.0, "text/plain", format!("{}\n", status.default_reason_phrase()))
                .with_header("X-Content-Type-Options", "nosniff")
                .with_header("Content-Security-Policy", "default-src 'none'")
        })
    }

    /// The same answer, or a 500 if it is none that can be sent.
    pub fn check(&self, answer: Answer, head: Option<&Head>, request_id: &str) -> Answer {
        let StatusCode(status) = answer.status;
        let bytes = answer.body.in_memory().map_or(0, |b| b.len() as u64);
        if (200..600).contains(&status) && bytes <= self.config.max_answer_bytes {
            return answer;
        }
        log::error!(request_id, status, bytes; "an answer that can't be sent: no final status, or too large");
        self.word(head, request_id, &Refusal::Panicked)
    }

    /// Tells the service of an answer.
    pub fn tell(&self, access: &Access<'_>) {
        // Its panic is logged; there is nobody left to answer.
        let _ = guarded(access.request_id, || self.service.answered(access));
    }

    /// Whether `peer` is a trusted proxy.
    pub fn trusts(&self, peer: IpAddr) -> bool {
        self.config.trusted_proxies.contain(peer)
    }
}

/// Calls the service; its panic becomes a refusal.
///
/// # Errors
/// [`Refusal::Panicked`].
pub(super) fn guarded<T>(request_id: &str, call: impl FnOnce() -> T) -> Result<T, Refusal> {
    // What a panic leaves half-done belongs to the one request, and is dropped with it.
    catch_unwind(AssertUnwindSafe(call)).map_err(|payload| {
        let told = payload.downcast_ref::<&str>().copied();
        let told = told.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        log::error!(request_id, panic = told.unwrap_or("(no message)"); "the service panicked");
        Refusal::Panicked
    })
}

/// Names requests: a random prefix for this door and a count.
struct Ids {
    prefix: String,
    next: AtomicU64,
}

impl Ids {
    fn new() -> Result<Ids, getrandom::Error> {
        let mut random = [0; 8];
        crate::random::fill(&mut random)?;
        // 40 bits: a thousand doors started share a prefix with a probability below 1 in a million.
        let prefix = base32(u64::from_le_bytes(random) >> 24, 8);
        Ok(Ids { prefix, next: AtomicU64::new(1) })
    }

    fn next(&self) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        format!("{}-{}", self.prefix, base32(number, 1))
    }
}

/// RFC 4648 base32 in lower case, padded on the left to `least` digits.
fn base32(number: u64, least: usize) -> String {
    const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut rest = number;
    let mut digits = Vec::with_capacity(13);
    while rest > 0 || digits.len() < least {
        digits.push(char::from(DIGITS[(rest & 31) as usize]));
        rest >>= 5;
    }
    digits.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_are_distinct_and_plain() {
        let ids = Ids::new().unwrap();
        let made: HashSet<String> = (0..1000).map(|_| ids.next()).collect();
        assert_eq!(made.len(), 1000);
        for id in &made {
            assert!(id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), "{id}");
            assert!(id.len() <= 24, "{id}");
        }
        assert!(!made.contains(&Ids::new().unwrap().next()));
    }

    #[test]
    fn base32_counts() {
        assert_eq!(base32(0, 1), "a");
        assert_eq!(base32(1, 3), "aab");
        assert_eq!(base32(32, 1), "ba");
        assert_eq!(base32(u64::MAX, 1).len(), 13);
    }
}
