"""Pillow as a peer: takes jobs as lines of words parted by tabs, answers each with one line.

What the lines are is told in ../src/child.rs.
"""

import io
import resource
import sys
from pathlib import Path

from PIL import Image, ImageOps, __version__, features

SIDES = (600, 300, 100)


def make(data, is_png):
    """Decodes once, scaled down by libjpeg as far as Pillow thinks right, then 600 → 300 → 100."""
    image = Image.open(io.BytesIO(data))
    if not is_png:
        image.draft("RGB", (SIDES[0], SIDES[0]))
    image = ImageOps.exif_transpose(image)
    files = []
    for side in SIDES:
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
        out = io.BytesIO()
        if is_png:
            image.save(out, "PNG")
        else:
            image.save(out, "JPEG", quality=80, subsampling="4:2:0")
        files.append(out.getvalue())
    return files


def job(path, count):
    data = Path(path).read_bytes()
    before = resource.getrusage(resource.RUSAGE_SELF)
    for _ in range(count):
        files = make(data, path.endswith(".png"))
    after = resource.getrusage(resource.RUSAGE_SELF)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    faults = after.ru_minflt - before.ru_minflt
    return [seconds * 1000 / count, faults / count, *map(len, files)]


def keep(path, folder):
    files = make(Path(path).read_bytes(), path.endswith(".png"))
    for side, data in zip(SIDES, files):
        Path(folder, str(side)).write_bytes(data)
    return []


def version():
    return [f"Pillow {__version__}, libjpeg-turbo {features.version('libjpeg_turbo')}"]


for line in sys.stdin:
    verb, *words = line.rstrip("\n").split("\t")
    if verb == "job":
        answer = job(words[0], int(words[1]))
    elif verb == "keep":
        answer = keep(*words)
    elif verb == "version":
        answer = version()
    else:
        raise SystemExit(f"what is {verb}?")
    print(*answer, sep="\t", flush=True)
