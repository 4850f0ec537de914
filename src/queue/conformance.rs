//! The promises of a [`Queue`], each as a named case: what the one in a directory, SQS and the one in
//! memory have in common. For tests; nothing else calls it.
//!
//! A case panics where a promise is broken. It wants a queue that no one else uses while it runs, and
//! that redelivers at least ten times; it leaves nothing waiting behind but, in one case, a dead letter.
//!
//! Not in common, so not tested here: order; exactly one delivery; exact counts at once; what becomes
//! of a receipt whose message another has received (void here; SQS may still delete by it).
//! Time-outs are whole seconds, as SQS counts them.

use std::collections::HashSet;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::{Cause, Delivery, Depth, Error, MAX_BATCH, Queue};
use crate::key::Id;

/// A named promise and its check.
pub type Case = (&'static str, fn(&dyn Queue));

/// All promises.
pub const CASES: &[Case] = &[
    ("a message is received as it was sent", received_as_sent),
    ("any text is a message", any_text_is_a_message),
    ("a received message is hidden until its time-out", hidden_until_time_out),
    ("a deleted message never comes back", deleted_never_comes_back),
    ("a deletion reports each receipt", deletion_reports_each_receipt),
    ("an extended message stays hidden", extended_stays_hidden),
    ("a receipt lasts through extensions", receipt_lasts_through_extensions),
    ("a released message comes back at once", released_comes_back),
    ("a message can be released with a delay", released_with_delay),
    ("receives are counted", receives_are_counted),
    ("many messages come in batches of at most ten", batches),
    ("every message reaches one of many receivers", many_receivers),
    ("a waiting receiver is woken by a message", woken_by_a_message),
    ("a waiting receiver gives up", gives_up),
    ("a buried message is a dead letter", buried_is_dead),
    ("the depth is known in the end", depth_is_known),
    ("a queue in order passes its check", passes_its_check),
];

/// Runs all cases at once, as they wait for time-outs most of their time. `run` calls the case that it
/// is given with an empty queue; a failure names the promise, as that is its thread's name.
pub fn all(run: impl Fn(fn(&dyn Queue)) + Sync) {
    let run = &run;
    thread::scope(|threads| {
        for (name, case) in CASES {
            let thread = thread::Builder::new().name((*name).to_owned());
            thread.spawn_scoped(threads, move || run(*case)).expect("a thread");
        }
    });
}

const NO_WAIT: Duration = Duration::ZERO;
const SHORT: Duration = Duration::from_secs(2);
const MINUTE: Duration = Duration::from_secs(60);

/// Long enough for anything that is due to have come, on a busy machine too.
const AMPLE: Duration = Duration::from_secs(15);

fn fresh(name: &str) -> String {
    format!("{name} {}", Id::random().expect("randomness"))
}

fn send(queue: &dyn Queue, body: &str) {
    queue.send(body).unwrap_or_else(|e| panic!("send: {e}"));
}

fn receive(queue: &dyn Queue, visibility: Duration, wait: Duration) -> Vec<Delivery> {
    queue.receive(MAX_BATCH, visibility, wait).unwrap_or_else(|e| panic!("receive: {e}"))
}

/// The next delivery of `body`; others are of older cases, come late, and are deleted.
fn receive_body(queue: &dyn Queue, body: &str, visibility: Duration) -> Delivery {
    let until = Instant::now() + AMPLE;
    while Instant::now() < until {
        for delivery in receive(queue, visibility, Duration::from_secs(1)) {
            if delivery.body == body {
                return delivery;
            }
            delete(queue, &delivery);
        }
    }
    panic!("{body:?} did not come within {AMPLE:?}");
}

fn sent_and_received(queue: &dyn Queue, name: &str, visibility: Duration) -> Delivery {
    let body = fresh(name);
    send(queue, &body);
    receive_body(queue, &body, visibility)
}

/// Watches for some time that `body` does not come.
fn stays_away(queue: &dyn Queue, body: &str, time: Duration) {
    let until = Instant::now() + time;
    while Instant::now() < until {
        let left = until.saturating_duration_since(Instant::now());
        for delivery in receive(queue, MINUTE, left.min(Duration::from_secs(1))) {
            assert_ne!(delivery.body, body, "it came");
            delete(queue, &delivery);
        }
    }
}

fn delete(queue: &dyn Queue, delivery: &Delivery) {
    let results = queue.delete(std::slice::from_ref(&delivery.receipt));
    assert!(matches!(&results[..], [Ok(())]), "delete: {results:?}");
}

fn release(queue: &dyn Queue, delivery: &Delivery, visibility: Duration) {
    let result = queue.change_visibility(&delivery.receipt, visibility);
    result.unwrap_or_else(|e| panic!("change visibility: {e}"));
}

fn received_as_sent(queue: &dyn Queue) {
    let delivery = sent_and_received(queue, "hello", MINUTE);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_millis() as u64;
    assert_eq!(delivery.receives, 1);
    assert!(now.abs_diff(delivery.sent) < 300_000, "sent at {}, now is {now}", delivery.sent);
    delete(queue, &delivery);
}

fn any_text_is_a_message(queue: &dyn Queue) {
    let long = "é".repeat(32_000);
    let texts = ["x", "{\"a\":[1,\"b\\n\"]}", "é🦀\u{FFFD} <&>'\"% +=", "a\nb\r\n\tc", " spaces ", &long];
    for text in texts {
        send(queue, text);
        let delivery = receive_body(queue, text, MINUTE);
        delete(queue, &delivery);
    }
}

fn hidden_until_time_out(queue: &dyn Queue) {
    let body = fresh("hidden");
    send(queue, &body);
    let before = Instant::now();
    let first = receive_body(queue, &body, SHORT);
    assert!(receive(queue, SHORT, NO_WAIT).is_empty() || before.elapsed() >= SHORT);
    let second = receive_body(queue, &body, MINUTE);
    // A tenth for clocks that differ.
    assert!(before.elapsed() >= SHORT * 9 / 10, "it was back after {:?}", before.elapsed());
    assert_ne!(first.receipt, second.receipt);
    delete(queue, &second);
}

fn deleted_never_comes_back(queue: &dyn Queue) {
    let delivery = sent_and_received(queue, "deleted", SHORT);
    delete(queue, &delivery);
    stays_away(queue, &delivery.body, SHORT + SHORT);
}

fn deletion_reports_each_receipt(queue: &dyn Queue) {
    let (a, b) = (sent_and_received(queue, "a", MINUTE), sent_and_received(queue, "b", MINUTE));
    delete(queue, &a);
    // Deleting a second time may count as done or as void, and keeps the other from nothing.
    match &queue.delete(&[a.receipt, b.receipt.clone()])[..] {
        [Ok(()) | Err(Error::ReceiptVoid), Ok(())] => {}
        other => panic!("{other:?}"),
    }
    assert!(queue.delete(&[]).is_empty());
    stays_away(queue, &b.body, SHORT);
}

fn extended_stays_hidden(queue: &dyn Queue) {
    let delivery = sent_and_received(queue, "extended", SHORT);
    release(queue, &delivery, MINUTE);
    stays_away(queue, &delivery.body, SHORT * 2);
    delete(queue, &delivery);
}

fn receipt_lasts_through_extensions(queue: &dyn Queue) {
    let delivery = sent_and_received(queue, "extended often", SHORT * 5);
    for _ in 0..3 {
        release(queue, &delivery, SHORT);
    }
    delete(queue, &delivery);
    stays_away(queue, &delivery.body, SHORT * 2);
}

fn released_comes_back(queue: &dyn Queue) {
    let first = sent_and_received(queue, "released", MINUTE);
    release(queue, &first, Duration::ZERO);
    let second = receive_body(queue, &first.body, MINUTE);
    delete(queue, &second);
}

fn released_with_delay(queue: &dyn Queue) {
    let first = sent_and_received(queue, "delayed", MINUTE);
    let before = Instant::now();
    release(queue, &first, SHORT);
    let second = receive_body(queue, &first.body, MINUTE);
    assert!(before.elapsed() >= SHORT * 9 / 10, "it was back after {:?}", before.elapsed());
    delete(queue, &second);
}

fn receives_are_counted(queue: &dyn Queue) {
    let mut delivery = sent_and_received(queue, "counted", MINUTE);
    for receives in 2..=4 {
        let sent = delivery.sent;
        release(queue, &delivery, Duration::ZERO);
        delivery = receive_body(queue, &delivery.body, MINUTE);
        assert_eq!((delivery.receives, delivery.sent), (receives, sent));
    }
    delete(queue, &delivery);
}

fn batches(queue: &dyn Queue) {
    let mut expected: HashSet<String> = (0..25).map(|i| fresh(&i.to_string())).collect();
    for body in &expected {
        send(queue, body);
    }
    let until = Instant::now() + AMPLE;
    while !expected.is_empty() && Instant::now() < until {
        let deliveries = receive(queue, MINUTE, Duration::from_secs(1));
        assert!(deliveries.len() <= MAX_BATCH);
        let receipts: Vec<_> = deliveries.iter().map(|delivery| delivery.receipt.clone()).collect();
        let results = queue.delete(&receipts);
        assert_eq!(results.len(), receipts.len());
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        for delivery in deliveries {
            expected.remove(&delivery.body);
        }
    }
    assert!(expected.is_empty(), "did not come: {expected:?}");
    send(queue, "one");
    send(queue, "two");
    let one = queue.receive(1, MINUTE, AMPLE).expect("receive");
    assert_eq!(one.len(), 1);
    delete(queue, &one[0]);
    let other = queue.receive(1, MINUTE, AMPLE).expect("receive");
    delete(queue, &other[0]);
}

fn many_receivers(queue: &dyn Queue) {
    let bodies: HashSet<String> = (0..40).map(|i| fresh(&i.to_string())).collect();
    let missing = Mutex::new(bodies.clone());
    let until = Instant::now() + AMPLE;
    let receiver = || {
        while !missing.lock().expect("no panic").is_empty() && Instant::now() < until {
            for delivery in queue.receive(3, MINUTE, Duration::from_secs(1)).expect("receive") {
                delete(queue, &delivery);
                missing.lock().expect("no panic").remove(&delivery.body);
            }
        }
    };
    thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(receiver);
        }
        bodies.iter().for_each(|body| send(queue, body));
    });
    let missing = missing.into_inner().expect("no panic");
    assert!(missing.is_empty(), "did not come: {missing:?}");
}

fn woken_by_a_message(queue: &dyn Queue) {
    let body = fresh("woken");
    thread::scope(|threads| {
        threads.spawn(|| {
            thread::sleep(Duration::from_millis(300));
            send(queue, &body);
        });
        let before = Instant::now();
        let deliveries = receive(queue, MINUTE, AMPLE);
        assert!(before.elapsed() < AMPLE * 2 / 3, "it waited to the end");
        assert_eq!(deliveries.len(), 1);
        assert_eq!(deliveries[0].body, body);
        delete(queue, &deliveries[0]);
    });
}

fn gives_up(queue: &dyn Queue) {
    let before = Instant::now();
    assert!(receive(queue, MINUTE, Duration::from_secs(1)).is_empty());
    assert!(before.elapsed() >= Duration::from_millis(900), "it gave up after {:?}", before.elapsed());
    assert!(receive(queue, MINUTE, NO_WAIT).is_empty());
}

fn buried_is_dead(queue: &dyn Queue) {
    let dead = queue.depth().expect("depth").dead;
    let delivery = sent_and_received(queue, "buried", SHORT);
    let cause = Cause {
        cause: "it is \"malformed\": é".to_owned(),
        program: "test 1.0".to_owned(),
        host: "host".to_owned(),
    };
    queue.bury(&delivery, &cause).unwrap_or_else(|e| panic!("bury: {e}"));
    stays_away(queue, &delivery.body, SHORT * 2);
    depth_becomes(queue, |depth| depth.dead > dead);
}

fn depth_is_known(queue: &dyn Queue) {
    let bodies = [fresh("1"), fresh("2"), fresh("3")];
    bodies.iter().for_each(|body| send(queue, body));
    depth_becomes(queue, |depth| depth.waiting == 3 && depth.in_flight == 0);
    let one = queue.receive(1, MINUTE, AMPLE).expect("receive");
    depth_becomes(queue, |depth| depth.waiting == 2 && depth.in_flight == 1);
    delete(queue, &one[0]);
    for body in bodies.iter().filter(|body| **body != one[0].body) {
        // Receives of one may hide the other for a moment.
        loop {
            let delivery = queue.receive(1, SHORT, AMPLE).expect("receive").remove(0);
            let is_it = delivery.body == *body;
            if is_it {
                delete(queue, &delivery);
                break;
            }
            release(queue, &delivery, Duration::ZERO);
        }
    }
    depth_becomes(queue, |depth| depth.waiting == 0 && depth.in_flight == 0);
}

fn depth_becomes(queue: &dyn Queue, is_expected: impl Fn(&Depth) -> bool) {
    let until = Instant::now() + AMPLE;
    loop {
        let depth = queue.depth().unwrap_or_else(|e| panic!("depth: {e}"));
        if is_expected(&depth) {
            return;
        }
        assert!(Instant::now() < until, "it stays at {depth:?}");
        thread::sleep(Duration::from_millis(100));
    }
}

fn passes_its_check(queue: &dyn Queue) {
    queue.check().unwrap_or_else(|e| panic!("check: {e}"));
    assert!(!queue.describe().is_empty());
}
