//! Says what happens, in plain sentences with the time since the kernel's start: on EC2 the serial
//! console is the only thing that a machine without a login can be asked about.

use std::fmt::Arguments;
use std::io::Write;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Time since the kernel's start.
pub fn uptime() -> Duration {
    let now = clock_gettime(ClockId::Boottime);
    // Never negative, by the clock's definition.
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs() as u32)
}

/// Writes one line; of the first process with time and name, which systemd's journal adds to others'.
/// What can't be written is lost: there is nobody else to tell.
pub fn write(line: Arguments<'_>) {
    let now = uptime();
    let text = match std::process::id() {
        1 => format!("[{:5}.{:03}] init: {line}\n", now.as_secs(), now.subsec_millis()),
        _ => format!("{line}\n"),
    };
    // One write a line, so that lines of init and of the program do not mix.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// `say!("the network is up: {address}")`.
#[macro_export]
macro_rules! say {
    ($($arguments:tt)*) => { $crate::console::write(format_args!($($arguments)*)) };
}

/// A text of somebody else, fit for one line of the console: no control characters, at most 200 characters.
pub fn tame(text: &str) -> String {
    text.trim().chars().take(200).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strangers_text_can_not_forge_a_line() {
        assert_eq!(tame(" a\r\n[ 1.0] init: b\x1b[2J \n"), "a  [ 1.0] init: b [2J");
        assert_eq!(tame(&"ä".repeat(300)).chars().count(), 200);
    }
}
