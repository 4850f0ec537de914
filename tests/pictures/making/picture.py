"""One test picture and what is expected of it."""
import dataclasses

WIDE, HIGH = 125, 83
SMALL_WIDE, SMALL_HIGH = 45, 31


@dataclasses.dataclass
class Picture:
    name: str
    body: bytes
    coding: str
    what: str
    size: tuple | None
    orientation: int = 1
    alpha: bool = False


def turned(upright, orientation):
    """The array as it must be stored, so that `orientation` (TIFF 6.0, tag 274) turns it upright."""
    return {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: a[:, ::-1].swapaxes(0, 1),
        7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: lambda a: a.swapaxes(0, 1)[:, ::-1],
    }[orientation](upright)
