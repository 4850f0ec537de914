//! What becomes of images that arrive straight in the store.

use std::time::Duration;

use super::*;
use crate::image::Format;
use crate::queue::Queue;
use crate::store::Store;
use crate::worker::tests::{Bench, picture};

const A_MINUTE: Duration = Duration::from_secs(60);

/// What S3 sends when an object was created.
fn event(key: &str) -> String {
    format!(
        r#"{{"Records":[{{"eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{{"object":{{"key":"{key}"}}}}}}]}}"#
    )
}

impl Bench {
    /// What an upload straight into the store leaves behind.
    fn arrive(&self, number: u8, bytes: &[u8]) -> Id {
        let id = Id::from_bytes([number; 16]);
        self.put(&id, bytes);
        id
    }

    /// Somebody uses an upload's URL.
    fn put(&self, id: &Id, bytes: &[u8]) {
        let content = bytes.to_vec();
        let object = Object {
            content_type: "image/jpeg",
            cache_control: "no-store",
            expires: None,
            content: &content,
        };
        self.store.put(&arrival::key(id), &object).unwrap();
        self.queue.send(&event(&format!("incoming/{id}"))).unwrap();
    }

    /// A server announces an upload and tells its delete token, `secret`.
    fn announce(&self, number: u8, format: Format, expires: Option<u64>) -> Id {
        let id = Id::from_bytes([number; 16]);
        ticket::create(&*self.store, &id, &Ticket::new(format, "secret", expires)).unwrap();
        id
    }

    fn failure(&self, id: &Id) -> Option<String> {
        ticket::read(&*self.store, id).unwrap().unwrap().failed.map(|failed| failed.code)
    }
}

#[test]
fn an_image_that_arrived_directly_is_stripped_published_and_removed_where_it_arrived() {
    let mut bench = Bench::new();
    let bytes = picture("private.jpg");
    let id = bench.arrive(1, &bytes);
    bench.queue.send(&event(&format!("incoming/{id}"))).unwrap();
    bench.start(A_MINUTE);
    bench.wait_until_idle();
    let names: Vec<String> = bench.store.inner.keys().iter().map(Key::to_string).collect();
    let objects = ["large", "medium", "original", "small"].map(|name| format!("{id}/{name}.jpg"));
    assert_eq!(names, [objects.as_slice(), &[format!("record/{id}.json")]].concat());
    let original = bench.store.get(&id.object("original", "jpg"), 1 << 20).unwrap().bytes;
    assert!(bytes.windows(7).any(|w| w == b"PRIVATE") && !original.windows(7).any(|w| w == b"PRIVATE"));
    assert_eq!(bench.queue.dead(), []);
}

#[test]
fn what_arrived_and_is_no_image_is_removed_and_never_public() {
    let mut bench = Bench::new();
    bench.arrive(1, b"an essay");
    bench.queue.send(&event("record/x.json")).unwrap();
    bench.queue.send(r#"{"Service":"Amazon S3","Event":"s3:TestEvent"}"#).unwrap();
    bench.start(A_MINUTE);
    bench.wait_until_idle();
    assert_eq!(bench.store.inner.keys(), []);
    assert_eq!(bench.queue.dead(), []);
}

#[test]
fn what_was_announced_gets_its_token_and_its_expiry_and_leaves_no_ticket() {
    let mut bench = Bench::new();
    let end = now_millis() + 3_600_000;
    let id = bench.announce(1, Format::Jpeg, Some(end));
    bench.put(&id, &picture("private.jpg"));
    bench.start(A_MINUTE);
    bench.wait_until_idle();
    let record = record::read(&*bench.store, &id).unwrap();
    assert!(record.admits("secret"));
    assert_eq!(record.expires, Some(end));
    let meta = bench.store.head(&id.object("original", "jpg")).unwrap();
    assert_eq!(meta.cache_control, store::EXPIRING);
    assert!(bench.has(&id.object("large", "jpg")) && !bench.has(&ticket::key(&id)));
}

#[test]
fn what_is_other_than_announced_or_no_image_is_refused_and_the_ticket_says_why() {
    let mut bench = Bench::new();
    let other = bench.announce(1, Format::Png, None);
    bench.put(&other, &picture("private.jpg"));
    let essay = bench.announce(2, Format::Jpeg, None);
    bench.put(&essay, b"an essay");
    bench.start(A_MINUTE);
    bench.wait_until_idle();
    assert_eq!(bench.failure(&other).as_deref(), Some("other_type"));
    assert_eq!(bench.failure(&essay).as_deref(), Some("not_an_image"));
    let mut tickets = [ticket::key(&other), ticket::key(&essay)];
    tickets.sort();
    assert_eq!(bench.store.inner.keys(), tickets);
}

#[test]
fn a_url_that_is_used_twice_does_not_change_what_it_brought() {
    let mut bench = Bench::new();
    let id = bench.announce(1, Format::Jpeg, None);
    bench.put(&id, &picture("private.jpg"));
    bench.start(A_MINUTE);
    bench.wait_until_idle();
    let objects = ["original", "small"].map(|name| id.object(name, "jpg"));
    let state = || objects.clone().map(|key| bench.store.get(&key, 1 << 20).unwrap().bytes);
    let (before, keys) = (state(), bench.store.inner.keys());
    for other in ["grey.jpg", "rgb-8.png"] {
        bench.put(&id, &picture(other));
        bench.wait_until_idle();
        assert_eq!((state() == before, bench.store.inner.keys() == keys), (true, true), "{other}");
    }
}

#[test]
fn a_url_that_is_used_after_its_upload_was_deleted_brings_nothing_back() {
    let mut bench = Bench::new();
    let id = bench.announce(1, Format::Jpeg, None);
    bench.put(&id, &picture("private.jpg"));
    bench.start(A_MINUTE);
    bench.wait_until_idle();
    record::update(&*bench.store, &id, |record| {
        record.deleted = Some(1);
        true
    })
    .unwrap();
    for name in ["original", "small", "medium", "large"] {
        bench.store.delete(&id.object(name, "jpg")).unwrap();
    }
    bench.put(&id, &picture("private.jpg"));
    bench.wait_until_idle();
    assert_eq!(bench.store.inner.keys(), [id.record()]);
}

#[test]
fn an_upload_that_has_expired_when_it_arrives_is_not_published() {
    let mut bench = Bench::new();
    let id = bench.announce(1, Format::Jpeg, Some(1));
    bench.put(&id, &picture("private.jpg"));
    bench.start(A_MINUTE);
    bench.wait_until_idle();
    assert_eq!(bench.store.inner.keys(), [id.record()]);
}
