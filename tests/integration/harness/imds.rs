//! The instance metadata service, version 2, of an EC2 machine with a role: what AWS documents of its tokens,
//! credentials, spot notices and the state that Auto Scaling wants. Its credentials are a peer's own; their expiry is what the test wants.

use std::collections::HashMap;
use std::io::BufReader;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use image_sharer::observe::time::{now_millis, rfc3339};
use serde_json::json;

use super::Keys;
use super::wire::{self, Framing, Message};

const ROLE: &str = "sharer-role";
const CREDENTIALS: &str = "/latest/meta-data/iam/security-credentials/";

/// The stand-in. It serves until the test process ends.
pub struct Imds {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

/// What it does instead of answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Away {
    /// It answers.
    No,
    /// It closes every connection at once.
    Closed,
    /// It answers 503.
    Unavailable,
}

/// How often it was asked, and what for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked {
    pub tokens: u32,
    pub roles: u32,
    pub credentials: u32,
    pub spot: u32,
    /// Requests that came with no token or with one that is over.
    pub refused: u32,
}

struct State {
    keys: Keys,
    lifetime: Duration,
    region: String,
    /// When each token ends.
    tokens: HashMap<String, Instant>,
    longest_token: Duration,
    interruption: Option<Duration>,
    lifecycle: &'static str,
    away: Away,
    asked: Asked,
}

impl Imds {
    /// Gives out these keys, to expire `lifetime` after each request for them.
    pub fn start(region: &str, keys: &Keys, lifetime: Duration) -> Imds {
        let state = State {
            keys: keys.clone(),
            lifetime,
            region: region.to_owned(),
            tokens: HashMap::new(),
            longest_token: Duration::from_secs(21_600),
            interruption: None,
            lifecycle: "InService",
            away: Away::No,
            asked: Asked::default(),
        };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        let address = wire::serve(move |socket| converse(socket, &shared));
        Imds { address, state }
    }

    /// What a program needs to find it, in the place of the switch that keeps programs from any.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_EC2_METADATA_DISABLED", "false".to_owned()),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", format!("http://{}", self.address)),
        ]
    }

    /// From now on it gives out these keys.
    pub fn rotate(&self, keys: &Keys, lifetime: Duration) {
        let mut state = self.lock();
        state.keys = keys.clone();
        state.lifetime = lifetime;
    }

    /// Announces that the machine will be taken away in so long.
    pub fn interrupt(&self, after: Duration) {
        self.lock().interruption = Some(after);
    }

    /// Auto Scaling takes the machine out of its group, and waits for it.
    pub fn take_out(&self) {
        self.lock().lifecycle = "Terminated";
    }

    pub fn set_away(&self, away: Away) {
        self.lock().away = away;
    }

    /// Ends all tokens, and lets no later one live longer than this.
    pub fn end_tokens(&self, longest: Duration) {
        let mut state = self.lock();
        state.tokens.clear();
        state.longest_token = longest;
    }

    pub fn asked(&self) -> Asked {
        self.lock().asked
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

fn converse(socket: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(&socket);
    while let Ok(Some(request)) = Message::read(&mut reader, Framing::Head) {
        let Some(answer) = state.lock().unwrap().answer(&request) else { return };
        if answer.write(&mut &socket).is_err() || request.closes() {
            return;
        }
    }
}

impl State {
    fn answer(&mut self, request: &Message) -> Option<Message> {
        match self.away {
            Away::Closed => return None,
            Away::Unavailable => return Some(refusal("503 Service Unavailable")),
            Away::No => {}
        }
        // A request that came over a proxy is refused: so AWS keeps open proxies from leaking credentials.
        if request.header("x-forwarded-for").is_some() {
            return Some(refusal("403 Forbidden"));
        }
        Some(match request.line() {
            ("PUT", "/latest/api/token") => self.token(request),
            ("GET", _) if !self.admits(request) => {
                self.asked.refused += 1;
                refusal("401 Unauthorized")
            }
            ("GET", target) => self.metadata(target),
            _ => refusal("405 Method Not Allowed"),
        })
    }

    fn token(&mut self, request: &Message) -> Message {
        self.asked.tokens += 1;
        let ttl = request.header("x-aws-ec2-metadata-token-ttl-seconds").and_then(|ttl| ttl.parse().ok());
        let Some(ttl @ 1..=21_600u64) = ttl else { return refusal("400 Bad Request") };
        let token = format!("token-{}==", self.asked.tokens);
        let lifetime = Duration::from_secs(ttl).min(self.longest_token);
        self.tokens.insert(token.clone(), Instant::now() + lifetime);
        Message::answer("200 OK", "text/plain", &token)
    }

    fn admits(&self, request: &Message) -> bool {
        let end = request.header("x-aws-ec2-metadata-token").and_then(|token| self.tokens.get(token));
        end.is_some_and(|end| *end > Instant::now())
    }

    fn metadata(&mut self, target: &str) -> Message {
        match target {
            _ if target == CREDENTIALS || Some(target) == CREDENTIALS.strip_suffix('/') => {
                self.asked.roles += 1;
                Message::answer("200 OK", "text/plain", ROLE)
            }
            _ if target.strip_prefix(CREDENTIALS) == Some(ROLE) => self.credentials(),
            "/latest/meta-data/spot/instance-action" => self.spot(),
            "/latest/meta-data/autoscaling/target-lifecycle-state" => {
                Message::answer("200 OK", "text/plain", self.lifecycle)
            }
            "/latest/meta-data/placement/region" => Message::answer("200 OK", "text/plain", &self.region),
            "/latest/meta-data/instance-id" => Message::answer("200 OK", "text/plain", "i-0123456789abcdef0"),
            _ => refusal("404 Not Found"),
        }
    }

    fn credentials(&mut self) -> Message {
        self.asked.credentials += 1;
        let document = json!({
            "Code": "Success",
            "LastUpdated": seconds(Duration::ZERO),
            "Type": "AWS-HMAC",
            "AccessKeyId": self.keys.id,
            "SecretAccessKey": self.keys.secret,
            "Token": self.keys.token,
            "Expiration": seconds(self.lifetime),
        });
        // Sent as text, as EC2 does.
        Message::answer("200 OK", "text/plain", &document.to_string())
    }

    fn spot(&mut self) -> Message {
        self.asked.spot += 1;
        match self.interruption {
            None => refusal("404 Not Found"),
            Some(after) => {
                let notice = json!({"action": "terminate", "time": seconds(after)});
                Message::answer("200 OK", "application/json", &notice.to_string())
            }
        }
    }
}

fn refusal(status: &str) -> Message {
    Message::answer(status, "text/html", "<html><body>no</body></html>")
}

/// A moment from now, to the second, as EC2 writes it: `2026-11-24T04:18:20Z`.
fn seconds(from_now: Duration) -> String {
    let text = rfc3339(now_millis() + from_now.as_millis() as u64);
    format!("{}Z", &text[..19])
}
