//! Third step, on as many threads as images may be worked on at once: makes the thumbnails.

use std::time::Instant;

use log::debug;

use super::fetch::Fetched;
use super::metrics::Stage;
use super::task::Task;
use super::verdict::{Verdict, settle};
use super::{Between, Shared};
use crate::image::probe::probe_bytes;
use crate::image::thumbnails::{self, Limits, Spec, Thumbnail};
use crate::image::{self, Error};
use crate::observe::memory;

/// A job with its thumbnails, in the order in which they are wanted.
pub struct Made {
    /// The job.
    pub task: Task,
    /// What was made.
    pub thumbnails: Vec<Thumbnail>,
}

/// Makes thumbnails until the channel before is closed.
pub fn run(shared: &Shared, (fetched, made): Between<Fetched, Made>) {
    for Fetched { task, original, share } in fetched {
        if shared.stop.is_set() {
            settle(shared, task, Verdict::GivenBack);
            continue;
        }
        let begun = Instant::now();
        let thumbnails = make(shared, &task, &original);
        task.lease.rest();
        drop((original, share));
        shared.metrics.took(Stage::Make, begun);
        match thumbnails {
            // If all threads behind died, the dropped lease goes back to the queue.
            Ok(thumbnails) => drop(made.send(Made { task, thumbnails })),
            Err(error) => settle(shared, task, error.into()),
        }
    }
}

fn make(shared: &Shared, task: &Task, original: &[u8]) -> Result<Vec<Thumbnail>, image::Error> {
    let job = &task.job;
    let probe = probe_bytes(original)?;
    let effort = shared.config.effort;
    let wanted: Vec<Spec> = job
        .thumbnails
        .iter()
        .map(|wanted| Spec { bounds: wanted.bounds(), format: wanted.format, effort })
        .collect();
    let needed = thumbnails::memory_needed(&probe, original.len() as u64, &wanted);
    let share = shared.decoding.take(needed);
    let mut raised = None;
    if needed > shared.decoding.total() {
        // It runs alone now; whether there is enough is for the machine to say.
        let available = memory::available().unwrap_or(0);
        if needed > available {
            return Err(Error::TooLargeForWorker { needed, available });
        }
        raised = Some(shared.config.wall.raised(needed));
        debug!(id = job.id.as_str(), needed; "a large image is worked on alone");
    }
    let limits = Limits { max_pixels: shared.config.max_pixels, memory: needed };
    let deadline = task.lease.begin();
    let made = thumbnails::make_while(original, &wanted, &limits, &|| Instant::now() < deadline);
    drop((raised, share));
    made
}
