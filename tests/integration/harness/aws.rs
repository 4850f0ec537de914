//! Our own store and queue on a peer, for the tests that go below the programs.

use std::net::SocketAddr;
use std::sync::Arc;

use image_sharer::aws::client::{Client, Parts};
use image_sharer::aws::clock::{Clock, SystemClock};
use image_sharer::aws::credentials::{Cached, Chain};
use image_sharer::aws::profile::Profile;
use image_sharer::aws::s3::{Bucket, S3};
use image_sharer::aws::sign::Style;
use image_sharer::aws::sqs::Sqs;
use image_sharer::aws::transport::Http;
use image_sharer::aws::{Endpoint, Environment};
use image_sharer::queue::sqs::{self, SqsQueue};
use image_sharer::store::s3::{self, S3Store};

use super::{Keys, Place};

impl Place {
    /// The store here, reached over `endpoint` with these keys.
    pub fn store(&self, endpoint: SocketAddr, keys: &Keys) -> S3Store {
        self.store_at(endpoint, keys, Arc::new(SystemClock))
    }

    /// The same, of a program with this clock.
    pub fn store_at(&self, endpoint: SocketAddr, keys: &Keys, clock: Arc<dyn Clock>) -> S3Store {
        let environment = self.environment(endpoint, keys);
        let profile = Profile::load(&environment).unwrap();
        let endpoint = Endpoint::find(&environment, &profile, "S3").unwrap();
        let bucket = Bucket::new(&self.bucket, &endpoint, &self.region).unwrap();
        let client = Client::new(parts(&environment, clock), "s3", Style::S3, &self.region);
        let address = format!("s3://{}/{}", self.bucket, self.prefix);
        S3Store::new(S3::new(client, bucket), s3::Address::parse(&address).unwrap())
    }

    /// The queue here, reached over `endpoint` with these keys.
    pub fn queue(&self, endpoint: SocketAddr, keys: &Keys) -> SqsQueue {
        self.queue_at(endpoint, keys, Arc::new(SystemClock))
    }

    /// The same, of a program with this clock.
    pub fn queue_at(&self, endpoint: SocketAddr, keys: &Keys, clock: Arc<dyn Clock>) -> SqsQueue {
        let environment = self.environment(endpoint, keys);
        let client = Client::new(parts(&environment, clock), "sqs", Style::Standard, &self.region);
        let sqs = Sqs::new(client, format!("http://{endpoint}"));
        SqsQueue::new(sqs, sqs::Address::Name(self.queue.clone()))
    }

    fn environment(&self, endpoint: SocketAddr, keys: &Keys) -> Environment {
        self.settings(endpoint, keys).into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

fn parts(environment: &Environment, clock: Arc<dyn Clock>) -> Parts {
    let chain = Chain::standard(environment, None);
    Parts {
        transport: Arc::new(Http::new(environment).unwrap()),
        credentials: Arc::new(Cached::new(Box::new(chain), clock.clone())),
        clock,
        chance: || u32::MAX / 4,
    }
}
