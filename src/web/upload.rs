//! `POST /` and `PUT /<name>`: an upload comes in, and its URLs go out.

use std::time::Instant;

use serde::{Serialize, Serializer};
use subtle::ConstantTimeEq;

use super::links::Here;
use super::negotiate::{self, Kind};
use super::problem::Problem;
use super::{Handler, Site};
use crate::door::{Answer, Head};
use crate::observe::time::now_millis;
use crate::upload::intake::Intake;
use crate::upload::{self, Accepted};

/// An upload that is coming in.
pub struct Upload<'s> {
    site: &'s Site,
    request_id: &'s str,
    kind: Kind,
    here: Here,
    intake: Intake,
}

/// Decides from the head alone whether an upload is taken.
///
/// # Errors
/// Why it is not.
pub fn admit<'s>(site: &'s Site, head: &'s Head) -> Result<Upload<'s>, Problem> {
    check_token(site.config.upload_token.as_deref(), head.header("authorization"))?;
    let kind = negotiate::kind(head).ok_or(Problem::NotAcceptable)?;
    let here = site.config.links.here(head)?;
    let intake = site.uploads.intake(head.header("content-type"))?;
    match head.body_length {
        Some(0) => return Err(upload::Error::Empty.into()),
        Some(length) if length > intake.max_body() => {
            return Err(upload::Error::TooLarge { limit: site.uploads.max_bytes() }.into());
        }
        _ => {}
    }
    // Last, so that only what is taken counts.
    if let Some(buckets) = &site.buckets {
        buckets.take(head.client, Instant::now()).map_err(|wait| Problem::TooManyUploads { wait })?;
    }
    Ok(Upload { site, request_id: &head.request_id, kind, here, intake })
}

/// Compares in a time that says nothing of how alike the tokens are (their length it does show).
fn check_token(expected: Option<&str>, authorization: Option<&str>) -> Result<(), Problem> {
    let Some(expected) = expected else { return Ok(()) };
    let (scheme, token) = authorization.and_then(|a| a.split_once(' ')).ok_or(Problem::NoToken)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Problem::NoToken);
    }
    let same: bool = token.trim_start().as_bytes().ct_eq(expected.as_bytes()).into();
    if same { Ok(()) } else { Err(Problem::WrongToken) }
}

impl Handler for Upload<'_> {
    fn body(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        Ok(self.intake.push(bytes)?)
    }

    fn finish(self: Box<Self>) -> Result<Answer, Problem> {
        let Upload { site, request_id, kind, here, intake } = *self;
        let file = intake.finish()?;
        let accepted = site.uploads.accept(&file, request_id, now_millis())?;
        Ok(tell(&accepted, kind, &here))
    }
}

fn tell(accepted: &Accepted, kind: Kind, here: &Here) -> Answer {
    let page = here.share(&accepted.id);
    let answer = match kind {
        Kind::Json => Answer::new(202, "application/json", Urls::of(accepted, here).to_json()),
        Kind::Text => Answer::new(202, "text/plain; charset=utf-8", format!("{page}\n")),
        Kind::Html => Answer::empty(303),
    };
    answer
        .with_header("Location", &page)
        .with_header("X-Image-Id", accepted.id.as_str())
        .with_header("X-Delete-Token", &accepted.delete_token)
}

/// Names and URLs of an upload's objects: a JSON object in this order and with nothing else, as
/// clients fetch every one of its values.
pub struct Urls(pub Vec<(&'static str, String)>);

impl Urls {
    fn of(accepted: &Accepted, here: &Here) -> Urls {
        Urls(accepted.objects.iter().map(|(name, key)| (*name, here.object(key))).collect())
    }

    fn to_json(&self) -> String {
        // A map from strings to strings always serialises.
        serde_json::to_string(self).expect("URLs are plain data")
    }
}

impl Serialize for Urls {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, url)| (name, url)))
    }
}
