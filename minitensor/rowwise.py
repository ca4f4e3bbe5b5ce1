"""The sums of convolution, in the order that memory likes.

What you can do here: `conv`, `conv_transpose` and `conv_weight` on arrays; `conv.py` says what they mean.

The definition copies each pixel into every window that covers it, k * k times for a k x k kernel, and multiplies once.
Here each pixel is copied k times only, once for each *column* of the kernel; the rows need no copy, because the k rows
under one row of outputs already lie one after the other in memory, and those under the next row of outputs overlap
them.  So one row of outputs, for all images together, is one matrix product:

    out[h]  =  weights          @  columns[h s : h s + k]
    (o, w n)   (o, k_h k_w c)      (k_h k_w c, w n)

Letters as in `conv.py`; g group, n innermost in memory (see `memory.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .memory import batch_first, batch_last
from .sizes import conv_output_size
from .tensor import Array

Pairs = Sequence[tuple[int, int]]


def conv(
    x: Array, w: Array, stride: Sequence[int], padding: Pairs, dilation: Sequence[int], groups: int
) -> Array:
    """dL/dg of L = sum g * conv(x, w): the convolution itself.  x (n, c, h, w), w (o, c/g, i, j)."""
    if x.ndim == 3:
        return conv(*_lift(x, w), *_lift_settings(stride, padding, dilation), groups)[:, :, 0]
    rows = _rows(x, w.shape[2:], stride, padding, dilation, groups)  # (g, h, ijc, w, n)
    o, c, kh, kw = w.shape
    weights = w.reshape(groups, 1, o // groups, c, kh, kw).transpose(0, 1, 2, 4, 5, 3).reshape(groups, 1, o // groups, -1)
    _, h, _, width, n = rows.shape
    out = np.empty((h, o, width, n), np.result_type(x, w))
    by_group = out.reshape(h, groups, o // groups, width * n).transpose(1, 0, 2, 3)  # (g, h, o, wn), a view
    np.matmul(weights, rows.reshape(*rows.shape[:3], -1), out=by_group)
    return batch_first(out)


def conv_weight(
    x: Array,
    g: Array,
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
    groups: int,
) -> Array:
    """dL/dw of L = sum g * conv(x, w): for each tap, what it was multiplied with, times the gradient that came back."""
    if x.ndim == 3:
        settings = _lift_settings(stride, padding, dilation)
        return conv_weight(*_lift(x, g), (1, *kernel_size), *settings, groups)[:, :, 0]
    rows = _rows(x, kernel_size, stride, padding, dilation, groups)  # (g, h, ijc, w, n)
    rows = rows.reshape(*rows.shape[:3], -1)
    g = batch_last(g)  # (h, o, w, n)
    h, o = g.shape[:2]
    grads = g.reshape(h, groups, o // groups, -1).transpose(1, 0, 3, 2)  # (g, h, wn, o)
    taps = np.matmul(rows, grads).sum(axis=1)  # (g, ijc, o); rows on the left: OpenBLAS is faster this way round
    taps = taps.reshape(groups, *kernel_size, -1, o // groups)  # (g, i, j, c, o)
    return taps.transpose(0, 4, 3, 1, 2).reshape(o, -1, *kernel_size)


def conv_transpose(
    g: Array,
    w: Array,
    size: Sequence[int],
    stride: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
    groups: int,
) -> Array:
    """dL/dx of L = sum g * conv(x, w): each output hands its gradient, times the tap, to the pixels it has read.

    Row y of x was read by the rows y - i d of outputs (in steps of s).  So the kernel's rows go into the product, as
    above, over the rows of g spread out by s with zeros around them; its columns are added one by one.
    """
    if g.ndim == 3:
        settings = _lift_settings(stride, padding, dilation)
        return conv_transpose(*_lift(g, w), (1, *size), *settings, groups)[:, :, 0]
    g = batch_last(g)  # (h, o, w, n)
    o, c, kh, kw = w.shape
    (height, width), (h, _, places, n) = size, g.shape
    (sh, sw), (dh, dw) = stride, dilation
    (top, bottom), (left, _) = padding

    reach = (kh - 1) * dh
    spread = np.zeros((groups, reach + top + height + bottom, o // groups, places * n), g.dtype)
    grouped = g.reshape(h, groups, o // groups, places * n).transpose(1, 0, 2, 3)
    spread[:, reach : reach + (h - 1) * sh + 1 : sh] = grouped
    reading = spread[:, top:]  # row y + i d of this: the outputs that read row y with tap k - 1 - i
    rows = as_strided(
        reading,
        (groups, height, kh, *reading.shape[2:]),
        (*reading.strides[:2], reading.strides[1] * dh, *reading.strides[2:]),
        writeable=False,
    ).reshape(groups, height, kh * (o // groups), places * n)
    weights = w[:, :, ::-1].reshape(groups, 1, o // groups, c, kh, kw).transpose(0, 1, 5, 3, 4, 2)  # (g, 1, j, c, i, o)
    shares = np.matmul(weights.reshape(groups, 1, kw * c, -1), rows)
    shares = shares.reshape(groups, height, kw, c, places, n)

    out = np.zeros((height, groups, c, width, n), shares.dtype)
    for j in range(kw):
        these, pixels = _columns(j, width, places, sw, left, dw)
        out[:, :, :, pixels] += shares[:, :, j, :, these].transpose(1, 0, 2, 3, 4)
    return batch_first(out.reshape(height, groups * c, width, n))


def _rows(
    x: Array,
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
    groups: int,
) -> Array:
    """For each row of outputs, all that its windows read, (g, h, ijc, w, n): a view, rows overlapping, if d_h = 1."""
    x = batch_last(x)  # (h, c, w, n)
    height, channels, width, n = x.shape
    c = channels // groups
    (kh, kw), (sh, sw), (dh, dw) = kernel_size, stride, dilation
    (top, bottom), (left, right) = padding
    h = conv_output_size(height + top + bottom, kh, sh, 0, dh)
    w = conv_output_size(width + left + right, kw, sw, 0, dw)

    make = np.zeros if any((top, bottom, left, right)) else np.empty
    columns = make((groups, top + height + bottom, kw, c, w, n), x.dtype)
    pixels = x.reshape(height, groups, c, width, n).transpose(1, 0, 2, 3, 4)
    for j in range(kw):
        places, read = _columns(j, width, w, sw, left, dw)
        columns[:, top : top + height, j, :, places] = pixels[:, :, :, read]
    row = columns.strides[1]
    return as_strided(
        columns,
        (groups, h, kh, *columns.shape[2:]),
        (columns.strides[0], row * sh, row * dh, *columns.strides[2:]),
        writeable=False,
    ).reshape(groups, h, kh * kw * c, w, n)


def _columns(j: int, width: int, places: int, stride: int, padding: int, dilation: int) -> tuple[slice, slice]:
    """The places whose tap j falls on a pixel and not on the margin, and those pixels: w s + j d - p, for 0 to width."""
    shift = j * dilation - padding
    first = max(0, -(shift // stride))
    last = min(places - 1, (width - 1 - shift) // stride)
    if last < first:
        return slice(0, 0), slice(0, 0)
    return slice(first, last + 1), slice(first * stride + shift, last * stride + shift + 1, stride)


def _lift(*arrays: Array) -> list[Array]:
    """A line of pixels as an image one pixel high."""
    return [a[:, :, None] for a in arrays]


def _lift_settings(
    stride: Sequence[int], padding: Pairs, dilation: Sequence[int]
) -> tuple[tuple[int, ...], Pairs, tuple[int, ...]]:
    return (1, *stride), ((0, 0), *padding), (1, *dilation)
