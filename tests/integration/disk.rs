//! A disk that is full, read-only, or not ours to write: said at the start, refused while it lasts, over by itself.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::harness::{Client, Disk, Folder, Process, Sharer, Surroundings, disk, noise_jpeg};

const SOON: Duration = Duration::from_secs(60);

/// `image-sharer` on a disk of 16 MiB.
fn on_a_small_disk() -> (Sharer, Disk) {
    let folder = Folder::new("disk");
    let data = folder.path().join("data");
    let sharer = Sharer::in_folder(folder, Disk::around(&data, 16 << 10, ""), &[]);
    let disk = Disk::of(&sharer.process, &data);
    (sharer, disk)
}

fn becomes(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !is_so() {
        assert!(Instant::now() < deadline, "not within {SOON:?}: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn is_well(client: &Client) -> bool {
    client.get("/healthz").status == 200
}

/// All files of a store but its locks, of which there are at most 256.
fn kept(objects: &Path) -> Vec<PathBuf> {
    let mut files = disk::files(objects);
    files.retain(|path| !path.starts_with(objects.join(".private/locks")));
    files
}

/// Uploads are refused, nothing is left of them, and what is there is served; until it is over.
fn refuses_until_it_is_over(sharer: &mut Sharer, objects: &Path, begin: impl Fn(), end: impl Fn()) {
    let client = sharer.client;
    let photo = noise_jpeg(640, 480, 1);
    let before = client.upload("a.jpg", &photo);
    client.wait_for(&before.url("large"), SOON);
    let files = kept(objects);
    begin();
    let refused = client.upload("b.jpg", &photo);
    assert_eq!((refused.status, refused.error_code().as_str()), (503, "unavailable"));
    assert!(refused.header("retry-after").is_some());
    becomes("unwell", || client.get("/healthz").status == 503);
    assert_eq!(client.get_url(&before.url("original")).body, photo);
    assert_eq!(kept(objects), files, "something is left of what was refused");
    end();
    let after = client.upload("c.jpg", &photo);
    client.wait_for(&after.url("large"), SOON);
    becomes("well", || is_well(&client));
    assert_eq!(sharer.process.stop(), Some(0), "the same process all along");
}

#[test]
fn a_full_disk_refuses_uploads_until_there_is_room() {
    let (mut sharer, disk) = on_a_small_disk();
    refuses_until_it_is_over(&mut sharer, &disk.seen("objects"), || disk.fill_but(0), || disk.make_room());
}

#[test]
fn a_disk_that_becomes_read_only_refuses_uploads_until_it_is_writable() {
    let (mut sharer, disk) = on_a_small_disk();
    let (begin, end) = (|| disk.remount("ro"), || disk.remount("rw"));
    refuses_until_it_is_over(&mut sharer, &disk.seen("objects"), begin, end);
}

#[test]
fn folders_that_may_not_be_written_to_refuse_uploads_until_they_may() {
    let folder = Folder::new("denied");
    let data = folder.path().join("data");
    let mut sharer = Sharer::in_folder(folder, without_privileges(), &[]);
    let mode = |mode| each_folder(&data, &|folder| fs::set_permissions(folder, Permissions::from_mode(mode)));
    refuses_until_it_is_over(&mut sharer, &data.join("objects"), || mode(0o555), || mode(0o755));
}

#[test]
fn thumbnails_that_find_no_room_are_made_when_there_is_some_and_no_receives_are_spent_meanwhile() {
    let (sharer, disk) = on_a_small_disk();
    let photo = noise_jpeg(640, 480, 1);
    // Room for the original, its record and its message, and not for a large thumbnail.
    disk.fill_but(photo.len() / 1024 + 28);
    let reply = sharer.client.upload("a.jpg", &photo);
    assert_eq!(reply.status, 202, "{}", reply.text());
    becomes("the worker waits, for the third time", || {
        sharer.process.log().matches("no jobs are taken for now").count() >= 3
    });
    let messages = disk.files("queue/messages");
    let receives = messages[0].file_name().unwrap().to_str().unwrap().split('.').nth(4).unwrap().to_owned();
    assert_eq!((messages.len(), receives.as_str()), (1, "1"));
    disk.make_room();
    sharer.client.wait_for(&reply.url("large"), SOON);
    assert!(disk.files("queue/dead").is_empty());
}

#[test]
fn a_disk_that_is_full_at_the_start_is_said_and_served_from() {
    let folder = Folder::new("full");
    let data = folder.path().join("data");
    let fill = "mkdir -p $DISK/objects/.private/temporary $DISK/objects/.private/locks \
                $DISK/objects/.private/metadata $DISK/queue/messages $DISK/queue/dead $DISK/queue/temporary
                dd if=/dev/zero of=$DISK/filler bs=4096 status=none 2> /dev/null || true";
    let sharer = Sharer::in_folder(folder, Disk::around(&data, 4 << 10, fill), &[]);
    let log = sharer.process.log();
    assert!(
        log.contains("data/objects/.private/temporary: No space left") && log.contains("make room there"),
        "{log}"
    );
    assert_eq!(sharer.client.upload("a.jpg", &noise_jpeg(640, 480, 1)).status, 503);
    Disk::of(&sharer.process, &data).make_room();
    let reply = sharer.client.upload("a.jpg", &noise_jpeg(640, 480, 1));
    sharer.client.wait_for(&reply.url("large"), SOON);
}

#[test]
fn a_disk_that_is_read_only_at_the_start_is_said_with_what_to_do() {
    let folder = Folder::new("readonly");
    let data = folder.path().join("data");
    for made in [
        "",
        "mkdir -p $DISK/objects/.private/temporary $DISK/objects/.private/locks $DISK/objects/.private/metadata",
    ] {
        let lines = format!("{made}\nmount -o remount,ro $DISK");
        refuses_to_start(&folder, &Disk::around(&data, 4 << 10, &lines), "mount that file system writable");
    }
}

#[test]
fn folders_that_may_not_be_written_to_at_the_start_are_said_with_what_to_do() {
    let folder = Folder::new("denied");
    let data = folder.path().join("data");
    fs::create_dir_all(data.join("objects/.private/temporary")).unwrap();
    fs::create_dir_all(data.join("objects/.private/locks")).unwrap();
    fs::create_dir_all(data.join("objects/.private/metadata")).unwrap();
    each_folder(&data, &|folder| fs::set_permissions(folder, Permissions::from_mode(0o555)));
    refuses_to_start(&folder, &without_privileges(), "let this program's user read and write there");
    each_folder(&data, &|folder| fs::set_permissions(folder, Permissions::from_mode(0o755)));
}

fn refuses_to_start(folder: &Folder, surroundings: &Surroundings, advice: &str) {
    let settings = [("SHARER_LISTEN", "127.0.0.1:0".to_owned())];
    let mut process = Process::start_in(surroundings, "image-sharer", folder.path(), &settings);
    assert_eq!(process.wait(Duration::from_secs(20)), Some(1));
    let log = process.log();
    assert!(log.contains("data") && log.contains(advice), "{log}");
}

/// Root may write everywhere, unless these are taken from it.
fn without_privileges() -> Surroundings {
    let words: &[&str] =
        if disk::is_root() { &["setpriv", "--bounding-set=-all", "--inh-caps=-all"] } else { &[] };
    Surroundings::new(words.iter().copied())
}

fn each_folder(folder: &Path, act: &dyn Fn(&Path) -> std::io::Result<()>) {
    // From above, so that they may be entered.
    act(folder).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_folder(&path, act);
        }
    }
}
