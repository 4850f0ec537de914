//! From the upload to its thumbnails on S3 and SQS, with a user's key and with a role's session, on two
//! servers of different dialects.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Keys, MINISTACK, MOTO, Peer, Place, Reply, Site, dimensions, noise_jpeg, picture};

const SOON: Duration = Duration::from_secs(30);

#[test]
fn with_a_users_key() {
    upload_to_deletion(&MINISTACK, &MINISTACK.accounts.user);
}

#[test]
fn with_a_roles_session() {
    upload_to_deletion(&MINISTACK, &MINISTACK.accounts.session);
}

#[test]
fn with_a_users_key_on_another_dialect() {
    upload_to_deletion(&MOTO, &MOTO.accounts.user);
}

#[test]
fn with_a_roles_session_on_another_dialect() {
    upload_to_deletion(&MOTO, &MOTO.accounts.session);
}

/// All that an upload is, on an empty place.
fn upload_to_deletion(peer: &Peer, keys: &Keys) {
    let place = peer.place(10);
    let site = Site::on(place.settings(peer.address, keys));
    let reply = site.client.upload("photo.jpg", &noise_jpeg(800, 600, 1));
    let original = reply.url("original");
    assert_eq!(original, format!("http://{}/{}/{}/original.jpg", peer.address, place.bucket, id_of(&reply)));
    served(&peer.world().get_url(&original), "image/jpeg");
    assert_eq!(peer.world().get_url(&reply.url("small")).status, 404, "no worker is there yet");

    let mut worker = site.worker();
    for (name, size) in [("small", (100, 75)), ("medium", (300, 225)), ("large", (600, 450))] {
        let thumbnail = peer.world().wait_for(&reply.url(name), SOON);
        served(&thumbnail, "image/jpeg");
        let (format, width, height) = dimensions(&thumbnail.body);
        assert_eq!((format, (width, height)), ("image/jpeg", size), "{name}");
    }
    assert_eq!(status(&site, &reply)["state"], "ready");
    depth_becomes(peer, &place.queue_url, (0, 0));
    assert_eq!(peer.depth(&place.dead_url), (0, 0));
    let id = id_of(&reply);
    let images = ["large", "medium", "original", "small"].map(|name| format!("{id}/{name}.jpg"));
    let record = format!("record/{id}.json");
    let mut all = Vec::from(images);
    all.push(record.clone());
    all.sort();
    assert_eq!(keys_of(peer, &place), all);

    let token = reply.header("x-delete-token").unwrap();
    let target = format!("/i/{id}");
    let delete = |token| site.client.request("DELETE", &target, &[("X-Delete-Token", token)], b"").unwrap();
    assert_eq!(delete("wrong").status, 403);
    assert!(matches!(delete(token).status, 200 | 204));
    assert_eq!(keys_of(peer, &place), [record]);
    assert_eq!(site.client.get(&target).status, 410);
    assert_eq!(worker.stop(), Some(0), "{}", worker.log());
}

#[test]
fn records_are_not_the_worlds_to_read_nor_the_bucket_to_list() {
    let peer = &*MINISTACK;
    let place = peer.place(10);
    let site = Site::on(place.settings(peer.address, &peer.accounts.user));
    let reply = site.client.upload("a.png", &picture("rgb-8.png"));
    assert_eq!(reply.status, 202);
    let world = |target: String| peer.world().get(&target).status;
    assert_eq!(world(format!("/{}/{}/original.png", place.bucket, id_of(&reply))), 200);
    assert_eq!(world(format!("/{}/record/{}.json", place.bucket, id_of(&reply))), 403);
    assert_eq!(world(format!("/{}?list-type=2", place.bucket)), 403);
}

#[test]
fn objects_can_lie_below_a_prefix() {
    let peer = &*MOTO;
    let place = peer.place(10).below("pictures/of us");
    let site = Site::on(place.settings(peer.address, &peer.accounts.user));
    let reply = site.client.upload("a.png", &picture("rgb-8.png"));
    let _worker = site.worker();
    peer.world().wait_for(&reply.url("small"), SOON);
    assert!(keys_of(peer, &place).iter().all(|key| key.starts_with("pictures/of us/")));
}

#[test]
fn an_image_that_can_never_work_is_marked_and_not_tried_again() {
    for peer in [&*MINISTACK, &*MOTO] {
        let place = peer.place(10);
        let site = Site::on(place.settings(peer.address, &peer.accounts.user));
        let mut bytes = noise_jpeg(400, 300, 2);
        bytes.truncate(bytes.len() / 2);
        let reply = site.client.upload("half.jpg", &bytes);
        assert_eq!(reply.status, 202, "its header is whole: {}", reply.text());
        let _worker = site.worker();
        let status = status(&site, &reply);
        assert_eq!(status["state"], "failed", "{status}");
        depth_becomes(peer, &place.queue_url, (0, 0));
        assert_eq!(peer.depth(&place.dead_url), (0, 0));
    }
}

#[test]
fn a_message_that_is_no_job_becomes_a_dead_letter_with_its_cause() {
    for peer in [&*MINISTACK, &*MOTO] {
        let place = peer.place(10);
        let site = Site::on(place.settings(peer.address, &peer.accounts.session));
        let message = "{\"version\":1,\"id\":\"../../etc/passwd\"}";
        peer.call("sqs", "send_message", json!({"QueueUrl": place.queue_url, "MessageBody": message}));
        let _worker = site.worker();
        depth_becomes(peer, &place.dead_url, (1, 0));
        depth_becomes(peer, &place.queue_url, (0, 0));
        let letter = &peer.drain(&place.dead_url)[0];
        assert_eq!(letter["Body"], message);
        let attribute =
            |name: &str| letter["MessageAttributes"][name]["StringValue"].as_str().unwrap().to_owned();
        assert!(attribute("cause").contains("malformed"), "{letter}");
        assert!(attribute("program").starts_with("image-worker "), "{letter}");
        assert!(!attribute("host").is_empty(), "{letter}");
    }
}

fn served(reply: &Reply, content_type: &str) {
    assert_eq!((reply.status, reply.header("content-type")), (200, Some(content_type)));
    assert_eq!(reply.header("cache-control"), Some("public, max-age=31536000, immutable"));
}

fn id_of(reply: &Reply) -> String {
    reply.header("x-image-id").unwrap().to_owned()
}

fn status(site: &Site, reply: &Reply) -> Value {
    site.client.get(&format!("/i/{}.json?wait=20", id_of(reply))).json()
}

fn keys_of(peer: &Peer, place: &Place) -> Vec<String> {
    let mut keys = peer.keys(place);
    keys.sort();
    keys
}

fn depth_becomes(peer: &Peer, queue_url: &str, expected: (u64, u64)) {
    let deadline = Instant::now() + SOON;
    while peer.depth(queue_url) != expected {
        assert!(Instant::now() < deadline, "{queue_url} stays at {:?}", peer.depth(queue_url));
        std::thread::sleep(Duration::from_millis(50));
    }
}
