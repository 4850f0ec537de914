//! Who is inside: the connections, each address's share of them, and which may be closed for another.
//!
//! A place is a guard: it is given up when dropped, in unwinding too. Per request a connection
//! touches only its own atomic; the lock is for coming and going.

use std::collections::HashMap;
use std::net::{IpAddr, Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::proxies::client_network;
use super::{Config, Refusal};

/// The connection is reading a body, working or writing.
const BUSY: u64 = 0;
/// Added to since when, where the connection has begun a head; times themselves are even.
const BEGUN: u64 = 1;
/// The connection has been closed to make room.
const CLOSED: u64 = u64::MAX;

/// All connections.
pub(super) struct Crowd {
    inside: Mutex<Inside>,
    /// Signalled when a connection ends while somebody waits for all to end.
    ended: Condvar,
    count: AtomicUsize,
    stopping: AtomicBool,
    opened: Instant,
    max: usize,
    max_per_address: usize,
}

#[derive(Default)]
struct Inside {
    members: HashMap<u64, Arc<Member>>,
    shares: HashMap<IpAddr, usize>,
    next: u64,
}

struct Member {
    stream: TcpStream,
    /// [`BUSY`], [`CLOSED`], or since when it rests, in half microseconds after opening plus 2, or since when
    /// it has begun a head: that plus [`BEGUN`].
    state: AtomicU64,
    /// Whose share it counts towards; `None` for a trusted proxy.
    share: Option<IpAddr>,
}

/// A connection's place; dropping it makes room.
pub(super) struct Place {
    crowd: Arc<Crowd>,
    member: Arc<Member>,
    number: u64,
}

/// The connection was closed to make room, or since the door stops.
#[derive(Debug)]
pub(super) struct Closed;

/// One that was not let in, and why.
pub(super) struct TurnedAway {
    /// Its socket.
    pub stream: TcpStream,
    /// Why.
    pub refusal: Refusal,
}

impl Crowd {
    /// Nobody, with the bounds of `config`.
    pub fn new(config: &Config) -> Arc<Crowd> {
        Arc::new(Crowd {
            inside: Mutex::default(),
            ended: Condvar::new(),
            count: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
            opened: Instant::now(),
            max: config.max_connections,
            max_per_address: config.max_per_address,
        })
    }

    /// Lets a connection in; if all places are taken, the one that has rested or been at its head for longest
    /// loses its own. Were those at their heads spared while others rest, who has just come would go first.
    ///
    /// # Errors
    /// The connection, if its address has its share, or if all are past their heads.
    pub fn enter(
        self: &Arc<Crowd>,
        stream: TcpStream,
        peer: IpAddr,
        trusted: bool,
    ) -> Result<Place, TurnedAway> {
        let share = (!trusted).then(|| client_network(peer));
        let mut inside = self.lock();
        if let Some(address) = share
            && inside.shares.get(&address).is_some_and(|&n| n >= self.max_per_address)
        {
            return Err(TurnedAway { stream, refusal: Refusal::TooManyConnections });
        }
        if inside.members.len() >= self.max && !self.close_one(&mut inside, |_| true) {
            return Err(TurnedAway { stream, refusal: Refusal::Busy });
        }
        // A new connection rests until its first byte.
        let member = Arc::new(Member { stream, state: AtomicU64::new(self.now()), share });
        let number = inside.next;
        inside.next += 1;
        inside.members.insert(number, member.clone());
        if let Some(address) = share {
            *inside.shares.entry(address).or_default() += 1;
        }
        self.count.store(inside.members.len(), Ordering::Relaxed);
        Ok(Place { crowd: self.clone(), member, number })
    }

    /// Makes room by closing one, as [`Crowd::enter`] does; says whether there was one.
    pub fn make_room(&self) -> bool {
        self.close_one(&mut self.lock(), |_| true)
    }

    /// Closes the one that has rested or been at its head for longest, of those whose state is `meant`.
    fn close_one(&self, inside: &mut Inside, meant: impl Fn(u64) -> bool) -> bool {
        loop {
            let waiting = inside.members.iter().filter_map(|(&number, member)| {
                let since = member.state.load(Ordering::SeqCst);
                (since != BUSY && since != CLOSED && meant(since)).then_some((since, number))
            });
            let Some((since, number)) = waiting.min() else { return false };
            // It may have woken up meanwhile; then look for another.
            if inside.members.get(&number).is_some_and(|member| member.close_if(since)) {
                inside.remove(number);
                self.count.store(inside.members.len(), Ordering::Relaxed);
                return true;
            }
        }
    }

    /// Whether three quarters of the places are taken.
    pub fn is_crowded(&self) -> bool {
        self.count.load(Ordering::Relaxed) >= self.max.div_ceil(4).saturating_mul(3)
    }

    /// Whether the door stops: no connection then goes on after its present request.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Closes whoever rests, lets the others finish for at most `time`, also those who have begun a head,
    /// and then cuts them off.
    ///
    /// Returns how many had to be cut off.
    pub fn disperse(&self, time: Duration) -> usize {
        self.stopping.store(true, Ordering::SeqCst);
        let deadline = Instant::now() + time;
        let mut inside = self.lock();
        while self.close_one(&mut inside, |since| since & BEGUN == 0) {}
        while !inside.members.is_empty() {
            let Some(left) = deadline.checked_duration_since(Instant::now()).filter(|d| !d.is_zero()) else {
                break;
            };
            inside = self.ended.wait_timeout(inside, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        for member in inside.members.values() {
            // Fails only if the connection has ended already.
            let _ = member.stream.shutdown(Shutdown::Both);
        }
        inside.members.len()
    }

    fn now(&self) -> u64 {
        // 64 bits of half microseconds last for 290,000 years.
        (self.opened.elapsed().as_micros() as u64 + 1) << 1
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        // Nothing in here panics half-way through a change.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn remove(&mut self, number: u64) {
        let Some(member) = self.members.remove(&number) else { return };
        if let Some(address) = member.share
            && let Some(count) = self.shares.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                self.shares.remove(&address);
            }
        }
    }
}

impl Member {
    /// Closes it if that is still its state.
    fn close_if(&self, since: u64) -> bool {
        let closed = self.state.compare_exchange(since, CLOSED, Ordering::SeqCst, Ordering::SeqCst).is_ok();
        if closed {
            // Wakes its thread; fails only if the other end has gone already.
            let _ = self.stream.shutdown(Shutdown::Both);
        }
        closed
    }
}

impl Place {
    /// Its socket.
    pub fn stream(&self) -> &TcpStream {
        &self.member.stream
    }

    /// The crowd it is in.
    pub fn crowd(&self) -> &Crowd {
        &self.crowd
    }

    /// From now on it may be closed to make room.
    pub fn rest(&self) -> Result<(), Closed> {
        self.become_(self.crowd.now())?;
        // The door may have closed all who rest between the two; then nobody else will wake it.
        if self.crowd.is_stopping() { Err(Closed) } else { Ok(()) }
    }

    /// It has begun a head: it may still be closed to make room, but not since the door stops.
    pub fn begin(&self) -> Result<(), Closed> {
        self.become_(BEGUN + self.crowd.now())
    }

    /// From now on it may not be closed.
    pub fn wake(&self) -> Result<(), Closed> {
        self.become_(BUSY)
    }

    fn become_(&self, state: u64) -> Result<(), Closed> {
        let changed = self
            .member
            .state
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |old| (old != CLOSED).then_some(state));
        changed.map(|_| ()).map_err(|_| Closed)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inside = self.crowd.lock();
        inside.remove(self.number);
        self.crowd.count.store(inside.members.len(), Ordering::Relaxed);
        drop(inside);
        self.crowd.ended.notify_all();
    }
}

#[cfg(test)]
#[path = "crowd_tests.rs"]
mod tests;
