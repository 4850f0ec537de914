//! Puts an answer's head into bytes, with `tiny_http`'s renderer, and mends what that gets wrong.
//!
//! Only the head goes through it, with no request headers, so a client's `TE` changes nothing.
//! The body is left to `connection`.

use std::io;

use tiny_http::{HTTPVersion, Response};

use super::answer::is_open;
use super::framing::Version;
use super::{Answer, StatusCode};

/// What becomes of the connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// The next request may come.
    Keep,
    /// This answer was the last.
    Close,
}

/// Whether an answer of this status has no body, whatever the request (RFC 9110, section 6.4.1).
pub(super) fn is_bodiless(status: StatusCode) -> bool {
    matches!(status.0, 100..=199 | 204 | 304)
}

/// The head of `answer` in bytes, ending with the empty line.
///
/// Headers that may not be sent are left out. The version is always HTTP/1.1, ours (RFC 9110,
/// section 6.2); nothing in the head asks more of an HTTP/1.0 client than it can do.
pub(super) fn head(answer: &mut Answer, version: Version, after: After) -> Vec<u8> {
    let headers = std::mem::take(&mut answer.headers);
    let (open, refused): (Vec<_>, Vec<_>) = headers.into_iter().partition(is_open);
    for header in refused {
        log::error!(name:? = header.field.as_str(); "left out a header that may not be sent");
    }
    let length = usize::try_from(answer.body.length()).unwrap_or(usize::MAX);
    let response = Response::new(answer.status, open, io::empty(), Some(length), None)
        .with_chunked_threshold(usize::MAX);
    let mut drawn = Vec::with_capacity(512);
    if let Err(error) = response.raw_print(&mut drawn, HTTPVersion(1, 1), &[], true, None) {
        // Memory takes all that is written to it.
        log::error!(error:% = error; "an answer's head could not be rendered");
    }
    mend(&drawn, is_bodiless(answer.status), connection_line(version, after))
}

fn connection_line(version: Version, after: After) -> &'static [u8] {
    match (version, after) {
        (_, After::Close) => b"Connection: close\r\n",
        (Version::Http10, After::Keep) => b"Connection: keep-alive\r\n",
        (Version::Http11, After::Keep) => b"",
    }
}

/// Takes out the `Server` line, and the length of a body that there can't be; adds `connection`.
fn mend(drawn: &[u8], bodiless: bool, connection: &[u8]) -> Vec<u8> {
    let mut mended = Vec::with_capacity(drawn.len() + connection.len());
    for line in drawn.split_inclusive(|&b| b == b'\n') {
        let dropped = line.starts_with(b"Server: ") || bodiless && line.starts_with(b"Content-Length: ");
        if line == b"\r\n" {
            mended.extend_from_slice(connection);
        }
        if !dropped {
            mended.extend_from_slice(line);
        }
    }
    mended
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::Header;

    fn drawn(mut answer: Answer, version: Version, after: After) -> String {
        String::from_utf8(head(&mut answer, version, after)).unwrap()
    }

    fn kept(answer: Answer) -> String {
        drawn(answer, Version::Http11, After::Keep)
    }

    #[test]
    fn a_head_says_status_date_and_length_and_no_server() {
        let text = kept(Answer::new(202, "application/json", "{}").with_header("Location", "/i/a"));
        assert!(text.starts_with("HTTP/1.1 202 Accepted\r\nDate: "), "{text}");
        assert!(text.contains("\r\nContent-Type: application/json\r\n"), "{text}");
        assert!(text.contains("\r\nLocation: /i/a\r\n"), "{text}");
        assert!(text.ends_with("\r\nContent-Length: 2\r\n\r\n"), "{text}");
        assert!(!text.contains("Server") && !text.contains("Connection"), "{text}");
    }

    #[test]
    fn the_connection_line_fits_version_and_fate() {
        let line = |version, after| drawn(Answer::empty(200), version, after);
        assert!(line(Version::Http11, After::Close).ends_with("\r\nConnection: close\r\n\r\n"));
        assert!(line(Version::Http10, After::Close).ends_with("\r\nConnection: close\r\n\r\n"));
        assert!(line(Version::Http10, After::Keep).ends_with("\r\nConnection: keep-alive\r\n\r\n"));
    }

    #[test]
    fn a_large_answer_keeps_its_length() {
        let text = kept(Answer::new(200, "image/png", vec![0; 1 << 20]));
        assert!(text.contains("\r\nContent-Length: 1048576\r\n"), "{text}");
        assert!(!text.contains("Transfer-Encoding"), "{text}");
    }

    #[test]
    fn no_content_and_not_modified_have_no_length() {
        for status in [204, 304] {
            assert!(!kept(Answer::empty(status)).contains("Content-Length"), "{status}");
        }
        assert!(kept(Answer::empty(404)).contains("Content-Length: 0\r\n"));
    }

    #[test]
    fn a_header_that_splits_the_answer_is_left_out() {
        let mut answer = Answer::empty(200);
        for (name, value) in [("X-A", "b\r\nX-Split: 1"), ("X-C\r\nX-Split", "1"), ("Content-Length", "9")] {
            answer.headers.push(Header::from_bytes(name, value).unwrap());
        }
        let text = kept(answer);
        assert!(!text.contains("Split") && !text.contains("X-A"), "{text}");
        assert!(text.contains("\r\nContent-Length: 0\r\n"), "{text}");
    }
}
