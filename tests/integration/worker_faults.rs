//! A job that ends its worker: the wall around the worker's memory, and what becomes of such a job.

use std::time::{Duration, Instant};

use image_sharer::queue::Queue;
use image_sharer::queue::directory::{Config, DirectoryQueue};

use crate::harness::{Reply, Site, Surroundings, noise_jpeg};

const SOON: Duration = Duration::from_secs(60);

/// Of a job that ends its worker; from the third on it is worked on alone, if not before then after the other
/// with even odds each time.
const RECEIVES: &str = "14";

/// Soft limit of a running process's address space, in bytes; `None` is none.
fn address_space(process: u32) -> Option<u64> {
    let limits = std::fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max address space")).unwrap();
    line.split_ascii_whitespace().nth(3).unwrap().parse().ok()
}

#[test]
fn a_worker_has_a_wall_around_its_memory_and_works_within() {
    let site = Site::start(&[("SHARER_MEMORY_MB", "64"), ("SHARER_JOBS", "2")]);
    let worker = site.worker();
    let replies: Vec<Reply> =
        (0..12).map(|i| site.client.upload("a.jpg", &noise_jpeg(2000, 1500, i))).collect();
    for reply in &replies {
        site.client.wait_for(&reply.url("large"), SOON);
    }
    let wall = address_space(worker.id()).expect("a limit") >> 20;
    assert!((64 + 256..64 + 1024).contains(&wall), "{wall} MiB");
    assert!(worker.log().contains(&format!("wall_mb={wall}")), "{}", worker.log());
}

#[test]
fn a_job_that_ends_its_worker_each_time_becomes_a_dead_letter_and_others_are_done() {
    // The header's budget has room for it, and a closer wall than the worker's own has not.
    let settings = [
        ("SHARER_MEMORY_MB", "2048"),
        ("SHARER_JOBS", "1"),
        ("SHARER_VISIBILITY_SECONDS", "1"),
        ("SHARER_MAX_RECEIVES", RECEIVES),
    ];
    let site = Site::start(&settings);
    let greedy = site.client.upload("greedy.png", &interlaced_png(14_000, 14_000));
    let good = site.client.upload("a.jpg", &noise_jpeg(640, 480, 1));
    assert_eq!((greedy.status, good.status), (202, 202), "{}", greedy.text());
    let queue = DirectoryQueue::open(&site.folder.path().join("queue"), Config::default()).unwrap();
    let wall = Surroundings::shell("ulimit -v 700000");
    let (mut deaths, deadline) = (0, Instant::now() + SOON);
    // What a supervisor does.
    while queue.depth().unwrap().dead == 0 {
        let mut worker = site.worker_in(&wall, &[]);
        while queue.depth().unwrap().dead == 0 && !worker.has_ended() {
            assert!(Instant::now() < deadline, "{}", worker.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        if worker.has_ended() {
            assert!(worker.log().contains("memory allocation of"), "{}", worker.log());
            deaths += 1;
        }
    }
    assert_eq!(deaths.to_string(), RECEIVES);
    assert_eq!(queue.depth().unwrap().dead, 1, "an innocent job was buried as well");
    site.client.wait_for(&good.url("large"), SOON);
    let letter = &queue.dead_letters().unwrap()[0];
    assert!(letter.body.contains(greedy.header("x-image-id").unwrap()), "{letter:?}");
    assert!(letter.cause.contains(&format!("received {RECEIVES} times")), "{letter:?}");
}

/// An Adam7 PNG of this size whose header alone is worth anything: 3 bytes a pixel are taken for it.
fn interlaced_png(width: u32, height: u32) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 1]].concat();
    for (kind, data) in [(b"IHDR", header), (b"IDAT", vec![0x78, 1, 0, 0]), (b"IEND", vec![])] {
        let named = [&kind[..], &data].concat();
        file.extend((data.len() as u32).to_be_bytes());
        file.extend(&named);
        file.extend(crc(&named).to_be_bytes());
    }
    file
}

/// PNG's checksum, bit by bit (PNG, annex D).
fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}
