"""What the figures of the lecture share: a small image, a kernel, weights, a digit, and what is done with them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minitensor import (
    Tensor,
    conv2d,
)
from nets import (
    digits,
)

from ...drawing.figure import Figure
from ..images import KERNELS, commuting_square, photograph

SMALL_IMAGE = [[1, 0, 2, 1, 0], [0, 1, 3, 1, 1], [2, 1, 0, 0, 2], [1, 3, 1, 2, 0], [0, 1, 2, 1, 1]]
SOBEL = KERNELS["Sobel"]


def weights(*shape: int) -> Tensor:
    """Some weights, none of them 0; a picture of wires does not depend on their values."""
    return Tensor(np.linspace(1, 2, int(np.prod(shape))).reshape(shape), name="w")


SPARSE, DENSE = weights(1, 1, 3), weights(5, 5)


def sobel(x: Tensor, stride: int = 1) -> Tensor:
    return conv2d(x, Tensor([[SOBEL]]), padding=1, stride=stride)


def a_digit() -> Tensor:
    images, labels = digits(size=32)[1]
    first = images[labels.tolist().index(5)]
    return Tensor((first - first.min()).astype(float)[None])


def square(f: Callable[[Tensor], Tensor], g: Callable[[Tensor], Tensor], names: tuple[str, str]) -> Figure:
    blocks = photograph().reshape(96, 2, 96, 2).mean((1, 3))
    pixels = np.rint(255 * blocks)  # whole numbers, so that sums are exact in any order
    return commuting_square(f, g, pixels, names=names)
