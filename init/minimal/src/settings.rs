//! The program's settings out of the user data: `NAME=VALUE` lines. What they may be is the
//! program's to say; here is only what becomes part of its environment.

use crate::console::tame;

/// Beginnings of the names that a program reads.
const PREFIXES: [&str; 2] = ["SHARER_", "AWS_"];

/// Names besides.
const NAMES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"];

/// What the user data says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Names and values, in the order of the lines.
    pub pairs: Vec<(String, String)>,
    /// A sentence for each line that is no setting.
    pub wrong: Vec<String>,
}

/// Reads user data: a setting a line; empty lines and those that begin with `#` are passed over. A
/// value may be in quotes of either kind, which are taken off.
pub fn parse(user_data: &str) -> Settings {
    let mut settings = Settings::default();
    for (number, line) in (1..).zip(user_data.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        // The value may be a secret: a line is never repeated whole.
        match line.split_once('=').map(|(name, value)| (name.trim(), unquoted(value.trim()))) {
            None => settings.wrong.push(format!("user data, line {number}: NAME=VALUE is expected")),
            Some((name, _)) if !is_known(name) => {
                let name = tame(name);
                settings.wrong.push(format!("user data, line {number}: {name:?} is no setting's name"));
            }
            Some((name, value)) if value.contains('\0') => {
                settings.wrong.push(format!("user data, line {number}: {name} holds a zero byte"));
            }
            Some((name, value)) => settings.pairs.push((name.to_owned(), value.to_owned())),
        }
    }
    settings
}

fn is_known(name: &str) -> bool {
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    plain && (PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || NAMES.contains(&name))
}

fn unquoted(value: &str) -> &str {
    let inner = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(value)
}

/// The settings as a file that systemd reads (`EnvironmentFile=` in systemd.exec(5)): each value in double
/// quotes, in which a backslash takes the meaning of the four characters that have one.
pub fn environment_file(settings: &Settings) -> String {
    let mut out = String::new();
    for (name, value) in &settings.pairs {
        out.push_str(name);
        out.push_str("=\"");
        for c in value.chars() {
            if matches!(c, '"' | '\\' | '`' | '$') {
                out.push('\\');
            }
            out.push(c);
        }
        out.push_str("\"\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_a_setting() {
        let text =
            "# worker\r\n\nSHARER_QUEUE = sqs://jobs\nAWS_REGION=\"eu-west-1\"\nSHARER_STORE='s3://a=b'\n";
        let pairs =
            [("SHARER_QUEUE", "sqs://jobs"), ("AWS_REGION", "eu-west-1"), ("SHARER_STORE", "s3://a=b")];
        let settings = parse(text);
        assert_eq!(settings.pairs, pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(settings.wrong, Vec::<String>::new());
    }

    #[test]
    fn what_is_no_setting_is_said_without_its_value() {
        let settings =
            parse("#!/bin/sh\nrm -rf secret\nLD_PRELOAD=secret\nSHARER_A=\0secret\nSHARER X=secret\n");
        assert!(settings.pairs.is_empty());
        assert_eq!(settings.wrong.len(), 4);
        assert_eq!(settings.wrong[1], "user data, line 3: \"LD_PRELOAD\" is no setting's name");
        assert!(settings.wrong.iter().all(|line| !line.contains("secret")));
    }

    #[test]
    fn no_user_data_is_no_setting() {
        assert_eq!(parse(""), Settings::default());
    }

    #[test]
    fn what_systemd_would_read_into_a_value_is_quoted() {
        let settings = parse("SHARER_A=a b#c\nSHARER_B='$HOME `x` \\ \"y\"'\n");
        assert_eq!(
            environment_file(&settings),
            "SHARER_A=\"a b#c\"\nSHARER_B=\"\\$HOME \\`x\\` \\\\ \\\"y\\\"\"\n"
        );
    }
}
