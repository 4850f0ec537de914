//! Slow clients, large bodies, and too many of both.

use std::io::ErrorKind;
use std::process::{Command, Stdio};
use std::time::Instant;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::*;

/// A deadline that a test waits for.
const SHORT: Duration = Duration::from_millis(200);

#[test]
fn a_slow_head_is_a_408() {
    let door = open(|config| config.head_time = SHORT);
    assert_eq!(door.ask_last("GET / HTTP/1.1\r\nHost:"), 408);
    assert_eq!(door.ask_last("G"), 408);
}

#[test]
fn a_head_that_trickles_is_a_408_all_the_same() {
    let door = open(|config| (config.head_time, config.linger_time) = (SHORT, SHORT));
    let mut client = door.client();
    let mut sender = client.0.get_ref().try_clone().unwrap();
    let trickle = std::thread::spawn(move || {
        // Ends once the door has had enough of it.
        while sender.write_all(b"G").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    assert_eq!(client.reply().status, 408);
    drop(client);
    trickle.join().unwrap();
}

#[test]
fn silence_is_closed_without_a_word() {
    let door = open(|config| config.head_time = SHORT);
    assert!(door.client().is_at_end());
    let door = open(|config| config.idle_time = SHORT);
    let mut client = door.client();
    client.send(get("/echo", ""));
    assert_eq!(client.reply().status, 200);
    assert!(client.is_at_end());
    assert_eq!(door.echo.await_told(1).len(), 1);
}

#[test]
fn idle_connections_end_sooner_when_the_door_is_crowded() {
    let door = open(|config| {
        (config.max_connections, config.max_per_address) = (4, 4);
        (config.idle_time, config.busy_idle_time) = (PATIENCE * 100, SHORT);
    });
    let mut clients = [door.client(), door.client(), door.client()];
    for client in &mut clients {
        client.send(get("/echo", ""));
        assert_eq!(client.reply().status, 200);
    }
    // Now all are inside; so this one finds a crowd when it comes to rest.
    clients[0].send(get("/echo", ""));
    assert_eq!(clients[0].reply().status, 200);
    assert!(clients[0].is_at_end());
}

#[test]
fn many_busy_connections_are_all_served() {
    let door = open(|_| {});
    let mut clients: Vec<Client> = (0..60).map(|_| door.client()).collect();
    for _ in 0..3 {
        clients.iter_mut().for_each(|client| client.send(get("/echo", "")));
        assert!(clients.iter_mut().all(|client| client.reply().status == 200));
    }
}

#[test]
fn connections_reset_before_their_first_byte_do_no_harm() {
    let door = open(|config| config.max_per_address = 4);
    for _ in 0..40 {
        let client = door.client();
        rustix::net::sockopt::set_socket_linger(client.0.get_ref(), Some(Duration::ZERO)).unwrap();
    }
    while door.ask(get("/echo", "")).status == 429 {
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_slow_body_is_a_408() {
    let door = open(|config| (config.grace, config.stall_time) = (SHORT, SHORT));
    let head = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 99\r\n\r\n";
    assert_eq!(door.ask_last(head), 408);
    assert_eq!(door.ask_last(format!("{head}some")), 408);
    assert_eq!(door.echo.await_told(2)[1].received, 4);
}

#[test]
fn a_body_at_the_least_rate_is_taken() {
    let door = open(|config| {
        (config.grace, config.min_rate, config.stall_time) = (Duration::from_secs(2), 1, PATIENCE);
    });
    let mut client = door.client();
    client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 30\r\n\r\n");
    // Thirty bytes earn thirty seconds, which lasts for longer than the grace.
    client.send([b'a'; 29]);
    std::thread::sleep(Duration::from_millis(2500));
    client.send("a");
    assert_eq!(client.reply().status, 200);
}

#[test]
fn a_client_that_does_not_read_is_given_up() {
    let door = open(|config| (config.grace, config.stall_time) = (SHORT, SHORT));
    for (answers, path) in [(1, "/bytes?16000000"), (2, "/file?16000000&16000000")] {
        let mut client = door.client();
        client.send(get(path, ""));
        assert!(!door.echo.await_told(answers).pop().unwrap().complete);
        // The end comes as an end or as a reset, before all of it.
        let mut received = Vec::new();
        let _ = client.0.read_to_end(&mut received);
        assert!(received.len() < 16_000_000);
    }
}

#[test]
fn a_client_that_keeps_writing_still_reads_the_413() {
    let door = open(|config| config.max_body_bytes = 1000);
    let head = "POST /echo HTTP/1.1\r\nHost: h\r\n";
    for request in [
        format!("{head}Content-Length: 8000000\r\n\r\n"),
        format!("{head}Transfer-Encoding: chunked\r\n\r\n7a1200\r\n"),
    ] {
        let mut client = door.client();
        client.send(request);
        client.send(vec![0; 8_000_000]);
        let reply = client.reply();
        assert_eq!((reply.status, reply.text()), (413, "TooLarge { limit: 1000 }"));
        assert!(client.is_at_end());
    }
}

#[test]
fn a_body_of_the_limit_is_taken() {
    let door = open(|config| config.max_body_bytes = 1000);
    assert_eq!(door.ask(post("/echo", &"a".repeat(1000))).status, 200);
    assert_eq!(door.ask_last(post("/echo", &"a".repeat(1001))), 413);
}

#[test]
fn lingering_has_an_end() {
    let door = open(|config| (config.linger_time, config.linger_bytes) = (SHORT, 1000));
    let mut client = door.client();
    client.send(post("/forbidden", "body"));
    assert_eq!(client.reply().status, 403);
    // The door closes though we don't, and then takes nothing more.
    let started = Instant::now();
    while client.0.get_ref().write_all(&[0; 1000]).is_ok() {
        assert!(started.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn heads_are_bounded() {
    let door = open(|config| (config.max_target, config.max_headers) = (100, 5));
    assert_eq!(door.ask_last(get(&format!("/{}", "a".repeat(200)), "")), 414);
    assert_eq!(door.ask_last(format!("GET /{}", "a".repeat(10_000))), 414);
    assert_eq!(door.ask_last(get("/", &"X: a\r\n".repeat(5))), 431);
    assert_eq!(door.ask_last(format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(100_000))), 431);
}

#[test]
fn answers_in_memory_are_bounded() {
    let door = open(|config| config.max_answer_bytes = 1000);
    assert_eq!(door.ask(get("/bytes?1000", "")).status, 200);
    assert_eq!(door.ask(get("/bytes?1001", "")).status, 500);
}

#[test]
fn an_address_beyond_its_share_is_a_429() {
    let door = open(|config| config.max_per_address = 2);
    let mut inside = [door.client(), door.client()];
    for client in &mut inside {
        client.send(get("/echo", ""));
        assert_eq!(client.reply().status, 200);
    }
    assert_eq!(door.ask_last(get("/echo", "")), 429);
    drop(inside);
    // Places are free as soon as the door has seen the connections end.
    while door.ask(get("/echo", "")).status == 429 {
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_full_door_closes_who_rests_and_turns_away_when_nobody_does() {
    let door = open(|config| (config.max_connections, config.max_per_address) = (2, 9));
    let mut busy = door.client();
    busy.send(get("/wait", ""));
    door.echo.await_working(1);
    // A new connection rests from the moment it is let in.
    let mut resting = door.client();
    let mut other = door.client();
    other.send(get("/wait", ""));
    assert!(resting.is_at_end());
    door.echo.await_working(2);
    assert_eq!(door.ask_last(get("/echo", "")), 503);
    door.echo.open_gate();
    assert_eq!((busy.reply().text(), other.reply().text()), ("waited", "waited"));
}

#[test]
fn a_full_door_closes_who_dawdles_with_a_head() {
    let door = open(|config| (config.max_connections, config.max_per_address) = (2, 9));
    let mut first = door.client();
    first.send("GET /echo HT");
    // The first can only have rested or begun, and either makes room sooner than one that is at work.
    let mut second = door.client();
    second.send(get("/wait", ""));
    door.echo.await_working(1);
    assert_eq!(door.ask(get("/echo", "")).status, 200);
    assert!(first.is_at_end());
    door.echo.open_gate();
    assert_eq!(second.reply().text(), "waited");
}

#[test]
fn work_beyond_its_slots_waits_and_then_is_a_503() {
    let door = open(|config| (config.work_slots, config.work_wait) = (1, SHORT));
    let mut first = door.client();
    first.send(get("/wait", ""));
    door.echo.await_working(1);
    let mut second = door.client();
    second.send(get("/wait", "") + &get("/echo", ""));
    assert_eq!(second.reply().status, 503);
    // Light requests need no slot, and a connection outlives its 503.
    assert_eq!(second.reply().status, 200);
    door.echo.open_gate();
    assert_eq!(first.reply().text(), "waited");
    second.send(get("/wait", ""));
    assert_eq!(second.reply().text(), "waited");
}

#[test]
fn work_that_nobody_waits_for_is_skipped() {
    let door = open(|config| config.work_slots = 1);
    let mut first = door.client();
    first.send(get("/wait", ""));
    door.echo.await_working(1);
    let mut second = door.client();
    second.send(get("/wait", "") + &"x".repeat(10));
    let mut third = door.client();
    third.send(get("/echo", ""));
    assert_eq!(third.reply().status, 200);
    // A reset, not an end: somebody who only says no more is still answered.
    rustix::net::sockopt::set_socket_linger(second.0.get_ref(), Some(Duration::ZERO)).unwrap();
    drop(second);
    third.send(get("/echo", ""));
    assert_eq!(third.reply().status, 200);
    door.echo.open_gate();
    assert_eq!(first.reply().text(), "waited");
    third.send(get("/wait", ""));
    assert_eq!(third.reply().text(), "waited");
    assert_eq!(door.echo.gate.lock().unwrap().0, 2);
}

/// Set in the process that has few descriptors.
const CHILD: &str = "DOOR_TEST_FEW_DESCRIPTORS";

#[test]
fn running_out_of_descriptors_is_survived() {
    if std::env::var_os(CHILD).is_some() {
        return serve_with_few_descriptors();
    }
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "door::tests::limits::running_out_of_descriptors_is_survived"])
        .env(CHILD, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let address = lines.find_map(|line| line.split_once("address ").map(|(_, a)| a.to_owned()));
    let address: SocketAddr = address.unwrap().parse().unwrap();
    let ask = |path| -> std::io::Result<Client> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut client = Client(BufReader::new(stream));
        client.0.get_mut().write_all(get(path, "").as_bytes())?;
        Ok(client)
    };
    // More than it has descriptors for, each at work, so that none can be closed for another.
    let crowd: Vec<Client> = (0..40).map(|_| ask("/wait").unwrap()).collect();
    std::thread::sleep(SHORT);
    drop(crowd);
    assert_eq!(ask("/echo").unwrap().reply().status, 200);
    drop(child.stdin.take());
    assert!(lines.any(|line| line.contains("1 passed")));
    assert!(child.wait().unwrap().success());
}

/// Serves until the standard input ends, with room for some twenty connections.
fn serve_with_few_descriptors() {
    let door = open(|config| (config.max_connections, config.max_per_address) = (64, 64));
    let used = std::fs::read_dir("/proc/self/fd").unwrap().count() as u64;
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(used + 20), maximum: limit.maximum }).unwrap();
    println!("address {}", door.address);
    door.echo.await_working(15);
    std::thread::sleep(SHORT);
    assert!(door.echo.gate.lock().unwrap().0 < 40, "the others wait for descriptors");
    door.echo.open_gate();
    let mut rest = Vec::new();
    std::io::stdin().read_to_end(&mut rest).unwrap();
    let ended = TcpStream::connect(door.address).map(|_| ()).map_err(|error| error.kind());
    assert!(matches!(ended, Ok(()) | Err(ErrorKind::ConnectionRefused)), "{ended:?}");
}
