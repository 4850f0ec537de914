//! Keeps credentials fresh: fetched early, by one thread at a time, and kept when that fails.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use log::warn;

use super::{Credentials, Source};
use crate::aws::clock::Clock;
use crate::aws::error::Error;

/// Credentials are replaced from this long before their end on. EC2 has new ones from 5 minutes
/// before the end of the old at the latest.
const EARLY: Duration = Duration::from_secs(10 * 60);

/// Pause between attempts to replace credentials that are still good for longer than that.
const PAUSE: Duration = Duration::from_secs(60);

/// Pause between attempts while there are none, or none that are good.
const SHORT_PAUSE: Duration = Duration::from_secs(5);

/// Credentials from a source, shared by all threads.
pub struct Cached {
    source: Box<dyn Source>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    current: Option<Arc<Credentials>>,
    /// The service said that the current ones have ended.
    rejected: bool,
    /// Some thread is fetching.
    fetching: bool,
    /// When the source may be asked again, and what it said last.
    rest: Option<(Instant, String)>,
}

/// What to do about the credentials that are there.
enum Step {
    Use(Arc<Credentials>),
    Fail(String),
    Wait,
    Fetch,
}

impl Cached {
    /// Credentials of `source`, none of them fetched yet.
    pub fn new(source: Box<dyn Source>, clock: Arc<dyn Clock>) -> Cached {
        Cached { source, clock, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Credentials to sign with now.
    ///
    /// # Errors
    /// When there are none, not even old ones.
    pub fn get(&self) -> Result<Arc<Credentials>, Error> {
        let mut state = self.lock();
        loop {
            match self.step(&state) {
                Step::Use(credentials) => return Ok(credentials),
                Step::Fail(why) => return Err(Error::Credentials(why)),
                Step::Wait => state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Step::Fetch => {
                    state.fetching = true;
                    drop(state);
                    return self.fetch();
                }
            }
        }
    }

    /// The service says that these have ended: they are replaced before they are used again.
    pub fn reject(&self, credentials: &Credentials) {
        let mut state = self.lock();
        if state.current.as_deref() == Some(credentials) && !state.rejected {
            state.rejected = true;
            state.rest = None;
        }
    }

    fn step(&self, state: &State) -> Step {
        let resting = state.rest.as_ref().filter(|(until, _)| self.clock.instant() < *until);
        let Some(current) = &state.current else {
            return match resting {
                _ if state.fetching => Step::Wait,
                Some((_, why)) => Step::Fail(why.clone()),
                None => Step::Fetch,
            };
        };
        let ended = state.rejected || self.is_within(current, Duration::ZERO);
        match resting {
            _ if !ended && !self.is_within(current, EARLY) => Step::Use(Arc::clone(current)),
            _ if state.fetching && ended => Step::Wait,
            // Others use the old ones meanwhile; and old ones are better than none.
            _ if state.fetching => Step::Use(Arc::clone(current)),
            Some(_) => Step::Use(Arc::clone(current)),
            None => Step::Fetch,
        }
    }

    /// Whether `credentials` end within `time` from now.
    fn is_within(&self, credentials: &Credentials, time: Duration) -> bool {
        credentials.expires().is_some_and(|expires| expires <= self.clock.now() + time)
    }

    fn fetch(&self) -> Result<Arc<Credentials>, Error> {
        // Whatever happens in the source, the others must not wait for ever.
        let done = Done(self);
        let fetched = self.source.fetch();
        let mut state = self.lock();
        let result = match fetched {
            Ok(Some(credentials)) => Ok(self.adopt(&mut state, credentials)),
            Ok(None) => self.keep(&mut state, format!("no AWS credentials: none in {}", self.source.name())),
            Err(error) => self.keep(&mut state, error.to_string()),
        };
        drop(state);
        drop(done);
        result
    }

    fn adopt(&self, state: &mut State, credentials: Credentials) -> Arc<Credentials> {
        let credentials = Arc::new(credentials);
        state.rejected = false;
        state.current = Some(Arc::clone(&credentials));
        // A source may give the same ones for a while: it is not asked at every request.
        state.rest = Some((self.clock.instant() + self.pause(state), String::new()));
        credentials
    }

    fn keep(&self, state: &mut State, why: String) -> Result<Arc<Credentials>, Error> {
        state.rest = Some((self.clock.instant() + self.pause(state), why.clone()));
        match &state.current {
            Some(current) => {
                warn!(why; "AWS credentials could not be replaced; the old ones are used");
                Ok(Arc::clone(current))
            }
            None => Err(Error::Credentials(why)),
        }
    }

    /// How long the source is left in peace now that it was asked: not beyond the end of what is there.
    fn pause(&self, state: &State) -> Duration {
        let good_for = match &state.current {
            Some(current) if !state.rejected => match current.expires() {
                Some(expires) => expires.duration_since(self.clock.now()).unwrap_or_default(),
                None => PAUSE,
            },
            _ => Duration::ZERO,
        };
        good_for.clamp(SHORT_PAUSE, PAUSE)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Fields are changed one by one, each to a whole value.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends a fetch, by whatever way it is left.
struct Done<'a>(&'a Cached);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.lock().fetching = false;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::sync::mpsc;
    use std::thread;

    use super::*;
    use crate::aws::testing::{ManualClock, at};

    /// Gives credentials numbered by fetch that last an hour, unless it is told to fail.
    struct Hourly {
        clock: Arc<ManualClock>,
        fetches: Arc<AtomicUsize>,
        failing: Arc<AtomicUsize>,
    }

    impl Source for Hourly {
        fn fetch(&self) -> Result<Option<Credentials>, Error> {
            let number = self.fetches.fetch_add(1, SeqCst) + 1;
            if self.failing.load(SeqCst) > 0 {
                return Err(Error::Credentials("out of order".to_owned()));
            }
            let expires = self.clock.now() + Duration::from_secs(3600);
            Ok(Some(Credentials::temporary(format!("AK{number}"), "s", "t", Some(expires))))
        }

        fn name(&self) -> &'static str {
            "a test"
        }
    }

    struct Test {
        cached: Cached,
        clock: Arc<ManualClock>,
        fetches: Arc<AtomicUsize>,
        failing: Arc<AtomicUsize>,
    }

    fn test() -> Test {
        let clock = ManualClock::at(at(1_000_000));
        let (fetches, failing) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let source = Hourly { clock: clock.clone(), fetches: fetches.clone(), failing: failing.clone() };
        Test { cached: Cached::new(Box::new(source), clock.clone()), clock, fetches, failing }
    }

    impl Test {
        fn key_after(&self, seconds: u64) -> String {
            self.clock.advance(Duration::from_secs(seconds));
            self.cached.get().map_or_else(|e| e.to_string(), |c| c.access_key().to_owned())
        }
    }

    #[test]
    fn they_are_fetched_once_and_again_some_minutes_before_they_end() {
        let test = test();
        assert_eq!(test.key_after(0), "AK1");
        assert_eq!(test.key_after(2900), "AK1");
        assert_eq!(test.key_after(200), "AK2");
        assert_eq!(test.fetches.load(SeqCst), 2);
    }

    #[test]
    fn old_ones_are_kept_when_a_fetch_fails_and_the_source_is_left_in_peace() {
        let test = test();
        test.key_after(0);
        test.failing.store(1, SeqCst);
        assert_eq!([3100, 1, 1].map(|s| test.key_after(s)), ["AK1", "AK1", "AK1"]);
        assert_eq!(test.fetches.load(SeqCst), 2, "one attempt a minute");
        assert_eq!(test.key_after(1000), "AK1", "even after their end: the service decides");
        test.failing.store(0, SeqCst);
        assert_eq!(test.key_after(5), "AK4");
    }

    #[test]
    fn those_that_last_for_seconds_are_replaced_after_seconds() {
        let test = test();
        test.key_after(0);
        test.failing.store(1, SeqCst);
        assert_eq!(test.key_after(3580), "AK1");
        test.failing.store(0, SeqCst);
        assert_eq!(test.key_after(19), "AK1", "the source rests");
        assert_eq!(test.key_after(1), "AK3", "and no longer than they last");
    }

    #[test]
    fn while_there_are_none_the_source_is_asked_now_and_then() {
        let test = test();
        test.failing.store(1, SeqCst);
        assert_eq!([0, 1, 1].map(|s| test.key_after(s)), ["out of order", "out of order", "out of order"]);
        assert_eq!(test.fetches.load(SeqCst), 1);
        test.failing.store(0, SeqCst);
        assert_eq!(test.key_after(5), "AK2");
    }

    #[test]
    fn those_that_the_service_rejects_are_replaced_at_once() {
        let test = test();
        let first = test.cached.get().unwrap();
        test.cached.reject(&first);
        assert_eq!(test.key_after(0), "AK2");
        test.cached.reject(&first);
        assert_eq!(test.key_after(0), "AK2", "the new ones were not meant");
    }

    #[test]
    fn one_thread_fetches_while_the_others_use_the_old_ones() {
        struct Gate {
            clock: Arc<ManualClock>,
            open: Mutex<mpsc::Receiver<()>>,
            enter: mpsc::Sender<()>,
        }
        impl Source for Gate {
            fn fetch(&self) -> Result<Option<Credentials>, Error> {
                self.enter.send(()).unwrap();
                self.open.lock().unwrap().recv().unwrap();
                let expires = self.clock.now() + Duration::from_secs(3600);
                Ok(Some(Credentials::temporary(format!("{expires:?}"), "s", "t", Some(expires))))
            }
            fn name(&self) -> &'static str {
                "a gate"
            }
        }
        let clock = ManualClock::at(at(1_000_000));
        let ((open, opened), (enter, entered)) = (mpsc::channel(), mpsc::channel());
        let gate = Gate { clock: clock.clone(), open: Mutex::new(opened), enter };
        let cached = Cached::new(Box::new(gate), clock.clone());
        open.send(()).unwrap();
        let first = cached.get().unwrap();
        entered.recv().unwrap();
        clock.advance(Duration::from_secs(3100));
        thread::scope(|threads| {
            let fetching = threads.spawn(|| cached.get().unwrap());
            entered.recv().unwrap();
            assert_eq!(cached.get().unwrap(), first);
            open.send(()).unwrap();
            assert_ne!(fetching.join().unwrap(), first);
        });
        assert_ne!(cached.get().unwrap(), first);
    }
}
