//! From a file's bytes to a stored original, its record and a queued job; or to none of these.
//!
//! The order is a promise: what the world can read is stripped before it is stored, the record is
//! there before the job, and where a step fails the steps before it are undone.

use std::sync::Arc;

use super::Error;
use super::examine::{Original, examine};
use super::intake::{Intake, Taken};
use super::lifetime::Lifetime;
use super::sizes::{self, ORIGINAL};
use super::spool;
use crate::job::{Job, SIZES};
use crate::key::{Id, Key};
use crate::queue::Queue;
use crate::record::{self, Record};
use crate::store::{self, Object, Store};

/// How many ids are tried where one is taken. Ids are random: a second try is next to unheard of.
const TRIES: usize = 4;

/// What is accepted.
#[derive(Clone, Debug)]
pub struct Config {
    /// Most bytes of a file.
    pub max_bytes: u64,
    /// Most pixels of an image, width × height.
    pub max_pixels: u64,
    /// How long uploads are kept that don't say; for ever, if absent.
    pub lifetime: Option<Lifetime>,
    /// Where bodies are kept until they are stored.
    pub spool: spool::Config,
}

/// Takes uploads in.
pub struct Uploads {
    config: Config,
    store: Arc<dyn Store>,
    queue: Arc<dyn Queue>,
}

/// An upload that is stored and queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Its id.
    pub id: Id,
    /// What its owner deletes it by. It is kept nowhere but with them.
    pub delete_token: String,
    /// Names and keys of all its objects: the original first, then the thumbnails, small to large.
    pub objects: Vec<(&'static str, Key)>,
    /// What is known of it.
    pub record: Record,
}

/// Which upload it is that a step works for.
struct Request<'a> {
    request_id: &'a str,
    now: u64,
    /// When it expires, in milliseconds since 1970.
    expires: Option<u64>,
}

impl Uploads {
    /// Takes uploads in, for this store and this queue.
    pub fn new(config: Config, store: Arc<dyn Store>, queue: Arc<dyn Queue>) -> Uploads {
        Uploads { config, store, queue }
    }

    /// Prepares for a body of this Content-Type.
    ///
    /// # Errors
    /// [`Error::NoForm`] or [`Error::Boundary`].
    pub fn intake(&self, content_type: Option<&str>) -> Result<Intake, Error> {
        Intake::new(content_type, self.config.max_bytes, &self.config.spool)
    }

    /// Most bytes of a file.
    pub fn max_bytes(&self) -> u64 {
        self.config.max_bytes
    }

    /// Checks, strips, stores and queues a file, at `now` ms since 1970.
    ///
    /// # Errors
    /// Why it is not accepted; nothing of it is left then, unless the store refuses to remove it,
    /// which is logged.
    pub fn accept(&self, taken: &Taken, request_id: &str, now: u64) -> Result<Accepted, Error> {
        let original = examine(&taken.file, self.config.max_pixels)?;
        let expires = taken.lifetime.or(self.config.lifetime).map(|lifetime| lifetime.end(now));
        let request = Request { request_id, now, expires };
        for _ in 0..TRIES {
            match self.store_and_queue(&original, &request) {
                Err(Error::Store(store::Error::AlreadyExists)) => continue,
                other => return other,
            }
        }
        Err(Error::Store(store::Error::unavailable(format!("{TRIES} random ids were all taken"))))
    }

    fn store_and_queue(&self, original: &Original<'_>, request: &Request<'_>) -> Result<Accepted, Error> {
        let id = Id::random()?;
        let delete_token = Id::random()?.to_string();
        let (format, thumbnails) = (original.probe.format(), original.probe.thumbnail_format());
        let key = id.object(ORIGINAL, format.extension());
        let mut undo = Undo { store: &*self.store, request_id: request.request_id, keys: Vec::new() };

        undo.create(&key, || self.store.create(&key, &public(original, request.expires)))?;
        let size = store::Content::length(original);
        let record =
            Record::new(format, thumbnails, original.probe.upright(), size, request.now, &delete_token)
                .until(request.expires);
        undo.create(&id.record(), || record::create(&*self.store, &id, &record))?;
        let wanted = SIZES.iter().map(|&(name, bounds)| (name, bounds, thumbnails)).collect();
        let job = Job::new(id.clone(), format, request.now, request.request_id.to_owned(), wanted);
        self.queue.send(&job.to_message()).map_err(Error::Queue)?;
        undo.keep();
        log::info!(id = id.as_str(), format:% = format, size:% = original.probe.upright(), bytes = size,
            request_id = request.request_id; "accepted an upload");

        let mut objects = vec![(ORIGINAL, key)];
        objects.extend(sizes::thumbnails(&id, thumbnails.extension()));
        Ok(Accepted { id, delete_token, objects, record })
    }
}

fn public<'a>(original: &'a Original<'_>, expires: Option<u64>) -> Object<'a> {
    Object {
        content_type: original.probe.format().content_type(),
        cache_control: store::cache_control(expires),
        expires,
        content: original,
    }
}

/// Removes what was created when it is dropped, in unwinding too, unless all of it is to be kept.
struct Undo<'a> {
    store: &'a dyn Store,
    request_id: &'a str,
    keys: Vec<Key>,
}

impl Undo<'_> {
    /// Creates an object and remembers it. One whose creation failed may still be there, written
    /// before the answer was lost: it is removed too, unless it is another's.
    fn create(&mut self, key: &Key, create: impl FnOnce() -> Result<(), store::Error>) -> Result<(), Error> {
        self.keys.push(key.clone());
        let created = create();
        if matches!(created, Err(store::Error::AlreadyExists)) {
            self.keys.pop();
        }
        created.map_err(Error::Store)
    }

    fn keep(mut self) {
        self.keys.clear();
    }
}

impl Drop for Undo<'_> {
    fn drop(&mut self) {
        for key in &self.keys {
            if let Err(cause) = self.store.delete(key) {
                log::error!(key = key.as_str(), cause:% = cause, request_id = self.request_id;
                    "a refused upload's object could not be removed; remove it by hand");
            }
        }
    }
}
