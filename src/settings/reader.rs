//! Reads all settings from the environment, so that one start shows all that is wrong.

use std::path::PathBuf;

use super::knobs::*;
use super::parse::*;
use super::{Program, QueueAddress, Settings, StoreAddress};
use crate::image::Effort;
use crate::observe::log::{Format, Level};
use crate::upload::Lifetime;
use crate::web::Origins;

/// Least visibility time-out with SQS, in seconds: SQS counts in whole seconds, and a call takes its time.
const LEAST_SQS_VISIBILITY: u64 = 2;

/// Reads settings one by one and remembers what was wrong.
pub(super) struct Reader<'a> {
    pub(super) program: Program,
    pub(super) environment: &'a dyn Fn(&str) -> Option<String>,
    pub(super) wrong: Vec<String>,
}

impl Reader<'_> {
    pub(super) fn all(&mut self) -> Option<Settings> {
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
        let memory = self.optional(&MEMORY_MB, megabytes(64..=1 << 24)).unwrap_or_else(half_the_memory);
        let job_time = self.required(&JOB_SECONDS, seconds(1..=43_200));
        let effort = self.required(&EFFORT, Effort::parse);
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
            effort: effort?,
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
    pub(super) fn check_metrics(&mut self, settings: &Settings) {
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
    pub(super) fn check_times(&mut self, settings: &Settings) {
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
