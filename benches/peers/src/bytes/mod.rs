//! `peers bytes`: what a reader downloads. Each encoder writes the same thumbnails over a sweep of qualities;
//! bytes are compared where SSIMULACRA2 of the decoded files is the same. The parts are in the files beside.

use std::fs;
use std::path::{Path, PathBuf};

use crate::measure;

mod check;
mod compare;
mod costs;
mod curve;
mod drawn;
mod encoders;
mod palettes;
mod plot;
mod subjects;
mod tools;
mod tune;

use compare::Compared;
use encoders::encoders;
use subjects::Picture;
use tools::Sharp;

/// Boxes of the thumbnails, from large to small: the first is what readers look at.
const SIDES: [u32; 3] = [600, 300, 100];

/// Runs one of the forms of `peers bytes`.
pub fn run(words: &[&str]) -> Result<(), String> {
    match words {
        ["tune", folder, out, encoders @ ..] => tune::run(folder.as_ref(), out.as_ref(), encoders),
        ["check", tools, out, set] => check::run(tools.as_ref(), out.as_ref(), set),
        ["files", folder, set] => check::write(folder.as_ref(), set),
        [set @ ("full" | "quick"), tools, images] => all(set, tools.as_ref(), images.as_ref()),
        _ => Err(crate::USAGE.to_owned()),
    }
}

/// All tables, points and plots, of the pictures of a folder, or of made-up ones where none is named.
fn all(set: &str, tools: &Path, images: &Path) -> Result<(), String> {
    let core = measure::bind_to_one_core()?;
    let is_quick = set == "quick";
    let sharp = Sharp::new(tools, &tools.join("bytes"))?;
    let mut files = if images.as_os_str().is_empty() { subjects::made() } else { subjects::read(images)? };
    // SSIMULACRA2 says little of 100 px: of its six scales four are left.
    let sides = if is_quick { &SIDES[..1] } else { &SIDES[..2] };
    if is_quick {
        files.truncate(3);
    }
    let pictures = of_sides(&files, sides);
    let all = encoders();
    let mut compared = compare::start(&pictures, &all, &sharp, None);
    for (i, one) in compared.iter_mut().enumerate() {
        eprintln!("{} of {}: {} at {} px", i + 1, pictures.len(), one.picture.name, one.side);
        if !is_quick && one.side == SIDES[0] {
            one.measure_all()?;
        }
    }
    let mut page = format!(
        "Measured on {}, bound to core {core}; {}, {}; {}.\n\n",
        measure::machine(),
        tools::version_of("cjpeg", "-version")?,
        sharp.version()?,
        tools::version_of("pngquant", "--version").map(|version| format!("pngquant {version}"))?,
    );
    for encoder in all.iter().filter(|encoder| encoder.is_ours()) {
        page += &format!("JPEG, {}:\n\n{}\n", encoder.title, compare::table(encoder, &all, &mut compared)?);
    }
    page += "SSIMULACRA2 of the file as `djpeg` decodes it, against the thumbnail's samples before they were \
             encoded. Bytes at a score are interpolated between steps of 5 in quality, logarithms of bytes \
             being linear in the score.\n\n";
    eprintln!("CPU time");
    let of_all_sides = of_sides(&files, &SIDES);
    let costs = costs::measure(&of_all_sides, &all, &sharp, if is_quick { 3 } else { 9 })?;
    page += &costs::table(&all, &costs);
    page += &costs::dollars(&all, &costs, &mut compared)?;
    eprintln!("PNG");
    page += &palettes::table(&files, &sharp, &tools.join("pictures"))?;
    let name = if is_quick { "bytes-quick" } else { "bytes" };
    save(&tools.join(format!("{name}.csv")), &csv(&compared, &all))?;
    plot::curves(&tools.join(format!("{name}.svg")), &compared, &all).map_err(|e| e.to_string())?;
    save(&tools.join(format!("{name}.md")), &page)?;
    println!("{page}");
    eprintln!("saved as {} with .csv and .svg beside it", tools.join(format!("{name}.md")).display());
    Ok(())
}

/// Thumbnails of those files that are as large as the box or larger, side by side, with that side.
fn of_sides(files: &[(String, Vec<u8>)], sides: &[u32]) -> Vec<(u32, Picture)> {
    let of = |&side| subjects::thumbnails(files, side).into_iter().map(move |picture| (side, picture));
    sides.iter().flat_map(of).collect()
}

fn csv(compared: &[Compared<'_>], all: &[encoders::Encoder]) -> String {
    let mut text = "picture,side,encoder,quality,bytes,ssimulacra2\n".to_owned();
    for one in compared {
        for (encoder, curve) in all.iter().zip(&one.curves) {
            for (quality, point) in curve.points() {
                let (name, side, key) = (&one.picture.name, one.side, encoder.key);
                text += &format!("{name},{side},{key},{quality},{},{:.3}\n", point.bytes, point.score);
            }
        }
    }
    text
}

fn save(path: &PathBuf, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))
}
