//! What must hold of every simulation of the fleet, and what SLA.md promises by it.

use capacity::catalogue::{self, Curve};
use capacity::outcome::Outcome;
use capacity::recommended;
use capacity::simulate::simulate;
use capacity::work::{self, Work};

fn curve(name: &str) -> Curve {
    let work = Work::measured(&std::fs::read_to_string(work::PERFORMANCE).unwrap()).unwrap();
    catalogue::curves(&work).into_iter().find(|curve| curve.name == name).unwrap()
}

fn recommended_in(name: &str, seed: u64) -> (Curve, Outcome) {
    let curve = curve(name);
    let outcome = simulate(&curve.scenario, &catalogue::recommended(), seed);
    (curve, outcome)
}

#[test]
fn the_same_seed_gives_the_same_figures() {
    let curve = curve("surge");
    // Of each kind one: no rules, tracking, steps by number and by percent, a warm pool.
    for number in [0, 1, 2, 8, 9] {
        let policy = &catalogue::policies()[number];
        let [first, again, other] = [7, 7, 8].map(|seed| simulate(&curve.scenario, policy, seed));
        assert!(first == again, "{}", policy.name);
        assert!(first != other, "{}", policy.name);
    }
}

#[test]
fn every_policy_sees_the_same_uploads() {
    let curve = curve("surge");
    let uploads: Vec<Vec<u32>> = catalogue::policies()[7..10]
        .iter()
        .map(|policy| simulate(&curve.scenario, policy, 3).waits.iter().map(|wait| wait.at).collect())
        .collect();
    assert!(uploads.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn as_many_uploads_come_as_the_curve_says() {
    let (_, outcome) = recommended_in("surge", 1);
    // A minute that rises from 20/s to 200/s, and nine at 200/s.
    let expected = 60.0 * 110.0 + 540.0 * 200.0;
    assert!((outcome.images as f64 - expected).abs() < 4.0 * f64::sqrt(expected), "{}", outcome.images);
}

#[test]
fn no_image_is_lost_when_machines_are_reclaimed_or_die() {
    for name in ["reclaim", "kill"] {
        let (curve, outcome) = recommended_in(name, 1);
        // A dead machine's messages are invisible for up to a minute.
        let last = (curve.scenario.until.0 / 1000) as u32 - 65_000;
        let end = curve.scenario.until.as_seconds();
        let late = outcome
            .waits
            .iter()
            .filter(|wait| wait.at < last && f64::from(wait.seconds) + f64::from(wait.at) / 1e3 > end - 0.01);
        assert_eq!(late.count(), 0, "{name}");
    }
}

#[test]
fn a_minute_with_ten_times_as_many_uploads_keeps_the_promise() {
    for seed in 1..=3 {
        let (_, outcome) = recommended_in("surge", seed);
        assert!(outcome.worst_minute() <= 10.0, "seed {seed}: {}", outcome.worst_minute());
    }
}

#[test]
fn what_is_recommended_is_what_was_simulated() {
    assert_eq!(std::fs::read_to_string(recommended::FILE).unwrap(), recommended::json());
}
