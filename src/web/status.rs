//! `GET /i/<id>.json?wait=N`: an upload's state for programs, held back until all is ready.
//!
//! The server asks the store again and again; it never asks a worker.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::progress::{Progress, State, Watch};
use super::upload::Urls;
use super::{Site, problem::Problem, query};
use crate::door::{Answer, Head};
use crate::key::Id;
use crate::record::Failed;

/// Longest wait of one request.
const MAX_WAIT: Duration = Duration::from_secs(20);

/// Time between the first two looks; each later pause is half as long again.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Longest time between two looks.
const MAX_PAUSE: Duration = Duration::from_secs(1);

#[derive(Serialize)]
struct Status<'a> {
    id: &'a Id,
    state: &'static str,
    urls: Urls,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a Failed>,
}

/// Answers with an upload's state.
///
/// # Errors
/// If it is not there (any more), or the store fails.
pub fn answer(site: &Site, head: &Head, id: &Id) -> Result<Answer, Problem> {
    let here = site.config.links.here(head)?;
    let progress = wait(site, id, read_wait(&head.query))?;
    let (state, error) = match &progress.state {
        State::Pending => ("pending", None),
        State::Ready => ("ready", None),
        State::Failed(failed) => ("failed", Some(failed)),
    };
    let status = Status { id, state, urls: progress.urls(&here), error };
    // A struct of strings always serialises.
    let json = serde_json::to_string(&status).expect("a status is plain data");
    Ok(Answer::new(200, "application/json", json))
}

/// The wait that a query asks for, in whole seconds; none if it is no number.
fn read_wait(query: &str) -> Duration {
    let seconds = query::get(query, "wait").and_then(|wait| wait.parse().ok()).unwrap_or(0);
    Duration::from_secs(seconds).min(MAX_WAIT)
}

/// Looks until the upload is no longer pending, `wait` is over, or the server is ending.
fn wait(site: &Site, id: &Id, wait: Duration) -> Result<Progress, Problem> {
    let deadline = Instant::now() + wait;
    let mut watch = Watch::new(&*site.rooms.store, id);
    let mut pause = FIRST_PAUSE;
    loop {
        let progress = watch.look()?;
        let left = deadline.saturating_duration_since(Instant::now());
        let over = left.is_zero() || progress.state != State::Pending;
        if over || site.rooms.stop.sleep(pause.min(left)) {
            return Ok(progress);
        }
        pause = (pause * 3 / 2).min(MAX_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_whole_seconds_up_to_twenty() {
        for (query, seconds) in
            [("", 0), ("wait=3", 3), ("wait=999", 20), ("wait=-1", 0), ("wait=x", 0), ("wait", 0)]
        {
            assert_eq!(read_wait(query), Duration::from_secs(seconds), "{query}");
        }
    }
}
