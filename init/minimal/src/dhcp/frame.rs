//! IPv4 and UDP headers around a DHCP message, for a machine that has no address and so no socket
//! that would write them (RFC 791, RFC 768, RFC 1071).

use std::net::Ipv4Addr;

use super::{CLIENT_PORT, SERVER_PORT};

const IP_HEADER: usize = 20;
const UDP_HEADER: usize = 8;
const UDP: u8 = 17;
const HOPS: u8 = 64;

/// A broadcast from `source` (unspecified before there is an address) to every server.
pub fn broadcast(source: Ipv4Addr, message: &[u8]) -> Vec<u8> {
    let udp_length = UDP_HEADER + message.len();
    let mut out = vec![0; IP_HEADER + UDP_HEADER];
    out[0] = 0x45;
    // A DHCP message of ours is far below 64 KiB.
    out[2..4].copy_from_slice(&((IP_HEADER + udp_length) as u16).to_be_bytes());
    out[8] = HOPS;
    out[9] = UDP;
    out[12..16].copy_from_slice(&source.octets());
    out[16..20].copy_from_slice(&Ipv4Addr::BROADCAST.octets());
    let header_sum = checksum(&[&out[..IP_HEADER]]);
    out[10..12].copy_from_slice(&header_sum.to_be_bytes());
    out[20..22].copy_from_slice(&CLIENT_PORT.to_be_bytes());
    out[22..24].copy_from_slice(&SERVER_PORT.to_be_bytes());
    out[24..26].copy_from_slice(&(udp_length as u16).to_be_bytes());
    out.extend(message);
    let pseudo = [0, UDP, out[24], out[25]];
    let sum = match checksum(&[&out[12..20], &pseudo, &out[IP_HEADER..]]) {
        // 0 would say that there is no sum.
        0 => u16::MAX,
        sum => sum,
    };
    out[26..28].copy_from_slice(&sum.to_be_bytes());
    out
}

/// The message in an IPv4 packet from a server's port to the client's; `None` for anything else.
///
/// UDP's sum is not looked at: a server on the same host may leave it to an adapter that never sees
/// the packet. The transaction number and the hardware address in the message say whose it is.
pub fn message(packet: &[u8]) -> Option<&[u8]> {
    let header = usize::from(packet.first()? & 15) * 4;
    let length = usize::from(u16::from_be_bytes([*packet.get(2)?, *packet.get(3)?]));
    // Ethernet pads short packets.
    let packet = packet.get(..length)?;
    let udp = packet.get(header.max(IP_HEADER)..)?;
    let fragment = u16::from_be_bytes([packet[6], packet[7]]) & 0x3fff;
    if packet[0] >> 4 != 4 || packet[9] != UDP || fragment != 0 || udp.len() < UDP_HEADER {
        return None;
    }
    let field = |at: usize| u16::from_be_bytes([udp[at], udp[at + 1]]);
    if (field(0), field(2)) != (SERVER_PORT, CLIENT_PORT) {
        return None;
    }
    udp.get(UDP_HEADER..field(4).into())
}

/// The Internet checksum over the parts, each but the last of even length.
fn checksum(parts: &[&[u8]]) -> u16 {
    let pairs = parts.iter().flat_map(|part| part.chunks(2));
    let sum: u32 = pairs.map(|pair| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |b| u32::from(*b))).sum();
    let once = (sum >> 16) + (sum & 0xffff);
    !((once + (once >> 16)) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a server sends: the same packet with the ports the other way round.
    fn from_server(message: &[u8]) -> Vec<u8> {
        let mut packet = broadcast(Ipv4Addr::new(10, 0, 0, 1), message);
        packet[20..24].copy_from_slice(&[0, 67, 0, 68]);
        packet
    }

    #[test]
    fn the_sums_of_a_packet_are_right() {
        // The sum over data that holds its own sum is 0.
        for text in [&b"even"[..], b"odd"] {
            let packet = broadcast(Ipv4Addr::UNSPECIFIED, text);
            assert_eq!(checksum(&[&packet[..20]]), 0);
            assert_eq!(checksum(&[&packet[12..20], &[0, UDP], &packet[24..26], &packet[20..]]), 0);
        }
    }

    #[test]
    fn the_known_sum_of_rfc_1071() {
        assert_eq!(checksum(&[&[0, 1, 0xf2, 3, 0xf4, 0xf5, 0xf6, 0xf7]]), !0xddf2);
    }

    #[test]
    fn a_servers_message_is_taken_out_of_its_packet() {
        let mut packet = from_server(b"hello");
        assert_eq!(message(&packet), Some(&b"hello"[..]));
        packet.extend([0; 20]);
        assert_eq!(message(&packet), Some(&b"hello"[..]), "padding");
    }

    #[test]
    fn other_packets_are_passed_over() {
        let with = |at: usize, value: u8| {
            let mut packet = from_server(b"hello");
            packet[at] = value;
            packet
        };
        for (at, value) in [(0, 0x65), (0, 0x4f), (6, 0x20), (9, 6), (21, 53), (23, 67), (25, 200), (25, 3)] {
            assert_eq!(message(&with(at, value)), None, "byte {at}");
        }
        let packet = from_server(b"hello");
        assert!((0..packet.len()).all(|end| message(&packet[..end]).is_none()));
    }
}
