//! HeadObject: an object's metadata.
//!
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>)

use super::{BRIEF, S3};
use crate::aws::error::Error;
use crate::aws::request::{Answer, Method};

/// An object's metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Bytes of its content.
    pub length: u64,
    /// `Content-Type`.
    pub content_type: String,
    /// `Cache-Control`; empty if it has none.
    pub cache_control: String,
    /// Which content it has.
    pub etag: String,
}

impl S3 {
    /// An object's metadata.
    ///
    /// # Errors
    /// A refusal with status 404 if there is no such object, 403 if there is none and
    /// `s3:ListBucket` is not granted. An answer to HEAD has no body, so there is no more to tell.
    pub fn head(&self, key: &str) -> Result<Head, Error> {
        let response = self.client.call(&self.request(Method::Head, key, Answer::Object), &BRIEF)?;
        let header = |name: &str| response.header(name).unwrap_or_default().to_owned();
        let length = response.header("content-length").and_then(|length| length.parse().ok());
        match (length, response.header("etag")) {
            (Some(length), Some(etag)) => Ok(Head {
                length,
                content_type: header("content-type"),
                cache_control: header("cache-control"),
                etag: etag.to_owned(),
            }),
            _ => Err(Error::Unexpected("HeadObject without a length or an ETag".to_owned())),
        }
    }
}
