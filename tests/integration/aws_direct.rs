//! An upload that is announced to the server and put straight into the bucket by a client that knows nothing
//! of AWS: the bucket judges the URL, the worker publishes what arrived.

use std::time::Duration;

use serde_json::{Value, json};

use crate::aws_arrivals::{becomes, place_with_events};
use crate::harness::{Client, MINISTACK, MOTO, Peer, Place, Reply, Sharer, dimensions, picture};

const SOON: Duration = Duration::from_secs(30);

fn announce(server: &Client, body: &Value) -> Reply {
    let headers = [("Content-Type", "application/json")];
    server.request("POST", "/api/uploads", &headers, body.to_string().as_bytes()).unwrap()
}

fn announced(server: &Client, bytes: usize) -> Value {
    let reply = announce(server, &json!({"type": "image/jpeg", "bytes": bytes}));
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json()
}

/// Sends the upload where it was told to.
fn put(peer: &Peer, announced: &Value, content_type: &str, bytes: &[u8]) -> Reply {
    let url = announced["upload"]["url"].as_str().unwrap();
    let target = url.strip_prefix(&format!("http://{}", peer.address)).unwrap();
    peer.world().request("PUT", target, &[("Content-Type", content_type)], bytes).unwrap()
}

fn status(server: &Client, announced: &Value, query: &str) -> Value {
    server.get(&format!("/i/{}.json{query}", announced["id"].as_str().unwrap())).json()
}

fn incoming(peer: &Peer, place: &Place) -> usize {
    peer.keys(place).iter().filter(|key| key.contains("incoming/")).count()
}

#[test]
fn an_announced_upload_goes_straight_into_the_bucket_and_is_published() {
    let bytes = picture("private.jpg");
    for (peer, keys, prefix) in [
        (&*MINISTACK, &MINISTACK.accounts.user, ""),
        (&*MINISTACK, &MINISTACK.accounts.session, ""),
        (&*MOTO, &MOTO.accounts.user, "of us"),
    ] {
        let (site, place, worker) = place_with_events(peer, keys, prefix);
        let told = announced(&site.client, bytes.len());
        assert_eq!(status(&site.client, &told, "")["state"], "pending");
        let original = told["urls"]["original"].as_str().unwrap();
        assert_ne!(peer.world().get_url(original).status, 200, "nothing is public before");

        let reply = put(peer, &told, "image/jpeg", &bytes);
        assert_eq!(reply.status, 200, "{}", reply.text());
        let small = peer.world().wait_for(told["urls"]["small"].as_str().unwrap(), SOON);
        assert_eq!(dimensions(&small.body).0, "image/jpeg");
        assert_eq!(status(&site.client, &told, "?wait=20")["state"], "ready", "{}", worker.log());
        let original = peer.world().get_url(original).body;
        assert!(!original.windows(7).any(|window| window == b"PRIVATE"));
        becomes(|| incoming(peer, &place) == 0, || worker.log());

        let deletion = format!("/i/{}", told["id"].as_str().unwrap());
        let token = told["delete_token"].as_str().unwrap();
        let deleted = site.client.request("DELETE", &deletion, &[("X-Delete-Token", token)], b"").unwrap();
        assert_eq!(deleted.status, 204, "{}", deleted.text());
    }
}

#[test]
fn the_bucket_takes_what_was_announced_and_nothing_else() {
    let (peer, bytes) = (&*MINISTACK, picture("private.jpg"));
    let (site, place, _worker) = place_with_events(peer, &peer.accounts.user, "");
    let told = announced(&site.client, bytes.len());
    let longer = [bytes.as_slice(), b"x"].concat();
    for (content_type, bytes) in
        [("image/png", bytes.as_slice()), ("image/jpeg", &bytes[1..]), ("image/jpeg", &longer)]
    {
        let reply = put(peer, &told, content_type, bytes);
        assert_eq!(reply.status, 403, "{content_type} {}: {}", bytes.len(), reply.text());
        assert!(reply.text().contains("SignatureDoesNotMatch"), "{}", reply.text());
    }
    assert_eq!(incoming(peer, &place), 1, "the ticket alone");
    let url = told["upload"]["url"].as_str().unwrap().replace("incoming/", "elsewhere/");
    let elsewhere = json!({"upload": {"url": url}});
    assert_eq!(put(peer, &elsewhere, "image/jpeg", &bytes).status, 403);
    let ticket = format!("{}/incoming/{}.json", place.public_url, told["id"].as_str().unwrap());
    assert_eq!(peer.world().get_url(&ticket).status, 403, "what is incoming is nobody's to read");
    assert_eq!(put(peer, &told, "image/jpeg", &bytes).status, 200);
}

#[test]
fn what_arrives_and_is_no_image_is_told_as_failed() {
    let peer = &*MINISTACK;
    let (site, _place, worker) = place_with_events(peer, &peer.accounts.user, "");
    let told = announced(&site.client, 8);
    assert_eq!(put(peer, &told, "image/jpeg", b"an essay").status, 200);
    let failed = status(&site.client, &told, "?wait=20");
    assert_eq!(
        (&failed["state"], &failed["error"]["code"]),
        (&json!("failed"), &json!("not_an_image")),
        "{}",
        worker.log()
    );
}

#[test]
fn a_directory_takes_nothing_from_others() {
    let sharer = Sharer::start();
    let reply = announce(&sharer.client, &json!({"type": "image/jpeg", "bytes": 9}));
    assert_eq!((reply.status, reply.error_code().as_str()), (501, "no_direct_uploads"));
}
