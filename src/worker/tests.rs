//! The worker on a store and a queue in memory: what becomes of each kind of job.

use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;

use super::*;
use crate::image::{Effort, Format, Size};
use crate::job::{Job, SIZES};
use crate::key::{Id, Key};
use crate::queue::memory::MemoryQueue;
use crate::record::{self, Record};
use crate::store::memory::MemoryStore;
use crate::store::{Error, Fetched, IMMUTABLE, Meta, Object, Tag};

/// A worker at work on a bench of its own.
pub(super) struct Bench {
    pub(super) store: Arc<FailingStore>,
    pub(super) queue: Arc<MemoryQueue>,
    pub(super) stop: Stop,
    pub(super) wait: Duration,
    pub(super) job_time: Duration,
    pub(super) grace: Duration,
    pub(super) worker: Option<Worker>,
}

impl Bench {
    pub(super) fn new() -> Bench {
        let (store, queue) = (Arc::new(FailingStore::default()), Arc::new(MemoryQueue::new()));
        let (job_time, grace) = (Duration::from_secs(120), Duration::from_secs(100));
        let wait = Duration::from_millis(50);
        Bench { store, queue, stop: Stop::new(), wait, job_time, grace, worker: None }
    }

    pub(super) fn start(&mut self, visibility: Duration) {
        let config = Config {
            jobs: 2,
            memory: 256 << 20,
            wall: Wall::none(),
            max_bytes: 1 << 20,
            max_pixels: 1_000_000,
            effort: Effort::Fast,
            job_time: self.job_time,
            grace: self.grace,
            visibility,
            wait: self.wait,
            key_prefix: String::new(),
            program: "image-worker test".to_owned(),
        };
        let (store, queue) = (Arc::clone(&self.store), Arc::clone(&self.queue));
        self.worker = Some(Worker::start(config, store, queue, self.stop.clone()).unwrap());
    }

    /// What a server leaves behind after an upload.
    pub(super) fn upload(&self, number: u8, bytes: &[u8]) -> Job {
        let id = Id::from_bytes([number; 16]);
        let size = Size { width: 1, height: 1 };
        let record = Record::new(Format::Png, Format::Png, size, bytes.len() as u64, 0, "token");
        record::create(&*self.store, &id, &record).unwrap();
        let wanted = SIZES.iter().map(|(name, bounds)| (*name, *bounds, Format::Png)).collect();
        let job = Job::new(id, Format::Png, 0, String::new(), wanted);
        let content = bytes.to_vec();
        let object =
            Object { content_type: "image/png", cache_control: IMMUTABLE, expires: None, content: &content };
        self.store.create(&job.original, &object).unwrap();
        self.queue.send(&job.to_message()).unwrap();
        job
    }

    #[track_caller]
    pub(super) fn wait_until(&self, what: &str, done: impl Fn(&Bench) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !done(self) {
            assert!(Instant::now() < deadline, "not within 20 s: {what}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    #[track_caller]
    pub(super) fn wait_until_idle(&self) {
        self.wait_until("an empty queue", |bench| {
            let depth = bench.queue.depth().unwrap();
            depth.waiting + depth.in_flight == 0
        });
    }

    pub(super) fn has(&self, key: &Key) -> bool {
        self.store.head(key).is_ok()
    }

    pub(super) fn thumbnails(&self, job: &Job) -> usize {
        job.thumbnails.iter().filter(|wanted| self.has(&wanted.key)).count()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.stop.set();
        self.store.hang_at.lock().unwrap().take();
        if let Some(worker) = self.worker.take() {
            worker.drain(Instant::now() + Duration::from_secs(20));
        }
    }
}

/// A store that fails, or deletes an upload under the worker's hands, when a test says so.
#[derive(Default)]
pub(super) struct FailingStore {
    pub(super) inner: MemoryStore,
    failing: AtomicBool,
    checks: AtomicUsize,
    puts: AtomicUsize,
    gets: Mutex<Vec<Key>>,
    slow: Mutex<Duration>,
    /// Whose original is fetched by a thread that panics.
    pub(super) panic_at: Mutex<Vec<Key>>,
    /// Whose original is never had, for as long as it is here.
    pub(super) hang_at: Mutex<Option<Key>>,
    delete_at_put: Mutex<Option<Id>>,
}

impl FailingStore {
    pub(super) fn gets_of(&self, key: &Key) -> usize {
        self.gets.lock().unwrap().iter().filter(|got| *got == key).count()
    }

    fn meet(&self) -> Result<(), Error> {
        thread::sleep(*self.slow.lock().unwrap());
        match self.failing.load(Ordering::Relaxed) {
            true => Err(Error::unavailable("switched off")),
            false => Ok(()),
        }
    }
}

impl Store for FailingStore {
    fn create(&self, key: &Key, object: &Object<'_>) -> Result<(), Error> {
        self.inner.create(key, object)
    }
    fn put(&self, key: &Key, object: &Object<'_>) -> Result<(), Error> {
        self.meet()?;
        self.puts.fetch_add(1, Ordering::Relaxed);
        if let Some(id) = self.delete_at_put.lock().unwrap().take() {
            record::update(&self.inner, &id, |record| {
                record.deleted = Some(1);
                true
            })?;
        }
        self.inner.put(key, object)
    }
    fn replace(&self, key: &Key, expected: &Tag, object: &Object<'_>) -> Result<(), Error> {
        self.inner.replace(key, expected, object)
    }
    fn get(&self, key: &Key, limit: u64) -> Result<Fetched, Error> {
        self.meet()?;
        self.gets.lock().unwrap().push(key.clone());
        assert!(!self.panic_at.lock().unwrap().contains(key), "as the test wants it");
        while self.hang_at.lock().unwrap().as_ref() == Some(key) {
            thread::sleep(Duration::from_millis(5));
        }
        self.inner.get(key, limit)
    }
    fn head(&self, key: &Key) -> Result<Meta, Error> {
        self.inner.head(key)
    }
    fn delete(&self, key: &Key) -> Result<(), Error> {
        self.inner.delete(key)
    }
    fn check(&self) -> Result<(), Error> {
        self.checks.fetch_add(1, Ordering::Relaxed);
        self.meet()
    }
    fn describe(&self) -> String {
        self.inner.describe()
    }
}

pub(super) fn picture(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/pictures/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

pub(super) const A_MINUTE: Duration = Duration::from_secs(60);

#[test]
fn thumbnails_that_a_dead_worker_left_of_a_deleted_upload_are_removed() {
    let mut bench = Bench::new();
    let job = bench.upload(9, &picture("rgb-8.png"));
    // It stored a thumbnail and died before it looked whether the upload was deleted, which it was.
    let content = picture("rgb-8.png");
    let object =
        Object { content_type: "image/png", cache_control: IMMUTABLE, expires: None, content: &content };
    bench.store.create(&job.thumbnails[0].key, &object).unwrap();
    record::update(&*bench.store, &job.id, |record| {
        record.deleted = Some(1);
        true
    })
    .unwrap();
    bench.start(Duration::from_secs(60));
    bench.wait_until_idle();
    assert_eq!(bench.thumbnails(&job), 0);
}

#[test]
fn thumbnails_end_when_their_upload_does() {
    let mut bench = Bench::new();
    let job = bench.upload(8, &picture("rgb-8.png"));
    record::update(&*bench.store, &job.id, |record| {
        record.expires = Some(u64::MAX);
        true
    })
    .unwrap();
    bench.start(Duration::from_secs(60));
    bench.wait_until_idle();
    let cache_control = |wanted: &crate::job::Wanted| bench.store.head(&wanted.key).unwrap().cache_control;
    assert!(job.thumbnails.iter().all(|wanted| cache_control(wanted) == crate::store::EXPIRING));
}

#[test]
fn a_worker_that_waits_or_works_is_not_stuck() {
    let mut bench = Bench::new();
    bench.start(Duration::from_secs(60));
    bench.upload(1, &picture("rgb-8.png"));
    bench.wait_until_idle();
    assert_eq!(bench.worker.as_ref().unwrap().life().stuck(), None);
}

#[test]
fn a_job_done_leaves_thumbnails_and_no_message() {
    let mut bench = Bench::new();
    let jobs: Vec<Job> = (0..20).map(|i| bench.upload(i, &picture("rgb-8.png"))).collect();
    bench.start(A_MINUTE);
    bench.wait_until_idle();
    assert!(jobs.iter().all(|job| bench.thumbnails(job) == 3));
    assert_eq!(bench.queue.dead(), []);
}

#[test]
fn a_picture_that_cannot_be_decoded_is_marked_once_and_not_tried_again() {
    let mut bench = Bench::new();
    let job = bench.upload(1, &picture("cut-in-data.png"));
    bench.start(A_MINUTE);
    bench.wait_until_idle();
    let failed = record::read(&*bench.store, &job.id).unwrap().failed.unwrap();
    assert_eq!(failed.code, "truncated_image");
    assert_eq!((bench.thumbnails(&job), bench.queue.dead().len()), (0, 0));
}

#[test]
fn an_upload_deleted_before_its_job_gets_no_thumbnails() {
    let mut bench = Bench::new();
    let job = bench.upload(1, &picture("rgb-8.png"));
    record::update(&*bench.store, &job.id, |record| {
        record.deleted = Some(1);
        true
    })
    .unwrap();
    bench.start(A_MINUTE);
    bench.wait_until_idle();
    assert_eq!(bench.thumbnails(&job), 0);
}

#[test]
fn an_upload_deleted_while_its_thumbnails_are_stored_keeps_none() {
    let mut bench = Bench::new();
    let job = bench.upload(1, &picture("rgb-8.png"));
    *bench.store.delete_at_put.lock().unwrap() = Some(job.id.clone());
    bench.start(A_MINUTE);
    bench.wait_until_idle();
    assert_eq!(bench.thumbnails(&job), 0);
}

#[test]
fn a_message_that_is_no_job_is_buried_with_its_cause_and_one_of_another_version_is_kept() {
    let mut bench = Bench::new();
    bench.queue.send("{\"version\":1,\"id\":\"..\"}").unwrap();
    bench.queue.send("{\"version\":99}").unwrap();
    bench.start(A_MINUTE);
    bench.wait_until("one dead letter, one message released", |bench| {
        let depth = bench.queue.depth().unwrap();
        (depth.dead, depth.waiting + depth.in_flight) == (1, 1)
    });
    let (_, cause) = &bench.queue.dead()[0];
    assert!(cause.cause.contains("malformed") && cause.program == "image-worker test", "{cause:?}");
}

#[test]
fn while_the_store_fails_no_more_jobs_are_taken_and_none_is_lost() {
    let mut bench = Bench::new();
    bench.store.failing.store(true, Ordering::Relaxed);
    let job = bench.upload(1, &picture("rgb-8.png"));
    bench.start(A_MINUTE);
    bench.wait_until("two looks at the store", |b| b.store.checks.load(Ordering::Relaxed) >= 2);
    bench.upload(2, &picture("rgb-8.png"));
    assert_eq!(bench.queue.depth().unwrap().waiting, 1, "a new job is left where it is");
    bench.store.failing.store(false, Ordering::Relaxed);
    bench.wait_until_idle();
    assert_eq!(bench.thumbnails(&job), 3);
}

#[test]
fn a_job_that_takes_longer_than_the_visibility_time_out_is_not_received_twice() {
    let mut bench = Bench::new();
    *bench.store.slow.lock().unwrap() = Duration::from_millis(700);
    let job = bench.upload(1, &picture("rgb-8.png"));
    bench.start(Duration::from_millis(900));
    bench.wait_until_idle();
    assert_eq!(bench.thumbnails(&job), 3);
    assert_eq!(bench.store.puts.load(Ordering::Relaxed), 3, "the job is done once");
}

#[test]
fn what_is_not_started_is_given_back_when_the_worker_ends() {
    let mut bench = Bench::new();
    *bench.store.slow.lock().unwrap() = Duration::from_millis(200);
    for number in 0..30 {
        bench.upload(number, &picture("rgb-8.png"));
    }
    bench.start(A_MINUTE);
    bench.wait_until("some in flight", |bench| bench.queue.depth().unwrap().in_flight > 3);
    bench.stop.set();
    bench.worker.take().unwrap().drain(Instant::now() + Duration::from_secs(20));
    let depth = bench.queue.depth().unwrap();
    assert_eq!(depth.in_flight, 0, "{depth:?}");
    assert!(depth.waiting > 10, "{depth:?}");
}

#[test]
fn what_a_poll_brings_after_the_end_has_begun_is_given_back() {
    let mut bench = Bench::new();
    bench.wait = Duration::from_secs(10);
    bench.start(A_MINUTE);
    bench.wait_until("a poll under way", |b| b.worker.as_ref().unwrap().shared.leases.is_receiving());
    bench.stop.set();
    bench.upload(1, &picture("rgb-8.png"));
    bench.worker.take().unwrap().drain(Instant::now() + Duration::from_secs(20));
    let depth = bench.queue.depth().unwrap();
    assert_eq!((depth.waiting, depth.in_flight), (1, 0));
}
