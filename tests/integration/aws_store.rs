//! The store's promises, kept on S3: with a user's key and a role's session, on two servers.

use image_sharer::store::conformance;

use crate::harness::{Keys, MINISTACK, MOTO, Peer};

#[test]
fn with_a_users_key() {
    keeps_the_promises(&MINISTACK, &MINISTACK.accounts.user, "");
}

#[test]
fn with_a_roles_session_below_a_prefix() {
    keeps_the_promises(&MINISTACK, &MINISTACK.accounts.session, "a b/c+é");
}

#[test]
fn on_another_dialect() {
    keeps_the_promises(&MOTO, &MOTO.accounts.user, "");
}

fn keeps_the_promises(peer: &Peer, keys: &Keys, prefix: &str) {
    let store = peer.place(10).below(prefix).store(peer.address, keys);
    for (name, case) in conformance::CASES {
        println!("case {name}");
        case(&store);
    }
}
