//! What JPEG encoders cost: CPU time in turns on one core, and dollars for those who look and those who pay.

use super::compare::{Compared, GOOD};
use super::encoders::{Encoder, QUALITY};
use super::subjects::Picture;
use super::tools::Sharp;
use crate::report::{Table, at_most, median};

/// Most CPU milliseconds that the small encoder may take for the three thumbnails.
const MOST: f64 = 12.0;
/// The same as a share of mozjpeg's.
const MOST_OF_MOZJPEG: f64 = 0.5;

/// A `c7a.medium`, one processor, on demand, an hour, as `deploy/prices.json` has it.
const PROCESSOR_HOUR: f64 = 0.05132;
/// CloudFront's first 10 TB a month in the United States and Europe, a GB:
/// <https://aws.amazon.com/cloudfront/pricing/>, looked up in November 2026.
const DELIVERED_GB: f64 = 0.085;
/// How often an image is looked at.
const VIEWS: [f64; 2] = [10.0, 1000.0];

/// CPU milliseconds of a picture's thumbnails, all sides together: the mean of the pictures' medians. `None` where
/// it can't be measured.
#[derive(Clone, Copy)]
pub struct Cost {
    pub from_rgb: Option<f64>,
    /// From the planes that a worker has of a JPEG.
    pub from_planes: Option<f64>,
}

impl Cost {
    /// What a worker spends: a peer has no planes.
    fn at_work(self) -> Option<f64> {
        self.from_planes.or(self.from_rgb)
    }
}

/// Costs encoder by encoder, in turns.
pub fn measure(
    pictures: &[(u32, Picture)],
    encoders: &[Encoder],
    sharp: &Sharp,
    rounds: usize,
) -> Result<Vec<Cost>, String> {
    let mut times = vec![vec![[Vec::new(), Vec::new()]; pictures.len()]; encoders.len()];
    // The first round warms up.
    for round in 0..=rounds {
        for (i, (_, picture)) in pictures.iter().enumerate() {
            for (encoder, times) in encoders.iter().zip(&mut times) {
                let costs = [encoder.cost(picture, sharp)?, encoder.cost_from_planes(picture)];
                let counted = costs.map(|cost| cost.filter(|_| round > 0));
                times[i].iter_mut().zip(counted).for_each(|(times, cost)| times.extend(cost));
            }
        }
    }
    let count = pictures.iter().filter(|(side, _)| *side == super::SIDES[0]).count() as f64;
    let mean = |times: &[[Vec<f64>; 2]], from: usize| {
        let medians = times.iter().map(|times| median(&times[from]));
        Some(medians.sum::<f64>() / count).filter(|mean| mean.is_finite())
    };
    Ok(times.iter().map(|t| Cost { from_rgb: mean(t, 0), from_planes: mean(t, 1) }).collect())
}

/// CPU time as a table.
pub fn table(encoders: &[Encoder], costs: &[Cost]) -> String {
    let mut table = Table::new(&[
        "600 + 300 + 100 px → JPEG",
        "from planes, CPU ms",
        "from RGB, CPU ms",
        "at work, of libjpeg-turbo's",
        "at work, of mozjpeg's",
    ]);
    let at_work = |key: &str| {
        let found = encoders.iter().zip(costs).find(|(encoder, _)| encoder.key == key);
        found.and_then(|(_, cost)| cost.at_work())
    };
    for (encoder, cost) in encoders.iter().zip(costs) {
        let is_small = encoder.key == "small";
        let cell = |ms: Option<f64>, most: Option<f64>| {
            ms.map_or("–".to_owned(), |ms| at_most(ms, most.filter(|_| is_small), 2))
        };
        let ratio = |peer: &str| cost.at_work().zip(at_work(peer)).map(|(a, b)| a / b);
        table.row(&[
            encoder.title.to_owned(),
            cell(cost.from_planes, Some(MOST)),
            cell(cost.from_rgb, None),
            cell(ratio("turbo"), None),
            cell(ratio("mozjpeg"), Some(MOST_OF_MOZJPEG)),
        ]);
    }
    format!(
        "{}\nCPU time, user and system, at quality {QUALITY}: of rounds in turns the median, of pictures the mean. At \
         work, ours have the planes of a JPEG, and peers RGB. mozjpeg's has sharp's own in it; libjpeg-turbo's \
         is measured where the system has its library.\n\n",
        table.text()
    )
}

/// Dollars as a table: encoding, and delivery of files that look equally good.
pub fn dollars(
    encoders: &[Encoder],
    costs: &[Cost],
    compared: &mut [Compared<'_>],
) -> Result<String, String> {
    let mut table = Table::new(&[
        "dollars per million images",
        "bytes of 600 px",
        "encoding",
        "delivery, 10 views",
        "delivery, 1,000 views",
        "both, 10 views",
        "both, 1,000 views",
    ]);
    // Only pictures for which each encoder reaches the score.
    let mut bytes = vec![Vec::new(); encoders.len()];
    for one in compared.iter_mut().filter(|one| one.side == super::SIDES[0]) {
        let reached: Result<Vec<_>, String> = one.curves.iter_mut().map(|curve| curve.reach(GOOD)).collect();
        if let Some(reached) = reached?.into_iter().collect::<Option<Vec<_>>>() {
            bytes.iter_mut().zip(reached).for_each(|(all, reached)| all.push(reached.bytes));
        }
    }
    for ((encoder, cost), bytes) in encoders.iter().zip(costs).zip(bytes) {
        let mean = bytes.iter().sum::<f64>() / bytes.len() as f64;
        let encoding = cost.at_work().map(|ms| ms / 1e3 / 3600.0 * 1e6 * PROCESSOR_HOUR);
        let delivery = VIEWS.map(|views| mean / 1e9 * 1e6 * views * DELIVERED_GB);
        let dollars = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.2}"));
        let mut row = vec![encoder.title.to_owned(), format!("{mean:.0}"), dollars(encoding)];
        row.extend(delivery.map(|delivery| dollars(Some(delivery))));
        row.extend(delivery.map(|delivery| dollars(encoding.map(|encoding| encoding + delivery))));
        table.row(&row);
    }
    Ok(format!(
        "{}\nA view is one download of the 600 px thumbnail, as large as SSIMULACRA2 {GOOD} takes, from a CDN at \
         ${DELIVERED_GB} a GB; encoding is the CPU time above at ${PROCESSOR_HOUR} an hour. Decoding, resizing and \
         requests cost the same whatever encodes.\n\n",
        table.text()
    ))
}
