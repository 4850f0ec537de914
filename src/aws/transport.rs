//! Carries one attempt of a request over HTTP and reads the answer whole: ureq, tamed.
//!
//! No retries, no redirects, no opinion on a status: those are the client's. A trait, so that
//! recorded exchanges can stand in for the network.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use ureq::http::{self, request::Builder};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, AsSendBody, Body, Proxy, SendBody};

use super::environment::Environment;
use super::error::Error;
use super::request::{Method, Payload, Request, Response};

/// Carries requests.
pub trait Transport: Send + Sync {
    /// Sends `request` with the further header fields `extra` (names in lower case), once, and
    /// reads the answer, whatever its status.
    ///
    /// # Errors
    /// When there is no whole answer within `limits`.
    fn send(
        &self,
        request: &Request<'_>,
        extra: &[(String, String)],
        limits: &Limits,
    ) -> Result<Response, Failure>;
}

/// What one attempt may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From looking up the name to the end of the TLS handshake.
    pub connect: Duration,
    /// From the request's end to the answer's head: for a long poll, more than the poll.
    pub answer: Duration,
    /// The longest silence while a body is sent or read.
    pub stall: Duration,
    /// The whole attempt.
    pub attempt: Duration,
    /// Most bytes of the answer's body.
    pub body: u64,
}

/// An attempt without a whole answer.
#[derive(Debug)]
pub enum Failure {
    /// No connection: nothing was sent.
    Unreached(String),
    /// The connection ended before the answer did. The request may have been carried out.
    Lost(String),
    /// It took longer than it may. The request may have been carried out.
    TimedOut(String),
    /// The answer has more bytes than it may.
    TooLarge {
        /// How many it may have.
        limit: u64,
    },
    /// The request's own body could not be read.
    Content(io::Error),
    /// The request or the answer is not HTTP.
    Malformed(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Unreached(why) => write!(f, "no connection: {why}"),
            Failure::Lost(why) => write!(f, "the connection was lost: {why}"),
            Failure::TimedOut(why) | Failure::Malformed(why) => f.write_str(why),
            Failure::TooLarge { limit } => write!(f, "the answer has more than {limit} bytes"),
            Failure::Content(error) => write!(f, "the content can't be read: {error}"),
        }
    }
}

impl Failure {
    /// Whether the request may have been carried out.
    pub fn leaves_doubt(&self) -> bool {
        matches!(self, Failure::Lost(_) | Failure::TimedOut(_))
    }
}

/// Bodies from this size on wait for the server's word (`Expect: 100-continue`, RFC 9110 §10.1.1),
/// so that a refusal is read, and not lost in a connection that breaks while the body is sent.
const EXPECT: u64 = 1024 * 1024;

/// How long that word is waited for; then the body is sent all the same.
const AWAIT_100: Duration = Duration::from_secs(2);

/// An idle connection older than this is not used again: below the 20 s or so at which S3 closes it.
const MAX_IDLE: Duration = Duration::from_secs(10);

/// Idle connections kept for one server.
const IDLE_CONNECTIONS: usize = 16;

/// ureq's buffers, each way, in bytes a connection: an idle worker keeps few bytes.
const BUFFER: usize = 32 * 1024;

/// Longest head of an answer, in bytes.
const MAX_HEAD: usize = 32 * 1024;

/// Longest body of a refusal that is read, in bytes.
const MAX_REFUSAL: u64 = 64 * 1024;

/// HTTP/1.1 over TCP or TLS.
pub struct Http {
    agent: Agent,
    /// For https alone; see [`Http::new`].
    proxy: Option<Proxy>,
}

impl Http {
    /// As the environment says. `HTTPS_PROXY` and `NO_PROXY` are honoured for https, where a proxy sees
    /// names and no secrets; plain http, to an endpoint on this host or to the machine's metadata,
    /// always goes straight. `AWS_CA_BUNDLE` names a PEM file to trust in place of the roots compiled in.
    ///
    /// # Errors
    /// A proxy or a bundle that can't be used.
    pub fn new(environment: &Environment) -> Result<Http, Error> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .user_agent(concat!("image-sharer/", env!("CARGO_PKG_VERSION")))
            .accept("")
            .accept_encoding("")
            .max_response_header_size(MAX_HEAD)
            .input_buffer_size(BUFFER)
            .output_buffer_size(BUFFER)
            .max_idle_connections(2 * IDLE_CONNECTIONS)
            .max_idle_connections_per_host(IDLE_CONNECTIONS)
            .max_idle_age(MAX_IDLE)
            .timeout_await_100(Some(AWAIT_100))
            .tls_config(tls(environment)?)
            .build();
        Ok(Http { agent: config.new_agent(), proxy: proxy(environment)? })
    }

    fn run(
        &self,
        outgoing: http::Request<impl AsSendBody>,
        limits: &Limits,
    ) -> Result<http::Response<Body>, Failure> {
        let https = outgoing.uri().scheme() == Some(&http::uri::Scheme::HTTPS);
        let configured = self
            .agent
            .configure_request(outgoing)
            .proxy(self.proxy.clone().filter(|_| https))
            .timeout_connect(Some(limits.connect))
            .timeout_resolve(Some(limits.connect))
            .timeout_send_request(Some(limits.stall))
            .timeout_recv_response(Some(limits.answer))
            .timeout_per_write(Some(limits.stall))
            .timeout_per_read(Some(limits.stall.max(limits.answer)))
            .timeout_global(Some(limits.attempt))
            .build();
        self.agent.run(configured).map_err(failure)
    }

    fn run_with_body(
        &self,
        builder: Builder,
        payload: &Payload<'_>,
        limits: &Limits,
    ) -> Result<http::Response<Body>, Failure> {
        let builder = builder.header("content-length", payload.length);
        let builder = match payload.length >= EXPECT {
            true => builder.header("expect", "100-continue"),
            false => builder,
        };
        let mut watched = Watched { inner: payload.open().map_err(Failure::Content)?, failed: None };
        let outgoing = builder.body(SendBody::from_reader(&mut watched)).map_err(malformed)?;
        let result = self.run(outgoing, limits);
        match watched.failed {
            Some(error) => Err(Failure::Content(error)),
            None => result,
        }
    }
}

impl Transport for Http {
    fn send(
        &self,
        request: &Request<'_>,
        extra: &[(String, String)],
        limits: &Limits,
    ) -> Result<Response, Failure> {
        let mut builder = http::Request::builder().method(request.method.as_str()).uri(&request.url);
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        for (name, value) in extra {
            builder = builder.header(name, value);
        }
        let response = match request.method {
            Method::Put | Method::Post => self.run_with_body(builder, &request.body, limits)?,
            _ => self.run(builder.body(()).map_err(malformed)?, limits)?,
        };
        read(response, request.method, limits)
    }
}

fn malformed(error: http::Error) -> Failure {
    Failure::Malformed(error.to_string())
}

/// Keeps the error of the request's own body apart from those of the network.
struct Watched<R> {
    inner: R,
    failed: Option<io::Error>,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer).map_err(|error| {
            let shown = io::Error::new(error.kind(), error.to_string());
            self.failed = Some(error);
            shown
        })
    }
}

fn read(response: http::Response<Body>, method: Method, limits: &Limits) -> Result<Response, Failure> {
    let status = response.status().as_u16();
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    let limit = if response.status().is_success() { limits.body } else { MAX_REFUSAL };
    let mut body = response.into_body();
    let declared = body.content_length();
    let mut bytes = Vec::new();
    if method != Method::Head {
        if declared.is_some_and(|declared| declared > limit) {
            return Err(Failure::TooLarge { limit });
        }
        // What is declared is at most what the caller will hold.
        bytes.reserve_exact(declared.unwrap_or(0) as usize);
        let mut reader = body.with_config().limit(u64::MAX).reader().take(limit.saturating_add(1));
        reader.read_to_end(&mut bytes).map_err(|error| failure(ureq::Error::from(error)))?;
        if bytes.len() as u64 > limit {
            return Err(Failure::TooLarge { limit });
        }
        if declared.is_some_and(|declared| declared != bytes.len() as u64) {
            return Err(Failure::Lost("the answer ended early".to_owned()));
        }
    }
    Ok(Response { status, headers, body: bytes })
}

fn failure(error: ureq::Error) -> Failure {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    use ureq::Timeout;
    match error {
        ureq::Error::Timeout(phase @ (Timeout::Resolve | Timeout::Connect)) => {
            Failure::Unreached(format!("time-out: {phase}"))
        }
        ureq::Error::Timeout(phase) => Failure::TimedOut(format!("time-out: {phase}")),
        ureq::Error::Io(error) => match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Failure::TimedOut(error.to_string()),
            io::ErrorKind::ConnectionRefused
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::AddrNotAvailable => Failure::Unreached(error.to_string()),
            // A certificate that is not trusted; or, and then the request may have been carried out,
            // a connection that was tampered with.
            io::ErrorKind::InvalidData => {
                Failure::Lost(format!("TLS: {error} (AWS_CA_BUNDLE names other roots to trust)"))
            }
            BrokenPipe | ConnectionReset | ConnectionAborted => {
                Failure::Lost(format!("the server closed the connection, maybe to refuse the body: {error}"))
            }
            _ => Failure::Lost(error.to_string()),
        },
        ureq::Error::HostNotFound => Failure::Unreached("the host's name is not known".to_owned()),
        ureq::Error::ConnectionFailed | ureq::Error::ConnectProxyFailed(_) => {
            Failure::Unreached(error.to_string())
        }
        ureq::Error::Rustls(_) | ureq::Error::Tls(_) => Failure::Unreached(error.to_string()),
        ureq::Error::Protocol(_) | ureq::Error::BodyStalled => Failure::Lost(error.to_string()),
        other => Failure::Malformed(other.to_string()),
    }
}

fn tls(environment: &Environment) -> Result<TlsConfig, Error> {
    let Some(path) = environment.get("AWS_CA_BUNDLE") else { return Ok(TlsConfig::default()) };
    let wrong = |why: String| Error::Configuration(format!("AWS_CA_BUNDLE is {path:?}: {why}"));
    let pem = std::fs::read(path).map_err(|e| wrong(e.to_string()))?;
    let roots: Vec<Certificate<'static>> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(Ok(certificate)),
            Ok(_) => None,
            Err(error) => Some(Err(wrong(error.to_string()))),
        })
        .collect::<Result<_, _>>()?;
    if roots.is_empty() {
        return Err(wrong("no certificate is in it".to_owned()));
    }
    Ok(TlsConfig::builder().root_certs(RootCerts::Specific(Arc::new(roots))).build())
}

fn proxy(environment: &Environment) -> Result<Option<Proxy>, Error> {
    let Some(url) = environment.get("HTTPS_PROXY").or_else(|| environment.get("https_proxy")) else {
        return Ok(None);
    };
    let wrong = || Error::Configuration("HTTPS_PROXY is no http:// or https:// URL of a proxy".to_owned());
    let plain = Proxy::new(url).map_err(|_| wrong())?;
    let mut builder = Proxy::builder(plain.protocol()).host(plain.host()).port(plain.port());
    if let Some(name) = plain.username() {
        builder = builder.username(name);
    }
    if let Some(word) = plain.password() {
        builder = builder.password(word);
    }
    let none = environment.get("NO_PROXY").or_else(|| environment.get("no_proxy")).unwrap_or_default();
    for host in none.split(',').map(str::trim).filter(|host| !host.is_empty()) {
        builder = builder.no_proxy(host);
    }
    builder.build().map(Some).map_err(|_| wrong())
}

#[cfg(test)]
mod tests;
