//! First step: receives messages while there is room in hand, and the store works.

use std::time::Duration;

use crossbeam_channel::Sender;
use log::{info, warn};

use super::Shared;
use super::lease::Lease;
use crate::queue::{self, MAX_BATCH};

/// Longest pause after failures that follow each other.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Receives until the worker is stopped.
pub fn run(shared: &Shared, received: Sender<Lease>) {
    let mut pause = Pause::default();
    while !shared.stop.is_set() {
        shared.receiving.beat();
        match receive(shared, &received) {
            Ok(()) => pause.reset(),
            Err(cause) => {
                warn!(cause; "no jobs are taken for now");
                shared.stop.sleep(pause.next());
            }
        }
    }
}

fn receive(shared: &Shared, received: &Sender<Lease>) -> Result<(), String> {
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
        // The channel has room for all that may be in hand; it is closed only if all fetching
        // threads died, and then the dropped lease goes back to the queue.
        let _ = received.send(shared.leases.hold(delivery));
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
