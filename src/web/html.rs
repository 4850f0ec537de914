//! HTML pages: their frame, and the escaping of whatever is put into them.

use std::fmt;

use crate::door::Answer;

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

/// A page whose `body` is HTML already; images may come from this server, and from `images`, an
/// origin that was checked to be one.
pub fn page(status: u16, title: &str, body: &str, images: Option<&str>) -> Answer {
    page_with_head(status, title, "", body, images)
}

/// The same with more in its head, HTML as well.
pub fn page_with_head(status: u16, title: &str, head: &str, body: &str, images: Option<&str>) -> Answer {
    let text = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{}</title>\n{head}<body>\n{body}\n",
        Escaped(title)
    );
    dress(Answer::new(status, "text/html; charset=utf-8", text), images)
}

/// The headers that every page has.
pub fn dress(answer: Answer, images: Option<&str>) -> Answer {
    let images = images.map_or(String::new(), |origin| format!(" {origin}"));
    let policy = format!(
        "default-src 'none'; img-src 'self'{images}; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    answer.with_header("Content-Security-Policy", &policy).with_header("Referrer-Policy", "same-origin")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_escaped_can_end_a_text_or_an_attribute() {
        let escaped = Escaped("<a href=\"x\" b='c'>&é").to_string();
        assert_eq!(escaped, "&lt;a href=&quot;x&quot; b=&#39;c&#39;&gt;&amp;é");
    }
}
