//! Makes the process fit for a thousand threads and sockets, and the limits fit the process.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::Config;
use crate::observe::memory;

/// Descriptors a connection may need: its socket, and a file it reads or writes.
const DESCRIPTORS_EACH: u64 = 2;

/// Descriptors for everything else: store, queue, logs, listeners, those who are turned away. Where there
/// are few, half of them.
const DESCRIPTORS_SPARE: u64 = 256;

/// Address space of a connection beside its stack: signal stack, guard pages, buffers, in bytes.
const SPACE_EACH: u64 = 64 * 1024;

/// Raises the limit on open files, keeps the allocator to one arena, and lowers the connections of
/// `config` to what the process's limits leave room for; the log says so.
///
/// Call it once, at the start of `main`.
pub fn prepare_process(config: Config) -> Config {
    memory::limit_arenas(1);
    let wanted = config.max_connections as u64;
    let files = raise_open_files(wanted * DESCRIPTORS_EACH + DESCRIPTORS_SPARE);
    let space = getrlimit(Resource::As).current;
    let fitted = fit(config, files, space);
    if (fitted.max_connections as u64) < wanted {
        log::warn!(
            wanted, connections = fitted.max_connections, open_files = files, address_space = space;
            "fewer connections than wanted: the process's limits leave no room for more"
        );
    }
    fitted
}

/// `config` with the connections that so many open files and so much address space allow; `None` is
/// no limit.
fn fit(mut config: Config, files: Option<u64>, space: Option<u64>) -> Config {
    let by_files = files.map(|n| (n - DESCRIPTORS_SPARE.min(n / 2)) / DESCRIPTORS_EACH);
    // Half of the space is left to the work itself.
    let by_space = space.map(|bytes| bytes / 2 / (config.stack_bytes as u64 + SPACE_EACH));
    for bound in [by_files, by_space].into_iter().flatten() {
        let bound = usize::try_from(bound).unwrap_or(usize::MAX).max(1);
        if bound < config.max_connections {
            config.max_connections = bound;
            config.max_per_address = config.max_per_address.min(Config::share(bound));
        }
    }
    if space.is_some() {
        // A thread that starts when space has run out takes the process down; one that is there does not.
        config.threads_at_start = config.max_connections;
    }
    config
}

/// Raises the soft limit to `wanted` as far as the hard one allows; returns what it is then.
fn raise_open_files(wanted: u64) -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let present = current?;
    let raised = maximum.map_or(wanted, |most| most.min(wanted));
    if raised <= present {
        return Some(present);
    }
    match setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum }) {
        Ok(()) => Some(raised),
        Err(error) => {
            log::warn!(error:% = error, present, wanted; "the limit on open files could not be raised");
            Some(present)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connections(files: Option<u64>, space: Option<u64>) -> usize {
        fit(Config::default(), files, space).max_connections
    }

    #[test]
    fn connections_fit_the_limits() {
        assert_eq!(connections(None, None), 1024);
        assert_eq!(connections(Some(20_000), None), 1024);
        assert_eq!(connections(Some(1024), None), 384);
        assert_eq!(connections(Some(64), None), 16);
        assert_eq!(connections(Some(1), None), 1);
        assert_eq!(connections(None, Some(320 * 1024 * 1024)), 512);
        assert_eq!(connections(Some(1024), Some(1 << 40)), 384);
    }

    #[test]
    fn a_share_shrinks_with_the_whole() {
        assert_eq!(fit(Config::default(), Some(1024), None).max_per_address, 96);
        assert_eq!(fit(Config::default(), None, None).max_per_address, 256);
    }

    #[test]
    fn under_a_limit_on_space_all_threads_start_beforehand() {
        let fitted = fit(Config::default(), None, Some(1 << 30));
        assert_eq!(fitted.threads_at_start, fitted.max_connections);
        assert!(fit(Config::default(), None, None).threads_at_start < 1024);
    }

    #[test]
    fn open_files_are_raised_as_far_as_allowed() {
        let before = getrlimit(Resource::Nofile);
        let now = raise_open_files(before.current.unwrap_or(0)).unwrap_or(u64::MAX);
        assert!(now >= before.current.unwrap_or(0));
        assert_eq!(getrlimit(Resource::Nofile).maximum, before.maximum);
    }
}
