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
mod tests {
    use super::*;
    use crate::aws::testing::{ManualClock, Script, answer, at};

    const ENDPOINT: &str = "http://imds.test";

    fn imds(script: &Arc<Script>) -> (Imds, Arc<ManualClock>) {
        let clock = ManualClock::at(at(1_500_000_000));
        (Imds::new(ENDPOINT, script.clone(), clock.clone()), clock)
    }

    fn role(code: &str) -> String {
        format!(
            r#"{{"Code":"{code}","Type":"AWS-HMAC","AccessKeyId":"ASIA1","SecretAccessKey":"hush",
                "Token":"tok","Expiration":"2017-07-14T08:40:00Z"}}"#
        )
    }

    #[test]
    fn role_credentials_are_fetched_with_a_session_token() {
        let script = Script::of([
            answer(200, &[("x-aws-ec2-metadata-token-ttl-seconds", "21600")], "TOKEN"),
            answer(200, &[], "worker\n"),
            answer(200, &[], &role("Success")),
        ]);
        let credentials = imds(&script).0.role_credentials().unwrap();
        assert_eq!((credentials.access_key(), credentials.token()), ("ASIA1", Some("tok")));
        assert_eq!(credentials.expires(), Some(at(1_500_021_600)));
        assert!(!format!("{credentials:?}").contains("hush") && !format!("{credentials:?}").contains("tok"));
        let seen = script.seen();
        assert_eq!(seen[0].line, "PUT http://imds.test/latest/api/token");
        assert_eq!(seen[0].header("x-aws-ec2-metadata-token-ttl-seconds"), Some("21600"));
        assert_eq!(seen[2].line, "GET http://imds.test/latest/meta-data/iam/security-credentials/worker");
        assert!(seen[1..].iter().all(|r| r.header("x-aws-ec2-metadata-token") == Some("TOKEN")));
    }

    #[test]
    fn a_token_is_kept_until_near_its_end() {
        let region = || answer(200, &[], "eu-west-1");
        let token = |value| answer(200, &[("x-aws-ec2-metadata-token-ttl-seconds", "100")], value);
        let script = Script::of([token("A"), region(), region(), token("B"), region()]);
        let (imds, clock) = imds(&script);
        for seconds in [0, 39, 2] {
            clock.advance(Duration::from_secs(seconds));
            assert_eq!(imds.region(), Ok(Some("eu-west-1".to_owned())));
        }
    }

    #[test]
    fn a_token_that_is_refused_is_replaced_once() {
        let refused = || answer(401, &[], "");
        let script = Script::of([
            answer(200, &[], "A"),
            refused(),
            answer(200, &[], "B"),
            answer(200, &[], "eu-west-1"),
        ]);
        assert_eq!(imds(&script).0.region(), Ok(Some("eu-west-1".to_owned())));
        assert_eq!(script.seen()[3].header("x-aws-ec2-metadata-token"), Some("B"));
        let script = Script::of([answer(200, &[], "A"), refused(), answer(200, &[], "B"), refused()]);
        assert!(matches!(imds(&script).0.region(), Err(Error::Refused(_))));
    }

    #[test]
    fn silence_is_tried_four_times_and_then_explained() {
        let silence = || Err(Failure::TimedOut("time-out: receive response".to_owned()));
        let script = Script::of([silence(), silence(), silence(), silence()]);
        let error = imds(&script).0.role_credentials().unwrap_err();
        assert!(error.to_string().contains("HttpPutResponseHopLimit"), "{error}");
        assert_eq!(script.seen().len(), 4);
    }

    #[test]
    fn what_is_not_there_is_told_apart() {
        let script = Script::of([answer(200, &[], "A"), answer(404, &[], "")]);
        let error = imds(&script).0.role_credentials().unwrap_err();
        assert!(error.to_string().contains("no IAM role"), "{error}");
        let script = Script::of([answer(403, &[], "")]);
        let error = imds(&script).0.region().unwrap_err();
        assert!(error.to_string().contains("switched off"), "{error}");
    }

    #[test]
    fn credentials_that_are_none_are_refused_without_repeating_them() {
        for (json, why) in [(role("Failed"), "Failed"), ("{\"Code\":\"hush".to_owned(), "form")] {
            let script = Script::of([answer(200, &[], "A"), answer(200, &[], "r"), answer(200, &[], &json)]);
            let error = imds(&script).0.role_credentials().unwrap_err().to_string();
            assert!(error.contains(why) && !error.contains("hush"), "{error}");
        }
    }

    #[test]
    fn a_spot_notice_is_read() {
        let notice = r#"{"action": "terminate", "time": "2017-07-14T02:42:00Z"}"#;
        let script = Script::of([answer(200, &[], "A"), answer(404, &[], ""), answer(200, &[], notice)]);
        let (imds, _) = imds(&script);
        assert_eq!(imds.spot_notice(), Ok(None));
        let expected = SpotNotice { action: "terminate".to_owned(), time: at(1_500_000_120) };
        assert_eq!(imds.spot_notice(), Ok(Some(expected)));
    }

    #[test]
    fn the_environment_says_where_it_is_and_whether() {
        let endpoint = |environment: Environment| {
            Imds::from_environment(&environment, Script::of([]), ManualClock::at(at(0)))
                .map(|imds| imds.map(|imds| imds.endpoint))
        };
        let mode = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE";
        let there = |url: &str| Some(url.to_owned());
        assert_eq!(endpoint(Environment::from([])).unwrap(), there("http://169.254.169.254"));
        assert_eq!(endpoint(Environment::from([(mode, "IPv6")])).unwrap(), there("http://[fd00:ec2::254]"));
        let url = [("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1338/")];
        assert_eq!(endpoint(url.into()).unwrap(), there("http://127.0.0.1:1338"));
        assert_eq!(endpoint([("AWS_EC2_METADATA_DISABLED", "TRUE")].into()).unwrap(), None);
        assert!(endpoint([(mode, "IPX")].into()).is_err());
    }
}
