//! Messages as bytes, there and back; `answer` is the server of the other tests too.

use super::*;

/// The hardware address in these tests.
pub const MAC: Mac = [2, 0, 0, 0, 0, 7];

/// A server's answer with these options after the type.
pub fn answer(transaction: u32, kind: u8, address: [u8; 4], options: &[(u8, &[u8])]) -> Vec<u8> {
    let mut out = vec![0; FIXED];
    out[0] = BOOT_REPLY;
    out[4..8].copy_from_slice(&transaction.to_be_bytes());
    out[16..20].copy_from_slice(&address);
    out[28..34].copy_from_slice(&MAC);
    out[236..240].copy_from_slice(&COOKIE);
    out.extend([code::MESSAGE_TYPE, 1, kind]);
    for (code, value) in options {
        out.extend([*code, value.len() as u8]);
        out.extend(*value);
    }
    out.push(code::END);
    out
}

const SERVER: (u8, &[u8]) = (54, &[10, 0, 0, 1]);
const HOUR: (u8, &[u8]) = (51, &[0, 0, 14, 16]);

fn request(ask: Ask) -> Vec<u8> {
    Request { transaction: 0x0102_0304, waited: Duration::from_secs(3), mac: MAC, ask }.bytes()
}

fn offered(options: &[(u8, &[u8])]) -> Option<Lease> {
    match reply(&answer(9, 2, [10, 0, 0, 5], options), 9, &MAC)? {
        Reply::Offer(lease) => Some(lease),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_discover_names_the_adapter_and_claims_no_address() {
    let bytes = request(Ask::Discover);
    assert_eq!(bytes[..12], [1, 1, 6, 0, 1, 2, 3, 4, 0, 3, 0, 0]);
    assert_eq!(bytes[12..28], [0; 16]);
    assert_eq!(bytes[28..34], MAC);
    assert_eq!(bytes[236..243], [99, 130, 83, 99, 53, 1, 1]);
    assert_eq!(bytes.len(), LEAST);
}

#[test]
fn taking_an_offer_names_address_and_server_as_options() {
    let (address, server) = (Ipv4Addr::new(10, 0, 0, 5), Ipv4Addr::new(10, 0, 0, 1));
    let bytes = request(Ask::Select { address, server });
    let options = Options(&bytes[FIXED..]);
    assert_eq!(options.get(53), Some(&[3][..]));
    assert_eq!(options.get(50), Some(&[10, 0, 0, 5][..]));
    assert_eq!(options.get(54), Some(&[10, 0, 0, 1][..]));
    assert_eq!(bytes[12..16], [0; 4]);
}

#[test]
fn extending_a_lease_names_the_address_in_its_field_alone() {
    let bytes = request(Ask::Extend { address: Ipv4Addr::new(10, 0, 0, 5) });
    let options = Options(&bytes[FIXED..]);
    assert_eq!(bytes[12..16], [10, 0, 0, 5]);
    assert_eq!((options.get(50), options.get(54)), (None, None));
}

#[test]
fn an_offer_is_read_whole() {
    let lease = offered(&[
        SERVER,
        HOUR,
        (1, &[255, 255, 240, 0]),
        (3, &[10, 0, 0, 1, 10, 0, 0, 2]),
        (6, &[10, 0, 0, 2, 10, 0, 0, 3]),
        (12, b"ip-10-0-0-5"),
        (15, b"eu-central-1.compute.internal"),
        (26, &[35, 41]),
        (58, &[0, 0, 7, 8]),
        (59, &[0, 0, 12, 78]),
    ]);
    let expected = Lease {
        address: Ipv4Addr::new(10, 0, 0, 5),
        prefix: 20,
        server: Ipv4Addr::new(10, 0, 0, 1),
        router: Some(Ipv4Addr::new(10, 0, 0, 1)),
        name_servers: vec![Ipv4Addr::new(10, 0, 0, 2), Ipv4Addr::new(10, 0, 0, 3)],
        domain: Some("eu-central-1.compute.internal".to_owned()),
        host_name: Some("ip-10-0-0-5".to_owned()),
        mtu: Some(9001),
        lasts: Some(Duration::from_secs(3600)),
        renew: Some(Duration::from_secs(1800)),
        rebind: Some(Duration::from_secs(3150)),
    };
    assert_eq!(lease, Some(expected));
}

#[test]
fn what_a_server_leaves_out_is_absent() {
    let lease = offered(&[SERVER, HOUR]).unwrap();
    assert_eq!((lease.prefix, lease.router, lease.mtu), (24, None, None));
    assert!(lease.name_servers.is_empty());
}

#[test]
fn a_lease_for_ever_never_ends() {
    assert_eq!(offered(&[SERVER, (51, &[255; 4])]).unwrap().lasts, None);
}

#[test]
fn names_that_would_break_a_file_are_dropped() {
    let lease = offered(&[SERVER, HOUR, (15, b"a\nnameserver 6.6.6.6"), (12, b"")]).unwrap();
    assert_eq!((lease.domain, lease.host_name), (None, None));
}

#[test]
fn an_offer_without_server_or_time_or_with_a_broken_mask_is_none() {
    assert_eq!(offered(&[HOUR]), None);
    assert_eq!(offered(&[SERVER]), None);
    assert_eq!(offered(&[SERVER, HOUR, (1, &[255, 0, 255, 0])]), None);
    assert_eq!(reply(&answer(9, 2, [0; 4], &[SERVER, HOUR]), 9, &MAC), None);
}

#[test]
fn anothers_answer_is_not_read() {
    let bytes = answer(9, 6, [0; 4], &[]);
    assert_eq!(reply(&bytes, 9, &MAC), Some(Reply::Nak));
    assert_eq!(reply(&bytes, 10, &MAC), None);
    assert_eq!(reply(&bytes, 9, &[1; 6]), None);
    let mut request = bytes.clone();
    request[0] = BOOT_REQUEST;
    assert_eq!(reply(&request, 9, &MAC), None);
}

#[test]
fn no_prefix_of_an_answer_is_trouble() {
    let bytes = answer(9, 5, [10, 0, 0, 5], &[SERVER, HOUR, (6, &[1, 2, 3, 4, 5])]);
    for end in 0..bytes.len() - 1 {
        // Whatever it says of a broken message, it says it without a panic.
        let _ = reply(&bytes[..end], 9, &MAC);
    }
    assert_eq!(reply(&bytes[..FIXED + 4], 9, &MAC), None);
}
