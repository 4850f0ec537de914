//! The listening socket: binds, accepts whatever happens, and ends in good order.
//!
//! Each connection is let in by `crowd`, served by a thread of `pool`, or turned away by `usher`.

use std::fmt;
use std::io::{self, ErrorKind, PipeReader, PipeWriter, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::connection;
use super::crowd::{Crowd, Place, TurnedAway};
use super::house::House;
use super::pool::Pool;
use super::usher::Usher;
use super::{Config, Refusal, Service};
use crate::pulse::Pulse;

/// Pause after an accept error that would come again at once.
const PAUSE: Duration = Duration::from_millis(20);

/// Longest wait for a connection: at least so often the accepting beats.
const TURN: Timespec = Timespec { tv_sec: 5, tv_nsec: 0 };

/// Most connections accepted before looking whether to stop.
const ROUND: usize = 64;

/// Connections the kernel holds for us until they are accepted.
const BACKLOG: i32 = 1024;

/// Why there is no open door.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The address can't be listened on: it is taken, not this machine's, or needs a privilege.
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system says.
        source: io::Error,
    },
    /// No pipe to be woken by: the process has no descriptors left.
    Wake(io::Error),
    /// Not one connection thread could be started.
    Threads(io::Error),
    /// The operating system has no randomness to give for request ids.
    Randomness(getrandom::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Listen { address, source } => {
                write!(f, "cannot listen on {address}: {source}; choose another address or port")
            }
            Error::Wake(e) => write!(f, "cannot make a pipe: {e}; raise the limit on open files"),
            Error::Threads(e) => {
                write!(f, "cannot start a thread: {e}; raise the limits on processes and memory")
            }
            Error::Randomness(e) => write!(f, "the operating system has no randomness to give: {e}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Listen { source, .. } => Some(source),
            Error::Wake(source) | Error::Threads(source) => Some(source),
            Error::Randomness(source) => Some(source),
        }
    }
}

/// A listening socket that nobody is served on yet.
#[derive(Debug)]
pub struct Door {
    config: Config,
    listener: TcpListener,
    wake: PipeReader,
    stopper: Stopper,
    pulse: Pulse,
}

/// Stops a [`Door`], from any thread.
#[derive(Clone, Debug)]
pub struct Stopper(Arc<Stop>);

#[derive(Debug)]
struct Stop {
    asked: AtomicBool,
    wake: PipeWriter,
}

impl Stopper {
    /// Asks the door to stop: it takes no new connection, closes those that rest, and finishes the rest.
    pub fn stop(&self) {
        // Once is enough; and one byte always fits into a pipe.
        if !self.0.asked.swap(true, Ordering::SeqCst)
            && let Err(error) = (&self.0.wake).write_all(&[0])
        {
            log::debug!(error:% = error; "the door has stopped already");
        }
    }
}

/// A connection on its way to a thread.
struct Visitor {
    place: Place,
    peer: IpAddr,
}

impl Door {
    /// Listens on the address of `config`; connections wait until [`Door::run`].
    ///
    /// # Errors
    /// [`Error::Listen`] or [`Error::Wake`].
    pub fn bind(config: Config) -> Result<Door, Error> {
        let cannot = |source| Error::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).map_err(cannot)?;
        listener.set_nonblocking(true).map_err(cannot)?;
        // std's own backlog is short; listening again only changes that.
        rustix::net::listen(&listener, BACKLOG).map_err(|e| cannot(e.into()))?;
        let (wake, waker) = io::pipe().map_err(Error::Wake)?;
        let stopper = Stopper(Arc::new(Stop { asked: AtomicBool::new(false), wake: waker }));
        Ok(Door { config, listener, wake, stopper, pulse: Pulse::new() })
    }

    /// The address it listens on, with the port it was given.
    pub fn local_addr(&self) -> SocketAddr {
        self.listener.local_addr().unwrap_or(self.config.listen)
    }

    /// Beats at least every 5 seconds while connections are accepted.
    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// What stops it.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Serves `service` until stopped, and returns when what was in flight is finished.
    ///
    /// Whoever is not finished after [`Config::drain_time`] is cut off; a call of the service that
    /// still runs then is left to itself.
    ///
    /// # Errors
    /// [`Error::Threads`] or [`Error::Randomness`], before anybody was served.
    pub fn run(self, service: Arc<dyn Service>) -> Result<(), Error> {
        let Door { config, listener, wake, stopper: _stopper, pulse } = self;
        let house = Arc::new(House::new(config.clone(), service).map_err(Error::Randomness)?);
        let usher = Usher::start(house.clone()).map_err(Error::Threads)?;
        let crowd = Crowd::new(&config);
        let serve_house = house.clone();
        let serve = move |v: Visitor| connection::serve(&serve_house, &v.place, v.peer);
        let pool = Pool::new(config.max_connections, config.threads_at_start, config.stack_bytes, serve)
            .map_err(Error::Threads)?;
        let mut hall = Hall { house, crowd, pool, usher, pulse, complaints: Complaints::default() };
        hall.accept_until_woken(&listener, &wake);
        drop(listener);
        let cut_off = hall.crowd.disperse(config.drain_time);
        if cut_off > 0 {
            log::warn!(cut_off; "connections cut off: they were not finished within the drain time");
        }
        Ok(())
    }
}

/// Everything a new connection may meet.
struct Hall {
    house: Arc<House>,
    crowd: Arc<Crowd>,
    pool: Pool<Visitor>,
    usher: Usher,
    pulse: Pulse,
    complaints: Complaints,
}

impl Hall {
    fn accept_until_woken(&mut self, listener: &TcpListener, wake: &PipeReader) {
        loop {
            self.pulse.beat();
            let mut events = [PollFd::new(listener, PollFlags::IN), PollFd::new(wake, PollFlags::IN)];
            match poll(&mut events, Some(&TURN)) {
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => {
                    self.complaints.complain(&error.into());
                    std::thread::sleep(PAUSE);
                }
            }
            if !events[1].revents().is_empty() {
                return;
            }
            self.accept_some(listener);
        }
    }

    fn accept_some(&mut self, listener: &TcpListener) {
        for _ in 0..ROUND {
            match listener.accept() {
                Ok((stream, peer)) => self.receive(stream, peer.ip().to_canonical()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error)
                    if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::Interrupted) => {}
                Err(error) => {
                    // Mostly descriptors have run out; somebody who rests may hold one.
                    self.complaints.complain(&error);
                    self.crowd.make_room();
                    std::thread::sleep(PAUSE);
                    return;
                }
            }
        }
    }

    fn receive(&self, stream: TcpStream, peer: IpAddr) {
        // On some systems a connection inherits this from its listener.
        if stream.set_nonblocking(false).and_then(|()| stream.set_nodelay(true)).is_err() {
            return; // It has been reset already.
        }
        match self.crowd.enter(stream, peer, self.house.trusts(peer)) {
            Ok(place) => {
                if let Err(visitor) = self.pool.give(Visitor { place, peer })
                    && let Ok(stream) = visitor.place.stream().try_clone()
                {
                    self.usher.turn_away(TurnedAway { stream, refusal: Refusal::Busy }, peer);
                }
            }
            Err(turned) => self.usher.turn_away(turned, peer),
        }
    }
}

/// Logs accept errors, at most one a second.
#[derive(Default)]
struct Complaints {
    last: Option<Instant>,
    unsaid: u64,
}

impl Complaints {
    fn complain(&mut self, error: &io::Error) {
        if self.last.is_some_and(|last| last.elapsed() < Duration::from_secs(1)) {
            self.unsaid += 1;
            return;
        }
        log::error!(error:% = error, unsaid = self.unsaid; "a connection could not be accepted; going on");
        self.last = Some(Instant::now());
        self.unsaid = 0;
    }
}
