"""The GIF pictures."""
import numpy as np

from . import exif, icc
from .gif import application, control, encode, extension, frame
from .picture import SMALL_HIGH, SMALL_WIDE, Picture
from .pngs import indexed
from .scene import alpha, scene

SIZE = (SMALL_WIDE, SMALL_HIGH)
SCENE = scene(*SIZE)
LOOP = application(b"NETSCAPE2.0", b"\1\0\0")


def picture(name, body, what, size=SIZE, **expected):
    return Picture(name + ".gif", body, "first frame", what, size, **expected)


def pictures():
    indices, colours = indexed(SCENE, 64)
    whole = frame(indices, 6)
    yield picture("static", encode(*SIZE, colours, 6, whole), "the scene in 64 colours")
    yield picture("interlaced", encode(*SIZE, colours, 6, frame(indices, 6, interlaced=True)), "the scene, interlaced")
    yield picture("local-palette", encode(*SIZE, None, 6, frame(indices, 6, colours=colours)), "the scene, no global colours")
    holes = np.where(alpha(*SIZE) < 0.3, 5, indices)
    yield picture("transparent", encode(*SIZE, colours, 6, control(transparent=5), frame(holes, 6)), "the scene; one colour is transparent", alpha=True)
    inner = frame(indices[6:26, 9:40], 6, 9, 6)
    yield picture("small-first-frame", encode(*SIZE, colours, 6, inner), "31 × 20 of the scene at 9, 6 on the canvas", alpha=True)
    outside = encode(40, 20, colours, 6, frame(indices, 6, 4, 3))
    yield picture("frame-outside", outside, "a frame that reaches over the canvas of 40 × 20", (40, 20), alpha=True)
    few, tiny = indexed(scene(4, 3), 4)
    frames = [LOOP] + [control(5) + frame((few + i % 4) % 4, 2) for i in range(400)]
    yield picture("400-frames", encode(4, 3, tiny, 2, *frames), "400 frames of 4 × 3", (4, 3))
    second = control(10, transparent=3) + frame(np.roll(indices, 9, axis=1)[:12, :15], 6, 20, 10)
    yield picture("animated", encode(*SIZE, colours, 6, LOOP, control(10), whole, second), "the scene is its first frame")
    extras = [
        extension(0xFE, b"PRIVATE-COMMENT", b"PRIVATE-MORE"),
        LOOP,
        application(b"XMP DataXMP", exif.XMP),
        application(b"ICCRGBG1012", icc.srgb()),
        application(b"PRIVATE-APP", b"PRIVATE-DATA"),
        extension(0x77, b"PRIVATE-UNKNOWN"),
        control(10),
        whole,
        extension(0xFE, b"PRIVATE-AFTER"),
        second,
    ]
    yield picture("private", encode(*SIZE, colours, 6, *extras, after=b"PRIVATE-TRAILER"), "every carrier of metadata, each with a word that begins with PRIVATE")
    good = encode(*SIZE, colours, 6, whole)
    yield picture("no-trailer", good[:-1], "the scene, its trailer missing")
    yield picture("cut-in-data", good[: len(good) * 6 // 10], "the scene, cut in its data")
    yield picture("one-pixel", encode(1, 1, colours, 6, frame(indices[:1, :1], 6)), "one pixel", (1, 1))
    yield picture("zero-canvas", encode(0, 0, colours, 6, whole), "a canvas of 0 × 0: the first frame's size counts")
    yield Picture("cut-in-header.gif", good[:9], "Truncated", "cut in the logical screen descriptor", None)
    yield Picture("no-frame.gif", encode(*SIZE, colours, 6), "Corrupt", "a canvas and no frame", None)
