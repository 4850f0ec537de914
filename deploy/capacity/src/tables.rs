//! Outcomes as Markdown tables, and where docs/capacity.md holds them.

use std::fmt::Write;

use crate::outcome::Outcome;
use crate::prices;

/// Between which lines of the page the tables stand.
const MARKS: (&str, &str) = ("<!-- make capacity: begin -->\n", "<!-- make capacity: end -->\n");

/// One line of a table: what it is called, how large its warm pool is, what was found.
pub type Line<'a> = (&'a str, usize, &'a Outcome);

/// A table of outcomes under a heading.
pub fn table(heading: &str, first: &str, lines: &[Line]) -> String {
    let mut text = format!(
        "### {heading}\n\n| {first} | p50 | p95 | p99 | worst minute's p99 | longest | machines, mean | most | $ a million |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
    );
    for (name, pool, outcome) in lines {
        let waits = [
            outcome.percentile(0.50),
            outcome.percentile(0.95),
            outcome.percentile(0.99),
            outcome.worst_minute(),
            outcome.percentile(1.0),
        ];
        let waits: Vec<String> = waits.iter().map(|wait| seconds(*wait)).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {name} | {} | {:.1} | {} | {:.2} |",
            waits.join(" | "),
            outcome.machines(),
            outcome.most_machines(),
            prices::machines_million(outcome, *pool)
        );
    }
    text.push('\n');
    text
}

/// With as many digits as mean something.
fn seconds(value: f64) -> String {
    if value < 99.95 { format!("{value:.1} s") } else { format!("{value:.0} s") }
}

/// The page with `tables` in the place of those it has.
///
/// # Errors
/// When the page has no such place.
pub fn placed(page: &str, tables: &str) -> Result<String, String> {
    let missing = || format!("docs/capacity.md has no lines {} and {}", MARKS.0.trim(), MARKS.1.trim());
    let (before, rest) = page.split_once(MARKS.0).ok_or_else(missing)?;
    let (_, after) = rest.split_once(MARKS.1).ok_or_else(missing)?;
    Ok(format!("{before}{}\n{tables}{}{after}", MARKS.0, MARKS.1))
}
