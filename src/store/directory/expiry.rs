//! Which objects of a folder are to be removed when, and their removal once it is time.
//!
//! A calendar page is a file whose name has the second and whose content is the key, in a folder of
//! its hour, so that a sweep looks at what is due and at little else. Whether an object is really to
//! go is written beside the object itself; a page without one is forgotten.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{DirectoryStore, TRIES, digest, failed, is_absence};
use crate::durable;
use crate::key::Key;
use crate::store::Error;

/// Milliseconds of an hour.
const HOUR: u64 = 3_600_000;

/// The folder of the calendar's pages.
#[derive(Debug)]
pub struct Calendar {
    folder: PathBuf,
    temporary: PathBuf,
}

impl Calendar {
    pub fn new(folder: PathBuf, temporary: PathBuf) -> Calendar {
        Calendar { folder, temporary }
    }

    /// Writes down, durably, that `key`'s object expires at `expires` ms since 1970.
    pub fn note(&self, expires: u64, key: &Key) -> Result<(), Error> {
        let hour = self.folder.join(name(expires / HOUR));
        let hash: String = digest(key)[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        let path = hour.join(format!("{}-{hash}", name(expires.div_ceil(1000))));
        for _ in 0..TRIES {
            let written = durable::create_folder(&hour)
                .and_then(|()| durable::write(&self.temporary, &path, key.as_str().as_bytes()));
            match written {
                // A sweep removed the folder of this hour while it was empty.
                Err(e) if e.kind() == ErrorKind::NotFound => {}
                result => return result.map_err(|e| failed("write", &path, &e)),
            }
        }
        Err(Error::unavailable(format!("{} is removed faster than it can be made", hour.display())))
    }

    /// Pages that are due at `now`, those of an hour together.
    fn due(&self, now: u64) -> Result<Vec<(PathBuf, Vec<PathBuf>)>, Error> {
        let mut hours = Vec::new();
        for (hour, path) in numbered(&self.folder)? {
            if hour > now / HOUR {
                continue;
            }
            let pages = numbered(&path)?.into_iter();
            let pages = pages.filter(|(second, _)| *second <= now / 1000).map(|(_, page)| page).collect();
            hours.push((path, pages));
        }
        Ok(hours)
    }
}

/// Sorts as the number does.
fn name(number: u64) -> String {
    format!("{number:012}")
}

/// What is in a folder, with the number that each name begins with; a folder that is gone is empty.
fn numbered(folder: &Path) -> Result<Vec<(u64, PathBuf)>, Error> {
    let failed = |e: std::io::Error| failed("list", folder, &e);
    let entries = match fs::read_dir(folder) {
        Err(e) if is_absence(&e) => return Ok(Vec::new()),
        result => result.map_err(failed)?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let number = entry.file_name().to_str().and_then(|name| name.get(..12)?.parse().ok());
        found.extend(number.map(|number| (number, entry.path())));
    }
    Ok(found)
}

impl DirectoryStore {
    /// Removes the objects that have expired at `now` ms since 1970; returns how many. Several
    /// processes may sweep at once.
    ///
    /// # Errors
    /// What kept it from going on; what is left is met again at the next sweep.
    pub fn sweep(&self, now: u64) -> Result<usize, Error> {
        let mut removed = 0;
        for (hour, pages) in self.calendar.due(now)? {
            for page in pages {
                removed += usize::from(self.expire(&page, now)?);
            }
            // Fails while there are other pages; and another may be written at this moment.
            let _ = fs::remove_dir(hour);
        }
        Ok(removed)
    }

    /// Removes the object that a page names, if it has expired, and then the page. Writers write page
    /// and object under the same lock, so that no page goes between the two.
    fn expire(&self, page: &Path, now: u64) -> Result<bool, Error> {
        let text = match fs::read_to_string(page) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(false),
            result => result.map_err(|e| failed("read", page, &e))?,
        };
        let Some(key) = Key::parse(&text) else { return remove_page(page).map(|()| false) };
        let lock = self.lock(&key)?;
        let expired = self.has_expired(&key, now)?;
        if expired {
            self.remove(&key, &lock)?;
        }
        remove_page(page).map(|()| expired)
    }

    fn has_expired(&self, key: &Key, now: u64) -> Result<bool, Error> {
        let Some(version) = self.current(&self.path(key))? else { return Ok(false) };
        let described = self.side.find(key, version)?;
        Ok(described.and_then(|described| described.expires).is_some_and(|expires| expires <= now))
    }
}

fn remove_page(page: &Path) -> Result<(), Error> {
    match fs::remove_file(page) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(failed("delete", page, &e)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{EXPIRING, IMMUTABLE, Object, Store};

    fn store() -> (tempfile::TempDir, DirectoryStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = DirectoryStore::open(folder.path()).unwrap();
        (folder, store)
    }

    fn key(name: &str) -> Key {
        Key::parse(&format!("id/{name}.jpg")).unwrap()
    }

    fn put(store: &DirectoryStore, name: &str, expires: Option<u64>) {
        let cache_control = if expires.is_some() { EXPIRING } else { IMMUTABLE };
        let content = b"bytes".to_vec();
        let object = Object { content_type: "image/jpeg", cache_control, expires, content: &content };
        store.put(&key(name), &object).unwrap();
    }

    fn has(store: &DirectoryStore, name: &str) -> bool {
        store.head(&key(name)).is_ok()
    }

    #[test]
    fn what_has_expired_is_swept_and_nothing_else() {
        let (folder, store) = store();
        put(&store, "soon", Some(5_000));
        put(&store, "later", Some(6_001));
        put(&store, "much-later", Some(10 * HOUR));
        put(&store, "never", None);
        assert_eq!(store.sweep(4_999).unwrap(), 0);
        assert_eq!(store.sweep(5_000).unwrap(), 1);
        assert!(!has(&store, "soon") && has(&store, "later") && has(&store, "never"));
        assert_eq!(store.sweep(7_000).unwrap(), 1);
        assert_eq!(store.sweep(11 * HOUR).unwrap(), 1);
        assert!(!has(&store, "much-later") && has(&store, "never"));
        let calendar = folder.path().join(".private/expiring");
        assert_eq!(fs::read_dir(calendar).unwrap().count(), 0, "no page is left");
    }

    #[test]
    fn an_object_that_was_replaced_goes_by_its_own_time() {
        let (_folder, store) = store();
        put(&store, "kept", Some(1_000));
        put(&store, "kept", None);
        put(&store, "prolonged", Some(1_000));
        put(&store, "prolonged", Some(9_000));
        assert_eq!(store.sweep(2_000).unwrap(), 0);
        assert!(has(&store, "kept") && has(&store, "prolonged"));
        assert_eq!(store.sweep(9_000).unwrap(), 1);
        assert!(has(&store, "kept") && !has(&store, "prolonged"));
    }

    #[test]
    fn an_object_that_is_gone_already_harms_nothing() {
        let (_folder, store) = store();
        put(&store, "deleted", Some(1_000));
        store.delete(&key("deleted")).unwrap();
        assert_eq!(store.sweep(2_000).unwrap(), 0);
    }
}
