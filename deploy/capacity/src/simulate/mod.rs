//! The simulation itself: a clock, a heap of events, one queue, many machines, one scaling group. The same
//! scenario, policy and seed give the same outcome. It leaves to `outcome` what is made of it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use crate::delays;
use crate::group::Group;
use crate::load::Load;
use crate::machine::{Job, Life, Machine, Size};
use crate::outcome::{Outcome, Recorder};
use crate::policy::Policy;
use crate::random::Random;
use crate::time::Time;
use crate::work::Work;

mod machines;
mod scaling;
mod uploads;

/// Most messages that one receive brings (SQS).
const BATCH: usize = 10;

/// What happens to machines, besides scaling.
#[derive(Clone, Copy, Debug)]
pub enum Incident {
    /// Every second spot machine gets its notice, drains and goes off.
    Reclaim(Time),
    /// Every second spot machine dies without a word.
    Kill(Time),
}

/// How long requests take, in seconds, at least and at most.
#[derive(Clone, Copy, Debug)]
pub struct Requests {
    /// To the store.
    pub store: (f64, f64),
    /// To the queue.
    pub queue: (f64, f64),
}

/// Everything but the policy.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Uploads.
    pub load: Load,
    /// What each costs.
    pub work: Work,
    /// The machines.
    pub size: Size,
    /// Requests to store and queue.
    pub requests: Requests,
    /// From the request for a machine to the guest's first instruction, in seconds, at least and at most.
    pub launch: (f64, f64),
    /// From there until the worker asks for its first message, in seconds.
    pub boot: f64,
    /// What else happens.
    pub incident: Option<Incident>,
    /// Share of the machines above the minimum that are spot.
    pub spot: f64,
    /// Machines at the start.
    pub machines: usize,
    /// Uploads from here on are counted.
    pub from: Time,
    /// Uploads until here are counted, and then the simulation ends.
    pub until: Time,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Upload,
    Received { machine: usize, jobs: Vec<Job> },
    Fetched { machine: usize, job: Job },
    Made { machine: usize, job: Job },
    Stored { machine: usize, job: Job },
    Settled { machine: usize, job: Job },
    Returned { job: Job },
    Sample { rule: usize },
    Judge { rule: usize, thousandths: u64 },
    Launch { wanted: usize },
    Up { machine: usize },
    GroupReports,
    Second,
    Incident,
    Replace,
}

struct Upload {
    at: Time,
    cpu: f64,
    megabytes: f64,
}

struct Simulation<'a> {
    scenario: &'a Scenario,
    now: Time,
    events: BinaryHeap<Reverse<(Time, u64, Event)>>,
    counter: u64,
    uploads: Vec<Upload>,
    visible: VecDeque<Job>,
    /// Machines whose receive waits for a message.
    waiting: Vec<usize>,
    machines: Vec<Machine>,
    group: Group<'a>,
    arrivals: Random,
    sizes: Random,
    random: Random,
    recorder: Recorder,
}

/// Runs one policy through one scenario.
pub fn simulate(scenario: &Scenario, policy: &Policy, seed: u64) -> Outcome {
    let mut simulation = Simulation {
        scenario,
        now: Time::ZERO,
        events: BinaryHeap::new(),
        counter: 0,
        uploads: Vec::new(),
        visible: VecDeque::new(),
        waiting: Vec::new(),
        machines: Vec::new(),
        group: Group::new(policy, scenario.machines),
        arrivals: Random::new(seed, 1),
        sizes: Random::new(seed, 2),
        random: Random::new(seed, 3),
        recorder: Recorder::new(scenario.from, scenario.until),
    };
    simulation.begin(policy);
    while let Some(Reverse((now, _, event))) = simulation.events.pop() {
        if now > scenario.until {
            break;
        }
        simulation.now = now;
        simulation.happen(event);
    }
    simulation.end()
}

impl Simulation<'_> {
    fn begin(&mut self, policy: &Policy) {
        for _ in 0..self.group.desired() {
            let machine = self.add_machine();
            self.up(machine);
        }
        self.next_upload();
        self.after(0.0, Event::Second);
        let phase = self.random.between(0.0, delays::GROUP_METRICS);
        self.after(phase, Event::GroupReports);
        for (rule, of) in policy.rules.iter().enumerate() {
            // Nobody knows when in its period a metric is taken.
            let phase = self.random.between(0.0, of.period);
            self.after(phase, Event::Sample { rule });
        }
        if let Some(Incident::Reclaim(at) | Incident::Kill(at)) = self.scenario.incident {
            self.at(at, Event::Incident);
        }
    }

    fn end(mut self) -> Outcome {
        let until = self.scenario.until;
        for machine in &self.machines {
            if machine.life != Life::Gone {
                self.recorder.paid(machine.spot, machine.billed, until);
            }
        }
        self.recorder.finish(self.uploads.iter().map(|upload| upload.at))
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Upload => self.upload(),
            Event::Received { machine, jobs } => self.received(machine, jobs),
            Event::Fetched { machine, job } => self.fetched(machine, job),
            Event::Made { machine, job } => self.made(machine, job),
            Event::Stored { machine, job } => self.stored(machine, job),
            Event::Settled { machine, job } => self.settled(machine, job),
            Event::Returned { job } => self.show(job),
            Event::Sample { rule } => self.sample(rule),
            Event::Judge { rule, thousandths } => self.judge(rule, thousandths as f64 / 1e3),
            Event::Launch { wanted } => self.resize(wanted),
            Event::Up { machine } => self.up(machine),
            Event::GroupReports => {
                self.group.report(self.serving());
                self.after(delays::GROUP_METRICS, Event::GroupReports);
            }
            Event::Second => self.second(),
            Event::Incident => self.incident(),
            Event::Replace => self.replace(),
        }
    }

    fn store_requests(&mut self, count: usize) -> f64 {
        let (least, most) = self.scenario.requests.store;
        (0..count).map(|_| self.random.between(least, most)).sum()
    }

    fn queue_request(&mut self) -> f64 {
        let (least, most) = self.scenario.requests.queue;
        self.random.between(least, most)
    }

    fn after(&mut self, seconds: f64, event: Event) {
        self.at(self.now + Time::seconds(seconds), event);
    }

    fn at(&mut self, time: Time, event: Event) {
        // Of two events at one moment, the one that was foreseen first comes first.
        self.counter += 1;
        self.events.push(Reverse((time, self.counter, event)));
    }
}
