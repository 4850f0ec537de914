//! The table of settings: what `--help` prints and what [`super::Settings::read`] goes by.

use super::Program;

/// One setting.
pub struct Knob {
    /// The environment variable.
    pub name: &'static str,
    /// What holds when it is not set.
    pub default: Default,
    /// What it may be, with unit and range.
    pub may_be: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// Who reads it.
    pub readers: Readers,
}

/// A setting's default, as it would be written in the environment; empty for none.
pub enum Default {
    /// The same for all programs.
    All(&'static str),
    /// One for `image-sharer`, another for the fleet.
    Sharer(&'static str, &'static str),
    /// Found out at start; says how.
    Found(&'static str),
}

impl Default {
    /// The default's text for `program`; empty where there is none, or where it is found out.
    pub fn of(&self, program: Program) -> &'static str {
        match (self, program) {
            (Default::All(text), _) | (Default::Sharer(text, _), Program::Sharer) => text,
            (Default::Sharer(_, text), _) => text,
            (Default::Found(_), _) => "",
        }
    }

    /// The default in words, for people.
    pub fn shown(&self, program: Program) -> &'static str {
        match self {
            Default::Found(how) => how,
            other if other.of(program).is_empty() => "none",
            other => other.of(program),
        }
    }
}

/// Which programs read a setting.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// All three.
    All,
    /// Those that serve.
    Serving,
    /// Those that work.
    Working,
    /// `image-sharer` alone.
    SharerAlone,
}

impl Knob {
    /// Whether `program` reads this setting.
    pub fn is_read_by(&self, program: Program) -> bool {
        match self.readers {
            Readers::All => true,
            Readers::Serving => program.serves(),
            Readers::Working => program.works(),
            Readers::SharerAlone => program == Program::Sharer,
        }
    }
}

macro_rules! knobs {
    ($($id:ident, $name:literal, $readers:ident, $default:expr, $may_be:literal, $about:literal;)*) => {
        $(pub(super) const $id: Knob = Knob {
            name: $name,
            default: $default,
            may_be: $may_be,
            about: $about,
            readers: Readers::$readers,
        };)*
        /// All settings, in the order in which `--help` shows them.
        pub const KNOBS: &[Knob] = &[$($id),*];
    };
}

use Default::{All, Found, Sharer};

knobs! {
    LISTEN, "SHARER_LISTEN", Serving, Sharer("127.0.0.1:8080", "0.0.0.0:80"),
        "address:port", "where the service listens";
    DATA, "SHARER_DATA", SharerAlone, All("./data"),
        "a folder", "where objects and queue are kept";
    STORE, "SHARER_STORE", All, Found("image-sharer: dir:$SHARER_DATA/objects; else none, must be set"),
        "dir:PATH, s3://BUCKET or s3://BUCKET/PREFIX", "where objects are kept";
    QUEUE, "SHARER_QUEUE", All, Found("image-sharer: dir:$SHARER_DATA/queue; else none, must be set"),
        "dir:PATH, sqs://NAME or the queue's URL", "where jobs wait";
    PUBLIC_URL, "SHARER_PUBLIC_URL", Serving, Found("the server's own /o, or the bucket's address"),
        "an http:// or https:// URL without query", "what object URLs start with";
    PAGE_URL, "SHARER_PAGE_URL", Serving, Found("scheme and Host of the request"),
        "an http:// or https:// URL without query", "what page URLs start with";
    MAX_UPLOAD_BYTES, "SHARER_MAX_UPLOAD_BYTES", All, All("67108864"),
        "bytes, 1 to 5368709120", "largest upload";
    MAX_PIXELS, "SHARER_MAX_PIXELS", All, All("220000000"),
        "pixels, 1 to 4294967295", "largest image, width × height";
    MAX_CONNECTIONS, "SHARER_MAX_CONNECTIONS", Serving, All("1024"),
        "connections, 4 to 65536", "connections in all; a quarter of it from one address";
    HEAD_SECONDS, "SHARER_HEAD_SECONDS", Serving, All("10"),
        "seconds, 1 to 600", "how long a request's head may take";
    IDLE_SECONDS, "SHARER_IDLE_SECONDS", Serving, All("30"),
        "seconds, 1 to 3600", "how long a connection may be idle";
    MIN_RATE, "SHARER_MIN_RATE", Serving, All("8192"),
        "bytes a second, 1 to 1073741824", "least rate of a body, after 10 seconds";
    BODY_MEMORY_MB, "SHARER_BODY_MEMORY_MB", Serving, All("64"),
        "MiB, 1 to 1048576", "what all bodies in memory may hold together";
    SPOOL, "SHARER_SPOOL", Serving, Found("the system's temporary folder"),
        "a folder", "where bodies beyond that go, as unlinked files";
    TRUSTED_PROXIES, "SHARER_TRUSTED_PROXIES", Serving, All(""),
        "addresses or networks with commas between: 10.0.0.0/8,192.0.2.1",
        "whose X-Forwarded-For and -Proto are believed";
    UPLOAD_TOKEN, "SHARER_UPLOAD_TOKEN", Serving, All(""),
        "16 to 512 printable characters without spaces", "what an upload must show as its bearer token";
    RATE, "SHARER_RATE", Serving, All(""),
        "uploads a minute and how many of them at once, as in 60/20; each 1 to 60000",
        "how many uploads one client may begin (an IPv6 /64 is one); more are answered 429";
    METRIC_NAMESPACE, "SHARER_METRIC_NAMESPACE", Serving, All(""),
        "1 to 255 letters, digits and ._-/#, not beginning with AWS/; with a queue in SQS",
        "the CloudWatch namespace that is told the queue's backlog every 10 seconds";
    METRIC_GROUP, "SHARER_METRIC_GROUP", Serving, All(""),
        "an Auto Scaling group's name", "whose machines in service are told beside it";
    CORS_ORIGINS, "SHARER_CORS_ORIGINS", Serving, All(""),
        "origins with commas between: https://a.example,http://localhost:3000; or *",
        "origins whose pages may upload";
    DEFAULT_EXPIRY, "SHARER_DEFAULT_EXPIRY", Serving, All(""),
        "seconds, 1 to 2678400 (31 days)", "how long uploads are kept that don't say (`expires`); none: for ever";
    CDN_DISTRIBUTION, "SHARER_CDN_DISTRIBUTION", Serving, All(""),
        "a CloudFront distribution's id", "the CDN that is asked to forget what is deleted";
    JOBS, "SHARER_JOBS", Working, Found("number of cores"),
        "images, 1 to 1024", "images worked on at once";
    MEMORY_MB, "SHARER_MEMORY_MB", Working, Found("half of the machine's memory"),
        "MiB, 64 to 16777216", "what all jobs in flight may hold together";
    JOB_SECONDS, "SHARER_JOB_SECONDS", Working, All("120"),
        "seconds, 1 to 43200", "how long one job may take";
    EFFORT, "SHARER_EFFORT", Working, All("small"),
        "fast or small", "whether thumbnails are to be made fast or to be of fewer bytes";
    VISIBILITY_SECONDS, "SHARER_VISIBILITY_SECONDS", Working, All("60"),
        "seconds, 1 to 43200", "visibility time-out of a received message";
    MAX_RECEIVES, "SHARER_MAX_RECEIVES", Working, All("10"),
        "times, 1 to 1000", "a directory queue's message received more often is a dead letter";
    METRICS_LISTEN, "SHARER_METRICS_LISTEN", All,
        Found("image-server: 127.0.0.1:9090 if that is free; else off"),
        "address:port, or off", "where GET /metrics answers, in Prometheus's format";
    LOG, "SHARER_LOG", All, All("info"),
        "error, warn, info or debug", "what is logged";
    LOG_FORMAT, "SHARER_LOG_FORMAT", All, All("logfmt"),
        "logfmt or json", "in which form";
}
