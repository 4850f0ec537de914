//! Whether an upload is still to be seen: looked at before its work and after storing.

use super::Shared;
use super::verdict::Verdict;
use crate::job::Job;
use crate::observe::time::now_millis;
use crate::record::{self, Presence, Record};
use crate::store;

/// The upload's record, if it is still to be seen.
pub fn present(shared: &Shared, job: &Job) -> Result<Record, Verdict> {
    let record = match record::read(&*shared.store, &job.id) {
        Ok(record) => record,
        // The server writes the record first and removes it last.
        Err(store::Error::NotFound) => return Err(Verdict::Moot("its upload was undone")),
        Err(error) => return Err(shared.store_failure(error)),
    };
    match record.presence(now_millis()) {
        Presence::Here => Ok(record),
        Presence::Deleted => Err(Verdict::Moot("its upload was deleted")),
        Presence::Expired => Err(Verdict::Moot("its upload has expired")),
    }
}
