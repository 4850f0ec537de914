//! Second step: reads the message, looks at the upload's record, fetches the original.

use std::time::Instant;

use super::arrive;
use super::budget::Share;
use super::lease::Lease;
use super::metrics::Stage;
use super::presence::present;
use super::task::Task;
use super::verdict::{Verdict, settle, settle_message};
use super::{Between, Shared};
use crate::arrival::{self, Event};
use crate::job;
use crate::record::Failed;
use crate::store;

/// A job with its original.
pub struct Fetched {
    /// The job.
    pub task: Task,
    /// The original's bytes.
    pub original: Vec<u8>,
    /// Their share of the memory for fetched originals.
    pub share: Share,
}

/// Fetches until the channel before is closed.
pub fn run(shared: &Shared, (received, fetched): Between<Lease, Fetched>) {
    for lease in received {
        let begun = Instant::now();
        if let Some(job) = begin(shared, lease) {
            shared.metrics.took(Stage::Fetch, begun);
            // If all threads behind died, the dropped lease goes back to the queue.
            drop(fetched.send(job));
        }
    }
}

/// A message's job with its original; `None` if the message is settled already.
fn begin(shared: &Shared, lease: Lease) -> Option<Fetched> {
    if shared.stop.is_set() {
        settle_message(shared, lease, Verdict::GivenBack);
        return None;
    }
    lease.begin();
    match arrival::read(&lease.delivery().body, &shared.config.key_prefix) {
        Some(Event::Arrived(id)) => match arrive::publish(shared, &lease, &id) {
            Ok(arrive::Published { job, original, share, incoming }) => {
                let task = Task { lease, job, incoming: Some(incoming) };
                task.lease.rest();
                return Some(Fetched { task, original, share });
            }
            Err(verdict) => settle_message(shared, lease, verdict),
        },
        Some(Event::Other(_)) => {
            settle_message(shared, lease, Verdict::Moot("an event that concerns nobody"))
        }
        None => match job::read(&lease.delivery().body) {
            Ok(job) => return begin_job(shared, Task { lease, job, incoming: None }),
            Err(error) => settle_message(shared, lease, unread(error)),
        },
    }
    None
}

fn begin_job(shared: &Shared, task: Task) -> Option<Fetched> {
    match fetch(shared, &task) {
        Ok((original, share)) => {
            task.lease.rest();
            Some(Fetched { task, original, share })
        }
        Err(verdict) => {
            settle(shared, task, verdict);
            None
        }
    }
}

fn unread(error: job::Error) -> Verdict {
    match error {
        job::Error::Malformed(_) => Verdict::Buried(error.to_string()),
        job::Error::UnknownVersion(_) => Verdict::Later(error.to_string()),
    }
}

fn fetch(shared: &Shared, task: &Task) -> Result<(Vec<u8>, Share), Verdict> {
    let job = &task.job;
    let record = present(shared, job)?;
    let share = task.lease.resting(|| shared.fetched.take(record.bytes));
    match shared.store.get(&job.original, shared.config.max_bytes) {
        Ok(original) => Ok((original.bytes, share)),
        // Deleted in between, or lost: the record tells which.
        Err(store::Error::NotFound) => {
            present(shared, job)?;
            Err(Verdict::Failed(Failed {
                code: "original_missing".to_owned(),
                message: "the original is no longer in the store".to_owned(),
            }))
        }
        Err(error @ store::Error::TooLarge { .. }) => Err(Verdict::Failed(Failed {
            code: "too_large_for_worker".to_owned(),
            message: error.to_string(),
        })),
        Err(error) => Err(shared.store_failure(error)),
    }
}
