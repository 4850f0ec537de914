//! What is printed at the end: a row for each kind of fault.

use std::time::Duration;

use crate::load::Tally;

/// One kind of fault, survived or not.
pub struct Row {
    pub fault: &'static str,
    pub time: Duration,
    /// How often it struck.
    pub struck: u64,
    pub tally: Tally,
    /// Jobs whose thumbnails were stored once more than needed.
    pub done_again: u64,
    pub dead_letters: u64,
    /// What else went wrong: a sentence each.
    pub wrong: Vec<String>,
}

impl Row {
    fn is_survived(&self) -> bool {
        self.complaints().next().is_none()
    }

    fn complaints(&self) -> impl Iterator<Item = &String> {
        self.tally.lost.iter().chain(&self.tally.wrong).chain(&self.wrong)
    }

    fn cells(&self) -> [String; 11] {
        let seconds = |time: Duration| format!("{:.1} s", time.as_secs_f64());
        [
            self.fault.to_owned(),
            format!("{} s", self.time.as_secs()),
            self.struck.to_string(),
            self.tally.tries.to_string(),
            self.tally.accepted.to_string(),
            self.tally.complete.to_string(),
            (self.tally.accepted - self.tally.complete).to_string(),
            self.done_again.to_string(),
            self.dead_letters.to_string(),
            seconds(self.tally.slowest_upload),
            seconds(self.tally.slowest_thumbnails),
        ]
    }
}

const HEAD: [&str; 11] = [
    "fault",
    "for",
    "struck",
    "tries",
    "accepted",
    "complete",
    "lost",
    "done again",
    "dead letters",
    "slowest upload",
    "slowest thumbnails",
];

/// Prints the table, and what was not survived. Returns whether all was.
pub fn print(rows: &[Row]) -> bool {
    let line = |cells: &[String]| println!("| {} |", cells.join(" | "));
    println!();
    line(&HEAD.map(str::to_owned));
    line(&HEAD.map(|_| "---".to_owned()));
    rows.iter().for_each(|row| line(&row.cells()));
    println!();
    for row in rows.iter().filter(|row| !row.is_survived()) {
        println!("NOT SURVIVED: {}", row.fault);
        row.complaints().take(20).for_each(|what| println!("  {what}"));
    }
    rows.iter().all(Row::is_survived)
}
