//! The other pages: share page, status, deletion, health, and what is not there.

use std::time::Duration;

use crate::harness::{Sharer, picture};

const SOON: Duration = Duration::from_secs(20);

#[test]
fn the_status_waits_until_all_is_ready() {
    let sharer = Sharer::start();
    let reply = sharer.client.upload("a.jpg", &picture("baseline-420.jpg"));
    let id = reply.header("x-image-id").unwrap();
    let status = sharer.client.get(&format!("/i/{id}.json?wait=20"));
    assert_eq!((status.status, status.header("content-type")), (200, Some("application/json")));
    assert_eq!(status.json()["state"], "ready");
    assert_eq!(status.json()["id"], id);
    assert_eq!(status.json()["urls"], reply.json());
}

#[test]
fn the_share_page_shows_the_picture_and_links_to_all_sizes() {
    let sharer = Sharer::start();
    let reply = sharer.client.upload("a.jpg", &picture("baseline-420.jpg"));
    sharer.client.wait_for(&reply.url("large"), SOON);
    let page = sharer.client.get(&format!("/i/{}", reply.header("x-image-id").unwrap()));
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    for name in ["original", "small", "medium", "large"] {
        assert!(page.text().contains(&reply.url(name)), "{name}");
    }
}

#[test]
fn a_deletion_needs_the_token_and_removes_everything() {
    let sharer = Sharer::start();
    let reply = sharer.client.upload("a.jpg", &picture("baseline-420.jpg"));
    sharer.client.wait_for(&reply.url("small"), SOON);
    let (id, token) = (reply.header("x-image-id").unwrap(), reply.header("x-delete-token").unwrap());
    let delete = |token: &str| {
        let headers = [("X-Delete-Token", token)];
        sharer.client.request("DELETE", &format!("/i/{id}"), &headers, b"").unwrap().status
    };
    assert_eq!(delete("wrong"), 403);
    assert_eq!(sharer.client.get_url(&reply.url("original")).status, 200);
    assert_eq!(delete(token), 204);
    for name in ["original", "small", "medium", "large"] {
        assert_eq!(sharer.client.get_url(&reply.url(name)).status, 410, "{name}");
    }
    assert_eq!(sharer.client.get(&format!("/i/{id}")).status, 410);
    assert!(!sharer.folder.path().join("data/objects").join(id).exists());
}

#[test]
fn objects_can_be_asked_for_in_part_and_only_if_changed() {
    let sharer = Sharer::start();
    let reply = sharer.client.upload("a.png", &picture("rgb-8.png"));
    let url = reply.url("original");
    let path = url.strip_prefix(&format!("http://{}", sharer.client.address)).unwrap();
    let whole = sharer.client.get(path);
    let get = |headers: &[(&str, &str)]| sharer.client.request("GET", path, headers, b"").unwrap();

    let tag = whole.header("etag").unwrap();
    let same = get(&[("If-None-Match", tag)]);
    assert_eq!((same.status, same.body.len()), (304, 0));
    let part = get(&[("Range", "bytes=8-15")]);
    assert_eq!((part.status, part.body.as_slice()), (206, &whole.body[8..16]));
    assert_eq!(part.header("content-range"), Some(format!("bytes 8-15/{}", whole.body.len()).as_str()));
    assert_eq!(get(&[("Range", "bytes=99999999-")]).status, 416);
    let head = sharer.client.request("HEAD", path, &[], b"").unwrap();
    let length = whole.body.len().to_string();
    assert_eq!(
        (head.status, head.header("content-length"), head.body.len()),
        (200, Some(length.as_str()), 0)
    );
}

#[test]
fn nothing_is_listed_and_nothing_but_objects_is_served() {
    let sharer = Sharer::start();
    let reply = sharer.client.upload("a.png", &picture("rgb-8.png"));
    let id = reply.header("x-image-id").unwrap();
    let paths = [
        "/o/".to_owned(),
        "/o".to_owned(),
        format!("/o/{id}"),
        format!("/o/{id}/"),
        format!("/o/record/{id}.json"),
        format!("/o/{id}/../record/{id}.json"),
        format!("/o/{id}%2f..%2frecord%2f{id}.json"),
        format!("/o/{id}/%2e%2e/record/{id}.json"),
        "/o/../queue".to_owned(),
        "/o/%2e%2e/%2e%2e/etc/passwd".to_owned(),
        "/data/objects".to_owned(),
    ];
    for path in paths {
        let reply = sharer.client.get(&path);
        assert!(matches!(reply.status, 400 | 404), "{path}: {} {}", reply.status, reply.text());
    }
    let missing = sharer.client.get(&format!("/o/{id}/huge.png"));
    assert_eq!((missing.status, missing.header("cache-control")), (404, Some("no-store")));
}

#[test]
fn other_methods_and_paths_are_told_so() {
    let sharer = Sharer::start();
    assert_eq!(sharer.client.get("/nowhere").status, 404);
    let reply = sharer.client.request("DELETE", "/", &[], b"").unwrap();
    assert_eq!(reply.status, 405);
    assert!(reply.header("allow").unwrap().contains("POST"));
    let page = sharer.client.get("/");
    assert!(page.status == 200 && page.text().contains("<form"));
    assert_eq!(sharer.client.get("/healthz").status, 200);
    assert_eq!(sharer.client.get("/i/aaaaaaaaaaaaaaaaaaaaaaaaaa").status, 404);
}
