//! One machine: server and worker in one process, on a directory store and a directory queue. And an
//! operator's two commands on whatever queue.

use std::process::ExitCode;

use image_sharer::program;
use image_sharer::settings::Program;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((first, rest)) if first == "status" => program::status(rest),
        Some((first, rest)) if first == "requeue" => program::requeue(rest),
        _ => program::main(Program::Sharer, &arguments, program::share),
    }
}
