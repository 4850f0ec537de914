//! AWS without an SDK: one client that signs, sends, retries and reads errors, on which services sit
//! in small files, an action each.
//!
//! ```text
//! s3/ sqs/ cloudfront/ cloudwatch/ autoscaling    an action each: what is asked, what is answered
//!   client        sign → send → judge → again?      retry, clock
//!     sign        Signature Version 4 (the aws-sigv4 crate)
//!     transport   one HTTP exchange (the ureq crate)
//!     credentials environment → profile files → EC2 role, kept fresh
//!     error, xml  what a refusal says
//! region, profile, environment, imds      where all that is found
//! ```
//!
//! The variables and files of AWS's own tools mean here what they mean to them. Time, credentials
//! and the network come in as arguments, so that published vectors and recorded exchanges are tests.

use std::sync::Arc;

pub mod autoscaling;
pub mod client;
pub mod clock;
pub mod cloudfront;
pub mod cloudwatch;
pub mod credentials;
pub mod date;
pub mod environment;
pub mod error;
pub mod imds;
pub mod profile;
pub mod region;
pub mod request;
pub mod retry;
pub mod s3;
pub mod sign;
pub mod sqs;
#[cfg(test)]
pub(crate) mod testing;
pub mod transport;
pub mod xml;

pub use environment::Environment;
pub use error::Error;
pub use region::Endpoint;

use autoscaling::AutoScaling;
use client::{Client, Parts};
use clock::SystemClock;
use cloudfront::Distribution;
use cloudwatch::CloudWatch;
use credentials::{Cached, Chain};
use imds::Imds;
use profile::Profile;
use s3::{Bucket, S3};
use sign::Style;
use sqs::Sqs;
use transport::Http;

/// AWS as the environment describes it.
pub struct Aws {
    environment: Environment,
    profile: Profile,
    region: String,
    parts: Parts,
    imds: Option<Arc<Imds>>,
}

impl Aws {
    /// Reads the environment and the profile files. Credentials are looked for at their first use.
    ///
    /// # Errors
    /// When something there can't be used, or no region is named.
    pub fn new(environment: Environment) -> Result<Aws, Error> {
        let transport = Arc::new(Http::new(&environment)?);
        let clock = Arc::new(SystemClock);
        let imds = Imds::from_environment(&environment, transport.clone(), clock.clone())?.map(Arc::new);
        let profile = Profile::load(&environment)?;
        let region = region::find(&environment, &profile, imds.as_deref())?;
        let chain = Chain::standard(&environment, imds.clone());
        let credentials = Arc::new(Cached::new(Box::new(chain), clock.clone()));
        let parts = Parts { transport, credentials, clock, chance };
        Ok(Aws { environment, profile, region, parts, imds })
    }

    /// The region.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The id of the access key that requests are signed with now.
    ///
    /// # Errors
    /// When there are no credentials.
    pub fn access_key(&self) -> Result<String, Error> {
        Ok(self.parts.credentials.get()?.access_key().to_owned())
    }

    /// The EC2 machine's metadata, unless they are switched off.
    pub fn imds(&self) -> Option<Arc<Imds>> {
        self.imds.clone()
    }

    /// A bucket.
    ///
    /// # Errors
    /// When `name` is no bucket's name, or the endpoint is no URL.
    pub fn bucket(&self, name: &str) -> Result<S3, Error> {
        let endpoint = Endpoint::find(&self.environment, &self.profile, "S3")?;
        let bucket = Bucket::new(name, &endpoint, &self.region)?;
        Ok(S3::new(self.client("s3", Style::S3, &self.region), bucket))
    }

    /// A CloudFront distribution.
    ///
    /// # Errors
    /// When the endpoint is no URL.
    pub fn distribution(&self, id: &str) -> Result<Distribution, Error> {
        let endpoint = Endpoint::find(&self.environment, &self.profile, "CLOUDFRONT")?;
        let client = self.client("cloudfront", Style::Standard, cloudfront::home(&self.region));
        Ok(Distribution::new(client, cloudfront::url(&endpoint, &self.region), id.to_owned()))
    }

    /// SQS. A queue's URL says which region it is in.
    ///
    /// # Errors
    /// When the endpoint is no URL.
    pub fn sqs(&self, queue_url: Option<&str>) -> Result<Sqs, Error> {
        let endpoint = Endpoint::find(&self.environment, &self.profile, "SQS")?;
        let region = queue_url.and_then(sqs::region_of).unwrap_or(&self.region);
        Ok(Sqs::new(self.client("sqs", Style::Standard, region), endpoint.url("sqs", region)))
    }

    /// CloudWatch.
    ///
    /// # Errors
    /// When the endpoint is no URL.
    pub fn cloudwatch(&self) -> Result<CloudWatch, Error> {
        let endpoint = Endpoint::find(&self.environment, &self.profile, "CLOUDWATCH")?;
        let client = self.client("monitoring", Style::Standard, &self.region);
        Ok(CloudWatch::new(client, endpoint.url("monitoring", &self.region)))
    }

    /// EC2 Auto Scaling.
    ///
    /// # Errors
    /// When the endpoint is no URL.
    pub fn autoscaling(&self) -> Result<AutoScaling, Error> {
        let endpoint = Endpoint::find(&self.environment, &self.profile, "AUTO_SCALING")?;
        let client = self.client("autoscaling", Style::Standard, &self.region);
        Ok(AutoScaling::new(client, endpoint.url("autoscaling", &self.region)))
    }

    fn client(&self, service: &'static str, style: Style, region: &str) -> Client {
        Client::new(self.parts.clone(), service, style, region)
    }
}

/// A number that is uniform over all of `u32`; without randomness, the longest pause.
fn chance() -> u32 {
    let mut bytes = [0; 4];
    crate::random::fill(&mut bytes).map_or(u32::MAX, |()| u32::from_ne_bytes(bytes))
}
