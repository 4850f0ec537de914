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

    /// URL of an upload's share page.
    pub fn share(&self, id: &Id) -> String {
        format!("{}/i/{id}", self.pages)
    }

    /// Origin of the objects' URLs, for a content security policy; `None` if it holds characters
    /// that have a meaning there.
    pub fn object_origin(&self) -> Option<&str> {
        let (scheme, rest) = self.objects.split_once("://")?;
        let host = rest.split('/').next()?;
        is_host(host).then(|| &self.objects[..scheme.len() + 3 + host.len()])
    }
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
