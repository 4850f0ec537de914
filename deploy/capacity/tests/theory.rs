//! The simulator against queueing theory, where that has formulas: Erlang's for M/M/c, Pollaczek's and
//! Khinchine's for M/D/1. The same code as for the fleet, with machines that do one image at a time and
//! requests that take no time.

use capacity::load::Load;
use capacity::machine::Size;
use capacity::outcome::Outcome;
use capacity::policy::Policy;
use capacity::simulate::{Requests, Scenario, simulate};
use capacity::time::Time;
use capacity::work::Work;

const RUNS: u64 = 8;
const IMAGES: f64 = 60_000.0;

/// `servers` that each do one image a second, at this share of what they can do.
fn runs(servers: usize, utilisation: f64, work: &Work) -> Vec<Outcome> {
    let rate = servers as f64 * utilisation;
    let from = Time::seconds(2_000.0);
    let scenario = Scenario {
        load: Load::Steady { rate },
        work: work.clone(),
        size: Size { cores: 1, jobs: 1, hand: 1, fetching: 1, keeping: 1 },
        requests: Requests { store: (0.0, 0.0), queue: (0.0, 0.0) },
        launch: (0.0, 0.0),
        boot: 0.0,
        incident: None,
        spot: 0.0,
        machines: servers,
        from,
        until: from + Time::seconds(IMAGES / rate),
    };
    let policy = Policy { name: "fixed".to_owned(), minimum: servers, warm_pool: 0, rules: Vec::new() };
    (1..=RUNS).map(|seed| simulate(&scenario, &policy, seed)).collect()
}

/// The runs' means of something are about `theory`: within four standard errors, which are small.
fn agrees(what: &str, runs: &[Outcome], measure: impl Fn(&Outcome) -> f64, theory: f64) {
    let means: Vec<f64> = runs.iter().map(measure).collect();
    let mean = means.iter().sum::<f64>() / means.len() as f64;
    let variance = means.iter().map(|of| (of - mean).powi(2)).sum::<f64>() / (means.len() - 1) as f64;
    let error = (variance / means.len() as f64).sqrt();
    println!("{what}: {mean:.4} simulated, {theory:.4} in theory, standard error {error:.4}");
    assert!(error < 0.04 * theory, "{what}: too few images to tell: {mean} ± {error}");
    assert!((mean - theory).abs() < 4.0 * error, "{what}: {mean} ± {error}, {theory} in theory");
}

/// The mean time from upload to thumbnails.
fn mean_time(outcome: &Outcome) -> f64 {
    outcome.waits.iter().map(|wait| f64::from(wait.seconds)).sum::<f64>() / outcome.images as f64
}

/// Erlang's C: how likely an image waits for one of `servers`, when they are offered `load` erlangs. By way
/// of his B, whose recursion has no large numbers.
fn erlang_c(servers: usize, load: f64) -> f64 {
    let b = (1..=servers).fold(1.0, |b, n| load * b / (n as f64 + load * b));
    let utilisation = load / servers as f64;
    b / (1.0 - utilisation * (1.0 - b))
}

#[test]
fn erlangs_formula_has_its_known_values() {
    assert!((erlang_c(1, 0.8) - 0.8).abs() < 1e-12);
    // M/M/2: 2ρ²/(1+ρ).
    assert!((erlang_c(2, 1.2) - 2.0 * 0.36 / 1.6).abs() < 1e-12);
}

#[test]
fn exponential_work_on_many_machines_waits_as_erlang_says() {
    for (servers, utilisation) in [(1, 0.5), (1, 0.8), (2, 0.7), (5, 0.8), (10, 0.9), (30, 0.9)] {
        let load = servers as f64 * utilisation;
        let wait = erlang_c(servers, load) / (servers as f64 - load);
        let what = format!("M/M/{servers} at {utilisation}");
        agrees(&what, &runs(servers, utilisation, &Work::Exponential(1.0)), mean_time, wait + 1.0);
    }
}

#[test]
fn the_same_work_each_time_waits_as_pollaczek_and_khinchine_say() {
    for utilisation in [0.3, 0.6, 0.8, 0.9] {
        let outcomes = runs(1, utilisation, &Work::Constant(1.0));
        let waits = |outcome: &Outcome| mean_time(outcome) - 1.0;
        agrees(
            &format!("M/D/1 at {utilisation}"),
            &outcomes,
            waits,
            utilisation / (2.0 * (1.0 - utilisation)),
        );
        // Poisson arrivals see what is there on average: as many wait as the machine is busy.
        let share = |outcome: &Outcome| {
            outcome.waits.iter().filter(|wait| wait.seconds > 1.000_01).count() as f64 / outcome.images as f64
        };
        agrees(&format!("M/D/1 at {utilisation}: share that waits"), &outcomes, share, utilisation);
    }
}
