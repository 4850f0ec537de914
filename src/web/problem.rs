//! Everything that can keep a client from what it asked for, and how it is told: the one table.
//!
//! A client gets a stable code and a sentence that says what it can do. What an operator needs is
//! logged with the request's id.

use std::borrow::Cow;
use std::time::Duration;

use super::html::{Escaped, Page};
use super::negotiate::Kind;
use crate::door::{Answer, Refusal};
use crate::{image, store, upload};

/// Seconds after which a client may try again what the server could not do now.
const RETRY_AFTER: &str = "5";

/// Why a request is not fulfilled.
#[derive(Debug)]
pub enum Problem {
    /// Nothing is at this path, and nothing ever was.
    NotFound,
    /// It was deleted.
    Deleted,
    /// It has expired.
    Expired,
    /// The path is there, for other methods.
    Method {
        /// Those methods, for `Allow`.
        allow: &'static str,
    },
    /// No kind of answer that the client accepts.
    NotAcceptable,
    /// An upload needs a token, and none came.
    NoToken,
    /// An upload's token is wrong.
    WrongToken,
    /// This client has begun as many uploads as it may for now.
    TooManyUploads {
        /// How long until it may begin another.
        wait: Duration,
    },
    /// The delete token is missing or wrong.
    WrongDeleteToken,
    /// URLs can't be made of the request's Host.
    Host,
    /// A range beyond the object's end.
    Range {
        /// The object's length, in bytes.
        length: u64,
    },
    /// What announces an upload is not what it must be.
    Announcement,
    /// What announces an upload is of another media type.
    NoAnnouncement,
    /// What is announced is of a type that is not taken.
    AnnouncedType,
    /// The store takes nothing from others.
    NoDirectUploads,
    /// An upload was not accepted.
    Upload(upload::Error),
    /// The store did not do what a page needs.
    Store(store::Error),
    /// The health check failed; says what is unwell.
    Unwell(Cow<'static, str>),
    /// The door itself refuses.
    Refused(Refusal),
}

/// To whom a problem is told.
#[derive(Clone, Copy, Debug)]
pub struct Listener<'a> {
    /// The kind of answer that it likes best.
    pub kind: Kind,
    /// Names its request.
    pub request_id: &'a str,
    /// What paths to other pages start with.
    pub base: &'a str,
}

/// How a client is told.
struct Wording {
    status: u16,
    code: &'static str,
    message: Cow<'static, str>,
}

fn say(status: u16, code: &'static str, message: impl Into<Cow<'static, str>>) -> Wording {
    Wording { status, code, message: message.into() }
}

impl Problem {
    fn wording(&self) -> Wording {
        match self {
            Problem::NotFound => say(404, "not_found", "There is nothing at this address."),
            Problem::Deleted => say(410, "deleted", "This image was deleted."),
            Problem::Expired => say(410, "expired", "This image has expired."),
            Problem::Method { allow } => {
                say(405, "method_not_allowed", format!("This address takes {allow} only."))
            }
            Problem::NotAcceptable => {
                let message = "Accept one of application/json, text/plain and text/html.";
                say(406, "not_acceptable", message)
            }
            Problem::NoToken => {
                say(401, "no_token", "Uploads need a token here: send Authorization: Bearer TOKEN.")
            }
            Problem::WrongToken => say(401, "wrong_token", "The upload token is wrong."),
            Problem::TooManyUploads { wait } => {
                let wait = whole_seconds(*wait);
                say(429, "too_many_uploads", format!("You upload too fast; wait {wait} s and try again."))
            }
            Problem::WrongDeleteToken => {
                let message =
                    "Send the delete token that came with the upload, in X-Delete-Token or as ?token=.";
                say(403, "wrong_delete_token", message)
            }
            Problem::Host => {
                say(400, "bad_host", "Send a Host header with the server's name and, if any, its port.")
            }
            Problem::Range { length } => {
                say(416, "range_not_satisfiable", format!("The object has {length} bytes."))
            }
            Problem::Announcement => {
                let message = "Send {\"type\":\"image/jpeg\",\"bytes\":12345}, with \"expires\" in seconds if \
                               it is not to be kept for ever.";
                say(400, "bad_announcement", message)
            }
            Problem::NoAnnouncement => {
                let message = "Announce the upload as JSON, with Content-Type: application/json.";
                say(415, "unsupported_media_type", message)
            }
            Problem::AnnouncedType => {
                let message = "Announce one of image/jpeg, image/png, image/gif and image/webp.";
                say(415, "unsupported_image", message)
            }
            Problem::NoDirectUploads => {
                let message =
                    "Files can't be put straight into this server's store; send them by POST /api/images.";
                say(501, "no_direct_uploads", message)
            }
            Problem::Upload(error) => upload_wording(error),
            Problem::Store(_) => unavailable(),
            Problem::Unwell(what) => say(503, "unwell", what.clone()),
            Problem::Refused(refusal) => refusal_wording(refusal),
        }
    }

    /// The word for it that never changes its meaning.
    pub fn code(&self) -> &'static str {
        self.wording().code
    }

    /// What an operator should read of it; `None` for what is a client's fault alone.
    fn cause(&self) -> Option<String> {
        use upload::Error::{Image, Queue, Random, Spool, Store};
        match self {
            Problem::Upload(error @ (Spool(_) | Store(_) | Queue(_) | Random(_))) => Some(error.to_string()),
            Problem::Upload(error @ Image(image::Error::Unreadable(_))) => Some(error.to_string()),
            Problem::Store(error) => Some(error.to_string()),
            _ => None,
        }
    }

    /// The answer to this client, and the operator's line in the log.
    pub fn answer(&self, listener: &Listener<'_>) -> Answer {
        let Listener { kind, request_id, .. } = *listener;
        if let Some(cause) = self.cause() {
            log::error!(cause = cause.as_str(), request_id; "a request failed by a fault of ours");
        }
        let Wording { status, code, message } = self.wording();
        let answer = match kind {
            Kind::Json => {
                let error = serde_json::json!({
                    "error": { "code": code, "message": message, "request_id": request_id }
                });
                Answer::new(status, "application/json", error.to_string())
            }
            Kind::Text => Answer::new(status, "text/plain; charset=utf-8", format!("{message}\n")),
            Kind::Html => page(status, code, &message, listener),
        };
        self.add_headers(status, answer)
    }

    fn add_headers(&self, status: u16, answer: Answer) -> Answer {
        match self {
            Problem::Method { allow } => answer.with_header("Allow", allow),
            Problem::NoToken => answer.with_header("WWW-Authenticate", "Bearer realm=\"uploads\""),
            Problem::WrongToken => {
                answer.with_header("WWW-Authenticate", "Bearer realm=\"uploads\", error=\"invalid_token\"")
            }
            Problem::Range { length } => answer.with_header("Content-Range", &format!("bytes */{length}")),
            Problem::TooManyUploads { wait } => {
                answer.with_header("Retry-After", &whole_seconds(*wait).to_string())
            }
            _ if matches!(status, 429 | 503) => answer.with_header("Retry-After", RETRY_AFTER),
            _ => answer,
        }
    }
}

impl From<upload::Error> for Problem {
    fn from(error: upload::Error) -> Problem {
        Problem::Upload(error)
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Problem {
        match error {
            store::Error::NotFound => Problem::NotFound,
            other => Problem::Store(other),
        }
    }
}

/// Seconds for `Retry-After`: never too few.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// A problem as a page.
fn page(status: u16, code: &str, message: &str, listener: &Listener<'_>) -> Answer {
    let (title, base) = (title(status), listener.base);
    let main = format!(
        "<main class=\"narrow\">\n<h1>{title}</h1>\n<p class=\"lead\">{}</p>\n\
         <p class=\"actions\"><a class=\"button primary\" href=\"{base}/\">Share a picture</a></p>\n\
         <p class=\"fine\">{code} · request <span class=\"mono\">{}</span></p>\n</main>\n",
        Escaped(message),
        Escaped(listener.request_id)
    );
    let head = "<meta name=\"robots\" content=\"noindex\">\n";
    Page { title, head, main: &main, base, images: &[], forms: None }.answer(status)
}

/// What a status means to a person.
fn title(status: u16) -> &'static str {
    match status {
        401 => "A token is needed",
        403 => "That is not the token",
        404 => "There is nothing here",
        410 => "This picture is gone",
        413 => "That is too large",
        415 => "That kind is not taken",
        429 => "Not so fast",
        503 => "Not just now",
        500.. => "Something went wrong",
        _ => "That did not work",
    }
}

fn unavailable() -> Wording {
    say(503, "unavailable", "This can't be done just now; please try again in a few seconds.")
}

fn internal() -> Wording {
    say(500, "internal", "Something went wrong on our side; please tell us the request id.")
}

fn upload_wording(error: &upload::Error) -> Wording {
    use upload::Error;
    match error {
        Error::NoForm => {
            let message = "Send a form with a file (curl -F image=@photo.jpg), or the image's bytes with \
                           Content-Type: image/*.";
            say(415, "unsupported_media_type", message)
        }
        Error::Malformed(_) | Error::Boundary => {
            say(400, "malformed_form", format!("This is no multipart/form-data: {error}."))
        }
        Error::NoFile => {
            say(400, "no_file", "The form has no file; send one, as in curl -F image=@photo.jpg.")
        }
        Error::TwoFiles => say(400, "too_many_files", "The form has more than one file; send one at a time."),
        Error::FieldTooLarge { limit } => {
            say(400, "field_too_large", format!("A field beside the file may have at most {limit} bytes."))
        }
        Error::Lifetime => {
            let message =
                format!("An upload may be kept for 1 to {} seconds (expires).", upload::Lifetime::MAX);
            say(400, "bad_expiry", message)
        }
        Error::Empty => say(400, "empty_file", "The file is empty; send one that holds a picture."),
        Error::TooLarge { limit } => too_large(*limit),
        Error::Image(error) => image_wording(error),
        Error::Spool(_) | Error::Store(_) | Error::Queue(_) => unavailable(),
        Error::Random(_) => internal(),
    }
}

fn image_wording(error: &image::Error) -> Wording {
    let status = match error {
        image::Error::Unsupported(_) => 415,
        image::Error::TooManyPixels { .. } => 413,
        image::Error::TooLargeForWorker { .. } | image::Error::Unreadable(_) => return unavailable(),
        _ => 400,
    };
    say(status, error.code(), sentence(&error.to_string()))
}

fn too_large(limit: u64) -> Wording {
    say(413, "too_large", format!("A file may have at most {limit} bytes."))
}

fn refusal_wording(refusal: &Refusal) -> Wording {
    let status = refusal.status().0;
    match refusal {
        Refusal::Malformed(why) => {
            say(status, "malformed_request", format!("This is no HTTP request: {why}."))
        }
        Refusal::TooSlow => say(status, "too_slow", "The request came too slowly; please try again."),
        Refusal::TooLarge { limit } => too_large(*limit),
        Refusal::TargetTooLong => say(status, "target_too_long", "The address is too long."),
        Refusal::Expectation => {
            say(status, "expectation_failed", "The only expectation that is met is 100-continue.")
        }
        Refusal::TooManyConnections => {
            let message = "There are too many connections from your address; close some and try again.";
            say(status, "too_many_connections", message)
        }
        Refusal::HeadTooLarge => say(status, "head_too_large", "The request's headers are too large."),
        Refusal::Panicked => internal(),
        Refusal::TransferCoding => {
            say(status, "transfer_coding", "The only transfer coding that is spoken is chunked.")
        }
        Refusal::Busy => say(status, "busy", "The server is full; please try again in a few seconds."),
        Refusal::Version => say(status, "http_version", "Only HTTP/1.0 and HTTP/1.1 are spoken."),
        #[allow(unreachable_patterns, reason = "a refusal that the door learns to make is worded generally")]
        _ => say(status, "refused", "The request is not taken."),
    }
}

/// The text with a capital at its beginning and a full stop at its end.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    first + characters.as_str() + "."
}
