//! Lets pages of other origins upload: cross-origin resource sharing (WHATWG Fetch §3.3), preflights
//! included. No credentials are allowed: a cookie of this site is nobody else's to use.

use super::links;
use crate::door::{Answer, Head, Method};

/// What may be asked, and how long a browser need not ask again whether it may.
const METHODS: &str = "GET, HEAD, POST, PUT, DELETE";
const HEADERS: &str = "Accept, Authorization, Content-Type, X-Delete-Token";
const AGE: &str = "86400";

/// Header fields of an answer that a page may see beside the harmless ones.
const EXPOSED: &str = "Location, Retry-After, X-Delete-Token, X-Image-Id, X-Request-Id";

/// Origins whose pages may ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(Vec<String>);

impl Origins {
    /// Reads origins with commas between, `https://a.example,http://localhost:3000`, or `*` for any;
    /// `None` if one is none.
    pub fn parse(text: &str) -> Option<Origins> {
        let read = |text: &str| {
            let text = text.trim();
            let whole = links::origin(text).is_some_and(|origin| origin == text);
            let web = text.starts_with("https://") || text.starts_with("http://");
            (text == "*" || (whole && web)).then(|| text.to_ascii_lowercase())
        };
        text.split(',').map(read).collect::<Option<_>>().map(Origins)
    }

    /// The origin that a request comes from, if it may ask.
    pub fn allowed<'h>(&self, head: &'h Head) -> Option<&'h str> {
        let origin = head.header("origin")?;
        // Browsers write scheme and host in lower case (RFC 6454 §6.1).
        self.0.iter().any(|allowed| allowed == "*" || allowed == origin).then_some(origin)
    }

    /// The answer to a preflight from an origin that may ask; `None` for all other requests.
    pub fn preflight(&self, head: &Head) -> Option<Answer> {
        let asks = head.method == Method::Options && head.header("access-control-request-method").is_some();
        if !asks {
            return None;
        }
        self.allowed(head)?;
        let answer = Answer::empty(204)
            .with_header("Access-Control-Allow-Methods", METHODS)
            .with_header("Access-Control-Allow-Headers", HEADERS)
            .with_header("Access-Control-Max-Age", AGE);
        Some(answer)
    }

    /// Adds what lets a page of the origin see this answer.
    pub fn dress(&self, answer: Answer, head: Option<&Head>) -> Answer {
        if self.0.is_empty() {
            return answer;
        }
        let answer = answer.with_header("Vary", "Origin");
        match head.and_then(|head| self.allowed(head)) {
            Some(origin) => answer
                .with_header("Access-Control-Allow-Origin", origin)
                .with_header("Access-Control-Expose-Headers", EXPOSED),
            None => answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_read_and_nothing_else() {
        let origins = Origins::parse("https://a.example, http://localhost:3000").unwrap();
        assert_eq!(origins.0, ["https://a.example", "http://localhost:3000"]);
        assert!(Origins::parse("*").is_some());
        for bad in [
            "",
            "a.example",
            "https://a.example/",
            "https://a.example/x",
            "ftp://a.example",
            "null",
            "https://",
        ] {
            assert_eq!(Origins::parse(bad), None, "{bad}");
        }
    }
}
