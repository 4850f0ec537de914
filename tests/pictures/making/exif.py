"""Exif blocks: TIFF headers (TIFF 6.0) with an orientation, and with places and serial numbers."""
import struct


def tiff(orientation=None, order="<", kind=3, private=False):
    """A TIFF header with IFD0; `kind` is the orientation's field type, 3 for SHORT, 4 for LONG."""
    entries, tail = [], b""
    count = (orientation is not None) + 3 * private
    after = 8 + 2 + 12 * count + 4

    def ascii_at(offset, words):
        return struct.pack(order + "II", len(words), offset)

    if private:
        maker = b"PRIVATE-EXIF-MAKE\0"
        entries.append(struct.pack(order + "HH", 0x010F, 2) + ascii_at(after + len(tail), maker))
        tail += maker
    if orientation is not None:
        value = struct.pack(order + "HH", orientation, 0) if kind == 3 else struct.pack(order + "I", orientation)
        entries.append(struct.pack(order + "HHI", 0x0112, kind, 1) + value)
    if private:
        owner = b"PRIVATE-EXIF-OWNER\0"
        entries.append(struct.pack(order + "HH", 0x8298, 2) + ascii_at(after + len(tail), owner))
        tail += owner
        entries.append(struct.pack(order + "HHII", 0x8825, 4, 1, after + len(tail)))
        date = b"PRIVATE-GPS-DATE\0"
        gps = struct.pack(order + "H", 2) + struct.pack(order + "HHI4s", 1, 2, 2, b"N\0\0\0")
        gps += struct.pack(order + "HH", 29, 2) + ascii_at(after + len(tail) + 30, date) + bytes(4)
        tail += gps + date
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    return head + struct.pack(order + "H", len(entries)) + b"".join(entries) + bytes(4) + tail


XMP = (
    b"<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>"
    b"PRIVATE-XMP</x:xmpmeta><?xpacket end='w'?>"
)
