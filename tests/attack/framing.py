"""Attacks on heads and on the framing of bodies: everything that made tiny_http's own server loop fall, hang or
take one request for two, and more of the kind.
"""

import zlib

from kit import Failed, attack, form, head, hold, part, put, tally
from server import PICTURE

SMUGGLED = b"GET /i/smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
MEGABYTE = 1 << 20


@attack("a body declared with 1 TB, unread")
def terabyte(ctx):
    return ctx.repeat(head("POST", "/", "Content-Type: image/png", "Content-Length: 1000000000000") + b"x", {"413"})


@attack("a body declared with 2⁶⁴ - 1 bytes, and more")
def beyond(ctx):
    lengths = ["18446744073709551615", "18446744073709551616", "9" * 100]
    payload = lambda turn: head("POST", "/", "Content-Type: image/png", f"Content-Length: {lengths[turn % 3]}")
    return ctx.repeat(payload, {"413"})


@attack("50 connections that are never idle")
def busy(ctx):
    links = [ctx.link() for _ in range(50)]
    served = [0] * 50
    for _ in ctx.turns(most=40):
        for link in links:
            link.send(head("GET", "/healthz"))
        for number, link in enumerate(links):
            hold(link.answer().status == 200, "not served")
            served[number] += 1
    return f"200 ×{sum(served)}, {sum(count == max(served) for count in served)} of 50 served alike"


@attack("`GET / HTTP/2.0`, the preface of HTTP/2, TLS's hello")
def version(ctx):
    greetings = [head("GET", "/", version="2.0"), head("GET", "/", version="0.9"),
                 b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500)]
    return ctx.repeat(lambda turn: greetings[turn % 4], {"505", "400"})


@attack("500 resets before the first byte")
def resets(ctx):
    for _ in range(ctx.much(500)):
        link = ctx.link()
        link.reset()
        ctx.links.remove(link)
    return "nothing"


@attack("100 declared bodies of 2,000 bytes that never come")
def unread(ctx):
    links = [ctx.link() for _ in range(ctx.much(100))]
    for link in links:
        link.send(head("POST", "/", "Content-Type: image/png", "Content-Length: 2000"))
    if ctx.quick:
        return "held for a moment"
    outcomes = [" ".join(link.rest()) for link in links]
    ctx.expect(outcomes, {"408"})
    return tally(outcomes)


@attack("an endless request line, an endless header")
def endless(ctx):
    lines = [b"GET /" + b"a" * MEGABYTE, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * MEGABYTE]
    return ctx.repeat(lambda turn: lines[turn % 2], {"414", "431"})


@attack("a million headers")
def headers(ctx):
    return ctx.repeat(b"GET / HTTP/1.1\r\nHost: a\r\n" + b"a: b\r\n" * 1_000_000, {"431"})


def smuggling():
    """Requests that two servers could read in two ways, each with a second one behind it."""
    lines = [
        ["Content-Length: 4", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Content-Length: 4"],
        ["Transfer-Encoding: gzip"], ["Transfer-Encoding: chunked, identity"], ["Transfer-Encoding: xchunked"],
        ["Transfer-Encoding: gzip, chunked"], ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding:\x0bchunked"], ["Transfer-Encoding : chunked"], ["Transfer-Encoding: \"chunked\""],
        ["Content-Length: 4", "Content-Length: 5"], ["Content-Length: 4", "Content-Length: 4"],
        ["Content-Length: 4, 4"], ["Content-Length: 35x"], ["Content-Length: +4"], ["Content-Length: -1"],
        ["Content-Length: 0x4"], ["Content-Length: 4 4"], ["Content-Length:"], ["Content-Length: 4\x00"],
        ["X: y\nContent-Length: 4"], ["X: y\rContent-Length: 4"], ["X: y", " Content-Length: 4"],
        ["Content-Length\t: 4"], ["Host: b"], ["Foo"], [": v"], ["a\xff: b"],
    ]
    bodies = [head("POST", "/", "Content-Type: image/png", *case) + b"0\r\n\r\n" + SMUGGLED for case in lines]
    chunked = head("POST", "/", "Content-Type: image/png", "Transfer-Encoding: chunked")
    broken = [b"-1\r\n\r\n", b"ffffffffffffffff\r\n", b"00000000000000000000004\r\nabcd", b"4 4\r\nabcd", b"4\nabcd",
              b"4\r\nabcdefgh\r\n0\r\n\r\n", b"0x4\r\nabcd", b"\r\n", b"g\r\n", b"4;\x00\r\nabcd"]
    return bodies + [chunked + body + SMUGGLED for body in broken]


@attack("requests that could be read as two, 38 ways")
def two(ctx):
    cases = smuggling()
    outcomes = []
    for case in cases:
        link = ctx.link()
        link.send(case)
        outcomes.append(" ".join(link.rest()) or "closed")
        ctx.drop(link)
    # One answer each, and never a second.
    ctx.expect(outcomes, {"400", "413", "501"})
    return tally(outcomes)


@attack("a refused upload in chunks, half read")
def half_read(ctx):
    chunks = b"4\r\nabcd\r\n" * 1000 + b"26\r\n" + SMUGGLED + b"\r\n0\r\n\r\n"
    return ctx.repeat(head("POST", "/", "Content-Type: text/plain", "Transfer-Encoding: chunked") + chunks, {"415"})


@attack("line ends for the answer's head, in path, query and headers")
def split(ctx):
    ends = ["%0d%0aX-Split:%201", "%0D%0A%0D%0A<script>x-split", "\\r\\nX-Split: 1"]
    wordings = [
        lambda end: head("GET", f"/i/{end}", "Connection: close"),
        lambda end: head("GET", f"/?format={end}&next={end}", "Connection: close"),
        lambda end: head("GET", "/i/x", f"Accept: text/html;q={end}", "Connection: close"),
        lambda end: put(PICTURE, f"X-Forwarded-Host: a{end}", f"X-Forwarded-Proto: http{end}", "Connection: close"),
        lambda end: head("PUT", "/x", "Content-Length: 1", "Connection: close").replace(b"share.example",
                                                                                     b"a" + end.encode()) + b"x",
    ]
    outcomes = []
    for end in ends:
        for wording in wordings:
            answer = ctx.ask(wording(end))
            hold(b"x-split" not in answer.head.lower(), f"split: {answer.head!r}")
            hold(b"<script>x-split" not in answer.body.lower(), f"echoed: {answer.body!r}")
            outcomes.append(str(answer.status))
    return tally(outcomes)


@attack("a client's words in answers: path, query, Host, file names")
def words(ctx):
    script = "<script>alert(1)</script>\"'&"
    encoded = script.replace("<", "%3c").replace(">", "%3E").replace('"', "%22")
    asked = [
        head("GET", f"/{encoded}", "Accept: text/html", "Connection: close"),
        head("GET", f"/i/{script}", "Accept: text/html", "Connection: close"),
        head("GET", f"/?{script}", "Accept: text/html", "Connection: close"),
        head("GET", "/nowhere", f"User-Agent: {script}", f"Referer: {script}", "Accept: text/html", "Connection: close"),
        form(part(b"GIF89a" + script.encode(), f'form-data; name="image"; filename="{script}"')),
        form(part(PICTURE, f"form-data; name=\"image\"; filename=\"{encoded}\"")),
        form(part(PICTURE, f"form-data; name=\"{encoded}\"; filename=a")),
    ]
    outcomes = []
    for request in asked:
        answer = ctx.ask(request)
        hold(b"<script>alert" not in answer.body + answer.head, f"echoed: {answer.body!r}")
        outcomes.append(str(answer.status))
    return tally(outcomes)


@attack("6 s without anybody", good=False)
def silence(ctx):
    import time
    time.sleep(6)
    hold(ctx.ask(put(PICTURE, "Connection: close")).status == 202, "not taken after a silence")
    return "202 afterwards"


@attack("HTTP/1.0: no length, chunks, no Host")
def old(ctx):
    requests = [head("POST", "/", "Content-Type: image/png", version="1.0") + PICTURE,
                head("POST", "/", "Transfer-Encoding: chunked", version="1.0") + b"0\r\n\r\n",
                b"GET /healthz HTTP/1.0\r\n\r\n"]
    return ctx.repeat(lambda turn: requests[turn % 3], {"400", "200"})


@attack("answers of 2 MB, with `TE` and without")
def large(ctx):
    path = big_object(ctx)
    for line in ("TE: trailers, chunked;q=1", "Accept: */*"):
        answer = ctx.ask(head("GET", path, line, "Connection: close"))
        hold(answer.status == 200 and len(answer.body) > MEGABYTE, f"{answer.status}, {len(answer.body)} bytes")
    return "200 with a length"


def big_object(ctx):
    """Path of an object of some MB, uploaded once a server."""
    if not hasattr(ctx.server, "big_object"):
        ctx.server.big_object = uploaded(ctx, png(900, 800))
    return ctx.server.big_object


def uploaded(ctx, body):
    """Uploads; returns the path of the original."""
    import json
    answer = ctx.ask(put(body, "Connection: close"))
    if answer is None or answer.status != 202:
        raise Failed(f"an upload was answered {answer and answer.status}: {answer and answer.body!r}")
    return json.loads(answer.body)["original"].split("share.example", 1)[1]


def png(width, height):
    """A PNG of noise, which nothing makes smaller: 3 bytes a pixel."""
    import os
    chunk = lambda kind, data: (len(data).to_bytes(4, "big") + kind + data
                                + zlib.crc32(kind + data).to_bytes(4, "big"))
    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    rows = b"".join(b"\0" + os.urandom(width * 3) for _ in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size + b"\x08\x02\0\0\0") + chunk(b"IDAT", zlib.compress(rows, 0))
            + chunk(b"IEND", b""))


@attack("1,000 requests in one piece")
def pipelined(ctx):
    link = ctx.link()
    asked = ctx.much(1000)
    # From a thread: a client that only writes fills both sides' buffers.
    import threading
    writer = threading.Thread(target=link.send, args=(head("GET", "/healthz") * asked,))
    writer.start()
    outcomes = [str(link.answer().status) for _ in range(asked)]
    writer.join()
    link.send(put(PICTURE) * 20)
    outcomes += [str(link.answer().status) for _ in range(20)]
    ctx.expect(outcomes, {"200", "202"})
    return tally(outcomes)


@attack("bodies longer than declared")
def longer(ctx):
    return ctx.repeat(put(PICTURE) + b"and more\r\n\r\n", {"202 400"})


@attack("bodies shorter than declared, then the end")
def shorter(ctx):
    short = head("PUT", "/x", f"Content-Length: {len(PICTURE)}") + PICTURE[:-1]
    return ctx.repeat(lambda turn: short[:-turn], {"closed"}, half_close=True)


@attack("chunk extensions and trailers, small")
def extensions(ctx):
    body = b"%x;a=b;c=\"d\"\r\n" % len(PICTURE) + PICTURE + b"\r\n0;e\r\nX-Trailer: 1\r\nContent-Length: 9\r\n\r\n"
    return ctx.repeat(head("PUT", "/x", "Transfer-Encoding: chunked", "Connection: close") + body, {"202"})


@attack("endless chunk extensions and trailers")
def endless_extensions(ctx):
    start = head("PUT", "/x", "Transfer-Encoding: chunked")
    bodies = [b"4;" + b"a" * MEGABYTE, b"0\r\n" + b"a: b\r\n" * 200_000, b"4" + b" " * MEGABYTE]
    return ctx.repeat(lambda turn: start + bodies[turn % 3], {"400", "431"})


@attack("a megabyte in chunks of one byte")
def tiny_chunks(ctx):
    count = ctx.much(1 << 20)
    body = b"1\r\nx\r\n" * count + b"0\r\n\r\n"
    return ctx.repeat(head("PUT", "/x", "Transfer-Encoding: chunked", "Connection: close") + body, {"400"})


@attack("NULs and control characters in heads")
def controls(ctx):
    characters = [bytes([byte]) for byte in [*range(32), 127, 128, 255] if byte not in (9, 10, 13)]
    places = [b"GET /%s HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nX: a%sb\r\n\r\n",
              b"GET / HTTP/1.1\r\nHost: a\r\nX%sY: b\r\n\r\n", b"G%sT / HTTP/1.1\r\nHost: a\r\n\r\n"]
    cases = [place % character for place in places for character in characters]
    return ctx.repeat(lambda turn: cases[turn % len(cases)], {"400"})


@attack("`Expect`: what is not met, and a wait that does not matter")
def expect(ctx):
    wrong = ctx.repeat(head("POST", "/", "Expect: 200-ok", "Content-Length: 9"), {"417"})
    link = ctx.link()
    link.send(put(PICTURE, "Expect: 100-continue"))
    statuses = [link.answer().status]
    hold(statuses == [202], f"the body was there, and the answer began with {statuses}")
    return wrong + ", 202"
