//! How far an upload has come, from its record and from which of its objects are there.

use super::links::Here;
use super::problem::Problem;
use super::upload::Urls;
use crate::key::{Id, Key};
use crate::observe::time::now_millis;
use crate::record::{self, Failed, Presence, Record};
use crate::store::{self, Store};
use crate::upload::sizes::{self, ORIGINAL};

/// How far an upload has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Some thumbnails are still to be made.
    Pending,
    /// All objects are there.
    Ready,
    /// There will be no thumbnails.
    Failed(Failed),
}

/// An upload that is here to be seen.
#[derive(Clone, Debug)]
pub struct Progress {
    /// Its record.
    pub record: Record,
    /// Names and keys of its objects: the original, then the thumbnails, small to large.
    pub objects: Vec<(&'static str, Key)>,
    /// How far it has come.
    pub state: State,
}

impl Progress {
    /// The objects' URLs.
    pub fn urls(&self, here: &Here) -> Urls {
        Urls(self.objects.iter().map(|(name, key)| (*name, here.object(key))).collect())
    }
}

/// Looks at an upload, once or again and again.
pub struct Watch<'a> {
    store: &'a dyn Store,
    id: &'a Id,
    /// How many of the thumbnails, in their order, were there already: they stay, and need no
    /// second look.
    seen: usize,
}

impl<'a> Watch<'a> {
    /// To look at `id` in `store`.
    pub fn new(store: &'a dyn Store, id: &'a Id) -> Watch<'a> {
        Watch { store, id, seen: 0 }
    }

    /// Looks now.
    ///
    /// # Errors
    /// [`Problem::NotFound`], [`Problem::Deleted`], [`Problem::Expired`], [`Problem::Store`].
    pub fn look(&mut self) -> Result<Progress, Problem> {
        let record = present(self.store, self.id)?;
        let thumbnails = sizes::thumbnails(self.id, &record.thumbnail_extension);
        let state = match &record.failed {
            Some(failed) => State::Failed(failed.clone()),
            None => self.count(&thumbnails)?,
        };
        let mut objects = vec![(ORIGINAL, self.id.object(ORIGINAL, &record.extension))];
        objects.extend(thumbnails);
        Ok(Progress { record, objects, state })
    }

    fn count(&mut self, thumbnails: &[(&'static str, Key)]) -> Result<State, Problem> {
        for (_, key) in &thumbnails[self.seen..] {
            match self.store.head(key) {
                Ok(_) => self.seen += 1,
                Err(store::Error::NotFound) => return Ok(State::Pending),
                Err(other) => return Err(Problem::Store(other)),
            }
        }
        Ok(State::Ready)
    }
}

/// The record of an upload that can be seen now.
///
/// # Errors
/// [`Problem::NotFound`], [`Problem::Deleted`], [`Problem::Expired`], [`Problem::Store`].
pub fn present(store: &dyn Store, id: &Id) -> Result<Record, Problem> {
    let record = record::read(store, id)?;
    match record.presence(now_millis()) {
        Presence::Here => Ok(record),
        Presence::Deleted => Err(Problem::Deleted),
        Presence::Expired => Err(Problem::Expired),
    }
}
