//! `POST /`: what goes in, what comes back, and where it can be fetched.

use std::time::Duration;

use crate::harness::{Sharer, dimensions, form, noise_jpeg, picture};

const SOON: Duration = Duration::from_secs(20);

#[test]
fn an_upload_answers_four_urls_and_nothing_else_and_all_can_be_fetched() {
    let sharer = Sharer::start();
    let photo = noise_jpeg(800, 600, 1);
    let reply = sharer.client.upload("photo.jpg", &photo);
    assert_eq!(reply.status, 202);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let answer = reply.json();
    let names: Vec<_> = answer.as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["large", "medium", "original", "small"]);

    let original = sharer.client.get_url(&reply.url("original"));
    assert_eq!((original.status, original.header("content-type")), (200, Some("image/jpeg")));
    for (name, size) in [("small", (100, 75)), ("medium", (300, 225)), ("large", (600, 450))] {
        let thumbnail = sharer.client.wait_for(&reply.url(name), SOON);
        let (format, width, height) = dimensions(&thumbnail.body);
        assert_eq!((format, (width, height)), ("image/jpeg", size), "{name}");
        assert_eq!(thumbnail.header("content-type"), Some(format));
        let immutable = "public, max-age=31536000, immutable";
        assert_eq!(thumbnail.header("cache-control"), Some(immutable));
        assert_eq!(thumbnail.header("x-content-type-options"), Some("nosniff"));
    }
}

#[test]
fn the_answer_names_share_page_id_and_delete_token_in_headers() {
    let sharer = Sharer::start();
    let reply = sharer.client.upload("x.png", &picture("rgb-8.png"));
    let id = reply.header("x-image-id").unwrap().to_owned();
    assert!(id.len() == 26 && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
    let page = format!("http://{}/i/{id}", sharer.client.address);
    assert_eq!(reply.header("location"), Some(page.as_str()));
    assert!(reply.header("x-delete-token").unwrap().len() >= 22);
    assert!(!reply.header("x-request-id").unwrap().is_empty());
    assert!(reply.url("original").ends_with(&format!("/o/{id}/original.png")));
}

#[test]
fn a_file_under_another_name_and_bare_bytes_are_uploads_too() {
    let sharer = Sharer::start();
    let bytes = picture("baseline-420.jpg");
    let (kind, body) = form(&[("comment", None, b"hello"), ("images[]", Some("a.jpg"), &bytes)]);
    let posted = |method: &str, path: &str, kind: &str, body: &[u8]| {
        sharer.client.request(method, path, &[("Content-Type", kind)], body).unwrap().status
    };
    assert_eq!(posted("POST", "/", &kind, &body), 202);
    assert_eq!(posted("POST", "/", "image/jpeg", &bytes), 202);
    assert_eq!(posted("POST", "/", "application/octet-stream", &bytes), 202);
    assert_eq!(sharer.client.request("PUT", "/photo.jpg", &[], &bytes).unwrap().status, 202);
}

#[test]
fn a_script_gets_one_line_and_a_browser_the_share_page() {
    let sharer = Sharer::start();
    let (kind, body) = form(&[("image", Some("a.png"), &picture("rgb-8.png"))]);
    let post = |target: &str, accept: &str| {
        let headers = [("Content-Type", kind.as_str()), ("Accept", accept)];
        sharer.client.request("POST", target, &headers, &body).unwrap()
    };
    let page = format!("http://{}/i/", sharer.client.address);
    for reply in [post("/", "text/plain"), post("/?format=txt", "*/*")] {
        assert_eq!(reply.status, 202);
        assert!(reply.text().starts_with(&page) && reply.text().ends_with('\n'), "{}", reply.text());
        assert_eq!(reply.text().lines().count(), 1);
    }
    let browser = post("/", "text/html,application/xhtml+xml,*/*;q=0.8");
    assert_eq!(browser.status, 303);
    assert!(browser.header("location").unwrap().starts_with(&page));
    assert_eq!(post("/", "image/png").status, 406);
}

#[test]
fn what_the_world_can_read_holds_no_gps_the_moment_the_answer_is_out() {
    let sharer = Sharer::start();
    let bytes = picture("private.jpg");
    assert!(contains(&bytes, b"PRIVATE"), "the picture must hold what is to be removed");
    let reply = sharer.client.upload("private.jpg", &bytes);
    let original = sharer.client.get_url(&reply.url("original"));
    assert_eq!(original.status, 200);
    assert!(!contains(&original.body, b"PRIVATE"));
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn the_public_url_is_what_object_urls_start_with() {
    let sharer = Sharer::with(&[
        ("SHARER_PUBLIC_URL", "https://cdn.example/pictures/"),
        ("SHARER_PAGE_URL", "https://share.example"),
    ]);
    let reply = sharer.client.upload("a.png", &picture("rgb-8.png"));
    let id = reply.header("x-image-id").unwrap().to_owned();
    assert_eq!(reply.url("small"), format!("https://cdn.example/pictures/{id}/small.png"));
    assert_eq!(reply.header("location"), Some(format!("https://share.example/i/{id}").as_str()));
}

#[test]
fn an_upload_token_is_asked_for_before_the_body() {
    let sharer = Sharer::with(&[("SHARER_UPLOAD_TOKEN", "correct-horse-battery")]);
    let bytes = picture("rgb-8.png");
    let put = |token: &str| {
        let headers = [("Authorization", token)];
        sharer.client.request("PUT", "/x", &headers, &bytes).unwrap()
    };
    assert_eq!(put("Bearer correct-horse-battery").status, 202);
    for (shown, code) in [
        ("Bearer wrong-horse-battery", "wrong_token"),
        ("Basic correct-horse-battery", "no_token"),
        ("Bearer ", "no_token"),
    ] {
        let refused = put(shown);
        assert_eq!((refused.status, refused.error_code().as_str()), (401, code), "{shown}");
        assert!(refused.header("www-authenticate").is_some());
    }
}

#[test]
fn uploads_a_client_are_limited_where_a_rate_is_set_behind_a_proxy_too() {
    let sharer = Sharer::with(&[("SHARER_RATE", "1/2"), ("SHARER_TRUSTED_PROXIES", "127.0.0.1")]);
    let bytes = picture("rgb-8.png");
    let put = |client: &str| {
        let headers = [("X-Forwarded-For", client)];
        sharer.client.request("PUT", "/x", &headers, &bytes).unwrap()
    };
    // What a client itself puts before the proxy's word is not believed.
    let from = ["192.0.2.1", "203.0.113.9, 192.0.2.1", "203.0.113.10, 192.0.2.1"];
    assert_eq!(from.map(|client| put(client).status), [202, 202, 429]);
    let refused = put("192.0.2.1");
    assert_eq!(refused.error_code(), "too_many_uploads");
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() <= 60);
    // One customer's IPv6 network is one client.
    assert_eq!(["2001:db8::1", "2001:db8::2", "2001:db8::3"].map(|c| put(c).status), [202, 202, 429]);
    assert_eq!(put("2001:db8:0:1::1").status, 202);
}
