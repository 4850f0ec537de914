//! What a worker reads of strangers: messages, S3's events, S3's XML.

use image_sharer::arrival::{self, Event};
use image_sharer::aws::xml::{self, Element};
use image_sharer::image::Format;
use image_sharer::job::{self, MAX_SIDE, MAX_THUMBNAILS};
use image_sharer::key::Key;

/// Any text: a job that can be acted on, or an error that says why not.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let job = match job::read(text) {
        Ok(job) => job,
        Err(error) => {
            let _ = error.to_string();
            return;
        }
    };
    assert_eq!(job::read(&job.to_message()), Ok(job.clone()), "it does not read back");
    assert!((1..=MAX_THUMBNAILS).contains(&job.thumbnails.len()));
    let keys = job.thumbnails.iter().map(|wanted| &wanted.key).chain([&job.original]);
    for key in keys {
        let (id, same) = Key::parse_public(key.as_str()).expect("only public objects are named");
        assert_eq!((&id, &same), (&job.id, key), "another upload's object is named");
    }
    for wanted in &job.thumbnails {
        assert!((1..=MAX_SIDE).contains(&wanted.width) && (1..=MAX_SIDE).contains(&wanted.height));
        assert!(matches!(wanted.format, Format::Jpeg | Format::Png));
        assert_ne!(wanted.key, job.original, "a thumbnail would overwrite its original");
    }
}

/// Any text: an event of S3, or none. What has arrived lies where it may.
pub fn event(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for prefix in ["", "of us/"] {
        if let Some(Event::Arrived(id)) = arrival::read(text, prefix) {
            let again = format!(
                r#"{{"Records":[{{"eventSource":"aws:s3","eventName":"ObjectCreated:Put",
                "s3":{{"object":{{"key":"{}incoming/{id}"}}}}}}]}}"#,
                prefix.replace(' ', "+")
            );
            assert_eq!(arrival::read(&again, prefix), Some(Event::Arrived(id)));
            assert!(job::read(text).is_err(), "one message, two meanings");
        }
    }
}

/// Any bytes as an XML document: elements within bounds, of which a document can be made that says the same.
pub fn document(data: &[u8]) {
    match xml::parse(data) {
        Ok(root) => {
            check_element(&root, 1);
            let mut written = String::new();
            write(&root, &mut written);
            assert_eq!(xml::parse(written.as_bytes()), Ok(root), "{written}");
        }
        Err(error) => assert!(error.to_string().starts_with("malformed XML: ")),
    }
}

fn check_element(element: &Element, depth: usize) {
    assert!(depth <= 16 && element.text == element.text.trim(), "{element:?}");
    assert!(!element.name.contains(['<', '>', '&']), "{element:?}");
    element.children.iter().for_each(|child| check_element(child, depth + 1));
}

fn write(element: &Element, into: &mut String) {
    into.push_str(&format!("<{}>", element.name));
    for character in element.text.chars() {
        match character {
            // No number stands for it, and the parser lets it pass as itself.
            '\0' => into.push(character),
            // Line ends that are written as themselves may become others (XML 1.0, 2.11).
            _ => into.push_str(&format!("&#{};", u32::from(character))),
        }
    }
    element.children.iter().for_each(|child| write(child, into));
    into.push_str(&format!("</{}>", element.name));
}
