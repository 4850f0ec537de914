//! How many uploads a second there are: the curves that are simulated, and their single uploads as a
//! Poisson process. It leaves to `simulate` what becomes of an upload.

use crate::random::Random;
use crate::time::Time;

/// A rate of uploads over time.
#[derive(Clone, Copy, Debug)]
pub enum Load {
    /// Always the same.
    Steady {
        /// Uploads a second.
        rate: f64,
    },
    /// From one rate to a multiple of it, along a straight line, and no way back.
    Surge {
        /// Uploads a second before.
        rate: f64,
        /// How many times as many after.
        times: f64,
        /// When it begins.
        start: Time,
        /// How long it rises.
        rise: Time,
    },
    /// A sine: lowest at the start, highest half a period later.
    Wave {
        /// Uploads a second on average.
        mean: f64,
        /// The highest rate over the average one, 1 to 2.
        peak: f64,
        /// From one lowest point to the next.
        period: Time,
    },
}

impl Load {
    /// Uploads a second at `now`.
    pub fn rate(&self, now: Time) -> f64 {
        match *self {
            Load::Steady { rate } => rate,
            Load::Surge { rate, times, start, rise } => {
                let risen = ((now - start).as_seconds() / rise.as_seconds()).clamp(0.0, 1.0);
                rate * (1.0 + (times - 1.0) * risen)
            }
            Load::Wave { mean, peak, period } => {
                let turn = std::f64::consts::TAU * now.as_seconds() / period.as_seconds();
                mean * (1.0 - (peak - 1.0) * turn.cos())
            }
        }
    }

    /// The highest rate it ever has.
    pub fn highest(&self) -> f64 {
        match *self {
            Load::Steady { rate } => rate,
            Load::Surge { rate, times, .. } => rate * times.max(1.0),
            Load::Wave { mean, peak, .. } => mean * peak,
        }
    }

    /// The first upload after `now`: a Poisson process of this rate, by thinning (Lewis and Shedler,
    /// 1979): one of the highest rate, of which each event is kept with the share that the rate has of it.
    pub fn next(&self, now: Time, random: &mut Random) -> Time {
        let highest = self.highest();
        let mut then = now.as_seconds();
        loop {
            then += random.exponential(1.0 / highest);
            if random.unit() * highest < self.rate(Time::seconds(then)) {
                return Time::seconds(then);
            }
        }
    }
}
