//! Which region, and at which address a service is there.
//!
//! (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>)

use super::environment::Environment;
use super::error::Error;
use super::imds::Imds;
use super::profile::Profile;

/// The region: `AWS_REGION`, `AWS_DEFAULT_REGION`, the profile's, the EC2 machine's.
///
/// # Errors
/// When none of them says.
pub fn find(environment: &Environment, profile: &Profile, imds: Option<&Imds>) -> Result<String, Error> {
    let named = environment.get("AWS_REGION").or_else(|| environment.get("AWS_DEFAULT_REGION"));
    if let Some(region) = named.or_else(|| profile.get("region")) {
        return checked(region);
    }
    let unknown = "no AWS region: set AWS_REGION, or `region` in the profile";
    match imds.map(Imds::region) {
        Some(Ok(Some(region))) => checked(&region),
        Some(Err(error)) => Err(Error::Configuration(format!("{unknown} ({error})"))),
        Some(Ok(None)) | None => Err(Error::Configuration(unknown.to_owned())),
    }
}

/// A region becomes part of host names: it may hold nothing else than its own characters.
fn checked(region: &str) -> Result<String, Error> {
    let well_formed = region.len() <= 64 && region.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    match well_formed {
        true => Ok(region.to_owned()),
        false => Err(Error::Configuration(format!("the AWS region {region:?} is no region's name"))),
    }
}

/// Where a service answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// AWS itself: host names follow from region and service.
    Aws,
    /// Another address, without a slash at its end: a URL that the operator gave.
    Custom(String),
}

impl Endpoint {
    /// The endpoint of `service` (`S3`, `SQS`): `AWS_ENDPOINT_URL_<service>`, `AWS_ENDPOINT_URL`, the
    /// profile's `endpoint_url`, unless `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` is `true`.
    ///
    /// # Errors
    /// When it is no http or https URL.
    pub fn find(environment: &Environment, profile: &Profile, service: &str) -> Result<Endpoint, Error> {
        if environment.is_true("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") {
            return Ok(Endpoint::Aws);
        }
        let own = format!("AWS_ENDPOINT_URL_{service}");
        let url = environment.get(&own).or_else(|| environment.get("AWS_ENDPOINT_URL"));
        let Some(url) = url.or_else(|| profile.get("endpoint_url")) else { return Ok(Endpoint::Aws) };
        let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]/".contains(&b);
        match host {
            Some(host) if !host.is_empty() && !host.starts_with('/') && host.bytes().all(plain) => {
                Ok(Endpoint::Custom(url.trim_end_matches('/').to_owned()))
            }
            _ => Err(Error::Configuration(format!(
                "the endpoint URL of {service} is {url:?}: it may be http:// or https:// with a host, a port and a path"
            ))),
        }
    }

    /// The URL of `service` (its name in host names, `sqs`) in `region`, without a slash at its end.
    pub fn url(&self, service: &str, region: &str) -> String {
        match self {
            Endpoint::Aws => format!("https://{service}.{region}.{}", domain(region)),
            Endpoint::Custom(url) => url.clone(),
        }
    }
}

/// The domain that a region's services are in: China has its own.
pub fn domain(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(variables: &[(&str, &str)]) -> Result<String, Error> {
        let environment = variables.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Ok(Endpoint::find(&environment, &Profile::default(), "SQS")?.url("sqs", "eu-west-1"))
    }

    #[test]
    fn the_region_is_the_first_that_is_named() {
        let find = |environment: Environment| find(&environment, &Profile::default(), None);
        assert_eq!(find([("AWS_REGION", "a-1"), ("AWS_DEFAULT_REGION", "b-1")].into()).unwrap(), "a-1");
        assert_eq!(find([("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "b-1")].into()).unwrap(), "b-1");
        assert!(find([].into()).unwrap_err().to_string().contains("AWS_REGION"));
        assert!(find([("AWS_REGION", "evil.example/")].into()).is_err());
    }

    #[test]
    fn an_endpoint_of_the_service_goes_before_the_general_one() {
        assert_eq!(endpoint(&[]).unwrap(), "https://sqs.eu-west-1.amazonaws.com");
        let general = ("AWS_ENDPOINT_URL", "http://127.0.0.1:4566/");
        let own = ("AWS_ENDPOINT_URL_SQS", "https://sqs.test");
        assert_eq!(endpoint(&[general]).unwrap(), "http://127.0.0.1:4566");
        assert_eq!(endpoint(&[general, own]).unwrap(), "https://sqs.test");
        let ignored = endpoint(&[general, ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")]);
        assert_eq!(ignored.unwrap(), "https://sqs.eu-west-1.amazonaws.com");
        for bad in ["127.0.0.1", "ftp://x", "http://", "http://a b", "http://user@x", "http://x/?a"] {
            assert!(endpoint(&[("AWS_ENDPOINT_URL", bad)]).is_err(), "{bad}");
        }
    }

    #[test]
    fn china_has_its_own_domain() {
        assert_eq!(Endpoint::Aws.url("sqs", "cn-north-1"), "https://sqs.cn-north-1.amazonaws.com.cn");
    }
}
