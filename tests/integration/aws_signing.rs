//! A right request is answered and its wrong twin refused: what signatures are for, judged by a server
//! that knows nothing of our code.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use image_sharer::aws::clock::{Clock, SystemClock};
use image_sharer::key::Key;
use image_sharer::queue::{self, Queue};
use image_sharer::store::{self, Object, Store};

use crate::harness::{Fault, Keys, MINISTACK, Place, Proxy, Rule};

/// What came of a write to the store and of one to the queue.
struct Outcome {
    stored: Result<(), store::Error>,
    sent: Result<(), queue::Error>,
}

impl Outcome {
    /// Both writes, with these keys over this proxy.
    fn of(place: &Place, keys: &Keys, proxy: &Proxy) -> Outcome {
        let store = place.store(proxy.address, keys);
        let queue = place.queue(proxy.address, keys);
        Outcome { stored: put(&store), sent: queue.send("hello") }
    }

    fn is_success(&self) {
        assert!(matches!((&self.stored, &self.sent), (Ok(()), Ok(()))), "{:?} {:?}", self.stored, self.sent);
    }

    /// Both were refused, for one of these reasons.
    fn is_refusal(&self, codes: &[&str]) {
        let (stored, sent) = (self.stored.as_ref().unwrap_err(), self.sent.as_ref().unwrap_err());
        for said in [stored.to_string(), sent.to_string()] {
            assert!(codes.iter().any(|code| said.contains(code)), "{said} names none of {codes:?}");
        }
    }
}

fn put(store: &dyn Store) -> Result<(), store::Error> {
    let content = b"hello, this is the content".to_vec();
    let object =
        Object { content_type: "text/plain", cache_control: "no-store", expires: None, content: &content };
    store.put(&Key::parse("a b+c%é😀.txt").unwrap(), &object)
}

/// A place behind a proxy that does nothing yet.
fn place() -> (Place, Proxy) {
    (MINISTACK.place(10), Proxy::start(MINISTACK.address, &[]))
}

#[test]
fn right_keys_are_let_in_and_a_wrong_secret_is_refused() {
    let (place, proxy) = place();
    for keys in [&MINISTACK.accounts.user, &MINISTACK.accounts.session] {
        Outcome::of(&place, keys, &proxy).is_success();
        let wrong = Keys { secret: keys.secret.chars().rev().collect(), ..keys.clone() };
        Outcome::of(&place, &wrong, &proxy).is_refusal(&["SignatureDoesNotMatch"]);
    }
}

#[test]
fn an_unknown_key_and_one_without_rights_are_refused() {
    let (place, proxy) = place();
    let unknown = Keys { id: "AKIANOBODY0000000000".to_owned(), ..MINISTACK.accounts.user.clone() };
    Outcome::of(&place, &unknown, &proxy).is_refusal(&["InvalidAccessKeyId", "InvalidClientTokenId"]);
    Outcome::of(&place, &MINISTACK.accounts.stranger, &proxy).is_refusal(&["AccessDenied"]);
}

#[test]
fn what_is_missing_and_what_is_forbidden_are_told_apart() {
    let (place, proxy) = place();
    let key = Key::parse("missing").unwrap();
    let get = |keys| place.store(proxy.address, keys).get(&key, 1000).unwrap_err();
    assert!(matches!(get(&MINISTACK.accounts.user), store::Error::NotFound));
    assert!(matches!(get(&MINISTACK.accounts.stranger), store::Error::Forbidden(_)));
}

#[test]
fn a_tampered_path_is_refused() {
    let (place, proxy) = place();
    let keys = &MINISTACK.accounts.user;
    Outcome::of(&place, keys, &proxy).is_success();
    // The queue's URL is asked for first, and would be found at no other path.
    let actions = ["PutObject", "SendMessage"];
    proxy.set_rules(&actions.map(|action| Rule::always(action, Fault::TamperPath)));
    Outcome::of(&place, keys, &proxy).is_refusal(&["SignatureDoesNotMatch"]);
    assert_eq!(MINISTACK.keys(&place).len(), 1);
}

#[test]
fn a_tampered_body_is_refused() {
    let (place, proxy) = place();
    let keys = &MINISTACK.accounts.session;
    Outcome::of(&place, keys, &proxy).is_success();
    let actions = ["PutObject", "SendMessage"];
    proxy.set_rules(&actions.map(|action| Rule::always(action, Fault::TamperBody)));
    Outcome::of(&place, keys, &proxy).is_refusal(&["XAmzContentSHA256Mismatch", "SignatureDoesNotMatch"]);
    assert_eq!(MINISTACK.depth(&place.queue_url), (1, 0));
}

#[test]
fn a_stale_session_token_is_refused() {
    let (place, proxy) = place();
    let keys = MINISTACK.session(900);
    Outcome::of(&place, &keys, &proxy).is_success();
    let of_another = Keys { token: MINISTACK.accounts.session.token.clone(), ..keys.clone() };
    Outcome::of(&place, &of_another, &proxy).is_refusal(&["InvalidToken", "InvalidClientTokenId"]);
    let without = Keys { token: None, ..keys.clone() };
    Outcome::of(&place, &without, &proxy).is_refusal(&["InvalidAccessKeyId", "InvalidClientTokenId"]);
    MINISTACK.expire(&keys);
    Outcome::of(&place, &keys, &proxy).is_refusal(&["ExpiredToken"]);
}

/// A clock that is an hour off.
#[derive(Clone, Copy)]
enum HourOff {
    Ahead,
    Behind,
}

impl Clock for HourOff {
    fn now(&self) -> SystemTime {
        let hour = Duration::from_secs(3600);
        match self {
            HourOff::Ahead => SystemTime::now() + hour,
            HourOff::Behind => SystemTime::now() - hour,
        }
    }

    fn instant(&self) -> Instant {
        Instant::now()
    }

    fn sleep(&self, time: Duration) {
        SystemClock.sleep(time);
    }
}

#[test]
fn a_clock_an_hour_off_is_refused_once_and_then_set_right() {
    for off in [HourOff::Ahead, HourOff::Behind] {
        let (place, proxy) = place();
        let keys = &MINISTACK.accounts.user;
        let store = place.store_at(proxy.address, keys, Arc::new(off));
        let queue = place.queue_at(proxy.address, keys, Arc::new(off));
        let asked = |action: &str| proxy.requests().get(action).copied().unwrap_or(0);
        put(&store).unwrap();
        assert_eq!(asked("PutObject"), 2, "the first is refused for its time");
        put(&store).unwrap();
        assert_eq!(asked("PutObject"), 3, "the correction is kept");
        queue.send("hello").unwrap();
        assert_eq!((asked("GetQueueUrl"), asked("SendMessage")), (2, 1));
    }
}
