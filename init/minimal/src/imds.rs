//! What EC2's metadata service says to init: the user data, and the time. Version 2 alone: a token
//! first, then the question
//! (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-v2-how-it-works.html>).

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::clock;
use crate::console::tame;
use crate::http::{Answer, Wire, request};

/// Where the service is, on every machine of EC2.
pub const ADDRESS: &str = "169.254.169.254:80";
const HOST: &str = "169.254.169.254";

const TOKEN_PATH: &str = "/latest/api/token";
const USER_DATA_PATH: &str = "/latest/user-data";

/// A token serves for one reading of the user data: seconds.
const TOKEN_LIFE: &str = "60";

/// Pauses between attempts.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LAST_PAUSE: Duration = Duration::from_secs(5);

/// What the service said.
#[derive(Debug, PartialEq, Eq)]
pub struct Said {
    /// The user data, empty where the machine was given none.
    pub user_data: String,
    /// The service's own time, to the second, if it tells it.
    pub time: Option<SystemTime>,
}

/// Why it said nothing.
#[derive(Debug, PartialEq, Eq)]
pub struct Silence(String);

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the EC2 metadata service at {HOST} {}", self.0)
    }
}

/// Asks once.
///
/// # Errors
/// When the service does not answer, or refuses.
pub fn ask(wire: &mut impl Wire) -> Result<Said, Silence> {
    let life = ("X-aws-ec2-metadata-token-ttl-seconds", TOKEN_LIFE);
    let bytes = exchange(wire, &request("PUT", TOKEN_PATH, HOST, life))?;
    let token = match Answer::parse(&bytes) {
        Some(Answer { status: 200, body, .. })
            if !body.is_empty() && body.iter().all(u8::is_ascii_graphic) =>
        {
            String::from_utf8_lossy(body).into_owned()
        }
        other => return Err(refused("gives no token", other)),
    };
    let token = ("X-aws-ec2-metadata-token", token.as_str());
    let bytes = exchange(wire, &request("GET", USER_DATA_PATH, HOST, token))?;
    match Answer::parse(&bytes) {
        Some(answer @ Answer { status: 200 | 404, .. }) => {
            let body = if answer.status == 200 { answer.body } else { &[] };
            let user_data = String::from_utf8_lossy(body).into_owned();
            Ok(Said { user_data, time: answer.header("date").and_then(clock::http_date) })
        }
        other => Err(refused("does not give the user data", other)),
    }
}

fn exchange(wire: &mut impl Wire, request: &[u8]) -> Result<Vec<u8>, Silence> {
    let no_answer = |error: std::io::Error| {
        // The system's words for an expired time-out are of no help.
        let why = match error.kind() {
            std::io::ErrorKind::WouldBlock => "timed out".to_owned(),
            _ => tame(&error.to_string()),
        };
        Silence(format!("does not answer ({why})"))
    };
    wire.exchange(request).map_err(no_answer)
}

fn refused(what: &str, answer: Option<Answer<'_>>) -> Silence {
    Silence(match answer {
        Some(answer) => format!("{what} (HTTP {})", answer.status),
        None => format!("{what} (no complete answer)"),
    })
}

/// Pauses between attempts that fail: short at first, for ever in the end.
pub struct Pauses(Duration);

impl Pauses {
    /// From the shortest on.
    pub fn from_the_shortest() -> Pauses {
        Pauses(FIRST_PAUSE)
    }

    /// The next one.
    pub fn take(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(LAST_PAUSE);
        pause
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::io;

    use super::*;

    /// A service that answers what the test wrote down, and remembers what it was asked.
    struct Script(VecDeque<Option<String>>, Vec<String>);

    impl Wire for Script {
        fn exchange(&mut self, request: &[u8]) -> io::Result<Vec<u8>> {
            self.1.push(String::from_utf8(request.to_vec()).unwrap());
            match self.0.pop_front().expect("a question that was not foreseen") {
                Some(answer) => Ok(answer.into_bytes()),
                None => Err(io::ErrorKind::ConnectionRefused.into()),
            }
        }
    }

    fn says(status: u16, body: &str) -> Option<String> {
        let length = body.len();
        let date = "Date: Tue, 24 Nov 2026 06:00:00 GMT";
        Some(format!("HTTP/1.1 {status} X\r\n{date}\r\nContent-Length: {length}\r\n\r\n{body}"))
    }

    fn asked<const N: usize>(answers: [Option<String>; N]) -> (Result<Said, Silence>, Vec<String>) {
        let mut script = Script(answers.into(), Vec::new());
        (ask(&mut script), script.1)
    }

    #[test]
    fn the_user_data_is_asked_for_with_a_token_and_the_time_comes_with_it() {
        let (said, requests) = asked([says(200, "to-ken=="), says(200, "SHARER_JOBS=2\n")]);
        let said = said.unwrap();
        assert_eq!(said.user_data, "SHARER_JOBS=2\n");
        assert_eq!(said.time, Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_500_000)));
        assert!(requests[0].starts_with("PUT /latest/api/token HTTP/1.1\r\n"));
        assert!(requests[0].contains("\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n"));
        assert!(requests[1].starts_with("GET /latest/user-data HTTP/1.1\r\n"));
        assert!(requests[1].contains("\r\nX-aws-ec2-metadata-token: to-ken==\r\n"));
    }

    #[test]
    fn a_machine_without_user_data_has_no_settings() {
        assert_eq!(asked([says(200, "t"), says(404, "<html>")]).0.unwrap().user_data, "");
    }

    #[test]
    fn no_answer_no_token_and_a_refusal_are_told_apart() {
        let why = |answers: [Option<String>; 2]| asked(answers).0.unwrap_err().to_string();
        assert!(why([None, None]).contains("does not answer (connection refused)"));
        assert!(why([says(403, ""), None]).contains("gives no token (HTTP 403)"));
        assert!(why([says(200, "to ken"), None]).contains("gives no token"));
        assert!(why([says(200, "t"), says(401, "")]).contains("does not give the user data (HTTP 401)"));
        assert!(why([says(200, "t"), Some("HTTP/1.1 200".into())]).contains("no complete answer"));
    }

    #[test]
    fn attempts_become_rarer_and_never_end() {
        let mut pauses = Pauses::from_the_shortest();
        let all: Vec<_> = (0..50).map(|_| pauses.take()).collect();
        assert_eq!((all[0], all[1], all[49]), (FIRST_PAUSE, FIRST_PAUSE * 2, LAST_PAUSE));
    }
}
