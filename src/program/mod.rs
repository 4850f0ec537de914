//! What the three programs have in common: arguments, help, signals, the building of parts.
//!
//! Exit codes: 0 done, 1 could not start or a check failed, 2 a wrong argument or setting.

use std::process::ExitCode;

use log::info;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::observe::log as logs;
use crate::observe::metrics::process;
use crate::settings::{KNOBS, Program, Settings, Wrong};
use crate::stop::Stop;

mod backlog;
mod departure;
mod depth;
mod metrics;
mod notify;
mod operator;
mod parts;
mod run;
mod watchdog;

pub use operator::{requeue, status};
pub use run::{serve, share, work};

/// Exit code of a wrong argument or setting.
const WRONG: u8 = 2;

/// What a program is asked to do by its arguments.
enum Wish {
    Run,
    Check,
    Help,
    Version,
}

/// Reads arguments and settings and does what they ask: `run` is the program itself, which returns
/// when it was stopped.
pub fn main(
    program: Program,
    arguments: &[String],
    run: fn(Settings, Stop) -> Result<(), String>,
) -> ExitCode {
    let wish = match wish(arguments) {
        Ok(wish) => wish,
        Err(argument) => return wrong_argument(program, argument),
    };
    match wish {
        Wish::Help => {
            print!("{}", help(program));
            return ExitCode::SUCCESS;
        }
        Wish::Version => {
            println!("{}", version(program));
            return ExitCode::SUCCESS;
        }
        Wish::Run | Wish::Check => {}
    }
    let settings = match Settings::read(program, &|name| std::env::var(name).ok()) {
        Ok(settings) => settings,
        Err(wrong) => return wrong_settings(program, &wrong),
    };
    logs::start(settings.log, settings.log_format);
    process::started();
    let done = match wish {
        Wish::Check => parts::check(&settings),
        _ => stop_on_signals().and_then(|stop| run(settings, stop)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", program.name());
            ExitCode::FAILURE
        }
    }
}

fn wish(arguments: &[String]) -> Result<Wish, &str> {
    match arguments {
        [] => Ok(Wish::Run),
        [one] => match one.as_str() {
            "--help" | "-h" => Ok(Wish::Help),
            "--version" | "-V" => Ok(Wish::Version),
            "--check" => Ok(Wish::Check),
            other => Err(other),
        },
        [_, other, ..] => Err(other),
    }
}

/// Says that an argument is not understood; exit code 2.
pub fn wrong_argument(program: Program, argument: &str) -> ExitCode {
    eprintln!("{0}: {argument:?} is not understood; `{0} --help` says what is", program.name());
    ExitCode::from(WRONG)
}

/// Says which settings are wrong; exit code 2.
pub fn wrong_settings(program: Program, wrong: &Wrong) -> ExitCode {
    eprintln!("{}: {wrong}\n`{0} --help` lists all settings.", program.name());
    ExitCode::from(WRONG)
}

/// The environment for a job on local files, which has neither store nor queue.
pub fn local_environment(name: &str) -> Option<String> {
    match name {
        "SHARER_STORE" | "SHARER_QUEUE" => Some("dir:.".to_owned()),
        _ => std::env::var(name).ok(),
    }
}

/// `image-worker 0.1.0`.
pub fn version(program: Program) -> String {
    format!("{} {}", program.name(), env!("CARGO_PKG_VERSION"))
}

fn help(program: Program) -> String {
    let (name, about) = match program {
        Program::Sharer => ("image-sharer", "shares images from this machine: server and worker in one"),
        Program::Server => ("image-server", "takes uploads, stores them and queues their thumbnails"),
        Program::Worker => ("image-worker", "makes thumbnails of uploaded images off a queue"),
    };
    let mut text = format!("{name}: {about}\n\nUsage:\n  {name}             run until SIGTERM or SIGINT\n");
    text += &format!("  {name} --check     read the settings, reach store and queue, say what was found\n");
    text += &format!("  {name} --help      print this\n  {name} --version   print the version\n");
    if program == Program::Worker {
        text += "  image-worker thumbnail FILE... --out DIR\n                           make the thumbnails of local files\n";
    }
    if program == Program::Sharer {
        text += "  image-sharer status      say how full the queue is, what comes and goes, what is dead and why\n";
        text += "  image-sharer requeue ID  put a dead letter back into the queue; --all puts all back\n";
    }
    text += "\nSettings (environment variables):\n";
    for knob in KNOBS.iter().filter(|knob| knob.is_read_by(program)) {
        let default = knob.default.shown(program);
        text +=
            &format!("  {}\n      {}: {}\n      default: {default}\n", knob.name, knob.about, knob.may_be);
    }
    text
}

/// A flag that SIGTERM and SIGINT raise; a second signal ends the process at once.
fn stop_on_signals() -> Result<Stop, String> {
    let stop = Stop::new();
    let mut signals =
        Signals::new([SIGTERM, SIGINT]).map_err(|e| format!("signals can't be received: {e}"))?;
    let raised = stop.clone();
    let listen = move || {
        for (count, signal) in signals.forever().enumerate() {
            if count > 0 {
                std::process::exit(128 + signal);
            }
            info!(signal; "stopping");
            raised.set();
        }
    };
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(listen)
        .map_err(|e| format!("no thread for signals: {e}"))?;
    Ok(stop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_names_every_setting_that_the_program_reads_and_no_other() {
        for program in [Program::Sharer, Program::Server, Program::Worker] {
            let help = help(program);
            for knob in KNOBS {
                let named = help.contains(&format!("  {}\n", knob.name));
                assert_eq!(named, knob.is_read_by(program), "{} in {}", knob.name, program.name());
            }
        }
    }
}
