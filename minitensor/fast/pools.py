"""Pools, a tap of the kernel at a time, without windows.

What you can do here: `max_pool`, `max_unpool`, `at_maxima`, `avg_pool` and `avg_unpool` on arrays; `minitensor/pool.py`
has their definitions.

What one tap sees from all places is a strided view of the image, as large as the output.  Maximum and sum over a
rectangle are *separable* besides, the maximum of the maxima of its rows: along one axis after the other, k + k taps do
the work of k * k.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, reduce
from itertools import product
from math import prod
from typing import Any

import numpy as np

from ..pool import _at_maxima, _max_unpool
from ..tensor import Array
from ..windows import Windows
from .memory import bits, in_order_of, margin


def max_pool(x: Array, *, windows: Windows) -> Array:
    """The largest of the first taps, along w first: then the first of the first is the first in reading order."""
    return _separably(np.maximum, x, windows, -np.inf)


def max_unpool(g: Array, x: Array, y: Array, *, windows: Windows) -> Array:
    """Each window's g, added to the first of its largest elements; y are the maxima.

    One tap after the other takes what is left of g where it is the largest: all of it, or nothing.  The choice is made
    on the bits of g, since inf * 0 is nan; the last tap gets what is left, so it compares nothing.
    """
    if not all_finite(y):  # the largest of nothing but -inf, or nan: which cells lie in the margin counts
        return _max_unpool.definition(g, x, y, windows=windows)
    around = _around(x, windows)
    x = margin(x, around, -np.inf)
    tiled = windows.stride == windows.kernel and x.shape[2:] == tuple(
        k * m for k, m in zip(windows.kernel, windows.places, strict=True)
    )  # then every pixel is written below
    total = np.empty_like(x, g.dtype) if tiled else np.zeros_like(x, g.dtype)
    rest, left, part = bits(in_order_of(g, y)), None, None
    *_, (tap_at_the_end, _) = taps = _taps(windows)
    for pixels, written in taps:
        last = pixels is tap_at_the_end
        if written:
            taken = part = rest if last else np.multiply(rest, x[pixels] == y, out=part)
            total[pixels] += taken.view(total.dtype)
        else:
            taken = bits(total[pixels])
            np.copyto(taken, rest) if last else np.multiply(rest, x[pixels] == y, out=taken)
        if not last:
            rest = left = np.bitwise_xor(rest, taken, out=left)
    return total[windows.inside]


def all_finite(y: Array) -> bool:
    """Whether there is no inf and no nan; where their sum alone is too large, this says no as well."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(y.sum()))


@lru_cache  # the same for every batch
def _taps(windows: Windows) -> list[tuple[tuple[Any, ...], bool]]:
    """What each tap sees from all places, and whether one before it sees a part of that too."""
    every = list(product(*map(range, windows.kernel)))
    return [
        (windows.lattice(tap), any(_meet(tap, other, windows) for other in every[:number]))
        for number, tap in enumerate(every)
    ]


def _meet(tap: tuple[int, ...], other: tuple[int, ...], windows: Windows) -> bool:
    """Whether two taps touch the same pixel, from different places."""
    lines = zip(tap, other, windows.stride, windows.dilation, windows.places, strict=True)
    return all((i - j) * d % s == 0 and abs(i - j) * d < s * m for i, j, s, d, m in lines)


def at_maxima(v: Array, x: Array, y: Array, *, windows: Windows) -> Array:
    """v at the first of the largest elements of x in each window; y are the maxima."""
    if not all_finite(y):
        return _at_maxima.definition(v, x, y, windows=windows)
    x, v = margin(x, _around(x, windows), -np.inf), margin(v, _around(v, windows))
    *others, last = [windows.lattice(tap) for tap in product(*map(range, windows.kernel))]
    picked = v[last]
    for pixels in reversed(others):
        picked = np.where(x[pixels] == y, v[pixels], picked)
    return picked


def avg_pool(x: Array, *, windows: Windows, count_include_pad: bool) -> Array:
    """The sum of the taps, divided by how many they are."""
    return _separably(np.add, x, windows, 0) / _count(windows, count_include_pad, x.dtype)


def avg_unpool(g: Array, *, windows: Windows, count_include_pad: bool) -> Array:
    """An equal part of each window's g, added to all of its elements."""
    g = g / _count(windows, count_include_pad, g.dtype)
    total = np.zeros_like(g, shape=(*g.shape[:2], *windows.padded))
    for tap in product(*map(range, windows.kernel)):
        total[windows.lattice(tap)] += g
    return total[windows.inside]


def _separably(combine: Callable[[Array, Array], Array], x: Array, windows: Windows, fill: float) -> Array:
    """The taps of each window, combined along one axis after the other, the last axis first."""
    x = margin(x, _around(x, windows), fill)
    for axis in reversed(range(len(windows.size))):
        k, s, d, m = windows.kernel[axis], windows.stride[axis], windows.dilation[axis], windows.places[axis]
        before = (slice(None),) * (axis + 2)
        x = reduce(combine, [x[(*before, slice(i * d, i * d + (m - 1) * s + 1, s))] for i in range(k)])
    return x


def _count(windows: Windows, count_include_pad: bool, dtype: np.dtype) -> Array:
    """How many cells each window has: one number, where it is the same for all."""
    if not any(before or after for before, after in windows.reach):
        return dtype.type(prod(windows.kernel))
    return windows.counts(count_include_pad).astype(dtype)


def _around(x: Array, windows: Windows) -> tuple[tuple[int, int], ...]:
    return ((0, 0),) * (x.ndim - len(windows.size)) + windows.reach
