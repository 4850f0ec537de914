//! `make chaos`: the real programs under load, and one fault after the other. What was accepted must end whole.
//!
//! `CHAOS_SECONDS` says for how long faults go on in all, 600 if not set; `SHARER_TEST_SEED` repeats a run's
//! choices. Prints a table; ends with 1 if anything that was accepted was lost.

#[path = "../integration/harness/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the harness of the tests; of which this uses a part")]
mod harness;

mod faults;
mod load;
mod report;
mod town;

use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    let seconds = harness::number("CHAOS_SECONDS", 600);
    let percent = |share: u64| Duration::from_secs(seconds) * share as u32 / 100;
    // Mostly waiting, so beside the others.
    let hung = std::thread::spawn(faults::hung_job);
    let mut rows = vec![
        faults::kills_on_folders(percent(25)),
        faults::kills_on_aws(percent(25)),
        faults::peer_frozen(percent(13)),
        faults::peer_gone(percent(13)),
        faults::full_disk(percent(6)),
        faults::clock_on_folders(percent(5)),
        faults::clock_on_aws(percent(5)),
        faults::rolling_restart(percent(8)),
    ];
    rows.push(hung.join().expect("the worker with the hung job"));
    if report::print(&rows) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
