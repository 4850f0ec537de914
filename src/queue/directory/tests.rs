use std::cell::Cell;
use std::collections::HashSet;
use std::process::{Child, Command, Stdio};
use std::thread;

use super::*;
use crate::queue::conformance;

const MINUTE: Duration = Duration::from_secs(60);
const NO_WAIT: Duration = Duration::ZERO;

thread_local! {
    /// By how many seconds this test's clock goes wrong.
    static SHIFT: Cell<i64> = const { Cell::new(0) };
}

fn shifted_clock() -> SystemTime {
    let shift = Duration::from_secs(SHIFT.get().unsigned_abs());
    if SHIFT.get() < 0 { SystemTime::now() - shift } else { SystemTime::now() + shift }
}

fn shift(seconds: i64) {
    SHIFT.set(SHIFT.get() + seconds);
}

fn config() -> Config {
    Config { clock: shifted_clock, ..Config::default() }
}

fn queue() -> (tempfile::TempDir, DirectoryQueue) {
    let folder = tempfile::tempdir().unwrap();
    let queue = DirectoryQueue::open(&folder.path().join("queue"), config()).unwrap();
    (folder, queue)
}

fn receive(queue: &DirectoryQueue) -> Option<Delivery> {
    queue.receive(1, MINUTE, NO_WAIT).unwrap().pop()
}

fn bodies(queue: &DirectoryQueue) -> Vec<String> {
    std::iter::from_fn(|| receive(queue)).map(|delivery| delivery.body).collect()
}

fn depth(queue: &DirectoryQueue) -> (u64, u64, u64) {
    let depth = queue.depth().unwrap();
    (depth.waiting, depth.in_flight, depth.dead)
}

fn cause() -> Cause {
    Cause { cause: "malformed".into(), program: "test 1".into(), host: "here".into() }
}

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

fn is_void<T: std::fmt::Debug>(result: Result<T, Error>) {
    assert!(matches!(result, Err(Error::ReceiptVoid)), "{result:?}");
}

#[test]
fn keeps_the_promises_of_a_queue() {
    conformance::all(|case| case(&queue().1));
}

#[test]
fn the_message_visible_longest_comes_first() {
    let (_folder, queue) = queue();
    for body in ["a", "b", "c"] {
        queue.send(body).unwrap();
        shift(1);
    }
    let a = receive(&queue).unwrap();
    assert_eq!(a.body, "a");
    queue.change_visibility(&a.receipt, Duration::ZERO).unwrap();
    assert_eq!(bodies(&queue), ["b", "c", "a"]);
}

#[test]
fn each_of_many_receivers_gets_messages_of_its_own() {
    let (_folder, queue) = queue();
    let other = DirectoryQueue::open(&queue.root, Config::default()).unwrap();
    let sent: Vec<String> = (0..100).map(|i| i.to_string()).collect();
    sent.iter().for_each(|body| queue.send(body).unwrap());
    let received = Mutex::new(Vec::new());
    thread::scope(|threads| {
        for queue in [&queue, &queue, &other, &other] {
            threads.spawn(|| received.lock().unwrap().extend(bodies(queue)));
        }
    });
    let mut received = received.into_inner().unwrap();
    received.sort_by_key(|body| body.parse::<u32>().unwrap());
    assert_eq!(received, sent);
}

#[test]
fn a_receipt_is_void_once_another_has_received() {
    let (_folder, queue) = queue();
    queue.send("x").unwrap();
    let first = receive(&queue).unwrap();
    shift(61);
    queue.change_visibility(&first.receipt, MINUTE).expect("nobody has taken it");
    shift(61);
    let second = receive(&queue).unwrap();
    assert_eq!(second.receives, 2);
    is_void(queue.change_visibility(&first.receipt, MINUTE));
    is_void(queue.delete(std::slice::from_ref(&first.receipt)).remove(0));
    is_void(queue.bury(&first, &cause()));
    assert_eq!(depth(&queue), (0, 1, 0));
    queue.delete(&[second.receipt]).remove(0).unwrap();
    assert_eq!(depth(&queue), (0, 0, 0));
}

#[test]
fn an_extension_by_another_instance_leaves_the_receipt_good() {
    let (_folder, queue) = queue();
    queue.send("x").unwrap();
    let delivery = receive(&queue).unwrap();
    let other = DirectoryQueue::open(&queue.root, config()).unwrap();
    other.change_visibility(&delivery.receipt, MINUTE * 2).unwrap();
    shift(100);
    assert!(receive(&queue).is_none());
    queue.delete(&[delivery.receipt]).remove(0).unwrap();
}

#[test]
fn foreign_receipts_are_void() {
    let (_folder, queue) = queue();
    queue.send("x").unwrap();
    for text in ["", "x", "../dead", "1.2.3", "/etc/passwd"] {
        is_void(queue.delete(&[Receipt(text.into())]).remove(0));
        is_void(queue.change_visibility(&Receipt(text.into()), MINUTE));
    }
    assert_eq!(depth(&queue), (1, 0, 0));
}

#[test]
fn a_clock_that_is_set_loses_and_hides_nothing() {
    for seconds in [-86_400, -30, 30, 86_400] {
        let (_folder, queue) = queue();
        queue.send("waiting").unwrap();
        queue.send("held").unwrap();
        receive(&queue).unwrap();
        shift(seconds);
        let mut all: HashSet<String> = bodies(&queue).into_iter().collect();
        shift(61);
        all.extend(bodies(&queue));
        assert_eq!(all.len(), 2, "after a shift by {seconds} s: {all:?}");
    }
}

#[test]
fn a_message_received_too_often_is_a_dead_letter() {
    let folder = tempfile::tempdir().unwrap();
    let queue = DirectoryQueue::open(folder.path(), Config { max_receives: 2, ..config() }).unwrap();
    queue.send("poison").unwrap();
    for receives in 1..=2 {
        assert_eq!(receive(&queue).unwrap().receives, receives);
        shift(61);
    }
    queue.send("next").unwrap();
    assert_eq!(receive(&queue).unwrap().body, "next", "the dead one is in nobody's way");
    assert_eq!(depth(&queue), (0, 1, 1));
    let letter = queue.dead_letters().unwrap().remove(0);
    assert_eq!((&*letter.body, letter.receives), ("poison", 2));
    assert_eq!(letter.cause, "received 2 times and never deleted");
    assert!(letter.program.starts_with("image-sharer ") && letter.died >= letter.sent);
}

#[test]
fn a_dead_letter_holds_all_that_is_known_and_can_be_put_back() {
    let (_folder, queue) = queue();
    queue.send("body é").unwrap();
    shift(5);
    let delivery = receive(&queue).unwrap();
    queue.bury(&delivery, &cause()).unwrap();
    assert_eq!(depth(&queue), (0, 0, 1));
    is_void(queue.bury(&delivery, &cause()));

    let letter = queue.dead_letters().unwrap().remove(0);
    let Cause { cause, program, host } = cause();
    assert_eq!((&letter.body, letter.sent), (&delivery.body, delivery.sent));
    assert_eq!((letter.cause, letter.program, letter.host, letter.receives), (cause, program, host, 1));

    assert!(queue.requeue(&letter.id).unwrap());
    assert!(!queue.requeue(&letter.id).unwrap(), "it is no dead letter any more");
    assert_eq!(depth(&queue), (1, 0, 0));
    let again = receive(&queue).unwrap();
    assert_eq!((again.body, again.receives, again.sent), (delivery.body, 1, delivery.sent));
}

#[test]
fn a_burial_that_fails_leaves_the_message() {
    let (_folder, queue) = queue();
    queue.send("x").unwrap();
    let delivery = receive(&queue).unwrap();
    fs::remove_dir(&queue.dead).unwrap();
    fs::write(&queue.dead, "no folder").unwrap();
    let Err(Error::Unavailable(text)) = queue.bury(&delivery, &cause()) else { panic!("buried in a file") };
    assert!(text.contains("queue/dead/"), "{text}");
    shift(61);
    assert_eq!(receive(&queue).unwrap().body, "x");
}

#[test]
fn files_that_are_no_messages_are_left_alone() {
    let (_folder, queue) = queue();
    let folder_like_a_message = Name::new(Id::from_bytes([1; 16]), 5, 5).to_string();
    fs::write(queue.messages.join("README"), "x").unwrap();
    fs::create_dir(queue.messages.join(folder_like_a_message)).unwrap();
    fs::write(queue.dead.join("x.json"), "{").unwrap();
    queue.send("x").unwrap();
    assert_eq!(bodies(&queue), ["x"]);
    assert!(queue.dead_letters().unwrap().is_empty());
    assert!(queue.messages.join("README").exists());
}

#[test]
fn a_message_that_is_no_text_is_delivered_for_someone_to_bury() {
    let (_folder, queue) = queue();
    queue.send("x").unwrap();
    let name = queue.list().unwrap().visible.remove(0);
    fs::write(queue.path(&name), b"a\xFFb").unwrap();
    assert_eq!(receive(&queue).unwrap().body, "a\u{FFFD}b");
}

#[test]
fn too_long_a_message_is_refused() {
    let (_folder, queue) = queue();
    assert!(matches!(queue.send(&"x".repeat(MAX_BODY + 1)), Err(Error::Forbidden(_))));
    queue.send(&"x".repeat(MAX_BODY)).unwrap();
    assert_eq!(receive(&queue).unwrap().body.len(), MAX_BODY);
}

#[test]
fn what_a_killed_sender_left_is_cleaned_away() {
    let (_folder, queue) = queue();
    fs::write(queue.temporary.join("half"), "half a mess").unwrap();
    assert!(bodies(&queue).is_empty());
    DirectoryQueue::open(&queue.root, config()).unwrap();
    assert_eq!(files(&queue.temporary), 0);
}

#[test]
fn a_queue_that_fails_says_where_and_works_again_without_a_restart() {
    let (folder, queue) = queue();
    queue.send("x").unwrap();
    let away = folder.path().join("away");
    fs::rename(&queue.root, &away).unwrap();
    fs::write(&queue.root, "no folder").unwrap();
    let received = queue.receive(1, MINUTE, NO_WAIT).map(drop);
    for result in [queue.check(), queue.send("y"), received, queue.depth().map(drop)] {
        let Err(Error::Unavailable(text)) = result else { panic!("{result:?}") };
        assert!(text.contains("queue/"), "{text}");
    }
    fs::remove_file(&queue.root).unwrap();
    fs::rename(&away, &queue.root).unwrap();
    assert_eq!(bodies(&queue), ["x"]);
    fs::remove_dir_all(&queue.root).unwrap();
    queue.send("z").unwrap();
    assert_eq!(bodies(&queue), ["z"]);
}

#[test]
fn a_sender_in_another_process_wakes_a_waiting_receiver() {
    let (_folder, queue) = queue();
    let other = DirectoryQueue::open(&queue.root, config()).unwrap();
    for pause in [10, 300, 2500] {
        thread::scope(|threads| {
            threads.spawn(|| {
                thread::sleep(Duration::from_millis(pause));
                other.send("x").unwrap();
            });
            let before = Instant::now();
            assert_eq!(queue.receive(1, MINUTE, MINUTE).unwrap().len(), 1);
            assert!(before.elapsed() < Duration::from_secs(15), "not before the wait was over");
        });
    }
}

// Several processes, killed at random.

const CHILD: &str = "IMAGE_SHARER_TEST_QUEUE";
const CHILDREN: usize = 4;

/// One of the processes: sends, notes what it sent; receives, notes it, deletes.
fn send_and_receive(root: &Path) {
    let config = Config { max_receives: u32::MAX, ..Config::default() };
    let queue = DirectoryQueue::open(root, config).unwrap();
    let me = Id::random().unwrap();
    let note = |what: &str, body: &str| fs::write(root.with_file_name(what).join(body), "").unwrap();
    for n in 0.. {
        let body = format!("{me}-{n}");
        queue.send(&body).unwrap();
        note("sent", &body);
        let visibility = Duration::from_millis(300);
        for delivery in queue.receive(1 + n % 3, visibility, NO_WAIT).unwrap() {
            if n % 4 == 0 {
                let _ = queue.change_visibility(&delivery.receipt, visibility);
            }
            note("received", &delivery.body);
            match queue.delete(&[delivery.receipt]).remove(0) {
                Ok(()) | Err(Error::ReceiptVoid) => {}
                Err(e) => panic!("{e}"),
            }
        }
    }
}

#[test]
fn processes_that_are_killed_lose_no_message() {
    if let Some(root) = std::env::var_os(CHILD) {
        return send_and_receive(Path::new(&root));
    }
    let (folder, queue) = queue();
    let noted = |what: &str| folder.path().join(what);
    fs::create_dir(noted("sent")).unwrap();
    fs::create_dir(noted("received")).unwrap();
    let start = || -> Child {
        let this = thread::current().name().unwrap().to_owned();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", &this]).env(CHILD, &queue.root).stdout(Stdio::null());
        command.spawn().unwrap()
    };
    let mut children: Vec<Child> = (0..CHILDREN).map(|_| start()).collect();
    let (mut killed, until) = (CHILDREN, Instant::now() + Duration::from_secs(2));
    let kill = |child: &mut Child| {
        assert_eq!(child.try_wait().unwrap(), None, "a process failed by itself");
        child.kill().unwrap();
        child.wait().unwrap();
    };
    while Instant::now() < until {
        thread::sleep(Duration::from_millis(50));
        kill(&mut children[killed % CHILDREN]);
        children[killed % CHILDREN] = start();
        killed += 1;
    }
    children.iter_mut().for_each(kill);

    let names = |what: &str| -> HashSet<String> {
        let name = |e: io::Result<fs::DirEntry>| e.unwrap().file_name().into_string().unwrap();
        fs::read_dir(noted(what)).unwrap().map(name).collect()
    };
    let mut received = names("received");
    shift(1);
    received.extend(bodies(&queue));
    let sent = names("sent");
    let lost: Vec<_> = sent.difference(&received).collect();
    assert!(!sent.is_empty() && lost.is_empty(), "of {} sent are lost: {lost:?}", sent.len());
    assert_eq!(queue.depth().unwrap().dead, 0);
    DirectoryQueue::open(&queue.root, config()).unwrap();
    assert_eq!(files(&queue.temporary), 0, "what was half-written is gone");
    println!("{} sent, {killed} killed", sent.len());
}
