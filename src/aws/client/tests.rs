//! Recorded exchanges: what is tried again, what is mended, and what is not.

use super::*;
use crate::aws::request::Payload;
use crate::aws::testing::{ManualClock, Script, Seen, answer, at, parts};

const PATIENCE: Patience = Patience::brief(Duration::from_secs(30), 1000);

struct Exchange {
    result: Result<Response, Error>,
    seen: Vec<Seen>,
    passed: Duration,
}

fn call_with<const N: usize>(
    answers: [Result<Response, Failure>; N],
    method: Method,
    answer: Answer,
) -> Exchange {
    let script = Script::of(answers);
    let clock = ManualClock::at(at(1_000_000_000));
    let client = Client::new(parts(&script, &clock), "s3", Style::S3, "eu-west-1");
    let url = "https://bucket.test/key".to_owned();
    let request = Request { method, url, headers: Vec::new(), body: Payload::bytes(b"body"), answer };
    let result = client.call(&request, &PATIENCE);
    Exchange { result, seen: script.seen(), passed: clock.passed() }
}

fn call<const N: usize>(answers: [Result<Response, Failure>; N]) -> Exchange {
    call_with(answers, Method::Put, Answer::Document)
}

fn ok() -> Result<Response, Failure> {
    answer(200, &[], "")
}

fn error(status: u16, code: &str) -> Result<Response, Failure> {
    answer(status, &[], &format!("<Error><Code>{code}</Code><Message>why</Message></Error>"))
}

fn lost() -> Result<Response, Failure> {
    Err(Failure::Lost("Peer disconnected".to_owned()))
}

fn signature(seen: &Seen) -> &str {
    seen.header("authorization").unwrap()
}

#[test]
fn a_request_is_signed_for_its_service_and_region() {
    let Exchange { result, seen, .. } = call([ok()]);
    result.unwrap();
    assert_eq!((seen[0].line.as_str(), seen[0].body.as_str()), ("PUT https://bucket.test/key", "body"));
    assert!(signature(&seen[0]).contains("Credential=AK1/20010909/eu-west-1/s3/aws4_request"));
    assert_eq!(seen[0].header("x-amz-security-token"), Some("token1"));
}

#[test]
fn what_may_pass_is_tried_again_and_signed_anew() {
    for first in [lost(), error(500, "InternalError"), error(503, "SlowDown"), error(400, "RequestTimeout")] {
        let throttled = matches!(&first, Ok(response) if response.status == 503);
        let Exchange { result, seen, passed } = call([first, ok()]);
        result.unwrap();
        // The pauses of the test are the longest there are; half a second does not change a
        // signature's time by itself.
        assert_eq!((seen.len(), passed.as_millis()), (2, if throttled { 500 } else { 100 }));
        assert_eq!(seen[1].body, "body");
    }
    let Exchange { seen, .. } = call([error(503, "SlowDown"), error(503, "SlowDown"), ok()]);
    assert_ne!(seen[0].header("x-amz-date"), seen[2].header("x-amz-date"));
    assert_ne!(signature(&seen[0]), signature(&seen[2]));
}

#[test]
fn what_will_not_pass_is_not_tried_again() {
    for (status, code) in [(403, "AccessDenied"), (404, "NoSuchKey"), (412, "PreconditionFailed"), (400, "X")]
    {
        let Exchange { result, seen, .. } = call([error(status, code)]);
        let refused = result.unwrap_err();
        assert_eq!((refused.status(), seen.len()), (Some(status), 1));
        assert!(!refused.refused(code).expect("its code").after_doubt);
    }
}

#[test]
fn attempts_end_with_their_number_and_with_the_deadline() {
    let Exchange { result, seen, .. } = call([lost(), lost(), lost(), lost(), lost()]);
    let error = result.unwrap_err();
    assert!(matches!(error, Error::Unreachable { attempts: MAX_ATTEMPTS, .. }));
    let said = error.to_string();
    assert!(
        said.starts_with("no answer in 5 attempts over") && said.contains("https://bucket.test:"),
        "{said}"
    );
    assert_eq!(seen.len() as u32, MAX_ATTEMPTS);
    let limits = Limits { attempt: Duration::from_millis(250), ..PATIENCE.limits };
    let short = Patience { deadline: Duration::from_millis(250), limits };
    let (script, clock) = (Script::of([lost(), lost()]), ManualClock::at(at(0)));
    let client = Client::new(parts(&script, &clock), "s3", Style::S3, "eu-west-1");
    let (url, body) = ("https://x/".to_owned(), Payload::empty());
    let request = Request { method: Method::Get, url, headers: Vec::new(), body, answer: Answer::Object };
    assert!(matches!(client.call(&request, &short), Err(Error::Unreachable { attempts: 2, .. })));
    let attempts: Vec<u128> = script.seen().iter().map(|seen| seen.limits.attempt.as_millis()).collect();
    assert_eq!(attempts, [250, 150], "each has what is left");
}

#[test]
fn an_outage_exhausts_the_budget_and_then_each_call_is_made_once() {
    struct Down;
    impl Transport for Down {
        fn send(&self, _: &Request<'_>, _: &[(String, String)], _: &Limits) -> Result<Response, Failure> {
            lost()
        }
    }
    let (script, clock) = (Script::of([]), ManualClock::at(at(0)));
    let parts = Parts { transport: Arc::new(Down), ..parts(&script, &clock) };
    let client = Client::new(parts, "s3", Style::S3, "eu-west-1");
    let attempts: Vec<u32> = (0..30)
        .map(|_| {
            let (url, body) = ("https://x/".to_owned(), Payload::empty());
            let request =
                Request { method: Method::Get, url, headers: Vec::new(), body, answer: Answer::Object };
            match client.call(&request, &PATIENCE) {
                Err(Error::Unreachable { attempts, .. }) => attempts,
                other => panic!("{other:?}"),
            }
        })
        .collect();
    assert_eq!((attempts[0], attempts[24], attempts[25], attempts[29]), (5, 5, 1, 1));
}

#[test]
fn expired_credentials_are_replaced_once() {
    let Exchange { result, seen, passed } = call([error(400, "ExpiredToken"), ok()]);
    result.unwrap();
    assert_eq!((seen[1].header("x-amz-security-token"), passed), (Some("token2"), Duration::ZERO));
    let Exchange { result, seen, .. } = call([error(400, "ExpiredToken"), error(400, "ExpiredToken")]);
    assert!(result.unwrap_err().refused("ExpiredToken").is_some());
    assert_eq!(seen.len(), 2);
}

#[test]
fn a_head_that_is_refused_without_a_word_may_be_about_credentials() {
    let Exchange { result, seen, .. } = call_with([answer(400, &[], ""), ok()], Method::Head, Answer::Object);
    result.unwrap();
    assert_eq!(seen[1].header("x-amz-security-token"), Some("token2"));
}

#[test]
fn a_clock_that_is_off_is_set_by_the_server_once() {
    // An hour behind the client's 2001-09-09 01:46:40.
    let skewed = |code: &str, hour: &str| {
        let body = format!("<Error><Code>{code}</Code></Error>");
        answer(403, &[("date", &format!("Sun, 09 Sep 2001 {hour}:46:40 GMT"))], &body)
    };
    for code in ["RequestTimeTooSkewed", "SignatureDoesNotMatch", "InvalidSignatureException"] {
        let Exchange { result, seen, .. } = call([skewed(code, "00"), ok()]);
        result.unwrap();
        let dates = seen.iter().map(|seen| seen.header("x-amz-date").unwrap());
        assert_eq!(dates.collect::<Vec<_>>(), ["20010909T014640Z", "20010909T004640Z"], "{code}");
    }
    let Exchange { result, seen, .. } =
        call([skewed("RequestTimeTooSkewed", "00"), skewed("RequestTimeTooSkewed", "07")]);
    assert!(result.is_err() && seen.len() == 2, "once a call");
    let Exchange { result, seen, .. } = call([skewed("SignatureDoesNotMatch", "01")]);
    assert!(result.is_err() && seen.len() == 1, "the time was right, so it is the secret that is wrong");
}

#[test]
fn an_error_inside_a_200_is_an_error() {
    let Exchange { result, seen, .. } = call([error(200, "InternalError"), ok()]);
    assert!(result.is_ok() && seen.len() == 2);
    let Exchange { result, .. } = call([answer(200, &[], "<Error><Code>Inter"), ok()]);
    assert!(result.is_ok(), "a truncated document is tried again");
    let object = "<Error><Code>of the caller's own</Code></Error>";
    let Exchange { result, .. } = call_with([answer(200, &[], object)], Method::Get, Answer::Object);
    assert_eq!(result.unwrap().body, object.as_bytes());
}

#[test]
fn a_refusal_after_a_lost_answer_says_so() {
    for (first, doubt) in [
        (lost(), true),
        (error(500, "InternalError"), true),
        (Err(Failure::TimedOut("time-out".to_owned())), true),
        (Err(Failure::Unreached("refused".to_owned())), false),
    ] {
        let refused = call([first, error(412, "PreconditionFailed")]).result.unwrap_err();
        assert_eq!(refused.refused("PreconditionFailed").expect("its code").after_doubt, doubt);
    }
}

#[test]
fn neither_errors_nor_logs_of_a_call_hold_secrets() {
    let error = call([error(403, "AccessDenied")]).result.unwrap_err();
    let (shown, debugged) = (error.to_string(), format!("{error:?}"));
    assert!(!shown.contains("secret") && !debugged.contains("token1"), "{shown} {debugged}");
}
