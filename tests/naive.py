"""Layers as their formulas say, one output cell at a time: slow, and with nothing in them that could go wrong quietly.

They know no Tensors, no strides in memory and no tricks, and share no code with minitensor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np

Cell = tuple[int, ...]


def window_positions(
    n: int, k: int, stride: int, padding: int, dilation: int, ceil_mode: bool = False
) -> list[list[int]]:
    """The input positions that each window reads, found by sliding it one step at a time; -1 or n lie in the margin.

    A window fits if it ends inside the padded input.  With ceil_mode it must start inside the input or its left margin
    (the rule of PyTorch), and then may end beyond, if the one before it has left something over.
    """
    found = []
    start = -padding
    while True:
        reads = [start + i * dilation for i in range(k)]
        fits = reads[-1] < n + padding
        if ceil_mode:
            fits = start < n and (fits or found[-1][-1] < n + padding - 1)
        if not fits:
            return found
        found.append(reads)
        start += stride


def cells(
    spatial: Cell, kernel: Cell, stride: Cell, padding: Cell, dilation: Cell, ceil_mode: bool = False
) -> Iterator[tuple[Cell, list[tuple[Cell, Cell]]]]:
    """For each place of the window, its (tap, position in the input) pairs, those in the margin included."""
    along = [
        window_positions(*line, ceil_mode) for line in zip(spatial, kernel, stride, padding, dilation, strict=True)
    ]
    for place in product(*[range(len(starts)) for starts in along]):
        reads = [starts[h] for starts, h in zip(along, place, strict=True)]
        taps = product(*[range(k) for k in kernel])
        yield place, [(tap, tuple(read[i] for read, i in zip(reads, tap, strict=True))) for tap in taps]


def inside(position: Cell, spatial: Cell) -> bool:
    return all(0 <= a < n for a, n in zip(position, spatial, strict=True))


def convolve(x, kernel_at: Callable, o, shape, kernel, stride, padding, dilation, groups=1):
    """y[n, o, place] = sum over c and taps of x[n, c of o's group, position] * kernel_at(place)[o, c, tap]."""
    y = np.zeros((x.shape[0], o, *shape), x.dtype)
    c = x.shape[1] // groups
    for place, reads in cells(x.shape[2:], kernel, stride, padding, dilation):
        w = kernel_at(place)
        for i, (tap, position) in product(range(o), reads):
            if inside(position, x.shape[2:]):
                own = slice(i // (o // groups) * c, (i // (o // groups) + 1) * c)
                y[(slice(None), i, *place)] += x[(slice(None), own, *position)] @ w[(i, slice(None), *tap)]
    return y


def conv(x, w, shape, stride, padding, dilation, groups):
    return convolve(x, lambda place: w, w.shape[0], shape, w.shape[2:], stride, padding, dilation, groups)


def local(x, w, shape, stride, padding, dilation):
    """w (o, c, places or tiles, taps); kernel number h % t belongs to place h."""
    axes = x.ndim - 2
    tiles = w.shape[2 : 2 + axes]

    def kernel_at(place):
        return w[(slice(None), slice(None), *(h % t for h, t in zip(place, tiles, strict=True)))]

    return convolve(x, kernel_at, w.shape[0], shape, w.shape[2 + axes :], stride, padding, dilation)


def conv_transpose(x, w, shape, stride, padding, dilation, groups):
    """Each input value stamps the kernel onto the output: y[position] += x[place] w[tap]."""
    n, c = x.shape[:2]
    o = w.shape[1]
    y = np.zeros((n, o * groups, *shape), x.dtype)
    for place in np.ndindex(x.shape[2:]):
        for tap in np.ndindex(w.shape[2:]):
            position = tuple(
                h * s + i * d - p for h, i, s, p, d in zip(place, tap, stride, padding, dilation, strict=True)
            )
            if not inside(position, shape):
                continue
            for i in range(c):
                first = i // (c // groups) * o
                stamp = np.multiply.outer(x[(slice(None), i, *place)], w[(i, slice(None), *tap)])
                y[(slice(None), slice(first, first + o), *position)] += stamp
    return y


def pool(x, reduce, kernel, stride, padding, dilation, ceil_mode=False):
    """reduce(values, cells of x, cells of x and its margin) of each window; values (n, c, ...) are those inside."""
    axes = x.ndim - 2
    spatial = x.shape[2:]
    done = {}
    for place, reads in cells(spatial, kernel, stride, padding, dilation, ceil_mode):
        positions = [at for _, at in reads]
        values = [x[(slice(None), slice(None), *at)] for at in positions if inside(at, spatial)]
        margin = [at for at in positions if all(-p <= a < n + p for a, n, p in zip(at, spatial, padding, strict=True))]
        done[place] = reduce(values, len(values), len(margin))
    shape = [1 + max(place[axis] for place in done) for axis in range(axes)]
    y = np.empty((*x.shape[:2], *shape), x.dtype)
    for place, value in done.items():
        y[(slice(None), slice(None), *place)] = value
    return y
