//! The program as a process: started without rights, reaped when it ends.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::thread;

use rustix::process::{Pid, Resource, Rlimit, Signal, WaitOptions, kill_process, setrlimit, wait};
use rustix::thread::set_no_new_privs;

use crate::settings::Settings;
use crate::supervise::End;

/// The user and group that the program runs as; no file is theirs.
const NOBODY: u32 = 65_532;

/// Open files: as many as the server may have connections, and room.
const FILES: u64 = 70_000;

/// What glibc's allocator is told: one arena, and memory goes back to the system after a burst.
const ALLOCATOR: [(&str, &str); 2] = [("MALLOC_ARENA_MAX", "1"), ("MALLOC_TRIM_THRESHOLD_", "65536")];

/// Takes from this process, and so from all that it will start, what no program here needs: new
/// rights by a file's owner, core dumps (they would hold credentials), and files without end.
///
/// Must be called before any other thread is started.
///
/// # Errors
/// When the kernel refuses it.
pub fn restrict() -> io::Result<()> {
    set_no_new_privs(true)?;
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    setrlimit(Resource::Nofile, Rlimit { current: Some(FILES), maximum: Some(FILES) })?;
    // What the server listens on by default, port 80, needs no right here.
    std::fs::write("/proc/sys/net/ipv4/ip_unprivileged_port_start", "80")
}

/// Starts the program at `path` with these settings as its environment; `ended` is called when it
/// ends. Whatever else ends meanwhile is reaped as well.
///
/// # Errors
/// When it can't be started.
pub fn start(path: &str, settings: &Settings, ended: impl FnOnce(End) + Send + 'static) -> io::Result<Pid> {
    let mut command = Command::new(path);
    command.env_clear().envs(ALLOCATOR).envs(settings.pairs.iter().map(|(name, value)| (name, value)));
    command.current_dir("/").stdin(Stdio::null()).uid(NOBODY).gid(NOBODY);
    let child = command.spawn()?;
    // A process that was just started has a number above 0.
    let pid =
        Pid::from_raw(child.id() as i32).ok_or_else(|| io::Error::other("a process without a number"))?;
    thread::Builder::new().name("reaper".to_owned()).spawn(move || ended(reap(pid)))?;
    Ok(pid)
}

/// Waits until `pid` ends.
fn reap(pid: Pid) -> End {
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((found, status))) if found == pid => {
                match (status.exit_status(), status.terminating_signal()) {
                    (Some(code), _) => return End::Code(code),
                    (_, Some(signal)) => return End::Signal(signal),
                    _ => {}
                }
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            // There is no child, so it must have ended.
            Err(_) => return End::NotStarted,
        }
    }
}

/// Asks it to end.
pub fn terminate(pid: Pid) {
    let _ = kill_process(pid, Signal::TERM);
}

/// Ends it.
pub fn kill(pid: Pid) {
    let _ = kill_process(pid, Signal::KILL);
}
