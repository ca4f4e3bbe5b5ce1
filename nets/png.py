"""Grey pictures as PNG files: eight bits for each pixel, nothing else.

What you can do here: `encode` an array, `decode` a file.

A PNG file is a signature and chunks: (length, kind, content, checksum).  IHDR says the size, IDAT holds the pixels
compressed with zlib, IEND ends it.  Each row of pixels begins with a byte that says how it was predicted.
Source: Portable Network Graphics Specification, 3rd edition, W3C (2025), sections 5, 9 and 11.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
import numpy.typing as npt

from minitensor.tensor import Array

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_PIXELS = 2**24


def encode(pixels: npt.ArrayLike, scale: int = 1) -> bytes:
    """The bytes of a PNG file for an (H, W) array of grey values from 0 (black) to 1 (white), clipped to that range.

    scale repeats each pixel, so that a small picture stays sharp where it is shown large.
    Raises ValueError for an array that is not (H, W), or where a pixel is not a number.

    >>> bool((decode(encode([[0.0, 1.0]], scale=2)) == [[0, 0, 1, 1], [0, 0, 1, 1]]).all())
    True
    """
    grey = np.asarray(pixels, dtype=float)
    if grey.ndim != 2 or not grey.size or np.isnan(grey).any():
        raise ValueError(f"a picture is an (H, W) array of numbers, got shape {grey.shape}")
    levels = np.rint(np.clip(grey, 0, 1) * 255).astype(np.uint8).repeat(scale, 0).repeat(scale, 1)
    height, width = levels.shape
    rows = np.zeros((height, width + 1), np.uint8)  # prediction 0: none
    rows[:, 1:] = levels
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b"")
    return SIGNATURE + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def decode(file: bytes) -> Array:
    """The (H, W) grey values, from 0 to 1, of a PNG file with 8 bits of grey for each pixel.

    Raises ValueError for another kind of file, a damaged one, or one of more than 16 million pixels.

    >>> decode(b"GIF89a")
    Traceback (most recent call last):
    ...
    ValueError: not a PNG file: it begins with b'GIF89a'
    """
    if not file.startswith(SIGNATURE):
        raise ValueError(f"not a PNG file: it begins with {file[:8]!r}")
    at, header, packed = len(SIGNATURE), b"", b""
    while at + 12 <= len(file):
        length, kind = struct.unpack(">I4s", file[at : at + 8])
        content = file[at + 8 : at + 8 + length]
        if struct.pack(">I", zlib.crc32(kind + content)) != file[at + 8 + length : at + 12 + length]:
            raise ValueError(f"the PNG file is damaged: the checksum of its chunk {kind!r} at byte {at} is wrong")
        header = content if kind == b"IHDR" else header
        packed += content if kind == b"IDAT" else b""
        at += 12 + length
    if len(header) != 13:
        raise ValueError("the PNG file is damaged: it has no header")
    width, height, *kind_of_pixels = struct.unpack(">IIBBBBB", header)
    if kind_of_pixels != [8, 0, 0, 0, 0]:
        raise ValueError(f"only 8-bit grey PNG files without interlacing can be read, this one says {kind_of_pixels}")
    if not 0 < width * height <= MOST_PIXELS:
        raise ValueError(f"the PNG file is {width} x {height}; from 1 to {MOST_PIXELS:,} pixels can be read")
    try:
        rows = zlib.decompressobj().decompress(packed, height * (width + 1))
    except zlib.error as error:
        raise ValueError(f"the PNG file is damaged: {error}") from error
    if len(rows) != height * (width + 1):
        raise ValueError(f"the PNG file is damaged: {len(rows)} bytes of pixels, expected {height * (width + 1)}")
    return _restore(np.frombuffer(rows, np.uint8).reshape(height, width + 1)) / 255.0


def _restore(rows: Array) -> Array:
    """Undo the prediction of each row from its neighbours: a left, b above, c above left; all modulo 256."""
    out = np.zeros((rows.shape[0] + 1, rows.shape[1]), np.uint8)  # with zeros above and on the left
    for y, (prediction, *differences) in enumerate(rows.tolist(), start=1):
        if prediction > 4:
            raise ValueError(f"the PNG file is damaged: row {y - 1} has prediction {prediction}")
        for x, difference in enumerate(differences, start=1):
            a, b, c = int(out[y, x - 1]), int(out[y - 1, x]), int(out[y - 1, x - 1])
            predicted = (0, a, b, (a + b) // 2, _paeth(a, b, c))[prediction]
            out[y, x] = (difference + predicted) % 256
    return out[1:, 1:]


def _paeth(a: int, b: int, c: int) -> int:
    """Whichever of the three is nearest to a + b - c; the first of them in a tie."""
    return min((a, b, c), key=lambda v: abs(a + b - c - v))
