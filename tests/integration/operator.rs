//! An operator's commands on real queues: `image-sharer status` and `image-sharer requeue`, on a folder
//! and on SQS, there with the policy in `deploy/iam/` and no other right.

use std::time::{Duration, Instant};

use image_sharer::queue::directory::{Config, DirectoryQueue};
use image_sharer::queue::letters;
use image_sharer::queue::{Cause, Queue};

use crate::harness::{Folder, Keys, MINISTACK, MOTO, Peer, Place, command};

type Settings = Vec<(&'static str, String)>;

/// Runs `image-sharer` with these settings: its exit code, and all it said.
fn run(arguments: &[&str], settings: &Settings) -> (i32, String) {
    let output = command("image-sharer").args(arguments).envs(settings.iter().cloned()).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

/// A queue with a message that waits and two dead letters, seen and put back by the commands alone.
fn operate(queue: &dyn Queue, settings: &Settings) {
    for body in ["one", "two"] {
        queue.send(body).unwrap();
        let delivery = queue.receive(1, Duration::from_secs(60), Duration::from_secs(15)).unwrap().remove(0);
        let cause =
            Cause { cause: format!("{body} is no job"), program: "worker 1".into(), host: "h".into() };
        queue.bury(&delivery, &cause).unwrap();
    }
    let status = status_until(settings, "dead letters  2");
    let line = |cause: &str| status.lines().find(|line| line.contains(cause)).map(str::to_owned);
    let one = line("one is no job (worker 1 on h)").unwrap_or_else(|| panic!("{status}"));
    assert!(line("two is no job").is_some() && status.contains("waiting       0"), "{status}");

    let (code, said) = run(&["requeue", "nothing"], settings);
    assert!(code == 1 && said.contains("status"), "{said}");
    let id = one.split(' ').next().unwrap();
    assert_eq!(run(&["requeue", id], settings), (0, format!("put back {id}\n")));
    let status = status_until(settings, "waiting       1");
    assert!(status.contains("dead letters  1") && !status.contains("one is no job"), "{status}");
    let (code, said) = run(&["requeue", "--all"], settings);
    assert!(code == 0 && said.starts_with("put back "), "{said}");
    assert_eq!(run(&["requeue", "--all"], settings), (0, "there are no dead letters\n".to_owned()));
    status_until(settings, "waiting       2");
}

/// What `status` says once it holds these words: counts are seconds old on SQS.
fn status_until(settings: &Settings, words: &str) -> String {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let (code, said) = run(&["status"], settings);
        assert_eq!(code, 0, "{said}");
        if said.contains(words) {
            return said;
        }
        assert!(Instant::now() < deadline, "no {words:?} in\n{said}");
    }
}

#[test]
fn on_a_folder() {
    let folder = Folder::new("operator");
    let path = folder.path().join("data/queue");
    let queue = DirectoryQueue::open(&path, Config::default()).unwrap();
    operate(&queue, &vec![("SHARER_DATA", folder.path().join("data").display().to_string())]);
}

#[test]
fn on_sqs_with_the_operators_policy() {
    on_sqs(&MINISTACK, |place| {
        let path = format!("{}/deploy/iam/operator.json", env!("CARGO_MANIFEST_DIR"));
        let policy = std::fs::read_to_string(path).unwrap();
        let policy = policy
            .replace("REGION:ACCOUNT:DEAD-LETTERS", &format!("{}:*:{}-dead", place.region, place.queue))
            .replace("REGION:ACCOUNT:QUEUE", &format!("{}:*:{}", place.region, place.queue));
        MINISTACK.user(&format!("{}-operator", place.bucket), &policy)
    });
}

#[test]
fn on_sqs_of_another_dialect() {
    on_sqs(&MOTO, |_| MOTO.accounts.user.clone());
}

fn on_sqs(peer: &Peer, keys: impl FnOnce(&Place) -> Keys) {
    let place = peer.place(10);
    let queue = place.queue(peer.address, &peer.accounts.user);
    operate(&queue, &place.settings(peer.address, &keys(&place)));
}

#[test]
fn sqs_keeps_the_promises_of_dead_letters() {
    for peer in [&*MINISTACK, &*MOTO] {
        letters::conformance::all(&peer.place(10).queue(peer.address, &peer.accounts.user));
    }
}

#[test]
fn a_place_without_a_queue_is_said_and_not_made_one() {
    let folder = Folder::new("nowhere");
    let settings = vec![("SHARER_DATA", folder.path().display().to_string())];
    for arguments in [&["status"][..], &["requeue", "--all"]] {
        let (code, said) = run(arguments, &settings);
        assert!(code == 1 && said.contains("SHARER_DATA or SHARER_QUEUE"), "{code}: {said}");
    }
    assert!(!folder.path().join("queue").exists());
}

#[test]
fn wrong_words_are_told() {
    for arguments in [&["requeue"][..], &["requeue", "--every"], &["requeue", "a", "b"], &["status", "now"]] {
        let (code, said) = run(arguments, &Vec::new());
        assert!(code == 2 && said.contains("--help"), "{code}: {said}");
    }
}
