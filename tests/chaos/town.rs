//! A server and two workers that can be killed, stopped and started again, and what their folder tells
//! afterwards.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::harness::{Client, MINISTACK, Place, Process, Random, Site, disk};
use crate::load::{Tally, under_load};
use crate::report::Row;

/// Visibility time-out, in seconds: what a killed worker had in hand comes back after it.
pub const VISIBILITY: &str = "10";

pub type Settings = Vec<(&'static str, String)>;

pub struct Town {
    pub site: Site,
    pub workers: [Process; 2],
    pub random: Random,
    /// Where objects are fetched from.
    world: Client,
    place: Option<Place>,
    worker_settings: [Settings; 2],
}

impl Town {
    /// On folders.
    pub fn on_folders(settings: Settings) -> Town {
        Town::start(settings.clone(), None, [settings.clone(), settings])
    }

    /// On S3 and SQS, reached over `endpoint`, with more settings of each program.
    pub fn on_aws(place: Place, endpoint: std::net::SocketAddr, each: [Settings; 3]) -> Town {
        let mut settings = place.settings(endpoint, &MINISTACK.accounts.user);
        let [server, workers @ ..] = each;
        settings.extend(server);
        Town::start(settings, Some(place), workers)
    }

    fn start(mut settings: Settings, place: Option<Place>, worker_settings: [Settings; 2]) -> Town {
        settings.push(("SHARER_VISIBILITY_SECONDS", VISIBILITY.to_owned()));
        let site = Site::on(settings);
        let workers = worker_settings.each_ref().map(|settings| site.worker_with(settings));
        let world = if place.is_some() { MINISTACK.world() } else { site.client };
        Town { site, workers, random: Random::new(), world, place, worker_settings }
    }

    /// Uploads while `faults` go on for `time`, and until all is over. `faults` returns how many there were.
    pub fn endure(
        mut self,
        fault: &'static str,
        time: Duration,
        faults: impl FnOnce(&mut Town, Instant) -> u64,
    ) -> Row {
        println!("{fault}: {} s", time.as_secs());
        let (server, world, mut struck) = (self.site.client, self.world, 0);
        let tally = under_load(server, world, || struck = faults(&mut self, Instant::now() + time));
        self.row(fault, time, struck, tally)
    }

    /// Replaces a dead worker.
    pub fn start_worker(&mut self, number: usize) {
        self.workers[number] = self.site.worker_with(&self.worker_settings[number]);
    }

    fn row(mut self, fault: &'static str, time: Duration, struck: u64, tally: Tally) -> Row {
        let mut wrong = Vec::new();
        self.check_ends(&mut wrong);
        let dead_letters = match &self.place {
            Some(place) => MINISTACK.depth(&place.dead_url).0,
            None => self.files("queue/dead").len() as u64,
        };
        if dead_letters > 0 {
            wrong.push(format!("{dead_letters} messages are among the dead letters"));
        }
        if self.place.is_none() {
            self.check_folders(&mut wrong);
        }
        let done_again = self.done_again();
        Row { fault, time, struck, tally, done_again, dead_letters, wrong }
    }

    /// All end well when asked to.
    fn check_ends(&mut self, wrong: &mut Vec<String>) {
        let processes: Vec<_> = self.workers.iter_mut().chain([&mut self.site.server]).collect();
        processes.iter().for_each(|process| process.terminate());
        for process in processes {
            match process.wait(Duration::from_secs(40)) {
                Some(0) => {}
                other => wrong.push(format!("SIGTERM ended a program with {other:?}")),
            }
        }
    }

    /// A start removes what kills left half-written; and nothing else lies about.
    fn check_folders(&mut self, wrong: &mut Vec<String>) {
        self.site.start_server();
        self.site.server.stop();
        for folder in ["objects/.private/temporary", "queue/temporary", "queue/messages"] {
            let left = self.files(folder);
            if !left.is_empty() {
                wrong.push(format!("{} files are left in {folder}: {:?} …", left.len(), left[0]));
            }
        }
        let originals = self.files("objects").into_iter().filter(|path| path.ends_with("original.jpg"));
        let records = self.site.folder.path().join("objects/record");
        let half = originals.filter(|path| {
            let id = path.parent().and_then(|folder| folder.file_name()).unwrap_or_default();
            !records.join(id).with_extension("json").exists()
        });
        println!("  originals without a record, of uploads whose server was killed: {}", half.count());
    }

    fn files(&self, folder: &str) -> Vec<PathBuf> {
        disk::files(&self.site.folder.path().join(folder))
    }

    /// How often thumbnails were stored that had been stored already, by the workers' logs.
    fn done_again(&self) -> u64 {
        let mut times: BTreeMap<String, u64> = BTreeMap::new();
        for log in self.files(".").iter().filter(|path| path.extension().is_some_and(|e| e == "log")) {
            let text = std::fs::read_to_string(log).unwrap_or_default();
            for line in text.lines().filter(|line| line.contains("\"thumbnails stored\"")) {
                let id =
                    line.split(" id=").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
                *times.entry(id.to_owned()).or_default() += 1;
            }
        }
        times.values().map(|times| times - 1).sum()
    }
}
