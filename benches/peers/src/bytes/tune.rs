//! `peers bytes tune`: an encoder of ours against libjpeg-turbo and mozjpeg at equal scores, in seconds: for
//! whoever works at it. The peers' curves are kept from one run to the next.

use std::fs;
use std::path::Path;

use super::compare::{self, geometric_mean};
use super::encoders::encoders;
use super::tools::Sharp;
use super::{of_sides, subjects};
use crate::report::median;

const SIDES: [u32; 2] = [600, 300];
const ROUNDS: usize = 5;

/// Prints the comparison for the encoders of ours that are named, or all.
pub fn run(folder: &Path, out: &Path, named: &[&str]) -> Result<(), String> {
    let cache = out.join("curves");
    fs::create_dir_all(&cache).map_err(|e| format!("{}: {e}", cache.display()))?;
    let sharp = Sharp::new(out, &out.join("bytes"))?;
    let all = encoders();
    let pictures = of_sides(&subjects::read(folder)?, &SIDES);
    let mut compared = compare::start(&pictures, &all, &sharp, Some(&cache));
    let is_wanted = |key: &str| named.is_empty() || named.contains(&key);
    for encoder in all.iter().filter(|encoder| encoder.is_ours() && is_wanted(encoder.key)) {
        println!("{}\n\n{}", encoder.title, compare::table(encoder, &all, &mut compared)?);
        for side in SIDES {
            let mut costs = Vec::new();
            for (_, picture) in pictures.iter().filter(|(of, _)| *of == side) {
                let rounds = (0..ROUNDS).filter_map(|_| encoder.cost(picture, &sharp).transpose());
                costs.push(median(&rounds.collect::<Result<Vec<_>, String>>()?));
            }
            println!("CPU of one file of {side} px, geometric mean: {:.2} ms", geometric_mean(&costs));
        }
        println!();
    }
    compared.iter().flat_map(|one| &one.curves).try_for_each(|curve| curve.keep())
}
