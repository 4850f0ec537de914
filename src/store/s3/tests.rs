//! What errors of S3 mean to a store's callers; the promises are kept by the conformance suite,
//! against real peers.

use std::sync::Arc;

use super::*;
use crate::aws::Endpoint;
use crate::aws::client::{Client, Parts};
use crate::aws::credentials::{Cached, Credentials, Source};
use crate::aws::request::Response;
use crate::aws::s3::Bucket;
use crate::aws::sign::Style;
use crate::aws::testing::{ManualClock, Script, answer, at, parts};
use crate::aws::transport::Failure;

fn store<const N: usize>(answers: [Result<Response, Failure>; N]) -> (S3Store, Arc<Script>) {
    let script = Script::of(answers);
    let client = Client::new(parts(&script, &ManualClock::at(at(0))), "s3", Style::S3, "eu-west-1");
    let bucket = Bucket::new("pics", &Endpoint::Aws, "eu-west-1").unwrap();
    let address = Address::parse("s3://pics/pre/fix").unwrap();
    (S3Store::new(S3::new(client, bucket), address), script)
}

fn refusal(status: u16, code: &str) -> Result<Response, Failure> {
    answer(status, &[], &format!("<Error><Code>{code}</Code><Message>why.</Message></Error>"))
}

fn key() -> Key {
    Key::parse("a b/c.jpg").unwrap()
}

fn object(content: &Vec<u8>) -> Object<'_> {
    Object { content_type: "text/plain", cache_control: "no-store", expires: None, content }
}

#[test]
fn addresses_are_read() {
    let read = |text| Address::parse(text).map(|address| (address.to_string(), address.prefix));
    assert_eq!(read("s3://pics"), Some(("s3://pics".into(), String::new())));
    assert_eq!(read("s3://pics/"), Some(("s3://pics".into(), String::new())));
    assert_eq!(read("s3://pics/a/b/"), Some(("s3://pics/a/b".into(), "a/b".into())));
    for bad in ["pics", "s3:/pics", "s3://", "s3:///a", "s3://pics//", "s3://pics/../x", "s3://pics/a//b"] {
        assert_eq!(Address::parse(bad), None, "{bad}");
    }
}

#[test]
fn keys_stand_after_the_prefix() {
    let (store, script) = store([answer(200, &[("etag", "\"1\"")], "x")]);
    let fetched = store.get(&key(), 10).unwrap();
    assert_eq!(fetched, Fetched { bytes: b"x".to_vec(), tag: Tag("\"1\"".into()) });
    let bucket = "https://pics.s3.eu-west-1.amazonaws.com";
    assert_eq!(script.seen()[0].line, format!("GET {bucket}/pre/fix/a%20b/c.jpg"));
    assert_eq!(store.public_url(None), format!("{bucket}/pre/fix"));
    assert_eq!(store.public_url(Some("https://cdn.test")), "https://cdn.test/pre/fix");
    assert_eq!(store.describe(), "s3://pics/pre/fix");
}

#[test]
fn missing_and_forbidden_are_told_apart() {
    let (store, _) = store([refusal(404, "NoSuchKey"), refusal(403, "AccessDenied"), answer(403, &[], "")]);
    assert!(matches!(store.get(&key(), 10), Err(Error::NotFound)));
    for result in [store.get(&key(), 10).map(drop), store.head(&key()).map(drop)] {
        let Err(Error::Forbidden(cause)) = result else { panic!("{result:?}") };
        assert!(cause.contains("s3:GetObject") && cause.contains("s3:ListBucket"), "{cause}");
        assert!(cause.contains("arn:aws:s3:::pics/pre/fix/*"), "{cause}");
    }
}

#[test]
fn conditions_that_fail_are_what_the_trait_calls_them() {
    let (store, _) = store([
        refusal(412, "PreconditionFailed"),
        refusal(412, "PreconditionFailed"),
        refusal(404, "NoSuchKey"),
    ]);
    let (content, tag) = (b"x".to_vec(), Tag("\"1\"".into()));
    assert!(matches!(store.create(&key(), &object(&content)), Err(Error::AlreadyExists)));
    assert!(matches!(store.replace(&key(), &tag, &object(&content)), Err(Error::Changed)));
    assert!(matches!(store.replace(&key(), &tag, &object(&content)), Err(Error::Changed)));
}

#[test]
fn other_failures_are_named_with_what_to_do() {
    let lost = || Err(Failure::Unreached("refused".into()));
    let (store, _) = store([
        refusal(404, "NoSuchBucket"),
        refusal(403, "SignatureDoesNotMatch"),
        lost(),
        lost(),
        lost(),
        lost(),
        lost(),
    ]);
    let said = || store.get(&key(), 10).unwrap_err();
    let no_bucket = said();
    assert!(matches!(&no_bucket, Error::Unavailable(why) if why.contains("SHARER_STORE")), "{no_bucket}");
    let wrong_secret = said();
    assert!(matches!(&wrong_secret, Error::Forbidden(why) if why.contains("credentials")), "{wrong_secret}");
    let down = said();
    assert!(matches!(&down, Error::Unavailable(why) if why.contains("5 attempts")), "{down}");
}

#[test]
fn a_check_writes_the_first_time_and_after_a_failure() {
    let stored = || answer(200, &[("etag", "\"1\"")], "");
    let missing = || answer(404, &[], "");
    let (store, script) = store([
        stored(),
        missing(),
        missing(),
        answer(403, &[], ""),
        refusal(403, "AccessDenied"),
        stored(),
        missing(),
    ]);
    let results = [(); 5].map(|()| store.check().is_ok());
    assert_eq!(results, [true, true, false, false, true]);
    let methods: Vec<String> = script.seen().iter().map(|seen| seen.line.chars().take(3).collect()).collect();
    assert_eq!(methods, ["PUT", "HEA", "HEA", "HEA", "PUT", "PUT", "HEA"]);
}

#[test]
fn an_end_is_a_header_and_a_tag_that_a_rule_goes_by() {
    let (store, script) = store([answer(200, &[("etag", "\"1\"")], "")]);
    let expires = Some(784_111_777_000);
    store.put(&key(), &Object { expires, ..object(&b"x".to_vec()) }).unwrap();
    let seen = &script.seen()[0];
    assert_eq!(seen.header("expires"), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
    assert_eq!(seen.header("x-amz-tagging"), Some("expire-days=1"));
}

#[test]
fn days_are_counted_up_so_that_nothing_goes_early() {
    for (left, counted) in [(0, 1), (1, 1), (DAY, 1), (DAY + 1, 2), (31 * DAY, 31)] {
        assert_eq!(days(1_000 + left, 1_000), counted, "{left}");
    }
    assert_eq!(days(0, 1_000), 1);
}

#[test]
fn a_url_for_another_signs_type_and_length_and_ends_with_our_credentials() {
    let (store, script) = store([]);
    let announced = Announced { content_type: "image/jpeg", length: 12_345 };
    let presigned = store.presign(&key(), &announced, Duration::from_secs(900)).unwrap().unwrap();
    assert_eq!(presigned.lifetime, Duration::from_secs(900));
    let (path, query) = presigned.url.split_once('?').unwrap();
    assert_eq!(path, "https://pics.s3.eu-west-1.amazonaws.com/pre/fix/a%20b/c.jpg");
    let fields: Vec<&str> = query.split('&').collect();
    for field in [
        "X-Amz-SignedHeaders=content-length%3Bcontent-type%3Bhost",
        "X-Amz-Security-Token=token1",
        "X-Amz-Expires=900",
    ] {
        assert!(fields.contains(&field), "{query}");
    }
    assert!(script.seen().is_empty(), "nothing is sent");
}

/// Credentials that end 100.9 seconds after 1970 began.
struct Ending;

impl Source for Ending {
    fn fetch(&self) -> Result<Option<Credentials>, aws::Error> {
        let end = at(100) + Duration::from_millis(900);
        Ok(Some(Credentials::temporary("AK", "secret", "token", Some(end))))
    }

    fn name(&self) -> &'static str {
        "a test"
    }
}

#[test]
fn a_url_for_another_is_good_no_longer_than_our_credentials() {
    let (script, clock) = (Script::of([]), ManualClock::at(at(0)));
    let credentials = Arc::new(Cached::new(Box::new(Ending), clock.clone()));
    let client = Client::new(Parts { credentials, ..parts(&script, &clock) }, "s3", Style::S3, "eu-west-1");
    let bucket = Bucket::new("pics", &Endpoint::Aws, "eu-west-1").unwrap();
    let store = S3Store::new(S3::new(client, bucket), Address::parse("s3://pics").unwrap());
    let announced = Announced { content_type: "image/jpeg", length: 1 };
    let sign = || store.presign(&key(), &announced, Duration::from_secs(900));
    assert_eq!(sign().unwrap().unwrap().lifetime, Duration::from_secs(100));
    clock.advance(Duration::from_secs(100));
    assert!(matches!(sign(), Err(Error::Unavailable(_))), "less than a second is none");
}
