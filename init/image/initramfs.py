"""Writes an initramfs (cpio, "newc") from a list on stdin; the same list gives the same bytes.

    initramfs.py SECONDS < LIST > initramfs.cpio

A line of the list is `dir NAME MODE`, `file NAME MODE SOURCE` or `char NAME MODE MAJOR MINOR`; all
belong to root and date from SECONDS. No right is needed, a device node is just another entry.
Format: the kernel's Documentation/driver-api/early-userspace/buffer-format.rst.
"""

import stat
import sys

KINDS = {"dir": stat.S_IFDIR, "file": stat.S_IFREG, "char": stat.S_IFCHR}


def entry(number, seconds, name, mode, data=b"", device=(0, 0)):
    name = name.encode() + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = [number, mode, 0, 0, links, seconds, len(data), 0, 0, *device, len(name), 0]
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name
    return padded(head) + padded(data)


def padded(data):
    return data + b"\0" * (-len(data) % 4)


def main():
    seconds = int(sys.argv[1])
    lines = sorted((line.split() for line in sys.stdin if line.strip()), key=lambda words: words[1])
    out = sys.stdout.buffer
    for number, (kind, name, mode, *rest) in enumerate(lines, 1):
        data, device = b"", (0, 0)
        if kind == "file":
            with open(rest[0], "rb") as file:
                data = file.read()
        elif kind == "char":
            device = (int(rest[0]), int(rest[1]))
        out.write(entry(number, seconds, name, KINDS[kind] | int(mode, 8), data, device))
    out.write(entry(0, 0, "TRAILER!!!", 0))


main()
