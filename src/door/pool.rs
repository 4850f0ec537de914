//! The connection threads: started beforehand or when needed, kept for good, never more than allowed.
//!
//! A thread that starts under a tight limit on address space can abort the whole process: std maps
//! its signal stack and panics if it can't. So where such a limit is set, all start beforehand
//! (`process` sees to that).

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Threads that do one kind of job.
pub(super) struct Pool<J> {
    shared: Arc<Shared<J>>,
    stack_bytes: usize,
    max: usize,
}

struct Shared<J> {
    queue: Mutex<Queue<J>>,
    changed: Condvar,
    work: Box<dyn Fn(J) + Send + Sync>,
}

struct Queue<J> {
    jobs: VecDeque<J>,
    /// Threads that wait for a job.
    waiting: usize,
    /// Threads in all.
    threads: usize,
    closed: bool,
}

impl<J: Send + 'static> Pool<J> {
    /// A pool of at most `max` threads, of which `at_start` are started now.
    ///
    /// # Errors
    /// If not even one thread can be started.
    pub fn new(
        max: usize,
        at_start: usize,
        stack_bytes: usize,
        work: impl Fn(J) + Send + Sync + 'static,
    ) -> io::Result<Pool<J>> {
        let queue = Queue { jobs: VecDeque::new(), waiting: 0, threads: 0, closed: false };
        let shared =
            Arc::new(Shared { queue: Mutex::new(queue), changed: Condvar::new(), work: Box::new(work) });
        let pool = Pool { shared, stack_bytes, max: max.max(1) };
        let wanted = at_start.clamp(1, pool.max);
        for started in 0..wanted {
            match pool.start_one(&mut pool.shared.lock()) {
                Err(error) if started == 0 => return Err(error),
                Err(error) => {
                    log::warn!(error:% = error, started, wanted; "fewer connection threads than wanted");
                    break;
                }
                Ok(()) => {}
            }
        }
        Ok(pool)
    }

    /// Has `job` done by a thread that waits, or by a new one.
    ///
    /// # Errors
    /// The job, if no thread is free and no other may or can be started.
    pub fn give(&self, job: J) -> Result<(), J> {
        let mut queue = self.shared.lock();
        let needed = queue.jobs.len() + 1;
        if needed > queue.waiting
            && queue.threads < self.max
            && let Err(error) = self.start_one(&mut queue)
        {
            log::warn!(error:% = error, threads = queue.threads; "no further connection thread");
            return Err(job);
        }
        queue.jobs.push_back(job);
        drop(queue);
        self.shared.changed.notify_one();
        Ok(())
    }

    fn start_one(&self, queue: &mut Queue<J>) -> io::Result<()> {
        let shared = self.shared.clone();
        let name = format!("door-{}", queue.threads);
        thread::Builder::new().name(name).stack_size(self.stack_bytes).spawn(move || shared.serve())?;
        queue.threads += 1;
        // It will wait as soon as it runs: counted now, so that two jobs do not count on the same one.
        queue.waiting += 1;
        Ok(())
    }
}

impl<J> Drop for Pool<J> {
    /// Threads that wait end now, the others after their job.
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
    }
}

impl<J> Shared<J> {
    fn lock(&self) -> MutexGuard<'_, Queue<J>> {
        // Nothing panics while it is held.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self) {
        let mut queue = self.lock();
        loop {
            if let Some(job) = queue.jobs.pop_front() {
                queue.waiting -= 1;
                drop(queue);
                if catch_unwind(AssertUnwindSafe(|| (self.work)(job))).is_err() {
                    log::error!("a connection ended in a panic");
                }
                queue = self.lock();
                queue.waiting += 1;
            } else if queue.closed {
                return;
            } else {
                queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    const STACK: usize = 64 * 1024;

    #[test]
    fn starts_threads_up_to_its_bound_and_then_queues() {
        let (tell, told) = mpsc::channel();
        let gate = Arc::new((Mutex::new(false), Condvar::new()));
        let their_gate = gate.clone();
        let pool = Pool::new(2, 1, STACK, move |number: u32| {
            let open = their_gate.0.lock().unwrap();
            drop(their_gate.1.wait_while(open, |open| !*open).unwrap());
            tell.send(number).unwrap();
        })
        .unwrap();
        for number in 0..4 {
            assert_eq!(pool.give(number), Ok(()));
        }
        assert_eq!(pool.shared.lock().threads, 2);
        *gate.0.lock().unwrap() = true;
        gate.1.notify_all();
        let mut done: Vec<u32> = told.iter().take(4).collect();
        done.sort();
        assert_eq!(done, [0, 1, 2, 3]);
    }

    #[test]
    fn a_panic_costs_no_thread() {
        let (tell, told) = mpsc::channel();
        let pool = Pool::new(1, 1, STACK, move |number: u32| {
            if number == 0 {
                std::panic::resume_unwind(Box::new(()));
            }
            tell.send(number).unwrap();
        })
        .unwrap();
        assert!(pool.give(0).is_ok() && pool.give(1).is_ok());
        assert_eq!(told.recv(), Ok(1));
    }

    #[test]
    fn waiting_threads_end_with_the_pool() {
        let pool = Pool::new(3, 3, STACK, |_: u32| {}).unwrap();
        let shared = Arc::downgrade(&pool.shared);
        drop(pool);
        while shared.strong_count() > 0 {
            std::thread::yield_now();
        }
    }
}
