//! A small disk of a program's own: a tmpfs in its mount namespace, which goes with it. It can be filled,
//! and mounted read-only, while the program runs.
//!
//! It takes root, or a kernel that lets users make namespaces, and util-linux (`unshare`, `nsenter`).

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Process, Surroundings};

/// The disk of one running program.
pub struct Disk {
    process: u32,
    path: PathBuf,
}

impl Disk {
    /// Surroundings with a disk of so many KiB at `path`, after these lines of shell in which it is `$DISK`.
    pub fn around(path: &Path, kib: u32, lines: &str) -> Surroundings {
        let path = path.display();
        let mount = format!(
            "DISK='{path}'; mkdir -p \"$DISK\"; mount -t tmpfs -o size={kib}k,mode=0777 tmpfs \"$DISK\"\n{lines}"
        );
        let namespaces = if is_root() { "-m" } else { "-rm" };
        Surroundings::new(["unshare", namespaces]).then(Surroundings::shell(&mount))
    }

    /// The disk at `path` of a running program that was started with it.
    pub fn of(process: &Process, path: &Path) -> Disk {
        Disk { process: process.id(), path: path.to_owned() }
    }

    /// Where its files are seen from out here.
    pub fn seen(&self, inner: &str) -> PathBuf {
        let path = self.path.strip_prefix("/").expect("an absolute path");
        Path::new("/proc").join(self.process.to_string()).join("root").join(path).join(inner)
    }

    /// Leaves room for so many KiB, to a page.
    pub fn fill_but(&self, kib: usize) {
        let mut filler = File::options().create(true).append(true).open(self.seen("filler")).unwrap();
        loop {
            match filler.write_all(&[1; 4096]) {
                Ok(()) => {}
                Err(e) if e.kind() == ErrorKind::StorageFull => break,
                Err(e) => panic!("the disk can't be filled: {e}"),
            }
        }
        let length = filler.metadata().unwrap().len();
        filler.set_len(length - kib as u64 * 1024).unwrap();
    }

    /// Takes away what it was filled with.
    pub fn make_room(&self) {
        fs::remove_file(self.seen("filler")).unwrap();
    }

    /// Mounts it anew: `ro` or `rw`.
    pub fn remount(&self, how: &str) {
        let users: &[&str] = if is_root() { &[] } else { &["--user", "--preserve-credentials"] };
        let status = Command::new("nsenter")
            .args(["--target", &self.process.to_string(), "--mount"])
            .args(users)
            .args(["mount", "-o", &format!("remount,{how}")])
            .arg(&self.path)
            .status()
            .unwrap();
        assert!(status.success(), "nsenter and mount: {status}");
    }

    /// All files below `inner`, but for the filler.
    pub fn files(&self, inner: &str) -> Vec<PathBuf> {
        files(&self.seen(inner))
    }
}

/// All files below `folder`, sorted.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(files(&path)),
            path => found.push(path),
        }
    }
    found.sort();
    found
}

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
