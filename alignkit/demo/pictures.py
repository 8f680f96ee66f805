"""Small pictures that live inside the page: digits as PNG data, sharp at any size."""

import base64
import struct
import zlib

import numpy as np

PAPER, INK = (255, 255, 255), (22, 24, 32)
BLUE, ORANGE = (176, 208, 229), (243, 207, 178)  # pale, as the cameras are on the page


def digit(image: np.ndarray, *, seen: np.ndarray | None = None, veil: tuple[int, int, int] = ORANGE) -> str:
    """Return a digit (8 x 8 in [0, 1]) as a data address; pixels outside ``seen`` are veiled.

    Examples
    --------
    >>> digit(np.zeros((8, 8))).startswith("data:image/png;base64,")
    True
    """
    strength = np.clip(image, 0, 1)[..., None]
    colours = (1 - strength) * np.array(PAPER) + strength * np.array(INK)
    if seen is not None:
        colours[~seen] = veil
    return "data:image/png;base64," + base64.b64encode(png(colours.round().astype(np.uint8))).decode()


def png(colours: np.ndarray) -> bytes:
    """Return an ``h w 3`` array of bytes as a PNG file (RFC 2083: header, one data chunk, end)."""
    height, width = colours.shape[:2]
    lines = b"".join(b"\0" + line.tobytes() for line in colours)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
