//! The message between server and worker, and its versions.
//!
//! Version 1 is a JSON object that names the original and the wanted thumbnails, so that sizes
//! change by changing the server alone. Whatever does not follow these rules is never acted on:
//! [`read`] says why, and the worker sends the message to the dead letters with that cause.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::image::{Format, Size};
use crate::key::{Id, Key};

/// Version of the message that this program writes, and the only one it reads.
pub const VERSION: u32 = 1;

/// Longest message that is looked at, in bytes (SQS itself admits 1 MiB).
pub const MAX_BYTES: usize = 65_536;

/// Most thumbnails one message may ask for.
pub const MAX_THUMBNAILS: usize = 16;

/// Longest request id, in characters; each is visible ASCII.
pub const MAX_REQUEST_ID: usize = 64;

/// Longest side of a wanted thumbnail, in pixels.
pub const MAX_SIDE: u32 = 4096;

/// The thumbnails that are made of every upload: name and the box that each fits inside.
pub const SIZES: [(&str, Size); 3] = [
    ("small", Size { width: 100, height: 100 }),
    ("medium", Size { width: 300, height: 300 }),
    ("large", Size { width: 600, height: 600 }),
];

/// An uploaded original and the thumbnails that are wanted of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Always [`VERSION`].
    version: u32,
    /// The upload.
    pub id: Id,
    /// Key of the original, `<id>/original.<extension>`.
    pub original: Key,
    /// When the upload was accepted, in milliseconds since 1970 (UTC).
    pub uploaded: u64,
    /// The upload's request id, to follow it through the logs; empty if there is none.
    #[serde(default)]
    pub request_id: String,
    /// What to make, at least one.
    pub thumbnails: Vec<Wanted>,
}

/// One wanted thumbnail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// What it is called (`small`).
    pub name: String,
    /// Width in pixels of the box that it must fit.
    pub width: u32,
    /// Height in pixels of the box that it must fit.
    pub height: u32,
    /// Where to store it, `<id>/<name>.<extension>`.
    pub key: Key,
    /// Its file format, JPEG or PNG.
    pub format: Format,
}

impl Wanted {
    /// The box that it must fit, width × height in pixels.
    pub fn bounds(&self) -> Size {
        Size { width: self.width, height: self.height }
    }
}

/// Why a message is not a job for this program.
#[derive(Debug, PartialEq, Eq)]
pub enum Error {
    /// Not of the form above, or it names keys outside the patterns; acting on it could harm.
    Malformed(String),
    /// Well formed, but of a version that only another program knows.
    UnknownVersion(u32),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Malformed(why) => write!(f, "malformed message: {why}"),
            Error::UnknownVersion(version) => {
                write!(f, "message version {version}; this program knows {VERSION}")
            }
        }
    }
}

impl std::error::Error for Error {}

impl Job {
    /// A job for `id`'s `original` (its format says the extension), uploaded at `uploaded` ms since 1970.
    pub fn new(
        id: Id,
        original: Format,
        uploaded: u64,
        request_id: String,
        thumbnails: Vec<(&str, Size, Format)>,
    ) -> Job {
        let thumbnails = thumbnails
            .into_iter()
            .map(|(name, bounds, format)| Wanted {
                name: name.to_owned(),
                width: bounds.width,
                height: bounds.height,
                key: id.object(name, format.extension()),
                format,
            })
            .collect();
        let original = id.object("original", original.extension());
        Job { version: VERSION, id, original, uploaded, request_id, thumbnails }
    }

    /// The message's text.
    pub fn to_message(&self) -> String {
        // A struct of strings and integers always serialises.
        serde_json::to_string(self).expect("a job is plain data")
    }

    fn check(&self) -> Result<(), String> {
        let own = |key: &Key| Key::parse_public(key.as_str()).is_some_and(|(id, _)| id == self.id);
        if !own(&self.original) || !self.original.as_str().contains("/original.") {
            return Err(format!("the original's key {:?} is not this upload's", self.original.as_str()));
        }
        let plain = self.request_id.bytes().all(|b| b.is_ascii_graphic());
        if !plain || self.request_id.len() > MAX_REQUEST_ID {
            return Err(format!("the request id is not 0 to {MAX_REQUEST_ID} visible characters"));
        }
        if self.thumbnails.is_empty() || self.thumbnails.len() > MAX_THUMBNAILS {
            return Err(format!("{} thumbnails; 1 to {MAX_THUMBNAILS} are allowed", self.thumbnails.len()));
        }
        for wanted in &self.thumbnails {
            wanted.check(&self.id)?;
        }
        Ok(())
    }
}

impl Wanted {
    fn check(&self, id: &Id) -> Result<(), String> {
        let sides = 1..=MAX_SIDE;
        if !sides.contains(&self.width) || !sides.contains(&self.height) {
            return Err(format!("{} × {} px; a side is 1 to {MAX_SIDE}", self.width, self.height));
        }
        if !matches!(self.format, Format::Jpeg | Format::Png) {
            return Err(format!("a thumbnail can't be {}", self.format));
        }
        let name = crate::key::is_object_name(&self.name) && self.name != "original";
        if !name || self.key != id.object(&self.name, self.format.extension()) {
            return Err(format!(
                "the thumbnail's key {:?} is not <id>/<name>.<extension>",
                self.key.as_str()
            ));
        }
        Ok(())
    }
}

/// Reads a message.
///
/// # Errors
/// [`Error::UnknownVersion`] for a well-formed message of another version, else [`Error::Malformed`].
pub fn read(message: &str) -> Result<Job, Error> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }
    if message.len() > MAX_BYTES {
        return Err(Error::Malformed(format!("{} bytes; at most {MAX_BYTES} are read", message.len())));
    }
    let malformed = |e: serde_json::Error| Error::Malformed(e.to_string());
    let Versioned { version } = serde_json::from_str(message).map_err(malformed)?;
    if version != VERSION {
        return Err(Error::UnknownVersion(version));
    }
    let job: Job = serde_json::from_str(message).map_err(malformed)?;
    job.check().map_err(Error::Malformed)?;
    Ok(job)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> Job {
        let small = ("small", Size { width: 100, height: 100 }, Format::Jpeg);
        Job::new(Id::from_bytes([1; 16]), Format::Jpeg, 1_700_000_000_000, String::new(), vec![small])
    }

    fn read_changed(from: &str, to: &str) -> Result<Job, Error> {
        let message = job().to_message();
        assert!(message.contains(from), "{from} not in {message}");
        read(&message.replace(from, to))
    }

    #[test]
    fn a_message_reads_back_as_the_job_it_was() {
        assert_eq!(read(&job().to_message()), Ok(job()));
    }

    #[test]
    fn fields_of_a_newer_minor_kind_are_ignored() {
        assert_eq!(read_changed("\"version\":1", "\"version\":1,\"colour\":\"red\""), Ok(job()));
    }

    #[test]
    fn the_request_id_comes_along_and_may_be_missing() {
        let mut with = job();
        with.request_id = "2fb6xqnz-c".to_owned();
        assert_eq!(read(&with.to_message()), Ok(with));
        assert_eq!(read_changed("\"request_id\":\"\",", ""), Ok(job()));
        for bad in ["x".repeat(65), "a b".to_owned(), "a\\n".to_owned()] {
            let changed = read_changed("\"request_id\":\"\"", &format!("\"request_id\":\"{bad}\""));
            assert!(matches!(changed, Err(Error::Malformed(_))), "{bad}");
        }
    }

    #[test]
    fn another_version_is_told_apart_from_nonsense() {
        assert_eq!(read_changed("\"version\":1", "\"version\":2"), Err(Error::UnknownVersion(2)));
        assert_eq!(read("{\"version\":7}"), Err(Error::UnknownVersion(7)));
        for nonsense in ["", "{}", "[]", "null", "{\"version\":1}", "{\"version\":-1}", "\u{0}"] {
            assert!(matches!(read(nonsense), Err(Error::Malformed(_))), "{nonsense:?}");
        }
    }

    #[test]
    fn keys_outside_the_patterns_are_never_acted_on() {
        let id = Id::from_bytes([1; 16]).to_string();
        let other = Id::from_bytes([2; 16]).to_string();
        for (from, to) in [
            (format!("{id}/original.jpg"), format!("{other}/original.jpg")),
            (format!("{id}/original.jpg"), format!("record/{id}.json")),
            (format!("{id}/original.jpg"), format!("{id}/small.jpg")),
            (format!("{id}/small.jpg"), format!("{other}/small.jpg")),
            (format!("{id}/small.jpg"), format!("{id}/original.jpg")),
            (format!("{id}/small.jpg"), format!("{id}/../x.jpg")),
            ("\"name\":\"small\"".to_owned(), "\"name\":\"original\"".to_owned()),
            ("\"width\":100".to_owned(), "\"width\":0".to_owned()),
            ("\"width\":100".to_owned(), "\"width\":4097".to_owned()),
            ("\"format\":\"jpeg\"".to_owned(), "\"format\":\"gif\"".to_owned()),
        ] {
            assert!(matches!(read_changed(&from, &to), Err(Error::Malformed(_))), "{from} -> {to}");
        }
    }

    #[test]
    fn a_huge_message_is_not_parsed() {
        assert!(matches!(read(&" ".repeat(MAX_BYTES + 1)), Err(Error::Malformed(_))));
    }
}
