//! `GET /healthz`: whether the server can take uploads, by a check that is at most 5 seconds old.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Rooms;
use super::problem::Problem;
use crate::door::Answer;

/// How long a check's outcome is told again.
const FRESH: Duration = Duration::from_secs(5);

/// What is wrong, if anything: a sentence for the public, without names of hosts or folders.
type Outcome = Result<(), &'static str>;

/// The last check.
#[derive(Debug, Default)]
pub struct Health {
    last: Mutex<Option<(Instant, Outcome)>>,
}

impl Health {
    /// Answers whether all is well.
    ///
    /// # Errors
    /// [`Problem::Unwell`].
    pub fn answer(&self, rooms: &Rooms) -> Result<Answer, Problem> {
        if rooms.stop.is_set() {
            return Err(Problem::Unwell("The server is stopping.".into()));
        }
        match self.outcome(rooms) {
            Ok(()) => Ok(Answer::new(200, "application/json", "{\"status\":\"ok\"}")),
            Err(what) => Err(Problem::Unwell(what.into())),
        }
    }

    fn outcome(&self, rooms: &Rooms) -> Outcome {
        // Who asks while another checks waits for that outcome, rather than checking as well. A
        // panic within a check leaves the last outcome as it was.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, outcome)) = *last
            && at.elapsed() < FRESH
        {
            return outcome;
        }
        let outcome = check(rooms);
        *last = Some((Instant::now(), outcome));
        outcome
    }
}

fn check(rooms: &Rooms) -> Outcome {
    rooms.store.check().map_err(|cause| {
        log::error!(cause:% = cause, store = rooms.store.describe().as_str(); "the store is unwell");
        "The store does not work."
    })?;
    rooms.queue.check().map_err(|cause| {
        log::error!(cause:% = cause, queue = rooms.queue.describe().as_str(); "the queue is unwell");
        "The queue does not work."
    })
}
