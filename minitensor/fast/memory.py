"""Where an array's elements lie in memory, which its shape does not say.

What you can do here: view images as batch-last memory, copy into the memory order of another array, read floats as
`bits`, add a margin.

Shapes are always (n, c, h, w).  In memory, convolution wants the image index n to run fastest, (h, c, w, n): then a row
of the picture is one contiguous block for all images, and every product and every sum runs over long stretches.  NumPy
allows both at once, because a transposed view changes strides and moves nothing, and its elementwise functions write
their results in the order of their inputs.  So in a network only the first layer converts anything, its input, and
everything behind follows by itself.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence

import numpy as np

from ..tensor import Array

BLOCK = (1 << 25) - 8192  # bytes; with glibc's own 8 kB this is 32 MB, the most to which it raises its threshold

# A large array is a mapping of its own (mmap), which glibc gives back to the system when the array is freed; the next
# one is zeroed again, page by page, which doubles the time of a training step.  When a mapping is freed, glibc raises
# its M_MMAP_THRESHOLD to that size, and keeps arrays up to it from then on.  So one is freed here, untouched.
np.empty(BLOCK, np.uint8)
# A second block now stays with the process.  NumPy asks Linux for huge pages under an array of this size, so smaller
# arrays that are later made of it lie on pages of 2 MB, not 4 kB, and the processor looks up fewer addresses.
np.empty(BLOCK, np.uint8)

LARGEST_COPY = 1 << 26  # bytes: a whole data set is not held twice
_copies: dict[int, tuple[weakref.ref[Array], Array]] = {}  # by id, for as long as what was copied lives


def batch_last(x: Array) -> Array:
    """(n, c, h, w) as contiguous (h, c, w, n): a view if the memory is so already, else a copy, for reading.

    An array that nobody can change is asked for twice, forward and backward, so its copy is kept for the second time.

    >>> y = batch_last(np.zeros((2, 3, 4, 5)))
    >>> y.shape, np.shares_memory(y, batch_last(batch_first(y)))
    ((4, 3, 5, 2), True)
    """
    y = x.transpose(2, 1, 3, 0)
    if y.flags.c_contiguous or x.flags.writeable or x.nbytes > LARGEST_COPY:
        return np.ascontiguousarray(y)
    original, copy = _copies.pop(id(x), (None, None))
    if original is not None and copy is not None and original() is x:
        return copy
    key, copy = id(x), np.ascontiguousarray(y)
    _copies[key] = weakref.ref(x, lambda _: _copies.pop(key, None)), copy
    return copy


def batch_first(x: Array) -> Array:
    """(h, c, w, n) viewed as (n, c, h, w)."""
    return x.transpose(3, 1, 0, 2)


def in_order_of(x: Array, like: Array) -> Array:
    """x in the memory order of like: x itself if it is so already, else a copy."""
    if x.strides == like.strides:
        return x
    order = sorted(range(like.ndim), key=lambda axis: -like.strides[axis])
    if x.transpose(order).flags.c_contiguous:
        return x
    copy = np.empty_like(like, shape=x.shape, dtype=x.dtype)
    copy[...] = x
    return copy


def bits(x: Array) -> Array:
    """The same memory read as whole numbers: times 1 or 0 these are all or nothing, where inf * 0 would be nan.

    >>> x = np.array([2.0, np.inf])
    >>> (bits(x) * (x < 3)).view(x.dtype)
    array([2., 0.])
    """
    return x.view(f"i{x.itemsize}")


def margin(x: Array, widths: Sequence[tuple[int, int]], fill: float = 0) -> Array:
    """x with (before, after) cells of fill around it on each axis, in x's memory order; x itself if all are 0.

    >>> margin(np.ones((1, 2)), [(0, 0), (1, 2)])
    array([[0., 1., 1., 0., 0.]])
    """
    if not any(a or b for a, b in widths):
        return x
    padded = np.empty_like(x, shape=[a + n + b for (a, b), n in zip(widths, x.shape, strict=True)])
    padded[...] = fill
    padded[inside(widths, x.shape)] = x
    return padded


def inside(widths: Sequence[tuple[int, int]], shape: Sequence[int]) -> tuple[slice, ...]:
    """Where x lies within `margin(x, widths)`."""
    return tuple(slice(a, a + n) for (a, _), n in zip(widths, shape, strict=True))
