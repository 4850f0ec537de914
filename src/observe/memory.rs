//! How much memory the machine has (the smaller of the machine's and the control group's), and how many
//! arenas the allocator keeps.

use std::fs;

/// All memory that this process could ever have, in bytes; `None` where it can't be found out.
pub fn total() -> Option<u64> {
    smaller(meminfo("MemTotal:"), cgroup_limit())
}

/// Memory that could be had now without swapping, in bytes; `None` where it can't be found out.
pub fn available() -> Option<u64> {
    let in_group = cgroup_limit().map(|limit| limit.saturating_sub(cgroup_usage().unwrap_or(0)));
    smaller(meminfo("MemAvailable:"), in_group)
}

fn smaller(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// A field of `/proc/meminfo`, which counts in KiB.
fn meminfo(field: &str) -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|line| line.starts_with(field))?;
    line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib << 10)
}

/// `memory.max` of the control group (version 2) seen as the root in here: a container's limit.
fn cgroup_limit() -> Option<u64> {
    fs::read_to_string("/sys/fs/cgroup/memory.max").ok()?.trim().parse().ok()
}

fn cgroup_usage() -> Option<u64> {
    fs::read_to_string("/sys/fs/cgroup/memory.current").ok()?.trim().parse().ok()
}

/// Keeps glibc's allocator to `most` arenas. By itself it has eight a processor, each of which keeps memory
/// that others can't use, and reserves 64 MiB of address space. Call it at the start.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn limit_arenas(most: usize) {
    const M_ARENA_MAX: i32 = -8;
    unsafe extern "C" {
        fn mallopt(parameter: i32, value: i32) -> i32;
    }
    let most = i32::try_from(most).unwrap_or(i32::MAX);
    // SAFETY: this is the signature in glibc's <malloc.h>, where both C ints are 32 bits wide; the call
    // takes no pointer and may be made at any time (mallopt(3)).
    if unsafe { mallopt(M_ARENA_MAX, most) } == 0 {
        log::debug!("the allocator keeps its arenas");
    }
}

/// Other allocators have no arenas a thread.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn limit_arenas(_most: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_memory() {
        let (total, available) = (total().unwrap(), available().unwrap());
        assert!(total > 64 << 20 && available <= total, "{available} of {total}");
    }
}
