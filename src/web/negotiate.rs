//! Which kind of answer a client wants: `Accept` (RFC 9110 §12.5.1), or `?format=` in its place.

use super::query;
use crate::door::Head;

/// A kind of answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `application/json`.
    Json,
    /// `text/plain`: one line.
    Text,
    /// `text/html`: for a person with a browser.
    Html,
}

/// The kinds with their media type; of those a client likes alike, the first is sent.
const KINDS: [(Kind, &str, &str); 3] =
    [(Kind::Json, "application", "json"), (Kind::Text, "text", "plain"), (Kind::Html, "text", "html")];

/// A weight of RFC 9110 §12.4.2 in thousandths, 0 to 1000.
type Weight = u16;

/// How closely a media range names a type: `*/*`, `type/*`, `type/subtype`.
type Closeness = u8;

/// The kind that the client likes best; `None` if it likes none.
pub fn kind(head: &Head) -> Option<Kind> {
    match query::get(&head.query, "format").as_deref() {
        Some("txt" | "text") => return Some(Kind::Text),
        Some("json") => return Some(Kind::Json),
        _ => {}
    }
    let accept: Vec<&str> = head
        .headers
        .iter()
        .filter(|h| h.field.as_str().as_str().eq_ignore_ascii_case("accept"))
        .map(|h| h.value.as_str())
        .collect();
    preferred(&accept.join(","))
}

fn preferred(accept: &str) -> Option<Kind> {
    if accept.trim().is_empty() {
        return Some(Kind::Json);
    }
    let mut best: Option<(Weight, Kind)> = None;
    for (kind, main, sub) in KINDS {
        let weight = weight_of(accept, main, sub);
        if weight > best.map_or(0, |(most, _)| most) {
            best = Some((weight, kind));
        }
    }
    best.map(|(_, kind)| kind)
}

/// The weight of a type: that of the range which names it most closely.
fn weight_of(accept: &str, main: &str, sub: &str) -> Weight {
    let ranges = accept.split(',').filter_map(|range| read_range(range, main, sub));
    ranges.max().map_or(0, |(_, weight)| weight)
}

/// How closely a range names a type and with which weight; `None` if it does not, or is malformed.
fn read_range(range: &str, main: &str, sub: &str) -> Option<(Closeness, Weight)> {
    let mut pieces = range.split(';').map(str::trim);
    let (range_main, range_sub) = pieces.next()?.split_once('/')?;
    let closeness = match (range_main, range_sub) {
        ("*", "*") => 0,
        (m, "*") if m.eq_ignore_ascii_case(main) => 1,
        (m, s) if m.eq_ignore_ascii_case(main) && s.eq_ignore_ascii_case(sub) => 2,
        _ => return None,
    };
    // Parameters other than the weight (`charset`) don't keep a type from being named.
    let weight = pieces
        .filter_map(|piece| piece.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
        .map_or(Some(1000), |(_, weight)| read_weight(weight.trim()))?;
    Some((closeness, weight))
}

/// `0`, `1`, or with a dot and up to three digits; at most 1.
fn read_weight(text: &str) -> Option<Weight> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = fraction.bytes().all(|b| b.is_ascii_digit());
    if !matches!(whole, "0" | "1") || fraction.len() > 3 || !digits {
        return None;
    }
    let thousandths: Weight = format!("{fraction:0<3}").parse().ok()?;
    let weight = if whole == "1" { 1000 + thousandths } else { thousandths };
    (weight <= 1000).then_some(weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_liked_kind_is_sent() {
        for (accept, expected) in [
            ("", Some(Kind::Json)),
            ("*/*", Some(Kind::Json)),
            ("application/json", Some(Kind::Json)),
            ("text/plain", Some(Kind::Text)),
            ("TEXT/Plain; charset=utf-8", Some(Kind::Text)),
            ("text/*", Some(Kind::Text)),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Some(Kind::Html)),
            ("text/html;q=0.5, application/json;q=0.500", Some(Kind::Json)),
            ("text/html;q=0.501, application/json;q=0.5", Some(Kind::Html)),
            ("*/*, application/json;q=0", Some(Kind::Text)),
            ("*/*;q=0.1, text/plain;q=0, application/json;q=0", Some(Kind::Html)),
            ("image/png, text/plain;q=0.001", Some(Kind::Text)),
            ("image/*", None),
            ("application/xml", None),
            ("*/*;q=0", None),
            ("text/html;q=0, text/plain;q=0.0, application/json;q=0.000", None),
            ("text/html;q=2", None),
            ("nonsense", None),
        ] {
            assert_eq!(preferred(accept), expected, "{accept}");
        }
    }

    #[test]
    fn weights_follow_their_grammar() {
        for (text, weight) in [("0", 0), ("1", 1000), ("0.5", 500), ("1.000", 1000), ("0.001", 1), ("0.", 0)]
        {
            assert_eq!(read_weight(text), Some(weight), "{text}");
        }
        for bad in ["", "2", "1.001", "0.1234", "-0", "0.x", "+1"] {
            assert_eq!(read_weight(bad), None, "{bad}");
        }
    }
}
