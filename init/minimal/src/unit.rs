//! `image-unit`: what systemd runs around a service on a machine image.
//!
//! * `image-unit before FILE`, before each start: fetches the settings out of the user data, waiting for
//!   them at the first start, sets the clock by the way, and leaves the settings in FILE, for root's eyes
//!   alone.
//! * `image-unit after`, after each end: a program that ended well by itself has nothing more to do on
//!   this machine, which goes off.
//!
//! What goes wrong is said on standard error.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use image_init::settings::{environment_file, parse};
use image_init::{advice, http, imds, say};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["before", file] => fetch(Path::new(file)),
        ["after"] if ended_well(|name| std::env::var(name).ok()) => power_off(),
        ["after"] => Ok(()),
        _ => Err(io::Error::other("it is called as `before FILE` or `after`")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say!("image-unit {}: {error}", arguments.join(" "));
            ExitCode::FAILURE
        }
    }
}

/// By what systemd tells (systemd.exec(5), `$SERVICE_RESULT`). Its `SuccessAction=` also counts the end of
/// the pause before a new start (systemd 252), and is no use.
fn ended_well(variable: impl Fn(&str) -> Option<String>) -> bool {
    let expected = [("SERVICE_RESULT", "success"), ("EXIT_CODE", "exited"), ("EXIT_STATUS", "0")];
    expected.iter().all(|(name, value)| variable(name).as_deref() == Some(value))
}

fn power_off() -> io::Result<()> {
    say!("the program has ended well; switching off");
    let status = Command::new("/usr/bin/systemctl").args(["--no-block", "poweroff"]).status()?;
    match status.success() {
        true => Ok(()),
        false => Err(io::Error::other(format!("systemctl: {status}"))),
    }
}

/// What an earlier start left in the file does where the service does not answer.
fn fetch(file: &Path) -> io::Result<()> {
    let address = imds::ADDRESS.parse().map_err(io::Error::other)?;
    let mut wire = http::Tcp(address);
    let said = match file.exists() {
        true => advice::again(&mut wire),
        false => Some(advice::wait_for(&mut wire)),
    };
    let Some(said) = said else { return Ok(()) };
    let settings = parse(&said.user_data);
    for wrong in &settings.wrong {
        say!("{wrong}");
    }
    let names: Vec<&str> = settings.pairs.iter().map(|(name, _)| name.as_str()).collect();
    say!("{} settings: {}", names.len(), names.join(" "));
    replace(file, environment_file(&settings).as_bytes())
}

/// Another's file is never written into, and a half one never seen.
fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = file.with_extension("new");
    let _ = fs::remove_file(&new);
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?.write_all(bytes)?;
    fs::rename(new, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(result: &str, code: &str, status: &str) -> bool {
        ended_well(|name| {
            let value = match name {
                "SERVICE_RESULT" => result,
                "EXIT_CODE" => code,
                "EXIT_STATUS" => status,
                _ => return None,
            };
            Some(value.to_owned())
        })
    }

    #[test]
    fn the_machine_goes_off_after_a_good_end_alone() {
        assert!(after("success", "exited", "0"));
        assert!(!after("exit-code", "exited", "2"));
        assert!(!after("success", "killed", "TERM"));
        assert!(!ended_well(|_| None), "it never ran");
    }

    #[test]
    fn settings_are_root_s_alone_and_replace_the_old_ones() {
        use std::os::unix::fs::PermissionsExt;
        let file = std::env::temp_dir().join(format!("image-unit-{}.env", std::process::id()));
        for text in ["SHARER_A=\"1\"\n", "SHARER_B=\"2\"\n"] {
            replace(&file, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), text);
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::remove_file(&file).unwrap();
    }
}
