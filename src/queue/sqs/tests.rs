//! What errors of SQS mean to a queue's callers, and how a message is buried; the promises are kept
//! by the conformance suite, against real peers.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::aws::client::Client;
use crate::aws::request::Response;
use crate::aws::sign::Style;
use crate::aws::testing::{ManualClock, Script, answer, at, parts};
use crate::aws::transport::Failure;
use crate::queue::letters::{DeadLetters, Which};

fn queue<const N: usize>(answers: [Result<Response, Failure>; N]) -> (SqsQueue, Arc<Script>) {
    let script = Script::of(answers);
    let client = Client::new(parts(&script, &ManualClock::at(at(0))), "sqs", Style::Standard, "eu-west-1");
    let sqs = Sqs::new(client, "https://sqs.test".to_owned());
    (SqsQueue::new(sqs, Address::parse("sqs://jobs").unwrap()), script)
}

fn ok(body: Value) -> Result<Response, Failure> {
    answer(200, &[], &body.to_string())
}

fn refusal(status: u16, kind: &str) -> Result<Response, Failure> {
    answer(status, &[], &json!({"__type": kind, "message": "why"}).to_string())
}

fn url() -> Result<Response, Failure> {
    ok(json!({"QueueUrl": "https://sqs.test/1/jobs"}))
}

const POLICY: Option<&str> = Some(r#"{"deadLetterTargetArn":"arn:aws:sqs:r:1:dead","maxReceiveCount":5}"#);

fn attributes(policy: Option<&str>) -> Result<Response, Failure> {
    ok(
        json!({"Attributes": {"ApproximateNumberOfMessages": "5", "ApproximateNumberOfMessagesNotVisible": "2",
        "ApproximateNumberOfMessagesDelayed": "1", "RedrivePolicy": policy}}),
    )
}

fn dead_url() -> Result<Response, Failure> {
    ok(json!({"QueueUrl": "https://sqs.test/1/dead"}))
}

fn delivery() -> Delivery {
    Delivery { body: "b".into(), receipt: Receipt("r".into()), receives: 1, sent: 0 }
}

fn cause() -> Cause {
    Cause { cause: "no job".into(), program: "image-worker 0".into(), host: String::new() }
}

fn actions(script: &Script) -> Vec<String> {
    let action = |target: &str| target.trim_start_matches("AmazonSQS.").to_owned();
    script.seen().iter().map(|seen| action(seen.header("x-amz-target").unwrap())).collect()
}

#[test]
fn addresses_are_read() {
    let name = Address::parse("sqs://image-jobs_1");
    assert_eq!(name, Some(Address::Name("image-jobs_1".into())));
    let url = "https://sqs.eu-west-1.amazonaws.com/1/jobs";
    assert_eq!(Address::parse(url), Some(Address::Url(url.into())));
    for bad in [
        "jobs",
        "sqs://",
        "sqs://a/b",
        "sqs://jobs.fifo",
        "https://x",
        "https:///x",
        "http://x/?a",
        "ftp://x/y",
    ] {
        assert_eq!(Address::parse(bad), None, "{bad}");
    }
}

#[test]
fn the_queues_url_is_asked_for_once() {
    let sent = || ok(json!({"MessageId": "m"}));
    let (queue, script) = queue([url(), sent(), sent()]);
    queue.send("a").unwrap();
    queue.send("b").unwrap();
    assert_eq!(actions(&script), ["GetQueueUrl", "SendMessage", "SendMessage"]);
}

#[test]
fn a_buried_message_is_held_sent_and_then_deleted() {
    let deleted = ok(json!({"Successful": [{"Id": "0"}]}));
    let (queue, script) =
        queue([url(), attributes(POLICY), dead_url(), ok(json!({})), ok(json!({"MessageId": "m"})), deleted]);
    queue.bury(&delivery(), &cause()).unwrap();
    let expected = [
        "GetQueueUrl",
        "GetQueueAttributes",
        "GetQueueUrl",
        "ChangeMessageVisibility",
        "SendMessage",
        "DeleteMessageBatch",
    ];
    assert_eq!(actions(&script), expected);
    let sent: Value = serde_json::from_str(&script.seen()[4].body).unwrap();
    assert_eq!(sent["QueueUrl"], "https://sqs.test/1/dead");
    assert_eq!(
        (&sent["MessageBody"], sent["MessageAttributes"].as_object().unwrap().len()),
        (&json!("b"), 2)
    );
    assert_eq!(sent["MessageAttributes"]["cause"]["StringValue"], "no job");
}

fn letters(ids: &[&str]) -> Result<Response, Failure> {
    let letter = |id: &&str| {
        json!({"MessageId": id, "Body": format!("body {id}"), "ReceiptHandle": format!("r{id}"),
            "Attributes": {"ApproximateReceiveCount": "2", "SentTimestamp": "5"}})
    };
    ok(json!({"Messages": ids.iter().map(letter).collect::<Vec<_>>()}))
}

#[test]
fn a_letter_is_sent_before_it_is_removed_and_the_others_are_shown_again() {
    let (sent, done) = (ok(json!({"MessageId": "m"})), ok(json!({"Successful": [{"Id": "0"}]})));
    let shown = || ok(json!({}));
    let (queue, script) = queue([
        url(),
        attributes(POLICY),
        dead_url(),
        letters(&["1", "2", "3"]),
        sent,
        done,
        shown(),
        shown(),
    ]);
    let mut told = Vec::new();
    let count = queue.put_back(&Which::One("2".into()), &mut |id| told.push(id.to_owned())).unwrap();
    assert_eq!((count, told), (1, vec!["2".to_owned()]));
    let done = actions(&script).split_off(3);
    let hidden = "ChangeMessageVisibility";
    assert_eq!(done, ["ReceiveMessage", "SendMessage", "DeleteMessageBatch", hidden, hidden]);
    let body = |index: usize| serde_json::from_str::<Value>(&script.seen()[index].body).unwrap();
    assert_eq!(
        (&body(4)["QueueUrl"], &body(4)["MessageBody"]),
        (&json!("https://sqs.test/1/jobs"), &json!("body 2"))
    );
    assert_eq!(body(5)["Entries"][0]["ReceiptHandle"], "r2");
    assert_eq!([&body(6), &body(7)].map(|b| b["ReceiptHandle"].clone()), ["r1", "r3"]);
}

#[test]
fn a_letter_that_cannot_be_sent_stays() {
    let refused = refusal(403, "AccessDenied");
    let (queue, script) =
        queue([url(), attributes(POLICY), dead_url(), letters(&["1"]), refused, ok(json!({}))]);
    let error = queue.put_back(&Which::All, &mut |_| panic!("none is back")).unwrap_err().to_string();
    assert!(error.contains("sqs:SendMessage"), "{error}");
    assert_eq!(actions(&script).last().unwrap(), "ChangeMessageVisibility");
}

#[test]
fn a_letter_that_comes_round_again_is_looked_at_once() {
    let (queue, _) = queue([
        url(),
        attributes(POLICY),
        dead_url(),
        letters(&["1", "2"]),
        letters(&["1"]),
        ok(json!({})),
        ok(json!({})),
        ok(json!({})),
    ]);
    let found = queue.letters(9).unwrap();
    assert_eq!(found.iter().map(|letter| letter.id.as_str()).collect::<Vec<_>>(), ["1", "2"]);
    assert!(found[0].cause.cause.contains("redrive policy"), "{found:?}");
}

#[test]
fn a_message_that_is_held_no_more_is_not_buried() {
    let (queue, script) =
        queue([url(), attributes(POLICY), dead_url(), refusal(400, "ReceiptHandleIsInvalid")]);
    assert!(matches!(queue.bury(&delivery(), &cause()), Err(Error::ReceiptVoid)));
    assert!(!actions(&script).contains(&"SendMessage".to_owned()));
}

#[test]
fn a_queue_without_dead_letters_says_so() {
    let (queue, _) = queue([url(), attributes(None)]);
    let error = queue.bury(&delivery(), &cause()).unwrap_err().to_string();
    assert!(error.contains("RedrivePolicy"), "{error}");
}

#[test]
fn depth_counts_what_waits_what_is_held_and_what_is_dead() {
    let (queue, _) = queue([url(), attributes(POLICY), attributes(POLICY), dead_url(), attributes(None)]);
    let expected = Depth { waiting: 5, in_flight: 3, oldest: None, dead: 7 };
    assert_eq!(queue.depth().unwrap(), expected);
}

#[test]
fn each_receipt_gets_its_own_outcome_in_batches_of_ten() {
    let receipts: Vec<Receipt> = (0..12).map(|i| Receipt(i.to_string())).collect();
    let done = |count: usize| {
        ok(json!({"Successful": (0..count).map(|i| json!({"Id": i.to_string()})).collect::<Vec<_>>()}))
    };
    let (queue, script) = queue([url(), done(10), refusal(403, "AccessDeniedException")]);
    let outcomes = queue.delete(&receipts);
    assert_eq!((outcomes.len(), outcomes.iter().filter(|outcome| outcome.is_ok()).count()), (12, 10));
    assert!(outcomes[10..].iter().all(|outcome| matches!(outcome, Err(Error::Forbidden(_)))));
    assert_eq!(actions(&script), ["GetQueueUrl", "DeleteMessageBatch", "DeleteMessageBatch"]);
    assert!(queue.delete(&[]).is_empty());
}

#[test]
fn what_is_wrong_is_said_with_what_to_do() {
    let (queue, _) = queue([
        refusal(400, "com.amazonaws.sqs#QueueDoesNotExist"),
        refusal(403, "AccessDenied"),
        refusal(403, "SignatureDoesNotMatch"),
    ]);
    let said = || queue.check().unwrap_err();
    let gone = said();
    assert!(matches!(&gone, Error::Unavailable(why) if why.contains("sqs://jobs is not there")), "{gone}");
    let denied = said();
    assert!(matches!(&denied, Error::Forbidden(why) if why.contains("grant sqs:GetQueueUrl")), "{denied}");
    let unknown = said();
    assert!(matches!(&unknown, Error::Forbidden(why) if why.contains("credentials")), "{unknown}");
}
