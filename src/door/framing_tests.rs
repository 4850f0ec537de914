//! What frames a body, what is refused, and that the decoder agrees with a plain reading of the RFC.

use proptest::prelude::*;

use super::*;
use crate::door::header;

fn declared(version: Version, lines: &[(&str, &str)]) -> Result<Framing, Refusal> {
    let headers: Vec<Header> = lines.iter().map(|(n, v)| header(n, v).unwrap()).collect();
    Framing::declared(&headers, version)
}

fn status(lines: &[(&str, &str)]) -> u16 {
    declared(Version::Http11, lines).unwrap_err().status().0
}

/// A decoder's whole outcome when its input comes in parts that end at `ends`.
fn decode_parts(framing: Framing, input: &[u8], ends: &[usize], limit: u64) -> Result<Outcome, Refusal> {
    let mut decoder = Decoder::new(framing, limit)?;
    let (mut body, mut start) = (Vec::new(), 0);
    for &end in ends {
        loop {
            let (used, step) = decoder.step(&input[start..end])?;
            start += used;
            match step {
                Step::Data(bytes) => body.extend_from_slice(bytes),
                Step::More => break,
                Step::Done => return Ok(Outcome { body, end: Some(start) }),
            }
        }
        assert_eq!(start, end, "More uses up its input");
    }
    Ok(Outcome { body, end: None })
}

fn decode(input: &[u8]) -> Result<Outcome, Refusal> {
    decode_parts(Framing::Chunked, input, &[input.len()], 1000)
}

#[derive(Debug, PartialEq)]
struct Outcome {
    body: Vec<u8>,
    /// Where the next request starts, if the body is complete.
    end: Option<usize>,
}

fn whole(body: &[u8], end: usize) -> Result<Outcome, Refusal> {
    Ok(Outcome { body: body.to_vec(), end: Some(end) })
}

/// Chunks read plainly, line by line (RFC 9112, section 7.1); `None` if they are not well formed.
fn reference(input: &[u8]) -> Option<(Vec<u8>, usize)> {
    let line_at = |at: usize| {
        let rest = input.get(at..)?;
        let end = rest.windows(2).position(|w| w == b"\r\n")?;
        let line = std::str::from_utf8(&rest[..end]).ok()?;
        line.chars().all(|c| c == '\t' || (' '..='~').contains(&c)).then_some((line, at + end + 2))
    };
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let (line, next) = line_at(at)?;
        let digits = line.split(';').next()?.trim_end_matches([' ', '\t']);
        if digits.is_empty() || digits.len() > 16 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let size = usize::from_str_radix(digits, 16).ok()?;
        at = next;
        if size == 0 {
            break;
        }
        body.extend_from_slice(input.get(at..at.checked_add(size)?)?);
        at += size;
        at = (input.get(at..at + 2)? == b"\r\n").then_some(at + 2)?;
    }
    loop {
        let (line, next) = line_at(at)?;
        at = next;
        if line.is_empty() {
            return Some((body, at));
        }
    }
}

#[test]
fn a_body_is_declared_in_one_way() {
    let v11 = Version::Http11;
    assert_eq!(declared(v11, &[]), Ok(Framing::Length(0)));
    assert_eq!(declared(v11, &[("content-length", "0035")]), Ok(Framing::Length(35)));
    assert_eq!(declared(v11, &[("Transfer-Encoding", "Chunked")]), Ok(Framing::Chunked));
    assert_eq!(declared(v11, &[("Content-Length", "99999999999999999999")]), Ok(Framing::Length(u64::MAX)));
}

#[test]
fn lengths_that_are_none_are_refused() {
    for value in ["35x", "+35", "-1", "", "0x10", "3 5", "5, 5", "1e3", "٣"] {
        let lines = header("Content-Length", value).map(|h| Framing::declared(&[h], Version::Http11));
        assert!(lines.is_none_or(|framing| framing.is_err()), "{value:?}");
    }
    assert_eq!(status(&[("Content-Length", "5"), ("Content-Length", "5")]), 400);
}

#[test]
fn contradictions_and_unknown_codings_are_refused() {
    assert_eq!(status(&[("Content-Length", "5"), ("Transfer-Encoding", "chunked")]), 400);
    assert_eq!(status(&[("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")]), 400);
    for coding in ["gzip", "gzip, chunked", "chunked, chunked", "identity", "xchunked", "chunked;q=1", ""] {
        assert_eq!(status(&[("Transfer-Encoding", coding)]), 501, "{coding:?}");
    }
    let in_10 = declared(Version::Http10, &[("Transfer-Encoding", "chunked")]);
    assert!(matches!(in_10, Err(Refusal::Malformed(_))));
}

#[test]
fn a_counted_body_ends_at_its_count() {
    let outcome = decode_parts(Framing::Length(5), b"12345GET", &[2, 8], 5);
    assert_eq!(outcome, whole(b"12345", 5));
    assert_eq!(decode_parts(Framing::Length(0), b"GET", &[3], 0), whole(b"", 0));
    let cut_short = decode_parts(Framing::Length(9), b"12345", &[5], 9).unwrap();
    assert_eq!(cut_short.end, None);
}

#[test]
fn chunks_are_joined() {
    assert_eq!(decode(b"3\r\nabc\r\n00A\r\n0123456789\r\n0\r\n\r\nGET"), whole(b"abc0123456789", 30));
    assert_eq!(decode(b"0\r\n\r\n"), whole(b"", 5));
}

#[test]
fn extensions_and_trailers_are_passed_over() {
    let input = b"3;name=\"a b\";x\r\nabc\r\n2 \t;y\r\nde\r\n1 \r\nf\r\n0;last\r\nX-Sum: 1\r\nX: \r\n\r\nGET";
    assert_eq!(decode(input), whole(b"abcdef", input.len() - 3));
}

#[test]
fn malformed_chunks_are_refused() {
    for input in [
        "\r\n",
        ";x\r\n",
        " 3\r\n",
        "-3\r\n",
        "0x3\r\n",
        "g\r\n",
        "3\nabc",
        "3\r\r",
        "3 4\r\n",
        "3;a\nb\r\n",
        "3;a\rb\r\n",
        "3;a\0\r\n",
        "3\r\nabcd",
        "3\r\nabc\n",
        "3\r\nabc\rX",
        "0\r\nX: a\n\r\n",
        "0\r\n\rX",
        "0\r\nX: \0\r\n",
        "00000000000000003\r\n",
    ] {
        assert!(matches!(decode(input.as_bytes()), Err(Refusal::Malformed(_))), "{input:?}");
    }
}

#[test]
fn endless_lines_and_trailers_are_refused() {
    assert!(decode(format!("3;{}", "a".repeat(MAX_CHUNK_LINE)).as_bytes()).is_err());
    let trailers = format!("0\r\n{}", "X: a\r\n".repeat(MAX_TRAILERS / 6 + 1));
    assert_eq!(decode(trailers.as_bytes()), Err(Refusal::HeadTooLarge));
}

#[test]
fn too_large_is_known_from_the_size() {
    let too_large = Err(Refusal::TooLarge { limit: 1000 });
    assert_eq!(decode(b"3e9\r\n"), too_large);
    assert_eq!(decode(b"3e8\r\n").unwrap().end, None);
    assert_eq!(decode(b"1\r\na\r\n3e8\r\n"), too_large);
    assert_eq!(decode(b"ffffffffffffffff\r\n"), too_large);
    assert_eq!(Decoder::new(Framing::Length(1001), 1000).err(), Some(Refusal::TooLarge { limit: 1000 }));
    assert!(Decoder::new(Framing::Length(1000), 1000).is_ok());
}

/// Chunks as a client may send them, with one byte in eight cases changed.
fn some_chunks() -> impl Strategy<Value = Vec<u8>> {
    let chunk = (prop::collection::vec(any::<u8>(), 1..20), "( ?;[a-z=\"]{0,5})?", any::<bool>());
    let change = prop::option::weighted(0.125, (any::<prop::sample::Index>(), any::<u8>()));
    (prop::collection::vec(chunk, 0..5), "(X: [a-z]{0,3}\r\n){0,2}", "[A-Z]{0,3}", change).prop_map(
        |(chunks, trailers, next, change)| {
            let mut input = Vec::new();
            for (data, extension, upper) in chunks {
                let size = if upper { format!("{:X}", data.len()) } else { format!("{:03x}", data.len()) };
                input.extend_from_slice(format!("{size}{extension}\r\n").as_bytes());
                input.extend_from_slice(&data);
                input.extend_from_slice(b"\r\n");
            }
            input.extend_from_slice(format!("0\r\n{trailers}\r\n{next}").as_bytes());
            if let Some((index, byte)) = change {
                let at = index.index(input.len());
                input[at] = byte;
            }
            input
        },
    )
}

proptest! {
    #[test]
    fn agrees_with_a_plain_reading(input in some_chunks(), cuts in prop::collection::vec(0..200usize, 0..5)) {
        let mut ends: Vec<usize> = cuts.into_iter().map(|cut| cut.min(input.len())).collect();
        ends.push(input.len());
        ends.sort();
        let decoded = decode_parts(Framing::Chunked, &input, &ends, 1000);
        match (reference(&input), decoded) {
            (Some((body, end)), decoded) => prop_assert_eq!(decoded, whole(&body, end)),
            (None, Ok(outcome)) => prop_assert_eq!(outcome.end, None),
            (None, Err(_)) => {}
        }
    }

    #[test]
    fn any_bytes_end_well(input in prop::collection::vec(any::<u8>(), 0..100)) {
        if let Ok(Outcome { end: Some(end), .. }) = decode(&input) {
            prop_assert!(end <= input.len());
        }
    }
}
