//! `peers bytes tune`: an encoder of ours against libjpeg-turbo and mozjpeg at equal scores, in seconds: for
//! whoever works at it. The peers' curves are kept from one run to the next.

use std::fs;
use std::path::Path;

use super::curve::{Curve, Point, Reached};
use super::encoders::{Encoder, QUALITY, encoders};
use super::subjects::{Picture, of_folder};
use super::tools::{Sharp, decode_jpeg};
use crate::measure::cpu_time;
use crate::quality::ssimulacra2;
use crate::report::{Table, median};

const SIDES: [u32; 2] = [600, 300];
/// Scores at which bytes are compared: good, and very good.
pub const SCORES: [f64; 2] = [70.0, 80.0];
const ROUNDS: usize = 5;

/// Prints the comparison for the encoders of ours that are named, or all.
pub fn run(folder: &Path, out: &Path, named: &[&str]) -> Result<(), String> {
    let cache = out.join("curves");
    fs::create_dir_all(&cache).map_err(|e| format!("{}: {e}", cache.display()))?;
    let sharp = Sharp::new(out, &out.join("bytes"))?;
    let all = encoders();
    let peers: Vec<&Encoder> = all.iter().filter(|encoder| !encoder.is_ours()).collect();
    let ours: Vec<&Encoder> = all
        .iter()
        .filter(|encoder| encoder.is_ours() && (named.is_empty() || named.contains(&encoder.key)))
        .collect();
    let pictures: Vec<(u32, Picture)> = SIDES
        .into_iter()
        .map(|side| Ok(of_folder(folder, side)?.into_iter().map(move |picture| (side, picture))))
        .collect::<Result<Vec<_>, String>>()?
        .into_iter()
        .flatten()
        .collect();
    let mut theirs = Vec::new();
    for (side, picture) in &pictures {
        let mut of = |peer: &&Encoder| {
            let file =
                cache.join(format!("{}-{side}-{:016x}-{}.tsv", picture.name, picture.hash(), peer.key));
            let mut curve = curve(peer, picture, &sharp).cached(&file);
            let reached = reach(&mut curve)?;
            curve.keep()?;
            Ok(reached)
        };
        theirs.push(peers.iter().map(&mut of).collect::<Result<Vec<_>, String>>()?);
    }
    for encoder in ours {
        println!("{}\n\n{}", encoder.title, compare(encoder, &peers, &pictures, &theirs, &sharp)?);
    }
    Ok(())
}

/// Bytes and score of what an encoder makes of a picture.
pub fn curve<'a>(encoder: &'a Encoder, picture: &'a Picture, sharp: &'a Sharp) -> Curve<'a> {
    let reference = picture.planes();
    Curve::new(move |quality| {
        let file = encoder.encode(picture, quality, sharp)?;
        let score = ssimulacra2(&decode_jpeg(&file)?.planes(), &reference)?;
        Ok(Point { bytes: file.len() as f64, score })
    })
}

fn reach(curve: &mut Curve<'_>) -> Result<[Option<Reached>; 2], String> {
    Ok([curve.reach(SCORES[0])?, curve.reach(SCORES[1])?])
}

fn compare(
    encoder: &Encoder,
    peers: &[&Encoder],
    pictures: &[(u32, Picture)],
    theirs: &[Vec<[Option<Reached>; 2]>],
    sharp: &Sharp,
) -> Result<String, String> {
    let mut head = vec!["picture".to_owned()];
    for score in SCORES {
        head.push(format!("bytes at {score}"));
        head.push("quality".to_owned());
        head.extend(peers.iter().map(|peer| format!("of {}", peer.title)));
    }
    head.extend([format!("at quality {QUALITY}: score"), "bytes".to_owned(), "CPU ms".to_owned()]);
    let mut table = Table::new(&head.iter().map(String::as_str).collect::<Vec<_>>());
    for side in SIDES {
        let mut ratios = vec![Vec::new(); SCORES.len() * peers.len()];
        let mut costs = Vec::new();
        for ((_, picture), theirs) in pictures.iter().zip(theirs).filter(|((of, _), _)| *of == side) {
            let mut curve = curve(encoder, picture, sharp);
            let mut row = vec![format!("{} {}", picture.name, picture.size)];
            for (i, ours) in reach(&mut curve)?.into_iter().enumerate() {
                row.push(ours.map_or("–".to_owned(), |ours| format!("{:.0}", ours.bytes)));
                row.push(ours.map_or("–".to_owned(), |ours| format!("{:.0}", ours.quality)));
                for (j, theirs) in theirs.iter().enumerate() {
                    let ratio = ours.zip(theirs[i]).map(|(ours, theirs)| ours.bytes / theirs.bytes);
                    ratios[i * peers.len() + j].extend(ratio);
                    row.push(ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.3}")));
                }
            }
            let point = curve.point(QUALITY)?;
            costs.push(cost(encoder, picture, sharp)?);
            row.push(format!("{:.1}", point.score));
            row.push(format!("{:.0}", point.bytes));
            row.push(format!("{:.2}", costs.last().copied().unwrap_or(f64::NAN)));
            table.row(&row);
        }
        let mut row = vec![format!("**{side} px: geometric mean**")];
        for ratios in ratios.chunks(peers.len()) {
            row.extend(["".to_owned(), "".to_owned()]);
            row.extend(ratios.iter().map(|ratios| format!("**{:.3}**", geometric_mean(ratios))));
        }
        row.extend(["".to_owned(), "".to_owned(), format!("**{:.2}**", geometric_mean(&costs))]);
        table.row(&row);
    }
    Ok(table.text().to_owned())
}

/// CPU milliseconds of one file at the usual quality: the median of some.
fn cost(encoder: &Encoder, picture: &Picture, sharp: &Sharp) -> Result<f64, String> {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let start = cpu_time();
        encoder.encode(picture, QUALITY, sharp)?;
        times.push((cpu_time() - start).as_secs_f64() * 1e3);
    }
    Ok(median(&times))
}

pub fn geometric_mean(values: &[f64]) -> f64 {
    (values.iter().map(|value| value.ln()).sum::<f64>() / values.len() as f64).exp()
}
