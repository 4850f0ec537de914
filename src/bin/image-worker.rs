//! The thumbnailer: takes jobs off the queue until it is stopped. Listens nowhere but for metrics.

use std::path::Path;
use std::process::ExitCode;

use image_sharer::image::thumbnails::Limits;
use image_sharer::program;
use image_sharer::settings::{Program, Settings};
use image_sharer::worker::local;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((first, rest)) if first == "thumbnail" => thumbnail(rest),
        _ => program::main(Program::Worker, &arguments, program::work),
    }
}

/// `thumbnail FILE… --out DIR`: prints what it wrote; exit code 1 if a file could not be done.
fn thumbnail(arguments: &[String]) -> ExitCode {
    let [files @ .., flag, out] = arguments else {
        return program::wrong_argument(Program::Worker, "thumbnail without FILE... --out DIR");
    };
    if flag != "--out" || files.is_empty() {
        return program::wrong_argument(Program::Worker, "thumbnail without FILE... --out DIR");
    }
    let (limits, effort) = match Settings::read(Program::Worker, &program::local_environment) {
        Ok(settings) => {
            (Limits { max_pixels: settings.max_pixels, memory: settings.memory }, settings.effort)
        }
        Err(wrong) => return program::wrong_settings(Program::Worker, &wrong),
    };
    let mut code = ExitCode::SUCCESS;
    for file in files {
        match local::thumbnail(Path::new(file), Path::new(out), &limits, effort) {
            Ok(paths) => paths.iter().for_each(|path| println!("{}", path.display())),
            Err(error) => {
                eprintln!("image-worker: {error}");
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}
