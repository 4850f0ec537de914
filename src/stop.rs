//! Tells threads that the program is ending, and lets them sleep until then.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A flag that is raised once, when the program is asked to end. Clones share it.
#[derive(Clone, Default)]
pub struct Stop(Arc<(Mutex<Option<Instant>>, Condvar)>);

impl Stop {
    /// A flag that is not raised.
    pub fn new() -> Stop {
        Stop::default()
    }

    /// Raises it and wakes all who sleep on it.
    pub fn set(&self) {
        let (flag, raised) = &*self.0;
        flag.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(Instant::now);
        raised.notify_all();
    }

    /// Whether it is raised.
    pub fn is_set(&self) -> bool {
        self.raised().is_some()
    }

    /// When it was raised first: what a drain's deadline counts from.
    pub fn raised(&self) -> Option<Instant> {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps for `time`, or until it is raised; returns whether it is.
    pub fn sleep(&self, time: Duration) -> bool {
        let (flag, raised) = &*self.0;
        let deadline = Instant::now() + time;
        let mut since = flag.lock().unwrap_or_else(PoisonError::into_inner);
        while since.is_none() {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else { break };
            since = raised.wait_timeout(since, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        since.is_some()
    }

    /// Sleeps until it is raised.
    pub fn wait(&self) {
        while !self.sleep(Duration::from_secs(3600)) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raising_it_wakes_the_sleepers() {
        let stop = Stop::new();
        assert!(!stop.is_set() && !stop.sleep(Duration::from_millis(1)));
        let sleeper = std::thread::spawn({
            let stop = stop.clone();
            move || stop.sleep(Duration::from_secs(600))
        });
        stop.set();
        assert!(sleeper.join().unwrap() && stop.is_set());
    }

    #[test]
    fn it_is_raised_once() {
        let stop = Stop::new();
        assert_eq!(stop.raised(), None);
        stop.set();
        let first = stop.raised();
        stop.set();
        assert!(first.is_some() && stop.raised() == first);
    }
}
