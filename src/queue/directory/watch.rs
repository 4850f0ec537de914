//! Waiting for messages at next to no cost: woken at once by senders of this process, and by looking
//! at the folder's time of last change for those of others.

use std::fs;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// Between two looks at a folder that has just changed, and at one that has not for a while.
const BUSY: Duration = Duration::from_millis(25);
const IDLE: Duration = Duration::from_millis(100);

/// How long an unchanged time must be seen before it is believed: two changes within one step of the
/// file system's clock (a few milliseconds; two seconds on FAT) leave the same time.
const SETTLED: Duration = Duration::from_secs(2);

/// After this long the folder is read again in any case: for clocks that are set, and for network
/// file systems, which may tell of changes late.
const AGAIN: Duration = Duration::from_secs(5);

/// A watched folder.
#[derive(Debug)]
pub struct Watch {
    folder: PathBuf,
    /// Number of changes made by this process.
    changes: Mutex<u64>,
    changed: Condvar,
    last: Mutex<Last>,
}

/// The folder's time of last change, and when it was first seen.
#[derive(Debug)]
struct Last {
    modified: Option<SystemTime>,
    seen: Instant,
}

/// How the folder was at some moment.
#[derive(Debug)]
pub struct Look {
    changes: u64,
    modified: Option<SystemTime>,
    is_settled: bool,
    taken: Instant,
}

impl Watch {
    pub fn new(folder: PathBuf) -> Watch {
        Watch {
            folder,
            changes: Mutex::default(),
            changed: Condvar::new(),
            last: Mutex::new(Last { modified: None, seen: Instant::now() }),
        }
    }

    /// Wakes this process's waiting receivers: it has changed the folder.
    pub fn wake(&self) {
        *self.changes() += 1;
        self.changed.notify_all();
    }

    /// How the folder is now: to be taken before it is read.
    pub fn look(&self) -> Look {
        let changes = *self.changes();
        let (modified, taken) = (self.modified(), Instant::now());
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.modified != modified {
            *last = Last { modified, seen: taken };
        }
        Look { changes, modified, is_settled: taken.duration_since(last.seen) >= SETTLED, taken }
    }

    /// Waits until the folder is worth reading again, and not beyond `deadline`. `next` says how
    /// long it is until a message in it becomes visible, if one will.
    pub fn wait(&self, look: &Look, deadline: Instant, next: impl Fn() -> Option<Duration>) {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let next = next().unwrap_or(Duration::MAX);
            if left.is_zero() || next.is_zero() {
                return;
            }
            let interval = if look.is_settled { IDLE } else { BUSY };
            let pause = interval.min(left).min(next);
            let changes = self.changes();
            let unchanged = |changes: &mut u64| *changes == look.changes;
            let waited = self.changed.wait_timeout_while(changes, pause, unchanged);
            let (changes, waited) = waited.unwrap_or_else(PoisonError::into_inner);
            drop(changes);
            let stale = !look.is_settled || look.taken.elapsed() >= AGAIN;
            if !waited.timed_out() || stale || self.modified() != look.modified {
                return;
            }
        }
    }

    fn modified(&self) -> Option<SystemTime> {
        fs::metadata(&self.folder).and_then(|metadata| metadata.modified()).ok()
    }

    fn changes(&self) -> MutexGuard<'_, u64> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// Longer than any wait here takes on a busy machine, and shorter than what `AGAIN` would end.
    const AMPLE: Duration = Duration::from_secs(4);

    fn watch() -> (tempfile::TempDir, Watch) {
        let folder = tempfile::tempdir().unwrap();
        let watch = Watch::new(folder.path().to_owned());
        (folder, watch)
    }

    /// A look at a folder that has not changed for long.
    fn settled(watch: &Watch) -> Look {
        Look { is_settled: true, ..watch.look() }
    }

    /// How long a wait of at most [`AMPLE`] takes.
    fn wait(watch: &Watch, look: &Look, next: Option<Duration>) -> Duration {
        let before = Instant::now();
        watch.wait(look, before + AMPLE, || next.map(|next| next.saturating_sub(before.elapsed())));
        before.elapsed()
    }

    #[test]
    fn an_unchanged_folder_is_waited_on_to_the_end() {
        let (_folder, watch) = watch();
        let look = settled(&watch);
        let deadline = Instant::now() + Duration::from_millis(300);
        watch.wait(&look, deadline, || None);
        assert!(Instant::now() >= deadline);
    }

    #[test]
    fn changes_end_a_wait_wherever_they_are_made() {
        let (folder, watch) = watch();
        let look = settled(&watch);
        watch.wake();
        assert!(wait(&watch, &look, None) < AMPLE);
        // The clock of time stamps goes in steps.
        thread::sleep(Duration::from_millis(20));
        let look = settled(&watch);
        fs::write(folder.path().join("message"), "").unwrap();
        assert!(wait(&watch, &look, None) < AMPLE);
    }

    #[test]
    fn a_message_that_becomes_visible_ends_a_wait() {
        let (_folder, watch) = watch();
        let next = Duration::from_millis(150);
        let waited = wait(&watch, &settled(&watch), Some(next));
        assert!((next..AMPLE).contains(&waited), "{waited:?}");
    }

    #[test]
    fn a_folder_that_has_just_changed_is_read_again_soon() {
        let (_folder, watch) = watch();
        assert!(wait(&watch, &watch.look(), None) < AMPLE);
    }
}
