"""All patches of an image, and what becomes of them: the one map behind convolution and pooling.

What you can do here: look at an image through `windows`, and `fold` patches back onto it.

Letters: h w place of the window (one for each output cell), i j tap (position inside the window), s stride, d dilation.

    windows(x)[..., h, w, i, j] = x[..., h s + i d, w s + j d]        the same element in every window that covers it
    fold(p)[..., y, v]          = the sum of p[..., h, w, i, j] over all that came from there     (the adjoint)
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..sizes import Ints, conv_output_size, per_axis, whole
from ..tensor import Array, Operand, Tensor, as_tensor, primitive


def windows(x: Operand, kernel_size: int | Sequence[int], stride: Ints = 1, dilation: Ints = 1) -> Tensor:
    """Every patch of x, as a view that copies nothing; (..., H, W) becomes (..., H', W', kH, kW).

    A sequence as kernel_size says how many axes slide, counted from the last; a single number slides the last axis.
    A single number as stride or dilation is that of each axis that slides.
    Raises ValueError for a kernel larger than the input.
    Source: Goodfellow, Bengio and Courville, Deep Learning, section 9.1.

    >>> windows(Tensor([1.0, 2.0, 3.0, 4.0]), 2).data
    array([[1., 2.],
           [2., 3.],
           [3., 4.]])
    """
    x = as_tensor(x)
    kernel_size = tuple(kernel_size) if isinstance(kernel_size, Sequence) else (whole("kernel_size", kernel_size),)
    axes = len(kernel_size)
    if x.ndim < axes:
        raise ValueError(f"a window with {axes} axes (={kernel_size}) needs an input with as many, got {x.shape}")
    stride, dilation = per_axis("stride", stride, axes), per_axis("dilation", dilation, axes)
    return _windows(x, kernel_size=kernel_size, stride=stride, dilation=dilation)


@primitive
def _windows(x: Array, *, kernel_size: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]) -> Array:
    axes = len(kernel_size)
    front, spatial, steps = x.ndim - axes, x.shape[x.ndim - axes :], x.strides[x.ndim - axes :]
    places = [conv_output_size(*a) for a in zip(spatial, kernel_size, stride, [0] * axes, dilation, strict=True)]
    return as_strided(
        x,
        shape=(*x.shape[:front], *places, *kernel_size),
        strides=(
            *x.strides[:front],
            *(b * s for b, s in zip(steps, stride, strict=True)),
            *(b * d for b, d in zip(steps, dilation, strict=True)),
        ),
        writeable=False,
    )


_windows.defvjp(
    lambda g, out, x, *, kernel_size, stride, dilation: fold(g, x.shape[x.ndim - len(kernel_size) :], stride, dilation)
)


def fold(patches: Operand, size: int | Sequence[int], stride: Ints = 1, dilation: Ints = 1) -> Tensor:
    """Patches laid back onto an image of this size, added where they overlap; the adjoint of `windows`.

    (..., H', W', kH, kW) becomes (..., H, W), for size (H, W).
    Raises ValueError where the patches are not those that `windows` takes from such an image.

    >>> fold(Tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), size=4).data
    array([1., 5., 9., 6.])
    """
    patches = as_tensor(patches)
    size = tuple(size) if isinstance(size, Sequence) else (whole("size", size),)
    axes = len(size)
    stride, dilation = per_axis("stride", stride, axes), per_axis("dilation", dilation, axes)
    front = patches.ndim - 2 * axes
    if front < 0:
        raise ValueError(f"patches of shape {patches.shape} must end in {axes} axes of places and {axes} of taps")
    places, taps = patches.shape[front : front + axes], patches.shape[front + axes :]
    expected = tuple(conv_output_size(*a) for a in zip(size, taps, stride, [0] * axes, dilation, strict=True))
    if places != expected:
        raise ValueError(f"an image of size {size} has {expected} windows of {taps}, the patches have {places}")
    return _fold(patches, size=size, stride=stride, dilation=dilation)


@primitive
def _fold(p: Array, *, size: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]) -> Array:
    axes = len(size)
    front = p.ndim - 2 * axes
    places, taps = p.shape[front : front + axes], p.shape[front + axes :]
    image = np.zeros((*p.shape[:front], *size), p.dtype)
    for tap in product(*map(range, taps)):  # tap (i, j) of all windows at once: a strided lattice of the image
        pixels: Any = (..., *lattice(tap, places, stride, dilation))
        values: Any = (..., *tap)
        image[pixels] += p[values]
    return image


_fold.defvjp(
    lambda g, out, p, *, size, stride, dilation: windows(g, p.shape[p.ndim - len(size) :], stride, dilation),
)


def lattice(
    tap: Sequence[int], places: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> tuple[slice, ...]:
    """Where one tap of the kernel touches the image, over all places of the window: h s + i d, on each axis.

    >>> lattice((1,), (3,), (2,), (1,))
    (slice(1, 6, 2),)
    """
    return tuple(
        slice(i * d, i * d + (m - 1) * s + 1, s) for i, m, s, d in zip(tap, places, stride, dilation, strict=True)
    )
