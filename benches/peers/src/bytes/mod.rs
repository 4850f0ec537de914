//! `peers bytes`: what a reader downloads. Each encoder writes the same thumbnails over a sweep of qualities;
//! bytes are compared where SSIMULACRA2 of the decoded files is the same. The parts are in the files beside.

mod curve;
mod encoders;
mod subjects;
mod tools;
mod tune;

/// Runs one of the forms of `peers bytes`.
pub fn run(words: &[&str]) -> Result<(), String> {
    match words {
        ["tune", folder, out, encoders @ ..] => tune::run(folder.as_ref(), out.as_ref(), encoders),
        _ => Err(crate::USAGE.to_owned()),
    }
}
