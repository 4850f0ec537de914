//! What was agreed on an upload that is to arrive straight in the store: `incoming/<id>.json`, private.
//!
//! The server writes it when it signs the upload's URL; the worker makes the record of it, or marks in it
//! why there will be none. Like all that is under `incoming/` it is gone after a day, so that an upload
//! that never comes leaves nothing; S3's event of it is none of an image, and is deleted unread.

use serde::{Deserialize, Serialize};

use crate::arrival::FOLDER;
use crate::image::Format;
use crate::key::{Id, Key};
use crate::record::{self, Failed};
use crate::store::{self, Object, Store};

/// Largest ticket that is read, in bytes.
const MAX_BYTES: u64 = 65_536;

/// Version of the ticket that this program writes.
const VERSION: u32 = 1;

/// What was agreed on one upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Form of the ticket.
    pub version: u32,
    /// The format that was announced.
    #[serde(rename = "type")]
    pub format: Format,
    /// SHA-256 of the delete token, in lower-case hexadecimal.
    pub delete_token: String,
    /// From when on the upload is gone, in milliseconds since 1970 (UTC); never, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
    /// Why what arrived was not published, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Failed>,
}

impl Ticket {
    /// A new upload's ticket; `expires` in milliseconds since 1970.
    pub fn new(format: Format, delete_token: &str, expires: Option<u64>) -> Ticket {
        Ticket { version: VERSION, format, delete_token: record::hash(delete_token), expires, failed: None }
    }

    fn to_json(&self) -> Vec<u8> {
        // A struct of strings and integers always serialises.
        serde_json::to_vec(self).expect("a ticket is plain data")
    }
}

/// The key of an upload's ticket.
pub fn key(id: &Id) -> Key {
    // `incoming/`, an id's 26 letters and digits and `.json` are a key by all of its rules.
    Key::parse(&format!("{FOLDER}{id}.json")).expect("a key")
}

fn object(json: &Vec<u8>) -> Object<'_> {
    Object { content_type: "application/json", cache_control: "no-store", expires: None, content: json }
}

/// Writes a new upload's ticket.
///
/// # Errors
/// [`store::Error::AlreadyExists`] if the id is taken; else what the store met.
pub fn create(store: &dyn Store, id: &Id, ticket: &Ticket) -> Result<(), store::Error> {
    store.create(&key(id), &object(&ticket.to_json()))
}

/// Reads an upload's ticket; `None` if it has none (any more).
///
/// # Errors
/// What the store met.
pub fn read(store: &dyn Store, id: &Id) -> Result<Option<Ticket>, store::Error> {
    let fetched = match store.get(&key(id), MAX_BYTES) {
        Ok(fetched) => fetched,
        Err(store::Error::NotFound) => return Ok(None),
        Err(other) => return Err(other),
    };
    let ticket = serde_json::from_slice(&fetched.bytes);
    ticket.map(Some).map_err(|e| store::Error::unavailable(format!("ticket of {id} can't be read: {e}")))
}

/// Marks why what arrived was not published, if the upload has a ticket.
///
/// # Errors
/// What the store met.
pub fn fail(store: &dyn Store, id: &Id, failed: Failed) -> Result<(), store::Error> {
    match read(store, id)? {
        Some(ticket) => store.put(&key(id), &object(&Ticket { failed: Some(failed), ..ticket }.to_json())),
        None => Ok(()),
    }
}

/// Removes an upload's ticket; one that is not there counts as removed.
///
/// # Errors
/// What the store met.
pub fn remove(store: &dyn Store, id: &Id) -> Result<(), store::Error> {
    store.delete(&key(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::MemoryStore;

    #[test]
    fn a_ticket_reads_back_without_its_token_and_can_fail() {
        let (store, id) = (MemoryStore::new(), Id::from_bytes([3; 16]));
        let ticket = Ticket::new(Format::Gif, "secret", Some(5));
        create(&store, &id, &ticket).unwrap();
        assert_eq!(read(&store, &id).unwrap(), Some(ticket.clone()));
        assert!(!String::from_utf8(ticket.to_json()).unwrap().contains("secret"));
        let failed = Failed { code: "not_an_image".into(), message: "No.".into() };
        fail(&store, &id, failed.clone()).unwrap();
        assert_eq!(read(&store, &id).unwrap(), Some(Ticket { failed: Some(failed.clone()), ..ticket }));
        remove(&store, &id).unwrap();
        fail(&store, &id, failed).unwrap();
        assert_eq!(read(&store, &id).unwrap(), None);
    }
}
