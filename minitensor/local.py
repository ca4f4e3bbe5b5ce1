"""Layers with a kernel of its own for each place: what a convolution would be without parameter sharing.

What you can do here: `locally_connected` and `tiled_conv`, each with a rank behind its name, as `tiled_conv2d`.

Letters as in `conv.py`.  Source: Goodfellow, Bengio and Courville, Deep Learning, section 9.5.
"""

from __future__ import annotations

import numpy as np

from .checks import Ints, Sizes
from .checks.layers import check_layer, of_rank
from .conv import bias_of_shape, of_axes
from .ops.contract import einsum
from .ops.shape import index
from .tensor import Operand, Tensor, as_tensors
from .windows import Windows, _windows

# fmt: off

def locally_connected(
    x: Operand, w: Operand, b: Operand | None = None, *, stride: Ints = 1, padding: Ints | str = 0, dilation: Ints = 1
) -> Tensor:
    """Windows as in a convolution, with a kernel of its own at each place ("unshared convolution").

    y[n, o, h, w] = b[o, h, w] + sum_cij x[n, c, h s + i d - p, w s + j d - p] w[o, c, h, w, i, j].
    x (N, C, H, W), w (O, C, H', W', kH, kW), b (O, H', W') give (N, O, H', W'); one axis likewise.
    Raises ValueError where shapes or settings do not fit.
    Source: Goodfellow, Bengio and Courville, Deep Learning, section 9.5, equation 9.9.

    >>> w = np.array([1.0, 10.0, 100.0, 0.0]).reshape(1, 1, 2, 2, 1, 1)
    >>> locally_connected2d(Tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), w).data[0, 0].tolist()
    [[1.0, 20.0], [300.0, 0.0]]
    """
    x, w, windows = _with_own_kernels(x, w, stride, padding, dilation)
    if w.shape[2 : x.ndim] != windows.places:
        raise ValueError(f"w (={w.shape}) has kernels for {w.shape[2 : x.ndim]} places, the input has {windows.places}")
    y = einsum(of_axes("nchwij,ochwij->nohw", x.ndim - 2), _windows(x, windows=windows), w)
    return y if b is None else y + bias_of_shape(b, (w.shape[0], *windows.places), y)

def tiled_conv(
    x: Operand, w: Operand, b: Operand | None = None, *, stride: Ints = 1, padding: Ints | str = 0, dilation: Ints = 1
) -> Tensor:
    """Windows as in a convolution, with tH x tW kernels that take turns as the window moves.

    y[n, o, h, w] = b[o, h % tH, w % tW] + sum_cij x[n, c, h s + i d - p, w s + j d - p] w[o, c, h % tH, w % tW, i, j].
    x (N, C, H, W), w (O, C, tH, tW, kH, kW), b (O, tH, tW) give (N, O, H', W'); one axis likewise.  One tile
    is a convolution, as many as there are places a locally connected layer.
    Raises ValueError where shapes or settings do not fit.
    Source: Goodfellow, Bengio and Courville, Deep Learning, section 9.5, equation 9.10.

    >>> w = np.array([1.0, 10.0]).reshape(1, 1, 1, 2, 1, 1)
    >>> tiled_conv2d(Tensor([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]]), w).data[0, 0].tolist()
    [[1.0, 20.0, 3.0], [4.0, 50.0, 6.0]]
    """
    x, w, windows = _with_own_kernels(x, w, stride, padding, dilation)
    if b is not None:
        b = _repeat_tiles(bias_of_shape(b, (w.shape[0], *w.shape[2 : x.ndim]), w), 1, windows.places)
    w = _repeat_tiles(w, 2, windows.places)
    return locally_connected(x, w, b, stride=stride, padding=padding, dilation=dilation)

def _with_own_kernels(
    x: Operand, w: Operand, stride: Ints, padding: Ints | str, dilation: Ints
) -> tuple[Tensor, Tensor, Windows]:
    x, w = as_tensors(x, w)
    check_layer(x.shape, w.shape, own_kernels=True)
    return x, w, Windows.over(x.shape[2:], w.shape[x.ndim :], stride=stride, padding=padding, dilation=dilation)

def _repeat_tiles(w: Tensor, first_axis: int, places: Sizes) -> Tensor:
    """The tile axes, repeated until there is a kernel for each place: kernel h % t for place h."""
    for axis, m in enumerate(places, start=first_axis):
        w = index(w, (slice(None),) * axis + (np.arange(m) % w.shape[axis],))
    return w

locally_connected1d, locally_connected2d = of_rank(1, locally_connected), of_rank(2, locally_connected)
tiled_conv1d, tiled_conv2d = of_rank(1, tiled_conv), of_rank(2, tiled_conv)
