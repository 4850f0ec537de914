//! Percent-encoding (RFC 3986 §2.1), taken away strictly, and a target's query.

/// Takes percent-encoding away; `None` if a `%` is not followed by two hexadecimal digits, or the
/// bytes are no UTF-8.
pub fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let (&[high, low], after) = rest.split_first_chunk()?;
        bytes.push(digit(high)? << 4 | digit(low)?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// The value of the first parameter called `name` in `a=b&c=d`, decoded; `None` if there is none.
pub fn get(query: &str, name: &str) -> Option<String> {
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.filter(|(n, _)| *n == name).find_map(|(_, value)| decode(&value.replace('+', " ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_escapes_are_taken_away() {
        assert_eq!(decode("a%2fb%2F%25é").as_deref(), Some("a/b/%é"));
        assert_eq!(decode("%252e").as_deref(), Some("%2e"));
        for bad in ["%", "%2", "%2g", "%+1", "%ff"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_first_of_a_name_counts() {
        assert_eq!(get("a=1&b=x%20y+z&b=2", "b").as_deref(), Some("x y z"));
        assert_eq!(get("a&b", "b").as_deref(), Some(""));
        assert_eq!(get("ab=1", "b"), None);
        assert_eq!(get("", "b"), None);
    }
}
