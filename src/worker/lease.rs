//! Messages in hand: each is kept invisible by the heartbeat until it is settled.
//!
//! A lease is settled by exactly one of [`Lease::release`] and [`Lease::bury`], or by deleting the
//! message ([`super::finish`]) and then [`Lease::settled`]. One that is dropped in another way, by a
//! thread that panicked, is given back to the queue with a delay.
//!
//! Work on a message is limited in time. When that is over, who works on it is to give it up; who has not
//! after some grace is lost, and with it the process. Until then the message is extended: this worker, or
//! another, would but lose one more thread to it.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use log::{debug, warn};

use crate::pulse::Pulse;
use crate::queue::{self, Cause, Delivery, Queue, Receipt};

/// All messages in hand.
pub struct Leases {
    most: usize,
    limits: Limits,
    queue: Arc<dyn Queue>,
    table: Mutex<Table>,
    changed: Condvar,
    pulse: Pulse,
}

/// The times of a message in hand.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// It is extended by so much, at every third of it.
    pub visibility: Duration,
    /// So long may be worked on it.
    pub job_time: Duration,
    /// So much longer at most it takes to give it up.
    pub grace: Duration,
}

#[derive(Default)]
struct Table {
    next: u64,
    held: HashMap<u64, Held>,
    receiving: usize,
    closed: bool,
}

struct Held {
    receipt: Receipt,
    receives: u32,
    extended: Instant,
    /// Since when it is worked on, if it is.
    begun: Option<Instant>,
    /// Work on it before that.
    before: Duration,
}

impl Held {
    fn worked(&self) -> Duration {
        self.before + self.begun.map_or(Duration::ZERO, |begun| begun.elapsed())
    }

    /// Whether nobody will ever give it up.
    fn is_lost(&self, limits: &Limits) -> bool {
        self.begun.is_some() && self.worked() > limits.job_time + limits.grace
    }
}

/// A receive that is under way.
pub struct Receiving<'a>(&'a Leases);

impl Drop for Receiving<'_> {
    fn drop(&mut self) {
        self.0.lock().receiving -= 1;
        self.0.changed.notify_all();
    }
}

/// One message in hand.
pub struct Lease {
    leases: Arc<Leases>,
    number: u64,
    delivery: Delivery,
    open: bool,
}

impl Leases {
    /// At most `most` messages in hand.
    pub fn new(most: usize, limits: Limits, queue: Arc<dyn Queue>) -> Arc<Leases> {
        let (table, changed, pulse) = (Mutex::default(), Condvar::new(), Pulse::new());
        Arc::new(Leases { most, limits, queue, table, changed, pulse })
    }

    /// How many more messages may be taken now; waits up to `patience` for there to be any.
    pub fn room(&self, patience: Duration) -> usize {
        let table = self.lock();
        let full = |table: &mut Table| table.held.len() >= self.most;
        let waited = self.changed.wait_timeout_while(table, patience, full);
        self.most.saturating_sub(waited.unwrap_or_else(PoisonError::into_inner).0.held.len())
    }

    /// Whether at most `count` messages are in hand; waits up to `patience` for that.
    pub fn are_at_most(&self, count: usize, patience: Duration) -> bool {
        let more = |table: &mut Table| table.held.len() > count;
        let waited = self.changed.wait_timeout_while(self.lock(), patience, more);
        waited.unwrap_or_else(PoisonError::into_inner).0.held.len() <= count
    }

    /// Takes a delivered message in hand.
    pub fn hold(self: &Arc<Leases>, delivery: Delivery) -> Lease {
        let mut table = self.lock();
        let number = table.next;
        table.next += 1;
        let (receipt, receives) = (delivery.receipt.clone(), delivery.receives);
        let (extended, before) = (Instant::now(), Duration::ZERO);
        table.held.insert(number, Held { receipt, receives, extended, begun: None, before });
        Lease { leases: Arc::clone(self), number, delivery, open: true }
    }

    /// Says that messages are about to be in hand, until the guard is dropped.
    pub fn receiving(&self) -> Receiving<'_> {
        self.lock().receiving += 1;
        Receiving(self)
    }

    /// Whether messages are about to be in hand.
    #[cfg(test)]
    pub fn is_receiving(&self) -> bool {
        self.lock().receiving > 0
    }

    /// Waits until no message is in hand or about to be, but those that are lost; at most until `deadline`.
    /// Says whether it is so.
    pub fn wait_until_none(&self, deadline: Instant) -> bool {
        let patience = deadline.saturating_duration_since(Instant::now());
        let hoped_for = |held: &Held| !held.is_lost(&self.limits);
        let any = |table: &mut Table| table.receiving > 0 || table.held.values().any(hoped_for);
        let waited = self.changed.wait_timeout_while(self.lock(), patience, any);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// How many messages are in hand.
    pub fn count(&self) -> usize {
        self.lock().held.len()
    }

    /// Gives all messages in hand back to the queue, those that are lost with a delay, and ends the
    /// heartbeat. Returns how many.
    pub fn give_back_all(&self) -> usize {
        let held = {
            let mut table = self.lock();
            table.closed = true;
            std::mem::take(&mut table.held)
        };
        self.changed.notify_all();
        for held in held.values() {
            let delay = if held.is_lost(&self.limits) { backoff(held.receives) } else { Duration::ZERO };
            note(self.queue.change_visibility(&held.receipt, delay), "give back");
        }
        held.len()
    }

    /// Extends messages in hand, until [`Leases::give_back_all`].
    pub fn heartbeat(&self) {
        let beat = self.limits.visibility / 3;
        loop {
            self.pulse.beat();
            let table = self.lock();
            // A third of a third: a lease is extended when between 1/3 and 4/9 of its time is gone.
            let waiting = |table: &mut Table| !table.closed;
            let waited = self.changed_or(beat / 3, table, waiting);
            if waited.closed {
                return;
            }
            let due = due(&waited.held, beat, &self.limits);
            drop(waited);
            for (number, receipt) in due {
                note(self.queue.change_visibility(&receipt, self.limits.visibility), "extend");
                if let Some(held) = self.lock().held.get_mut(&number) {
                    held.extended = Instant::now();
                }
                self.pulse.beat();
            }
        }
    }

    /// Beats at each turn of the heartbeat, and at each message that it extends.
    pub fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// Whether somebody works on a message who will never give it up.
    pub fn any_lost(&self) -> bool {
        self.lock().held.values().any(|held| held.is_lost(&self.limits))
    }

    fn changed_or<'a>(
        &self,
        time: Duration,
        table: std::sync::MutexGuard<'a, Table>,
        waiting: impl Fn(&mut Table) -> bool,
    ) -> std::sync::MutexGuard<'a, Table> {
        self.changed.wait_timeout_while(table, time, waiting).unwrap_or_else(PoisonError::into_inner).0
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Table> {
        // The table is changed by single statements only: a panic elsewhere leaves it whole.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self, number: u64) {
        self.lock().held.remove(&number);
        self.changed.notify_all();
    }
}

/// Which messages are to be extended now.
fn due(held: &HashMap<u64, Held>, beat: Duration, limits: &Limits) -> Vec<(u64, Receipt)> {
    held.iter()
        .filter(|(_, held)| held.extended.elapsed() >= beat)
        .filter(|(_, held)| !held.is_lost(limits))
        .map(|(number, held)| (*number, held.receipt.clone()))
        .collect()
}

impl Lease {
    /// The message.
    pub fn delivery(&self) -> &Delivery {
        &self.delivery
    }

    /// Somebody works on it from now on. Returns until when they may.
    pub fn begin(&self) -> Instant {
        let now = Instant::now();
        let before = self.held(|held| {
            held.begun = Some(now);
            held.before
        });
        now + self.leases.limits.job_time.saturating_sub(before.unwrap_or_default())
    }

    /// It waits from now on: that is not counted.
    pub fn rest(&self) {
        self.held(|held| (held.before, held.begun) = (held.worked(), None));
    }

    /// Waits for something, amid work that then goes on. Returns that.
    pub fn resting<T>(&self, wait: impl FnOnce() -> T) -> T {
        self.rest();
        let waited_for = wait();
        self.begin();
        waited_for
    }

    /// Whether the time for the work on it is over.
    pub fn is_overdue(&self) -> bool {
        self.held(|held| held.worked()).is_some_and(|worked| worked >= self.leases.limits.job_time)
    }

    fn held<T>(&self, look: impl FnOnce(&mut Held) -> T) -> Option<T> {
        self.leases.lock().held.get_mut(&self.number).map(look)
    }

    /// Its message was deleted, or must be left to its time-out: it is in hand no more.
    pub fn settled(mut self) {
        self.open = false;
        self.leases.forget(self.number);
    }

    /// Gives it back to the queue, to be received again after `delay`.
    pub fn release(self, delay: Duration) {
        note(self.leases.queue.change_visibility(&self.delivery.receipt, delay), "release");
        self.settled();
    }

    /// Puts it among the dead letters.
    pub fn bury(self, cause: &Cause) {
        match self.leases.queue.bury(&self.delivery, cause) {
            Ok(()) => self.settled(),
            Err(error) => {
                warn!(error:%; "a message could not be moved to the dead letters");
                let delay = backoff(self.delivery.receives);
                self.release(delay);
            }
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.open {
            let delay = backoff(self.delivery.receives);
            note(self.leases.queue.change_visibility(&self.delivery.receipt, delay), "release");
            self.leases.forget(self.number);
        }
    }
}

/// How long to wait before the next try of a message received `receives` times: 2, 4, 8 … 256 s.
pub fn backoff(receives: u32) -> Duration {
    Duration::from_secs(1 << receives.clamp(1, 8))
}

/// A message that can't be extended or given back comes back by its time-out all the same.
fn note(result: Result<(), queue::Error>, what: &str) {
    match result {
        Ok(()) => {}
        Err(queue::Error::ReceiptVoid) => debug!(what; "a message was held no more"),
        Err(error) => warn!(what, error:%; "a message's visibility could not be changed"),
    }
}
