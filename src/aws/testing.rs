//! What the tests of this room share: a clock that stands still, and recorded exchanges in the
//! place of the network.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::client::Parts;
use super::clock::Clock;
use super::credentials::{Cached, Credentials, Source};
use super::error::Error;
use super::request::{Request, Response};
use super::transport::{Failure, Limits, Transport};

/// A moment, in seconds since 1970.
pub fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// A clock that moves when it is told to, and when someone sleeps.
pub struct ManualClock {
    wall: SystemTime,
    start: Instant,
    passed: Mutex<Duration>,
}

impl ManualClock {
    pub fn at(wall: SystemTime) -> Arc<ManualClock> {
        Arc::new(ManualClock { wall, start: Instant::now(), passed: Mutex::default() })
    }

    pub fn advance(&self, time: Duration) {
        *self.passed.lock().unwrap() += time;
    }

    pub fn passed(&self) -> Duration {
        *self.passed.lock().unwrap()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        self.wall + self.passed()
    }

    fn instant(&self) -> Instant {
        self.start + self.passed()
    }

    fn sleep(&self, time: Duration) {
        self.advance(time);
    }
}

/// An answer.
pub fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Result<Response, Failure> {
    let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    Ok(Response { status, headers, body: body.into() })
}

/// A request that was sent.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Method and URL.
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub limits: Limits,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// Answers that are given one after the other; panics when there are no more.
pub struct Script {
    answers: Mutex<VecDeque<Result<Response, Failure>>>,
    seen: Mutex<Vec<Seen>>,
}

impl Script {
    pub fn of<const N: usize>(answers: [Result<Response, Failure>; N]) -> Arc<Script> {
        Arc::new(Script { answers: Mutex::new(answers.into()), seen: Mutex::default() })
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

impl Transport for Script {
    fn send(
        &self,
        request: &Request<'_>,
        extra: &[(String, String)],
        limits: &Limits,
    ) -> Result<Response, Failure> {
        let mut body = String::new();
        request.body.open().and_then(|mut open| open.read_to_string(&mut body)).map_err(Failure::Content)?;
        let own = request.headers.iter().map(|(n, v)| ((*n).to_owned(), v.clone()));
        let headers = own.chain(extra.iter().cloned()).collect();
        let line = format!("{} {}", request.method.as_str(), request.url);
        self.seen.lock().unwrap().push(Seen { line, headers, body, limits: *limits });
        self.answers.lock().unwrap().pop_front().expect("one more answer in the script")
    }
}

/// Credentials that are numbered by fetch.
pub struct Numbered(Mutex<u32>);

impl Source for Numbered {
    fn fetch(&self) -> Result<Option<Credentials>, Error> {
        let mut number = self.0.lock().unwrap();
        *number += 1;
        Ok(Some(Credentials::temporary(format!("AK{number}"), "secret", format!("token{number}"), None)))
    }

    fn name(&self) -> &'static str {
        "numbers"
    }
}

/// A client's parts over a script: the longest pauses, numbered credentials.
pub fn parts(script: &Arc<Script>, clock: &Arc<ManualClock>) -> Parts {
    let credentials = Cached::new(Box::new(Numbered(Mutex::new(0))), clock.clone());
    Parts {
        transport: script.clone(),
        credentials: Arc::new(credentials),
        clock: clock.clone(),
        chance: || u32::MAX,
    }
}
