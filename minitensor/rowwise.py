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

from functools import lru_cache, reduce
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
    (o, c, kh, kw), groups = w.shape, setting.groups
    h, places = _places(x, (kh, kw), setting)
    weights = w.reshape(groups, 1, o // groups, c, kh, kw).transpose(0, 1, 2, 4, 5, 3)  # (g, 1, o, i, j, c)
    weights = _flat(weights, 3)
    out = np.empty((h, o, places, x.shape[3]), np.result_type(x, w))

    def block(a: int, b: int) -> None:
        rows = _windows(x, a, b, places, (kh, kw), setting)[:, :, 0]  # (g, h, ijc, wn)
        np.matmul(weights, rows, out=_by_group(out[a:b], groups))

    in_blocks(block, h, out.size * kh * kw * c)
    return batch_first(out)


def conv_weight(x: Array, g: Array, kernel_size: Sizes, setting: Setting) -> Array:
    """dL/dw of L = sum g * conv(x, w): for each tap, what it was multiplied with, times the gradient that came back.

    Columns of the kernel are not added up here.  So at stride 1 each has a product of its own, and needs no copy.
    """
    if x.ndim == 3:
        return conv_weight(x[:, :, None], g[:, :, None], (1, *kernel_size), setting.lifted())[:, :, 0]
    x, g = batch_last(x), batch_last(g)
    (h, o, places, n), (kh, kw), groups = g.shape, kernel_size, setting.groups
    c, apart = x.shape[1] // groups, setting.stride[1] == 1

    def block(a: int, b: int) -> Array:
        rows = _windows(x, a, b, places, kernel_size, setting, apart)  # (g, h, j, ic, wn)
        grads = _by_group(g[a:b], groups)[:, :, None]  # (g, h, 1, o, wn)
        if places * n < o:  # then the sums for one row are more than what they are made of: take all rows as one
            rows, grads = (m.transpose(0, 2, 3, 1, 4).reshape(groups, 1, *m.shape[2:4], -1) for m in (rows, grads))
        return (rows @ grads.swapaxes(3, 4)).sum(axis=1)  # this way round OpenBLAS is faster

    blocks = in_blocks(block, h, g.size * kh * kw * c, at_most=2 * max(1, h * places * n // TERMS))
    sums = reduce(np.add, blocks).reshape(groups, kh * kw * c, o // groups).swapaxes(0, 1)
    taps = sums.reshape(kw, kh, c, o).swapaxes(0, 1) if apart else sums.reshape(kh, kw, c, o)
    return taps.transpose(3, 2, 0, 1)


def conv_transpose(g: Array, w: Array, size: Sizes, setting: Setting) -> Array:
    """dL/dx of L = sum g * conv(x, w): each output hands its gradient, times the tap, to the pixels it has read.

    The kernel's rows go into the product as before: row y of x, counted with its margin, was read through row i of the
    kernel by row h = (y - i d) / s of the outputs, where that is whole and there is one.  So the product is over these
    rows of g, which lie one after the other too.  The kernel's columns are added one by one.
    """
    if g.ndim == 3:
        return conv_transpose(g[:, :, None], w[:, :, None], (1, *size), setting.lifted())[:, :, 0]
    g = batch_last(g)  # (h, o, w, n)
    (h, o, places, n), (height, width) = g.shape, size
    (_, c, kh, kw), groups = w.shape, setting.groups
    (sh, sw), (dh, dw), ((top, _), (left, _)) = setting.stride, setting.dilation, setting.padding
    grads = np.ascontiguousarray(_by_group(g, groups))  # (g, h, o, wn)
    taps = w[:, :, ::-1].reshape(groups, 1, o // groups, c, kh, kw).transpose(0, 1, 5, 3, 4, 2)  # (g, 1, j, c, i, o)
    taps = taps.reshape(groups, 1, kw * c, kh, o // groups)  # the kernel's last row first: it has read with the first h
    out = np.zeros((height, groups, c, width, n), np.result_type(g, w))

    def block(a: int, b: int) -> None:
        shares = np.empty((groups, b - a, kw * c, places * n), out.dtype)
        for y, count, i in _runs(a, b, top, h, kh, sh, dh):
            first = (y + top - (kh - 1 - i.start) * dh) // sh  # by this h and those behind it, the next row by the next
            rows = _overlapping(grads[:, first:], count, 1, len(range(kh)[i]), dh // gcd(sh, dh))
            np.matmul(_flat(taps[:, :, :, i], 3), _flat(rows, 2, 4), out=shares[:, y - a : y - a + count])
        shares = shares.reshape(groups, b - a, kw, c, places, n)
        for j in range(kw):
            these, pixels = _inside(j, width, places, sw, left, dw)
            out[a:b, :, :, pixels] += shares[:, :, j, :, these].swapaxes(0, 1)

    in_blocks(block, height, out.size * kw * kh * o // groups)
    return batch_first(out.reshape(height, groups * c, width, n))


def _windows(x: Array, a: int, b: int, places: int, kernel_size: Sizes, setting: Setting, apart: bool = False) -> Array:
    """All that the windows of the rows of outputs from a to b read, (g, h, 1, ijc, wn), or apart, (g, h, j, ic, wn).

    Together, what each column of the kernel sees is copied, and the rows overlap (at dilation 1); apart, the columns
    overlap as well (at stride 1).
    """
    (kh, kw), (sh, sw), (dh, dw), (_, sides) = kernel_size, setting.stride, setting.dilation, setting.padding
    (top, _), (_, channels, _, n), groups = setting.padding[0], x.shape, setting.groups
    first, count = a * sh - top, (b - 1 - a) * sh + (kh - 1) * dh + 1  # the rows of x, with those in the margin
    above = min(max(-first, 0), count)
    x = x[max(first, 0) : max(first + count, 0)]
    x = margin(x, ((above, count - above - len(x)), (0, 0), sides, (0, 0)))
    x = np.ascontiguousarray(x.reshape(count, groups, channels // groups, x.shape[2], n).swapaxes(0, 1))

    group, y, c, v, each = x.strides
    shape = (groups, count, kw, channels // groups, places, n)
    columns = as_strided(x, shape, (group, y, v * dw, c, v * sw, each), writeable=False)  # (g, y, j, c, w, n)
    rows = _flat(_overlapping(columns if apart else np.ascontiguousarray(columns), b - a, sh, kh, dh), 5)
    return _flat(rows.swapaxes(2, 3), 3, 5) if apart else _flat(rows, 2, 5)[:, :, None]


def _places(x: Array, kernel_size: Sizes, setting: Setting) -> Sizes:
    """The number of places of the window along h and along w; x is (h, c, w, n)."""
    each_axis = zip(x.shape[::2], kernel_size, setting.stride, setting.padding, setting.dilation, strict=True)
    return tuple([conv_output_size(before + n + after, k, s, 0, d) for n, k, s, (before, after), d in each_axis])


@lru_cache  # the same for every batch
def _runs(a: int, b: int, top: int, h: int, k: int, stride: int, dilation: int) -> tuple[tuple[int, int, slice], ...]:
    """The rows from a to b as runs (first, count, taps): in the middle all rows were read through the same taps."""
    runs = [(i, list(run)) for i, run in groupby(range(a, b), lambda y: _readers(y + top, h, k, stride, dilation))]
    return tuple((rows[0], len(rows), i) for i, rows in runs)


def _readers(y: int, h: int, k: int, stride: int, dilation: int) -> slice:
    """The taps i, counted from the last, through which row y is read: y - i d is 0, s, 2s, ..., one of the h rows."""
    taps = [i for i in range(k) if y - (k - 1 - i) * dilation in range(0, h * stride, stride)]
    return slice(taps[0], taps[-1] + 1, stride // gcd(stride, dilation)) if taps else slice(k, k)


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
