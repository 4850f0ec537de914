//! Tells the kernel about links, addresses and routes (rtnetlink(7)): messages as bytes, and one
//! socket that sends them and waits for the acknowledgement.

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use rustix::net::{recv, sendto, socket_with};

const NEW_LINK: u16 = 16;
const NEW_ADDRESS: u16 = 20;
const DELETE_ADDRESS: u16 = 21;
const NEW_ROUTE: u16 = 24;
const ERROR: u16 = 2;

const REQUEST: u16 = 0x1;
const ACKNOWLEDGE: u16 = 0x4;
const REPLACE: u16 = 0x100;
const CREATE: u16 = 0x400;

const IPV4: u8 = 2;
const UP: u32 = 1;

/// One thing to tell the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Switch the adapter with this index on; its largest packet, where it is known.
    Up(u32, Option<u16>),
    /// The adapter has this address, so many bits of which name the network.
    Address(u32, Ipv4Addr, u8),
    /// It has it no longer.
    NoAddress(u32, Ipv4Addr, u8),
    /// What is on no other route goes over this adapter to this router.
    Default(u32, Ipv4Addr),
}

impl Change {
    /// The message.
    pub fn bytes(&self) -> Vec<u8> {
        let replace = CREATE | REPLACE;
        match *self {
            Change::Up(index, mtu) => {
                let mut body = vec![0; 16];
                body[4..8].copy_from_slice(&index.to_ne_bytes());
                body[8..12].copy_from_slice(&UP.to_ne_bytes());
                body[12..16].copy_from_slice(&UP.to_ne_bytes());
                const MTU: u16 = 4;
                if let Some(mtu) = mtu {
                    attribute(&mut body, MTU, u32::from(mtu).to_ne_bytes());
                }
                message(NEW_LINK, 0, body)
            }
            Change::Address(index, address, prefix) => {
                message(NEW_ADDRESS, replace, of_address(index, address, prefix))
            }
            Change::NoAddress(index, address, prefix) => {
                message(DELETE_ADDRESS, 0, of_address(index, address, prefix))
            }
            Change::Default(index, router) => {
                const MAIN_TABLE: u8 = 254;
                const BY_DHCP: u8 = 16;
                const UNICAST: u8 = 1;
                let mut body = vec![IPV4, 0, 0, 0, MAIN_TABLE, BY_DHCP, 0, UNICAST];
                // The router may be outside of the network that the address is in, as with a /32.
                const ON_LINK: u32 = 4;
                body.extend(ON_LINK.to_ne_bytes());
                const GATEWAY: u16 = 5;
                attribute(&mut body, GATEWAY, router.octets());
                const LINK: u16 = 4;
                attribute(&mut body, LINK, index.to_ne_bytes());
                message(NEW_ROUTE, replace, body)
            }
        }
    }
}

fn of_address(index: u32, address: Ipv4Addr, prefix: u8) -> Vec<u8> {
    let mut body = vec![IPV4, prefix, 0, 0];
    body.extend(index.to_ne_bytes());
    const LOCAL: u16 = 2;
    attribute(&mut body, LOCAL, address.octets());
    body
}

fn attribute(body: &mut Vec<u8>, kind: u16, value: [u8; 4]) {
    const LENGTH: u16 = 8;
    body.extend(LENGTH.to_ne_bytes());
    body.extend(kind.to_ne_bytes());
    body.extend(value);
}

fn message(kind: u16, flags: u16, body: Vec<u8>) -> Vec<u8> {
    const HEADER: u32 = 16;
    let mut out = Vec::new();
    out.extend((HEADER + body.len() as u32).to_ne_bytes());
    out.extend(kind.to_ne_bytes());
    out.extend((REQUEST | ACKNOWLEDGE | flags).to_ne_bytes());
    // Number and sender: one message is under way at a time, and the kernel knows the sender.
    out.extend([0; 8]);
    out.extend(body);
    out
}

/// The kernel's answer to a change.
fn acknowledged(answer: &[u8]) -> io::Result<()> {
    let (kind, code) = match answer {
        [_, _, _, _, a, b, _, _, _, _, _, _, _, _, _, _, c, d, e, f, ..] => {
            (u16::from_ne_bytes([*a, *b]), i32::from_ne_bytes([*c, *d, *e, *f]))
        }
        _ => return Err(io::Error::other("the kernel's answer is too short")),
    };
    match (kind, code) {
        (ERROR, 0) => Ok(()),
        (ERROR, code) => Err(io::Error::from_raw_os_error(-code)),
        _ => Err(io::Error::other("the kernel answers something else")),
    }
}

/// A socket to the kernel's routing.
pub struct Routing(OwnedFd);

impl Routing {
    /// Opens it.
    ///
    /// # Errors
    /// When the kernel gives no socket.
    pub fn open() -> io::Result<Routing> {
        // NETLINK_ROUTE is the protocol 0, which is what is meant where none is named.
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
        Ok(Routing(socket))
    }

    /// Makes a change.
    ///
    /// # Errors
    /// When the kernel refuses it.
    pub fn apply(&self, change: Change) -> io::Result<()> {
        let kernel = SocketAddrNetlink::new(0, 0);
        sendto(&self.0, &change.bytes(), SendFlags::empty(), &kernel)?;
        let mut answer = [0; 4096];
        let (length, _) = recv(&self.0, &mut answer, RecvFlags::empty())?;
        acknowledged(&answer[..length])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_says_its_own_length() {
        let address = Ipv4Addr::new(10, 0, 0, 5);
        let changes = [
            (Change::Up(2, None), 32, NEW_LINK),
            (Change::Up(2, Some(9001)), 40, NEW_LINK),
            (Change::Address(2, address, 20), 32, NEW_ADDRESS),
            (Change::NoAddress(2, address, 20), 32, DELETE_ADDRESS),
            (Change::Default(2, address), 44, NEW_ROUTE),
        ];
        for (change, length, kind) in changes {
            let bytes = change.bytes();
            assert_eq!(bytes.len(), length, "{change:?}");
            assert_eq!(bytes[..4], (length as u32).to_ne_bytes());
            assert_eq!(bytes[4..6], kind.to_ne_bytes());
        }
    }

    #[test]
    fn an_address_is_told_with_its_adapter_and_its_network() {
        let bytes = Change::Address(7, Ipv4Addr::new(10, 0, 0, 5), 20).bytes();
        assert_eq!(bytes[16..18], [IPV4, 20]);
        assert_eq!(bytes[20..24], 7_u32.to_ne_bytes());
        assert_eq!(bytes[28..32], [10, 0, 0, 5]);
    }

    #[test]
    fn a_refusal_is_an_error_of_the_system() {
        let mut answer = vec![0; 36];
        answer[4..6].copy_from_slice(&ERROR.to_ne_bytes());
        assert!(acknowledged(&answer).is_ok());
        answer[16..20].copy_from_slice(&(-17_i32).to_ne_bytes());
        assert_eq!(acknowledged(&answer).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert!(acknowledged(&answer[..19]).is_err());
    }

    #[test]
    fn the_kernel_takes_the_messages() {
        // To switch on the loopback adapter, which is on, needs no right where it needs nothing done;
        // where it is refused, it is for the lack of the right and not for its form.
        let answer = Routing::open().unwrap().apply(Change::Up(1, None));
        assert!(
            answer.as_ref().map_or_else(|e| e.kind() == io::ErrorKind::PermissionDenied, |()| true),
            "{answer:?}"
        );
    }
}
