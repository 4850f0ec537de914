//! What can go wrong between this program and AWS, and reading what AWS says of it.
//!
//! A [`Refusal`] keeps status, code and message apart, so that an action can tell a missing key
//! from a forbidden one; all else is for people.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;

use super::request::{Method, Response};
use super::sign::Unsignable;
use super::xml;

/// A call that did not succeed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// No credentials were found, or they can't be had now. Says where it was looked, and what to do.
    Credentials(String),
    /// The environment or a profile says something that can't be used. Says what, and what to do.
    Configuration(String),
    /// The service answered and refused.
    Refused(Refusal),
    /// The service did not answer, or not in time, after all attempts.
    Unreachable {
        /// What happened to the last attempt.
        cause: String,
        /// How many attempts were made.
        attempts: u32,
        /// How long they took together.
        elapsed: Duration,
    },
    /// The answer has more bytes than the caller will hold.
    TooLarge {
        /// The caller's limit, in bytes.
        limit: u64,
    },
    /// The service answered with something that is not what it documents.
    Unexpected(String),
    /// The bytes to be sent could not be read.
    Content(String),
}

/// An answer of refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status code.
    pub status: u16,
    /// The service's own name for it, `NoSuchKey`; made from the status where there is no body.
    pub code: String,
    /// Its sentence for people; may be empty.
    pub message: String,
    /// Its id of the request, for its support.
    pub request_id: String,
    /// An earlier attempt of the same call may have been carried out though its answer was lost.
    pub after_doubt: bool,
}

impl Error {
    /// The refusal, if it is one with this code.
    pub fn refused(&self, code: &str) -> Option<&Refusal> {
        match self {
            Error::Refused(refusal) if refusal.code == code => Some(refusal),
            _ => None,
        }
    }

    /// The refusal's status, if it is one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Error::Refused(refusal) => Some(refusal.status),
            _ => None,
        }
    }

    /// What to do about a refusal that is about who asks; `None` if it is another error. `permission` on
    /// `resource` is what was needed.
    pub fn forbidden(&self, permission: &str, resource: &str) -> Option<String> {
        let Error::Refused(refusal) = self else { return None };
        if refusal.code.starts_with("AccessDenied") {
            Some(format!("{refusal}; grant {permission} on {resource}"))
        } else if refusal.is_about_identity() || matches!(refusal.status, 401 | 403) {
            Some(format!("{refusal}; the credentials themselves are not accepted"))
        } else {
            None
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Credentials(why) | Error::Configuration(why) => f.write_str(why),
            Error::Refused(refusal) => refusal.fmt(f),
            Error::Unreachable { cause, attempts, elapsed } => {
                write!(f, "no answer in {attempts} attempts over {:.1} s: {cause}", elapsed.as_secs_f32())
            }
            Error::TooLarge { limit } => write!(f, "the answer has more than {limit} bytes"),
            Error::Unexpected(what) => write!(f, "an answer that makes no sense: {what}"),
            Error::Content(why) => write!(f, "the content can't be read: {why}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<Unsignable> for Error {
    fn from(error: Unsignable) -> Error {
        Error::Configuration(error.to_string())
    }
}

/// Codes that say whose credentials these are is not accepted (AWS answers some with status 400).
const IDENTITY: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "AllAccessDisabled",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSecurity",
    "InvalidSignatureException",
    "InvalidToken",
    "MissingAuthenticationToken",
    "NotSignedUp",
    "OptInRequired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

impl Refusal {
    /// Reads a refusal out of an answer to `method`.
    pub fn read(method: Method, response: &Response) -> Refusal {
        let header = |name: &str| response.header(name).unwrap_or_default().to_owned();
        let said = match response.body.trim_ascii_start().first() {
            Some(b'<') => from_xml(&response.body),
            Some(b'{') => from_json(response),
            _ => None,
        };
        let (code, message) = said.unwrap_or_else(|| unsaid(method, response.status));
        let message = match response.header("x-amz-bucket-region") {
            Some(region) if matches!(response.status, 301 | 307 | 400) => {
                format!("{message} The bucket is in region {region}: set AWS_REGION to it.")
            }
            _ => message,
        };
        let request_id = ["x-amz-request-id", "x-amzn-requestid"].map(header).concat();
        Refusal { status: response.status, code, message, request_id, after_doubt: false }
    }

    /// Whether it is about who asks.
    pub fn is_about_identity(&self) -> bool {
        IDENTITY.contains(&self.code.as_str())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (HTTP {})", self.code, self.status)?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        if !self.request_id.is_empty() {
            write!(f, " [request {}]", self.request_id)?;
        }
        Ok(())
    }
}

/// `<Error><Code>…` of S3, or the same inside `<ErrorResponse>` of the older query services.
pub fn from_xml(body: &[u8]) -> Option<(String, String)> {
    let root = xml::parse(body).ok()?;
    let error = match root.name.as_str() {
        "Error" => &root,
        _ => root.child("Error").or_else(|| root.child("Errors")?.child("Error"))?,
    };
    let text = |name| error.child_text(name).unwrap_or_default().to_owned();
    Some((text("Code"), text("Message")))
}

/// Longest JSON error that is read, in bytes.
const MAX_JSON: usize = 64 * 1024;

#[derive(Deserialize)]
struct Json {
    #[serde(rename = "__type")]
    kind: Option<String>,
    #[serde(alias = "Message")]
    message: Option<String>,
}

/// `{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"…"}`; the prefix is not always
/// there, and the name may stand in a header field instead, with a URI behind it.
fn from_json(response: &Response) -> Option<(String, String)> {
    if response.body.len() > MAX_JSON {
        return None;
    }
    let json: Json = serde_json::from_slice(&response.body).ok()?;
    let query = response.header("x-amzn-query-error").and_then(|value| value.split(';').next());
    let kind = json.kind.as_deref().or(response.header("x-amzn-errortype")).or(query)?;
    let kind = kind.rsplit_once('#').map_or(kind, |(_, name)| name);
    let kind = kind.split_once(':').map_or(kind, |(name, _)| name);
    Some((kind.to_owned(), json.message.unwrap_or_default()))
}

/// What a status says on its own: of an answer to HEAD, which has no body, or of a proxy's page.
fn unsaid(method: Method, status: u16) -> (String, String) {
    let code = match status {
        301 | 307 => "PermanentRedirect",
        403 => "AccessDenied",
        404 => "NotFound",
        412 => "PreconditionFailed",
        503 => "ServiceUnavailable",
        _ => return (format!("Http{status}"), format!("an answer to {} that says no more", method.as_str())),
    };
    (code.to_owned(), String::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(headers: &[(&str, &str)], body: &str) -> (String, String) {
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let response = Response { status: 400, headers, body: body.into() };
        let refusal = Refusal::read(Method::Post, &response);
        (refusal.code, refusal.message)
    }

    fn pair(code: &str, message: &str) -> (String, String) {
        (code.to_owned(), message.to_owned())
    }

    #[test]
    fn errors_are_read_in_each_form_that_servers_use() {
        let plain = refusal(&[], r#"{"__type":"QueueDoesNotExist","message":"gone"}"#);
        assert_eq!(plain, pair("QueueDoesNotExist", "gone"));
        let prefixed = refusal(&[], r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","Message":"gone"}"#);
        assert_eq!(prefixed, plain);
        let in_header = refusal(&[("x-amzn-errortype", "Throttled:http://x/")], r#"{"message":null}"#);
        assert_eq!(in_header, pair("Throttled", ""));
        let query = refusal(&[("x-amzn-query-error", "AWS.Old;Sender")], r#"{"message":"m"}"#);
        assert_eq!(query, pair("AWS.Old", "m"));
        let s3 = refusal(&[], "<Error><Code>NoSuchKey</Code><Message>no &amp; none</Message></Error>");
        assert_eq!(s3, pair("NoSuchKey", "no & none"));
        let sts =
            refusal(&[], "<ErrorResponse><Error><Type>Sender</Type><Code>X</Code></Error></ErrorResponse>");
        assert_eq!(sts, pair("X", ""));
    }

    #[test]
    fn what_can_not_be_read_still_has_a_code() {
        for body in ["", "<html>", "{", "{\"a\":1}", "<Error><Code>Slow", "Bad gateway"] {
            assert_eq!(refusal(&[], body).0, "Http400", "{body}");
        }
    }
}
