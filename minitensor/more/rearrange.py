"""More ways to move elements."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod as product

import numpy as np

from ..checks import Axis, axis_of, listed, normal_axes, several, whole
from ..ops.elementwise import where
from ..ops.shape import _transpose, concatenate, index, reshape, transpose
from ..tensor import Array, Operand, Tensor, as_tensor, as_tensors, primitive
from .create import zeros

# fmt: off

def flatten(x: Operand, start_axis: int = 0) -> Tensor:
    """All axes from start_axis on as one.

    >>> flatten(Tensor([[[1.0, 2.0], [3.0, 4.0]]]), 1).shape
    (1, 4)
    """
    x = as_tensor(x)
    start = axis_of(x.shape, start_axis) if x.ndim else 0
    return reshape(x, *x.shape[:start], product(x.shape[start:]))


def squeeze(x: Operand, axis: Axis = None) -> Tensor:
    """Without these axes of length 1; without any such, if no axis is given.  ValueError for a longer axis.

    >>> squeeze(Tensor([[[1.0], [2.0]]])).shape, squeeze(Tensor([[[1.0], [2.0]]]), 0).shape
    ((2,), (2, 1))
    """
    x = as_tensor(x)
    ones_ = [i for i, n in enumerate(x.shape) if n == 1]
    axes = ones_ if axis is None else [axis_of(x.shape, a) for a in several(axis)]
    if any(x.shape[a] != 1 for a in axes):
        raise ValueError(f"axis (={axis}) of shape {x.shape} does not have length 1")
    return reshape(x, tuple([n for i, n in enumerate(x.shape) if i not in axes]))


def expand_dims(x: Operand, axis: int | Sequence[int]) -> Tensor:
    """With new axes of length 1, which have these numbers afterwards.

    >>> expand_dims(Tensor([1.0, 2.0]), 0).shape, expand_dims(Tensor([1.0, 2.0]), (1, -1)).shape
    ((1, 2), (2, 1, 1))
    """
    x, named = as_tensor(x), several(axis)
    ndim = x.ndim + len(named)
    axes = {a % ndim for a in named if -ndim <= a < ndim}
    if len(axes) != len(named):
        raise ValueError(f"axis (={axis}) must name axes of a Tensor with {ndim} axes, each once")
    rest = iter(x.shape)
    return reshape(x, tuple([1 if i in axes else next(rest) for i in range(ndim)]))


def swapaxes(x: Operand, a: int, b: int) -> Tensor:
    """Two axes exchanged.

    >>> swapaxes(Tensor([[[1.0, 2.0]]]), 0, -1).shape
    (2, 1, 1)
    """
    x = as_tensor(x)
    order = list(range(x.ndim))
    i, j = axis_of(x.shape, a), axis_of(x.shape, b)
    order[i], order[j] = j, i
    return _transpose(x, axes=tuple(order))


def moveaxis(x: Operand, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """Some axes put in other places; the others stay in order.

    >>> moveaxis(Tensor([[[1.0, 2.0]]]), -1, 0).shape
    (2, 1, 1)
    """
    x = as_tensor(x)
    sources, places = ([axis_of(x.shape, a) for a in (axes if isinstance(axes, Sequence) else [axes])]
                       for axes in (source, destination))
    if len({*sources}) != len(sources) or len({*places}) != len(sources) or len(places) != len(sources):
        raise ValueError(f"source (={source}) and destination (={destination}) must name as many axes, each once")
    goes = dict(zip(places, sources, strict=True))
    stay = iter([a for a in range(x.ndim) if a not in sources])
    return transpose(x, [goes[a] if a in goes else next(stay) for a in range(x.ndim)])


def flip(x: Operand, axis: Axis = None) -> Tensor:
    """The elements in reverse order along axis.

    >>> flip(Tensor([1.0, 2.0, 3.0])).data
    array([3., 2., 1.])
    """
    x = as_tensor(x)
    axes = normal_axes(axis, x.ndim)
    return index(x, tuple([slice(None, None, -1) if a in axes else slice(None) for a in range(x.ndim)]))


def roll(x: Operand, shift: int | Sequence[int], axis: int | Sequence[int] | None = None) -> Tensor:
    """The elements moved by shift places along an axis, those at the end coming in again at the start.

    Along several axes by one shift, or by one for each; an axis named twice is moved twice.  Without an axis the
    elements are moved in reading order.  Raises ValueError for neither as many shifts as axes nor one of either.

    >>> roll(Tensor([1.0, 2.0, 3.0]), 1).data
    array([3., 1., 2.])
    >>> roll(Tensor([[1.0, 2.0], [3.0, 4.0]]), (1, 1), axis=(0, 1)).data.tolist()
    [[4.0, 3.0], [2.0, 1.0]]
    """
    x = as_tensor(x)
    if axis is None:
        return reshape(roll(flatten(x), shift, 0), x.shape)
    shifts = [whole("shift", n) for n in (shift if isinstance(shift, Sequence) else [shift])]
    axes = [axis_of(x.shape, a) for a in several(axis)]
    if 1 not in (len(shifts), len(axes)) and len(shifts) != len(axes):
        raise ValueError(f"shift (={shift}) and axis (={axis}) must have one length, or one of them be a single number")
    for n, at in np.broadcast(shifts, axes):
        x = index(x, (slice(None),) * at + (np.roll(np.arange(x.shape[at]), n),))
    return x


def repeat(x: Operand, times: int, axis: int | None = None) -> Tensor:
    """Each element repeated along an axis; if none is given, all elements in a row, in reading order.

    >>> repeat(Tensor([1.0, 2.0]), 2).data
    array([1., 1., 2., 2.])
    """
    x = flatten(x) if axis is None else as_tensor(x)
    at = axis_of(x.shape, axis or 0)
    if whole("times", times) < 0:
        raise ValueError(f"times (={times}) must not be negative")
    return index(x, (slice(None),) * at + (np.repeat(np.arange(x.shape[at]), times),))


def tile(x: Operand, times: int | Sequence[int]) -> Tensor:
    """The whole repeated side by side, so many times along each of the last axes.

    >>> tile(Tensor([1.0, 2.0]), 2).data
    array([1., 2., 1., 2.])
    """
    x = as_tensor(x)
    counts = [whole("times", n) for n in (times if isinstance(times, Sequence) else [times])]
    if min(counts, default=0) < 0:
        raise ValueError(f"times (={times}) must not be negative")
    x = reshape(x, (1,) * (len(counts) - x.ndim) + x.shape)
    for axis, count in enumerate(counts, start=x.ndim - len(counts)):
        x = index(x, (slice(None),) * axis + (np.tile(np.arange(x.shape[axis]), count),))
    return x


def split(x: Operand, parts: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """Cut along an axis into so many equal parts, or before these positions; ValueError if they cannot be equal.

    >>> [part.data.tolist() for part in split(Tensor([1.0, 2.0, 3.0]), [1])]
    [[1.0], [2.0, 3.0]]
    """
    x = as_tensor(x)
    at = axis_of(x.shape, axis)
    if not isinstance(parts, Sequence) and (whole("parts", parts) < 1 or x.shape[at] % parts):
        raise ValueError(f"parts (={parts}) must divide the length {x.shape[at]} of axis {axis} into equal parts")
    cuts = [whole("parts", n) for n in parts] if isinstance(parts, Sequence) else whole("parts", parts)
    pieces = np.split(np.arange(x.shape[at]), cuts)
    ranges = [slice(int(p[0]), int(p[-1]) + 1) if p.size else slice(0, 0) for p in pieces]
    return [index(x, (slice(None),) * at + (piece,)) for piece in ranges]


def stack(tensors: Sequence[Operand], axis: int = 0) -> Tensor:
    """Tensors of one shape, joined along a new axis.

    Raises ValueError for none at all, for different shapes, or for an axis out of range.

    >>> stack([Tensor([1.0, 2.0]), Tensor([3.0, 4.0])]).data
    array([[1., 2.],
           [3., 4.]])
    """
    layers, axis = as_tensors(*listed("tensors", tensors)), whole("axis", axis)
    shapes = {x.shape for x in layers}
    if len(shapes) != 1 or not -layers[0].ndim - 1 <= axis <= layers[0].ndim:
        raise ValueError(f"cannot stack shapes {[x.shape for x in layers]} along axis {axis}")
    (shape,) = shapes
    return _stack(*layers, axis=axis % (len(shape) + 1))


@primitive
def _stack(*xs: Array, axis: int) -> Array:
    return np.stack(xs, axis)
_stack.defvjp_each(lambda i, g, out, *xs, axis: index(g, (slice(None),) * axis + (i,)))


def diag(x: Operand, k: int = 0) -> Tensor:
    """The k-th diagonal of a matrix; of a vector, the matrix with this diagonal.  ValueError for other ranks.

    >>> diag(Tensor([[1.0, 2.0], [3.0, 4.0]])).data, diag(Tensor([1.0, 2.0])).data.tolist()
    (array([1., 4.]), [[1.0, 0.0], [0.0, 2.0]])
    """
    x, k = as_tensor(x), whole("k", k)
    if x.ndim == 1:
        at = np.diag(np.arange(1, len(x) + 1), k)  # the number of the element that stands there, from 1; else 0
        return where((at > 0).astype(float), index(concatenate([zeros(1, dtype=x.dtype), x]), at), 0)
    if x.ndim != 2:
        raise ValueError(f"diag takes a vector or a matrix, got shape {x.shape}")
    return index(x, tuple(np.diagonal(np.indices(x.shape), k, 1, 2)))


def tril(x: Operand, k: int = 0) -> Tensor:
    """Each matrix with zeros above its k-th diagonal.

    >>> tril(Tensor([[1.0, 2.0], [3.0, 4.0]])).data.tolist()
    [[1.0, 0.0], [3.0, 4.0]]
    """
    x = as_tensor(x)
    return where(_below(x.shape, k), x, 0)


def triu(x: Operand, k: int = 0) -> Tensor:
    """Each matrix with zeros below its k-th diagonal.

    >>> triu(Tensor([[1.0, 2.0], [3.0, 4.0]])).data.tolist()
    [[1.0, 2.0], [0.0, 4.0]]
    """
    x = as_tensor(x)
    return where(_below(x.shape, whole("k", k) - 1), 0, x)


def _below(shape: tuple[int, ...], k: int) -> Array:
    """1 on the k-th diagonal and below it; a vector is a row, repeated."""
    if not shape:
        raise ValueError("a single number has no triangle; a matrix has, and a vector")
    return np.tri(shape[-2] if len(shape) > 1 else shape[-1], shape[-1], whole("k", k))
