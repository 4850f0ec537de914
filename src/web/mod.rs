//! What stands behind the door: every path of the service, and how its answers are worded.
//!
//! [`Site`] is the door's [`Service`]. A handler, a file each, returns an answer or a [`Problem`];
//! what all answers have in common is added here. The work of an upload is left to [`crate::upload`].

use std::sync::Arc;

use crate::door::{Access, Admitted, Answer, Exchange, Head, Lane, Refusal, Service};
use crate::observe::metrics::Guard;
use crate::queue::Queue;
use crate::stop::Stop;
use crate::store::Store;
use crate::store::directory::DirectoryStore;
use crate::upload::{self as uploads, Uploads};

mod cdn;
mod cors;
mod delete;
mod direct;
mod fixed;
mod health;
mod home;
mod html;
mod links;
mod metrics;
mod negotiate;
mod objects;
mod problem;
mod progress;
mod query;
mod rate;
mod router;
mod share;
mod status;
mod token;
mod upload;

#[cfg(test)]
mod tests;

pub use cdn::Cdn;
pub use cors::Origins;
pub use links::Links;
pub use metrics::Metrics;
pub use problem::Problem;
pub use rate::Rate;

use delete::Confirmation;
use health::Health;
use home::Home;
use negotiate::Kind;
use problem::Listener;
use rate::Buckets;
use router::Route;
use status::Waits;

/// The policy of answers that are no pages: nothing in them is ever run or loaded.
const NO_PAGE: &str = "default-src 'none'; frame-ancestors 'none'";

/// How the site answers.
pub struct Config {
    /// What URLs start with.
    pub links: Links,
    /// What an upload must show as its bearer token, if anything.
    pub upload_token: Option<String>,
    /// How many uploads one client may begin, if that is limited.
    pub rate: Option<Rate>,
    /// Origins whose pages may upload.
    pub origins: Origins,
    /// How many answers are held back at once (long polls).
    pub max_waits: usize,
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
    /// Holds copies of objects, and is asked to forget them.
    pub cdn: Option<Cdn>,
}

/// The whole site.
pub struct Site {
    config: Config,
    rooms: Rooms,
    uploads: Uploads,
    buckets: Option<Buckets>,
    health: Health,
    home: Home,
    waits: Waits,
    metrics: Arc<Metrics>,
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
    site: &'s Site,
    head: &'s Head,
    _in_flight: Guard<'s>,
}

impl Exchange for Worded<'_> {
    fn body(&mut self, bytes: &[u8]) -> Result<(), Answer> {
        self.handler.body(bytes).map_err(|problem| self.site.word(&problem, self.head))
    }

    fn finish(self: Box<Self>) -> Answer {
        match self.handler.finish() {
            Ok(answer) => self.site.complete(answer, Some(self.head), &self.head.request_id),
            Err(problem) => self.site.word(&problem, self.head),
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
        let (home, waits) = (Home::new(&config), Waits::new(config.max_waits));
        Site { config, rooms, uploads, buckets, health, home, waits, metrics: Arc::default() }
    }

    /// What it counts.
    pub fn metrics(&self) -> Arc<Metrics> {
        Arc::clone(&self.metrics)
    }

    fn handler<'s>(&'s self, head: &'s Head) -> Result<(Box<dyn Handler + 's>, Lane), Problem> {
        let light = |answer: Box<dyn Handler + 's>| (answer, Lane::Light);
        if let Some(answer) = self.config.origins.preflight(head) {
            return Ok(light(Box::new(Bodiless(|| Ok(answer)))));
        }
        Ok(match router::route(&head.method, &head.path)? {
            Route::Upload(shape) => (Box::new(upload::admit(self, head, shape)?), Lane::Work),
            Route::Announce => (Box::new(direct::admit(self, head)?), Lane::Work),
            Route::Delete(id) => (Box::new(Bodiless(move || delete::answer(self, head, &id))), Lane::Work),
            Route::Confirm(id) => (Box::new(Confirmation::new(self, head, id)), Lane::Work),
            Route::Ask(id) => light(Box::new(Bodiless(move || delete::ask(self, head, &id)))),
            Route::Home => light(Box::new(Bodiless(|| Ok(self.home.answer(&self.config, head))))),
            Route::Fixed(what) => light(Box::new(Bodiless(move || fixed::answer(self, head, what)))),
            Route::Share(id) => light(Box::new(Bodiless(move || share::answer(self, head, &id)))),
            Route::Status(id) => light(Box::new(Bodiless(move || status::answer(self, head, &id)))),
            Route::Object(id, key) => {
                light(Box::new(Bodiless(move || objects::answer(self, head, &id, &key))))
            }
        })
    }
}

impl Site {
    /// The answer that tells a client of a problem.
    fn word(&self, problem: &Problem, head: &Head) -> Answer {
        self.tell(problem, Some(head), &head.request_id)
    }

    fn tell(&self, problem: &Problem, head: Option<&Head>, request_id: &str) -> Answer {
        self.metrics.rejected(problem.code());
        // A client that accepts none of our kinds gets JSON all the same.
        let kind = head.and_then(negotiate::kind).unwrap_or(Kind::Json);
        let listener = Listener { kind, request_id, base: self.config.links.base() };
        self.complete(problem.answer(&listener), head, request_id)
    }

    /// Adds what every answer has. One that says nothing of caching is not cached.
    fn complete(&self, answer: Answer, head: Option<&Head>, request_id: &str) -> Answer {
        let mut answer =
            answer.with_header("X-Content-Type-Options", "nosniff").with_header("X-Request-Id", request_id);
        for (name, value) in [("Content-Security-Policy", NO_PAGE), ("Cache-Control", "no-store")] {
            if answer.header(name).is_none() {
                answer = answer.with_header(name, value);
            }
        }
        self.config.origins.dress(answer, head)
    }
}

impl Service for Site {
    fn admit<'s>(&'s self, head: &'s Head) -> Result<Admitted<'s>, Answer> {
        let (handler, lane) = self.handler(head).map_err(|problem| self.word(&problem, head))?;
        let exchange = Box::new(Worded { handler, site: self, head, _in_flight: self.metrics.admitted() });
        Ok(Admitted { exchange, lane })
    }

    fn refuse(&self, head: Option<&Head>, request_id: &str, refusal: &Refusal) -> Answer {
        let problem = match refusal {
            // The door's limit is a whole body's; people count a file's bytes.
            Refusal::TooLarge { .. } => uploads::Error::TooLarge { limit: self.uploads.max_bytes() }.into(),
            other => Problem::Refused(*other),
        };
        self.tell(&problem, head, request_id)
    }

    fn answered(&self, access: &Access<'_>) {
        self.metrics.answered(access);
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
