//! What clients of their own rely on: the rich answer, expiry, deletion by URL, CORS, ShareX, OpenAPI.

use serde_json::Value;

use super::*;
use crate::observe::time::now_millis;
use crate::record;
use crate::upload::Lifetime;
use crate::web::router;

const IMAGE: &str = "name=image; filename=a.png";

fn post(target: &str, parts: &[(&str, &[u8])]) -> Request {
    let form = form(parts);
    Request { target: target.to_owned(), ..form }
}

fn rich(house: &House, parts: &[(&str, &[u8])]) -> Value {
    let answer = post("/api/images", parts).send(house);
    assert_eq!(answer.status, 202, "{}", answer.text());
    answer.json()
}

fn refused(request: Request) -> (u16, String) {
    request.send(&house()).error()
}

#[test]
fn the_rich_answer_says_all_that_is_known() {
    let house = house();
    let image = rich(&house, &[(IMAGE, &picture(90, 60))]);
    let id = image["id"].as_str().unwrap();
    let page = format!("http://share.example/i/{id}");
    assert_eq!(image["url"], page);
    assert_eq!(image["status_url"], format!("{page}.json"));
    let token = image["delete_token"].as_str().unwrap();
    assert_eq!(image["delete_url"], format!("{page}/delete?token={token}"));
    assert_eq!(
        (&image["width"], &image["height"], &image["type"]),
        (&90.into(), &60.into(), &"image/png".into())
    );
    assert!(image["bytes"].as_u64().unwrap() > 0 && image["expires"].is_null());
    assert_eq!(image["urls"]["small"], format!("http://share.example/o/{id}/small.png"));
    let names: Vec<_> = image["sizes"].as_array().unwrap().iter().map(|size| size["name"].clone()).collect();
    assert_eq!(names, ["original", "small", "medium", "large"]);
    assert_eq!((&image["sizes"][1]["width"], &image["sizes"][1]["height"]), (&90.into(), &60.into()));
}

#[test]
fn the_rich_answer_can_be_a_line_or_a_page_too() {
    let house = house();
    let image = [(IMAGE, &picture(1, 1)[..])];
    let line = post("/api/images?format=txt", &image).send(&house);
    assert!(line.status == 202 && line.text().starts_with("http://share.example/i/"));
    let page = post("/api/images", &image).with("Accept", "text/html").send(&house);
    assert_eq!(page.status, 303);
}

#[test]
fn an_upload_is_kept_for_as_long_as_is_asked() {
    let usual = || configured(|config| config.uploads.lifetime = Lifetime::parse("9000"));
    let image = (IMAGE, &picture(1, 1)[..]);
    for (house, request, seconds) in [
        (house(), post("/", &[image, ("name=expires", b"60")]), Some(60)),
        (house(), post("/?expires=60", &[image]), Some(60)),
        (house(), post("/?expires=70", &[image, ("name=expires", b"60")]), Some(60)),
        (house(), post("/?expires=", &[image, ("name=expires", b"")]), None),
        (usual(), post("/", &[image]), Some(9000)),
        (usual(), post("/?expires=10000", &[image]), Some(10_000)),
    ] {
        let answer = request.send(&house);
        let id = Id::parse(answer.header("X-Image-Id")).unwrap();
        let record = record::read(&*house.memory, &id).unwrap();
        assert_eq!(record.expires, seconds.map(|seconds| record.created + seconds * 1000));
    }
    for bad in ["0", "-1", "soon", "2678401"] {
        assert_eq!(refused(post(&format!("/?expires={bad}"), &[image])), (400, "bad_expiry".to_owned()));
        let field = ("name=expires", bad.as_bytes());
        assert_eq!(refused(post("/", &[image, field])), (400, "bad_expiry".to_owned()));
    }
}

#[test]
fn objects_with_an_expiry_are_kept_by_caches_for_the_time_that_is_left() {
    let house = house_of_files();
    let answer = post("/", &[(IMAGE, &picture(1, 1)), ("name=expires", b"100")]).send(&house);
    let id = Id::parse(answer.header("X-Image-Id")).unwrap();
    let get = || house.get(&format!("/o/{id}/original.png"));
    let cache = get().header("Cache-Control").to_owned();
    let left: u64 = cache.strip_prefix("public, max-age=").unwrap().parse().unwrap();
    assert!((1..=100).contains(&left), "{cache}");
    // Pages and objects are gone from that second, swept or not.
    record::update(&*house.store, &id, |record| {
        record.expires = Some(now_millis());
        true
    })
    .unwrap();
    assert_eq!(get().error(), (410, "expired".to_owned()));
    assert_eq!(house.get(&format!("/i/{id}")).error(), (410, "expired".to_owned()));
    let forever = house.uploaded().0;
    let kept = house.get(&format!("/o/{forever}/original.png"));
    assert_eq!(kept.header("Cache-Control"), "public, max-age=31536000, immutable");
}

#[test]
fn looking_at_a_deletion_url_deletes_nothing() {
    let house = house();
    let (id, token) = house.uploaded();
    let target = format!("/i/{id}/delete?token={token}");
    let before = house.memory.keys();
    let page = house.get(&target);
    assert_eq!((page.status, house.memory.keys()), (200, before));
    assert!(page.text().contains(&format!("name=\"token\" value=\"{token}\"")));
    assert_eq!(
        house.get(&format!("/i/{id}/delete?token=wrong")).error(),
        (403, "wrong_delete_token".to_owned())
    );
    let asks = house.get(&format!("/i/{id}/delete"));
    assert!(asks.status == 200 && asks.text().contains("<input type=\"text\" name=\"token\""));

    let answer = Request::new(Method::Delete, &target).send(&house);
    assert_eq!((answer.status, house.memory.keys()), (204, vec![id.record()]));
}

fn confirm(house: &House, id: &Id, body: &str, headers: &[(&str, &str)]) -> Told {
    let target = format!("/i/{id}/delete");
    let request =
        Request::new(Method::Post, &target).body("application/x-www-form-urlencoded", body.as_bytes());
    headers.iter().fold(request, |request, (name, value)| request.with(name, value)).send(house)
}

#[test]
fn a_persons_yes_deletes_and_leads_to_a_page_that_says_so() {
    let house = house();
    let (id, token) = house.uploaded();
    assert_eq!(confirm(&house, &id, "token=wrong", &[]).error().0, 403);
    assert_eq!(confirm(&house, &id, "", &[]).error().0, 403);
    assert_eq!(confirm(&house, &id, &"x".repeat(2000), &[]).error(), (400, "field_too_large".to_owned()));
    let answer = confirm(&house, &id, &format!("token=+{token}"), &[("Accept", "text/html")]);
    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("Location"), format!("http://share.example/i/{id}"));
    assert_eq!(house.memory.keys(), [id.record()]);
    let gone = Request::new(Method::Get, &format!("/i/{id}")).with("Accept", "text/html").send(&house);
    assert!(gone.status == 410 && gone.text().contains("This picture is gone"));
}

#[test]
fn a_browser_keeps_the_token_of_what_it_uploaded() {
    let house = house();
    let answer = form(&[(IMAGE, &picture(8, 6))]).with("Accept", "text/html").send(&house);
    let id = Id::parse(answer.header("X-Image-Id")).unwrap();
    let cookie = answer.header("Set-Cookie");
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    assert_eq!(attributes, format!("Path=/i/{id}; Max-Age=31536000; SameSite=Lax"));
    let own =
        Request::new(Method::Get, &format!("/i/{id}")).with("Cookie", &format!("a=b; {pair}")).send(&house);
    assert!(own.text().contains(&format!("href=\"/i/{id}/delete\"")));
    assert!(!own.text().contains(answer.header("X-Delete-Token")), "a page that is shared tells no token");
    let anothers = house.get(&format!("/i/{id}"));
    assert!(
        anothers.text().contains("name=\"token\"")
            && !anothers.text().contains(&format!("href=\"/i/{id}/delete\""))
    );
    assert_eq!(confirm(&house, &id, "", &[("Cookie", pair)]).status, 204);
}

#[test]
fn a_cookie_fits_where_pages_are() {
    let house = configured(|config| config.links.pages = Some("https://a.example/pics".to_owned()));
    let answer = form(&[(IMAGE, &picture(8, 6))]).with("Accept", "text/html").send(&house);
    let cookie = answer.header("Set-Cookie");
    assert!(cookie.contains("; Path=/pics/i/") && cookie.ends_with("; SameSite=Lax; Secure"), "{cookie}");
    let id = answer.header("X-Image-Id");
    assert!(house.get(&format!("/i/{id}")).text().contains(&format!("action=\"/pics/i/{id}/delete\"")));
    assert!(house.get("/").text().contains("action=\"/pics/\""));
}

#[test]
fn a_state_names_what_is_there_and_news_end_a_wait() {
    let house = house();
    let (id, _) = house.uploaded();
    let status = |query: &str| house.get(&format!("/i/{id}.json{query}")).json();
    assert_eq!(status("")["ready"], serde_json::json!(["original"]));
    let begun = std::time::Instant::now();
    assert_eq!(status("?wait=20&known=0")["state"], "pending");
    assert!(begun.elapsed() < Duration::from_secs(15), "the original is news to who knows nothing");
    house.make_thumbnails(&id);
    assert_eq!(
        status("?wait=20&known=1")["ready"],
        serde_json::json!(["original", "small", "medium", "large"])
    );
}

#[test]
fn more_waits_than_there_is_room_for_are_answered_at_once() {
    let house = configured(|config| config.max_waits = 0);
    let (id, _) = house.uploaded();
    let begun = std::time::Instant::now();
    assert_eq!(house.get(&format!("/i/{id}.json?wait=20")).json()["state"], "pending");
    assert!(begun.elapsed() < Duration::from_secs(15));
}

fn from(request: Request, origin: &str) -> Request {
    request.with("Origin", origin)
}

fn preflight(target: &str) -> Request {
    Request::new(Method::Options, target).with("Access-Control-Request-Method", "POST")
}

#[test]
fn pages_of_listed_origins_may_upload_and_no_others() {
    let house = configured(|config| config.origins = Origins::parse("https://a.example").unwrap());
    let upload = || form(&[(IMAGE, &picture(8, 6))]);
    let answer = from(upload(), "https://a.example").send(&house);
    assert_eq!(answer.status, 202);
    assert_eq!(answer.header("Access-Control-Allow-Origin"), "https://a.example");
    assert!(answer.header("Access-Control-Expose-Headers").contains("X-Delete-Token"));
    assert_eq!(answer.header("Vary"), "Origin");
    let error = from(form(&[]), "https://a.example").send(&house);
    assert_eq!((error.status, error.header("Access-Control-Allow-Origin")), (400, "https://a.example"));
    for origin in ["https://b.example", "http://a.example", "https://a.example:444", "null"] {
        let answer = from(upload(), origin).send(&house);
        assert_eq!((answer.header("Access-Control-Allow-Origin"), answer.header("Vary")), ("", "Origin"));
    }

    let allowed = from(preflight("/api/images"), "https://a.example").send(&house);
    assert_eq!((allowed.status, allowed.header("Access-Control-Allow-Origin")), (204, "https://a.example"));
    assert!(allowed.header("Access-Control-Allow-Methods").contains("DELETE"));
    assert!(allowed.header("Access-Control-Allow-Headers").contains("Authorization"));
    let refused = from(preflight("/api/images"), "https://b.example").send(&house);
    assert_eq!((refused.status, refused.header("Access-Control-Allow-Origin")), (405, ""));
}

#[test]
fn any_origin_may_upload_where_all_may() {
    let house = configured(|config| config.origins = Origins::parse("*").unwrap());
    let allowed = from(preflight("/"), "https://b.example").send(&house);
    assert_eq!((allowed.status, allowed.header("Access-Control-Allow-Origin")), (204, "https://b.example"));
}

#[test]
fn without_the_setting_no_origin_is_named() {
    let answer = from(form(&[(IMAGE, &picture(8, 6))]), "https://a.example").send(&house());
    assert_eq!((answer.header("Access-Control-Allow-Origin"), answer.header("Vary")), ("", ""));
}

#[test]
fn sharex_is_told_where_this_server_is() {
    let answer = house().get("/sharex.sxcu");
    assert!(answer.header("Content-Disposition").contains(".sxcu"));
    let uploader = answer.json();
    assert_eq!(uploader["RequestURL"], "http://share.example/api/images");
    assert_eq!((&uploader["FileFormName"], &uploader["URL"]), (&"image".into(), &"{json:url}".into()));
    assert!(uploader["Headers"].get("Authorization").is_none());
    let house = configured(|config| config.upload_token = Some("s3cret-s3cret-s3cret".to_owned()));
    let answer = house.get("/sharex.sxcu");
    assert!(answer.json()["Headers"]["Authorization"].as_str().unwrap().starts_with("Bearer "));
    assert!(!answer.text().contains("s3cret"), "the token is told to nobody");
}

#[test]
fn a_page_runs_its_own_script_and_style_and_nothing_else() {
    let house = house();
    let (id, token) = house.uploaded();
    let page = |target: &str| Request::new(Method::Get, target).with("Accept", "text/html").send(&house);
    for target in
        ["/".to_owned(), format!("/i/{id}"), format!("/i/{id}/delete?token={token}"), "/nowhere".to_owned()]
    {
        let page = page(&target);
        let policy = page.header("Content-Security-Policy");
        for kind in ["script", "style"] {
            let (_, rest) = page.text().split_once(&format!("<{kind}>")).unwrap();
            let (text, rest) = rest.split_once(&format!("</{kind}>")).unwrap();
            assert!(!rest.contains(&format!("<{kind}")), "one {kind} on {target}");
            let hash = crate::web::html::hash(text);
            assert!(policy.contains(&format!("{kind}-src 'sha256-{hash}';")), "{target}: {policy}");
        }
        assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!page.text().contains(" style=\"") && !page.text().contains(" onclick="), "{target}");
    }
}

#[test]
fn the_page_to_upload_with_is_small() {
    assert!(house().get("/").body.len() < 40_000);
}

const METHODS: [(&str, Method); 6] = [
    ("get", Method::Get),
    ("post", Method::Post),
    ("put", Method::Put),
    ("delete", Method::Delete),
    ("patch", Method::Patch),
    ("options", Method::Options),
];

#[test]
fn the_description_has_every_path_and_method_and_no_other() {
    let document: Value = serde_json::from_slice(super::super::fixed::OPENAPI).unwrap();
    let id = Id::from_bytes([1; 16]).to_string();
    let fill =
        |path: &str| path.replace("{id}", &id).replace("{file}", "small.png").replace("{name}", "photo.jpg");
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (name, method) in METHODS {
            let routed = router::route(&method, &fill(path)).is_ok();
            assert_eq!(routed, operations.get(name).is_some(), "{name} {path}");
        }
        // What the router says is allowed is what the description has.
        let Err(Problem::Method { allow }) = router::route(&Method::Patch, &fill(path)) else { continue };
        let said = allow.split(", ").filter(|method| *method != "HEAD");
        let said: Vec<String> = said.map(str::to_lowercase).collect();
        let mut described: Vec<&str> = METHODS.map(|(name, _)| name).into();
        described.retain(|name| operations.get(name).is_some());
        assert_eq!(said, described, "{path}");
    }
    let described = document["paths"].as_object().unwrap().len();
    assert_eq!(described, router::PATHS, "every place of the router has its path");
}

#[test]
fn the_description_has_every_status_that_an_operation_can_have() {
    let document: Value = serde_json::from_slice(super::super::fixed::OPENAPI).unwrap();
    // The door's own, which any request may meet.
    let every = ["400", "408", "414", "417", "429", "431", "500", "501", "503", "505"];
    let own = |operation: &str| -> &[&str] {
        match operation {
            "upload" | "uploadBytes" | "uploadFile" | "createImage" | "createImageFromBytes" => {
                &["202", "303", "401", "406", "413", "415"]
            }
            "announceUpload" => &["201", "401", "413", "415"],
            "share" | "status" => &["200", "404", "410"],
            "delete" | "deleteByUrl" => &["204", "403", "404", "410"],
            "askToDelete" => &["200", "403", "404", "410"],
            "confirmDeletion" => &["204", "303", "403", "404", "410", "413"],
            "object" => &["200", "206", "304", "404", "410", "416"],
            "home" | "health" | "sharex" | "openapi" | "icon" => &["200"],
            other => panic!("what can {other} answer?"),
        }
    };
    for (path, operations) in document["paths"].as_object().unwrap() {
        for operation in operations.as_object().unwrap().values() {
            let Some(name) = operation["operationId"].as_str() else { continue };
            let described: Vec<&str> =
                operation["responses"].as_object().unwrap().keys().map(String::as_str).collect();
            let mut expected: Vec<&str> = own(name).iter().chain(&every).copied().collect();
            expected.sort_unstable();
            assert_eq!(described, expected, "{name} {path}");
        }
    }
}
