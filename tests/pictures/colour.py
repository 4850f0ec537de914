#!/usr/bin/env python3
"""Compares thumbnails with Pillow's and littlecms's: `make test-colour` runs it. It needs what make.py needs.

    colour.py THUMBNAIL [PHOTO...]

THUMBNAIL is the example program of that name. Three tables are printed, and a difference beyond its limit
fails: every test picture against Pillow; colours of each kind of profile against littlecms, alone and in a
picture that is reduced (there in a browser's order: converted at full size, then reduced); the photos given.
"""
import io
import pathlib
import struct
import subprocess
import sys
import tempfile
import warnings

import numpy as np
from PIL import Image, ImageCms, ImageOps, features

from making import icc
from making.png import chunk
from making.scene import cmyk, linear, scene, to8

# Some test pictures' metadata are broken on purpose.
warnings.filterwarnings("ignore", category=UserWarning, module="PIL")

HERE = pathlib.Path(__file__).parent
# What Pillow 13 does otherwise than browsers: it shows the default image; knows no code points; makes a canvas
# larger for its frame, and fills it; follows a profile by which all is black; compares eight of sixteen bits with
# a transparent colour; refuses long profiles, long sides and files without an end.
OTHERWISE = {
    "default-apart.png",
    "cicp-p3.png",
    "cicp-and-iccp.png",
    "frame-outside.gif",
    "small-first-frame.gif",
    "rgb-16-trns-interlaced.png",
    "wide.jpg",
    "profile-black.jpg",
    "profile-inflates.png",
    "high.jpg",
    "no-eoi.jpg",
}
# Mean difference in levels: chroma that Pillow interpolates and we don't, 16 bits that it cuts.
MOST_LEVELS = 2.0
# Mean ΔE2000: of colours alone, and of reduced pictures.
MOST_DELTA = 1.0


def srgb():
    """Version 2, so that littlecms adds no black-point compensation of its own; a curve of 4096 entries."""
    entries = np.rint(linear(np.arange(4096) / 4095) * 65535).astype(">u2").tobytes()
    curve = b"curv\0\0\0\0" + struct.pack(">I", 4096) + entries
    return ImageCms.ImageCmsProfile(io.BytesIO(icc.profile(2, "sRGB", icc.SRGB, curve)))


TARGET = srgb()


def managed(image, profile):
    """The image in sRGB, by littlecms: perceptual intent."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    out = "L" if image.mode == "L" else "RGB"
    if out == "L":
        # Pillow has no grey sRGB: the neutral colour's green.
        rgb = ImageCms.profileToProfile(image, source, TARGET, 0, "RGB")
        return rgb.getchannel("G")
    if image.mode == "RGBA":
        rgb = ImageCms.profileToProfile(image.convert("RGB"), source, TARGET, 0, "RGB")
        rgb.putalpha(image.getchannel("A"))
        return rgb
    return ImageCms.profileToProfile(image, source, TARGET, 0, out)


def reduced(image, size):
    if image.mode in ("RGBA", "LA"):
        image = image.convert("RGBA").convert("RGBa").resize(size, Image.Resampling.LANCZOS).convert("RGBA")
        return image
    return image.resize(size, Image.Resampling.LANCZOS)


def lab(rgb):
    xyz = linear(np.asarray(rgb, float) / 255) @ icc.SRGB.T / icc.SRGB.sum(axis=1)
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)


def delta(a, b):
    """ΔE2000 of arrays of sRGB (CIE 142-2001; Sharma, Wu, Dalal 2005)."""
    (l1, a1, b1), (l2, a2, b2) = np.moveaxis(lab(a), -1, 0), np.moveaxis(lab(b), -1, 0)
    mean = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    g = 0.5 * (1 - np.sqrt(mean**7 / (mean**7 + 25.0**7)))
    a1, a2 = (1 + g) * a1, (1 + g) * a2
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    grey = c1 * c2 == 0
    dh = np.where(grey, 0, (h2 - h1 + 180) % 360 - 180)
    dhh = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(dh / 2))
    l, c = (l1 + l2) / 2, (c1 + c2) / 2
    far = abs(h1 - h2) > 180
    h = np.where(grey, h1 + h2, np.where(far, (h1 + h2 + 360) / 2 % 360, (h1 + h2) / 2))
    t = 1 - 0.17 * np.cos(np.radians(h - 30)) + 0.24 * np.cos(np.radians(2 * h))
    t += 0.32 * np.cos(np.radians(3 * h + 6)) - 0.20 * np.cos(np.radians(4 * h - 63))
    sl = 1 + 0.015 * (l - 50) ** 2 / np.sqrt(20 + (l - 50) ** 2)
    sc, sh = 1 + 0.045 * c, 1 + 0.015 * c * t
    turn = -2 * np.sqrt(c**7 / (c**7 + 25.0**7)) * np.sin(np.radians(60 * np.exp(-(((h - 275) / 25) ** 2))))
    dl, dc, dhh = (l2 - l1) / sl, (c2 - c1) / sc, dhh / sh
    return np.sqrt(dl**2 + dc**2 + dhh**2 + turn * dc * dhh)


class Thumbnails:
    """Our thumbnails, by the example program."""

    def __init__(self, program, folder):
        self.program, self.folder = program, pathlib.Path(folder)

    def make(self, box, *files):
        """Images by file name, and the files that were refused."""
        run = [self.program, str(box), str(self.folder), *map(str, files)]
        refused = subprocess.run(run, check=True, capture_output=True, text=True).stdout
        names = [pathlib.Path(file).name for file in files]
        made = {name: self.folder / (name + ".png") for name in names}
        return {name: Image.open(path) for name, path in made.items() if path.exists()}, refused.splitlines()

    def of(self, box, name, body):
        path = self.folder / name
        path.write_bytes(body)
        return self.make(box, path)[0][name]


def by_pillow(path, size):
    """What Pillow makes of a picture, in the order of a browser."""
    image = Image.open(path)
    profile = image.info.get("icc_profile")
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        image = Image.fromarray(np.rint(np.asarray(image) / 257).astype(np.uint8))
    if image.mode in ("1", "P", "LA", "PA"):
        image = image.convert("RGBA" if "transparency" in image.info or image.mode.endswith("A") else "RGB")
    elif "transparency" in image.info:
        image = image.convert("RGBA")
    if profile:
        try:
            image = managed(image, profile)
        except (ImageCms.PyCMSError, OSError):
            pass
    if image.mode == "CMYK":
        image = image.convert("RGB")
    return reduced(image, size)


def levels(ours, theirs):
    a, b = (np.asarray(image.convert("RGBA"), float) for image in (ours, theirs))
    # Colour counts as far as it is seen.
    a[..., :3] *= a[..., 3:] / 255
    b[..., :3] *= b[..., 3:] / 255
    return np.abs(a - b).mean(), np.abs(a - b).max()


def pictures(thumbnails):
    files = sorted(p for p in HERE.iterdir() if p.suffix in (".jpg", ".png", ".gif", ".webp"))
    files = [f for f in files if f.name not in OTHERWISE]
    made, refused = thumbnails.make(40, *files)
    print(f"test pictures, 40 px: {len(made)} thumbnails, {len(refused)} refused; difference from Pillow in levels")
    bad, all_means = [], []
    for file in files:
        if file.name not in made:
            continue
        ours = made[file.name]
        mean, most = levels(ours, by_pillow(file, ours.size))
        all_means.append(mean)
        if mean > MOST_LEVELS / 2:
            print(f"  {file.name:28} mean {mean:5.2f}  most {most:3.0f}")
        if mean > MOST_LEVELS:
            bad.append(file.name)
    print(f"  {len(all_means)} compared: mean of means {np.mean(all_means):.2f}, largest mean {max(all_means):.2f}")
    return bad


def png(image, profile):
    out = io.BytesIO()
    image.save(out, "PNG", icc_profile=profile)
    return out.getvalue()


def jpeg(image, profile):
    out = io.BytesIO()
    image.save(out, "JPEG", icc_profile=profile, quality=100, subsampling=0)
    return out.getvalue()


def lattice(channels, steps):
    """An image of all combinations of that many levels of each channel."""
    values = np.rint(np.linspace(0, 255, steps)).astype(np.uint8)
    all_colours = np.stack(np.meshgrid(*[values] * channels, indexing="ij"), -1).reshape(-1, channels)
    width = int(np.ceil(np.sqrt(len(all_colours))))
    height = -(-len(all_colours) // width)
    padded = np.resize(all_colours, (width * height, channels))
    return padded.reshape(height, width, channels) if channels > 1 else padded.reshape(height, width)


def sources():
    """Name, profile, mode, all colours, a picture, how it is written."""
    wide = scene(1500, 1000)
    luma = wide @ [0.299, 0.587, 0.114]
    for name, profile, values in (
        ("Display P3", icc.display_p3(), icc.in_p3(wide)),
        ("Adobe RGB", icc.adobe_rgb(), icc.in_adobe(wide)),
        ("ProPhoto", icc.prophoto(), icc.in_prophoto(wide)),
    ):
        yield name, profile, "RGB", lattice(3, 33), to8(values), png
    yield "grey, gamma 1.8", icc.grey(), "L", lattice(1, 256), to8(icc.in_grey(luma)), png
    yield "inks, a small table", icc.inks(), "CMYK", lattice(4, 17), to8(cmyk(wide)), jpeg


def line(name, deltas, place):
    print(f"  {name:34} {place:24} mean {deltas.mean():.3f}  99 % {np.percentile(deltas, 99):.2f}  most {deltas.max():.2f}")
    return [name] if deltas.mean() >= MOST_DELTA else []


def compare(thumbnails, name, body, box, profile, place):
    ours = thumbnails.of(box, "one." + ("jpg" if body[:2] == b"\xff\xd8" else "png"), body)
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(body)))
    theirs = reduced(managed(image, profile) if profile else image, ours.size)
    return line(name, delta(ours.convert("RGB"), theirs.convert("RGB")), place)


def colours(thumbnails, photos):
    print(f"ΔE2000 from littlecms {features.version_module('littlecms2')} (Pillow {Image.__version__})")
    bad = []
    for name, profile, mode, every, picture, write in sources():
        for values, box, place in ((every, 600, "all colours, as they are"), (picture, 600, "1500 to 600 px"), (picture, 100, "1500 to 100 px")):
            body = write(Image.fromarray(values, mode), profile)
            bad += compare(thumbnails, name, body, box, profile, place)
    plain = png(Image.fromarray(to8(scene(1500, 1000))), None)
    bad += compare(thumbnails, "no profile: resampling alone", plain, 100, None, "1500 to 100 px")
    for photo in photos:
        body = pathlib.Path(photo).read_bytes()
        profile = Image.open(photo).info.get("icc_profile")
        for box in (600, 100):
            # No limit: where chroma is halved, its interpolation differs by more than colours do.
            compare(thumbnails, pathlib.Path(photo).name[:34], body, box, profile, f"to {box} px")
        if profile and Image.open(photo).mode == "CMYK":
            body = jpeg(Image.fromarray(lattice(4, 17), "CMYK"), profile)
            bad += compare(thumbnails, "  its profile", body, 600, profile, "all colours, as they are")
    return bad


def main():
    program, photos = sys.argv[1], sys.argv[2:]
    with tempfile.TemporaryDirectory() as folder:
        thumbnails = Thumbnails(program, folder)
        bad = pictures(thumbnails) + colours(thumbnails, photos)
    if bad:
        sys.exit("too far off: " + ", ".join(bad))


main()
