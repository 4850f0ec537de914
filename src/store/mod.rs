//! Where objects live: originals, thumbnails and records, by key.
//!
//! One trait with two real implementations, a directory and S3, and one in memory for unit tests.
//! All pass the one suite in [`conformance`].

use std::fmt;
use std::io::{self, Read};
use std::time::Duration;

use crate::key::Key;

pub mod conformance;
pub mod directory;
pub mod memory;
pub mod s3;

/// `Cache-Control` of an object that never changes and never expires.
pub const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// `Cache-Control` of an object with an expiry: for how long is said beside it, when it is served.
pub const EXPIRING: &str = "public";

/// `Cache-Control` of a public object.
pub fn cache_control(expires: Option<u64>) -> &'static str {
    if expires.is_some() { EXPIRING } else { IMMUTABLE }
}

/// Something to store: metadata and content.
pub struct Object<'a> {
    /// `Content-Type` that it is served with.
    pub content_type: &'a str,
    /// `Cache-Control` that it is served with.
    pub cache_control: &'a str,
    /// From when on it may be gone, in milliseconds since 1970 (UTC): the store sees to that, each in
    /// its own time. Never, if absent.
    pub expires: Option<u64>,
    /// Its bytes.
    pub content: &'a dyn Content,
}

/// Bytes of a known length that can be read more than once (for a checksum, for a retry).
pub trait Content: Sync {
    /// How many bytes there are.
    fn length(&self) -> u64;

    /// Reads them from the start.
    ///
    /// # Errors
    /// When the file behind them can't be read.
    fn open(&self) -> io::Result<Box<dyn Read + '_>>;
}

impl Content for Vec<u8> {
    fn length(&self) -> u64 {
        self.len() as u64
    }

    fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(self.as_slice()))
    }
}

/// An object's metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Bytes of its content.
    pub length: u64,
    /// `Content-Type`.
    pub content_type: String,
    /// `Cache-Control`.
    pub cache_control: String,
    /// Which content this is.
    pub tag: Tag,
}

/// An object's content and the tag to replace it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// All its bytes.
    pub bytes: Vec<u8>,
    /// Which content this is.
    pub tag: Tag,
}

/// Names one content of an object (its ETag): equal tags mean equal content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag(pub String);

/// An object that another is to put here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announced<'a> {
    /// Its `Content-Type`, and no other.
    pub content_type: &'a str,
    /// How many bytes it has, neither more nor fewer.
    pub length: u64,
}

/// By what another can put it here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presigned {
    /// Takes the object by PUT. Who has it may: it is a secret while it is good.
    pub url: String,
    /// For how long it is good, in whole seconds.
    pub lifetime: Duration,
}

/// A store of objects. Safe to use from any number of threads and, where real, processes at once.
///
/// A write is complete and durable when it returns `Ok`: a reader sees all of it or nothing.
pub trait Store: Send + Sync {
    /// Stores a new object.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] if the key is taken: what is there is left as it was.
    fn create(&self, key: &Key, object: &Object<'_>) -> Result<(), Error>;

    /// Stores an object, in the place of one that may be there.
    ///
    /// # Errors
    /// What kept it from being stored; what was there is then still there.
    fn put(&self, key: &Key, object: &Object<'_>) -> Result<(), Error>;

    /// Replaces an object if its content is still the one that `expected` names.
    ///
    /// # Errors
    /// [`Error::Changed`] if it is not (or is gone): what is there is left as it was.
    fn replace(&self, key: &Key, expected: &Tag, object: &Object<'_>) -> Result<(), Error>;

    /// Fetches an object of at most `limit` bytes.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::TooLarge`] if it has more bytes.
    fn get(&self, key: &Key, limit: u64) -> Result<Fetched, Error>;

    /// An object's metadata.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    fn head(&self, key: &Key) -> Result<Meta, Error>;

    /// Removes an object; one that is not there counts as removed.
    ///
    /// # Errors
    /// What kept it from being removed.
    fn delete(&self, key: &Key) -> Result<(), Error>;

    /// A URL by which another can put one object here, for at most `longest` (whole seconds); `None` where
    /// the store takes objects from this program alone.
    ///
    /// # Errors
    /// What kept it from being signed.
    fn presign(
        &self,
        _key: &Key,
        _announced: &Announced<'_>,
        _longest: Duration,
    ) -> Result<Option<Presigned>, Error> {
        Ok(None)
    }

    /// Whether the store can be reached and written to, found out by trying.
    ///
    /// # Errors
    /// What stands in the way, with what to do about it.
    fn check(&self) -> Result<(), Error>;

    /// Where it is, for people: `directory ./data/objects`, `s3://bucket/prefix`.
    fn describe(&self) -> String;
}

/// What can go wrong between a program and its store.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// No object has this key.
    NotFound,
    /// The store answers, and refuses us this action: a wrong key, a missing permission.
    Forbidden(String),
    /// A create met an object that is there already.
    AlreadyExists,
    /// A replacement met another content than it expected.
    Changed,
    /// An object has more bytes than the caller will hold.
    TooLarge {
        /// The caller's limit, in bytes.
        limit: u64,
    },
    /// The store does not take or give it now: unreachable, failing, out of space. Trying again
    /// later may work; trying at once was done already where it helps.
    Unavailable(String),
}

impl Error {
    /// An [`Error::Unavailable`] with its cause.
    pub fn unavailable(cause: impl Into<String>) -> Error {
        Error::Unavailable(cause.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotFound => f.write_str("no object has this key"),
            Error::Forbidden(cause) => write!(f, "the store refuses: {cause}"),
            Error::AlreadyExists => f.write_str("an object has this key already"),
            Error::Changed => f.write_str("the object was changed by another"),
            Error::TooLarge { limit } => write!(f, "the object has more than {limit} bytes"),
            Error::Unavailable(cause) => write!(f, "the store is not available: {cause}"),
        }
    }
}

impl std::error::Error for Error {}
