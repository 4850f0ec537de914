//! Uploads that are announced here and put straight into the store.

use serde_json::{Value, json};

use super::*;
use crate::image::{Format, Size};
use crate::record::{self, Failed, Record};
use crate::{arrival, ticket};

/// A house whose store signs URLs for others.
fn signing(change: impl FnOnce(&mut Config)) -> House {
    house_with(Faults { presigns: true, ..Faults::default() }, change)
}

fn announce(body: &str) -> Request {
    Request::new(Method::Post, "/api/uploads").body("application/json", body.as_bytes())
}

fn announced(house: &House, body: &Value) -> Value {
    let told = announce(&body.to_string()).send(house);
    assert_eq!(told.status, 201, "{}", told.text());
    let json = told.json();
    assert_eq!(told.header("Location"), json["url"]);
    assert_eq!(
        (told.header("X-Image-Id"), told.header("X-Delete-Token")),
        (text(&json["id"]), text(&json["delete_token"]))
    );
    json
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn id_of(json: &Value) -> Id {
    Id::parse(text(&json["id"])).unwrap()
}

#[test]
fn an_announced_upload_is_told_where_to_put_itself() {
    let house = signing(|_| {});
    let json = announced(&house, &json!({"type": "image/jpeg", "bytes": 99}));
    let id = id_of(&json);
    let upload = json!({
        "method": "PUT",
        "url": format!("https://bucket.example/{}?signed=image/jpeg,99", arrival::key(&id)),
        "headers": {"Content-Type": "image/jpeg", "Content-Length": "99"},
        "expires_in": 900,
    });
    assert_eq!(json["upload"], upload);
    let page = format!("http://share.example/i/{id}");
    assert_eq!(
        (text(&json["url"]), text(&json["status_url"])),
        (page.as_str(), format!("{page}.json").as_str())
    );
    assert_eq!(text(&json["delete_url"]), format!("{page}/delete?token={}", text(&json["delete_token"])));
    assert_eq!(json["urls"]["small"], format!("http://share.example/o/{id}/small.jpg"));
    assert_eq!(json["urls"].as_object().unwrap().len(), 4);
    assert!(json["expires"].is_null());
    assert_eq!(house.memory.keys(), [ticket::key(&id)]);
}

#[test]
fn a_webps_thumbnails_are_named_when_its_pixels_are_known() {
    let json = announced(&signing(|_| {}), &json!({"type": "image/webp", "bytes": 99}));
    assert_eq!(json["urls"].as_object().unwrap().keys().collect::<Vec<_>>(), ["original"]);
}

#[test]
fn expiry_is_agreed_on_when_it_is_announced() {
    let house = signing(|config| config.uploads.lifetime = crate::upload::Lifetime::parse("60"));
    for (body, seconds) in [
        (json!({"type": "image/png", "bytes": 1}), 60),
        (json!({"type": "image/png", "bytes": 1, "expires": 3600}), 3600),
    ] {
        let before = crate::observe::time::now_millis();
        let json = announced(&house, &body);
        let expires = ticket::read(&*house.store, &id_of(&json)).unwrap().unwrap().expires.unwrap();
        assert!((before..before + 30_000).contains(&(expires - seconds * 1000)), "{json}");
        assert!(json["expires"].is_string());
    }
}

#[test]
fn its_status_is_pending_until_the_worker_says_otherwise() {
    let house = signing(|_| {});
    let json = announced(&house, &json!({"type": "image/png", "bytes": 99}));
    let (id, target) = (id_of(&json), format!("/i/{}.json", text(&json["id"])));
    let status = || house.get(&target).json();
    assert_eq!((&status()["state"], &status()["ready"]), (&json!("pending"), &json!([])));
    assert_eq!(status()["urls"], json["urls"]);
    assert_eq!(house.get(&format!("/i/{id}")).status, 404, "there is nothing to be seen");

    let failed = Failed { code: "not_an_image".into(), message: "It is an essay.".into() };
    ticket::fail(&*house.store, &id, failed).unwrap();
    let failed = house.get(&format!("{target}?wait=20")).json();
    assert_eq!((&failed["state"], &failed["error"]["code"]), (&json!("failed"), &json!("not_an_image")));

    let size = Size { width: 1, height: 1 };
    let record = Record::new(Format::Png, Format::Png, size, 9, 0, text(&json["delete_token"]));
    record::create(&*house.store, &id, &record).unwrap();
    house.make_thumbnails(&id);
    assert_eq!(status()["state"], "ready", "the record goes before the ticket");
}

#[test]
fn what_is_no_announcement_is_refused() {
    let house = signing(|_| {});
    let too_many = MAX_BYTES + 1;
    for (body, status, code) in [
        ("".to_owned(), 400, "bad_announcement"),
        ("[]".to_owned(), 400, "bad_announcement"),
        (r#"{"type":"image/png"}"#.to_owned(), 400, "bad_announcement"),
        (r#"{"type":"image/png","bytes":-1}"#.to_owned(), 400, "bad_announcement"),
        (r#"{"type":"image/png","bytes":1,"expiry":9}"#.to_owned(), 400, "bad_announcement"),
        (format!(r#"{{"type":"image/png","bytes":1{}}}"#, " ".repeat(1024)), 400, "bad_announcement"),
        (r#"{"type":"image/png","bytes":0}"#.to_owned(), 400, "empty_file"),
        (r#"{"type":"image/png","bytes":1,"expires":0}"#.to_owned(), 400, "bad_expiry"),
        (r#"{"type":"image/png","bytes":1,"expires":2678401}"#.to_owned(), 400, "bad_expiry"),
        (r#"{"type":"image/svg+xml","bytes":1}"#.to_owned(), 415, "unsupported_image"),
        (format!(r#"{{"type":"image/png","bytes":{too_many}}}"#), 413, "too_large"),
    ] {
        for request in [announce(&body), announce(&body).chunked()] {
            assert_eq!(request.send(&house).error(), (status, code.to_owned()), "{body}");
        }
    }
    let form = Request::new(Method::Post, "/api/uploads").body("text/plain", b"{}").send(&house);
    assert_eq!((form.stage, form.error()), (Stage::Head, (415, "unsupported_media_type".to_owned())));
    assert_eq!(house.memory.keys(), []);
}

#[test]
fn tokens_and_rates_are_those_of_any_upload() {
    let body = r#"{"type":"image/png","bytes":1}"#;
    let house = signing(|config| {
        config.upload_token = Some("s3cret".to_owned());
        config.rate = Some("1/1".parse().unwrap());
    });
    let with = |token: &str| announce(body).with("Authorization", token).send(&house);
    assert_eq!(announce(body).send(&house).error(), (401, "no_token".to_owned()));
    assert_eq!(with("Bearer other").error(), (401, "wrong_token".to_owned()));
    assert_eq!(with("Bearer s3cret").status, 201);
    assert_eq!(with("Bearer s3cret").error(), (429, "too_many_uploads".to_owned()));
}

#[test]
fn a_store_of_our_own_takes_nothing_from_others() {
    let house = house_of_files();
    let told = announce(r#"{"type":"image/png","bytes":1}"#).send(&house);
    assert_eq!(told.error(), (501, "no_direct_uploads".to_owned()));
}

#[test]
fn an_announcement_whose_ticket_is_not_stored_is_not_answered() {
    let house = failing(Faults { presigns: true, create: Some((0, Fault::Down)), ..Faults::default() });
    let told = announce(r#"{"type":"image/png","bytes":1}"#).send(&house);
    assert_eq!(told.error(), (503, "unavailable".to_owned()));
    assert!(!told.text().contains("signed="));
}
