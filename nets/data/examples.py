"""Pictures of digits and what they show.

What you can do here: load the real `digits()` that come with the package, and cut examples into `batches`.

Letters: n example, c channel, h w place.  Images are float32 (N, C, H, W), labels are whole numbers (N).
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np

from minitensor.checks import whole
from minitensor.tensor import Array

from ..layers.init import generator

PAPER, INK = -0.1, 1.175  # LeCun et al. 1998, section II-B: so that the mean is roughly 0 and the variance roughly 1


class Examples(NamedTuple):
    """Images and their labels, in the same order."""

    images: Array
    labels: Array


def digits(size: int = 8) -> tuple[Examples, Examples]:
    """Handwritten digits, 1,438 to learn from and 359 to be tested on: every fifth is held out.

    Images are (N, 1, size, size), enlarged from 8 x 8 by linear interpolation where size is larger (the lenets take
    32), from -0.1 (paper) to 1.175 (ink).  Raises ValueError for a size less than 8.
    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998 (CC BY 4.0; see data/).

    >>> train, test = digits()
    >>> train.images.shape, test.images.shape, train.labels[:5]
    ((1438, 1, 8, 8), (359, 1, 8, 8), array([0, 1, 2, 3, 5]))
    >>> digits(size=32)[1].images.shape
    (359, 1, 32, 32)
    """
    if whole("size", size) < 8:
        raise ValueError(f"size (={size}) must be at least 8, the size of the originals")
    text = gzip.decompress(files("nets").joinpath("data/digits.csv.gz").read_bytes()).decode()
    rows = np.loadtxt(text.splitlines(), delimiter=",", dtype=np.int64)
    images = (PAPER + (INK - PAPER) / 16 * rows[:, :-1]).reshape(-1, 1, 8, 8)
    enlarge = _interpolation(8, size)
    data = Examples((enlarge @ images @ enlarge.T).astype(np.float32), rows[:, -1])
    held_out = np.arange(len(rows)) % 5 == 4
    return Examples(*(a[~held_out] for a in data)), Examples(*(a[held_out] for a in data))


def _interpolation(n: int, m: int) -> Array:
    """The (m, n) matrix that stretches n samples to m, each a mixture of its two nearest.

    >>> _interpolation(2, 3)
    array([[1. , 0. ],
           [0.5, 0.5],
           [0. , 1. ]])
    """
    places = np.linspace(0, n - 1, m)
    result: Array = np.maximum(0, 1 - np.abs(places[:, None] - np.arange(n)))
    return result


def as_examples(data: tuple[Any, Any]) -> Examples:
    """Images and labels in arrays, from a pair of them.

    Raises TypeError for something else (as `digits()`, two such pairs), ValueError unless there are equally many.

    >>> as_examples(([[0.0, 1.0], [1.0, 0.0]], [1, 0])).labels
    array([1, 0])
    """
    if not isinstance(data, tuple) or len(data) != 2 or any(isinstance(part, Examples) for part in data):
        raise TypeError("examples are a pair, (images, labels); `train, test = digits()` gives two such pairs")
    examples = Examples(*map(np.asarray, data))
    if len(examples.images) != len(examples.labels):
        raise ValueError(f"there are {len(examples.images)} images and {len(examples.labels)} labels")
    return examples


def usable(data: tuple[Any, Any], purpose: str) -> Examples:
    """As `as_examples`; raises ValueError, too, where there are none, or a pixel is infinite or not a number.

    >>> usable(([[0.0], [np.nan]], [1, 0]), "learn from")
    Traceback (most recent call last):
    ValueError: image 1 of those to learn from holds nan
    """
    examples = as_examples(data)
    if not len(examples.labels):
        raise ValueError(f"there are no examples to {purpose}")
    if fault := not_finite(examples.images):
        raise ValueError(f"{fault[0]} of those to {purpose} holds {fault[1]}")
    return examples


def not_finite(images: Array) -> tuple[str, float] | None:
    """The first image with a pixel that is infinite or not a number, and that pixel; None where there is none.

    >>> not_finite(np.array([[0.0, 1.0], [0.0, np.inf]]))
    ('image 1', inf)
    """
    if images.dtype.kind != "f":
        return None
    for start in range(0, len(images), 1024):  # a part at a time, for the memory that it takes
        part = images[start : start + 1024].reshape(len(images[start : start + 1024]), -1)
        finite = np.isfinite(part)
        if not finite.all():
            image, pixel = divmod(int(finite.argmin()), part.shape[1])
            return f"image {start + image}", float(part[image, pixel])
    return None


def batches(data: tuple[Any, Any], batch_size: int = 128, rng: np.random.Generator | None = None) -> Iterator[Examples]:
    """All examples, batch_size at a time (the last batch may be smaller), in random order if there is an rng.

    Raises ValueError for a batch_size less than 1, and what `as_examples` raises.

    >>> data = Examples(np.arange(5.0), np.arange(5))
    >>> [batch.labels.tolist() for batch in batches(data, 2)]
    [[0, 1], [2, 3], [4]]
    """
    images, labels = as_examples(data)
    if whole("batch_size", batch_size) < 1:
        raise ValueError(f"batch_size (={batch_size}) must be at least 1")
    order = np.arange(len(labels)) if rng is None else generator(rng).permutation(len(labels))
    parts = (order[start : start + batch_size] for start in range(0, len(order), batch_size))
    return (Examples(images[part], labels[part]) for part in parts)
