//! Bad input gets the contract's answer, and the server goes on serving.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::harness::{Client, Reply, Sharer, dimensions, form, picture};

thread_local! {
    /// One server a test, ended with the test's thread: what bad input breaks, the upload after it notices.
    static SHARER: Sharer = Sharer::start();
}

fn client() -> Client {
    SHARER.with(|sharer| sharer.client)
}

const SOON: Duration = Duration::from_secs(20);

fn post_form(parts: &[(&str, Option<&str>, &[u8])]) -> Reply {
    let (kind, body) = form(parts);
    client().request("POST", "/", &[("Content-Type", &kind)], &body).unwrap()
}

fn upload(bytes: &[u8]) -> Reply {
    client().upload("x", bytes)
}

#[track_caller]
fn refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!((reply.status, reply.error_code().as_str()), (status, code), "{}", reply.text());
    let message = reply.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.len() > 20, "says too little: {message}");
    assert!(reply.json()["error"]["request_id"].is_string());
    assert_eq!(upload(&picture("rgb-8.png")).status, 202, "and the server goes on serving");
}

/// Uploads, and waits for the three thumbnails' sizes.
fn thumbnails(name: &str) -> Vec<(u32, u32)> {
    let reply = upload(&picture(name));
    ["small", "medium", "large"]
        .map(|size| {
            let thumbnail = client().wait_for(&reply.url(size), SOON);
            let (_, width, height) = dimensions(&thumbnail.body);
            (width, height)
        })
        .to_vec()
}

#[test]
fn an_empty_body() {
    refused(
        &client().request("POST", "/", &[("Content-Type", "image/png")], b"").unwrap(),
        400,
        "empty_file",
    );
    refused(&post_form(&[("image", Some("a.jpg"), b"")]), 400, "empty_file");
}

#[test]
fn no_file_part() {
    refused(&post_form(&[("title", None, b"not a file"), ("a", None, b"b")]), 400, "no_file");
    refused(&post_form(&[]), 400, "no_file");
}

#[test]
fn two_file_parts() {
    let bytes = picture("rgb-8.png");
    let two = post_form(&[("image", Some("a.png"), &bytes), ("image", Some("b.png"), &bytes)]);
    refused(&two, 400, "too_many_files");
}

#[test]
fn a_text_file_named_jpg() {
    refused(
        &client().upload("photo.jpg", b"Dear diary, today I learned to rename files.\n"),
        400,
        "not_an_image",
    );
}

#[test]
fn a_jpeg_cut_in_the_middle_of_its_header() {
    refused(&upload(&picture("cut-in-header.jpg")), 400, "truncated_image");
}

#[test]
fn no_form_at_all() {
    let reply = client().request("POST", "/", &[("Content-Type", "text/csv")], b"a,b\n").unwrap();
    refused(&reply, 415, "unsupported_media_type");
}

#[test]
fn a_real_image_of_a_kind_that_is_not_taken() {
    let svg = upload(b"<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"/>");
    refused(&svg, 415, "unsupported_image");
    let heic = upload(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic\x00\x00\x00\x00");
    refused(&heic, 415, "unsupported_image");
}

#[test]
fn the_smallest_image_stays_as_small_as_it_is() {
    assert_eq!(thumbnails("one-pixel.png"), [(1, 1); 3]);
    assert_eq!(thumbnails("one-pixel.jpg"), [(1, 1); 3]);
}

#[test]
fn the_widest_image_is_at_least_one_pixel_high() {
    assert_eq!(thumbnails("wide.png"), [(100, 1), (300, 1), (600, 1)]);
}

#[test]
fn odd_but_good_files_become_thumbnails() {
    for name in ["rgb-16-interlaced.png", "cmyk.jpg", "progressive-420.jpg", "400-frames.gif"] {
        assert_eq!(thumbnails(name).len(), 3, "{name}");
    }
}

#[test]
fn three_kilobytes_that_claim_more_pixels_than_are_taken() {
    let bytes = picture("claims-16383.jpg");
    assert!(bytes.len() < 4096);
    refused(&upload(&bytes), 413, "too_many_pixels");
}

#[test]
fn more_bytes_than_are_taken() {
    let small = Sharer::with(&[("SHARER_MAX_UPLOAD_BYTES", "20000")]);
    let reply = small.client.upload("big.jpg", &vec![0xff; 50_000]);
    assert_eq!((reply.status, reply.error_code().as_str()), (413, "too_large"));
    let declared =
        small.client.request("PUT", "/big.jpg", &[("Expect", "100-continue")], &vec![1; 9_000_000]);
    assert_eq!(declared.unwrap().status, 413);
    assert_eq!(small.client.upload("ok.png", &picture("rgb-8.png")).status, 202);
}

#[test]
fn names_with_dots_line_breaks_and_emoji_are_not_even_looked_at() {
    let bytes = picture("rgb-8.png");
    for name in ["../../etc/passwd", "a\\\"b", "🦀.png", "%0d%0aX: y", "a\0b", ".", ""] {
        let reply = client().upload(name, &bytes);
        assert!(matches!(reply.status, 202 | 400), "{name:?}: {}", reply.text());
        if reply.status == 202 {
            assert!(reply.url("original").ends_with("/original.png"), "{name:?}");
        }
    }
    let (kind, body) = form(&[("image", Some("a\r\nX-Evil: yes\r\n\r\n.png"), &bytes)]);
    let split = client().request("POST", "/", &[("Content-Type", &kind)], &body).unwrap();
    assert!(split.header("x-evil").is_none());
    assert!(matches!(split.status, 202 | 400));
}

#[test]
fn a_damaged_image_is_accepted_and_then_said_to_have_failed() {
    let reply = upload(&picture("cut-in-data.png"));
    assert_eq!(reply.status, 202, "{}", reply.text());
    let id = reply.header("x-image-id").unwrap();
    let status = client().get(&format!("/i/{id}.json?wait=20")).json();
    assert_eq!(status["state"], "failed", "{status}");
    assert_eq!(status["error"]["code"], "truncated_image", "{status}");
}

#[test]
fn malformed_http_is_answered_and_closed() {
    for (request, status) in [
        ("GET / HTTP/1.1\r\n\r\n", "400"),
        ("GET / HTTP/2.0\r\nHost: x\r\n\r\n", "505"),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", "400"),
        ("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", "501"),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 35x\r\n\r\n", "400"),
        ("BREW / HTTP/1.1\r\nHost: x\r\n\r\n", "405"),
    ] {
        let mut socket = TcpStream::connect(client().address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        socket.write_all(request.as_bytes()).unwrap();
        let mut answer = [0; 12];
        socket.read_exact(&mut answer).unwrap();
        assert_eq!(std::str::from_utf8(&answer[9..]), Ok(status), "{request:?}");
    }
    assert_eq!(upload(&picture("rgb-8.png")).status, 202);
}
