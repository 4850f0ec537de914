//! The policies under `deploy/iam/` are enough for each program, and `--check` names what is missing.

use std::time::Duration;

use serde_json::json;

use crate::harness::{Keys, MINISTACK, Peer, Place, Process, Site, command, noise_jpeg};

const SOON: Duration = Duration::from_secs(30);

#[test]
fn each_program_works_with_its_own_policy_and_no_other_right() {
    let peer = &*MINISTACK;
    let place = peer.place(10);
    let (server, worker) = (keys(peer, &place, "image-server"), keys(peer, &place, "image-worker"));
    let site = Site::on(place.settings(peer.address, &server));
    let settings = place.settings(peer.address, &worker);
    let mut worker = Process::start("image-worker", site.folder.path(), &settings);

    let reply = site.client.upload("a.jpg", &noise_jpeg(300, 200, 1));
    peer.world().wait_for(&reply.url("large"), SOON);
    let (id, token) = (reply.header("x-image-id").unwrap(), reply.header("x-delete-token").unwrap());
    let headers = [("X-Delete-Token", token)];
    assert_eq!(site.client.request("DELETE", &format!("/i/{id}"), &headers, b"").unwrap().status, 204);

    peer.call("sqs", "send_message", json!({"QueueUrl": place.queue_url, "MessageBody": "no job"}));
    let deadline = std::time::Instant::now() + SOON;
    while peer.depth(&place.dead_url) != (1, 0) {
        assert!(std::time::Instant::now() < deadline, "{}", worker.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(worker.stop(), Some(0), "{}", worker.log());
    assert!(!worker.log().contains("refuses"), "{}", worker.log());
}

#[test]
fn check_says_what_it_found_and_which_permission_is_missing() {
    let peer = &*MINISTACK;
    let place = peer.place(10);
    let check = |keys: &Keys| {
        let settings = place.settings(peer.address, keys);
        let output = command("image-worker").arg("--check").envs(settings).output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.code(), text)
    };
    let (code, said) = check(&keys(peer, &place, "image-worker"));
    assert!(code == Some(0) && said.contains("0 waiting") && said.contains(&place.bucket), "{said}");
    let (code, said) = check(&peer.accounts.stranger);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("s3:PutObject") && said.contains("sqs:Get"), "{said}");
}

/// Keys of a user who has the policy in `deploy/iam/` for `program` on `place`, and nothing else.
fn keys(peer: &Peer, place: &Place, program: &str) -> Keys {
    let path = format!("{}/deploy/iam/{program}.json", env!("CARGO_MANIFEST_DIR"));
    let policy = std::fs::read_to_string(path).unwrap();
    // Longest names first: QUEUE is no part of another.
    let policy = policy
        .replace("REGION:ACCOUNT:DEAD-LETTERS", &format!("{}:*:{}-dead", place.region, place.queue))
        .replace("REGION:ACCOUNT:QUEUE", &format!("{}:*:{}", place.region, place.queue))
        .replace("BUCKET", &place.bucket);
    peer.user(&format!("{}-{program}", place.bucket), &policy)
}
