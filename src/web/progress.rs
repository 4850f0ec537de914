//! How far an upload has come, from its record and from which of its objects are there.

use super::links::Here;
use super::problem::Problem;
use super::upload::Urls;
use crate::image::Size;
use crate::image::thumbnails::fit;
use crate::job::SIZES;
use crate::key::{Id, Key};
use crate::observe::time::now_millis;
use crate::record::{self, Failed, Presence, Record};
use crate::store::{self, Store};
use crate::upload::sizes::ORIGINAL;

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

/// One of an upload's objects.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its name, `small`.
    pub name: &'static str,
    /// Its key.
    pub key: Key,
    /// Width and height in pixels.
    pub size: Size,
    /// How many bytes it has; `None` while it is not there.
    pub bytes: Option<u64>,
}

/// An upload that is here to be seen.
#[derive(Clone, Debug)]
pub struct Progress {
    /// Its record.
    pub record: Record,
    /// Its objects: the original, then the thumbnails, small to large.
    pub parts: Vec<Part>,
    /// How far it has come.
    pub state: State,
}

impl Progress {
    /// The objects' URLs.
    pub fn urls(&self, here: &Here) -> Urls {
        Urls(self.parts.iter().map(|part| (part.name, here.object(&part.key))).collect())
    }

    /// The objects that are there.
    pub fn ready(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| part.bytes.is_some())
    }
}

/// The parts of an upload with this record: of the thumbnails is said what they will be.
pub fn parts(id: &Id, record: &Record) -> Vec<Part> {
    let upright = Size { width: record.width, height: record.height };
    let original = Part {
        name: ORIGINAL,
        key: id.object(ORIGINAL, &record.extension),
        size: upright,
        bytes: Some(record.bytes),
    };
    let thumbnails = SIZES.iter().map(|&(name, bounds)| Part {
        name,
        key: id.object(name, &record.thumbnail_extension),
        size: fit(upright, bounds),
        bytes: None,
    });
    std::iter::once(original).chain(thumbnails).collect()
}

/// Looks at an upload, once or again and again.
pub struct Watch<'a> {
    store: &'a dyn Store,
    id: &'a Id,
    /// Bytes of the thumbnails, in their order, that were there already: they stay, and need no
    /// second look.
    seen: Vec<u64>,
}

impl<'a> Watch<'a> {
    /// To look at `id` in `store`.
    pub fn new(store: &'a dyn Store, id: &'a Id) -> Watch<'a> {
        Watch { store, id, seen: Vec::new() }
    }

    /// Looks now.
    ///
    /// # Errors
    /// [`Problem::NotFound`], [`Problem::Deleted`], [`Problem::Expired`], [`Problem::Store`].
    pub fn look(&mut self) -> Result<Progress, Problem> {
        let record = present(self.store, self.id)?;
        let mut parts = parts(self.id, &record);
        let (_, thumbnails) = parts.split_at_mut(1);
        let state = match &record.failed {
            Some(failed) => State::Failed(failed.clone()),
            None => self.count(thumbnails)?,
        };
        for (part, bytes) in thumbnails.iter_mut().zip(&self.seen) {
            part.bytes = Some(*bytes);
        }
        Ok(Progress { record, parts, state })
    }

    fn count(&mut self, thumbnails: &[Part]) -> Result<State, Problem> {
        for part in &thumbnails[self.seen.len()..] {
            match self.store.head(&part.key) {
                Ok(meta) => self.seen.push(meta.length),
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
