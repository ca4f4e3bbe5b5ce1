"""A model that is too large for a page to run, as data: what its rows made of some images, and its answer's gradients.

What you can do here: take down with `recorded` what a page shows; ask how many images there is `room_for`.

A page shows a number by its colour, so a number is kept as one of the steps of the colours: from -127 to 127 times a
127th of the largest of its row.  A row keeps its first maps, and a large map every k-th row and column.  The output of
the model is kept as it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from minitensor import Tensor, gradients
from minitensor.tensor import Array
from nets import Module
from nets.trace import trace

from .kernels import Json
from .network import Network, Run, facts_of, outputs_of, pieces_of
from .page import base64_of

MOST_MAPS = 16  # of a row: two lines of them
MOST_CELLS = 64 * 64  # of a map: it is painted 72 pixels wide
MOST_PIXELS = 128 * 128  # of the image, which is painted larger
MOST_IMAGES = 12
MOST_BYTES = 20_000_000  # of a page, as far as the images can be chosen
STEPS = 127  # of colour, on either side of 0


def shrunk(images: Array, most: int) -> tuple[Array, int]:
    """The first maps of each image, of a large map every k-th row and column, so that it has at most so many cells; k.

    >>> small, k = shrunk(np.zeros((2, 96, 227, 227)), most=16_384)
    >>> small.shape, k
    ((2, 16, 114, 114), 2)
    >>> shrunk(np.arange(10.0)[None], most=4)
    (array([[0., 3., 6., 9.]]), 3)
    """
    size = _map_size(images)
    if images.ndim > 2:
        images = images.reshape(len(images), -1, *size)[:, :MOST_MAPS]
    step = next(k for k in range(1, max(size, default=1) + 1) if math.prod(-(-m // k) for m in size) <= most)
    for axis in range(images.ndim - len(size), images.ndim):
        images = images.take(range(0, images.shape[axis], step), axis)
    return images, step


def _map_size(images: Array) -> tuple[int, ...]:
    """Height and width of a map of one of these images; the width alone of signals, and of units in a line."""
    return images.shape[-2:] if images.ndim > 3 else images.shape[1:][-1:]


def room_for(runs: Sequence[Run]) -> int:
    """How many images a page has room for: at least one."""
    each = 0
    for run in runs:
        each += 4 * (shrunk(run.input.data, MOST_PIXELS)[0].size + run.output.size)
        each += 2 * sum(shrunk(t.data, MOST_CELLS)[0].size for _, t in run.rows)
    return max(1, min(MOST_IMAGES, MOST_BYTES // (each * 4 // 3)))


def recorded(model: Module, run: Run, images: Array, answers: Array) -> Network:
    """What each row makes of these images, and the gradient of its answer for each, as a page keeps them.

    The numbers are, image after image: the gradient by the image, then of each row its values and its gradient.
    Raises ValueError for a gradient that is not finite.
    """
    rows = [
        {
            **facts_of(piece.row),
            "sources": [{"row": n, "rule": rule} for n, rule in zip(piece.sources, piece.rules, strict=True)],
            "formula": piece.formula,
            "most": [],
            "steepest": [],
            "silent": [],
        }
        for piece in pieces_of(run, Tensor(run.input.data, name="image"))
    ]
    pixels, step = shrunk(run.input.data, MOST_PIXELS)
    image: Json = {"shape": list(run.input.shape[1:]), "seen": list(pixels.shape[1:]), "step": step, "steepest": []}
    numbers, outputs = [np.zeros(0, np.int8)], [np.zeros(0, np.float32)]
    for picture, answer in zip(images, answers, strict=True):
        with model.in_use():
            one = trace(model, picture[None])
        seed = np.eye(1, one.output.size, answer, dtype=one.output.dtype).reshape(one.output.shape)
        made = outputs_of(one)
        with np.errstate(all="ignore"):
            by_image, *slopes = gradients(one.output, [one.inputs[0], *made], seed)
        for name, slope in zip(["the image", *(row["name"] for row in rows)], [by_image, *slopes], strict=True):
            if not np.isfinite(slope.data).all():
                raise ValueError(
                    f"the gradient of the answer by {name} must be finite, and holds infinite numbers or nan"
                )
        numbers.append(_steps(shrunk(by_image.data, MOST_PIXELS)[0], image["steepest"]))
        for row, t, slope in zip(rows, made, slopes, strict=True):
            last = row is rows[-1]
            for array, largest in ((t.data, row["most"]), (slope.data, row["steepest"])):
                small, row["step"] = (array, 1) if last else shrunk(array, MOST_CELLS)
                row["seen"] = list(row["output_shape"] if last else small.shape[1:])
                numbers.append(_steps(small, largest))
            maps = t.data.reshape(-1, math.prod(_map_size(t.data)))
            row["silent"].append(np.flatnonzero(~maps.any(axis=1)).tolist() if len(maps) > 1 else [])
        outputs.append(one.output.data.ravel())
    return Network(
        {"rows": rows, **image, "outputs": base64_of(np.concatenate(outputs), "<f4")},
        np.concatenate(numbers),
        [row for row, _ in run.rows],
    )


def _steps(array: Array, largest: list[float]) -> Array:
    """Each number as a step of the colours; the size of the largest one is put to the others."""
    most = float(np.abs(array).max(initial=0))
    largest.append(most)
    return np.rint(array / (most or 1) * STEPS).astype(np.int8).ravel()
