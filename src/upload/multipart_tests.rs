//! The parser's rules, and that splitting a body anywhere changes nothing.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const LIMITS: Limits = Limits { parts: 4, head_bytes: 400, headers: 4 };

/// A part and its content.
type Parsed = (Part, Vec<u8>);

/// Parses a body that comes in `pieces`.
fn parse<'a>(boundary: &str, pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Parsed>, Error> {
    let mut parser = Parser::new(&Boundary::parse(boundary).unwrap(), LIMITS);
    let mut parts: Vec<Parsed> = Vec::new();
    let mut open = false;
    for piece in pieces {
        parser.push(piece, &mut |event| {
            match event {
                Event::Begin(part) => {
                    assert!(!std::mem::replace(&mut open, true), "a part began within a part");
                    parts.push((part, Vec::new()));
                }
                Event::Data(data) => {
                    assert!(open && !data.is_empty());
                    parts.last_mut().unwrap().1.extend_from_slice(data);
                }
                Event::End => assert!(std::mem::replace(&mut open, false)),
            }
            Ok::<(), Error>(())
        })?;
    }
    parser.finish()?;
    assert!(!open);
    Ok(parts)
}

fn parse_whole(body: &str) -> Result<Vec<Parsed>, Error> {
    parse("xx", [body.as_bytes()])
}

fn part(name: &str, filename: Option<&str>, content: &[u8]) -> Parsed {
    (Part { name: name.to_owned(), filename: filename.map(str::to_owned) }, content.to_vec())
}

/// A body of one part with this head and content.
fn one(head: &str, content: &str) -> String {
    format!("--xx\r\n{head}\r\n\r\n{content}\r\n--xx--\r\n")
}

const NAMED_A: &str = "Content-Disposition: form-data; name=\"a\"";

#[test]
fn what_curl_sends_is_read() {
    let body = "--xx\r\nContent-Disposition: form-data; name=\"image\"; filename=\"p.jpg\"\r\n\
                Content-Type: image/jpeg\r\n\r\n\u{0}\r\n--x\r\n\r\n--xx\r\n\
                content-disposition: form-data; name=t\r\n\r\n\r\n--xx--\r\n";
    let parts = vec![part("image", Some("p.jpg"), b"\0\r\n--x\r\n"), part("t", None, b"")];
    assert_eq!(parse_whole(body), Ok(parts));
}

#[test]
fn preamble_padding_and_epilogue_mean_nothing() {
    let body = format!("To whom --xx\r\n\r\n--xx \t \r\n{NAMED_A}\r\n\r\nb\r\n--xx-- \r\n--xx\r\nmore");
    assert_eq!(parse_whole(&body), Ok(vec![part("a", None, b"b")]));
}

#[test]
fn a_body_without_parts_is_well_formed() {
    assert_eq!(parse_whole("--xx--"), Ok(vec![]));
}

#[test]
fn a_body_that_ends_early_is_unfinished() {
    let body = one(NAMED_A, "b");
    let complete = body.find("--xx--").unwrap() + "--xx--".len();
    for end in 0..complete {
        assert_eq!(parse_whole(&body[..end]), Err(Error::Unfinished), "{end}");
    }
    assert!(parse_whole(&body[..complete]).is_ok());
}

#[test]
fn a_boundary_must_end_its_line() {
    for after in ["x", "-x", " x", "\rx", "\n", &" ".repeat(65)] {
        let body = format!("--xx{after}\r\n{NAMED_A}\r\n\r\nb\r\n--xx--");
        assert_eq!(parse_whole(&body), Err(Error::Delimiter), "{after:?}");
    }
}

#[test]
fn a_part_must_name_its_field() {
    for head in [
        "Content-Type: image/jpeg",
        "Content-Disposition: form-data",
        "Content-Disposition: attachment; name=a",
        "Content-Disposition: form-data; name=\"a",
        &format!("{NAMED_A}\r\n{NAMED_A}"),
    ] {
        assert_eq!(parse_whole(&one(head, "b")), Err(Error::Disposition), "{head}");
    }
    assert_eq!(parse_whole("--xx\r\n\r\nb\r\n--xx--"), Err(Error::Disposition));
}

#[test]
fn a_head_must_be_headers() {
    for head in ["no colon", ": empty", "a b: c", "a: b\nc: d", "a: b\rc", "a: \u{0}"] {
        assert_eq!(parse_whole(&one(head, "b")), Err(Error::Header), "{head:?}");
    }
}

#[test]
fn folded_heads_and_odd_names_are_read() {
    let head = "Content-Disposition: form-data;\r\n name=\"a\";\r\n\tfilename=\"../🦀\\\"\"";
    assert_eq!(parse_whole(&one(head, "b")), Ok(vec![part("a", Some("../🦀\""), b"b")]));
    let head = "Content-Disposition: form-data; name=a; filename*=UTF-8''x";
    assert_eq!(parse_whole(&one(head, "b")), Ok(vec![part("a", Some("UTF-8''x"), b"b")]));
}

#[test]
fn heads_and_parts_are_capped() {
    let long = format!("{NAMED_A}\r\nx: {}", "y".repeat(LIMITS.head_bytes));
    assert_eq!(parse_whole(&one(&long, "b")), Err(Error::HeadTooLarge));
    let endless = format!("--xx\r\n{long}");
    assert_eq!(parse("xx", endless.as_bytes().chunks(1)), Err(Error::HeadTooLarge));
    let many = format!("{NAMED_A}{}", "\r\nx: y".repeat(LIMITS.headers));
    assert_eq!(parse_whole(&one(&many, "b")), Err(Error::HeadTooLarge));
    let parts = format!("--xx\r\n{NAMED_A}\r\n\r\nb\r\n").repeat(LIMITS.parts + 1) + "--xx--";
    assert_eq!(parse_whole(&parts), Err(Error::TooManyParts));
}

#[test]
fn boundaries_follow_rfc_2046() {
    for good in ["x", "=_a:b/c?d", "gc0p4Jq0M2Yt08jU534c0p", "a b", &"x".repeat(70)] {
        assert!(Boundary::parse(good).is_some(), "{good}");
    }
    for bad in ["", "a ", "a\"b", "a\r\n", "é", "a;b", &"x".repeat(71)] {
        assert!(Boundary::parse(bad).is_none(), "{bad:?}");
    }
}

#[test]
fn an_error_of_the_listener_ends_the_parse() {
    let mut parser = Parser::new(&Boundary::parse("xx").unwrap(), LIMITS);
    let body = one(NAMED_A, "b");
    let answer = parser.push(body.as_bytes(), &mut |_| Err(Error::TooManyParts));
    assert_eq!(answer, Err(Error::TooManyParts));
}

/// Content made of what delimiters are made of, so that near misses are the rule.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let crumb = prop_oneof![
        Just(b"\r".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\r\n--".to_vec()),
        Just(b"\r\n--a-".to_vec()),
        Just(b"-".to_vec()),
        Just(b"a-b".to_vec()),
        vec(any::<u8>(), 0..40),
    ];
    vec(crumb, 0..12).prop_map(|crumbs| crumbs.concat())
}

proptest! {
    #[test]
    fn any_split_of_any_body_gives_the_same_parts(
        contents in vec(content(), 0..4),
        cuts in vec(1_usize..50, 1..60),
    ) {
        let boundary = "a-b";
        prop_assume!(contents.iter().all(|c| memmem::find(c, b"\r\n--a-b").is_none()));
        let mut body = Vec::new();
        for (i, content) in contents.iter().enumerate() {
            let head = format!("--a-b\r\nContent-Disposition: form-data; name=n{i}; filename=\"f\"\r\n\r\n");
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--a-b--\r\nepilogue");

        let mut rest = body.as_slice();
        let mut pieces = Vec::new();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() { break; }
            let (piece, after) = rest.split_at((*cut).min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        let expected: Vec<Parsed> =
            contents.iter().enumerate().map(|(i, c)| part(&format!("n{i}"), Some("f"), c)).collect();
        prop_assert_eq!(parse(boundary, pieces), Ok(expected.clone()));
        prop_assert_eq!(parse(boundary, body.chunks(1)), Ok(expected));
    }

    #[test]
    fn no_body_makes_it_panic(body in content(), cut in 1_usize..9) {
        let _ = parse("a-b", body.chunks(cut));
        let headed = [b"--a-b\r\nContent-Disposition: form-data; name=n\r\n".as_slice(), &body].concat();
        let _ = parse("a-b", headed.chunks(cut));
    }
}
