//! Recorded exchanges with S3.

use std::sync::Arc;

use super::*;
use crate::aws::error::Refusal;
use crate::aws::request::Response;
use crate::aws::sign::Style;
use crate::aws::testing::{ManualClock, Script, answer, at, parts};
use crate::aws::transport::Failure;

fn s3<const N: usize>(answers: [Result<Response, Failure>; N]) -> (S3, Arc<Script>) {
    let script = Script::of(answers);
    let client = Client::new(parts(&script, &ManualClock::at(at(0))), "s3", Style::S3, "eu-west-1");
    let bucket = Bucket::new("pics", &Endpoint::Aws, "eu-west-1").unwrap();
    (S3::new(client, bucket), script)
}

fn put(condition: Condition<'_>) -> Put<'_, 'static> {
    let payload = Payload::bytes(b"bytes");
    Put {
        key: "a b/é.jpg",
        content_type: "image/jpeg",
        cache_control: "no-store",
        expires: None,
        tag: None,
        condition,
        payload,
    }
}

fn stored() -> Result<Response, Failure> {
    answer(200, &[("etag", "\"1\"")], "")
}

fn lost() -> Result<Response, Failure> {
    Err(Failure::Lost("Peer disconnected".to_owned()))
}

fn failed() -> Result<Response, Failure> {
    answer(412, &[], "<Error><Code>PreconditionFailed</Code></Error>")
}

#[test]
fn a_bucket_is_in_the_host_name_on_aws_and_in_the_path_elsewhere() {
    let url = |name, endpoint: &Endpoint, region| Bucket::new(name, endpoint, region).unwrap().url_of("a b");
    let custom = Endpoint::Custom("http://127.0.0.1:9000".to_owned());
    assert_eq!(url("pics", &Endpoint::Aws, "eu-west-1"), "https://pics.s3.eu-west-1.amazonaws.com/a%20b");
    assert_eq!(
        url("pics", &Endpoint::Aws, "cn-north-1"),
        "https://pics.s3.cn-north-1.amazonaws.com.cn/a%20b"
    );
    assert_eq!(
        url("my.pics", &Endpoint::Aws, "eu-west-1"),
        "https://s3.eu-west-1.amazonaws.com/my.pics/a%20b"
    );
    assert_eq!(url("pics", &custom, "eu-west-1"), "http://127.0.0.1:9000/pics/a%20b");
    for bad in ["", "ab", "Pics", "a_b", "-ab", "ab-", "a..b", "a/b", &"a".repeat(64)] {
        assert!(Bucket::new(bad, &Endpoint::Aws, "eu-west-1").is_err(), "{bad}");
    }
}

#[test]
fn a_put_carries_metadata_condition_and_hash() {
    let (s3, script) = s3([stored(), stored(), stored()]);
    for condition in [Condition::Any, Condition::Absent, Condition::Matches("\"0\"")] {
        assert_eq!(s3.put(put(condition)).unwrap(), "\"1\"");
    }
    let seen = script.seen();
    assert_eq!(seen[0].line, "PUT https://pics.s3.eu-west-1.amazonaws.com/a%20b/%C3%A9.jpg");
    let [any, absent, matches] = &seen[..] else { panic!("three requests") };
    for seen in &seen {
        assert_eq!(seen.header("content-type"), Some("image/jpeg"));
        assert_eq!(seen.header("cache-control"), Some("no-store"));
        assert_eq!(seen.header("x-amz-content-sha256"), Some(Payload::bytes(b"bytes").sha256.as_str()));
        assert_eq!(seen.body, "bytes");
        // What is conditional or metadata is signed as well.
        let signed = seen.header("authorization").unwrap();
        assert!(signed.contains("cache-control;content-type;host;"), "{signed}");
    }
    assert_eq!((any.header("if-none-match"), any.header("if-match")), (None, None));
    assert_eq!((absent.header("if-none-match"), absent.header("if-match")), (Some("*"), None));
    assert_eq!((matches.header("if-none-match"), matches.header("if-match")), (None, Some("\"0\"")));
}

#[test]
fn a_condition_that_fails_is_a_refusal() {
    let (s3, script) = s3([failed()]);
    assert_eq!(s3.put(put(Condition::Absent)).unwrap_err().status(), Some(412));
    assert_eq!(script.seen().len(), 1, "nothing was in doubt, so nobody looks");
}

#[test]
fn a_conflict_with_another_write_is_tried_again() {
    let conflict = answer(409, &[], "<Error><Code>ConditionalRequestConflict</Code></Error>");
    let (s3, _) = s3([conflict, failed()]);
    assert_eq!(s3.put(put(Condition::Absent)).unwrap_err().status(), Some(412));
}

/// The name by which the call of the first request can be known again.
fn call_of(script: &Script) -> String {
    script.seen()[0].header("x-amz-meta-call").expect("a name").to_owned()
}

#[test]
fn a_put_whose_answer_was_lost_knows_its_own_work_again() {
    // The name is random, so the server that looks it up is played by hand.
    struct Replay(Arc<Script>);
    impl crate::aws::transport::Transport for Replay {
        fn send(
            &self,
            request: &Request<'_>,
            extra: &[(String, String)],
            limits: &crate::aws::transport::Limits,
        ) -> Result<Response, Failure> {
            if request.method == Method::Head {
                return answer(200, &[("etag", "\"own\""), ("x-amz-meta-call", &call_of(&self.0))], "");
            }
            self.0.send(request, extra, limits)
        }
    }
    let script = Script::of([lost(), failed()]);
    let mut parts = parts(&script, &ManualClock::at(at(0)));
    parts.transport = Arc::new(Replay(script.clone()));
    let bucket = Bucket::new("pics", &Endpoint::Aws, "eu-west-1").unwrap();
    let s3 = S3::new(Client::new(parts, "s3", Style::S3, "eu-west-1"), bucket);
    assert_eq!(s3.put(put(Condition::Absent)).unwrap(), "\"own\"");
    let names: Vec<_> =
        script.seen().iter().map(|seen| seen.header("x-amz-meta-call").map(str::to_owned)).collect();
    assert_eq!(names[0], names[1], "all attempts of a call have its name");
}

#[test]
fn anothers_work_is_not_taken_for_its_own() {
    let others = answer(200, &[("etag", "\"2\""), ("x-amz-meta-call", "another")], "");
    let (s3, _) = s3([lost(), failed(), others]);
    assert_eq!(s3.put(put(Condition::Absent)).unwrap_err().status(), Some(412));
}

#[test]
fn where_nobody_says_whose_work_is_there_the_put_is_left_in_doubt() {
    // A 412 would be read as another's object, and ours would stay behind.
    let (s3, script) = s3([lost(), failed(), lost(), lost(), lost(), lost(), lost()]);
    let error = s3.put(put(Condition::Absent)).unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    assert_eq!(script.seen().len(), 7);
}

#[test]
fn an_object_is_fetched_with_its_tag_whatever_its_bytes_are() {
    let bytes = "<Error><Code>InternalError</Code></Error>";
    let (s3, script) = s3([answer(200, &[("etag", "\"1\"")], bytes)]);
    let fetched = s3.get("k", 1000).unwrap();
    assert_eq!((fetched.bytes.as_slice(), fetched.etag.as_str()), (bytes.as_bytes(), "\"1\""));
    assert_eq!(script.seen()[0].limits.body, 1000);
}

#[test]
fn metadata_are_read() {
    let headers = [
        ("etag", "\"1\""),
        ("content-length", "7"),
        ("content-type", "image/png"),
        ("cache-control", "max-age=9"),
    ];
    let (s3, _) = s3([answer(200, &headers, ""), answer(200, &headers[..1], ""), answer(404, &[], "")]);
    let head = s3.head("k").unwrap();
    assert_eq!(
        (head.length, head.content_type.as_str(), head.cache_control.as_str()),
        (7, "image/png", "max-age=9")
    );
    assert!(matches!(s3.head("k"), Err(Error::Unexpected(_))));
    assert_eq!(s3.head("k").unwrap_err().status(), Some(404));
}

#[test]
fn what_is_not_there_counts_as_deleted() {
    let missing = answer(404, &[], "<Error><Code>NoSuchKey</Code></Error>");
    let no_bucket = answer(404, &[], "<Error><Code>NoSuchBucket</Code></Error>");
    let (s3, _) = s3([answer(204, &[], ""), missing, no_bucket]);
    s3.delete("k").unwrap();
    s3.delete("k").unwrap();
    assert!(s3.delete("k").unwrap_err().refused("NoSuchBucket").is_some());
}

#[test]
fn a_bucket_in_another_region_is_named() {
    let body = "<Error><Code>PermanentRedirect</Code><Message>Elsewhere.</Message></Error>";
    let (s3, _) = s3([answer(301, &[("x-amz-bucket-region", "us-west-2")], body)]);
    let error = s3.get("k", 1).unwrap_err();
    let Error::Refused(Refusal { message, .. }) = error else { panic!("{error}") };
    assert!(message.contains("us-west-2") && message.contains("AWS_REGION"), "{message}");
}
