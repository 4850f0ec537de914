//! `GET /i/<id>.json?wait=N`: an upload's state for programs, held back until there is news.
//!
//! The server asks the store again and again; it never asks a worker. As many answers as
//! [`super::Config::max_waits`] are held back at once: each has a connection's thread.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::links::Here;
use super::progress::{Part, Progress, State, Watch};
use super::upload::Urls;
use super::{Site, problem::Problem, query};
use crate::door::{Answer, Head};
use crate::key::Id;
use crate::observe::time::rfc3339;
use crate::record::Failed;
use crate::ticket::{self, Ticket};

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
    /// Names of the objects that are there.
    ready: Vec<&'static str>,
    urls: Urls,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a Failed>,
}

/// Counts the answers that are held back.
#[derive(Debug)]
pub struct Waits {
    free: AtomicUsize,
}

/// A place to wait in; given back when it is dropped, in unwinding too.
struct Place<'a>(&'a Waits);

impl Waits {
    /// Room for so many.
    pub fn new(most: usize) -> Waits {
        Waits { free: AtomicUsize::new(most) }
    }

    fn take(&self) -> Option<Place<'_>> {
        // Only the count matters, no other memory is published by it: relaxed order is enough.
        let one_less = |free: usize| free.checked_sub(1);
        self.free.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).ok().map(|_| Place(self))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.free.fetch_add(1, Ordering::Relaxed);
    }
}

/// What a client waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wish {
    /// For at most how long.
    time: Duration,
    /// For more objects than so many, or for the last state.
    known: usize,
}

impl Wish {
    /// In whole seconds; none, and until all is ready, where the query has no numbers.
    fn read(query: &str) -> Wish {
        let number = |name| query::get(query, name).and_then(|text| text.parse().ok());
        let seconds = number("wait").unwrap_or(0);
        let known = number("known").map_or(usize::MAX, |known| known as usize);
        Wish { time: Duration::from_secs(seconds).min(MAX_WAIT), known }
    }

    fn is_met(&self, seen: &Seen) -> bool {
        match seen {
            Seen::Announced(ticket) => ticket.failed.is_some(),
            Seen::Here(progress) => progress.state != State::Pending || progress.ready().count() > self.known,
        }
    }
}

/// What is seen of an upload.
enum Seen {
    /// It is to arrive straight in the store, and is not published yet.
    Announced(Ticket),
    /// It is here.
    Here(Progress),
}

impl Seen {
    fn look(watch: &mut Watch<'_>, site: &Site, id: &Id) -> Result<Seen, Problem> {
        match watch.look() {
            Err(Problem::NotFound) => match ticket::read(&*site.rooms.store, id)? {
                Some(ticket) => Ok(Seen::Announced(ticket)),
                None => Err(Problem::NotFound),
            },
            other => other.map(Seen::Here),
        }
    }

    fn status<'a>(&'a self, id: &'a Id, here: &Here) -> Status<'a> {
        let (state, error) = match self {
            Seen::Announced(Ticket { failed: Some(failed), .. }) => ("failed", Some(failed)),
            Seen::Announced(_) => ("pending", None),
            Seen::Here(progress) => match &progress.state {
                State::Pending => ("pending", None),
                State::Ready => ("ready", None),
                State::Failed(failed) => ("failed", Some(failed)),
            },
        };
        let (ready, urls, expires) = match self {
            Seen::Announced(ticket) => (Vec::new(), Urls::announced(id, ticket.format, here), ticket.expires),
            Seen::Here(progress) => {
                let ready = progress.ready().map(|part: &Part| part.name).collect();
                (ready, progress.urls(here), progress.record.expires)
            }
        };
        Status { id, state, ready, urls, expires: expires.map(rfc3339), error }
    }
}

/// Answers with an upload's state.
///
/// # Errors
/// If it is not there (any more), or the store fails.
pub fn answer(site: &Site, head: &Head, id: &Id) -> Result<Answer, Problem> {
    let here = site.config.links.here(head)?;
    let seen = wait(site, id, Wish::read(&head.query))?;
    let status = seen.status(id, &here);
    // A struct of strings always serialises.
    let json = serde_json::to_string(&status).expect("a status is plain data");
    Ok(Answer::new(200, "application/json", json))
}

/// Looks until the wish is met, its time is over, or the server is ending. Where too many wait
/// already, one look is all.
fn wait(site: &Site, id: &Id, wish: Wish) -> Result<Seen, Problem> {
    let mut watch = Watch::new(&*site.rooms.store, id);
    let first = Seen::look(&mut watch, site, id)?;
    if wish.time.is_zero() || wish.is_met(&first) {
        return Ok(first);
    }
    let Some(_place) = site.waits.take() else { return Ok(first) };
    let deadline = Instant::now() + wish.time;
    let mut pause = FIRST_PAUSE;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let ending = site.rooms.stop.sleep(pause.min(left));
        let seen = Seen::look(&mut watch, site, id)?;
        if ending || left <= pause || wish.is_met(&seen) {
            return Ok(seen);
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
            let wish = Wish { time: Duration::from_secs(seconds), known: usize::MAX };
            assert_eq!(Wish::read(query), wish, "{query}");
        }
        assert_eq!(Wish::read("known=2&wait=1").known, 2);
    }

    #[test]
    fn so_many_wait_and_no_more() {
        let waits = Waits::new(1);
        let place = waits.take().unwrap();
        assert!(waits.take().is_none());
        drop(place);
        assert!(waits.take().is_some());
    }
}
