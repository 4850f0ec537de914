//! What the system tells of costs: CPU time, page faults, resident memory, and what machine it is.

use std::fs;
use std::process::Command;
use std::time::Duration;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};

/// CPU time of all threads of this process, user and system.
pub fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// Page faults so far that needed no disk (proc(5), /proc/pid/stat, the tenth field).
pub fn minor_faults() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field is in parentheses and may hold spaces.
    let fields = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    fields.split(' ').nth(7).and_then(|field| field.parse().ok()).unwrap_or(0)
}

/// Bytes that `program` kept resident at its peak. It is run by a small process of its own, since a
/// child's peak counts what it is before it becomes another program.
pub fn peak(program: &str, arguments: &[&str]) -> Result<u64, String> {
    let itself = std::env::current_exe().map_err(|e| e.to_string())?;
    let output = Command::new(itself).arg("memory").arg(program).args(arguments).output();
    let output = output.map_err(|e| format!("{program}: {e}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let last = said.lines().last().unwrap_or_default();
    last.parse().map_err(|_| format!("{program}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// See [`peak`]: this is the small process.
pub fn print_peak(program: &str, arguments: &[&str]) -> Result<(), String> {
    let mut child = Command::new(program).args(arguments).spawn().map_err(|e| format!("{program}: {e}"))?;
    // A process that has ended keeps no memory to look at: look while it runs, last when it is a zombie.
    let status_file = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let status = loop {
        let status = fs::read_to_string(&status_file).unwrap_or_default();
        peak = status_field(&status, "VmHWM:").unwrap_or(0).max(peak);
        if let Some(status) = child.try_wait().map_err(|e| e.to_string())? {
            break status;
        }
        std::thread::sleep(Duration::from_micros(500));
    };
    if !status.success() {
        return Err(format!("{program}: {status}"));
    }
    println!("{}", peak * 1024);
    Ok(())
}

fn status_field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// Binds this process, and those it starts from now on, to the last of its cores.
pub fn bind_to_one_core() -> Result<usize, String> {
    let allowed = sched_getaffinity(None).map_err(|e| e.to_string())?;
    let core = (0..CpuSet::MAX_CPU).rev().find(|&core| allowed.is_set(core)).unwrap_or(0);
    let mut one = CpuSet::new();
    one.set(core);
    sched_setaffinity(None, &one).map_err(|e| e.to_string())?;
    Ok(core)
}

/// The processor's name and how many cores there are.
pub fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        info.lines().find(|l| l.starts_with(name)).and_then(|l| l.split_once(": ")).map_or("?", |(_, v)| v)
    };
    let cores = info.lines().filter(|line| line.starts_with("processor")).count();
    let (family, model) = (field("cpu family"), field("model\t"));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!(
        "{} (family {family}, model {model}), {cores} cores, Linux {}",
        field("model name"),
        kernel.trim().split('-').next().unwrap_or_default()
    )
}
