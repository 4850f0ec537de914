//! Networks of trusted proxies, and what their `X-Forwarded-…` headers say about a client.
//!
//! A header that anybody can send counts only as far as trusted machines wrote it.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use super::Header;

/// A network: an address and how many of its leading bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Whether `address` lies in this network; an IPv4 address mapped into IPv6 counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                same_bits(u128::from(ours.to_bits()), u128::from(theirs.to_bits()), 32 - self.prefix)
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                same_bits(ours.to_bits(), theirs.to_bits(), 128 - self.prefix)
            }
            _ => false,
        }
    }
}

fn same_bits(a: u128, b: u128, ignored: u8) -> bool {
    (a ^ b).checked_shr(u32::from(ignored)).unwrap_or(0) == 0
}

impl FromStr for Network {
    type Err = String;

    /// Reads `10.0.0.0/8`, `fd00::/8` or a single address.
    fn from_str(text: &str) -> Result<Network, String> {
        let wrong = || format!("{text:?} is neither an IP address nor a network like 10.0.0.0/8");
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address = IpAddr::from_str(address).map_err(|_| wrong())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(digits) => digits.parse().map_err(|_| wrong())?,
            None => longest,
        };
        if prefix > longest { Err(wrong()) } else { Ok(Network { address, prefix }) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// A list of networks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<Network>);

impl Networks {
    /// Whether one of them contains `address`.
    pub fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|n| n.contains(address))
    }
}

impl FromIterator<Network> for Networks {
    fn from_iter<I: IntoIterator<Item = Network>>(networks: I) -> Networks {
        Networks(networks.into_iter().collect())
    }
}

/// The client's address: the rightmost hop of `X-Forwarded-For` that is no trusted proxy.
///
/// Each proxy appends the address it was called from, so reading from the right, the list is true as
/// far as trusted proxies wrote it. A hop that can't be read ends the walk at the proxy that sent it.
pub(super) fn client(peer: IpAddr, headers: &[Header], trusted: &Networks) -> IpAddr {
    let mut believed = peer;
    for hop in values(headers, "X-Forwarded-For").rev() {
        if !trusted.contain(believed) {
            break;
        }
        match address(hop) {
            Some(address) => believed = address,
            None => break,
        }
    }
    believed
}

/// What one client has: an IPv4 address, or an IPv6 network of 64 bits, which is the least that one
/// customer gets. Limits for each client count by this.
pub fn client_network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}

/// The client's scheme as the nearest trusted proxy names it, if there is one and it is a known one.
pub(super) fn proto(peer: IpAddr, headers: &[Header], trusted: &Networks) -> Option<&'static str> {
    let named = values(headers, "X-Forwarded-Proto").next_back().filter(|_| trusted.contain(peer))?;
    ["http", "https"].into_iter().find(|known| known.eq_ignore_ascii_case(named))
}

/// The comma-separated members of all headers called `name`, in their order.
fn values<'h>(headers: &'h [Header], name: &'static str) -> impl DoubleEndedIterator<Item = &'h str> {
    let of_name = headers.iter().filter(move |h| h.field.equiv(name));
    of_name.flat_map(|h| h.value.as_str().split(',')).map(str::trim)
}

/// Reads a hop: an address, bare or in brackets, with or without a port.
fn address(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(hop);
    let with_port = || SocketAddr::from_str(hop).ok().map(|s| s.ip());
    IpAddr::from_str(bare).ok().or_else(with_port).map(|a| a.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::header;

    fn networks(list: &[&str]) -> Networks {
        list.iter().map(|n| n.parse().unwrap()).collect()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn client_of(peer: &str, forwarded: &[&str]) -> IpAddr {
        let headers: Vec<Header> = forwarded.iter().map(|v| header("X-Forwarded-For", v).unwrap()).collect();
        client(ip(peer), &headers, &networks(&["10.0.0.0/8", "fd00::/8"]))
    }

    #[test]
    fn networks_contain_what_shares_their_bits() {
        let trusted = networks(&["10.1.0.0/16", "192.0.2.7", "fd00::/8", "0.0.0.0/32"]);
        for inside in ["10.1.0.0", "10.1.255.255", "192.0.2.7", "fd12::1", "::ffff:10.1.2.3"] {
            assert!(trusted.contain(ip(inside)), "{inside}");
        }
        for outside in ["10.2.0.0", "192.0.2.8", "fe00::1", "::1", "0.0.0.1"] {
            assert!(!trusted.contain(ip(outside)), "{outside}");
        }
        assert!(networks(&["0.0.0.0/0"]).contain(ip("203.0.113.9")));
        assert!(networks(&["::/0"]).contain(ip("2001:db8::1")));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in ["", "proxy", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8", "::/129", "1.2.3.4/"] {
            assert!(text.parse::<Network>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_stranger_names_no_other_client() {
        assert_eq!(client_of("203.0.113.9", &["198.51.100.1"]), ip("203.0.113.9"));
    }

    #[test]
    fn the_rightmost_untrusted_hop_is_the_client() {
        assert_eq!(client_of("10.0.0.1", &["198.51.100.1"]), ip("198.51.100.1"));
        assert_eq!(client_of("10.0.0.1", &["1.1.1.1, 198.51.100.1, 10.0.0.2"]), ip("198.51.100.1"));
        assert_eq!(client_of("10.0.0.1", &["1.1.1.1", "198.51.100.1"]), ip("198.51.100.1"));
        assert_eq!(client_of("10.0.0.1", &["10.0.0.3, 10.0.0.2"]), ip("10.0.0.3"));
        assert_eq!(client_of("10.0.0.1", &["198.51.100.1:4711"]), ip("198.51.100.1"));
        assert_eq!(client_of("fd00::1", &["[2001:db8::5]:443"]), ip("2001:db8::5"));
        assert_eq!(client_of("fd00::1", &["[2001:db8::5]"]), ip("2001:db8::5"));
        assert_eq!(client_of("10.0.0.1", &["1.1.1.1, unknown"]), ip("10.0.0.1"));
        assert_eq!(client_of("10.0.0.1", &[]), ip("10.0.0.1"));
    }

    #[test]
    fn the_scheme_is_believed_of_trusted_proxies() {
        let trusted = networks(&["10.0.0.0/8"]);
        let said = |peer: &str, value: &str| {
            proto(ip(peer), &[header("X-Forwarded-Proto", value).unwrap()], &trusted)
        };
        assert_eq!(said("10.0.0.1", "https"), Some("https"));
        assert_eq!(said("10.0.0.1", "http, HTTPS"), Some("https"));
        assert_eq!(said("10.0.0.1", "javascript"), None);
        assert_eq!(said("203.0.113.9", "https"), None);
    }
}
