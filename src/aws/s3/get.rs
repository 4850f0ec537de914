//! GetObject: fetches an object whole.
//!
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>)

use std::time::Duration;

use super::S3;
use crate::aws::client::Patience;
use crate::aws::error::Error;
use crate::aws::request::{Answer, Method};

/// An object's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// All its bytes.
    pub bytes: Vec<u8>,
    /// Which content this is.
    pub etag: String,
}

/// How long a fetch may take, all attempts together: the longest object at 1 MiB a second.
const DEADLINE: Duration = Duration::from_secs(90);

impl S3 {
    /// Fetches an object of at most `limit` bytes.
    ///
    /// # Errors
    /// [`Error::TooLarge`]; a refusal with status 404 `NoSuchKey` if there is no such object, 403 if
    /// there is none and `s3:ListBucket` is not granted.
    pub fn get(&self, key: &str, limit: u64) -> Result<Fetched, Error> {
        let request = self.request(Method::Get, key, Answer::Object);
        let response = self.client.call(&request, &Patience::brief(DEADLINE, limit))?;
        match response.header("etag").map(str::to_owned) {
            Some(etag) => Ok(Fetched { bytes: response.body, etag }),
            None => Err(Error::Unexpected("GetObject without an ETag".to_owned())),
        }
    }
}
