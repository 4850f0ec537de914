//! Runs many simulations on all processors, in an order of their own, and gives their outcomes in the order
//! in which they were asked for. Shows how far it is on standard error.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::outcome::Outcome;
use crate::policy::Policy;
use crate::simulate::{Scenario, simulate};

/// Some runs of one policy through one scenario.
#[derive(Clone, Debug)]
pub struct Task {
    /// What is looked at.
    pub scenario: Scenario,
    /// Who scales.
    pub policy: Policy,
    /// With seeds 1 to this.
    pub runs: u64,
}

/// Runs all tasks; each outcome is a task's runs, pooled.
pub fn run(tasks: &[Task], seed: u64) -> Vec<Outcome> {
    let single: Vec<(usize, u64)> =
        tasks.iter().enumerate().flat_map(|(task, of)| (0..of.runs).map(move |run| (task, run))).collect();
    let outcomes: Vec<Mutex<Option<Outcome>>> = single.iter().map(|_| Mutex::new(None)).collect();
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let (Some(&(task, run)), Some(place)) = (single.get(number), outcomes.get(number)) else { break };
            let outcome = simulate(&tasks[task].scenario, &tasks[task].policy, seed + run);
            *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, single.len());
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));

    let mut runs = outcomes
        .into_iter()
        .map(|outcome| outcome.into_inner().unwrap_or_else(PoisonError::into_inner).unwrap_or_default());
    tasks
        .iter()
        .map(|task| Outcome::pooled(&runs.by_ref().take(task.runs as usize).collect::<Vec<_>>()))
        .collect()
}

fn progress(done: usize, all: usize) {
    let mut stderr = std::io::stderr();
    // A line that is written over on a terminal; a line for every tenth in a log.
    let _ = if stderr.is_terminal() {
        write!(stderr, "\r{done} of {all} simulations{}", if done == all { "\n" } else { "" })
    } else if done * 10 / all != (done - 1) * 10 / all {
        writeln!(stderr, "{done} of {all} simulations")
    } else {
        Ok(())
    };
}
