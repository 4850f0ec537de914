//! A store in a folder: a key is a path, a file holds exactly its object's bytes.
//!
//! Crash-safe, and open to any number of processes at once. `ARCHITECTURE.md` and the comments
//! here say how; `side` keeps the metadata that a key's extension does not imply.
//!
//! ```text
//! PATH/<key>                   an object's bytes, as one looks for them
//! PATH/.private/temporary/     files being written
//! PATH/.private/locks/<xx>     one writer at a time of the keys whose SHA-256 starts with xx
//! PATH/.private/metadata/      Content-Type and Cache-Control of some objects
//! PATH/.private/expiring/      which objects are to be removed when
//! ```
//!
//! No file is ever changed in place: a write makes a new one and renames it. Writers of one key take
//! turns by a lock; readers take none. Each content of a key gets a later time of last change than
//! the one it replaces, so that time, length and inode number name one content, with no need to read it.
//!
//! One thing that S3 can do, a folder can't: hold both `a` and `a/b`. The second is refused.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::{Error, Fetched, Meta, Object, Store, Tag};
use crate::durable::{self, Synced, Temporary};
use crate::key::Key;
use expiry::Calendar;
use side::{Described, Side};
use version::{Rule, Version, make_later};

mod expiry;
mod side;
#[cfg(test)]
mod tests;
mod version;

/// The folder that no key leads to: [`DirectoryStore::path`] sees to that.
const PRIVATE: &str = ".private";

/// Buffer between content and file, in bytes: fewer system calls, and small beside a job's memory.
const BUFFER: usize = 128 * 1024;

/// How often a step is tried that another process's change can undo each time.
const TRIES: usize = 100;

/// A store in a folder.
#[derive(Debug)]
pub struct DirectoryStore {
    root: PathBuf,
    temporary: PathBuf,
    locks: PathBuf,
    side: Side,
    calendar: Calendar,
}

impl DirectoryStore {
    /// Opens the store in the folder `path`, which is made if it is missing, and removes what killed
    /// processes left half-written.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the folder can't be made or written to.
    pub fn open(path: &Path) -> Result<DirectoryStore, Error> {
        let private = path.join(PRIVATE);
        let store = DirectoryStore {
            root: path.to_owned(),
            temporary: private.join("temporary"),
            locks: private.join("locks"),
            side: Side::new(private.join("metadata"), private.join("temporary")),
            calendar: Calendar::new(private.join("expiring"), private.join("temporary")),
        };
        store.make_folders()?;
        durable::clean(&store.temporary).map_err(|e| failed("clean", &store.temporary, &e))?;
        durable::probe_at_start(&store.temporary).map_err(|e| failed("write to", &store.temporary, &e))?;
        Ok(store)
    }

    /// Opens an object to be read, as a whole or in ranges. What is read is the content that the
    /// metadata tell of, whatever becomes of the key meanwhile.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn open_object(&self, key: &Key) -> Result<(File, Meta), Error> {
        let path = self.path(key);
        self.settled(key, || {
            let file = File::open(&path)?;
            let metadata = file.metadata()?;
            Ok((file, metadata))
        })
    }

    /// Where a key's object is.
    ///
    /// A leading dot is doubled: what starts with one dot in the root is never an object.
    fn path(&self, key: &Key) -> PathBuf {
        let dot = if key.as_str().starts_with('.') { "." } else { "" };
        self.root.join(format!("{dot}{key}"))
    }

    /// What `look` sees and its metadata, of one and the same content.
    ///
    /// Readers take no lock, so between looking at the object and at its metadata both may be
    /// replaced. Metadata found are right, as they name their version. None found are right if the
    /// object is still the same after that.
    fn settled<T>(
        &self,
        key: &Key,
        look: impl Fn() -> io::Result<(T, Metadata)>,
    ) -> Result<(T, Meta), Error> {
        let path = self.path(key);
        for _ in 0..TRIES {
            let (seen, metadata) = look().map_err(|e| not_read(&path, &e))?;
            if !metadata.is_file() {
                return Err(Error::NotFound);
            }
            let version = Version::of(&metadata);
            let described = match self.side.find(key, version)? {
                Some(described) => described,
                None if self.current(&path)? == Some(version) => Described::implied_by(key),
                None => continue,
            };
            let Described { content_type, cache_control, .. } = described;
            return Ok((
                seen,
                Meta { length: version.length, content_type, cache_control, tag: version.tag() },
            ));
        }
        Err(Error::unavailable(format!("{} changes faster than it can be read", path.display())))
    }

    /// The content that is at `path` now.
    fn current(&self, path: &Path) -> Result<Option<Version>, Error> {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => Ok(Some(Version::of(&metadata))),
            Ok(_) => Ok(None),
            Err(e) if is_absence(&e) => Ok(None),
            Err(e) => Err(failed("look at", path, &e)),
        }
    }

    fn write(&self, key: &Key, object: &Object<'_>, rule: Rule<'_>) -> Result<(), Error> {
        let path = self.path(key);
        // Looked at twice: now, lest a big content be copied for nothing, and under the lock, where
        // it counts.
        rule.admit(self.current(&path)?)?;
        let written = self.write_temporary(object)?;
        let _lock = self.lock(key)?;
        let current = self.current(&path)?;
        rule.admit(current)?;
        let version = make_later(&written, current).map_err(|e| failed("write to", &path, &e))?;
        let described = Described::of(object);
        let implied = described == Described::implied_by(key);
        if let Some(expires) = object.expires {
            // First: an object that nobody knows to have an end would never go.
            self.calendar.note(expires, key)?;
        }
        if !implied {
            self.side.add(key, current, version, &described)?;
        }
        self.place(written, &path, rule)?;
        // Before the old content's metadata go: a power cut may bring it back until then.
        durable::sync_up(folder_of(&path), &self.root).map_err(|e| failed("write to", &path, &e))?;
        if implied {
            self.side.remove(key)?;
        }
        Ok(())
    }

    /// Copies an object's content to a temporary file, durably.
    fn write_temporary(&self, object: &Object<'_>) -> Result<Synced, Error> {
        let mut temporary = self.temporary()?;
        let failed = |e: io::Error| failed("write to", &self.temporary, &e);
        let content = object.content.open().map_err(failed)?;
        let length = object.content.length();
        // One byte more than declared is enough to see that it is too long.
        let mut content = content.take(length.saturating_add(1));
        let mut file = io::BufWriter::with_capacity(BUFFER, temporary.file());
        let copied = io::copy(&mut content, &mut file).map_err(failed)?;
        file.into_inner().map_err(|e| failed(e.into_error()))?;
        if copied != length {
            return Err(Error::unavailable(format!("a content of {length} bytes gave {copied} bytes")));
        }
        temporary.sync(SystemTime::now()).map_err(failed)
    }

    fn temporary(&self) -> Result<Temporary, Error> {
        self.in_private(&self.temporary, || Temporary::create(&self.temporary))
    }

    /// Makes a file in one of our folders; if somebody removed them while we run, they are made anew.
    fn in_private<T>(&self, path: &Path, make: impl Fn() -> io::Result<T>) -> Result<T, Error> {
        let made = match make() {
            Err(e) if e.kind() == ErrorKind::NotFound => {
                self.make_folders()?;
                make()
            }
            result => result,
        };
        made.map_err(|e| failed("write to", path, &e))
    }

    fn make_folders(&self) -> Result<(), Error> {
        for folder in [&self.temporary, &self.locks, &self.side.folder] {
            durable::create_folder(folder).map_err(|e| failed("make", folder, &e))?;
        }
        Ok(())
    }

    /// Gives the written file its name. A delete of the upload's last object may remove the folder
    /// between its making and the renaming: then both are done again.
    fn place(&self, mut written: Synced, path: &Path, rule: Rule<'_>) -> Result<(), Error> {
        let folder = folder_of(path);
        for _ in 0..TRIES {
            if let Err(e) = fs::create_dir_all(folder) {
                // It takes two looks itself: a folder gone between them is reported as if a file were there.
                let is_gone = matches!(e.kind(), ErrorKind::NotFound | ErrorKind::AlreadyExists);
                if is_gone && !folder.ancestors().any(Path::is_file) {
                    continue;
                }
                return Err(not_placed(path, &e));
            }
            // Under the lock nothing should be in a new object's place; if a program without locks
            // put it there all the same, it is not overwritten either.
            let renamed = match rule {
                Rule::Nothing => written.rename_new(path),
                Rule::Anything | Rule::Exactly(_) => written.rename_over(path),
            };
            let Err((error, unplaced)) = renamed else { return Ok(()) };
            match error.kind() {
                ErrorKind::NotFound => written = unplaced,
                ErrorKind::AlreadyExists if !path.is_dir() => return Err(Error::AlreadyExists),
                _ => return Err(not_placed(path, &error)),
            }
        }
        Err(Error::unavailable(format!("{} is removed faster than it can be made", folder.display())))
    }

    /// Waits for the turn to write `key`; it ends when the file is dropped, or its process killed.
    fn lock(&self, key: &Key) -> Result<File, Error> {
        let path = self.locks.join(format!("{:02x}", digest(key)[0]));
        let open = || OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = self.in_private(&path, open)?;
        loop {
            match file.lock() {
                Ok(()) => return Ok(file),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(failed("lock", &path, &e)),
            }
        }
    }

    /// Removes an object, for who has its lock.
    fn remove(&self, key: &Key, _lock: &File) -> Result<(), Error> {
        let path = self.path(key);
        let failed = |e: io::Error| failed("delete", &path, &e);
        match fs::remove_file(&path) {
            Err(e) if is_absence(&e) || path.is_dir() => {}
            result => result.map_err(failed)?,
        }
        durable::sync_up(folder_of(&path), &self.root).map_err(failed)?;
        // After the object, and after a power cut could bring it back: it must not be seen
        // without its metadata.
        self.side.remove(key)?;
        // Not made durable: an empty folder that comes back harms nobody.
        self.remove_empty_folders(folder_of(&path));
        Ok(())
    }

    /// Removes the folders that held nothing but what was deleted.
    fn remove_empty_folders(&self, folder: &Path) {
        let inner = folder.ancestors().take_while(|folder| *folder != self.root);
        for folder in inner {
            // Fails on the first that is not empty, in one step with looking.
            if fs::remove_dir(folder).is_err() {
                return;
            }
        }
    }
}

impl Store for DirectoryStore {
    fn create(&self, key: &Key, object: &Object<'_>) -> Result<(), Error> {
        self.write(key, object, Rule::Nothing)
    }

    fn put(&self, key: &Key, object: &Object<'_>) -> Result<(), Error> {
        self.write(key, object, Rule::Anything)
    }

    fn replace(&self, key: &Key, expected: &Tag, object: &Object<'_>) -> Result<(), Error> {
        self.write(key, object, Rule::Exactly(expected))
    }

    fn get(&self, key: &Key, limit: u64) -> Result<Fetched, Error> {
        let path = self.path(key);
        let not_read = |e: io::Error| not_read(&path, &e);
        let file = File::open(&path).map_err(not_read)?;
        let metadata = file.metadata().map_err(not_read)?;
        if !metadata.is_file() {
            return Err(Error::NotFound);
        }
        if metadata.len() > limit {
            return Err(Error::TooLarge { limit });
        }
        let mut bytes = Vec::new();
        file.take(limit).read_to_end(&mut bytes).map_err(not_read)?;
        Ok(Fetched { bytes, tag: Version::of(&metadata).tag() })
    }

    fn head(&self, key: &Key) -> Result<Meta, Error> {
        let path = self.path(key);
        self.settled(key, || Ok(((), fs::metadata(&path)?))).map(|((), meta)| meta)
    }

    fn delete(&self, key: &Key) -> Result<(), Error> {
        self.remove(key, &self.lock(key)?)
    }

    fn check(&self) -> Result<(), Error> {
        self.in_private(&self.temporary, || durable::probe(&self.temporary))
    }

    fn describe(&self) -> String {
        format!("directory {}", self.root.display())
    }
}

fn digest(key: &Key) -> [u8; 32] {
    Sha256::digest(key.as_str().as_bytes()).into()
}

/// The folder of an object's file, which is always below the root.
fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

/// Whether an error says that no file has this name: the name itself may lead through a file, or be
/// longer than the file system's names get.
fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidFilename)
}

fn not_read(path: &Path, error: &io::Error) -> Error {
    if is_absence(error) { Error::NotFound } else { failed("read", path, error) }
}

fn not_placed(path: &Path, error: &io::Error) -> Error {
    match error.kind() {
        ErrorKind::NotADirectory
        | ErrorKind::IsADirectory
        | ErrorKind::AlreadyExists
        | ErrorKind::InvalidFilename => {
            let path = path.display();
            Error::Forbidden(format!("{path} can't be a file here: {error}; use another key"))
        }
        _ => failed("write to", path, error),
    }
}

fn failed(doing: &str, path: &Path, error: &io::Error) -> Error {
    Error::Unavailable(durable::explain(doing, path, error))
}
