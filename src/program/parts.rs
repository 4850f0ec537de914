//! Builds the parts that the settings name.

use std::sync::Arc;
use std::time::Duration;

use crate::aws::request::encode_path;
use crate::aws::{Aws, Environment};
use crate::queue::directory::DirectoryQueue;
use crate::queue::sqs::SqsQueue;
use crate::queue::{self, Queue};
use crate::settings::{QueueAddress, Settings, StoreAddress};
use crate::store::Store;
use crate::store::directory::DirectoryStore;
use crate::store::s3::S3Store;

/// How long one receive waits for a message of a directory: it looks at the files itself.
const DIRECTORY_WAIT: Duration = Duration::from_secs(1);

/// How long one receive waits for a message of SQS: the most that it takes, as each call has its price.
const SQS_WAIT: Duration = Duration::from_secs(20);

/// What a program works on.
pub struct Parts {
    /// Where objects are kept.
    pub store: AnyStore,
    /// Where jobs wait.
    pub queue: Arc<dyn Queue>,
    /// How long one receive waits for a message.
    pub receive_wait: Duration,
}

impl Parts {
    /// The parts that the settings name.
    ///
    /// # Errors
    /// Why one can't be used, and what to do about it.
    pub fn open(settings: &Settings) -> Result<Parts, String> {
        // One for both, so that credentials are fetched once.
        let mut aws = None;
        let store = open_store(settings, &mut aws)?;
        let queue = open_queue(settings, &mut aws)?;
        let receive_wait = match settings.queue {
            QueueAddress::Directory(_) => DIRECTORY_WAIT,
            QueueAddress::Sqs(_) => SQS_WAIT,
        };
        Ok(Parts { store, queue, receive_wait })
    }
}

fn open_store(settings: &Settings, aws: &mut Option<Aws>) -> Result<AnyStore, String> {
    match &settings.store {
        StoreAddress::Directory(path) => {
            let store = DirectoryStore::open(path).map_err(|e| e.to_string())?;
            Ok(AnyStore::Directory(Arc::new(store)))
        }
        StoreAddress::S3(address) => {
            let store = S3Store::open(the_one(aws)?, address.clone()).map_err(|e| e.to_string())?;
            Ok(AnyStore::S3(Arc::new(store)))
        }
    }
}

fn open_queue(settings: &Settings, aws: &mut Option<Aws>) -> Result<Arc<dyn Queue>, String> {
    match &settings.queue {
        QueueAddress::Directory(path) => {
            let config =
                queue::directory::Config { max_receives: settings.max_receives, ..Default::default() };
            let queue = DirectoryQueue::open(path, config).map_err(|e| e.to_string())?;
            Ok(Arc::new(queue))
        }
        QueueAddress::Sqs(address) => {
            let queue = SqsQueue::open(the_one(aws)?, address.clone()).map_err(|e| e.to_string())?;
            Ok(Arc::new(queue))
        }
    }
}

/// AWS as the environment describes it, made at its first use.
fn the_one(aws: &mut Option<Aws>) -> Result<&Aws, String> {
    match aws {
        Some(aws) => Ok(aws),
        none => Ok(none.insert(Aws::new(Environment::of_process()).map_err(|e| e.to_string())?)),
    }
}

/// The store, by kind: a directory store is served by the server itself.
pub enum AnyStore {
    /// A folder.
    Directory(Arc<DirectoryStore>),
    /// A bucket.
    S3(Arc<S3Store>),
}

impl AnyStore {
    /// The store where it is a folder, whose objects the server serves itself.
    pub fn files(&self) -> Option<Arc<DirectoryStore>> {
        match self {
            AnyStore::Directory(store) => Some(Arc::clone(store)),
            AnyStore::S3(_) => None,
        }
    }

    /// The store, whatever kind it is.
    pub fn any(&self) -> Arc<dyn Store> {
        match self {
            AnyStore::Directory(store) => Arc::clone(store) as Arc<dyn Store>,
            AnyStore::S3(store) => Arc::clone(store) as Arc<dyn Store>,
        }
    }

    /// What object URLs start with, without a slash at the end, if the world reads objects at `public`
    /// or, where that is not said, at the store's own address. `None` if the server is that address.
    pub fn objects_url(&self, public: Option<&str>) -> Option<String> {
        match self {
            AnyStore::Directory(_) => public.map(str::to_owned),
            AnyStore::S3(store) => {
                let base = public.unwrap_or(store.bucket_url());
                let prefix = encode_path(store.prefix());
                let slash = if prefix.is_empty() { "" } else { "/" };
                Some(format!("{base}{slash}{prefix}"))
            }
        }
    }
}

/// Reaches store and queue and says what was found: `--check`.
///
/// # Errors
/// What can't be used, and what to do about it.
pub fn check(settings: &Settings) -> Result<(), String> {
    let Parts { store, queue, .. } = Parts::open(settings)?;
    let store = store.any();
    let depth = queue.depth().map_err(|e| format!("queue {}: {e}", queue.describe()))?;
    store.check().map_err(|e| format!("store {}: {e}", store.describe()))?;
    queue.check().map_err(|e| format!("queue {}: {e}", queue.describe()))?;
    println!("settings: all well");
    println!("store:    {}: can be written and read", store.describe());
    println!(
        "queue:    {}: {} waiting, {} in flight, {} dead letters",
        queue.describe(),
        depth.waiting,
        depth.in_flight,
        depth.dead
    );
    Ok(())
}
