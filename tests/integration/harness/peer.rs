//! S3 and SQS as they are outside: ministack, which refuses a wrong signature and evaluates rights,
//! and moto, another dialect that checks neither. `make peers` installs them.
//!
//! One process of each serves all tests; each test has a bucket and queues of its own. A peer ends when
//! its stdin does: with the test process, however that ends.
//!
//! What the peers speak and what not, beside AWS itself:
//! * both compare `If-None-Match: *` and `If-Match` on PutObject (412; 404 where If-Match meets no object);
//! * ministack judges signatures, session tokens, clocks and rights of every key but its root's;
//!   the hash of a body is compared by `tests/peers/peer.py`, for ministack signs it only;
//! * ministack asks for the rights `sqs:…Batch`, which AWS does not know;
//! * moto lets the older receipts of a held message work on, and the world read every object.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Client, process::free_port};

/// The peer that checks signatures and rights.
pub static MINISTACK: LazyLock<Peer> = LazyLock::new(|| Peer::start(Kind::Ministack));
/// The peer of the other dialect.
pub static MOTO: LazyLock<Peer> = LazyLock::new(|| Peer::start(Kind::Moto));

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Ministack,
    Moto,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Ministack => "ministack",
            Kind::Moto => "moto",
        }
    }
}

/// An access key.
#[derive(Clone, Debug, Deserialize)]
pub struct Keys {
    pub id: String,
    pub secret: String,
    /// What a session's key must come with.
    pub token: Option<String>,
}

/// One running peer.
pub struct Peer {
    pub address: SocketAddr,
    pub accounts: Accounts,
    administrator: Mutex<Administrator>,
}

#[derive(Debug, Deserialize)]
pub struct Accounts {
    pub region: String,
    /// A user with the programs' rights.
    pub user: Keys,
    /// A role's session with the programs' rights.
    pub session: Keys,
    /// A user without any right.
    pub stranger: Keys,
}

/// One test's bucket and queues, empty.
#[derive(Clone, Debug, Deserialize)]
pub struct Place {
    pub bucket: String,
    pub queue: String,
    pub queue_url: String,
    pub dead_url: String,
    pub region: String,
    /// URL of the bucket.
    pub public_url: String,
    /// What the keys of its objects begin with.
    #[serde(default)]
    pub prefix: String,
}

struct Administrator {
    process: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    fn start(kind: Kind) -> Peer {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = root.join("target/peers");
        let python = folder.join("bin/python");
        assert!(python.exists(), "{} is missing: `make peers` installs it", python.display());
        let log = folder.join(format!("{}.log", kind.name()));
        let port = free_port();
        let mut process = Command::new(python)
            .arg(root.join("tests/peers/peer.py"))
            .args([kind.name(), &port.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut administrator = Administrator {
            commands: process.stdin.take().unwrap(),
            answers: BufReader::new(process.stdout.take().unwrap()),
            process,
        };
        let accounts = serde_json::from_value(administrator.order(&json!({"do": "accounts"}))).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        Peer { address, accounts, administrator: Mutex::new(administrator) }
    }

    fn order(&self, command: &Value) -> Value {
        // A test that failed on an order leaves the two pipes in step.
        self.administrator.lock().unwrap_or_else(|e| e.into_inner()).order(command)
    }

    /// A place of its own, whose messages are dead letters when they were received `receives` times.
    pub fn place(&self, receives: u32) -> Place {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("sharer-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        serde_json::from_value(self.order(&json!({"do": "place", "name": name, "receives": receives})))
            .unwrap()
    }

    /// Credentials that AssumeRole gives for so many seconds (900 and more).
    pub fn session(&self, seconds: u32) -> Keys {
        serde_json::from_value(self.order(&json!({"do": "session", "seconds": seconds}))).unwrap()
    }

    /// Keys of a new user with this policy and no other right.
    pub fn user(&self, name: &str, policy: &str) -> Keys {
        serde_json::from_value(self.order(&json!({"do": "user", "name": name, "policy": policy}))).unwrap()
    }

    /// Ends a session's credentials now, before their time (ministack).
    pub fn expire(&self, keys: &Keys) {
        self.order(&json!({"do": "expire", "id": keys.id}));
    }

    /// An action of boto3, the independent client: `("s3", "get_object", {"Bucket": …})`. An object's
    /// `Body` is in hexadecimal.
    pub fn call(&self, service: &str, action: &str, arguments: Value) -> Value {
        self.order(&json!({"do": "call", "service": service, "action": action, "arguments": arguments}))
    }

    /// All keys of a bucket.
    pub fn keys(&self, place: &Place) -> Vec<String> {
        serde_json::from_value(self.order(&json!({"do": "keys", "bucket": place.bucket}))).unwrap()
    }

    /// Takes all visible messages out of a queue, with their attributes.
    pub fn drain(&self, queue_url: &str) -> Vec<Value> {
        serde_json::from_value(self.order(&json!({"do": "drain", "url": queue_url}))).unwrap()
    }

    /// Messages of a queue: those to be had, and those in someone's hands.
    pub fn depth(&self, queue_url: &str) -> (u64, u64) {
        let (waiting, held) = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible");
        let arguments = json!({"QueueUrl": queue_url, "AttributeNames": [waiting, held]});
        let answer = self.call("sqs", "get_queue_attributes", arguments);
        let number = |name: &str| answer["Attributes"][name].as_str().unwrap().parse().unwrap();
        (number(waiting), number(held))
    }

    /// Stops it in the middle of whatever it does, with all that it holds in memory: connections are taken
    /// by the system still, and nothing is answered.
    #[allow(dead_code, reason = "`make chaos` does it")]
    pub fn freeze(&self) {
        self.signal(rustix::process::Signal::STOP);
    }

    /// Lets it go on.
    #[allow(dead_code, reason = "`make chaos` does it")]
    pub fn thaw(&self) {
        self.signal(rustix::process::Signal::CONT);
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let administrator = self.administrator.lock().unwrap_or_else(|e| e.into_inner());
        let pid = rustix::process::Pid::from_child(&administrator.process);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// What the world sees of it, unsigned.
    pub fn world(&self) -> Client {
        Client { address: self.address }
    }
}

impl Place {
    /// The same bucket and queues, with objects below a prefix.
    pub fn below(self, prefix: &str) -> Place {
        Place { prefix: prefix.to_owned(), ..self }
    }

    /// Settings of a program that comes here over `endpoint` with these keys.
    pub fn settings(&self, endpoint: SocketAddr, keys: &Keys) -> Vec<(&'static str, String)> {
        let mut settings = self.keyless_settings(endpoint);
        settings.push(("AWS_REGION", self.region.clone()));
        settings.push(("AWS_ACCESS_KEY_ID", keys.id.clone()));
        settings.push(("AWS_SECRET_ACCESS_KEY", keys.secret.clone()));
        settings.extend(keys.token.clone().map(|token| ("AWS_SESSION_TOKEN", token)));
        settings
    }

    /// The same, for a program that finds region and keys elsewhere.
    pub fn keyless_settings(&self, endpoint: SocketAddr) -> Vec<(&'static str, String)> {
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        vec![
            ("SHARER_STORE", format!("s3://{}{slash}{}", self.bucket, self.prefix)),
            ("SHARER_QUEUE", format!("sqs://{}", self.queue)),
            // Visitors come straight to the peer, whatever lies between it and the programs.
            ("SHARER_PUBLIC_URL", self.public_url.clone()),
            ("AWS_ENDPOINT_URL", format!("http://{endpoint}")),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            // No file of the person who runs the tests may count.
            ("AWS_CONFIG_FILE", "/dev/null".to_owned()),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".to_owned()),
        ]
    }
}

impl Administrator {
    fn order(&mut self, command: &Value) -> Value {
        writeln!(self.commands, "{command}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "the peer ended; target/peers/*.log says why");
        let mut answer: Value = serde_json::from_str(&line).unwrap();
        assert!(answer["error"].is_null(), "{command}: {}", answer["error"]);
        answer["ok"].take()
    }
}
