//! PNG encoders compared, with those that choose a palette: a photograph, a screenshot, and a logo with soft
//! alpha.

use std::fs;
use std::hint::black_box;
use std::path::Path;

use image_sharer::image::Effort;
use image_sharer::image::encode::png;

use super::SIDES;
use super::drawn;
use super::encoders::cpu_ms;
use super::subjects::{Samples, decode_png, thumbnail};
use super::tools::{Sharp, filter};
use crate::quality::ssimulacra2;
use crate::report::{Table, at_most, median};

const ROUNDS: usize = 5;
/// Most CPU milliseconds that the small encoder may take for the three thumbnails.
const MOST: f64 = 60.0;
/// The least SSIMULACRA2 of its largest thumbnail.
const LEAST_SCORE: f64 = 85.0;

enum Encoder {
    Ours(Effort),
    /// 256 colours, as it does if not told otherwise.
    Pngquant,
    /// The same by sharp.
    Sharp,
}

const ENCODERS: [(&str, Encoder); 4] = [
    ("ours, fast", Encoder::Ours(Effort::Fast)),
    ("ours, small", Encoder::Ours(Effort::Small)),
    ("pngquant", Encoder::Pngquant),
    ("sharp, palette", Encoder::Sharp),
];

/// A table of the three pictures; the photograph is the first of `files`. Those that are made up are saved in
/// `folder`, to be looked at.
pub fn table(files: &[(String, Vec<u8>)], sharp: &Sharp, folder: &Path) -> Result<String, String> {
    let photo = files.iter().map(|(_, bytes)| bytes).find(|bytes| {
        thumbnail(bytes, SIDES[0]).is_ok_and(|made| made.size.width.max(made.size.height) == SIDES[0])
    });
    // With what its bytes may be of the fast encoder's at most.
    let pictures = [
        ("photograph", photo.ok_or("no photograph is large enough")?.clone(), 0.40),
        ("screenshot", drawn::screenshot(), 0.60),
        ("logo", drawn::logo(), 0.60),
    ];
    fs::create_dir_all(folder).map_err(|e| e.to_string())?;
    for (title, file, _) in &pictures[1..] {
        fs::write(folder.join(format!("{title}.png")), file).map_err(|e| e.to_string())?;
    }
    let mut table = Table::new(&[
        "PNG of 600 / 300 / 100 px",
        "encoder",
        "bytes",
        "of the fast one's, 600 px",
        "SSIMULACRA2, 600 px",
        "300 / 100 px",
        "CPU ms, all three",
    ]);
    for (title, file, most) in &pictures {
        let mut fast = f64::NAN;
        let thumbnails =
            SIDES.map(|side| thumbnail(file, side)).into_iter().collect::<Result<Vec<_>, _>>()?;
        for (name, encoder) in &ENCODERS {
            let is_small = matches!(encoder, Encoder::Ours(Effort::Small));
            let (mut bytes, mut scores, mut ms) = (Vec::new(), Vec::new(), Some(0.0));
            for samples in &thumbnails {
                let (file, cost) = encode(encoder, samples, sharp)?;
                let made = decode_png(&file)?.on_white().planes();
                scores.push(ssimulacra2(&made, &samples.on_white().planes())?);
                bytes.push(file.len() as f64);
                ms = ms.zip(cost).map(|(sum, cost)| sum + cost);
            }
            if matches!(encoder, Encoder::Ours(Effort::Fast)) {
                fast = bytes[0];
            }
            table.row(&[
                (*title).to_owned(),
                (*name).to_owned(),
                bytes.iter().map(f64::to_string).collect::<Vec<_>>().join(" / "),
                at_most(bytes[0] / fast, Some(*most).filter(|_| is_small), 3),
                at_least(scores[0], Some(LEAST_SCORE).filter(|_| is_small)),
                scores[1..].iter().map(|score| format!("{score:.1}")).collect::<Vec<_>>().join(" / "),
                ms.map_or("–".to_owned(), |ms| at_most(ms, Some(MOST).filter(|_| is_small), 1)),
            ]);
        }
    }
    Ok(format!("{}\nAlpha is laid on white for the score; 100 is the same.\n\n", table.text()))
}

/// The file, and CPU milliseconds where they can be told apart from a program's start.
fn encode(encoder: &Encoder, samples: &Samples, sharp: &Sharp) -> Result<(Vec<u8>, Option<f64>), String> {
    let Samples { size, color, samples: bytes } = samples;
    match encoder {
        Encoder::Ours(effort) => {
            let mut file = Vec::new();
            let times =
                (0..ROUNDS).map(|_| cpu_ms(|| file = black_box(png::encode(*size, *color, bytes, *effort))));
            let ms = median(&times.collect::<Vec<_>>());
            Ok((file, Some(ms)))
        }
        Encoder::Pngquant => {
            let whole = png::encode(*size, *color, bytes, Effort::Fast);
            Ok((filter("pngquant", &["256", "-"], &whole)?.output, None))
        }
        Encoder::Sharp => {
            let (file, ms) = sharp.encode(*size, samples.channels(), bytes, ("palette", 100, 1))?;
            Ok((file, Some(ms)))
        }
    }
}

/// A figure beside what it may be at least: bold where it is less.
fn at_least(value: f64, goal: Option<f64>) -> String {
    match goal {
        Some(goal) if value < goal => format!("**{value:.1}** (≥ {goal})"),
        Some(goal) => format!("{value:.1} (≥ {goal})"),
        None => format!("{value:.1}"),
    }
}
