//! What stands behind the door: every path of the service, and how its answers are worded.
//!
//! [`Site`] is the door's [`Service`]. A handler, a file each, returns an answer or a [`Problem`];
//! what all answers have in common is added here. The work of an upload is left to [`crate::upload`].

use std::sync::Arc;

use crate::door::{Access, Admitted, Answer, Exchange, Head, Lane, Refusal, Service};
use crate::queue::Queue;
use crate::stop::Stop;
use crate::store::Store;
use crate::store::directory::DirectoryStore;
use crate::upload::{self as uploads, Uploads};

mod delete;
mod health;
mod html;
mod links;
mod negotiate;
mod objects;
mod problem;
mod progress;
mod query;
mod rate;
mod router;
mod share;
mod status;
mod upload;

#[cfg(test)]
mod tests;

pub use links::Links;
pub use problem::Problem;
pub use rate::Rate;

use health::Health;
use negotiate::Kind;
use rate::Buckets;
use router::Route;

/// The policy of answers that are no pages: nothing in them is ever run or loaded.
const NO_PAGE: &str = "default-src 'none'; frame-ancestors 'none'";

/// The page to upload with.
const HOME: &[u8] = include_bytes!("pages/home.html");

/// How the site answers.
pub struct Config {
    /// What URLs start with.
    pub links: Links,
    /// What an upload must show as its bearer token, if anything.
    pub upload_token: Option<String>,
    /// How many uploads one client may begin, if that is limited.
    pub rate: Option<Rate>,
    /// What uploads are accepted.
    pub uploads: uploads::Config,
}

/// What the site works with.
pub struct Rooms {
    /// Where objects are stored.
    pub store: Arc<dyn Store>,
    /// The same store where it is a directory, whose objects the site serves itself.
    pub files: Option<Arc<DirectoryStore>>,
    /// Where jobs are sent.
    pub queue: Arc<dyn Queue>,
    /// Ends long polls.
    pub stop: Stop,
}

/// The whole site.
pub struct Site {
    config: Config,
    rooms: Rooms,
    uploads: Uploads,
    buckets: Option<Buckets>,
    health: Health,
}

/// One request's way to its answer, where it can go wrong.
trait Handler: Send {
    /// The next bytes of the body.
    fn body(&mut self, bytes: &[u8]) -> Result<(), Problem>;

    /// The body is complete.
    fn finish(self: Box<Self>) -> Result<Answer, Problem>;
}

/// A handler that looks at no body.
struct Bodiless<F>(F);

impl<F: FnOnce() -> Result<Answer, Problem> + Send> Handler for Bodiless<F> {
    fn body(&mut self, _: &[u8]) -> Result<(), Problem> {
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Answer, Problem> {
        (self.0)()
    }
}

/// A handler, and what it takes to word its problems.
struct Worded<'s> {
    handler: Box<dyn Handler + 's>,
    kind: Kind,
    request_id: &'s str,
}

impl Exchange for Worded<'_> {
    fn body(&mut self, bytes: &[u8]) -> Result<(), Answer> {
        self.handler.body(bytes).map_err(|problem| word(&problem, self.kind, self.request_id))
    }

    fn finish(self: Box<Self>) -> Answer {
        match self.handler.finish() {
            Ok(answer) => complete(answer, self.request_id),
            Err(problem) => word(&problem, self.kind, self.request_id),
        }
    }
}

impl Site {
    /// The site with these rooms.
    pub fn new(config: Config, rooms: Rooms) -> Site {
        let (store, queue) = (Arc::clone(&rooms.store), Arc::clone(&rooms.queue));
        let uploads = Uploads::new(config.uploads.clone(), store, queue);
        let buckets = config.rate.map(Buckets::new);
        let health = Health::of(&rooms);
        Site { config, rooms, uploads, buckets, health }
    }

    fn handler<'s>(&'s self, head: &'s Head) -> Result<(Box<dyn Handler + 's>, Lane), Problem> {
        let light = |answer: Box<dyn Handler + 's>| (answer, Lane::Light);
        Ok(match router::route(&head.method, &head.path)? {
            Route::Upload => (Box::new(upload::admit(self, head)?), Lane::Work),
            Route::Delete(id) => (Box::new(Bodiless(move || delete::answer(self, head, &id))), Lane::Work),
            Route::Home => light(Box::new(Bodiless(|| Ok(home())))),
            Route::Health => light(Box::new(Bodiless(|| self.health.answer(&self.rooms)))),
            Route::Share(id) => light(Box::new(Bodiless(move || share::answer(self, head, &id)))),
            Route::Status(id) => light(Box::new(Bodiless(move || status::answer(self, head, &id)))),
            Route::Object(id, key) => {
                light(Box::new(Bodiless(move || objects::answer(self, head, &id, &key))))
            }
        })
    }
}

impl Service for Site {
    fn admit<'s>(&'s self, head: &'s Head) -> Result<Admitted<'s>, Answer> {
        let (kind, request_id) = (problem_kind(head), head.request_id.as_str());
        let (handler, lane) = self.handler(head).map_err(|problem| word(&problem, kind, request_id))?;
        Ok(Admitted { exchange: Box::new(Worded { handler, kind, request_id }), lane })
    }

    fn refuse(&self, head: Option<&Head>, request_id: &str, refusal: &Refusal) -> Answer {
        let kind = head.map_or(Kind::Json, problem_kind);
        let problem = match refusal {
            // The door's limit is a whole body's; people count a file's bytes.
            Refusal::TooLarge { .. } => uploads::Error::TooLarge { limit: self.uploads.max_bytes() }.into(),
            other => Problem::Refused(*other),
        };
        word(&problem, kind, request_id)
    }

    fn answered(&self, access: &Access<'_>) {
        // The query is not logged: it may hold a token.
        let head = access.head;
        log::info!(
            target: "access",
            method = head.map_or("-", |head| head.method.as_str()),
            path = head.map_or("-", |head| head.path.as_str()),
            status = access.status,
            received = access.received,
            sent = access.sent,
            ms = access.micros / 1000,
            request_id = access.request_id,
            client:% = head.map_or(access.peer, |head| head.client),
            complete = access.complete;
            "answered"
        );
    }
}

/// The kind that a problem is worded in: where the client accepts none, it gets JSON all the same.
fn problem_kind(head: &Head) -> Kind {
    negotiate::kind(head).unwrap_or(Kind::Json)
}

fn word(problem: &Problem, kind: Kind, request_id: &str) -> Answer {
    complete(problem.answer(kind, request_id), request_id)
}

/// Adds what every answer has. One that says nothing of caching is not cached.
fn complete(answer: Answer, request_id: &str) -> Answer {
    let mut answer =
        answer.with_header("X-Content-Type-Options", "nosniff").with_header("X-Request-Id", request_id);
    for (name, value) in [("Content-Security-Policy", NO_PAGE), ("Cache-Control", "no-store")] {
        if answer.header(name).is_none() {
            answer = answer.with_header(name, value);
        }
    }
    answer
}

fn home() -> Answer {
    html::dress(Answer::fixed(200, "text/html; charset=utf-8", HOME), None)
}
