//! `GET /healthz`: whether the server can take uploads, by a check that is at most 5 seconds old.
//!
//! A store that hangs must not hang those who ask: checks are made on a thread of their own, one at
//! a time and only while somebody asks, and who asks waits a bounded time for the outcome.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Rooms;
use super::problem::Problem;
use crate::door::Answer;

/// How long a check's outcome is told again.
const FRESH: Duration = Duration::from_secs(5);

/// From this age on the next check is made while the last outcome is still told, so that who asks every few
/// seconds never waits.
const DUE: Duration = Duration::from_secs(2);

/// Longest wait for a check; one that takes longer counts as unwell until it is over.
const WAIT: Duration = Duration::from_secs(2);

/// What is wrong, if anything: a sentence for the public, without names of hosts or folders.
type Outcome = Result<(), &'static str>;

/// The last check, and the next.
#[derive(Debug)]
pub struct Health {
    shared: Arc<Shared>,
    wait: Duration,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    last: Option<(Instant, Outcome)>,
    running: Option<Instant>,
    stage: Stage,
}

/// What the thread is to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Resting,
    Wanted,
    Over,
}

impl Health {
    /// Checks `rooms` whenever that is due.
    pub fn of(rooms: &Rooms) -> Health {
        let (store, queue) = (Arc::clone(&rooms.store), Arc::clone(&rooms.queue));
        Health::new(WAIT, move || {
            store.check().map_err(|cause| {
                log::error!(cause:% = cause, store = store.describe().as_str(); "the store is unwell");
                "The store does not work."
            })?;
            queue.check().map_err(|cause| {
                log::error!(cause:% = cause, queue = queue.describe().as_str(); "the queue is unwell");
                "The queue does not work."
            })
        })
    }

    fn new(wait: Duration, check: impl Fn() -> Outcome + Send + 'static) -> Health {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let run = move || theirs.attend(check);
        if let Err(error) = std::thread::Builder::new().name("health".to_owned()).spawn(run) {
            // Uploads may work all the same; only health checks will say that they don't.
            log::error!(error:% = error; "no thread to check store and queue on");
        }
        Health { shared, wait }
    }

    /// Answers whether all is well.
    ///
    /// # Errors
    /// [`Problem::Unwell`].
    pub fn answer(&self, rooms: &Rooms) -> Result<Answer, Problem> {
        if rooms.stop.is_set() {
            return Err(Problem::Unwell("The server is stopping.".into()));
        }
        match self.outcome() {
            Ok(()) => Ok(Answer::new(200, "application/json", "{\"status\":\"ok\"}")),
            Err(what) => Err(Problem::Unwell(what.into())),
        }
    }

    fn outcome(&self) -> Outcome {
        let mut state = self.shared.lock();
        if state.last.is_none_or(|(at, _)| at.elapsed() >= DUE) && state.stage == Stage::Resting {
            state.stage = Stage::Wanted;
            state.running = Some(Instant::now());
            self.shared.changed.notify_all();
        }
        loop {
            if let Some((at, outcome)) = state.last
                && at.elapsed() < FRESH
            {
                return outcome;
            }
            // Since the check began, not since we came: who comes late to one that hangs is told at once.
            let waited = state.running.map_or(Duration::ZERO, |since| since.elapsed());
            let Some(left) = self.wait.checked_sub(waited).filter(|left| !left.is_zero()) else {
                return Err("The store or the queue does not answer.");
            };
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Health {
    fn drop(&mut self) {
        self.shared.lock().stage = Stage::Over;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks when asked to, until it is over.
    fn attend(&self, check: impl Fn() -> Outcome) {
        let mut state = self.lock();
        loop {
            match state.stage {
                Stage::Over => return,
                Stage::Resting => {
                    state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
                Stage::Wanted => {
                    drop(state);
                    let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(&check));
                    state = self.lock();
                    state.last = Some((Instant::now(), checked.unwrap_or(Err("The check failed."))));
                    state.running = None;
                    if state.stage == Stage::Wanted {
                        state.stage = Stage::Resting;
                    }
                    self.changed.notify_all();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    #[test]
    fn an_outcome_is_told_again_while_it_is_fresh() {
        let count = Arc::new(AtomicUsize::new(0));
        let theirs = Arc::clone(&count);
        let health = Health::new(Duration::from_secs(60), move || {
            theirs.fetch_add(1, Ordering::SeqCst);
            Err("Unwell.")
        });
        assert_eq!([(); 100].map(|()| health.outcome()), [Err("Unwell."); 100]);
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_check_that_hangs_keeps_nobody_waiting_and_counts_once_it_is_over() {
        let (go_on, gate) = mpsc::channel::<()>();
        let wait = Duration::from_millis(50);
        let health = Health::new(wait, move || {
            // Ends when the test does.
            let _ = gate.recv();
            Ok(())
        });
        assert_eq!(health.outcome(), Err("The store or the queue does not answer."));
        let since = health.shared.lock().running.unwrap();
        assert!(since.elapsed() >= wait);
        // Who comes later starts no other check, and does not wait for this one.
        assert_eq!(health.outcome(), Err("The store or the queue does not answer."));
        assert_eq!(health.shared.lock().running, Some(since));
        go_on.send(()).unwrap();
        while health.outcome().is_err() {
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_check_that_panics_is_an_outcome() {
        let health = Health::new(Duration::from_secs(60), || std::panic::resume_unwind(Box::new(())));
        assert_eq!(health.outcome(), Err("The check failed."));
    }

    #[test]
    fn its_thread_ends_with_it() {
        let health = Health::new(Duration::from_secs(60), || Ok(()));
        assert_eq!(health.outcome(), Ok(()));
        let shared = Arc::downgrade(&health.shared);
        drop(health);
        while shared.strong_count() > 0 {
            std::thread::yield_now();
        }
    }
}
