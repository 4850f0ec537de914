//! One worker machine as `image-worker` is built: receive, fetch, make, keep, each step with its own
//! threads, and a limit of messages in hand. It leaves the clock and the queue to `simulate`.

use std::collections::VecDeque;

use crate::time::Time;

/// A job's place among all uploads.
pub type Job = usize;

/// The size of a machine, and of the worker on it.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Processors.
    pub cores: usize,
    /// `SHARER_JOBS`: images worked on at once.
    pub jobs: usize,
    /// Messages in hand at most.
    pub hand: usize,
    /// Threads that fetch.
    pub fetching: usize,
    /// Threads that store.
    pub keeping: usize,
}

impl Size {
    /// A worker with this `SHARER_JOBS`, as src/worker/mod.rs starts its threads: a hand of three times
    /// as many, one more that fetch, twice as many and one that store.
    pub fn of_worker(cores: usize, jobs: usize) -> Size {
        Size { cores, jobs, hand: 3 * jobs, fetching: jobs + 1, keeping: 2 * jobs + 1 }
    }
}

/// Where a machine is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Asked for, not yet at work.
    Starting,
    /// At work.
    Serving,
    /// Takes nothing new, finishes what it has begun.
    Draining,
    /// Off.
    Gone,
}

/// Threads of one step, and the jobs that wait for one of them.
#[derive(Debug)]
pub struct Step {
    threads: usize,
    busy: usize,
    waiting: VecDeque<Job>,
}

impl Step {
    fn new(threads: usize) -> Step {
        Step { threads, busy: 0, waiting: VecDeque::new() }
    }

    /// A job comes; whether it is begun at once.
    pub fn enter(&mut self, job: Job) -> bool {
        if self.busy < self.threads {
            self.busy += 1;
            return true;
        }
        self.waiting.push_back(job);
        false
    }

    /// A job is done; which one is begun in its place.
    pub fn leave(&mut self) -> Option<Job> {
        let next = self.waiting.pop_front();
        if next.is_none() {
            self.busy -= 1;
        }
        next
    }

    /// Takes away those that wait.
    pub fn give_back(&mut self) -> Vec<Job> {
        self.waiting.drain(..).collect()
    }
}

/// One machine.
#[derive(Debug)]
pub struct Machine {
    /// Where it is in its life.
    pub life: Life,
    /// Whether it can be reclaimed, and costs less.
    pub spot: bool,
    /// Since when it is paid for.
    pub billed: Time,
    /// Since when it serves.
    pub served: Time,
    /// Whether a receive is under way that brings messages.
    pub receiving: bool,
    /// All messages that it holds.
    pub hand: Vec<Job>,
    /// Fetches originals.
    pub fetch: Step,
    /// Makes thumbnails.
    pub make: Step,
    /// Stores them.
    pub keep: Step,
    /// Processor time since it was last asked for, in seconds.
    pub worked: f64,
    most: usize,
}

impl Machine {
    /// One that is asked for.
    pub fn new(size: &Size, spot: bool, billed: Time) -> Machine {
        Machine {
            life: Life::Starting,
            spot,
            billed,
            served: Time::ZERO,
            receiving: false,
            hand: Vec::new(),
            fetch: Step::new(size.fetching),
            // More threads than processors make no more of them: images then wait for a processor.
            make: Step::new(size.jobs.min(size.cores)),
            keep: Step::new(size.keeping),
            worked: 0.0,
            most: size.hand,
        }
    }

    /// How many more messages it may take.
    pub fn room(&self) -> usize {
        match self.life {
            Life::Serving if !self.receiving => self.most - self.hand.len().min(self.most),
            _ => 0,
        }
    }

    /// A message is settled.
    pub fn settle(&mut self, job: Job) {
        if let Some(at) = self.hand.iter().position(|held| *held == job) {
            self.hand.swap_remove(at);
        }
    }
}
