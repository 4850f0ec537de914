//! Who is let in, who must leave, and that places are given back.

use std::io::Read;
use std::net::TcpListener;

use super::*;

fn crowd(max: usize, max_per_address: usize) -> Arc<Crowd> {
    Crowd::new(&Config { max_connections: max, max_per_address, ..Config::default() })
}

/// A connection's two ends.
fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (listener.accept().unwrap().0, client)
}

fn enter(crowd: &Arc<Crowd>, peer: &str) -> Result<(Place, TcpStream), Refusal> {
    let (server, client) = pair();
    let entered = crowd.enter(server, peer.parse().unwrap(), false);
    entered.map(|place| (place, client)).map_err(|t| t.refusal)
}

fn refused(crowd: &Arc<Crowd>, peer: &str) -> Option<Refusal> {
    enter(crowd, peer).err()
}

#[test]
fn an_address_has_its_share_and_no_more() {
    let crowd = crowd(9, 2);
    let first = enter(&crowd, "192.0.2.1").unwrap();
    let _second = enter(&crowd, "192.0.2.1").unwrap();
    assert_eq!(refused(&crowd, "::ffff:192.0.2.1"), Some(Refusal::TooManyConnections));
    let _other = enter(&crowd, "192.0.2.2").unwrap();
    drop(first);
    assert_eq!(refused(&crowd, "192.0.2.1"), None);
}

#[test]
fn an_ipv6_network_is_one_address() {
    let crowd = crowd(9, 1);
    let _first = enter(&crowd, "2001:db8:0:1::1").unwrap();
    assert_eq!(refused(&crowd, "2001:db8:0:1:ffff::2"), Some(Refusal::TooManyConnections));
    assert_eq!(refused(&crowd, "2001:db8:0:2::1"), None);
}

#[test]
fn a_trusted_proxy_has_no_share() {
    let crowd = crowd(9, 1);
    let places: Vec<_> = (0..3).map(|_| crowd.enter(pair().0, "192.0.2.1".parse().unwrap(), true)).collect();
    assert!(places.iter().all(Result::is_ok));
}

#[test]
fn when_full_the_one_that_rests_longest_is_closed() {
    let crowd = crowd(3, 9);
    let mut inside: Vec<_> = (0..3).map(|_| enter(&crowd, "192.0.2.1").unwrap()).collect();
    inside[0].0.wake().unwrap();
    let _new = enter(&crowd, "192.0.2.2").unwrap();
    assert!(inside[1].0.wake().is_err());
    assert_eq!(inside[1].1.read(&mut [0]).unwrap(), 0);
    assert!(inside[0].0.wake().is_ok());
    assert!(inside[2].0.wake().is_ok());
}

#[test]
fn when_full_and_nobody_rests_the_new_one_is_turned_away() {
    let crowd = crowd(2, 9);
    let inside: Vec<_> = (0..2).map(|_| enter(&crowd, "192.0.2.1").unwrap()).collect();
    inside.iter().for_each(|(place, _)| place.wake().unwrap());
    assert_eq!(refused(&crowd, "192.0.2.2"), Some(Refusal::Busy));
    inside[1].0.rest().unwrap();
    assert_eq!(refused(&crowd, "192.0.2.2"), None);
}

#[test]
fn who_has_begun_a_head_makes_room_before_who_came_later() {
    let crowd = crowd(2, 9);
    let (dawdling, _client) = enter(&crowd, "192.0.2.1").unwrap();
    dawdling.begin().unwrap();
    let (newer, _client) = enter(&crowd, "192.0.2.2").unwrap();
    let _newest = enter(&crowd, "192.0.2.3").unwrap();
    assert!(dawdling.wake().is_err() && newer.wake().is_ok());
}

#[test]
fn is_crowded_from_three_quarters_on() {
    let crowd = crowd(4, 9);
    let mut inside: Vec<_> = (0..2).map(|_| enter(&crowd, "192.0.2.1").unwrap()).collect();
    assert!(!crowd.is_crowded());
    inside.push(enter(&crowd, "192.0.2.1").unwrap());
    assert!(crowd.is_crowded());
    inside.pop();
    assert!(!crowd.is_crowded());
}

#[test]
fn disperses_the_resting_at_once_and_the_busy_at_the_deadline() {
    let crowd = crowd(9, 9);
    let (resting, _client) = enter(&crowd, "192.0.2.1").unwrap();
    let (begun, _other) = enter(&crowd, "192.0.2.1").unwrap();
    let (busy, mut client) = enter(&crowd, "192.0.2.1").unwrap();
    begun.begin().unwrap();
    busy.wake().unwrap();
    assert_eq!(crowd.disperse(Duration::from_millis(20)), 2);
    assert!(resting.wake().is_err() && begun.wake().is_ok());
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
    assert!(busy.rest().is_err());
}

#[test]
fn waits_for_those_who_finish() {
    let crowd = crowd(9, 9);
    let (busy, _client) = enter(&crowd, "192.0.2.1").unwrap();
    busy.wake().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !crowd.is_stopping() {
                std::thread::yield_now();
            }
            drop(busy);
        });
        assert_eq!(crowd.disperse(Duration::from_secs(60)), 0);
    });
}

#[test]
fn a_place_is_given_up_in_unwinding() {
    let crowd = crowd(9, 1);
    let (place, _client) = enter(&crowd, "192.0.2.1").unwrap();
    let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        let _held = place;
        std::panic::resume_unwind(Box::new(()));
    }));
    assert!(unwound.is_err());
    assert_eq!(refused(&crowd, "192.0.2.1"), None);
}
