//! One call to a service: sign, send, judge; and again where that may help.
//!
//! Each attempt is signed anew, so that none carries an old time. Two refusals are mended, once
//! each a call: expired credentials are replaced, and a clock that is off is set by the server's.

use std::sync::Arc;
use std::time::{Duration, Instant};

use log::{debug, warn};

use super::clock::{Clock, Skewed};
use super::credentials::{Cached, Credentials};
use super::date;
use super::error::{Error, Refusal};
use super::request::{Answer, Method, Request, Response};
use super::retry::{Budget, Kind, MAX_ATTEMPTS, Taken};
use super::sign::{self, Scope, Style};
use super::transport::{Failure, Limits, Transport};
use super::xml;

/// What all services share.
#[derive(Clone)]
pub struct Parts {
    /// Carries requests.
    pub transport: Arc<dyn Transport>,
    /// Who we are.
    pub credentials: Arc<Cached>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// A number that is uniform over all of `u32`, for the pauses between attempts.
    pub chance: fn() -> u32,
}

/// A service in a region, with a budget of retries of its own.
pub struct Client {
    parts: Parts,
    time: Skewed,
    budget: Budget,
    service: &'static str,
    style: Style,
    region: String,
}

/// How long a call may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// All its attempts together.
    pub deadline: Duration,
    /// One attempt.
    pub limits: Limits,
}

impl Patience {
    /// For calls that a service answers at once: `deadline` in all, answers of at most `body` bytes.
    pub const fn brief(deadline: Duration, body: u64) -> Patience {
        let limits = Limits {
            connect: Duration::from_millis(3100),
            answer: Duration::from_secs(10),
            stall: Duration::from_secs(10),
            attempt: deadline,
            body,
        };
        Patience { deadline, limits }
    }
}

/// One call's attempts so far.
struct Attempts {
    started: Instant,
    made: u32,
    taken: Taken,
    /// The request may have been carried out.
    doubt: bool,
    refreshed: bool,
    adjusted: bool,
}

impl Client {
    /// The service that is called `service` in signatures.
    pub fn new(parts: Parts, service: &'static str, style: Style, region: &str) -> Client {
        let time = Skewed::new(Arc::clone(&parts.clock));
        Client { parts, time, budget: Budget::default(), service, style, region: region.to_owned() }
    }

    /// The region that it signs for.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Sends `request` until it is answered for good; returns an answer of success.
    ///
    /// # Errors
    /// The service's refusal, or what kept it from answering in time.
    pub fn call(&self, request: &Request<'_>, patience: &Patience) -> Result<Response, Error> {
        let started = self.parts.clock.instant();
        let mut attempts = Attempts {
            started,
            made: 0,
            taken: Taken::default(),
            doubt: false,
            refreshed: false,
            adjusted: false,
        };
        loop {
            let credentials = self.parts.credentials.get()?;
            let answer = self.attempt(request, &credentials, patience, &mut attempts)?;
            let (kind, error) = match answer {
                Ok(response) => {
                    let Some(refusal) = refusal(request, &response) else {
                        self.budget.succeeded(&attempts.taken);
                        return Ok(response);
                    };
                    if self.mend(request.method, &refusal, &response, &credentials, &mut attempts) {
                        continue;
                    }
                    let refusal = Refusal { after_doubt: attempts.doubt, ..refusal };
                    attempts.doubt |= refusal.status >= 500;
                    (Kind::of_refusal(&refusal), Error::Refused(refusal))
                }
                Err(failure) => {
                    attempts.doubt |= failure.leaves_doubt();
                    (Kind::of_failure(&failure), self.gave_up(&request.url, failure, &attempts))
                }
            };
            self.pause(kind, error, patience, &mut attempts)?;
        }
    }

    /// A URL by which whoever has it can make `request`, and for how long: `longest` (whole seconds), or
    /// until our credentials end. Nothing is sent.
    ///
    /// # Errors
    /// When there are no credentials that are still good, or the request can't be signed.
    pub fn presign(&self, request: &Request<'_>, longest: Duration) -> Result<(String, Duration), Error> {
        let (credentials, now) = (self.parts.credentials.get()?, self.time.now());
        let left = credentials.expires().map(|end| end.duration_since(now).unwrap_or_default());
        let lifetime = Duration::from_secs(left.map_or(longest, |left| left.min(longest)).as_secs());
        if lifetime.is_zero() {
            let why = "the credentials have ended and could not be replaced; look after where they come from";
            return Err(Error::Credentials(why.to_owned()));
        }
        let scope = Scope { service: self.service, region: &self.region, style: self.style };
        Ok((sign::presign(request, scope, &credentials, now, lifetime)?, lifetime))
    }

    fn attempt(
        &self,
        request: &Request<'_>,
        credentials: &Credentials,
        patience: &Patience,
        attempts: &mut Attempts,
    ) -> Result<Result<Response, Failure>, Error> {
        attempts.made += 1;
        let scope = Scope { service: self.service, region: &self.region, style: self.style };
        let signed = sign::sign(request, scope, credentials, self.time.now())?;
        let left = patience.deadline.saturating_sub(self.elapsed(attempts));
        let limits = Limits { attempt: patience.limits.attempt.min(left), ..patience.limits };
        Ok(self.parts.transport.send(request, &signed, &limits))
    }

    /// Sets right what a refusal complains of; says whether there is now a point in trying again.
    fn mend(
        &self,
        method: Method,
        refusal: &Refusal,
        response: &Response,
        credentials: &Credentials,
        attempts: &mut Attempts,
    ) -> bool {
        if !attempts.refreshed && credentials.token().is_some() && says_expired(method, refusal) {
            attempts.refreshed = true;
            self.parts.credentials.reject(credentials);
            debug!(service = self.service, code = refusal.code; "credentials have expired");
            return true;
        }
        // Which of its codes a service uses for a wrong time differs; the times themselves decide.
        let server = response.header("date").and_then(date::http);
        let about_time = refusal.is_about_identity() || refusal.code.starts_with("Request");
        if let (false, true, Some(server)) = (attempts.adjusted, about_time, server) {
            attempts.adjusted = self.time.adopt(server);
            if attempts.adjusted {
                warn!(service = self.service; "this machine's clock is minutes off; the service's time is used to sign");
            }
            return attempts.adjusted;
        }
        false
    }

    /// Lets time pass before another attempt, or says why there is none.
    fn pause(
        &self,
        kind: Kind,
        error: Error,
        patience: &Patience,
        attempts: &mut Attempts,
    ) -> Result<(), Error> {
        if kind == Kind::Final || attempts.made >= MAX_ATTEMPTS {
            return Err(error);
        }
        let pause = kind.pause(attempts.made + 1, (self.parts.chance)());
        let in_time = self.elapsed(attempts) + pause < patience.deadline;
        if !in_time || !self.budget.take(kind, &mut attempts.taken) {
            return Err(error);
        }
        debug!(service = self.service, attempt = attempts.made, error:%; "tried again");
        self.parts.clock.sleep(pause);
        Ok(())
    }

    fn gave_up(&self, url: &str, failure: Failure, attempts: &Attempts) -> Error {
        match failure {
            Failure::TooLarge { limit } => Error::TooLarge { limit },
            Failure::Content(error) => Error::Content(error.to_string()),
            Failure::Malformed(why) => Error::Unexpected(why),
            other => Error::Unreachable {
                cause: format!("{}: {other}", host(url)),
                attempts: attempts.made,
                elapsed: self.elapsed(attempts),
            },
        }
    }

    fn elapsed(&self, attempts: &Attempts) -> Duration {
        self.parts.clock.instant().saturating_duration_since(attempts.started)
    }
}

/// What an answer refuses; `None` for success. S3 can answer 200 and then change its mind, in the body.
fn refusal(request: &Request<'_>, response: &Response) -> Option<Refusal> {
    let document = request.answer == Answer::Document && response.body.trim_ascii_start().starts_with(b"<");
    let mind_changed = match document.then(|| xml::parse(&response.body)) {
        Some(Ok(root)) => root.name == "Error",
        Some(Err(_)) => true,
        None => false,
    };
    if response.is_success() && !mind_changed {
        return None;
    }
    let refusal = Refusal::read(request.method, response);
    // After a 200, whatever it is, it is the service that failed.
    let status = if response.is_success() { 500 } else { refusal.status };
    Some(Refusal { status, ..refusal })
}

/// Scheme, host and port of a URL.
fn host(url: &str) -> &str {
    let start = url.find("://").map_or(0, |scheme| scheme + 3);
    url[start..].find('/').map_or(url, |length| &url[..start + length])
}

/// Whether a refusal may be due to expired credentials. An answer to HEAD has a status alone.
fn says_expired(method: Method, refusal: &Refusal) -> bool {
    matches!(refusal.code.as_str(), "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired")
        || (method == Method::Head && refusal.status == 400)
}

#[cfg(test)]
mod tests;
