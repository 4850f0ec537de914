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

/// CPU milliseconds of a picture's thumbnails, all sides together, encoder by encoder: the mean of the pictures'
/// medians. `None` where it can't be measured.
pub fn measure(
    pictures: &[(u32, Picture)],
    encoders: &[Encoder],
    sharp: &Sharp,
    rounds: usize,
) -> Result<Vec<Option<f64>>, String> {
    let mut times = vec![vec![Vec::new(); pictures.len()]; encoders.len()];
    // The first round warms up.
    for round in 0..=rounds {
        for (i, (_, picture)) in pictures.iter().enumerate() {
            for (encoder, times) in encoders.iter().zip(&mut times) {
                let cost = encoder.cost(picture, sharp)?;
                times[i].extend(cost.filter(|_| round > 0));
            }
        }
    }
    let count = pictures.iter().filter(|(side, _)| *side == super::SIDES[0]).count() as f64;
    let mean = |times: &Vec<Vec<f64>>| times.iter().map(|times| median(times)).sum::<f64>() / count;
    Ok(times.iter().map(|times| times.iter().all(|t| !t.is_empty()).then(|| mean(times))).collect())
}

/// CPU time as a table.
pub fn table(encoders: &[Encoder], costs: &[Option<f64>]) -> String {
    let mut table =
        Table::new(&["600 + 300 + 100 px → JPEG", "CPU ms", "of libjpeg-turbo's", "of mozjpeg's"]);
    let of = |key: &str| encoders.iter().zip(costs).find(|(e, _)| e.key == key).and_then(|(_, cost)| *cost);
    for (encoder, cost) in encoders.iter().zip(costs) {
        let is_small = encoder.key == "small";
        let ratio = |peer: &str, most: Option<f64>| {
            let ratio = cost.zip(of(peer)).map(|(a, b)| at_most(a / b, most.filter(|_| is_small), 2));
            ratio.unwrap_or("–".to_owned())
        };
        table.row(&[
            encoder.title.to_owned(),
            cost.map_or("–".to_owned(), |cost| at_most(cost, Some(MOST).filter(|_| is_small), 2)),
            ratio("turbo", None),
            ratio("mozjpeg", Some(MOST_OF_MOZJPEG)),
        ]);
    }
    format!(
        "{}\nCPU time, user and system, from RGB at quality {QUALITY}: of rounds in turns the median, of pictures the \
         mean. mozjpeg's has sharp's own in it, libjpeg-turbo's is measured where the system has its library.\n\n",
        table.text()
    )
}

/// Dollars as a table: encoding, and delivery of files that look equally good.
pub fn dollars(
    encoders: &[Encoder],
    costs: &[Option<f64>],
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
        let encoding = cost.map(|ms| ms / 1e3 / 3600.0 * 1e6 * PROCESSOR_HOUR);
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
