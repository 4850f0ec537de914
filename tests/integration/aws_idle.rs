//! A worker with nothing to do costs next to nothing. `SHARER_TEST_IDLE_SECONDS=60` is the long form.

use std::time::Duration;

use crate::harness::{MINISTACK, Process, Proxy, Site, noise_jpeg, number};

/// Linux's unit of processor time in `/proc` (`sysconf(_SC_CLK_TCK)`; 100 on every supported machine).
const TICKS: f64 = 100.0;

#[test]
fn an_idle_worker_asks_seldom_and_holds_little() {
    let seconds = number("SHARER_TEST_IDLE_SECONDS", 20);
    let peer = &*MINISTACK;
    let place = peer.place(10);
    let proxy = Proxy::start(peer.address, &[]);
    let site = Site::on(place.settings(peer.address, &peer.accounts.user));
    let worker = site.worker_with(&[("AWS_ENDPOINT_URL", format!("http://{}", proxy.address))]);
    let idle_rss = {
        let deadline = std::time::Instant::now() + Duration::from_secs(30);
        while !proxy.requests().contains_key("ReceiveMessage") {
            assert!(std::time::Instant::now() < deadline, "{}", worker.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        rss(&worker)
    };
    let before = (sqs_calls(&proxy), processor_seconds(&worker));
    std::thread::sleep(Duration::from_secs(seconds));
    let calls = sqs_calls(&proxy) - before.0;
    let used = processor_seconds(&worker) - before.1;
    println!("{seconds} s idle: {calls} calls, {used:.2} s of processor time, {idle_rss:.1} MB");
    let share = seconds as f64 / 60.0;
    assert!(f64::from(calls) <= (4.0 * share).ceil(), "{calls} calls in {seconds} s");
    // Never finer than what the clock can tell: two ticks.
    assert!(used < (0.1 * share).max(2.5 / TICKS), "{used} s of processor time in {seconds} s");
    assert!(idle_rss < 8.0, "{idle_rss} MB");

    let reply = site.client.upload("a.jpg", &noise_jpeg(300, 200, 1));
    peer.world().wait_for(&reply.url("small"), Duration::from_secs(5));
}

fn sqs_calls(proxy: &Proxy) -> u32 {
    let s3 = |action: &str| action.ends_with("Object") || action.ends_with("Bucket");
    proxy.requests().iter().filter(|(action, _)| !s3(action)).map(|(_, count)| count).sum()
}

fn processor_seconds(process: &Process) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.id())).unwrap();
    // After the name in brackets: fields 3 on (proc(5)); utime and stime are 14 and 15.
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / TICKS
}

/// Resident memory in MB.
fn rss(process: &Process) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() * 1024.0 / 1e6
}
