//! A store in an S3 bucket, or in what speaks S3.
//!
//! A key is an object's key after the store's prefix. Conditional writes keep the trait's promises:
//! `If-None-Match: *` for a create, `If-Match` for a replacement.
//!
//! Without `s3:ListBucket`, S3 answers 403 for a key that is not there, and nobody can tell it from
//! one that is forbidden. The programs need that permission on the bucket; the public must not have it.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Announced, Content, Error, Fetched, Meta, Object, Presigned, Store, Tag};
use crate::aws::request::{Payload, encode_path};
use crate::aws::s3::{Condition, Put, S3};
use crate::aws::{self, Aws};
use crate::key::{Id, Key};
use crate::observe::time::now_millis;

/// Where a store is: `s3://BUCKET` or `s3://BUCKET/PREFIX`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The bucket's name.
    pub bucket: String,
    /// What its keys begin with, without a slash at its end; may be empty.
    pub prefix: String,
}

impl Address {
    /// Reads an address; `None` if it is of another form.
    pub fn parse(text: &str) -> Option<Address> {
        let rest = text.strip_prefix("s3://")?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let none = prefix.is_empty();
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let well_formed = !bucket.is_empty() && (none || Key::parse(prefix).is_some());
        well_formed.then(|| Address { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        write!(f, "s3://{}{slash}{}", self.bucket, self.prefix)
    }
}

/// A store in a bucket.
pub struct S3Store {
    s3: S3,
    address: Address,
    /// It was written to, and has not failed since.
    proved: AtomicBool,
}

/// Tag of an object with an expiry: in how many days, counted from its storing, the bucket's lifecycle
/// may remove it. Rules for 1 to 31 are in `deploy/lifecycle.json`.
const TAG: &str = "expire-days";

/// Milliseconds of a day.
const DAY: u64 = 86_400_000;

/// What an object is stored for: names the permission that is missing.
const PUT: &str = "s3:PutObject (and s3:PutObjectTagging, for what has an expiry)";
const GET: &str =
    "s3:GetObject (and s3:ListBucket on the bucket, without which a missing object is refused as well)";
const DELETE: &str = "s3:DeleteObject";

/// The name, among the records, of the object that [`Store::check`] writes.
const CHECK: &str = "record/check.json";

impl S3Store {
    /// The store at `address`. Nothing is sent yet.
    ///
    /// # Errors
    /// When the bucket's name or the endpoint can't be used.
    pub fn open(aws: &Aws, address: Address) -> Result<S3Store, aws::Error> {
        Ok(S3Store::new(aws.bucket(&address.bucket)?, address))
    }

    /// The store at `address` through `s3`.
    pub fn new(s3: S3, address: Address) -> S3Store {
        S3Store { s3, address, proved: AtomicBool::new(false) }
    }

    /// What the URLs of objects start with, without a slash at its end: `base`, or else the bucket's
    /// own address, and the prefix.
    pub fn public_url(&self, base: Option<&str>) -> String {
        let base = base.unwrap_or(self.s3.bucket().url());
        let slash = if self.address.prefix.is_empty() { "" } else { "/" };
        format!("{base}{slash}{}", encode_path(&self.address.prefix))
    }

    /// What the store's keys begin with in the bucket: empty, or with a slash at its end.
    pub fn key_prefix(&self) -> String {
        self.prefixed("")
    }

    fn prefixed(&self, name: &str) -> String {
        let slash = if self.address.prefix.is_empty() { "" } else { "/" };
        format!("{}{slash}{name}", self.address.prefix)
    }

    fn write(&self, key: &str, object: &Object<'_>, condition: Condition<'_>) -> Result<(), aws::Error> {
        let content: &dyn Content = object.content;
        let payload = Payload::reopenable(content.length(), || content.open());
        let key = self.prefixed(key);
        let put = Put {
            key: &key,
            content_type: object.content_type,
            cache_control: object.cache_control,
            expires: object.expires,
            tag: object.expires.map(|expires| (TAG, days(expires, now_millis()).to_string())),
            condition,
            payload: payload.map_err(|e| aws::Error::Content(e.to_string()))?,
        };
        self.s3.put(put).map(drop)
    }

    /// What an error of S3 means to a caller who tried to do what needs `permission`.
    fn error(&self, error: &aws::Error, permission: &str) -> Error {
        let bucket = self.s3.bucket().name();
        let resource = format!("arn:aws:s3:::{bucket}/{}", self.prefixed("*"));
        if error.refused("NoSuchBucket").is_some() {
            Error::unavailable(format!(
                "there is no bucket {bucket}: make it, or name another in SHARER_STORE"
            ))
        } else if error.status() == Some(404) {
            Error::NotFound
        } else if let Some(advice) = error.forbidden(permission, &resource) {
            Error::Forbidden(advice)
        } else if let aws::Error::TooLarge { limit } = *error {
            Error::TooLarge { limit }
        } else {
            Error::unavailable(error.to_string())
        }
    }
}

/// Days from `now` until no sooner than `expires`, at least one. S3 counts them from the storing and
/// removes at the midnight (UTC) that follows, so that less than two days are added.
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html>)
fn days(expires: u64, now: u64) -> u64 {
    expires.saturating_sub(now).div_ceil(DAY).max(1)
}

impl Store for S3Store {
    fn create(&self, key: &Key, object: &Object<'_>) -> Result<(), Error> {
        self.write(key.as_str(), object, Condition::Absent).map_err(|error| match error.status() {
            Some(412) => Error::AlreadyExists,
            _ => self.error(&error, PUT),
        })
    }

    fn put(&self, key: &Key, object: &Object<'_>) -> Result<(), Error> {
        self.write(key.as_str(), object, Condition::Any).map_err(|error| self.error(&error, PUT))
    }

    fn replace(&self, key: &Key, expected: &Tag, object: &Object<'_>) -> Result<(), Error> {
        let written = self.write(key.as_str(), object, Condition::Matches(&expected.0));
        written.map_err(|error| match (error.status(), self.error(&error, PUT)) {
            // 404: it is gone, and there is nothing to match.
            (Some(412), _) | (_, Error::NotFound) => Error::Changed,
            (_, other) => other,
        })
    }

    fn get(&self, key: &Key, limit: u64) -> Result<Fetched, Error> {
        match self.s3.get(&self.prefixed(key.as_str()), limit) {
            Ok(fetched) => Ok(Fetched { bytes: fetched.bytes, tag: Tag(fetched.etag) }),
            Err(error) => Err(self.error(&error, GET)),
        }
    }

    fn head(&self, key: &Key) -> Result<Meta, Error> {
        match self.s3.head(&self.prefixed(key.as_str())) {
            Ok(head) => Ok(Meta {
                length: head.length,
                content_type: head.content_type,
                cache_control: head.cache_control,
                tag: Tag(head.etag),
            }),
            Err(error) => Err(self.error(&error, GET)),
        }
    }

    fn delete(&self, key: &Key) -> Result<(), Error> {
        self.s3.delete(&self.prefixed(key.as_str())).map_err(|error| self.error(&error, DELETE))
    }

    fn presign(
        &self,
        key: &Key,
        announced: &Announced<'_>,
        longest: Duration,
    ) -> Result<Option<Presigned>, Error> {
        let key = self.prefixed(key.as_str());
        let signed = self.s3.presign_put(&key, announced.content_type, announced.length, longest);
        match signed {
            Ok((url, lifetime)) => Ok(Some(Presigned { url, lifetime })),
            Err(error) => Err(self.error(&error, PUT)),
        }
    }

    /// Writes a small object the first time, and after a failure; else looks for one that is not
    /// there, which costs a tenth.
    fn check(&self) -> Result<(), Error> {
        if !self.proved.load(Ordering::Relaxed) {
            let object = Object {
                content_type: "application/json",
                cache_control: "no-store",
                expires: None,
                content: &b"{}".to_vec(),
            };
            self.write(CHECK, &object, Condition::Any).map_err(|error| self.error(&error, PUT))?;
        }
        let nobody = Id::from_bytes([0; 16]).record();
        let looked = match self.head(&nobody) {
            Ok(_) | Err(Error::NotFound) => Ok(()),
            Err(error) => Err(error),
        };
        self.proved.store(looked.is_ok(), Ordering::Relaxed);
        looked
    }

    fn describe(&self) -> String {
        self.address.to_string()
    }
}

#[cfg(test)]
mod tests;
