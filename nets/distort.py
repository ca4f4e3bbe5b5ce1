"""More examples out of the same ones: a digit that is turned, moved or slanted a little is still that digit.

What you can do here: `distort` a batch of images at random, each call another way; `warp` them as you say.

Letters: n image, c channel, h w place, g group of images that are distorted alike, m image in its group.

A pixel of the result is a mixture of the four pixels around the point where it came from (bilinear interpolation).  To
find these four and their weights costs more than to mix them.  So the images of a group have one distortion in common,
and lie next to each other in memory, (g, h, w, c m): then each of the four is fetched for all of them in one run.
"""

from __future__ import annotations

import math

import numpy as np

from minitensor.tensor import Array

from .data import PAPER


def distort(
    images: Array,
    rng: np.random.Generator,
    *,
    degrees: float = 12.0,
    scale: float = 0.1,
    shear: float = 0.15,
    shift: float = 2.0,
    share: int = 8,
    fill: float = PAPER,
) -> Array:
    """Images turned by up to `degrees`, larger or smaller by up to the part `scale`, slanted and moved, at random.

    (N, C, H, W) gives (N, C, H, W), in the same dtype: a `warp` with `random_maps`, one for every `share` images.
    Raises ValueError for images that are not (N, C, H, W), share < 1, or a scale outside [0, 1).
    Source: Simard, Steinkraus and Platt, Best practices for convolutional neural networks, ICDAR 2003.

    >>> images = np.ones((20, 1, 8, 8), np.float32)
    >>> distort(images, np.random.default_rng(0)).shape
    (20, 1, 8, 8)
    """
    if share < 1 or not 0 <= scale < 1:
        raise ValueError(f"share (={share}) must be at least 1, scale (={scale}) at least 0 and less than 1")
    matrices, shifts = random_maps(rng, math.ceil(len(images) / share), degrees, scale, shear, shift)
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
    Raises ValueError where the shapes do not fit.

    >>> image = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    >>> warp(image, np.eye(2)[None], np.array([[0.0, 0.5]]), fill=0.0)[0, 0]
    array([[0.5, 1.5],
           [1.5, 3.5]])
    """
    groups = len(matrices)
    if images.ndim != 4 or matrices.shape != (groups, 2, 2) or shifts.shape != (groups, 2) or groups > len(images):
        raise ValueError(
            "warp needs images (N, C, H, W), matrices (G, 2, 2) and shifts (G, 2) for at most N groups, got "
            f"{images.shape}, {matrices.shape} and {shifts.shape}"
        )
    if not groups:
        return images
    n, channels, height, width = images.shape
    share = math.ceil(n / groups)
    filled = np.full((groups * share, channels, height, width), fill, images.dtype)
    filled[:n] = images
    grouped = filled.reshape(groups, share, channels, height, width).transpose(0, 3, 4, 2, 1)  # (g, h, w, c, m)
    runs = grouped.reshape(groups * height * width, channels * share)

    centre = np.array([height - 1, width - 1]) / 2
    y, x = (grid.ravel() for grid in np.mgrid[:height, :width])
    places = np.stack([y, x]) - centre[:, None]  # (2, h w)
    points = matrices @ (places - shifts[:, :, None]) + centre[:, None]  # (g, 2, h w)
    corners = np.floor(points).astype(np.intp)
    parts = points - corners
    first = np.arange(groups)[:, None] * (height * width)  # the run at which a group begins
    outside = np.ones(len(runs))  # the part of each pixel that comes from beyond the border
    mixed = np.zeros_like(runs)
    for down in (0, 1):
        for right in (0, 1):
            row, column = corners[:, 0] + down, corners[:, 1] + right
            inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            weight = np.abs(1 - down - parts[:, 0]) * np.abs(1 - right - parts[:, 1]) * inside
            source = first + row.clip(0, height - 1) * width + column.clip(0, width - 1)
            mixed += runs.take(source.ravel(), axis=0) * weight.reshape(-1, 1).astype(runs.dtype)
            outside -= weight.ravel()
    mixed += (fill * outside).reshape(-1, 1).astype(runs.dtype)
    result: Array = mixed.reshape(groups, height, width, channels, share).transpose(0, 4, 3, 1, 2)
    return result.reshape(-1, channels, height, width)[:n]
