//! One connection's socket: its one buffer, and every read and write under a deadline.
//!
//! Knows no HTTP. What was read and not yet taken stays in the buffer for the next request.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::ops::Range;
use std::time::{Duration, Instant};

use super::deadline::{Pace, time_left};

/// A buffer's size while nothing larger has come, in bytes: a browser's head fits. Thousands of connections
/// rest, and each has one.
const SMALL_BUFFER: usize = 2 * 1024;

/// Most bytes handed to the kernel at once, so that progress is seen.
const WRITE_BYTES: usize = 64 * 1024;

/// The kernel's send buffer for a long answer, in bytes. What lies in it counts as taken by the
/// client: left to itself the kernel grows it to megabytes, and a slow reader earns minutes.
const SEND_BUFFER: usize = 192 * 1024;

/// From so many bytes on an answer counts as long.
const LONG_ANSWER: u64 = 128 * 1024;

/// Why reading or writing ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// The deadline passed.
    TimedOut,
    /// The other end closed or reset the connection.
    Gone,
}

/// A socket with its buffer.
pub(super) struct Wire<'s> {
    stream: &'s TcpStream,
    /// [`SMALL_BUFFER`] or `capacity` bytes.
    buffer: Box<[u8]>,
    capacity: usize,
    start: usize,
    end: usize,
    /// The last read found more than there was room for, or just that much.
    filled: bool,
    /// The time-outs set on the socket, so as not to set the same again.
    read_timeout: Option<Duration>,
    write_timeout: Option<Duration>,
    /// Bytes sent so far.
    sent: u64,
}

impl<'s> Wire<'s> {
    /// A wire whose buffer grows to `capacity` bytes when that much comes.
    pub fn new(stream: &'s TcpStream, capacity: usize) -> Wire<'s> {
        Wire {
            stream,
            buffer: vec![0; SMALL_BUFFER.min(capacity)].into(),
            capacity,
            start: 0,
            end: 0,
            filled: false,
            read_timeout: None,
            write_timeout: None,
            sent: 0,
        }
    }

    /// What has been read and not yet taken.
    pub fn unread(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Takes the first `count` bytes of what is unread.
    pub fn take(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// All bytes sent so far.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Gives back what memory it can: the next bytes may be long in coming.
    pub fn rest(&mut self) {
        if self.start == self.end && self.buffer.len() > SMALL_BUFFER {
            (self.start, self.end) = (0, 0);
            self.buffer = vec![0; SMALL_BUFFER].into();
        }
    }

    /// Waits for more bytes until `timeout` from now, and reads what is there.
    pub fn read_within(&mut self, timeout: Duration) -> Result<(), Broken> {
        if self.filled && self.buffer.len() < self.capacity {
            let mut larger = vec![0; self.capacity];
            larger[..self.end].copy_from_slice(&self.buffer[..self.end]);
            self.buffer = larger.into();
        }
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.read_timeout != Some(timeout) {
            self.stream.set_read_timeout(Some(timeout)).map_err(|_| Broken::Gone)?;
            self.read_timeout = Some(timeout);
        }
        loop {
            match self.stream.read(&mut self.buffer[self.end..]) {
                Ok(0) => return Err(Broken::Gone),
                Ok(count) => {
                    self.end += count;
                    self.filled = self.end == self.buffer.len();
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(broken(&error)),
            }
        }
    }

    /// Waits for more bytes until `deadline`, and reads what is there.
    pub fn read_by(&mut self, deadline: Instant) -> Result<(), Broken> {
        let timeout = time_left(deadline, Instant::now()).ok_or(Broken::TimedOut)?;
        self.read_within(timeout)
    }

    /// Whether a reset by the other end is known already.
    pub fn is_reset(&self) -> bool {
        !matches!(self.stream.take_error(), Ok(None))
    }

    /// Tells the kernel what is to come, where that matters.
    pub fn announce(&self, bytes: u64) {
        if bytes >= LONG_ANSWER
            && let Err(error) = rustix::net::sockopt::set_socket_send_buffer_size(self.stream, SEND_BUFFER)
        {
            log::debug!(error:% = error; "the send buffer keeps its size");
        }
    }

    /// Sends all of `bytes` at `pace`.
    pub fn send(&mut self, bytes: &[u8], pace: &mut Pace) -> Result<(), Broken> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let part = &rest[..rest.len().min(WRITE_BYTES)];
            let count = self.send_part(pace, |mut stream| stream.write(part))?;
            rest = &rest[count..];
        }
        Ok(())
    }

    /// Sends the bytes `range` of `file` at `pace`.
    ///
    /// A file that ends early breaks the connection: its length has been promised.
    pub fn send_file(&mut self, file: &File, range: Range<u64>, pace: &mut Pace) -> Result<(), Broken> {
        let mut offset = range.start;
        while offset < range.end {
            let count = usize::try_from(range.end - offset).unwrap_or(WRITE_BYTES).min(WRITE_BYTES);
            offset += self.send_part(pace, |stream| copy_part(stream, file, offset, count))? as u64;
        }
        Ok(())
    }

    fn send_part(
        &mut self,
        pace: &mut Pace,
        write: impl Fn(&TcpStream) -> io::Result<usize>,
    ) -> Result<usize, Broken> {
        loop {
            let timeout = time_left(pace.deadline(), Instant::now()).ok_or(Broken::TimedOut)?;
            self.set_write_timeout(timeout)?;
            match write(self.stream) {
                Ok(0) => return Err(Broken::Gone),
                Ok(count) => {
                    self.sent += count as u64;
                    pace.earn(count, Instant::now());
                    return Ok(count);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(broken(&error)),
            }
        }
    }

    fn set_write_timeout(&mut self, timeout: Duration) -> Result<(), Broken> {
        if self.write_timeout != Some(timeout) {
            self.stream.set_write_timeout(Some(timeout)).map_err(|_| Broken::Gone)?;
            self.write_timeout = Some(timeout);
        }
        Ok(())
    }

    /// Says the last word and reads on for a while, so that it isn't lost to a reset.
    ///
    /// Closing a socket with unread bytes resets it, and the reset can overtake the answer.
    pub fn linger(&mut self, time: Duration, most: u64) {
        if self.stream.shutdown(Shutdown::Write).is_err() {
            return;
        }
        let deadline = Instant::now() + time;
        let mut discarded = 0;
        while discarded <= most && Instant::now() < deadline {
            self.take(self.end);
            if self.read_by(deadline).is_err() {
                return;
            }
            discarded += self.end as u64;
        }
    }
}

fn broken(error: &io::Error) -> Broken {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => Broken::TimedOut,
        _ => Broken::Gone,
    }
}

/// Copies up to `count` bytes of the file from `offset` on into the socket, inside the kernel.
#[cfg(target_os = "linux")]
fn copy_part(stream: &TcpStream, file: &File, offset: u64, count: usize) -> io::Result<usize> {
    let mut offset = offset;
    Ok(rustix::fs::sendfile(stream, file, Some(&mut offset), count)?)
}

/// Copies up to `count` bytes of the file from `offset` on into the socket.
#[cfg(not(target_os = "linux"))]
fn copy_part(mut stream: &TcpStream, file: &File, offset: u64, count: usize) -> io::Result<usize> {
    let mut part = [0; 16 * 1024];
    let wanted = count.min(part.len());
    let there = std::os::unix::fs::FileExt::read_at(file, &mut part[..wanted], offset)?;
    stream.write(&part[..there])
}
