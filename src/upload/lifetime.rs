//! How long an upload is kept, where it is not kept for ever.

use std::time::Duration;

/// How long an upload is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime(u64);

impl Lifetime {
    /// Longest, in seconds: 31 days. A bucket's lifecycle has one rule for each number of days
    /// (`deploy/lifecycle.json`), so that what has expired goes within two more.
    pub const MAX: u64 = 31 * 86_400;

    /// Reads whole seconds, 1 to [`Lifetime::MAX`].
    pub fn parse(text: &str) -> Option<Lifetime> {
        text.trim().parse().ok().and_then(Lifetime::of)
    }

    /// So many seconds, 1 to [`Lifetime::MAX`].
    pub fn of(seconds: u64) -> Option<Lifetime> {
        (1..=Lifetime::MAX).contains(&seconds).then_some(Lifetime(seconds))
    }

    /// When what was uploaded at `now` expires, both in milliseconds since 1970.
    pub fn end(self, now: u64) -> u64 {
        now.saturating_add(self.duration().as_millis() as u64)
    }

    /// Its length.
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_whole_seconds_up_to_31_days() {
        assert_eq!(Lifetime::parse(" 3600 ").unwrap().end(5), 3_600_005);
        assert_eq!(Lifetime::parse("2678400").unwrap().duration(), Duration::from_secs(31 * 86_400));
        for bad in ["", "0", "-1", "1.5", "1h", "never", "2678401", "99999999999999999999"] {
            assert_eq!(Lifetime::parse(bad), None, "{bad}");
        }
    }
}
