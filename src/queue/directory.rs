//! A queue in a folder: a file a message, its state in its name, every change of state one rename.
//!
//! Crash-safe, and open to any number of processes at once.
//!
//! ```text
//! PATH/messages/<visible>.<granted>.<sent>.<id>.<receives>.<nonce>   a message; the file is its text
//! PATH/dead/<id>.json                                                a dead letter
//! PATH/temporary/                                                    files being written
//! ```
//!
//! To receive a message is to rename its file to a name with a later `visible` and a fresh nonce. Of
//! several that try, the file system lets one succeed; the others find the old name gone. The new name
//! is the receipt, and it is void when no file has it, or one that differs in `visible` alone.
//!
//! Which steps are made durable: [`send`](Queue::send) and [`bury`](Queue::bury), before they return.
//! A receive, an extension or a deletion that a power cut takes back leads to one more delivery, which
//! is among the promises; so these wait for no disk.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::{Cause, Delivery, Depth, Error, MAX_BATCH, Queue, Receipt};
use crate::durable;
use crate::key::Id;
pub use dead::DeadLetter;
use name::Name;
use watch::Watch;

mod dead;
mod name;
mod operate;
#[cfg(test)]
mod tests;
mod watch;

/// Longest text of a message, in bytes (SQS's own limit).
pub const MAX_BODY: usize = 1 << 20;

/// Most messages remembered from one reading of the folder, so that a long queue is not read for
/// each one again.
const CANDIDATES: usize = 1000;

/// How many candidates a receiver may pass over that was too late for one: others are at the next
/// ones too, and this lets them get out of each other's way.
const STRIDE: u64 = 8;

/// Longest wait of one receive (SQS's own limit).
const MAX_WAIT: Duration = Duration::from_secs(20);

/// How long a message is hidden while it is buried.
const BURIAL: Duration = Duration::from_secs(60);

/// How often the file of a receipt is looked for that was renamed meanwhile by its own holder.
const TRIES: usize = 3;

/// How a queue in a folder behaves.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// A message received this often without being deleted is a dead letter at the next receive.
    pub max_receives: u32,
    /// What time it is.
    pub clock: fn() -> SystemTime,
}

impl Default for Config {
    /// Ten receives, and the system's clock.
    fn default() -> Config {
        Config { max_receives: 10, clock: SystemTime::now }
    }
}

/// A queue in a folder.
#[derive(Debug)]
pub struct DirectoryQueue {
    root: PathBuf,
    messages: PathBuf,
    dead: PathBuf,
    temporary: PathBuf,
    config: Config,
    /// Visible messages as of some reading, the one visible longest first. Others may have taken them.
    candidates: Mutex<VecDeque<Name>>,
    watch: Watch,
    /// Whether it was logged that there are files which are no messages.
    met_strangers: AtomicBool,
}

/// The messages in the folder.
struct Listing {
    /// Those that can be received now, in no order.
    visible: Vec<Name>,
    hidden: Vec<Name>,
}

impl DirectoryQueue {
    /// Opens the queue in the folder `path`, which is made if it is missing, and removes what killed
    /// processes left half-written.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the folder can't be made or written to.
    pub fn open(path: &Path, config: Config) -> Result<DirectoryQueue, Error> {
        let messages = path.join("messages");
        let queue = DirectoryQueue {
            root: path.to_owned(),
            dead: path.join("dead"),
            temporary: path.join("temporary"),
            config,
            candidates: Mutex::default(),
            watch: Watch::new(messages.clone()),
            messages,
            met_strangers: AtomicBool::new(false),
        };
        queue.make_folders()?;
        durable::clean(&queue.temporary).map_err(|e| failed("clean", &queue.temporary, &e))?;
        durable::probe_at_start(&queue.temporary).map_err(|e| failed("write to", &queue.temporary, &e))?;
        Ok(queue)
    }

    fn make_folders(&self) -> Result<(), Error> {
        for folder in [&self.messages, &self.dead, &self.temporary] {
            durable::create_folder(folder).map_err(|e| failed("make", folder, &e))?;
        }
        Ok(())
    }

    /// Does something in our folders; if somebody removed them while we run, they are made anew.
    fn in_folders<T>(&self, path: &Path, act: impl Fn() -> io::Result<T>) -> Result<T, Error> {
        let done = match act() {
            Err(e) if e.kind() == ErrorKind::NotFound => {
                self.make_folders()?;
                act()
            }
            done => done,
        };
        done.map_err(|e| failed("use", path, &e))
    }

    /// Milliseconds since 1970; a clock before that is read as 1970.
    fn now(&self) -> u64 {
        (self.config.clock)().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
    }

    fn path(&self, name: &Name) -> PathBuf {
        self.messages.join(name.to_string())
    }

    /// Adds a message, durably.
    fn add(&self, name: &Name, body: &str) -> Result<(), Error> {
        let path = self.path(name);
        self.in_folders(&path, || durable::write(&self.temporary, &path, body.as_bytes()))?;
        self.watch.wake();
        Ok(())
    }

    fn list(&self) -> Result<Listing, Error> {
        let names = || fs::read_dir(&self.messages)?.map(|entry| Ok(entry?.file_name())).collect();
        let names: Vec<_> = self.in_folders(&self.messages, names)?;
        let parsed = names.iter().filter_map(|file| {
            let name = file.to_str().and_then(Name::parse);
            if name.is_none() && !self.met_strangers.swap(true, Relaxed) {
                log::warn!("{} holds files that are no messages: {file:?}", self.messages.display());
            }
            name
        });
        let now = self.now();
        let (visible, hidden) = parsed.partition(|name| name.is_visible(now));
        Ok(Listing { visible, hidden })
    }

    /// Takes visible messages, as many as there are up to `max`. If none, says when one that is
    /// hidden will be visible (ms since 1970).
    fn take(&self, max: usize, visibility: Duration) -> Result<(Vec<Delivery>, Option<u64>), Error> {
        let mut candidates = self.candidates.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = self.claim(&mut candidates, max, visibility)?;
        if !taken.is_empty() {
            return Ok((taken, None));
        }
        let Listing { mut visible, hidden } = self.list()?;
        visible.sort_unstable_by(|a, b| (a.visible, a.id.as_str()).cmp(&(b.visible, b.id.as_str())));
        visible.truncate(CANDIDATES);
        *candidates = visible.into();
        let taken = self.claim(&mut candidates, max, visibility)?;
        Ok((taken, hidden.iter().map(|name| name.visible).min()))
    }

    /// Takes candidates in their order until it has `max`, or none is left.
    fn claim(
        &self,
        candidates: &mut VecDeque<Name>,
        max: usize,
        visibility: Duration,
    ) -> Result<Vec<Delivery>, Error> {
        let (mut taken, mut at) = (Vec::new(), 0);
        while taken.len() < max {
            // Beyond the end those come that were passed over.
            at = if at < candidates.len() { at } else { 0 };
            let Some(name) = candidates.remove(at) else { break };
            let is_overused = name.receives >= self.config.max_receives;
            let (now, nonce) = (self.now(), nonce()?);
            let hold =
                if is_overused { name.hidden(now, BURIAL) } else { name.received(now, visibility, nonce) };
            match fs::rename(self.path(&name), self.path(&hold)) {
                Ok(()) if is_overused => self.bury_overused(&hold),
                Ok(()) => taken.extend(self.deliver(&hold)),
                Err(e) if e.kind() == ErrorKind::NotFound => at += (nonce % STRIDE) as usize,
                // What is held already must be delivered, or it is late by a time-out.
                Err(_) if !taken.is_empty() => break,
                Err(e) => return Err(failed("rename", &self.path(&name), &e)),
            }
        }
        Ok(taken)
    }

    /// Makes a message a dead letter that was received too often. If that fails, it is tried again
    /// when the message is visible again: one bad file must not keep others from being received.
    fn bury_overused(&self, held: &Name) {
        let cause = Cause {
            cause: format!("received {} times and never deleted", self.config.max_receives),
            program: concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")).to_owned(),
            host: fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned(),
        };
        let buried = self
            .read(held)
            .map_err(|e| failed("read", &self.path(held), &e))
            .and_then(|body| self.bury_held(held, body, cause));
        if let Err(e) = buried {
            log::error!("message {} was received too often and can't be buried: {e}", held.id);
        }
    }

    /// A message's text. What is not UTF-8 was not sent by us; it is delivered as well as it can be,
    /// so that a worker sees that it is malformed and says so.
    fn read(&self, name: &Name) -> io::Result<String> {
        let mut body = Vec::new();
        File::open(self.path(name))?.take(MAX_BODY as u64).read_to_end(&mut body)?;
        Ok(String::from_utf8(body).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()))
    }

    /// The delivery of a message that we hold; none if its file can't be read. It then is as if we
    /// had taken it and died.
    fn deliver(&self, name: &Name) -> Option<Delivery> {
        let body = self.read(name);
        let body = body.inspect_err(|e| log::error!("{}", durable::explain("read", &self.path(name), e)));
        let receipt = Receipt(name.to_string());
        Some(Delivery { body: body.ok()?, receipt, receives: name.receives, sent: name.sent })
    }

    /// Does something to the file of a message that is still held by `receipt`.
    fn with_held<T>(&self, receipt: &Receipt, act: impl Fn(&Name) -> io::Result<T>) -> Result<T, Error> {
        let mut name = Name::parse(&receipt.0).ok_or(Error::ReceiptVoid)?;
        for _ in 0..TRIES {
            match act(&name) {
                Err(e) if e.kind() == ErrorKind::NotFound => {}
                result => return result.map_err(|e| failed("change", &self.path(&name), &e)),
            }
            // Its time-out may have been changed, and its name with that.
            let Listing { visible, hidden } = self.list()?;
            let found = visible.into_iter().chain(hidden).find(|other| other.is_same_hold(&name));
            name = found.ok_or(Error::ReceiptVoid)?;
        }
        Err(Error::ReceiptVoid)
    }

    fn hide(&self, receipt: &Receipt, visibility: Duration) -> Result<Name, Error> {
        self.with_held(receipt, |name| {
            let hidden = name.hidden(self.now(), visibility);
            fs::rename(self.path(name), self.path(&hidden))?;
            Ok(hidden)
        })
    }
}

impl Queue for DirectoryQueue {
    fn send(&self, body: &str) -> Result<(), Error> {
        if body.len() > MAX_BODY {
            let length = body.len();
            return Err(Error::Forbidden(format!(
                "a message of {length} bytes; at most {MAX_BODY} are taken"
            )));
        }
        let now = self.now();
        self.add(&Name::new(Id::random().map_err(no_randomness)?, now, now), body)
    }

    fn receive(&self, max: usize, visibility: Duration, wait: Duration) -> Result<Vec<Delivery>, Error> {
        let deadline = Instant::now() + wait.min(MAX_WAIT);
        loop {
            let look = self.watch.look();
            let (taken, next) = self.take(max.min(MAX_BATCH), visibility)?;
            if !taken.is_empty() || Instant::now() >= deadline {
                return Ok(taken);
            }
            let until = |visible: u64| Duration::from_millis(visible.saturating_sub(self.now()));
            self.watch.wait(&look, deadline, || next.map(until));
        }
    }

    fn change_visibility(&self, receipt: &Receipt, visibility: Duration) -> Result<(), Error> {
        self.hide(receipt, visibility)?;
        self.watch.wake();
        Ok(())
    }

    fn delete(&self, receipts: &[Receipt]) -> Vec<Result<(), Error>> {
        let delete = |receipt| self.with_held(receipt, |name| fs::remove_file(self.path(name)));
        receipts.iter().map(delete).collect()
    }

    fn bury(&self, delivery: &Delivery, cause: &Cause) -> Result<(), Error> {
        // Held for long enough first, lest another take it while it is written down as dead.
        let held = self.hide(&delivery.receipt, BURIAL)?;
        self.bury_held(&held, delivery.body.clone(), cause.clone())
    }

    fn depth(&self) -> Result<Depth, Error> {
        let Listing { visible, hidden } = self.list()?;
        let oldest = visible.iter().map(|name| name.sent).min();
        Ok(Depth {
            waiting: visible.len() as u64,
            in_flight: hidden.len() as u64,
            oldest: oldest.map(|sent| Duration::from_millis(self.now().saturating_sub(sent))),
            dead: self.count_dead()?,
        })
    }

    fn check(&self) -> Result<(), Error> {
        self.list()?;
        self.in_folders(&self.temporary, || durable::probe(&self.temporary))
    }

    fn describe(&self) -> String {
        format!("directory {}", self.root.display())
    }
}

fn nonce() -> Result<u64, Error> {
    let mut bytes = [0; 8];
    crate::random::fill(&mut bytes).map_err(no_randomness)?;
    Ok(u64::from_le_bytes(bytes))
}

fn no_randomness(error: getrandom::Error) -> Error {
    Error::unavailable(format!("the operating system gives no randomness: {error}"))
}

fn failed(doing: &str, path: &Path, error: &io::Error) -> Error {
    Error::Unavailable(durable::explain(doing, path, error))
}
