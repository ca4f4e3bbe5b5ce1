"""More examples out of the same ones: a digit that is turned, moved or slanted a little is still that digit.

What you can do here: `distort` a batch of images at random, each call another way; `warp` them as you say.

Letters: n image, c channel, h w place, g group of images that are distorted alike, m image in its group.

A pixel of the result is a mixture of the four pixels around the point where it came from (bilinear interpolation).  To
find these four and their weights costs more than to mix them.  So the images of a group have one distortion in common,
and lie next to each other in memory, (h, c, w, g m): then each of the four is fetched for all of them in one run.  That
is the memory order of convolution (see `minitensor/fast/memory.py`), so what comes out need not be converted there.
"""

from __future__ import annotations

import math

import numpy as np

from minitensor.fast.memory import batch_first
from minitensor.tensor import Array

from ..layers.init import generator
from .examples import PAPER


def distort(
    images: Array,
    rng: np.random.Generator,
    *,
    degrees: float = 12.0,
    scale: float = 0.1,
    shear: float = 0.15,
    shift: float = 2.0,
    share: int = 16,
    fill: float = PAPER,
) -> Array:
    """Images turned by up to `degrees`, larger or smaller by up to the part `scale`, slanted and moved, at random.

    (N, C, H, W) gives (N, C, H, W), in the same dtype: a `warp` with `random_maps`, one for every `share` images.
    Raises ValueError for images that are not (N, C, H, W), share < 1, or a scale outside [0, 1), TypeError for images
    of whole numbers, and for an rng that is no numpy.random.Generator.
    Source: Simard, Steinkraus and Platt, Best practices for convolutional neural networks applied to visual
    document analysis, ICDAR 2003.

    >>> images = np.ones((20, 1, 8, 8), np.float32)
    >>> distort(images, np.random.default_rng(0)).shape
    (20, 1, 8, 8)
    """
    images = np.asarray(images)
    if share < 1 or not 0 <= scale < 1:
        raise ValueError(f"share (={share}) must be at least 1, scale (={scale}) at least 0 and less than 1")
    matrices, shifts = random_maps(generator(rng), math.ceil(len(images) / share), degrees, scale, shear, shift)
    return warp(images, matrices, shifts, fill)


def random_maps(
    rng: np.random.Generator, groups: int, degrees: float, scale: float, shear: float, shift: float
) -> tuple[Array, Array]:
    """Matrices A = rotation / (1 + scale) * slant (G, 2, 2) and shifts (G, 2), uniform up to the limits on either side.

    >>> matrices, shifts = random_maps(np.random.default_rng(0), 3, degrees=0, scale=0, shear=0.5, shift=0)
    >>> matrices[:, 1, 1], shifts.shape
    (array([1., 1., 1.]), (3, 2))
    """
    turn, size, slant = (rng.uniform(-most, most, groups) for most in (math.radians(degrees), scale, shear))
    cos, sin = np.cos(turn) / (1 + size), np.sin(turn) / (1 + size)
    matrices = np.array([[cos - slant * sin, -sin], [sin + slant * cos, cos]])  # rotation @ [[1, 0], [slant, 1]]
    return matrices.transpose(2, 0, 1), rng.uniform(-shift, shift, (groups, 2))


def warp(images: Array, matrices: Array, shifts: Array, fill: float = PAPER) -> Array:
    """Images seen through affine maps: the pixel at p = (y, x) of the result is that at A (p - shift) of the image.

    Places are measured from the centre of the image, those between pixels are interpolated, and what lies beyond the
    border is `fill`, the colour of paper if not given.  images (N, C, H, W) in groups of equal size (the last may be
    smaller) with matrices A (G, 2, 2) and shifts (G, 2) give (N, C, H, W).
    Raises ValueError where the shapes do not fit, TypeError for images of whole numbers.

    >>> image = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    >>> warp(image, np.eye(2)[None], np.array([[0.0, 0.5]]), fill=0.0)[0, 0]
    array([[0.5, 1.5],
           [1.5, 3.5]])
    """
    images, matrices, shifts = map(np.asarray, (images, matrices, shifts))
    groups = len(matrices)
    if images.ndim != 4 or matrices.shape != (groups, 2, 2) or shifts.shape != (groups, 2) or groups > len(images):
        raise ValueError(
            "warp needs images (N, C, H, W), matrices (G, 2, 2) and shifts (G, 2) for at most N groups, got "
            f"{images.shape}, {matrices.shape} and {shifts.shape}"
        )
    if images.dtype.kind != "f":
        raise TypeError(f"warp mixes neighbouring pixels, so images must be floats, got {images.dtype}")
    if not groups:
        return images
    n, channels, height, width = images.shape
    share = math.ceil(n / groups)
    framed = np.full((height + 2, channels, width + 2, groups * share), fill, images.dtype)  # one pixel of paper around
    framed[1:-1, :, 1:-1, :n] = images.transpose(2, 1, 3, 0)
    runs = framed.reshape(-1, share)  # (h c w g, m)

    a, (shift_y, shift_x) = matrices.astype(images.dtype), shifts.T.astype(images.dtype)
    y = np.arange(height, dtype=images.dtype)[:, None, None] - (height - 1) / 2 - shift_y  # (h, 1, g), from the centre
    x = np.arange(width, dtype=images.dtype)[:, None] - (width - 1) / 2 - shift_x  # (w, g)
    row, lower = _split(a[:, 0, 0] * y + (a[:, 0, 1] * x + (height + 1) / 2), height)  # each (h, w, g)
    column, right = _split(a[:, 1, 0] * y + (a[:, 1, 1] * x + (width + 1) / 2), width)

    channel, group = np.arange(channels)[:, None, None], np.arange(groups)
    corner = ((row[:, None] * channels + channel) * (width + 2) + column[:, None]) * groups + group  # (h, c, w, g)
    to_right, to_lower = groups, channels * (width + 2) * groups  # how many runs further the neighbours are
    mixed = np.zeros((height, channels, width, groups, share), images.dtype)
    for down, weight_y in (0, 1 - lower), (to_lower, lower):
        for across, weight_x in (0, 1 - right), (to_right, right):
            pixels = runs[down + across :].take(corner, axis=0)
            pixels *= (weight_y * weight_x)[:, None, :, :, None]
            mixed += pixels
    return batch_first(mixed.reshape(height, channels, width, -1))[:n]


def _split(points: Array, size: int) -> tuple[Array, Array]:
    """Along one axis of a framed image: the pixel before each point, and how far it is from there to the next."""
    points = points.clip(0, size + 1)  # whatever lies further out is paper too
    before = np.minimum(np.floor(points), size)
    return before.astype(np.intp), points - before
