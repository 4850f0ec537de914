//! `GET /o/<key>`: public objects of a directory store (RFC 9110 §13 conditions, §14 ranges).
//!
//! With any other store objects are fetched from its own address, and nothing is here.

use super::Site;
use super::problem::Problem;
use super::progress::present;
use crate::door::{Answer, Body, Head, Method};
use crate::key::{Id, Key};
use crate::observe::time::now_millis;
use crate::store::{self, EXPIRING};

/// An image opened by itself may run nothing and load nothing; the style is what browsers give it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox";

/// Answers with an object, a part of it, or that the client's copy is still right.
///
/// # Errors
/// If it is not there, or not any more, or the range is beyond its end.
pub fn answer(site: &Site, head: &Head, id: &Id, key: &Key) -> Result<Answer, Problem> {
    let files = site.rooms.files.as_ref().ok_or(Problem::NotFound)?;
    let (file, meta) = match files.open_object(key) {
        Ok(opened) => opened,
        Err(store::Error::NotFound) => return Err(missing(site, id)),
        Err(other) => return Err(Problem::Store(other)),
    };
    let cache_control = cache_control(site, id, meta.cache_control)?;
    let tag = format!("\"{}\"", meta.tag.0);
    let answer = if head.header("if-none-match").is_some_and(|tags| names(tags, &tag)) {
        Answer::empty(304)
    } else {
        let length = meta.length;
        match wanted_range(head, &tag, length)? {
            None => Answer::file(200, &meta.content_type, file, 0..length),
            Some(range) => {
                let content_range = format!("bytes {}-{}/{length}", range.start, range.end - 1);
                Answer::empty(206)
                    .with_header("Content-Type", &meta.content_type)
                    .with_header("Content-Range", &content_range)
                    .with_body(Body::File { file, range })
            }
        }
    };
    Ok(answer
        .with_header("ETag", &tag)
        .with_header("Cache-Control", &cache_control)
        .with_header("Accept-Ranges", "bytes")
        .with_header("Content-Security-Policy", POLICY))
}

/// `Cache-Control` of an object that is stored with this one: where it has an expiry, the time that is
/// left, and from that second on it is gone, whether it was swept already or not.
fn cache_control(site: &Site, id: &Id, stored: String) -> Result<String, Problem> {
    if stored != EXPIRING {
        return Ok(stored);
    }
    let expires = present(&*site.rooms.store, id)?.expires.unwrap_or(0);
    // Rounded down: no cache may have it for longer than we do.
    Ok(format!("{EXPIRING}, max-age={}", expires.saturating_sub(now_millis()) / 1000))
}

/// Why an object is not there: gone for ever, or not made yet, or never to be.
fn missing(site: &Site, id: &Id) -> Problem {
    present(&*site.rooms.store, id).err().unwrap_or(Problem::NotFound)
}

/// Whether `If-None-Match` names this tag. Weak comparison: `W/` means nothing here (§13.1.2).
fn names(tags: &str, tag: &str) -> bool {
    tags.split(',').map(str::trim).any(|t| t == "*" || t.strip_prefix("W/").unwrap_or(t) == tag)
}

/// The one range that is wanted; `None` for the whole. A `Range` that is malformed, or asks for
/// several, is as if it were not there, which §14.2 allows.
fn wanted_range(head: &Head, tag: &str, length: u64) -> Result<Option<std::ops::Range<u64>>, Problem> {
    if head.method != Method::Get {
        return Ok(None);
    }
    // Strong comparison; a date never matches, as no Last-Modified is sent (§13.1.5).
    if head.header("if-range").is_some_and(|condition| condition.trim() != tag) {
        return Ok(None);
    }
    let Some((first, last)) = head.header("range").and_then(read_range) else { return Ok(None) };
    let range = match (first, last) {
        (Some(first), last) => {
            let end = last.map_or(length, |last| last.saturating_add(1).min(length));
            first..end
        }
        (None, Some(suffix)) => length.saturating_sub(suffix)..length,
        (None, None) => return Ok(None),
    };
    if range.is_empty() { Err(Problem::Range { length }) } else { Ok(Some(range)) }
}

/// First and last of `bytes=first-last`, either of which may be missing; `None` if it is no such
/// thing, or the last is before the first.
fn read_range(text: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (unit, range) = text.split_once('=')?;
    let (first, last) = range.trim().split_once('-')?;
    let (first, last) = (position(first)?, position(last)?);
    let ordered = first.zip(last).is_none_or(|(first, last)| first <= last);
    (unit.eq_ignore_ascii_case("bytes") && ordered).then_some((first, last))
}

/// Digits, or nothing at all. More than fit are as good as the largest number.
fn position(text: &str) -> Option<Option<u64>> {
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some((!text.is_empty()).then(|| text.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_follow_their_grammar() {
        for (text, range) in [
            ("bytes=0-0", Some((Some(0), Some(0)))),
            ("bytes=5-", Some((Some(5), None))),
            ("Bytes=-5", Some((None, Some(5)))),
            ("bytes=0-99999999999999999999999", Some((Some(0), Some(u64::MAX)))),
            ("bytes=5-4", None),
            ("bytes=0-1,3-4", None),
            ("bytes=+1-2", None),
            ("bytes=1", None),
            ("items=0-1", None),
        ] {
            assert_eq!(read_range(text), range, "{text}");
        }
    }

    #[test]
    fn tags_are_compared_weakly() {
        assert!(names("\"a\", W/\"b\"", "\"b\"") && names("*", "\"b\""));
        assert!(!names("\"bb\", b", "\"b\""));
    }
}
