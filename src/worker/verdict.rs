//! How a job can end other than well, and what is then done with its message.

use std::time::Duration;

use log::{error, info, warn};

use super::Shared;
use super::lease::{Lease, backoff};
use crate::image;
use crate::job::Job;
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

impl From<image::Error> for Verdict {
    fn from(error: image::Error) -> Verdict {
        Verdict::Failed(Failed { code: error.code().to_owned(), message: error.to_string() })
    }
}

/// Settles a message whose job was never read.
pub fn settle_unread(shared: &Shared, lease: Lease, verdict: Verdict) {
    let message: String = lease.delivery().body.chars().take(200).collect();
    let receives = lease.delivery().receives;
    match verdict {
        Verdict::Buried(cause) => {
            error!(cause, message, receives; "message sent to the dead letters");
            lease.bury(&cause_of(shared, cause));
        }
        Verdict::GivenBack => lease.release(Duration::ZERO),
        other => {
            warn!(verdict:? = other, message, receives; "message released");
            lease.release(backoff(receives));
        }
    }
}

/// Settles a job that goes no further.
pub fn settle(shared: &Shared, lease: Lease, job: &Job, verdict: Verdict) {
    let (id, request_id) = (job.id.as_str(), job.request_id.as_str());
    let receives = lease.delivery().receives;
    match verdict {
        Verdict::Moot(why) => {
            info!(id, request_id, why; "job dropped");
            super::finish::delete_now(shared, lease);
        }
        Verdict::Failed(failed) => {
            warn!(id, request_id, code = failed.code, reason = failed.message; "job failed for good");
            mark_failed(shared, lease, job, failed);
        }
        Verdict::Later(why) => {
            warn!(id, request_id, why, receives; "job released to be tried again");
            lease.release(backoff(receives));
        }
        Verdict::Buried(cause) => {
            error!(id, request_id, cause; "message sent to the dead letters");
            lease.bury(&cause_of(shared, cause));
        }
        Verdict::GivenBack => lease.release(Duration::ZERO),
    }
}

fn mark_failed(shared: &Shared, lease: Lease, job: &Job, failed: Failed) {
    let marked = record::update(&*shared.store, &job.id, |record| {
        let first = record.failed.is_none() && record.deleted.is_none();
        record.failed.get_or_insert_with(|| failed.clone());
        first
    });
    match marked {
        Ok(_) | Err(store::Error::NotFound) => super::finish::delete_now(shared, lease),
        Err(error) => settle(shared, lease, job, shared.store_failure(error)),
    }
}

fn cause_of(shared: &Shared, cause: String) -> Cause {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    Cause { cause, program: shared.config.program.clone(), host: host.trim().to_owned() }
}
