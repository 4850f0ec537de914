"""WebP containers around bitstreams that Pillow encodes (RFC 9649)."""
import io
import struct

ICC, ALPHA, EXIF, XMP, ANIMATION = 0x20, 0x10, 0x08, 0x04, 0x02


def chunk(kind, body):
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def bitstream(image, **options):
    """The chunks of Pillow's file that hold pixels: VP8 or VP8L, with ALPH before VP8 if there is alpha."""
    out = io.BytesIO()
    image.save(out, "WEBP", method=6, **options)
    body, at, kept = out.getvalue(), 12, b""
    while at < len(body):
        kind, size = struct.unpack("<4sI", body[at : at + 8])
        if kind in (b"VP8 ", b"VP8L", b"ALPH"):
            kept += body[at : at + 8 + size + size % 2]
        at += 8 + size + size % 2
    return kept


def riff(*chunks, after=b""):
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body + after


def extended(width, height, flags, *chunks, after=b""):
    head = bytes([flags, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return riff(chunk(b"VP8X", head), *chunks, after=after)


def animation_frame(x, y, width, height, stream, flags=0):
    """x and y are even."""
    numbers = (x // 2, y // 2, width - 1, height - 1, 100)
    return chunk(b"ANMF", b"".join(n.to_bytes(3, "little") for n in numbers) + bytes([flags]) + stream)


ANIM = chunk(b"ANIM", bytes(6))
