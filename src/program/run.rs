//! What the three programs do: build their parts, run them, drain them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use log::{info, warn};

use super::parts::{self, AnyStore};
use super::version;
use crate::door::{self, Door};
use crate::queue::Queue;
use crate::settings::{Program, Settings};
use crate::stop::Stop;
use crate::web::{self, Web};
use crate::worker::{self, Worker};

/// Longest time to finish what is in flight after SIGTERM; what is unfinished then is given back.
const DRAIN: Duration = Duration::from_secs(25);

/// How long one receive waits for a message.
const RECEIVE_WAIT: Duration = Duration::from_secs(1);

/// `image-server`: serves until stopped.
///
/// # Errors
/// Why it could not start.
pub fn serve(settings: Settings, stop: Stop) -> Result<(), String> {
    let store = parts::open_store(&settings)?;
    let queue = parts::open_queue(&settings)?;
    run_server(Program::Server, &settings, &store, queue, &stop)
}

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

/// `image-sharer`: serves and works until stopped.
///
/// # Errors
/// Why it could not start.
pub fn share(settings: Settings, stop: Stop) -> Result<(), String> {
    let store = parts::open_store(&settings)?;
    let queue = parts::open_queue(&settings)?;
    let worker = start_worker(Program::Sharer, &settings, &store, Arc::clone(&queue), &stop)?;
    run_server(Program::Sharer, &settings, &store, queue, &stop)?;
    drain(worker);
    Ok(())
}
