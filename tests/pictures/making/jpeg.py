"""A small sequential JPEG encoder (ITU-T T.81) for what common encoders don't write, and segment surgery."""
import struct

import numpy as np

ZIGZAG = sorted(range(64), key=lambda k: (k // 8 + k % 8, k % 8 if (k // 8 + k % 8) % 2 == 0 else k // 8))
QUANT = np.array([[3 + (u + v) for u in range(8)] for v in range(8)])
COSINES = np.array(
    [[np.sqrt((1 if k == 0 else 2) / 8) * np.cos((2 * n + 1) * k * np.pi / 16) for n in range(8)] for k in range(8)]
)
# One length for all codes: nothing to gain, nothing to look up.
DC_SYMBOLS = list(range(12))
AC_SYMBOLS = [0x00, 0xF0] + [run << 4 | size for run in range(16) for size in range(1, 11)]


def segment(marker, body):
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def jfif(thumbnail=None):
    """APP0, with an uncompressed thumbnail if given as an array h × w × 3."""
    h, w = (0, 0) if thumbnail is None else thumbnail.shape[:2]
    pixels = b"" if thumbnail is None else thumbnail.tobytes()
    return segment(0xE0, b"JFIF\0\1\2\0" + struct.pack(">HHBB", 1, 1, w, h) + pixels)


def adobe(transform):
    """APP14: 0 as is, 1 YCbCr, 2 YCCK."""
    return segment(0xEE, b"Adobe" + struct.pack(">HHHB", 100, 0, 0, transform))


def icc_segments(profile, parts=1):
    step = -(-len(profile) // parts)
    chunks = [profile[i : i + step] for i in range(0, len(profile), step)]
    return b"".join(
        segment(0xE2, b"ICC_PROFILE\0" + bytes([i + 1, len(chunks)]) + chunk) for i, chunk in enumerate(chunks)
    )


class Bits:
    def __init__(self):
        self.text = []

    def put(self, value, count):
        if count:
            self.text.append(format(value, f"0{count}b"))

    def bytes(self):
        text = "".join(self.text)
        text += "1" * (-len(text) % 8)
        return bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8)).replace(b"\xff", b"\xff\0")


def magnitude(value):
    size = int(abs(value)).bit_length()
    return size, value if value >= 0 else value + (1 << size) - 1


def code_block(bits, block, previous):
    """One quantised block, 64 values in zigzag order (F.1.2)."""
    size, extra = magnitude(int(block[0]) - previous)
    bits.put(DC_SYMBOLS.index(size), 4)
    bits.put(extra, size)
    run = 0
    last = max((k for k in range(64) if block[k]), default=0)
    for k in range(1, last + 1):
        if block[k] == 0:
            run += 1
            continue
        while run > 15:
            bits.put(AC_SYMBOLS.index(0xF0), 8)
            run -= 16
        size, extra = magnitude(int(block[k]))
        bits.put(AC_SYMBOLS.index(run << 4 | size), 8)
        bits.put(extra, size)
        run = 0
    if last < 63:
        bits.put(AC_SYMBOLS.index(0), 8)
    return int(block[0])


class Component:
    """A plane (uint8, height × width, full resolution) to be stored with sampling factors h × v."""

    def __init__(self, ident, plane, h=1, v=1):
        self.ident, self.plane, self.h, self.v = ident, plane, h, v

    def prepare(self, hmax, vmax):
        height, width = self.plane.shape
        mcus_down, mcus_across = -(-height // (8 * vmax)), -(-width // (8 * hmax))
        full = np.pad(
            self.plane.astype(float),
            ((0, mcus_down * 8 * vmax - height), (0, mcus_across * 8 * hmax - width)),
            mode="edge",
        )
        fy, fx = vmax // self.v, hmax // self.h
        small = full.reshape(full.shape[0] // fy, fy, full.shape[1] // fx, fx).mean(axis=(1, 3))
        blocks = (small - 128).reshape(small.shape[0] // 8, 8, small.shape[1] // 8, 8).swapaxes(1, 2)
        coefficients = np.rint(COSINES @ blocks @ COSINES.T / QUANT).astype(int)
        self.blocks = coefficients.reshape(*coefficients.shape[:2], 64)[..., ZIGZAG]
        # Blocks that hold picture: what a scan of this component alone codes (A.2.2).
        self.own = -(-height * self.v // (8 * vmax)), -(-width * self.h // (8 * hmax))
        return mcus_down, mcus_across


def scan(components, mcus, restart):
    """One scan; several components are interleaved."""
    single = len(components) == 1
    down, across = components[0].own if single else mcus
    out, bits, previous = b"", Bits(), [0] * len(components)
    for mcu in range(down * across):
        if restart and mcu and mcu % restart == 0:
            out += bits.bytes() + bytes([0xFF, 0xD0 + (mcu // restart - 1) % 8])
            bits, previous = Bits(), [0] * len(components)
        row, column = divmod(mcu, across)
        for i, c in enumerate(components):
            v, h = (1, 1) if single else (c.v, c.h)
            for y in range(row * v, row * v + v):
                for x in range(column * h, column * h + h):
                    previous[i] = code_block(bits, c.blocks[y, x], previous[i])
    header = bytes([len(components)]) + b"".join(bytes([c.ident, 0]) for c in components) + bytes([0, 63, 0])
    return segment(0xDA, header) + out + bits.bytes()


def encode(components, before=b"", restart=0, sof=0xC0, scans=None, between=b"", dnl=False):
    """A whole file: `before` comes after SOI, `between` before each scan but the first.

    `scans` lists the components of each scan by index, all in one by default.
    `dnl` leaves the frame header's height 0 and tells it after the first scan (B.2.5).
    """
    height, width = components[0].plane.shape
    hmax, vmax = max(c.h for c in components), max(c.v for c in components)
    for c in components:
        mcus = c.prepare(hmax, vmax)
    frame = struct.pack(">BHHB", 8, 0 if dnl else height, width, len(components))
    frame += b"".join(bytes([c.ident, c.h << 4 | c.v, 0]) for c in components)
    out = b"\xff\xd8" + before + segment(0xDB, b"\0" + bytes(QUANT.reshape(64)[ZIGZAG].tolist()))
    out += segment(sof, frame)
    out += segment(0xC4, b"\x00" + bytes([0] * 3 + [len(DC_SYMBOLS)] + [0] * 12) + bytes(DC_SYMBOLS))
    out += segment(0xC4, b"\x10" + bytes([0] * 7 + [len(AC_SYMBOLS)] + [0] * 8) + bytes(AC_SYMBOLS))
    if restart:
        out += segment(0xDD, struct.pack(">H", restart))
    for i, members in enumerate(scans or [range(len(components))]):
        out += (between if i else b"") + scan([components[m] for m in members], mcus, restart)
        if dnl and i == 0:
            out += segment(0xDC, struct.pack(">H", height))
    return out + b"\xff\xd9"


def planes(values, factors, idents=(1, 2, 3, 4)):
    """Components of an array h × w × n, with a pair (h, v) of sampling factors each."""
    return [Component(idents[i], values[..., i], *factors[i]) for i in range(values.shape[-1])]


def insert(jpeg, segments):
    """`segments` put behind SOI and, if there is one, APP0."""
    at = 2
    if jpeg[2:4] == b"\xff\xe0":
        at += 2 + struct.unpack(">H", jpeg[4:6])[0]
    return jpeg[:at] + segments + jpeg[at:]


def claims(side):
    """A progressive file of under 4 KB that claims `side` × `side` pixels.

    After a DC scan with no data come AC scans that say "this and the next 32,766 blocks are empty".
    """
    blocks = (-(-side // 8)) ** 2
    out = b"\xff\xd8" + segment(0xDB, b"\0" + bytes([1] * 64))
    out += segment(0xC2, struct.pack(">BHHB", 8, side, side, 3) + bytes([1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]))
    out += segment(0xC4, b"\x00" + bytes([1] + [0] * 15) + b"\0")
    out += segment(0xC4, b"\x10" + bytes([1] + [0] * 15) + b"\xe0")
    out += segment(0xDA, bytes([3, 1, 0, 2, 0, 3, 0, 0, 0, 0]))
    for component in (1, 2, 3):
        for start, end in ((1, 5), (6, 63)):
            bits = Bits()
            for _ in range(-(-blocks // 32767)):
                bits.put(0, 1)
                bits.put(32767 - 16384, 14)
            out += segment(0xDA, bytes([1, component, 0, start, end, 0])) + bits.bytes()
    return out + b"\xff\xd9"
