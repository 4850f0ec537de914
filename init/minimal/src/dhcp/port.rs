//! The sockets of the client: a packet socket where there is no address, UDP where there is one.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::addr::{SocketAddrArg, SocketAddrLen, SocketAddrOpaque};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use rustix::net::{bind, eth, recv, sendto, socket_with};

use super::client::To;
use super::{CLIENT_PORT, SERVER_PORT, frame};

/// An open ear.
pub enum Port {
    /// Everything of IPv4 that arrives at this adapter.
    Adapter(OwnedFd, LinkAddress),
    /// What arrives at an address.
    Address(UdpSocket),
}

impl Port {
    /// At the adapter with this index.
    ///
    /// # Errors
    /// When the kernel gives no socket.
    pub fn at_adapter(index: u32) -> io::Result<Port> {
        let socket = socket_with(
            AddressFamily::PACKET,
            SocketType::DGRAM,
            SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
            Some(eth::IP),
        )?;
        let address = LinkAddress::broadcast(index);
        bind(&socket, &address)?;
        Ok(Port::Adapter(socket, address))
    }

    /// At the client's port of this address.
    ///
    /// # Errors
    /// When the address or the port can't be had.
    pub fn at_address(address: Ipv4Addr) -> io::Result<Port> {
        let socket = UdpSocket::bind(SocketAddrV4::new(address, CLIENT_PORT))?;
        socket.set_nonblocking(true)?;
        Ok(Port::Address(socket))
    }

    /// Sends a message.
    ///
    /// # Errors
    /// When the kernel does not take it.
    pub fn send(&self, message: &[u8], to: To) -> io::Result<()> {
        match (self, to) {
            (Port::Adapter(socket, all), To::All(from)) => {
                sendto(socket, &frame::broadcast(from, message), SendFlags::empty(), all)?;
            }
            (Port::Address(socket), To::One(_, server)) => {
                socket.send_to(message, SocketAddrV4::new(server, SERVER_PORT))?;
            }
            // The client says in one breath what to listen to and where to send.
            _ => return Err(io::Error::other("no socket for this")),
        }
        Ok(())
    }

    /// The next message, as long as it comes within `time`; other packets use up the time as well.
    ///
    /// # Errors
    /// When the adapter or the address is gone.
    pub fn receive(&self, time: Duration, buffer: &mut [u8]) -> io::Result<Option<Vec<u8>>> {
        let limit = Timespec { tv_sec: time.as_secs().min(3600) as i64, tv_nsec: time.subsec_nanos().into() };
        if poll(&mut [PollFd::new(self, PollFlags::IN)], Some(&limit))? == 0 {
            return Ok(None);
        }
        match self {
            Port::Adapter(socket, _) => {
                let (length, _) = recv(socket, &mut *buffer, RecvFlags::empty())?;
                Ok(frame::message(&buffer[..length]).map(<[u8]>::to_vec))
            }
            Port::Address(socket) => {
                let length = socket.recv(buffer)?;
                Ok(Some(buffer[..length].to_vec()))
            }
        }
    }
}

impl AsFd for Port {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Port::Adapter(socket, _) => socket.as_fd(),
            Port::Address(socket) => socket.as_fd(),
        }
    }
}

/// `struct sockaddr_ll` of packet(7), which rustix has not.
#[repr(C)]
pub struct LinkAddress {
    family: u16,
    protocol: u16,
    index: i32,
    hardware_type: u16,
    packet_type: u8,
    length: u8,
    address: [u8; 8],
}

impl LinkAddress {
    /// Everybody at the adapter with this index.
    fn broadcast(index: u32) -> LinkAddress {
        LinkAddress {
            family: AddressFamily::PACKET.as_raw(),
            // ETH_P_IP in network order.
            protocol: 0x0800_u16.to_be(),
            index: index as i32,
            hardware_type: 0,
            packet_type: 0,
            length: 6,
            address: [255, 255, 255, 255, 255, 255, 0, 0],
        }
    }
}

// SAFETY: `f` is called with a pointer to a whole `LinkAddress`, which lives until it returns, and
// with its length; the struct has the layout of `sockaddr_ll` (20 bytes, no padding).
unsafe impl SocketAddrArg for LinkAddress {
    unsafe fn with_sockaddr<R>(&self, f: impl FnOnce(*const SocketAddrOpaque, SocketAddrLen) -> R) -> R {
        f(std::ptr::from_ref(self).cast(), size_of::<LinkAddress>() as SocketAddrLen)
    }
}
