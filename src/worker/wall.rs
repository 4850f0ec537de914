//! The last wall around a worker's memory: a limit on the process's address space.
//!
//! Before it stand the budgets, which go by what a picture's header says. Should a decoder take more than
//! that all the same, an allocation fails and the process is ended by it (SIGABRT): its supervisor starts
//! it anew, and the messages that it held come back. Without the wall the whole machine runs out of memory.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Address space of one of the allocator's arenas, which is reserved whole (glibc, malloc/arena.c), in bytes.
const ARENA: u64 = 64 << 20;

/// Address space of a thread: its stack and guard pages, in bytes.
const THREAD: u64 = (2 << 20) + (64 << 10);

/// Address space of all that does not grow with anything: programs, buffers of connections, what an
/// arena takes for a moment while it is made.
const FIXED: u64 = 256 << 20;

/// The wall, if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wall {
    usual: Option<u64>,
}

/// A wall that stands further out until this is dropped.
pub struct Raised {
    back_to: Option<u64>,
}

/// How many arenas the allocator may have for a worker of so many jobs at once.
pub fn arenas(jobs: usize) -> usize {
    jobs + 2
}

/// What a worker's address space may come to: its budget of `memory`, and beside it arenas, threads, the
/// rest, and an original as it came and as it is kept, which may be larger than its share of the budget.
fn rule(memory: u64, jobs: usize, max_bytes: u64) -> u64 {
    // As many threads as the steps have, and some of the program's own.
    let threads = 4 * jobs as u64 + 12;
    memory + arenas(jobs) as u64 * ARENA + threads * THREAD + FIXED + max_bytes.saturating_mul(2)
}

impl Wall {
    /// No wall: for a process in which more than a worker would end with it.
    pub fn none() -> Wall {
        Wall { usual: None }
    }

    /// Raises a wall for a worker with a budget of `memory` bytes, so many jobs at once, and originals of
    /// at most `max_bytes`. A limit that is there already and is closer stays.
    pub fn build(memory: u64, jobs: usize, max_bytes: u64) -> Wall {
        let there = getrlimit(Resource::As);
        let usual = there.current.unwrap_or(u64::MAX).min(rule(memory, jobs, max_bytes));
        let wall = Wall { usual: Some(usual) };
        set(usual);
        wall
    }

    /// Where it stands, in bytes of address space.
    pub fn bytes(&self) -> Option<u64> {
        self.usual
    }

    /// Makes room for a job that needs more than the budget and runs alone.
    pub fn raised(&self, needed: u64) -> Raised {
        if let Some(usual) = self.usual {
            set(usual.saturating_add(needed));
        }
        Raised { back_to: self.usual }
    }
}

impl Drop for Raised {
    fn drop(&mut self) {
        if let Some(usual) = self.back_to {
            set(usual);
        }
    }
}

/// Sets the soft limit, as far as the hard one allows.
fn set(bytes: u64) {
    let maximum = getrlimit(Resource::As).maximum;
    let current = Some(maximum.map_or(bytes, |most| most.min(bytes)));
    if let Err(error) = setrlimit(Resource::As, Rlimit { current, maximum }) {
        log::warn!(error:% = error, bytes; "the address space could not be limited; going on without");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wall_leaves_room_for_the_budget_and_all_beside_it_and_no_more_than_twice_that() {
        let (memory, max_bytes) = (1 << 30, 64 << 20);
        assert!((memory + 512 * (1 << 20)..2 * memory).contains(&rule(memory, 2, max_bytes)));
        assert!(rule(memory, 64, max_bytes) > rule(memory, 2, max_bytes) + 62 * ARENA);
    }

    #[test]
    fn without_a_wall_nothing_is_limited() {
        let before = getrlimit(Resource::As);
        drop(Wall::none().raised(1 << 20));
        assert_eq!((getrlimit(Resource::As), Wall::none().bytes()), (before, None));
    }
}
