"""Reads each file of a folder with Pillow, to the last pixel: a warning is an error, and so is another size than
the file's name says."""

import sys
import warnings
from pathlib import Path

from PIL import Image

warnings.simplefilter("error")

for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        with Image.open(path) as image:
            image.load()
            image.convert("RGBA")
            if "{}x{}".format(*image.size) != path.name.split("-")[0]:
                raise ValueError(f"is of {image.size}")
    except Exception as error:  # whatever it is, it names its file
        sys.exit(f"{path.name}: {type(error).__name__}: {error}")
