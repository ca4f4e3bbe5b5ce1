"""Pooling: one number for each window.

What you can do here: `max_pool` and `avg_pool`, each with a rank behind its name, as `max_pool2d`.

A pool is a reduction of the windows of the input over their taps i j: the largest, the mean; a norm and a weighted mean
are in `more/pools.py`, with `maxout`, which pools over channels instead of places.
Letters as in `conv.py`.  Source: Goodfellow, Bengio and Courville, Deep Learning, section 9.3.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .checks import Ints
from .checks.layers import of_rank
from .tensor import Array, Operand, Tensor, as_tensor, primitive
from .windows import Windows, fold_patches, patches

# fmt: off

# -- the largest -------------------------------------------------------------------------------------------------------

def max_pool(
    x: Operand, kernel_size: Ints, stride: Ints | None = None, padding: Ints | str = 0, dilation: Ints = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """The largest value in each window: y[n, c, h, w] = max_ij x[n, c, h s + i d - p, w s + j d - p].

    x (N, C, H, W) gives (N, C, H', W'), with H' of `sizes.conv_output_size`, one axis or three likewise; the stride is
    the kernel size if not given.  The margin never wins; with dilation a window may see nothing else, and then gives
    -infinity.  A tie sends the gradient to the first maximum, in reading order; nan counts as larger than numbers.
    Raises ValueError where the settings do not fit, and for padding of more than half a kernel.

    >>> x = Tensor([[[[1.0, 2.0, 0.0, 0.0], [3.0, 4.0, 0.0, 5.0]]]])
    >>> max_pool2d(x, 2).data
    array([[[[4., 5.]]]])
    >>> tied = Tensor([[[7.0, 7.0, 7.0]]])
    >>> max_pool1d(tied, 2, stride=1).backward()
    >>> tied.grad.data
    array([[[1., 1., 0.]]])
    """
    x = as_tensor(x)
    return _max_pool(x, windows=Windows.of_pool(x.shape[2:], kernel_size, stride, padding, dilation, ceil_mode))

@primitive
def _max_pool(x: Array, *, windows: Windows) -> Array:
    """The margin is -infinity, so that it wins nowhere."""
    return patches(x, windows, -np.inf).max(axis=taps(windows))

# Each window has chosen one pixel, and unless two are equal the choice does not change when x moves a little: y is that
# pixel, and dy/dx is 1 there and 0 elsewhere.  So the gradient goes to the pixel that was chosen; at a tie, where there
# is no derivative, to the first.  A pixel that several windows chose gets the sum.  For a given choice, max_unpool
# writes there and at_maxima reads there: linear maps, each the adjoint of the other.  Both take x and y only to find
# the choice, which does not move with them, so the rules for these are None.

@primitive
def _max_unpool(g: Array, x: Array, y: Array, *, windows: Windows) -> Array:
    """Fold what each window hands to its first maximum; y = max_pool(x)."""
    return fold_patches(np.where(first_maxima(x, y, windows), for_each_tap(g, windows), 0), windows)

@primitive
def _at_maxima(v: Array, x: Array, y: Array, *, windows: Windows) -> Array:
    """From each window of v what stands where x has its first maximum; y = max_pool(x)."""
    return np.where(first_maxima(x, y, windows), patches(v, windows), 0).sum(axis=taps(windows))

_max_pool.defvjp(lambda g, out, x, *, windows: _max_unpool(g, x, out, windows=windows))
_max_unpool.defvjp(lambda v, out, g, x, y, *, windows: _at_maxima(v, x, y, windows=windows), None, None)
_at_maxima.defvjp(lambda g, out, v, x, y, *, windows: _max_unpool(g, x, y, windows=windows), None, None)

def first_maxima(x: Array, y: Array, windows: Windows) -> Array:
    """In each window True at the first pixel that is its maximum y, False elsewhere and in the margin."""
    seen, inside = patches(x, windows), patches(np.ones(windows.size, bool), windows, False)
    largest = inside & ((seen == for_each_tap(y, windows)) | np.isnan(seen))
    flat = largest.reshape(*y.shape, prod(windows.kernel))  # the taps in reading order
    return (flat & (flat.cumsum(axis=-1) == 1)).reshape(largest.shape)  # True, and the first one

def for_each_tap(y: Array | Tensor, windows: Windows) -> Any:
    """One number for each window, (n, c, h, w), as one that broadcasts over its taps, (n, c, h, w, 1, 1)."""
    return y.reshape(*y.shape, *[1] * len(windows.kernel))

# -- the mean ----------------------------------------------------------------------------------------------------------

def avg_pool(
    x: Operand, kernel_size: Ints, stride: Ints | None = None, padding: Ints | str = 0, ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window: y[n, c, h, w] = sum_ij x[n, c, h s + i - p, w s + j - p] / count.

    The count is that of all cells in the window, margin included; of the cells of x alone if not count_include_pad.
    What the last window reaches beyond the margin, with ceil_mode, does not count.
    x (N, C, H, W) gives (N, C, H', W'), one axis or three likewise.  Raises ValueError as `max_pool`.

    >>> avg_pool2d(Tensor([[[[1.0, 2.0], [3.0, 6.0]]]]), 2).data
    array([[[[3.]]]])
    """
    x = as_tensor(x)
    windows = Windows.of_pool(x.shape[2:], kernel_size, stride, padding, 1, ceil_mode)
    return _avg_pool(x, windows=windows, count_include_pad=bool(count_include_pad))

@primitive
def _avg_pool(x: Array, *, windows: Windows, count_include_pad: bool) -> Array:
    """Add up each window, and divide by its count."""
    return patches(x, windows).sum(axis=taps(windows)) / windows.counts(count_include_pad).astype(x.dtype)

@primitive
def _avg_unpool(g: Array, *, windows: Windows, count_include_pad: bool) -> Array:
    """Fold an equal part of each g for each tap: the adjoint of the mean."""
    parts = for_each_tap(g / windows.counts(count_include_pad).astype(g.dtype), windows)
    return fold_patches(np.broadcast_to(parts, (*g.shape, *windows.kernel)), windows)

_avg_pool.defvjp(lambda g, out, x, **settings: _avg_unpool(g, **settings))
_avg_unpool.defvjp(lambda x, out, g, **settings: _avg_pool(x, **settings))

def taps(windows: Windows) -> tuple[int, ...]:
    """The axes of the taps in `patches`, which come last."""
    return tuple(range(-len(windows.kernel), 0))

max_pool1d, max_pool2d, max_pool3d = of_rank(1, max_pool), of_rank(2, max_pool), of_rank(3, max_pool)
avg_pool1d, avg_pool2d, avg_pool3d = of_rank(1, avg_pool), of_rank(2, avg_pool), of_rank(3, avg_pool)
