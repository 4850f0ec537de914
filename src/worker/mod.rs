//! The worker: takes a job, reads the original, makes the thumbnails, stores them, deletes the
//! message, in that order.
//!
//! Each step has its own threads with a bounded channel before it, so that the processors stay fed
//! while others fetch and store:
//!
//! ```text
//! receive ─▶ fetch ─▶ make (one thread a job at once) ─▶ keep ─▶ finish
//!    1       jobs+1              jobs                   2·jobs+1     1
//! ```
//!
//! A message in hand is a [`Lease`](lease::Lease), which goes from step to step with its job and is
//! extended by a heartbeat until the job is settled. A worker that dies loses nothing: its messages
//! come back when their visibility time-out ends.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use log::error;

use crate::image::Effort;
use crate::pulse::Pulse;
use crate::queue::Queue;
use crate::stop::Stop;
use crate::store::{self, Store};

mod arrive;
mod budget;
mod fetch;
mod finish;
mod keep;
mod lease;
mod life;
#[cfg(test)]
mod limit_tests;
pub mod local;
mod make;
mod metrics;
mod presence;
mod receive;
mod task;
#[cfg(test)]
mod tests;
mod verdict;
mod wall;

use budget::Budget;
use lease::{Leases, Limits};
pub use life::Life;
pub use metrics::Meter;
use metrics::Metrics;
use verdict::Verdict;
pub use wall::{Wall, arenas};

/// What a worker may use, and its deadlines.
#[derive(Clone, Debug)]
pub struct Config {
    /// Images decoded at once.
    pub jobs: usize,
    /// Bytes of memory for all jobs in flight.
    pub memory: u64,
    /// The wall around all memory of this process.
    pub wall: Wall,
    /// Most bytes of an original.
    pub max_bytes: u64,
    /// Most pixels of an original.
    pub max_pixels: u64,
    /// What is spent on the smallness of thumbnails.
    pub effort: Effort,
    /// How long may be worked on one job: then it is given up, and its message goes back to the queue.
    pub job_time: Duration,
    /// How much longer a job's thread may take to give it up: then it never comes back.
    pub grace: Duration,
    /// Visibility time-out of a received message; a heartbeat renews it at each third of it.
    pub visibility: Duration,
    /// How long one receive waits for a message.
    pub wait: Duration,
    /// What the store's keys begin with where others name them (a bucket's events): empty, or with a
    /// slash at its end.
    pub key_prefix: String,
    /// Who gives up a message: program and version.
    pub program: String,
}

/// What all steps share.
struct Shared {
    config: Config,
    store: Arc<dyn Store>,
    queue: Arc<dyn Queue>,
    leases: Arc<Leases>,
    /// Bytes of originals fetched and not yet decoded.
    fetched: Arc<Budget>,
    /// Bytes that decoding and resizing hold.
    decoding: Arc<Budget>,
    /// Whether the store failed since it was last looked at.
    store_failed: AtomicBool,
    /// Beats at each turn of the receiving.
    receiving: Pulse,
    metrics: Metrics,
    stop: Stop,
}

impl Shared {
    /// What becomes of a job when the store fails; no new ones are taken until it works again.
    fn store_failure(&self, error: store::Error) -> Verdict {
        self.store_failed.store(true, Ordering::Relaxed);
        Verdict::Later(error.to_string())
    }
}

/// A worker at work on its own threads.
pub struct Worker {
    shared: Arc<Shared>,
}

impl Worker {
    /// Starts the threads; they take jobs until `stop` is set.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn start(
        config: Config,
        store: Arc<dyn Store>,
        queue: Arc<dyn Queue>,
        stop: Stop,
    ) -> std::io::Result<Worker> {
        let jobs = config.jobs;
        // A job at each processor, one ready behind it, one whose thumbnails are on their way.
        let limits = Limits { visibility: config.visibility, job_time: config.job_time, grace: config.grace };
        let leases = Leases::new(3 * jobs, limits, Arc::clone(&queue));
        let shared = Arc::new(Shared {
            fetched: Arc::new(Budget::new(config.memory / 4)),
            decoding: Arc::new(Budget::new(config.memory - config.memory / 4)),
            config,
            store,
            queue,
            leases,
            store_failed: AtomicBool::new(false),
            receiving: Pulse::new(),
            metrics: Metrics::default(),
            stop,
        });

        let (received_tx, received) = bounded(3 * jobs);
        let (fetched_tx, fetched) = bounded(jobs);
        let (made_tx, made) = bounded(jobs);
        let (done_tx, done) = bounded(3 * jobs);

        step("receive", 1, &shared, received_tx, receive::run)?;
        step("fetch", jobs + 1, &shared, (received, fetched_tx), fetch::run)?;
        step("make", jobs, &shared, (fetched, made_tx), make::run)?;
        step("keep", 2 * jobs + 1, &shared, (made, done_tx), keep::run)?;
        step("finish", 1, &shared, done, finish::run)?;
        step("heartbeat", 1, &shared, (), |shared, ()| shared.leases.heartbeat())?;
        Ok(Worker { shared })
    }

    /// Tells whether it gets on with its work.
    pub fn life(&self) -> Life {
        Life(Arc::clone(&self.shared))
    }

    /// Once `stop` is set: whether all jobs in hand are settled, waited for at most for `patience`.
    pub fn is_done(&self, patience: Duration) -> bool {
        self.shared.leases.wait_until_none(Instant::now() + patience)
    }

    /// Once `stop` is set: waits until all jobs in hand are settled, at most until `deadline`; what
    /// is unsettled then is given back to the queue. Returns how many messages were given back.
    pub fn drain(self, deadline: Instant) -> usize {
        self.shared.leases.wait_until_none(deadline);
        self.shared.leases.give_back_all()
    }
}

/// Starts `count` threads of one step; each gets its own clone of the channel's ends.
fn step<Ends: Clone + Send + 'static>(
    name: &str,
    count: usize,
    shared: &Arc<Shared>,
    ends: Ends,
    run: fn(&Shared, Ends),
) -> std::io::Result<()> {
    for _ in 0..count {
        let (shared, ends) = (Arc::clone(shared), ends.clone());
        thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || unfailing(|| run(&shared, ends.clone())))?;
    }
    Ok(())
}

/// Runs a step, and again after a panic: that costs the job in hand, whose lease goes back to the queue
/// with a delay when it is dropped, and no thread. What panics each time ends in the dead letters.
fn unfailing(step: impl Fn()) {
    // The step holds nothing from one job to the next but its channels and `Shared`, which has locks of
    // single statements only.
    while catch_unwind(AssertUnwindSafe(&step)).is_err() {
        error!("a job was dropped by a fault of ours; its message goes back to the queue");
    }
}

/// The ends of the channels around a step.
type Between<In, Out> = (Receiver<In>, Sender<Out>);
