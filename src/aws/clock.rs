//! The time that requests are signed with: a clock, and how far it was found to be off.
//!
//! AWS refuses a request whose time is more than some minutes off. The server's own `Date` then says
//! by how much, and [`Skewed`] adds that from then on.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Time, and sleeping through it; injected so that a test can hold it.
pub trait Clock: Send + Sync {
    /// The wall clock.
    fn now(&self) -> SystemTime;

    /// A clock that is never set: for deadlines.
    fn instant(&self) -> Instant;

    /// Lets `time` pass.
    fn sleep(&self, time: Duration);
}

/// The machine's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn instant(&self) -> Instant {
        Instant::now()
    }

    fn sleep(&self, time: Duration) {
        thread::sleep(time);
    }
}

/// A clock together with what was learned of its error.
pub struct Skewed {
    clock: Arc<dyn Clock>,
    /// Milliseconds to add.
    skew: AtomicI64,
}

/// A clock off by less than this is not the reason of a refusal (the SDKs' own limit; AWS admits
/// 5 minutes, S3 15).
const TOLERATED: Duration = Duration::from_secs(4 * 60);

impl Skewed {
    /// A clock that is believed until a server says otherwise.
    pub fn new(clock: Arc<dyn Clock>) -> Skewed {
        Skewed { clock, skew: AtomicI64::new(0) }
    }

    /// The clock itself.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// The time as servers see it.
    pub fn now(&self) -> SystemTime {
        let skew = self.skew.load(Ordering::Relaxed);
        let size = Duration::from_millis(skew.unsigned_abs());
        let now = self.clock.now();
        let corrected = if skew < 0 { now.checked_sub(size) } else { now.checked_add(size) };
        corrected.unwrap_or(now)
    }

    /// Adopts a server's time if ours is too far from it; says whether that changed anything.
    pub fn adopt(&self, server: SystemTime) -> bool {
        let off = match server.duration_since(self.now()) {
            Ok(ahead) => ahead,
            Err(behind) => behind.duration(),
        };
        if off < TOLERATED {
            return false;
        }
        self.skew.store(millis(server) - millis(self.clock.now()), Ordering::Relaxed);
        true
    }
}

/// Milliseconds since 1970; negative before. The years that `SystemTime` holds fit.
fn millis(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX / 2),
        Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX / 2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::testing::{ManualClock, at};

    #[test]
    fn a_server_an_hour_ahead_is_adopted_once() {
        let clock = Skewed::new(ManualClock::at(at(1_000_000)));
        assert!(clock.adopt(at(1_003_600)));
        assert_eq!(clock.now(), at(1_003_600));
        assert!(!clock.adopt(at(1_003_600)), "it is right now");
        assert!(clock.adopt(at(900_000)) && clock.now() == at(900_000));
    }

    #[test]
    fn a_small_difference_is_left_alone() {
        let clock = Skewed::new(ManualClock::at(at(1_000_000)));
        assert!(!clock.adopt(at(1_000_200)) && clock.now() == at(1_000_000));
    }
}
