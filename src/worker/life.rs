//! Whether a worker still gets on with its work: if not, only a new process helps.
//!
//! A store or a queue that fails is no fault of the worker: every call has a deadline, and the loops
//! go on turning while it lasts.

use std::sync::Arc;
use std::time::Duration;

use super::{Meter, Shared};

/// Longest time between two turns of a loop: many times the longest call to the queue or the store
/// with all its attempts (90 s), and the longest pause after it (30 s).
const STANDSTILL: Duration = Duration::from_secs(300);

/// Looks at a worker's loops and jobs.
pub struct Life(pub(super) Arc<Shared>);

impl Life {
    /// Tells what the same worker counts.
    pub fn meter(&self) -> Meter {
        Meter(Arc::clone(&self.0))
    }

    /// What has stood still for too long, if anything.
    pub fn stuck(&self) -> Option<&'static str> {
        let shared = &self.0;
        if shared.leases.any_lost() {
            return Some("a job's thread does not come back");
        }
        if shared.leases.pulse().age() > STANDSTILL {
            return Some("messages in hand are no longer extended");
        }
        // The receiving ends with the stop.
        let stands = shared.receiving.age() > STANDSTILL && !shared.stop.is_set();
        stands.then_some("no more messages are received")
    }
}
