//! Watches for the notice that EC2 will take this spot machine away, and then ends the program in
//! order: a machine has two minutes from the notice, and a worker drains in less than one.

use std::sync::Arc;
use std::time::Duration;

use log::{debug, info, warn};

use crate::aws::imds::{self, Imds};
use crate::stop::Stop;

/// How often is looked: what EC2's manual recommends.
const EVERY: Duration = Duration::from_secs(5);

/// After so many looks without any answer, this is no EC2 machine.
const LOOKS: u32 = 3;

/// Looks for the notice on a thread of its own, and sets `stop` when it is there.
///
/// # Errors
/// When the system has no thread to give.
pub fn watch(imds: Arc<Imds>, stop: &Stop) -> Result<(), String> {
    let stop = stop.clone();
    let run = move || look(&imds, &stop);
    let thread = std::thread::Builder::new().name("spot".to_owned()).spawn(run);
    thread.map(drop).map_err(|e| format!("no thread to look for the spot notice: {e}"))
}

fn look(imds: &Imds, stop: &Stop) {
    let (mut unanswered, mut answered) = (0, false);
    while !stop.is_set() {
        match imds.spot_notice() {
            Ok(Some(notice)) => {
                warn!(action = notice.action; "EC2 takes this spot machine away; stopping");
                stop.set();
            }
            Ok(None) => answered = true,
            Err(imds::Error::Unreachable(_)) if !answered => {
                unanswered += 1;
                if unanswered == LOOKS {
                    info!("no EC2 metadata here: no spot notice is looked for");
                    return;
                }
            }
            Err(error) => debug!(error:%; "the spot notice could not be looked for"),
        }
        stop.sleep(EVERY);
    }
}
