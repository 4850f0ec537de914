//! Brings the first network adapter up and keeps its address: runs the DHCP client on real sockets
//! and does what it decides.

use std::fs;
use std::io;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use rustix::rand::{GetRandomFlags, getrandom};

use crate::console::uptime;
use crate::dhcp::Mac;
use crate::dhcp::client::{Client, Do, Ear};
use crate::dhcp::packet::Lease;
use crate::dhcp::port::Port;
use crate::netlink::{Change, Routing};
use crate::say;

const ADAPTERS: &str = "/sys/class/net";

/// After so long without an address the console says so; and again each time that it doubles.
const PATIENCE: Duration = Duration::from_secs(3);

/// Pause after a failure of a socket, which waiting may mend.
const PAUSE: Duration = Duration::from_millis(200);

/// A network adapter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adapter {
    name: String,
    index: u32,
    mac: Mac,
}

/// The adapter with the lowest index that is a device and no construct of the kernel's. Only this
/// one is used: on EC2 it is the primary interface.
pub fn first_adapter(folder: &Path) -> Option<Adapter> {
    let entries = fs::read_dir(folder).ok()?;
    let adapter = |path: &Path| {
        let text = |name: &str| fs::read_to_string(path.join(name)).ok();
        path.join("device").exists().then_some(())?;
        Some(Adapter {
            name: path.file_name()?.to_str()?.to_owned(),
            index: text("ifindex")?.trim().parse().ok()?,
            mac: mac(text("address")?.trim())?,
        })
    };
    entries.filter_map(|entry| adapter(&entry.ok()?.path())).min_by_key(|adapter| adapter.index)
}

fn mac(text: &str) -> Option<Mac> {
    let bytes: Option<Vec<u8>> = text.split(':').map(|part| u8::from_str_radix(part, 16).ok()).collect();
    bytes?.try_into().ok()
}

/// Keeps the address for ever; calls `ready` when there is one for the first time.
pub fn run(ready: impl FnOnce()) {
    let adapter = wait_for_adapter();
    let routing = loop {
        match switch_on(&adapter) {
            Ok(routing) => break routing,
            Err(error) => say!("adapter {} can't be switched on: {error}", adapter.name),
        }
        sleep(PAUSE);
    };
    Keeper {
        client: Client::new(adapter.mac, uptime()),
        adapter,
        routing,
        lease: None,
        port: (Ear::None, None),
    }
    .run(ready);
}

fn wait_for_adapter() -> Adapter {
    let mut patience = uptime() + PATIENCE;
    loop {
        if let Some(adapter) = first_adapter(Path::new(ADAPTERS)) {
            return adapter;
        }
        if uptime() > patience {
            say!(
                "this machine has no network adapter that is known here (Amazon's ENA and virtio are); waiting"
            );
            patience = uptime() * 2;
        }
        sleep(Duration::from_millis(5));
    }
}

/// Switches on the loopback and the adapter.
fn switch_on(adapter: &Adapter) -> io::Result<Routing> {
    let routing = Routing::open()?;
    const LOOPBACK: u32 = 1;
    routing.apply(Change::Up(LOOPBACK, None))?;
    routing.apply(Change::Up(adapter.index, None))?;
    Ok(routing)
}

/// The client with its sockets and what it has got.
struct Keeper {
    client: Client,
    adapter: Adapter,
    routing: Routing,
    lease: Option<Lease>,
    /// The socket that is open, and what the client wanted to hear when it was opened.
    port: (Ear, Option<Port>),
}

impl Keeper {
    fn run(mut self, ready: impl FnOnce()) {
        let mut ready = Some(ready);
        let mut patience = uptime() + PATIENCE;
        loop {
            if let Err(error) = self.turn() {
                say!("the network fails: {error}; trying again");
                self.port = (Ear::None, None);
                sleep(PAUSE);
            }
            if self.lease.is_some() {
                ready.take().into_iter().for_each(|ready| ready());
                patience = uptime() + PATIENCE;
            } else if uptime() > patience {
                say!("no DHCP server answers on {}; still asking", self.adapter.name);
                patience = uptime() * 2;
            }
        }
    }

    /// Listens until something is due, or does it.
    fn turn(&mut self) -> io::Result<()> {
        let now = uptime();
        if self.client.due() <= now {
            let what = self.client.on_time(now, random());
            return self.act(what);
        }
        let time = self.client.due() - now;
        self.listen()?;
        let mut buffer = [0; 2048];
        let message = match &self.port.1 {
            Some(port) => port.receive(time, &mut buffer)?,
            None => {
                sleep(time);
                None
            }
        };
        match message.and_then(|message| self.client.on_message(uptime(), &message)) {
            Some(what) => self.act(what),
            None => Ok(()),
        }
    }

    /// Opens the socket that the client needs now.
    fn listen(&mut self) -> io::Result<()> {
        let ear = self.client.ear();
        if self.port.0 != ear {
            let port = match ear {
                Ear::None => None,
                Ear::Adapter => Some(Port::at_adapter(self.adapter.index)?),
                Ear::Address(address) => Some(Port::at_address(address)?),
            };
            self.port = (ear, port);
        }
        Ok(())
    }

    fn act(&mut self, what: Do) -> io::Result<()> {
        match what {
            Do::Send(message, to) => {
                self.listen()?;
                match &self.port.1 {
                    Some(port) => port.send(&message, to),
                    None => Ok(()),
                }
            }
            Do::Use(lease) => self.take(lease),
            Do::Lose(lease) => {
                say!("the address {} is lost: its lease ended or was refused", lease.address);
                self.lease = None;
                self.routing.apply(Change::NoAddress(self.adapter.index, lease.address, lease.prefix))
            }
        }
    }

    fn take(&mut self, lease: Lease) -> io::Result<()> {
        let index = self.adapter.index;
        if self.lease.as_ref() == Some(&lease) {
            return Ok(());
        }
        if let Some(old) = self.lease.take().filter(|old| old.address != lease.address) {
            self.routing.apply(Change::NoAddress(index, old.address, old.prefix))?;
        }
        if lease.mtu.is_some() {
            // A size that the adapter can't have is no reason to be without a network.
            let _ = self.routing.apply(Change::Up(index, lease.mtu));
        }
        self.routing.apply(Change::Address(index, lease.address, lease.prefix))?;
        if let Some(router) = lease.router {
            self.routing.apply(Change::Default(index, router))?;
        }
        let host = lease.host_name.as_deref().unwrap_or("image-sharer");
        let _ = rustix::system::sethostname(host.as_bytes());
        fs::write("/etc/hosts", hosts(&lease, host))?;
        fs::write("/etc/resolv.conf", resolver(&lease))?;
        let router = lease.router.map_or("none".to_owned(), |router| router.to_string());
        let name = &self.adapter.name;
        say!("the network is up: {name} has {}/{}, router {router}", lease.address, lease.prefix);
        self.lease = Some(lease);
        Ok(())
    }
}

/// `/etc/resolv.conf` (resolv.conf(5)): three servers are what is read of it.
fn resolver(lease: &Lease) -> String {
    let search = lease.domain.iter().map(|domain| format!("search {domain}\n"));
    let servers = lease.name_servers.iter().take(3).map(|server| format!("nameserver {server}\n"));
    search.chain(servers).collect()
}

/// `/etc/hosts`: what resolves without a server.
fn hosts(lease: &Lease, host: &str) -> String {
    format!("127.0.0.1 localhost\n{} {host}\n", lease.address)
}

/// A number that others can't know; not one that secrets rest on, so it does not wait for the
/// kernel's pool.
fn random() -> u32 {
    let mut bytes = [0; 4];
    let _ = getrandom(&mut bytes, GetRandomFlags::INSECURE);
    u32::from_ne_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dhcp::packet::{self, Reply};

    fn lease(options: &[(u8, &[u8])]) -> Lease {
        let mut all: Vec<(u8, &[u8])> = vec![(54, &[10, 0, 0, 1]), (51, &[0, 0, 1, 0])];
        all.extend(options);
        let message = packet::tests::answer(1, 5, [10, 0, 0, 5], &all);
        match packet::reply(&message, 1, &packet::tests::MAC) {
            Some(Reply::Ack(lease)) => lease,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_resolver_is_told_domain_and_servers() {
        let lease = lease(&[(15, b"a.internal"), (6, &[10, 0, 0, 2, 10, 0, 0, 3])]);
        assert_eq!(resolver(&lease), "search a.internal\nnameserver 10.0.0.2\nnameserver 10.0.0.3\n");
        assert_eq!(hosts(&lease, "ip-10-0-0-5"), "127.0.0.1 localhost\n10.0.0.5 ip-10-0-0-5\n");
    }

    #[test]
    fn the_first_adapter_is_the_device_with_the_lowest_index() {
        let folder = std::env::temp_dir().join(format!("image-init-net-{}", std::process::id()));
        for (name, index, device) in [("lo", "1", false), ("eth1", "3", true), ("eth0", "2", true)] {
            fs::create_dir_all(folder.join(name)).unwrap();
            fs::write(folder.join(name).join("ifindex"), format!("{index}\n")).unwrap();
            fs::write(folder.join(name).join("address"), format!("02:00:00:00:00:0{index}\n")).unwrap();
            if device {
                fs::write(folder.join(name).join("device"), "").unwrap();
            }
        }
        let expected = Adapter { name: "eth0".to_owned(), index: 2, mac: [2, 0, 0, 0, 0, 2] };
        assert_eq!(first_adapter(&folder), Some(expected));
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(first_adapter(&folder), None);
    }

    #[test]
    fn a_hardware_address_is_six_bytes() {
        assert_eq!(mac("0a:ff:00:00:00:01"), Some([10, 255, 0, 0, 0, 1]));
        assert_eq!((mac("0a:ff"), mac(""), mac("x:0:0:0:0:0")), (None, None, None));
    }
}
