//! What is known of one upload, beside its objects: `record/<id>.json`, private.
//!
//! The server writes it before the job; a worker marks a failure in it; a deletion writes its
//! tombstone there first. Changes go through [`update`], which never loses another's change.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::image::{Format, Size};
use crate::key::Id;
use crate::store::{self, Object, Store};

/// Largest record that is read, in bytes.
const MAX_BYTES: u64 = 65_536;

/// Version of the record that this program writes.
const VERSION: u32 = 1;

/// One upload's record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Form of the record.
    pub version: u32,
    /// The original's format.
    #[serde(rename = "type")]
    pub format: Format,
    /// The original's extension, as in its key.
    pub extension: String,
    /// Extension of the thumbnails.
    pub thumbnail_extension: String,
    /// Width in pixels, upright (orientation applied).
    pub width: u32,
    /// Height in pixels, upright (orientation applied).
    pub height: u32,
    /// Bytes of the stored original.
    pub bytes: u64,
    /// When it was accepted, in milliseconds since 1970 (UTC).
    pub created: u64,
    /// From when on it is gone, in milliseconds since 1970 (UTC); never, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
    /// SHA-256 of the delete token, in lower-case hexadecimal.
    pub delete_token: String,
    /// Why no thumbnails can ever be made, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Failed>,
    /// When it was deleted, in milliseconds since 1970 (UTC): the tombstone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<u64>,
}

/// Why an upload's thumbnails can never be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// Stable word for programs, `corrupt_image`.
    pub code: String,
    /// One sentence for people.
    pub message: String,
}

/// Whether an upload can still be seen at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Neither deleted nor expired.
    Here,
    /// Deleted by its owner.
    Deleted,
    /// Past its expiry.
    Expired,
}

impl Record {
    /// A new upload's record.
    pub fn new(
        format: Format,
        thumbnails: Format,
        upright: Size,
        bytes: u64,
        created: u64,
        delete_token: &str,
    ) -> Record {
        Record {
            version: VERSION,
            format,
            extension: format.extension().to_owned(),
            thumbnail_extension: thumbnails.extension().to_owned(),
            width: upright.width,
            height: upright.height,
            bytes,
            created,
            expires: None,
            delete_token: hash(delete_token),
            failed: None,
            deleted: None,
        }
    }

    /// The same with an expiry, in milliseconds since 1970, or with none.
    #[must_use]
    pub fn until(self, expires: Option<u64>) -> Record {
        Record { expires, ..self }
    }

    /// Whether it can be seen at `now` ms since 1970.
    pub fn presence(&self, now: u64) -> Presence {
        match (self.deleted, self.expires) {
            (Some(_), _) => Presence::Deleted,
            (None, Some(expires)) if expires <= now => Presence::Expired,
            _ => Presence::Here,
        }
    }

    /// Whether `token` is the delete token, in a time that says nothing of how alike they are.
    pub fn admits(&self, token: &str) -> bool {
        hash(token).as_bytes().ct_eq(self.delete_token.as_bytes()).into()
    }

    fn to_json(&self) -> Vec<u8> {
        // A struct of strings and integers always serialises.
        serde_json::to_vec(self).expect("a record is plain data")
    }
}

/// SHA-256 of a token, in lower-case hexadecimal.
pub fn hash(token: &str) -> String {
    Sha256::digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn object(json: &Vec<u8>) -> Object<'_> {
    Object { content_type: "application/json", cache_control: "no-store", expires: None, content: json }
}

/// Writes a new upload's record.
///
/// # Errors
/// [`store::Error::AlreadyExists`] if the id is taken; else what the store met.
pub fn create(store: &dyn Store, id: &Id, record: &Record) -> Result<(), store::Error> {
    store.create(&id.record(), &object(&record.to_json()))
}

/// Reads an upload's record.
///
/// # Errors
/// [`store::Error::NotFound`] if there never was such an upload; else what the store met.
pub fn read(store: &dyn Store, id: &Id) -> Result<Record, store::Error> {
    read_tagged(store, id).map(|(record, _)| record)
}

/// Changes an upload's record by `change`, and again on what is there if another was faster.
/// Returns the record as it then stands; `change` returns false where nothing is to be written.
///
/// # Errors
/// [`store::Error::NotFound`] if there never was such an upload; else what the store met.
pub fn update(
    store: &dyn Store,
    id: &Id,
    mut change: impl FnMut(&mut Record) -> bool,
) -> Result<Record, store::Error> {
    const TRIES: usize = 16;
    for _ in 0..TRIES {
        let (mut record, tag) = read_tagged(store, id)?;
        if !change(&mut record) {
            return Ok(record);
        }
        match store.replace(&id.record(), &tag, &object(&record.to_json())) {
            Err(store::Error::Changed) => continue,
            Err(other) => return Err(other),
            Ok(()) => return Ok(record),
        }
    }
    Err(store::Error::unavailable(format!("record of {id} changed {TRIES} times while it was updated")))
}

fn read_tagged(store: &dyn Store, id: &Id) -> Result<(Record, store::Tag), store::Error> {
    let fetched = store.get(&id.record(), MAX_BYTES)?;
    let record = serde_json::from_slice(&fetched.bytes)
        .map_err(|e| store::Error::unavailable(format!("record of {id} can't be read: {e}")))?;
    Ok((record, fetched.tag))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::MemoryStore;

    fn record() -> Record {
        let size = Size { width: 4, height: 3 };
        Record::new(Format::Jpeg, Format::Jpeg, size, 99, 1_000, "secret")
    }

    #[test]
    fn a_record_reads_back() {
        let (store, id) = (MemoryStore::new(), Id::from_bytes([3; 16]));
        create(&store, &id, &record()).unwrap();
        assert_eq!(read(&store, &id).unwrap(), record());
        assert!(matches!(create(&store, &id, &record()), Err(store::Error::AlreadyExists)));
    }

    #[test]
    fn the_token_is_kept_as_its_hash_alone() {
        assert!(record().admits("secret"));
        assert!(!record().admits("Secret") && !record().admits(""));
        assert!(!String::from_utf8(record().to_json()).unwrap().contains("secret"));
    }

    #[test]
    fn an_update_that_was_overtaken_sees_the_others_change() {
        let (store, id) = (MemoryStore::new(), Id::from_bytes([4; 16]));
        create(&store, &id, &record()).unwrap();
        let mut overtaken = false;
        let after = update(&store, &id, |record| {
            if !overtaken {
                overtaken = true;
                update(&store, &id, |r| {
                    r.deleted = Some(5);
                    true
                })
                .unwrap();
            }
            record.failed = Some(Failed { code: "corrupt_image".into(), message: "no".into() });
            true
        })
        .unwrap();
        assert_eq!((after.deleted, after.failed.is_some()), (Some(5), true));
    }

    #[test]
    fn presence_at_the_second_of_expiry_is_expired() {
        let mut r = record();
        assert_eq!(r.presence(u64::MAX), Presence::Here);
        r.expires = Some(10);
        assert_eq!((r.presence(9), r.presence(10)), (Presence::Here, Presence::Expired));
        r.deleted = Some(1);
        assert_eq!(r.presence(0), Presence::Deleted);
    }
}
