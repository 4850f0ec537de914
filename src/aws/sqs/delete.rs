//! DeleteMessageBatch: removes received messages, up to ten at once.
//!
//! A batch can succeed in part; what the service itself failed at is tried again.
//! (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessageBatch.html>)

use serde::{Deserialize, Serialize};

use super::visibility::is_void;
use super::{BRIEF, Sqs};
use crate::aws::error::Error;

/// Most messages of a batch.
pub const BATCH: usize = 10;

/// How often a batch is sent, with what the service failed at alone from the second time on.
const ROUNDS: usize = 3;

/// Why one message of a batch was not removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotDeleted {
    /// It is held no more.
    Void,
    /// The service says why.
    Failed(String),
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Input<'a> {
    queue_url: &'a str,
    entries: Vec<Entry<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry<'a> {
    id: String,
    receipt_handle: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    successful: Option<Vec<Done>>,
    failed: Option<Vec<Failed>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Done {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Failed {
    id: String,
    code: String,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    sender_fault: bool,
}

/// What is known of one message.
type Outcome = Result<(), NotDeleted>;

impl Sqs {
    /// Removes at most [`BATCH`] messages by their receipts; one outcome each, in their order.
    ///
    /// # Errors
    /// When the batch as a whole was refused; what an earlier round removed is removed all the same.
    pub fn delete(&self, queue_url: &str, receipts: &[&str]) -> Result<Vec<Outcome>, Error> {
        let unsaid = || Err(NotDeleted::Failed("the answer does not mention it".to_owned()));
        let mut outcomes: Vec<Outcome> = receipts.iter().map(|_| unsaid()).collect();
        let mut open: Vec<usize> = (0..receipts.len()).collect();
        for _ in 0..ROUNDS {
            if open.is_empty() {
                break;
            }
            let entry = |&i: &usize| Entry { id: i.to_string(), receipt_handle: receipts[i] };
            let input = Input { queue_url, entries: open.iter().map(entry).collect() };
            let output: Output = self.act("DeleteMessageBatch", &input, &BRIEF)?;
            open = record(output, &mut outcomes);
        }
        Ok(outcomes)
    }
}

/// Notes what an answer says of each message; returns those that are worth another round.
fn record(output: Output, outcomes: &mut [Outcome]) -> Vec<usize> {
    // Ids are ours, and the answer a stranger's: one that we did not give is passed over.
    let known = |id: &str| id.parse::<usize>().ok().filter(|i| *i < outcomes.len());
    let done: Vec<usize> =
        output.successful.unwrap_or_default().iter().filter_map(|d| known(&d.id)).collect();
    let failed: Vec<(usize, Failed)> =
        output.failed.unwrap_or_default().into_iter().filter_map(|f| Some((known(&f.id)?, f))).collect();
    for i in done {
        outcomes[i] = Ok(());
    }
    let mut again = Vec::new();
    for (i, Failed { code, message, sender_fault, .. }) in failed {
        let message = message.unwrap_or_default();
        let void = is_void(&code, &message);
        if !void && !sender_fault {
            again.push(i);
        }
        outcomes[i] =
            Err(if void { NotDeleted::Void } else { NotDeleted::Failed(format!("{code}: {message}")) });
    }
    again
}
