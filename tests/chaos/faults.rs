//! The faults, each for as long as it is told.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::harness::{Disk, Fault, Folder, MINISTACK, Proxy, Rule, Sharer, Site, disk, noise_jpeg};
use crate::load::{Tally, under_load};
use crate::report::Row;
use crate::town::{Settings, Town};

fn none() -> [Settings; 3] {
    [vec![], vec![], vec![]]
}

/// kill -9 of the server and of workers, at random, on folders.
pub fn kills_on_folders(time: Duration) -> Row {
    Town::on_folders(vec![]).endure("kill -9, folders", time, kill)
}

/// The same on S3 and SQS.
pub fn kills_on_aws(time: Duration) -> Row {
    let town = Town::on_aws(MINISTACK.place(10), MINISTACK.address, none());
    town.endure("kill -9, S3 and SQS", time, kill)
}

fn kill(town: &mut Town, deadline: Instant) -> u64 {
    let mut kills = 0;
    while Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(200 + town.random.below(2500)));
        match town.random.below(3) as usize {
            2 => {
                town.site.server.kill();
                town.site.start_server();
            }
            worker => {
                town.workers[worker].kill();
                town.start_worker(worker);
            }
        }
        kills += 1;
    }
    kills
}

/// S3 and SQS stand still: connections are taken, and nothing is answered.
pub fn peer_frozen(time: Duration) -> Row {
    let town = Town::on_aws(MINISTACK.place(10), MINISTACK.address, none());
    town.endure("S3 and SQS frozen", time, |_, deadline| {
        outage(deadline, || MINISTACK.freeze(), || MINISTACK.thaw());
        1
    })
}

/// S3 and SQS are gone: every connection ends without an answer.
pub fn peer_gone(time: Duration) -> Row {
    let proxy = Proxy::start(MINISTACK.address, &[]);
    let town = Town::on_aws(MINISTACK.place(10), proxy.address, none());
    town.endure("S3 and SQS gone", time, |_, deadline| {
        let gone = || proxy.set_rules(&[Rule::always("*", Fault::DropBefore)]);
        outage(deadline, gone, || proxy.set_rules(&[]));
        1
    })
}

/// A fault from a tenth of the time to nine tenths.
fn outage(deadline: Instant, begin: impl Fn(), end: impl Fn()) {
    let time = deadline.saturating_duration_since(Instant::now());
    std::thread::sleep(time / 10);
    begin();
    std::thread::sleep(time * 8 / 10);
    end();
    std::thread::sleep(time / 10);
}

/// `image-sharer` on a disk that is full for most of the time.
pub fn full_disk(time: Duration) -> Row {
    let (folder, fault) = (Folder::new("full"), "full disk, folders");
    println!("{fault}: {} s", time.as_secs());
    let data = folder.path().join("data");
    let mut sharer = Sharer::in_folder(folder, Disk::around(&data, 256 << 10, ""), &[]);
    let disk = Disk::of(&sharer.process, &data);
    let tally = under_load(sharer.client, sharer.client, || {
        outage(Instant::now() + time, || disk.fill_but(0), || disk.make_room());
    });
    let dead_letters = disk.files("queue/dead").len() as u64;
    let mut wrong = Vec::new();
    if dead_letters > 0 || !disk.files("queue/messages").is_empty() {
        wrong.push(format!("{dead_letters} dead letters; {:?}", disk.files("queue/messages")));
    }
    let stored = sharer.process.log().matches("\"thumbnails stored\"").count() as u64;
    wrong.extend((sharer.process.stop() != Some(0)).then(|| "SIGTERM did not end it well".to_owned()));
    let done_again = stored.saturating_sub(tally.complete);
    Row { fault, time, struck: 1, tally, done_again, dead_letters, wrong }
}

/// Clocks that are off by so many seconds from one moment to the next.
const JUMPS: [i64; 6] = [3600, -3600, 90, -90, 86_400, 0];

/// The clock of a machine jumps, under all programs at once.
pub fn clock_on_folders(time: Duration) -> Row {
    let clocks = Clocks::new(1);
    let town = Town::on_folders(clocks.settings(0));
    town.endure("clock jumps, folders", time, |town, deadline| clocks.jump(town, deadline))
}

/// Each machine's clock jumps by itself; that of S3 and SQS is right.
pub fn clock_on_aws(time: Duration) -> Row {
    let clocks = Clocks::new(3);
    let each = [0, 1, 2].map(|program| clocks.settings(program));
    let town = Town::on_aws(MINISTACK.place(10), MINISTACK.address, each);
    town.endure("clock jumps, S3 and SQS", time, |town, deadline| clocks.jump(town, deadline))
}

/// Clocks that are set from here, by a preloaded library: `clock.c`.
struct Clocks {
    folder: Folder,
    library: PathBuf,
    count: u64,
}

impl Clocks {
    fn new(count: u64) -> Clocks {
        let folder = Folder::new("clocks");
        let library = folder.path().join("clock.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/chaos/clock.c");
        let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
        let mut command = Command::new(compiler);
        command.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source);
        let status = command.status().expect("a C compiler, as cc or $CC: Rust links with it too");
        assert!(status.success(), "{command:?}");
        let clocks = Clocks { folder, library, count };
        (0..count).for_each(|number| clocks.set(number, 0));
        clocks
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.path().join(number.to_string())
    }

    fn set(&self, number: u64, seconds: i64) {
        use std::os::unix::fs::FileExt;
        let file = std::fs::File::options().create(true).truncate(false).write(true).open(self.path(number));
        file.unwrap().write_all_at(&seconds.to_ne_bytes(), 0).unwrap();
    }

    /// For a program that goes by the clock `number`.
    fn settings(&self, number: u64) -> Settings {
        let path = |path: &Path| path.display().to_string();
        vec![("LD_PRELOAD", path(&self.library)), ("CHAOS_CLOCK", path(&self.path(number)))]
    }

    /// Lets clocks jump, and sets them right at the end.
    fn jump(&self, town: &mut Town, deadline: Instant) -> u64 {
        let mut jumps = 0;
        while Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1000 + town.random.below(3000)));
            let seconds = JUMPS[town.random.below(JUMPS.len() as u64) as usize];
            self.set(town.random.below(self.count), seconds);
            jumps += 1;
        }
        (0..self.count).for_each(|number| self.set(number, 0));
        jumps
    }
}

/// SIGTERM to the server, then to each worker, and so on; each is started anew when it has ended.
pub fn rolling_restart(time: Duration) -> Row {
    Town::on_folders(vec![]).endure("SIGTERM, rolling restart", time, |town, deadline| {
        let mut restarts = 0;
        while Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(700));
            match restarts % 3 {
                2 => {
                    assert_eq!(town.site.server.stop(), Some(0), "{}", town.site.server.log());
                    town.site.start_server();
                }
                worker => {
                    let worker = worker as usize;
                    assert_eq!(town.workers[worker].stop(), Some(0), "{}", town.workers[worker].log());
                    town.start_worker(worker);
                }
            }
            restarts += 1;
        }
        restarts
    })
}

/// A job whose thread never comes back: its original is a pipe that nobody writes to. The worker gives it up
/// and ends; the next one finds the original as it was.
pub fn hung_job() -> Row {
    let (fault, begun) = ("a thread that never comes back", Instant::now());
    let times = [("SHARER_JOB_SECONDS", "1"), ("SHARER_VISIBILITY_SECONDS", "1")];
    let site = Site::start(&times);
    let photo = noise_jpeg(320, 240, 1);
    let hung = site.client.upload("a.jpg", &photo);
    let id = hung.header("x-image-id").expect("an id").to_owned();
    let original = site.folder.path().join("objects").join(&id).join("original.jpg");
    std::fs::remove_file(&original).unwrap();
    assert!(Command::new("mkfifo").arg(&original).status().unwrap().success());
    let good = site.client.upload("b.jpg", &photo);

    let mut wrong = Vec::new();
    let mut worker = site.worker();
    site.client.wait_for(&good.url("large"), Duration::from_secs(60));
    let code = worker.wait(Duration::from_secs(150));
    if code != Some(1) || !worker.log().contains("a job's thread does not come back") {
        wrong.push(format!("the worker ended with {code:?}: {}", worker.log()));
    }
    std::fs::remove_file(&original).unwrap();
    std::fs::write(&original, &photo).unwrap();
    let mut next = site.worker();
    site.client.wait_for(&hung.url("large"), Duration::from_secs(60));
    wrong.extend((next.stop() != Some(0)).then(|| "the next worker did not end well".to_owned()));
    let dead_letters = disk::files(&site.folder.path().join("queue/dead")).len() as u64;
    let tally =
        Tally { tries: 2, accepted: 2, complete: 2, slowest_thumbnails: begun.elapsed(), ..Tally::default() };
    Row { fault, time: begun.elapsed(), struck: 1, tally, done_again: 0, dead_letters, wrong }
}
