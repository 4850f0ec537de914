//! A request's head and body: how its bytes arrive makes no difference, and nothing is accepted that
//! two servers could read in two ways.

use std::io::Read;
use std::sync::LazyLock;

use image_sharer::door::framing::{Decoder, Framing, Step};
use image_sharer::door::head::{Parsed, Scanner};
use image_sharer::door::{Config, Refusal};
use image_sharer::upload::intake::Intake;
use image_sharer::upload::multipart::{Boundary, Error, Event, Limits, Parser, Part};
use image_sharer::upload::spool::{self, Budget};
use libfuzzer_sys::Corpus;

use crate::{cuts, memory};

/// Small limits, so that small inputs reach them.
static CONFIG: LazyLock<Config> =
    LazyLock::new(|| Config { max_head_bytes: 1024, max_headers: 8, max_target: 128, ..Config::default() });

/// Most payload bytes of a request's body.
const MAX_BODY: u64 = 512;

/// What one request's bytes were understood as.
#[derive(Debug, PartialEq)]
struct Request {
    /// Where the head lies.
    place: std::ops::Range<usize>,
    /// The head in Rust's words: its own type can't be compared.
    head: String,
    body: Vec<u8>,
    /// Where the next request begins, if this one is complete.
    end: Option<usize>,
}

/// Any bytes, as the beginning of a connection.
pub fn head(data: &[u8]) {
    let whole = request(data, &[data.len()]);
    let single: Vec<usize> = (1..=data.len()).collect();
    assert_eq!(whole, request(data, &single), "byte by byte");
    assert_eq!(whole, request(data, &cuts(data, data.len())), "in pieces");
}

/// Reads one request of which the bytes up to each of `ends` arrive at once.
fn request(data: &[u8], ends: &[usize]) -> Result<Option<Request>, (Vec<u8>, Refusal)> {
    let headless = |refusal| (Vec::new(), refusal);
    let mut scanner = Scanner::new(&CONFIG);
    let mut ends = ends.iter();
    let (place, mut end) = loop {
        let Some(&end) = ends.next() else { return Ok(None) };
        if let Some(place) = scanner.scan(&data[..end]).map_err(headless)? {
            assert!(scanner.begun());
            break (place, end);
        }
    };
    let parsed = Parsed::read(&data[place.clone()], &CONFIG).map_err(headless)?;
    check_head(&data[place.clone()], &parsed);
    let framing = Framing::declared(&parsed.headers, parsed.version).map_err(headless)?;
    check_framing(&data[place.clone()], framing);
    parsed.waits().map_err(headless)?;
    let mut decoder = Decoder::new(framing, MAX_BODY).map_err(headless)?;
    let mut request =
        Request { head: format!("{parsed:?}{}", parsed.persists()), place, body: Vec::new(), end: None };
    let mut at = request.place.end;
    loop {
        let (used, step) = decoder.step(&data[at..end]).map_err(|refusal| (request.body.clone(), refusal))?;
        at += used;
        match step {
            Step::Data(piece) => {
                assert!(!piece.is_empty() && used >= piece.len());
                request.body.extend_from_slice(piece);
                assert!(request.body.len() as u64 <= MAX_BODY);
            }
            Step::Done => {
                request.end = Some(at);
                return Ok(Some(request));
            }
            Step::More => {
                assert_eq!(at, end, "more is asked for, but not all is used");
                match ends.next() {
                    Some(&next) => end = next,
                    None => return Ok(Some(request)),
                }
            }
        }
    }
}

/// A head that is accepted says what its lines say, to the simplest reader.
fn check_head(bytes: &[u8], parsed: &Parsed) {
    let text = std::str::from_utf8(bytes).expect("an accepted head is ASCII");
    let lines: Vec<&str> =
        text.strip_suffix("\r\n\r\n").expect("an empty line ends it").split("\r\n").collect();
    assert!(lines.iter().all(|line| !line.contains(['\r', '\n', '\0'])));
    let words: Vec<&str> = lines[0].split(' ').collect();
    let target = match parsed.query.as_str() {
        "" => parsed.path.clone(),
        query => format!("{}?{query}", parsed.path),
    };
    assert_eq!(words.len(), 3, "{text:?}");
    assert_eq!(words[0], parsed.method.as_str());
    assert_eq!(words[1].strip_suffix('?').unwrap_or(words[1]), target.strip_suffix('?').unwrap_or(&target));
    assert_eq!(lines.len() - 1, parsed.headers.len());
    for (line, header) in lines[1..].iter().zip(&parsed.headers) {
        let (name, value) = line.split_once(':').expect("a header has a colon");
        assert_eq!((name, value.trim()), (header.field.as_str().as_str(), header.value.as_str()));
    }
}

/// Framing that is accepted is the only one that its lines admit.
fn check_framing(bytes: &[u8], framing: Framing) {
    let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
    let values = |name: &str| -> Vec<String> {
        let named = text.split("\r\n").filter_map(|line| line.split_once(':'));
        named.filter(|(n, _)| *n == name).map(|(_, value)| value.trim().to_owned()).collect()
    };
    let (length, coding) = (values("content-length"), values("transfer-encoding"));
    match framing {
        Framing::Chunked => assert!(length.is_empty() && coding == ["chunked"], "{text:?}"),
        Framing::Length(0) if length.is_empty() => assert!(coding.is_empty(), "{text:?}"),
        Framing::Length(bytes) => {
            assert!(length.len() == 1 && coding.is_empty(), "{text:?}");
            assert_eq!(length[0].parse().unwrap_or(u64::MAX), bytes, "{text:?}");
        }
    }
}

/// Limits of a form's parts, small.
const LIMITS: Limits = Limits { parts: 4, head_bytes: 300, headers: 4 };

/// What a form was understood as: its parts, and how it ended.
type Form = (Vec<(Part, Vec<u8>, bool)>, Result<(), Error>);

/// Content-Type up to the first line feed, then the body.
pub fn multipart(data: &[u8]) -> Corpus {
    let Some(at) = memchr(b'\n', data) else { return Corpus::Reject };
    let (first, body) = (&data[..at], &data[at + 1..]);
    let Ok(content_type) = std::str::from_utf8(first) else { return Corpus::Reject };
    let single: Vec<usize> = (1..=body.len()).collect();
    let pieces = cuts(data, body.len());
    let named = content_type.rsplit_once('=').map_or(content_type, |(_, name)| name);
    if let Some(boundary) = Boundary::parse(named) {
        let whole = form(&boundary, body, &[body.len()]);
        assert_eq!(whole, form(&boundary, body, &single), "byte by byte");
        assert_eq!(whole, form(&boundary, body, &pieces), "in pieces");
    }
    let whole = taken(content_type, body, &[body.len()]);
    assert_eq!(whole, taken(content_type, body, &single), "byte by byte");
    assert_eq!(whole, taken(content_type, body, &pieces), "in pieces");
    Corpus::Keep
}

fn memchr(byte: u8, bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|&b| b == byte)
}

fn form(boundary: &Boundary, body: &[u8], ends: &[usize]) -> Form {
    let mut parser = Parser::new(boundary, LIMITS);
    let mut parts: Vec<(Part, Vec<u8>, bool)> = Vec::new();
    let mut start = 0;
    for &end in ends {
        let pushed = parser.push(&body[start..end], &mut |event| {
            match event {
                Event::Begin(part) => {
                    assert!(parts.last().is_none_or(|(_, _, ended)| *ended), "a part within a part");
                    parts.push((part, Vec::new(), false));
                }
                Event::Data(data) => {
                    let (_, content, ended) = parts.last_mut().expect("content without a part");
                    assert!(!*ended && !data.is_empty());
                    content.extend_from_slice(data);
                }
                Event::End => {
                    let (_, _, ended) = parts.last_mut().expect("an end without a part");
                    assert!(!std::mem::replace(ended, true), "ended twice");
                }
            }
            Ok::<(), Error>(())
        });
        if let Err(error) = pushed {
            return (parts, Err(error));
        }
        start = end;
    }
    assert!(parts.len() <= LIMITS.parts);
    let finished = parser.finish();
    assert!(finished.is_err() || parts.iter().all(|(_, _, ended)| *ended));
    (parts, finished)
}

/// Most bytes of a file.
const MAX_FILE: u64 = 2048;

/// The file that a body brings, or why there is none.
fn taken(content_type: &str, body: &[u8], ends: &[usize]) -> Result<Vec<u8>, String> {
    static SPOOL: LazyLock<spool::Config> = LazyLock::new(|| spool::Config {
        budget: Budget::new(1 << 20),
        memory_each: 1 << 20,
        folder: std::env::temp_dir(),
    });
    let (result, peak) = memory::peak(|| {
        let mut intake = Intake::new(Some(content_type), MAX_FILE, &SPOOL)?;
        let mut start = 0;
        for &end in ends {
            intake.push(&body[start..end])?;
            start = end;
        }
        intake.finish()
    });
    // A spool's first step is 64 KB; heads and fields are bounded.
    assert!(peak <= 256 * 1024, "{peak} bytes to take in a small body");
    let spool = result.map_err(|error| error.to_string())?;
    assert!((1..=MAX_FILE).contains(&spool.file.length()));
    let mut file = Vec::new();
    spool.file.reader().read_to_end(&mut file).map_err(|error| error.to_string())?;
    assert_eq!(file.len() as u64, spool.file.length());
    Ok(file)
}
