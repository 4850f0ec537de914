//! The site driven without sockets: requests in, answers out, with stores that fail on demand.

use std::io::{Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::*;
use crate::door::{Body, Header, Method};
use crate::key::{Id, Key};
use crate::queue::memory::MemoryQueue;
use crate::queue::{Cause, Delivery, Depth, Receipt};
use crate::store::memory::MemoryStore;
use crate::store::{Announced, Error as StoreError, Fetched, Meta, Object, Presigned, Tag};
use crate::upload::spool::{self, Budget};

mod api;
mod direct;
mod objects;
mod pages;
mod uploads;

/// Most bytes and pixels of an upload here.
const MAX_BYTES: u64 = 100_000;
const MAX_PIXELS: u64 = 10_000;

/// What goes wrong.
#[derive(Default)]
struct Faults {
    /// Which call of `create` does (from 0), and how.
    create: Option<(usize, Fault)>,
    send: Option<Fault>,
    check: bool,
    delete: bool,
    /// It signs URLs for others, as a bucket does.
    presigns: bool,
}

/// How a call goes wrong.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    /// It does nothing and fails.
    Down,
    /// It does its work, and then fails: its answer was lost.
    Lost,
    /// The key is another's.
    Taken,
    /// It panics.
    Panic,
}

/// A store that fails where it is told to.
struct Flaky {
    inner: Arc<dyn Store>,
    faults: Arc<Faults>,
    created: AtomicUsize,
    /// What was created and removed, in order.
    calls: std::sync::Mutex<Vec<String>>,
}

fn down<T>() -> Result<T, StoreError> {
    Err(StoreError::unavailable("s3.example is down"))
}

impl Flaky {
    fn note(&self, what: &str, key: &Key) {
        self.calls.lock().unwrap().push(format!("{what} {key}"));
    }
}

impl Store for Flaky {
    fn create(&self, key: &Key, object: &Object<'_>) -> Result<(), StoreError> {
        self.note("create", key);
        let call = self.created.fetch_add(1, Ordering::SeqCst);
        match self.faults.create.filter(|(which, _)| *which == call).map(|(_, fault)| fault) {
            None => self.inner.create(key, object),
            Some(Fault::Down) => down(),
            Some(Fault::Lost) => self.inner.create(key, object).and(down()),
            Some(Fault::Taken) => Err(StoreError::AlreadyExists),
            Some(Fault::Panic) => panic!("as asked for"),
        }
    }
    fn put(&self, key: &Key, object: &Object<'_>) -> Result<(), StoreError> {
        self.inner.put(key, object)
    }
    fn replace(&self, key: &Key, expected: &Tag, object: &Object<'_>) -> Result<(), StoreError> {
        self.note("replace", key);
        self.inner.replace(key, expected, object)
    }
    fn get(&self, key: &Key, limit: u64) -> Result<Fetched, StoreError> {
        self.inner.get(key, limit)
    }
    fn head(&self, key: &Key) -> Result<Meta, StoreError> {
        self.inner.head(key)
    }
    fn delete(&self, key: &Key) -> Result<(), StoreError> {
        self.note("delete", key);
        if self.faults.delete { down() } else { self.inner.delete(key) }
    }
    fn presign(
        &self,
        key: &Key,
        announced: &Announced<'_>,
        longest: Duration,
    ) -> Result<Option<Presigned>, StoreError> {
        let Announced { content_type, length } = announced;
        let url = format!("https://bucket.example/{key}?signed={content_type},{length}");
        Ok(self.faults.presigns.then_some(Presigned { url, lifetime: longest }))
    }
    fn check(&self) -> Result<(), StoreError> {
        if self.faults.check { down() } else { Ok(()) }
    }
    fn describe(&self) -> String {
        "flaky".to_owned()
    }
}

/// A queue that fails where it is told to.
struct FlakyQueue {
    inner: MemoryQueue,
    faults: Arc<Faults>,
}

impl Queue for FlakyQueue {
    fn send(&self, body: &str) -> Result<(), crate::queue::Error> {
        match self.faults.send {
            None => self.inner.send(body),
            Some(Fault::Panic) => panic!("as asked for"),
            Some(_) => Err(crate::queue::Error::unavailable("sqs.example is down")),
        }
    }
    fn receive(&self, m: usize, v: Duration, w: Duration) -> Result<Vec<Delivery>, crate::queue::Error> {
        self.inner.receive(m, v, w)
    }
    fn change_visibility(&self, receipt: &Receipt, v: Duration) -> Result<(), crate::queue::Error> {
        self.inner.change_visibility(receipt, v)
    }
    fn delete(&self, receipts: &[Receipt]) -> Vec<Result<(), crate::queue::Error>> {
        self.inner.delete(receipts)
    }
    fn bury(&self, delivery: &Delivery, cause: &Cause) -> Result<(), crate::queue::Error> {
        self.inner.bury(delivery, cause)
    }
    fn depth(&self) -> Result<Depth, crate::queue::Error> {
        self.inner.depth()
    }
    fn check(&self) -> Result<(), crate::queue::Error> {
        Ok(())
    }
    fn describe(&self) -> String {
        "flaky".to_owned()
    }
}

/// A site and its rooms.
struct House {
    site: Site,
    memory: Arc<MemoryStore>,
    store: Arc<Flaky>,
    queue: Arc<FlakyQueue>,
    stop: Stop,
    /// The directory store's folder, where there is one.
    _folder: Option<tempfile::TempDir>,
}

/// A house whose rooms work.
fn house() -> House {
    house_with(Faults::default(), |_| {})
}

/// A house whose rooms fail like this.
fn failing(faults: Faults) -> House {
    house_with(faults, |_| {})
}

/// A house with a changed configuration.
fn configured(change: impl FnOnce(&mut Config)) -> House {
    house_with(Faults::default(), change)
}

fn config() -> Config {
    let spool =
        spool::Config { budget: Budget::new(1 << 20), memory_each: 1 << 16, folder: std::env::temp_dir() };
    Config {
        links: Links::default(),
        upload_token: None,
        rate: None,
        origins: Origins::default(),
        max_waits: 2,
        uploads: crate::upload::Config {
            max_bytes: MAX_BYTES,
            max_pixels: MAX_PIXELS,
            lifetime: None,
            spool,
        },
    }
}

fn house_with(faults: Faults, change: impl FnOnce(&mut Config)) -> House {
    let memory = Arc::new(MemoryStore::new());
    build(Arc::clone(&memory) as Arc<dyn Store>, memory, None, None, faults, change)
}

/// A house over a directory store, which serves objects itself.
fn house_of_files() -> House {
    let folder = tempfile::tempdir().unwrap();
    let files = Arc::new(DirectoryStore::open(folder.path()).unwrap());
    let store = Arc::clone(&files) as Arc<dyn Store>;
    let memory = Arc::new(MemoryStore::new());
    build(store, memory, Some(files), Some(folder), Faults::default(), |_| {})
}

fn build(
    inner: Arc<dyn Store>,
    memory: Arc<MemoryStore>,
    files: Option<Arc<DirectoryStore>>,
    folder: Option<tempfile::TempDir>,
    faults: Faults,
    change: impl FnOnce(&mut Config),
) -> House {
    let faults = Arc::new(faults);
    let store = Arc::new(Flaky {
        inner,
        faults: Arc::clone(&faults),
        created: AtomicUsize::new(0),
        calls: std::sync::Mutex::default(),
    });
    let queue = Arc::new(FlakyQueue { inner: MemoryQueue::new(), faults });
    let stop = Stop::new();
    let rooms = Rooms {
        store: Arc::clone(&store) as Arc<dyn Store>,
        files,
        queue: Arc::clone(&queue) as Arc<dyn Queue>,
        stop: stop.clone(),
        cdn: None,
    };
    let mut config = config();
    change(&mut config);
    House { site: Site::new(config, rooms), memory, store, queue, stop, _folder: folder }
}

impl House {
    fn get(&self, target: &str) -> Told {
        Request::new(Method::Get, target).send(self)
    }

    /// Uploads a picture with these headers; 202 or 303.
    fn upload(&self, headers: &[(&str, &str)]) -> Told {
        let mut request = form(&[("name=\"image\"; filename=\"a.png\"", &picture(8, 6))]);
        request.headers.extend(headers.iter().map(|(name, value)| header(name, value)));
        let told = request.send(self);
        assert!(matches!(told.status, 202 | 303), "{told:?}");
        told
    }

    /// Uploads a picture and returns its id and delete token.
    fn uploaded(&self) -> (Id, String) {
        let told = self.upload(&[]);
        (Id::parse(told.header("X-Image-Id")).unwrap(), told.header("X-Delete-Token").to_owned())
    }

    /// Stores the thumbnails, as a worker would.
    fn make_thumbnails(&self, id: &Id) {
        for (_, key) in crate::upload::sizes::thumbnails(id, "png") {
            let content = key.as_str().as_bytes().to_vec();
            let object = Object {
                content_type: "image/png",
                cache_control: crate::store::IMMUTABLE,
                expires: None,
                content: &content,
            };
            self.store.put(&key, &object).unwrap();
        }
    }
}

/// A request to be sent.
struct Request {
    method: Method,
    target: String,
    headers: Vec<Header>,
    body: Vec<u8>,
    length: Option<u64>,
}

fn header(name: &str, value: &str) -> Header {
    Header::from_bytes(name, value).unwrap()
}

impl Request {
    fn new(method: Method, target: &str) -> Request {
        let headers = vec![header("Host", "share.example")];
        Request { method, target: target.to_owned(), headers, body: Vec::new(), length: Some(0) }
    }

    fn with(mut self, name: &str, value: &str) -> Request {
        self.headers.retain(|h| !h.field.as_str().as_str().eq_ignore_ascii_case(name));
        self.headers.push(header(name, value));
        self
    }

    fn body(mut self, content_type: &str, body: &[u8]) -> Request {
        self.body = body.to_vec();
        self.length = Some(body.len() as u64);
        self.with("Content-Type", content_type)
    }

    /// The same without a declared length.
    fn chunked(mut self) -> Request {
        self.length = None;
        self
    }

    fn head(&self) -> Head {
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        Head {
            method: self.method.clone(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: self.headers.clone(),
            peer: [127, 0, 0, 1].into(),
            client: [127, 0, 0, 1].into(),
            forwarded_proto: None,
            body_length: self.length,
            request_id: "req-1".to_owned(),
        }
    }

    fn send(&self, house: &House) -> Told {
        self.send_head(house, &self.head())
    }

    fn send_head(&self, house: &House, head: &Head) -> Told {
        let Admitted { mut exchange, .. } = match house.site.admit(head) {
            Ok(admitted) => admitted,
            Err(refused) => return Told::of(refused, Stage::Head),
        };
        for piece in self.body.chunks(1000) {
            if let Err(refused) = exchange.body(piece) {
                return Told::of(refused, Stage::Body);
            }
        }
        Told::of(exchange.finish(), Stage::Finish)
    }
}

/// A form of these parts: what stands after `form-data; `, and the content.
fn form(parts: &[(&str, &[u8])]) -> Request {
    let mut body = Vec::new();
    for (disposition, content) in parts {
        let head = format!("--xx\r\nContent-Disposition: form-data; {disposition}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--xx--\r\n");
    Request::new(Method::Post, "/").body("multipart/form-data; boundary=\"xx\"", &body)
}

/// When an answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Head,
    Body,
    Finish,
}

/// An answer, read.
#[derive(Debug)]
struct Told {
    status: u16,
    stage: Stage,
    headers: Vec<Header>,
    body: Vec<u8>,
}

impl Told {
    /// Reads an answer, and checks what all have in common.
    fn of(answer: Answer, stage: Stage) -> Told {
        let body = match answer.body {
            Body::Bytes(bytes) => bytes,
            Body::Static(bytes) => bytes.to_vec(),
            Body::File { mut file, range } => {
                file.seek(SeekFrom::Start(range.start)).unwrap();
                let mut bytes = Vec::new();
                file.take(range.end - range.start).read_to_end(&mut bytes).unwrap();
                bytes
            }
        };
        let told = Told { status: answer.status.0, stage, headers: answer.headers, body };
        assert_eq!(told.header("X-Content-Type-Options"), "nosniff");
        assert_eq!(told.header("X-Request-Id"), "req-1");
        assert!(!told.header("Cache-Control").is_empty());
        assert!(told.header("Content-Security-Policy").starts_with("default-src 'none'"));
        told
    }

    /// A header's value; empty if there is none.
    fn header(&self, name: &str) -> &str {
        let mut found = self.headers.iter().filter(|h| h.field.as_str().as_str().eq_ignore_ascii_case(name));
        let value = found.next().map_or("", |h| h.value.as_str());
        assert!(found.next().is_none(), "{name} is there twice");
        value
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    fn json(&self) -> serde_json::Value {
        assert_eq!(self.header("Content-Type"), "application/json");
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Status and code of an error; checks its form.
    #[track_caller]
    fn error(&self) -> (u16, String) {
        let json = self.json();
        let error = &json["error"];
        assert_eq!(error["request_id"], "req-1");
        assert!(error["message"].as_str().unwrap().ends_with('.'), "{error}");
        (self.status, error["code"].as_str().unwrap().to_owned())
    }
}

/// A PNG file of this size.
fn picture(width: u32, height: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&vec![7; (width * height) as usize]).unwrap();
    writer.finish().unwrap();
    file
}

#[test]
fn refusals_of_the_door_are_worded_like_all_others() {
    let house = house();
    let head = Request::new(Method::Get, "/").with("Accept", "text/plain").head();
    for (refusal, status, code) in [
        (Refusal::Malformed("why"), 400, "malformed_request"),
        (Refusal::TooSlow, 408, "too_slow"),
        (Refusal::TooLarge { limit: 9 }, 413, "too_large"),
        (Refusal::TargetTooLong, 414, "target_too_long"),
        (Refusal::Expectation, 417, "expectation_failed"),
        (Refusal::TooManyConnections, 429, "too_many_connections"),
        (Refusal::HeadTooLarge, 431, "head_too_large"),
        (Refusal::Panicked, 500, "internal"),
        (Refusal::TransferCoding, 501, "transfer_coding"),
        (Refusal::Busy, 503, "busy"),
        (Refusal::Version, 505, "http_version"),
    ] {
        let told = Told::of(house.site.refuse(None, "req-1", &refusal), Stage::Head);
        assert_eq!(told.error(), (status, code.to_owned()));
        let retry = !told.header("Retry-After").is_empty();
        assert_eq!(retry, matches!(status, 429 | 503), "{refusal:?}");
        let line = Told::of(house.site.refuse(Some(&head), "req-1", &refusal), Stage::Head);
        assert_eq!((line.status, line.text().lines().count()), (status, 1));
    }
}
