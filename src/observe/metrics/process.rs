//! What every program tells of itself: version, age, memory and processor time, in the names that
//! Prometheus's own libraries use.

use std::fs;
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use super::{Kind, Page};

/// Ticks a second in `/proc`: 100 in all of Linux's interfaces to programs (`USER_HZ`).
const TICKS: f64 = 100.0;

/// When this was first asked, in seconds since 1970: at the program's start.
static STARTED: LazyLock<f64> =
    LazyLock::new(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |age| age.as_secs_f64()));

/// Notes the time of the start.
pub fn started() {
    LazyLock::force(&STARTED);
}

/// Writes them; what `/proc` does not tell is left out.
pub fn write(page: &mut Page) {
    page.family("sharer_build_info", Kind::Gauge, "Always 1; the label is the program's version.")
        .sample(&[("version", env!("CARGO_PKG_VERSION"))], 1);
    page.family(
        "process_start_time_seconds",
        Kind::Gauge,
        "When the program started, in seconds since 1970.",
    )
    .sample(&[], *STARTED);
    if let Some(seconds) = fs::read_to_string("/proc/self/stat").ok().and_then(|stat| cpu(&stat)) {
        page.family(
            "process_cpu_seconds_total",
            Kind::Counter,
            "Processor time used, in user and system mode.",
        )
        .sample(&[], seconds);
    }
    if let Some(bytes) = fs::read_to_string("/proc/self/status").ok().and_then(|status| resident(&status)) {
        page.family("process_resident_memory_bytes", Kind::Gauge, "Memory in use that is not swapped out.")
            .sample(&[], bytes);
    }
}

/// Processor time in seconds: fields 14 and 15 of proc(5)'s `stat`.
fn cpu(stat: &str) -> Option<f64> {
    // The second field, the name in brackets, may hold spaces and brackets.
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let ticks = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    Some((ticks(14)? + ticks(15)?) as f64 / TICKS)
}

/// Resident memory in bytes: `status` counts in KiB.
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_ascii_whitespace().next()?.parse::<u64>().ok().map(|kib| kib << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_and_memory_are_read() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 150 50 0 0 20 0 4 0 9 1000000 25 1 0";
        assert_eq!((cpu(stat), cpu("7 (a")), (Some(2.0), None));
        assert_eq!(resident("VmPeak:\t 9 kB\nVmRSS:\t    5 kB\n"), Some(5120));
    }

    #[test]
    fn this_process_has_both() {
        let mut page = Page::default();
        write(&mut page);
        let text = page.into_text();
        assert!(
            text.contains("process_cpu_seconds_total ") && text.contains("process_resident_memory_bytes ")
        );
    }
}
