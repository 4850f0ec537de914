//! A bad network, and a service in trouble: lies between a program and a peer, and lets each kind of request
//! meet each kind of fault with a probability of its own.
//!
//! Requests pass byte for byte: they are signed for the proxy's own `Host`, and the peers judge them by it.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::random::Random;
use super::wire::{self, Framing, Message};

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The connection ends before the peer saw the request.
    DropBefore,
    /// The peer acts on the request; the connection ends before the answer.
    DropAfter,
    /// The peer's answer ends in the middle.
    Cut,
    /// The peer gets it twice; the client gets the first answer.
    Repeat,
    /// It takes a while.
    Delay(Duration),
    /// 500, and the peer saw nothing.
    Internal,
    /// 503 of some box in between, not in the service's words.
    Unavailable,
    /// Too many requests: S3's SlowDown, SQS's RequestThrottled.
    Throttle,
    /// The service answers, and refuses for want of a right.
    Forbid,
    /// The path is another than the one that was signed.
    TamperPath,
    /// The body is another than the one that was signed.
    TamperBody,
}

/// Which requests meet a fault, and how often.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// An action (`PutObject`, `ReceiveMessage`), or `*` for all.
    pub action: &'static str,
    pub fault: Fault,
    /// How many of 1000 requests meet it.
    pub per_mille: u64,
}

/// The proxy. It serves until the test process ends.
pub struct Proxy {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    peer: SocketAddr,
    state: Mutex<State>,
}

struct State {
    rules: Vec<Rule>,
    random: Random,
    requests: BTreeMap<String, u32>,
    faults: BTreeMap<Fault, u32>,
}

impl Proxy {
    /// Lies before `peer`, with these faults.
    pub fn start(peer: SocketAddr, rules: &[Rule]) -> Proxy {
        let (requests, faults) = (BTreeMap::new(), BTreeMap::new());
        let state = State { rules: rules.to_vec(), random: Random::new(), requests, faults };
        let shared = Arc::new(Shared { peer, state: Mutex::new(state) });
        let serving = Arc::clone(&shared);
        let address = wire::serve(move |socket| {
            let _ = serving.converse(&socket);
            let _ = socket.shutdown(Shutdown::Both);
        });
        Proxy { address, shared }
    }

    /// From now on these are the faults.
    pub fn set_rules(&self, rules: &[Rule]) {
        self.shared.state.lock().unwrap().rules = rules.to_vec();
    }

    /// How often each action was asked for.
    pub fn requests(&self) -> BTreeMap<String, u32> {
        self.shared.state.lock().unwrap().requests.clone()
    }

    /// How often each fault was met.
    pub fn faults(&self) -> BTreeMap<Fault, u32> {
        self.shared.state.lock().unwrap().faults.clone()
    }
}

impl Rule {
    /// Every request for this action meets the fault.
    pub fn always(action: &'static str, fault: Fault) -> Rule {
        Rule { action, fault, per_mille: 1000 }
    }
}

impl Shared {
    /// Passes on one client's requests, one after the other.
    fn converse(&self, client: &TcpStream) -> io::Result<()> {
        let mut reader = BufReader::new(client);
        loop {
            let mut request = Message::default();
            if !request.read_head(&mut reader)? {
                return Ok(());
            }
            if request.header("expect").is_some() {
                (&*client).write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            }
            request.read_body(&mut reader)?;
            let action = Action::of(&request);
            let fault = self.state.lock().unwrap().draw(&action);
            let Some(answer) = self.meet(fault, &action, &request)? else { return Ok(()) };
            answer.write(&mut &*client)?;
            if request.closes() || answer.closes() || fault == Some(Fault::Cut) {
                return Ok(());
            }
        }
    }

    /// The answer that the client gets; `None` if the connection ends instead.
    fn meet(&self, fault: Option<Fault>, action: &Action, request: &Message) -> io::Result<Option<Message>> {
        match fault {
            Some(Fault::DropBefore) => return Ok(None),
            Some(Fault::Internal) => {
                return Ok(Some(action.error("500 Internal Server Error", "InternalError")));
            }
            Some(Fault::Unavailable) => {
                return Ok(Some(Message::answer("503 Service Unavailable", "text/html", "<h1>503</h1>")));
            }
            Some(Fault::Throttle) => return Ok(Some(action.throttled())),
            Some(Fault::Forbid) => return Ok(Some(action.error("403 Forbidden", "AccessDenied"))),
            Some(Fault::TamperPath) => return self.forward(&request.with_another_path()).map(Some),
            Some(Fault::TamperBody) => return self.forward(&request.with_another_body()).map(Some),
            Some(Fault::Delay(time)) => std::thread::sleep(time),
            Some(Fault::DropAfter | Fault::Cut | Fault::Repeat) | None => {}
        }
        let mut answer = self.forward(request)?;
        match fault {
            Some(Fault::DropAfter) => return Ok(None),
            Some(Fault::Repeat) => drop(self.forward(request)?),
            Some(Fault::Cut) => answer.cut(),
            _ => {}
        }
        Ok(Some(answer))
    }

    /// Sends a request to the peer, on a connection of its own, and reads the answer.
    fn forward(&self, request: &Message) -> io::Result<Message> {
        let mut peer = TcpStream::connect(self.peer)?;
        peer.set_read_timeout(Some(Duration::from_secs(60)))?;
        request.write(&mut peer)?;
        let framing = if request.line().0 == "HEAD" { Framing::Bodiless } else { Framing::Head };
        let mut reader = BufReader::new(peer);
        loop {
            let mut answer = Message::default();
            if !answer.read_head(&mut reader)? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if answer.status().is_some_and(|status| status < 200) {
                continue;
            }
            if framing == Framing::Head {
                answer.read_body(&mut reader)?;
            }
            return Ok(answer);
        }
    }
}

impl Message {
    /// Loses the last half, of its body or else of its head.
    fn cut(&mut self) {
        if self.body.is_empty() {
            self.head.truncate(self.head.len() / 2);
        } else {
            self.body.truncate(self.body.len() / 2);
        }
    }

    fn with_another_path(&self) -> Message {
        let mut other = self.clone();
        let end = self.line().0.len() + 1 + self.line().1.len();
        other.head.splice(end..end, *b"x");
        other
    }

    /// One bit of the middle byte is another.
    fn with_another_body(&self) -> Message {
        let mut other = self.clone();
        let middle = self.body.len() / 2;
        other.body[middle] ^= 1;
        other
    }
}

impl State {
    fn draw(&mut self, action: &Action) -> Option<Fault> {
        *self.requests.entry(action.name.clone()).or_default() += 1;
        let mut ticket = self.random.below(1000);
        for rule in self.rules.iter().filter(|rule| rule.action == "*" || rule.action == action.name) {
            if ticket < rule.per_mille {
                *self.faults.entry(rule.fault).or_default() += 1;
                return Some(rule.fault);
            }
            ticket -= rule.per_mille;
        }
        None
    }
}

/// What a request asks for, and in which service's words.
struct Action {
    name: String,
    service: Service,
}

enum Service {
    S3,
    Sqs,
}

impl Action {
    fn of(request: &Message) -> Action {
        if let Some(target) = request.header("x-amz-target") {
            let name = target.rsplit('.').next().unwrap_or_default().to_owned();
            return Action { name, service: Service::Sqs };
        }
        let (method, target) = request.line();
        let path = target.split('?').next().unwrap_or_default().trim_matches('/');
        let what = if path.contains('/') { "Object" } else { "Bucket" };
        let verb = match method {
            "GET" => "Get",
            "PUT" => "Put",
            "HEAD" => "Head",
            "DELETE" => "Delete",
            other => other,
        };
        Action { name: format!("{verb}{what}"), service: Service::S3 }
    }

    fn error(&self, status: &str, code: &str) -> Message {
        match self.service {
            Service::S3 => {
                let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
                let body =
                    format!("{head}\n<Error><Code>{code}</Code><Message>by the proxy</Message></Error>");
                Message::answer(status, "application/xml", &body)
            }
            Service::Sqs => {
                let body =
                    format!("{{\"__type\":\"com.amazonaws.sqs#{code}\",\"message\":\"by the proxy\"}}");
                Message::answer(status, "application/x-amz-json-1.0", &body)
            }
        }
    }

    fn throttled(&self) -> Message {
        match self.service {
            Service::S3 => self.error("503 Slow Down", "SlowDown"),
            Service::Sqs => self.error("400 Bad Request", "RequestThrottled"),
        }
    }
}
