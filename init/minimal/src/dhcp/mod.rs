//! The machine's address by DHCP (RFC 2131, RFC 2132): [`packet`] reads and writes messages,
//! [`client`] decides what to send and when, [`frame`] wraps messages for a machine that has no
//! address yet, [`port`] is the sockets. Only the last does input and output.

pub mod client;
pub mod frame;
pub mod packet;
pub mod port;

/// A network adapter's hardware address.
pub type Mac = [u8; 6];

/// Port of the server.
pub const SERVER_PORT: u16 = 67;

/// Port of the client.
pub const CLIENT_PORT: u16 = 68;
