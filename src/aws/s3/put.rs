//! PutObject: stores an object, maybe on a condition.
//!
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>)

use std::time::Duration;

use super::S3;
use crate::aws::client::Patience;
use crate::aws::error::Error;
use crate::aws::request::{Answer, Method, Payload, Request, hex};
use crate::observe::time::http_date;

/// What must be there for a write to go ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition<'a> {
    /// Whatever.
    Any,
    /// Nothing.
    Absent,
    /// The content with this ETag.
    Matches(&'a str),
}

/// An object to store.
pub struct Put<'a, 'p> {
    /// Its key.
    pub key: &'a str,
    /// `Content-Type` that it is served with.
    pub content_type: &'a str,
    /// `Cache-Control` that it is served with.
    pub cache_control: &'a str,
    /// `Expires` that it is served with, if any: milliseconds since 1970.
    pub expires: Option<u64>,
    /// Tag that lifecycle rules go by, name and value of letters, digits and hyphens.
    pub tag: Option<(&'a str, String)>,
    /// On which condition.
    pub condition: Condition<'a>,
    /// Its bytes.
    pub payload: Payload<'p>,
}

/// Header field that names one call: by it, a call whose answer was lost knows its own work again.
const CALL: &str = "x-amz-meta-call";

/// How long a small object may take, all attempts together.
const BASE: Duration = Duration::from_secs(30);

/// What it may take longer for each MiB.
const PER_MIB: Duration = Duration::from_secs(1);

impl S3 {
    /// Stores an object; returns its ETag. Nothing is stored if the payload can't be read to its end.
    ///
    /// # Errors
    /// A refusal with status 412 if the condition does not hold; 404 `NoSuchKey` if an ETag was asked
    /// for and there is no object.
    pub fn put(&self, put: Put<'_, '_>) -> Result<String, Error> {
        let mut request =
            Request { body: put.payload, ..self.request(Method::Put, put.key, Answer::Document) };
        request.headers.push(("content-type", put.content_type.to_owned()));
        request.headers.push(("cache-control", put.cache_control.to_owned()));
        if let Some(expires) = put.expires {
            request.headers.push(("expires", http_date(expires)));
        }
        if let Some((name, value)) = &put.tag {
            request.headers.push(("x-amz-tagging", format!("{name}={value}")));
        }
        let condition = match put.condition {
            Condition::Any => None,
            Condition::Absent => Some(("if-none-match", "*")),
            Condition::Matches(etag) => Some(("if-match", etag)),
        };
        let call = call_name()?;
        if let Some((name, value)) = condition {
            request.headers.push((name, value.to_owned()));
            request.headers.push((CALL, call.clone()));
        }
        match self.client.call(&request, &patience(request.body.length)) {
            Ok(response) => match response.header("etag") {
                Some(etag) => Ok(etag.to_owned()),
                None => Err(Error::Unexpected("PutObject without an ETag".to_owned())),
            },
            Err(error) => self.recognise(put.key, &call, error),
        }
    }

    /// A condition that fails after an attempt whose answer was lost may have been failed by that very
    /// attempt: then all is well. Where nobody says whose work is there, the error is why: the caller
    /// must not read the refusal as another's object, and leave its own behind.
    fn recognise(&self, key: &str, call: &str, error: Error) -> Result<String, Error> {
        let doubtful = match &error {
            Error::Refused(refusal) => refusal.after_doubt && refusal.status == 412,
            _ => false,
        };
        if !doubtful {
            return Err(error);
        }
        match self.client.call(&self.request(Method::Head, key, Answer::Object), &super::BRIEF) {
            Ok(there) if there.header(CALL) == Some(call) => {
                Ok(there.header("etag").unwrap_or_default().to_owned())
            }
            Ok(_) => Err(error),
            // It was there for the condition, and is gone: not ours to say more of.
            Err(gone) if gone.status() == Some(404) => Err(error),
            Err(unknown) => Err(unknown),
        }
    }
}

fn call_name() -> Result<String, Error> {
    let mut bytes = [0; 16];
    crate::random::fill(&mut bytes)
        .map_err(|e| Error::Configuration(format!("no randomness from the system: {e}")))?;
    Ok(hex(&bytes))
}

/// For an object of `length` bytes.
fn patience(length: u64) -> Patience {
    let mib = u32::try_from(length >> 20).unwrap_or(u32::MAX);
    let mut patience = Patience::brief(BASE.saturating_add(PER_MIB.saturating_mul(mib)), 64 * 1024);
    // S3 answers when the object is stored in several places.
    patience.limits.answer = Duration::from_secs(20);
    patience
}
