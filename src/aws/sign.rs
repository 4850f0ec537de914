//! Signature Version 4, through the `aws-sigv4` crate: header fields to add to a request, or a URL that
//! lets another make it.
//!
//! Time and credentials come in as arguments, so that AWS's own published vectors are the tests.
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>)

use std::fmt;
use std::time::{Duration, SystemTime};

use aws_sigv4::http_request::{
    self, PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
    SigningInstructions, SigningSettings, UriPathNormalizationMode,
};
use aws_sigv4::sign::v4;

use super::credentials::Credentials;
use super::request::{Request, encode_path};

/// How a service wants to be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// S3: the path as it is sent, and a header field with the body's hash.
    S3,
    /// All others: the path is normalised and encoded once more.
    Standard,
}

/// For whom a signature is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope<'a> {
    /// The service's name in signatures, `s3`, `sqs`.
    pub service: &'a str,
    /// The region's, `eu-west-1`.
    pub region: &'a str,
    /// How it wants to be signed.
    pub style: Style,
}

/// A request that can't be signed: a malformed URL, or a value that is no header field's.
#[derive(Debug)]
pub struct Unsignable(String);

impl fmt::Display for Unsignable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the request can't be signed: {}", self.0)
    }
}

impl std::error::Error for Unsignable {}

/// Header fields that sign `request`, names in lower case: to be sent with it and no other.
///
/// # Errors
/// When the URL or a header field is malformed.
pub fn sign(
    request: &Request<'_>,
    scope: Scope<'_>,
    credentials: &Credentials,
    now: SystemTime,
) -> Result<Vec<(String, String)>, Unsignable> {
    sign_with(request, scope, credentials, now, settings(scope.style))
}

fn sign_with(
    request: &Request<'_>,
    scope: Scope<'_>,
    credentials: &Credentials,
    now: SystemTime,
    settings: SigningSettings,
) -> Result<Vec<(String, String)>, Unsignable> {
    let body = SignableBody::Precomputed(request.body.sha256.clone());
    let (fields, _) = instructions(request, body, scope, credentials, now, settings)?.into_parts();
    Ok(fields.iter().map(|field| (field.name().to_ascii_lowercase(), field.value().to_owned())).collect())
}

/// A URL by which whoever has it can make `request` until `lifetime` (whole seconds, at most 7 days) after
/// `now`: with just its method and header fields, and any body that these allow.
///
/// # Errors
/// When the URL or a header field is malformed.
pub fn presign(
    request: &Request<'_>,
    scope: Scope<'_>,
    credentials: &Credentials,
    now: SystemTime,
    lifetime: Duration,
) -> Result<String, Unsignable> {
    let mut settings = settings(scope.style);
    settings.expires_in = Some(lifetime);
    settings.signature_location = SignatureLocation::QueryParams;
    // The body's hash would be one more header field to send, and nobody knows it yet.
    settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
    let body = SignableBody::UnsignedPayload;
    let (_, parameters) = instructions(request, body, scope, credentials, now, settings)?.into_parts();
    let parameters = parameters.iter().map(|(name, value)| format!("{name}={}", encode_value(value)));
    let separator = if request.url.contains('?') { '&' } else { '?' };
    Ok(format!("{}{separator}{}", request.url, parameters.collect::<Vec<_>>().join("&")))
}

/// Percent-encodes all but RFC 3986's unreserved characters.
fn encode_value(text: &str) -> String {
    encode_path(text).replace('/', "%2F")
}

fn instructions(
    request: &Request<'_>,
    body: SignableBody<'_>,
    scope: Scope<'_>,
    credentials: &Credentials,
    now: SystemTime,
    settings: SigningSettings,
) -> Result<SigningInstructions, Unsignable> {
    let headers = request.headers.iter().map(|(name, value)| (*name, value.as_str()));
    let signable = SignableRequest::new(request.method.as_str(), request.url.as_str(), headers, body);
    let identity = credentials.to_signing().into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(scope.region)
        .name(scope.service)
        .time(now)
        .settings(settings)
        .build();
    let wrong = |e: &dyn std::error::Error| Unsignable(e.to_string());
    let params = params.map_err(|e| wrong(&e))?.into();
    let signed =
        signable.and_then(|signable| http_request::sign(signable, &params)).map_err(|e| wrong(&e))?;
    Ok(signed.into_parts().0)
}

fn settings(style: Style) -> SigningSettings {
    let mut settings = SigningSettings::default();
    if style == Style::S3 {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    settings
}

#[cfg(test)]
mod tests;
