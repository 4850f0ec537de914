//! Asks the CDN to forget what was deleted, on a thread of its own: a deletion never waits for it, and
//! is none the less done if it fails.

use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use crate::aws::cloudfront::{Distribution, MOST_PATHS};
use crate::key::Id;
use crate::stop::Stop;

/// Deletions that may wait to be told. More are not told, which is logged.
const MOST_WAITING: usize = 10_000;

/// How often it is tried, and how long is waited in between: invalidations that are under way end
/// within minutes, and make room for others.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_secs(30);

/// A CDN that stands before the objects.
pub struct Cdn {
    deleted: Sender<String>,
    /// What the path of an object's URL begins with, without a slash at its end.
    base: String,
}

impl Cdn {
    /// Starts the thread. `base` is the path of the objects' URLs, without a slash at its end.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn start(distribution: Distribution, base: String, stop: Stop) -> std::io::Result<Cdn> {
        let (deleted, told) = bounded(MOST_WAITING);
        std::thread::Builder::new().name("cdn".to_owned()).spawn(move || run(&distribution, &told, &stop))?;
        Ok(Cdn { deleted, base })
    }

    /// Has all objects of an upload forgotten, soon.
    pub fn forget(&self, id: &Id) {
        let path = format!("{}/{id}/*", self.base);
        if let Err(TrySendError::Full(path) | TrySendError::Disconnected(path)) = self.deleted.try_send(path)
        {
            log::error!(path = path.as_str(); "the CDN is not asked to forget: too many are waiting");
        }
    }
}

/// Tells until the other end is gone; what has gathered meanwhile goes together.
fn run(distribution: &Distribution, told: &Receiver<String>, stop: &Stop) {
    while let Ok(first) = told.recv() {
        let mut paths = vec![first];
        paths.extend(told.try_iter().take(MOST_PATHS - 1));
        tell(distribution, &paths, stop);
    }
}

fn tell(distribution: &Distribution, paths: &[String], stop: &Stop) {
    let shown = paths.join(" ");
    for left in (0..TRIES).rev() {
        match distribution.invalidate(paths) {
            Ok(()) => {
                log::info!(distribution = distribution.id(), paths = shown.as_str(); "the CDN forgets");
                return;
            }
            Err(error) if left > 0 && !stop.sleep(PAUSE) => {
                log::warn!(distribution = distribution.id(), error:%, left; "the CDN was not told; trying again");
            }
            Err(error) => {
                let resource = format!("distribution {}", distribution.id());
                let advice = error.forbidden("cloudfront:CreateInvalidation", &resource);
                let cause = advice.unwrap_or_else(|| error.to_string());
                log::error!(distribution = distribution.id(), cause, paths = shown.as_str();
                    "the CDN was not told to forget; invalidate these paths by hand");
                return;
            }
        }
    }
}
