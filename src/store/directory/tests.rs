use std::cell::Cell;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use super::*;
use crate::key::Id;
use crate::store::{IMMUTABLE, conformance};

fn store() -> (tempfile::TempDir, DirectoryStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = DirectoryStore::open(&folder.path().join("objects")).unwrap();
    (folder, store)
}

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

fn jpeg(content: &Vec<u8>) -> Object<'_> {
    Object { content_type: "image/jpeg", cache_control: IMMUTABLE, expires: None, content }
}

fn expiring(content: &Vec<u8>) -> Object<'_> {
    Object { content_type: "image/jpeg", cache_control: "max-age=9", expires: None, content }
}

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

#[test]
fn keeps_the_promises_of_a_store() {
    for (name, case) in conformance::CASES {
        println!("case: {name}");
        case(&store().1);
    }
}

#[test]
fn a_file_holds_exactly_its_object() {
    let (_folder, store) = store();
    store.create(&key("id/original.jpg"), &jpeg(&b"bytes".to_vec())).unwrap();
    assert_eq!(fs::read(store.root.join("id/original.jpg")).unwrap(), b"bytes");
    assert_eq!((files(&store.temporary), files(&store.side.folder)), (0, 0));
}

#[test]
fn any_metadata_read_back_byte_for_byte() {
    let (_folder, store) = store();
    let long = "x".repeat(5000);
    for (i, value) in ["", " a ", "é🦀", "a\r\nb\0c", "\"\\", &long].into_iter().enumerate() {
        let key = key(&format!("id/{i}.jpg"));
        let object = Object { content_type: value, cache_control: value, expires: None, content: &vec![] };
        store.create(&key, &object).unwrap();
        let meta = store.head(&key).unwrap();
        assert_eq!((&*meta.content_type, &*meta.cache_control), (value, value));
    }
}

#[test]
fn no_key_leads_to_the_private_folder() {
    for text in [".private/temporary/x", ".private/locks", ".private", "..private/x", "...", ".x"] {
        let (_folder, store) = store();
        assert!(!store.path(&key(text)).starts_with(store.root.join(PRIVATE)), "{text}");
        store.create(&key(text), &jpeg(&text.into())).unwrap();
        assert_eq!(store.get(&key(text), 99).unwrap().bytes, text.as_bytes());
        assert_eq!(files(&store.temporary), 0);
    }
}

#[test]
fn a_copy_that_keeps_times_keeps_metadata() {
    let (_folder, store) = store();
    let key = key("id/a.jpg");
    store.create(&key, &expiring(&b"x".to_vec())).unwrap();
    let path = store.path(&key);
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    fs::rename(&path, store.root.join("old")).unwrap();
    fs::write(&path, "x").unwrap();
    File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    assert_eq!(store.head(&key).unwrap().cache_control, "max-age=9");
}

#[test]
fn metadata_of_a_write_that_never_came_to_be_are_not_seen() {
    let (_folder, store) = store();
    let key = key("id/a.jpg");
    let coming = store.write_temporary(&expiring(&b"new".to_vec())).unwrap();
    let coming = Version::of(&coming.metadata().unwrap());
    let described = Described::of(&expiring(&vec![]));
    // As if killed between writing down the metadata and renaming: nothing there, then an object
    // without metadata there, then one with.
    store.side.add(&key, None, coming, &described).unwrap();
    assert!(matches!(store.head(&key), Err(Error::NotFound)));
    store.create(&key, &jpeg(&b"old".to_vec())).unwrap();
    store.side.add(&key, store.current(&store.path(&key)).unwrap(), coming, &described).unwrap();
    assert_eq!(store.head(&key).unwrap().cache_control, IMMUTABLE);
    store.put(&key, &Object { cache_control: "max-age=1", ..jpeg(&b"newer".to_vec()) }).unwrap();
    store.side.add(&key, store.current(&store.path(&key)).unwrap(), coming, &described).unwrap();
    assert_eq!(store.head(&key).unwrap().cache_control, "max-age=1");
}

#[test]
fn deleting_an_uploads_last_object_removes_its_folder() {
    let (_folder, store) = store();
    store.create(&key("id/a.jpg"), &expiring(&vec![])).unwrap();
    store.create(&key("id/b.jpg"), &jpeg(&vec![])).unwrap();
    store.delete(&key("id/a.jpg")).unwrap();
    assert!(store.root.join("id").is_dir());
    store.delete(&key("id/b.jpg")).unwrap();
    assert!(!store.root.join("id").exists() && store.root.is_dir());
    assert_eq!(files(&store.side.folder), 0);
}

#[test]
fn folders_that_come_and_go_disturb_no_write() {
    let (_folder, store) = store();
    let until = Instant::now() + Duration::from_millis(300);
    let come_and_go = |name: &str| {
        let key = key(&format!("id/{name}"));
        while Instant::now() < until {
            store.create(&key, &jpeg(&vec![1])).unwrap();
            store.delete(&key).unwrap();
        }
    };
    std::thread::scope(|threads| {
        for name in ["a", "b", "c", "d"] {
            threads.spawn(move || come_and_go(name));
        }
    });
    assert!(!store.root.join("id").exists());
}

#[test]
fn a_reader_sees_content_and_metadata_of_one_version() {
    let (_folder, store) = store();
    let key = key("id/a.jpg");
    let write = |n: u32| {
        // Every third version needs no file for its metadata.
        let cache_control = if n.is_multiple_of(3) { IMMUTABLE.into() } else { format!("max-age={n}") };
        let content = cache_control.clone().into_bytes();
        store.put(&key, &Object { cache_control: &cache_control, ..jpeg(&content) }).unwrap();
    };
    write(0);
    let until = Instant::now() + Duration::from_millis(300);
    let read = || {
        while Instant::now() < until {
            let (mut file, meta) = store.open_object(&key).unwrap();
            let mut content = String::new();
            file.read_to_string(&mut content).unwrap();
            assert_eq!(content, meta.cache_control);
            assert_eq!(meta.length, content.len() as u64);
        }
    };
    std::thread::scope(|threads| {
        threads.spawn(read);
        (1..).take_while(|_| Instant::now() < until).for_each(write);
    });
}

#[test]
fn a_reader_that_was_overtaken_looks_again() {
    let (_folder, store) = store();
    let key = key("id/a.jpg");
    store.create(&key, &expiring(&b"old".to_vec())).unwrap();
    let overtaken = Cell::new(false);
    let look = || {
        let seen = fs::metadata(store.path(&key))?;
        if !overtaken.replace(true) {
            // The metadata of what was just seen go with this.
            store.put(&key, &jpeg(&b"newer".to_vec())).unwrap();
        }
        Ok(((), seen))
    };
    let ((), meta) = store.settled(&key, look).unwrap();
    assert_eq!((meta.length, &*meta.cache_control), (5, IMMUTABLE));
}

#[test]
fn an_open_object_stays_what_it_was() {
    let (_folder, store) = store();
    let key = key("id/a.jpg");
    store.create(&key, &jpeg(&b"old".to_vec())).unwrap();
    let (mut file, meta) = store.open_object(&key).unwrap();
    store.put(&key, &jpeg(&b"new!".to_vec())).unwrap();
    let mut content = String::new();
    file.read_to_string(&mut content).unwrap();
    assert_eq!((&*content, meta.length), ("old", 3));
}

#[test]
fn a_clock_set_back_makes_no_old_tag() {
    let (_folder, store) = store();
    let key = key("id/a.jpg");
    store.create(&key, &jpeg(&b"a".to_vec())).unwrap();
    let future = SystemTime::now() + Duration::from_secs(3600);
    let file = File::options().write(true).open(store.path(&key)).unwrap();
    file.set_modified(future).unwrap();
    store.put(&key, &jpeg(&b"b".to_vec())).unwrap();
    let modified = fs::metadata(store.path(&key)).unwrap().modified().unwrap();
    assert_eq!(modified, future + Duration::from_nanos(1));
}

#[test]
fn a_key_that_would_be_file_and_folder_is_refused() {
    let (_folder, store) = store();
    store.create(&key("a/b"), &jpeg(&vec![])).unwrap();
    for result in [
        store.create(&key("a"), &jpeg(&vec![])),
        store.put(&key("a"), &expiring(&vec![])),
        store.create(&key("a/b/c"), &jpeg(&vec![])),
    ] {
        assert!(matches!(result, Err(Error::Forbidden(_))), "{result:?}");
    }
    store.delete(&key("a")).unwrap();
    assert!(store.head(&key("a/b")).is_ok());
}

#[test]
fn a_store_that_fails_says_where_and_works_again_without_a_restart() {
    let (folder, store) = store();
    store.create(&key("id/a.jpg"), &jpeg(&b"a".to_vec())).unwrap();
    // As good as an unmounted disk, and as testable by root as by anyone.
    let away = folder.path().join("away");
    fs::rename(&store.root, &away).unwrap();
    fs::write(&store.root, "no folder").unwrap();
    for result in [
        store.check(),
        store.create(&key("id/b.jpg"), &jpeg(&vec![])),
        store.put(&key("id/a.jpg"), &jpeg(&vec![])),
        store.delete(&key("id/a.jpg")),
    ] {
        let Err(Error::Unavailable(text)) = result else { panic!("{result:?}") };
        assert!(text.contains("objects/.private"), "{text}");
    }
    fs::remove_file(&store.root).unwrap();
    store.check().unwrap();
    store.create(&key("id/b.jpg"), &jpeg(&vec![])).unwrap();
    fs::remove_dir_all(&store.root).unwrap();
    fs::rename(&away, &store.root).unwrap();
    assert_eq!(store.get(&key("id/a.jpg"), 9).unwrap().bytes, b"a");
}

#[test]
fn metadata_that_were_damaged_are_named() {
    let (_folder, store) = store();
    store.create(&key("id/a.jpg"), &expiring(&vec![])).unwrap();
    let side = fs::read_dir(&store.side.folder).unwrap().next().unwrap().unwrap().path();
    fs::write(&side, "{").unwrap();
    let Err(Error::Unavailable(text)) = store.head(&key("id/a.jpg")) else { panic!("not noticed") };
    assert!(text.contains(side.to_str().unwrap()), "{text}");
}

#[test]
fn a_content_of_another_length_than_declared_is_refused() {
    struct Wrong(u64);
    impl crate::store::Content for Wrong {
        fn length(&self) -> u64 {
            self.0
        }
        fn open(&self) -> io::Result<Box<dyn Read + '_>> {
            Ok(Box::new(&b"123"[..]))
        }
    }
    let (_folder, store) = store();
    let empty = vec![];
    for length in [0, 2, 4, u64::MAX] {
        let object = Object { content: &Wrong(length), ..jpeg(&empty) };
        assert!(matches!(store.create(&key("a"), &object), Err(Error::Unavailable(_))), "{length}");
    }
    store.create(&key("a"), &Object { content: &Wrong(3), ..jpeg(&empty) }).unwrap();
}

// Several processes, killed at random.

const CHILD: &str = "IMAGE_SHARER_TEST_STORE";
const CHILDREN: usize = 3;

/// One of the processes: counts up a number and claims keys, and notes what it was told has worked.
fn count_and_claim(root: &Path) {
    let store = DirectoryStore::open(root).unwrap();
    let me = Id::random().unwrap();
    let noted = root.with_file_name("noted");
    for n in 0.. {
        loop {
            let Fetched { bytes, tag } = store.get(&key("sum.json"), 99).unwrap();
            let next = String::from_utf8(bytes).unwrap().parse::<u64>().unwrap() + 1;
            match store.replace(&key("sum.json"), &tag, &expiring(&next.to_string().into())) {
                Ok(()) => break,
                Err(Error::Changed) => {}
                Err(e) => panic!("{e}"),
            }
        }
        fs::write(noted.join(format!("sum-{me}-{n}")), "").unwrap();
        match store.create(&key(&format!("claim/{n}")), &jpeg(&me.as_str().repeat(1000).into())) {
            Ok(()) => fs::write(noted.join(format!("claim-{n}-{me}")), "").unwrap(),
            Err(Error::AlreadyExists) => {}
            Err(e) => panic!("{e}"),
        }
    }
}

#[test]
fn processes_that_are_killed_lose_and_break_nothing() {
    if let Some(root) = std::env::var_os(CHILD) {
        return count_and_claim(Path::new(&root));
    }
    let (folder, store) = store();
    let noted = folder.path().join("noted");
    fs::create_dir(&noted).unwrap();
    store.create(&key("sum.json"), &expiring(&b"0".to_vec())).unwrap();
    let start = || -> Child {
        let this = std::thread::current().name().unwrap().to_owned();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", &this]).env(CHILD, &store.root).stdout(std::process::Stdio::null());
        command.spawn().unwrap()
    };
    let mut children: Vec<Child> = (0..CHILDREN).map(|_| start()).collect();
    let (mut killed, until) = (CHILDREN, Instant::now() + Duration::from_secs(2));
    let kill = |child: &mut Child| {
        assert_eq!(child.try_wait().unwrap(), None, "a process failed by itself");
        child.kill().unwrap();
        child.wait().unwrap();
    };
    while Instant::now() < until {
        std::thread::sleep(Duration::from_millis(60));
        kill(&mut children[killed % CHILDREN]);
        children[killed % CHILDREN] = start();
        killed += 1;
    }
    children.iter_mut().for_each(kill);

    let names = fs::read_dir(&noted).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let (sums, claims): (Vec<_>, Vec<_>) = names.partition(|name| name.starts_with("sum-"));
    let sum: usize =
        String::from_utf8(store.get(&key("sum.json"), 99).unwrap().bytes).unwrap().parse().unwrap();
    // A process may be killed between its success and its note, once in its life.
    assert!((sums.len()..=sums.len() + killed).contains(&sum), "{sum}, noted {}", sums.len());
    assert_eq!(store.head(&key("sum.json")).unwrap().cache_control, "max-age=9");
    assert!(!claims.is_empty());
    for claim in &claims {
        let (n, winner) = claim["claim-".len()..].split_once('-').unwrap();
        let claimed = store.get(&key(&format!("claim/{n}")), 99_999).unwrap().bytes;
        assert!(claimed == winner.repeat(1000).into_bytes(), "{claim}");
    }
    drop(store);
    let store = DirectoryStore::open(&folder.path().join("objects")).unwrap();
    assert_eq!(files(&store.temporary), 0, "what was half-written is gone");
    println!("{sum} replacements, {} claims, {killed} killed", claims.len());
}
