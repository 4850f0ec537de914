//! CloudFront: the one action on a distribution that this service needs. Its control plane is in one
//! region for all of the world, and is signed for there.
//!
//! (<https://docs.aws.amazon.com/cloudfront/latest/APIReference/Welcome.html>)

use super::client::Client;
use super::region::Endpoint;

mod invalidate;

pub use invalidate::MOST_PATHS;

/// The region that signatures name for the control plane of `region`'s partition.
/// (<https://docs.aws.amazon.com/general/latest/gr/cf_region.html>)
pub fn home(region: &str) -> &'static str {
    if region.starts_with("cn-") { "cn-northwest-1" } else { "us-east-1" }
}

/// The control plane's URL, without a slash at its end.
pub fn url(endpoint: &Endpoint, region: &str) -> String {
    match endpoint {
        Endpoint::Aws if region.starts_with("cn-") => {
            "https://cloudfront.cn-northwest-1.amazonaws.com.cn".to_owned()
        }
        Endpoint::Aws => "https://cloudfront.amazonaws.com".to_owned(),
        Endpoint::Custom(url) => url.clone(),
    }
}

/// One distribution.
pub struct Distribution {
    client: Client,
    url: String,
    id: String,
}

impl Distribution {
    /// The distribution `id`, through a client of CloudFront at `url`.
    pub fn new(client: Client, url: String, id: String) -> Distribution {
        Distribution { client, url, id }
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }
}
