//! A queue in SQS, or in what speaks SQS.
//!
//! The queue's URL and that of its dead letters are found out at first use. A message received too
//! often is moved there by SQS itself (the redrive policy); one that a worker gives up, by us.
//!
//! On a standard queue, SQS may accept a receipt that is void, and then does nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use super::{Cause, Delivery, Depth, Error, Queue, Receipt};
use crate::aws::sqs::{Attribute, BATCH, NotDeleted, Receive, Send, Sqs};
use crate::aws::{self, Aws};

mod operate;

/// Which queue: `sqs://NAME`, or its URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// By its name, in the account that we are in.
    Name(String),
    /// By its URL.
    Url(String),
}

impl Address {
    /// Reads an address; `None` if it is of another form.
    pub fn parse(text: &str) -> Option<Address> {
        let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if let Some(name) = text.strip_prefix("sqs://") {
            // No .fifo queue: its messages would be handled in groups, one after the other.
            let well_formed = (1..=80).contains(&name.len()) && name.bytes().all(inner);
            return well_formed.then(|| Address::Name(name.to_owned()));
        }
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
        let plain = |b: u8| inner(b) || b".:/[]".contains(&b);
        let well_formed =
            rest.split_once('/').is_some_and(|(host, path)| !host.is_empty() && !path.is_empty());
        (well_formed && rest.bytes().all(plain)).then(|| Address::Url(text.to_owned()))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Name(name) => write!(f, "sqs://{name}"),
            Address::Url(url) => f.write_str(url),
        }
    }
}

/// A queue in SQS.
pub struct SqsQueue {
    sqs: Sqs,
    address: Address,
    url: OnceLock<String>,
    dead_letters: OnceLock<String>,
}

/// How long a message is held while it is moved to the dead letters.
const MOVING: Duration = Duration::from_secs(60);

impl SqsQueue {
    /// The queue at `address`. Nothing is sent yet.
    ///
    /// # Errors
    /// When the endpoint can't be used.
    pub fn open(aws: &Aws, address: Address) -> Result<SqsQueue, aws::Error> {
        let sqs = match &address {
            Address::Name(_) => aws.sqs(None)?,
            Address::Url(url) => aws.sqs(Some(url))?,
        };
        Ok(SqsQueue::new(sqs, address))
    }

    /// The queue at `address` through `sqs`.
    pub fn new(sqs: Sqs, address: Address) -> SqsQueue {
        SqsQueue { sqs, address, url: OnceLock::new(), dead_letters: OnceLock::new() }
    }

    fn url(&self) -> Result<&str, Error> {
        if let Some(url) = self.url.get() {
            return Ok(url);
        }
        let url = match &self.address {
            Address::Url(url) => url.clone(),
            Address::Name(name) => {
                self.sqs.queue_url(name, None).map_err(|error| self.error(&error, "sqs:GetQueueUrl"))?
            }
        };
        // Where two threads asked, both got the same.
        Ok(self.url.get_or_init(|| url))
    }

    /// URL of the queue for dead letters.
    fn dead_letters(&self) -> Result<&str, Error> {
        if let Some(url) = self.dead_letters.get() {
            return Ok(url);
        }
        let dead = self.attributes()?.dead_letters.ok_or_else(|| {
            Error::unavailable(format!(
                "{} has no queue for dead letters: give it a RedrivePolicy",
                self.address
            ))
        })?;
        let url = self.sqs.queue_url(&dead.queue, Some(&dead.account));
        let url = url.map_err(|error| self.error_of_dead_letters(&error, "sqs:GetQueueUrl"))?;
        Ok(self.dead_letters.get_or_init(|| url))
    }

    fn attributes(&self) -> Result<aws::sqs::Attributes, Error> {
        self.sqs.attributes(self.url()?).map_err(|error| self.error(&error, "sqs:GetQueueAttributes"))
    }

    /// What an error of SQS means to a caller who tried to do what needs `permission`.
    fn error(&self, error: &aws::Error, permission: &str) -> Error {
        self.error_on(error, permission, &self.address.to_string())
    }

    fn error_of_dead_letters(&self, error: &aws::Error, permission: &str) -> Error {
        self.error_on(error, permission, &format!("the dead letters' queue of {}", self.address))
    }

    fn error_on(&self, error: &aws::Error, permission: &str, queue: &str) -> Error {
        let gone =
            error.refused("QueueDoesNotExist").or(error.refused("AWS.SimpleQueueService.NonExistentQueue"));
        if error.is_void() {
            Error::ReceiptVoid
        } else if gone.is_some() {
            Error::unavailable(format!(
                "{queue} is not there, or {permission} on it is not granted ({error})"
            ))
        } else if let Some(advice) = error.forbidden(permission, queue) {
            Error::Forbidden(advice)
        } else {
            Error::unavailable(error.to_string())
        }
    }

    fn delete_batch(&self, receipts: &[Receipt]) -> Vec<Result<(), Error>> {
        let texts: Vec<&str> = receipts.iter().map(|receipt| receipt.0.as_str()).collect();
        let deleted = self.url().map(|url| self.sqs.delete(url, &texts));
        let outcome = |outcome| match outcome {
            Ok(()) => Ok(()),
            Err(NotDeleted::Void) => Err(Error::ReceiptVoid),
            Err(NotDeleted::Failed(why)) => Err(Error::Unavailable(why)),
        };
        match deleted {
            Ok(Ok(outcomes)) => outcomes.into_iter().map(outcome).collect(),
            Ok(Err(error)) => receipts.iter().map(|_| Err(self.error(&error, "sqs:DeleteMessage"))).collect(),
            Err(error) => receipts.iter().map(|_| Err(Error::unavailable(error.to_string()))).collect(),
        }
    }
}

impl Queue for SqsQueue {
    fn send(&self, body: &str) -> Result<(), Error> {
        let send = Send { queue_url: self.url()?, message_body: body, message_attributes: BTreeMap::new() };
        self.sqs.send(&send).map_err(|error| self.error(&error, "sqs:SendMessage"))
    }

    fn receive(&self, max: usize, visibility: Duration, wait: Duration) -> Result<Vec<Delivery>, Error> {
        let receive = Receive { queue_url: self.url()?, max, visibility, wait, attributes: &[] };
        let messages = self.sqs.receive(receive).map_err(|error| self.error(&error, "sqs:ReceiveMessage"))?;
        let delivery = |message: aws::sqs::Message| Delivery {
            body: message.body,
            receipt: Receipt(message.receipt),
            receives: message.receives,
            sent: message.sent,
        };
        Ok(messages.into_iter().map(delivery).collect())
    }

    fn change_visibility(&self, receipt: &Receipt, visibility: Duration) -> Result<(), Error> {
        self.sqs
            .change_visibility(self.url()?, &receipt.0, visibility)
            .map_err(|error| self.error(&error, "sqs:ChangeMessageVisibility"))
    }

    fn delete(&self, receipts: &[Receipt]) -> Vec<Result<(), Error>> {
        receipts.chunks(BATCH).flat_map(|batch| self.delete_batch(batch)).collect()
    }

    /// Sends it first and deletes it then: in between it may be in both, never in neither.
    fn bury(&self, delivery: &Delivery, cause: &Cause) -> Result<(), Error> {
        let dead_letters = self.dead_letters()?;
        // One that is another's by now is for the other to bury.
        self.change_visibility(&delivery.receipt, MOVING)?;
        let attributes = [("cause", &cause.cause), ("program", &cause.program), ("host", &cause.host)];
        let attributes =
            attributes.into_iter().filter_map(|(name, text)| Some((name, Attribute::text(text)?)));
        let send = Send {
            queue_url: dead_letters,
            message_body: &delivery.body,
            message_attributes: attributes.collect(),
        };
        self.sqs.send(&send).map_err(|error| self.error_of_dead_letters(&error, "sqs:SendMessage"))?;
        self.delete_batch(std::slice::from_ref(&delivery.receipt)).pop().unwrap_or(Ok(()))
    }

    fn depth(&self) -> Result<Depth, Error> {
        let own = self.attributes()?;
        let dead = match own.dead_letters {
            Some(_) => {
                let dead = self.sqs.attributes(self.dead_letters()?);
                let dead =
                    dead.map_err(|error| self.error_of_dead_letters(&error, "sqs:GetQueueAttributes"))?;
                dead.visible + dead.in_flight
            }
            None => 0,
        };
        // The age of the oldest message is known to CloudWatch alone.
        Ok(Depth { waiting: own.visible, in_flight: own.in_flight + own.delayed, oldest: None, dead })
    }

    fn check(&self) -> Result<(), Error> {
        self.attributes().map(drop)
    }

    fn describe(&self) -> String {
        self.address.to_string()
    }
}

#[cfg(test)]
mod tests;
