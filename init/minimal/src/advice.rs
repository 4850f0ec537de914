//! Fetches the settings when they are asked for, and keeps the clock right: one thread that talks to
//! the metadata service.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::sleep;
use std::time::Duration;

use crate::clock::{self, Offset};
use crate::console::uptime;
use crate::http::Wire;
use crate::imds::{self, Pauses, Said};
use crate::say;
use crate::settings::{self, Settings};

/// After so long without an answer the console says so; and again each time that it doubles.
const PATIENCE: Duration = Duration::from_millis(500);

/// Answers each ask that comes in with `answer`, and corrects the clock once an hour, for ever.
pub fn run(mut wire: impl Wire, asks: &Receiver<()>, answer: impl Fn(Settings)) {
    let mut known = None;
    let mut wait = clock::EVERY;
    loop {
        match asks.recv_timeout(wait) {
            Ok(()) => {
                let said = listen(&mut wire, known.take());
                answer(settings::parse(&said.user_data));
                known = Some(said);
                // The program has the processor first.
                wait = Duration::from_secs(1);
            }
            Err(RecvTimeoutError::Timeout) => {
                correct(&mut wire);
                wait = clock::EVERY;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// The user data. At the start it is waited for; later, what was `known` does where the service does
/// not answer.
fn listen(wire: &mut impl Wire, known: Option<Said>) -> Said {
    match known {
        None => wait_for(wire),
        Some(known) => again(wire).unwrap_or(known),
    }
}

/// What the metadata service says, the clock set by it; waits for it for ever.
pub fn wait_for(wire: &mut impl Wire) -> Said {
    let mut pauses = Pauses::from_the_shortest();
    let mut patience = uptime() + PATIENCE;
    loop {
        match imds::ask(wire) {
            Ok(said) => {
                set_by_date(&said);
                return said;
            }
            Err(silence) if uptime() >= patience => {
                say!("{silence}; settings are waited for");
                patience = uptime() * 2;
            }
            Err(_) => {}
        }
        sleep(pauses.take());
    }
}

/// What the metadata service says now, the clock set by it; `None`, and a line that says so, when it
/// does not answer.
pub fn again(wire: &mut impl Wire) -> Option<Said> {
    match imds::ask(wire) {
        Ok(said) => {
            set_by_date(&said);
            Some(said)
        }
        Err(silence) => {
            say!("{silence}; the settings of the last start are taken");
            None
        }
    }
}

/// By Amazon Time Sync; where that does not answer, by the metadata service.
fn correct(wire: &mut impl Wire) {
    match clock::set_by_ntp() {
        Ok(offset) => tell(offset, "Amazon Time Sync"),
        Err(_) => match imds::ask(wire) {
            Ok(said) => set_by_date(&said),
            Err(silence) => say!("the clock can't be compared: neither Amazon Time Sync nor {silence}"),
        },
    }
}

fn set_by_date(said: &Said) {
    match said.time.map(clock::set_by_date) {
        Some(Ok(offset)) => tell(offset, "the metadata service"),
        Some(Err(error)) => say!("the clock can't be set: {error}"),
        None => {}
    }
}

fn tell(offset: Option<Offset>, by: &str) {
    match offset {
        Some(Offset::Late(size)) => say!("the clock was {:.3} s late; set by {by}", size.as_secs_f64()),
        Some(Offset::Early(size)) => say!("the clock was {:.3} s early; set by {by}", size.as_secs_f64()),
        None => {}
    }
}
