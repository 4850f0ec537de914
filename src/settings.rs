//! Every setting, once: its name, default, unit, range and check.
//!
//! Settings come from the environment. A program refuses to start on a wrong one and says what it
//! may be; all that is wrong is said at once.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::door::Networks;
use crate::image::Effort;
use crate::observe::log::{Format, Level};
use crate::queue::sqs;
use crate::store::s3;
use crate::upload::Lifetime;
use crate::web::{Origins, Rate};

mod knobs;
mod parse;
mod reader;

pub use knobs::{KNOBS, Knob};

use reader::Reader;

/// The three programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// `image-sharer`: server and worker in one process.
    Sharer,
    /// `image-server`: the public service.
    Server,
    /// `image-worker`: the thumbnailer.
    Worker,
}

impl Program {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Program::Sharer => "image-sharer",
            Program::Server => "image-server",
            Program::Worker => "image-worker",
        }
    }

    /// Whether it answers uploads.
    pub fn serves(self) -> bool {
        self != Program::Worker
    }

    /// Whether it makes thumbnails.
    pub fn works(self) -> bool {
        self != Program::Server
    }

    /// Where its metrics are served if nobody says where: the public service is for operators to watch,
    /// and the others may run several times on one machine.
    fn metrics(self) -> Metrics {
        match self {
            Program::Server => Metrics::IfFree(SocketAddr::from((Ipv4Addr::LOCALHOST, 9090))),
            Program::Sharer | Program::Worker => Metrics::Off,
        }
    }
}

/// Where objects are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreAddress {
    /// `dir:PATH`.
    Directory(PathBuf),
    /// `s3://BUCKET/PREFIX`.
    S3(s3::Address),
}

/// Where jobs wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueueAddress {
    /// `dir:PATH`.
    Directory(PathBuf),
    /// `sqs://NAME`, or its URL.
    Sqs(sqs::Address),
}

/// Where metrics are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metrics {
    /// Nowhere.
    Off,
    /// There; the program does not start if that can't be.
    At(SocketAddr),
    /// There, unless the address is taken: nobody asked for it.
    IfFree(SocketAddr),
}

/// All settings of one program, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// Where metrics are served.
    pub metrics: Metrics,
    /// Where objects are kept.
    pub store: StoreAddress,
    /// Where jobs wait.
    pub queue: QueueAddress,
    /// What object URLs start with, without a slash at the end.
    pub public_url: Option<String>,
    /// What page URLs start with, without a slash at the end.
    pub page_url: Option<String>,
    /// Most bytes of an upload.
    pub max_upload_bytes: u64,
    /// Most pixels of an upload, width × height.
    pub max_pixels: u64,
    /// Most connections at once.
    pub max_connections: usize,
    /// How long a request's head may take.
    pub head_time: Duration,
    /// How long a connection may be idle.
    pub idle_time: Duration,
    /// Least rate of a body, in bytes a second.
    pub min_rate: u64,
    /// Bytes of bodies held in memory, all together.
    pub body_memory: u64,
    /// Folder for bodies beyond that.
    pub spool: PathBuf,
    /// Whose `X-Forwarded-…` headers are believed.
    pub trusted_proxies: Networks,
    /// What an upload must show, if anything.
    pub upload_token: Option<Secret>,
    /// How many uploads one client may begin, if that is limited.
    pub rate: Option<Rate>,
    /// CloudWatch namespace that is told the backlog.
    pub metric_namespace: Option<String>,
    /// Auto Scaling group whose machines are told beside it.
    pub metric_group: Option<String>,
    /// Origins whose pages may upload.
    pub cors_origins: Origins,
    /// How long uploads are kept that don't say; for ever, if absent.
    pub default_expiry: Option<Lifetime>,
    /// CloudFront distribution that is asked to forget what is deleted.
    pub cdn_distribution: Option<String>,
    /// Images worked on at once.
    pub jobs: usize,
    /// Bytes of memory for all jobs in flight.
    pub memory: u64,
    /// How long one job may take.
    pub job_time: Duration,
    /// What is spent on the smallness of thumbnails.
    pub effort: Effort,
    /// How long a received message is hidden from other workers.
    pub visibility: Duration,
    /// Receives after which a message is a dead letter (directory queue).
    pub max_receives: u32,
    /// What is logged.
    pub log: Level,
    /// In which form.
    pub log_format: Format,
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Settings that are wrong: a sentence each.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong(pub Vec<String>);

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for Wrong {}

impl Settings {
    /// Reads the settings of `program` from `environment`, which gives a variable's value.
    ///
    /// # Errors
    /// All settings that are wrong, each with what it may be.
    pub fn read(program: Program, environment: &dyn Fn(&str) -> Option<String>) -> Result<Settings, Wrong> {
        let mut reader = Reader { program, environment, wrong: Vec::new() };
        let settings = reader.all();
        if let Some(settings) = &settings {
            reader.check_times(settings);
            reader.check_metrics(settings);
        }
        match settings {
            Some(settings) if reader.wrong.is_empty() => Ok(settings),
            _ => Err(Wrong(reader.wrong)),
        }
    }
}

#[cfg(test)]
mod tests;
