//! One exchange at a time against a scripted server on loopback that need not speak good HTTP.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use super::*;
use crate::aws::request::Answer;

const LIMITS: Limits = Limits {
    connect: Duration::from_secs(20),
    answer: Duration::from_secs(20),
    stall: Duration::from_secs(20),
    attempt: Duration::from_secs(20),
    body: 100,
};

/// A server that takes one connection after the other and lets `serve` do what it likes with each.
struct Server {
    url: String,
    thread: thread::JoinHandle<()>,
}

impl Server {
    fn start<const N: usize>(serve: [fn(&mut BufReader<TcpStream>); N]) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/key", listener.local_addr().unwrap());
        let run = move || {
            for serve in serve {
                serve(&mut BufReader::new(listener.accept().unwrap().0));
            }
        };
        Server { url, thread: thread::spawn(run) }
    }

    fn send(&self, http: &Http, method: Method, body: &[u8], limits: &Limits) -> Result<Response, Failure> {
        let (url, body) = (self.url.clone(), Payload::bytes(body));
        let request =
            Request { method, url, headers: vec![("x-own", "1".to_owned())], body, answer: Answer::Object };
        http.send(&request, &[("x-extra".to_owned(), "2".to_owned())], limits)
    }

    fn end(self) {
        self.thread.join().unwrap();
    }
}

fn http() -> Http {
    Http::new(&Environment::default()).unwrap()
}

/// Reads a head; names in lower case.
fn head(stream: &mut BufReader<TcpStream>) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(stream.read_line(&mut head).unwrap(), 0, "a whole head");
    }
    head.to_ascii_lowercase()
}

fn write(stream: &mut BufReader<TcpStream>, text: &str) {
    stream.get_mut().write_all(text.as_bytes()).unwrap();
}

fn get<const N: usize>(serve: [fn(&mut BufReader<TcpStream>); N]) -> Result<Response, Failure> {
    let server = Server::start(serve);
    let result = server.send(&http(), Method::Get, b"", &LIMITS);
    server.end();
    result
}

#[test]
fn a_refusal_is_an_answer_with_its_body() {
    let response = get([|stream| {
        let head = head(stream);
        assert!(
            head.starts_with("get /key http/1.1\r\n") && head.contains("\r\nx-own: 1\r\nx-extra: 2\r\n"),
            "{head}"
        );
        write(stream, "HTTP/1.1 403 Forbidden\r\nX-Amz-Id: 7\r\nContent-Length: 2\r\n\r\nno");
    }])
    .unwrap();
    assert_eq!((response.status, response.body.as_slice()), (403, &b"no"[..]));
    assert_eq!(response.header("x-amz-id"), Some("7"));
}

#[test]
fn a_redirect_is_an_answer_and_not_followed() {
    let response = get([|stream| {
        head(stream);
        write(stream, "HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
    }]);
    assert_eq!(response.unwrap().status, 307);
}

#[test]
fn an_answer_has_at_most_the_bytes_that_are_wanted() {
    let whole = get([|stream| {
        head(stream);
        write(stream, &format!("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", "x".repeat(100)));
    }]);
    assert_eq!(whole.unwrap().body.len(), 100);
    let declared = get([|stream| {
        head(stream);
        write(stream, "HTTP/1.1 200 OK\r\nContent-Length: 9999999999999\r\n\r\n");
    }]);
    assert!(matches!(declared, Err(Failure::TooLarge { limit: 100 })), "{declared:?}");
    let chunked = get([|stream| {
        head(stream);
        let chunk = format!("{:x}\r\n{}\r\n", 101, "x".repeat(101));
        write(stream, &format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}0\r\n\r\n"));
    }]);
    assert!(matches!(chunked, Err(Failure::TooLarge { limit: 100 })), "{chunked:?}");
}

#[test]
fn an_answer_that_ends_early_is_no_answer() {
    for serve in [
        |stream: &mut BufReader<TcpStream>| {
            head(stream);
            write(stream, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf");
        },
        |stream: &mut BufReader<TcpStream>| {
            head(stream);
            write(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n32\r\nhalf");
        },
        |stream: &mut BufReader<TcpStream>| {
            head(stream);
            write(stream, "HTTP/1.1 200 O");
        },
        |stream: &mut BufReader<TcpStream>| {
            head(stream);
        },
    ] {
        let result = get([serve]);
        assert!(matches!(result, Err(Failure::Lost(_))), "{result:?}");
    }
}

#[test]
fn silence_ends_by_its_time_out_and_says_which() {
    let server = Server::start([|stream| {
        head(stream);
        // Until the client has given up.
        let _ = stream.read(&mut [0]);
    }]);
    let limits = Limits { answer: Duration::from_millis(50), stall: Duration::from_millis(50), ..LIMITS };
    let result = server.send(&http(), Method::Get, b"", &limits);
    assert!(matches!(result, Err(Failure::TimedOut(_))), "{result:?}");
    server.end();
}

#[test]
fn a_body_that_drips_ends_by_the_attempts_time_out() {
    let server = Server::start([|stream| {
        head(stream);
        write(stream, "HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n");
        while stream.get_mut().write_all(b"x").is_ok() {
            thread::sleep(Duration::from_millis(20));
        }
    }]);
    let limits = Limits { attempt: Duration::from_millis(300), ..LIMITS };
    let result = server.send(&http(), Method::Get, b"", &limits);
    assert!(matches!(result, Err(Failure::TimedOut(_))), "{result:?}");
    server.end();
}

#[test]
fn a_pooled_connection_that_died_is_lost_and_the_next_attempt_has_a_new_one() {
    let ok = |stream: &mut BufReader<TcpStream>| {
        head(stream);
        write(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    };
    // The first connection's answer lets it be kept, and then it is closed.
    let (server, http) = (Server::start([ok, ok]), http());
    let send = || server.send(&http, Method::Get, b"", &LIMITS);
    send().unwrap();
    let again = send().or_else(|failure| {
        assert!(matches!(failure, Failure::Lost(_)), "{failure:?}");
        send()
    });
    again.unwrap();
    server.end();
}

#[test]
fn nobody_there_is_told_apart_from_a_lost_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let request =
        Request { method: Method::Get, url, headers: vec![], body: Payload::empty(), answer: Answer::Object };
    let result = http().send(&request, &[], &LIMITS);
    assert!(matches!(result, Err(Failure::Unreached(_))), "{result:?}");
}

#[test]
fn a_large_body_waits_for_the_servers_word_so_that_a_refusal_is_read() {
    let body = vec![7; EXPECT as usize];
    let server = Server::start([|stream| {
        let head = head(stream);
        assert!(head.contains("\r\nexpect: 100-continue\r\n"), "{head}");
        write(stream, "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
    }]);
    assert_eq!(server.send(&http(), Method::Put, &body, &LIMITS).unwrap().status, 403);
    server.end();
    let server = Server::start([|stream| {
        let length = EXPECT as usize;
        assert!(head(stream).contains(&format!("\r\ncontent-length: {length}\r\n")));
        write(stream, "HTTP/1.1 100 Continue\r\n\r\n");
        let mut body = vec![0; length];
        stream.read_exact(&mut body).unwrap();
        assert!(body.iter().all(|byte| *byte == 7));
        write(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }]);
    assert_eq!(server.send(&http(), Method::Put, &body, &LIMITS).unwrap().status, 200);
    server.end();
}

#[test]
fn a_small_body_goes_at_once_with_its_length() {
    let server = Server::start([|stream| {
        let head = head(stream);
        assert!(head.contains("\r\ncontent-length: 4\r\n") && !head.contains("expect"), "{head}");
        let mut body = [0; 4];
        stream.read_exact(&mut body).unwrap();
        write(stream, "HTTP/1.1 204 No Content\r\n\r\n");
    }]);
    assert_eq!(server.send(&http(), Method::Post, b"body", &LIMITS).unwrap().status, 204);
    server.end();
}

#[test]
fn a_body_that_can_not_be_read_is_its_own_error_and_the_server_gets_no_whole_one() {
    struct Breaks;
    impl Read for Breaks {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk broke"))
        }
    }
    let server = Server::start([|stream| {
        head(stream);
        let mut body = Vec::new();
        let _ = stream.read_to_end(&mut body);
        assert!(body.len() < 10);
    }]);
    let first = std::sync::atomic::AtomicBool::new(true);
    let open = || {
        let whole = first.swap(false, std::sync::atomic::Ordering::SeqCst);
        let rest: Box<dyn Read> = if whole { Box::new(&b"56789"[..]) } else { Box::new(Breaks) };
        Ok(Box::new((&b"01234"[..]).chain(rest)) as Box<dyn Read>)
    };
    let body = Payload::reopenable(10, open).unwrap();
    let url = server.url.clone();
    let request = Request { method: Method::Put, url, headers: vec![], body, answer: Answer::Document };
    let result = http().send(&request, &[], &LIMITS);
    assert!(matches!(&result, Err(Failure::Content(e)) if e.to_string() == "the disk broke"), "{result:?}");
    server.end();
}

#[test]
fn a_proxy_is_for_https_alone() {
    let environment = Environment::from([("HTTPS_PROXY", "http://127.0.0.1:1")]);
    let server = Server::start([|stream| {
        assert!(head(stream).starts_with("get /key "));
        write(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }]);
    let http = Http::new(&environment).unwrap();
    assert_eq!(server.send(&http, Method::Get, b"", &LIMITS).unwrap().status, 200);
    server.end();

    let proxy = Server::start([|stream| {
        let head = head(stream);
        assert!(head.starts_with("connect s3.test:443 "), "{head}");
        assert!(!head.contains("x-own") && !head.contains("x-extra"), "{head}");
        write(stream, "HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n");
    }]);
    let address = proxy.url.trim_end_matches("/key").to_owned();
    let http = Http::new(&Environment::from([("HTTPS_PROXY", address.as_str())])).unwrap();
    let url = "https://s3.test/key".to_owned();
    let headers = vec![("x-own", "1".to_owned())];
    let request =
        Request { method: Method::Get, url, headers, body: Payload::empty(), answer: Answer::Object };
    assert!(matches!(http.send(&request, &[], &LIMITS), Err(Failure::Unreached(_))));
    proxy.end();
}

#[test]
fn what_the_environment_says_wrongly_is_named() {
    for (name, value) in
        [("HTTPS_PROXY", "ftp://x"), ("AWS_CA_BUNDLE", "/nonexistent.pem"), ("AWS_CA_BUNDLE", "/dev/null")]
    {
        let error = Http::new(&Environment::from([(name, value)])).err().expect("an error").to_string();
        assert!(error.contains(name), "{error}");
    }
}
