//! Tables in Markdown.

use std::fmt::Write;

/// The middle one; the mean of the two in the middle of an even number.
pub fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2.0,
    }
}

/// A table: its head, and rows of as many cells.
pub struct Table {
    text: String,
    columns: usize,
}

impl Table {
    pub fn new(head: &[&str]) -> Table {
        let mut table = Table { text: String::new(), columns: head.len() };
        table.line(head.iter().copied());
        table.line(head.iter().enumerate().map(|(i, _)| if i == 0 { "---" } else { "---:" }));
        table
    }

    pub fn row(&mut self, cells: &[String]) {
        assert_eq!(cells.len(), self.columns, "a cell a column");
        self.line(cells.iter().map(String::as_str));
    }

    fn line<'a>(&mut self, cells: impl Iterator<Item = &'a str>) {
        let cells: Vec<&str> = cells.collect();
        let _ = writeln!(self.text, "| {} |", cells.join(" | "));
    }

    pub fn text(&self) -> &str {
        &self.text
    }
}

/// A figure beside what it may be at most: bold where it is more.
pub fn at_most(value: f64, goal: Option<f64>, decimals: usize) -> String {
    match goal {
        Some(goal) if value > goal => format!("**{value:.decimals$}** (≤ {goal})"),
        Some(goal) => format!("{value:.decimals$} (≤ {goal})"),
        None => format!("{value:.decimals$}"),
    }
}
