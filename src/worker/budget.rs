//! A number of bytes that jobs share: each takes what it needs, and waits while others hold it.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Bytes of memory shared by jobs.
pub struct Budget {
    total: u64,
    used: Mutex<u64>,
    freed: Condvar,
}

/// Bytes taken from a budget, given back on drop.
pub struct Share {
    budget: Arc<Budget>,
    bytes: u64,
}

impl Budget {
    /// A budget of `total` bytes.
    pub fn new(total: u64) -> Budget {
        Budget { total, used: Mutex::new(0), freed: Condvar::new() }
    }

    /// Takes `bytes`, waiting for others to give theirs back. More than the whole budget is taken
    /// once nobody else holds any of it: such a job runs alone.
    pub fn take(self: &Arc<Budget>, bytes: u64) -> Share {
        let charged = bytes.min(self.total);
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        while *used + charged > self.total {
            used = self.freed.wait(used).unwrap_or_else(PoisonError::into_inner);
        }
        *used += charged;
        Share { budget: Arc::clone(self), bytes: charged }
    }

    /// What is taken of it just now, in bytes.
    pub fn used(&self) -> u64 {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of it, in bytes.
    pub fn total(&self) -> u64 {
        self.total
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        *self.budget.used.lock().unwrap_or_else(PoisonError::into_inner) -= self.bytes;
        self.budget.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn shares_never_add_up_to_more_than_the_budget() {
        let budget = Arc::new(Budget::new(100));
        let held = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for i in 0..8_u64 {
                let (budget, held) = (&budget, &held);
                scope.spawn(move || {
                    for j in 0..200 {
                        // Now and then more than there is: that one must be alone.
                        let bytes = (i * 7 + j) % 130;
                        let share = budget.take(bytes);
                        let now = held.fetch_add(bytes.min(100), Ordering::SeqCst) + bytes.min(100);
                        assert!(now <= 100, "{now}");
                        held.fetch_sub(bytes.min(100), Ordering::SeqCst);
                        drop(share);
                    }
                });
            }
        });
        assert_eq!(budget.used(), 0);
    }
}
