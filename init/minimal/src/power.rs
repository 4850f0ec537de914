//! The power button, and switching off. EC2 presses the button when a machine is stopped or
//! terminated; the kernel shows it as an input device (input.rst of its documentation).

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::thread;

use rustix::fs::sync;
use rustix::system::{RebootCommand, reboot};

use crate::say;

const INPUTS: &str = "/sys/class/input";
const NAME: &str = "Power Button";

/// `struct input_event` of a 64-bit kernel: time (16 bytes), type, code, value.
const EVENT: usize = 24;
const KEY: u16 = 1;
const KEY_POWER: u16 = 116;
const PRESSED: i32 = 1;

/// Calls `pressed` on a thread for each button, at each press.
pub fn watch(pressed: impl Fn() + Clone + Send + 'static) {
    let buttons = buttons(Path::new(INPUTS));
    if buttons.is_empty() {
        say!("this machine shows no power button: it can't be told to drain");
    }
    for button in buttons {
        let pressed = pressed.clone();
        let run = move || match File::open(&button) {
            Ok(file) => read(file, &pressed),
            Err(error) => say!("the power button {} can't be read: {error}", button.display()),
        };
        if let Err(error) = thread::Builder::new().name("power".to_owned()).spawn(run) {
            say!("no thread for the power button: {error}");
        }
    }
}

/// The device files of the buttons: `event0` is `/dev/input/event0`.
fn buttons(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let button = |path: &Path| {
        let event = path.file_name()?.to_str().filter(|name| name.starts_with("event"))?;
        let name = fs::read_to_string(path.join("device/name")).ok()?;
        (name.trim() == NAME).then(|| Path::new("/dev/input").join(event))
    };
    entries.filter_map(|entry| button(&entry.ok()?.path())).collect()
}

fn read(mut events: impl Read, pressed: &impl Fn()) {
    let mut event = [0; EVENT];
    while events.read_exact(&mut event).is_ok() {
        if is_press(&event) {
            pressed();
        }
    }
}

fn is_press(event: &[u8; EVENT]) -> bool {
    let number = |at: usize| u16::from_ne_bytes([event[at], event[at + 1]]);
    let value = i32::from_ne_bytes([event[20], event[21], event[22], event[23]]);
    (number(16), number(18), value) == (KEY, KEY_POWER, PRESSED)
}

/// Switches the machine off; returns only if the kernel refuses.
pub fn off() {
    sync();
    if let Err(error) = reboot(RebootCommand::PowerOff) {
        say!("the kernel does not switch off: {error}");
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn event(kind: u16, code: u16, value: i32) -> [u8; EVENT] {
        let mut out = [0; EVENT];
        out[16..18].copy_from_slice(&kind.to_ne_bytes());
        out[18..20].copy_from_slice(&code.to_ne_bytes());
        out[20..24].copy_from_slice(&value.to_ne_bytes());
        out
    }

    #[test]
    fn a_press_counts_and_a_release_does_not() {
        let presses = Cell::new(0);
        let stream =
            [event(1, 116, 1), event(0, 0, 0), event(1, 116, 0), event(1, 142, 1), event(1, 116, 1)].concat();
        // A half event at the end is the end.
        read(&stream[..], &|| presses.set(presses.get() + 1));
        read(&stream[..10], &|| presses.set(100));
        assert_eq!(presses.get(), 2);
    }

    #[test]
    fn buttons_are_known_by_their_name() {
        let folder = std::env::temp_dir().join(format!("image-init-input-{}", std::process::id()));
        for (input, name) in
            [("event0", "Power Button\n"), ("event1", "Sleep Button\n"), ("input0", "Power Button\n")]
        {
            fs::create_dir_all(folder.join(input).join("device")).unwrap();
            fs::write(folder.join(input).join("device/name"), name).unwrap();
        }
        assert_eq!(buttons(&folder), [Path::new("/dev/input/event0")]);
        fs::remove_dir_all(&folder).unwrap();
    }
}
