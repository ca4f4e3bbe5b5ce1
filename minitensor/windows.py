"""The one map behind convolution and pooling, and its adjoint.

What you can do here: look at an image through `windows`, and `fold` patches back onto it.  How windows lie, and how
many there are, a `Windows` knows (`geometry.py`).

Letters, along one axis:   n input length    k kernel (tap count)    s stride    p padding    d dilation    m places
                           span = d (k - 1) + 1, what a dilated kernel covers
In shapes:                 h w place of the window (one for each output cell)    i j tap (position inside the window)

    windows(x)[..., h, w, i, j] = x[..., h s + i d - p, w s + j d - p]     the same pixel in every window that covers it
    fold(g)[..., y, v]          = the sum of g[..., h, w, i, j] over all that came from the pixel y v

Others call them unfold (or im2col) and fold (or col2im).  Both are linear, and fold is the *adjoint* of windows.  The
adjoint f* of a linear map f is the map with <f(x), g> = <x, f*(g)> for all x and g, where <a, b> is the sum of all
a_i b_i; if f multiplies by a matrix, f* multiplies by its transpose.  By hand, for 3 pixels and windows of 2:

    windows(x) = (x_0, x_1), (x_1, x_2)            as a matrix  A = [[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]]
    fold(g)    = (g_00, g_01 + g_10, g_11)         its transpose, A^T

Why it matters: let out = f(x) and g = dL/d out.  If x moves by dx, out moves by f(dx), and hence L by <g, f(dx)> =
<f*(g), dx>.  What stands beside dx is dL/dx, so *the rule of a linear map is its adjoint*: the gradient of windows goes
back through fold, and that of fold through windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .checks import Ints, whole
from .geometry import Windows as Windows
from .tensor import Array, Operand, Tensor, as_tensor, primitive

# fmt: off

# -- the map and its adjoint, on arrays --------------------------------------------------------------------------------

def patches(x: Array, windows: Windows, fill: float = 0) -> Array:
    """What each window sees, (..., H, W) -> (..., H', W', kH, kW): a view of x, or of x with a margin of `fill`."""
    axes = len(windows.size)
    if any(map(any, windows.reach)):
        x = np.pad(x, ((0, 0),) * (x.ndim - axes) + windows.reach, constant_values=fill)
    every = sliding_window_view(x, windows.span, axis=tuple(range(-axes, 0)))  # at stride 1, no gaps between the taps
    places = [slice(0, (m - 1) * s + 1, s) for m, s in zip(windows.places, windows.stride, strict=True)]
    taps = [slice(None, None, d) for d in windows.dilation]
    seen: Array = every[(..., *places, *taps)]  # type: ignore[arg-type]
    return seen

def fold_patches(g: Array, windows: Windows) -> Array:
    """What each window holds, added where it was read, (..., H', W', kH, kW) -> (..., H, W); the margin is cut off."""
    axes = len(windows.size)
    image = np.zeros((*g.shape[: g.ndim - 2 * axes], *windows.padded), g.dtype)
    for tap in product(*map(range, windows.kernel)):  # one tap of all windows at once
        values: tuple[Any, ...] = (..., *tap)
        image[windows.lattice(tap)] += g[values]
    return image[windows.inside]

# -- and on Tensors ----------------------------------------------------------------------------------------------------

def windows(x: Operand, kernel_size: Ints, stride: Ints = 1, dilation: Ints = 1) -> Tensor:
    """Every patch of x, as a view that copies nothing; (..., H, W) becomes (..., H', W', kH, kW).

    Windows slide along as many of the last axes as kernel_size has numbers; a single number is one for the last axis.
    stride and dilation are a number, or one for each of these axes.
    Raises ValueError for a kernel larger than the input.
    Source: Goodfellow, Bengio and Courville, Deep Learning, section 9.1.

    >>> windows(Tensor([1.0, 2.0, 3.0, 4.0]), 2).data.tolist()
    [[1.0, 2.0], [2.0, 3.0], [3.0, 4.0]]
    """
    x, axes = as_tensor(x), len(kernel_size) if isinstance(kernel_size, Sequence) else 1
    if x.ndim < axes:
        raise ValueError(f"a window of {axes} axes (={kernel_size}) needs an input with at least {axes}, got {x.shape}")
    return _windows(x, windows=Windows.over(x.shape[x.ndim - axes :], kernel_size, stride=stride, dilation=dilation))

def fold(patches: Operand, size: Ints, stride: Ints = 1, dilation: Ints = 1) -> Tensor:
    """Patches laid back onto an image of this size, added where they overlap; the adjoint of `windows`.

    (..., H', W', kH, kW) becomes (..., H, W), for size (H, W).
    Raises ValueError where the patches are not those that `windows` takes from such an image.

    >>> fold(Tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), size=4).data
    array([1., 5., 9., 6.])
    """
    patches, size = as_tensor(patches), tuple(size) if isinstance(size, Sequence) else (whole("size", size),)
    axes = len(size)
    front = patches.ndim - 2 * axes
    if front < 0:
        raise ValueError(f"patches of shape {patches.shape} must end in {axes} axes of places and {axes} of taps")
    places, taps = patches.shape[front : front + axes], patches.shape[front + axes :]
    windows = Windows.over(size, taps, stride=stride, dilation=dilation)
    if places != windows.places:
        raise ValueError(f"an image of size {size} has {windows.places} windows of {taps}, the patches have {places}")
    return _fold(patches, windows=windows)

@primitive
def _windows(x: Array, *, windows: Windows) -> Array:
    return patches(x, windows)

@primitive
def _fold(g: Array, *, windows: Windows) -> Array:
    return fold_patches(g, windows)

_windows.defvjp(lambda g, out, x, *, windows: _fold(g, windows=windows))
_fold.defvjp(lambda x, out, g, *, windows: _windows(x, windows=windows))  # the gradient of an image is shaped like x
