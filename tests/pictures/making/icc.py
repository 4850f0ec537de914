"""ICC profiles of three primaries and one tone curve, written by hand (ICC.1:2022), and colours in them."""
import struct

import numpy as np

from .scene import linear, unlinear

# Colorants in the D50 connection space, rows X Y Z, columns R G B.
SRGB = np.array([[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]])
P3 = np.array([[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]])
ADOBE = np.array([[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]])
D50 = [0.9642, 1.0, 0.8249]
ADOBE_GAMMA = 563 / 256


def fixed(value):
    return struct.pack(">i", round(value * 65536))


def xyz(values):
    return b"XYZ \0\0\0\0" + b"".join(map(fixed, values))


def text(version, words):
    if version == 4:
        return b"mluc\0\0\0\0" + struct.pack(">II2s2sII", 1, 12, b"en", b"US", 2 * len(words), 28) + words.encode("utf-16-be")
    return b"desc\0\0\0\0" + struct.pack(">I", len(words) + 1) + words.encode() + bytes(1 + 4 + 4 + 2 + 1 + 67)


def profile(version, name, colorants, curve):
    tags = [(b"desc", text(version, name)), (b"wtpt", xyz(D50))]
    tags.append((b"cprt", text(4, "public domain") if version == 4 else b"text\0\0\0\0public domain\0"))
    tags += [(key, xyz(colorants[:, i])) for i, key in enumerate([b"rXYZ", b"gXYZ", b"bXYZ"])]
    tags += [(key, curve) for key in [b"rTRC", b"gTRC", b"bTRC"]]
    table, data, at = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    seen = {}
    for key, value in tags:
        if value not in seen:
            seen[value] = at + len(data)
            data += value + bytes(-len(value) % 4)
        table += key + struct.pack(">II", seen[value], len(value))
    size = 128 + len(table) + len(data)
    head = struct.pack(">I4sI", size, bytes(4), version << 24) + b"mntrRGB XYZ "
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


def in_p3(rgb):
    """The values by which Display P3 shows these sRGB colours."""
    return unlinear(linear(rgb) @ (np.linalg.inv(P3) @ SRGB).T)


def in_adobe(rgb):
    """The values by which Adobe RGB shows these sRGB colours."""
    return (linear(rgb) @ (np.linalg.inv(ADOBE) @ SRGB).T).clip(0, 1) ** (1 / ADOBE_GAMMA)
