//! SQS in its JSON protocol (AWS JSON 1.0): an action is a POST of a JSON object that names it.
//!
//! Its MD5 fields are not checked: the signature covers what we send, TLS what comes back.
//! (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/Welcome.html>)

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::client::{Client, Patience};
use super::error::Error;
use super::request::{Answer, Method, Payload, Request};

mod attributes;
mod delete;
mod queue_url;
mod receive;
mod send;
mod visibility;

pub use attributes::{Attributes, DeadLetters};
pub use delete::{BATCH, NotDeleted};
pub use queue_url::region_of;
pub use receive::{LONGEST_WAIT, Message, Receive};
pub use send::{Attribute, Send};

/// For actions that are answered at once.
const BRIEF: Patience = Patience::brief(Duration::from_secs(15), 256 * 1024);

/// The service.
pub struct Sqs {
    client: Client,
    url: String,
}

impl Sqs {
    /// The service at `url`, without a slash at its end.
    pub fn new(client: Client, url: String) -> Sqs {
        Sqs { client, url }
    }

    fn act<I: Serialize, O: DeserializeOwned>(
        &self,
        action: &str,
        input: &I,
        patience: &Patience,
    ) -> Result<O, Error> {
        let body = serde_json::to_vec(input).map_err(|e| Error::Configuration(format!("{action}: {e}")))?;
        let request = Request {
            method: Method::Post,
            url: format!("{}/", self.url),
            headers: vec![
                ("content-type", "application/x-amz-json-1.0".to_owned()),
                ("x-amz-target", format!("AmazonSQS.{action}")),
            ],
            body: Payload::bytes(&body),
            answer: Answer::Document,
        };
        let response = self.client.call(&request, patience)?;
        // An action without a result is answered with `{}` or with nothing.
        let output = if response.body.is_empty() { b"{}" } else { response.body.as_slice() };
        serde_json::from_slice(output).map_err(|e| Error::Unexpected(format!("{action}: {e}")))
    }
}

/// The result of an action that has none.
#[derive(serde::Deserialize)]
struct Nothing {}

/// Whole seconds, rounded up: SQS knows no others, and a message must not come back early.
fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests;
