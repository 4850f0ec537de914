//! Who we are to AWS: keys, where they are looked for, and keeping them fresh.
//!
//! The SDKs' order: environment, profile files, web identity, container, the EC2 machine's role.
//! Each place is a [`Source`]; the first that is configured decides, so that a program never
//! silently becomes someone else because what was meant failed.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use super::environment::Environment;
use super::error::Error;
use super::imds::Imds;

pub mod cached;
mod sources;

pub use cached::Cached;

/// Keys to sign with.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    access_key: String,
    secret: String,
    token: Option<String>,
    expires: Option<SystemTime>,
}

impl Credentials {
    /// Keys that stay.
    pub fn lasting(access_key: impl Into<String>, secret: impl Into<String>) -> Credentials {
        Credentials { access_key: access_key.into(), secret: secret.into(), token: None, expires: None }
    }

    /// A session's keys, with its token; `expires` where it is known.
    pub fn temporary(
        access_key: impl Into<String>,
        secret: impl Into<String>,
        token: impl Into<String>,
        expires: Option<SystemTime>,
    ) -> Credentials {
        Credentials { token: Some(token.into()), expires, ..Credentials::lasting(access_key, secret) }
    }

    /// The access key id: a name, no secret.
    pub fn access_key(&self) -> &str {
        &self.access_key
    }

    /// The session token, if they are a session's.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// When they end, if it is known.
    pub fn expires(&self) -> Option<SystemTime> {
        self.expires
    }

    /// The same in the form that the signing crate takes.
    pub(super) fn to_signing(&self) -> aws_credential_types::Credentials {
        aws_credential_types::Credentials::new(
            self.access_key.as_str(),
            self.secret.as_str(),
            self.token.clone(),
            self.expires,
            "image-sharer",
        )
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key", &self.access_key)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// A place where credentials may be.
pub trait Source: Send + Sync {
    /// Looks there; `None` where that place is not configured.
    ///
    /// # Errors
    /// When it is configured, and its credentials can't be had.
    fn fetch(&self) -> Result<Option<Credentials>, Error>;

    /// What it is, for people.
    fn name(&self) -> &'static str;
}

/// Several places, looked at in their order.
pub struct Chain(Vec<Box<dyn Source>>);

impl Chain {
    /// These places in this order.
    pub fn new(sources: Vec<Box<dyn Source>>) -> Chain {
        Chain(sources)
    }

    /// The places and the order that AWS's own tools have.
    pub fn standard(environment: &Environment, imds: Option<Arc<Imds>>) -> Chain {
        let mut sources: Vec<Box<dyn Source>> = vec![
            Box::new(sources::Variables::new(environment)),
            Box::new(sources::ProfileKeys::new(environment)),
            // The seam for web identity and containers: until each is a source of its own, meeting
            // its variable is an error and not a reason to go on to the machine's role.
            Box::new(sources::Unsupported::new(environment)),
        ];
        if let Some(imds) = imds {
            sources.push(Box::new(sources::MachineRole::new(imds)));
        }
        Chain(sources)
    }
}

impl Source for Chain {
    fn fetch(&self) -> Result<Option<Credentials>, Error> {
        for source in &self.0 {
            if let Some(credentials) = source.fetch()? {
                log::debug!(source = source.name(), access_key = credentials.access_key(); "credentials found");
                return Ok(Some(credentials));
            }
        }
        let names: Vec<&str> = self.0.iter().map(|source| source.name()).collect();
        Err(Error::Credentials(format!("no AWS credentials: none in {}", names.join(", nor in "))))
    }

    fn name(&self) -> &'static str {
        "the standard places"
    }
}
