//! Every setting, once: its name, default, unit, range and check.
//!
//! Settings come from the environment. A program refuses to start on a wrong one and says what it
//! may be; all that is wrong is said at once.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::door::{Network, Networks};
use crate::observe::log::{Format, Level};
use crate::queue::sqs;
use crate::store::s3;
use crate::upload::Lifetime;
use crate::web::{Origins, Rate};

mod knobs;

pub use knobs::{KNOBS, Knob};

use knobs::*;

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

/// Reads settings one by one and remembers what was wrong.
struct Reader<'a> {
    program: Program,
    environment: &'a dyn Fn(&str) -> Option<String>,
    wrong: Vec<String>,
}

impl Reader<'_> {
    fn all(&mut self) -> Option<Settings> {
        let data: Option<PathBuf> = self.required(&DATA, path);
        // Every setting is read before any is missed, so that one start shows all that is wrong.
        let listen = self.required(&LISTEN, parsed);
        let metrics = self.optional(&METRICS_LISTEN, metrics).unwrap_or(self.program.metrics());
        let default = |folder| data.as_ref().map(|data| data.join(folder));
        let store = self.address(&STORE, store, default("objects").map(StoreAddress::Directory));
        let queue = self.address(&QUEUE, queue, default("queue").map(QueueAddress::Directory));
        let public_url = self.optional(&PUBLIC_URL, url);
        let page_url = self.optional(&PAGE_URL, url);
        let max_upload_bytes = self.required(&MAX_UPLOAD_BYTES, whole(1..=5 << 30));
        let max_pixels = self.required(&MAX_PIXELS, whole(1..=4_294_967_295));
        let max_connections = self.required(&MAX_CONNECTIONS, whole(4..=65_536));
        let head_time = self.required(&HEAD_SECONDS, seconds(1..=600));
        let idle_time = self.required(&IDLE_SECONDS, seconds(1..=3600));
        let min_rate = self.required(&MIN_RATE, whole(1..=1 << 30));
        let body_memory = self.required(&BODY_MEMORY_MB, megabytes(1..=1 << 20));
        let spool = self.optional(&SPOOL, path).unwrap_or_else(std::env::temp_dir);
        let trusted_proxies = self.optional(&TRUSTED_PROXIES, networks).unwrap_or_default();
        let upload_token = self.optional(&UPLOAD_TOKEN, secret);
        let rate = self.optional(&RATE, parsed);
        let metric_namespace = self.optional(&METRIC_NAMESPACE, namespace);
        let metric_group = self.optional(&METRIC_GROUP, group);
        let cors_origins = self.optional(&CORS_ORIGINS, Origins::parse).unwrap_or_default();
        let default_expiry = self.optional(&DEFAULT_EXPIRY, Lifetime::parse);
        let cdn_distribution = self.optional(&CDN_DISTRIBUTION, distribution);
        let jobs = self.optional(&JOBS, whole(1..=1024)).unwrap_or_else(cores);
        let memory = self.optional(&MEMORY_MB, megabytes(16..=1 << 24)).unwrap_or_else(half_the_memory);
        let job_time = self.required(&JOB_SECONDS, seconds(1..=43_200));
        let visibility = self.required(&VISIBILITY_SECONDS, seconds(1..=43_200));
        let max_receives = self.required(&MAX_RECEIVES, whole(1..=1000));
        let log = self.required(&LOG, Level::parse);
        let log_format = self.required(&LOG_FORMAT, Format::parse);
        Some(Settings {
            listen: listen?,
            metrics,
            store: store?,
            queue: queue?,
            public_url,
            page_url,
            max_upload_bytes: max_upload_bytes?,
            max_pixels: max_pixels?,
            max_connections: max_connections? as usize,
            head_time: head_time?,
            idle_time: idle_time?,
            min_rate: min_rate?,
            body_memory: body_memory?,
            spool,
            trusted_proxies,
            upload_token,
            rate,
            metric_namespace,
            metric_group,
            cors_origins,
            default_expiry,
            cdn_distribution,
            jobs: jobs as usize,
            memory,
            job_time: job_time?,
            visibility: visibility?,
            max_receives: max_receives? as u32,
            log: log?,
            log_format: log_format?,
        })
    }

    /// A setting that may be absent.
    fn optional<T>(&mut self, knob: &Knob, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let text = (self.environment)(knob.name).filter(|text| !text.is_empty())?;
        let value = parse(&text);
        if value.is_none() {
            let shown = if knob.name == UPLOAD_TOKEN.name { "…" } else { &text };
            self.wrong.push(format!("{} is {shown:?}: it may be {}", knob.name, knob.may_be));
        }
        value
    }

    /// A setting that has a default.
    fn required<T>(&mut self, knob: &Knob, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let set = (self.environment)(knob.name).is_some_and(|text| !text.is_empty());
        if set { self.optional(knob, parse) } else { parse(knob.default.of(self.program)) }
    }

    /// The address of a store or a queue: `image-sharer` has a place for it, the others must be told.
    fn address<T>(
        &mut self,
        knob: &Knob,
        parse: impl Fn(&str) -> Option<T>,
        default: Option<T>,
    ) -> Option<T> {
        let set = (self.environment)(knob.name).is_some_and(|text| !text.is_empty());
        match (set, self.program) {
            (true, _) => self.optional(knob, parse),
            (false, Program::Sharer) => default,
            (false, _) => {
                self.wrong.push(format!("{} is not set: it may be {}", knob.name, knob.may_be));
                None
            }
        }
    }

    /// A backlog is told of a queue in SQS alone, and machines only beside it.
    fn check_metrics(&mut self, settings: &Settings) {
        let (namespace, group) = (METRIC_NAMESPACE.name, METRIC_GROUP.name);
        match (&settings.metric_namespace, &settings.metric_group, &settings.queue) {
            (Some(_), _, QueueAddress::Directory(_)) => {
                self.wrong.push(format!("{namespace} is set: {} must then be a queue in SQS", QUEUE.name));
            }
            (None, Some(_), _) => {
                self.wrong.push(format!("{group} is set: {namespace} must say where it is told"));
            }
            _ => {}
        }
    }

    /// The times that must fit together.
    fn check_times(&mut self, settings: &Settings) {
        let (visibility, job) = (settings.visibility.as_secs(), settings.job_time.as_secs());
        if visibility > job {
            self.wrong.push(format!(
                "{} is {visibility} and {} is {job}: a message must not be hidden longer than its job may take",
                VISIBILITY_SECONDS.name, JOB_SECONDS.name
            ));
        }
        // A heartbeat at each third of it must leave room for a slow answer of the queue.
        if matches!(settings.queue, QueueAddress::Sqs(_)) && visibility < LEAST_SQS_VISIBILITY {
            self.wrong.push(format!(
                "{} is {visibility}: with SQS it may be {LEAST_SQS_VISIBILITY} or more",
                VISIBILITY_SECONDS.name
            ));
        }
    }
}

/// A namespace of our own in CloudWatch (PutMetricData: `[^:].*`, and `AWS/` is AWS's).
fn namespace(text: &str) -> Option<String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-/#".contains(&b);
    let well_formed = (1..=255).contains(&text.len()) && text.bytes().all(plain);
    (well_formed && !text.starts_with("AWS/")).then(|| text.to_owned())
}

/// An Auto Scaling group's name: 1 to 255 characters, none of them a control character or a colon.
fn group(text: &str) -> Option<String> {
    let well_formed = (1..=255).contains(&text.chars().count());
    (well_formed && !text.chars().any(|c| c.is_control() || c == ':')).then(|| text.to_owned())
}

/// Least visibility time-out with SQS, in seconds: SQS counts in whole seconds, and a call takes its time.
const LEAST_SQS_VISIBILITY: u64 = 2;

fn parsed<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn metrics(text: &str) -> Option<Metrics> {
    if text == "off" { Some(Metrics::Off) } else { text.parse().ok().map(Metrics::At) }
}

fn path(text: &str) -> Option<PathBuf> {
    Some(PathBuf::from(text))
}

fn store(text: &str) -> Option<StoreAddress> {
    directory(text).map(StoreAddress::Directory).or_else(|| s3::Address::parse(text).map(StoreAddress::S3))
}

fn queue(text: &str) -> Option<QueueAddress> {
    directory(text).map(QueueAddress::Directory).or_else(|| sqs::Address::parse(text).map(QueueAddress::Sqs))
}

fn directory(text: &str) -> Option<PathBuf> {
    text.strip_prefix("dir:").filter(|path| !path.is_empty()).map(PathBuf::from)
}

fn whole(range: std::ops::RangeInclusive<u64>) -> impl Fn(&str) -> Option<u64> {
    move |text| text.parse().ok().filter(|value| range.contains(value))
}

fn seconds(range: std::ops::RangeInclusive<u64>) -> impl Fn(&str) -> Option<Duration> {
    move |text| whole(range.clone())(text).map(Duration::from_secs)
}

fn megabytes(range: std::ops::RangeInclusive<u64>) -> impl Fn(&str) -> Option<u64> {
    move |text| whole(range.clone())(text).map(|mb| mb << 20)
}

fn secret(text: &str) -> Option<Secret> {
    let printable = text.bytes().all(|b| (0x21..=0x7e).contains(&b));
    ((16..=512).contains(&text.len()) && printable).then(|| Secret(text.to_owned()))
}

/// An http or https URL to build others from: no query, no fragment, no slash at the end.
fn url(text: &str) -> Option<String> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"))?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/[]%".contains(&b);
    let well_formed = !rest.is_empty() && !rest.starts_with('/') && rest.bytes().all(plain);
    well_formed.then(|| text.trim_end_matches('/').to_owned())
}

/// What CloudFront calls its distributions: `E1ABCDEF234567`.
fn distribution(text: &str) -> Option<String> {
    let plain = text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    ((1..=64).contains(&text.len()) && plain).then(|| text.to_owned())
}

fn networks(text: &str) -> Option<Networks> {
    text.split(',').map(|part| part.trim().parse::<Network>().ok()).collect()
}

fn cores() -> u64 {
    std::thread::available_parallelism().map_or(1, |n| n.get() as u64)
}

/// Half of what the machine, or the control group that this process is in, has; in bytes.
fn half_the_memory() -> u64 {
    crate::observe::memory::total().unwrap_or(1 << 30) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(program: Program, set: &[(&str, &str)]) -> Result<Settings, Wrong> {
        let find = |name: &str| set.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        Settings::read(program, &find)
    }

    #[test]
    fn image_sharer_needs_no_settings() {
        let settings = read(Program::Sharer, &[]).unwrap();
        assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(settings.store, StoreAddress::Directory("./data/objects".into()));
        assert_eq!(settings.queue, QueueAddress::Directory("./data/queue".into()));
        assert_eq!((settings.max_upload_bytes, settings.max_pixels), (67_108_864, 220_000_000));
    }

    #[test]
    fn the_other_two_must_be_told_where_things_are() {
        let wrong = read(Program::Worker, &[]).unwrap_err().to_string();
        assert!(wrong.contains("SHARER_STORE is not set") && wrong.contains("SHARER_QUEUE is not set"));
        let both = [("SHARER_STORE", "dir:/a"), ("SHARER_QUEUE", "dir:/b")];
        assert_eq!(read(Program::Server, &both).unwrap().listen.to_string(), "0.0.0.0:80");
    }

    #[test]
    fn store_and_queue_may_be_on_aws() {
        let set = [("SHARER_STORE", "s3://pics/a"), ("SHARER_QUEUE", "sqs://jobs")];
        let settings = read(Program::Worker, &set).unwrap();
        assert!(
            matches!(settings.store, StoreAddress::S3(_)) && matches!(settings.queue, QueueAddress::Sqs(_))
        );
        let Wrong(lines) =
            read(Program::Worker, &[("SHARER_STORE", "s3:pics"), ("SHARER_QUEUE", "sqs:jobs")]).unwrap_err();
        assert!(lines[0].contains("s3://BUCKET") && lines[1].contains("sqs://NAME"), "{lines:?}");
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once_with_what_it_may_be() {
        let set = [("SHARER_LISTEN", "here"), ("SHARER_MAX_PIXELS", "0"), ("SHARER_LOG", "loud")];
        let Wrong(lines) = read(Program::Sharer, &set).unwrap_err();
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(lines.iter().all(|line| line.contains("it may be")), "{lines:?}");
    }

    #[test]
    fn times_must_fit_together() {
        let long = [("SHARER_VISIBILITY_SECONDS", "121")];
        assert!(read(Program::Sharer, &long).unwrap_err().to_string().contains("SHARER_JOB_SECONDS"));
        let short = [("SHARER_VISIBILITY_SECONDS", "1"), ("SHARER_QUEUE", "sqs://jobs")];
        assert!(read(Program::Sharer, &short).is_err());
        assert!(read(Program::Sharer, &short[..1]).is_ok());
    }

    #[test]
    fn a_backlog_is_told_of_sqs_alone() {
        let read = |set: &[(&str, &str)]| read(Program::Sharer, set).map(|s| s.metric_namespace);
        let (queue, namespace) = (("SHARER_QUEUE", "sqs://jobs"), ("SHARER_METRIC_NAMESPACE", "sharer/a"));
        assert_eq!(read(&[queue, namespace, ("SHARER_METRIC_GROUP", "w")]), Ok(Some("sharer/a".to_owned())));
        assert!(read(&[namespace]).is_err() && read(&[queue, ("SHARER_METRIC_GROUP", "w")]).is_err());
        assert!(read(&[queue, ("SHARER_METRIC_NAMESPACE", "AWS/SQS")]).is_err());
    }

    #[test]
    fn metrics_are_served_where_one_says_and_by_default_where_it_harms_nobody() {
        let both = [("SHARER_STORE", "dir:/a"), ("SHARER_QUEUE", "dir:/b")];
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 9090));
        assert_eq!(read(Program::Server, &both).unwrap().metrics, Metrics::IfFree(address));
        assert_eq!(read(Program::Worker, &both).unwrap().metrics, Metrics::Off);
        let set = |text| read(Program::Sharer, &[("SHARER_METRICS_LISTEN", text)]).map(|s| s.metrics);
        assert_eq!(set("127.0.0.1:9090"), Ok(Metrics::At(address)));
        assert_eq!((set("off"), set("")), (Ok(Metrics::Off), Ok(Metrics::Off)));
        assert!(set("9090").unwrap_err().to_string().contains("or off"));
    }

    #[test]
    fn a_wrong_secret_is_not_repeated() {
        let Wrong(lines) = read(Program::Sharer, &[("SHARER_UPLOAD_TOKEN", "hunter2")]).unwrap_err();
        assert!(!lines[0].contains("hunter2"));
    }

    #[test]
    fn every_default_is_a_value_that_may_be_set() {
        for knob in KNOBS.iter().filter(|k| !k.default.of(Program::Sharer).is_empty()) {
            let set = [(knob.name, knob.default.of(Program::Sharer))];
            read(Program::Sharer, &set).unwrap_or_else(|wrong| panic!("{}: {wrong}", knob.name));
        }
    }

    #[test]
    fn the_readme_lists_every_setting_with_its_default() {
        let readme = include_str!("../README.md");
        for knob in KNOBS {
            let row = readme.lines().find(|line| line.starts_with(&format!("| `{}` |", knob.name)));
            let row = row.unwrap_or_else(|| panic!("{} is not in the README", knob.name));
            assert!(row.contains(knob.may_be) && row.contains(knob.about), "{row}");
            for program in [Program::Sharer, Program::Server] {
                assert!(row.contains(knob.default.of(program)), "{row}");
            }
        }
    }

    #[test]
    fn urls_lose_their_last_slash_and_may_hold_no_query() {
        assert_eq!(url("https://cdn.example/x/").as_deref(), Some("https://cdn.example/x"));
        for bad in ["cdn.example", "http://", "ftp://x", "http://x/?a", "http://x/#a", "http://a b"] {
            assert_eq!(url(bad), None, "{bad}");
        }
    }
}
