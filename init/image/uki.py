"""Puts kernel, command line and initramfs into one program that UEFI starts (a unified kernel image).

    uki.py STUB KERNEL INITRAMFS CMDLINE OUT

The stub is systemd-boot's (Debian: systemd-boot-efi); it looks for its parts by their section names
(https://uapi-group.org/specifications/specs/unified_kernel_image/). Their places in memory are
computed, so that nothing overlaps however large they grow, and nothing but the arguments goes in.
"""

import struct
import sys

# What a section with data to read is: IMAGE_SCN_CNT_INITIALIZED_DATA | IMAGE_SCN_MEM_READ.
DATA = 0x40000040
PAGE = 0x1000


def up(number, step):
    return -(-number // step) * step


def main():
    stub, kernel, initramfs, cmdline, out = sys.argv[1:]
    image = bytearray(read(stub))
    # Microsoft's PE format: offsets of the COFF header, the optional header and the section table.
    coff = struct.unpack_from("<I", image, 0x3C)[0] + 4
    count, optional_size = struct.unpack_from("<H", image, coff + 2)[0], struct.unpack_from("<H", image, coff + 16)[0]
    optional = coff + 20
    file_step = struct.unpack_from("<I", image, optional + 36)[0]
    headers_size = struct.unpack_from("<I", image, optional + 60)[0]
    table = optional + optional_size
    sections = [struct.unpack_from("<8sIIII", image, table + 40 * index) for index in range(count)]
    memory = up(max(address + size for _, size, address, _, _ in sections), PAGE)
    parts = [
        (b".osrel", b"ID=image-sharer\nNAME=image-sharer\n"),
        (b".cmdline", cmdline.encode() + b"\0"),
        (b".initrd", read(initramfs)),
        # Last, since the stub lets the kernel unpack itself in place.
        (b".linux", read(kernel)),
    ]
    end_of_table = table + 40 * (count + len(parts))
    first_data = min(offset for *_, offset in sections if offset)
    if end_of_table > min(headers_size, first_data):
        sys.exit(f"{stub} has no room for {len(parts)} more sections")
    for index, (name, data) in enumerate(parts, count):
        image += b"\0" * (-len(image) % file_step)
        size = up(len(data), file_step)
        fields = (name, len(data), memory, size, len(image), 0, 0, 0, 0, DATA)
        struct.pack_into("<8sIIIIIIHHI", image, table + 40 * index, *fields)
        image += data + b"\0" * (size - len(data))
        memory = up(memory + len(data), PAGE)
    struct.pack_into("<H", image, coff + 2, count + len(parts))
    struct.pack_into("<I", image, optional + 56, memory)
    # The checksum is looked at for drivers alone.
    struct.pack_into("<I", image, optional + 64, 0)
    with open(out, "wb") as file:
        file.write(image)


def read(path):
    with open(path, "rb") as file:
        return file.read()


main()
