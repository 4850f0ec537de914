//! First step: receives messages while there is room in hand, and the store works.
//!
//! A message that was received several times may be one that ends its workers. Whatever is in hand with it
//! then would be received in vain each time as well, until it is buried too: so it is worked on alone.

use std::time::Duration;

use crossbeam_channel::Sender;
use log::{info, warn};

use super::Shared;
use super::lease::Lease;
use crate::queue::{self, MAX_BATCH};

/// Longest pause after failures that follow each other.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A message received so often is suspected.
const SUSPECT: u32 = 3;

/// Receives until the worker is stopped.
pub fn run(shared: &Shared, received: Sender<Lease>) {
    let (mut pause, mut suspects) = (Pause::default(), Vec::new());
    while !shared.stop.is_set() {
        shared.receiving.beat();
        if !suspects.is_empty() {
            one_alone(shared, &mut suspects, &received);
            continue;
        }
        match receive(shared, &received, &mut suspects) {
            Ok(()) => pause.reset(),
            Err(cause) => {
                shared.metrics.receive_failed();
                warn!(cause; "no jobs are taken for now");
                shared.stop.sleep(pause.next());
            }
        }
    }
    suspects.into_iter().for_each(|suspect| suspect.release(Duration::ZERO));
}

/// Once nothing else is in hand: lets one of the suspects go its way, any of them. Two that are innocent and
/// one that is not thus part company soon.
fn one_alone(shared: &Shared, suspects: &mut Vec<Lease>, received: &Sender<Lease>) {
    if shared.leases.are_at_most(suspects.len(), Duration::from_secs(1)) {
        let suspect = suspects.swap_remove(chance() as usize % suspects.len());
        info!(receives = suspect.delivery().receives; "a job that was not done before is worked on alone");
        let _ = received.send(suspect);
    }
}

/// A random number, or 0 where there is no randomness.
fn chance() -> u32 {
    let mut bytes = [0; 4];
    crate::random::fill(&mut bytes).map_or(0, |()| u32::from_le_bytes(bytes))
}

fn receive(shared: &Shared, received: &Sender<Lease>, suspects: &mut Vec<Lease>) -> Result<(), String> {
    let room = shared.leases.room(Duration::from_secs(1)).min(MAX_BATCH);
    if room == 0 {
        return Ok(());
    }
    if shared.store_failed.swap(false, std::sync::atomic::Ordering::Relaxed) {
        // A message that is received in vain counts towards its dead letter: look before.
        shared.store.check().map_err(|error| {
            shared.store_failed.store(true, std::sync::atomic::Ordering::Relaxed);
            error.to_string()
        })?;
        info!("the store works again");
    }
    // From here until what was received is in hand, the worker must not end: it would be lost from
    // sight until its visibility time-out.
    let _receiving = shared.leases.receiving();
    let taken = shared.queue.receive(room, shared.config.visibility, shared.config.wait);
    for delivery in taken.map_err(|error: queue::Error| error.to_string())? {
        shared.metrics.received(&delivery);
        let lease = shared.leases.hold(delivery);
        if lease.delivery().receives >= SUSPECT {
            suspects.push(lease);
            continue;
        }
        // The channel has room for all that may be in hand; it is closed only if all fetching
        // threads died, and then the dropped lease goes back to the queue.
        let _ = received.send(lease);
    }
    Ok(())
}

/// Pauses of 1, 2, 4 … 30 s.
#[derive(Default)]
struct Pause(u32);

impl Pause {
    fn reset(&mut self) {
        self.0 = 0;
    }

    fn next(&mut self) -> Duration {
        let pause = Duration::from_secs(1 << self.0.min(5));
        self.0 += 1;
        pause.min(LONGEST_PAUSE)
    }
}
