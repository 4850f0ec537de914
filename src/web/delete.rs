//! `DELETE /i/<id>`: an upload's owner takes it away.
//!
//! The tombstone is written first, so that a worker in the middle of the job sees it and removes
//! what it stores after the objects here are gone.

use super::problem::Problem;
use super::{Site, query};
use crate::door::{Answer, Head};
use crate::key::Id;
use crate::observe::time::now_millis;
use crate::record::{self, Presence, Record};
use crate::store::Store;
use crate::upload::sizes::{self, ORIGINAL};

/// Deletes an upload.
///
/// # Errors
/// [`Problem::WrongDeleteToken`]; [`Problem::Deleted`] if that was done before; if it never was
/// there or has expired, or the store fails.
pub fn answer(site: &Site, head: &Head, id: &Id) -> Result<Answer, Problem> {
    let store = &*site.rooms.store;
    let record = record::read(store, id)?;
    let presence = record.presence(now_millis());
    if presence == Presence::Expired {
        return Err(Problem::Expired);
    }
    if !token(head).is_some_and(|token| record.admits(&token)) {
        return Err(if presence == Presence::Deleted { Problem::Deleted } else { Problem::WrongDeleteToken });
    }
    let record = record::update(store, id, bury)?;
    // Also where it was deleted before: that time, the store may have failed half-way.
    remove_objects(store, id, &record)?;
    log::info!(id = id.as_str(), request_id = head.request_id.as_str(); "deleted an upload");
    match presence {
        Presence::Deleted => Err(Problem::Deleted),
        _ => Ok(Answer::empty(204)),
    }
}

fn token(head: &Head) -> Option<String> {
    head.header("x-delete-token").map(str::to_owned).or_else(|| query::get(&head.query, "token"))
}

/// Puts up the tombstone; returns whether there was none.
fn bury(record: &mut Record) -> bool {
    let first = record.deleted.is_none();
    record.deleted.get_or_insert_with(now_millis);
    first
}

fn remove_objects(store: &dyn Store, id: &Id, record: &Record) -> Result<(), Problem> {
    store.delete(&id.object(ORIGINAL, &record.extension))?;
    for (_, key) in sizes::thumbnails(id, &record.thumbnail_extension) {
        store.delete(&key)?;
    }
    Ok(())
}
