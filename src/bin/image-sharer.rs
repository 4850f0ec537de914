//! One machine: server and worker in one process, on a directory store and a directory queue.

use std::process::ExitCode;

use image_sharer::program;
use image_sharer::settings::Program;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    program::main(Program::Sharer, &arguments, program::share)
}
