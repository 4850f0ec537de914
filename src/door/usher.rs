//! Turns away those for whom there is no place: a short answer, a moment to read it, the end.
//!
//! One thread for all of them, so that a flood costs neither threads nor the accept loop's time.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::crowd::TurnedAway;
use super::framing::Version;
use super::house::House;
use super::render::{self, After};
use super::{Access, Body};

/// How often those who leave are looked after.
const ROUND: Duration = Duration::from_millis(20);

/// Most bytes read of one that is turned away.
const MOST_BYTES: usize = 256 * 1024;

/// Stack of the usher's thread, in bytes.
const STACK_BYTES: usize = 256 * 1024;

/// Whom to hand those who are turned away.
pub(super) struct Usher(SyncSender<(TurnedAway, IpAddr)>);

/// One that has been answered and may read it.
struct Leaving {
    stream: TcpStream,
    until: Instant,
    discarded: usize,
}

impl Usher {
    /// Starts the usher's thread; it ends once this is dropped and all have left.
    ///
    /// # Errors
    /// If the thread can't be started.
    pub fn start(house: Arc<House>) -> io::Result<Usher> {
        let (sender, receiver) = sync_channel(house.config.max_turned_away.max(1));
        let builder = thread::Builder::new().name("door-usher".to_owned()).stack_size(STACK_BYTES);
        builder.spawn(move || serve(&house, &receiver))?;
        Ok(Usher(sender))
    }

    /// Answers and closes; only closes if too many are leaving already.
    pub fn turn_away(&self, turned: TurnedAway, peer: IpAddr) {
        // A full channel drops the connection, which closes it.
        let _ = self.0.try_send((turned, peer));
    }
}

fn serve(house: &House, receiver: &Receiver<(TurnedAway, IpAddr)>) {
    let mut leaving: Vec<Leaving> = Vec::new();
    let mut last_round = Instant::now();
    let mut open = true;
    while open || !leaving.is_empty() {
        let next = match (leaving.is_empty(), open) {
            (true, _) => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
            (false, true) => receiver.recv_timeout(ROUND),
            (false, false) => {
                thread::sleep(ROUND);
                Err(RecvTimeoutError::Timeout)
            }
        };
        match next {
            Ok((turned, peer)) if leaving.len() < house.config.max_turned_away => {
                leaving.extend(turn_away(house, turned, peer));
            }
            Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => open = false,
        }
        if last_round.elapsed() >= ROUND {
            leaving.retain_mut(|one| !one.has_left());
            last_round = Instant::now();
        }
    }
}

/// Answers without ever waiting: a new connection's send buffer takes a short answer whole.
fn turn_away(house: &House, turned: TurnedAway, peer: IpAddr) -> Option<Leaving> {
    let began = Instant::now();
    let TurnedAway { stream, refusal } = turned;
    let request_id = house.next_id();
    let mut answer = house.word(None, &request_id, &refusal);
    let mut bytes = render::head(&mut answer, Version::Http11, After::Close);
    if let Body::Bytes(_) | Body::Static(_) = answer.body {
        bytes.extend_from_slice(answer.body.in_memory().unwrap_or_default());
    }
    let written = stream.set_nonblocking(true).and_then(|()| (&stream).write(&bytes));
    house.tell(&Access {
        head: None,
        peer,
        request_id: &request_id,
        status: answer.status.0,
        received: 0,
        sent: written.as_ref().map_or(0, |&count| count as u64),
        micros: u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
        complete: written.as_ref().is_ok_and(|&count| count == bytes.len()),
    });
    written.and_then(|_| stream.shutdown(Shutdown::Write)).ok()?;
    Some(Leaving { stream, until: began + house.config.linger_time, discarded: 0 })
}

impl Leaving {
    fn has_left(&mut self) -> bool {
        let mut bytes = [0; 4096];
        loop {
            match self.stream.read(&mut bytes) {
                Ok(0) => return true,
                Ok(count) => self.discarded += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Instant::now() >= self.until,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return true,
            }
            if self.discarded > MOST_BYTES {
                return true;
            }
        }
    }
}
