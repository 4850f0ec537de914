//! Second step for an image that was uploaded straight into the store: does what a server does with
//! an upload (checks, strips, publishes, writes the record), and gives the job on as any other.
//!
//! Delivery is at least once: each write may find its object there already, from an earlier try.

use std::io::{Cursor, Read};

use log::{info, warn};

use super::Shared;
use super::budget::Share;
use super::lease::Lease;
use super::presence::present;
use super::verdict::Verdict;
use crate::arrival::FOLDER;
use crate::image::probe::{Probe, probe_bytes};
use crate::image::{self, metadata};
use crate::job::{Job, SIZES};
use crate::key::{Id, Key};
use crate::observe::time::now_millis;
use crate::record::{self, Record};
use crate::store::{self, IMMUTABLE, Object};

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
    let incoming = incoming_key(id);
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
        Err(error @ store::Error::TooLarge { .. }) => return Err(refuse(shared, id, &error.to_string())),
        Err(error) => return Err(shared.store_failure(error)),
    };
    let (probe, original) =
        strip(&bytes, shared.config.max_pixels).map_err(|error| refuse(shared, id, &error.to_string()))?;
    let job = write(shared, id, &probe, &original)?;
    present(shared, &job)?;
    info!(id = id.as_str(), format:% = probe.format(), size:% = probe.upright(), bytes = original.len();
        "published an image that arrived directly");
    Ok(Published { job, original, share, incoming })
}

/// The key under which an image arrives.
pub fn incoming_key(id: &Id) -> Key {
    // `incoming/` and an id's 26 letters and digits are a key by all of its rules.
    Key::parse(&format!("{FOLDER}{id}")).expect("a key")
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
fn write(shared: &Shared, id: &Id, probe: &Probe, original: &Vec<u8>) -> Result<Job, Verdict> {
    let (format, thumbnails) = (probe.format(), probe.thumbnail_format());
    let wanted = SIZES.iter().map(|&(name, bounds)| (name, bounds, thumbnails)).collect();
    let job = Job::new(id.clone(), format, now_millis(), String::new(), wanted);
    // Nobody was told a delete token: this one is forgotten at once.
    let token = Id::random().map_err(|error| Verdict::Later(error.to_string()))?.to_string();
    let record =
        Record::new(format, thumbnails, probe.upright(), original.len() as u64, job.uploaded, &token);
    match record::create(&*shared.store, id, &record) {
        Ok(()) | Err(store::Error::AlreadyExists) => {}
        Err(error) => return Err(shared.store_failure(error)),
    }
    let object = Object {
        content_type: format.content_type(),
        cache_control: IMMUTABLE,
        expires: None,
        content: original,
    };
    match shared.store.create(&job.original, &object) {
        Ok(()) | Err(store::Error::AlreadyExists) => Ok(job),
        Err(error) => Err(shared.store_failure(error)),
    }
}

/// What can never be published is removed where it arrived, before its message is deleted.
fn refuse(shared: &Shared, id: &Id, reason: &str) -> Verdict {
    warn!(id = id.as_str(), reason; "an image that arrived directly is refused");
    match shared.store.delete(&incoming_key(id)) {
        Ok(()) => Verdict::Moot("it is refused"),
        Err(error) => shared.store_failure(error),
    }
}
