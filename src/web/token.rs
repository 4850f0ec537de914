//! The delete token of an upload: where a client shows it, and how a browser keeps it.

use super::links::Here;
use super::query;
use crate::door::Head;
use crate::key::Id;
use crate::upload::Accepted;

/// Name of the cookie. It is bound to the path of one upload's page, so that there is one for each.
const COOKIE: &str = "delete";

/// How long a browser keeps the token of an upload without an expiry, in seconds: a year.
const KEPT: u64 = 365 * 86_400;

/// The token that a request shows: in a header, in the query, or as this browser's own.
pub fn shown(head: &Head) -> Option<String> {
    head.header("x-delete-token").map(str::to_owned).or_else(|| asked(head)).or_else(|| kept(head))
}

/// The token in the query: that of a deletion URL.
pub fn asked(head: &Head) -> Option<String> {
    query::get(&head.query, "token").filter(|token| !token.is_empty())
}

/// The token that the browser kept (RFC 6265 §5.4).
pub fn kept(head: &Head) -> Option<String> {
    let pairs = head.header("cookie")?.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(name, _)| *name == COOKIE).map(|(_, token)| token.to_owned()).next()
}

/// `Set-Cookie` by which a browser keeps an upload's token. `Lax`: no other site's form can use it.
pub fn cookie(accepted: &Accepted, here: &Here) -> String {
    let Accepted { id, delete_token, record, .. } = accepted;
    let age = record.expires.map_or(KEPT, |expires| expires.saturating_sub(record.created).div_ceil(1000));
    format!("{COOKIE}={delete_token}; {}", attributes(id, here, age))
}

/// `Set-Cookie` by which it forgets it.
pub fn forgotten(id: &Id, here: &Here) -> String {
    format!("{COOKIE}=; {}", attributes(id, here, 0))
}

fn attributes(id: &Id, here: &Here, age: u64) -> String {
    let secure = if here.is_secure() { "; Secure" } else { "" };
    format!("Path={}; Max-Age={age}; SameSite=Lax{secure}", here.share_path(id))
}
