//! Metadata of objects in a folder that their keys' extensions do not imply, in files of their own.
//!
//! Most objects have none. A file here tells of up to two contents of its key, the one that is there
//! and the one that is about to replace it, so that neither is ever seen without its metadata.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Version, digest, failed};
use crate::durable;
use crate::key::Key;
use crate::store::{Error, IMMUTABLE, Object};

/// What an object is served with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Described {
    pub content_type: String,
    pub cache_control: String,
    /// From when on it is to be removed, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
}

impl Described {
    pub fn of(object: &Object<'_>) -> Described {
        Described {
            content_type: object.content_type.to_owned(),
            cache_control: object.cache_control.to_owned(),
            expires: object.expires,
        }
    }

    /// What needs no file: images that never change, and records, which nobody may keep.
    pub fn implied_by(key: &Key) -> Described {
        let (content_type, cache_control) = match key.extension() {
            "jpg" => ("image/jpeg", IMMUTABLE),
            "png" => ("image/png", IMMUTABLE),
            "gif" => ("image/gif", IMMUTABLE),
            "webp" => ("image/webp", IMMUTABLE),
            "json" => ("application/json", "no-store"),
            _ => ("application/octet-stream", IMMUTABLE),
        };
        Described {
            content_type: content_type.to_owned(),
            cache_control: cache_control.to_owned(),
            expires: None,
        }
    }
}

/// A file's text.
#[derive(Debug, Serialize, Deserialize)]
struct Page {
    /// For people; the file is found by the key's SHA-256, which has neither folders nor a length limit.
    key: Key,
    contents: Vec<Entry>,
}

/// One content of the key.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    // No inode number, unlike a tag: a copy of the whole store that keeps times stays right.
    modified: (i64, i64),
    length: u64,
    #[serde(flatten)]
    described: Described,
}

impl Entry {
    fn is_of(&self, version: Version) -> bool {
        (self.modified, self.length) == (version.modified(), version.length)
    }
}

/// The folder of these files.
#[derive(Debug)]
pub struct Side {
    pub folder: PathBuf,
    temporary: PathBuf,
}

impl Side {
    pub fn new(folder: PathBuf, temporary: PathBuf) -> Side {
        Side { folder, temporary }
    }

    /// What is written down of this content.
    pub fn find(&self, key: &Key, version: Version) -> Result<Option<Described>, Error> {
        let entries = self.read(key)?;
        Ok(entries.into_iter().find(|entry| entry.is_of(version)).map(|entry| entry.described))
    }

    /// Writes down, durably, what a content is served with that is about to come into the place of
    /// `current`. Only for who has the key's lock.
    pub fn add(
        &self,
        key: &Key,
        current: Option<Version>,
        coming: Version,
        described: &Described,
    ) -> Result<(), Error> {
        let mut contents = self.read(key)?;
        contents.retain(|entry| current.is_some_and(|current| entry.is_of(current)));
        contents.push(Entry {
            modified: coming.modified(),
            length: coming.length,
            described: described.clone(),
        });
        let path = self.path(key);
        let page = Page { key: key.clone(), contents };
        // A struct of strings and integers always serialises.
        let json = serde_json::to_vec(&page).expect("a page is plain data");
        durable::write(&self.temporary, &path, &json).map_err(|e| failed("write", &path, &e))
    }

    /// Forgets a key that has no object any more, or one with implied metadata. Only for who has the
    /// key's lock. Not made durable: what comes back tells of a content that is not there.
    pub fn remove(&self, key: &Key) -> Result<(), Error> {
        let path = self.path(key);
        match fs::remove_file(&path) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(failed("delete", &path, &e)),
            _ => Ok(()),
        }
    }

    fn read(&self, key: &Key) -> Result<Vec<Entry>, Error> {
        let path = self.path(key);
        let json = match fs::read(&path) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            result => result.map_err(|e| failed("read", &path, &e))?,
        };
        let page: Page = serde_json::from_slice(&json).map_err(|e| broken(&path, &e))?;
        Ok(page.contents)
    }

    fn path(&self, key: &Key) -> PathBuf {
        let name: String = digest(key).iter().map(|byte| format!("{byte:02x}")).collect();
        self.folder.join(name + ".json")
    }
}

fn broken(path: &Path, error: &serde_json::Error) -> Error {
    let path = path.display();
    Error::unavailable(format!("{path} is not as it was written: {error}; restore or remove it"))
}
