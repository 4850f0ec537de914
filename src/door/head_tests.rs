//! What is a head, what is none, and that how its bytes arrive makes no difference.

use proptest::prelude::*;

use super::*;

fn config() -> Config {
    Config { max_head_bytes: 1024, max_headers: 8, max_target: 128, ..Config::default() }
}

/// Reads the head at the front of `input`; `None` if it is not complete.
fn read(input: &[u8]) -> Result<Option<Parsed>, Refusal> {
    let config = config();
    match Scanner::new(&config).scan(input)? {
        Some(range) => Parsed::read(&input[range], &config).map(Some),
        None => Ok(None),
    }
}

fn parsed(input: &str) -> Parsed {
    read(input.as_bytes()).unwrap().unwrap()
}

fn refusal(input: &str) -> Refusal {
    read(input.as_bytes()).unwrap_err()
}

fn status(input: impl AsRef<[u8]>) -> u16 {
    read(input.as_ref()).unwrap_err().status().0
}

#[test]
fn reads_a_head() {
    let head =
        parsed("POST /a/b%20c?d=e?f HTTP/1.1\r\nHost: example.org:8080\r\nX-Blank:  padded \t\r\n\r\n");
    assert_eq!(head.method, Method::Post);
    assert_eq!((head.path.as_str(), head.query.as_str()), ("/a/b%20c", "d=e?f"));
    assert_eq!(head.version, Version::Http11);
    assert_eq!(head.headers.len(), 2);
    assert_eq!(head.headers[1].value.as_str(), "padded");
}

#[test]
fn waits_for_the_empty_line() {
    let whole = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    for end in 0..whole.len() {
        assert!(read(&whole.as_bytes()[..end]).unwrap().is_none(), "{end}");
    }
}

#[test]
fn takes_the_head_and_not_a_byte_more() {
    let config = config();
    let input = b"\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\nGET /next";
    assert_eq!(Scanner::new(&config).scan(input), Ok(Some(2..29)));
}

#[test]
fn passes_over_one_empty_line_and_no_more() {
    assert_eq!(parsed("\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n").path, "/");
    assert_eq!(status("\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
    assert_eq!(status("\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
}

#[test]
fn a_head_begins_after_the_empty_line() {
    let config = config();
    for (input, begun) in [("", false), ("\r", false), ("\r\n", false), ("\r\nG", true), ("G", true)] {
        let mut scanner = Scanner::new(&config);
        assert_eq!(scanner.scan(input.as_bytes()), Ok(None));
        assert_eq!(scanner.begun(), begun, "{input:?}");
    }
}

#[test]
fn bad_bytes_are_refused_as_soon_as_they_come() {
    for fault in ["\n", "\r\r", "\rX", "\0", "\x01", "\x7f", "\x0b", "é"] {
        let input = format!("GET / HTTP/1.1\r\nHost: h\r\nX-Test: a{fault}");
        assert_eq!(status(&input), 400, "{fault:?}");
    }
    assert_eq!(status(b"GET /\xff"), 400);
}

#[test]
fn folded_lines_and_malformed_names_are_refused() {
    for line in ["X: a\r\n b", "X: a\r\n\tb", "X : a", ": a", "X\tY: a", "no colon", "X(Y): a", " X: a"] {
        let input = format!("GET / HTTP/1.1\r\nHost: h\r\n{line}\r\n\r\n");
        assert_eq!(status(&input), 400, "{line:?}");
    }
}

#[test]
fn malformed_request_lines_are_refused() {
    for line in [
        "GET /",
        "GET  / HTTP/1.1",
        "GET /  HTTP/1.1",
        "GET / HTTP/1.1 ",
        " GET / HTTP/1.1",
        "GET / http/1.1",
        "GET / HTTP/11",
        "GET / HTTP/1",
        "GET / FTP/1.1",
        "GET x HTTP/1.1",
        "GET * HTTP/1.1",
        "GET http://h/ HTTP/1.1",
        "GET /a#b HTTP/1.1",
        "G@T / HTTP/1.1",
        "/ HTTP/1.1",
        "GET / HTTP/1.1 HTTP/1.1",
    ] {
        let input = format!("{line}\r\nHost: h\r\n\r\n");
        assert_eq!(status(&input), 400, "{line:?}");
    }
}

#[test]
fn other_versions_are_named_so() {
    for version in ["HTTP/2.0", "HTTP/1.2", "HTTP/0.9", "HTTP/3.0"] {
        assert_eq!(refusal(&format!("GET / {version}\r\nHost: h\r\n\r\n")), Refusal::Version);
    }
    assert_eq!(refusal("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Refusal::Version);
}

#[test]
fn one_host_of_plain_characters() {
    let with = |hosts: &str| format!("GET / HTTP/1.1\r\n{hosts}\r\n");
    for fine in ["Host: h:80\r\n", "Host: [::1]:80\r\n", "host:\r\n", "HOST: ex-am_ple.org\r\n"] {
        assert_eq!(parsed(&with(fine)).headers.len(), 1);
    }
    for wrong in
        ["", "Host: a\r\nHost: a\r\n", "Host: a/b\r\n", "Host: a b\r\n", "Host: u@h\r\n", "Host: \"<>\r\n"]
    {
        assert_eq!(status(with(wrong)), 400, "{wrong:?}");
    }
    assert_eq!(parsed("GET / HTTP/1.0\r\n\r\n").version, Version::Http10);
    assert_eq!(status("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"), 400);
}

#[test]
fn limits_are_kept_to_the_byte() {
    let target = |length: usize| format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "a".repeat(length - 1));
    assert_eq!(parsed(&target(128)).path.len(), 128);
    assert_eq!(refusal(&target(129)), Refusal::TargetTooLong);

    let head = |length: usize| {
        let rest = "GET / HTTP/1.1\r\nHost: h\r\nX: \r\n\r\n".len();
        format!("GET / HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n", "a".repeat(length - rest))
    };
    assert_eq!(parsed(&head(1024)).headers.len(), 2);
    assert_eq!(refusal(&head(1025)), Refusal::HeadTooLarge);

    let headers = |count: usize| format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", "X: a\r\n".repeat(count - 1));
    assert_eq!(parsed(&headers(8)).headers.len(), 8);
    assert_eq!(refusal(&headers(9)), Refusal::HeadTooLarge);
}

#[test]
fn endless_lines_are_refused_before_they_end() {
    assert_eq!(refusal(&format!("GET /{}", "a".repeat(200))), Refusal::TargetTooLong);
    assert_eq!(refusal(&"A".repeat(200)), Refusal::TargetTooLong);
    assert_eq!(refusal(&format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(2000))), Refusal::HeadTooLarge);
}

#[test]
fn persistence_follows_version_and_connection() {
    let persists = |version: &str, connection: &str| {
        parsed(&format!("GET / {version}\r\nHost: h\r\nConnection: {connection}\r\n\r\n")).persists()
    };
    assert!(persists("HTTP/1.1", ""));
    assert!(persists("HTTP/1.1", "keep-alive, Upgrade"));
    assert!(!persists("HTTP/1.1", "Upgrade, Close"));
    assert!(!persists("HTTP/1.0", ""));
    assert!(persists("HTTP/1.0", "Keep-Alive"));
    assert!(!persists("HTTP/1.0", "keep-alive, close"));
}

#[test]
fn one_expectation_is_known() {
    let waits =
        |version: &str, expect: &str| parsed(&format!("GET / {version}\r\nHost: h\r\n{expect}\r\n")).waits();
    assert_eq!(waits("HTTP/1.1", ""), Ok(false));
    assert_eq!(waits("HTTP/1.1", "Expect: 100-Continue\r\n"), Ok(true));
    assert_eq!(waits("HTTP/1.1", "Expect: a-miracle\r\n"), Err(Refusal::Expectation));
    assert_eq!(waits("HTTP/1.1", "Expect: 100-continue\r\nExpect: b\r\n"), Err(Refusal::Expectation));
    assert_eq!(waits("HTTP/1.0", "Expect: a-miracle\r\n"), Ok(false));
}

proptest! {
    #[test]
    fn how_bytes_arrive_makes_no_difference(
        input in "(\r\n)?[A-Z]{0,4} /[a-z?#]{0,9} HTTP/1.[01]\r\n(Host: h\r\n)?(X: [ -~\r\n]{0,9}\r\n)?\r\n.{0,9}",
        cuts in prop::collection::vec(0..100usize, 0..6),
    ) {
        let config = config();
        let at_once = Scanner::new(&config).scan(input.as_bytes());
        let mut scanner = Scanner::new(&config);
        let mut ends: Vec<usize> = cuts.into_iter().map(|cut| cut.min(input.len())).collect();
        ends.push(input.len());
        ends.sort();
        let by_parts = ends.iter().map(|&end| scanner.scan(&input.as_bytes()[..end])).find(|s| *s != Ok(None));
        prop_assert_eq!(by_parts.unwrap_or(Ok(None)), at_once);
    }

    #[test]
    fn any_bytes_are_read_or_refused(input in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(Some(parsed)) = read(&input) {
            prop_assert!(parsed.path.starts_with('/'));
        }
    }
}
