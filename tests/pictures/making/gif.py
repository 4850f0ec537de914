"""GIF89a with any frames, and an LZW that never grows its codes."""
import struct


def lzw(indices, bits):
    """Codes of bits + 1 bits, with a clear code before they would grow (GIF89a, appendix F)."""
    clear, every, width = 1 << bits, (1 << bits) - 2, bits + 1
    codes = []
    for i, index in enumerate(indices):
        if i % every == 0:
            codes.append(clear)
        codes.append(int(index))
    codes.append(clear + 1)
    value = 0
    for i, code in enumerate(codes):
        value |= code << (i * width)
    body = value.to_bytes(-(-len(codes) * width // 8), "little")
    return bytes([bits]) + blocks(body)


def blocks(body):
    return b"".join(bytes([len(body[i : i + 255])]) + body[i : i + 255] for i in range(0, len(body), 255)) + b"\0"


def extension(label, *parts):
    return b"!" + bytes([label]) + b"".join(bytes([len(p)]) + p for p in parts) + b"\0"


def control(delay=0, transparent=None, disposal=0):
    flags = disposal << 2 | (transparent is not None)
    return extension(0xF9, struct.pack("<BHB", flags, delay, transparent or 0))


def application(name, body):
    return b"!\xff\x0b" + name + blocks(body)


def frame(indices, bits, x=0, y=0, interlaced=False, colours=None):
    """indices: array h × w. `colours` is a local table, an array 2**bits × 3."""
    height, width = indices.shape
    if interlaced:
        order = [y for first, step in ((0, 8), (4, 8), (2, 4), (1, 2)) for y in range(first, height, step)]
        indices = indices[order]
    flags = interlaced << 6 | (0x80 | bits - 1 if colours is not None else 0)
    table = colours.tobytes() if colours is not None else b""
    return b"," + struct.pack("<HHHHB", x, y, width, height, flags) + table + lzw(indices.ravel(), bits)


def encode(width, height, colours, bits, *body, after=b""):
    """colours: array 2**bits × 3, or None for no global table."""
    flags = 0x70 | (0x80 | bits - 1 if colours is not None else 0)
    table = colours.tobytes() if colours is not None else b""
    return b"GIF89a" + struct.pack("<HHBBB", width, height, flags, 0, 0) + table + b"".join(body) + b";" + after
