//! Last step: deletes the messages of jobs that are done, in batches where many are done at once.

use crossbeam_channel::Receiver;
use log::warn;

use super::Shared;
use super::lease::Lease;
use crate::queue::{self, MAX_BATCH, Receipt};

/// Deletes until the channel before is closed.
pub fn run(shared: &Shared, done: Receiver<Lease>) {
    while let Ok(first) = done.recv() {
        let mut batch = vec![first];
        batch.extend(done.try_iter().take(MAX_BATCH - 1));
        delete(shared, batch);
    }
}

/// Deletes one message, for a job that ends before the last step.
pub fn delete_now(shared: &Shared, lease: Lease) {
    delete(shared, vec![lease]);
}

fn delete(shared: &Shared, batch: Vec<Lease>) {
    let receipts: Vec<Receipt> = batch.iter().map(|l| l.delivery().receipt.clone()).collect();
    for (lease, result) in batch.into_iter().zip(shared.queue.delete(&receipts)) {
        match result {
            Ok(()) | Err(queue::Error::ReceiptVoid) => {}
            // It comes back by its time-out, and its job is done twice: that harms nothing.
            Err(error) => warn!(error:%; "a message could not be deleted"),
        }
        lease.settled();
    }
}
