//! A queue's dead letters and its flow, as an operator looks at them: messages that workers gave up,
//! with their causes, and what puts them back.

use std::time::Duration;

use super::{Cause, Error, Queue};

pub mod conformance;

/// A message that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Names it, for [`Which::One`].
    pub id: String,
    /// The message's text.
    pub body: String,
    /// Why it was given up, and by whom.
    pub cause: Cause,
    /// When it was given up, in milliseconds since 1970 (UTC). SQS tells when it was sent, where its
    /// redrive policy gave it up.
    pub since: u64,
}

/// Which dead letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one of this id.
    One(String),
    /// All that are there.
    All,
}

impl Which {
    /// Whether this letter is one of them.
    pub fn includes(&self, id: &str) -> bool {
        match self {
            Which::One(one) => one == id,
            Which::All => true,
        }
    }
}

/// What happened in a queue while it was watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Messages that came and that went, each seen. One that came and went between two looks was not.
    Seen {
        /// How many came.
        came: u64,
        /// How many went, worked on or given up.
        went: u64,
    },
    /// By how many messages it grew; that is all the queue tells.
    Grew(i64),
}

/// A queue whose dead letters can be read and put back. The operator's side of it: workers bury alone.
pub trait DeadLetters: Queue {
    /// Dead letters, at most `most`; they stay where they are.
    ///
    /// # Errors
    /// What kept them from being read, with what to do about it.
    fn letters(&self, most: usize) -> Result<Vec<Letter>, Error>;

    /// Puts dead letters back into the queue as if never received, and tells `each` one's id. Returns how
    /// many. Each is sent before it is removed: what fails in between leaves two, never none.
    ///
    /// # Errors
    /// What kept one from being put back; those told of are back.
    fn put_back(&self, which: &Which, each: &mut dyn FnMut(&str)) -> Result<usize, Error>;

    /// Watches the queue for so long.
    ///
    /// # Errors
    /// What kept it from being watched.
    fn flow(&self, time: Duration) -> Result<Flow, Error>;
}
