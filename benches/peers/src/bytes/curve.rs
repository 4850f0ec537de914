//! Bytes against score for one encoder and one picture, quality by quality, each measured when it is first
//! asked for; and how many bytes it takes to reach a score.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Qualities at which encoders are tried.
pub const QUALITIES: [u8; 18] = [10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 85, 90, 95];

/// One file.
#[derive(Clone, Copy)]
pub struct Point {
    pub bytes: f64,
    /// SSIMULACRA2 of what it decodes to.
    pub score: f64,
}

/// What it takes to reach a score.
#[derive(Clone, Copy)]
pub struct Reached {
    pub bytes: f64,
    pub quality: f64,
}

type Measure<'a> = Box<dyn Fn(u8) -> Result<Point, String> + 'a>;

pub struct Curve<'a> {
    points: BTreeMap<u8, Point>,
    measure: Measure<'a>,
    /// Where points are kept from one run to the next.
    cache: Option<PathBuf>,
}

impl<'a> Curve<'a> {
    pub fn new(measure: impl Fn(u8) -> Result<Point, String> + 'a) -> Curve<'a> {
        Curve { points: BTreeMap::new(), measure: Box::new(measure), cache: None }
    }

    /// The same, with the points that a file has; new ones are added to it by [`Curve::keep`].
    pub fn cached(self, file: &Path) -> Curve<'a> {
        let points = fs::read_to_string(file).unwrap_or_default().lines().filter_map(line).collect();
        Curve { points, cache: Some(file.to_owned()), ..self }
    }

    /// The file that `quality` gives.
    pub fn point(&mut self, quality: u8) -> Result<Point, String> {
        if let Some(point) = self.points.get(&quality) {
            return Ok(*point);
        }
        let point = (self.measure)(quality)?;
        self.points.insert(quality, point);
        Ok(point)
    }

    /// What it takes to reach `score`, between two steps of [`QUALITIES`]: the logarithm of bytes is taken
    /// as linear in the score. `None` if the lowest quality is better, or the highest is not as good.
    pub fn reach(&mut self, score: f64) -> Result<Option<Reached>, String> {
        // More quality is a higher score, or nearly so: halves the steps until one is left.
        let (mut below, mut above) = (0, QUALITIES.len() - 1);
        if self.point(QUALITIES[below])?.score > score || self.point(QUALITIES[above])?.score < score {
            return Ok(None);
        }
        while above - below > 1 {
            let middle = (below + above) / 2;
            if self.point(QUALITIES[middle])?.score < score {
                below = middle;
            } else {
                above = middle;
            }
        }
        let (low, high) = (QUALITIES[below], QUALITIES[above]);
        let (a, b) = (self.point(low)?, self.point(high)?);
        let share = if b.score > a.score { (score - a.score) / (b.score - a.score) } else { 0.0 };
        Ok(Some(Reached {
            bytes: (a.bytes.ln() + share * (b.bytes.ln() - a.bytes.ln())).exp(),
            quality: f64::from(low) + share * f64::from(high - low),
        }))
    }

    /// What was measured so far, by quality.
    pub fn points(&self) -> impl Iterator<Item = (u8, Point)> + '_ {
        self.points.iter().map(|(quality, point)| (*quality, *point))
    }

    /// Writes its points where they are kept, if they are.
    pub fn keep(&self) -> Result<(), String> {
        let Some(file) = &self.cache else { return Ok(()) };
        let line = |(quality, point): (&u8, &Point)| format!("{quality}\t{}\t{}\n", point.bytes, point.score);
        let lines: String = self.points.iter().map(line).collect();
        fs::write(file, lines).map_err(|e| format!("{}: {e}", file.display()))
    }
}

fn line(line: &str) -> Option<(u8, Point)> {
    let mut words = line.split('\t');
    let quality = words.next()?.parse().ok()?;
    let mut number = || words.next()?.parse().ok();
    Some((quality, Point { bytes: number()?, score: number()? }))
}
