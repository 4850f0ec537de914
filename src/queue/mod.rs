//! Where jobs wait: messages from servers to workers, delivered at least once.
//!
//! One trait with two real implementations, a directory and SQS, and one in memory for unit tests.
//! All pass the one suite in [`conformance`]. The words are SQS's: a received message is invisible
//! to others until its visibility time-out ends; one received too often is a dead letter.

use std::fmt;
use std::time::Duration;

pub mod conformance;
pub mod directory;
pub mod letters;
pub mod memory;
pub mod sqs;

/// Most messages that one [`Queue::receive`] returns (SQS's own limit).
pub const MAX_BATCH: usize = 10;

/// One delivery of a message to one receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The message's text, as it was sent.
    pub body: String,
    /// What this receiver deletes or extends it by.
    pub receipt: Receipt,
    /// How often it was received, this time included.
    pub receives: u32,
    /// When it was sent, in milliseconds since 1970 (UTC).
    pub sent: u64,
}

/// One receiver's hold on a message. Void once its visibility time-out has ended and another
/// receiver has taken the message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Receipt(pub String);

/// How full a queue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    /// Messages that could be received now.
    pub waiting: u64,
    /// Messages in some receiver's hands, or released with a delay.
    pub in_flight: u64,
    /// Age of the oldest waiting message, if the queue knows it.
    pub oldest: Option<Duration>,
    /// Messages among the dead letters.
    pub dead: u64,
}

/// Why a message was given up by a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// One sentence.
    pub cause: String,
    /// Program and version that gave it up: `image-worker 0.1.0`.
    pub program: String,
    /// Host that it ran on.
    pub host: String,
}

/// A queue of messages. Safe to use from any number of threads and, where real, processes at once.
pub trait Queue: Send + Sync {
    /// Adds a message; it is durable when this returns `Ok`.
    ///
    /// # Errors
    /// What kept it from being added.
    fn send(&self, body: &str) -> Result<(), Error>;

    /// Takes up to `max` (at most [`MAX_BATCH`]) messages and hides them for `visibility`. Waits up
    /// to `wait` for the first; returns none if none came.
    ///
    /// # Errors
    /// What kept it from looking.
    fn receive(&self, max: usize, visibility: Duration, wait: Duration) -> Result<Vec<Delivery>, Error>;

    /// Hides a held message for `visibility` from now; zero gives it back at once.
    ///
    /// # Errors
    /// [`Error::ReceiptVoid`] if it is held no more.
    fn change_visibility(&self, receipt: &Receipt, visibility: Duration) -> Result<(), Error>;

    /// Deletes held messages, done with. One result a receipt, in their order.
    fn delete(&self, receipts: &[Receipt]) -> Vec<Result<(), Error>>;

    /// Puts a held message among the dead letters with its cause, and deletes it from the queue.
    ///
    /// # Errors
    /// [`Error::ReceiptVoid`] if it is held no more; else what kept it from being moved: it is
    /// then still in the queue.
    fn bury(&self, delivery: &Delivery, cause: &Cause) -> Result<(), Error>;

    /// How full it is.
    ///
    /// # Errors
    /// What kept it from counting.
    fn depth(&self) -> Result<Depth, Error>;

    /// Whether the queue can be reached and used, found out by trying.
    ///
    /// # Errors
    /// What stands in the way, with what to do about it.
    fn check(&self) -> Result<(), Error>;

    /// Where it is, for people: `directory ./data/queue`, `sqs://name`.
    fn describe(&self) -> String;
}

/// What can go wrong between a program and its queue.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The receipt's time-out ended and the message is another's, or deleted.
    ReceiptVoid,
    /// The queue answers, and refuses us this action: a wrong key, a missing permission.
    Forbidden(String),
    /// The queue does not answer, or fails, or can't be written. Trying again later may work.
    Unavailable(String),
}

impl Error {
    /// An [`Error::Unavailable`] with its cause.
    pub fn unavailable(cause: impl Into<String>) -> Error {
        Error::Unavailable(cause.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::ReceiptVoid => f.write_str("the message is held no more"),
            Error::Forbidden(cause) => write!(f, "the queue refuses: {cause}"),
            Error::Unavailable(cause) => write!(f, "the queue is not available: {cause}"),
        }
    }
}

impl std::error::Error for Error {}
