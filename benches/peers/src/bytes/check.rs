//! Whether files of ours are such that nobody has a remark: made twice they are the same bytes, and `djpeg`,
//! Pillow and `pngcheck` read each without a warning.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use image_sharer::image::encode::jpeg::{self, Sampling};
use image_sharer::image::encode::{png, ycbcr::Ycbcr};
use image_sharer::image::{Color, Effort, Size};

use super::tools::decode_jpeg;
use crate::scene::{Scene, Style};

/// Sides that are combined with each other; the quick form takes every third.
const SIDES: [u32; 16] = [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 65, 100, 255, 300, 600];
/// Qualities in turns: the usual, the least, the most, and a low one.
const QUALITIES: [u8; 4] = [80, 1, 100, 30];
const EFFORTS: [(&str, Effort); 2] = [("fast", Effort::Fast), ("small", Effort::Small)];

/// Checks all files of a set, `full` or `quick`, in `out`/check.
///
/// # Errors
/// What is wrong with the first that is not as it should be.
pub fn run(tools: &Path, out: &Path, set: &str) -> Result<(), String> {
    let folders = ["first", "second"].map(|name| out.join("check").join(name));
    let itself = std::env::current_exe().map_err(|e| e.to_string())?;
    for folder in &folders {
        // Other processes, since what differs from one to the next, such as seeds of hash maps, is to show.
        let mut command = Command::new(&itself);
        command.args(["bytes", "files"]).arg(folder).arg(set);
        run_well(&mut command)?;
    }
    let [files, again] = folders.each_ref().map(|folder| names(folder));
    let (files, again) = (files?, again?);
    if files != again {
        return Err("not the same files in two runs".to_owned());
    }
    let mut jpegs = 0;
    for name in &files {
        let [first, second] =
            folders.each_ref().map(|folder| fs::read(folder.join(name)).unwrap_or_default());
        if first.is_empty() || first != second {
            return Err(format!("{name}: not the same bytes in two runs"));
        }
        if name.ends_with(".jpg") {
            let size = decode_jpeg(&first).map_err(|e| format!("{name}: {e}"))?.size;
            if !name.starts_with(&format!("{}x{}-", size.width, size.height)) {
                return Err(format!("{name}: djpeg takes it for {size}"));
            }
            jpegs += 1;
        }
    }
    let paths: Vec<PathBuf> = files.iter().map(|name| folders[0].join(name)).collect();
    let pngs = paths.iter().filter(|path| path.extension().is_some_and(|kind| kind == "png"));
    // A remark is an error to it, and then its exit status.
    run_well(Command::new("pngcheck").arg("-q").args(pngs))?;
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("setup/check.py");
    run_well(Command::new(tools.join("pillow/bin/python")).arg(program).arg(&folders[0]))?;
    println!(
        "{} files of ours, {jpegs} JPEG and {} PNG, are the same in two runs; djpeg, pngcheck and Pillow read each \
         without a remark.",
        files.len(),
        files.len() - jpegs
    );
    Ok(())
}

fn names(folder: &Path) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut names: Vec<String> =
        entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned())).collect();
    names.sort();
    Ok(names)
}

fn run_well(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let done = command.output().map_err(|e| format!("{name}: {e}"))?;
    if done.status.success() && done.stderr.is_empty() {
        return Ok(());
    }
    let said = [&done.stdout[..], &done.stderr[..]].map(String::from_utf8_lossy).concat();
    Err(format!("{name}: {}: {}", done.status, said.trim()))
}

/// Writes the files of a set into a folder that is made anew.
pub fn write(folder: &Path, set: &str) -> Result<(), String> {
    let _ = fs::remove_dir_all(folder);
    let fault = |e: std::io::Error| format!("{}: {e}", folder.display());
    fs::create_dir_all(folder).map_err(fault)?;
    let step = if set == "quick" { 3 } else { 1 };
    let sides: Vec<u32> = SIDES.into_iter().rev().step_by(step).collect();
    let sizes = sides.iter().flat_map(|&width| sides.iter().map(move |&height| Size { width, height }));
    for (i, size) in sizes.enumerate() {
        let content = content(size, i);
        let quality = QUALITIES[i / 3 % QUALITIES.len()];
        for (name, effort) in EFFORTS {
            let start = folder.join(format!("{}x{}-{name}", size.width, size.height));
            let save = |kind: &str, file: &[u8]| {
                fs::write(format!("{}-{kind}", start.display()), file).map_err(fault)
            };
            save("colour.jpg", &to_jpeg(size, &content, Sampling::Halved, quality, effort))?;
            save("whole-chroma.jpg", &to_jpeg(size, &content, Sampling::Full, quality, effort))?;
            save("grey.jpg", &to_grey_jpeg(size, &content, quality, effort))?;
            for (kind, color) in [
                ("grey.png", Color::Grey),
                ("grey-alpha.png", Color::GreyAlpha),
                ("rgb.png", Color::Rgb),
                ("rgba.png", Color::Rgba),
            ] {
                save(kind, &png::encode(size, color, &channels(&content, color), effort))?;
            }
        }
    }
    Ok(())
}

/// RGBA: in turns a scene with alpha that fades, noise, and one colour.
fn content(size: Size, turn: usize) -> Vec<[u8; 4]> {
    let mut scene = Scene::new(Style::Photo, size);
    let mut row = vec![0; size.width as usize * 3];
    let mut pixels = Vec::new();
    let mut random = 1u32;
    for _ in 0..size.height {
        scene.row(&mut row);
        for (x, &[r, g, b]) in row.as_chunks().0.iter().enumerate() {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let [_, noise @ ..] = random.to_le_bytes();
            pixels.push(match turn % 3 {
                0 => [r, g, b, (x * 2 * 255 / size.width as usize).min(255) as u8],
                1 => [noise[0], noise[1], noise[2], noise[0] ^ noise[1]],
                _ => [200, 30, 90, 255],
            });
        }
    }
    pixels
}

fn channels(content: &[[u8; 4]], color: Color) -> Vec<u8> {
    let of = |&[r, g, b, alpha]: &[u8; 4]| match color {
        Color::Grey => vec![g],
        Color::GreyAlpha => vec![g, alpha],
        Color::Rgba => vec![r, g, b, alpha],
        _ => vec![r, g, b],
    };
    content.iter().flat_map(of).collect()
}

fn to_jpeg(size: Size, content: &[[u8; 4]], sampling: Sampling, quality: u8, effort: Effort) -> Vec<u8> {
    let planes = Ycbcr::from_rgb(size, &channels(content, Color::Rgb), sampling);
    written(&planes.planes(), quality, effort)
}

fn to_grey_jpeg(size: Size, content: &[[u8; 4]], quality: u8, effort: Effort) -> Vec<u8> {
    let luma = channels(content, Color::Grey);
    written(&jpeg::Planes { size, luma: &luma, chroma: None }, quality, effort)
}

fn written(planes: &jpeg::Planes<'_>, quality: u8, effort: Effort) -> Vec<u8> {
    let mut file = Vec::new();
    match effort {
        Effort::Fast => jpeg::encode(planes, quality, &mut file),
        Effort::Small => jpeg::encode_small(planes, quality, &mut file),
    }
    file
}
