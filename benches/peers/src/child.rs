//! A peer: a process that is started once and then told what to do, a line at a time, so that no start
//! is in its figures. Words of a line are parted by tabs; each line is answered with one.
//!
//! * `job FILE N` makes the three thumbnails of a file N times from its bytes in memory; the answer is
//!   the CPU time of one in milliseconds, user and system, its page faults, and the three files' sizes.
//! * `keep FILE FOLDER` writes them, named by their side.
//! * `raw FILE SIDE OUT` (sharp alone) writes samples, whole for side 0, else those of a thumbnail
//!   before it is encoded; the answer is width, height and channels.
//! * `version` names it.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

pub struct Peer {
    /// In words, for a table's head.
    pub title: &'static str,
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

/// What one job cost.
pub struct Cost {
    /// CPU time in milliseconds.
    pub cpu: f64,
    /// Page faults that needed no disk.
    pub faults: f64,
    /// Sizes of the three files.
    pub bytes: Vec<u64>,
}

impl Peer {
    pub fn start(title: &'static str, command: &mut Command) -> Result<Peer, String> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("{title}: {e}"))?;
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().ok_or("no pipe")?);
        Ok(Peer { title, child, input, output })
    }

    pub fn ask(&mut self, words: &[&str]) -> Result<Vec<String>, String> {
        let fault =
            |why: &dyn std::fmt::Display| format!("{}, asked for {}: {why}", self.title, words.join(" "));
        let mut input = self.input.as_ref().ok_or("a peer that has ended")?;
        writeln!(input, "{}", words.join("\t")).map_err(|e| fault(&e))?;
        let mut answer = String::new();
        match self.output.read_line(&mut answer) {
            Ok(0) => Err(fault(&"it has ended")),
            Ok(_) => Ok(answer.trim_end_matches('\n').split('\t').map(str::to_owned).collect()),
            Err(error) => Err(fault(&error)),
        }
    }

    pub fn job(&mut self, file: &Path, count: u32) -> Result<Cost, String> {
        let answer = self.ask(&["job", &file.to_string_lossy(), &count.to_string()])?;
        let number = |i: usize| answer.get(i).and_then(|word| word.parse::<f64>().ok());
        match (number(0), number(1)) {
            (Some(cpu), Some(faults)) => {
                Ok(Cost { cpu, faults, bytes: (2..5).filter_map(number).map(|n| n as u64).collect() })
            }
            _ => Err(format!("{}: {answer:?}", self.title)),
        }
    }

    pub fn version(&mut self) -> Result<String, String> {
        Ok(self.ask(&["version"])?.join(" "))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Ends it: there is no more to read.
        drop(self.input.take());
        let _ = self.child.wait();
    }
}
