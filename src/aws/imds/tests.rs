use super::*;
use crate::aws::testing::{ManualClock, Script, answer, at};

const ENDPOINT: &str = "http://imds.test";

fn imds(script: &Arc<Script>) -> (Imds, Arc<ManualClock>) {
    let clock = ManualClock::at(at(1_500_000_000));
    (Imds::new(ENDPOINT, script.clone(), clock.clone()), clock)
}

fn role(code: &str) -> String {
    format!(
        r#"{{"Code":"{code}","Type":"AWS-HMAC","AccessKeyId":"ASIA1","SecretAccessKey":"hush",
            "Token":"tok","Expiration":"2017-07-14T08:40:00Z"}}"#
    )
}

#[test]
fn role_credentials_are_fetched_with_a_session_token() {
    let script = Script::of([
        answer(200, &[("x-aws-ec2-metadata-token-ttl-seconds", "21600")], "TOKEN"),
        answer(200, &[], "worker\n"),
        answer(200, &[], &role("Success")),
    ]);
    let credentials = imds(&script).0.role_credentials().unwrap();
    assert_eq!((credentials.access_key(), credentials.token()), ("ASIA1", Some("tok")));
    assert_eq!(credentials.expires(), Some(at(1_500_021_600)));
    assert!(!format!("{credentials:?}").contains("hush") && !format!("{credentials:?}").contains("tok"));
    let seen = script.seen();
    assert_eq!(seen[0].line, "PUT http://imds.test/latest/api/token");
    assert_eq!(seen[0].header("x-aws-ec2-metadata-token-ttl-seconds"), Some("21600"));
    assert_eq!(seen[2].line, "GET http://imds.test/latest/meta-data/iam/security-credentials/worker");
    assert!(seen[1..].iter().all(|r| r.header("x-aws-ec2-metadata-token") == Some("TOKEN")));
}

#[test]
fn a_token_is_kept_until_near_its_end() {
    let region = || answer(200, &[], "eu-west-1");
    let token = |value| answer(200, &[("x-aws-ec2-metadata-token-ttl-seconds", "100")], value);
    let script = Script::of([token("A"), region(), region(), token("B"), region()]);
    let (imds, clock) = imds(&script);
    for seconds in [0, 39, 2] {
        clock.advance(Duration::from_secs(seconds));
        assert_eq!(imds.region(), Ok(Some("eu-west-1".to_owned())));
    }
}

#[test]
fn a_token_that_is_refused_is_replaced_once() {
    let refused = || answer(401, &[], "");
    let script =
        Script::of([answer(200, &[], "A"), refused(), answer(200, &[], "B"), answer(200, &[], "eu-west-1")]);
    assert_eq!(imds(&script).0.region(), Ok(Some("eu-west-1".to_owned())));
    assert_eq!(script.seen()[3].header("x-aws-ec2-metadata-token"), Some("B"));
    let script = Script::of([answer(200, &[], "A"), refused(), answer(200, &[], "B"), refused()]);
    assert!(matches!(imds(&script).0.region(), Err(Error::Refused(_))));
}

#[test]
fn silence_is_tried_four_times_and_then_explained() {
    let silence = || Err(Failure::TimedOut("time-out: receive response".to_owned()));
    let script = Script::of([silence(), silence(), silence(), silence()]);
    let error = imds(&script).0.role_credentials().unwrap_err();
    assert!(error.to_string().contains("HttpPutResponseHopLimit"), "{error}");
    assert_eq!(script.seen().len(), 4);
}

#[test]
fn what_is_not_there_is_told_apart() {
    let script = Script::of([answer(200, &[], "A"), answer(404, &[], "")]);
    let error = imds(&script).0.role_credentials().unwrap_err();
    assert!(error.to_string().contains("no IAM role"), "{error}");
    let script = Script::of([answer(403, &[], "")]);
    let error = imds(&script).0.region().unwrap_err();
    assert!(error.to_string().contains("switched off"), "{error}");
}

#[test]
fn credentials_that_are_none_are_refused_without_repeating_them() {
    for (json, why) in [(role("Failed"), "Failed"), ("{\"Code\":\"hush".to_owned(), "form")] {
        let script = Script::of([answer(200, &[], "A"), answer(200, &[], "r"), answer(200, &[], &json)]);
        let error = imds(&script).0.role_credentials().unwrap_err().to_string();
        assert!(error.contains(why) && !error.contains("hush"), "{error}");
    }
}

#[test]
fn a_spot_notice_is_read() {
    let notice = r#"{"action": "terminate", "time": "2017-07-14T02:42:00Z"}"#;
    let script = Script::of([answer(200, &[], "A"), answer(404, &[], ""), answer(200, &[], notice)]);
    let (imds, _) = imds(&script);
    assert_eq!(imds.spot_notice(), Ok(None));
    let expected = SpotNotice { action: "terminate".to_owned(), time: at(1_500_000_120) };
    assert_eq!(imds.spot_notice(), Ok(Some(expected)));
}

#[test]
fn the_environment_says_where_it_is_and_whether() {
    let endpoint = |environment: Environment| {
        Imds::from_environment(&environment, Script::of([]), ManualClock::at(at(0)))
            .map(|imds| imds.map(|imds| imds.endpoint))
    };
    let mode = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE";
    let there = |url: &str| Some(url.to_owned());
    assert_eq!(endpoint(Environment::from([])).unwrap(), there("http://169.254.169.254"));
    assert_eq!(endpoint(Environment::from([(mode, "IPv6")])).unwrap(), there("http://[fd00:ec2::254]"));
    let url = [("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1338/")];
    assert_eq!(endpoint(url.into()).unwrap(), there("http://127.0.0.1:1338"));
    assert_eq!(endpoint([("AWS_EC2_METADATA_DISABLED", "TRUE")].into()).unwrap(), None);
    assert!(endpoint([(mode, "IPX")].into()).is_err());
}
