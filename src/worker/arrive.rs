//! Second step for an image that was uploaded straight into the store: does what a server does with
//! an upload (checks, strips, publishes, writes the record), and gives the job on as any other.
//!
//! Delivery is at least once: each write may find its object there already, from an earlier try. And who was
//! given an upload's URL may use it twice: a second image never takes the place of the first.

use std::io::{Cursor, Read};

use log::{info, warn};

use super::Shared;
use super::budget::Share;
use super::lease::Lease;
use super::presence::present;
use super::verdict::Verdict;
use crate::arrival;
use crate::image::probe::{Probe, probe_bytes};
use crate::image::{self, metadata};
use crate::job::{Job, SIZES};
use crate::key::{Id, Key};
use crate::observe::time::now_millis;
use crate::record::{self, Failed, Record};
use crate::store::{self, Object};
use crate::ticket::{self, Ticket};

/// An arrived image that is published.
pub struct Published {
    /// The job that a server would have sent.
    pub job: Job,
    /// The original as the world can read it.
    pub original: Vec<u8>,
    /// Its share of the memory for fetched originals.
    pub share: Share,
    /// Where it arrived; removed once its thumbnails are stored.
    pub incoming: Key,
}

/// Publishes the image that arrived as `incoming/<id>`.
///
/// # Errors
/// Why there is nothing to publish, or not now.
pub fn publish(shared: &Shared, lease: &Lease, id: &Id) -> Result<Published, Verdict> {
    let incoming = arrival::key(id);
    let length = match shared.store.head(&incoming) {
        Ok(meta) => meta.length,
        Err(store::Error::NotFound) => return Err(Verdict::Moot("nothing is there: it was done before")),
        Err(error) => return Err(shared.store_failure(error)),
    };
    let share = lease.resting(|| {
        // Twice: as it came, and as it is kept.
        shared.fetched.take(2 * length.min(shared.config.max_bytes))
    });
    let bytes = match shared.store.get(&incoming, shared.config.max_bytes) {
        Ok(fetched) => fetched.bytes,
        Err(error @ store::Error::TooLarge { .. }) => {
            return Err(refuse(shared, id, "too_large", error.to_string()));
        }
        Err(error) => return Err(shared.store_failure(error)),
    };
    let (probe, stripped) = strip(&bytes, shared.config.max_pixels)
        .map_err(|error| refuse(shared, id, error.code(), error.to_string()))?;
    let ticket = ticket::read(&*shared.store, id).map_err(|error| shared.store_failure(error))?;
    if let Some(Ticket { format, .. }) = ticket.as_ref().filter(|ticket| ticket.format != probe.format()) {
        let message = format!("it is {}, and {format} was announced", probe.format());
        return Err(refuse(shared, id, "other_type", message));
    }
    let (job, original) = write(shared, id, &probe, stripped, ticket)?;
    info!(id = id.as_str(), format:% = probe.format(), size:% = probe.upright(), bytes = original.len();
        "published an image that arrived directly");
    Ok(Published { job, original, share, incoming })
}

fn strip(bytes: &[u8], max_pixels: u64) -> Result<(Probe, Vec<u8>), image::Error> {
    let probe = probe_bytes(bytes)?;
    if probe.size.pixels() > max_pixels {
        return Err(image::Error::TooManyPixels { size: probe.size, limit: max_pixels });
    }
    let stripped = metadata::strip(Cursor::new(bytes), bytes.len() as u64, &probe)?;
    let mut original = Vec::new();
    stripped
        .read_from(Cursor::new(bytes))
        .read_to_end(&mut original)
        .map_err(|error| image::Error::Unreadable(error.to_string()))?;
    Ok((probe, original))
}

/// Writes record and original, in this order: without its record nothing of an upload is served for long.
/// Returns the original that is then there.
fn write(
    shared: &Shared,
    id: &Id,
    probe: &Probe,
    stripped: Vec<u8>,
    ticket: Option<Ticket>,
) -> Result<(Job, Vec<u8>), Verdict> {
    let (format, thumbnails) = (probe.format(), probe.thumbnail_format());
    let wanted = SIZES.iter().map(|&(name, bounds)| (name, bounds, thumbnails)).collect();
    let job = Job::new(id.clone(), format, now_millis(), String::new(), wanted);
    let length = stripped.len() as u64;
    let record = agreed(Record::new(format, thumbnails, probe.upright(), length, job.uploaded, ""), ticket)?;
    match record::create(&*shared.store, id, &record) {
        Ok(()) | Err(store::Error::AlreadyExists) => {}
        Err(error) => return Err(shared.store_failure(error)),
    }
    // The record that holds, and not one of an upload that is gone: its original must not come back.
    let held = present(shared, &job).map_err(|verdict| forget(shared, id, verdict))?;
    if (held.format, held.width, held.height, held.bytes) != (format, record.width, record.height, length) {
        return Err(refuse(shared, id, "other_image", "another image arrived before it".to_owned()));
    }
    let object = Object {
        content_type: format.content_type(),
        cache_control: store::cache_control(held.expires),
        expires: held.expires,
        content: &stripped,
    };
    let original = match shared.store.create(&job.original, &object) {
        Ok(()) => stripped,
        Err(store::Error::AlreadyExists) => {
            // Its share of memory is for two of them: one as it came, one as it is kept.
            drop(stripped);
            let there = shared.store.get(&job.original, shared.config.max_bytes);
            there.map_err(|error| shared.store_failure(error))?.bytes
        }
        Err(error) => return Err(shared.store_failure(error)),
    };
    if let Err(verdict) = present(shared, &job) {
        // Deleted meanwhile: whoever did may have looked for the original before it was there.
        if let Verdict::Moot(_) = verdict {
            shared.store.delete(&job.original).map_err(|error| shared.store_failure(error))?;
        }
        return Err(forget(shared, id, verdict));
    }
    Ok((job, original))
}

/// The record with what the ticket says of token and expiry.
fn agreed(record: Record, ticket: Option<Ticket>) -> Result<Record, Verdict> {
    match ticket {
        Some(Ticket { delete_token, expires, .. }) => Ok(Record { delete_token, expires, ..record }),
        None => {
            // Nobody was told a delete token: this one is forgotten at once.
            let token = Id::random().map_err(|error| Verdict::Later(error.to_string()))?;
            Ok(Record { delete_token: record::hash(token.as_str()), ..record })
        }
    }
}

/// Removes what arrived for an upload that is gone.
fn forget(shared: &Shared, id: &Id, verdict: Verdict) -> Verdict {
    let Verdict::Moot(_) = verdict else { return verdict };
    let store = &*shared.store;
    match store.delete(&arrival::key(id)).and_then(|()| ticket::remove(store, id)) {
        Ok(()) => verdict,
        Err(error) => shared.store_failure(error),
    }
}

/// What can never be published is removed where it arrived, before its message is deleted; who announced it
/// finds the reason in the status.
fn refuse(shared: &Shared, id: &Id, code: &str, message: String) -> Verdict {
    warn!(id = id.as_str(), code, reason = message; "an image that arrived directly is refused");
    let store = &*shared.store;
    let failed = Failed { code: code.to_owned(), message };
    match ticket::fail(store, id, failed).and_then(|()| store.delete(&arrival::key(id))) {
        Ok(()) => Verdict::Moot("it is refused"),
        Err(error) => shared.store_failure(error),
    }
}

#[cfg(test)]
mod tests;
