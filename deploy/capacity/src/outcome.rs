//! What a simulation found: how long images waited for their thumbnails, how many machines there were, and
//! what they cost. It leaves drawing and printing to others.

use crate::machine::Job;
use crate::time::Time;

/// A moment of the simulation, one a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Second {
    /// When.
    pub at: Time,
    /// Messages visible.
    pub backlog: usize,
    /// Machines at work.
    pub serving: usize,
}

/// One upload's wait.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wait {
    /// When it was uploaded, in milliseconds.
    pub at: u32,
    /// How long its thumbnails took, in seconds.
    pub seconds: f32,
}

/// Collects while the simulation runs.
#[derive(Debug)]
pub struct Recorder {
    from: Time,
    until: Time,
    /// When each upload's thumbnails were there for the first time.
    done: Vec<Option<Time>>,
    seconds: Vec<Second>,
    on_demand: f64,
    spot: f64,
}

/// What was found between the scenario's `from` and `until`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Uploads.
    pub images: usize,
    /// Of those, how many had their thumbnails at the end.
    pub done: usize,
    /// The waits of all, in the order of upload; those without thumbnails at the end count with the time
    /// until then.
    pub waits: Vec<Wait>,
    /// One a second.
    pub seconds: Vec<Second>,
    /// Machine hours that are paid at the on-demand price.
    pub on_demand_hours: f64,
    /// Machine hours that are paid at the spot price.
    pub spot_hours: f64,
}

impl Recorder {
    /// Counts what comes between two moments.
    pub fn new(from: Time, until: Time) -> Recorder {
        Recorder { from, until, done: Vec::new(), seconds: Vec::new(), on_demand: 0.0, spot: 0.0 }
    }

    /// An upload's thumbnails are there. Only the first time counts: a job that is done twice keeps nobody
    /// waiting.
    pub fn done(&mut self, job: Job, now: Time) {
        if self.done.len() <= job {
            self.done.resize(job + 1, None);
        }
        self.done[job].get_or_insert(now);
    }

    /// What the queue and the fleet look like now.
    pub fn second(&mut self, at: Time, backlog: usize, serving: usize) {
        if at >= self.from {
            self.seconds.push(Second { at, backlog, serving });
        }
    }

    /// A machine was paid for: by the second, and for a minute at least.
    pub fn paid(&mut self, spot: bool, since: Time, until: Time) {
        let until = until.max(since + Time::seconds(60.0)).min(self.until);
        let hours = (until - since.max(self.from)).as_seconds() / 3600.0;
        *(if spot { &mut self.spot } else { &mut self.on_demand }) += hours;
    }

    /// The end; `uploads` are all there were, in their order.
    pub fn finish(self, uploads: impl Iterator<Item = Time>) -> Outcome {
        let (mut waits, mut done) = (Vec::new(), 0);
        for (job, at) in uploads.enumerate().filter(|(_, at)| *at >= self.from) {
            let ready = self.done.get(job).copied().flatten();
            done += usize::from(ready.is_some());
            let seconds = (ready.unwrap_or(self.until) - at).as_seconds() as f32;
            waits.push(Wait { at: (at.0 / 1000) as u32, seconds });
        }
        Outcome {
            images: waits.len(),
            done,
            waits,
            seconds: self.seconds,
            on_demand_hours: self.on_demand,
            spot_hours: self.spot,
        }
    }
}

impl Outcome {
    /// Several runs of one scenario taken together.
    pub fn pooled(runs: &[Outcome]) -> Outcome {
        let mut all = Outcome::default();
        for run in runs {
            all.images += run.images;
            all.done += run.done;
            all.waits.extend(&run.waits);
            all.seconds.extend(&run.seconds);
            all.on_demand_hours += run.on_demand_hours;
            all.spot_hours += run.spot_hours;
        }
        all.waits.sort_by_key(|wait| wait.at);
        all
    }

    /// The wait, in seconds, that this share of the images does not exceed.
    pub fn percentile(&self, share: f64) -> f64 {
        percentile(&self.waits, share)
    }

    /// The same of the images that came in each span of `seconds`, with each span's middle in seconds.
    pub fn percentile_over_time(&self, share: f64, seconds: f64) -> Vec<(f64, f64)> {
        let span = (seconds * 1e3) as u32;
        let chunks = self.waits.chunk_by(|a, b| a.at / span == b.at / span);
        chunks
            .map(|chunk| ((f64::from(chunk[0].at / span) + 0.5) * seconds, percentile(chunk, share)))
            .collect()
    }

    /// The highest of the p99 of each minute.
    pub fn worst_minute(&self) -> f64 {
        self.percentile_over_time(0.99, 60.0).iter().map(|minute| minute.1).fold(0.0, f64::max)
    }

    /// How long it was, in hours.
    pub fn hours(&self) -> f64 {
        self.seconds.len() as f64 / 3600.0
    }

    /// Images done a second.
    pub fn done_a_second(&self) -> f64 {
        self.done as f64 / self.seconds.len().max(1) as f64
    }

    /// Machines at work on average.
    pub fn machines(&self) -> f64 {
        self.seconds.iter().map(|second| second.serving as f64).sum::<f64>()
            / self.seconds.len().max(1) as f64
    }

    /// Machines at work at most.
    pub fn most_machines(&self) -> usize {
        self.seconds.iter().map(|second| second.serving).max().unwrap_or(0)
    }
}

fn percentile(waits: &[Wait], share: f64) -> f64 {
    if waits.is_empty() {
        return 0.0;
    }
    let mut seconds: Vec<f32> = waits.iter().map(|wait| wait.seconds).collect();
    let at = ((seconds.len() as f64 * share).ceil() as usize).clamp(1, seconds.len()) - 1;
    f64::from(*seconds.select_nth_unstable_by(at, f32::total_cmp).1)
}
