//! Numbers for an operator: counters and histograms that cost an atomic addition each, and the text
//! that Prometheus reads them in.
//!
//! Written by hand, as all that is needed of the format is a page of it, and a registry would put a
//! lock or a hash before each addition. What is counted, and under which labels, is for those who
//! count: their sets of labels are fixed, so no client can make them grow.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

mod page;
pub mod process;

pub use page::{Family, Kind, Page};

/// What only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn count(&self) {
        self.add(1);
    }

    /// So many more.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Relaxed);
    }

    /// How many there were.
    pub fn value(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// How many there are just now: each is counted for as long as its guard lives.
#[derive(Debug, Default)]
pub struct Present(AtomicU64);

/// One that is counted.
#[derive(Debug)]
pub struct Guard<'p>(&'p Present);

impl Present {
    /// One more, until the guard is dropped.
    pub fn enter(&self) -> Guard<'_> {
        self.0.fetch_add(1, Relaxed);
        Guard(self)
    }

    /// How many there are.
    pub fn value(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Relaxed);
    }
}

/// Upper bounds of durations, in microseconds: 5 ms to 5 minutes.
const SECONDS: &[u64] = &[
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    30_000_000,
    60_000_000,
    300_000_000,
];

/// Upper bounds of lengths, in bytes: 16 KiB to 256 MiB, each four times the one before.
const BYTES: &[u64] = &[1 << 14, 1 << 16, 1 << 18, 1 << 20, 1 << 22, 1 << 24, 1 << 26, 1 << 28];

/// How values are spread.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [u64],
    /// How many of ours are one of the unit that is shown.
    per_unit: f64,
    /// One for each bound, and one beyond them.
    buckets: Box<[AtomicU64]>,
    sum: AtomicU64,
}

impl Histogram {
    /// Of durations, shown in seconds.
    pub fn of_durations() -> Histogram {
        Histogram::new(SECONDS, 1e6)
    }

    /// Of lengths, shown in bytes.
    pub fn of_lengths() -> Histogram {
        Histogram::new(BYTES, 1.0)
    }

    fn new(bounds: &'static [u64], per_unit: f64) -> Histogram {
        let buckets = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Histogram { bounds, per_unit, buckets, sum: AtomicU64::new(0) }
    }

    /// Takes a duration in.
    pub fn took(&self, time: Duration) {
        self.add(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    /// Takes a value in: microseconds, or bytes.
    pub fn add(&self, value: u64) {
        let bucket = self.bounds.partition_point(|&bound| bound < value);
        self.buckets[bucket].fetch_add(1, Relaxed);
        self.sum.fetch_add(value, Relaxed);
    }

    /// Whether nothing was taken in yet.
    pub fn is_empty(&self) -> bool {
        self.buckets.iter().all(|bucket| bucket.load(Relaxed) == 0)
    }

    /// Each upper bound as it is shown, with how many values are at most that; infinity is the last.
    fn cumulated(&self) -> impl Iterator<Item = (f64, u64)> {
        let bounds = self.bounds.iter().map(|&bound| bound as f64 / self.per_unit);
        let counts = self.buckets.iter().scan(0, |sum, bucket| {
            *sum += bucket.load(Relaxed);
            Some(*sum)
        });
        bounds.chain([f64::INFINITY]).zip(counts)
    }

    /// The sum of all values, as it is shown.
    fn sum(&self) -> f64 {
        self.sum.load(Relaxed) as f64 / self.per_unit
    }
}

/// Most words that a [`Tally`] tells apart.
const WORDS: usize = 64;

/// Counters by words of the program's own text: there are as many as the program has.
#[derive(Debug)]
pub struct Tally([(OnceLock<&'static str>, Counter); WORDS]);

impl Default for Tally {
    fn default() -> Tally {
        Tally(std::array::from_fn(|_| <(OnceLock<&'static str>, Counter)>::default()))
    }
}

impl Tally {
    /// One more of this. Should there be more words than places, the last place counts the rest with its
    /// own.
    pub fn count(&self, word: &'static str) {
        let own = self.0.iter().find(|(place, _)| *place.get_or_init(|| word) == word);
        if let Some((_, counter)) = own.or(self.0.last()) {
            counter.count();
        }
    }

    /// The words that were counted, each with how many.
    pub fn counted(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.0.iter().map_while(|(word, counter)| Some((*word.get()?, counter.value())))
    }
}

#[cfg(test)]
mod tests;
