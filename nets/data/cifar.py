"""CIFAR-10: 60,000 photographs of ten kinds of things, in colour.

What you can do here: read the binary version of the data set with `cifar10`.

A file is a row of records:   label (1 byte)   32 x 32 reds   32 x 32 greens   32 x 32 blues
Source: Krizhevsky, Learning multiple layers of features from tiny images, 2009.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from minitensor.tensor import Array

from ..files import opened
from .examples import Examples

SHAPE = (3, 32, 32)
RECORD = 1 + 3 * 32 * 32  # bytes
LIMIT = 100_000  # records in a file; there are 10,000
MEAN, DEVIATION = np.array([[125.3, 123.0, 113.9], [63.0, 62.1, 66.7]], np.float32)  # of the training set, by colour
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def cifar10(folder: str | os.PathLike[str]) -> tuple[Examples, Examples]:
    """The 50,000 examples to learn from and the 10,000 to be tested on.

    The folder holds `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`, or a folder `cifar-10-batches-bin`
    with them, as it comes out of the archive.  Images become (N, 3, 32, 32), with mean 0 and variance 1 in each colour
    of the training set; labels are numbers in `CLASSES`.
    Raises FileNotFoundError for a file that is not there, and ValueError for one that is cut short, too long, or has a
    label that is none of the ten.
    """
    folder = Path(folder)
    inner = folder / "cifar-10-batches-bin"
    folder = inner if inner.is_dir() else folder
    parts = [_records(folder / f"data_batch_{number}.bin") for number in range(1, 6)]
    return _examples(np.concatenate(parts)), _examples(_records(folder / "test_batch.bin"))


def _records(path: Path) -> Array:
    """The records of a file, (N, RECORD) bytes."""
    with opened(path) as file:
        data = file.read(LIMIT * RECORD + 1)
    n, rest = divmod(len(data), RECORD)
    if rest or not 0 < n <= LIMIT:
        raise ValueError(
            f"{path} should hold 1 to {LIMIT:,} records of {RECORD:,} bytes, and holds {len(data):,} bytes"
        )
    records = np.frombuffer(data, np.uint8).reshape(n, RECORD)
    if len(wrong := np.flatnonzero(records[:, 0] >= len(CLASSES))):
        raise ValueError(
            f"the label of record {wrong[0]} of {path} is {records[wrong[0], 0]}, and there are ten classes"
        )
    return records


def _examples(records: Array) -> Examples:
    images = records[:, 1:].reshape(-1, *SHAPE)
    scaled = (images - MEAN[:, None, None]) / DEVIATION[:, None, None]
    return Examples(scaled, records[:, 0].astype(np.int64))
