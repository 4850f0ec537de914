//! Logs: one line an event, logfmt or JSON, to standard error.
//!
//! Code logs through the `log` crate's macros with key-value fields; this is what they end in.
//! A value that holds anything but plain characters is quoted, so no client can forge a line. In JSON,
//! numbers and truth values are written as such.

use std::fmt::Write as _;
use std::io::Write as _;

use log::kv::{self, Key, Value, VisitSource};
use log::{LevelFilter, Log, Metadata, Record};

use super::time;

/// What is logged: this severity and above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(LevelFilter);

impl Level {
    /// Reads a level's name.
    pub fn parse(text: &str) -> Option<Level> {
        Some(Level(match text {
            "error" => LevelFilter::Error,
            "warn" => LevelFilter::Warn,
            "info" => LevelFilter::Info,
            "debug" => LevelFilter::Debug,
            _ => return None,
        }))
    }
}

/// A line's form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `ts=… level=info msg="…" key=value`.
    Logfmt,
    /// `{"ts":"…","level":"info","msg":"…","key":"value"}`.
    Json,
}

impl Format {
    /// Reads a form's name.
    pub fn parse(text: &str) -> Option<Format> {
        match text {
            "logfmt" => Some(Format::Logfmt),
            "json" => Some(Format::Json),
            _ => None,
        }
    }
}

/// Sends all that is logged from now on to standard error. Later calls change nothing.
pub fn start(level: Level, format: Format) {
    if log::set_boxed_logger(Box::new(Stderr { format })).is_ok() {
        log::set_max_level(level.0);
    }
}

struct Stderr {
    format: Format,
}

impl Log for Stderr {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // Libraries' chatter is for their developers; their warnings are for operators too.
        metadata.level() <= log::Level::Warn
            || metadata.target().starts_with("image_sharer")
            || metadata.target() == "access"
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let line = line(record, self.format, time::now_millis());
            // One write a line, so that lines of several threads don't mix; if standard error
            // is gone there is nobody left to tell.
            let _ = std::io::stderr().write_all(line.as_bytes());
        }
    }

    fn flush(&self) {}
}

fn line(record: &Record<'_>, format: Format, now: u64) -> String {
    let level = record.level().as_str().to_ascii_lowercase();
    let field = |name: &str, text| Field { name: name.to_owned(), text, bare: false };
    let mut fields =
        vec![field("ts", time::rfc3339(now)), field("level", level), field("msg", record.args().to_string())];
    // Collecting into a vector can't fail.
    let _ = record.key_values().visit(&mut Collect(&mut fields));
    match format {
        Format::Logfmt => logfmt(&fields),
        Format::Json => json(&fields),
    }
}

/// A field of a line.
struct Field {
    name: String,
    text: String,
    /// Whether JSON has it without quotation marks.
    bare: bool,
}

struct Collect<'a>(&'a mut Vec<Field>);

impl<'kvs> VisitSource<'kvs> for Collect<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        let bare = value.to_u64().is_some() || value.to_i64().is_some() || value.to_bool().is_some();
        self.0.push(Field { name: key.as_str().to_owned(), text: value.to_string(), bare });
        Ok(())
    }
}

fn logfmt(fields: &[Field]) -> String {
    let mut line = String::new();
    for (i, Field { name, text, .. }) in fields.iter().enumerate() {
        let space = if i == 0 { "" } else { " " };
        let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && !b"\"=\\".contains(&b));
        // Writing to a string can't fail.
        let _ = if plain {
            write!(line, "{space}{name}={text}")
        } else {
            write!(line, "{space}{name}={}", quoted(text))
        };
    }
    line.push('\n');
    line
}

fn json(fields: &[Field]) -> String {
    let mut line = String::from("{");
    for (i, Field { name, text, bare }) in fields.iter().enumerate() {
        let comma = if i == 0 { "" } else { "," };
        // Writing to a string can't fail.
        let _ = write!(line, "{comma}{}:", quoted(name));
        line += &if *bare { text.clone() } else { quoted(text) };
    }
    line.push_str("}\n");
    line
}

/// A JSON string (RFC 8259 §7); logfmt readers take the same.
fn quoted(text: &str) -> String {
    // A string always serialises.
    serde_json::to_string(text).expect("a string is plain data")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(format: Format, message: &str, value: &str) -> String {
        let pairs = [("key", value)];
        line(
            &Record::builder()
                .args(format_args!("{message}"))
                .level(log::Level::Info)
                .key_values(&pairs)
                .build(),
            format,
            0,
        )
    }

    #[test]
    fn a_line_holds_time_level_message_and_fields() {
        assert_eq!(
            written(Format::Logfmt, "stored", "7"),
            "ts=1970-01-01T00:00:00.000Z level=info msg=stored key=7\n"
        );
        assert_eq!(
            written(Format::Json, "stored", "7"),
            "{\"ts\":\"1970-01-01T00:00:00.000Z\",\"level\":\"info\",\"msg\":\"stored\",\"key\":\"7\"}\n"
        );
    }

    #[test]
    fn in_json_numbers_are_numbers_and_text_that_looks_like_one_is_text() {
        let pairs = [("n", Value::from(7_u64)), ("b", Value::from(true)), ("t", Value::from("7"))];
        let record = Record::builder().args(format_args!("m")).key_values(&pairs).build();
        assert!(line(&record, Format::Json, 0).ends_with("\"n\":7,\"b\":true,\"t\":\"7\"}\n"));
    }

    #[test]
    fn no_value_can_forge_a_line_or_a_field() {
        for format in [Format::Logfmt, Format::Json] {
            let line = written(format, "a", "x\nlevel=error \" \u{1b}[2J");
            assert_eq!(line.matches('\n').count(), 1, "{line:?}");
            assert!(!line.contains('\u{1b}') && line.contains("\\nlevel=error \\\""), "{line:?}");
        }
    }
}
