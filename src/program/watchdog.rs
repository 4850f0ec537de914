//! Ends the program when its worker can't be helped any more: a thread that never comes back holds
//! memory and a processor until its process is gone. What that is, the worker says; to start a new
//! process is the supervisor's part.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use log::error;

use crate::stop::Stop;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);

/// How long after the drain's own deadline the process is ended whatever still runs.
const AFTER_DRAIN: Duration = Duration::from_secs(5);

/// Looks at the worker until it is dropped.
pub struct Watchdog {
    found: Arc<OnceLock<&'static str>>,
    over: Stop,
}

/// Watches: as soon as `stuck` names something, it is logged and `stop` is raised, so that all else is
/// finished as at any other stop, within `drain`. A process that has not ended soon after is ended.
///
/// # Errors
/// When the system has no thread to give.
pub fn watch(
    stuck: impl Fn() -> Option<&'static str> + Send + 'static,
    stop: &Stop,
    drain: Duration,
) -> Result<Watchdog, String> {
    let watchdog = Watchdog { found: Arc::default(), over: Stop::new() };
    let (found, over, stop) = (Arc::clone(&watchdog.found), watchdog.over.clone(), stop.clone());
    let run = move || {
        while !stop.sleep(LOOK) {
            let Some(what) = stuck() else { continue };
            error!(what; "stuck: finishing all else and ending, to be started anew by the supervisor");
            // Set once, here.
            let _ = found.set(what);
            stop.set();
            if !over.sleep(drain + AFTER_DRAIN) {
                error!(what; "the end is stuck too: ending at once");
                std::process::exit(1);
            }
        }
    };
    let thread = std::thread::Builder::new().name("watchdog".to_owned()).spawn(run);
    thread.map(|_| watchdog).map_err(|e| format!("no thread to watch the worker: {e}"))
}

impl Watchdog {
    /// Once all is drained: whether the end was wanted.
    ///
    /// # Errors
    /// What was stuck.
    pub fn verdict(self) -> Result<(), String> {
        match self.found.get() {
            None => Ok(()),
            Some(what) => Err(format!("ended because {what}; a supervisor starts it anew")),
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.over.set();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stuck_stops_the_program_and_is_its_verdict() {
        let stop = Stop::new();
        let watchdog = watch(|| Some("a test stands still"), &stop, Duration::from_secs(600)).unwrap();
        stop.wait();
        assert!(watchdog.verdict().unwrap_err().contains("a test stands still"));
    }

    #[test]
    fn a_stop_from_outside_is_well() {
        let stop = Stop::new();
        let watchdog = watch(|| None, &stop, Duration::ZERO).unwrap();
        stop.set();
        watchdog.verdict().unwrap();
    }
}
