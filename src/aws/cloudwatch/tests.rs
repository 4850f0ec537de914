//! Recorded exchanges with CloudWatch.

use serde_json::{Value, json};

use super::*;
use crate::aws::sign::Style;
use crate::aws::testing::{ManualClock, Script, answer, at, parts};

const FIGURES: [Figure; 2] = [Figure { name: "A", count: 7.0 }, Figure { name: "B", count: 0.5 }];

#[test]
fn figures_are_put_at_high_resolution_and_without_a_time() {
    let script = Script::of([answer(200, &[], "{}")]);
    let clock = ManualClock::at(at(0));
    let client = Client::new(parts(&script, &clock), "monitoring", Style::Standard, "eu-west-1");
    CloudWatch::new(client, "https://monitoring.test".to_owned()).put("a/b", &FIGURES).unwrap();
    let seen = &script.seen()[0];
    assert_eq!(seen.line, "POST https://monitoring.test/");
    assert_eq!(seen.header("x-amz-target"), Some("GraniteServiceVersion20100801.PutMetricData"));
    assert!(seen.header("authorization").unwrap().contains("/eu-west-1/monitoring/aws4_request"));
    let datum = |name, value: f64| json!({"MetricName": name, "Value": value, "Unit": "Count", "StorageResolution": 1});
    let expected = json!({"Namespace": "a/b", "MetricData": [datum("A", 7.0), datum("B", 0.5)]});
    assert_eq!(serde_json::from_str::<Value>(&seen.body).unwrap(), expected);
}

#[test]
fn a_refusal_names_what_is_not_granted() {
    let refusal = r#"{"__type":"com.amazonaws.cloudwatch#AccessDenied","message":"not authorized"}"#;
    let script = Script::of([answer(403, &[], refusal)]);
    let clock = ManualClock::at(at(0));
    let client = Client::new(parts(&script, &clock), "monitoring", Style::Standard, "eu-west-1");
    let refused = CloudWatch::new(client, "https://monitoring.test".to_owned()).put("a/b", &FIGURES);
    let advice = refused.unwrap_err().forbidden("cloudwatch:PutMetricData", "a/b").unwrap();
    assert!(advice.contains("grant cloudwatch:PutMetricData on a/b"), "{advice}");
}
