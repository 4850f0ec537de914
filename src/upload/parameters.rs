//! `value; name=value; name="value"`: the form that Content-Type and Content-Disposition share.
//!
//! Pure text in, text out. What a parameter means is left to whoever asks for it.

/// A header's value with its parameters (RFC 9110 §5.6.6, RFC 2183 §2).
#[derive(Debug, PartialEq, Eq)]
pub struct Parameterised {
    /// What stands before the first `;`, trimmed, in lower case: `multipart/form-data`.
    pub value: String,
    /// The parameters in their order, names in lower case, quotes and escapes taken away.
    parameters: Vec<(String, String)>,
}

impl Parameterised {
    /// Reads a header's value; `None` if a parameter has no `=`, no name, or an unfinished quote.
    ///
    /// An unquoted value may hold any character but `;`: clients send boundaries such as `=_a:b`
    /// unquoted. In a quoted one `\"` stands for `"` and `\\` for `\`; any other backslash stands for
    /// itself, as in the Windows paths that old browsers send as file names.
    pub fn parse(text: &str) -> Option<Parameterised> {
        let (value, mut rest) = text.split_once(';').unwrap_or((text, ""));
        let mut parameters = Vec::new();
        loop {
            rest = rest.trim_matches([' ', '\t', ';']);
            if rest.is_empty() {
                break;
            }
            let (name, after) = rest.split_once('=')?;
            let name = name.trim_end().to_ascii_lowercase();
            if name.is_empty() || name.contains([';', '"', ' ']) {
                return None;
            }
            let (content, after) = read_value(after.trim_start())?;
            parameters.push((name, content));
            rest = after;
        }
        Some(Parameterised { value: value.trim().to_ascii_lowercase(), parameters })
    }

    /// The content of the first parameter called `name` (in lower case).
    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(n, _)| n == name).map(|(_, content)| content.as_str())
    }
}

/// One parameter's content, and what follows it.
fn read_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (token, rest) = text.split_once(';').unwrap_or((text, ""));
        return Some((token.trim_end().to_owned(), rest));
    };
    let mut content = String::new();
    let mut characters = quoted.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => {
                let rest = quoted[at + 1..].trim_start();
                // Something between the closing quote and the next `;` belongs to no parameter.
                return (rest.is_empty() || rest.starts_with(';')).then_some((content, rest));
            }
            '\\' => match characters.next_if(|&(_, next)| matches!(next, '"' | '\\')) {
                Some((_, escaped)) => content.push(escaped),
                None => content.push('\\'),
            },
            other => content.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(text: &str, name: &str) -> Option<String> {
        Parameterised::parse(text).unwrap().get(name).map(str::to_owned)
    }

    #[test]
    fn quoted_or_not_is_the_same() {
        for text in
            ["a/b; boundary=x y:z", "A/B;boundary=\"x y:z\"", "a/b ; q=1; BOUNDARY = \"x y:z\" ;; z=\"\""]
        {
            assert_eq!(Parameterised::parse(text).unwrap().value, "a/b");
            assert_eq!(get(text, "boundary").as_deref(), Some("x y:z"), "{text}");
        }
    }

    #[test]
    fn escapes_are_taken_away_and_paths_are_not() {
        assert_eq!(get(r#"f; filename="a\"b\\c;d=e""#, "filename").as_deref(), Some(r#"a"b\c;d=e"#));
        assert_eq!(get(r#"f; filename="C:\my\é.jpg""#, "filename").as_deref(), Some(r"C:\my\é.jpg"));
    }

    #[test]
    fn what_does_not_fit_the_form_is_refused() {
        for bad in ["a; b", "a; =b", "a; b=\"c", "a; b=\"c\"d", "a; b c=d", "a; b=\"c\\\""] {
            assert_eq!(Parameterised::parse(bad), None, "{bad}");
        }
    }
}
