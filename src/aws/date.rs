//! Reads the two forms of a date that AWS answers with: HTTP's and ISO 8601's, both in UTC.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Reads `Sun, 06 Nov 1994 08:49:37 GMT` (IMF-fixdate, RFC 9110 §5.6.7).
pub fn http(text: &str) -> Option<SystemTime> {
    let fields: Vec<&str> = text.split(' ').collect();
    let [_, day, month, year, time, "GMT"] = fields[..] else { return None };
    let month = MONTHS.iter().position(|name| *name == month)? as u64 + 1;
    moment(number(year)?, month, number(day)?, time)
}

/// Reads `2017-05-17T15:09:54Z` (RFC 3339, with `Z` alone); a fraction of a second is dropped.
pub fn iso8601(text: &str) -> Option<SystemTime> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let fields: Vec<&str> = date.split('-').collect();
    let [year, month, day] = fields[..] else { return None };
    let whole = time.split_once('.').map_or(time, |(whole, _)| whole);
    moment(number(year)?, number(month)?, number(day)?, whole)
}

fn moment(year: u64, month: u64, day: u64, time: &str) -> Option<SystemTime> {
    let fields: Vec<u64> = time.split(':').map(number).collect::<Option<_>>()?;
    let [hour, minute, second] = fields[..] else { return None };
    let in_range = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !in_range {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

/// Days since 1970 of a date from then on, counting years from March so that the leap day is the
/// last (H. Hinnant, "chrono-compatible low-level date algorithms", `days_from_civil`).
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = year - u64::from(month <= 2);
    let (era, year_of_era) = (year / 400, year % 400);
    let month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::time::rfc3339;

    fn shown(time: Option<SystemTime>) -> String {
        rfc3339(time.unwrap().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64)
    }

    #[test]
    fn both_forms_are_read() {
        assert_eq!(shown(http("Sun, 06 Nov 1994 08:49:37 GMT")), "1994-11-06T08:49:37.000Z");
        for text in ["2017-05-17T15:09:54Z", "2000-02-29T00:00:00Z", "2100-03-01T23:59:59Z"] {
            assert_eq!(shown(iso8601(text)), text.replace('Z', ".000Z"));
        }
        assert_eq!(iso8601("2017-05-17T15:09:54.25Z"), iso8601("2017-05-17T15:09:54Z"));
    }

    #[test]
    fn anything_else_is_no_date() {
        for bad in ["", "0", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET"] {
            assert_eq!(http(bad), None, "{bad}");
        }
        for bad in ["2017-13-01T00:00:00Z", "2017-05-17", "2017-05-17T15:09:54+02:00", "9-9-9T9:9Z"] {
            assert_eq!(iso8601(bad), None, "{bad}");
        }
    }
}
