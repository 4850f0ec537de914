//! What goes from step to step: a message in hand and the job that it holds.

use super::Shared;
use super::lease::Lease;
use super::verdict::Verdict;
use crate::job::Job;
use crate::key::Key;
use crate::ticket;

/// A job at work.
pub struct Task {
    /// Its message.
    pub lease: Lease,
    /// What is wanted.
    pub job: Job,
    /// Where its image arrived, if it was uploaded straight into the store: removed when all else is done.
    pub incoming: Option<Key>,
}

impl Task {
    /// The upload's id, for logs.
    pub fn id(&self) -> &str {
        self.job.id.as_str()
    }

    /// The upload's request id, for logs.
    pub fn request_id(&self) -> &str {
        &self.job.request_id
    }

    /// Goes on only while its time is not over.
    ///
    /// # Errors
    /// [`Verdict::Later`].
    pub fn in_time(&self) -> Result<(), Verdict> {
        if self.lease.is_overdue() { Err(Verdict::overdue()) } else { Ok(()) }
    }

    /// Removes the thumbnails of an upload that is no longer to be seen: this worker's, and those of one
    /// that died between storing them and looking at the record again.
    ///
    /// # Errors
    /// [`Verdict::Later`] if the store fails.
    pub fn remove_thumbnails(&self, shared: &Shared) -> Result<(), Verdict> {
        for wanted in &self.job.thumbnails {
            shared.store.delete(&wanted.key).map_err(|error| shared.store_failure(error))?;
        }
        Ok(())
    }

    /// Removes the image where it arrived, and its ticket; nothing is to be done again once this is done.
    ///
    /// # Errors
    /// [`Verdict::Later`] if the store fails.
    pub fn remove_incoming(&self, shared: &Shared) -> Result<(), Verdict> {
        match &self.incoming {
            Some(key) => {
                let removed =
                    shared.store.delete(key).and_then(|()| ticket::remove(&*shared.store, &self.job.id));
                removed.map_err(|error| shared.store_failure(error))
            }
            None => Ok(()),
        }
    }
}
