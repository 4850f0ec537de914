//! The promises of a [`Store`], each as a named case: what the one in a directory, the one in S3 and
//! the one in memory have in common. For tests; nothing else calls it.
//!
//! A case panics where a promise is broken. It makes its objects under a random prefix of its own, so
//! that cases may run at once and on a store that holds other things.

use std::io::{self, Read};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use super::{Content, Error, IMMUTABLE, Meta, Object, Store, Tag};
use crate::key::{Id, Key};

/// A named promise and its check.
pub type Case = (&'static str, fn(&dyn Store));

/// All promises.
pub const CASES: &[Case] = &[
    ("an object reads back as it was stored", reads_back),
    ("metadata read back as they were stored", metadata_read_back),
    ("any key is a name", any_key_is_a_name),
    ("empty and large objects are objects", empty_and_large),
    ("what is missing is not found", missing_is_not_found),
    ("create never overwrites", create_never_overwrites),
    ("one of many creates wins", one_of_many_creates_wins),
    ("put stores and overwrites", put_overwrites),
    ("replace takes the tag of what is there", replace_takes_the_current_tag),
    ("replace refuses what was changed or is gone", replace_refuses_the_changed),
    ("no replacement is lost in a race", no_replacement_is_lost),
    ("equal tags mean equal content", equal_tags_mean_equal_content),
    ("get holds to its limit", get_holds_to_its_limit),
    ("delete can be done twice", delete_can_be_done_twice),
    ("a key can be used again after a delete", keys_can_be_used_again),
    ("a content that fails stores nothing", failing_content_stores_nothing),
    ("a store in order passes its check", passes_its_check),
];

/// More bytes than any object here has.
const ALL: u64 = 64 << 20;

/// Writers at once in the races.
const WRITERS: usize = 8;

fn key(name: &str) -> Key {
    let prefix = Id::random().expect("randomness");
    Key::parse(&format!("{prefix}/{name}")).expect("a valid key")
}

fn text(content: &Vec<u8>) -> Object<'_> {
    Object { content_type: "text/plain", cache_control: IMMUTABLE, expires: None, content }
}

fn create(store: &dyn Store, key: &Key, content: &str) {
    store.create(key, &text(&content.into())).unwrap_or_else(|e| panic!("create {key}: {e}"));
}

fn get(store: &dyn Store, key: &Key) -> (String, Tag) {
    let fetched = store.get(key, ALL).unwrap_or_else(|e| panic!("get {key}: {e}"));
    (String::from_utf8(fetched.bytes).expect("text"), fetched.tag)
}

fn head(store: &dyn Store, key: &Key) -> Meta {
    store.head(key).unwrap_or_else(|e| panic!("head {key}: {e}"))
}

fn reads_back(store: &dyn Store) {
    let key = key("a.txt");
    create(store, &key, "hello");
    let (content, tag) = get(store, &key);
    let meta = head(store, &key);
    assert_eq!(content, "hello");
    assert_eq!((meta.length, meta.tag), (5, tag));
}

fn metadata_read_back(store: &dyn Store) {
    let values = [
        ("original.jpg", "image/jpeg", IMMUTABLE),
        ("original.jpg", "image/jpeg", "public, max-age=17"),
        ("original.jpg", "image/png", IMMUTABLE),
        ("record.json", "application/json", "no-store"),
        ("page", "text/html; charset=utf-8", "no-cache"),
    ];
    for (name, content_type, cache_control) in values {
        let key = key(name);
        let object = Object { content_type, cache_control, expires: None, content: &vec![1] };
        let check = || {
            let meta = head(store, &key);
            assert_eq!((&*meta.content_type, &*meta.cache_control), (content_type, cache_control), "{key}");
            meta.tag
        };
        store.create(&key, &object).expect("create");
        let tag = check();
        store.replace(&key, &tag, &object).expect("replace");
        check();
        store.put(&key, &text(&vec![2])).expect("put");
        let meta = head(store, &key);
        assert_eq!((&*meta.content_type, &*meta.cache_control), ("text/plain", IMMUTABLE), "{key}");
        store.put(&key, &object).expect("put");
        check();
    }
}

fn any_key_is_a_name(store: &dyn Store) {
    let (long, deep) = ("n".repeat(200), "d/".repeat(100));
    let names = [
        "a b",
        "a+b",
        "a%20b",
        "a%2Fb",
        "é",
        "e\u{301}",
        "🦀",
        "a&b=c?d#e",
        "~a'(b)*!",
        "a\\b",
        "\"<>|:;,@$",
        "A",
        "a",
        "-rf",
        "...",
        "x/.hidden",
        "x/..y",
        "a.",
        " ",
        &long,
        &format!("{deep}end"),
    ];
    let prefix = Id::random().expect("randomness");
    let keys = || names.iter().map(|name| Key::parse(&format!("{prefix}/k{name}/{name}.x")).expect("a key"));
    for key in keys() {
        create(store, &key, key.as_str());
    }
    for key in keys() {
        assert_eq!(get(store, &key).0, key.as_str());
        assert_eq!(head(store, &key).length, key.as_str().len() as u64);
        store.delete(&key).expect("delete");
        assert!(matches!(store.head(&key), Err(Error::NotFound)), "{key} was deleted");
    }
}

fn empty_and_large(store: &dyn Store) {
    let large: Vec<u8> = (0..5_000_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for content in [Vec::new(), large] {
        let key = key("bytes");
        store.create(&key, &text(&content)).expect("create");
        assert!(store.get(&key, ALL).expect("get").bytes == content, "{} bytes differ", content.len());
        assert_eq!(head(store, &key).length, content.len() as u64);
    }
}

fn missing_is_not_found(store: &dyn Store) {
    let key = key("missing");
    assert!(matches!(store.get(&key, ALL), Err(Error::NotFound)));
    assert!(matches!(store.head(&key), Err(Error::NotFound)));
    // Nor is the folder that another object is in.
    let folder = key.as_str().split('/').next().and_then(Key::parse).expect("a key");
    create(store, &key, "x");
    assert!(matches!(store.get(&folder, ALL), Err(Error::NotFound)));
    assert!(matches!(store.head(&folder), Err(Error::NotFound)));
    let below = Key::parse(&format!("{key}/below")).expect("a key");
    assert!(matches!(store.get(&below, ALL), Err(Error::NotFound)));
    assert!(matches!(store.head(&below), Err(Error::NotFound)));
    store.delete(&below).expect("what is not there counts as deleted");
}

fn create_never_overwrites(store: &dyn Store) {
    let key = key("once.txt");
    create(store, &key, "first");
    let before = head(store, &key);
    let second = Object {
        content_type: "a/b",
        cache_control: "no-store",
        expires: None,
        content: &b"second".to_vec(),
    };
    assert!(matches!(store.create(&key, &second), Err(Error::AlreadyExists)));
    assert_eq!(get(store, &key).0, "first");
    assert_eq!(head(store, &key), before);
}

fn one_of_many_creates_wins(store: &dyn Store) {
    for round in 0..5 {
        let (key, winners) = (key("race.txt"), AtomicUsize::new(0));
        let won = AtomicUsize::new(usize::MAX);
        let contend = |i: usize| {
            // Metadata differ too: the winner's own must come with its content.
            let (content, cache_control) = (format!("{i}").into_bytes(), format!("max-age={i}"));
            let object = Object {
                content_type: "text/plain",
                cache_control: &cache_control,
                expires: None,
                content: &content,
            };
            match store.create(&key, &object) {
                Ok(()) => {
                    winners.fetch_add(1, SeqCst);
                    won.store(i, SeqCst);
                }
                Err(Error::AlreadyExists) => {}
                Err(e) => panic!("create: {e}"),
            }
        };
        thread::scope(|threads| {
            for i in 0..WRITERS {
                threads.spawn(move || contend(i));
            }
        });
        let won = won.load(SeqCst);
        assert_eq!(winners.load(SeqCst), 1, "winners in round {round}");
        assert_eq!(get(store, &key).0, won.to_string());
        assert_eq!(head(store, &key).cache_control, format!("max-age={won}"));
    }
}

fn put_overwrites(store: &dyn Store) {
    let key = key("put.txt");
    for content in ["one", "another", "one"] {
        store.put(&key, &text(&content.into())).expect("put");
        assert_eq!(get(store, &key).0, content);
    }
}

fn replace_takes_the_current_tag(store: &dyn Store) {
    let key = key("counter");
    create(store, &key, "0");
    for n in 1..10 {
        let (content, tag) = get(store, &key);
        assert_eq!(content, (n - 1).to_string());
        store.replace(&key, &tag, &text(&n.to_string().into())).expect("replace");
    }
    let tag = head(store, &key).tag;
    store.replace(&key, &tag, &text(&"end".into())).expect("replace by the tag from head");
    assert_eq!(get(store, &key).0, "end");
}

fn replace_refuses_the_changed(store: &dyn Store) {
    let key = key("changed");
    create(store, &key, "one");
    let (_, old) = get(store, &key);
    store.put(&key, &text(&"two".into())).expect("put");
    assert!(matches!(store.replace(&key, &old, &text(&"three".into())), Err(Error::Changed)));
    assert_eq!(get(store, &key).0, "two");
    let (_, tag) = get(store, &key);
    store.delete(&key).expect("delete");
    assert!(matches!(store.replace(&key, &tag, &text(&"four".into())), Err(Error::Changed)));
    assert!(matches!(store.head(&key), Err(Error::NotFound)));
}

fn no_replacement_is_lost(store: &dyn Store) {
    const EACH: usize = 5;
    let key = key("sum");
    create(store, &key, "0");
    let increment = || {
        loop {
            let (content, tag) = get(store, &key);
            let next = content.parse::<usize>().expect("a number") + 1;
            match store.replace(&key, &tag, &text(&next.to_string().into())) {
                Ok(()) => return,
                Err(Error::Changed) => {}
                Err(e) => panic!("replace: {e}"),
            }
        }
    };
    thread::scope(|threads| {
        for _ in 0..WRITERS {
            threads.spawn(|| (0..EACH).for_each(|_| increment()));
        }
    });
    assert_eq!(get(store, &key).0, (WRITERS * EACH).to_string());
}

fn equal_tags_mean_equal_content(store: &dyn Store) {
    let key = key("tags");
    let mut seen: Vec<(String, Tag)> = Vec::new();
    // Of one length and within one tick of a coarse clock.
    for n in 0..50 {
        store.put(&key, &text(&format!("{n:02}").into())).expect("put");
        let (content, tag) = get(store, &key);
        assert!(!seen.iter().any(|(_, old)| *old == tag), "{content:?} has the tag of an older content");
        seen.push((content, tag));
    }
}

fn get_holds_to_its_limit(store: &dyn Store) {
    let key = key("limit");
    create(store, &key, "12345");
    assert_eq!(store.get(&key, 5).expect("at the limit").bytes, b"12345");
    for limit in [4, 0] {
        match store.get(&key, limit) {
            Err(Error::TooLarge { limit: said }) => assert_eq!(said, limit),
            other => panic!("5 bytes with a limit of {limit}: {other:?}"),
        }
    }
}

fn delete_can_be_done_twice(store: &dyn Store) {
    let (key, other) = (key("gone"), key("other"));
    create(store, &key, "x");
    create(store, &other, "stays");
    for _ in 0..2 {
        store.delete(&key).expect("delete");
        assert!(matches!(store.get(&key, ALL), Err(Error::NotFound)));
        assert!(matches!(store.head(&key), Err(Error::NotFound)));
    }
    assert_eq!(get(store, &other).0, "stays");
}

fn keys_can_be_used_again(store: &dyn Store) {
    let key = key("again.jpg");
    let cache_controls = ["max-age=1", IMMUTABLE, "max-age=2"];
    for cache_control in cache_controls {
        let object =
            Object { content_type: "image/jpeg", cache_control, expires: None, content: &b"same".to_vec() };
        store.create(&key, &object).expect("create");
        assert_eq!(head(store, &key).cache_control, cache_control);
        store.delete(&key).expect("delete");
    }
}

/// Declares ten bytes and fails after five.
struct Failing;

impl Content for Failing {
    fn length(&self) -> u64 {
        10
    }

    fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        struct Break;
        impl Read for Break {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("the content broke"))
            }
        }
        Ok(Box::new((&b"12345"[..]).chain(Break)))
    }
}

fn failing_content_stores_nothing(store: &dyn Store) {
    let (new, old) = (key("new"), key("old"));
    create(store, &old, "old");
    let failing =
        Object { content_type: "text/plain", cache_control: IMMUTABLE, expires: None, content: &Failing };
    store.create(&new, &failing).expect_err("the content fails");
    store.put(&old, &failing).expect_err("the content fails");
    assert!(matches!(store.head(&new), Err(Error::NotFound)));
    assert_eq!(get(store, &old).0, "old");
}

fn passes_its_check(store: &dyn Store) {
    store.check().expect("check");
    assert!(!store.describe().is_empty());
}
