//! Builds the parts that the settings name.

use std::sync::Arc;

use crate::queue::directory::DirectoryQueue;
use crate::queue::{self, Queue};
use crate::settings::{QueueAddress, Settings, StoreAddress};
use crate::store::Store;
use crate::store::directory::DirectoryStore;

/// The store that the settings name.
///
/// # Errors
/// Why it can't be used, and what to do about it.
pub fn open_store(settings: &Settings) -> Result<AnyStore, String> {
    match &settings.store {
        StoreAddress::Directory(path) => {
            let store = DirectoryStore::open(path).map_err(|e| e.to_string())?;
            Ok(AnyStore::Directory(Arc::new(store)))
        }
    }
}

/// The store, by kind: a directory store is served by the server itself.
pub enum AnyStore {
    /// A folder.
    Directory(Arc<DirectoryStore>),
}

impl AnyStore {
    /// The store where it is a folder, whose objects the server serves itself.
    pub fn files(&self) -> Option<Arc<DirectoryStore>> {
        match self {
            AnyStore::Directory(store) => Some(Arc::clone(store)),
        }
    }

    /// The store, whatever kind it is.
    pub fn any(&self) -> Arc<dyn Store> {
        match self {
            AnyStore::Directory(store) => Arc::clone(store) as Arc<dyn Store>,
        }
    }
}

/// The queue that the settings name.
///
/// # Errors
/// Why it can't be used, and what to do about it.
pub fn open_queue(settings: &Settings) -> Result<Arc<dyn Queue>, String> {
    match &settings.queue {
        QueueAddress::Directory(path) => {
            let config =
                queue::directory::Config { max_receives: settings.max_receives, ..Default::default() };
            let queue = DirectoryQueue::open(path, config).map_err(|e| e.to_string())?;
            Ok(Arc::new(queue))
        }
    }
}

/// Reaches store and queue and says what was found: `--check`.
///
/// # Errors
/// What can't be used, and what to do about it.
pub fn check(settings: &Settings) -> Result<(), String> {
    let store = open_store(settings)?.any();
    let queue = open_queue(settings)?;
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
