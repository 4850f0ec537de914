//! Makes a PNG thumbnail of each picture, whatever its format: `thumbnail BOX OUT FILE...` writes
//! `OUT/FILE.png`, which fits BOX × BOX pixels, and names those that can't be decoded on standard output.
//!
//! PNG loses nothing, so that `tests/pictures/colour.py` sees the very samples that would be encoded.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use image_sharer::image::thumbnails::{Limits, Spec, make};
use image_sharer::image::{Effort, Format, Size};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [bound, out, files @ ..] => match bound.parse() {
            Ok(bound) => run(bound, Path::new(out), files),
            Err(_) => usage(),
        },
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: thumbnail BOX OUT FILE...");
    ExitCode::from(2)
}

fn run(bound: u32, out: &Path, files: &[String]) -> ExitCode {
    for file in files {
        if let Err(error) = one(bound, out, Path::new(file)) {
            eprintln!("{file}: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn one(bound: u32, out: &Path, file: &Path) -> Result<(), String> {
    let bounds = Size { width: bound, height: bound };
    let wanted = [Spec { bounds, format: Format::Png, effort: Effort::Fast }];
    let limits = Limits { max_pixels: 220_000_000, memory: 2 << 30 };
    let name = file.file_name().ok_or("no file's name")?.to_string_lossy();
    let bytes = fs::read(file).map_err(|e| e.to_string())?;
    match make(&bytes, &wanted, &limits) {
        Ok(made) => fs::write(out.join(format!("{name}.png")), &made[0].bytes).map_err(|e| e.to_string())?,
        Err(error) => println!("{name}: {}", error.code()),
    }
    Ok(())
}
