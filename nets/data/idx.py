"""MNIST and its relatives, from the files in which they are given away.

What you can do here: read one IDX file with `read_idx`, or a whole data set with `mnist`.

An IDX file is an array:   0 0 type axes   length of each axis   the numbers, last axis fastest   (all big-endian)
Source: LeCun, Cortes and Burges, The MNIST database of handwritten digits.

A file is not trusted.  Memory is taken as data arrives, and never on the word of a header: a few bytes can claim
terabytes, and a packed file can deliver them.
"""

from __future__ import annotations

import gzip
import math
import os
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from minitensor.tensor import Array

from ..files import opened
from .examples import INK, PAPER, Examples

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
LIMIT = 1 << 30  # bytes; the largest relative, EMNIST by class, has half of it
CHUNK = 1 << 20  # bytes that are read at a time


def read_idx(path: str | os.PathLike[str], limit: int = LIMIT) -> Array:
    """The array in an IDX file, which may be packed with gzip.

    Raises OSError if it cannot be opened, and ValueError where it is not an IDX file, holds less or more than its
    header says, is damaged, or holds more than limit bytes.

    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name, "labels-idx1-ubyte")
    >>> _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3]) + bytes([5, 0, 4]))
    >>> read_idx(path)
    array([5, 0, 4], dtype=uint8)
    >>> folder.cleanup()
    """
    with opened(path) as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        try:
            if not packed:
                return _read(file, limit)
            with gzip.GzipFile(fileobj=file) as unpacked:
                return _read(cast(BinaryIO, unpacked), limit)
        except (ValueError, EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"cannot read {path}: {error}") from error


def _read(file: BinaryIO, limit: int) -> Array:
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in TYPES or not start[3]:
        raise ValueError(
            f"it begins with the bytes {list(start)}, and an IDX file with 0, 0, a type and a number of axes"
        )
    dtype, axes = np.dtype(TYPES[start[2]]), start[3]
    lengths = file.read(4 * axes)
    if len(lengths) < 4 * axes:
        raise ValueError(f"its header ends after {len(lengths)} of {4 * axes} bytes")
    shape = tuple(int(n) for n in np.frombuffer(lengths, ">u4"))
    size = math.prod(shape) * dtype.itemsize  # in whole numbers without limit, so that it cannot overflow
    if size > limit:
        raise ValueError(f"its header says {shape}, {size:,} bytes, and more than {limit:,} are not read")
    data = bytearray()
    while len(data) <= size and (chunk := file.read(CHUNK)):
        data += chunk
    if len(data) != size:
        found = "more" if len(data) > size else f"{len(data):,}"
        raise ValueError(f"its header says {shape}, {size:,} bytes, and {found} follow")
    return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="))


def mnist(folder: str | os.PathLike[str], size: int = 28) -> tuple[Examples, Examples]:
    """The examples to learn from and those to be tested on, of any data set in the four files of MNIST.

    The folder holds one file each of `*train-images*`, `*train-labels*`, `*t10k-images*` and `*t10k-labels*` (or
    `*test-...*`), packed with gzip or not: MNIST, Fashion-MNIST, EMNIST and others.  Each may lie in a folder of such a
    name.  Hidden files do not count, nor does a second file with the same content, as a packed one beside the unpacked.
    Images become (N, 1, size, size) with a margin of paper around them (the lenets take 32), from -0.1 (paper, 0) to
    1.175 (ink, 255).
    Raises FileNotFoundError for a file that is not there, and ValueError where there are several that differ, where one
    is damaged or not what its name says, or for a size smaller than the images.
    """
    folder = Path(folder)
    return (
        _examples(_found(folder, "train-images"), _found(folder, "train-labels"), size),
        _examples(_found(folder, "t10k-images", "test-images"), _found(folder, "t10k-labels", "test-labels"), size),
    )


def _found(folder: Path, *parts: str) -> tuple[Path, Array]:
    """The file with one of these parts in its name, and the array in it."""
    named = [path for part in parts for path in sorted(folder.glob(f"*{part}*"))]
    inside = [file for path in named if path.is_dir() for part in parts for file in sorted(path.glob(f"*{part}*"))]
    files = [path for path in (*named, *inside) if not path.is_dir() and not path.name.startswith(".")]
    if not files:
        raise FileNotFoundError(f"{folder} has no file *{'* or *'.join(parts)}*")
    if len(files) > 1 and not _equal(files):
        names = ", ".join(str(path.relative_to(folder)) for path in files)
        raise ValueError(f"{folder} has several files for {parts[0]}, which differ: {names}")
    return files[0], read_idx(files[0])


def _equal(files: Sequence[Path]) -> bool:
    """Whether all of them can be read and hold the same."""
    try:
        first, *others = map(read_idx, files)
    except ValueError:
        return False
    return all(np.array_equal(first, other) for other in others)


def _examples(images_file: tuple[Path, Array], labels_file: tuple[Path, Array], size: int) -> Examples:
    (images_path, images), (labels_path, labels) = images_file, labels_file
    if images.ndim != 3 or images.dtype != np.uint8 or not images.size:
        raise ValueError(
            f"{images_path} should hold images of bytes (N, H, W), and holds {images.dtype} {images.shape}"
        )
    if labels.ndim != 1 or labels.dtype != np.uint8 or len(labels) != len(images):
        raise ValueError(
            f"{labels_path} should hold a byte for each of {len(images)} images, not {labels.dtype} {labels.shape}"
        )
    n, height, width = images.shape
    if size < max(height, width):
        raise ValueError(f"size (={size}) must be at least that of the images, {height} x {width}")
    top, left = (size - height) // 2, (size - width) // 2
    shades = (PAPER + (INK - PAPER) / 255 * np.arange(256)).astype(np.float32)
    result = np.full((n, 1, size, size), PAPER, np.float32)
    result[:, 0, top : top + height, left : left + width] = shades[images]
    return Examples(result, labels.astype(np.int64))
