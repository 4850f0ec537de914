//! The client against a server that is played by the test, on a clock that is set by the test.

use super::*;
use crate::dhcp::packet::tests::{MAC, answer};

const OFFER: u8 = 2;
const ACK: u8 = 5;
const NAK: u8 = 6;

/// A client and the test's clock.
struct Run {
    client: Client,
    now: Now,
    sent: u32,
}

/// What a sent message is, as far as the tests look.
#[derive(Debug, PartialEq, Eq)]
enum Sent {
    Discover,
    Select,
    Extend,
}

impl Run {
    fn new() -> Run {
        Run { client: Client::new(MAC, Duration::ZERO), now: Duration::ZERO, sent: 0 }
    }

    /// With a lease of an hour, taken at 0.
    fn bound() -> Run {
        let mut run = Run::new();
        assert_eq!(run.next(), (Sent::Discover, To::All(Ipv4Addr::UNSPECIFIED)));
        assert_eq!(run.hears(OFFER), None);
        assert_eq!(run.next(), (Sent::Select, To::All(Ipv4Addr::UNSPECIFIED)));
        assert!(matches!(run.hears(ACK), Some(Do::Use(_))));
        run
    }

    /// Goes to the moment when something is due, and does it.
    fn step(&mut self) -> Do {
        self.now = self.now.max(self.client.due());
        self.sent += 1;
        self.client.on_time(self.now, self.sent << 10)
    }

    /// The same, where a message must go out.
    fn next(&mut self) -> (Sent, To) {
        let Do::Send(bytes, to) = self.step() else { panic!("nothing was sent") };
        let kind = match (bytes[242], &bytes[12..16]) {
            (1, _) => Sent::Discover,
            (3, [0, 0, 0, 0]) => Sent::Select,
            _ => Sent::Extend,
        };
        (kind, to)
    }

    /// The server answers, for an hour.
    fn hears(&mut self, kind: u8) -> Option<Do> {
        let hour: (u8, &[u8]) = (51, &[0, 0, 14, 16]);
        self.hears_with(kind, &[(54, &[10, 0, 0, 1]), hour])
    }

    fn hears_with(&mut self, kind: u8, options: &[(u8, &[u8])]) -> Option<Do> {
        let message = answer(self.client.transaction, kind, ADDRESS.octets(), options);
        self.client.on_message(self.now, &message)
    }
}

const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 5);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn four_messages_make_a_lease_without_any_wait() {
    let run = Run::bound();
    assert_eq!(run.now, Duration::ZERO);
    assert_eq!(run.client.ear(), Ear::None);
}

#[test]
fn silence_is_asked_again_sooner_at_first_and_for_ever() {
    let mut run = Run::new();
    let mut moments = Vec::new();
    for _ in 0..20 {
        assert_eq!(run.next().0, Sent::Discover);
        moments.push(run.now);
    }
    let gaps: Vec<_> = moments.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps[0] <= Duration::from_millis(113) && gaps[1] <= Duration::from_millis(225));
    assert!(gaps.iter().all(|gap| *gap <= LAST_REPEAT + LAST_REPEAT / 8));
    assert!(gaps[18] >= LAST_REPEAT);
}

#[test]
fn an_offer_that_is_not_confirmed_is_given_up_in_the_end() {
    let mut run = Run::new();
    run.next();
    run.hears(OFFER);
    for _ in 0..REQUESTS {
        assert_eq!(run.next().0, Sent::Select);
    }
    assert_eq!(run.next().0, Sent::Discover);
}

#[test]
fn a_refused_offer_begins_anew_after_a_pause() {
    let mut run = Run::new();
    run.next();
    run.hears(OFFER);
    run.next();
    assert_eq!(run.hears(NAK), None);
    assert_eq!(run.client.due(), run.now + AFTER_NAK);
    assert_eq!(run.next().0, Sent::Discover);
}

#[test]
fn an_answer_to_an_earlier_question_is_not_heard() {
    let mut run = Run::new();
    run.next();
    let late =
        answer(run.client.transaction, OFFER, [10, 0, 0, 5], &[(54, &[10, 0, 0, 1]), (51, &[0, 0, 1, 0])]);
    run.next();
    assert_eq!(run.client.on_message(run.now, &late), None);
    assert_eq!(run.next().0, Sent::Discover);
}

#[test]
fn half_way_through_the_lease_its_server_is_asked_to_extend_it() {
    let mut run = Run::bound();
    assert_eq!(run.client.due(), 30 * MINUTE);
    assert_eq!(run.next(), (Sent::Extend, To::One(ADDRESS, SERVER)));
    assert_eq!(run.client.ear(), Ear::Address(ADDRESS));
    assert!(matches!(run.hears(ACK), Some(Do::Use(_))));
    assert_eq!(run.client.due(), 60 * MINUTE);
}

#[test]
fn a_silent_server_is_asked_until_seven_eighths_then_all_are_then_the_address_is_lost() {
    let mut run = Run::bound();
    let mut to_one = 0;
    loop {
        let (kind, to) = run.next();
        assert_eq!(kind, Sent::Extend);
        if to == To::All(ADDRESS) {
            break;
        }
        to_one += 1;
    }
    assert_eq!(run.now, MINUTE * 105 / 2, "52.5 minutes");
    assert!((2..=24).contains(&to_one), "{to_one} requests");
    assert_eq!(run.client.ear(), Ear::Adapter);
    let lost = loop {
        match run.step() {
            Do::Send(_, to) => assert_eq!(to, To::All(ADDRESS)),
            Do::Lose(lease) => break lease,
            Do::Use(lease) => panic!("{lease:?} out of nothing"),
        }
    };
    assert_eq!((run.now, lost.address), (60 * MINUTE, ADDRESS));
    assert_eq!(run.next().0, Sent::Discover);
}

#[test]
fn another_server_may_extend_the_lease() {
    let mut run = Run::bound();
    while run.next().1 != To::All(ADDRESS) {}
    assert!(matches!(run.hears(ACK), Some(Do::Use(_))));
    assert_eq!(run.client.ear(), Ear::None);
}

#[test]
fn an_address_that_is_refused_is_given_up_at_once() {
    let mut run = Run::bound();
    run.next();
    assert!(matches!(run.hears(NAK), Some(Do::Lose(lease)) if lease.address == ADDRESS));
    assert_eq!(run.next().0, Sent::Discover);
}

#[test]
fn the_servers_own_times_are_kept_if_they_make_sense() {
    let due = |renew: u8, rebind: u8| {
        let mut run = Run::new();
        run.next();
        run.hears(OFFER);
        run.next();
        let times: [(u8, &[u8]); 2] = [(58, &[0, 0, 0, renew]), (59, &[0, 0, 0, rebind])];
        run.hears_with(ACK, &[(54, &[10, 0, 0, 1]), (51, &[0, 0, 0, 200]), times[0], times[1]]);
        run.client.due().as_secs()
    };
    assert_eq!(due(50, 150), 50);
    assert_eq!(due(180, 150), 150, "never after all are to be asked");
    assert_eq!(due(201, 202), 100, "beyond the lease: half of it");
    assert_eq!(due(0, 0), 5, "never without a pause");
}

#[test]
fn a_lease_for_ever_is_not_extended() {
    let mut run = Run::new();
    run.next();
    run.hears(OFFER);
    run.next();
    run.hears_with(ACK, &[(54, &[10, 0, 0, 1]), (51, &[255; 4])]);
    assert!(run.client.due() > Duration::from_secs(u64::from(u32::MAX)));
}
