//! From a setting's text to its value, or to nothing where it is not what it may be.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::{Metrics, QueueAddress, Secret, StoreAddress};
use crate::door::{Network, Networks};
use crate::queue::sqs;
use crate::store::s3;

/// A namespace of our own in CloudWatch (PutMetricData: `[^:].*`, and `AWS/` is AWS's).
pub(super) fn namespace(text: &str) -> Option<String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-/#".contains(&b);
    let well_formed = (1..=255).contains(&text.len()) && text.bytes().all(plain);
    (well_formed && !text.starts_with("AWS/")).then(|| text.to_owned())
}

/// An Auto Scaling group's name: 1 to 255 characters, none of them a control character or a colon.
pub(super) fn group(text: &str) -> Option<String> {
    let well_formed = (1..=255).contains(&text.chars().count());
    (well_formed && !text.chars().any(|c| c.is_control() || c == ':')).then(|| text.to_owned())
}

pub(super) fn parsed<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

pub(super) fn metrics(text: &str) -> Option<Metrics> {
    if text == "off" { Some(Metrics::Off) } else { text.parse().ok().map(Metrics::At) }
}

pub(super) fn path(text: &str) -> Option<PathBuf> {
    Some(PathBuf::from(text))
}

pub(super) fn store(text: &str) -> Option<StoreAddress> {
    directory(text).map(StoreAddress::Directory).or_else(|| s3::Address::parse(text).map(StoreAddress::S3))
}

pub(super) fn queue(text: &str) -> Option<QueueAddress> {
    directory(text).map(QueueAddress::Directory).or_else(|| sqs::Address::parse(text).map(QueueAddress::Sqs))
}

pub(super) fn directory(text: &str) -> Option<PathBuf> {
    text.strip_prefix("dir:").filter(|path| !path.is_empty()).map(PathBuf::from)
}

pub(super) fn whole(range: std::ops::RangeInclusive<u64>) -> impl Fn(&str) -> Option<u64> {
    move |text| text.parse().ok().filter(|value| range.contains(value))
}

pub(super) fn seconds(range: std::ops::RangeInclusive<u64>) -> impl Fn(&str) -> Option<Duration> {
    move |text| whole(range.clone())(text).map(Duration::from_secs)
}

pub(super) fn megabytes(range: std::ops::RangeInclusive<u64>) -> impl Fn(&str) -> Option<u64> {
    move |text| whole(range.clone())(text).map(|mb| mb << 20)
}

pub(super) fn secret(text: &str) -> Option<Secret> {
    let printable = text.bytes().all(|b| (0x21..=0x7e).contains(&b));
    ((16..=512).contains(&text.len()) && printable).then(|| Secret(text.to_owned()))
}

/// An http or https URL to build others from: no query, no fragment, no slash at the end.
pub(super) fn url(text: &str) -> Option<String> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"))?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/[]%".contains(&b);
    let well_formed = !rest.is_empty() && !rest.starts_with('/') && rest.bytes().all(plain);
    well_formed.then(|| text.trim_end_matches('/').to_owned())
}

/// What CloudFront calls its distributions: `E1ABCDEF234567`.
pub(super) fn distribution(text: &str) -> Option<String> {
    let plain = text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    ((1..=64).contains(&text.len()) && plain).then(|| text.to_owned())
}

pub(super) fn networks(text: &str) -> Option<Networks> {
    text.split(',').map(|part| part.trim().parse::<Network>().ok()).collect()
}

pub(super) fn cores() -> u64 {
    std::thread::available_parallelism().map_or(1, |n| n.get() as u64)
}

/// Half of what the machine, or the control group that this process is in, has; in bytes.
pub(super) fn half_the_memory() -> u64 {
    crate::observe::memory::total().unwrap_or(1 << 30) / 2
}
