"""The JPEG pictures."""
import io
import struct

import numpy as np
from PIL import Image

from . import exif, icc
from .jpeg import Component, adobe, claims, encode, icc_segments, insert, jfif, planes, segment
from .picture import HIGH, WIDE, Picture, turned
from .scene import cmyk, grey, scene, to8, ycbcr

SCENE = scene(WIDE, HIGH)
YCC = to8(ycbcr(SCENE))
SIZE = (WIDE, HIGH)
ONE = (1, 1)


def pillow(values, **options):
    out = io.BytesIO()
    Image.fromarray(values).save(out, "JPEG", **{"quality": 85, **options})
    return out.getvalue()


def app1(tiff):
    return segment(0xE1, b"Exif\0\0" + tiff)


def picture(name, body, coding, what, size=SIZE, **expected):
    return Picture(name + ".jpg", body, coding, what, size, **expected)


def sampled(name, ratio, h, v):
    body = encode(planes(YCC, [(h, v), ONE, ONE]), jfif())
    return picture(name, body, f"sequential, 3 components, {ratio}", f"the scene, chroma {ratio}, odd size")


def codings():
    rgb = to8(SCENE)
    yield sampled("baseline-444", "1x1 1x1 1x1", 1, 1)
    yield sampled("baseline-422", "2x1 1x1 1x1", 2, 1)
    yield sampled("baseline-420", "2x2 1x1 1x1", 2, 2)
    yield sampled("baseline-411", "4x1 1x1 1x1", 4, 1)
    yield sampled("baseline-440", "1x2 1x1 1x1", 1, 2)
    yield sampled("baseline-410", "4x2 1x1 1x1", 4, 2)
    body = encode(planes(YCC, [(2, 2), (2, 1), (1, 2)]), jfif())
    yield picture("uneven-sampling", body, "sequential, 3 components, 2x2 2x1 1x2", "the scene, Cb at 1 × 2, Cr at 2 × 1")
    body = encode(planes(YCC, [ONE, (2, 1), (2, 1)]), jfif())
    yield picture("luma-halved", body, "sequential, 3 components, 1x1 2x1 2x1", "the scene, chroma twice as wide as luma")
    body = encode(planes(YCC, [(1, 2)] * 3), jfif())
    yield picture("factors-1x2-all", body, "sequential, 3 components, 1x2 1x2 1x2", "the scene, 4:4:4 in an unusual spelling")
    body = encode([Component(1, to8(grey(SCENE)))], jfif())
    yield picture("grey", body, "sequential, 1 components, 1x1", "the scene in grey")
    body = encode([Component(1, to8(grey(SCENE)), 2, 2)], jfif())
    yield picture("grey-2x2", body, "sequential, 1 components, 2x2", "the scene in grey; its factors 2 × 2 mean nothing")
    ratio = "3 components, 2x2 1x1 1x1"
    yield picture("optimised-420", pillow(rgb, subsampling="4:2:0", optimize=True), f"sequential, {ratio}", "the scene, long Huffman codes")
    yield picture("progressive-420", pillow(rgb, subsampling="4:2:0", progressive=True), f"progressive, {ratio}", "the scene")
    yield picture("progressive-444", pillow(rgb, subsampling="4:4:4", progressive=True), "progressive, 3 components, 1x1 1x1 1x1", "the scene")
    yield picture("progressive-grey", pillow(to8(grey(SCENE)), progressive=True), "progressive, 1 components, 1x1", "the scene in grey")
    body = encode(planes(YCC, [(2, 2), ONE, ONE]), jfif(), restart=7)
    yield picture("restarts-420", body, f"sequential, {ratio}", "the scene, a restart marker every 7 units")
    body = pillow(rgb, subsampling="4:2:0", progressive=True, restart_marker_blocks=11)
    yield picture("progressive-restarts", body, f"progressive, {ratio}", "the scene with restart markers")
    body = encode(planes(YCC, [(2, 2), ONE, ONE]), jfif(), scans=[[0], [1], [2]], between=segment(0xFE, b"PRIVATE-COM"))
    yield picture("three-scans", body, f"scan by scan, {ratio}", "the scene, a scan a component, a comment before each")
    body = encode(planes(YCC, [(2, 2), ONE, ONE]), jfif(), sof=0xC1)
    yield picture("extended-8-bit", body, f"sequential, {ratio}", "the scene as SOF1 with 8 bits")
    body = encode(planes(YCC, [ONE] * 3), b"\xff\xff\xff" + jfif()).replace(b"\xff\xda", b"\xff\xff\xff\xda", 1)
    yield picture("fill-bytes", body, "sequential, 3 components, 1x1 1x1 1x1", "the scene, fill bytes before markers")


def colours():
    inks = to8(1 - cmyk(SCENE))
    ycck = np.concatenate([to8(ycbcr(cmyk(SCENE)[..., :3])), inks[..., 3:]], axis=-1)
    four = "sequential, 4 components, 1x1 1x1 1x1 1x1"
    yield picture("cmyk", encode(planes(inks, [ONE] * 4), adobe(0)), four, "the scene in CMYK, Adobe marker, inverted inks")
    yield picture("ycck", encode(planes(ycck, [ONE] * 4), adobe(2)), four, "the scene in YCCK, Adobe marker, inverted inks")
    body = encode(planes(ycck, [(2, 2), ONE, ONE, (2, 2)]), adobe(2))
    yield picture("ycck-420", body, "sequential, 4 components, 2x2 1x1 1x1 2x2", "the same, chroma halved")
    yield picture("cmyk-no-adobe", encode(planes(inks, [ONE] * 4)), four, "as cmyk.jpg, without the marker: browsers show the same")
    rgb, three = to8(SCENE), "sequential, 3 components, 1x1 1x1 1x1"
    yield picture("rgb-adobe", encode(planes(rgb, [ONE] * 3), adobe(0)), three, "the scene in RGB: Adobe marker, transform 0")
    yield picture("rgb-ids", encode(planes(rgb, [ONE] * 3, b"RGB")), three, "the scene in RGB: components called R, G, B, no marker")
    yield picture("ycc-adobe", encode(planes(YCC, [ONE] * 3), adobe(1)), three, "the scene in YCbCr: Adobe marker, transform 1")
    yield picture("ycc-bare", encode(planes(YCC, [ONE] * 3)), three, "the scene in YCbCr, neither JFIF nor Adobe marker")
    for name, values, profile, parts in [
        ("display-p3", icc.in_p3(SCENE), icc.display_p3(), 1),
        ("adobe-rgb", icc.in_adobe(SCENE), icc.adobe_rgb(), 1),
        ("prophoto", icc.in_prophoto(SCENE), icc.prophoto(), 1),
        ("adobe-rgb-two-parts", icc.in_adobe(SCENE), icc.adobe_rgb(), 2),
        ("srgb-profile", SCENE, icc.srgb(), 1),
    ]:
        body = encode(planes(to8(ycbcr(values)), [ONE] * 3), jfif() + icc_segments(profile, parts))
        yield picture(name, body, three, f"the scene, through its ICC profile in {parts} part(s)")
    body = encode([Component(1, to8(icc.in_adobe(SCENE)[..., 1]))], icc_segments(b"not a profile"))
    one = "sequential, 1 components, 1x1"
    yield picture("grey-bad-profile", body, one, "green of the scene in grey; the ICC profile is nonsense")
    luma = grey(SCENE)
    body = encode([Component(1, to8(icc.in_grey(luma)))], icc_segments(icc.grey()))
    yield picture("grey-gamma", body, one, "the scene in grey, through its grey profile")
    body = encode([Component(1, to8(icc.in_adobe(np.repeat(luma[..., None], 3, -1))[..., 1]))], icc_segments(icc.adobe_rgb()))
    yield picture("grey-adobe-rgb", body, one, "the scene in grey, through an RGB profile")
    body = encode(planes(inks, [ONE] * 4), adobe(0) + icc_segments(icc.inks()))
    yield picture("cmyk-profile", body, four, "the inks of cmyk.jpg, with a profile of weaker inks")
    body = encode(planes(ycck, [ONE] * 4), adobe(2) + icc_segments(icc.inks(), 3))
    yield picture("ycck-profile", body, four, "the inks of ycck.jpg, with a profile of weaker inks")
    whole = icc.adobe_rgb()
    lacking = icc_segments(whole, 2)
    lacking = lacking[2 + struct.unpack(">H", lacking[2:4])[0] :]
    for name, segments, why in [
        ("profile-part-lacks", lacking, "the first of two parts of its ICC profile lacks"),
        ("profile-cut", icc_segments(whole[:300]), "its ICC profile is cut"),
        ("profile-of-grey", icc_segments(icc.grey()), "its ICC profile is one for grey"),
        ("profile-of-inks", icc_segments(icc.inks()), "its ICC profile is one for inks"),
        ("profile-black", icc_segments(icc.black()), "by its ICC profile all is black"),
    ]:
        yield picture(name, encode(planes(YCC, [ONE] * 3), jfif() + segments), three, f"the scene; {why}: not followed")


def orientations():
    small = to8(ycbcr(scene(75, 50)))
    for o in range(1, 9):
        stored = turned(small, o)
        order, kind = "<>"[o % 2], [3, 4][o // 2 % 2]
        body = encode(planes(stored, [(2, 2), ONE, ONE]), app1(exif.tiff(o, order, kind)))
        what = f"the scene; {'SHORT' if kind == 3 else 'LONG'}, {'little' if order == '<' else 'big'}-endian"
        yield picture(f"orientation-{o}", body, "sequential, 3 components, 2x2 1x1 1x1", what, stored.shape[1::-1], orientation=o)
    body = encode(planes(small, [ONE] * 3), app1(exif.tiff(9)))
    yield picture("orientation-9", body, "sequential, 3 components, 1x1 1x1 1x1", "an orientation that does not exist", (75, 50))


def private():
    small = to8(ycbcr(turned(scene(75, 50), 6)))
    thumbnail = to8(scene(12, 8))
    thumbnail[0, :4].reshape(-1)[:12] = list(b"PRIVATE-JFIF")
    second = encode([Component(1, to8(grey(scene(16, 11))))], segment(0xFE, b"PRIVATE-MPF-PICTURE"))
    before = jfif(thumbnail)
    before += segment(0xE0, b"JFXX\0\x13\x04\x02PRIVATE-JFXX" + bytes(12))
    before += app1(exif.tiff(6, ">", private=True))
    before += segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + exif.XMP)
    more = b"PRIVATE-XMP-EXTENSION"
    part = b"0123456789ABCDEF" * 2 + struct.pack(">II", len(more), 0) + more
    before += segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + part)
    before += icc_segments(icc.display_p3())
    before += segment(0xE2, b"MPF\0MM\0*PRIVATE-MPF")
    before += segment(0xE2, b"urn:iso:std:iso:ts:21496:-1\0PRIVATE-GAIN-MAP")
    before += segment(0xE3, b"PRIVATE-APP3") + segment(0xE4, b"PRIVATE-APP4")
    before += segment(0xEC, b"Ducky\0PRIVATE-DUCKY")
    before += segment(0xED, b"Photoshop 3.0\x008BIM\4\4\0\0\0\0\0\x10\x1c\2\5\0\x0bPRIVATE-IPTC")
    before += adobe(1) + segment(0xEF, b"PRIVATE-APP15") + segment(0xFE, b"PRIVATE-COM")
    between = segment(0xFE, b"PRIVATE-COM-BETWEEN") + segment(0xE1, b"Exif\0\0PRIVATE-EXIF-BETWEEN")
    body = encode(planes(small, [(2, 2), ONE, ONE]), before, restart=3, scans=[[0], [1, 2]], between=between)
    body += second + b"PRIVATE-MOTION-VIDEO"
    coding = "sequential, 3 components, 2x2 1x1 1x1"
    yield picture("private", body, "scan by scan, 3 components, 2x2 1x1 1x1", "every carrier of metadata, each with a word that begins with PRIVATE", (50, 75), orientation=6)
    body = encode(planes(small, [(2, 2), ONE, ONE]), app1(exif.tiff(6, private=True)) + jfif())
    yield picture("exif-before-jfif", body, coding, "the scene, Exif with GPS before JFIF", (50, 75), orientation=6)


def edges():
    dot = "sequential, 3 components, 1x1 1x1 1x1"
    yield picture("one-pixel", encode(planes(YCC[:1, :1], [ONE] * 3), jfif()), dot, "one pixel", (1, 1))
    line = to8(grey(scene(65535, 1)) * 0.1 + 0.4)
    line[0, :] = np.linspace(0, 255, 65535).astype(np.uint8) // 32 * 32
    one = "sequential, 1 components, 1x1"
    yield picture("wide", encode([Component(1, line)], jfif()), one, "65,535 × 1, grey steps from black to white", (65535, 1))
    yield picture("high", encode([Component(1, line.T)], jfif()), one, "1 × 65,535, grey steps from black to white", (1, 65535))
    many = "progressive, 3 components, 1x1 1x1 1x1"
    yield picture("claims-16383", claims(16383), many, "a progressive file of under 4 KB", (16383, 16383))
    good = encode(planes(YCC, [(2, 2), ONE, ONE]), jfif())
    ratio = "sequential, 3 components, 2x2 1x1 1x1"
    yield picture("no-eoi", good[:-2], ratio, "the scene, its end marker missing")
    yield picture("cut-in-data", good[: len(good) * 6 // 10], ratio, "the scene, cut in its data")
    body = pillow(to8(SCENE), progressive=True)
    yield picture("progressive-cut", body[: len(body) // 2], "progressive, 3 components, 2x2 1x1 1x1", "the scene, cut in its scans")
    frame = good.index(b"\xff\xc0")
    yield picture("cut-in-header", good[: frame + 6], "Truncated", "cut in the frame header", None)
    yield picture("tables-only", good[:frame] + b"\xff\xd9", "Corrupt", "tables and no picture", None)

    def patched(at, new):
        return good[:at] + new + good[at + len(new) :]

    named = {
        "arithmetic": ("arithmetic-coded JPEG", patched(frame, b"\xff\xc9")),
        "arithmetic-progressive": ("arithmetic-coded JPEG", patched(frame, b"\xff\xca")),
        "lossless": ("lossless JPEG", patched(frame, b"\xff\xc3")),
        "hierarchical": ("hierarchical JPEG", patched(frame, b"\xff\xc5")),
        "12-bit": ("12-bit JPEG", patched(frame, b"\xff\xc1\0\x11\x0c")),
    }
    for name, (kind, body) in named.items():
        yield picture(name, body, f"Unsupported: {kind}", "the header alone is true", None)
    body = encode(planes(YCC, [(2, 2), ONE, ONE]), jfif(), dnl=True)
    yield picture("dnl", body, "Unsupported: JPEG with its height in a DNL marker", "the scene, its height behind the scan", None)
    yield picture("width-0", patched(frame + 7, b"\0\0"), "Corrupt", "a width of 0", None)
    body = good[:frame] + good[frame : frame + 19] + good[frame:]
    yield picture("two-frames", body, "Corrupt", "two frame headers", None)


def pictures():
    for group in (codings, colours, orientations, private, edges):
        yield from group()
