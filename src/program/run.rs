//! What the three programs do: build their parts, run them, drain them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use log::{info, warn};

use super::departure;
use super::metrics::{Board, Source};
use super::notify;
use super::parts::{self, Parts};
use super::{version, watchdog};
use crate::door::{self, Door};
use crate::observe::memory;
use crate::observe::metrics::Page;
use crate::observe::time::now_millis;
use crate::settings::{Program, Settings};
use crate::stop::Stop;
use crate::store::directory::DirectoryStore;
use crate::upload::{self, intake, spool};
use crate::web::{self, Cdn, Links, Rooms, Site};
use crate::worker::{self, Life, Wall, Worker};

/// Longest time to finish what is in flight after SIGTERM; what is unfinished then is given back.
const DRAIN: Duration = Duration::from_secs(25);

/// How much longer than its time a job's thread may take to give it up: longer than the longest call to
/// the store with all its attempts (90 s), after which it looks.
const GRACE: Duration = Duration::from_secs(100);

/// Without accepting for so long, three turns of its loop, a door is stuck.
const DOOR_STANDSTILL: Duration = Duration::from_secs(15);

/// Between two looks at whether a worker that takes no more jobs is done.
const TURN: Duration = Duration::from_secs(1);
/// Between two looks for what has expired: it is to be gone within a minute.
const SWEEP: Duration = Duration::from_secs(20);

/// Most bytes that one body holds in memory; what is more goes to a file.
const MEMORY_EACH: usize = 16 << 20;

/// `image-server`: serves until stopped.
///
/// # Errors
/// Why it could not start.
pub fn serve(settings: Settings, stop: Stop) -> Result<(), String> {
    let mut parts = Parts::open(&settings)?;
    let doors = Doors::open(&settings)?;
    run_server(doors, &settings, &mut parts, &stop, None)
}

/// `image-sharer`: serves and works until stopped.
///
/// # Errors
/// Why it could not start.
pub fn share(settings: Settings, stop: Stop) -> Result<(), String> {
    let mut parts = Parts::open(&settings)?;
    let doors = Doors::open(&settings)?;
    let worker = start_worker(Program::Sharer, Wall::none(), &settings, &parts, &stop)?;
    let life = worker.life();
    let watchdog = watchdog::watch(move || life.stuck(), &stop, DRAIN)?;
    run_server(doors, &settings, &mut parts, &stop, Some(worker.life()))?;
    drain(worker, &stop);
    watchdog.verdict()
}

/// `image-worker`: works until stopped.
///
/// # Errors
/// Why it could not start.
pub fn work(settings: Settings, stop: Stop) -> Result<(), String> {
    memory::limit_arenas(worker::arenas(settings.jobs));
    let wall = Wall::build(settings.memory, settings.jobs, settings.max_upload_bytes);
    let parts = Parts::open(&settings)?;
    let board = Board::open(settings.metrics)?;
    // Raised when no more jobs are to be taken: at the stop, or before it.
    let last = Stop::new();
    let worker = start_worker(Program::Worker, wall, &settings, &parts, &last)?;
    if let Some(imds) = parts.imds() {
        departure::watch(imds, &stop, &last)?;
    }
    let meter = worker.life().meter();
    board.serve(&parts.queue, vec![Box::new(move |page| meter.write(page))])?;
    let (life, told) = (worker.life(), worker.life());
    let watchdog = watchdog::watch(move || life.stuck(), &stop, DRAIN)?;
    let _told = notify::ready(&stop, move || told.stuck())?;
    wait_for_the_end(&worker, &stop, &last, settings.job_time);
    drain(worker, &stop);
    watchdog.verdict()
}

/// Returns when the program is stopped; or, once `last` is raised, when all jobs in hand are done, each
/// within the time that a job may take. Both are raised then.
fn wait_for_the_end(worker: &Worker, stop: &Stop, last: &Stop, job_time: Duration) {
    while !stop.sleep(TURN) {
        let Some(since) = last.raised() else { continue };
        if worker.is_done(TURN) || since.elapsed() > job_time {
            stop.set();
        }
    }
    last.set();
}

/// A server's listeners.
struct Doors {
    door: Door,
    board: Board,
}

impl Doors {
    fn open(settings: &Settings) -> Result<Doors, String> {
        Ok(Doors { door: open_door(settings)?, board: Board::open(settings.metrics)? })
    }
}

fn open_door(settings: &Settings) -> Result<Door, String> {
    let defaults = door::Config::new(settings.listen);
    let config = door::prepare_process(door::Config {
        max_connections: settings.max_connections,
        max_per_address: door::Config::share(settings.max_connections),
        head_time: settings.head_time,
        idle_time: settings.idle_time,
        busy_idle_time: defaults.busy_idle_time.min(settings.idle_time),
        min_rate: settings.min_rate,
        max_body_bytes: settings.max_upload_bytes + intake::FRAMING,
        drain_time: DRAIN,
        trusted_proxies: settings.trusted_proxies.clone(),
        ..defaults
    });
    Door::bind(config).map_err(|e| e.to_string())
}

/// Serves until stopped; `life` is that of a worker in the same process.
fn run_server(
    doors: Doors,
    settings: &Settings,
    parts: &mut Parts,
    stop: &Stop,
    life: Option<Life>,
) -> Result<(), String> {
    let Doors { door, board } = doors;
    let distribution = parts.distribution.take();
    let (store, queue) = (&parts.store, Arc::clone(&parts.queue));
    let objects = store.public_url(settings.public_url.as_deref());
    let links = Links { objects, pages: settings.page_url.clone() };
    let bodies = spool::Config {
        budget: spool::Budget::new(settings.body_memory),
        memory_each: MEMORY_EACH,
        folder: settings.spool.clone(),
    };
    let uploads = upload::Config {
        max_bytes: settings.max_upload_bytes,
        max_pixels: settings.max_pixels,
        lifetime: settings.default_expiry,
        spool: bodies,
    };
    let upload_token = settings.upload_token.as_ref().map(|token| token.reveal().to_owned());
    let address = door.local_addr();
    info!(url = format!("http://{address}/"), store = store.any().describe(), queue = queue.describe(); "serving");
    let cdn = distribution.map(|distribution| {
        let base = links.object_base().to_owned();
        Cdn::start(distribution, base, stop.clone()).map_err(|e| format!("no thread for the CDN: {e}"))
    });
    let cdn = cdn.transpose()?;
    let rooms = Rooms { store: store.any(), files: store.files(), queue, stop: stop.clone(), cdn };
    let config = web::Config {
        links,
        upload_token,
        rate: settings.rate,
        origins: settings.cors_origins.clone(),
        max_waits: settings.max_connections / 4,
        uploads,
    };
    let site = Site::new(config, rooms);
    if let Some(files) = store.files() {
        sweep(files, stop)?;
    }
    let (served, meter) = (site.metrics(), life.as_ref().map(Life::meter));
    let mut sources: Vec<Source> = vec![Box::new(move |page| served.write(page))];
    sources.extend(meter.map(|meter| Box::new(move |page: &mut Page| meter.write(page)) as Source));
    board.serve(&parts.queue, sources)?;
    let (stopper, stopped) = (door.stopper(), stop.clone());
    std::thread::Builder::new()
        .name("stopper".to_owned())
        .spawn(move || {
            stopped.wait();
            stopper.stop();
        })
        .map_err(|e| format!("no thread to wait for the end: {e}"))?;
    if let Some(backlog) = parts.backlog(settings)? {
        backlog.tell(stop)?;
    }
    let accepting = door.pulse();
    let _told = notify::ready(stop, move || {
        let stands = (accepting.age() > DOOR_STANDSTILL).then_some("no connections are accepted");
        stands.or_else(|| life.as_ref().and_then(Life::stuck))
    })?;
    door.run(Arc::new(site)).map_err(|e| e.to_string())
}

/// Removes what has expired from a directory, again and again until stopped.
fn sweep(files: Arc<DirectoryStore>, stop: &Stop) -> Result<(), String> {
    let stop = stop.clone();
    let run = move || {
        while !stop.sleep(SWEEP) {
            match files.sweep(now_millis()) {
                Ok(0) => {}
                Ok(objects) => info!(objects; "removed what has expired"),
                Err(error) => warn!(error:%; "what has expired could not be removed; trying again"),
            }
        }
    };
    let thread = std::thread::Builder::new().name("sweep".to_owned()).spawn(run);
    thread.map(drop).map_err(|e| format!("no thread to remove what has expired: {e}"))
}

fn start_worker(
    program: Program,
    wall: Wall,
    settings: &Settings,
    parts: &Parts,
    stop: &Stop,
) -> Result<Worker, String> {
    let (store, queue) = (&parts.store, Arc::clone(&parts.queue));
    let config = worker::Config {
        jobs: settings.jobs,
        memory: settings.memory,
        wall,
        max_bytes: settings.max_upload_bytes,
        max_pixels: settings.max_pixels,
        effort: settings.effort,
        job_time: settings.job_time,
        grace: GRACE,
        visibility: settings.visibility,
        wait: parts::receive_wait(settings),
        key_prefix: parts.store.key_prefix(),
        program: version(program),
    };
    let (jobs, memory_mb) = (config.jobs, config.memory >> 20);
    let (store, queue_name) = (store.any(), queue.describe());
    let wall_mb = wall.bytes().unwrap_or(0) >> 20;
    info!(store = store.describe(), queue = queue_name, jobs, memory_mb, wall_mb; "working");
    Worker::start(config, store, queue, stop.clone()).map_err(|e| format!("no threads to work on: {e}"))
}

/// Gives the worker what is left of the drain time: in `image-sharer` the door has had the same.
fn drain(worker: Worker, stop: &Stop) {
    match worker.drain(stop.raised().unwrap_or_else(Instant::now) + DRAIN) {
        0 => info!("all jobs in hand are done"),
        given_back => warn!(given_back; "jobs in hand were given back to the queue"),
    }
}
