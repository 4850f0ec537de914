"""Attacks on what is stored: other people's files, ids that are guessed, tokens, ranges and tags."""

import base64
import os
import re

from framing import uploaded
from kit import attack, head, hold, put, tally
from server import PICTURE


def record_of(ctx):
    """An upload's id; its record holds what nobody may read."""
    path = uploaded(ctx, PICTURE)
    return path.split("/")[2]


@attack("paths out of the store, in some twenty encodings")
def traversal(ctx):
    found = record_of(ctx)
    secret = f"record/{found}.json"
    hold((ctx.server.folder / "objects" / secret).exists(), "the record is not where this test looks for it")
    ups = ["..", "%2e%2e", "%2E.", ".%2e", "..%00", "%252e%252e", "%c0%ae%c0%ae", "%e0%80%ae%e0%80%ae", "..;", "..%20",
           ".%00.", "....", "%uff0e%uff0e", "..%c0%af", "..%255c", "%2e%2e%5c", "..\\", "..%09", "%ef%bc%8e%ef%bc%8e",
           "..%0d%0a", "x/..", "."]
    outcomes = []
    for up in ups:
        for path in (f"/o/{up}/{secret}", f"/o/{found}/{up}/{secret}", f"/o/{found}/{up}%2f{secret}",
                     f"/o/{found}/{up}%5c{secret}", f"/{up}/{up}/{up}/etc/passwd", f"/o/{secret}{up}",
                     f"/i/{up}/{found}"):
            answer = ctx.ask(head("GET", path, "Connection: close"))
            hold(b"delete_token" not in answer.body and b"root:" not in answer.body, f"{path} gives a secret away")
            outcomes.append(str(answer.status))
    for path in (f"/o/{secret}", f"/o//{secret}", f"//o/{secret}", f"/o/./{secret}", f"http://a/o/{secret}",
                 "/o/", "/o", "/i/", "/o/record", "/o/incoming/x", "*", f"o/{secret}", f"/o/record%2f{found}.json"):
        outcomes.append(str(ctx.ask(head("GET", path, "Connection: close")).status))
    ctx.expect(outcomes, {"404", "400"})
    return tally(outcomes)


@attack("1,000 random ids, guessed")
def ids(ctx):
    outcomes = []
    for turn in range(ctx.much(1000)):
        guess = base64.b32encode(os.urandom(16)).decode().rstrip("=").lower()
        path = (f"/i/{guess}", f"/i/{guess}.json", f"/o/{guess}/original.jpg", f"/o/{guess}/small.jpg")[turn % 4]
        outcomes.append(str(ctx.ask(head("GET", path, "Connection: close")).status))
    ctx.expect(outcomes, {"404"})
    return tally(outcomes)


@attack("ids: 2,000 that were given, looked at for a pattern", good=False)
def given(ctx):
    link, seen = ctx.link(), set()
    for _ in range(ctx.much(2000)):
        link.send(put(PICTURE))
        seen.add(link.answer()["X-Image-Id"])
    hold(len(seen) == ctx.much(2000), "an id came twice")
    hold(all(re.fullmatch("[a-z2-7]{26}", name) for name in seen), "an id of another form")
    # Each of the first 24 places takes all 32 letters: by chance one is missing in 2,000 ids once in 10^25.
    if len(seen) == 2000:
        hold(all(len({name[place] for name in seen}) == 32 for place in range(24)), "ids have a pattern")
    return f"{len(seen)} ids, no two the same"


@attack("delete tokens, guessed and mangled")
def tokens(ctx):
    answer = ctx.ask(put(PICTURE, "Connection: close"))
    found, token = answer["X-Image-Id"], answer["X-Delete-Token"]
    guesses = ["", token[:-1], token + "a", token.upper(), token[1:], "*", "%", "null", "' or 1=1 --", token[::-1],
               base64.b32encode(os.urandom(16)).decode().rstrip("=").lower()]
    delete = lambda line: str(ctx.ask(head("DELETE", f"/i/{found}", line, "Connection: close")).status)
    outcomes = [delete(f"X-Delete-Token: {guess}") for guess in guesses]
    outcomes.append(str(ctx.ask(head("DELETE", f"/i/{found}?token={token[:-1]}%00", "Connection: close")).status))
    ctx.expect(outcomes, {"403"})
    record = (ctx.server.folder / f"objects/record/{found}.json").read_text()
    hold(token not in record, "the token itself is stored")
    hold(delete(f"X-Delete-Token: {token}") == "204", "the right token does not delete")
    return tally(outcomes) + ", then 204"


@attack("ranges: none, reversed, beyond 64 bits, 1,000 of them")
def ranges(ctx):
    path, outcomes = uploaded(ctx, PICTURE), []
    size = len(ctx.ask(head("GET", path, "Connection: close")).body)
    for value in ["bytes=0-0", "bytes=-1", f"bytes=0-{size}", f"bytes={size}-", "bytes=5-2", "bytes=-0", "bytes=-", "bytes=",
                  "bytes=18446744073709551615-", "bytes=0-18446744073709551616", "bytes=-99999999999999999999",
                  "bytes=0-0,1-1", "bytes=" + ",".join(f"{n}-{n}" for n in range(1000)), "bytes=0-,0-,0-", "octets=0-1",
                  "bytes=a-b", "bytes= 0-1", "bytes=0x0-1", "bytes=0--1", ",", "bytes=0-1" * 500]:
        answer = ctx.ask(head("GET", path, f"Range: {value}", "Connection: close"))
        hold(len(answer.body) <= size or answer.status == 416, f"{len(answer.body)} bytes for {value}")
        outcomes.append(str(answer.status))
    ctx.expect(outcomes, {"200", "206", "416"})
    return tally(outcomes)


@attack("tags: any, none, malformed, 1,000 of them")
def tags(ctx):
    path, outcomes = uploaded(ctx, PICTURE), []
    tag = ctx.ask(head("GET", path, "Connection: close"))["ETag"]
    many = ", ".join(f'"{n}"' for n in range(1000))
    for value in [tag, "*", f"W/{tag}", '"', '""', tag[:-1], tag.strip('"'), many, f"{many}, {tag}", f"{tag},{tag}", ",,,",
                  '"\\"', "W/", "* , *", '"*"']:
        answer = ctx.ask(head("GET", path, f"If-None-Match: {value}", "Connection: close"))
        hold(answer.status != 304 or tag in value or "*" in value, f"304 for {value[:40]}")
        outcomes.append(str(answer.status))
    for value in ("Tue, 24 Nov 2026 00:00:00 GMT", "0", "x" * 1000):
        outcomes.append(str(ctx.ask(head("GET", path, f"If-Modified-Since: {value}", "Connection: close")).status))
        outcomes.append(str(ctx.ask(head("GET", path, "Range: bytes=0-0", f"If-Range: {value}", "Connection: close")).status))
    ctx.expect(outcomes, {"200", "206", "304"})
    return tally(outcomes)


@attack("waits for what is never ready, 200 at once")
def polls(ctx):
    found = record_of(ctx)
    links = [ctx.link() for _ in range(200)]
    wait = 1 if ctx.quick else 5
    for link in links:
        link.send(head("GET", f"/i/{found}.json?wait={wait}", "Connection: close"))
    outcomes = [str(link.answer().status) for link in links]
    long = ctx.ask(head("GET", f"/i/{found}.json?wait=-1", "Connection: close"))
    ctx.expect(outcomes + [str(long.status)], {"200"})
    return tally(outcomes)
