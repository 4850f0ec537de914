//! Where a body's bytes go until they are stored: memory while there is room, else a file.
//!
//! All spools share one [`Budget`], and take from it as bytes come, not as a client declares them.
//! The file has no name, so that nothing is left of it when the program ends in whatever way.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Least memory that a spool takes at once, in bytes.
const FIRST_STEP: usize = 64 * 1024;

/// How many bytes all spools together may hold in memory.
#[derive(Debug)]
pub struct Budget {
    limit: u64,
    used: AtomicU64,
}

impl Budget {
    /// A budget of `limit` bytes.
    pub fn new(limit: u64) -> Arc<Budget> {
        Arc::new(Budget { limit, used: AtomicU64::new(0) })
    }

    /// Bytes that are held now.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: u64) -> bool {
        // Only the sum counts, no other memory is published by it: relaxed order is enough.
        let within = |used: u64| used.checked_add(bytes).filter(|sum| *sum <= self.limit);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, within).is_ok()
    }
}

/// A share of the budget, given back when it is dropped, in unwinding too.
#[derive(Debug)]
struct Share {
    budget: Arc<Budget>,
    bytes: u64,
}

impl Share {
    fn grow(&mut self, bytes: u64) -> bool {
        let granted = self.budget.take(bytes);
        self.bytes += if granted { bytes } else { 0 };
        granted
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Where spools put their bytes.
#[derive(Clone, Debug)]
pub struct Config {
    /// What all spools together may hold in memory.
    pub budget: Arc<Budget>,
    /// Most bytes that one spool holds in memory.
    pub memory_each: usize,
    /// The folder for files; it must exist.
    pub folder: PathBuf,
}

/// One body's bytes.
#[derive(Debug)]
pub struct Spool {
    place: Place,
    length: u64,
    config: Config,
}

#[derive(Debug)]
enum Place {
    /// The share covers the vector's capacity.
    Memory {
        bytes: Vec<u8>,
        share: Share,
    },
    File(File),
}

impl Spool {
    /// An empty spool.
    pub fn new(config: &Config) -> Spool {
        let share = Share { budget: Arc::clone(&config.budget), bytes: 0 };
        let place = Place::Memory { bytes: Vec::new(), share };
        Spool { place, length: 0, config: config.clone() }
    }

    /// How many bytes it holds.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Adds bytes at the end.
    ///
    /// # Errors
    /// When the file can't be made or written: the folder is missing, or full.
    pub fn write(&mut self, more: &[u8]) -> io::Result<()> {
        if let Place::Memory { bytes, share } = &mut self.place {
            if make_room(bytes, share, more.len(), self.config.memory_each) {
                bytes.extend_from_slice(more);
                self.length += more.len() as u64;
                return Ok(());
            }
            let mut file = tempfile::tempfile_in(&self.config.folder)?;
            file.write_all(bytes)?;
            // This drops the memory, and with it its share of the budget.
            self.place = Place::File(file);
        }
        if let Place::File(file) = &mut self.place {
            file.write_all(more)?;
            self.length += more.len() as u64;
        }
        Ok(())
    }

    /// Reads it from the start; any number of readers at once.
    pub fn reader(&self) -> Reader<'_> {
        Reader { spool: self, at: 0 }
    }
}

/// Whether `bytes` has, or was given, room for `more` within the limits.
fn make_room(bytes: &mut Vec<u8>, share: &mut Share, more: usize, limit: usize) -> bool {
    let needed = bytes.len() + more;
    if needed <= bytes.capacity() {
        return true;
    }
    if needed > limit {
        return false;
    }
    let target = needed.max(bytes.capacity() * 2).max(FIRST_STEP).min(limit);
    let wanted = (target - bytes.capacity()) as u64;
    if !share.grow(wanted) {
        return false;
    }
    // Exactly, so that the share covers the capacity.
    bytes.reserve_exact(target - bytes.len());
    true
}

/// Reads a [`Spool`].
#[derive(Debug)]
pub struct Reader<'s> {
    spool: &'s Spool,
    at: u64,
}

impl Read for Reader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = match &self.spool.place {
            Place::Memory { bytes, .. } => {
                let start = bytes.len().min(usize::try_from(self.at).unwrap_or(usize::MAX));
                (&bytes[start..]).read(into)?
            }
            Place::File(file) => file.read_at(into, self.at)?,
        };
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Reader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.spool.length.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEGA: u64 = 1024 * 1024;

    fn config(budget: u64, memory_each: usize) -> Config {
        Config { budget: Budget::new(budget), memory_each, folder: std::env::temp_dir() }
    }

    fn filled(config: &Config, pieces: &[&[u8]]) -> Spool {
        let mut spool = Spool::new(config);
        pieces.iter().for_each(|piece| spool.write(piece).unwrap());
        spool
    }

    fn read(spool: &Spool) -> Vec<u8> {
        let mut bytes = Vec::new();
        spool.reader().read_to_end(&mut bytes).unwrap();
        bytes
    }

    fn in_memory(spool: &Spool) -> bool {
        matches!(spool.place, Place::Memory { .. })
    }

    #[test]
    fn memory_and_file_read_alike_and_more_than_once() {
        for limit in [0, 3, 6, 100] {
            let spool = filled(&config(MEGA, limit), &[b"ab", b"", b"cde", b"f"]);
            assert_eq!(in_memory(&spool), limit >= 6);
            assert_eq!((spool.length(), read(&spool), read(&spool)), (6, b"abcdef".into(), b"abcdef".into()));
            let mut reader = spool.reader();
            assert_eq!(reader.seek(SeekFrom::End(-2)).unwrap(), 4);
            let mut two = [0; 2];
            reader.read_exact(&mut two).unwrap();
            assert_eq!(&two, b"ef");
            assert_eq!(reader.seek(SeekFrom::Start(99)).unwrap(), 99);
            assert_eq!(reader.read(&mut two).unwrap(), 0);
            assert!(reader.seek(SeekFrom::Current(-100)).is_err());
        }
    }

    #[test]
    fn a_spool_that_finds_no_room_goes_to_a_file_and_gives_its_share_back() {
        let config = config(100_000, 1_000_000);
        let first = filled(&config, &[&[1; 50_000]]);
        assert!(config.budget.used() >= 50_000);
        let second = filled(&config, &[&[2; 60_000], &[3; 10]]);
        assert!(in_memory(&first) && !in_memory(&second));
        assert_eq!(read(&second).len(), 60_010);
        drop(first);
        assert_eq!(config.budget.used(), 0);
        assert!(in_memory(&filled(&config, &[&[2; 60_000]])));
        assert_eq!(config.budget.used(), 0);
    }

    #[test]
    fn the_budget_covers_the_capacity() {
        let config = config(10 * MEGA, 3_000_000);
        let mut spool = Spool::new(&config);
        for _ in 0..300 {
            spool.write(&[0; 10_000]).unwrap();
            let Place::Memory { bytes, .. } = &spool.place else { panic!("left memory too early") };
            assert_eq!(bytes.capacity() as u64, config.budget.used());
        }
        spool.write(&[0]).unwrap();
        assert!(!in_memory(&spool) && config.budget.used() == 0);
    }

    #[test]
    fn a_folder_that_is_missing_is_an_error() {
        let config = Config { folder: "/nonexistent".into(), ..config(0, 0) };
        assert!(Spool::new(&config).write(b"a").is_err());
    }
}
