//! `POST /`, `PUT /<name>` and `POST /api/images`: an upload comes in, and its URLs go out.

use std::time::Instant;

use serde::{Serialize, Serializer};
use subtle::ConstantTimeEq;

use super::links::Here;
use super::negotiate::{self, Kind};
use super::problem::Problem;
use super::router::Shape;
use super::{Handler, Site, progress, query, token};
use crate::door::{Answer, Head};
use crate::key::Id;
use crate::observe::time::{now_millis, rfc3339};
use crate::upload::intake::{Intake, Taken};
use crate::upload::{self, Accepted, Lifetime};

/// An upload that is coming in.
pub struct Upload<'s> {
    site: &'s Site,
    request_id: &'s str,
    kind: Kind,
    shape: Shape,
    here: Here,
    /// How long the query asks to keep it; the form's own word goes before.
    lifetime: Option<Lifetime>,
    intake: Intake,
}

/// Decides from the head alone whether an upload is taken.
///
/// # Errors
/// Why it is not.
pub fn admit<'s>(site: &'s Site, head: &'s Head, shape: Shape) -> Result<Upload<'s>, Problem> {
    check_token(site, head)?;
    let kind = negotiate::kind(head).ok_or(Problem::NotAcceptable)?;
    let here = site.config.links.here(head)?;
    let lifetime = read_lifetime(&head.query)?;
    let intake = site.uploads.intake(head.header("content-type"))?;
    match head.body_length {
        Some(0) => return Err(upload::Error::Empty.into()),
        Some(length) if length > intake.max_body() => {
            return Err(upload::Error::TooLarge { limit: site.uploads.max_bytes() }.into());
        }
        _ => {}
    }
    // Last, so that only what is taken counts.
    count(site, head)?;
    Ok(Upload { site, request_id: &head.request_id, kind, shape, here, lifetime, intake })
}

/// Counts an upload that this client begins.
///
/// # Errors
/// [`Problem::TooManyUploads`].
pub fn count(site: &Site, head: &Head) -> Result<(), Problem> {
    match &site.buckets {
        Some(buckets) => {
            buckets.take(head.client, Instant::now()).map_err(|wait| Problem::TooManyUploads { wait })
        }
        None => Ok(()),
    }
}

fn read_lifetime(query: &str) -> Result<Option<Lifetime>, Problem> {
    match query::get(query, "expires") {
        Some(text) if !text.is_empty() => {
            Lifetime::parse(&text).map(Some).ok_or(upload::Error::Lifetime.into())
        }
        _ => Ok(None),
    }
}

/// Whether the request shows the upload token, where one is set. Compares in a time that says nothing of how
/// alike the tokens are (their length it does show).
///
/// # Errors
/// [`Problem::NoToken`], [`Problem::WrongToken`].
pub fn check_token(site: &Site, head: &Head) -> Result<(), Problem> {
    let Some(expected) = site.config.upload_token.as_deref() else { return Ok(()) };
    let authorization = head.header("authorization");
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
        let Upload { site, request_id, kind, shape, here, lifetime, intake } = *self;
        let taken = intake.finish()?;
        let taken = Taken { lifetime: taken.lifetime.or(lifetime), ..taken };
        let accepted = site.uploads.accept(&taken, request_id, now_millis())?;
        Ok(tell(&accepted, kind, shape, &here))
    }
}

fn tell(accepted: &Accepted, kind: Kind, shape: Shape, here: &Here) -> Answer {
    let page = here.share(&accepted.id);
    let answer = match (kind, shape) {
        (Kind::Json, Shape::Urls) => json(&Urls::of(accepted, here)),
        (Kind::Json, Shape::All) => json(&Everything::of(accepted, here)),
        (Kind::Text, _) => Answer::new(202, "text/plain; charset=utf-8", format!("{page}\n")),
        // The person never sees a header: their browser keeps the token for them.
        (Kind::Html, _) => Answer::empty(303).with_header("Set-Cookie", &token::cookie(accepted, here)),
    };
    answer
        .with_header("Location", &page)
        .with_header("X-Image-Id", accepted.id.as_str())
        .with_header("X-Delete-Token", &accepted.delete_token)
}

fn json(body: &impl Serialize) -> Answer {
    // Structs and maps of strings and numbers always serialise.
    let text = serde_json::to_string(body).expect("an answer is plain data");
    Answer::new(202, "application/json", text)
}

/// All that is known of an upload.
#[derive(Serialize)]
struct Everything<'a> {
    id: &'a Id,
    url: String,
    urls: Urls,
    #[serde(rename = "type")]
    content_type: &'static str,
    width: u32,
    height: u32,
    bytes: u64,
    sizes: Vec<SizeOf>,
    status_url: String,
    delete_url: String,
    delete_token: &'a str,
    created: String,
    expires: Option<String>,
}

/// One object, as it is or will be.
#[derive(Serialize)]
struct SizeOf {
    name: &'static str,
    url: String,
    width: u32,
    height: u32,
}

impl Everything<'_> {
    fn of<'a>(accepted: &'a Accepted, here: &Here) -> Everything<'a> {
        let Accepted { id, delete_token, record, .. } = accepted;
        let sizes = progress::parts(id, record).into_iter().map(|part| SizeOf {
            name: part.name,
            url: here.object(&part.key),
            width: part.size.width,
            height: part.size.height,
        });
        Everything {
            id,
            url: here.share(id),
            urls: Urls::of(accepted, here),
            content_type: record.format.content_type(),
            width: record.width,
            height: record.height,
            bytes: record.bytes,
            sizes: sizes.collect(),
            status_url: here.status(id),
            delete_url: here.deletion(id, delete_token),
            delete_token,
            created: rfc3339(record.created),
            expires: record.expires.map(rfc3339),
        }
    }
}

/// Names and URLs of an upload's objects: a JSON object in this order and with nothing else, as
/// clients fetch every one of its values.
pub struct Urls(pub Vec<(&'static str, String)>);

impl Urls {
    fn of(accepted: &Accepted, here: &Here) -> Urls {
        Urls(accepted.objects.iter().map(|(name, key)| (*name, here.object(key))).collect())
    }
}

impl Serialize for Urls {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, url)| (name, url)))
    }
}
