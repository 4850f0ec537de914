//! What the three programs do: build their parts, run them, drain them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use log::{info, warn};

use super::parts::{self, AnyStore};
use super::version;
use crate::queue::Queue;
use crate::settings::{Program, Settings};
use crate::stop::Stop;
use crate::worker::{self, Worker};

/// Longest time to finish what is in flight after SIGTERM; what is unfinished then is given back.
const DRAIN: Duration = Duration::from_secs(25);

/// How long one receive waits for a message.
const RECEIVE_WAIT: Duration = Duration::from_secs(1);

/// `image-worker`: works until stopped.
///
/// # Errors
/// Why it could not start.
pub fn work(settings: Settings, stop: Stop) -> Result<(), String> {
    let store = parts::open_store(&settings)?;
    let queue = parts::open_queue(&settings)?;
    let worker = start_worker(Program::Worker, &settings, &store, queue, &stop)?;
    stop.wait();
    drain(worker);
    Ok(())
}

fn start_worker(
    program: Program,
    settings: &Settings,
    store: &AnyStore,
    queue: Arc<dyn Queue>,
    stop: &Stop,
) -> Result<Worker, String> {
    let config = worker::Config {
        jobs: settings.jobs,
        memory: settings.memory,
        max_bytes: settings.max_upload_bytes,
        max_pixels: settings.max_pixels,
        job_time: settings.job_time,
        visibility: settings.visibility,
        wait: RECEIVE_WAIT,
        program: version(program),
    };
    let (jobs, memory_mb) = (config.jobs, config.memory >> 20);
    let (store, queue_name) = (store.any(), queue.describe());
    info!(store = store.describe(), queue = queue_name, jobs, memory_mb; "working");
    Worker::start(config, store, queue, stop.clone()).map_err(|e| format!("no threads to work on: {e}"))
}

fn drain(worker: Worker) {
    match worker.drain(Instant::now() + DRAIN) {
        0 => info!("all jobs in hand are done"),
        given_back => warn!(given_back; "jobs in hand were given back to the queue"),
    }
}
