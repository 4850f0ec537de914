//! Which content of a key a file is, told from what the file system says of it alone.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

use crate::durable::Synced;
use crate::store::{Error, Tag};

/// Coarsest step of a time stamp on a file system that is likely to be met (FAT's).
const COARSE: Duration = Duration::from_secs(2);

/// Names one content of a key. No file is changed in place, and each content has a later time than the
/// one it replaces ([`make_later`]); should a clock that was set back bring back the time of a deleted
/// one, length and inode number would have to be the same too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    seconds: i64,
    nanoseconds: i64,
    pub length: u64,
    inode: u64,
}

impl Version {
    /// Of a file with this metadata.
    pub fn of(file: &Metadata) -> Version {
        Version {
            seconds: file.mtime(),
            nanoseconds: file.mtime_nsec(),
            length: file.size(),
            inode: file.ino(),
        }
    }

    /// The tag it goes by outside.
    pub fn tag(self) -> Tag {
        let Version { seconds, nanoseconds, length, inode } = self;
        Tag(format!("{seconds:x}.{nanoseconds:x}-{length:x}-{inode:x}"))
    }

    /// When it was written: seconds since 1970 and nanoseconds.
    pub fn modified(self) -> (i64, i64) {
        (self.seconds, self.nanoseconds)
    }
}

/// What must be at a key for a write to go ahead.
#[derive(Clone, Copy)]
pub enum Rule<'a> {
    /// No object.
    Nothing,
    /// Any object or none.
    Anything,
    /// The content that a tag names.
    Exactly(&'a Tag),
}

impl Rule<'_> {
    /// # Errors
    /// Which promise a write would break.
    pub fn admit(self, current: Option<Version>) -> Result<(), Error> {
        match (self, current) {
            (Rule::Nothing, Some(_)) => Err(Error::AlreadyExists),
            (Rule::Exactly(expected), current) if current.map(Version::tag).as_ref() != Some(expected) => {
                Err(Error::Changed)
            }
            _ => Ok(()),
        }
    }
}

/// Sees to it that `written` has a later time than what it replaces; clocks are set back, and
/// writers overtake each other on their way to the lock.
pub fn make_later(written: &Synced, replaced: Option<Version>) -> io::Result<Version> {
    let version = || Ok::<_, io::Error>(Version::of(&written.metadata()?));
    let Some(replaced) = replaced else { return version() };
    // A time before 1970 is less than any that is set here; nanoseconds are below 10^9.
    let old = Duration::new(replaced.seconds.max(0).unsigned_abs(), replaced.nanoseconds as u32);
    // The second try is for file systems that round times down.
    for step in [Duration::from_nanos(1), COARSE] {
        if version()?.modified() > replaced.modified() {
            break;
        }
        let later = SystemTime::UNIX_EPOCH.checked_add(old + step);
        written.stamp(later.ok_or_else(|| io::Error::other("the time of the file is out of range"))?)?;
    }
    version()
}
