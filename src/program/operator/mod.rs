//! What an operator does to a queue from a terminal: `image-sharer status`, `image-sharer requeue`. Both
//! go by the programs' own settings, and work on folders and on SQS.

use std::process::ExitCode;

use super::{parts, wrong_argument, wrong_settings};
use crate::observe::log as logs;
use crate::queue::letters::{DeadLetters, Which};
use crate::settings::{Program, Settings};

mod status;

/// `status`: says how the queue is. Exit code 1 if it can't be looked at.
pub fn status(arguments: &[String]) -> ExitCode {
    match arguments {
        [] => on_queue(|queue| status::print(queue)),
        [first, ..] => wrong_argument(Program::Sharer, &format!("status {first}")),
    }
}

/// `requeue ID` or `requeue --all`: puts dead letters back. Exit code 1 if there is none of this id.
pub fn requeue(arguments: &[String]) -> ExitCode {
    let which = match arguments {
        [one] if one == "--all" => Which::All,
        [one] if !one.starts_with('-') => Which::One(one.clone()),
        _ => return wrong_argument(Program::Sharer, "requeue without an ID, or --all alone"),
    };
    on_queue(|queue| put_back(queue, &which))
}

fn put_back(queue: &dyn DeadLetters, which: &Which) -> Result<(), String> {
    let count = queue.put_back(which, &mut |id| println!("put back {id}"));
    match (count.map_err(|error| format!("{error}; what is named above is back"))?, which) {
        (0, Which::One(id)) => {
            Err(format!("no dead letter is called {id:?}; `image-sharer status` names them"))
        }
        (0, Which::All) => {
            println!("there are no dead letters");
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Does something to the queue that the settings name.
fn on_queue(act: impl FnOnce(&dyn DeadLetters) -> Result<(), String>) -> ExitCode {
    let settings = match Settings::read(Program::Sharer, &|name| std::env::var(name).ok()) {
        Ok(settings) => settings,
        Err(wrong) => return wrong_settings(Program::Sharer, &wrong),
    };
    logs::start(settings.log, settings.log_format);
    match parts::queue_to_operate(&settings).and_then(|queue| act(&*queue)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("image-sharer: {error}");
            ExitCode::FAILURE
        }
    }
}
