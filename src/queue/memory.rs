//! A queue in this process's memory, for unit tests: the trait's promises and nothing more.
//!
//! Nothing outlives the process. Its clock is the monotonic one; `sent` alone is wall-clock time.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::{Cause, Delivery, Depth, Error, MAX_BATCH, Queue, Receipt};

/// Receives of a message before the next one makes it a dead letter.
const MAX_RECEIVES: u32 = 10;

/// A queue in memory.
#[derive(Debug, Default)]
pub struct MemoryQueue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// By number: the order of sending.
    messages: BTreeMap<u64, Message>,
    dead: Vec<(String, Cause)>,
    sent: u64,
    receipts: u64,
}

#[derive(Debug)]
struct Message {
    body: String,
    sent: u64,
    queued: Instant,
    visible: Instant,
    receives: u32,
    /// Number of the receipt that was given out last; 0 before the first.
    receipt: u64,
}

impl MemoryQueue {
    /// An empty queue.
    pub fn new() -> MemoryQueue {
        MemoryQueue::default()
    }

    /// The dead letters' bodies and causes, in the order of dying.
    pub fn dead(&self) -> Vec<(String, Cause)> {
        self.lock().dead.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that holds the lock can panic half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self, max: usize, visibility: Duration) -> Vec<Delivery> {
        let now = Instant::now();
        self.bury_overused(now);
        let State { messages, receipts, .. } = self;
        let visible = messages.iter_mut().filter(|(_, message)| message.visible <= now);
        let mut taken = Vec::new();
        for (number, message) in visible.take(max.min(MAX_BATCH)) {
            *receipts += 1;
            message.receipt = *receipts;
            message.receives += 1;
            message.visible = now + visibility;
            taken.push(Delivery {
                body: message.body.clone(),
                receipt: Receipt(format!("{number}.{receipts}")),
                receives: message.receives,
                sent: message.sent,
            });
        }
        taken
    }

    fn bury_overused(&mut self, now: Instant) {
        let overused = self
            .messages
            .extract_if(.., |_, message| message.visible <= now && message.receives >= MAX_RECEIVES);
        let cause = || Cause {
            cause: format!("received {MAX_RECEIVES} times and never deleted"),
            program: String::new(),
            host: String::new(),
        };
        self.dead.extend(overused.map(|(_, message)| (message.body, cause())));
    }

    /// Number of the message that `receipt` still holds.
    fn held(&self, receipt: &Receipt) -> Result<u64, Error> {
        let parts = receipt.0.split_once('.');
        let numbers = parts.and_then(|(n, r)| Some((n.parse().ok()?, r.parse::<u64>().ok()?)));
        match numbers {
            Some((number, receipt)) if self.messages.get(&number).is_some_and(|m| m.receipt == receipt) => {
                Ok(number)
            }
            _ => Err(Error::ReceiptVoid),
        }
    }

    fn until_next_visible(&self) -> Option<Duration> {
        let next = self.messages.values().map(|message| message.visible).min()?;
        Some(next.saturating_duration_since(Instant::now()))
    }
}

impl Queue for MemoryQueue {
    fn send(&self, body: &str) -> Result<(), Error> {
        let mut state = self.lock();
        state.sent += 1;
        let number = state.sent;
        let now = Instant::now();
        // A clock before 1970 is read as 1970.
        let sent = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
        let message =
            Message { body: body.to_owned(), sent, queued: now, visible: now, receives: 0, receipt: 0 };
        state.messages.insert(number, message);
        self.changed.notify_all();
        Ok(())
    }

    fn receive(&self, max: usize, visibility: Duration, wait: Duration) -> Result<Vec<Delivery>, Error> {
        let deadline = Instant::now() + wait;
        let mut state = self.lock();
        loop {
            let taken = state.take(max, visibility);
            let left = deadline.saturating_duration_since(Instant::now());
            if !taken.is_empty() || left.is_zero() {
                return Ok(taken);
            }
            let pause = state.until_next_visible().map_or(left, |next| next.min(left));
            state = self.changed.wait_timeout(state, pause).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn change_visibility(&self, receipt: &Receipt, visibility: Duration) -> Result<(), Error> {
        let mut state = self.lock();
        let number = state.held(receipt)?;
        if let Some(message) = state.messages.get_mut(&number) {
            message.visible = Instant::now() + visibility;
        }
        self.changed.notify_all();
        Ok(())
    }

    fn delete(&self, receipts: &[Receipt]) -> Vec<Result<(), Error>> {
        let mut state = self.lock();
        let mut delete = |receipt| {
            let number = state.held(receipt)?;
            state.messages.remove(&number);
            Ok(())
        };
        receipts.iter().map(&mut delete).collect()
    }

    fn bury(&self, delivery: &Delivery, cause: &Cause) -> Result<(), Error> {
        let mut state = self.lock();
        let number = state.held(&delivery.receipt)?;
        state.messages.remove(&number);
        state.dead.push((delivery.body.clone(), cause.clone()));
        Ok(())
    }

    fn depth(&self) -> Result<Depth, Error> {
        let (state, now) = (self.lock(), Instant::now());
        let waiting = || state.messages.values().filter(|message| message.visible <= now);
        let count = waiting().count() as u64;
        Ok(Depth {
            waiting: count,
            in_flight: state.messages.len() as u64 - count,
            oldest: waiting().map(|message| now.saturating_duration_since(message.queued)).max(),
            dead: state.dead.len() as u64,
        })
    }

    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    fn describe(&self) -> String {
        "memory".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::conformance;

    #[test]
    fn keeps_the_promises_of_a_queue() {
        conformance::all(|case| case(&MemoryQueue::new()));
    }
}
