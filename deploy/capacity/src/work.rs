//! What one image costs a worker: processor time as `make bench` measured it, and its bytes. The measured
//! figures are read from docs/performance.md, so that they are never a copy; the shares are an assumption.

use crate::delays;
use crate::random::Random;

/// The tables that `make bench` printed.
pub const PERFORMANCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/performance.md");

/// One kind of picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Kind {
    /// Its file in the bench.
    pub file: String,
    /// Of all uploads, 0 to 1.
    pub share: f64,
    /// Processor time of its thumbnails, in seconds.
    pub cpu: f64,
    /// Its original, in megabytes.
    pub megabytes: f64,
}

/// Which pictures of the bench are uploaded how often, and how many megabytes each has (the bench's table
/// of memory lists them). An assumption: mostly phones' 12 MP, some larger, screenshots, and what was
/// shared before. Nobody publishes such shares; docs/capacity.md says what other ones would change.
const MIX: [(&str, f64, f64); 7] = [
    ("p12.jpg", 0.50, 2.4),
    ("p24.jpg", 0.10, 4.6),
    ("p12p.jpg", 0.05, 2.2),
    ("p2.jpg", 0.15, 0.4),
    ("p1.jpg", 0.10, 0.5),
    ("photo3rgba.png", 0.05, 5.4),
    ("cutout15.png", 0.05, 1.4),
];

/// How long the processor is at work on an image.
#[derive(Clone, Debug)]
pub enum Work {
    /// One of the measured kinds, by its share.
    Measured(Vec<Kind>),
    /// Exponentially distributed, of this mean in seconds: what queueing theory has formulas for.
    Exponential(f64),
    /// Always the same, in seconds.
    Constant(f64),
}

impl Work {
    /// The mix, with the times of the bench's tables in `markdown`.
    ///
    /// # Errors
    /// Says which picture is missing.
    pub fn measured(markdown: &str) -> Result<Work, String> {
        let kind = |&(file, share, megabytes): &(&str, f64, f64)| {
            let ms = own_milliseconds(markdown, file).ok_or_else(|| {
                format!("no time of `{file}` in the column \"ours, small, ms\" of docs/performance.md")
            })?;
            Ok(Kind { file: file.to_owned(), share, cpu: ms / 1e3, megabytes })
        };
        MIX.iter().map(kind).collect::<Result<_, String>>().map(Work::Measured)
    }

    /// Processor seconds and megabytes of the next image.
    pub fn draw(&self, random: &mut Random) -> (f64, f64) {
        match self {
            Work::Exponential(mean) => (random.exponential(*mean), 0.0),
            Work::Constant(seconds) => (*seconds, 0.0),
            Work::Measured(kinds) => {
                let mut at = random.unit();
                let found = kinds.iter().find(|kind| {
                    at -= kind.share;
                    at < 0.0
                });
                let kind = found.unwrap_or(&kinds[0]);
                (kind.cpu + delays::REQUESTS_CPU, kind.megabytes)
            }
        }
    }

    /// The same work on a processor that takes `times` as long.
    pub fn scaled(&self, times: f64) -> Work {
        match self {
            Work::Exponential(mean) => Work::Exponential(mean * times),
            Work::Constant(seconds) => Work::Constant(seconds * times),
            Work::Measured(kinds) => Work::Measured(
                kinds.iter().map(|kind| Kind { cpu: kind.cpu * times, ..kind.clone() }).collect(),
            ),
        }
    }

    /// Processor seconds of an image on average.
    pub fn mean(&self) -> f64 {
        match self {
            Work::Exponential(mean) | Work::Constant(mean) => *mean,
            Work::Measured(kinds) => {
                kinds.iter().map(|kind| kind.share * kind.cpu).sum::<f64>() + delays::REQUESTS_CPU
            }
        }
    }
}

/// The cell under "ours, small, ms" in the row of `file`, in the first table that has such a column.
fn own_milliseconds(markdown: &str, file: &str) -> Option<f64> {
    let mut lines =
        markdown.lines().skip_while(|line| !(line.starts_with('|') && line.contains("| ours, small, ms |")));
    let column = lines.next()?.split('|').position(|cell| cell.trim() == "ours, small, ms")?;
    let row =
        lines.take_while(|line| line.starts_with('|')).find(|line| line.contains(&format!("`{file}`")))?;
    row.split('|').nth(column)?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_are_those_of_the_bench() {
        let markdown = std::fs::read_to_string(PERFORMANCE).unwrap();
        let Work::Measured(kinds) = Work::measured(&markdown).unwrap() else { panic!() };
        assert_eq!(kinds.len(), MIX.len());
        let shares: f64 = kinds.iter().map(|kind| kind.share).sum();
        assert!((shares - 1.0).abs() < 1e-9);
        assert!(kinds.iter().all(|kind| (0.001..1.0).contains(&kind.cpu)), "{kinds:?}");
    }

    #[test]
    fn a_cell_is_found_by_its_row_and_column() {
        let table = "| bytes | ratio | ours, small, ms | sharp ms |\n| --- | --- | --- | --- |\n| `a.jpg` | 1.0 | 38.8 | 39.4 |\n";
        assert_eq!(own_milliseconds(table, "a.jpg"), Some(38.8));
        assert_eq!(own_milliseconds(table, "b.jpg"), None);
        assert!(Work::measured(table).unwrap_err().contains("p12.jpg"));
    }
}
