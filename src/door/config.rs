//! Every limit of the door, with the defaults of the service's contract.
//!
//! The composition root fills this in from the settings; nothing here reads the environment.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::proxies::Networks;

/// Most headers a request may have, whatever [`Config::max_headers`] says: they are parsed on the stack.
pub const MOST_HEADERS: usize = 128;

/// What the door listens on, and every bound it keeps.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address and port to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Most connections at once. When full, the one that has been idle or at its head for longest makes room.
    pub max_connections: usize,
    /// Most connections from one address (IPv6: one /64) that is no trusted proxy.
    pub max_per_address: usize,
    /// Connection threads started beforehand; more start when needed, up to `max_connections`.
    pub threads_at_start: usize,
    /// Stack of a connection's thread in bytes. It is address space: only pages in use cost memory.
    ///
    /// Uploads into directories need less than 40 KB, even in a debug build; the default leaves room
    /// for a store that is reached by TLS. An overflow would end the process, so it is not cut close.
    pub stack_bytes: usize,
    /// Longest wait for a new connection's first byte, and from a head's first byte to its last.
    pub head_time: Duration,
    /// Longest wait for the next request on a connection that had one.
    pub idle_time: Duration,
    /// The same when three quarters of the connections are taken.
    pub busy_idle_time: Duration,
    /// Least mean rate of a body or an answer in bytes per second, once `grace` is over.
    pub min_rate: u64,
    /// Time before the least rate counts.
    pub grace: Duration,
    /// Longest time a body or an answer may take, however steadily it comes.
    pub max_transfer_time: Duration,
    /// How far ahead of now bytes can earn time: so long may a body or an answer stand still.
    pub stall_time: Duration,
    /// Most bytes of a head: request line, headers and the empty line.
    pub max_head_bytes: usize,
    /// Most headers, at most [`MOST_HEADERS`].
    pub max_headers: usize,
    /// Most bytes of a request's target.
    pub max_target: usize,
    /// Most bytes of a body, framing of HTTP not counted, a form's own included.
    pub max_body_bytes: u64,
    /// Most bytes of an answer that is not a file.
    pub max_answer_bytes: u64,
    /// How many requests of [`super::Lane::Work`] are worked on at once.
    pub work_slots: usize,
    /// Longest wait for one of these slots.
    pub work_wait: Duration,
    /// Longest time to read on after our last word, so that it arrives before the connection is reset.
    pub linger_time: Duration,
    /// Most bytes to read on after our last word.
    pub linger_bytes: u64,
    /// Most connections at once that are turned away with an answer (429, 503); others are just closed.
    pub max_turned_away: usize,
    /// Longest time to finish what is in flight once the door was told to stop.
    pub drain_time: Duration,
    /// Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub trusted_proxies: Networks,
}

impl Config {
    /// The contract's limits, listening on `listen`.
    pub fn new(listen: SocketAddr) -> Config {
        let max_connections = 1024;
        Config {
            listen,
            max_connections,
            max_per_address: Config::share(max_connections),
            threads_at_start: 16,
            stack_bytes: 256 * 1024,
            head_time: Duration::from_secs(10),
            idle_time: Duration::from_secs(30),
            busy_idle_time: Duration::from_secs(3),
            min_rate: 8192,
            grace: Duration::from_secs(10),
            max_transfer_time: Duration::from_secs(3600),
            stall_time: Duration::from_secs(30),
            max_head_bytes: 16 * 1024,
            max_headers: 100,
            max_target: 8 * 1024,
            max_body_bytes: 64 * 1024 * 1024,
            max_answer_bytes: 16 * 1024 * 1024,
            work_slots: 64,
            work_wait: Duration::from_secs(10),
            linger_time: Duration::from_secs(2),
            linger_bytes: 32 * 1024 * 1024,
            max_turned_away: 64,
            drain_time: Duration::from_secs(25),
            trusted_proxies: Networks::default(),
        }
    }

    /// One address's share of `connections`: a quarter, at least one.
    pub fn share(connections: usize) -> usize {
        (connections / 4).max(1)
    }
}

impl Default for Config {
    /// The contract's limits on 127.0.0.1:8080.
    fn default() -> Config {
        Config::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)))
    }
}
