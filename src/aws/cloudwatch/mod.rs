//! CloudWatch in its JSON protocol (AWS JSON 1.0), of which one action is used.
//!
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/Welcome.html>)

use std::time::Duration;

use super::client::{Client, Patience};

mod put_metric_data;

pub use put_metric_data::{Figure, RESOLUTION};

/// The answer is empty. A figure that is later than this is of no use to anybody.
const BRIEF: Patience = Patience::brief(Duration::from_secs(8), 16 * 1024);

/// The service.
pub struct CloudWatch {
    client: Client,
    url: String,
}

impl CloudWatch {
    /// The service at `url`, without a slash at its end.
    pub fn new(client: Client, url: String) -> CloudWatch {
        CloudWatch { client, url }
    }
}

#[cfg(test)]
mod tests;
