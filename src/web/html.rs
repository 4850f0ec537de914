//! HTML pages: their frame, and the escaping of whatever is put into them.
//!
//! Style and script are part of every page, and its policy names them by their hash: nothing else that
//! might get into a page is run or applied.

use std::fmt;
use std::sync::LazyLock;

use sha2::{Digest, Sha256};

use crate::door::Answer;

/// The one style sheet, and the one script.
const STYLE: &str = include_str!("assets/style.css");
const SCRIPT: &str = include_str!("assets/page.js");

/// The mark that stands before the service's name; its colour is the text's.
const MARK: &str = r#"<svg viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="9" fill="currentColor"/><path d="M6 22.5l6.2-7.2 4.6 5.2 3.4-3.8 5.8 5.8" fill="none" stroke="var(--on-accent)" stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round"/><circle cx="21" cy="10.5" r="2.6" fill="var(--on-accent)"/></svg>"#;

/// What a page's policy always says (CSP level 2: a hash admits one inline script or style).
static POLICY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; connect-src 'self'; \
         base-uri 'none'; frame-ancestors 'none'",
        hash(SCRIPT),
        hash(STYLE)
    )
});

/// A text put into HTML, in an element or in a quoted attribute, as nothing but text.
pub struct Escaped<'a>(pub &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
            f.write_str(&rest[..at])?;
            f.write_str(match rest.as_bytes()[at] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                _ => "&#39;",
            })?;
            rest = &rest[at + 1..];
        }
        f.write_str(rest)
    }
}

/// A number of bytes for people: `999 bytes`, `3.1 MB`.
pub struct Bytes(pub u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 1000 {
            return write!(f, "{} bytes", self.0);
        }
        let (mut number, mut unit) = (self.0 as f64 / 1e3, "kB");
        for larger in ["MB", "GB"] {
            if number >= 999.5 {
                (number, unit) = (number / 1e3, larger);
            }
        }
        let digits = usize::from(number < 9.95);
        write!(f, "{number:.digits$} {unit}")
    }
}

/// A page.
pub struct Page<'a> {
    /// Its title, text.
    pub title: &'a str,
    /// What its head has beside what all have, HTML.
    pub head: &'a str,
    /// Its `<main>` and what follows it, HTML.
    pub main: &'a str,
    /// What paths to other pages start with: empty, or a path without a slash at its end.
    pub base: &'a str,
    /// Origins beside its own that images may come from, that were checked to be origins.
    pub images: &'a [&'a str],
    /// Origin beside its own that a form may lead to: a browser asks it of redirections too.
    pub forms: Option<&'a str>,
}

impl Page<'_> {
    /// The page's text.
    pub fn text(&self) -> String {
        let Page { title, head, main, base, .. } = self;
        let (title, base) = (Escaped(title), Escaped(base));
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title}</title>\n<link rel=\"icon\" href=\"{base}/icon.svg\">\n{head}\
             <style>{STYLE}</style>\n<script>{SCRIPT}</script>\n</head>\n<body>\n\
             <header class=\"top\"><a class=\"brand\" href=\"{base}/\">{MARK}image-sharer</a></header>\n{main}\
             <p class=\"sr\" role=\"status\" id=\"said\"></p>\n</body>\n</html>\n"
        )
    }

    /// The answer that holds the page.
    pub fn answer(&self, status: u16) -> Answer {
        self.dress(Answer::new(status, "text/html; charset=utf-8", self.text()))
    }

    /// Adds the headers that a page has.
    pub fn dress(&self, answer: Answer) -> Answer {
        let images: String = self.images.iter().map(|origin| format!(" {origin}")).collect();
        let forms = self.forms.map_or(String::new(), |origin| format!(" {origin}"));
        let policy = format!("{}; img-src 'self'{images}; form-action 'self'{forms}", *POLICY);
        answer.with_header("Content-Security-Policy", &policy).with_header("Referrer-Policy", "same-origin")
    }
}

/// SHA-256 in base64 (RFC 4648 §4), as a policy names what it admits.
pub fn hash(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digest = Sha256::digest(text.as_bytes());
    let mut encoded = String::with_capacity(44);
    for chunk in digest.chunks(3) {
        let bits = chunk.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            encoded.push(char::from(DIGITS[(bits >> (18 - 6 * place) & 63) as usize]));
        }
    }
    // 32 bytes are ten threes and a two, which lacks one digit of four.
    encoded + "="
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_escaped_can_end_a_text_or_an_attribute() {
        let escaped = Escaped("<a href=\"x\" b='c'>&é").to_string();
        assert_eq!(escaped, "&lt;a href=&quot;x&quot; b=&#39;c&#39;&gt;&amp;é");
    }

    #[test]
    fn bytes_are_told_in_two_digits_or_more() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1000, "1.0 kB"),
            (9_950, "10 kB"),
            (999_499, "999 kB"),
            (999_500, "1.0 MB"),
            (67_108_864, "67 MB"),
            (5_368_709_120, "5.4 GB"),
        ] {
            assert_eq!(Bytes(bytes).to_string(), text);
        }
    }

    #[test]
    fn hashes_are_those_that_browsers_compute() {
        // The example of CSP level 3, §2.3.1: the hash of `alert('Hello, world.');`.
        assert_eq!(hash("alert('Hello, world.');"), "qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng=");
    }

    #[test]
    fn neither_style_nor_script_can_end_early() {
        assert!(!STYLE.contains("</") && !SCRIPT.contains("</") && !SCRIPT.contains("<!--"));
    }
}
