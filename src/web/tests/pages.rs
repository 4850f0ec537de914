//! The pages beside the upload: share, status, deletion, health.

use super::*;
use crate::record::{self, Failed};
use crate::upload::sizes::ORIGINAL;

fn told(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

fn delete(house: &House, id: &Id, token: &str) -> Told {
    Request::new(Method::Delete, &format!("/i/{id}")).with("X-Delete-Token", token).send(house)
}

fn change(house: &House, id: &Id, change: impl Fn(&mut record::Record)) {
    record::update(&*house.memory, id, |record| {
        change(record);
        true
    })
    .unwrap();
}

fn fail(house: &House, id: &Id, message: &str) {
    let failed = Failed { code: "corrupt_image".to_owned(), message: message.to_owned() };
    change(house, id, |record| record.failed = Some(failed.clone()));
}

#[test]
fn the_home_page_has_a_form_that_works_without_scripts() {
    let answer = house().get("/");
    assert_eq!((answer.status, answer.header("Content-Type")), (200, "text/html; charset=utf-8"));
    for needed in ["method=\"post\"", "enctype=\"multipart/form-data\"", "type=\"file\" name=\"image\""] {
        assert!(answer.text().contains(needed), "{needed}");
    }
    assert!(answer.header("Content-Security-Policy").contains("form-action 'self'"));
}

#[test]
fn other_methods_and_paths_are_told_apart() {
    let house = house();
    let answer = Request::new(Method::Delete, "/").send(&house);
    assert_eq!(
        (answer.error(), answer.header("Allow")),
        (told(405, "method_not_allowed"), "GET, HEAD, POST, PUT")
    );
    assert_eq!(house.get("/<script>").error(), told(404, "not_found"));
    let page = Request::new(Method::Get, "/nowhere").with("Accept", "text/html").send(&house);
    assert_eq!((page.status, page.header("Content-Type")), (404, "text/html; charset=utf-8"));
}

#[test]
fn a_state_goes_from_pending_to_ready() {
    let house = house();
    let (id, _) = house.uploaded();
    let status = house.get(&format!("/i/{id}.json"));
    let json = status.json();
    assert_eq!((status.status, &json["id"], &json["state"]), (200, &id.as_str().into(), &"pending".into()));
    assert_eq!(json["urls"]["small"], format!("http://share.example/o/{id}/small.png"));
    assert!(json.get("error").is_none());
    house.make_thumbnails(&id);
    assert_eq!(house.get(&format!("/i/{id}.json")).json()["state"], "ready");
}

#[test]
fn a_failure_is_told_with_its_reason() {
    let house = house();
    let (id, _) = house.uploaded();
    fail(&house, &id, "<b>broken</b>");
    let json = house.get(&format!("/i/{id}.json?wait=20")).json();
    assert_eq!((&json["state"], &json["error"]["code"]), (&"failed".into(), &"corrupt_image".into()));
    let page = house.get(&format!("/i/{id}"));
    assert!(page.text().contains("&lt;b&gt;broken&lt;/b&gt;") && !page.text().contains("<b>"));
}

#[test]
fn a_wait_ends_when_all_is_ready() {
    let house = house();
    let (id, _) = house.uploaded();
    std::thread::scope(|threads| {
        let waiting = threads.spawn(|| house.get(&format!("/i/{id}.json?wait=20")).json());
        std::thread::sleep(Duration::from_millis(50));
        house.make_thumbnails(&id);
        assert_eq!(waiting.join().unwrap()["state"], "ready");
    });
}

#[test]
fn a_wait_ends_when_the_server_does() {
    let house = house();
    let (id, _) = house.uploaded();
    house.stop.set();
    let begun = std::time::Instant::now();
    assert_eq!(house.get(&format!("/i/{id}.json?wait=20")).json()["state"], "pending");
    assert!(begun.elapsed() < Duration::from_secs(15));
}

#[test]
fn a_wait_takes_no_working_slot() {
    let house = house();
    let head = Request::new(Method::Get, &format!("/i/{}.json", Id::from_bytes([1; 16]))).head();
    assert_eq!(house.site.admit(&head).unwrap().lane, Lane::Light);
    let head = form(&[]).head();
    assert_eq!(house.site.admit(&head).unwrap().lane, Lane::Work);
}

#[test]
fn the_share_page_shows_what_is_there() {
    let house = house();
    let (id, _) = house.uploaded();
    let pending = house.get(&format!("/i/{id}"));
    let url = |name: &str| format!("http://share.example/o/{id}/{name}.png");
    assert!(pending.text().contains(&format!("<img src=\"{}\"", url("original"))));
    assert!(pending.text().contains("http-equiv=\"refresh\"") && !pending.text().contains(&url("small")));
    house.make_thumbnails(&id);
    let ready = house.get(&format!("/i/{id}"));
    assert!(ready.text().contains(&format!("<img src=\"{}\"", url("large"))));
    assert!(ready.text().contains(&url("small")) && !ready.text().contains("http-equiv=\"refresh\""));
    assert!(ready.header("Content-Security-Policy").contains("img-src 'self' http://share.example;"));
}

#[test]
fn what_never_was_is_not_found() {
    let id = Id::from_bytes([9; 16]);
    for target in [format!("/i/{id}"), format!("/i/{id}.json"), format!("/i/{id}.json?wait=20")] {
        assert_eq!(house().get(&target).error(), told(404, "not_found"));
    }
    assert_eq!(delete(&house(), &id, "x").error(), told(404, "not_found"));
}

#[test]
fn what_has_expired_is_gone() {
    let house = house();
    let (id, token) = house.uploaded();
    change(&house, &id, |record| record.expires = Some(record.created));
    assert_eq!(house.get(&format!("/i/{id}")).error(), told(410, "expired"));
    assert_eq!(house.get(&format!("/i/{id}.json")).error(), told(410, "expired"));
    assert_eq!(delete(&house, &id, &token).error(), told(410, "expired"));
}

#[test]
fn only_its_owner_deletes_an_upload() {
    let house = house();
    let (id, token) = house.uploaded();
    house.make_thumbnails(&id);
    let before = house.memory.keys();
    assert_eq!(delete(&house, &id, "wrong").error(), told(403, "wrong_delete_token"));
    let none = Request::new(Method::Delete, &format!("/i/{id}")).send(&house);
    assert_eq!(none.error(), told(403, "wrong_delete_token"));
    assert_eq!(house.memory.keys(), before);

    assert_eq!(delete(&house, &id, &token).status, 204);
    assert_eq!(house.memory.keys(), [id.record()]);
    assert!(record::read(&*house.memory, &id).unwrap().deleted.is_some());
    for again in [&token, "wrong"] {
        assert_eq!(delete(&house, &id, again).error(), told(410, "deleted"));
    }
    assert_eq!(house.get(&format!("/i/{id}")).error(), told(410, "deleted"));
    assert_eq!(house.get(&format!("/i/{id}.json")).error(), told(410, "deleted"));
}

#[test]
fn a_delete_token_may_stand_in_the_query() {
    let house = house();
    let (id, token) = house.uploaded();
    let answer = Request::new(Method::Delete, &format!("/i/{id}?token={token}")).send(&house);
    assert_eq!((answer.status, house.memory.keys()), (204, vec![id.record()]));
}

#[test]
fn the_tombstone_is_written_before_an_object_goes() {
    let house = house();
    let (id, token) = house.uploaded();
    house.store.calls.lock().unwrap().clear();
    assert_eq!(delete(&house, &id, &token).status, 204);
    let calls = house.store.calls.lock().unwrap().clone();
    assert_eq!(calls[0], format!("replace {}", id.record()));
    assert_eq!(calls[1], format!("delete {}", id.object(ORIGINAL, "png")));
    assert_eq!(calls.len(), 5);
}

#[test]
fn a_deletion_that_failed_half_way_can_be_finished() {
    let broken = failing(Faults { delete: true, ..Faults::default() });
    let (id, token) = broken.uploaded();
    assert_eq!(delete(&broken, &id, &token).error(), told(503, "unavailable"));
    assert!(broken.memory.keys().contains(&id.object(ORIGINAL, "png")));
    let mended = build(
        Arc::clone(&broken.memory) as Arc<dyn Store>,
        Arc::clone(&broken.memory),
        None,
        None,
        Faults::default(),
        |_| {},
    );
    assert_eq!(delete(&mended, &id, &token).error(), told(410, "deleted"));
    assert_eq!(mended.memory.keys(), [id.record()]);
}

#[test]
fn health_tells_whether_uploads_can_be_taken() {
    assert_eq!(house().get("/healthz").status, 200);
    let sick = failing(Faults { check: true, ..Faults::default() });
    let answer = sick.get("/healthz");
    assert_eq!(answer.error(), told(503, "unwell"));
    assert!(answer.text().contains("store") && !answer.text().contains("s3.example"));
    let stopping = house();
    stopping.stop.set();
    assert_eq!(stopping.get("/healthz").error(), told(503, "unwell"));
}
