//! Builds the parts that the settings name.

use std::sync::{Arc, OnceLock};

use crate::aws::imds::Imds;
use crate::aws::{Aws, Environment};
use crate::queue::directory::DirectoryQueue;
use crate::queue::sqs::SqsQueue;
use crate::queue::{self, Queue};
use crate::settings::{QueueAddress, Settings, StoreAddress};
use crate::store::Store;
use crate::store::directory::DirectoryStore;
use crate::store::s3::S3Store;

/// The store, by kind: what differs is how the world reads it.
pub enum AnyStore {
    /// A folder, whose objects the server serves itself.
    Directory(Arc<DirectoryStore>),
    /// A bucket, which serves them, or a CDN before it does.
    S3(Arc<S3Store>),
}

/// What a program works with.
pub struct Parts {
    /// Where objects are kept.
    pub store: AnyStore,
    /// Where jobs wait.
    pub queue: Arc<dyn Queue>,
    /// The EC2 machine's metadata, if AWS is used at all.
    pub imds: Option<Arc<Imds>>,
}

impl Parts {
    /// Builds what `settings` name; nothing is sent to AWS yet but for its region and credentials.
    ///
    /// # Errors
    /// Why something can't be used, and what to do about it.
    pub fn open(settings: &Settings) -> Result<Parts, String> {
        let aws = LazyAws::default();
        let store = match &settings.store {
            StoreAddress::Directory(path) => {
                AnyStore::Directory(Arc::new(DirectoryStore::open(path).map_err(|e| e.to_string())?))
            }
            StoreAddress::S3(address) => {
                let store = S3Store::open(aws.get()?, address.clone()).map_err(|e| e.to_string())?;
                AnyStore::S3(Arc::new(store))
            }
        };
        let queue: Arc<dyn Queue> = match &settings.queue {
            QueueAddress::Directory(path) => {
                let config =
                    queue::directory::Config { max_receives: settings.max_receives, ..Default::default() };
                Arc::new(DirectoryQueue::open(path, config).map_err(|e| e.to_string())?)
            }
            QueueAddress::Sqs(address) => {
                Arc::new(SqsQueue::open(aws.get()?, address.clone()).map_err(|e| e.to_string())?)
            }
        };
        Ok(Parts { store, queue, imds: aws.opened().and_then(Aws::imds) })
    }
}

/// AWS, once somebody needs it: a machine without it is not asked for a region.
#[derive(Default)]
struct LazyAws(OnceLock<Aws>);

impl LazyAws {
    fn get(&self) -> Result<&Aws, String> {
        if let Some(aws) = self.opened() {
            return Ok(aws);
        }
        let aws = Aws::new(Environment::of_process()).map_err(|e| e.to_string())?;
        Ok(self.0.get_or_init(|| aws))
    }

    fn opened(&self) -> Option<&Aws> {
        self.0.get()
    }
}

impl AnyStore {
    /// The store, whatever kind it is.
    pub fn any(&self) -> Arc<dyn Store> {
        match self {
            AnyStore::Directory(store) => Arc::clone(store) as Arc<dyn Store>,
            AnyStore::S3(store) => Arc::clone(store) as Arc<dyn Store>,
        }
    }

    /// The store where it is a folder.
    pub fn files(&self) -> Option<Arc<DirectoryStore>> {
        match self {
            AnyStore::Directory(store) => Some(Arc::clone(store)),
            AnyStore::S3(_) => None,
        }
    }

    /// What object URLs start with; `None` where the server serves them. `front` is what the settings
    /// say stands before the store.
    pub fn object_urls(&self, front: Option<&str>) -> Option<String> {
        match self {
            AnyStore::Directory(_) => front.map(str::to_owned),
            AnyStore::S3(store) => Some(store.base_url(front)),
        }
    }

    /// What the store's keys begin with where a bucket's events name them.
    pub fn key_prefix(&self) -> String {
        match self {
            AnyStore::Directory(_) => String::new(),
            AnyStore::S3(store) => store.key_prefix(),
        }
    }
}

/// Reaches store and queue and says what was found: `--check`.
///
/// # Errors
/// What can't be used, and what to do about it; all of it at once.
pub fn check(settings: &Settings) -> Result<(), String> {
    let Parts { store, queue, .. } = Parts::open(settings)?;
    let store = store.any();
    println!("settings: all well");
    let store_found = store.check().map_err(|e| format!("store {}: {e}", store.describe()));
    if store_found.is_ok() {
        println!("store:    {}: can be written and read", store.describe());
    }
    let queue_found =
        queue.check().and_then(|()| queue.depth()).map_err(|e| format!("queue {}: {e}", queue.describe()));
    if let Ok(depth) = &queue_found {
        let (name, waiting, in_flight, dead) = (queue.describe(), depth.waiting, depth.in_flight, depth.dead);
        println!("queue:    {name}: {waiting} waiting, {in_flight} in flight, {dead} dead letters");
    }
    let wrong: Vec<String> = [store_found.err(), queue_found.err()].into_iter().flatten().collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}
