//! What a supervisor that listens on `NOTIFY_SOCKET`, as systemd does, is told by the real programs.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use crate::harness::{Folder, Process, Sharer, noise_jpeg};

/// The watchdog's time: signs of life come twice as often.
const LIMIT: Duration = Duration::from_millis(200);

/// The supervisor's end.
struct Ear {
    socket: UnixDatagram,
    folder: Folder,
}

impl Ear {
    fn new() -> Ear {
        let folder = Folder::new("supervisor");
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Ear { socket, folder }
    }

    /// A program on folders, told where to say how it is.
    fn start(&self, program: &str) -> Process {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        let settings = [
            ("NOTIFY_SOCKET", path("notify")),
            ("WATCHDOG_USEC", LIMIT.as_micros().to_string()),
            ("SHARER_STORE", format!("dir:{}", path("objects"))),
            ("SHARER_QUEUE", format!("dir:{}", path("queue"))),
            ("SHARER_LISTEN", "127.0.0.1:0".to_owned()),
        ];
        Process::start(program, self.folder.path(), &settings)
    }

    fn heard(&self) -> String {
        let mut buffer = [0; 64];
        let length = self.socket.recv(&mut buffer).expect("something within 30 s");
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    fn wait_for(&self, word: &str) {
        while self.heard() != word {}
    }
}

#[test]
fn each_program_says_ready_gives_signs_of_life_and_says_that_it_stops() {
    for program in ["image-sharer", "image-server", "image-worker"] {
        let ear = Ear::new();
        let mut process = ear.start(program);
        assert_eq!(ear.heard(), "READY=1", "{program}");
        for _ in 0..3 {
            assert_eq!(ear.heard(), "WATCHDOG=1", "{program}");
        }
        assert_eq!(process.stop(), Some(0), "{program}: {}", process.log());
        ear.wait_for("STOPPING=1");
    }
}

#[test]
fn a_program_that_cannot_start_never_says_ready() {
    let ear = Ear::new();
    std::fs::write(ear.folder.path().join("objects"), "not a folder").unwrap();
    let mut process = ear.start("image-worker");
    assert_eq!(process.wait(Duration::from_secs(20)), Some(1));
    ear.socket.set_nonblocking(true).unwrap();
    assert!(ear.socket.recv(&mut [0; 64]).is_err());
}

#[test]
fn a_supervisor_that_is_gone_harms_nothing() {
    let folder = Folder::new("gone");
    let nowhere = folder.path().join("nowhere").display().to_string();
    let sharer = Sharer::with(&[("NOTIFY_SOCKET", &nowhere), ("WATCHDOG_USEC", "200000")]);
    let reply = sharer.client.upload("a.jpg", &noise_jpeg(300, 200, 1));
    sharer.client.wait_for(&reply.url("small"), Duration::from_secs(20));
    assert!(sharer.process.log().contains("nowhere"), "{}", sharer.process.log());
}
