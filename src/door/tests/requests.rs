//! What requests are answered: kept connections, bodies, expectations, faults of clients and of ours.

use std::net::Shutdown;

use proptest::prelude::*;

use super::*;

#[test]
fn a_connection_serves_one_request_after_the_other() {
    let door = open(|_| {});
    let mut client = door.client();
    for body in ["first", "", "third"] {
        client.send(post("/echo", body));
        let reply = client.reply();
        assert_eq!((reply.status, reply.text()), (200, body));
        assert_eq!(reply.header("connection"), None);
    }
    assert_eq!(door.echo.await_told(3)[2].received, 5);
}

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    let door = open(|_| {});
    let mut client = door.client();
    client.send([post("/a", "one"), get("/b", ""), "\r\n".into(), post("/c", "three")].concat());
    for (path, body) in [("POST /a Some(3)", "one"), ("GET /b Some(0)", ""), ("POST /c Some(5)", "three")] {
        let reply = client.reply();
        assert_eq!((reply.header("x-seen"), reply.text()), (Some(path), body));
    }
}

#[test]
fn a_head_may_come_byte_by_byte() {
    let door = open(|_| {});
    let mut client = door.client();
    client.0.get_ref().set_nodelay(true).unwrap();
    for byte in post("/echo", "slowly").bytes() {
        client.send([byte]);
    }
    assert_eq!(client.reply().text(), "slowly");
}

#[test]
fn chunks_become_one_body() {
    let door = open(|_| {});
    let mut client = door.client();
    let head = "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    client.send(format!("{head}3;a=\"b\"\r\nabc\r\n02\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n{}", get("/next", "")));
    let reply = client.reply();
    assert_eq!((reply.text(), reply.header("x-seen")), ("abcde", Some("POST /echo None")));
    assert_eq!(client.reply().header("x-seen"), Some("GET /next Some(0)"));
    client.send(format!("{head}3\r\nabcd\r\n"));
    assert_eq!(client.reply().status, 400);
}

#[test]
fn a_body_without_a_declaration_is_empty() {
    let door = open(|_| {});
    for method in ["POST", "PUT"] {
        assert_eq!(door.ask(format!("{method} /echo HTTP/1.1\r\nHost: h\r\n\r\n")).status, 200);
    }
}

#[test]
fn malformed_requests_are_refused_and_the_connection_ends() {
    let door = open(|_| {});
    for (lines, status) in [
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400),
        ("Content-Length: 5\r\nContent-Length: 5\r\n", 400),
        ("Content-Length: 35x\r\n", 400),
        ("X: a\r\n b\r\n", 400),
        ("X: a\nY: b\r\n", 400),
        ("X: a\0b\r\n", 400),
        ("Host: again\r\n", 400),
        ("Transfer-Encoding: gzip\r\n", 501),
        ("Expect: a-miracle\r\n", 417),
        ("Content-Length: 18446744073709551615\r\n", 413),
        ("Content-Length: 99999999999999999999999\r\n", 413),
        ("Content-Length: 1000000000000\r\n", 413),
    ] {
        // What follows must not be taken for a request.
        assert_eq!(door.ask_last(get("/echo", lines) + &get("/smuggled", "")), status, "{lines:?}");
    }
    assert_eq!(door.ask_last("GET / HTTP/2.0\r\nHost: h\r\n\r\n"), 505);
    assert_eq!(door.ask_last("GET /\n"), 400);
    let told = door.echo.await_told(14);
    assert!(told.iter().all(|t| t.complete && t.path.as_deref() != Some("/smuggled")), "{told:?}");
}

#[test]
fn the_service_words_refusals_and_knows_the_head_if_there_is_one() {
    let door = open(|_| {});
    let reply = door.ask(get("/", "Transfer-Encoding: gzip\r\n"));
    assert_eq!((reply.text(), reply.header("x-knows-head")), ("TransferCoding", Some("yes")));
    assert_eq!(door.ask(b"GET /\n").header("x-knows-head"), Some("no"));
}

#[test]
fn a_head_answer_has_a_length_and_no_body() {
    let door = open(|_| {});
    let mut client = door.client();
    client.send("HEAD /bytes?70000 HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(client.head().header("content-length"), Some("70000"));
    client.send(get("/none", "") + &get("/unchanged", "") + &get("/echo", ""));
    for status in [204, 304] {
        let reply = client.head();
        assert_eq!((reply.status, reply.header("content-length")), (status, None));
    }
    assert_eq!(client.reply().status, 200);
}

#[test]
fn http_10_connections_end_unless_asked_to_stay() {
    let door = open(|_| {});
    assert_eq!(door.ask_last("GET /echo HTTP/1.0\r\n\r\n"), 200);
    let mut client = door.client();
    for _ in 0..2 {
        client.send("GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        assert_eq!(client.reply().header("connection"), Some("keep-alive"));
    }
    assert_eq!(door.ask_last("GET /echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"), 200);
}

#[test]
fn a_clients_te_changes_nothing() {
    let door = open(|_| {});
    let reply = door.ask(get("/bytes?100000", "TE: chunked\r\n"));
    assert_eq!(reply.header("transfer-encoding"), None);
    assert_eq!(reply.body, vec![7; 100_000]);
    assert_eq!(reply.header("server"), None);
}

#[test]
fn a_client_that_waits_is_told_to_go_on_after_admission() {
    let door = open(|_| {});
    let mut client = door.client();
    let head = |path| {
        format!("POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
    };
    client.send(head("/echo"));
    assert_eq!(client.head().head, "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("body");
    assert_eq!(client.reply().text(), "body");
    // Whoever does not wait needs no invitation.
    client.send(head("/echo") + "body");
    assert_eq!(client.reply().text(), "body");
    assert_eq!(door.ask_last(head("/forbidden")), 403);
    let in_10 = "POST /echo HTTP/1.0\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n";
    let mut client = door.client();
    client.send(in_10);
    client.send("body");
    assert_eq!(client.reply().status, 200);
}

#[test]
fn a_refusal_ends_the_connection_only_if_a_body_is_to_come() {
    let door = open(|_| {});
    let mut client = door.client();
    client.send(get("/forbidden", "") + &get("/echo", ""));
    assert_eq!(client.reply().status, 403);
    assert_eq!(client.reply().status, 200);
    assert_eq!(door.ask_last(post("/forbidden", "body")), 403);
    assert_eq!(door.ask_last(post("/picky", "body")), 415);
}

#[test]
fn files_are_streamed_in_their_range() {
    let door = open(|_| {});
    for end in [3, 10, 20_000, 1_000_000] {
        let reply = door.ask(get(&format!("/file?1000000&{end}"), ""));
        assert_eq!((reply.status, reply.body.len()), (206, end - 3));
        assert!(reply.body.iter().enumerate().all(|(i, &byte)| byte == (i + 3) as u8));
    }
}

#[test]
fn a_file_that_ends_early_ends_the_connection() {
    let door = open(|_| {});
    for (there, promised) in [(50_000, 90_000), (5, 10)] {
        let mut client = door.client();
        client.send(get(&format!("/file?{there}&{promised}"), ""));
        let mut received = Vec::new();
        client.0.read_to_end(&mut received).unwrap();
        assert!(received.len() < promised);
    }
    assert!(door.echo.await_told(2).iter().all(|told| !told.complete));
}

#[test]
fn headers_of_ours_cannot_split_an_answer() {
    let door = open(|_| {});
    for path in ["/split/value", "/split/name"] {
        let reply = door.ask(get(path, ""));
        assert_eq!((reply.header("x-split"), reply.text()), (None, "whole"));
    }
}

#[test]
fn a_panic_is_a_500_and_the_door_stays_open() {
    let door = open(|_| {});
    for place in ["admit", "body", "finish", "twice"] {
        assert_eq!(door.ask_last(post(&format!("/panic/{place}"), "body")), 500, "{place}");
    }
    assert_eq!(door.ask_last(get("/continue", "Connection: close\r\n")), 500);
    assert_eq!(door.ask(get("/echo", "")).status, 200);
}

#[test]
fn who_leaves_early_is_not_answered() {
    let door = open(|_| {});
    for part in ["", "GET / HT", "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf"] {
        let mut client = door.client();
        client.send(part);
        client.0.get_ref().shutdown(Shutdown::Write).unwrap();
        assert!(client.is_at_end(), "{part:?}");
    }
    // A request, once there is one, is told of all the same.
    let told = Told { path: Some("/echo".to_owned()), status: 0, received: 4, complete: false };
    assert_eq!(door.echo.await_told(1), [told]);
}

#[test]
fn who_says_no_more_is_still_answered() {
    let door = open(|_| {});
    let mut client = door.client();
    client.send(post("/echo", "last"));
    client.0.get_ref().shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.reply().text(), "last");
    assert!(client.is_at_end());
}

#[test]
fn addresses_are_believed_of_trusted_proxies_alone() {
    let lines = "X-Forwarded-For: 198.51.100.7\r\nX-Forwarded-Proto: https\r\n";
    let heads = std::sync::Arc::new(Mutex::new(Vec::new()));
    struct Keeps(std::sync::Arc<Mutex<Vec<Head>>>);
    impl Service for Keeps {
        fn admit<'s>(&'s self, head: &'s Head) -> Result<Admitted<'s>, Answer> {
            self.0.lock().unwrap().push(head.clone());
            Err(Answer::empty(404))
        }
        fn refuse(&self, _: Option<&Head>, _: &str, refusal: &Refusal) -> Answer {
            Answer::empty(refusal.status().0)
        }
        fn answered(&self, _: &Access<'_>) {}
    }
    for trusted in ["127.0.0.0/8", "10.0.0.0/8"] {
        let mut config = Config::new(SocketAddr::from(([127, 0, 0, 1], 0)));
        config.trusted_proxies = [trusted.parse().unwrap()].into_iter().collect();
        let door = Door::bind(config).unwrap();
        let (address, stopper, service) = (door.local_addr(), door.stopper(), Keeps(heads.clone()));
        let thread = std::thread::spawn(move || door.run(Arc::new(service)));
        let mut client = Client(BufReader::new(TcpStream::connect(address).unwrap()));
        client.send(get("/", lines));
        client.reply();
        stopper.stop();
        thread.join().unwrap().unwrap();
    }
    let heads = heads.lock().unwrap();
    let loopback: IpAddr = [127, 0, 0, 1].into();
    assert_eq!((heads[0].client, heads[0].forwarded_proto), ([198, 51, 100, 7].into(), Some("https")));
    assert_eq!((heads[1].client, heads[1].forwarded_proto), (loopback, None));
    assert!(heads.iter().all(|head| head.peer == loopback));
    assert_ne!(heads[0].request_id, heads[1].request_id);
}

/// Requests that follow each other on one connection, with what each body is.
fn some_requests() -> impl Strategy<Value = Vec<(String, String)>> {
    let counted = "[a-z]{0,40}".prop_map(|body| (post("/echo", &body), body));
    let chunked = prop::collection::vec("[a-z]{1,9}", 0..4).prop_map(|parts| {
        let chunks: String = parts.iter().map(|p| format!("{:x}\r\n{p}\r\n", p.len())).collect();
        let head = "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
        (format!("{head}{chunks}0\r\n\r\n"), parts.concat())
    });
    prop::collection::vec(prop_oneof![counted, chunked], 1..5)
}

#[test]
fn how_bytes_arrive_makes_no_difference() {
    let door = open(|_| {});
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(64));
    let cuts = prop::collection::vec(any::<prop::sample::Index>(), 0..6);
    let result = runner.run(&(some_requests(), cuts), |(requests, cuts)| {
        let stream: String = requests.iter().map(|(request, _)| request.as_str()).collect();
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len())).collect();
        ends.push(stream.len());
        ends.sort();
        let mut client = door.client();
        client.0.get_ref().set_nodelay(true).unwrap();
        let mut start = 0;
        for end in ends {
            client.send(&stream[start..end]);
            // Long enough that parts are mostly read one by one; the test holds either way.
            std::thread::sleep(Duration::from_micros(200));
            start = end;
        }
        for (_, body) in &requests {
            let reply = client.reply();
            prop_assert_eq!((reply.status, reply.text()), (200, body.as_str()));
        }
        Ok(())
    });
    result.unwrap();
}
