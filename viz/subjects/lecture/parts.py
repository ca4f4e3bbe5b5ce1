"""What the figures of the lecture share: a small image, a kernel, weights, a digit, and what is done with them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minitensor import Tensor, conv2d
from nets import digits

from ...drawing.figure import Figure
from ..images import KERNELS, commuting_square, photograph

SMALL_IMAGE = [[1, 0, 2, 1, 0], [0, 1, 3, 1, 1], [2, 1, 0, 0, 2], [1, 3, 1, 2, 0], [0, 1, 2, 1, 1]]
SOBEL = KERNELS["Sobel"]


def weights(*shape: int) -> Tensor:
    """Some weights, none of them 0; a picture of wires does not depend on their values."""
    return Tensor(np.linspace(1, 2, int(np.prod(shape))).reshape(shape), name="w")


SPARSE, DENSE = weights(1, 1, 3), weights(5, 5)


def sobel(x: Tensor, stride: int = 1) -> Tensor:
    """Each image with Sobel's kernel over it, with as many zeros around it as keep its size."""
    return conv2d(x, Tensor([[SOBEL]]), padding=1, stride=stride)


def a_digit(n: int = 0) -> Tensor:
    """The n-th five of the digits to test on, as an image (1, 1, 32, 32); its background is 0."""
    images, labels = digits(size=32)[1]
    five = images[labels == 5][n]
    return Tensor((five - five.min()).astype(float)[None])


def square(f: Callable[[Tensor], Tensor], g: Callable[[Tensor], Tensor], names: tuple[str, str]) -> Figure:
    """The commuting square of f and g for the photograph."""
    blocks = photograph().reshape(96, 2, 96, 2).mean((1, 3))
    pixels = np.rint(255 * blocks)  # whole numbers, so that sums are exact in any order
    return commuting_square(f, g, pixels, names=names)
