//! An image that was put straight under `incoming/` is published by the worker, told by S3's own event.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{Keys, MINISTACK, MOTO, Peer, Place, Process, Site, dimensions, picture};

const SOON: Duration = Duration::from_secs(30);
const ID: &str = "abcdefghijklmnopqrstuvwxyz";

#[test]
fn an_image_put_under_incoming_is_stripped_and_published() {
    for peer in [&*MINISTACK, &*MOTO] {
        let (site, place, worker) = place_with_events(peer, &peer.accounts.user, "");
        put(peer, &place, &format!("incoming/{ID}"), &picture("private.jpg"));
        let small = format!("{}/{ID}/small.jpg", place.public_url);
        let thumbnail = peer.world().wait_for(&small, SOON);
        assert_eq!(dimensions(&thumbnail.body).0, "image/jpeg");
        becomes(|| !peer.keys(&place).iter().any(|key| key.starts_with("incoming/")), || worker.log());
        let original = peer.world().get_url(&format!("{}/{ID}/original.jpg", place.public_url)).body;
        assert!(!original.windows(7).any(|window| window == b"PRIVATE"));
        let status = site.client.get(&format!("/i/{ID}.json?wait=20")).json();
        assert_eq!(status["state"], "ready", "{status}");
        no_messages_are_left(peer, &place, &worker);
    }
}

#[test]
fn what_is_no_image_and_what_arrives_elsewhere_is_not_published() {
    let peer = &*MINISTACK;
    let (_site, place, worker) = place_with_events(peer, &peer.accounts.user, "");
    put(peer, &place, &format!("incoming/{ID}"), b"an essay");
    put(peer, &place, "incoming/../x", &picture("rgb-8.png"));
    put(peer, &place, "elsewhere/a b+c%é.png", &picture("rgb-8.png"));
    becomes(|| !peer.keys(&place).contains(&format!("incoming/{ID}")), || worker.log());
    no_messages_are_left(peer, &place, &worker);
    let mut left = peer.keys(&place);
    left.sort();
    assert_eq!(left, ["elsewhere/a b+c%é.png", "incoming/../x"]);
}

/// A place below `prefix` whose bucket tells its queue of every new object, with a server and a worker that
/// have these keys.
pub fn place_with_events(peer: &Peer, keys: &Keys, prefix: &str) -> (Site, Place, Process) {
    let place = peer.place(10).below(prefix);
    let attributes = json!({"QueueUrl": place.queue_url, "AttributeNames": ["QueueArn"]});
    let arn = peer.call("sqs", "get_queue_attributes", attributes)["Attributes"]["QueueArn"].clone();
    let allow = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage", "Resource": arn,
    }]});
    let policy = json!({"QueueUrl": place.queue_url, "Attributes": {"Policy": allow.to_string()}});
    peer.call("sqs", "set_queue_attributes", policy);
    let events = json!({"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]});
    let notify = json!({"Bucket": place.bucket, "NotificationConfiguration": events});
    peer.call("s3", "put_bucket_notification_configuration", notify);
    let site = Site::on(place.settings(peer.address, keys));
    let worker = site.worker();
    (site, place, worker)
}

fn put(peer: &Peer, place: &Place, key: &str, bytes: &[u8]) {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    peer.call("s3", "put_object", json!({"Bucket": place.bucket, "Key": key, "Body": hex}));
}

fn no_messages_are_left(peer: &Peer, place: &Place, worker: &Process) {
    becomes(|| peer.depth(&place.queue_url) == (0, 0), || worker.log());
    assert_eq!(peer.depth(&place.dead_url), (0, 0), "{}", worker.log());
}

pub fn becomes(mut is_so: impl FnMut() -> bool, state: impl Fn() -> String) {
    let deadline = Instant::now() + SOON;
    while !is_so() {
        assert!(Instant::now() < deadline, "after {SOON:?}: {}", state());
        std::thread::sleep(Duration::from_millis(50));
    }
}
