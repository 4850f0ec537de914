//! How a queue is, in words for a terminal. What others wrote, a cause or a name, is shown without
//! control characters: no message can move the cursor.

use std::io::Write;
use std::time::Duration;

use crate::observe::time::{now_millis, rfc3339};
use crate::queue::letters::{DeadLetters, Flow, Letter};
use crate::queue::{Depth, Error};

/// How long the queue is watched for what comes and goes.
const WATCH: Duration = Duration::from_secs(3);

/// Most dead letters that are shown.
const MOST: usize = 50;

/// Most characters of a cause that are shown.
const LONGEST: usize = 160;

/// Looks at the queue and prints what it sees, as it sees it.
///
/// # Errors
/// What kept it from looking, with what to do about it.
pub fn print(queue: &dyn DeadLetters) -> Result<(), String> {
    let mut out = std::io::stdout().lock();
    write(queue, WATCH, &mut out)
}

fn write(queue: &dyn DeadLetters, watch: Duration, out: &mut dyn Write) -> Result<(), String> {
    let depth = queue.depth().map_err(said)?;
    tell(out, &format!("queue         {}\n{}", queue.describe(), counted(&depth)))?;
    let flow = queue.flow(watch).map_err(said)?;
    tell(out, &format!("throughput    {}\n", flowing(flow, watch)))?;
    tell(out, &format!("dead letters  {}\n", depth.dead))?;
    if depth.dead > 0 {
        let letters = queue.letters(MOST).map_err(said)?;
        tell(out, &listed(&letters, depth.dead, now_millis()))?;
    }
    Ok(())
}

fn said(error: Error) -> String {
    error.to_string()
}

fn tell(out: &mut dyn Write, text: &str) -> Result<(), String> {
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| format!("standard output: {error}"))
}

fn counted(depth: &Depth) -> String {
    let oldest = depth.oldest.map_or(String::new(), |age| format!(", the oldest for {}", span(age)));
    format!("waiting       {}{oldest}\nin flight     {}\n", depth.waiting, depth.in_flight)
}

fn flowing(flow: Flow, time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match flow {
        Flow::Seen { came, went } => {
            let rate = went as f64 / seconds;
            format!("{came} came and {went} went in {seconds:.0} s: {rate:.1} a second")
        }
        Flow::Grew(0) => format!("as many came as went in {seconds:.0} s, as far as SQS tells"),
        Flow::Grew(by) => {
            let (word, rate) = (if by > 0 { "more" } else { "fewer" }, by.unsigned_abs() as f64 / seconds);
            format!("{} {word} in {seconds:.0} s: {rate:.1} a second, as far as SQS tells", by.unsigned_abs())
        }
    }
}

/// A table of dead letters at `now` ms since 1970.
fn listed(letters: &[Letter], dead: u64, now: u64) -> String {
    let width = letters.iter().map(|letter| letter.id.chars().count()).max().unwrap_or(0).max(2);
    let mut text = format!("\n{:width$}  {:20}  CAUSE\n", "ID", "SINCE");
    for Letter { id, cause, since, .. } in letters {
        let who = [&cause.program, &cause.host].map(|who| plain(who)).join(" on ");
        let who = if cause.program.is_empty() { String::new() } else { format!(" ({who})") };
        let second = &rfc3339(*since)[..19];
        text += &format!("{:width$}  {second}Z  {}{who}\n", plain(id), plain(&cause.cause));
    }
    if (letters.len() as u64) < dead {
        text += &format!("and {} more\n", dead - letters.len() as u64);
    }
    let longest = letters.iter().map(|letter| now.saturating_sub(letter.since)).max().unwrap_or(0);
    text += &format!(
        "\nThe oldest is there for {}. Once its cause is gone, ",
        span(Duration::from_millis(longest))
    );
    text += "`image-sharer requeue ID` puts one back, `--all` all of them.\n";
    text
}

/// Text that does nothing to a terminal, and is not too long.
fn plain(text: &str) -> String {
    let shown = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c });
    let mut plain: String = shown.clone().take(LONGEST).collect();
    if shown.count() > LONGEST {
        plain.push('…');
    }
    plain
}

/// `7 s`, `12 min`, `3 h`, `2 days`: the largest unit that it is two of, or the next smaller one.
fn span(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::Cause;

    #[test]
    fn spans_are_short() {
        let said = [0, 119, 120, 7199, 7200, 172_800].map(|s| span(Duration::from_secs(s)));
        assert_eq!(said, ["0 s", "119 s", "2 min", "119 min", "2 h", "2 days"]);
    }

    #[test]
    fn a_letter_is_a_line_and_cannot_move_the_cursor() {
        let cause = "bad\u{1b}[2J\nfield ".to_owned() + &"x".repeat(500);
        let cause = Cause { cause, program: "image-worker 1".into(), host: "h".into() };
        let letter = Letter { id: "abc".into(), body: String::new(), cause, since: 1_795_493_900_123 };
        let text = listed(std::slice::from_ref(&letter), 3, 1_795_493_905_123);
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[2].starts_with("abc  2026-11-24T04:18:20Z  bad\u{fffd}[2J\u{fffd}field x"), "{text}");
        assert!(lines[2].ends_with("x… (image-worker 1 on h)") && lines[2].len() < 260, "{text}");
        assert_eq!(lines[3], "and 2 more");
        assert!(text.contains("for 5 s") && !text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn throughput_is_said_in_words() {
        let time = Duration::from_secs(3);
        let seen = flowing(Flow::Seen { came: 2, went: 9 }, time);
        assert_eq!(seen, "2 came and 9 went in 3 s: 3.0 a second");
        assert!(flowing(Flow::Grew(-9), time).starts_with("9 fewer in 3 s: 3.0 a second"));
    }
}
