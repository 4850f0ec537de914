//! Deadlines that move with progress: whoever sends or takes bytes earns time.
//!
//! Pure arithmetic on instants that come in; `wire` turns a deadline into socket time-outs.

use std::time::{Duration, Instant};

use super::Config;

/// Socket time-outs are rounded up to a multiple of this, so that most need not be set anew.
const STEP: Duration = Duration::from_millis(100);

/// How fast a body or an answer must move.
///
/// It starts with a grace, and each byte earns its share of a second. What is earned is bounded twice:
/// by a longest time over all, and by how far ahead of now it may reach, so that a fast beginning
/// does not buy an hour of standing still.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    deadline: Instant,
    latest: Instant,
    ahead: Duration,
    /// Bytes per second, at least 1.
    rate: u64,
}

impl Pace {
    /// The pace that `config` asks for, from `now` on.
    pub fn new(config: &Config, now: Instant) -> Pace {
        Pace {
            deadline: now + config.grace.min(config.max_transfer_time),
            latest: now + config.max_transfer_time,
            ahead: config.stall_time.max(config.grace),
            rate: config.min_rate.max(1),
        }
    }

    /// When the next byte must have moved.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Counts `bytes` that have moved by `now`.
    pub fn earn(&mut self, bytes: usize, now: Instant) {
        let nanoseconds = (bytes as u64).saturating_mul(1_000_000_000) / self.rate;
        let earned = self.deadline + Duration::from_nanos(nanoseconds);
        self.deadline = earned.min(now + self.ahead).min(self.latest);
    }

    /// Does not count a time in which the client waited for us.
    pub fn excuse(&mut self, time: Duration) {
        self.deadline = (self.deadline + time).min(self.latest);
    }
}

/// The socket time-out that meets `deadline`; `None` once it has passed.
///
/// Never zero, which would mean no time-out at all.
pub(super) fn time_left(deadline: Instant, now: Instant) -> Option<Duration> {
    let left = deadline.checked_duration_since(now)?;
    let steps = left.as_nanos().div_ceil(STEP.as_nanos());
    let steps = u32::try_from(steps).unwrap_or(u32::MAX);
    (steps > 0).then(|| STEP.saturating_mul(steps))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn config() -> Config {
        Config {
            grace: seconds(10),
            min_rate: 100,
            stall_time: seconds(30),
            max_transfer_time: seconds(60),
            ..Config::default()
        }
    }

    #[test]
    fn bytes_earn_time() {
        let start = Instant::now();
        let mut pace = Pace::new(&config(), start);
        assert_eq!(pace.deadline(), start + seconds(10));
        pace.earn(500, start + seconds(1));
        assert_eq!(pace.deadline(), start + seconds(15));
        for _ in 0..100 {
            pace.earn(1, start + seconds(2));
        }
        assert_eq!(pace.deadline(), start + seconds(16));
    }

    #[test]
    fn a_fast_start_does_not_buy_a_long_stall() {
        let start = Instant::now();
        let mut pace = Pace::new(&config(), start);
        pace.earn(1_000_000, start + seconds(1));
        assert_eq!(pace.deadline(), start + seconds(31));
    }

    #[test]
    fn nothing_lasts_beyond_the_longest_time() {
        let start = Instant::now();
        let mut pace = Pace::new(&config(), start);
        pace.earn(usize::MAX, start + seconds(55));
        pace.excuse(seconds(100));
        assert_eq!(pace.deadline(), start + seconds(60));
    }

    #[test]
    fn our_own_delay_is_excused() {
        let start = Instant::now();
        let mut pace = Pace::new(&config(), start);
        pace.excuse(seconds(7));
        assert_eq!(pace.deadline(), start + seconds(17));
    }

    #[test]
    fn a_time_out_is_rounded_up_and_never_zero() {
        let now = Instant::now();
        assert_eq!(time_left(now, now), None);
        assert_eq!(time_left(now, now + seconds(5)), None);
        assert_eq!(time_left(now + Duration::from_nanos(1), now), Some(STEP));
        assert_eq!(time_left(now + Duration::from_millis(9_950), now), Some(seconds(10)));
        assert_eq!(time_left(now + seconds(5), now), Some(seconds(5)));
    }
}
