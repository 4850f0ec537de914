//! What a worker counts of its jobs, and how an operator is told.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Shared;
use crate::observe::metrics::{Counter, Histogram, Kind, Page};
use crate::observe::time::now_millis;
use crate::queue::Delivery;

/// A step that takes time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Reading the original.
    Fetch,
    /// Making its thumbnails.
    Make,
    /// Storing them.
    Store,
}

/// How a job ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Its thumbnails are stored.
    Done,
    /// It can never work.
    Failed,
    /// Its upload is no longer there.
    Moot,
    /// Back to the queue with a delay.
    Later,
    /// To the dead letters.
    Buried,
    /// Back to the queue at once, as the worker ends.
    GivenBack,
}

const STAGES: [(Stage, &str); 3] = [(Stage::Fetch, "fetch"), (Stage::Make, "make"), (Stage::Store, "store")];

const ENDINGS: [(Ending, &str); 6] = [
    (Ending::Done, "done"),
    (Ending::Failed, "failed"),
    (Ending::Moot, "moot"),
    (Ending::Later, "later"),
    (Ending::Buried, "buried"),
    (Ending::GivenBack, "given_back"),
];

/// What is counted.
pub struct Metrics {
    /// By [`Ending`], in the order of the enum.
    endings: [Counter; ENDINGS.len()],
    /// By [`Stage`], in the order of the enum.
    stages: [Histogram; STAGES.len()],
    time_to_thumbnail: Histogram,
    queue_age: Histogram,
    receive_failures: Counter,
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics {
            endings: Default::default(),
            stages: std::array::from_fn(|_| Histogram::of_durations()),
            time_to_thumbnail: Histogram::of_durations(),
            queue_age: Histogram::of_durations(),
            receive_failures: Counter::default(),
        }
    }
}

impl Metrics {
    /// A message was received.
    pub fn received(&self, delivery: &Delivery) {
        self.queue_age.took(Duration::from_millis(now_millis().saturating_sub(delivery.sent)));
    }

    /// The queue, or the store that jobs need, failed.
    pub fn receive_failed(&self) {
        self.receive_failures.count();
    }

    /// A step was taken, since `begun`.
    pub fn took(&self, stage: Stage, begun: Instant) {
        self.stages[stage as usize].took(begun.elapsed());
    }

    /// A job's thumbnails are stored, so long after its upload.
    pub fn done(&self, after: Duration) {
        self.time_to_thumbnail.took(after);
        self.ended(Ending::Done);
    }

    /// A job, or a message that holds none, is over.
    pub fn ended(&self, ending: Ending) {
        self.endings[ending as usize].count();
    }

    fn write(&self, page: &mut Page) {
        let help = "Jobs by how they ended; later and given_back are tried again.";
        let mut jobs = page.family("sharer_jobs_total", Kind::Counter, help);
        for (ending, name) in ENDINGS {
            jobs.sample(&[("result", name)], self.endings[ending as usize].value());
        }
        let help = "From an upload's acceptance to its last thumbnail stored.";
        page.family("sharer_time_to_thumbnail_seconds", Kind::Histogram, help)
            .histogram(&[], &self.time_to_thumbnail);
        let help = "What each step of a job takes, waiting for memory included.";
        let mut stages = page.family("sharer_stage_duration_seconds", Kind::Histogram, help);
        for (stage, name) in STAGES {
            stages.histogram(&[("stage", name)], &self.stages[stage as usize]);
        }
        let help = "Age of messages when they are received, counted from their sending, at each receive.";
        page.family("sharer_queue_age_seconds", Kind::Histogram, help).histogram(&[], &self.queue_age);
        let help = "Times that no jobs could be taken, as the queue or the store failed.";
        page.family("sharer_receive_failures_total", Kind::Counter, help)
            .sample(&[], self.receive_failures.value());
    }
}

/// Tells what a worker counts, and what it holds just now.
pub struct Meter(pub(super) Arc<Shared>);

impl Meter {
    /// Writes all of it.
    pub fn write(&self, page: &mut Page) {
        let Shared { metrics, leases, fetched, decoding, .. } = &*self.0;
        metrics.write(page);
        page.family("sharer_messages_in_hand", Kind::Gauge, "Messages received and not yet settled.")
            .sample(&[], leases.count());
        let budgets = [("originals", fetched), ("decoding", decoding)];
        let help = "Memory that jobs have taken of their budget (SHARER_MEMORY_MB).";
        let mut used = page.family("sharer_memory_budget_used_bytes", Kind::Gauge, help);
        for (name, budget) in budgets {
            used.sample(&[("part", name)], budget.used());
        }
        let mut total =
            page.family("sharer_memory_budget_bytes", Kind::Gauge, "The budget for all jobs at once.");
        for (name, budget) in budgets {
            total.sample(&[("part", name)], budget.total());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{A_MINUTE, Bench, picture};
    use super::*;
    use crate::queue::Queue;
    use crate::record;

    #[test]
    fn each_job_is_counted_by_how_it_ended() {
        let mut bench = Bench::new();
        bench.upload(1, &picture("rgb-8.png"));
        bench.upload(2, &picture("cut-in-data.png"));
        let deleted = bench.upload(3, &picture("rgb-8.png"));
        record::update(&*bench.store, &deleted.id, |record| record.deleted.replace(5).is_none()).unwrap();
        bench.queue.send("no job").unwrap();
        bench.start(A_MINUTE);
        bench.wait_until_idle();
        let mut page = Page::default();
        bench.worker.as_ref().unwrap().life().meter().write(&mut page);
        let text = page.into_text();
        for line in [
            "sharer_jobs_total{result=\"done\"} 1",
            "sharer_jobs_total{result=\"failed\"} 1",
            "sharer_jobs_total{result=\"moot\"} 1",
            "sharer_jobs_total{result=\"buried\"} 1",
            "sharer_jobs_total{result=\"later\"} 0",
            "sharer_time_to_thumbnail_seconds_count 1",
            "sharer_stage_duration_seconds_count{stage=\"fetch\"} 2",
            "sharer_stage_duration_seconds_count{stage=\"make\"} 2",
            "sharer_stage_duration_seconds_count{stage=\"store\"} 1",
            "sharer_queue_age_seconds_count 4",
        ] {
            assert!(text.lines().any(|l| l == line), "no {line:?} in\n{text}");
        }
    }

    #[test]
    fn each_name_stands_where_its_number_is_counted() {
        assert!(ENDINGS.iter().enumerate().all(|(i, (ending, _))| *ending as usize == i));
        assert!(STAGES.iter().enumerate().all(|(i, (stage, _))| *stage as usize == i));
    }
}
