"""The sums of convolution, in the order that memory likes.

What you can do here: `conv`, `conv_transpose` and `conv_weight` on arrays; `minitensor/conv.py` has their definitions.

The definition copies each pixel into every window that covers it, k * k times for a k x k kernel, and multiplies once.
Here each pixel is copied at most k times, once for each *column* of the kernel; the rows need no copy, because the k
rows under one row of outputs already lie one after the other in memory (at dilation 1), and those under the next row of
outputs overlap them.  So one row of outputs, for all images together, is one matrix product: the same products as in
the definition, added up in another order.

    out[h]  =  weights      @  columns[h s : h s + kh]
    (o, w n)   (o, i j c)      (i j c, w n)

Rows of outputs do not depend on each other, so where there is much to multiply they come in blocks, which the cores
share (`cores.py`).

Letters as in `minitensor/conv.py`, but g is a group of channels in lists of axes; n innermost in memory (`memory.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, reduce, wraps
from itertools import groupby
from math import gcd, prod
from typing import TypeAlias

import numpy as np

from ..conv import _conv, _conv_transpose, _conv_weight
from ..tensor import Array
from ..windows import Windows
from .cores import in_blocks
from .memory import batch_first, batch_last, margin

Strides: TypeAlias = tuple[int, ...]  # a shape too
TERMS = 1000  # each block makes a sum for every weight; below this many terms for two blocks, adding these costs more


def lifted(windows: Windows) -> Windows:
    """Windows over a line of pixels, taken as an image one pixel high."""
    size, kernel, stride, dilation, places = (
        (1, *sizes) for sizes in (windows.size, windows.kernel, windows.stride, windows.dilation, windows.places)
    )
    return Windows(size, kernel, stride, dilation, ((0, 0), *windows.margin), places)


def by_rank(definition: Callable[..., Array]) -> Callable[[Callable[..., Array]], Callable[..., Array]]:
    """For a function on images: lines are images one pixel high, and what has three axes is left to the definition."""

    def decorate(of_images: Callable[..., Array]) -> Callable[..., Array]:
        @wraps(of_images)
        def function(a: Array, b: Array, *bias: Array, windows: Windows, groups: int) -> Array:
            axes = len(windows.size)
            if axes == 2:
                return of_images(a, b, *bias, windows=windows, groups=groups)
            if axes == 1:
                high = of_images(a[:, :, None], b[:, :, None], *bias, windows=lifted(windows), groups=groups)
                return high[:, :, 0]
            return definition(a, b, *bias, windows=windows, groups=groups)

        return function

    return decorate


@by_rank(_conv.definition)
def conv(x: Array, w: Array, bias: Array | None = None, *, windows: Windows, groups: int) -> Array:
    """dL/dg of L = sum g * conv(x, w), the convolution itself; x (n, c, h, w), w (o, c/groups, i, j)."""
    x = batch_last(x)  # (h, c, w, n)
    (o, c, kh, kw), (h, places) = w.shape, windows.places
    weights = w.reshape(groups, 1, o // groups, c, kh, kw).transpose(0, 1, 2, 4, 5, 3)  # (g, 1, o, i, j, c)
    weights = _flat(weights, 3)
    out = np.empty((h, o, places, x.shape[3]), np.result_type(x, w))

    def block(a: int, b: int) -> None:
        rows = _rows(x, a, b, windows, groups)[:, :, 0]  # (g, h, ijc, wn)
        np.matmul(weights, rows, out=_by_group(out[a:b], groups))

    in_blocks(block, h, out.size * kh * kw * c)
    y = batch_first(out)
    if bias is None:
        return y
    bias = bias.reshape(-1, 1, 1)
    return np.add(y, bias, out=y) if y.dtype == bias.dtype else y + bias  # nobody else has y yet


@by_rank(_conv_weight.definition)
def conv_weight(x: Array, g: Array, *, windows: Windows, groups: int) -> Array:
    """dL/dw of L = sum g * conv(x, w): for each tap, what it was multiplied with, times the gradient that came back.

    Columns of the kernel are not added up here.  So at stride 1 each has a product of its own, and needs no copy.
    """
    x, g = batch_last(x), batch_last(g)
    (h, o, places, n), (kh, kw) = g.shape, windows.kernel
    c, apart = x.shape[1] // groups, windows.stride[1] == 1

    def block(a: int, b: int) -> Array:
        rows = _rows(x, a, b, windows, groups, apart)  # (g, h, j, ic, wn)
        grads = _by_group(g[a:b], groups)[:, :, None]  # (g, h, 1, o, wn)
        if places * n < o:  # then the sums for one row are more than what they are made of: take all rows as one
            rows, grads = (m.transpose(0, 2, 3, 1, 4).reshape(groups, 1, *m.shape[2:4], -1) for m in (rows, grads))
        return (rows @ grads.swapaxes(3, 4)).sum(axis=1)  # this way round OpenBLAS is faster

    blocks = in_blocks(block, h, g.size * kh * kw * c, at_most=2 * max(1, h * places * n // TERMS))
    sums = reduce(np.add, blocks).reshape(groups, kh * kw * c, o // groups).swapaxes(0, 1)
    taps = sums.reshape(kw, kh, c, o).swapaxes(0, 1) if apart else sums.reshape(kh, kw, c, o)
    return taps.transpose(3, 2, 0, 1)


@by_rank(_conv_transpose.definition)
def conv_transpose(g: Array, w: Array, *, windows: Windows, groups: int) -> Array:
    """dL/dx of L = sum g * conv(x, w): each output hands its gradient, times the tap, to the pixels it has read.

    The kernel's rows go into the product as before: row y of x, counted with its margin, was read through row i of the
    kernel by row h = (y - i d) / s of the outputs, where that is whole and there is one.  So the product is over these
    rows of g, which lie one after the other too.  The kernel's columns are added one by one.
    """
    g = batch_last(g)  # (h, o, w, n)
    (h, o, places, n), (height, width), (_, c, kh, kw) = g.shape, windows.size, w.shape
    (sh, sw), (dh, dw), ((top, _), (left, _)) = windows.stride, windows.dilation, windows.margin
    grads = np.ascontiguousarray(_by_group(g, groups))  # (g, h, o, wn)
    taps = w[:, :, ::-1].reshape(groups, 1, o // groups, c, kh, kw).transpose(0, 1, 5, 3, 4, 2)  # (g, 1, j, c, i, o)
    taps = taps.reshape(groups, 1, kw * c, kh, o // groups)  # the kernel's last row first: it has read with the first h
    out = np.zeros((height, groups, c, width, n), np.result_type(g, w))

    def block(a: int, b: int) -> None:
        shares = np.empty((groups, b - a, kw * c, places * n), out.dtype)
        for y, count, i in _runs(a, b, top, h, kh, sh, dh):
            # Row y was read by outputs first, first + apart, ...; row y + 1 by first + 1, first + 1 + apart, ...
            first = (y + top - (kh - 1 - i.start) * dh) // sh
            k, apart = len(range(kh)[i]), dh // gcd(sh, dh)
            rows = _overlapping(grads, grads.shape, grads.strides, count, 1, k, apart, first)
            np.matmul(_flat(taps[:, :, :, i], 3), _flat(rows, 2, 4), out=shares[:, y - a : y - a + count])
        shares = shares.reshape(groups, b - a, kw, c, places, n)
        for j in range(kw):
            these, pixels = _inside(j, width, places, sw, left, dw)
            out[a:b, :, :, pixels] += shares[:, :, j, :, these].swapaxes(0, 1)

    in_blocks(block, height, out.size * kw * kh * o // groups)
    return batch_first(out.reshape(height, groups * c, width, n))


def _rows(x: Array, a: int, b: int, windows: Windows, groups: int, apart: bool = False) -> Array:
    """All that the windows of the rows of outputs from a to b read, (g, h, 1, ijc, wn), or apart, (g, h, j, ic, wn).

    Together, what each column of the kernel sees is copied, and the rows overlap (at dilation 1); apart, the columns
    overlap as well (at stride 1).
    """
    (kh, kw), (sh, sw), (dh, dw), ((top, _), sides) = windows.kernel, windows.stride, windows.dilation, windows.margin
    (_, channels, _, n), places = x.shape, windows.places[1]
    first, count = a * sh - top, (b - 1 - a) * sh + (kh - 1) * dh + 1  # the rows of x, with those in the margin
    above = min(max(-first, 0), count)
    x = x[max(first, 0) : max(first + count, 0)]
    x = margin(x, ((above, count - above - len(x)), (0, 0), sides, (0, 0)))
    x = np.ascontiguousarray(x.reshape(count, groups, channels // groups, x.shape[2], n).swapaxes(0, 1))

    group, y, c, v, each = x.strides
    shape: Strides = (groups, count, kw, channels // groups, places, n)
    strides: Strides = (group, y, v * dw, c, v * sw, each)
    if not apart:
        x = np.ascontiguousarray(_view(x, shape, strides))  # (g, y, j, c, w, n)
        strides = x.strides
    rows = _flat(_overlapping(x, shape, strides, b - a, sh, kh, dh), 5)
    return _flat(rows.swapaxes(2, 3), 3, 5) if apart else _flat(rows, 2, 5)[:, :, None]


@lru_cache  # the same for every batch
def _runs(a: int, b: int, top: int, h: int, k: int, stride: int, dilation: int) -> tuple[tuple[int, int, slice], ...]:
    """The rows from a to b as runs (first, count, taps): in the middle all rows were read through the same taps."""
    runs = [(i, list(run)) for i, run in groupby(range(a, b), lambda y: _readers(y + top, h, k, stride, dilation))]
    return tuple((rows[0], len(rows), i) for i, rows in runs)


def _readers(y: int, h: int, k: int, stride: int, dilation: int) -> slice:
    """The taps i, counted from the last, through which row y is read: y - i d is 0, s, 2s, ..., one of the h rows."""
    taps = [i for i in range(k) if y - (k - 1 - i) * dilation in range(0, h * stride, stride)]
    return slice(taps[0], taps[-1] + 1, stride // gcd(stride, dilation)) if taps else slice(k, k)


def _overlapping(
    memory: Array, shape: Strides, strides: Strides, h: int, stride: int, k: int, dilation: int, first: int = 0
) -> Array:
    """(g, y, ...) as (g, h, i, ...): for each h the k rows h s, h s + d, h s + 2d, ... behind the first; a view."""
    (groups, _, *lengths), (group, row, *rest) = shape, strides
    return _view(memory, (groups, h, k, *lengths), (group, row * stride, row * dilation, *rest), first * row)


def _view(memory: Array, shape: Strides, strides: Strides, offset: int = 0) -> Array:
    """A contiguous array, read with other strides; NumPy's as_strided needs five times as long, as a small sum does."""
    if 0 in shape:
        return np.empty(shape, memory.dtype)
    view: Array = np.ndarray(shape, memory.dtype, memory, offset, strides)
    view.flags.writeable = False
    return view


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
