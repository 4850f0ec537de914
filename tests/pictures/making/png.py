"""PNG of any colour type, depth and interlacing (W3C PNG, third edition)."""
import struct
import zlib

import numpy as np

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def rows(samples, depth):
    """Rows with filter bytes; the filters take turns so that each is met. samples: h × w × channels."""
    height, width, channels = samples.shape
    if depth == 16:
        lines = samples.astype(">u2").reshape(height, -1).view(np.uint8)
    elif depth == 8:
        lines = samples.astype(np.uint8).reshape(height, -1)
    else:
        bits = (samples.reshape(height, -1, 1) >> np.arange(depth - 1, -1, -1)) & 1
        lines = np.packbits(bits.reshape(height, -1).astype(np.uint8), axis=1)
    step = max(1, channels * depth // 8)
    out, above = b"", np.zeros(lines.shape[1], int)
    for y, line in enumerate(lines.astype(int)):
        left = np.concatenate([np.zeros(step, int), line])[: len(line)]
        corner = np.concatenate([np.zeros(step, int), above])[: len(line)]
        p = left + above - corner
        near = np.stack([abs(p - left), abs(p - above), abs(p - corner)]).argmin(axis=0)
        paeth = np.choose(near, [left, above, corner])
        guess = [0, left, above, (left + above) // 2, paeth][y % 5]
        out += bytes([y % 5]) + ((line - guess) % 256).astype(np.uint8).tobytes()
        above = line
    return out


def data(samples, depth, interlaced=False):
    if samples.ndim == 2:
        samples = samples[..., None]
    passes = [samples[y0::dy, x0::dx] for x0, y0, dx, dy in ADAM7] if interlaced else [samples]
    return zlib.compress(b"".join(rows(p, depth) for p in passes if p.size), 9)


def encode(samples, kind, depth, interlaced=False, before=b"", split=1, after=b"", between=b""):
    """A whole file: `before` comes before IDAT (which is cut into `split`), `between` before IEND."""
    height, width = samples.shape[:2]
    out = SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, int(interlaced)))
    body = data(samples, depth, interlaced)
    step = -(-len(body) // split)
    idat = b"".join(chunk(b"IDAT", body[i : i + step]) for i in range(0, len(body), step))
    return out + before + idat + between + chunk(b"IEND", b"") + after


def palette(colours, alphas=None):
    """PLTE and, where alphas are given, tRNS."""
    out = chunk(b"PLTE", np.asarray(colours, np.uint8).tobytes())
    return out + (chunk(b"tRNS", bytes(alphas)) if alphas is not None else b"")


def frame_control(number, width, height, x=0, y=0):
    return chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, width, height, x, y, 1, 10, 0, 0))
