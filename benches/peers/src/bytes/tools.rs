//! Programs that are asked to encode and to decode: those that read standard input and write standard
//! output, and sharp, which is started once.

use std::cell::RefCell;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use image_sharer::image::Size;

use super::subjects::Picture;
use crate::child::Peer;

/// What a program made of its input.
pub struct Filtered {
    pub output: Vec<u8>,
    /// What it said on standard error.
    pub said: String,
}

/// Runs a program from standard input to standard output.
///
/// # Errors
/// If it does not start, or does not end well.
pub fn filter(program: &str, arguments: &[&str], input: &[u8]) -> Result<Filtered, String> {
    let fault = |why: &dyn std::fmt::Display| format!("{program} {}: {why}", arguments.join(" "));
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|e| fault(&e))?;
    let mut pipe = child.stdin.take().ok_or("no pipe")?;
    // Written beside: a program may write before it has read all.
    let done = std::thread::scope(|scope| {
        scope.spawn(move || {
            let _ = pipe.write_all(input);
        });
        child.wait_with_output()
    });
    let done = done.map_err(|e| fault(&e))?;
    let said = String::from_utf8_lossy(&done.stderr).trim().to_owned();
    if !done.status.success() {
        return Err(fault(&format!("{}: {said}", done.status)));
    }
    Ok(Filtered { output: done.stdout, said })
}

/// The first line that a program says of itself, on either stream.
pub fn version_of(program: &str, option: &str) -> Result<String, String> {
    let done = Command::new(program).arg(option).stdin(Stdio::null()).output();
    let done = done.map_err(|e| format!("{program}: {e}"))?;
    let said = [done.stdout, done.stderr].concat();
    Ok(String::from_utf8_lossy(&said).lines().next().unwrap_or_default().to_owned())
}

/// R, G and B of a JPEG file as libjpeg-turbo's `djpeg` decodes it, as browsers do; it must have nothing to
/// remark.
pub fn decode_jpeg(file: &[u8]) -> Result<Picture, String> {
    let Filtered { output, said } = filter("djpeg", &["-rgb", "-ppm"], file)?;
    if !said.is_empty() {
        return Err(format!("djpeg: {said}"));
    }
    let fault = || "djpeg wrote no PPM".to_owned();
    // P6, width, height and 255 on three lines.
    let mut parts = output.splitn(4, |&byte| byte == b'\n');
    let (kind, sides, most) = (parts.next(), parts.next(), parts.next());
    let rgb = parts.next().ok_or_else(fault)?.to_vec();
    let sides = String::from_utf8_lossy(sides.unwrap_or_default()).into_owned();
    let mut sides = sides.split(' ').filter_map(|side| side.parse::<usize>().ok());
    match (kind, most, sides.next(), sides.next()) {
        (Some(b"P6"), Some(b"255"), Some(width), Some(height)) if rgb.len() == width * height * 3 => {
            let size = Size { width: width as u32, height: height as u32 };
            Ok(Picture { name: String::new(), size, rgb })
        }
        _ => Err(fault()),
    }
}

/// A PPM file of a picture.
pub fn ppm(picture: &Picture) -> Vec<u8> {
    let mut file = format!("P6\n{} {}\n255\n", picture.size.width, picture.size.height).into_bytes();
    file.extend_from_slice(&picture.rgb);
    file
}

/// sharp, started when it is first asked.
pub struct Sharp {
    tools: PathBuf,
    folder: PathBuf,
    peer: RefCell<Option<Peer>>,
}

impl Sharp {
    /// sharp as `tools` has it, which passes files in `folder`.
    pub fn new(tools: &Path, folder: &Path) -> Result<Sharp, String> {
        fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        // It runs in a folder of its own.
        let folder = folder.canonicalize().map_err(|e| e.to_string())?;
        Ok(Sharp { tools: tools.to_owned(), folder, peer: RefCell::new(None) })
    }

    /// Encodes samples of `channels` a pixel, `count` times; the file, and CPU milliseconds of one.
    pub fn encode(
        &self,
        size: Size,
        channels: usize,
        samples: &[u8],
        (kind, quality, count): (&str, u8, u32),
    ) -> Result<(Vec<u8>, f64), String> {
        let (from, to) = (self.folder.join("samples"), self.folder.join("file"));
        fs::write(&from, samples).map_err(|e| e.to_string())?;
        let (from, to_name) = (from.to_string_lossy(), to.to_string_lossy());
        let numbers =
            [size.width, size.height, channels as u32, u32::from(quality), count].map(|n| n.to_string());
        let mut words = vec!["encode", kind, &from, &to_name];
        words.extend(numbers.iter().map(String::as_str));
        let answer = self.ask(&words)?;
        let cpu = answer.first().and_then(|word| word.parse().ok()).ok_or(format!("sharp: {answer:?}"))?;
        Ok((fs::read(&to).map_err(|e| e.to_string())?, cpu))
    }

    /// Its version and mozjpeg's.
    pub fn version(&self) -> Result<String, String> {
        Ok(self.ask(&["version"])?.join(" "))
    }

    fn ask(&self, words: &[&str]) -> Result<Vec<String>, String> {
        let mut peer = self.peer.borrow_mut();
        if peer.is_none() {
            let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("setup/encode.mjs");
            let mut command = Command::new("node");
            *peer = Some(Peer::start("sharp", command.arg(program).current_dir(self.tools.join("sharp")))?);
        }
        peer.as_mut().ok_or("no sharp")?.ask(words)
    }
}
