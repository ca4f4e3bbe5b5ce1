"""More kinds of pooling.

What you can do here: `lp_pool` and `weighted_avg_pool`, each with a rank behind its name, as `lp_pool2d`; and `maxout`,
which pools over channels instead of places.  Letters as in `conv.py`.
"""

from __future__ import annotations

from functools import reduce

import numpy as np

from ..checks import Ints, axis_of, real, whole
from ..checks.layers import of_rank
from ..conv import of_axes
from ..ops.contract import einsum
from ..ops.elementwise import abs as absolute
from ..ops.elementwise import sign, where
from ..ops.reduce import max as maximum_over
from ..pool import for_each_tap, taps
from ..tensor import Array, Operand, Tensor, as_tensor, primitive
from ..windows import Windows, _fold, _windows, patches

# fmt: off

# -- a norm ------------------------------------------------------------------------------------------------------------

def lp_pool(x: Operand, kernel_size: Ints, *, norm: float = 2, stride: Ints | None = None) -> Tensor:
    """The q-norm of each window, q = norm: y[n, c, h, w] = (sum_ij |x[n, c, h s + i, w s + j]|^q)^(1/q).

    x (N, C, H, W) gives (N, C, H', W'), one axis likewise.  Its derivative at 0 is taken as 0.
    Raises ValueError where the settings do not fit, and for norm < 1.

    >>> lp_pool2d(Tensor([[[[3.0, 0.0], [0.0, 4.0]]]]), 2).data
    array([[[[5.]]]])
    """
    if not 1 <= (norm := real("norm", norm)) < np.inf:
        raise ValueError(f"norm (={norm}) must be a number from 1; max pooling is the limit of larger and larger ones")
    x = as_tensor(x)
    return _lp_pool(x, windows=Windows.of_pool(x.shape[2:], kernel_size, stride), norm=norm)

@primitive
def _lp_pool(x: Array, *, windows: Windows, norm: float) -> Array:
    """The root of a sum of powers, of numbers that are at most 1: x^q alone could be too large, or too small."""
    seen = np.abs(patches(x, windows))
    largest = seen.max(axis=taps(windows), keepdims=True)
    finite = np.where(np.isfinite(largest), largest, 0)
    exponent = np.minimum(np.frexp(finite)[1], np.finfo(x.dtype).maxexp - 1)
    scale = np.ldexp(np.ones_like(largest), exponent)  # a power of 2, so that dividing by it is exact
    total = ((seen / scale) ** norm).sum(axis=taps(windows))
    return total ** (1 / norm) * scale.reshape(total.shape)

def _lp_rule(g: Tensor, out: Tensor, x: Tensor, *, windows: Windows, norm: float) -> Tensor:
    """dy/dx = sign(x) (|x| / y)^(q - 1) for each tap, folded."""
    ratio = _windows(x, windows=windows) / for_each_tap(where(out > 0, out, 1), windows)
    if norm % 2 == 0:
        slope = ratio ** (norm - 1)
    else:  # at 0 the power of 1 is taken, and left out: the power of 0 may be infinitely steep
        used = absolute(ratio) > 0
        slope = where(used, sign(ratio) * where(used, absolute(ratio), 1) ** (norm - 1), 0)
    return _fold(for_each_tap(where(out > 0, g, 0), windows) * slope, windows=windows)

_lp_pool.defvjp(_lp_rule)

# -- a weighted mean ---------------------------------------------------------------------------------------------------

def weighted_avg_pool(
    x: Operand, kernel_size: Ints, *, stride: Ints | None = None, sigma: float = 1.0
) -> Tensor:
    """The mean of each window, weighted by the distance from its centre.

    y[n, c, h, w] = sum_ij a[i, j] x[n, c, h s + i, w s + j], where a[i, j] is proportional to exp(-r^2 / (2 sigma^2)),
    with r the distance in pixels from the centre of the window, and adds up to 1.
    x (N, C, H, W) gives (N, C, H', W'), one axis likewise.
    Raises ValueError where the settings do not fit, and unless sigma > 0.

    >>> y = weighted_avg_pool2d(Tensor([[[[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]]]), 3)
    >>> round(y.item(), 4)
    0.2042
    """
    if not (sigma := real("sigma", sigma)) > 0:
        raise ValueError(f"sigma (={sigma}) must be positive")
    x = as_tensor(x)
    windows = Windows.of_pool(x.shape[2:], kernel_size, stride)
    weights = reduce(np.multiply.outer, [_gaussian(k, sigma) for k in windows.kernel]).astype(x.dtype)
    return einsum(of_axes("nchwij,ij->nchw", x.ndim - 2), _windows(x, windows=windows), weights)

def _gaussian(k: int, sigma: float) -> Array:
    squares = (np.arange(k) - (k - 1) / 2) ** 2
    with np.errstate(over="ignore"):  # however small sigma is, the taps nearest to the centre keep their height
        heights = np.exp(-(squares - squares.min()) / 2 / sigma / sigma)
    return heights / heights.sum()

lp_pool1d, lp_pool2d = of_rank(1, lp_pool), of_rank(2, lp_pool)
weighted_avg_pool1d, weighted_avg_pool2d = of_rank(1, weighted_avg_pool), of_rank(2, weighted_avg_pool)

# -- over channels -----------------------------------------------------------------------------------------------------

def maxout(x: Operand, pieces: int, axis: int = 1) -> Tensor:
    """The largest of each run of `pieces` channels: y[n, o, ...] = max_i x[n, o pieces + i, ...].

    Pooling over filters that are learnt separately: the layer can learn what to be invariant to.
    x (N, O pieces, ...) gives (N, O, ...).  A tie sends the gradient to the first maximum.
    Raises ValueError unless pieces divides the channels.
    Source: Goodfellow, Warde-Farley, Mirza, Courville and Bengio, Maxout networks, ICML 2013.

    >>> maxout(Tensor([[1.0, 5.0, 2.0, 0.0]]), pieces=2).data
    array([[5., 2.]])
    """
    x = as_tensor(x)
    axis = axis_of(x.shape, axis)
    if whole("pieces", pieces) < 1 or x.shape[axis] % pieces:
        raise ValueError(f"channels (={x.shape[axis]}) must be divisible by pieces (={pieces}), of at least 1")
    runs = x.reshape(*x.shape[:axis], x.shape[axis] // pieces, pieces, *x.shape[axis + 1 :])
    return maximum_over(runs, axis=axis + 1)
