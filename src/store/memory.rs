//! A store in this process's memory, for unit tests: the trait's promises and nothing more.
//!
//! Nothing outlives the process. Tags are SHA-256 of content and metadata.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::Read;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use super::{Error, Fetched, Meta, Object, Store, Tag};
use crate::key::Key;

/// A store in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    objects: Mutex<BTreeMap<Key, Stored>>,
}

#[derive(Debug)]
struct Stored {
    bytes: Vec<u8>,
    meta: Meta,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }

    /// The keys of all objects, in their order.
    pub fn keys(&self) -> Vec<Key> {
        self.lock().keys().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Stored>> {
        // Every change of the map is one insertion or removal, so a panic can't leave it half done.
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stored {
    fn read(object: &Object<'_>) -> Result<Stored, Error> {
        let mut bytes = Vec::new();
        object
            .content
            .open()
            .and_then(|mut content| content.read_to_end(&mut bytes))
            .map_err(|e| Error::unavailable(format!("the content can't be read: {e}")))?;
        let meta = Meta {
            length: bytes.len() as u64,
            content_type: object.content_type.to_owned(),
            cache_control: object.cache_control.to_owned(),
            tag: tag(&bytes, object),
        };
        Ok(Stored { bytes, meta })
    }
}

fn tag(bytes: &[u8], object: &Object<'_>) -> Tag {
    let mut hash = Sha256::new();
    for text in [object.content_type, object.cache_control] {
        // Lengths go first, so that no two lists of values run together to the same bytes.
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    }
    hash.update(bytes);
    Tag(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

impl Store for MemoryStore {
    fn create(&self, key: &Key, object: &Object<'_>) -> Result<(), Error> {
        let stored = Stored::read(object)?;
        match self.lock().entry(key.clone()) {
            Entry::Occupied(_) => Err(Error::AlreadyExists),
            Entry::Vacant(place) => {
                place.insert(stored);
                Ok(())
            }
        }
    }

    fn put(&self, key: &Key, object: &Object<'_>) -> Result<(), Error> {
        let stored = Stored::read(object)?;
        self.lock().insert(key.clone(), stored);
        Ok(())
    }

    fn replace(&self, key: &Key, expected: &Tag, object: &Object<'_>) -> Result<(), Error> {
        let stored = Stored::read(object)?;
        match self.lock().get_mut(key) {
            Some(current) if current.meta.tag == *expected => {
                *current = stored;
                Ok(())
            }
            _ => Err(Error::Changed),
        }
    }

    fn get(&self, key: &Key, limit: u64) -> Result<Fetched, Error> {
        let objects = self.lock();
        let stored = objects.get(key).ok_or(Error::NotFound)?;
        if stored.meta.length > limit {
            return Err(Error::TooLarge { limit });
        }
        Ok(Fetched { bytes: stored.bytes.clone(), tag: stored.meta.tag.clone() })
    }

    fn head(&self, key: &Key) -> Result<Meta, Error> {
        self.lock().get(key).map(|stored| stored.meta.clone()).ok_or(Error::NotFound)
    }

    fn delete(&self, key: &Key) -> Result<(), Error> {
        self.lock().remove(key);
        Ok(())
    }

    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    fn describe(&self) -> String {
        "memory".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::conformance;

    #[test]
    fn keeps_the_promises_of_a_store() {
        for (name, case) in conformance::CASES {
            println!("case {name}");
            case(&MemoryStore::new());
        }
    }
}
