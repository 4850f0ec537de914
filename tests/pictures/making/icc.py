"""ICC profiles written by hand (ICC.1:2022), and colours in them: of three primaries and one tone curve, of
grey, of four inks."""
import struct

import numpy as np

from .scene import linear, unlinear

# Colorants in the D50 connection space, rows X Y Z, columns R G B.
SRGB = np.array([[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]])
P3 = np.array([[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]])
ADOBE = np.array([[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]])
PROPHOTO = np.array([[0.79767, 0.13519, 0.03135], [0.28804, 0.71188, 0.00009], [0.0, 0.0, 0.82521]])
D50 = [0.9642, 1.0, 0.8249]
ADOBE_GAMMA = 563 / 256
PROPHOTO_GAMMA = 461 / 256
# What paper under full ink reflects of linear sRGB's red, green and blue: cyan, magenta, yellow, black.
INKS = np.array([[0.04, 0.36, 0.66], [0.62, 0.05, 0.22], [0.88, 0.72, 0.06], [0.04, 0.04, 0.04]])


def fixed(value):
    return struct.pack(">i", round(value * 65536))


def xyz(values):
    return b"XYZ \0\0\0\0" + b"".join(map(fixed, values))


def text(version, words):
    if version == 4:
        return b"mluc\0\0\0\0" + struct.pack(">II2s2sII", 1, 12, b"en", b"US", 2 * len(words), 28) + words.encode("utf-16-be")
    return b"desc\0\0\0\0" + struct.pack(">I", len(words) + 1) + words.encode() + bytes(1 + 4 + 4 + 2 + 1 + 67)


def profile(version, name, colorants, curve):
    tags = [(key, xyz(colorants[:, i])) for i, key in enumerate([b"rXYZ", b"gXYZ", b"bXYZ"])]
    tags += [(key, curve) for key in [b"rTRC", b"gTRC", b"bTRC"]]
    return written(version, name, b"mntrRGB XYZ ", tags)


def written(version, name, kind, own):
    """A whole profile: `kind` is its class, samples and connection space, `own` the tags that make it such."""
    tags = [(b"desc", text(version, name)), (b"wtpt", xyz(D50))]
    tags.append((b"cprt", text(4, "public domain") if version == 4 else b"text\0\0\0\0public domain\0"))
    tags += own
    table, data, at = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    seen = {}
    for key, value in tags:
        if value not in seen:
            seen[value] = at + len(data)
            data += value + bytes(-len(value) % 4)
        table += key + struct.pack(">II", seen[value], len(value))
    size = 128 + len(table) + len(data)
    head = struct.pack(">I4sI", size, bytes(4), version << 24) + kind
    head += struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + b"".join(map(fixed, D50))
    return head.ljust(128, b"\0") + table + data


def display_p3():
    """Version 4 with the sRGB curve as a parametric curve, as Apple's devices write it."""
    curve = b"para\0\0\0\0" + struct.pack(">HH", 3, 0)
    curve += b"".join(map(fixed, [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045]))
    return profile(4, "Test Display P3", P3, curve)


def adobe_rgb():
    """Version 2 with a pure gamma, as cameras write it."""
    return profile(2, "Test Adobe RGB", ADOBE, b"curv\0\0\0\0" + struct.pack(">IH", 1, 563))


def srgb():
    """Version 2 with a sampled curve of 256 entries."""
    entries = np.rint(linear(np.arange(256) / 255) * 65535).astype(">u2").tobytes()
    return profile(2, "Test sRGB", SRGB, b"curv\0\0\0\0" + struct.pack(">I", 256) + entries)


def prophoto():
    """Version 2, gamma 1.8 (as ROMM RGB without the straight piece at its foot)."""
    return profile(2, "Test ProPhoto", PROPHOTO, b"curv\0\0\0\0" + struct.pack(">IH", 1, 461))


def grey():
    """Version 2, gamma 1.8, as old Macintoshes had it."""
    return written(2, "Test grey", b"mntrGRAYXYZ ", [(b"kTRC", b"curv\0\0\0\0" + struct.pack(">IH", 1, 461))])


def inks(grid=5):
    """Version 2, a table of CIELAB for each combination of `grid` steps of four weak inks."""
    steps = np.linspace(0, 1, grid)
    amounts = np.stack(np.meshgrid(steps, steps, steps, steps, indexing="ij"), -1).reshape(-1, 4)
    light = np.prod(1 - amounts[..., None] ** 0.8 * (1 - INKS), axis=1)
    t = light @ SRGB.T / D50
    f = np.where(t > 216 / 24389, np.cbrt(t), (24389 / 27 * t + 16) / 116)
    lab = np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], -1)
    table = np.rint(np.clip((lab + [0, 128, 128]) * [652.8, 256, 256], 0, 65535)).astype(">u2").tobytes()
    straight = struct.pack(">2H", 0, 65535)
    unit = b"".join(map(fixed, [1, 0, 0, 0, 1, 0, 0, 0, 1]))
    body = b"mft2\0\0\0\0" + bytes([4, 3, grid, 0]) + unit + struct.pack(">2H", 2, 2)
    return written(2, "Test inks", b"prtrCMYKLab ", [(b"A2B0", body + 4 * straight + table + 3 * straight)])


def black():
    """RGB whose every colour is black: absurd."""
    return profile(2, "Test black", np.zeros((3, 3)), b"curv\0\0\0\0\0\0\0\0")


def in_p3(rgb):
    """The values by which Display P3 shows these sRGB colours."""
    return unlinear(linear(rgb) @ (np.linalg.inv(P3) @ SRGB).T)


def in_adobe(rgb):
    """The values by which Adobe RGB shows these sRGB colours."""
    return (linear(rgb) @ (np.linalg.inv(ADOBE) @ SRGB).T).clip(0, 1) ** (1 / ADOBE_GAMMA)


def in_prophoto(rgb):
    """The values by which ProPhoto RGB shows these sRGB colours."""
    return (linear(rgb) @ (np.linalg.inv(PROPHOTO) @ SRGB).T).clip(0, 1) ** (1 / PROPHOTO_GAMMA)


def in_grey(values):
    """The values by which the grey profile shows these greys of sRGB."""
    return linear(values) ** (1 / PROPHOTO_GAMMA)
