//! Public objects of a directory store: conditions, ranges, and what is not there.

use super::*;
use crate::upload::sizes::ORIGINAL;

/// A house with an upload, and the path of its small thumbnail, which is there.
fn with_object() -> (House, Id, String) {
    let house = house_of_files();
    let (id, _) = house.uploaded();
    house.make_thumbnails(&id);
    let path = format!("/o/{id}/small.png");
    (house, id, path)
}

/// What `make_thumbnails` puts there.
fn content(id: &Id) -> String {
    format!("{id}/small.png")
}

fn request(path: &str, headers: &[(&str, &str)]) -> Request {
    headers.iter().fold(Request::new(Method::Get, path), |request, (name, value)| request.with(name, value))
}

#[test]
fn an_upload_can_be_fetched_as_soon_as_it_is_answered() {
    let house = house_of_files();
    let url = house.upload(&[]).json()["original"].as_str().unwrap().to_owned();
    let answer = house.get(url.strip_prefix("http://share.example").unwrap());
    assert_eq!((answer.status, answer.body.as_slice()), (200, picture(8, 6).as_slice()));
    assert_eq!(answer.header("Content-Type"), "image/png");
    assert_eq!(answer.header("Cache-Control"), crate::store::IMMUTABLE);
    assert_eq!(answer.header("Accept-Ranges"), "bytes");
    assert!(answer.header("Content-Security-Policy").contains("sandbox"));
}

#[test]
fn a_copy_that_is_still_right_is_not_sent_again() {
    let (house, id, path) = with_object();
    let tag = house.get(&path).header("ETag").to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 2);
    for same in [tag.clone(), format!("\"x\", W/{tag}"), "*".to_owned()] {
        let answer = request(&path, &[("If-None-Match", &same), ("Range", "bytes=0-1")]).send(&house);
        assert_eq!((answer.status, answer.header("ETag"), answer.text()), (304, tag.as_str(), ""));
        assert_eq!(answer.header("Cache-Control"), crate::store::IMMUTABLE);
    }
    let other = request(&path, &[("If-None-Match", "\"x\"")]).send(&house);
    assert_eq!((other.status, other.text()), (200, content(&id).as_str()));
}

#[test]
fn one_range_is_served() {
    let (house, id, path) = with_object();
    let all = content(&id);
    let length = all.len();
    for (range, start, end) in [
        ("bytes=0-0", 0, 1),
        ("bytes=3-5", 3, 6),
        ("bytes=30-", 30, length),
        ("bytes=-4", length - 4, length),
        ("bytes=-9999", 0, length),
        ("bytes=2-99999999999999999999", 2, length),
    ] {
        let answer = request(&path, &[("Range", range)]).send(&house);
        assert_eq!((answer.status, answer.text()), (206, &all[start..end]), "{range}");
        assert_eq!(answer.header("Content-Range"), format!("bytes {start}-{}/{length}", end - 1));
        assert_eq!(answer.header("Content-Type"), "image/png");
    }
}

#[test]
fn a_range_beyond_the_end_is_refused() {
    let (house, id, path) = with_object();
    let length = content(&id).len();
    for range in [format!("bytes={length}-"), "bytes=-0".to_owned(), "bytes=9999-99999".to_owned()] {
        let answer = request(&path, &[("Range", &range)]).send(&house);
        assert_eq!(answer.error(), (416, "range_not_satisfiable".to_owned()), "{range}");
        assert_eq!(answer.header("Content-Range"), format!("bytes */{length}"));
    }
}

#[test]
fn other_ranges_are_as_if_they_were_not_there() {
    let (house, id, path) = with_object();
    let tag = house.get(&path).header("ETag").to_owned();
    for headers in [
        [("Range", "bytes=0-1,3-4"), ("If-Range", tag.as_str())],
        [("Range", "lines=0-1"), ("If-Range", tag.as_str())],
        [("Range", "bytes=5-4"), ("If-Range", tag.as_str())],
        [("Range", "bytes=0-1"), ("If-Range", "\"other\"")],
        [("Range", "bytes=0-1"), ("If-Range", "Tue, 24 Nov 2026 00:00:00 GMT")],
    ] {
        let answer = request(&path, &headers).send(&house);
        assert_eq!((answer.status, answer.text()), (200, content(&id).as_str()), "{headers:?}");
    }
    let same = request(&path, &[("Range", "bytes=0-1"), ("If-Range", &tag)]).send(&house);
    assert_eq!(same.status, 206);
    let mut head = request(&path, &[("Range", "bytes=0-1")]);
    head.method = Method::Head;
    assert_eq!(head.send(&house).status, 200);
}

#[test]
fn what_is_not_made_yet_is_not_found_and_not_cached() {
    let house = house_of_files();
    let (id, _) = house.uploaded();
    let answer = house.get(&format!("/o/{id}/small.png"));
    assert_eq!((answer.error(), answer.header("Cache-Control")), ((404, "not_found".to_owned()), "no-store"));
}

#[test]
fn what_was_deleted_is_gone() {
    let (house, _, _) = with_object();
    let (id, token) = house.uploaded();
    let target = format!("/i/{id}?token={token}");
    assert_eq!(Request::new(Method::Delete, &target).send(&house).status, 204);
    let answer = house.get(&format!("/o/{id}/{ORIGINAL}.png"));
    assert_eq!((answer.error(), answer.header("Cache-Control")), ((410, "deleted".to_owned()), "no-store"));
}

#[test]
fn records_and_folders_are_not_public() {
    let (house, id, _) = with_object();
    for path in [
        format!("/o/{}", id.record()),
        format!("/o/{id}/../{}", id.record()),
        format!("/o/{id}/%2e%2e%2f{}", id.record()),
        format!("/o/{id}"),
        format!("/o/{id}/"),
        "/o/".to_owned(),
        "/o/.sharer".to_owned(),
    ] {
        assert_eq!(house.get(&path).status, 404, "{path}");
    }
}

#[test]
fn another_store_serves_its_objects_itself() {
    let house = house();
    let (id, _) = house.uploaded();
    assert_eq!(house.get(&format!("/o/{id}/original.png")).status, 404);
}
