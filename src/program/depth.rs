//! How full the queue is, for the metrics: asked when they are asked for, and on a thread of its own, as
//! a queue may take its time to answer and a scraper has none.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use log::warn;

use crate::observe::metrics::{Counter, Kind, Page};
use crate::queue::{Depth, Queue};

/// For so long an answer of the queue is told again: on SQS each is paid for.
const FRESH: Duration = Duration::from_secs(10);

/// For so long a scraper waits for a new one.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is older than this is not told any more.
const STALE: Duration = Duration::from_secs(120);

/// Watches one queue.
pub struct Backlog {
    known: Arc<Known>,
    wish: SyncSender<()>,
}

#[derive(Default)]
struct Known {
    last: Mutex<Option<(Instant, Depth)>>,
    changed: Condvar,
    failures: Counter,
}

impl Backlog {
    /// Starts the thread that asks the queue; it ends when this is dropped.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn watch(queue: Arc<dyn Queue>) -> std::io::Result<Backlog> {
        let (wish, wishes) = sync_channel(1);
        let known = Arc::new(Known::default());
        let shared = Arc::clone(&known);
        let run = move || ask(&*queue, &shared, &wishes);
        std::thread::Builder::new().name("backlog".to_owned()).spawn(run)?;
        Ok(Backlog { known, wish })
    }

    /// Writes it; where the queue has not answered for long, only that.
    pub fn write(&self, page: &mut Page) {
        if let Some(Depth { waiting, in_flight, oldest, dead }) = self.depth() {
            let help = "Messages in the queue; every program tells of the same queue, so don't add them up.";
            page.family("sharer_queue_messages", Kind::Gauge, help)
                .sample(&[("state", "waiting")], waiting)
                .sample(&[("state", "in_flight")], in_flight)
                .sample(&[("state", "dead")], dead);
            if let Some(oldest) = oldest {
                let help = "Age of the oldest waiting message; absent where none waits, and on SQS.";
                page.family("sharer_queue_oldest_seconds", Kind::Gauge, help)
                    .sample(&[], oldest.as_secs_f64());
            }
        }
        let help = "Times that the queue did not tell how full it is.";
        page.family("sharer_queue_depth_failures_total", Kind::Counter, help)
            .sample(&[], self.known.failures.value());
    }

    /// A fresh answer, if there is one soon; else the last, if it is not too old.
    fn depth(&self) -> Option<Depth> {
        let is_old = |last: &mut Option<(Instant, Depth)>| last.is_none_or(|(at, _)| at.elapsed() > FRESH);
        let Known { last, changed, .. } = &*self.known;
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        if is_old(&mut last) {
            // A full channel holds the same wish already.
            let _ = self.wish.try_send(());
            let waited = changed.wait_timeout_while(last, PATIENCE, is_old);
            last = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        last.filter(|(at, _)| at.elapsed() < STALE).map(|(_, depth)| depth)
    }
}

fn ask(queue: &dyn Queue, known: &Known, wishes: &Receiver<()>) {
    while wishes.recv().is_ok() {
        match queue.depth() {
            Ok(depth) => {
                *known.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), depth));
                known.changed.notify_all();
            }
            Err(error) => {
                known.failures.count();
                warn!(error:%; "the queue does not tell how full it is");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::memory::MemoryQueue;

    #[test]
    fn what_waits_is_told_at_once() {
        let queue = Arc::new(MemoryQueue::new());
        queue.send("a").unwrap();
        let mut page = Page::default();
        Backlog::watch(queue).unwrap().write(&mut page);
        let text = page.into_text();
        assert!(text.contains("sharer_queue_messages{state=\"waiting\"} 1\n"), "{text}");
        assert!(text.contains("sharer_queue_oldest_seconds "), "{text}");
    }
}
