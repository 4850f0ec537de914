"""The PNG pictures."""
import struct
import zlib

import numpy as np
from PIL import Image

from . import exif, icc
from .picture import SMALL_HIGH, SMALL_WIDE, Picture, turned
from .png import GREY, GREY_ALPHA, PALETTE, RGB, RGBA, SIGNATURE, chunk, data, encode, frame_control, palette
from .scene import alpha, grey, linear, scene, to8, to16

SCENE = scene(SMALL_WIDE, SMALL_HIGH)
LUMA = grey(SCENE)
ALPHA = alpha(SMALL_WIDE, SMALL_HIGH)
SIZE = (SMALL_WIDE, SMALL_HIGH)
NAMES = {GREY: "grey", RGB: "rgb", PALETTE: "palette", GREY_ALPHA: "grey-alpha", RGBA: "rgba"}


def picture(name, body, kind, depth, what, size=SIZE, interlaced=False, animated=False, **expected):
    coding = f"{NAMES[kind]}, {depth} bits" + (", interlaced" if interlaced else "") + (", animated" if animated else "")
    return Picture(name + ".png", body, coding, what, size, **expected)


def quantised(values, depth):
    return np.rint(values * ((1 << depth) - 1)).astype(np.uint16)


def with_alpha(values, opacity):
    if values.ndim == 2:
        values = values[..., None]
    return np.concatenate([values, opacity[..., None]], axis=-1)


def indexed(rgb, colours):
    """Indices and palette (n × 3) by Pillow's median cut."""
    image = Image.fromarray(to8(rgb)).quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    table = np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3)[:colours]
    return np.array(image), table


def samples(kind, depth):
    """The scene's samples in a colour type, 16 bits a sample where `depth` is 16."""
    values = {GREY: LUMA, RGB: SCENE, GREY_ALPHA: with_alpha(LUMA, ALPHA), RGBA: with_alpha(SCENE, ALPHA)}[kind]
    return quantised(values, depth)


def kinds():
    for interlaced in (False, True):
        for kind, depths in ((GREY, (1, 2, 4, 8, 16)), (RGB, (8, 16)), (GREY_ALPHA, (8, 16)), (RGBA, (8, 16))):
            for depth in depths:
                if interlaced and depth == 8:
                    continue
                name = f"{NAMES[kind]}-{depth}" + ("-interlaced" if interlaced else "")
                body = encode(samples(kind, depth), kind, depth, interlaced)
                yield picture(name, body, kind, depth, "the scene", interlaced=interlaced, alpha=kind in (GREY_ALPHA, RGBA))
    for depth in (1, 2, 4, 8):
        indices, colours = indexed(SCENE, 1 << depth)
        yield picture(f"palette-{depth}", encode(indices, PALETTE, depth, before=palette(colours)), PALETTE, depth, "the scene")
        alphas = [(i * 97) % 256 for i in range(len(colours) // 2)]
        body = encode(indices, PALETTE, depth, before=palette(colours, alphas))
        yield picture(f"palette-{depth}-trns", body, PALETTE, depth, "the scene; half of the palette has some alpha", alpha=True)
    indices, colours = indexed(SCENE, 16)
    body = encode(indices, PALETTE, 4, True, before=palette(colours))
    yield picture("palette-4-interlaced", body, PALETTE, 4, "the scene", interlaced=True)
    body = encode(indices, PALETTE, 4, before=palette(colours[:9]))
    yield picture("palette-short", body, PALETTE, 4, "indices beyond the palette's 9 colours: damaged")


def transparency():
    eight = quantised(LUMA, 8)
    key = int(eight[0, 0])
    body = encode(eight, GREY, 8, before=chunk(b"tRNS", struct.pack(">H", key)))
    yield picture("grey-8-trns", body, GREY, 8, "the scene; one grey is transparent", alpha=True)
    sixteen = quantised(LUMA, 16)
    body = encode(sixteen, GREY, 16, before=chunk(b"tRNS", struct.pack(">H", int(sixteen[0, 0]))))
    yield picture("grey-16-trns", body, GREY, 16, "the scene; one pixel is transparent", alpha=True)
    red = np.array([217, 31, 26])
    body = encode(to8(SCENE), RGB, 8, before=chunk(b"tRNS", struct.pack(">HHH", *red)))
    yield picture("rgb-8-trns", body, RGB, 8, "the scene; the red disc is transparent", alpha=True)
    disc = to16(np.array([0.85, 0.12, 0.1]))
    body = encode(to16(SCENE), RGB, 16, True, before=chunk(b"tRNS", struct.pack(">HHH", *map(int, disc))))
    yield picture("rgb-16-trns-interlaced", body, RGB, 16, "the scene; the red disc is transparent", interlaced=True, alpha=True)


def iccp(profile):
    return chunk(b"iCCP", b"profile\0\0" + zlib.compress(profile, 9))


def colours():
    light = to8(linear(SCENE))
    gama = chunk(b"gAMA", struct.pack(">I", 100000))
    yield picture("gamma-1", encode(light, RGB, 8, before=gama), RGB, 8, "the scene in linear light, gAMA 1.0")
    gama = chunk(b"gAMA", struct.pack(">I", 45455))
    chrm = chunk(b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000))
    srgb = chunk(b"sRGB", b"\0")
    rest = chunk(b"sBIT", bytes([8, 8, 8])) + chunk(b"bKGD", bytes(6)) + chunk(b"pHYs", struct.pack(">IIB", 2835, 2835, 1))
    body = encode(to8(SCENE), RGB, 8, before=gama + chrm + srgb + rest, split=5)
    yield picture("srgb-chunks", body, RGB, 8, "the scene; gAMA, cHRM, sRGB, sBIT, bKGD, pHYs; five IDAT chunks")
    for name, values, profile in (
        ("display-p3", icc.in_p3(SCENE), icc.display_p3()),
        ("adobe-rgb", icc.in_adobe(SCENE), icc.adobe_rgb()),
    ):
        yield picture(name, encode(to8(values), RGB, 8, before=iccp(profile)), RGB, 8, "the scene, through its ICC profile")
    body = encode(to16(icc.in_prophoto(SCENE)), RGB, 16, before=iccp(icc.prophoto()))
    yield picture("prophoto-16", body, RGB, 16, "the scene, through its ICC profile")
    body = encode(to8(with_alpha(icc.in_p3(SCENE), ALPHA)), RGBA, 8, before=iccp(icc.display_p3()))
    yield picture("display-p3-alpha", body, RGBA, 8, "the scene with alpha, through its ICC profile", alpha=True)
    indices, table = indexed(icc.in_p3(SCENE), 256)
    body = encode(indices, PALETTE, 8, before=iccp(icc.display_p3()) + palette(table))
    yield picture("palette-p3", body, PALETTE, 8, "the scene, through its ICC profile")
    body = encode(to16(icc.in_grey(LUMA)), GREY, 16, before=iccp(icc.grey()))
    yield picture("grey-gamma", body, GREY, 16, "the scene, through its grey profile")
    body = encode(to8(LUMA), GREY, 8, before=iccp(icc.adobe_rgb()))
    yield picture("profile-of-rgb", body, GREY, 8, "the scene; its ICC profile is one for RGB: not followed")
    bomb = chunk(b"iCCP", b"profile\0\0" + zlib.compress(icc.adobe_rgb() + bytes(8 << 20), 9))
    yield picture("profile-inflates", encode(to8(SCENE), RGB, 8, before=bomb), RGB, 8, "the scene; its ICC profile has 8 MB: not followed")
    cicp = chunk(b"cICP", bytes([12, 13, 0, 1]))
    yield picture("cicp-p3", encode(to8(icc.in_p3(SCENE)), RGB, 8, before=cicp), RGB, 8, "the scene, Display P3 by cICP")
    body = encode(to8(icc.in_p3(SCENE)), RGB, 8, before=cicp + iccp(icc.adobe_rgb()))
    yield picture("cicp-and-iccp", body, RGB, 8, "the scene, Display P3 by cICP, which goes before its ICC profile")
    pq = chunk(b"cICP", bytes([9, 16, 0, 1]))
    yield picture("cicp-pq", encode(to8(SCENE), RGB, 8, before=pq), RGB, 8, "the scene; by cICP of high dynamic range: not followed")


def metadata():
    stored = turned(SCENE, 6)
    size = (SMALL_HIGH, SMALL_WIDE)
    body = encode(to8(stored), RGB, 8, before=chunk(b"eXIf", exif.tiff(6, ">")))
    yield picture("orientation-6", body, RGB, 8, "the scene, eXIf", size, orientation=6)
    body = encode(to8(turned(SCENE, 3)), RGB, 8, between=chunk(b"eXIf", exif.tiff(3)))
    yield picture("exif-after-data", body, RGB, 8, "the scene, eXIf behind IDAT", orientation=3)
    before = chunk(b"eXIf", exif.tiff(6, private=True)) + chunk(b"pHYs", struct.pack(">IIB", 2835, 2835, 1))
    before += chunk(b"tEXt", b"Comment\0PRIVATE-TEXT") + chunk(b"zTXt", b"PRIVATE-ZTXT\0\0" + zlib.compress(b"PRIVATE-Z"))
    before += chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + exif.XMP) + chunk(b"tIME", b"PRIVATE")
    before += chunk(b"prVt", b"PRIVATE-ANCILLARY") + chunk(b"caBX", b"PRIVATE-C2PA")
    between = chunk(b"tEXt", b"GPS\0PRIVATE-TEXT-AFTER")
    body = encode(to8(stored), RGB, 8, before=before, between=between, split=3, after=b"PRIVATE-TRAILER")
    yield picture("private", body, RGB, 8, "every carrier of metadata, each with a word that begins with PRIVATE", size, orientation=6)


def edges():
    dot = np.array([[[40, 90, 200, 128]]])
    yield picture("one-pixel", encode(dot, RGBA, 8), RGBA, 8, "one pixel", (1, 1), alpha=True)
    line = (np.arange(65535)[None] // 64 % 256).astype(np.uint8)
    yield picture("wide", encode(line, GREY, 8), GREY, 8, "65,535 × 1", (65535, 1))
    yield picture("high", encode(line.T, GREY, 8), GREY, 8, "1 × 65,535", (1, 65535))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 30000, 30000, 8, RGB, 0, 0, 0))
    body = SIGNATURE + head + chunk(b"IDAT", zlib.compress(bytes(90001 * 20), 9)) + chunk(b"IEND", b"")
    yield picture("claims-30000", body, RGB, 8, "claims 30,000², holds 20 rows", (30000, 30000))
    good = encode(to8(SCENE), RGB, 8)
    yield picture("cut-in-data", good[: len(good) * 6 // 10], RGB, 8, "the scene, cut in IDAT")
    yield picture("bad-data-crc", good.replace(good[-16:-12], b"\0\0\0\0"), RGB, 8, "the scene, the CRC of IDAT wrong")
    yield picture("no-iend", good[:-12], RGB, 8, "the scene, IEND missing")
    frame = to8(scene(20, 14))
    before = chunk(b"acTL", struct.pack(">II", 2, 0)) + frame_control(0, *SIZE)
    second = frame_control(1, 20, 14, 5, 6) + chunk(b"fdAT", struct.pack(">I", 2) + data(frame, 8))
    yield picture("animated", encode(to8(SCENE), RGB, 8, before=before, between=second), RGB, 8, "APNG; the scene is its first frame", animated=True)
    before = chunk(b"acTL", struct.pack(">II", 1, 0))
    only = frame_control(0, 32, 20, 8, 6) + chunk(b"fdAT", struct.pack(">I", 1) + data(to8(SCENE[6:26, 8:40]), 8))
    body = encode(to8(1 - SCENE), RGB, 8, before=before, between=only)
    yield picture("default-apart", body, RGB, 8, "APNG; 32 × 20 of the scene at 8, 6 is the first frame, the default image is none", animated=True, alpha=True)
    refused = [
        ("cut-in-header", good[:27], "Truncated", "cut in IHDR"),
        ("bad-header-crc", good[:29] + b"\0\0\0\0" + good[33:], "Corrupt", "the CRC of IHDR wrong"),
        ("bad-depth", SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 4, RGB, 0, 0, 0)), "Corrupt", "RGB with 4 bits"),
        ("cgbi", SIGNATURE + chunk(b"CgBI", bytes(4)) + good[8:], "Unsupported: Apple's CgBI PNG", "Apple's private variant"),
    ]
    for name, body, why, what in refused:
        yield Picture(name + ".png", body, why, what, None)


def pictures():
    for group in (kinds, transparency, colours, metadata, edges):
        yield from group()
