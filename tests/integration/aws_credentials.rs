//! Keys from the machine's own role: found, renewed, kept through an outage of the metadata service, changed
//! when the service says that they are over.

use std::time::{Duration, Instant};

use crate::harness::{Away, Imds, Keys, MINISTACK, Place, Process, Site, noise_jpeg};

const SOON: Duration = Duration::from_secs(30);
const HOUR: Duration = Duration::from_secs(3600);

/// A server with a user's key, and a worker that has nothing but its machine's role.
struct Machine {
    site: Site,
    worker: Process,
    imds: Imds,
    place: Place,
}

impl Machine {
    fn start(keys: &Keys, lifetime: Duration) -> Machine {
        let peer = &*MINISTACK;
        let place = peer.place(10);
        let site = Site::on(place.settings(peer.address, &peer.accounts.user));
        let imds = Imds::start(&peer.accounts.region, keys, lifetime);
        let mut settings = place.keyless_settings(peer.address);
        settings.extend(imds.settings());
        let worker = Process::start("image-worker", site.folder.path(), &settings);
        Machine { site, worker, imds, place }
    }

    /// One upload, done by the worker.
    fn works(&self) {
        let reply = self.site.client.upload("a.jpg", &noise_jpeg(300, 200, 1));
        MINISTACK.world().wait_for(&reply.url("small"), SOON);
    }
}

#[test]
fn a_worker_finds_keys_and_region_of_its_machine() {
    let machine = Machine::start(&MINISTACK.session(900), HOUR);
    machine.works();
    let asked = machine.imds.asked();
    assert_eq!((asked.credentials, asked.refused), (1, 0), "{asked:?}: once is enough for an hour");
    assert!(asked.tokens <= 2, "{asked:?}");
}

#[test]
fn keys_are_renewed_before_they_end() {
    let machine = Machine::start(&MINISTACK.session(900), Duration::from_secs(4));
    machine.works();
    let fresh = MINISTACK.session(900);
    machine.imds.rotate(&fresh, HOUR);
    becomes(|| machine.imds.asked().credentials >= 2, || format!("{:?}", machine.imds.asked()));
    machine.works();
}

#[test]
fn keys_that_the_service_calls_over_are_renewed_at_once() {
    let old = MINISTACK.session(900);
    let machine = Machine::start(&old, HOUR);
    machine.works();
    machine.imds.rotate(&MINISTACK.session(900), HOUR);
    MINISTACK.expire(&old);
    machine.works();
    assert_eq!(machine.imds.asked().credentials, 2);
    assert_eq!(MINISTACK.depth(&machine.place.dead_url), (0, 0));
}

#[test]
fn a_worker_outlives_an_outage_of_the_metadata_service() {
    for away in [Away::Closed, Away::Unavailable] {
        // So short a life that every use wants to renew the keys.
        let machine = Machine::start(&MINISTACK.session(900), Duration::from_secs(60));
        machine.works();
        machine.imds.set_away(away);
        machine.works();
        machine.imds.set_away(Away::No);
        machine.imds.rotate(&MINISTACK.session(900), HOUR);
        machine.works();
    }
}

#[test]
fn a_token_that_ended_is_fetched_anew() {
    let machine = Machine::start(&MINISTACK.session(900), Duration::from_secs(4));
    machine.works();
    machine.imds.end_tokens(Duration::from_secs(1));
    let before = machine.imds.asked();
    becomes(
        || machine.imds.asked().credentials > before.credentials,
        || format!("{:?}", machine.imds.asked()),
    );
    assert!(machine.imds.asked().tokens > before.tokens);
    machine.works();
}

#[test]
fn a_spot_notice_drains_the_worker() {
    let mut machine = Machine::start(&MINISTACK.session(900), HOUR);
    machine.works();
    assert!(machine.imds.asked().spot > 0 || soon(|| machine.imds.asked().spot > 0), "it never looked");
    machine.imds.interrupt(Duration::from_secs(120));
    assert_eq!(machine.worker.wait(SOON), Some(0), "{}", machine.worker.log());
}

#[test]
fn a_worker_whose_group_gives_it_up_finishes_what_it_has_and_ends() {
    let mut machine = Machine::start(&MINISTACK.session(900), HOUR);
    machine.works();
    let picture = noise_jpeg(1600, 1200, 2);
    let uploads: Vec<_> = (0..12).map(|_| machine.site.client.upload("a.jpg", &picture)).collect();
    machine.imds.take_out();
    assert_eq!(machine.worker.wait(2 * SOON), Some(0), "{}", machine.worker.log());
    let (waiting, in_hand) = MINISTACK.depth(&machine.place.queue_url);
    assert_eq!(in_hand, 0, "{}", machine.worker.log());
    let keys = MINISTACK.keys(&machine.place);
    let done = uploads.iter().filter(|reply| {
        let id = reply.header("x-image-id").unwrap();
        keys.contains(&format!("{id}/large.jpg"))
    });
    assert_eq!(done.count() as u64 + waiting, 12, "each is done, or waits for another worker");
    assert!(!machine.worker.log().contains("given back"), "{}", machine.worker.log());
}

fn soon(mut is_so: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + SOON;
    while !is_so() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    true
}

fn becomes(is_so: impl FnMut() -> bool, state: impl Fn() -> String) {
    assert!(soon(is_so), "after {SOON:?}: {}", state());
}
