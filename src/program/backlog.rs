//! Tells CloudWatch every 10 seconds how many messages wait for each worker.
//!
//! A server tells it, and not a worker: there may be no worker, and there are few servers. All servers
//! tell the same figures of the whole fleet, so that the average over a period is right however many tell
//! it; what is scaled by it is the template's affair (deploy/template.yaml). The queue's own metrics come
//! once a minute, and the group's with them.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use log::{info, warn};

use crate::aws::autoscaling::AutoScaling;
use crate::aws::cloudwatch::{CloudWatch, Figure};
use crate::queue::Queue;
use crate::stop::Stop;

/// The period of alarms and policies that go by the figures.
const PERIOD: Duration = Duration::from_secs(10);

/// Messages that nobody has in hand.
pub const WAITING: &str = "MessagesWaiting";

/// Machines of the workers' group that are in service.
pub const WORKERS: &str = "WorkersInService";

/// AWS's own formula: messages that could be received, divided by machines in service. Those in hand are not
/// counted: more workers would not finish them sooner.
/// (<https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-using-sqs-queue.html>)
pub const EACH: &str = "BacklogPerWorker";

/// What is told, and where.
pub struct Backlog {
    queue: Arc<dyn Queue>,
    cloudwatch: CloudWatch,
    namespace: String,
    group: Option<(AutoScaling, String)>,
}

/// What was told.
#[derive(Debug, PartialEq, Eq)]
pub struct Told {
    namespace: String,
    waiting: u64,
    workers: Option<u64>,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: told {} waiting", self.namespace, self.waiting)?;
        self.workers.map_or(Ok(()), |workers| write!(f, ", {workers} workers in service"))
    }
}

impl Backlog {
    /// The backlog of `queue`, told in `namespace`, with the machines of a group beside it.
    pub fn new(
        queue: Arc<dyn Queue>,
        cloudwatch: CloudWatch,
        namespace: String,
        group: Option<(AutoScaling, String)>,
    ) -> Backlog {
        Backlog { queue, cloudwatch, namespace, group }
    }

    /// Tells it on a thread of its own until `stop` is set.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn tell(self, stop: &Stop) -> Result<(), String> {
        let stop = stop.clone();
        let thread =
            std::thread::Builder::new().name("backlog".to_owned()).spawn(move || self.tell_until(&stop));
        thread.map(drop).map_err(|e| format!("no thread to tell the backlog: {e}"))
    }

    fn tell_until(&self, stop: &Stop) {
        info!(namespace = self.namespace.as_str(); "telling CloudWatch the backlog");
        let mut failing = false;
        while !stop.sleep(until_the_middle(SystemTime::now())) {
            let outcome = self.tell_once();
            match &outcome {
                Ok(_) if failing => info!("CloudWatch is told the backlog again"),
                Ok(_) => {}
                // At each failure: without the figures nothing scales.
                Err(error) => warn!(error:%; "CloudWatch is not told the backlog"),
            }
            failing = outcome.is_err();
        }
    }

    /// Tells it once. A figure that is not known is not told: none is better than a wrong one, and the
    /// template has an alarm for none.
    ///
    /// # Errors
    /// What kept it from being told, with the permission that lacks.
    pub fn tell_once(&self) -> Result<Told, String> {
        let waiting = self.queue.depth().map_err(|error| error.to_string())?.waiting;
        let counted = self.group.as_ref().map(|(autoscaling, group)| {
            autoscaling.in_service(group).map_err(|error| {
                let advice = error.forbidden("autoscaling:DescribeAutoScalingGroups", "*");
                format!("Auto Scaling group {group}: {}", advice.unwrap_or_else(|| error.to_string()))
            })
        });
        let workers = counted.as_ref().and_then(|counted| counted.as_ref().ok().copied());
        self.cloudwatch.put(&self.namespace, &figures(waiting, workers)).map_err(|error| {
            let advice = error.forbidden("cloudwatch:PutMetricData", &self.namespace);
            format!("CloudWatch: {}", advice.unwrap_or_else(|| error.to_string()))
        })?;
        match counted {
            Some(Err(error)) => Err(error),
            _ => Ok(Told { namespace: self.namespace.clone(), waiting, workers }),
        }
    }
}

/// Without a worker, the whole backlog is one's that does not exist yet.
fn figures(waiting: u64, workers: Option<u64>) -> Vec<Figure> {
    let mut figures = vec![Figure { name: WAITING, count: waiting as f64 }];
    if let Some(workers) = workers {
        figures.push(Figure { name: WORKERS, count: workers as f64 });
        figures.push(Figure { name: EACH, count: waiting as f64 / workers.max(1) as f64 });
    }
    figures
}

/// Time until the middle of a period, by the clock that all servers share: each tells once in each period,
/// and a clock that is a little off puts nothing into the next one.
fn until_the_middle(now: SystemTime) -> Duration {
    let period = PERIOD.as_nanos();
    let into = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() % period;
    let wait = (period / 2 + period - into) % period;
    // Less than a period: it fits. Never nothing, or one middle would be told twice.
    Duration::from_nanos(if wait == 0 { period } else { wait } as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::client::Client;
    use crate::aws::sign::Style;
    use crate::aws::testing::{ManualClock, Script, answer, at, parts};
    use crate::queue::memory::MemoryQueue;

    const GROUP: &str = "<R><DescribeAutoScalingGroupsResult><AutoScalingGroups><member><Instances>\
        <member><LifecycleState>InService</LifecycleState></member></Instances></member></AutoScalingGroups>\
        </DescribeAutoScalingGroupsResult></R>";

    /// Tells of three messages; the group's answer and CloudWatch's are these.
    fn told(group: Option<(u16, &str)>, put: (u16, &str)) -> (Result<Told, String>, String) {
        let answers: Vec<_> = group.into_iter().chain([put]).collect();
        let script = match answers[..] {
            [(a, b), (c, d)] => Script::of([answer(a, &[], b), answer(c, &[], d)]),
            _ => Script::of([answer(put.0, &[], put.1)]),
        };
        let client = |service| {
            Client::new(parts(&script, &ManualClock::at(at(0))), service, Style::Standard, "eu-west-1")
        };
        let queue = Arc::new(MemoryQueue::default());
        for _ in 0..3 {
            queue.send("job").unwrap();
        }
        let cloudwatch = CloudWatch::new(client("monitoring"), "https://cw.test".to_owned());
        let autoscaling = AutoScaling::new(client("autoscaling"), "https://as.test".to_owned());
        let group = group.map(|_| (autoscaling, "workers".to_owned()));
        let outcome = Backlog::new(queue, cloudwatch, "sharer/a".to_owned(), group).tell_once();
        (outcome, script.seen().last().unwrap().body.clone())
    }

    #[test]
    fn messages_and_workers_are_told_together() {
        let (outcome, body) = told(Some((200, GROUP)), (200, "{}"));
        let expected = Told { namespace: "sharer/a".to_owned(), waiting: 3, workers: Some(1) };
        assert_eq!(outcome.unwrap(), expected);
        assert!(body.contains(r#""MetricName":"MessagesWaiting","Value":3.0"#), "{body}");
        assert!(body.contains(r#""MetricName":"WorkersInService","Value":1.0"#), "{body}");
        assert!(body.contains(r#""MetricName":"BacklogPerWorker","Value":3.0"#), "{body}");
        assert!(!told(None, (200, "{}")).1.contains("Worker"));
    }

    #[test]
    fn the_backlog_is_shared_out_among_the_workers_there_are() {
        let each = |waiting, workers| figures(waiting, Some(workers))[2].count;
        assert_eq!([each(7, 2), each(0, 5), each(9, 1), each(9, 0)], [3.5, 0.0, 9.0, 9.0]);
        assert_eq!(figures(7, None), [Figure { name: WAITING, count: 7.0 }]);
    }

    #[test]
    fn without_the_workers_messages_are_told_and_the_permission_is_named() {
        let refusal = "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>";
        let (outcome, body) = told(Some((403, refusal)), (200, "{}"));
        assert!(outcome.unwrap_err().contains("grant autoscaling:DescribeAutoScalingGroups"));
        assert!(body.contains("MessagesWaiting") && !body.contains("WorkersInService"), "{body}");
        let refusal = r#"{"__type":"AccessDeniedException","message":"no"}"#;
        let (outcome, _) = told(Some((200, GROUP)), (403, refusal));
        assert!(outcome.unwrap_err().contains("grant cloudwatch:PutMetricData on sharer/a"));
    }

    #[test]
    fn each_period_is_told_of_in_its_middle() {
        let wait = |millis| until_the_middle(UNIX_EPOCH + Duration::from_millis(millis)).as_millis();
        assert_eq!([0, 4_999, 5_000, 5_001, 9_999].map(wait), [5_000, 1, 10_000, 9_999, 5_001]);
    }
}
