//! S3's own message that an object was created: how a directly uploaded image reaches a worker.
//!
//! Only keys under `incoming/` mean anything to us; events for other keys are there because somebody
//! configured them, and are deleted unread. The shape is AWS's "Event message structure" (S3 user
//! guide), of which S3 sends one record a message; keys in it are form-encoded (`+` is a space).

use serde::Deserialize;

use crate::key::{Id, Key};

/// Folder in which directly uploaded images arrive: never public, emptied after a day.
pub const FOLDER: &str = "incoming/";

/// The key under which an image arrives.
pub fn key(id: &Id) -> Key {
    // `incoming/` and an id's 26 letters and digits are a key by all of its rules.
    Key::parse(&format!("{FOLDER}{id}")).expect("a key")
}

/// What an event of S3 says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An image of this id has arrived, as `incoming/<id>`.
    Arrived(Id),
    /// Nothing that concerns us; says what.
    Other(String),
}

#[derive(Deserialize)]
struct Message {
    #[serde(rename = "Records")]
    records: Option<Vec<Record>>,
    /// `s3:TestEvent`, sent once when notifications are switched on.
    #[serde(rename = "Event")]
    event: Option<String>,
}

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "eventSource")]
    source: String,
    #[serde(rename = "eventName")]
    name: String,
    s3: S3,
}

#[derive(Deserialize)]
struct S3 {
    object: Object,
}

#[derive(Deserialize)]
struct Object {
    key: String,
}

/// Reads a message as an event of S3; `None` if it is of another form. `prefix` is what the store's
/// keys begin with in its bucket, empty or with a slash at its end.
pub fn read(message: &str, prefix: &str) -> Option<Event> {
    if message.len() > crate::job::MAX_BYTES {
        return None;
    }
    let message: Message = serde_json::from_str(message).ok()?;
    if let Some(event) = message.event.filter(|event| event.starts_with("s3:")) {
        return Some(Event::Other(event));
    }
    let records = message.records?;
    let [record] = records.as_slice() else { return None };
    if record.source != "aws:s3" {
        return None;
    }
    let key = decode(&record.s3.object.key)?;
    // Some peers write the name with the prefix `s3:`, AWS without it.
    let created = record.name.trim_start_matches("s3:").starts_with("ObjectCreated:");
    let id = key.strip_prefix(prefix).and_then(|key| key.strip_prefix(FOLDER)).and_then(Id::parse);
    match id {
        Some(id) if created => Some(Event::Arrived(id)),
        _ => Some(Event::Other(format!("{} of {key:?}", record.name))),
    }
}

/// Undoes form encoding (WHATWG URL, application/x-www-form-urlencoded): `+` and `%XX`; `None` if what
/// comes out is no UTF-8.
fn decode(text: &str) -> Option<String> {
    let hex = |b: u8| char::from(b).to_digit(16).map(|digit| digit as u8);
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after) {
            (b'+', _) => decoded.push(b' '),
            (b'%', [high, low, behind @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    decoded.push(high << 4 | low);
                    rest = behind;
                }
                _ => decoded.push(b'%'),
            },
            _ => decoded.push(byte),
        }
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, key: &str) -> String {
        format!(
            r#"{{"Records":[{{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"eu-west-1",
            "eventName":"{name}","s3":{{"bucket":{{"name":"b"}},"object":{{"key":"{key}","size":9}}}}}}]}}"#
        )
    }

    #[test]
    fn an_image_has_arrived() {
        let id = Id::from_bytes([5; 16]);
        let arrived = Some(Event::Arrived(id.clone()));
        assert_eq!(read(&event("ObjectCreated:Put", &format!("incoming/{id}")), ""), arrived);
        assert_eq!(read(&event("s3:ObjectCreated:Post", &format!("incoming%2F{id}")), ""), arrived);
        assert_eq!(read(&event("ObjectCreated:Put", &format!("of+us%2fincoming/{id}")), "of us/"), arrived);
    }

    #[test]
    fn other_events_are_known_and_mean_nothing() {
        let id = Id::from_bytes([5; 16]);
        for (name, key, prefix) in [
            ("ObjectRemoved:Delete", format!("incoming/{id}"), ""),
            ("ObjectCreated:Put", format!("{id}/original.jpg"), ""),
            ("ObjectCreated:Put", format!("incoming/{id}"), "elsewhere/"),
            ("ObjectCreated:Put", format!("incoming/{id}/x"), ""),
            ("ObjectCreated:Put", crate::ticket::key(&id).to_string(), ""),
            ("ObjectCreated:Put", "incoming/..".to_owned(), ""),
        ] {
            assert!(matches!(read(&event(name, &key), prefix), Some(Event::Other(_))), "{name} {key}");
        }
        let test = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}"#;
        assert_eq!(read(test, ""), Some(Event::Other("s3:TestEvent".to_owned())));
    }

    #[test]
    fn what_is_no_event_is_left_to_others() {
        for message in ["", "{}", "[]", r#"{"version":1}"#, r#"{"Records":[]}"#, r#"{"Event":"x"}"#] {
            assert_eq!(read(message, ""), None, "{message}");
        }
    }

    #[test]
    fn form_encoding_is_undone_and_nonsense_is_left_as_it_is() {
        assert_eq!(decode("a+b%2Bc%20%C3%A9%F0%9F%A6%80").as_deref(), Some("a b+c é🦀"));
        assert_eq!(decode("100%").as_deref(), Some("100%"));
        assert_eq!(decode("%zz%4").as_deref(), Some("%zz%4"));
        assert_eq!(decode("%ff"), None);
    }
}
