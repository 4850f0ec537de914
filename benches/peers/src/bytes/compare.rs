//! JPEG encoders over the same pictures: a curve each, and bytes at equal scores as tables.

use std::path::Path;

use super::curve::{Curve, Point, QUALITIES, Reached};
use super::encoders::{Encoder, QUALITY};
use super::subjects::Picture;
use super::tools::{Sharp, decode_jpeg};
use crate::quality::ssimulacra2;
use crate::report::{Table, at_most};

/// A score that most people call very good.
pub const GOOD: f64 = 80.0;
/// Scores at which bytes are compared: good, and very good.
pub const SCORES: [f64; 2] = [70.0, GOOD];
/// What the small encoder's bytes may be of a peer's at most, on thumbnails of 600 px.
const GOALS: [(&str, f64); 2] = [("turbo", 0.85), ("mozjpeg", 1.0)];

/// One picture, and its curves encoder by encoder.
pub struct Compared<'a> {
    pub side: u32,
    pub picture: &'a Picture,
    pub curves: Vec<Curve<'a>>,
}

impl Compared<'_> {
    /// Measures each encoder at each quality.
    pub fn measure_all(&mut self) -> Result<(), String> {
        for curve in &mut self.curves {
            for quality in QUALITIES {
                curve.point(quality)?;
            }
        }
        Ok(())
    }
}

/// Curves on which nothing is measured yet; those of peers are kept in the folder `cache` if there is one.
pub fn start<'a>(
    pictures: &'a [(u32, Picture)],
    encoders: &'a [Encoder],
    sharp: &'a Sharp,
    cache: Option<&Path>,
) -> Vec<Compared<'a>> {
    let of = |(side, picture): &'a (u32, Picture)| {
        let curve = |encoder: &'a Encoder| {
            let curve = curve(encoder, picture, sharp);
            match cache.filter(|_| !encoder.is_ours()) {
                Some(cache) => {
                    let (name, hash) = (&picture.name, picture.hash());
                    curve.cached(&cache.join(format!("{name}-{side}-{hash:016x}-{}.tsv", encoder.key)))
                }
                None => curve,
            }
        };
        Compared { side: *side, picture, curves: encoders.iter().map(curve).collect() }
    };
    pictures.iter().map(of).collect()
}

/// Bytes and score of what an encoder makes of a picture.
fn curve<'a>(encoder: &'a Encoder, picture: &'a Picture, sharp: &'a Sharp) -> Curve<'a> {
    let reference = picture.planes();
    Curve::new(move |quality| {
        let file = encoder.encode(picture, quality, sharp)?;
        let score = ssimulacra2(&decode_jpeg(&file)?.planes(), &reference)?;
        Ok(Point { bytes: file.len() as f64, score })
    })
}

/// An encoder of ours against the peers: a row a picture, and one of geometric means for each side.
pub fn table(ours: &Encoder, encoders: &[Encoder], compared: &mut [Compared<'_>]) -> Result<String, String> {
    let of_ours = encoders.iter().position(|encoder| encoder.key == ours.key).ok_or("no such encoder")?;
    let peers: Vec<usize> = (0..encoders.len()).filter(|&i| !encoders[i].is_ours()).collect();
    let mut head = vec!["picture".to_owned()];
    for score in SCORES {
        head.push(format!("bytes at {score}"));
        head.push("quality".to_owned());
        head.extend(peers.iter().map(|&peer| format!("of {}", encoders[peer].title)));
    }
    head.extend([format!("score at quality {QUALITY}"), "bytes".to_owned()]);
    let mut table = Table::new(&head.iter().map(String::as_str).collect::<Vec<_>>());
    for group in compared.chunk_by_mut(|a, b| a.side == b.side) {
        let side = group[0].side;
        let mut ratios = vec![Vec::new(); SCORES.len() * peers.len()];
        for one in group {
            let mut row = vec![format!("{} {}", one.picture.name, one.picture.size)];
            for (i, score) in SCORES.into_iter().enumerate() {
                let ours = one.curves[of_ours].reach(score)?;
                row.extend([cell(ours, |ours| ours.bytes), cell(ours, |ours| ours.quality)]);
                for (j, &peer) in peers.iter().enumerate() {
                    let ratio = ours.zip(one.curves[peer].reach(score)?).map(|(a, b)| a.bytes / b.bytes);
                    ratios[i * peers.len() + j].extend(ratio);
                    row.push(ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.3}")));
                }
            }
            let point = one.curves[of_ours].point(QUALITY)?;
            row.extend([format!("{:.1}", point.score), format!("{:.0}", point.bytes)]);
            table.row(&row);
        }
        let mut row = vec![format!("{side} px, geometric mean")];
        for ratios in ratios.chunks(peers.len()) {
            row.extend([String::new(), String::new()]);
            row.extend(ratios.iter().zip(&peers).map(|(ratios, &peer)| {
                at_most(geometric_mean(ratios), goal(ours, &encoders[peer], side), 3)
            }));
        }
        row.extend([String::new(), String::new()]);
        table.row(&row);
    }
    Ok(table.text().to_owned())
}

fn goal(ours: &Encoder, peer: &Encoder, side: u32) -> Option<f64> {
    let goal = GOALS.iter().find(|(key, _)| *key == peer.key && ours.key == "small" && side == 600);
    goal.map(|&(_, most)| most)
}

fn cell(reached: Option<Reached>, of: impl Fn(Reached) -> f64) -> String {
    reached.map_or("–".to_owned(), |reached| format!("{:.0}", of(reached)))
}

pub fn geometric_mean(values: &[f64]) -> f64 {
    (values.iter().map(|value| value.ln()).sum::<f64>() / values.len() as f64).exp()
}
