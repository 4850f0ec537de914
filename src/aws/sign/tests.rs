//! AWS's own vectors: the suite that the signing crate ships, and the worked example of S3's manual.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use aws_sigv4::http_request::SessionTokenMode;
use serde::Deserialize;

use super::*;
use crate::aws::date;
use crate::aws::request::{Answer, Method, Payload};

/// How many cases the suite has: one that goes missing is noticed.
const CASES: usize = 40;

#[derive(Deserialize)]
struct Context {
    credentials: Keys,
    normalize: bool,
    region: String,
    service: String,
    sign_body: bool,
    timestamp: String,
    #[serde(default)]
    omit_session_token: bool,
}

#[derive(Deserialize)]
struct Keys {
    access_key_id: String,
    secret_access_key: String,
    token: Option<String>,
}

/// Two cases are from before there were context files, and are signed twice over in their paths.
const OLD: &[(&str, &str)] = &[
    (
        "double-encode-path",
        r#"{"credentials": {"access_key_id": "ANOTREAL", "secret_access_key": "notrealrnrELgWzOk3IfjzDKtFBhDby"},
            "normalize": true, "region": "us-east-1", "service": "service", "sign_body": false,
            "timestamp": "2015-08-30T12:36:00Z"}"#,
    ),
    (
        "double-url-encode",
        r#"{"credentials": {"access_key_id": "AKIDEXAMPLE",
            "secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}, "normalize": true,
            "region": "us-east-2", "service": "lambda", "sign_body": false, "timestamp": "2021-05-11T15:40:45Z"}"#,
    ),
];

/// The suite's folder, in the source of the signing crate that this build uses.
fn suite() -> PathBuf {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        manifest_path: PathBuf,
    }
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Metadata = serde_json::from_slice(&output.stdout).unwrap();
    let package = metadata.packages.iter().find(|package| package.name == "aws-sigv4").expect("aws-sigv4");
    package.manifest_path.parent().unwrap().join("aws-signing-test-suite/v4")
}

/// A request as the suite writes it: an HTTP/1.1 head and, after an empty line, a body.
struct Written {
    method: Method,
    url: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

fn read(path: &Path) -> Written {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
    // A folded value is one value (RFC 9112 §5.2).
    let head = head.replace("\n ", "  ");
    let mut lines = head.lines();
    let line = lines.next().unwrap().trim_end_matches(" HTTP/1.1");
    let (method, target) = line.split_once(' ').unwrap();
    let method = match method {
        "GET" => Method::Get,
        "POST" => Method::Post,
        other => panic!("{other}"),
    };
    let mut headers: Vec<(&'static str, String)> = Vec::new();
    let mut host = String::new();
    for line in lines.filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').unwrap();
        match name.to_ascii_lowercase() {
            name if name == "host" => value.clone_into(&mut host),
            name => headers.push((String::leak(name), value.trim_start().to_owned())),
        }
    }
    Written { method, url: format!("https://{host}{}", encoded(target)), headers, body: body.to_owned() }
}

/// What no URL may hold as it stands is percent-encoded, as it is for all our requests.
fn encoded(target: &str) -> String {
    let byte = |b: u8| if b.is_ascii_graphic() { char::from(b).to_string() } else { format!("%{b:02X}") };
    target.bytes().map(byte).collect()
}

fn signed(folder: &Path, secret: impl Fn(&str) -> String) -> Vec<(String, String)> {
    let old = OLD.iter().find(|(name, _)| folder.ends_with(name)).map(|(_, context)| (*context).to_owned());
    let is_old = old.is_some();
    let context = old.unwrap_or_else(|| fs::read_to_string(folder.join("context.json")).unwrap());
    let context: Context = serde_json::from_str(&context).unwrap();
    let Written { method, url, headers, body } = read(&folder.join("request.txt"));
    let body = Payload::bytes(body.as_bytes());
    let request = Request { method, url, headers, body, answer: Answer::Document };
    let Keys { access_key_id, secret_access_key, token } = context.credentials;
    let secret = secret(&secret_access_key);
    let credentials = match token {
        Some(token) => Credentials::temporary(access_key_id, secret, token, None),
        None => Credentials::lasting(access_key_id, secret),
    };
    let scope = Scope { service: &context.service, region: &context.region, style: Style::Standard };
    let mut settings = settings(Style::Standard);
    settings.uri_path_normalization_mode = context.normalize.into();
    if !is_old {
        // The newer cases take a path as it is sent, like S3.
        settings.percent_encoding_mode = PercentEncodingMode::Single;
    }
    if context.sign_body {
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    if context.omit_session_token {
        settings.session_token_mode = SessionTokenMode::Exclude;
    }
    let now = date::iso8601(&context.timestamp).unwrap();
    sign_with(&request, scope, &credentials, now, settings).unwrap()
}

fn field<'a>(headers: &'a [(impl AsRef<str>, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(n, _)| n.as_ref() == name).map(|(_, value)| value.as_str())
}

#[test]
fn all_cases_of_awss_own_suite_are_signed_as_it_says() {
    let suite = suite();
    let folders: Vec<PathBuf> = fs::read_dir(&suite)
        .unwrap_or_else(|e| panic!("{}: {e}", suite.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(folders.len(), CASES, "cases in {}", suite.display());
    for folder in folders {
        let expected = read(&folder.join("header-signed-request.txt")).headers;
        let ours = signed(&folder, str::to_owned);
        for name in ["authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"] {
            assert_eq!(field(&ours, name), field(&expected, name), "{name} of {}", folder.display());
        }
        let forged = signed(&folder, |secret| format!("{secret}x"));
        assert_ne!(
            field(&forged, "authorization"),
            field(&expected, "authorization"),
            "{}",
            folder.display()
        );
    }
}

/// "Example: PUT Object" of
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>.
#[test]
fn the_example_of_s3s_manual_is_signed_as_it_says() {
    let request = Request {
        method: Method::Put,
        url: "https://examplebucket.s3.amazonaws.com/test%24file.text".to_owned(),
        headers: vec![
            ("date", "Fri, 24 May 2013 00:00:00 GMT".to_owned()),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY".to_owned()),
        ],
        body: Payload::bytes(b"Welcome to Amazon S3."),
        answer: Answer::Document,
    };
    let credentials =
        Credentials::lasting("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    let scope = Scope { service: "s3", region: "us-east-1", style: Style::S3 };
    let now = date::iso8601("2013-05-24T00:00:00Z").unwrap();
    let signed = sign(&request, scope, &credentials, now).unwrap();
    assert_eq!(
        field(&signed, "authorization").unwrap(),
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
         SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class, \
         Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
    );
    assert_eq!(field(&signed, "x-amz-content-sha256").unwrap(), request.body.sha256);
}

/// "Example" of <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>.
#[test]
fn the_example_url_of_s3s_manual_is_signed_as_it_says() {
    let (method, body, answer) = (Method::Get, Payload::empty(), Answer::Object);
    let url = "https://examplebucket.s3.amazonaws.com/test.txt".to_owned();
    let request = Request { method, url, headers: Vec::new(), body, answer };
    let credentials =
        Credentials::lasting("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    let scope = Scope { service: "s3", region: "us-east-1", style: Style::S3 };
    let now = date::iso8601("2013-05-24T00:00:00Z").unwrap();
    let url = presign(&request, scope, &credentials, now, Duration::from_secs(86_400)).unwrap();
    let (path, query) = url.split_once('?').unwrap();
    assert_eq!(path, request.url);
    let mut query: Vec<&str> = query.split('&').collect();
    query.sort_unstable();
    assert_eq!(
        query,
        [
            "X-Amz-Algorithm=AWS4-HMAC-SHA256",
            "X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request",
            "X-Amz-Date=20130524T000000Z",
            "X-Amz-Expires=86400",
            "X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
            "X-Amz-SignedHeaders=host",
        ]
    );
}

#[test]
fn what_is_no_header_or_no_url_is_refused_and_does_not_panic() {
    let scope = Scope { service: "s3", region: "us-east-1", style: Style::S3 };
    for (url, value) in [("https://x/a b", "v"), ("https://x/", "a\nb"), ("/relative only\u{7f}", "v")] {
        let headers = vec![("content-type", value.to_owned())];
        let (method, url, body, answer) = (Method::Get, url.to_owned(), Payload::empty(), Answer::Object);
        let request = Request { method, url, headers, body, answer };
        let signed = sign(&request, scope, &Credentials::lasting("AK", "s"), SystemTime::UNIX_EPOCH);
        assert!(signed.is_err(), "{} {value:?}", request.url);
    }
}
