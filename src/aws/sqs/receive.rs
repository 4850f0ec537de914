//! ReceiveMessage: takes messages, waiting for the first (a long poll).
//!
//! (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html>)

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Sqs, seconds};
use crate::aws::client::Patience;
use crate::aws::error::Error;

/// Longest wait for a first message.
pub const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// What an answer may take beyond the wait.
const GRACE: Duration = Duration::from_secs(10);

/// Longest answer, in bytes: what SQS returns at once is at most 1 MiB, escaped maybe sixfold.
const MAX_ANSWER: u64 = 8 << 20;

/// What is to be received.
#[derive(Clone, Copy, Debug)]
pub struct Receive<'a> {
    /// URL of the queue.
    pub queue_url: &'a str,
    /// Most messages, 1 to 10.
    pub max: usize,
    /// How long they are hidden from others.
    pub visibility: Duration,
    /// How long to wait for a first, at most [`LONGEST_WAIT`].
    pub wait: Duration,
    /// Names of the messages' own attributes that are wanted.
    pub attributes: &'a [&'a str],
}

/// A message that was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// SQS's name for it.
    pub id: String,
    /// Its text.
    pub body: String,
    /// What it is deleted or hidden by.
    pub receipt: String,
    /// How often it was received, this time included.
    pub receives: u32,
    /// When it was sent, in milliseconds since 1970 (UTC).
    pub sent: u64,
    /// Those of its own attributes that were wanted, where they are text.
    pub attributes: BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Input<'a> {
    queue_url: &'a str,
    max_number_of_messages: usize,
    visibility_timeout: u64,
    wait_time_seconds: u64,
    message_system_attribute_names: [&'static str; 2],
    // The older name of the same field, for servers that know no other.
    attribute_names: [&'static str; 2],
    #[serde(skip_serializing_if = "<[&str]>::is_empty")]
    message_attribute_names: &'a [&'a str],
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    // Absent or null where there are none.
    messages: Option<Vec<Received>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Received {
    message_id: String,
    body: String,
    receipt_handle: String,
    attributes: Known,
    // Absent or null where there are none.
    message_attributes: Option<BTreeMap<String, Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Value {
    string_value: Option<String>,
}

/// SQS writes numbers as text.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Known {
    approximate_receive_count: String,
    sent_timestamp: String,
}

impl Sqs {
    /// Takes messages; none if none came in time.
    ///
    /// # Errors
    /// What kept it from looking.
    pub fn receive(&self, receive: Receive<'_>) -> Result<Vec<Message>, Error> {
        const ATTRIBUTES: [&str; 2] = ["ApproximateReceiveCount", "SentTimestamp"];
        let wait = receive.wait.min(LONGEST_WAIT);
        let input = Input {
            queue_url: receive.queue_url,
            max_number_of_messages: receive.max.clamp(1, 10),
            visibility_timeout: seconds(receive.visibility),
            wait_time_seconds: seconds(wait),
            message_system_attribute_names: ATTRIBUTES,
            attribute_names: ATTRIBUTES,
            message_attribute_names: receive.attributes,
        };
        let mut patience = Patience::brief(wait + GRACE, MAX_ANSWER);
        patience.limits.answer = wait + GRACE;
        let output: Output = self.act("ReceiveMessage", &input, &patience)?;
        output.messages.unwrap_or_default().into_iter().map(Message::try_from).collect()
    }
}

impl TryFrom<Received> for Message {
    type Error = Error;

    fn try_from(received: Received) -> Result<Message, Error> {
        let wrong = |what| Error::Unexpected(format!("ReceiveMessage: {what} is no number"));
        let Known { approximate_receive_count, sent_timestamp } = received.attributes;
        let text = |(name, value): (String, Value)| Some((name, value.string_value?));
        let attributes = received.message_attributes.unwrap_or_default();
        Ok(Message {
            id: received.message_id,
            body: received.body,
            receipt: received.receipt_handle,
            receives: approximate_receive_count.parse().map_err(|_| wrong("ApproximateReceiveCount"))?,
            sent: sent_timestamp.parse().map_err(|_| wrong("SentTimestamp"))?,
            attributes: attributes.into_iter().filter_map(text).collect(),
        })
    }
}
