//! Real processes on real folders, ended when the test ends.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::Client;

/// A folder that is removed at the end, unless the test failed: then it is left to be looked at.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("image-sharer-{name}-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("left for a look: {}", self.0.display());
        } else {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

/// One running program; killed when dropped.
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program with these settings; what it prints goes into a file in `folder`.
    pub fn start(program: &str, folder: &Path, settings: &[(&str, String)]) -> Process {
        Process::start_in(&Surroundings::default(), program, folder, settings)
    }

    /// The same in such surroundings.
    pub fn start_in(
        surroundings: &Surroundings,
        program: &str,
        folder: &Path,
        settings: &[(&str, String)],
    ) -> Process {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let log = folder.join(format!("{program}-{number}.log"));
        let output = fs::File::create(&log).unwrap();
        let child = surroundings
            .command(program)
            .current_dir(folder)
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        Process { child, log }
    }

    /// SIGKILL: what a power cut looks like to a process.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM, then waits for the end; returns its exit code.
    pub fn stop(&mut self) -> Option<i32> {
        self.terminate();
        self.wait(Duration::from_secs(40))
    }

    /// SIGTERM, and no more.
    pub fn terminate(&self) {
        rustix::process::kill_process(
            rustix::process::Pid::from_child(&self.child),
            rustix::process::Signal::TERM,
        )
        .unwrap();
    }

    pub fn wait(&mut self, patience: Duration) -> Option<i32> {
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("still running after {patience:?}; it said:\n{}", self.log());
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("{} said:\n{}", self.log.display(), self.log());
        }
    }
}

/// What a program is started by: words of another that ends in becoming it. Its process id is the same.
#[derive(Clone, Default)]
pub struct Surroundings(Vec<String>);

impl Surroundings {
    pub fn new<'a>(words: impl IntoIterator<Item = &'a str>) -> Surroundings {
        Surroundings(words.into_iter().map(str::to_owned).collect())
    }

    /// In a shell, after these lines.
    pub fn shell(lines: &str) -> Surroundings {
        Surroundings::new(["sh", "-ec", &format!("{lines}\nexec \"$@\""), "sh"])
    }

    /// These, and then those within.
    pub fn then(mut self, inner: Surroundings) -> Surroundings {
        self.0.extend(inner.0);
        self
    }

    /// A program of this crate in here, with none of this process's settings.
    pub fn command(&self, program: &str) -> Command {
        let bare = command(program);
        let Some((first, words)) = self.0.split_first() else { return bare };
        let mut command = Command::new(first);
        command.args(words).arg(bare.get_program()).stdin(Stdio::null());
        for (name, _) in bare.get_envs() {
            command.env_remove(name);
        }
        command
    }
}

/// A program of this crate, with none of this process's settings.
pub fn command(program: &str) -> Command {
    let path = match program {
        "image-sharer" => env!("CARGO_BIN_EXE_image-sharer"),
        "image-server" => env!("CARGO_BIN_EXE_image-server"),
        "image-worker" => env!("CARGO_BIN_EXE_image-worker"),
        other => panic!("no program {other}"),
    };
    let mut command = Command::new(path);
    for (name, _) in
        std::env::vars().filter(|(name, _)| name.starts_with("SHARER_") || name.starts_with("AWS_"))
    {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn wait_for_port(address: SocketAddr, process: &mut Process) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(address).is_err() {
        if let Some(status) = process.child.try_wait().unwrap() {
            panic!("ended with {status} before it listened:\n{}", process.log());
        }
        assert!(Instant::now() < deadline, "not listening on {address}:\n{}", process.log());
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// `image-sharer` on a folder of its own.
pub struct Sharer {
    pub process: Process,
    pub client: Client,
    pub folder: Folder,
    surroundings: Surroundings,
    settings: Vec<(&'static str, String)>,
}

impl Sharer {
    pub fn start() -> Sharer {
        Sharer::with(&[])
    }

    pub fn with(settings: &[(&'static str, &str)]) -> Sharer {
        Sharer::in_folder(Folder::new("sharer"), Surroundings::default(), settings)
    }

    pub fn in_folder(
        folder: Folder,
        surroundings: Surroundings,
        settings: &[(&'static str, &str)],
    ) -> Sharer {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut all = vec![("SHARER_LISTEN", address.to_string())];
        all.extend(settings.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let mut process = Process::start_in(&surroundings, "image-sharer", folder.path(), &all);
        wait_for_port(address, &mut process);
        Sharer { process, client: Client { address }, folder, surroundings, settings: all }
    }

    /// Starts it again, after it ended, on the same folder and address.
    pub fn restart(&mut self) {
        let (folder, settings) = (self.folder.path(), &self.settings);
        self.process = Process::start_in(&self.surroundings, "image-sharer", folder, settings);
        wait_for_port(self.client.address, &mut self.process);
    }
}

/// Server and workers as processes of their own on the same store and queue.
pub struct Site {
    pub server: Process,
    pub client: Client,
    pub folder: Folder,
    settings: Vec<(&'static str, String)>,
}

impl Site {
    /// On two folders, unless these settings say otherwise.
    pub fn start(settings: &[(&'static str, &str)]) -> Site {
        Site::on(settings.iter().map(|(name, value)| (*name, (*value).to_owned())).collect())
    }

    pub fn on(settings: Vec<(&'static str, String)>) -> Site {
        let folder = Folder::new("site");
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut all = vec![
            ("SHARER_LISTEN", address.to_string()),
            ("SHARER_STORE", format!("dir:{}", folder.path().join("objects").display())),
            ("SHARER_QUEUE", format!("dir:{}", folder.path().join("queue").display())),
            // Servers side by side would take turns at the usual port.
            ("SHARER_METRICS_LISTEN", "off".to_owned()),
        ];
        all.extend(settings);
        let mut server = Process::start("image-server", folder.path(), &all);
        wait_for_port(address, &mut server);
        Site { server, client: Client { address }, folder, settings: all }
    }

    /// Starts the server again, after it ended.
    #[allow(dead_code, reason = "`make chaos` does it")]
    pub fn start_server(&mut self) {
        self.server = Process::start("image-server", self.folder.path(), &self.settings);
        wait_for_port(self.client.address, &mut self.server);
    }

    pub fn worker(&self) -> Process {
        self.worker_with(&[])
    }

    /// A worker with other settings than the server's.
    pub fn worker_with(&self, settings: &[(&'static str, String)]) -> Process {
        self.worker_in(&Surroundings::default(), settings)
    }

    pub fn worker_in(&self, surroundings: &Surroundings, settings: &[(&'static str, String)]) -> Process {
        let all: Vec<_> = self.settings.iter().chain(settings).cloned().collect();
        Process::start_in(surroundings, "image-worker", self.folder.path(), &all)
    }
}
