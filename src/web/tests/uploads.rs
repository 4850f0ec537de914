//! Every status of an upload that is the site's to give, and that nothing half-done is left.

use super::*;
use crate::image::pictures;
use crate::upload::sizes::{ORIGINAL, thumbnails};

const IMAGE: &str = "name=\"image\"; filename=\"a.png\"";

/// Status and code of the answer to a form whose file holds these bytes; nothing may be stored.
#[track_caller]
fn refused(bytes: &[u8]) -> (u16, String) {
    refused_request(&form(&[(IMAGE, bytes)]))
}

#[track_caller]
fn refused_request(request: &Request) -> (u16, String) {
    let house = house();
    let told = request.send(&house);
    assert_eq!(house.memory.keys(), []);
    assert_eq!(house.queue.depth().unwrap().waiting, 0);
    told.error()
}

fn told(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[test]
fn an_upload_is_stored_recorded_queued_and_answered() {
    let house = house();
    let answer = house.upload(&[]);
    let id = Id::parse(answer.header("X-Image-Id")).unwrap();
    let url = |name: &str| format!("http://share.example/o/{id}/{name}.png");
    let (original, small, medium, large) = (url("original"), url("small"), url("medium"), url("large"));
    assert_eq!(
        answer.text(),
        format!(
            "{{\"original\":\"{original}\",\"small\":\"{small}\",\"medium\":\"{medium}\",\"large\":\"{large}\"}}"
        )
    );
    assert_eq!((answer.status, answer.header("Content-Type")), (202, "application/json"));
    assert_eq!(answer.header("Location"), format!("http://share.example/i/{id}"));

    let key = id.object(ORIGINAL, "png");
    assert_eq!(house.memory.get(&key, MAX_BYTES).unwrap().bytes, picture(8, 6));
    let meta = house.memory.head(&key).unwrap();
    assert_eq!(
        (meta.content_type.as_str(), meta.cache_control.as_str()),
        ("image/png", crate::store::IMMUTABLE)
    );

    let record = crate::record::read(&*house.memory, &id).unwrap();
    assert_eq!((record.width, record.height, record.bytes), (8, 6, meta.length));
    assert!(record.admits(answer.header("X-Delete-Token")) && record.expires.is_none());

    let sent = house.queue.receive(10, Duration::from_secs(60), Duration::ZERO).unwrap();
    let job = crate::job::read(&sent[0].body).unwrap();
    assert_eq!((sent.len(), &job.id, &job.original, job.request_id.as_str()), (1, &id, &key, "req-1"));
    let wanted: Vec<_> = job.thumbnails.iter().map(|t| (t.name.as_str(), t.key.clone())).collect();
    assert_eq!(wanted, thumbnails(&id, "png"));
    let bounds: Vec<_> = job.thumbnails.iter().map(|t| (t.width, t.height)).collect();
    assert_eq!(bounds, [(100, 100), (300, 300), (600, 600)]);
}

#[test]
fn the_original_is_there_before_its_record_and_that_before_the_job() {
    let house = house();
    let (id, _) = house.uploaded();
    let calls = house.store.calls.lock().unwrap().clone();
    assert_eq!(calls, [format!("create {}", id.object(ORIGINAL, "png")), format!("create {}", id.record())]);
}

#[test]
fn clients_get_the_kind_they_like_best() {
    let house = house();
    let browser = house.upload(&[("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")]);
    assert_eq!((browser.status, browser.text()), (303, ""));
    assert_eq!(
        browser.header("Location"),
        format!("http://share.example/i/{}", browser.header("X-Image-Id"))
    );
    let line = house.upload(&[("Accept", "text/plain")]);
    assert_eq!((line.status, line.text()), (202, format!("{}\n", line.header("Location")).as_str()));
    let mut request = form(&[(IMAGE, &picture(1, 1))]);
    request.target = "/?format=txt".to_owned();
    let line = request.send(&house);
    assert_eq!((line.status, line.text()), (202, format!("{}\n", line.header("Location")).as_str()));
}

#[test]
fn a_client_that_accepts_nothing_of_ours_is_told_before_its_body() {
    let answer = form(&[(IMAGE, &picture(1, 1))]).with("Accept", "image/png").send(&house());
    assert_eq!((answer.stage, answer.error()), (Stage::Head, told(406, "not_acceptable")));
}

#[test]
fn bare_bytes_are_an_upload() {
    let (house, bytes) = (house(), picture(8, 6));
    for request in [
        Request::new(Method::Post, "/").body("image/png", &bytes),
        Request::new(Method::Post, "/").body("application/octet-stream", &bytes).chunked(),
        Request::new(Method::Put, "/../%0d%0a%F0%9F%A6%80.jpg?x".split("/..").last().unwrap())
            .body("image/jpeg", &bytes),
    ] {
        assert_eq!(request.send(&house).status, 202);
    }
}

#[test]
fn what_is_no_upload_is_refused() {
    let bytes = picture(2, 2);
    let post = || Request::new(Method::Post, "/");
    for (request, status, code) in [
        (form(&[]), 400, "no_file"),
        (form(&[("name=\"text\"", b"hello")]), 400, "no_file"),
        (form(&[(IMAGE, &bytes), ("name=b; filename=b", &bytes)]), 400, "too_many_files"),
        (form(&[(IMAGE, b"")]), 400, "empty_file"),
        (post(), 400, "empty_file"),
        (post().body("image/png", b"").chunked(), 400, "empty_file"),
        (post().body("text/plain", b"hello"), 415, "unsupported_media_type"),
        (post().body("application/x-www-form-urlencoded", b"image=1"), 415, "unsupported_media_type"),
        (post().body("multipart/form-data", b"--"), 400, "malformed_form"),
        (post().body("multipart/form-data; boundary=x", b"--x\r\nfoo"), 400, "malformed_form"),
        (form(&[("filename=b", &bytes)]), 400, "malformed_form"),
        (form(&[("name=image; filename=\"a\r\nX: y\"", &bytes)]), 400, "malformed_form"),
        (form(&[(IMAGE, &bytes), ("name=t", &[b'x'; 5000])]), 400, "field_too_large"),
    ] {
        assert_eq!(refused_request(&request), told(status, code));
    }
}

#[test]
fn bytes_that_are_no_image_are_refused() {
    assert_eq!(refused(b"Dear all, this is text."), told(400, "not_an_image"));
    assert_eq!(refused(&picture(8, 6)[..20]), told(400, "truncated_image"));
    let jpeg_cut_in_its_header =
        b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xdb\x00";
    assert_eq!(refused(jpeg_cut_in_its_header), told(400, "truncated_image"));
    assert_eq!(refused(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), told(415, "unsupported_image"));
}

#[test]
fn too_much_is_refused() {
    assert_eq!(refused(&picture(101, 100)), told(413, "too_many_pixels"));
    let bytes = vec![0; MAX_BYTES as usize + 1];
    assert_eq!(refused(&bytes), told(413, "too_large"));
    let declared = Request::new(Method::Post, "/").body("image/png", &bytes).send(&house());
    assert_eq!((declared.stage, declared.error()), (Stage::Head, told(413, "too_large")));
    let chunked = Request::new(Method::Post, "/").body("image/png", &bytes).chunked().send(&house());
    assert_eq!((chunked.stage, chunked.error()), (Stage::Body, told(413, "too_large")));
}

#[test]
fn names_of_files_are_never_repeated() {
    for name in ["../../etc/passwd", "<script>", "🦀", "x\\\"y", "con%0D%0ASet-Cookie: a=b"] {
        let answer =
            form(&[(&format!("name=\"image\"; filename=\"{name}\""), &picture(1, 1))]).send(&house());
        assert_eq!(answer.status, 202, "{name}");
        assert!(!answer.text().contains(name) && !answer.header("Location").contains(name));
    }
}

#[test]
fn a_token_is_asked_for_where_one_is_set() {
    let house = configured(|config| config.upload_token = Some("s3cret".to_owned()));
    for (header, code) in [
        ("", "no_token"),
        ("Basic s3cret", "no_token"),
        ("Bearer", "no_token"),
        ("Bearer s3cre", "wrong_token"),
        ("Bearer S3cret", "wrong_token"),
    ] {
        let answer = form(&[(IMAGE, &picture(1, 1))]).with("Authorization", header).send(&house);
        assert_eq!((answer.stage, answer.error()), (Stage::Head, told(401, code)), "{header}");
        assert!(answer.header("WWW-Authenticate").starts_with("Bearer"));
    }
    house.upload(&[("Authorization", "bearer s3cret")]);
    assert_eq!(house.get("/").status, 200);
}

#[test]
fn a_client_that_uploads_too_fast_is_told_when_to_go_on() {
    let house = configured(|config| config.rate = Some("1/2".parse().unwrap()));
    let request = form(&[(IMAGE, &picture(1, 1))]);
    let from = |client: [u8; 4]| request.send_head(&house, &Head { client: client.into(), ..request.head() });
    // What is refused by its head alone does not count.
    assert_eq!(Request::new(Method::Post, "/").send(&house).status, 400);
    assert_eq!((from([10, 0, 0, 1]).status, from([10, 0, 0, 1]).status), (202, 202));
    let answer = from([10, 0, 0, 1]);
    assert_eq!((answer.stage, answer.error()), (Stage::Head, told(429, "too_many_uploads")));
    let wait: u64 = answer.header("Retry-After").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(from([10, 0, 0, 2]).status, 202);
    assert_eq!(house.get("/").status, 200);
}

/// The answer where rooms fail like this, and the keys that are left.
fn upload_failing(faults: Faults) -> (Told, Vec<Key>) {
    let house = failing(faults);
    let answer = form(&[(IMAGE, &picture(8, 6))]).send(&house);
    let keys = house.memory.keys();
    (answer, keys)
}

#[test]
fn whatever_fails_nothing_is_left() {
    for faults in [
        Faults { create: Some((0, Fault::Down)), ..Faults::default() },
        Faults { create: Some((0, Fault::Lost)), ..Faults::default() },
        Faults { create: Some((1, Fault::Down)), ..Faults::default() },
        Faults { create: Some((1, Fault::Lost)), ..Faults::default() },
        Faults { send: Some(Fault::Down), ..Faults::default() },
    ] {
        let (answer, keys) = upload_failing(faults);
        assert_eq!(answer.error(), told(503, "unavailable"));
        assert!(!answer.header("Retry-After").is_empty());
        assert!(!answer.text().contains("s3.example"), "a cause is the operator's to know");
        assert_eq!(keys, []);
    }
}

#[test]
fn a_removal_that_fails_does_not_hide_the_first_failure() {
    let (answer, keys) =
        upload_failing(Faults { send: Some(Fault::Down), delete: true, ..Faults::default() });
    assert_eq!((answer.error(), keys.len()), (told(503, "unavailable"), 2));
}

#[test]
fn a_panic_leaves_nothing_either() {
    for faults in [
        Faults { create: Some((1, Fault::Panic)), ..Faults::default() },
        Faults { send: Some(Fault::Panic), ..Faults::default() },
    ] {
        let house = failing(faults);
        let request = form(&[(IMAGE, &picture(8, 6))]);
        let sent = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| request.send(&house)));
        assert!(sent.is_err());
        assert_eq!(house.memory.keys(), []);
    }
}

#[test]
fn where_an_id_is_taken_another_is_tried() {
    for (call, removed) in [(0, 0), (1, 1)] {
        let house = failing(Faults { create: Some((call, Fault::Taken)), ..Faults::default() });
        let (id, _) = house.uploaded();
        let left = house.memory.keys();
        assert!(left.len() == 2 && left.contains(&id.record()) && left.contains(&id.object(ORIGINAL, "png")));
        // What is another's is not removed; what was created beside it is.
        let calls = house.store.calls.lock().unwrap().clone();
        assert_eq!(calls.iter().filter(|call| call.starts_with("delete")).count(), removed, "{calls:?}");
    }
}

#[test]
fn memory_that_bodies_took_is_given_back() {
    let budget = Budget::new(1 << 20);
    let of_site = Arc::clone(&budget);
    let house = configured(move |config| config.uploads.spool.budget = of_site);
    house.upload(&[]);
    form(&[(IMAGE, b"no image")]).send(&house);
    let head = form(&[]).head();
    let mut half = house.site.admit(&head).unwrap();
    half.exchange.body(b"--xx\r\nContent-Disposition: form-data; name=image\r\n\r\nabc\r\n").unwrap();
    assert!(budget.used() > 0);
    drop(half);
    assert_eq!(budget.used(), 0);
}

#[test]
fn a_body_beyond_memory_goes_through_a_file() {
    let house = configured(|config| config.uploads.spool.memory_each = 10);
    house.upload(&[]);
    let house = configured(|config| {
        config.uploads.spool.memory_each = 10;
        config.uploads.spool.folder = "/nonexistent".into();
    });
    let answer = form(&[(IMAGE, &picture(8, 6))]).send(&house);
    assert_eq!(answer.error(), told(503, "unavailable"));
}

#[test]
fn urls_start_with_what_settings_or_the_request_say() {
    let house = configured(|config| {
        config.links.objects = Some("https://cdn.example/a".to_owned());
        config.links.pages = Some("https://pages.example".to_owned());
    });
    let answer = house.upload(&[("Host", "other.example")]);
    let id = answer.header("X-Image-Id");
    assert_eq!(answer.header("Location"), format!("https://pages.example/i/{id}"));
    assert_eq!(answer.json()["small"], format!("https://cdn.example/a/{id}/small.png"));
    assert_eq!(form(&[(IMAGE, &picture(1, 1))]).with("Host", "a b").send(&house).status, 202);
}

#[test]
fn a_proxys_word_on_the_scheme_is_kept() {
    let (house, request) = (house(), form(&[(IMAGE, &picture(1, 1))]));
    let head = Head { forwarded_proto: Some("https"), ..request.head() };
    let answer = request.send_head(&house, &head);
    assert!(answer.header("Location").starts_with("https://share.example/i/"));
}

#[test]
fn a_host_that_could_not_be_repeated_is_refused() {
    for host in ["a/b", "a b", "evil\"><script>", "a@b", "a:b"] {
        let answer = form(&[(IMAGE, &picture(1, 1))]).with("Host", host).send(&house());
        assert_eq!((answer.stage, answer.error()), (Stage::Head, told(400, "bad_host")), "{host}");
        assert!(!answer.text().contains(host));
    }
}

#[test]
fn what_the_world_can_read_holds_nothing_private_from_the_first() {
    for extension in ["jpg", "png", "gif", "webp"] {
        let sent = pictures::bytes(&format!("private.{extension}"));
        let house = house();
        let answer = form(&[(IMAGE, &sent)]).send(&house);
        assert_eq!(answer.status, 202, "{extension}");
        let id = Id::parse(answer.header("X-Image-Id")).unwrap();
        let stored = house.memory.get(&id.object(ORIGINAL, extension), MAX_BYTES).unwrap().bytes;
        assert!(holds_private(&sent) && !holds_private(&stored), "{extension}");
        let record = crate::record::read(&*house.memory, &id).unwrap();
        assert_eq!(record.bytes, stored.len() as u64);
    }
}

fn holds_private(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, b"PRIVATE").is_some()
}

#[test]
fn formats_and_sizes_come_from_the_bytes() {
    for (name, original, thumbnails, width, height) in [
        ("orientation-6.jpg", "jpg", "jpg", 75, 50),
        ("rgb-8.png", "png", "png", 45, 31),
        ("static.gif", "gif", "png", 45, 31),
        ("lossy.webp", "webp", "jpg", 45, 31),
        ("lossy-alpha.webp", "webp", "png", 45, 31),
    ] {
        let house = house();
        let part = "name=\"image\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\nContent-Length: 1";
        let answer = form(&[(part, &pictures::bytes(name))]).send(&house);
        let id = answer.header("X-Image-Id");
        assert_eq!(answer.json()["original"], format!("http://share.example/o/{id}/original.{original}"));
        assert_eq!(answer.json()["large"], format!("http://share.example/o/{id}/large.{thumbnails}"));
        let record = crate::record::read(&*house.memory, &Id::parse(id).unwrap()).unwrap();
        assert_eq!((record.width, record.height), (width, height), "{name}");
    }
}

#[test]
fn headers_that_promise_no_picture_are_refused() {
    for (name, status, code) in [
        ("cut-in-header.jpg", 400, "truncated_image"),
        ("cut-in-header.png", 400, "truncated_image"),
        ("cut-in-header.gif", 400, "truncated_image"),
        ("cut-in-header.webp", 400, "truncated_image"),
        ("bad-depth.png", 400, "corrupt_image"),
        ("arithmetic.jpg", 415, "unsupported_image"),
        ("claims-16383.jpg", 413, "too_many_pixels"),
    ] {
        assert_eq!(refused(&pictures::bytes(name)), told(status, code), "{name}");
    }
}
