//! Clients that upload all the time, try again until they are answered, and then look until all that they
//! were promised is there, byte for byte.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::harness::{Client, Reply, dimensions, noise_jpeg};

/// How many upload at once, and how long each rests between two.
const CLIENTS: usize = 4;
const REST: Duration = Duration::from_millis(250);

/// Pauses of a client between two tries: 0.1, 0.2 … 1.6 s.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_millis(1600);

/// How long after the last fault a client goes on trying, and all thumbnails are waited for.
const PATIENCE: Duration = Duration::from_secs(300);

/// What came of it.
#[derive(Debug, Default)]
pub struct Tally {
    pub tries: u64,
    pub accepted: u64,
    pub complete: u64,
    /// What is missing of what was accepted: a sentence each.
    pub lost: Vec<String>,
    /// Uploads that no try got accepted, and answers that no fault explains.
    pub wrong: Vec<String>,
    /// From a client's first try until it was accepted.
    pub slowest_upload: Duration,
    /// From there until all thumbnails could be had.
    pub slowest_thumbnails: Duration,
}

/// An upload that was accepted.
struct Accepted {
    photo: usize,
    urls: [String; 4],
    at: Instant,
}

const NAMES: [&str; 4] = ["original", "small", "medium", "large"];

struct Load {
    server: Client,
    /// Where objects are fetched from: the server itself, or the bucket.
    world: Client,
    photos: Vec<Vec<u8>>,
    accepted: Mutex<VecDeque<Accepted>>,
    uploading: AtomicBool,
    clients_left: AtomicU64,
    tally: Mutex<Tally>,
    over: Mutex<Option<Instant>>,
}

/// Uploads while `faults` runs, which returns when all is well again; then waits for what is still to come.
pub fn under_load(server: Client, world: Client, faults: impl FnOnce()) -> Tally {
    let sizes = [(320, 240), (320, 240), (1200, 900), (1600, 1200)];
    let photos = (0..8).map(|seed: usize| (sizes[seed % 4], seed));
    let photos = photos.map(|((width, height), seed)| noise_jpeg(width, height, seed as u64));
    let load = Load {
        server,
        world,
        photos: photos.collect(),
        accepted: Mutex::default(),
        uploading: AtomicBool::new(true),
        clients_left: AtomicU64::new(CLIENTS as u64),
        tally: Mutex::default(),
        over: Mutex::default(),
    };
    std::thread::scope(|scope| {
        for number in 0..CLIENTS {
            let load = &load;
            scope.spawn(move || load.upload(number));
            scope.spawn(move || load.look());
        }
        // Also if the faults fail: else the clients would go on for ever.
        let _over = Over(&load);
        faults();
    });
    load.tally.into_inner().unwrap_or_else(PoisonError::into_inner)
}

struct Over<'a>(&'a Load);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        *self.0.over.lock().unwrap() = Some(Instant::now());
        self.0.uploading.store(false, Ordering::Relaxed);
    }
}

impl Load {
    /// One client.
    fn upload(&self, number: usize) {
        let mut photo = number;
        while self.uploading.load(Ordering::Relaxed) {
            photo = (photo + 1) % self.photos.len();
            self.upload_one(photo);
            std::thread::sleep(REST);
        }
        self.clients_left.fetch_sub(1, Ordering::Relaxed);
    }

    fn upload_one(&self, photo: usize) {
        let (first, mut pause) = (Instant::now(), FIRST_PAUSE);
        loop {
            let reply = self.server.try_upload("photo.jpg", &self.photos[photo]);
            let mut tally = self.tally.lock().unwrap();
            tally.tries += 1;
            match reply {
                Ok(reply) if reply.status == 202 => {
                    tally.accepted += 1;
                    tally.slowest_upload = tally.slowest_upload.max(first.elapsed());
                    let (urls, at) = (NAMES.map(|name| reply.url(name)), Instant::now());
                    self.accepted.lock().unwrap().push_back(Accepted { photo, urls, at });
                    return;
                }
                Ok(reply) if reply.status != 503 => {
                    tally.wrong.push(format!("an upload was answered {}: {}", reply.status, reply.text()));
                    return;
                }
                Ok(_) | Err(_) if self.is_hopeless() => {
                    tally.wrong.push(format!("an upload was not accepted within {:?}", first.elapsed()));
                    return;
                }
                Ok(_) | Err(_) => {}
            }
            drop(tally);
            std::thread::sleep(pause);
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }

    fn is_hopeless(&self) -> bool {
        self.over.lock().unwrap().is_some_and(|over| over.elapsed() > PATIENCE)
    }

    /// One who looks whether promises are kept, the oldest first.
    fn look(&self) {
        loop {
            // Read before: a client that has left has pushed all that it had.
            let clients_left = self.clients_left.load(Ordering::Relaxed);
            let next = self.accepted.lock().unwrap().pop_front();
            match next {
                Some(accepted) => self.follow(&accepted),
                None if clients_left == 0 => return,
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    fn follow(&self, accepted: &Accepted) {
        for (name, url) in NAMES.iter().zip(&accepted.urls) {
            if let Err(what) = self.fetch(name, url, accepted.photo) {
                self.tally.lock().unwrap().lost.push(what);
                return;
            }
        }
        let mut tally = self.tally.lock().unwrap();
        tally.complete += 1;
        tally.slowest_thumbnails = tally.slowest_thumbnails.max(accepted.at.elapsed());
    }

    /// Fetches an object until it is there.
    fn fetch(&self, name: &str, url: &str, photo: usize) -> Result<(), String> {
        let path = url.strip_prefix(&format!("http://{}", self.world.address));
        let path = path.ok_or_else(|| format!("{url} is not at {}", self.world.address))?;
        loop {
            let last = match self.world.request("GET", path, &[], b"") {
                Ok(reply) if reply.status == 200 => {
                    let whole = self.is_right(name, &reply, photo);
                    return if whole { Ok(()) } else { Err(format!("{url} is not what it should be")) };
                }
                Ok(reply) => reply.status.to_string(),
                Err(error) => error.to_string(),
            };
            if self.is_hopeless() {
                return Err(format!("{url} is not there {PATIENCE:?} after the last fault: {last}"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn is_right(&self, name: &str, reply: &Reply, photo: usize) -> bool {
        let longest = |side: u32| {
            let (_, width, height) = dimensions(&reply.body);
            reply.body.ends_with(b"\xff\xd9") && width.max(height) <= side
        };
        match name {
            "small" => longest(100),
            "medium" => longest(300),
            "large" => longest(600),
            // There is nothing to strip of these: the original is kept as it came.
            _ => reply.body == self.photos[photo],
        }
    }
}
