//! Dead letters in a folder: messages that were given up, each in a JSON file with its cause.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{DirectoryQueue, Name, failed};
use crate::durable;
use crate::key::Id;
use crate::queue::{Cause, Error};

/// A message that was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Names it, for [`DirectoryQueue::requeue`].
    pub id: Id,
    /// The message's text.
    pub body: String,
    /// Why it was given up, in one sentence.
    pub cause: String,
    /// Program and version that gave it up.
    pub program: String,
    /// Host that it ran on.
    pub host: String,
    /// How often it had been received.
    pub receives: u32,
    /// When it was sent, in milliseconds since 1970 (UTC).
    pub sent: u64,
    /// When it was given up, in milliseconds since 1970 (UTC).
    pub died: u64,
}

impl DirectoryQueue {
    /// All dead letters, the oldest death first. Files that are none are left out, and logged.
    ///
    /// # Errors
    /// If the folder can't be listed.
    pub fn dead_letters(&self) -> Result<Vec<DeadLetter>, Error> {
        let mut letters: Vec<DeadLetter> = self
            .dead_files()?
            .iter()
            .filter_map(|path| {
                let letter = read(path);
                letter.inspect_err(|e| log::warn!("{} is no dead letter: {e}", path.display())).ok()
            })
            .collect();
        letters.sort_by(|a, b| (a.died, a.id.as_str()).cmp(&(b.died, b.id.as_str())));
        Ok(letters)
    }

    /// Puts a dead letter back into the queue as if never received; false if there is none of this id.
    ///
    /// # Errors
    /// What kept it from being put back. It is then still a dead letter, and may be a message too.
    pub fn requeue(&self, id: &Id) -> Result<bool, Error> {
        let path = self.dead_path(id);
        let letter = match read(&path) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(false),
            letter => letter.map_err(|e| failed("read", &path, &e))?,
        };
        // First the one, then the other: a crash between them leaves two, never none.
        self.add(&Name::new(letter.id, letter.sent, self.now()), &letter.body)?;
        match fs::remove_file(&path).and_then(|()| durable::sync_folder(&self.dead)) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(failed("delete", &path, &e)),
            _ => Ok(true),
        }
    }

    /// Makes a message that we hold a dead letter, then removes it from the queue.
    pub(super) fn bury_held(&self, held: &Name, body: String, cause: Cause) -> Result<(), Error> {
        let Cause { cause, program, host } = cause;
        let Name { id, receives, sent, .. } = held.clone();
        let letter = DeadLetter { id, body, cause, program, host, receives, sent, died: self.now() };
        // A struct of strings and integers always serialises.
        let json = serde_json::to_vec_pretty(&letter).expect("a dead letter is plain data");
        let path = self.dead_path(&held.id);
        self.in_folders(&path, || durable::write(&self.temporary, &path, &json))?;
        // After a crash here, or a failure, the message is received and buried again, into the same file.
        let message = self.path(held);
        match fs::remove_file(&message) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(failed("delete", &message, &e)),
            _ => Ok(()),
        }
    }

    /// How many dead letters there are.
    pub(super) fn count_dead(&self) -> Result<u64, Error> {
        Ok(self.dead_files()?.len() as u64)
    }

    fn dead_files(&self) -> Result<Vec<PathBuf>, Error> {
        let list = || fs::read_dir(&self.dead)?.collect::<io::Result<Vec<_>>>();
        let entries = self.in_folders(&self.dead, list)?;
        let paths = entries.into_iter().map(|entry| entry.path());
        Ok(paths.filter(|path| path.extension().is_some_and(|e| e == "json")).collect())
    }

    fn dead_path(&self, id: &Id) -> PathBuf {
        self.dead.join(format!("{id}.json"))
    }
}

fn read(path: &Path) -> io::Result<DeadLetter> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}
