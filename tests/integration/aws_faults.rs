//! A bad network and a service in trouble: every accepted upload ends with all its thumbnails, no message is
//! lost, none is worked on for ever, and the dead letters are exactly those that deserve it.
//!
//! `SHARER_TEST_UPLOADS` sets how many, `SHARER_TEST_SEED` repeats a run.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{Fault, MINISTACK, Peer, Place, Proxy, Reply, Rule, Site, noise_jpeg, number};

const SOON: Duration = Duration::from_secs(60);

/// Every kind of fault on every action: a quarter of all requests meets one.
fn trouble() -> Vec<Rule> {
    let everywhere = [
        (Fault::DropBefore, 30),
        (Fault::DropAfter, 30),
        (Fault::Cut, 30),
        (Fault::Repeat, 40),
        (Fault::Delay(Duration::from_millis(300)), 40),
        (Fault::Internal, 30),
        (Fault::Unavailable, 30),
        (Fault::Throttle, 30),
    ];
    everywhere.map(|(fault, per_mille)| Rule { action: "*", fault, per_mille }).into()
}

#[test]
fn every_accepted_upload_ends_with_all_its_thumbnails() {
    let uploads = number("SHARER_TEST_UPLOADS", 500);
    let peer = &*MINISTACK;
    // Answers that are lost on the way count as receives too.
    let place = peer.place(100);
    let proxy = Proxy::start(peer.address, &[]);
    let mut settings = place.settings(proxy.address, &peer.accounts.session);
    settings.push(("SHARER_VISIBILITY_SECONDS", "5".to_owned()));
    let site = Site::on(settings);
    let mut workers = [site.worker(), site.worker(), site.worker()];
    let poisoned: BTreeSet<String> = (0..5).map(|i| format!("poison {i}")).collect();
    for body in &poisoned {
        peer.call("sqs", "send_message", json!({"QueueUrl": place.queue_url, "MessageBody": body}));
    }
    proxy.set_rules(&trouble());

    let numbers = Mutex::new(0..uploads);
    let replies = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(number) = { numbers.lock().unwrap().next() } {
                    let reply = site.client.upload("a.jpg", &noise_jpeg(640, 480, number));
                    replies.lock().unwrap().push(reply);
                }
            });
        }
    });
    let replies = replies.into_inner().unwrap();
    let (accepted, refused): (Vec<&Reply>, Vec<&Reply>) = replies.iter().partition(|r| r.status == 202);
    println!("{} accepted, {} refused; {:?}", accepted.len(), refused.len(), proxy.faults());
    assert!(refused.iter().all(|reply| reply.status == 503), "{refused:?}");
    assert!(accepted.len() as u64 >= uploads / 2, "too few were accepted to show anything");

    for reply in &accepted {
        for name in ["original", "small", "medium", "large"] {
            let object = peer.world().wait_for(&reply.url(name), SOON);
            assert!(object.body.ends_with(b"\xff\xd9"), "{name} is not whole");
        }
    }
    // No message is worked on for ever.
    let none = (0, 0);
    becomes(|| peer.depth(&place.queue_url) == none, || format!("{:?}", peer.depth(&place.queue_url)));
    let letters = peer.drain(&place.dead_url);
    // A burial whose answer is lost is done again: a letter may be there twice.
    let dead: BTreeSet<String> = letters.iter().map(|m| m["Body"].as_str().unwrap().to_owned()).collect();
    assert_eq!(dead, poisoned);
    let faults = proxy.faults();
    assert!(
        trouble().iter().all(|rule| faults.contains_key(&rule.fault)),
        "a fault was never met: {faults:?}"
    );

    proxy.set_rules(&[]);
    for worker in &mut workers {
        assert_eq!(worker.stop(), Some(0), "{}", worker.log());
    }
    let expected: BTreeSet<String> = accepted.iter().map(|reply| id_of(reply)).collect();
    assert_eq!(public_ids(peer, &place), expected, "what was refused left something to be served");
}

#[test]
fn a_message_that_keeps_killing_workers_becomes_a_dead_letter() {
    let peer = &*MINISTACK;
    let place = peer.place(4);
    // The original is so slow that the worker can be killed in the middle of its job.
    let slow = Fault::Delay(Duration::from_secs(5));
    let proxy = Proxy::start(peer.address, &[Rule::always("GetObject", slow)]);
    let mut settings = place.settings(peer.address, &peer.accounts.user);
    settings.push(("SHARER_VISIBILITY_SECONDS", "2".to_owned()));
    let site = Site::on(settings);
    let reply = site.client.upload("a.jpg", &noise_jpeg(300, 200, 1));
    assert_eq!(reply.status, 202);
    let endpoint = [("AWS_ENDPOINT_URL", format!("http://{}", proxy.address))];
    let is_dead = || peer.depth(&place.dead_url) == (1, 0);
    let mut deaths = 0;
    while !is_dead() {
        let mut worker = site.worker_with(&endpoint);
        becomes(|| peer.depth(&place.queue_url) == (0, 1) || is_dead(), || worker.log());
        worker.kill();
        deaths += 1;
        // A poll of the dead may still take it at the peer: that is a receive too.
        becomes(
            || peer.depth(&place.queue_url) == (1, 0) || is_dead(),
            || format!("lost after {deaths} deaths"),
        );
    }
    assert!((2..=5).contains(&deaths), "{deaths} deaths");
    assert_eq!(peer.world().get_url(&reply.url("small")).status, 404);
    assert!(peer.drain(&place.dead_url)[0]["Body"].as_str().unwrap().contains(&id_of(&reply)));
}

#[test]
fn an_upload_that_can_not_be_queued_is_refused_and_leaves_nothing_to_be_served() {
    refused_without_a_trace("SendMessage", Fault::Unavailable);
    refused_without_a_trace("SendMessage", Fault::Throttle);
    refused_without_a_trace("SendMessage", Fault::Forbid);
}

#[test]
fn an_upload_that_can_not_be_stored_is_refused_and_leaves_nothing_to_be_served() {
    refused_without_a_trace("PutObject", Fault::Unavailable);
    refused_without_a_trace("PutObject", Fault::Throttle);
    refused_without_a_trace("PutObject", Fault::Forbid);
}

#[test]
fn a_job_that_was_queued_although_its_upload_was_refused_does_no_harm() {
    let peer = &*MINISTACK;
    let place = peer.place(10);
    // The queue takes the message, and the server never hears of it.
    let proxy = Proxy::start(peer.address, &[Rule::always("SendMessage", Fault::DropAfter)]);
    let site = Site::on(place.settings(proxy.address, &peer.accounts.user));
    assert_eq!(site.client.upload("a.jpg", &noise_jpeg(300, 200, 1)).status, 503);
    assert!(peer.depth(&place.queue_url).0 >= 1);
    let _worker = site.worker();
    becomes(|| peer.depth(&place.queue_url) == (0, 0), || format!("{:?}", peer.depth(&place.queue_url)));
    assert_eq!(peer.depth(&place.dead_url), (0, 0));
    assert_eq!(public_ids(peer, &place), BTreeSet::new());
}

fn refused_without_a_trace(action: &'static str, fault: Fault) {
    let peer = &*MINISTACK;
    let place = peer.place(10);
    let proxy = Proxy::start(peer.address, &[]);
    let site = Site::on(place.settings(proxy.address, &peer.accounts.user));
    proxy.set_rules(&[Rule::always(action, fault)]);
    let reply = site.client.upload("a.jpg", &noise_jpeg(300, 200, 1));
    assert_eq!(reply.status, 503, "{action} {fault:?}: {}", reply.text());
    assert!(reply.header("retry-after").is_some());
    assert!(proxy.requests()[action] >= 1);
    assert_eq!(peer.keys(&place), [""; 0], "{action} {fault:?}");
    assert_eq!(peer.depth(&place.queue_url), (0, 0));

    proxy.set_rules(&[]);
    let reply = site.client.upload("a.jpg", &noise_jpeg(300, 200, 1));
    assert_eq!(reply.status, 202, "after {action} {fault:?}: {}", reply.text());
}

#[test]
fn what_is_stored_while_nobody_can_say_so_is_not_left_behind() {
    let peer = &*MINISTACK;
    let place = peer.place(10);
    let proxy = Proxy::start(peer.address, &[]);
    let site = Site::on(place.settings(proxy.address, &peer.accounts.user));
    // Answers to writes are lost, and so is the look at whose work is there.
    proxy.set_rules(&[
        Rule { action: "PutObject", fault: Fault::DropAfter, per_mille: 500 },
        Rule { action: "HeadObject", fault: Fault::Unavailable, per_mille: 1000 },
    ]);
    let replies: Vec<Reply> =
        (0..16).map(|number| site.client.upload("a.jpg", &noise_jpeg(64, 48, number))).collect();
    assert!(proxy.requests().contains_key("HeadObject"), "no answer was lost: {:?}", proxy.faults());
    assert!(replies.iter().all(|reply| matches!(reply.status, 202 | 503)), "{replies:?}");
    let accepted: BTreeSet<String> = replies.iter().filter(|r| r.status == 202).map(id_of).collect();
    assert_eq!(public_ids(peer, &place), accepted);
}

#[test]
fn a_refusal_is_not_tried_again_and_an_outage_not_multiplied() {
    let peer = &*MINISTACK;
    for (fault, most) in [(Fault::Forbid, 1), (Fault::Unavailable, 10)] {
        let place = peer.place(10);
        let proxy = Proxy::start(peer.address, &[]);
        let site = Site::on(place.settings(proxy.address, &peer.accounts.user));
        proxy.set_rules(&[Rule::always("SendMessage", fault)]);
        assert_eq!(site.client.upload("a.jpg", &noise_jpeg(300, 200, 1)).status, 503);
        let asked = proxy.requests()["SendMessage"];
        assert!((1..=most).contains(&asked), "{fault:?}: asked {asked} times");
    }
}

#[test]
fn a_store_that_hangs_does_not_hang_the_health_check() {
    let peer = &*MINISTACK;
    let proxy = Proxy::start(peer.address, &[]);
    let site = Site::on(peer.place(10).settings(proxy.address, &peer.accounts.user));
    proxy.set_rules(&[Rule::always("*", Fault::Delay(Duration::from_secs(25)))]);
    let asked = Instant::now();
    let answer = site.client.get("/healthz");
    assert_eq!((answer.status, answer.error_code().as_str()), (503, "unwell"));
    assert!(asked.elapsed() < Duration::from_secs(20), "{:?}", asked.elapsed());
    proxy.set_rules(&[]);
    becomes(|| site.client.get("/healthz").status == 200, || site.client.get("/healthz").text());
}

fn id_of(reply: &Reply) -> String {
    reply.header("x-image-id").unwrap().to_owned()
}

/// The ids of which the world can read any object.
fn public_ids(peer: &Peer, place: &Place) -> BTreeSet<String> {
    let keys = peer.keys(place);
    let ids = keys.iter().filter_map(|key| key.split_once('/')).map(|(folder, _)| folder.to_owned());
    ids.filter(|folder| folder != "record").collect()
}

fn becomes(mut is_so: impl FnMut() -> bool, state: impl Fn() -> String) {
    let deadline = Instant::now() + SOON;
    while !is_so() {
        assert!(Instant::now() < deadline, "after {SOON:?}: {}", state());
        std::thread::sleep(Duration::from_millis(50));
    }
}
