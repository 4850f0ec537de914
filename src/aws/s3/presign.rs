//! PutObject by another: a URL that stores one object of a known type and length.
//!
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>)

use std::time::Duration;

use super::S3;
use crate::aws::error::Error;
use crate::aws::request::{Answer, Method};

impl S3 {
    /// A URL that takes an object of this `Content-Type` and `Content-Length` (bytes) by PUT, both signed,
    /// and for how long it does: `longest` (whole seconds), or until our credentials end.
    ///
    /// # Errors
    /// When there are no credentials.
    pub fn presign_put(
        &self,
        key: &str,
        content_type: &str,
        length: u64,
        longest: Duration,
    ) -> Result<(String, Duration), Error> {
        let mut request = self.request(Method::Put, key, Answer::Document);
        request.headers.push(("content-type", content_type.to_owned()));
        request.headers.push(("content-length", length.to_string()));
        self.client.presign(&request, longest)
    }
}
