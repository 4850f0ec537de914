//! What an operator sees of the real programs: `/metrics` of server and worker, and one request's way
//! through both logs.

use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Client, Folder, Sharer, Site, command, noise_jpeg, picture};

const SOON: Duration = Duration::from_secs(30);

/// A place for metrics that was free a moment ago.
fn place() -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    Client { address: listener.local_addr().unwrap() }
}

fn metrics_at(client: Client) -> (&'static str, String) {
    ("SHARER_METRICS_LISTEN", client.address.to_string())
}

/// The page, once the program listens.
fn page(client: Client) -> String {
    let deadline = Instant::now() + SOON;
    loop {
        match client.request("GET", "/metrics", &[], b"") {
            Ok(reply) => {
                assert_eq!(reply.status, 200, "{}", reply.text());
                assert!(reply.header("content-type").unwrap().contains("version=0.0.4"));
                return reply.text();
            }
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until the page holds this line.
fn shows(client: Client, line: &str) {
    let deadline = Instant::now() + SOON;
    loop {
        let page = page(client);
        if page.lines().any(|l| l == line) {
            return;
        }
        assert!(Instant::now() < deadline, "no {line:?} in\n{page}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn server_and_worker_tell_what_they_did() {
    let (served, worked) = (place(), place());
    let site = Site::on(vec![metrics_at(served)]);
    let _worker = site.worker_with(&[metrics_at(worked)]);
    let reply = site.client.upload("a.jpg", &noise_jpeg(300, 200, 1));
    site.client.wait_for(&reply.url("large"), SOON);
    assert_eq!(site.client.upload("b.txt", b"no picture").status, 400);
    assert_eq!(site.client.get("/wp-login.php?token=secret").status, 404);
    for line in [
        "sharer_http_requests_total{method=\"POST\",route=\"/\",status=\"202\"} 1",
        "sharer_http_requests_total{method=\"POST\",route=\"/\",status=\"400\"} 1",
        "sharer_http_requests_total{method=\"GET\",route=\"other\",status=\"404\"} 1",
        "sharer_http_rejected_total{reason=\"not_an_image\"} 1",
        "sharer_upload_bytes_count 1",
        "sharer_upload_duration_seconds_count 1",
        "sharer_http_requests_in_flight 0",
    ] {
        shows(served, line);
    }
    for line in [
        "sharer_jobs_total{result=\"done\"} 1",
        "sharer_jobs_total{result=\"failed\"} 0",
        "sharer_time_to_thumbnail_seconds_count 1",
        "sharer_stage_duration_seconds_count{stage=\"make\"} 1",
        "sharer_queue_age_seconds_count 1",
        "sharer_memory_budget_used_bytes{part=\"decoding\"} 0",
        "sharer_messages_in_hand 0",
        "sharer_queue_messages{state=\"dead\"} 0",
    ] {
        shows(worked, line);
    }
    let id = reply.header("x-image-id").unwrap();
    for page in [page(served), page(worked)] {
        assert!(page.contains("process_resident_memory_bytes ") && page.contains("sharer_build_info{"));
        assert!(!page.contains("wp-login") && !page.contains("secret") && !page.contains(id), "{page}");
    }
    assert_eq!(site.client.get("/metrics").status, 404, "never on the public port");
    assert_eq!((served.get("/").status, served.get("/healthz").status), (404, 404));
}

#[test]
fn one_machine_tells_both_in_one_page() {
    let told = place();
    let sharer = Sharer::with(&[("SHARER_METRICS_LISTEN", &told.address.to_string())]);
    let reply = sharer.client.upload("a.png", &picture("rgb-8.png"));
    sharer.client.wait_for(&reply.url("large"), SOON);
    shows(told, "sharer_jobs_total{result=\"done\"} 1");
    shows(told, "sharer_http_requests_total{method=\"POST\",route=\"/\",status=\"202\"} 1");
}

#[test]
fn an_address_that_is_taken_ends_only_a_program_that_was_told_to_listen_there() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let (folder, address) = (Folder::new("taken"), holder.local_addr().unwrap().to_string());
    let output = command("image-sharer")
        .current_dir(folder.path())
        .envs([("SHARER_METRICS_LISTEN", address.as_str()), ("SHARER_LISTEN", "127.0.0.1:0")])
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("SHARER_METRICS_LISTEN") && error.contains(&address), "{error}");

    // Whoever holds the usual port, we or another program of this machine: the server starts.
    let _usual = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 9090)));
    let site = Site::start(&[("SHARER_METRICS_LISTEN", "")]);
    assert_eq!(site.client.get("/").status, 200);
}

#[test]
fn one_request_is_followed_from_the_servers_log_to_the_workers() {
    for format in ["logfmt", "json"] {
        let token = "token-of-sixteen-or-more";
        let site = Site::start(&[("SHARER_LOG_FORMAT", format), ("SHARER_UPLOAD_TOKEN", token)]);
        let worker = site.worker();
        let bearer = format!("Bearer {token}");
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", "image/jpeg")];
        let reply = site.client.request("POST", "/", &headers, &noise_jpeg(300, 200, 1)).unwrap();
        site.client.wait_for(&reply.url("large"), SOON);
        let (request_id, id) = (reply.header("x-request-id").unwrap(), reply.header("x-image-id").unwrap());
        let deletion = reply.header("x-delete-token").unwrap();
        let target = format!("/i/{id}?token={deletion}");
        assert_eq!(site.client.request("DELETE", &target, &[], b"").unwrap().status, 204);

        let server = site.server.log();
        event(&server, format, request_id, "accepted an upload", ("id", id));
        event(&server, format, request_id, "answered", ("status", "202"));
        let deadline = Instant::now() + SOON;
        while !worker.log().contains("thumbnails stored") {
            assert!(Instant::now() < deadline, "{}", worker.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        event(&worker.log(), format, request_id, "thumbnails stored", ("id", id));
        for log in [server, worker.log()] {
            assert!(!log.contains(token) && !log.contains(deletion), "{log}");
        }
    }
}

/// Whether the log holds one line with this message, this request id, and this field.
fn event(log: &str, format: &str, request_id: &str, message: &str, (name, value): (&str, &str)) {
    let is_it = |line: &&str| match format {
        "json" => {
            let fields: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
            let is = |name: &str, text: &str| fields[name].to_string().trim_matches('"') == text;
            is("msg", message) && is("request_id", request_id) && is(name, value)
        }
        _ => {
            let message =
                if message.contains(' ') { format!("msg=\"{message}\"") } else { format!("msg={message}") };
            line.contains(&message)
                && line.contains(&format!("request_id={request_id}"))
                && line.contains(&format!(" {name}={value}"))
        }
    };
    assert_eq!(log.lines().filter(is_it).count(), 1, "{message} of {request_id} in\n{log}");
}
