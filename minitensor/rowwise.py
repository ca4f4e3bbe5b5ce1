"""The sums of convolution, in the order that memory likes.

What you can do here: `conv`, `conv_transpose` and `conv_weight` on arrays; `conv.py` says what they mean.

The definition copies each pixel into every window that covers it, k * k times for a k x k kernel, and multiplies once.
Here each pixel is copied at most k times, once for each *column* of the kernel; the rows need no copy, because the k
rows under one row of outputs already lie one after the other in memory (at dilation 1), and those under the next row of
outputs overlap them.  So one row of outputs, for all images together, is one matrix product: the same products as in
the definition, added up in another order.

    out[h]  =  weights      @  columns[h s : h s + kh]
    (o, w n)   (o, i j c)      (i j c, w n)

Rows of outputs do not depend on each other, so where there is much to multiply they come in blocks, which the cores
share (`cores.py`).

Letters as in `conv.py`; g group, n innermost in memory (see `memory.py`).
"""

from __future__ import annotations

from functools import reduce
from itertools import groupby
from math import gcd, prod
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .cores import in_blocks
from .memory import batch_first, batch_last, margin
from .sizes import conv_output_size
from .tensor import Array

Sizes = tuple[int, ...]

TERMS = 1000  # each block makes a sum for every weight; below this many terms for two blocks, adding these costs more


class Setting(NamedTuple):
    """How the windows lie: a number for each spatial axis (padding: before and after), and the groups of channels."""

    stride: Sizes
    padding: tuple[tuple[int, int], ...]
    dilation: Sizes
    groups: int

    def lifted(self) -> Setting:
        """The same for a line of pixels, taken as an image one pixel high."""
        return Setting((1, *self.stride), ((0, 0), *self.padding), (1, *self.dilation), self.groups)


def conv(x: Array, w: Array, setting: Setting) -> Array:
    """dL/dg of L = sum g * conv(x, w), the convolution itself; x (n, c, h, w), w (o, c/groups, i, j)."""
    if x.ndim == 3:
        return conv(x[:, :, None], w[:, :, None], setting.lifted())[:, :, 0]
    x = batch_last(x)  # (h, c, w, n)
    (o, c, kh, kw), (sh, _), (dh, _) = w.shape, setting.stride, setting.dilation
    h, places = _places(x, (kh, kw), setting)
    weights = w.reshape(setting.groups, 1, -1, c, kh, kw).transpose(0, 1, 2, 4, 5, 3)  # (g, 1, o, i, j, c)
    weights = _flat(weights, 3)
    out = np.empty((h, o, places, x.shape[3]), np.result_type(x, w))

    def block(a: int, b: int) -> None:
        columns = np.ascontiguousarray(_columns(_read(x, a, b, kh, setting), kw, places, setting))
        rows = _flat(_flat(_overlapping(columns, b - a, sh, kh, dh), 2, 5), 3)  # (g, h, ijc, wn)
        np.matmul(weights, rows, out=_by_group(out[a:b], setting.groups))

    in_blocks(block, h, out.size * weights.shape[3])
    return batch_first(out)


def conv_weight(x: Array, g: Array, kernel_size: Sizes, setting: Setting) -> Array:
    """dL/dw of L = sum g * conv(x, w): for each tap, what it was multiplied with, times the gradient that came back.

    At stride 1 what the columns of the kernel see overlaps in memory too, so that nothing is copied: each has a product
    of its own, (i c, w n) @ (w n, o).
    """
    if x.ndim == 3:
        return conv_weight(x[:, :, None], g[:, :, None], (1, *kernel_size), setting.lifted())[:, :, 0]
    x, g = batch_last(x), batch_last(g)
    (h, o, places, n), (kh, kw) = g.shape, kernel_size
    (sh, sw), (dh, _), groups = setting.stride, setting.dilation, setting.groups
    c = x.shape[1] // groups

    def block(a: int, b: int) -> Array:
        columns = _columns(_read(x, a, b, kh, setting), kw, places, setting)
        columns = columns if sw == 1 else np.ascontiguousarray(columns)
        rows = _flat(_overlapping(columns, b - a, sh, kh, dh), 5)  # (g, h, i, j, c, wn)
        rows = _flat(rows.swapaxes(2, 3), 3, 5) if sw == 1 else _flat(rows, 2, 5)[:, :, None]  # (g, h, j, ic or ijc, wn)
        grads = _by_group(g[a:b], groups)[:, :, None]  # (g, h, 1, o, wn)
        if places * n < o:  # then the sums for one row are more than what they are made of: take all rows as one
            rows, grads = (m.transpose(0, 2, 3, 1, 4).reshape(groups, 1, *m.shape[2:4], -1) for m in (rows, grads))
        return (rows @ grads.swapaxes(3, 4)).sum(axis=1)  # this way round OpenBLAS is faster

    blocks = in_blocks(block, h, g.size * kh * kw * c, at_most=2 * max(1, h * places * n // TERMS))
    taps = reduce(np.add, blocks).reshape(groups, -1, o // groups).swapaxes(0, 1)
    return taps.reshape(kw, kh, c, o).transpose(3, 2, 1, 0) if sw == 1 else taps.reshape(kh, kw, c, o).transpose(3, 2, 0, 1)


def conv_transpose(g: Array, w: Array, size: Sizes, setting: Setting) -> Array:
    """dL/dx of L = sum g * conv(x, w): each output hands its gradient, times the tap, to the pixels it has read.

    The kernel's rows go into the product as before: a row of pixels gets the sum over the rows of outputs that have
    read it, each with its own row of the kernel.  The kernel's columns are added one by one.
    """
    if g.ndim == 3:
        return conv_transpose(g[:, :, None], w[:, :, None], (1, *size), setting.lifted())[:, :, 0]
    g = batch_last(g)  # (h, o, w, n)
    (h, o, places, n), (height, width) = g.shape, size
    (_, c, kh, kw), groups = w.shape, setting.groups
    (sh, sw), (dh, dw), ((top, _), (left, _)) = setting.stride, setting.dilation, setting.padding
    grads = np.ascontiguousarray(_by_group(g, groups))  # (g, h, o, wn)
    taps = w[:, :, ::-1].reshape(groups, 1, o // groups, c, kh, kw).transpose(0, 1, 5, 3, 4, 2)  # (g, 1, j, c, i, o)
    taps = taps.reshape(groups, 1, kw * c, kh, -1)
    readers = [_readers(y + top, h, kh, sh, dh) for y in range(height)]
    out = np.zeros((height, groups, c, width, n), np.result_type(g, w))

    def block(a: int, b: int) -> None:
        shares = np.empty((groups, b - a, kw * c, places * n), out.dtype)
        for i, run in groupby(range(a, b), lambda y: readers[y][0]):  # in the middle, all rows have the same taps
            y, *more = run
            rows = _overlapping(grads[:, readers[y][1] :], 1 + len(more), 1, len(range(kh)[i]), dh // gcd(sh, dh))
            np.matmul(_flat(taps[:, :, :, i], 3), _flat(rows, 2, 4), out=shares[:, y - a : y - a + 1 + len(more)])
        shares = shares.reshape(groups, b - a, kw, c, places, n)
        for j in range(kw):
            these, pixels = _inside(j, width, places, sw, left, dw)
            out[a:b, :, :, pixels] += shares[:, :, j, :, these].swapaxes(0, 1)

    in_blocks(block, height, out.size * kw * kh * o // groups)
    return batch_first(out.reshape(height, groups * c, width, n))


def _read(x: Array, a: int, b: int, kh: int, setting: Setting) -> Array:
    """The rows y of x, margin included, that the windows of the rows of outputs from a to b read, (g, y, c, w, n)."""
    (_, channels, _, n), groups = x.shape, setting.groups
    (sh, _), (dh, _), ((top, _), sides) = setting.stride, setting.dilation, setting.padding
    first, count = a * sh - top, (b - 1 - a) * sh + (kh - 1) * dh + 1
    above = min(max(-first, 0), count)
    rows = x[max(first, 0) : max(first + count, 0)]
    rows = margin(rows, ((above, count - above - len(rows)), (0, 0), sides, (0, 0)))
    return np.ascontiguousarray(rows.reshape(count, groups, channels // groups, rows.shape[2], n).swapaxes(0, 1))


def _columns(x: Array, kw: int, places: int, setting: Setting) -> Array:
    """(g, y, c, v, n) as (g, y, j, c, w, n): for each column of the kernel, what it sees from all places; a view."""
    (_, s), (_, d) = setting.stride, setting.dilation
    (group, y, c, v, n), shape = x.strides, (*x.shape[:2], kw, x.shape[2], places, x.shape[4])
    return as_strided(x, shape, (group, y, v * d, c, v * s, n), writeable=False)


def _places(x: Array, kernel_size: Sizes, setting: Setting) -> Sizes:
    """The number of places of the window along h and along w; x is (h, c, w, n)."""
    each_axis = zip(x.shape[::2], kernel_size, setting.stride, setting.padding, setting.dilation, strict=True)
    return tuple([conv_output_size(before + n + after, k, s, 0, d) for n, k, s, (before, after), d in each_axis])


def _readers(y: int, h: int, k: int, stride: int, dilation: int) -> tuple[slice, int]:
    """The taps i, counted from the last, through which outputs have read row y of the image: h s + i d = y, for one of
    the h rows of outputs; and the first of those."""
    pairs = [(k - 1 - i, (y - i * dilation) // stride) for i in range(k)[::-1] if (y - i * dilation) % stride == 0]
    pairs = [(i, row) for i, row in pairs if 0 <= row < h]
    if not pairs:
        return slice(0), 0
    return slice(pairs[0][0], pairs[-1][0] + 1, stride // gcd(stride, dilation)), pairs[0][1]


def _overlapping(rows: Array, h: int, stride: int, k: int, dilation: int) -> Array:
    """(g, y, ...) as (g, h, i, ...): for each h the k rows h s, h s + d, h s + 2d, ...; a view."""
    group, row, *rest = rows.strides
    shape, strides = (len(rows), h, k, *rows.shape[2:]), (group, row * stride, row * dilation, *rest)
    return as_strided(rows, shape, strides, writeable=False)


def _inside(j: int, width: int, places: int, stride: int, padding: int, dilation: int) -> tuple[slice, slice]:
    """The places whose tap j falls on a pixel and not on the margin, and those pixels, w s + j d - p."""
    shift = j * dilation - padding
    first = max(0, -(shift // stride))
    last = min(places - 1, (width - 1 - shift) // stride)
    if last < first:
        return slice(0, 0), slice(0, 0)
    return slice(first, last + 1), slice(first * stride + shift, last * stride + shift + 1, stride)


def _by_group(x: Array, groups: int) -> Array:
    """(h, c, w, n) viewed as (g, h, c/g, wn)."""
    h, c, w, n = x.shape
    return x.reshape(h, groups, c // groups, w * n).swapaxes(0, 1)


def _flat(x: Array, start: int, stop: int | None = None) -> Array:
    """The axes from start to stop as one: a view where memory allows it, else a copy."""
    stop = x.ndim if stop is None else stop
    return x.reshape(*x.shape[:start], prod(x.shape[start:stop]), *x.shape[stop:])
