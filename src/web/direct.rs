//! `POST /api/uploads`: an upload is announced, and told where to put itself: by a presigned PUT into the
//! store, past this server. A worker publishes what arrives; until then nobody can read it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::links::Here;
use super::problem::Problem;
use super::upload::{self as form, Urls};
use super::{Handler, Site};
use crate::arrival;
use crate::door::{Answer, Head};
use crate::image::Format;
use crate::key::{Id, Key};
use crate::observe::time::{now_millis, rfc3339};
use crate::store::{Announced, Presigned};
use crate::ticket::{self, Ticket};
use crate::upload::sizes::{self, ORIGINAL};
use crate::upload::{self, Lifetime};

/// Most bytes of an announcement.
const MAX_BODY: u64 = 1024;

/// For how long a presigned URL is good at most: a slow upload must have begun by then.
const GOOD_FOR: Duration = Duration::from_secs(15 * 60);

/// What can be announced.
const FORMATS: [Format; 4] = [Format::Jpeg, Format::Png, Format::Gif, Format::Webp];

/// An announcement, as it is sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    #[serde(rename = "type")]
    content_type: String,
    bytes: u64,
    expires: Option<u64>,
}

/// An announcement that is coming in.
pub struct Announcement<'s> {
    site: &'s Site,
    request_id: &'s str,
    here: Here,
    json: Vec<u8>,
}

/// Decides from the head alone whether an announcement is taken.
///
/// # Errors
/// Why it is not.
pub fn admit<'s>(site: &'s Site, head: &'s Head) -> Result<Announcement<'s>, Problem> {
    form::check_token(site, head)?;
    let here = site.config.links.here(head)?;
    let content_type = head.header("content-type").unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Problem::NoAnnouncement);
    }
    if head.body_length.is_some_and(|length| length > MAX_BODY) {
        return Err(Problem::Announcement);
    }
    form::count(site, head)?;
    Ok(Announcement { site, request_id: &head.request_id, here, json: Vec::new() })
}

impl Handler for Announcement<'_> {
    fn body(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.json.extend_from_slice(bytes);
        if self.json.len() as u64 > MAX_BODY { Err(Problem::Announcement) } else { Ok(()) }
    }

    fn finish(self: Box<Self>) -> Result<Answer, Problem> {
        let Announcement { site, request_id, here, json } = *self;
        let (config, store) = (&site.config.uploads, &*site.rooms.store);
        let wish: Wish = serde_json::from_slice(&json).map_err(|_| Problem::Announcement)?;
        let format = wish.format()?;
        let length = wish.length(config.max_bytes)?;
        let expires = wish.lifetime()?.or(config.lifetime).map(|lifetime| lifetime.end(now_millis()));
        let random = || Id::random().map_err(upload::Error::from);
        let (id, token) = (random()?, random()?.to_string());
        let announced = Announced { content_type: format.content_type(), length };
        let presigned = store.presign(&arrival::key(&id), &announced, GOOD_FOR)?;
        let presigned = presigned.ok_or(Problem::NoDirectUploads)?;
        ticket::create(store, &id, &Ticket::new(format, &token, expires))?;
        log::info!(id = id.as_str(), format:% = format, bytes = length, request_id; "an upload is announced");
        let url = here.share(&id);
        let direct = Direct {
            upload: Upload::of(&announced, presigned),
            urls: Urls::announced(&id, format, &here),
            status_url: here.status(&id),
            delete_url: here.deletion(&id, &token),
            delete_token: &token,
            expires: expires.map(rfc3339),
            url: url.clone(),
            id: &id,
        };
        // A struct of strings and numbers always serialises.
        let json = serde_json::to_string(&direct).expect("an answer is plain data");
        Ok(Answer::new(201, "application/json", json)
            .with_header("Location", &url)
            .with_header("X-Image-Id", id.as_str())
            .with_header("X-Delete-Token", &token))
    }
}

impl Wish {
    fn format(&self) -> Result<Format, Problem> {
        let known = FORMATS.into_iter().find(|format| format.content_type() == self.content_type);
        known.ok_or(Problem::AnnouncedType)
    }

    fn length(&self, limit: u64) -> Result<u64, Problem> {
        match self.bytes {
            0 => Err(upload::Error::Empty.into()),
            length if length > limit => Err(upload::Error::TooLarge { limit }.into()),
            length => Ok(length),
        }
    }

    fn lifetime(&self) -> Result<Option<Lifetime>, Problem> {
        let read = |seconds| Lifetime::of(seconds).ok_or(upload::Error::Lifetime.into());
        self.expires.map(read).transpose()
    }
}

/// All that an announced upload is told.
#[derive(Serialize)]
struct Direct<'a> {
    id: &'a Id,
    upload: Upload,
    url: String,
    urls: Urls,
    status_url: String,
    delete_url: String,
    delete_token: &'a str,
    expires: Option<String>,
}

/// The request that brings it.
#[derive(Serialize)]
struct Upload {
    method: &'static str,
    url: String,
    /// To be sent just so: both are signed.
    headers: Fields,
    /// For how many seconds the URL is good.
    expires_in: u64,
}

#[derive(Serialize)]
struct Fields {
    #[serde(rename = "Content-Type")]
    content_type: String,
    #[serde(rename = "Content-Length")]
    content_length: String,
}

impl Upload {
    fn of(announced: &Announced<'_>, presigned: Presigned) -> Upload {
        let headers = Fields {
            content_type: announced.content_type.to_owned(),
            content_length: announced.length.to_string(),
        };
        Upload { method: "PUT", url: presigned.url, headers, expires_in: presigned.lifetime.as_secs() }
    }
}

impl Urls {
    /// The URLs of an announced upload's objects, as far as they are known.
    pub fn announced(id: &Id, format: Format, here: &Here) -> Urls {
        Urls(objects(id, format).iter().map(|(name, key)| (*name, here.object(key))).collect())
    }
}

/// Names and keys of the objects that a file of this format will have, as far as the format tells: whether a
/// WebP's thumbnails are JPEG or PNG is seen in its pixels.
fn objects(id: &Id, format: Format) -> Vec<(&'static str, Key)> {
    let mut objects = vec![(ORIGINAL, id.object(ORIGINAL, format.extension()))];
    let thumbnails = match format {
        Format::Jpeg => Format::Jpeg,
        Format::Png | Format::Gif => Format::Png,
        Format::Webp => return objects,
    };
    objects.extend(sizes::thumbnails(id, thumbnails.extension()));
    objects
}
