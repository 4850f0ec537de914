//! The policies and the load curves that are compared. It leaves running them to `experiment`.

use crate::delays;
use crate::load::Load;
use crate::machine::Size;
use crate::policy::{Grow, Metric, Policy, Rule};
use crate::simulate::{Incident, Requests, Scenario};
use crate::time::Time;
use crate::work::Work;

/// `SHARER_JOBS` of a worker on a machine with one core; docs/capacity.md says why so many.
pub const JOBS: usize = 12;

/// Share of the machines above the minimum that are spot.
pub const SPOT: f64 = 0.5;

/// Fewest machines: one a zone.
pub const MINIMUM: usize = 2;

/// Processor use that the headroom policy holds.
pub const HEADROOM: f64 = 0.15;

/// From how many visible messages a machine on, how many times the machines.
pub const STEPS: [(f64, f64); 3] = [(3.0, 2.0), (10.0, 4.0), (30.0, 8.0)];

/// Stopped machines, where there is a warm pool.
const POOL: usize = 20;

/// A curve, and how often it is run.
#[derive(Clone, Debug)]
pub struct Curve {
    /// What files are called after it.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// The scenario.
    pub scenario: Scenario,
    /// With how many seeds.
    pub runs: u64,
    /// Of how many seconds each point of its plot is.
    pub span: f64,
}

/// The four curves, and the last one again without a notice.
pub fn curves(work: &Work) -> Vec<Curve> {
    let rate = 20.0;
    let surge = Load::Surge { rate, times: 10.0, start: settled(), rise: Time::seconds(60.0) };
    let wave = Load::Wave { mean: 25.0, peak: 1.8, period: Time::seconds(86_400.0) };
    let (steady, many) = (Load::Steady { rate }, Load::Steady { rate: 100.0 });
    let struck = settled() + Time::seconds(60.0);
    vec![
        curve("steady", "steady, 20 uploads/s", scenario(work, steady, 1800.0), 2, 10.0),
        curve(
            "surge",
            "ten times as many uploads in a minute, 20/s to 200/s",
            scenario(work, surge, 600.0),
            6,
            10.0,
        ),
        curve("wave", "a daily wave, 5/s to 45/s", scenario(work, wave, 86_400.0), 1, 300.0),
        curve(
            "reclaim",
            "half of the spot machines reclaimed, 100 uploads/s",
            Scenario { incident: Some(Incident::Reclaim(struck)), ..scenario(work, many, 600.0) },
            2,
            10.0,
        ),
        curve(
            "kill",
            "half of the spot machines dead without notice, 100 uploads/s",
            Scenario { incident: Some(Incident::Kill(struck)), ..scenario(work, many, 600.0) },
            2,
            10.0,
        ),
    ]
}

fn curve(name: &'static str, title: &'static str, scenario: Scenario, runs: u64, span: f64) -> Curve {
    Curve { name, title, scenario, runs, span }
}

/// What comes before this settles the group, and is not counted.
fn settled() -> Time {
    Time::seconds(2400.0)
}

/// A load on the machines that we recommend.
pub fn scenario(work: &Work, load: Load, seconds: f64) -> Scenario {
    let settled = settled();
    let machines = (load.rate(settled) / 5.0).ceil() as usize;
    Scenario {
        load,
        work: work.clone(),
        size: Size::of_worker(1, JOBS),
        requests: Requests { store: delays::S3_REQUEST, queue: delays::SQS_REQUEST },
        launch: delays::LAUNCH,
        boot: delays::BOOT,
        incident: None,
        spot: SPOT,
        machines,
        from: settled,
        until: settled + Time::seconds(seconds),
    }
}

/// All policies, from the usual to the one that we recommend, which is the last but one.
pub fn policies() -> Vec<Policy> {
    let fast = || backlog(delays::TEN_SECONDS);
    let slow = || backlog(delays::MINUTE);
    vec![
        policy("fixed: 14 machines", 14, 0, vec![]),
        policy("processor use 50 %, 60 s", MINIMUM, 0, vec![processor(0.5)]),
        policy("queue-depth steps, 60 s", MINIMUM, 0, vec![depth()]),
        policy("backlog tracked, 60 s", MINIMUM, 0, vec![tracked(delays::MINUTE)]),
        policy("backlog tracked, 10 s", MINIMUM, 0, vec![tracked(delays::TEN_SECONDS)]),
        policy("backlog steps, 60 s", MINIMUM, 0, vec![alone(slow())]),
        policy("backlog steps, 60 s, headroom", MINIMUM, 0, vec![processor(HEADROOM), slow()]),
        policy("backlog steps, 10 s", MINIMUM, 0, vec![alone(fast())]),
        policy("backlog steps, 10 s, warm pool", MINIMUM, POOL, vec![alone(fast())]),
        recommended(),
        policy("… and a warm pool", MINIMUM, POOL, vec![processor(HEADROOM), fast()]),
    ]
}

/// The policy that the template takes.
pub fn recommended() -> Policy {
    with_headroom(HEADROOM, 0)
}

/// The recommended policy with another processor use to be held, and a warm pool.
pub fn with_headroom(target: f64, pool: usize) -> Policy {
    policy(
        "backlog steps, 10 s, headroom",
        MINIMUM,
        pool,
        vec![processor(target), backlog(delays::TEN_SECONDS)],
    )
}

fn policy(name: &str, minimum: usize, warm_pool: usize, rules: Vec<Rule>) -> Policy {
    Policy { name: name.to_owned(), minimum, warm_pool, rules }
}

/// Target tracking of the group's processor use, one-minute metrics.
fn processor(target: f64) -> Rule {
    Rule {
        metric: Metric::Cpu,
        period: delays::MINUTE,
        delay: delays::MINUTE_JUDGED,
        datapoints: delays::TRACKING_DATAPOINTS,
        warm_up: delays::WARM_UP_MINUTE,
        grow: Grow::InProportion { target },
        shrink_below: Some(0.9 * target),
    }
}

/// Delay and warm-up that go with a metric's period.
fn timing(period: f64) -> (f64, f64) {
    match period {
        delays::TEN_SECONDS => (delays::TEN_SECONDS_JUDGED, delays::WARM_UP_TEN_SECONDS),
        _ => (delays::MINUTE_JUDGED, delays::WARM_UP_MINUTE),
    }
}

/// Step scaling on backlog a machine; it only grows.
fn backlog(period: f64) -> Rule {
    let (delay, warm_up) = timing(period);
    let grow = Grow::Times(STEPS.to_vec());
    Rule {
        metric: Metric::BacklogPerInstance,
        period,
        delay,
        datapoints: 1,
        warm_up,
        grow,
        shrink_below: None,
    }
}

/// The same rule where no other is there to shrink the group.
fn alone(rule: Rule) -> Rule {
    Rule { shrink_below: Some(1.0), ..rule }
}

/// Target tracking of backlog a machine, by AWS's own formula: the wait that is acceptable, 10 s, over the
/// time a message takes, 27 ms.
fn tracked(period: f64) -> Rule {
    let (delay, warm_up) = timing(period);
    Rule {
        metric: Metric::BacklogPerInstance,
        period,
        delay,
        datapoints: delays::TRACKING_DATAPOINTS,
        warm_up,
        grow: Grow::InProportion { target: 370.0 },
        shrink_below: Some(180.0),
    }
}

/// Steps on the number of visible messages, as most how-tos have them.
fn depth() -> Rule {
    Rule {
        metric: Metric::Backlog,
        period: delays::MINUTE,
        delay: delays::MINUTE_JUDGED,
        datapoints: 1,
        warm_up: delays::WARM_UP_MINUTE,
        grow: Grow::More(vec![(100.0, 1), (500.0, 3), (1000.0, 10)]),
        shrink_below: Some(1.0),
    }
}
