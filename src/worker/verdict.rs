//! How a job can end other than well, and what is then done with its message.

use std::time::Duration;

use log::{error, info, warn};

use super::Shared;
use super::lease::{Lease, backoff};
use super::metrics::Ending;
use super::task::Task;
use crate::image;
use crate::queue::Cause;
use crate::record::{self, Failed};
use crate::store;

/// Why a job goes no further.
#[derive(Debug)]
pub enum Verdict {
    /// Its upload is deleted or expired, or was undone: nothing is left to do.
    Moot(&'static str),
    /// It can never work: marked in the record, once, and not tried again.
    Failed(Failed),
    /// It may work later, here or elsewhere.
    Later(String),
    /// It is not acted on, and kept for an operator.
    Buried(String),
    /// The worker is ending: another may have it at once.
    GivenBack,
}

impl Verdict {
    /// Its time is over: it may be a slow machine's fault, or another's who had the machine.
    pub fn overdue() -> Verdict {
        Verdict::Later("given up: it took longer than SHARER_JOB_SECONDS".to_owned())
    }
}

impl From<image::Error> for Verdict {
    fn from(error: image::Error) -> Verdict {
        if error == image::Error::Interrupted {
            return Verdict::overdue();
        }
        Verdict::Failed(Failed { code: error.code().to_owned(), message: error.to_string() })
    }
}

/// Settles a message that holds no job, or whose job could not be begun.
pub fn settle_message(shared: &Shared, lease: Lease, verdict: Verdict) {
    let message: String = lease.delivery().body.chars().take(200).collect();
    let receives = lease.delivery().receives;
    match verdict {
        Verdict::Moot(why) => {
            shared.metrics.ended(Ending::Moot);
            info!(why, message; "message dropped");
            super::finish::delete_now(shared, lease);
        }
        Verdict::Buried(cause) => {
            shared.metrics.ended(Ending::Buried);
            error!(cause, message, receives; "message sent to the dead letters");
            lease.bury(&cause_of(shared, cause));
        }
        Verdict::GivenBack => {
            shared.metrics.ended(Ending::GivenBack);
            lease.release(Duration::ZERO);
        }
        Verdict::Later(why) | Verdict::Failed(Failed { message: why, .. }) => {
            shared.metrics.ended(Ending::Later);
            warn!(why, message, receives; "message released to be tried again");
            lease.release(backoff(receives));
        }
    }
}

/// Settles a job that goes no further.
pub fn settle(shared: &Shared, task: Task, verdict: Verdict) {
    let receives = task.lease.delivery().receives;
    match verdict {
        Verdict::Moot(why) => {
            info!(id = task.id(), request_id = task.request_id(), why; "job dropped");
            match task.remove_thumbnails(shared) {
                Ok(()) => over(shared, task, Ending::Moot),
                Err(later) => settle(shared, task, later),
            }
        }
        Verdict::Failed(failed) => {
            warn!(id = task.id(), request_id = task.request_id(), code = failed.code, reason = failed.message;
                "job failed for good");
            match mark_failed(shared, &task, failed) {
                Ok(()) => over(shared, task, Ending::Failed),
                Err(error) => settle(shared, task, shared.store_failure(error)),
            }
        }
        Verdict::Later(why) => {
            shared.metrics.ended(Ending::Later);
            warn!(id = task.id(), request_id = task.request_id(), why, receives; "job released to be tried again");
            task.lease.release(backoff(receives));
        }
        Verdict::Buried(cause) => {
            shared.metrics.ended(Ending::Buried);
            error!(id = task.id(), request_id = task.request_id(), cause; "message sent to the dead letters");
            task.lease.bury(&cause_of(shared, cause));
        }
        Verdict::GivenBack => {
            shared.metrics.ended(Ending::GivenBack);
            task.lease.release(Duration::ZERO);
        }
    }
}

/// Nothing is left to be done for this job.
fn over(shared: &Shared, task: Task, ending: Ending) {
    match task.remove_incoming(shared) {
        Ok(()) => {
            shared.metrics.ended(ending);
            super::finish::delete_now(shared, task.lease);
        }
        Err(later) => settle(shared, task, later),
    }
}

fn mark_failed(shared: &Shared, task: &Task, failed: Failed) -> Result<(), store::Error> {
    let marked = record::update(&*shared.store, &task.job.id, |record| {
        let first = record.failed.is_none() && record.deleted.is_none();
        record.failed.get_or_insert_with(|| failed.clone());
        first
    });
    match marked {
        Ok(_) | Err(store::Error::NotFound) => Ok(()),
        Err(error) => Err(error),
    }
}

fn cause_of(shared: &Shared, cause: String) -> Cause {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    Cause { cause, program: shared.config.program.clone(), host: host.trim().to_owned() }
}
