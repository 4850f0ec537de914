//! SendMessage: adds a message, maybe with attributes.
//!
//! (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>)

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{BRIEF, Sqs};
use crate::aws::error::Error;

/// Most bytes of one attribute's value: attributes count towards the message's size.
const MAX_ATTRIBUTE: usize = 1024;

/// A message to send.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Send<'a> {
    /// URL of the queue.
    pub queue_url: &'a str,
    /// Its text.
    pub message_body: &'a str,
    /// Its attributes by name, at most 10.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub message_attributes: BTreeMap<&'a str, Attribute>,
}

/// An attribute's value.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attribute {
    data_type: &'static str,
    string_value: String,
}

impl Attribute {
    /// A text, with what SQS does not admit replaced and at most 1 KiB of it; `None` for an empty
    /// text, which SQS does not admit either.
    pub fn text(text: &str) -> Option<Attribute> {
        let admitted = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
        let mut value: String = text.chars().map(|c| if admitted(c) { c } else { '\u{fffd}' }).collect();
        while value.len() > MAX_ATTRIBUTE {
            value.pop();
        }
        (!value.is_empty()).then_some(Attribute { data_type: "String", string_value: value })
    }
}

impl Sqs {
    /// Adds a message. One whose answer was lost is sent again: it may then be there twice.
    ///
    /// # Errors
    /// What kept it from being added.
    pub fn send(&self, send: &Send<'_>) -> Result<(), Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Sent {
            // Its presence tells SQS's answer from a stranger's.
            #[serde(rename = "MessageId")]
            _message_id: String,
        }
        self.act::<_, Sent>("SendMessage", send, &BRIEF).map(drop)
    }
}
