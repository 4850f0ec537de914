//! The EC2 machine's own metadata service, version 2 alone: role credentials, region, spot notice.
//!
//! A session token is fetched first (PUT) and shown with each request; version 1, which answers
//! anyone who can make this machine send a GET, is never used.
//! (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-v2-how-it-works.html>)

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use serde::Deserialize;

use super::clock::Clock;
use super::credentials::Credentials;
use super::date;
use super::environment::Environment;
use super::request::{Answer, Method, Payload, Request, Response};
use super::transport::{Failure, Limits, Transport};

/// How long a session token is asked to be good for, in seconds: the longest there is.
const TOKEN_TTL: u64 = 21_600;

/// A token is replaced this long before its end.
const TOKEN_MARGIN: Duration = Duration::from_secs(60);

/// Attempts of one request.
const TRIES: u32 = 4;

/// The service is on this very machine: what takes longer is not there.
const LIMITS: Limits = Limits {
    connect: Duration::from_secs(1),
    answer: Duration::from_secs(1),
    stall: Duration::from_secs(1),
    attempt: Duration::from_secs(2),
    body: 64 * 1024,
};

/// Pause before another attempt, for an answer that says the service is busy.
const PAUSE: Duration = Duration::from_millis(100);

const TOKEN_PATH: &str = "/latest/api/token";
const ROLE_PATH: &str = "/latest/meta-data/iam/security-credentials/";
const REGION_PATH: &str = "/latest/meta-data/placement/region";
const SPOT_PATH: &str = "/latest/meta-data/spot/instance-action";
const LIFECYCLE_PATH: &str = "/latest/meta-data/autoscaling/target-lifecycle-state";

/// A client of the metadata service.
pub struct Imds {
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    endpoint: String,
    token: Mutex<Option<Token>>,
}

#[derive(Clone)]
struct Token {
    value: String,
    ends: SystemTime,
}

/// Why the metadata service gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// Nothing answers there: this is no EC2 machine, or a container that the answers don't reach.
    Unreachable(String),
    /// It answers, and not with what was asked for.
    Refused(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Unreachable(why) => write!(
                f,
                "the EC2 metadata service does not answer ({why}): this is no EC2 machine, or a container on \
                 one whose HttpPutResponseHopLimit is 1 (make it 2), or AWS_EC2_METADATA_SERVICE_ENDPOINT is wrong"
            ),
            Error::Refused(why) => write!(f, "the EC2 metadata service: {why}"),
        }
    }
}

impl std::error::Error for Error {}

/// Notice that this spot machine will be taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpotNotice {
    /// `terminate`, `stop` or `hibernate`.
    pub action: String,
    /// When.
    pub time: SystemTime,
}

impl Imds {
    /// As the environment says; `None` where `AWS_EC2_METADATA_DISABLED` is `true`.
    ///
    /// # Errors
    /// When the endpoint's mode is neither `IPv4` nor `IPv6`.
    pub fn from_environment(
        environment: &Environment,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<Imds>, super::Error> {
        if environment.is_true("AWS_EC2_METADATA_DISABLED") {
            return Ok(None);
        }
        let mode = environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE").unwrap_or("IPv4");
        let endpoint = match environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") {
            Some(url) => url.trim_end_matches('/'),
            None if mode.eq_ignore_ascii_case("ipv4") => "http://169.254.169.254",
            None if mode.eq_ignore_ascii_case("ipv6") => "http://[fd00:ec2::254]",
            None => {
                return Err(super::Error::Configuration(format!(
                    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE is {mode:?}: it may be IPv4 or IPv6"
                )));
            }
        };
        Ok(Some(Imds::new(endpoint, transport, clock)))
    }

    /// The service at `endpoint`, a URL without a slash at its end.
    pub fn new(endpoint: &str, transport: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Imds {
        Imds { transport, clock, endpoint: endpoint.to_owned(), token: Mutex::new(None) }
    }

    /// What is at `path`, as text; `None` where there is nothing (404).
    ///
    /// # Errors
    /// When the service does not answer or refuses.
    pub fn get(&self, path: &str) -> Result<Option<String>, Error> {
        let mut token = self.token()?;
        // A token that was taken back early is replaced once.
        for last in [false, true] {
            let response = self.ask(Method::Get, path, ("x-aws-ec2-metadata-token", token.value.clone()))?;
            match response.status {
                200 => return text(response).map(Some),
                404 => return Ok(None),
                401 if !last => {
                    self.forget(&token);
                    token = self.token()?;
                }
                status => return Err(Error::Refused(format!("{path}: HTTP {status}"))),
            }
        }
        Err(Error::Refused(format!("{path}: a new token is refused as well")))
    }

    /// The region that this machine is in.
    ///
    /// # Errors
    /// As [`Imds::get`].
    pub fn region(&self) -> Result<Option<String>, Error> {
        self.get(REGION_PATH)
    }

    /// The notice that this machine will be taken away, if there is one; the service asks to look
    /// every 5 seconds, and gives two minutes.
    ///
    /// # Errors
    /// As [`Imds::get`].
    pub fn spot_notice(&self) -> Result<Option<SpotNotice>, Error> {
        #[derive(Deserialize)]
        struct Notice {
            action: String,
            time: String,
        }
        let Some(json) = self.get(SPOT_PATH)? else { return Ok(None) };
        let notice: Notice =
            serde_json::from_str(&json).map_err(|e| Error::Refused(format!("{SPOT_PATH}: {e}")))?;
        let time = date::iso8601(&notice.time);
        // A notice with a time that can't be read is a notice all the same: from now on.
        Ok(Some(SpotNotice { action: notice.action, time: time.unwrap_or_else(|| self.clock.now()) }))
    }

    /// The state that Auto Scaling brings this machine into, or has brought it: `InService`, `Terminated`,
    /// `Warmed:Stopped` …; `None` where it is in no group.
    /// (<https://docs.aws.amazon.com/autoscaling/ec2/userguide/retrieving-target-lifecycle-state-through-imds.html>)
    ///
    /// # Errors
    /// As [`Imds::get`].
    pub fn target_lifecycle_state(&self) -> Result<Option<String>, Error> {
        self.get(LIFECYCLE_PATH)
    }

    /// The credentials of the role that is attached to this machine.
    ///
    /// # Errors
    /// As [`Imds::get`]; and when no role is attached.
    pub fn role_credentials(&self) -> Result<Credentials, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Role {
            code: String,
            #[serde(default)]
            access_key_id: String,
            #[serde(default)]
            secret_access_key: String,
            #[serde(default)]
            token: String,
            #[serde(default)]
            expiration: String,
        }
        let none = || Error::Refused("no IAM role is attached to this machine".to_owned());
        let roles = self.get(ROLE_PATH)?.ok_or_else(none)?;
        let role = roles.lines().next().map(str::trim).filter(|name| !name.is_empty()).ok_or_else(none)?;
        let json = self.get(&format!("{ROLE_PATH}{role}"))?.ok_or_else(none)?;
        let wrong = |why: &str| Error::Refused(format!("credentials of role {role}: {why}"));
        // The parser's own words could repeat a secret.
        let role_json: Role = serde_json::from_str(&json).map_err(|_| wrong("not of the documented form"))?;
        if role_json.code != "Success" {
            return Err(wrong(&role_json.code));
        }
        if role_json.access_key_id.is_empty() || role_json.secret_access_key.is_empty() {
            return Err(wrong("a key is missing"));
        }
        let expires = date::iso8601(&role_json.expiration).ok_or_else(|| wrong("no date of expiry"))?;
        Ok(Credentials::temporary(
            role_json.access_key_id,
            role_json.secret_access_key,
            role_json.token,
            Some(expires),
        ))
    }

    fn token(&self) -> Result<Token, Error> {
        let mut held = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        match &*held {
            Some(token) if now + TOKEN_MARGIN < token.ends => return Ok(token.clone()),
            _ => {}
        }
        let response = self.ask(
            Method::Put,
            TOKEN_PATH,
            ("x-aws-ec2-metadata-token-ttl-seconds", TOKEN_TTL.to_string()),
        )?;
        if response.status != 200 {
            let why = if response.status == 403 { ", it is switched off for this machine" } else { "" };
            return Err(Error::Refused(format!("no session token: HTTP {}{why}", response.status)));
        }
        let granted =
            response.header("x-aws-ec2-metadata-token-ttl-seconds").and_then(|ttl| ttl.parse().ok());
        let ends = now + Duration::from_secs(granted.unwrap_or(TOKEN_TTL).min(TOKEN_TTL));
        let value = text(response)?;
        if value.is_empty() || !value.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Error::Refused("a session token of another form than documented".to_owned()));
        }
        let token = Token { value, ends };
        *held = Some(token.clone());
        Ok(token)
    }

    fn forget(&self, token: &Token) {
        let mut held = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if held.as_ref().is_some_and(|held| held.value == token.value) {
            *held = None;
        }
    }

    fn ask(&self, method: Method, path: &str, header: (&'static str, String)) -> Result<Response, Error> {
        let request = Request {
            method,
            url: format!("{}{path}", self.endpoint),
            headers: vec![header],
            body: Payload::empty(),
            answer: Answer::Document,
        };
        let mut last = String::new();
        for attempt in 1..=TRIES {
            match self.transport.send(&request, &[], &LIMITS) {
                Ok(response) if response.status == 429 || response.status >= 500 => {
                    last = format!("HTTP {}", response.status);
                    if attempt < TRIES {
                        self.clock.sleep(PAUSE * attempt);
                    }
                }
                Ok(response) => return Ok(response),
                Err(Failure::Malformed(why)) => return Err(Error::Unreachable(why)),
                Err(failure) => last = failure.to_string(),
            }
        }
        Err(Error::Unreachable(last))
    }
}

fn text(response: Response) -> Result<String, Error> {
    let text = String::from_utf8(response.body)
        .map_err(|_| Error::Refused("an answer that is no text".to_owned()))?;
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests;
