//! `GET /metrics` on a listener of its own: what the program's parts count, in one page.
//!
//! It ends with the process, so that a drain can be watched too.

use std::net::SocketAddr;
use std::sync::Arc;

use log::{debug, info, warn};

use super::depth::Backlog;
use crate::door::{self, Access, Admitted, Answer, Door, Exchange, Head, Lane, Method, Refusal, Service};
use crate::observe::metrics::{Page, process};
use crate::queue::Queue;
use crate::settings::Metrics;

/// Scrapers at once. Their threads start at once: later, a worker's limit on its memory may leave no room.
const CONNECTIONS: usize = 4;

/// Writes what one part of the program counts.
pub type Source = Box<dyn Fn(&mut Page) + Send + Sync>;

/// The listener, before it answers; none where metrics are served nowhere.
pub struct Board(Option<Door>);

impl Board {
    /// Listens where the setting says.
    ///
    /// # Errors
    /// Why that can't be, where somebody asked for it.
    pub fn open(setting: Metrics) -> Result<Board, String> {
        let door = match setting {
            Metrics::Off => None,
            Metrics::At(address) => {
                Some(listen(address).map_err(|error| format!("SHARER_METRICS_LISTEN: {error}"))?)
            }
            Metrics::IfFree(address) => listen(address)
                .inspect_err(|error| {
                    let advice = "set SHARER_METRICS_LISTEN to another address, or to off";
                    warn!(error:%, advice; "metrics are not served");
                })
                .ok(),
        };
        Ok(Board(door))
    }

    /// Answers from now on with what these write, and with how full the queue is.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn serve(self, queue: &Arc<dyn Queue>, mut sources: Vec<Source>) -> Result<(), String> {
        let Some(door) = self.0 else { return Ok(()) };
        let no_thread = |error| format!("no thread to serve metrics: {error}");
        let backlog = Backlog::watch(Arc::clone(queue)).map_err(no_thread)?;
        sources.push(Box::new(move |page| backlog.write(page)));
        sources.push(Box::new(process::write));
        info!(url = format!("http://{}/metrics", door.local_addr()); "metrics are served");
        let run = move || {
            if let Err(error) = door.run(Arc::new(Scraped { sources })) {
                warn!(error:%; "metrics are served no more");
            }
        };
        let thread = std::thread::Builder::new().name("metrics".to_owned()).spawn(run);
        thread.map(drop).map_err(no_thread)
    }
}

fn listen(address: SocketAddr) -> Result<Door, door::Error> {
    Door::bind(door::Config {
        max_connections: CONNECTIONS,
        // Who scrapes is often behind one address.
        max_per_address: CONNECTIONS,
        threads_at_start: CONNECTIONS,
        max_body_bytes: 0,
        work_slots: 1,
        max_turned_away: CONNECTIONS,
        ..door::Config::new(address)
    })
}

/// What stands behind the listener.
struct Scraped {
    sources: Vec<Source>,
}

/// A request for the page.
struct Scrape<'s>(&'s Scraped);

impl Exchange for Scrape<'_> {
    fn body(&mut self, _: &[u8]) -> Result<(), Answer> {
        Ok(())
    }

    fn finish(self: Box<Self>) -> Answer {
        let mut page = Page::default();
        self.0.sources.iter().for_each(|write| write(&mut page));
        Answer::new(200, Page::CONTENT_TYPE, page.into_text()).with_header("Cache-Control", "no-store")
    }
}

impl Service for Scraped {
    fn admit<'s>(&'s self, head: &'s Head) -> Result<Admitted<'s>, Answer> {
        match (&head.method, head.path.as_str()) {
            (Method::Get | Method::Head, "/metrics") => {
                Ok(Admitted { exchange: Box::new(Scrape(self)), lane: Lane::Light })
            }
            (_, "/metrics") => Err(plain(405, "GET is what this takes").with_header("Allow", "GET, HEAD")),
            _ => Err(plain(404, "the metrics are at /metrics")),
        }
    }

    fn refuse(&self, _: Option<&Head>, _: &str, refusal: &Refusal) -> Answer {
        let status = refusal.status();
        plain(status.0, status.default_reason_phrase())
    }

    fn answered(&self, access: &Access<'_>) {
        debug!(peer:% = access.peer, status = access.status; "metrics asked for");
    }
}

fn plain(status: u16, text: &str) -> Answer {
    Answer::new(status, "text/plain; charset=utf-8", format!("{text}\n"))
}
