//! What a server or worker reads of AWS's services, or of whoever answers in their place: SQS's and the metadata
//! service's JSON, S3's XML, the errors of each; and the records that lie in a store.

use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use image_sharer::aws::client::{Client, Parts};
use image_sharer::aws::clock::Clock;
use image_sharer::aws::credentials::{Cached, Chain};
use image_sharer::aws::imds::Imds;
use image_sharer::aws::profile::Profile;
use image_sharer::aws::request::{Request, Response};
use image_sharer::aws::s3::{Bucket, S3};
use image_sharer::aws::sign::Style;
use image_sharer::aws::sqs::Sqs;
use image_sharer::aws::transport::{Failure, Limits, Transport};
use image_sharer::aws::{Endpoint, Environment};
use image_sharer::key::Id;
use image_sharer::queue::Queue;
use image_sharer::queue::sqs::{self, SqsQueue};
use image_sharer::record;
use image_sharer::store::memory::MemoryStore;
use image_sharer::store::s3::{self, S3Store};
use image_sharer::store::{Object, Store};
use libfuzzer_sys::Corpus;

/// Most bytes of an object or a record that are asked for.
const LIMIT: u64 = 4096;

/// Answers every request with the next of these bodies, and the last one again and again.
struct Script {
    status: u16,
    bodies: Mutex<Vec<Vec<u8>>>,
}

impl Transport for Script {
    fn send(&self, _: &Request<'_>, _: &[(String, String)], _: &Limits) -> Result<Response, Failure> {
        let mut bodies = self.bodies.lock().expect("nothing panics while it is held");
        let body = if bodies.len() > 1 { bodies.pop() } else { bodies.first().cloned() };
        let headers = [("etag", "\"1\""), ("content-type", "image/png"), ("x-amzn-errortype", "a#B:c")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Ok(Response { status: self.status, headers, body: body.unwrap_or_default() })
    }
}

/// A clock on which no pause takes time.
struct Hasty;

impl Clock for Hasty {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_800_000_000)
    }

    fn instant(&self) -> Instant {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        *START
    }

    fn sleep(&self, _: Duration) {}
}

/// A byte that says who asks, one that says the status, then bodies with 0xff between (no text holds that).
pub fn check(data: &[u8]) -> Corpus {
    let &[who, status, ref rest @ ..] = data else { return Corpus::Reject };
    let bodies = rest.split(|&byte| byte == 0xff).rev().map(<[u8]>::to_vec).collect();
    // Where an answer may pass, it is asked again: that is not what is looked at here.
    let status = [200, 200, 200, 400, 403, 404][usize::from(status) % 6];
    let script = Arc::new(Script { status, bodies: Mutex::new(bodies) });
    match who % 4 {
        0 => queue(script),
        1 => store(script),
        2 => machine(script),
        _ => records(rest),
    }
    Corpus::Keep
}

fn environment() -> Environment {
    let set = [
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI"),
        ("AWS_ENDPOINT_URL", "http://peer.test"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ];
    set.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect()
}

fn client(script: Arc<Script>, service: &'static str, style: Style) -> Client {
    let clock: Arc<dyn Clock> = Arc::new(Hasty);
    let credentials = Arc::new(Cached::new(Box::new(Chain::standard(&environment(), None)), clock.clone()));
    Client::new(Parts { transport: script, credentials, clock, chance: || 0 }, service, style, "eu-west-1")
}

fn queue(script: Arc<Script>) {
    let sqs = Sqs::new(client(script, "sqs", Style::Standard), "http://peer.test".to_owned());
    let queue = SqsQueue::new(sqs, sqs::Address::Name("jobs".to_owned()));
    let _ = queue.check();
    let _ = queue.depth();
    if let Ok(deliveries) = queue.receive(10, Duration::from_secs(60), Duration::ZERO) {
        let receipts: Vec<_> = deliveries.iter().map(|delivery| delivery.receipt.clone()).collect();
        assert_eq!(queue.delete(&receipts).len(), receipts.len(), "an outcome each");
    }
}

fn store(script: Arc<Script>) {
    let environment = environment();
    let profile = Profile::load(&environment).expect("no files, no errors");
    let endpoint = Endpoint::find(&environment, &profile, "S3").expect("the endpoint is one");
    let bucket = Bucket::new("pictures", &endpoint, "eu-west-1").expect("the name is one");
    let address = s3::Address::parse("s3://pictures/of us").expect("the address is one");
    let store = S3Store::new(S3::new(client(script, "s3", Style::S3), bucket), address);
    let key = Id::from_bytes([1; 16]).record();
    let _ = store.check();
    if let Ok(fetched) = store.get(&key, LIMIT) {
        assert!(fetched.bytes.len() as u64 <= LIMIT, "more than was asked for");
    }
    let _ = store.delete(&key);
    let _ = record::read(&store, &Id::from_bytes([1; 16]));
}

fn machine(script: Arc<Script>) {
    let imds = Imds::new("http://peer.test", script, Arc::new(Hasty));
    let _ = imds.region();
    let _ = imds.spot_notice();
    let _ = imds.role_credentials();
}

fn records(bytes: &[u8]) {
    let (store, id) = (MemoryStore::new(), Id::from_bytes([1; 16]));
    let content = bytes.to_vec();
    let object = Object {
        content_type: "application/json",
        cache_control: "no-store",
        content: &content,
        expires: None,
    };
    store.put(&id.record(), &object).expect("memory takes it");
    if let Ok(record) = record::read(&store, &id) {
        let _ = (record.presence(0), record.presence(u64::MAX), record.admits(""));
        record::update(&store, &id, |_| true).expect("what was read can be written");
        assert_eq!(record::read(&store, &id).expect("it reads back"), record);
    }
}
