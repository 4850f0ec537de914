//! The first process of the minimal machine image: from the kernel's start to the program in less
//! than a second, and from the power button to a drained end.
//!
//! `image-init PROGRAM` as process 1; `image-init --modules` prints the kernel modules that the
//! image must hold. Anything that may fail is said on the console.

use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, SystemTime};

use rustix::process::Pid;

use image_init::console::uptime;
use image_init::settings::Settings;
use image_init::supervise::{self, Do, End, Supervisor};
use image_init::{advice, http, imds, modules, mounts, network, power, program, say};

/// What the threads tell the first one.
enum News {
    Settings(Settings),
    Ended(End),
    PowerButton,
}

fn main() -> ExitCode {
    let argument = std::env::args().nth(1).unwrap_or_default();
    if argument == "--modules" {
        modules::all().for_each(|name| println!("{name}"));
        return ExitCode::SUCCESS;
    }
    if std::process::id() != 1 {
        eprintln!("image-init: this is a machine's first process: its kernel starts it");
        return ExitCode::FAILURE;
    }
    prepare();
    let (tell, news) = mpsc::channel();
    let ask = start_threads(&tell);
    supervise(&argument, &ask, &tell, &news);
    power::off();
    // The kernel starts a machine anew whose first process ends (panic= on its command line).
    ExitCode::FAILURE
}

/// Mounts, limits, modules: what fails is said, and the rest is tried all the same.
fn prepare() {
    if let Err(error) = mounts::mount_all() {
        say!("{error}");
    }
    if let Err(error) = program::restrict() {
        say!("the program can't be restricted: {error}");
    }
    for module in modules::choose(&modules::devices(Path::new(modules::PCI_DEVICES))) {
        if let Err(error) = modules::load(module) {
            say!("module {module} can't be loaded: {error}");
        }
    }
}

/// Starts what watches and fetches. Returns where settings are asked for.
fn start_threads(tell: &Sender<News>) -> Sender<()> {
    let button = tell.clone();
    power::watch(move || drop(button.send(News::PowerButton)));
    let (ask, asks) = mpsc::channel();
    let (first, advisor) = (ask.clone(), tell.clone());
    // The settings are asked for as soon as there is a network.
    spawn("network", move || {
        network::run(move || {
            let _ = first.send(());
        })
    });
    spawn("advice", move || {
        // A constant of ours, in the form of an address.
        let Ok(address) = imds::ADDRESS.parse() else { return };
        advice::run(http::Tcp(address), &asks, |settings| drop(advisor.send(News::Settings(settings))));
    });
    ask
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) {
    if let Err(error) = thread::Builder::new().name(name.to_owned()).spawn(run) {
        say!("no thread for {name}: {error}");
    }
}

/// Runs the program until the machine is to go off.
fn supervise(path: &str, ask: &Sender<()>, tell: &Sender<News>, news: &Receiver<News>) {
    let mut supervisor = Supervisor::asking();
    let mut running: Option<Pid> = None;
    let mut settings = Settings::default();
    loop {
        let event = match next(news, supervisor.due()) {
            Some(News::Settings(found)) => {
                settings = found;
                supervise::Event::Settings
            }
            Some(News::Ended(end)) => {
                running = None;
                supervise::Event::Ended(end)
            }
            Some(News::PowerButton) => {
                say!("the power button was pressed");
                supervise::Event::PowerButton
            }
            None => supervise::Event::Time,
        };
        let what = supervisor.on(uptime(), event);
        if let supervise::Event::Ended(end) = event {
            say_end(path, end, supervisor.pause(uptime()));
        }
        match (what, running) {
            (Do::Start, _) => running = start(path, &settings, tell),
            (Do::Terminate, Some(pid)) => program::terminate(pid),
            (Do::Kill, Some(pid)) => {
                say!("{path} does not end; it is killed");
                program::kill(pid);
            }
            (Do::Ask, _) => {
                let _ = ask.send(());
            }
            (Do::PowerOff, _) => {
                say!("switching off");
                return;
            }
            (Do::Nothing | Do::Terminate | Do::Kill, _) => {}
        }
    }
}

/// The next news; `None` when the time is due before any.
fn next(news: &Receiver<News>, due: Option<Duration>) -> Option<News> {
    let wait = due.map_or(Duration::from_secs(3600), |due| due.saturating_sub(uptime()));
    // An error is the time-out: this process holds a sender itself, so there is always one.
    news.recv_timeout(wait).ok()
}

fn start(path: &str, settings: &Settings, tell: &Sender<News>) -> Option<Pid> {
    for wrong in &settings.wrong {
        say!("{wrong}");
    }
    let names: Vec<&str> = settings.pairs.iter().map(|(name, _)| name.as_str()).collect();
    // The time of day besides, so that the program's own lines can be laid beside these.
    let day = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs_f64();
    say!("starting {path} at Unix time {day:.3} with {} settings: {}", names.len(), names.join(" "));
    let ended = tell.clone();
    match program::start(path, settings, move |end| drop(ended.send(News::Ended(end)))) {
        Ok(pid) => Some(pid),
        Err(error) => {
            say!("{path} can't be started: {error}");
            let _ = tell.send(News::Ended(End::NotStarted));
            None
        }
    }
}

fn say_end(path: &str, end: End, pause: Option<Duration>) {
    /// What the program means by this code: a wrong argument or setting.
    const WRONG: i32 = 2;
    let how = match end {
        End::Code(WRONG) => "ended with code 2: a setting is wrong, see its lines above".to_owned(),
        End::Code(code) => format!("ended with code {code}"),
        End::Signal(signal) => format!("was ended by signal {signal}"),
        End::NotStarted => "is not running".to_owned(),
    };
    match pause {
        Some(pause) => {
            let seconds = pause.as_secs_f64();
            say!("{path} {how}; settings are read again and it starts anew in {seconds:.0} s");
        }
        None => say!("{path} {how}"),
    }
}
