//! Tells systemd how the program is: started, alive, stopping (sd_notify(3), sd_watchdog_enabled(3)).
//!
//! Without `NOTIFY_SOCKET` in the environment there is nobody to tell, and nothing is done. What
//! being alive means is for the parts to say.

use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use log::{error, warn};

use crate::stop::Stop;

/// How soon somebody who is stuck is looked at again: most faults that pass do so at once.
const AGAIN: Duration = Duration::from_secs(1);

/// Between two looks where nobody asks for signs of life.
const IDLE: Duration = Duration::from_secs(3600);

/// Says that the program works now; from here on, tells of the stop, and gives the signs of life that
/// the supervisor asks for while `stuck` names nothing that stands still. Keep what it returns until the
/// work is over.
///
/// # Errors
/// When the system has no thread to give.
pub fn ready(
    stop: &Stop,
    stuck: impl Fn() -> Option<&'static str> + Send + 'static,
) -> Result<Option<Told>, String> {
    let supervisor = match Supervisor::find(&|name| std::env::var(name).ok(), std::process::id()) {
        Ok(Some(supervisor)) => Arc::new(supervisor),
        Ok(None) => return Ok(None),
        Err(cause) => {
            warn!(cause; "the supervisor can't be told anything; going on");
            return Ok(None);
        }
    };
    supervisor.tell("READY=1");
    let told = Told { supervisor: Arc::clone(&supervisor), stop: stop.clone() };
    let stop = stop.clone();
    let run = move || {
        supervisor.attend(&stop, stuck);
        supervisor.drain();
    };
    let thread = std::thread::Builder::new().name("notify".to_owned()).spawn(run);
    thread.map(|_| Some(told)).map_err(|e| format!("no thread to tell the supervisor: {e}"))
}

/// Sees to it that the supervisor hears of a stop even if the work is over before the thread has said so.
pub struct Told {
    supervisor: Arc<Supervisor>,
    stop: Stop,
}

impl Drop for Told {
    fn drop(&mut self) {
        if self.stop.is_set() {
            self.supervisor.stopping();
        }
    }
}

/// Who started us and wants to know.
struct Supervisor {
    socket: UnixDatagram,
    /// Without a sign of life for so long, it ends the program.
    watchdog: Option<Duration>,
    /// Whether it was told of the stop.
    stopping: Mutex<bool>,
}

impl Supervisor {
    /// The supervisor that the environment names to the process `pid`, if any.
    fn find(variable: &dyn Fn(&str) -> Option<String>, pid: u32) -> Result<Option<Supervisor>, String> {
        let Some(name) = variable("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else {
            return Ok(None);
        };
        let connected = address(&name).and_then(|address| {
            let socket = UnixDatagram::unbound()?;
            socket.connect_addr(&address)?;
            Ok(socket)
        });
        let socket = connected.map_err(|e| format!("NOTIFY_SOCKET={name}: {e}"))?;
        let for_us = variable("WATCHDOG_PID").is_none_or(|text| text.parse() == Ok(pid));
        let micros = variable("WATCHDOG_USEC").and_then(|text| text.parse().ok());
        let watchdog = micros.filter(|micros| for_us && *micros > 0).map(Duration::from_micros);
        Ok(Some(Supervisor { socket, watchdog, stopping: Mutex::new(false) }))
    }

    /// Gives signs of life twice in the time that the watchdog allows, until `stop` is set; tells of that.
    fn attend(&self, stop: &Stop, stuck: impl Fn() -> Option<&'static str>) {
        let beat = self.watchdog.map_or(IDLE, |limit| limit / 2);
        while !stop.is_set() {
            let pause = match stuck() {
                None => {
                    self.sign_of_life();
                    beat
                }
                Some(what) => {
                    error!(what; "stuck: the supervisor gets no sign of life");
                    beat.min(AGAIN)
                }
            };
            stop.sleep(pause);
        }
        self.stopping();
    }

    /// Tells of the stop, once.
    fn stopping(&self) {
        // Held while it is told: whoever comes second may end the process.
        let mut told = self.stopping.lock().unwrap_or_else(PoisonError::into_inner);
        if !*told {
            self.tell("STOPPING=1");
            *told = true;
        }
    }

    /// Gives signs of life until the process ends: a drain has a deadline of its own, and the
    /// supervisor has one for the stop.
    fn drain(&self) {
        while let Some(limit) = self.watchdog {
            self.sign_of_life();
            std::thread::sleep(limit / 2);
        }
    }

    fn sign_of_life(&self) {
        if self.watchdog.is_some() {
            self.tell("WATCHDOG=1");
        }
    }

    fn tell(&self, what: &str) {
        if let Err(error) = self.socket.send(what.as_bytes()) {
            warn!(what, error:%; "the supervisor could not be told");
        }
    }
}

/// A socket's address: a path, or, after `@`, a name in Linux's abstract space.
fn address(name: &str) -> std::io::Result<SocketAddr> {
    match name.strip_prefix('@') {
        #[cfg(target_os = "linux")]
        Some(name) => <SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(name),
        _ => SocketAddr::from_pathname(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A supervisor's end of the socket, on an abstract name of this test's own.
    struct Ear {
        socket: UnixDatagram,
        name: String,
    }

    impl Ear {
        fn new(test: &str) -> Ear {
            let name = format!("@image-sharer-notify-{test}-{}", std::process::id());
            let socket = UnixDatagram::bind_addr(&address(&name).unwrap()).unwrap();
            socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            Ear { socket, name }
        }

        fn supervisor(&self, watchdog: &[(&str, &str)]) -> Supervisor {
            find(&[&[("NOTIFY_SOCKET", self.name.as_str())], watchdog].concat()).unwrap().unwrap()
        }

        fn heard(&self) -> String {
            let mut buffer = [0; 64];
            let length = self.socket.recv(&mut buffer).unwrap();
            String::from_utf8(buffer[..length].to_vec()).unwrap()
        }

        fn hears_nothing(&self) -> bool {
            self.socket.set_nonblocking(true).unwrap();
            self.socket.recv(&mut [0; 64]).is_err()
        }
    }

    fn find(variables: &[(&str, &str)]) -> Result<Option<Supervisor>, String> {
        let of = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        Supervisor::find(&of, 77)
    }

    const WATCHDOG: &[(&str, &str)] = &[("WATCHDOG_USEC", "20000"), ("WATCHDOG_PID", "77")];

    #[test]
    fn without_a_socket_there_is_nobody() {
        assert!(find(&[]).unwrap().is_none() && find(&[("NOTIFY_SOCKET", "")]).unwrap().is_none());
    }

    #[test]
    fn a_socket_that_cannot_be_reached_is_named() {
        let error = find(&[("NOTIFY_SOCKET", "/nowhere/at/all")]).err().unwrap();
        assert!(error.contains("/nowhere/at/all"), "{error}");
    }

    #[test]
    fn a_socket_may_be_a_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        find(&[("NOTIFY_SOCKET", path.to_str().unwrap())]).unwrap().unwrap().tell("READY=1");
        let mut buffer = [0; 7];
        assert_eq!((socket.recv(&mut buffer).unwrap(), &buffer), (7, b"READY=1"));
    }

    #[test]
    fn the_watchdog_counts_for_the_process_that_it_names() {
        let ear = Ear::new("pid");
        let limit = |watchdog: &[(&str, &str)]| ear.supervisor(watchdog).watchdog;
        assert_eq!(limit(WATCHDOG), Some(Duration::from_millis(20)));
        assert_eq!(limit(&WATCHDOG[..1]), Some(Duration::from_millis(20)));
        assert_eq!(limit(&[WATCHDOG[0], ("WATCHDOG_PID", "78")]), None);
        assert_eq!(limit(&[("WATCHDOG_USEC", "0")]), None);
        assert_eq!(limit(&[("WATCHDOG_USEC", "soon")]), None);
    }

    #[test]
    fn signs_of_life_come_until_the_stop_which_is_told() {
        let (ear, stop) = (Ear::new("life"), Stop::new());
        let supervisor = ear.supervisor(WATCHDOG);
        std::thread::scope(|scope| {
            scope.spawn(|| supervisor.attend(&stop, || None));
            for _ in 0..3 {
                assert_eq!(ear.heard(), "WATCHDOG=1");
            }
            stop.set();
            while ear.heard() != "STOPPING=1" {}
        });
    }

    #[test]
    fn who_is_stuck_gives_none() {
        let (ear, stop) = (Ear::new("stuck"), Stop::new());
        let supervisor = ear.supervisor(WATCHDOG);
        let looks = std::sync::atomic::AtomicU32::new(0);
        let stuck = || {
            if looks.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 2 {
                stop.set();
            }
            Some("a test")
        };
        supervisor.attend(&stop, stuck);
        assert_eq!(ear.heard(), "STOPPING=1");
    }

    #[test]
    fn the_stop_is_told_once_at_the_latest_when_the_work_is_over() {
        let (ear, stop) = (Ear::new("once"), Stop::new());
        let supervisor = Arc::new(ear.supervisor(&[]));
        let told = || Told { supervisor: Arc::clone(&supervisor), stop: stop.clone() };
        drop(told());
        stop.set();
        drop(told());
        supervisor.attend(&stop, || None);
        assert!(ear.heard() == "STOPPING=1" && ear.hears_nothing());
    }

    #[test]
    fn without_a_watchdog_only_the_stop_is_told() {
        let (ear, stop) = (Ear::new("none"), Stop::new());
        stop.set();
        ear.supervisor(&[]).attend(&stop, || None);
        ear.supervisor(&[]).drain();
        assert!(ear.heard() == "STOPPING=1" && ear.hears_nothing());
    }
}
