"""Draws three landscapes to take pictures of the pages with: hills, each paler the farther away it is.

    python3 view.py FOLDER
"""

import math
import os
import struct
import sys
import zlib

VIEWS = {
    # name: width, height, sky at the top and at the horizon, the nearest hill, sun (x, y, radius)
    "morning.png": (1200, 800, (112, 158, 190), (250, 219, 186), (30, 62, 66), (0.68, 0.42, 0.055)),
    "evening.png": (960, 960, (58, 46, 92), (240, 138, 104), (34, 24, 48), (0.35, 0.5, 0.08)),
    "noon.png": (800, 1100, (86, 160, 214), (214, 236, 240), (24, 84, 60), (0.75, 0.2, 0.06)),
}
HILLS = 5


def mix(a, b, share):
    return tuple(round(x + (y - x) * share) for x, y in zip(a, b))


def ridge(x, hill, seed):
    """Height of a hill's ridge, 0 to 1 from the top, at x from 0 to 1."""
    waves = sum(math.sin(x * (2.2 + n * 3.1) * math.pi + seed * 1.7 + hill * 2.3 + n) / (n + 1.6) for n in range(5))
    return 0.44 + 0.115 * hill + waves * (0.025 + 0.012 * hill)


def view(width, height, top, horizon, near, sun, seed):
    ridges = [[ridge(x / width, hill, seed) * height for x in range(width)] for hill in range(HILLS)]
    shades = [mix(horizon, near, 0.22 + 0.78 * hill / (HILLS - 1)) for hill in range(HILLS)]
    centre_x, centre_y, radius = sun[0] * width, sun[1] * height, sun[2] * height
    rows = bytearray()
    for y in range(height):
        sky = mix(top, horizon, min(1, y / height / 0.55) ** 0.8)
        rows.append(0)
        for x in range(width):
            colour = sky
            distance = math.hypot(x - centre_x, y - centre_y)
            if distance < radius * 3.5:
                colour = mix(sky, (255, 246, 226), 1 if distance < radius else 0.5 * (1 - (distance - radius) / radius / 2.5))
            for hill in range(HILLS - 1, -1, -1):
                if y > ridges[hill][x]:
                    colour = shades[hill]
                    break
            rows.extend(colour)
    return rows


def png(width, height, rows):
    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(rows), 6)) + chunk(b"IEND", b"")


def draw(folder):
    """Writes them; returns their paths."""
    paths = []
    for seed, (name, (width, height, *colours)) in enumerate(VIEWS.items()):
        paths.append(os.path.join(folder, name))
        with open(paths[-1], "wb") as file:
            file.write(png(width, height, view(width, height, *colours, seed)))
    return paths


if __name__ == "__main__":
    draw(sys.argv[1])
