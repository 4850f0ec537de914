//! The queue's promises, kept on SQS: with a user's key and a role's session, on two servers.

use image_sharer::queue::conformance;

use crate::harness::{Keys, MINISTACK, MOTO, Peer};

#[test]
fn with_a_users_key() {
    keeps_the_promises(&MINISTACK, &MINISTACK.accounts.user);
}

#[test]
fn with_a_roles_session() {
    keeps_the_promises(&MINISTACK, &MINISTACK.accounts.session);
}

#[test]
fn on_another_dialect() {
    keeps_the_promises(&MOTO, &MOTO.accounts.user);
}

fn keeps_the_promises(peer: &Peer, keys: &Keys) {
    conformance::all(|case| case(&peer.place(20).queue(peer.address, keys)));
}
