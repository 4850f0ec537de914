//! Names of things in the store: the random [`Id`] of an upload and the [`Key`] of an object.
//!
//! An id is unguessable, so a public object's address is known to those who were told it alone.
//! A key is checked once, when it is made; stores need not look at it again.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Characters of an id: RFC 4648 base32 in lower case.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// An upload's name: 128 random bits as 26 characters of lower-case base32 (RFC 4648, unpadded).
///
/// By the birthday bound, two of 2^48 ids are the same with a probability below 2^-32;
/// a create that meets an existing id is refused by the store and tried with another.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Id(String);

impl Id {
    /// Length of an id in characters.
    pub const LENGTH: usize = 26;

    /// A fresh id from the operating system's randomness.
    ///
    /// # Errors
    /// When the operating system has no randomness to give.
    pub fn random() -> Result<Id, getrandom::Error> {
        let mut bytes = [0u8; 16];
        crate::random::fill(&mut bytes)?;
        Ok(Id::from_bytes(bytes))
    }

    /// The id that spells these 128 bits.
    pub fn from_bytes(bytes: [u8; 16]) -> Id {
        let bits = u128::from_be_bytes(bytes);
        let text = (0..Id::LENGTH)
            .map(|i| {
                // The last character carries the three bits left over: 26 × 5 = 128 + 2.
                let shift = 123_i32 - 5 * i as i32;
                let five = if shift >= 0 { bits >> shift } else { bits << -shift };
                char::from(ALPHABET[(five & 31) as usize])
            })
            .collect();
        Id(text)
    }

    /// Reads an id from text; `None` if it is not exactly of an id's form.
    pub fn parse(text: &str) -> Option<Id> {
        let well_formed = text.len() == Id::LENGTH && text.bytes().all(|b| ALPHABET.contains(&b));
        well_formed.then(|| Id(text.to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Key of this upload's object `name.extension` (`original.jpg`, `small.png`).
    ///
    /// # Panics
    /// If `name` or `extension` is no [object name](is_object_name): both come from our own tables
    /// or from a message that was checked by [`crate::job`].
    pub fn object(&self, name: &str, extension: &str) -> Key {
        assert!(is_object_name(name) && is_object_name(extension), "{name:?}.{extension:?}");
        Key(format!("{}/{name}.{extension}", self.0))
    }

    /// Key of this upload's private record.
    pub fn record(&self) -> Key {
        Key(format!("record/{}.json", self.0))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Id {
    type Error = String;
    fn try_from(text: String) -> Result<Id, String> {
        Id::parse(&text).ok_or_else(|| format!("{:?} is no id", shorten(&text)))
    }
}

impl From<Id> for String {
    fn from(id: Id) -> String {
        id.0
    }
}

/// Whether `text` may be the name or the extension of one upload's object: 1 to 32 of `a-z 0-9 - _`.
pub fn is_object_name(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
}

/// The name of an object in a store: 1 to 1024 bytes of UTF-8 in segments parted by `/`.
///
/// No segment is empty, `.` or `..`, or longer than 255 bytes, and there is no control character:
/// so a key is a relative path that can't leave its folder, and a valid S3 object key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Key(String);

impl Key {
    /// Reads a key from text; `None` if it breaks a rule above.
    pub fn parse(text: &str) -> Option<Key> {
        let segment = |s: &str| !s.is_empty() && s != "." && s != ".." && s.len() <= 255;
        let well_formed =
            text.len() <= 1024 && !text.chars().any(char::is_control) && text.split('/').all(segment);
        well_formed.then(|| Key(text.to_owned()))
    }

    /// Reads the key of a *public* object, `<id>/<name>.<extension>`: what the world may fetch.
    pub fn parse_public(text: &str) -> Option<(Id, Key)> {
        let (id, file) = text.split_once('/')?;
        let (name, extension) = file.split_once('.')?;
        let id = Id::parse(id)?;
        if !is_object_name(name) || !is_object_name(extension) {
            return None;
        }
        let key = id.object(name, extension);
        Some((id, key))
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What follows the last dot of the last segment, or `""`.
    pub fn extension(&self) -> &str {
        let file = self.0.rsplit('/').next().unwrap_or("");
        file.rsplit_once('.').map_or("", |(_, extension)| extension)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Key {
    type Error = String;
    fn try_from(text: String) -> Result<Key, String> {
        Key::parse(&text).ok_or_else(|| format!("{:?} is no object key", shorten(&text)))
    }
}

impl From<Key> for String {
    fn from(key: Key) -> String {
        key.0
    }
}

/// At most 64 characters of `text`: what an error may repeat of a stranger's words.
fn shorten(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_spells_all_its_bits() {
        assert_eq!(Id::from_bytes([0; 16]).as_str(), "a".repeat(26));
        assert_eq!(Id::from_bytes([255; 16]).as_str(), "7".repeat(25) + "4");
        let mut one = [0; 16];
        one[15] = 1;
        assert_eq!(Id::from_bytes(one).as_str(), "a".repeat(25) + "e");
    }

    #[test]
    fn random_ids_differ_and_parse() {
        let (a, b) = (Id::random().unwrap(), Id::random().unwrap());
        assert_ne!(a, b);
        assert_eq!(Id::parse(a.as_str()), Some(a));
    }

    #[test]
    fn keys_cannot_leave_their_folder() {
        for bad in ["", "/a", "a/", "a//b", "..", "a/../b", "./a", "a\0b", "a\nb"] {
            assert_eq!(Key::parse(bad), None, "{bad:?}");
        }
        assert_eq!(Key::parse(&"a/".repeat(600)), None);
        assert_eq!(Key::parse(&"a".repeat(256)), None);
        for good in ["a", "a b+c%20é🦀/x", "record/..json", "a/b.c/d"] {
            assert_eq!(Key::parse(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn only_an_uploads_own_objects_are_public() {
        let id = Id::from_bytes([7; 16]);
        let key = id.object("small", "jpg");
        assert_eq!(Key::parse_public(key.as_str()), Some((id.clone(), key)));
        let other = [
            id.record().to_string(),
            format!("{id}"),
            format!("{id}/"),
            format!("{id}/small"),
            format!("{id}/../{id}/small.jpg"),
            format!("{id}/a/b.jpg"),
            format!("{}/small.jpg", id.as_str().to_uppercase()),
            "record/small.jpg".to_owned(),
        ];
        for text in other {
            assert_eq!(Key::parse_public(&text), None, "{text}");
        }
    }
}
