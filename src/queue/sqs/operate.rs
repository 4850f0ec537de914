//! The operator's side of a queue in SQS. Its dead letters are a queue too: to look at one is to receive
//! it, so each is hidden for a while and shown again when all were looked at, at the latest by its
//! time-out.

use std::collections::{BTreeMap, HashSet};
use std::thread;
use std::time::Duration;

use log::debug;

use super::SqsQueue;
use crate::aws::sqs::{Message, Receive, Send};
use crate::queue::letters::{DeadLetters, Flow, Letter, Which};
use crate::queue::{Cause, Error, Queue};

/// For how long a letter is hidden while others are looked at.
const HOLD: Duration = Duration::from_secs(120);

/// How long the queue is asked for another letter: a long poll asks all of its servers.
const WAIT: Duration = Duration::from_secs(1);

/// What of a letter tells why it is one.
const ATTRIBUTES: &[&str] = &["cause", "program", "host"];

/// What to do with a letter that was looked at.
enum Next {
    /// It stays.
    Keep,
    /// It is in the queue again: remove it.
    Remove,
}

/// Letters that are hidden; shown again when dropped.
struct Hidden<'q> {
    queue: &'q SqsQueue,
    url: &'q str,
    receipts: Vec<String>,
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        for receipt in &self.receipts {
            // What fails is shown again by its time-out.
            if let Err(error) = self.queue.sqs.change_visibility(self.url, receipt, Duration::ZERO) {
                debug!(error:%; "a dead letter is shown again later");
            }
        }
    }
}

impl SqsQueue {
    /// Looks at one dead letter after the other, until `look` has seen all or asks for no more.
    fn each_letter(
        &self,
        look: &mut dyn FnMut(&Message) -> Result<Next, Error>,
        is_enough: impl Fn(usize) -> bool,
    ) -> Result<(), Error> {
        let url = self.dead_letters()?;
        let mut hidden = Hidden { queue: self, url, receipts: Vec::new() };
        let mut seen = HashSet::new();
        loop {
            let receive =
                Receive { queue_url: url, max: 10, visibility: HOLD, wait: WAIT, attributes: ATTRIBUTES };
            let messages = self.sqs.receive(receive);
            let messages =
                messages.map_err(|error| self.error_of_dead_letters(&error, "sqs:ReceiveMessage"))?;
            let before = seen.len();
            for message in messages {
                hidden.receipts.push(message.receipt.clone());
                // One whose time-out ended meanwhile comes again.
                if is_enough(seen.len()) || !seen.insert(message.id.clone()) {
                    continue;
                }
                if let Next::Remove = look(&message)? {
                    hidden.receipts.pop();
                    self.remove_letter(url, &message.receipt)?;
                }
            }
            if seen.len() == before || is_enough(seen.len()) {
                return Ok(());
            }
        }
    }

    fn remove_letter(&self, url: &str, receipt: &str) -> Result<(), Error> {
        let removed = self.sqs.delete(url, &[receipt]);
        let removed = removed.map_err(|error| self.error_of_dead_letters(&error, "sqs:DeleteMessage"))?;
        match removed.into_iter().next() {
            Some(Err(crate::aws::sqs::NotDeleted::Failed(why))) => Err(Error::unavailable(format!(
                "it is back in {}, and could not be removed from the dead letters ({why}): it may be done twice",
                self.address
            ))),
            _ => Ok(()),
        }
    }
}

impl DeadLetters for SqsQueue {
    fn letters(&self, most: usize) -> Result<Vec<Letter>, Error> {
        let mut letters = Vec::new();
        let mut look = |message: &Message| {
            letters.push(letter(message));
            Ok(Next::Keep)
        };
        self.each_letter(&mut look, |seen| seen >= most)?;
        letters.sort_by(|a, b| (a.since, &a.id).cmp(&(b.since, &b.id)));
        Ok(letters)
    }

    fn put_back(&self, which: &Which, each: &mut dyn FnMut(&str)) -> Result<usize, Error> {
        let count = std::cell::Cell::new(0);
        let mut look = |message: &Message| {
            if !which.includes(&message.id) {
                return Ok(Next::Keep);
            }
            let send = Send {
                queue_url: self.url()?,
                message_body: &message.body,
                message_attributes: BTreeMap::new(),
            };
            self.sqs.send(&send).map_err(|error| self.error(&error, "sqs:SendMessage"))?;
            each(&message.id);
            count.set(count.get() + 1);
            Ok(Next::Remove)
        };
        self.each_letter(&mut look, |_| matches!(which, Which::One(_)) && count.get() > 0)?;
        Ok(count.get())
    }

    fn flow(&self, time: Duration) -> Result<Flow, Error> {
        let count = || self.depth().map(|depth| (depth.waiting + depth.in_flight) as i64);
        let before = count()?;
        thread::sleep(time);
        Ok(Flow::Grew(count()? - before))
    }
}

fn letter(message: &Message) -> Letter {
    let text = |name: &str| message.attributes.get(name).cloned();
    let unsaid =
        || format!("received {} times and never deleted (by SQS's redrive policy)", message.receives);
    Letter {
        id: message.id.clone(),
        body: message.body.clone(),
        cause: Cause {
            cause: text("cause").unwrap_or_else(unsaid),
            program: text("program").unwrap_or_default(),
            host: text("host").unwrap_or_default(),
        },
        since: message.sent,
    }
}
