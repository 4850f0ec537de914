"""Attacks on forms: parts without end, boundaries that almost are, names that mean harm, pictures that are none."""

import io
import zlib

from kit import BOUNDARY, FORM, attack, form, head, hold, part, put, tally
from server import PICTURE, ROOT

MEGABYTE = 1 << 20


def streamed(start, piece, count):
    """A form's body in chunks, of which the server may refuse any."""
    chunk = lambda data: b"%x\r\n" % len(data) + data + b"\r\n"
    return head("POST", "/", FORM, "Transfer-Encoding: chunked", "Connection: close") + chunk(start) + chunk(piece) * count


@attack("a million headers of one part")
def part_headers(ctx):
    start = f"--{BOUNDARY}\r\nContent-Disposition: form-data; name=image\r\n".encode()
    return ctx.repeat(streamed(start, b"a: b\r\n" * 1000, ctx.much(1000)), {"400"})


@attack("one endless header of a part")
def part_header(ctx):
    return ctx.repeat(streamed(f"--{BOUNDARY}\r\nX: ".encode(), b"a" * 10_000, ctx.much(1000)), {"400"})


@attack("1,000 parts")
def parts(ctx):
    fields = part(b"x", "form-data; name=field") * 1000
    return ctx.repeat(form(fields, part(PICTURE)), {"400"})


@attack("forms within forms")
def nested(ctx):
    inner = b"--in\r\nContent-Disposition: file; filename=a.png\r\n\r\n" + PICTURE + b"\r\n--in--\r\n"
    mixed = "Content-Type: multipart/mixed; boundary=in"
    same = part(PICTURE)
    bodies = [form(part(inner, 'form-data; name="image"; filename="a"', mixed)),
              form(part(inner * 1000, 'form-data; name="image"; filename="a"', mixed)),
              form(part(same, 'form-data; name="image"; filename="a"'))]
    return ctx.repeat(lambda turn: bodies[turn % 3], {"400"})


@attack("boundaries: none, empty, too long, broken, twice")
def boundaries(ctx):
    kinds = ["", "; boundary=", '; boundary=""', "; boundary=" + "a" * 71, '; boundary="a', "; boundary=a; boundary=b",
             "; boundary=a b", '; boundary="a "', "; boundary=ü", "; boundary=\"a\\\"b\"", "; boundary = a", ";;;",
             "; boundary=a\tb", '; boundary="--"', "; charset=utf-8; boundary", "; BOUNDARY=zz"]
    cases = [head("POST", "/", f"Content-Type: multipart/form-data{kind}", "Content-Length: 9", "Connection: close")
             + b"--a\r\n\r\n--" for kind in kinds]
    return ctx.repeat(lambda turn: cases[turn % len(cases)], {"400", "415"})


@attack("content that is almost a boundary, again and again")
def almost(ctx):
    line = f"\r\n--{BOUNDARY[:-1]}".encode()
    pieces = [line, b"\r\n--", b"\r", b"\r\n", f"\r\n--{BOUNDARY}x".encode(), b"-" * 64]
    start = part(b"")[:-2]
    cases = [streamed(start, (piece * 65536)[:60_000], ctx.much(60)) + b"0\r\n\r\n" for piece in pieces]
    return ctx.repeat(lambda turn: cases[turn % len(cases)], {"400"})


@attack("forms that are cut, that lack their file, that have two")
def cut(ctx):
    whole = form(part(PICTURE)).split(b"\r\n\r\n", 1)[1]
    send = lambda body: head("POST", "/", FORM, f"Content-Length: {len(body)}", "Connection: close") + body
    cases = [send(whole[:-number]) for number in range(3, 60)]
    cases += [form(), form(part(b"x", "form-data; name=a")), form(part(PICTURE), part(PICTURE)),
              form(part(PICTURE, "attachment; name=image")), form(part(PICTURE, "form-data")),
              form(part(b"", 'form-data; name="image"; filename="a"')), send(b"x" * 1000), send(b"\r\n" * 1000)]
    return ctx.repeat(lambda turn: cases[turn % len(cases)], {"400"})


@attack("every control character, and NUL, in names of fields and files")
def names(ctx):
    outcomes = []
    for byte in [*range(32), 127, 0x80, 0xff]:
        character = bytes([byte])
        for disposition in (b'form-data; name="image"; filename="a%sb.png"', b'form-data; name="im%sage"; filename=a'):
            # In latin-1 each byte is itself.
            answer = ctx.ask(form(part(PICTURE, (disposition % character).decode("latin-1"))))
            hold(answer.status in (202, 400), f"{answer.status} for {character!r}")
            hold(all(b >= 32 or b == 10 for b in answer.body), f"echoed: {answer.body!r}")
            outcomes.append(str(answer.status))
    return tally(outcomes)


@attack("names of files that are paths, commands, megabytes")
def paths(ctx):
    outcomes = []
    before = {path for path in ctx.server.folder.iterdir()}
    for name in ["../../../../tmp/x", "/etc/passwd", "C:\\boot.ini", "a;rm -rf .", "$(id)", "`id`", "a\\\"b", "%00.png",
                 "..%2f..%2fx", "CON", ".htaccess", "a" * 7000, "\u202egnp.exe".encode().decode("latin-1")]:
        answer = ctx.ask(form(part(PICTURE, f'form-data; name="image"; filename="{name}"')))
        outcomes.append(str(answer.status))
        hold(name[:20].encode("latin-1") not in answer.body, "echoed")
    answer = ctx.ask(form(part(PICTURE, f'form-data; name="image"; filename="{"a" * MEGABYTE}"')))
    outcomes.append(str(answer.status))
    hold(before == {path for path in ctx.server.folder.iterdir()}, "a file beside the server's own")
    ctx.expect(outcomes, {"202", "400"})
    return tally(outcomes)


@attack("fields without end, and 16 of them")
def fields(ctx):
    cases = [form(part(b"x" * MEGABYTE, "form-data; name=a"), part(PICTURE)),
             form(*[part(b"x" * 4096, f"form-data; name=a{n}") for n in range(15)], part(PICTURE)),
             form(*[part(b"x" * 4096, f"form-data; name=a{n}") for n in range(16)], part(PICTURE))]
    return ctx.repeat(lambda turn: cases[turn % 3], {"400", "202"})


@attack("uploads that are no pictures: SVG with script, HTML, ZIP, PDF, nothing")
def strangers(ctx):
    bodies = [b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", b"<html><script>alert(1)</script>",
              b"PK\3\4" + bytes(100), b"%PDF-1.7", b"\0" * 1000, b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a",
              b"RIFF\xff\xff\xff\xffWEBPVP8 ", b"GIF89a/*<svg/onload=alert(1)>*/=1;", b"\xff\xd8" + b"\xff" * 100_000,
              b"\xff\xd8" + b"\xff\xe1\x00\x02" * 100_000, b"\x89PNG\r\n\x1a\n" + b"\0\0\0\0tEXt\0\0\0\0" * 100_000]
    cases = [put(body, "Connection: close") for body in bodies]
    return ctx.repeat(lambda turn: cases[turn % len(cases)], {"400", "415"})


@attack("pictures that claim 900 million pixels, or inflate without end")
def bombs(ctx):
    claims = [(ROOT / "tests/pictures" / name).read_bytes()
              for name in ("claims-16383.jpg", "claims-30000.png", "profile-inflates.png")]
    claims.append(inflating())
    return ctx.repeat(lambda turn: put(claims[turn % 4], "Connection: close"), {"400", "413", "202"})


def inflating():
    """A small PNG whose compressed profile inflates to 100 MB."""
    chunk = lambda kind, data: (len(data).to_bytes(4, "big") + kind + data
                                + zlib.crc32(kind + data).to_bytes(4, "big"))
    packed, packer = io.BytesIO(), zlib.compressobj(9)
    for _ in range(100):
        packed.write(packer.compress(bytes(MEGABYTE)))
    packed.write(packer.flush())
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", b"\0\0\0\1\0\0\0\1\x08\0\0\0\0")
            + chunk(b"iCCP", b"x\0\0" + packed.getvalue()) + chunk(b"IDAT", zlib.compress(b"\0\0"))
            + chunk(b"IEND", b""))
