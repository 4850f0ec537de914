//! Reads a small XML document whole: what S3 answers with, an error first of all.
//!
//! Bounded in bytes, depth and elements. Text that the parser hands over in pieces, as it does at
//! every entity, is joined; a document that ends before its root does is an error.

use std::fmt;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

/// Longest document that is read, in bytes. An error of S3 has less than 2 KiB.
pub const MAX_BYTES: usize = 256 * 1024;

/// Deepest nesting of elements.
const MAX_DEPTH: usize = 16;

/// Most elements of a document.
const MAX_ELEMENTS: usize = 10_000;

/// An element with its text and the elements inside it. Attributes are not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// Its name without a namespace prefix.
    pub name: String,
    /// All its text, without white space at its ends.
    pub text: String,
    /// The elements inside it, in their order.
    pub children: Vec<Element>,
}

/// Why a text is not a document that is read here.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed(String);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "malformed XML: {}", self.0)
    }
}

impl std::error::Error for Malformed {}

impl Element {
    fn new(name: &str) -> Element {
        Element { name: name.to_owned(), text: String::new(), children: Vec::new() }
    }

    /// The first element inside it with this name.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first element inside it with this name.
    pub fn child_text(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }
}

/// Reads a document; returns its root.
///
/// # Errors
/// What is wrong with it, or which bound it breaks.
pub fn parse(document: &[u8]) -> Result<Element, Malformed> {
    if document.len() > MAX_BYTES {
        return Err(Malformed(format!("{} bytes; at most {MAX_BYTES} are read", document.len())));
    }
    let text = std::str::from_utf8(document).map_err(|_| wrong("it is not UTF-8"))?;
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut tree = Tree::default();
    loop {
        match reader.read_event().map_err(|e| Malformed(e.to_string()))? {
            Event::Start(start) => tree.start(start.local_name().as_ref())?,
            Event::End(_) => tree.end()?,
            Event::Text(text) => tree.text(&text.xml10_content())?,
            Event::CData(text) => tree.text(&text.xml10_content())?,
            Event::GeneralRef(reference) => tree.text(&resolve(&reference)?)?,
            Event::DocType(_) => return Err(wrong("a document type")),
            Event::Eof => return tree.finish(),
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
}

fn wrong(why: &str) -> Malformed {
    Malformed(why.to_owned())
}

/// A document that is being read.
#[derive(Default)]
struct Tree {
    /// The elements that have begun and not ended, from the root on.
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl Tree {
    fn start(&mut self, name: &str) -> Result<(), Malformed> {
        self.elements += 1;
        if self.root.is_some() {
            return Err(wrong("a second root"));
        }
        if !is_name(name) {
            return Err(wrong("a name that is none"));
        }
        if self.open.len() == MAX_DEPTH || self.elements > MAX_ELEMENTS {
            return Err(wrong("too deep or too many elements"));
        }
        self.open.push(Element::new(name));
        Ok(())
    }

    /// The parser has checked that the end matches the start.
    fn end(&mut self) -> Result<(), Malformed> {
        let mut closed = self.open.pop().ok_or_else(|| wrong("an end without a start"))?;
        closed.text = closed.text.trim().to_owned();
        match self.open.last_mut() {
            Some(parent) => parent.children.push(closed),
            None => self.root = Some(closed),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Malformed> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(wrong("text outside the root")),
        }
        Ok(())
    }

    fn finish(self) -> Result<Element, Malformed> {
        match self.root {
            Some(root) if self.open.is_empty() => Ok(root),
            _ => Err(wrong("it ends before its root does")),
        }
    }
}

/// Whether a local name is one (XML 1.0, 2.3, and Namespaces in XML, 4), but for characters beyond ASCII,
/// of which all are let pass. The parser takes whatever stands there.
fn is_name(name: &str) -> bool {
    let starts = |b: u8| b.is_ascii_alphabetic() || b == b'_' || !b.is_ascii();
    let goes_on = |b: u8| starts(b) || b.is_ascii_digit() || b == b'-' || b == b'.';
    name.bytes().next().is_some_and(starts) && name.bytes().all(goes_on)
}

/// The five predefined entities and character references; no others are defined without a DTD.
fn resolve(reference: &BytesRef<'_>) -> Result<String, Malformed> {
    if let Some(character) = reference.resolve_char_ref().map_err(|e| Malformed(e.to_string()))? {
        return Ok(character.to_string());
    }
    let text = match &*reference.xml10_content() {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        other => return Err(Malformed(format!("the entity {other:?}"))),
    };
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(document: &str) -> String {
        parse(document.as_bytes()).unwrap().text
    }

    #[test]
    fn an_error_of_s3_is_read() {
        let document = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>\n  <Code>NoSuchKey</Code>\
            <Message>The specified key does not exist.</Message><Key>a&amp;b</Key><Empty/></Error>";
        let root = parse(document).unwrap();
        assert_eq!((root.name.as_str(), root.child_text("Code")), ("Error", Some("NoSuchKey")));
        assert_eq!((root.child_text("Key"), root.child_text("Empty")), (Some("a&b"), Some("")));
    }

    #[test]
    fn text_is_joined_at_entities() {
        assert_eq!(
            text("<a>1 &lt; 2 &amp;&amp; x&#x20;&#233; <![CDATA[<&amp;>]]></a>"),
            "1 < 2 && x é <&amp;>"
        );
    }

    #[test]
    fn prefixes_and_comments_are_dropped() {
        let root = parse(b"<n:a xmlns:n='x'><!-- no --><n:b>1</n:b></n:a>").unwrap();
        assert_eq!((root.name.as_str(), root.child_text("b")), ("a", Some("1")));
    }

    #[test]
    fn a_truncated_document_is_refused_wherever_it_ends() {
        let document = "<Error><Code>SlowDown</Code></Error>";
        for end in 0..document.len() {
            assert!(parse(&document.as_bytes()[..end]).is_err(), "{}", &document[..end]);
        }
    }

    #[test]
    fn bounds_hold() {
        let deep = |depth: usize| "<a>".repeat(depth) + &"</a>".repeat(depth);
        assert!(parse(deep(MAX_DEPTH).as_bytes()).is_ok() && parse(deep(MAX_DEPTH + 1).as_bytes()).is_err());
        let wide = |count: usize| format!("<a>{}</a>", "<b/>".repeat(count));
        assert!(parse(wide(MAX_ELEMENTS - 1).as_bytes()).is_ok());
        assert!(parse(wide(MAX_ELEMENTS).as_bytes()).is_err());
        assert!(parse(format!("<a>{}</a>", "x".repeat(MAX_BYTES)).as_bytes()).is_err());
    }

    #[test]
    fn what_is_no_single_plain_document_is_refused() {
        for bad in [
            "",
            "x",
            "{}",
            "<a></b>",
            "<a/><b/>",
            "<a/>x",
            "</a>",
            "<a>&x;</a>",
            "<a>&#0;</a>",
            "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
            "<a>\u{fffd}",
            "<a",
            "<&#x10FFFF;/>",
            "<1/>",
            "<a:/>",
            "<a'/>",
        ] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(parse(b"<a>\xff</a>").is_err());
    }

    proptest! {
        #[test]
        fn any_text_reads_back(text in "[^\\p{C}]{0,40}") {
            let document = format!("<a>{}</a>", quick_xml::escape::escape(text.as_str()));
            prop_assert_eq!(parse(document.as_bytes()).unwrap().text, text.trim());
        }

        #[test]
        fn any_bytes_are_a_document_or_an_error(bytes in "[<>/&;!\\[\\]?a-c \"'#x0-9=-]{0,60}") {
            let _ = parse(bytes.as_bytes());
        }
    }
}
