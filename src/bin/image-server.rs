//! The public service: takes uploads, stores them, queues their thumbnails.

use std::process::ExitCode;

use image_sharer::program;
use image_sharer::settings::Program;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    program::main(Program::Server, &arguments, program::serve)
}
