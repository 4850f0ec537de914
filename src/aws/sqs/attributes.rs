//! GetQueueAttributes: how full a queue is, and where its dead letters go.
//!
//! (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html>)

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{BRIEF, Sqs};
use crate::aws::error::Error;

/// What is known of a queue. The counts are approximate, and seconds old.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// Messages that could be received now.
    pub visible: u64,
    /// Messages in some receiver's hands.
    pub in_flight: u64,
    /// Messages that were sent with a delay.
    pub delayed: u64,
    /// Visibility time-out of a message that is received without saying one.
    pub visibility: Option<Duration>,
    /// Where its dead letters go, if it has such a place.
    pub dead_letters: Option<DeadLetters>,
}

/// A queue's redrive policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetters {
    /// Name of the queue for dead letters.
    pub queue: String,
    /// Account that it belongs to.
    pub account: String,
    /// A message received more often becomes one.
    pub max_receives: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Input<'a> {
    queue_url: &'a str,
    attribute_names: &'static [&'static str],
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    attributes: Named,
}

/// SQS writes numbers, and the redrive policy's JSON, as text.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    approximate_number_of_messages: String,
    approximate_number_of_messages_not_visible: String,
    approximate_number_of_messages_delayed: String,
    visibility_timeout: Option<String>,
    redrive_policy: Option<String>,
}

/// A number, which some tools write as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Number(u32),
    Text(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Policy {
    dead_letter_target_arn: String,
    max_receive_count: Number,
}

impl Sqs {
    /// What is known of a queue.
    ///
    /// # Errors
    /// What kept it from telling.
    pub fn attributes(&self, queue_url: &str) -> Result<Attributes, Error> {
        const NAMES: &[&str] = &[
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
            "VisibilityTimeout",
            "RedrivePolicy",
        ];
        let input = Input { queue_url, attribute_names: NAMES };
        let output: Output = self.act("GetQueueAttributes", &input, &BRIEF)?;
        let named = output.attributes;
        let number = |text: &str| {
            text.parse::<u64>()
                .map_err(|_| Error::Unexpected(format!("GetQueueAttributes: {text:?} is no number")))
        };
        Ok(Attributes {
            visible: number(&named.approximate_number_of_messages)?,
            in_flight: number(&named.approximate_number_of_messages_not_visible)?,
            delayed: number(&named.approximate_number_of_messages_delayed)?,
            visibility: named.visibility_timeout.as_deref().map(number).transpose()?.map(Duration::from_secs),
            dead_letters: named
                .redrive_policy
                .filter(|text| !text.is_empty())
                .map(|t| policy(&t))
                .transpose()?,
        })
    }
}

/// `arn:aws:sqs:<region>:<account>:<name>` and a count.
fn policy(text: &str) -> Result<DeadLetters, Error> {
    let wrong = || Error::Unexpected(format!("the queue's RedrivePolicy is {text:?}"));
    let policy: Policy = serde_json::from_str(text).map_err(|_| wrong())?;
    let parts: Vec<&str> = policy.dead_letter_target_arn.split(':').collect();
    let ["arn", _, "sqs", _, account, queue] = parts[..] else { return Err(wrong()) };
    let max_receives = match policy.max_receive_count {
        Number::Number(count) => count,
        Number::Text(text) => text.parse().map_err(|_| wrong())?,
    };
    Ok(DeadLetters { queue: queue.to_owned(), account: account.to_owned(), max_receives })
}
