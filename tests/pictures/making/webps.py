"""The WebP pictures."""
import numpy as np
from PIL import Image

from . import exif, icc
from .picture import SMALL_HIGH, SMALL_WIDE, Picture, turned
from .pngs import with_alpha
from .scene import alpha, scene, to8
from .webp import ALPHA, ANIM, ANIMATION, EXIF, ICC, XMP, animation_frame, bitstream, chunk, extended, riff

SIZE = (SMALL_WIDE, SMALL_HIGH)
SCENE = scene(*SIZE)


def picture(name, body, coding, what, size=SIZE, **expected):
    return Picture(name + ".webp", body, coding, what, size, **expected)


def pictures():
    opaque = Image.fromarray(to8(SCENE))
    clear = Image.fromarray(to8(with_alpha(SCENE, alpha(*SIZE))))
    lossy, lossless = bitstream(opaque, quality=85), bitstream(opaque, lossless=True)
    lossy_alpha, lossless_alpha = bitstream(clear, quality=85), bitstream(clear, lossless=True)
    yield picture("lossy", riff(lossy), "lossy", "the scene")
    yield picture("lossless", riff(lossless), "lossless", "the scene")
    yield picture("lossy-alpha", extended(*SIZE, ALPHA, lossy_alpha), "lossy", "the scene with alpha", alpha=True)
    yield picture("lossless-alpha", riff(lossless_alpha), "lossless", "the scene with alpha", alpha=True)
    yield picture("extended-opaque", extended(*SIZE, 0, lossy), "lossy", "the scene behind a VP8X header")
    p3 = bitstream(Image.fromarray(to8(icc.in_p3(SCENE))), lossless=True)
    yield picture("display-p3", extended(*SIZE, ICC, chunk(b"ICCP", icc.display_p3()), p3), "lossless", "the scene, through its ICC profile")
    p3 = bitstream(Image.fromarray(to8(with_alpha(icc.in_p3(SCENE), alpha(*SIZE)))), lossless=True)
    body = extended(*SIZE, ICC | ALPHA, chunk(b"ICCP", icc.display_p3()), p3)
    yield picture("display-p3-alpha", body, "lossless", "the scene with alpha, through its ICC profile", alpha=True)
    adobe = bitstream(Image.fromarray(to8(icc.in_adobe(SCENE))), quality=95)
    yield picture("adobe-rgb", extended(*SIZE, ICC, chunk(b"ICCP", icc.adobe_rgb()), adobe), "lossy", "the scene, through its ICC profile")
    body = extended(*SIZE, 0, chunk(b"ICCP", icc.adobe_rgb()), lossless)
    yield picture("profile-unannounced", body, "lossless", "the scene; its ICC profile is not announced: not followed")
    stored = turned(SCENE, 6)
    side = bitstream(Image.fromarray(to8(stored)), quality=85)
    high = stored.shape[1::-1]
    body = extended(*high, EXIF, side, chunk(b"EXIF", exif.tiff(6)))
    yield picture("orientation-6", body, "lossy", "the scene, EXIF", high, orientation=6)
    body = extended(*high, EXIF, side, chunk(b"EXIF", b"Exif\0\0" + exif.tiff(6, ">")))
    yield picture("exif-prefixed", body, "lossy", "the same, EXIF with the prefix that it has in JPEG", high, orientation=6)
    body = extended(
        *high,
        ICC | EXIF | XMP,
        chunk(b"PRVT", b"PRIVATE-UNKNOWN"),
        chunk(b"ICCP", icc.display_p3()),
        side,
        chunk(b"EXIF", exif.tiff(6, private=True)),
        chunk(b"XMP ", exif.XMP),
        after=b"PRIVATE-TRAILER",
    )
    yield picture("private", body, "lossy", "every carrier of metadata, each with a word that begins with PRIVATE", high, orientation=6)
    inner = bitstream(Image.fromarray(to8(SCENE[6:26, 8:40])), quality=85)
    frames = animation_frame(8, 6, 32, 20, inner) + animation_frame(0, 0, *SIZE, lossless)
    body = extended(*SIZE, ANIMATION | ALPHA, ANIM, frames)
    yield picture("animated", body, "lossy, animated", "32 × 20 of the scene at 8, 6 is the first frame", alpha=True)
    frames = animation_frame(0, 0, *SIZE, lossless, 2) + animation_frame(8, 6, 32, 20, inner, 2)
    body = extended(*SIZE, ANIMATION, ANIM, frames)
    yield picture("animated-opaque", body, "lossless, animated", "the scene is its first frame")
    dot = bitstream(Image.fromarray(np.array([[[40, 90, 200]]], np.uint8)), lossless=True)
    yield picture("one-pixel", riff(dot), "lossless", "one pixel", (1, 1))
    yield picture("cut-in-data", riff(lossy)[: len(lossy) * 6 // 10], "lossy", "the scene, cut in its data")
    body = extended(16384, 16384, ALPHA, lossless_alpha)
    yield Picture("canvas-differs.webp", body, "Corrupt", "a canvas of 16,384² around 45 × 31", None)
    yield Picture("cut-in-header.webp", riff(lossy)[:25], "Truncated", "cut in the VP8 header", None)
    yield Picture("no-image.webp", extended(*SIZE, EXIF, chunk(b"EXIF", exif.tiff(6))), "Truncated", "a canvas and no picture", None)
