//! How many uploads one client may begin: a token bucket each, in a bounded memory.
//!
//! A client is an IPv4 address or an IPv6 network of 64 bits. Whose address it is, a proxy's or its
//! client's, was decided by the door.

use std::collections::HashMap;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::door::client_network;

/// Most clients in one generation of [`Buckets`]: the largest number whose table is about 1 MB.
const MOST_CLIENTS: usize = 28_000;

/// Most uploads a minute, and most at once, that can be set.
const MOST: u32 = 60_000;

/// A rate of uploads a client: so many a minute, and so many at once after a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    per_minute: u32,
    burst: u32,
}

impl FromStr for Rate {
    type Err = ();

    /// Reads `60/20`: 60 a minute, 20 at once; each 1 to 60000.
    fn from_str(text: &str) -> Result<Rate, ()> {
        let number = |digits: &str| digits.parse().ok().filter(|n| (1..=MOST).contains(n)).ok_or(());
        let (per_minute, burst) = text.split_once('/').ok_or(())?;
        Ok(Rate { per_minute: number(per_minute)?, burst: number(burst)? })
    }
}

impl Rate {
    /// The time in which one upload is earned.
    fn interval(self) -> Duration {
        Duration::from_secs(60) / self.per_minute
    }

    /// The time in which an empty bucket fills.
    fn period(self) -> Duration {
        self.interval() * self.burst
    }
}

/// All clients' buckets.
#[derive(Debug)]
pub struct Buckets {
    rate: Rate,
    generations: Mutex<Generations>,
}

/// When each client's bucket will be full again.
///
/// Who uploaded is in `current`. When a [`Rate::period`] has passed it becomes `previous`, and what was that
/// is forgotten: all of it belongs to buckets that are full by now, as are those of clients unheard of.
/// Where `current` is full, that comes sooner; a flood from so many networks may then give one of them
/// its burst once more.
#[derive(Debug)]
struct Generations {
    began: Instant,
    current: HashMap<IpAddr, Instant>,
    previous: HashMap<IpAddr, Instant>,
}

impl Buckets {
    /// Full buckets of this size for everybody.
    pub fn new(rate: Rate) -> Buckets {
        let (current, previous) = (HashMap::new(), HashMap::new());
        Buckets { rate, generations: Mutex::new(Generations { began: Instant::now(), current, previous }) }
    }

    /// Takes one upload out of the bucket of the client at `address`.
    ///
    /// # Errors
    /// If it is empty: the time until it is not.
    pub fn take(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let client = client_network(address);
        // Nothing in here panics half-way through a change.
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        generations.turn(self.rate.period(), now);
        let full_at = generations.full_at(client).map_or(now, |at| at.max(now));
        // The generic cell rate algorithm (ITU-T I.371, annex A): with one upload less in the bucket, it
        // must still be full within a period from now.
        let later = full_at + self.rate.interval();
        match later.checked_duration_since(now + self.rate.period()) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => {
                generations.current.insert(client, later);
                Ok(())
            }
        }
    }
}

impl Generations {
    fn turn(&mut self, period: Duration, now: Instant) {
        if now >= self.began + period || self.current.len() >= MOST_CLIENTS {
            self.previous = std::mem::take(&mut self.current);
            self.began = now;
        }
    }

    fn full_at(&self, client: IpAddr) -> Option<Instant> {
        self.current.get(&client).or_else(|| self.previous.get(&client)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv6Addr;

    const SECOND: Duration = Duration::from_secs(1);

    fn buckets(rate: &str) -> Buckets {
        Buckets::new(rate.parse().unwrap())
    }

    fn v4(last: u32) -> IpAddr {
        std::net::Ipv4Addr::from_bits(0x0a00_0000 + last).into()
    }

    #[test]
    fn rates_are_two_numbers() {
        assert_eq!("60/20".parse(), Ok(Rate { per_minute: 60, burst: 20 }));
        for wrong in ["", "60", "/", "60/", "0/20", "60/0", "60001/1", "60/20/1", "-1/1", "a/b"] {
            assert_eq!(wrong.parse::<Rate>(), Err(()), "{wrong}");
        }
    }

    #[test]
    fn a_burst_is_granted_and_then_the_rate() {
        let (buckets, start) = (buckets("60/3"), Instant::now());
        let take = |after: Duration| buckets.take(v4(1), start + after);
        for _ in 0..3 {
            assert_eq!(take(SECOND), Ok(()));
        }
        assert_eq!(take(SECOND), Err(SECOND));
        // A refusal costs nothing.
        assert_eq!(take(SECOND * 3 / 2), Err(SECOND / 2));
        assert_eq!((take(2 * SECOND), take(2 * SECOND)), (Ok(()), Err(SECOND)));
        assert_eq!(buckets.take(v4(2), start + 2 * SECOND), Ok(()));
    }

    #[test]
    fn no_more_than_the_rate_over_any_time() {
        let (buckets, start) = (buckets("60/5"), Instant::now());
        let granted = (0..1000).filter(|n| buckets.take(v4(1), start + *n * SECOND / 10).is_ok()).count();
        // 99.9 seconds at one a second, and the burst.
        assert_eq!(granted, 104);
    }

    #[test]
    fn one_customers_ipv6_network_is_one_client() {
        let (buckets, now) = (buckets("1/1"), Instant::now());
        let address = |bits: u128| IpAddr::V6(Ipv6Addr::from_bits((0x2001_0db8 << 96) + bits));
        assert_eq!(buckets.take(address(1), now), Ok(()));
        assert!(buckets.take(address(u128::from(u64::MAX)), now).is_err());
        assert_eq!(buckets.take(address(1 << 64), now), Ok(()));
        assert_eq!(buckets.take("::ffff:10.0.0.1".parse().unwrap(), now), Ok(()));
        assert!(buckets.take(v4(1), now).is_err());
    }

    #[test]
    fn the_memory_for_clients_is_bounded() {
        let (buckets, start) = (buckets("1/1"), Instant::now());
        for client in 0..3 * MOST_CLIENTS as u32 {
            assert_eq!(buckets.take(v4(client), start), Ok(()));
        }
        let kept = |buckets: &Buckets| {
            let generations = buckets.generations.lock().unwrap();
            generations.current.len() + generations.previous.len()
        };
        assert!(kept(&buckets) <= 2 * MOST_CLIENTS);
        // The latest are remembered all the same, and all are forgotten once that is due.
        assert!(buckets.take(v4(3 * MOST_CLIENTS as u32 - 1), start).is_err());
        for minutes in [1, 2] {
            assert_eq!(buckets.take(v4(0), start + minutes * 60 * SECOND), Ok(()));
        }
        assert_eq!(kept(&buckets), 2);
    }
}
