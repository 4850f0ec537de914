//! A request's body on its way to one file's bytes: a form, or the bare file.
//!
//! A part's own Content-Type and Content-Length are not believed, and file names are not used at
//! all. What the bytes are is left to [`super::accept`].

use super::Error;
use super::lifetime::Lifetime;
use super::multipart::{Boundary, Event, Limits, Parser, Part};
use super::parameters::Parameterised;
use super::spool::{self, Spool};

/// Name of the form's field that holds the image.
const FIELD: &str = "image";

/// Name of the form's field that says for how many seconds the upload is kept.
const EXPIRES: &str = "expires";

/// What a form may have beside its file.
const LIMITS: Limits = Limits { parts: 16, head_bytes: 8 * 1024, headers: 16 };

/// Most bytes of a field that is no file.
const MAX_FIELD: u64 = 4 * 1024;

/// Most bytes that a form's body has beside its file's: delimiters, heads, fields. What the door lets in is
/// this much more than a file may have.
pub const FRAMING: u64 = 64 * 1024;

/// What a body is, as its Content-Type declares it.
#[derive(Debug)]
enum Kind {
    Form(Box<Form>),
    /// The body is the file.
    Raw,
}

/// A body that is being taken in.
#[derive(Debug)]
pub struct Intake {
    kind: Kind,
    file: Limited,
}

/// What a body held.
#[derive(Debug)]
pub struct Taken {
    /// The file's bytes, at least one.
    pub file: Spool,
    /// How long the form asks to keep it, if it does.
    pub lifetime: Option<Lifetime>,
}

/// The file's bytes, so far.
#[derive(Debug)]
struct Limited {
    spool: Spool,
    limit: u64,
}

/// A form that is being parsed.
#[derive(Debug)]
struct Form {
    parser: Parser,
    progress: Progress,
}

/// Where in the form's parts we are.
#[derive(Debug)]
struct Progress {
    current: Current,
    file: Found,
    lifetime: Option<Lifetime>,
}

/// The part whose content comes now.
#[derive(Clone, Debug)]
enum Current {
    /// The file; `unnamed` if its file name is empty.
    File { unnamed: bool },
    /// How long to keep it: the value so far.
    Lifetime(Vec<u8>),
    /// Whatever else clients send.
    Field { length: u64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    File,
}

impl Intake {
    /// Prepares for a body of this Content-Type, whose file may have at most `max_bytes`.
    ///
    /// A body without a Content-Type is taken as the bare file: that is what `curl -T` sends.
    ///
    /// # Errors
    /// [`Error::NoForm`] or [`Error::Boundary`].
    pub fn new(content_type: Option<&str>, max_bytes: u64, spool: &spool::Config) -> Result<Intake, Error> {
        let kind = match content_type {
            None => Kind::Raw,
            Some(text) => read_kind(text)?,
        };
        Ok(Intake { kind, file: Limited { spool: Spool::new(spool), limit: max_bytes } })
    }

    /// Most bytes that the whole body may have.
    pub fn max_body(&self) -> u64 {
        match self.kind {
            Kind::Form(_) => self.file.limit.saturating_add(FRAMING),
            Kind::Raw => self.file.limit,
        }
    }

    /// Takes the body's next bytes.
    ///
    /// # Errors
    /// As soon as the body can't be accepted any more.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        match &mut self.kind {
            Kind::Raw => self.file.write(bytes),
            Kind::Form(form) => {
                let Form { parser, progress } = form.as_mut();
                parser.push(bytes, &mut |event| progress.on(event, &mut self.file))
            }
        }
    }

    /// The body is complete: what it held.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::NoFile`], [`Error::Empty`].
    pub fn finish(self) -> Result<Taken, Error> {
        let mut lifetime = None;
        if let Kind::Form(form) = &self.kind {
            form.parser.finish()?;
            if form.progress.file == Found::Nothing {
                return Err(Error::NoFile);
            }
            lifetime = form.progress.lifetime;
        }
        match self.file.spool.length() {
            0 => Err(Error::Empty),
            _ => Ok(Taken { file: self.file.spool, lifetime }),
        }
    }
}

fn read_kind(content_type: &str) -> Result<Kind, Error> {
    let media = Parameterised::parse(content_type).ok_or(Error::NoForm)?;
    match media.value.as_str() {
        "multipart/form-data" => {
            let boundary = media.get("boundary").and_then(Boundary::parse).ok_or(Error::Boundary)?;
            let current = Current::Field { length: 0 };
            let progress = Progress { current, file: Found::Nothing, lifetime: None };
            Ok(Kind::Form(Box::new(Form { parser: Parser::new(&boundary, LIMITS), progress })))
        }
        "application/octet-stream" => Ok(Kind::Raw),
        image if image.starts_with("image/") => Ok(Kind::Raw),
        _ => Err(Error::NoForm),
    }
}

impl Progress {
    fn on(&mut self, event: Event<'_>, file: &mut Limited) -> Result<(), Error> {
        match (event, &mut self.current) {
            (Event::Begin(part), _) => self.begin(&part),
            (Event::Data(bytes), Current::File { .. }) => file.write(bytes),
            (Event::Data(bytes), Current::Field { length }) => {
                *length += bytes.len() as u64;
                within_field(*length)
            }
            (Event::Data(bytes), Current::Lifetime(value)) => {
                value.extend_from_slice(bytes);
                within_field(value.len() as u64)
            }
            (Event::End, Current::Lifetime(value)) => {
                self.lifetime = read_lifetime(value)?;
                Ok(())
            }
            // A browser whose person chose no file sends one without a name and without bytes.
            (Event::End, Current::File { unnamed: true }) if file.spool.length() == 0 => {
                self.file = Found::Nothing;
                Ok(())
            }
            (Event::End, _) => Ok(()),
        }
    }

    /// A part is a file if it says so by a file name, or if it has the image's own name: some
    /// clients send that without a file name.
    fn begin(&mut self, part: &Part) -> Result<(), Error> {
        if part.filename.is_none() && part.name != FIELD {
            self.current = match part.name.as_str() {
                EXPIRES => Current::Lifetime(Vec::new()),
                _ => Current::Field { length: 0 },
            };
            return Ok(());
        }
        if self.file == Found::File {
            return Err(Error::TwoFiles);
        }
        self.file = Found::File;
        self.current = Current::File { unnamed: part.filename.as_deref() == Some("") };
        Ok(())
    }
}

fn within_field(length: u64) -> Result<(), Error> {
    if length > MAX_FIELD { Err(Error::FieldTooLarge { limit: MAX_FIELD }) } else { Ok(()) }
}

/// A form's choice of none is an empty field.
fn read_lifetime(value: &[u8]) -> Result<Option<Lifetime>, Error> {
    match std::str::from_utf8(value).map(str::trim) {
        Ok("") => Ok(None),
        Ok(text) => Lifetime::parse(text).map(Some).ok_or(Error::Lifetime),
        Err(_) => Err(Error::Lifetime),
    }
}

impl Limited {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if self.spool.length() + bytes.len() as u64 > self.limit {
            return Err(Error::TooLarge { limit: self.limit });
        }
        self.spool.write(bytes).map_err(Error::Spool)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::upload::multipart;
    use crate::upload::spool::Budget;

    const FORM: &str = "multipart/form-data; boundary=xx";
    const MAX: u64 = 20;

    /// Takes a body in, and returns the file's bytes.
    fn take(content_type: Option<&str>, body: &str) -> Result<String, Error> {
        let mut file = String::new();
        taken(content_type, body)?.file.reader().read_to_string(&mut file).unwrap();
        Ok(file)
    }

    fn taken(content_type: Option<&str>, body: &str) -> Result<Taken, Error> {
        let spool = spool::Config {
            budget: Budget::new(1 << 20),
            memory_each: 1 << 20,
            folder: std::env::temp_dir(),
        };
        let mut intake = Intake::new(content_type, MAX, &spool)?;
        for piece in body.as_bytes().chunks(7) {
            intake.push(piece)?;
        }
        intake.finish()
    }

    /// A form of these parts: what stands after `form-data; `, and the content.
    fn form(parts: &[(&str, &str)]) -> String {
        let part = |(head, content): &(&str, &str)| {
            format!("--xx\r\nContent-Disposition: form-data; {head}\r\n\r\n{content}\r\n")
        };
        parts.iter().map(part).collect::<String>() + "--xx--\r\n"
    }

    fn take_form(parts: &[(&str, &str)]) -> Result<String, Error> {
        take(Some(FORM), &form(parts))
    }

    #[test]
    fn the_file_is_called_image() {
        assert_eq!(take_form(&[("name=image; filename=a.jpg", "abc")]).unwrap(), "abc");
        assert_eq!(take_form(&[("name=image", "abc")]).unwrap(), "abc");
        assert_eq!(take_form(&[("name=t", "x"), ("name=image", "abc"), ("name=u", "")]).unwrap(), "abc");
    }

    #[test]
    fn one_file_under_another_name_is_taken() {
        for name in ["file", "source", "\"images[]\""] {
            assert_eq!(take_form(&[(&format!("name={name}; filename=a"), "abc")]).unwrap(), "abc");
        }
    }

    #[test]
    fn names_of_files_mean_nothing() {
        for name in ["../../etc/passwd", "a\\\"b", "🦀.jpg", "con%0D%0A", &"x".repeat(4000)] {
            let head = format!("name=image; filename=\"{name}\"");
            assert_eq!(take_form(&[(&head, "abc")]).unwrap(), "abc");
        }
    }

    #[test]
    fn two_files_or_none_are_refused() {
        let (image, other) = (("name=image; filename=a", "abc"), ("name=file; filename=b", "def"));
        assert!(matches!(take_form(&[image, other]), Err(Error::TwoFiles)));
        assert!(matches!(take_form(&[other, image]), Err(Error::TwoFiles)));
        assert!(matches!(take_form(&[image, image]), Err(Error::TwoFiles)));
        assert!(matches!(take_form(&[("name=text", "abc")]), Err(Error::NoFile)));
        assert!(matches!(take_form(&[]), Err(Error::NoFile)));
    }

    #[test]
    fn a_file_that_was_not_chosen_is_none() {
        let not_chosen = ("name=camera; filename=\"\"", "");
        assert!(matches!(take_form(&[not_chosen]), Err(Error::NoFile)));
        assert_eq!(take_form(&[not_chosen, ("name=image; filename=a", "abc")]).unwrap(), "abc");
    }

    #[test]
    fn an_empty_file_is_empty() {
        assert!(matches!(take_form(&[("name=image; filename=a", "")]), Err(Error::Empty)));
        assert!(matches!(take(Some("image/png"), ""), Err(Error::Empty)));
    }

    #[test]
    fn the_files_bytes_are_limited_and_fields_too() {
        let most = "x".repeat(MAX as usize);
        assert_eq!(take_form(&[("name=image", &most)]).unwrap(), most);
        assert_eq!(take(None, &most).unwrap(), most);
        let more = most + "x";
        assert!(matches!(take_form(&[("name=image", &more)]), Err(Error::TooLarge { limit: MAX })));
        assert!(matches!(take(None, &more), Err(Error::TooLarge { limit: MAX })));
        let field = "x".repeat(MAX_FIELD as usize + 1);
        assert!(matches!(take_form(&[("name=t", &field)]), Err(Error::FieldTooLarge { .. })));
    }

    #[test]
    fn a_form_may_say_how_long_to_keep_its_file() {
        let image = ("name=image", "abc");
        let lifetime = |parts: &[(&str, &str)]| Ok::<_, Error>(taken(Some(FORM), &form(parts))?.lifetime);
        for form in [[("name=expires", "3600"), image], [image, ("name=expires", "3600")]] {
            assert_eq!(lifetime(&form).unwrap(), Lifetime::parse("3600"));
        }
        assert_eq!(lifetime(&[image, ("name=expires", "")]).unwrap(), None);
        for bad in ["0", "1h", "9999999999"] {
            assert!(matches!(lifetime(&[image, ("name=expires", bad)]), Err(Error::Lifetime)), "{bad}");
        }
        let long = "1".repeat(MAX_FIELD as usize + 1);
        assert!(matches!(lifetime(&[image, ("name=expires", &long)]), Err(Error::FieldTooLarge { .. })));
    }

    #[test]
    fn bare_bytes_are_a_file() {
        for content_type in [None, Some("image/jpeg"), Some("IMAGE/x; a=b"), Some("application/octet-stream")]
        {
            assert_eq!(take(content_type, "abc").unwrap(), "abc");
        }
    }

    #[test]
    fn other_bodies_are_no_form() {
        for content_type in ["text/plain", "application/json", "application/x-www-form-urlencoded", "", ";"] {
            assert!(matches!(take(Some(content_type), "abc"), Err(Error::NoForm)), "{content_type}");
        }
        for content_type in ["multipart/form-data", "multipart/form-data; boundary=\"\""] {
            assert!(matches!(take(Some(content_type), "abc"), Err(Error::Boundary)), "{content_type}");
        }
    }

    #[test]
    fn a_form_that_ends_early_is_malformed() {
        let body = form(&[("name=image", "abc")]);
        let cut = &body[..body.len() - 8];
        let answer = take(Some(FORM), cut);
        assert!(matches!(answer, Err(Error::Malformed(multipart::Error::Unfinished))), "{answer:?}");
    }
}
