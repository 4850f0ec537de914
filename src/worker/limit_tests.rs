//! A job's limits: how its time is counted and what becomes of one that takes longer, or takes the thread with
//! it; and one that needs more memory than there is.

use super::tests::{A_MINUTE, Bench, picture};
use super::*;
use crate::queue::memory::MemoryQueue;
use crate::record;

/// A message in hand.
fn in_hand(limits: Limits) -> (Arc<Leases>, lease::Lease) {
    let queue = Arc::new(MemoryQueue::new());
    queue.send("job").unwrap();
    let mut taken = queue.receive(1, A_MINUTE, Duration::ZERO).unwrap();
    let leases = Leases::new(1, limits, queue);
    let lease = leases.hold(taken.pop().unwrap());
    (leases, lease)
}

fn limits(job_time: Duration, grace: Duration) -> Limits {
    Limits { visibility: A_MINUTE, job_time, grace }
}

#[test]
fn work_alone_is_counted() {
    let (rest, job_time) = (Duration::from_millis(200), Duration::from_secs(600));
    let (_leases, lease) = in_hand(limits(job_time, Duration::ZERO));
    let before = Instant::now();
    lease.begin();
    lease.resting(|| thread::sleep(rest));
    lease.rest();
    let until = lease.begin();
    let worked = job_time - until.saturating_duration_since(Instant::now()).min(job_time);
    assert!(worked + rest <= before.elapsed(), "{worked:?} of {:?}", before.elapsed());
    assert!(!lease.is_overdue());
}

#[test]
fn who_works_longer_than_time_and_grace_is_lost_until_the_message_is_settled() {
    let (leases, lease) = in_hand(limits(Duration::ZERO, Duration::ZERO));
    assert!(!leases.any_lost(), "its work has not begun");
    lease.begin();
    thread::sleep(Duration::from_millis(1));
    assert!(lease.is_overdue() && leases.any_lost());
    lease.settled();
    assert!(!leases.any_lost());
}

#[test]
fn who_may_still_give_up_is_not_lost() {
    let (leases, lease) = in_hand(limits(Duration::ZERO, Duration::from_secs(600)));
    lease.begin();
    assert!(lease.is_overdue() && !leases.any_lost());
}

#[test]
fn a_job_that_takes_longer_than_its_time_is_given_up_and_its_message_released() {
    let mut bench = Bench::new();
    bench.job_time = Duration::ZERO;
    let job = bench.upload(1, &picture("rgb-8.png"));
    bench.start(A_MINUTE);
    // Only a message that was given back can be had again so soon.
    bench.wait_until("a second receive", |bench| bench.store.gets_of(&job.original) >= 2);
    assert_eq!(bench.thumbnails(&job), 0);
    assert!(record::read(&*bench.store, &job.id).unwrap().failed.is_none(), "it may work elsewhere");
}

#[test]
fn a_thread_that_never_comes_back_is_told_and_costs_its_own_message_a_delay_and_nobody_else_s() {
    let mut bench = Bench::new();
    (bench.job_time, bench.grace) = (Duration::from_millis(40), Duration::from_millis(40));
    let hung = bench.upload(1, &picture("rgb-8.png"));
    *bench.store.hang_at.lock().unwrap() = Some(hung.original.clone());
    bench.start(A_MINUTE);
    let life = bench.worker.as_ref().unwrap().life();
    bench.wait_until("a thread is missed", |_| life.stuck() == Some("a job's thread does not come back"));
    bench.stop.set();
    let before = Instant::now();
    let given_back = bench.worker.take().unwrap().drain(Instant::now() + Duration::from_secs(600));
    assert!(before.elapsed() < Duration::from_secs(300), "nobody waits for what is lost");
    assert_eq!(given_back, 1);
    // Released for two seconds, of which the test takes less: another would not meet it at once.
    let depth = bench.queue.depth().unwrap();
    assert_eq!(depth.waiting + depth.in_flight, 1);
    let next = bench.queue.receive(1, A_MINUTE, Duration::from_secs(20)).unwrap();
    assert_eq!(next[0].receives, 2);
}

#[test]
fn a_message_whose_thread_is_late_is_not_received_again() {
    let mut bench = Bench::new();
    bench.job_time = Duration::from_millis(40);
    let late = bench.upload(1, &picture("rgb-8.png"));
    *bench.store.hang_at.lock().unwrap() = Some(late.original.clone());
    let visibility = Duration::from_secs(2);
    bench.start(visibility);
    bench.wait_until("its work has begun", |bench| bench.store.gets_of(&late.original) == 1);
    thread::sleep(2 * visibility);
    assert_eq!(bench.store.gets_of(&late.original), 1);
}

#[test]
fn jobs_that_panic_cost_no_thread() {
    let mut bench = Bench::new();
    // More than there are threads of any step.
    let poison: Vec<_> = (0..8).map(|number| bench.upload(number, &picture("rgb-8.png"))).collect();
    *bench.store.panic_at.lock().unwrap() = poison.iter().map(|job| job.original.clone()).collect();
    let good = bench.upload(100, &picture("rgb-8.png"));
    bench.start(A_MINUTE);
    bench.wait_until("the good job is done", |bench| bench.thumbnails(&good) == 3);
    let depth = bench.queue.depth().unwrap();
    assert_eq!(depth.waiting + depth.in_flight, 8, "each waits for its next try");
}

/// The header of an Adam7 PNG as large as they get: 18 exabytes, for a decoder that holds it.
const LARGEST_PNG: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\x7f\xff\xff\xff\x7f\xff\xff\xff\x08\x02\0\0\x01\xec\xac\xac\xa7\
    \0\0\0\x04IDAT\x78\x01\0\0\x45\x6a\x05\x43\0\0\0\0IEND\xae\x42\x60\x82";

#[test]
fn a_picture_that_needs_more_memory_than_the_machine_has_fails_once_and_before_it_is_decoded() {
    let mut bench = Bench::new();
    let job = bench.upload(1, LARGEST_PNG);
    bench.start(A_MINUTE);
    bench.wait_until_idle();
    let failed = record::read(&*bench.store, &job.id).unwrap().failed.unwrap();
    assert_eq!(failed.code, "too_large_for_worker");
    assert_eq!((bench.store.gets_of(&job.original), bench.queue.dead().len()), (1, 0));
}
