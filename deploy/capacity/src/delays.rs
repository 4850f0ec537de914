//! How long the cloud takes: each delay in seconds, with the page that says so, or the reason why it is
//! assumed. It leaves to `prices` what things cost.

/// From a request to S3 to its answer, at least and at most: "roughly 100–200 milliseconds" for small
/// objects and for the first byte of larger ones. It is often less; this is what is published.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html>
pub const S3_REQUEST: (f64, f64) = (0.1, 0.2);

/// Megabytes a second of one connection to S3: "one concurrent request for each 85–90 MB/s".
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance-design-patterns.html>
pub const S3_MEGABYTES: f64 = 85.0;

/// From a request to SQS to its answer: "tens or low hundreds of milliseconds".
/// <https://aws.amazon.com/sqs/faqs/>
pub const SQS_REQUEST: (f64, f64) = (0.01, 0.1);

/// Processor time of a job's requests: what image-worker used beside the thumbnails themselves, 2.1 ms with
/// pictures of 1 MP and 5.2 ms with such of 12 MP, on an S3 and SQS peer without TLS; and 1 ms for TLS.
pub const REQUESTS_CPU: f64 = 0.005;

/// How often SQS reports to CloudWatch.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/monitoring-using-cloudwatch.html>
pub const MINUTE: f64 = 60.0;

/// How often a metric of our own can be looked at: the least period of a high-resolution alarm.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/publishingMetrics.html>
pub const TEN_SECONDS: f64 = 10.0;

/// From a one-minute metric's moment to the alarm's judgement. Assumed: a period for the metric to come
/// and to be looked at. "A minute or more until a scale-up is noticed" is what operators report.
pub const MINUTE_JUDGED: f64 = 60.0;

/// The same for a ten-second metric, which we send ourselves. Assumed: a period.
pub const TEN_SECONDS_JUDGED: f64 = 10.0;

/// For how many periods target tracking waits before it grows a group: the alarms that it makes show
/// three of three. AWS does not promise it.
pub const TRACKING_DATAPOINTS: usize = 3;

/// For how long metrics must be low before a group shrinks: target tracking's alarms show fifteen
/// one-minute datapoints. AWS does not promise it either ("scales in more gradually").
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html>
pub const SHRINK_PATIENCE: f64 = 900.0;

/// Share of the machines that one shrinking takes away at most, once a minute. Assumed.
pub const SHRINK_SHARE: f64 = 0.1;

/// From the alarm to the group's request for machines. Assumed.
pub const SCALING_ACTION: (f64, f64) = (1.0, 3.0);

/// From the request for a machine to the guest's first instruction. At least: 1.5 s for RunInstances and
/// 4.9 s until "running"; <https://www.daemonology.net/blog/2021-08-12-EC2-boot-time-benchmarking.html>. At
/// most: 4.8 s and 17.8 s; <https://github.com/brevdev/ec2-coldboot-research> (January 2026).
pub const LAUNCH: (f64, f64) = (6.4, 22.6);

/// The same for a stopped machine of a warm pool: 0.8 of it, as 18.1 s are of 22.6 s in the latter.
pub const START_STOPPED: (f64, f64) = (5.1, 18.1);

/// From the guest's first instruction until our worker asks for its first message: docs/boot.md.
pub const BOOT: f64 = 0.87;

/// Until a place of the warm pool is filled again: a machine is launched, booted and stopped. Assumed.
pub const POOL_REFILL: f64 = 60.0;

/// For how long a new machine is not counted as capacity by a rule on one-minute metrics: until its own
/// figures are in them. A setting (`EstimatedInstanceWarmup`).
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-default-instance-warmup.html>
pub const WARM_UP_MINUTE: f64 = 180.0;

/// The same by a rule on ten-second metrics.
pub const WARM_UP_TEN_SECONDS: f64 = 30.0;

/// How often a group reports how many machines are in service.
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-metrics.html>
pub const GROUP_METRICS: f64 = 60.0;

/// Until a group replaces a machine that went off by itself. Assumed: health checks are periodic, and AWS
/// does not say how often.
pub const REPLACEMENT: (f64, f64) = (5.0, 60.0);

/// How long a dead worker's message stays invisible: the worker extends it to 60 s when between a third
/// and four ninths of that are gone (src/worker/lease.rs).
pub const ORPHANED: (f64, f64) = (33.0, 60.0);
