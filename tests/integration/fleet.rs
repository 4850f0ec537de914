//! Server and workers as processes of their own on the same folders, several workers at once.

use std::time::Duration;

use crate::harness::{Site, noise_jpeg};

#[test]
fn a_server_without_workers_accepts_and_a_worker_that_comes_later_does_the_work() {
    let site = Site::start(&[]);
    let reply = site.client.upload("a.jpg", &noise_jpeg(300, 200, 1));
    assert_eq!(site.client.get_url(&reply.url("original")).status, 200);
    assert_eq!(site.client.get_url(&reply.url("small")).status, 404);
    let _worker = site.worker();
    site.client.wait_for(&reply.url("small"), Duration::from_secs(20));
}

#[test]
fn several_workers_share_the_work_and_each_job_is_done_once() {
    let site = Site::start(&[]);
    let replies: Vec<_> = (0..30).map(|i| site.client.upload("a.jpg", &noise_jpeg(1200, 900, i))).collect();
    let mut workers = [site.worker(), site.worker(), site.worker()];
    for reply in &replies {
        site.client.wait_for(&reply.url("large"), Duration::from_secs(60));
    }
    for worker in &mut workers {
        assert_eq!(worker.stop(), Some(0), "{}", worker.log());
    }
    let done: usize = workers.iter().map(|w| w.log().matches("thumbnails stored").count()).sum();
    assert_eq!(done, replies.len());
}

#[test]
fn a_message_that_is_no_job_ends_among_the_dead_letters_with_its_cause() {
    use image_sharer::queue::Queue;
    use image_sharer::queue::directory::{Config, DirectoryQueue};
    let site = Site::start(&[]);
    let path = site.folder.path().join("queue");
    let queue = DirectoryQueue::open(&path, Config::default()).unwrap();
    queue.send("{\"version\":1,\"id\":\"../../etc/passwd\"}").unwrap();
    let _worker = site.worker();
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while queue.depth().unwrap().dead == 0 {
        assert!(std::time::Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(20));
    }
    let letter = &queue.dead_letters().unwrap()[0];
    assert!(letter.cause.contains("malformed"), "{letter:?}");
}
