//! Crash-safe files: after a power cut a name leads to all its new bytes, or to what it led to before.
//!
//! The order that file systems promise this for: write a temporary file on the same file system,
//! fsync it, rename it into place, fsync the folder. Which files, and when, is the callers' matter.

use std::fs::{self, File, Metadata, Permissions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::SystemTime;

use tempfile::NamedTempFile;

/// Mode of new files before the umask: as with any program, the umask decides who may read them.
const MODE: u32 = 0o666;

/// A file being written under a random name; dropped, it is gone.
///
/// It is locked as long as it is open: so [`clean`] can tell it from what a killed process left.
#[derive(Debug)]
pub struct Temporary(NamedTempFile);

impl Temporary {
    /// An empty one in `folder`.
    ///
    /// # Errors
    /// What kept it from being made.
    pub fn create(folder: &Path) -> io::Result<Temporary> {
        loop {
            let file = tempfile::Builder::new()
                .rand_bytes(16)
                .permissions(Permissions::from_mode(MODE))
                .tempfile_in(folder)?;
            // Where the file system has no locks, `clean` gets none either and removes nothing.
            let _ = file.as_file().lock();
            // Another process may have cleaned it away before it was locked.
            if file.as_file().metadata()?.nlink() > 0 {
                return Ok(Temporary(file));
            }
        }
    }

    /// The file, to write to.
    pub fn file(&mut self) -> &mut File {
        self.0.as_file_mut()
    }

    /// Makes content and time of last change durable, under the temporary name.
    ///
    /// # Errors
    /// What the disk says, at the latest here.
    pub fn sync(self, modified: SystemTime) -> io::Result<Synced> {
        let synced = Synced(self.0);
        synced.stamp(modified)?;
        Ok(synced)
    }
}

/// A temporary file whose bytes are on the disk: ready to get its name.
#[derive(Debug)]
pub struct Synced(NamedTempFile);

impl Synced {
    /// What the file system says of it.
    ///
    /// # Errors
    /// As `fstat(2)`.
    pub fn metadata(&self) -> io::Result<Metadata> {
        self.0.as_file().metadata()
    }

    /// Sets its time of last change, durably.
    ///
    /// # Errors
    /// As `futimens(2)` and `fsync(2)`.
    pub fn stamp(&self, modified: SystemTime) -> io::Result<()> {
        self.0.as_file().set_modified(modified)?;
        self.0.as_file().sync_all()
    }

    /// Gives it the name `path`, in the place of a file that may have it. Durable once the folder
    /// is [synced](sync_folder).
    ///
    /// # Errors
    /// As `rename(2)`, with the file, to try again.
    pub fn rename_over(self, path: &Path) -> Result<(), (io::Error, Synced)> {
        self.0.persist(path).map(drop).map_err(|e| (e.error, Synced(e.file)))
    }

    /// Gives it the name `path` if nothing has it, in one step that no other process can come into.
    /// Durable once the folder is [synced](sync_folder).
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`], else as `renameat2(2)`; with the file, to try again.
    pub fn rename_new(self, path: &Path) -> Result<(), (io::Error, Synced)> {
        self.0.persist_noclobber(path).map(drop).map_err(|e| (e.error, Synced(e.file)))
    }
}

/// Writes a whole file, durably, in the place of one that may be there. `temporaries` is a folder
/// on the same file system; the folder of `path` exists.
///
/// # Errors
/// What kept it from being written: `path` then leads to what it led to before. Only if the last
/// step fails, the fsync of the folder, it is unknown to which of both it leads after a power cut.
pub fn write(temporaries: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut temporary = Temporary::create(temporaries)?;
    temporary.file().write_all(bytes)?;
    temporary.sync(SystemTime::now())?.rename_over(path).map_err(|(error, _)| error)?;
    sync_folder(parent(path))
}

/// Makes the names in a folder durable: files that came, went and were renamed.
///
/// # Errors
/// As `fsync(2)`; but a file system that knows no fsync of folders is taken to need none.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        Err(e) if e.kind() == ErrorKind::InvalidInput => Ok(()),
        result => result,
    }
}

/// [Syncs](sync_folder) `folder` and those above it up to `root`: whoever made one of them may not
/// have come to that yet. One that is not there (any more) has nothing to sync.
///
/// # Errors
/// As [`sync_folder`].
pub fn sync_up(folder: &Path, root: &Path) -> io::Result<()> {
    for folder in folder.ancestors().take_while(|folder| folder.starts_with(root)) {
        match sync_folder(folder) {
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            result => result?,
        }
    }
    Ok(())
}

/// Makes a folder and the missing ones above it, durably.
///
/// # Errors
/// As `mkdir(2)` and `fsync(2)`.
pub fn create_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = parent(folder);
    create_folder(above)?;
    match fs::create_dir(folder) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists && folder.is_dir() => {}
        result => result?,
    }
    sync_folder(above)
}

/// Removes the temporary files that killed processes left in `folder`, and none that is in use.
///
/// # Errors
/// If the folder can't be listed; single files that can't be removed wait for the next time.
pub fn clean(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Ok(file) = File::open(&path) else { continue };
        match file.try_lock() {
            Ok(()) => drop(fs::remove_file(&path)),
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
        }
    }
    Ok(())
}

/// Room that a folder must have to be one that can be written to, in bytes: the thumbnails of one picture
/// at their largest. With less, small files could be written and jobs would fail all the same, again and again.
const ROOM: u64 = 2 << 20;

/// Whether files can be written in `folder`: writes one, durably, where there is room for larger ones.
///
/// # Errors
/// What stands in the way.
pub fn probe(folder: &Path) -> io::Result<()> {
    let mut temporary = Temporary::create(folder)?;
    reserve(temporary.file(), ROOM)?;
    temporary.file().write_all(b"check")?;
    temporary.sync(SystemTime::now()).map(drop)
}

/// The same at a start. A full disk is logged, no more: what is on it can be read, and room comes and goes
/// without anybody's starting a program anew.
///
/// # Errors
/// As of [`probe`], but for a full disk.
pub fn probe_at_start(folder: &Path) -> io::Result<()> {
    match probe(folder) {
        Err(e) if matches!(e.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => {
            let cause = explain("write to", folder, &e);
            log::error!(cause; "starting all the same: nothing is taken in until there is room");
            Ok(())
        }
        result => result,
    }
}

/// Gives a file room on the disk that is not written to; a file system that can't do that is not asked.
fn reserve(file: &File, bytes: u64) -> io::Result<()> {
    use rustix::{fs, io::Errno};
    loop {
        match fs::fallocate(file, fs::FallocateFlags::empty(), 0, bytes) {
            Err(Errno::INTR) => {}
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => return Ok(()),
            result => return Ok(result?),
        }
    }
}

/// Says in a sentence what failed where, and what to do about it.
pub fn explain(doing: &str, path: &Path, error: &io::Error) -> String {
    let advice = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room there",
        ErrorKind::ReadOnlyFilesystem => "mount that file system writable",
        ErrorKind::PermissionDenied => "let this program's user read and write there",
        ErrorKind::CrossesDevices => "keep all of that folder on one file system",
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => "remove what is there and is no folder",
        ErrorKind::Unsupported => "use a file system that has locks",
        _ => "look at that disk and at the system's log",
    };
    format!("can't {doing} {}: {error}; {advice}", path.display())
}

/// The folder that `path` is in.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let name = |e: io::Result<fs::DirEntry>| e.unwrap().file_name().into_string().unwrap();
        fs::read_dir(folder).unwrap().map(name).collect()
    }

    fn temporary(folder: &Path, bytes: &[u8]) -> Temporary {
        let mut temporary = Temporary::create(folder).unwrap();
        temporary.file().write_all(bytes).unwrap();
        temporary
    }

    #[test]
    fn a_file_is_written_over_another_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        for text in ["one", "another", ""] {
            write(folder.path(), &path, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    fn a_new_name_is_never_taken_from_another_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let synced = |text: &str| temporary(folder.path(), text.as_bytes()).sync(SystemTime::now()).unwrap();
        synced("first").rename_new(&path).unwrap();
        let (error, second) = synced("second").rename_new(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        drop(second);
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    fn a_dropped_temporary_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        drop(temporary(folder.path(), b"x"));
        drop(temporary(folder.path(), b"x").sync(SystemTime::now()).unwrap());
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn cleaning_removes_what_a_killed_process_left_and_nothing_in_use() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("left"), "half").unwrap();
        let mut in_use = temporary(folder.path(), b"x");
        clean(folder.path()).unwrap();
        assert_eq!(names(folder.path()).len(), 1);
        in_use.file().write_all(b"y").unwrap();
        in_use.sync(SystemTime::now()).unwrap().rename_over(&folder.path().join("a")).unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("a")).unwrap(), "xy");
    }

    #[test]
    fn folders_are_made_with_those_above_them() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b/c");
        create_folder(&deep).unwrap();
        create_folder(&deep).unwrap();
        assert!(deep.is_dir());
        fs::write(folder.path().join("file"), "").unwrap();
        create_folder(&folder.path().join("file/b")).unwrap_err();
        sync_up(&deep.join("not/there"), folder.path()).unwrap();
    }

    #[test]
    fn an_explanation_says_where_and_what_to_do() {
        let full = io::Error::from(ErrorKind::StorageFull);
        let text = explain("write to", Path::new("/data/x"), &full);
        assert!(text.contains("/data/x") && text.ends_with("make room there"), "{text}");
    }
}
