//! The URLs that answers hold: of objects, and of pages.
//!
//! Without a setting they start with what the client called this server. Its words are checked
//! before they are repeated.

use super::problem::Problem;
use crate::door::Head;
use crate::key::{Id, Key};

/// Longest Host that is repeated, in bytes: a DNS name has at most 253, and a port 6.
const MAX_HOST: usize = 260;

/// What URLs start with, as far as settings say.
#[derive(Clone, Debug, Default)]
pub struct Links {
    /// What object URLs start with, without a slash at the end; else this server's `/o`.
    pub objects: Option<String>,
    /// What page URLs start with, without a slash at the end; else scheme and Host of the request.
    pub pages: Option<String>,
}

/// What URLs start with in one answer.
#[derive(Clone, Debug)]
pub struct Here {
    objects: String,
    pages: String,
}

impl Links {
    /// What the paths of pages start with, as browsers see them: empty, or a path without a slash at
    /// its end.
    pub fn base(&self) -> &str {
        self.pages.as_deref().map_or("", path)
    }

    /// What the paths of objects start with, as browsers see them: a path without a slash at its end.
    pub fn object_base(&self) -> &str {
        self.objects.as_deref().map_or("/o", path)
    }

    /// The URLs for an answer to `head`.
    ///
    /// # Errors
    /// [`Problem::Host`] if its Host is needed and is missing or malformed.
    pub fn here(&self, head: &Head) -> Result<Here, Problem> {
        let pages = match &self.pages {
            Some(pages) => pages.clone(),
            None => {
                let host = head.header("host").filter(|host| is_host(host)).ok_or(Problem::Host)?;
                format!("{}://{host}", head.forwarded_proto.unwrap_or("http"))
            }
        };
        let objects = self.objects.clone().unwrap_or_else(|| format!("{pages}/o"));
        Ok(Here { objects, pages })
    }
}

impl Here {
    /// URL of an object.
    pub fn object(&self, key: &Key) -> String {
        // A public key holds only characters that a URL's path may hold as they are.
        format!("{}/{key}", self.objects)
    }

    /// URL of the page to upload with.
    pub fn home(&self) -> String {
        format!("{}/", self.pages)
    }

    /// URL that takes an upload and answers all that is known of it.
    pub fn images(&self) -> String {
        format!("{}/api/images", self.pages)
    }

    /// URL of an upload's share page.
    pub fn share(&self, id: &Id) -> String {
        format!("{}/i/{id}", self.pages)
    }

    /// URL of an upload's state.
    pub fn status(&self, id: &Id) -> String {
        format!("{}/i/{id}.json", self.pages)
    }

    /// URL that deletes an upload: by DELETE, or by a person's yes on the page that a browser gets.
    pub fn deletion(&self, id: &Id, token: &str) -> String {
        format!("{}/i/{id}/delete?token={token}", self.pages)
    }

    /// Path of an upload's share page, as browsers see it: what its cookie is bound to.
    pub fn share_path(&self, id: &Id) -> String {
        format!("{}/i/{id}", path(&self.pages))
    }

    /// Whether pages are fetched over TLS.
    pub fn is_secure(&self) -> bool {
        self.pages.starts_with("https://")
    }

    /// Host and port of the pages.
    pub fn host(&self) -> &str {
        let rest = self.pages.split_once("://").map_or("", |(_, rest)| rest);
        rest.split('/').next().unwrap_or("")
    }

    /// Origin of the pages' URLs, as [`Here::object_origin`].
    pub fn page_origin(&self) -> Option<&str> {
        origin(&self.pages)
    }

    /// Origin of the objects' URLs, for a content security policy; `None` if it holds characters
    /// that have a meaning there.
    pub fn object_origin(&self) -> Option<&str> {
        origin(&self.objects)
    }
}

/// Scheme, host and port of a URL, if they are well-formed.
pub fn origin(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split('/').next()?;
    is_host(host).then(|| &url[..scheme.len() + 3 + host.len()])
}

/// A URL's path, without a slash at its end.
fn path(url: &str) -> &str {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    rest.find('/').map_or("", |slash| &rest[slash..])
}

/// Whether a text is a Host as it may be repeated: a name or an address, and perhaps a port
/// (RFC 9110 §7.2, RFC 3986 §3.2.2). Of RFC 3986's `reg-name` only what DNS names are made of is
/// allowed: no percent-encoding, no `!$&'()*+,;=`.
fn is_host(text: &str) -> bool {
    if text.len() > MAX_HOST {
        return false;
    }
    let (host, rest) = match text.strip_prefix('[') {
        Some(bracketed) => match bracketed.split_once(']') {
            Some((address, rest)) if address.parse::<std::net::Ipv6Addr>().is_ok() => ("v6", rest),
            _ => return false,
        },
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    let port = |port: &str| {
        (1..=5).contains(&port.len())
            && port.bytes().all(|b| b.is_ascii_digit())
            && port.parse::<u16>().is_ok()
    };
    let rest_fits = rest.is_empty() || rest.strip_prefix(':').is_some_and(port);
    !host.is_empty() && host.bytes().all(name) && rest_fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_may_be_below_a_path() {
        let links = |url: &str| Links { objects: None, pages: Some(url.to_owned()) };
        assert_eq!((Links::default().base(), links("https://a.example").base()), ("", ""));
        assert_eq!(links("https://a.example/b/c").base(), "/b/c");
    }

    #[test]
    fn hosts_are_names_or_addresses_and_nothing_else() {
        for good in ["localhost", "a-b.example:8080", "127.0.0.1", "[::1]", "[2001:db8::1]:443", "a_b"] {
            assert!(is_host(good), "{good}");
        }
        let long = "a".repeat(MAX_HOST + 1);
        for bad in [
            "", ":80", "a:", "a:b", "a:99999", "a:+80", "a/b", "a b", "a@b", "a\"b", "a<b", "[::1", "[x]",
            "[::1]x", "é", "a%20", "a,b", "::1", &long,
        ] {
            assert!(!is_host(bad), "{bad}");
        }
    }
}
