//! Recorded exchanges with SQS.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::aws::request::Response;
use crate::aws::sign::Style;
use crate::aws::testing::{ManualClock, Script, answer, at, parts};
use crate::aws::transport::Failure;

const URL: &str = "https://sqs.eu-west-1.amazonaws.com/1/jobs";

fn ok(body: &Value) -> Result<Response, Failure> {
    answer(200, &[], &body.to_string())
}

fn sqs<const N: usize>(answers: [Result<Response, Failure>; N]) -> (Sqs, Arc<Script>) {
    let script = Script::of(answers);
    let client = Client::new(parts(&script, &ManualClock::at(at(0))), "sqs", Style::Standard, "eu-west-1");
    (Sqs::new(client, "https://sqs.eu-west-1.amazonaws.com".to_owned()), script)
}

fn body(script: &Script, index: usize) -> Value {
    serde_json::from_str(&script.seen()[index].body).unwrap()
}

#[test]
fn an_action_is_named_in_a_header_field_and_asked_in_json() {
    let (sqs, script) = sqs([ok(&json!({"MessageId": "m", "MD5OfMessageBody": "x"}))]);
    let mut message_attributes = BTreeMap::new();
    message_attributes.insert("cause", Attribute::text("no picture").unwrap());
    sqs.send(&Send { queue_url: URL, message_body: "héllo \"1\"", message_attributes }).unwrap();
    let seen = &script.seen()[0];
    assert_eq!(seen.line, "POST https://sqs.eu-west-1.amazonaws.com/");
    assert_eq!(seen.header("x-amz-target"), Some("AmazonSQS.SendMessage"));
    assert_eq!(seen.header("content-type"), Some("application/x-amz-json-1.0"));
    let expected = json!({
        "QueueUrl": URL,
        "MessageBody": "héllo \"1\"",
        "MessageAttributes": {"cause": {"DataType": "String", "StringValue": "no picture"}},
    });
    assert_eq!(body(&script, 0), expected);
}

#[test]
fn attributes_hold_what_sqs_admits() {
    let shown = |text| serde_json::to_value(Attribute::text(text)).unwrap()["StringValue"].clone();
    assert_eq!(shown("a\u{0}b\u{fffe}\u{1f980}\n"), "a\u{fffd}b\u{fffd}\u{1f980}\n");
    assert_eq!(shown(&"é".repeat(600)).as_str().unwrap().len(), 1024);
    assert!(Attribute::text("").is_none());
}

#[test]
fn messages_are_received_with_a_time_out_longer_than_the_poll() {
    let message = json!({"MessageId": "m", "Body": "b", "ReceiptHandle": "r", "MD5OfBody": "x",
        "Attributes": {"ApproximateReceiveCount": "3", "SentTimestamp": "1700000000000"},
        "MessageAttributes": {"cause": {"DataType": "String", "StringValue": "no job"}}});
    let (sqs, script) =
        sqs([ok(&json!({"Messages": [message]})), ok(&json!({})), ok(&json!({"Messages": null}))]);
    let receive = Receive {
        queue_url: URL,
        max: 50,
        visibility: Duration::from_millis(59_001),
        wait: Duration::from_secs(20),
        attributes: &["cause"],
    };
    let expected = Message {
        id: "m".into(),
        body: "b".into(),
        receipt: "r".into(),
        receives: 3,
        sent: 1_700_000_000_000,
        attributes: BTreeMap::from([("cause".into(), "no job".into())]),
    };
    assert_eq!(sqs.receive(receive).unwrap(), [expected]);
    assert_eq!((sqs.receive(receive).unwrap().len(), sqs.receive(receive).unwrap().len()), (0, 0));
    let asked = body(&script, 0);
    assert_eq!((&asked["MaxNumberOfMessages"], &asked["VisibilityTimeout"]), (&json!(10), &json!(60)));
    assert_eq!((&asked["WaitTimeSeconds"], &asked["MessageAttributeNames"]), (&json!(20), &json!(["cause"])));
    assert!(script.seen()[0].limits.answer > Duration::from_secs(25));
}

#[test]
fn a_receipt_that_is_void_is_known_under_each_of_its_names() {
    let refusal = |kind: &str, message: &str| {
        answer(400, &[], &json!({"__type": kind, "message": message}).to_string())
    };
    for (answer, void) in [
        (refusal("com.amazonaws.sqs#ReceiptHandleIsInvalid", "x"), true),
        (refusal("com.amazonaws.sqs#MessageNotInflight", "x"), true),
        (
            refusal(
                "InvalidParameterValue",
                "Value r for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.",
            ),
            true,
        ),
        (
            refusal(
                "com.amazonaws.sqs#InvalidParameterValueException",
                "Message does not exist or is not available for visibility timeout change.",
            ),
            true,
        ),
        (
            refusal("InvalidParameterValue", "Total VisibilityTimeout for the message is beyond the limit"),
            false,
        ),
        (refusal("AccessDenied", "receipt handle"), false),
    ] {
        let (sqs, _) = sqs([answer]);
        let error = sqs.change_visibility(URL, "r", Duration::ZERO).unwrap_err();
        assert_eq!(error.is_void(), void, "{error}");
    }
}

#[test]
fn a_batch_that_succeeds_in_part_is_sent_again_in_part() {
    let (sqs, script) = sqs([
        ok(&json!({
            "Successful": [{"Id": "0"}],
            "Failed": [
                {"Id": "1", "Code": "InternalError", "SenderFault": false},
                {"Id": "2", "Code": "ReceiptHandleIsInvalid", "SenderFault": true, "Message": "x"},
                {"Id": "3", "Code": "AccessDenied", "SenderFault": true, "Message": "no"},
                {"Id": "77", "Code": "InternalError", "SenderFault": false},
            ],
        })),
        ok(&json!({"Successful": [{"Id": "1"}, {"Id": "nonsense"}]})),
    ]);
    let outcomes = sqs.delete(URL, &["a", "b", "c", "d", "e"]).unwrap();
    assert_eq!(outcomes[..3], [Ok(()), Ok(()), Err(NotDeleted::Void)]);
    assert_eq!(outcomes[3], Err(NotDeleted::Failed("AccessDenied: no".to_owned())));
    assert!(matches!(outcomes[4], Err(NotDeleted::Failed(_))), "one that the answer does not mention");
    assert_eq!(body(&script, 1)["Entries"], json!([{"Id": "1", "ReceiptHandle": "b"}]));
}

#[test]
fn a_batch_that_goes_on_failing_is_given_up() {
    let failing = || ok(&json!({"Failed": [{"Id": "0", "Code": "InternalError", "SenderFault": false}]}));
    let (sqs, _) = sqs([failing(), failing(), failing()]);
    assert!(matches!(sqs.delete(URL, &["a"]).unwrap()[0], Err(NotDeleted::Failed(_))));
}

#[test]
fn counts_and_the_redrive_policy_are_read() {
    let named = |policy: Value| {
        ok(
            &json!({"Attributes": {"ApproximateNumberOfMessages": "5", "ApproximateNumberOfMessagesNotVisible": "2",
            "ApproximateNumberOfMessagesDelayed": "1", "VisibilityTimeout": "60", "RedrivePolicy": policy}}),
        )
    };
    let arn = "arn:aws:sqs:eu-west-1:123456789012:jobs-dead";
    let policy = |count: Value| json!({"deadLetterTargetArn": arn, "maxReceiveCount": count}).to_string();
    let (sqs, _) = sqs([
        named(json!(policy(json!(5)))),
        named(json!(policy(json!("5")))),
        named(Value::Null),
        named(json!("{\"deadLetterTargetArn\":\"x\",\"maxReceiveCount\":1}")),
    ]);
    let dead = DeadLetters { queue: "jobs-dead".into(), account: "123456789012".into(), max_receives: 5 };
    let attributes = sqs.attributes(URL).unwrap();
    assert_eq!((attributes.visible, attributes.in_flight, attributes.delayed), (5, 2, 1));
    assert_eq!(
        (attributes.visibility, &attributes.dead_letters),
        (Some(Duration::from_secs(60)), &Some(dead))
    );
    assert_eq!(sqs.attributes(URL).unwrap(), attributes);
    assert_eq!(sqs.attributes(URL).unwrap().dead_letters, None);
    assert!(matches!(sqs.attributes(URL), Err(Error::Unexpected(_))));
}

#[test]
fn a_queue_is_found_by_name_and_its_region_in_its_url() {
    let (sqs, script) = sqs([ok(&json!({"QueueUrl": URL})), ok(&json!({"QueueUrl": URL}))]);
    assert_eq!(sqs.queue_url("jobs", None).unwrap(), URL);
    sqs.queue_url("jobs", Some("1")).unwrap();
    assert_eq!(body(&script, 0), json!({"QueueName": "jobs"}));
    assert_eq!(body(&script, 1), json!({"QueueName": "jobs", "QueueOwnerAWSAccountId": "1"}));
    assert_eq!(region_of(URL), Some("eu-west-1"));
    assert_eq!(region_of("https://sqs.cn-north-1.amazonaws.com.cn/1/q"), Some("cn-north-1"));
    for other in
        ["http://127.0.0.1:4566/1/q", "https://sqs.evil.test/1/q", "https://sqs.a.b.amazonaws.com/1/q"]
    {
        assert_eq!(region_of(other), None, "{other}");
    }
}

#[test]
fn an_answer_that_is_not_sqss_is_an_error() {
    let (sqs, _) = sqs([answer(200, &[], "<html>"), answer(200, &[], "{\"hello\":1}"), answer(200, &[], "")]);
    for _ in 0..2 {
        let send = Send { queue_url: URL, message_body: "b", message_attributes: BTreeMap::new() };
        assert!(sqs.send(&send).is_err());
    }
}
