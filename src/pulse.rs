//! Shows from outside whether a thread still turns its loop.
//!
//! The thread beats once a turn; how old the last beat may be is for whoever looks to judge.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// One loop's beats. Clones share them.
#[derive(Clone, Debug)]
pub struct Pulse {
    born: Instant,
    /// Milliseconds from `born` to the last beat.
    last: Arc<AtomicU64>,
}

impl Pulse {
    /// A pulse that has beaten once, now.
    pub fn new() -> Pulse {
        Pulse { born: Instant::now(), last: Arc::default() }
    }

    /// The loop turns.
    pub fn beat(&self) {
        self.last.store(self.millis(), Ordering::Relaxed);
    }

    /// Time since the last beat.
    pub fn age(&self) -> Duration {
        Duration::from_millis(self.millis().saturating_sub(self.last.load(Ordering::Relaxed)))
    }

    fn millis(&self) -> u64 {
        // The cast holds for 584 million years.
        self.born.elapsed().as_millis() as u64
    }
}

impl Default for Pulse {
    fn default() -> Pulse {
        Pulse::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_age_grows_until_it_beats_again() {
        let pulse = Pulse::new();
        std::thread::sleep(Duration::from_millis(30));
        let before = pulse.age();
        assert!(before >= Duration::from_millis(29), "{before:?}");
        pulse.clone().beat();
        // Both ages are read against the same birth: the second counts from the beat.
        assert!(pulse.last.load(Ordering::Relaxed) >= 29);
        assert!(pulse.age() <= pulse.born.elapsed() - Duration::from_millis(29));
    }
}
