//! DHCP messages as bytes (RFC 2131, section 2; options: RFC 2132).

use std::net::Ipv4Addr;
use std::time::Duration;

use super::Mac;

const BOOT_REQUEST: u8 = 1;
const BOOT_REPLY: u8 = 2;
const ETHERNET: u8 = 1;
const COOKIE: [u8; 4] = [99, 130, 83, 99];

/// Bytes before the options: the fixed fields and the cookie.
const FIXED: usize = 240;

/// A message is at least so long: what older relays take (RFC 1542, section 2.1).
const LEAST: usize = 300;

/// The largest message that is taken, and says so to the server: what fits an Ethernet frame.
const LARGEST: u16 = 1472;

mod code {
    pub const PAD: u8 = 0;
    pub const MASK: u8 = 1;
    pub const ROUTER: u8 = 3;
    pub const NAME_SERVER: u8 = 6;
    pub const HOST_NAME: u8 = 12;
    pub const DOMAIN: u8 = 15;
    pub const MTU: u8 = 26;
    pub const REQUESTED_ADDRESS: u8 = 50;
    pub const LEASE_TIME: u8 = 51;
    pub const MESSAGE_TYPE: u8 = 53;
    pub const SERVER: u8 = 54;
    pub const PARAMETERS: u8 = 55;
    pub const LARGEST: u8 = 57;
    pub const RENEWAL_TIME: u8 = 58;
    pub const REBINDING_TIME: u8 = 59;
    pub const CLIENT: u8 = 61;
    pub const END: u8 = 255;
}

/// What the server is asked to tell.
const WANTED: [u8; 9] = [
    code::MASK,
    code::ROUTER,
    code::NAME_SERVER,
    code::HOST_NAME,
    code::DOMAIN,
    code::MTU,
    code::LEASE_TIME,
    code::RENEWAL_TIME,
    code::REBINDING_TIME,
];

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Who has an address?
    Discover,
    /// This server's offer is taken.
    Select {
        /// The address that was offered.
        address: Ipv4Addr,
        /// Who offered it.
        server: Ipv4Addr,
    },
    /// May this address be kept? RENEWING or REBINDING, which differ in where it is sent alone.
    Extend {
        /// The address that the client has.
        address: Ipv4Addr,
    },
}

/// A request, complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Number that the answer repeats.
    pub transaction: u32,
    /// Time since the client began to ask.
    pub waited: Duration,
    /// Who asks.
    pub mac: Mac,
    /// What for.
    pub ask: Ask,
}

impl Request {
    /// The message.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = vec![0; FIXED];
        out[0] = BOOT_REQUEST;
        out[1] = ETHERNET;
        out[2] = 6;
        out[4..8].copy_from_slice(&self.transaction.to_be_bytes());
        let seconds = u16::try_from(self.waited.as_secs()).unwrap_or(u16::MAX);
        out[8..10].copy_from_slice(&seconds.to_be_bytes());
        // The flags stay 0: an answer may come to the address that it offers, a packet socket reads it.
        out[28..34].copy_from_slice(&self.mac);
        out[236..240].copy_from_slice(&COOKIE);
        let mut option = |code: u8, value: &[u8]| {
            // The values are ours: none is longer than 255 bytes.
            out.extend([code, value.len() as u8]);
            out.extend(value);
        };
        option(code::MESSAGE_TYPE, &[if self.ask == Ask::Discover { 1 } else { 3 }]);
        let mut client = vec![ETHERNET];
        client.extend(self.mac);
        option(code::CLIENT, &client);
        option(code::LARGEST, &LARGEST.to_be_bytes());
        option(code::PARAMETERS, &WANTED);
        match self.ask {
            Ask::Discover => {}
            Ask::Select { address, server } => {
                option(code::REQUESTED_ADDRESS, &address.octets());
                option(code::SERVER, &server.octets());
            }
            Ask::Extend { address } => out[12..16].copy_from_slice(&address.octets()),
        }
        out.push(code::END);
        if out.len() < LEAST {
            out.resize(LEAST, code::PAD);
        }
        out
    }
}

/// What a server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// An address that may be asked for.
    Offer(Lease),
    /// The address is the client's.
    Ack(Lease),
    /// It is not.
    Nak,
}

/// An address and what comes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The client's address.
    pub address: Ipv4Addr,
    /// How many of its bits name the network, 0 to 32.
    pub prefix: u8,
    /// Who gave it.
    pub server: Ipv4Addr,
    /// Where what is not on this network goes.
    pub router: Option<Ipv4Addr>,
    /// Who resolves names, the best first.
    pub name_servers: Vec<Ipv4Addr>,
    /// What names without a dot are completed with.
    pub domain: Option<String>,
    /// The client's own name.
    pub host_name: Option<String>,
    /// Largest packet of this network in bytes, 576 or more.
    pub mtu: Option<u16>,
    /// How long it lasts; `None` for ever.
    pub lasts: Option<Duration>,
    /// When the server wishes to be asked again (T1).
    pub renew: Option<Duration>,
    /// When any server may be asked (T2).
    pub rebind: Option<Duration>,
}

/// Reads an answer to the request with this `transaction` of `mac`; `None` for anything else.
pub fn reply(bytes: &[u8], transaction: u32, mac: &Mac) -> Option<Reply> {
    let ours = bytes.len() >= FIXED
        && bytes[0] == BOOT_REPLY
        && bytes[4..8] == transaction.to_be_bytes()
        && bytes[28..34] == *mac
        && bytes[236..240] == COOKIE;
    if !ours {
        return None;
    }
    let options = Options(&bytes[FIXED..]);
    match options.get(code::MESSAGE_TYPE)? {
        [2] => Some(Reply::Offer(lease(bytes, &options)?)),
        [5] => Some(Reply::Ack(lease(bytes, &options)?)),
        [6] => Some(Reply::Nak),
        _ => None,
    }
}

fn lease(bytes: &[u8], options: &Options<'_>) -> Option<Lease> {
    let address = address(&bytes[16..20])?;
    if address.is_unspecified() || address.is_multicast() || address.is_broadcast() {
        return None;
    }
    let mask = options.get(code::MASK).and_then(number).unwrap_or(u32::MAX << 8);
    // A mask with a hole in it is none.
    let prefix = mask.leading_ones();
    if mask.checked_shl(prefix).unwrap_or(0) != 0 {
        return None;
    }
    let seconds = |code| options.get(code).and_then(number);
    let lasts = match seconds(code::LEASE_TIME)? {
        u32::MAX => None,
        lasts => Some(Duration::from_secs(lasts.into())),
    };
    let time = |code| seconds(code).map(|time| Duration::from_secs(time.into()));
    let mtu = |value: &[u8]| Some(u16::from_be_bytes(value.try_into().ok()?));
    Some(Lease {
        address,
        prefix: prefix as u8,
        server: options.get(code::SERVER).and_then(self::address)?,
        router: options.get(code::ROUTER).and_then(|routers| self::address(routers.get(..4)?)),
        name_servers: options
            .get(code::NAME_SERVER)
            .map(|servers| servers.chunks_exact(4).filter_map(self::address).collect())
            .unwrap_or_default(),
        domain: options.get(code::DOMAIN).and_then(name),
        host_name: options.get(code::HOST_NAME).and_then(name),
        mtu: options.get(code::MTU).and_then(mtu).filter(|mtu| *mtu >= 576),
        lasts,
        renew: time(code::RENEWAL_TIME),
        rebind: time(code::REBINDING_TIME),
    })
}

fn address(bytes: &[u8]) -> Option<Ipv4Addr> {
    Some(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?))
}

fn number(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

/// A host or domain name: it goes into files, where a line break would be another setting.
fn name(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?.trim_end_matches('\0');
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    (!text.is_empty() && text.bytes().all(plain)).then(|| text.to_owned())
}

/// The options of a message. Those in the `sname` and `file` fields (option 52) are not read: no
/// server needs that room for what is asked for here.
struct Options<'a>(&'a [u8]);

impl<'a> Options<'a> {
    /// The first option of this code.
    fn get(&self, code: u8) -> Option<&'a [u8]> {
        let mut rest = self.0;
        loop {
            match *rest {
                [code::PAD, ref after @ ..] => rest = after,
                [code::END, ..] | [] | [_] => return None,
                [found, length, ref after @ ..] => {
                    let (value, after) = after.split_at_checked(length.into())?;
                    if found == code {
                        return Some(value);
                    }
                    rest = after;
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "packet_tests.rs"]
pub mod tests;
