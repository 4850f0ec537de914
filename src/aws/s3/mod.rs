//! S3: the four actions on one object that this service needs, a file each, and one that others do for it.
//!
//! Keys go into paths percent-encoded byte by byte, and come back as they were.
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html>)

use std::time::Duration;

use super::client::{Client, Patience};
use super::error::Error;
use super::region::{Endpoint, domain};
use super::request::{Answer, Method, Payload, Request, encode_path};

mod delete;
mod get;
mod head;
mod presign;
mod put;

pub use get::Fetched;
pub use head::Head;
pub use put::{Condition, Put};

/// For calls without a body to speak of.
const BRIEF: Patience = Patience::brief(Duration::from_secs(15), 64 * 1024);

/// One bucket.
pub struct S3 {
    client: Client,
    bucket: Bucket,
}

/// A bucket's name and address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    name: String,
    url: String,
}

impl Bucket {
    /// A bucket at `endpoint`. On AWS its name is part of the host name; behind an endpoint URL, and if
    /// it has dots, which no certificate matches, part of the path.
    ///
    /// # Errors
    /// When `name` is no bucket's name.
    pub fn new(name: &str, endpoint: &Endpoint, region: &str) -> Result<Bucket, Error> {
        if !is_bucket_name(name) {
            return Err(Error::Configuration(format!(
                "{name:?} is no bucket's name: 3 to 63 of a-z, 0-9, dots and hyphens, a letter or digit at each end"
            )));
        }
        let url = match endpoint {
            Endpoint::Aws if !name.contains('.') => format!("https://{name}.s3.{region}.{}", domain(region)),
            _ => format!("{}/{name}", endpoint.url("s3", region)),
        };
        Ok(Bucket { name: name.to_owned(), url })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its URL, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The URL of an object.
    pub fn url_of(&self, key: &str) -> String {
        format!("{}/{}", self.url, encode_path(key))
    }
}

/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>)
fn is_bucket_name(name: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (3..=63).contains(&name.len())
        && name.bytes().all(|b| inner(b) || b == b'.' || b == b'-')
        && !name.contains("..")
        && name.bytes().next().is_some_and(inner)
        && name.bytes().last().is_some_and(inner)
}

impl S3 {
    /// A bucket, through a client of S3.
    pub fn new(client: Client, bucket: Bucket) -> S3 {
        S3 { client, bucket }
    }

    /// The bucket.
    pub fn bucket(&self) -> &Bucket {
        &self.bucket
    }

    fn request(&self, method: Method, key: &str, answer: Answer) -> Request<'static> {
        let url = self.bucket.url_of(key);
        Request { method, url, headers: Vec::new(), body: Payload::empty(), answer }
    }
}

#[cfg(test)]
mod tests;
