//! kill -9 at random moments: what was accepted is never lost.
//!
//! `SHARER_TEST_CRASHES` and `SHARER_TEST_SECONDS` make these longer; `SHARER_TEST_SEED` repeats a run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::harness::{Random, Reply, Sharer, Site, noise_jpeg, number};

#[test]
fn an_accepted_upload_survives_any_kill_of_the_whole_program() {
    let mut random = Random::new();
    let crashes = number("SHARER_TEST_CRASHES", 100);
    let mut sharer = Sharer::with(&[("SHARER_VISIBILITY_SECONDS", "1")]);
    let photo = noise_jpeg(1200, 900, 7);
    let mut accepted: Vec<Reply> = Vec::new();
    for _ in 0..crashes {
        let client = sharer.client;
        let reply = std::thread::scope(|scope| {
            let upload = scope.spawn(|| client.try_upload("a.jpg", &photo));
            std::thread::sleep(Duration::from_micros(random.below(40_000)));
            sharer.process.kill();
            upload.join().unwrap()
        });
        accepted.extend(reply.ok().filter(|reply| reply.status == 202));
        sharer.restart();
    }
    println!("{} of {crashes} uploads were accepted", accepted.len());
    assert!(accepted.len() as u64 >= crashes / 20, "too few were accepted to show anything");
    for reply in &accepted {
        for name in ["original", "small", "medium", "large"] {
            let object = sharer.client.wait_for(&reply.url(name), Duration::from_secs(60));
            assert!(object.body.len() > 100 && object.body.ends_with(b"\xff\xd9"), "{name} is not whole");
        }
    }
}

#[test]
fn workers_killed_again_and_again_lose_no_thumbnail() {
    let mut random = Random::new();
    let time = Duration::from_secs(number("SHARER_TEST_SECONDS", 12));
    let site = Site::start(&[("SHARER_VISIBILITY_SECONDS", "2"), ("SHARER_MAX_RECEIVES", "1000")]);
    let over = AtomicBool::new(false);
    let replies = std::thread::scope(|scope| {
        let uploads: Vec<_> = (0..8)
            .map(|number| {
                let (client, over) = (site.client, &over);
                scope.spawn(move || {
                    let photo = noise_jpeg(1000 + 50 * number, 800, number.into());
                    let mut replies = Vec::new();
                    while !over.load(Ordering::Relaxed) {
                        replies.push(client.upload("a.jpg", &photo));
                        std::thread::sleep(Duration::from_millis(400));
                    }
                    replies
                })
            })
            .collect();
        let mut workers = [site.worker(), site.worker()];
        let deadline = Instant::now() + time;
        let mut kills = 0;
        while Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(50 + random.below(600)));
            let unlucky = &mut workers[random.below(2) as usize];
            unlucky.kill();
            *unlucky = site.worker();
            kills += 1;
        }
        println!("{kills} kills");
        over.store(true, Ordering::Relaxed);
        let replies: Vec<Reply> = uploads.into_iter().flat_map(|u| u.join().unwrap()).collect();
        for reply in &replies {
            for name in ["small", "medium", "large"] {
                site.client.wait_for(&reply.url(name), Duration::from_secs(60));
            }
        }
        replies
    });
    println!("{} uploads", replies.len());
    assert!(replies.len() >= 16);
}
