//! Fourth step: stores the thumbnails, unless their upload was deleted meanwhile.

use std::time::{Duration, Instant};

use log::info;

use super::lease::Lease;
use super::make::Made;
use super::metrics::Stage;
use super::presence::present;
use super::verdict::{Verdict, settle};
use super::{Between, Shared};
use crate::observe::time::now_millis;
use crate::store::{self, Object};

/// Stores until the channel before is closed.
pub fn run(shared: &Shared, (made, done): Between<Made, Lease>) {
    for made in made {
        made.task.lease.begin();
        let begun = Instant::now();
        match keep(shared, &made) {
            Ok(()) => {
                made.task.lease.rest();
                shared.metrics.took(Stage::Store, begun);
                report(shared, &made);
                // If the last step died, the dropped lease goes back to the queue.
                drop(done.send(made.task.lease));
            }
            Err(verdict) => settle(shared, made.task, verdict),
        }
    }
}

fn keep(shared: &Shared, made: &Made) -> Result<(), Verdict> {
    let expires = present(shared, &made.task.job)?.expires;
    for (wanted, thumbnail) in made.task.job.thumbnails.iter().zip(&made.thumbnails) {
        let object = Object {
            content_type: wanted.format.content_type(),
            cache_control: store::cache_control(expires),
            expires,
            content: &thumbnail.bytes,
        };
        made.task.in_time()?;
        shared.store.put(&wanted.key, &object).map_err(|error| shared.store_failure(error))?;
    }
    // A deletion writes its tombstone first and then removes what it finds: whoever is later sees
    // what the other did.
    present(shared, &made.task.job)?;
    made.task.remove_incoming(shared)
}

fn report(shared: &Shared, made: &Made) {
    let (id, request_id) = (made.task.job.id.as_str(), made.task.job.request_id.as_str());
    let ms = now_millis().saturating_sub(made.task.job.uploaded);
    shared.metrics.done(Duration::from_millis(ms));
    let bytes: usize = made.thumbnails.iter().map(|thumbnail| thumbnail.bytes.len()).sum();
    let receives = made.task.lease.delivery().receives;
    info!(id, request_id, ms, bytes, receives; "thumbnails stored");
}
