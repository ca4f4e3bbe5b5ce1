"""More of what NumPy has, most of it composed of what there is already.

What you can do here: make Tensors (`zeros ones full arange randn`); `sin cos log1p expm1 square logaddexp erf gelu`,
`isnan`; `std prod cumsum argmax`; `moveaxis flip roll repeat tile split diag tril triu`; `dot outer tensordot trace`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from math import prod as product

import numpy as np
import numpy.typing as npt

from .activations import sigmoid
from .checks import Axis, axis_of, normal_axes, several, whole
from .ops.contract import einsum, matmul
from .ops.elementwise import multiply, power, sqrt, where
from .ops.reduce import sum as total
from .ops.reduce import var
from .ops.shape import _transpose, concatenate, index, reshape, transpose
from .tensor import Array, Operand, Tensor, as_tensor, as_tensors, primitive

# fmt: off

# -- new Tensors -------------------------------------------------------------------------------------------------------

def zeros(shape: int | Sequence[int], name: str | None = None, *, dtype: npt.DTypeLike | None = None) -> Tensor:
    """A Tensor of zeros.

    >>> zeros(2), zeros((1, 2), dtype="float32").dtype
    (Tensor([0., 0.]), dtype('float32'))
    """
    return full(shape, 0, name, dtype=dtype)


def ones(shape: int | Sequence[int], name: str | None = None, *, dtype: npt.DTypeLike | None = None) -> Tensor:
    """A Tensor of ones.

    >>> ones((1, 2))
    Tensor([[1., 1.]])
    """
    return full(shape, 1, name, dtype=dtype)


def full(
    shape: int | Sequence[int], value: float, name: str | None = None, *, dtype: npt.DTypeLike | None = None
) -> Tensor:
    """A Tensor that is one number all over.

    >>> full(2, 0.5)
    Tensor([0.5, 0.5])
    """
    return Tensor(np.full(shape, value), name, dtype=dtype)


def arange(*limits: float, name: str | None = None, dtype: npt.DTypeLike | None = None) -> Tensor:
    """The numbers from 0, or from a start, up to a limit that is not reached, in steps of 1 or of a third number.

    >>> arange(3), arange(1, 2, 0.5)
    (Tensor([0., 1., 2.]), Tensor([1. , 1.5]))
    """
    return Tensor(np.arange(*limits), name, dtype=dtype)


def randn(*shape: int, rng: np.random.Generator | None = None, name: str | None = None,
          dtype: npt.DTypeLike | None = None) -> Tensor:
    """Numbers from the standard normal distribution, drawn from rng, or anew each time.

    >>> randn(2, 3, rng=np.random.default_rng(0)).shape
    (2, 3)
    """
    if rng is not None and not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng must be a numpy.random.Generator, as from default_rng(seed), got {type(rng).__name__}")
    return Tensor((rng or np.random.default_rng()).standard_normal(shape), name, dtype=dtype)

# -- element by element ------------------------------------------------------------------------------------------------

@primitive
def sin(x: Array) -> Array:
    """The sine of x, in radians."""
    return np.sin(x)


@primitive
def cos(x: Array) -> Array:
    """The cosine of x, in radians."""
    return np.cos(x)
sin.defvjp(lambda g, out, x: g * cos(x))
cos.defvjp(lambda g, out, x: -g * sin(x))


@primitive
def log1p(x: Array) -> Array:
    """log(1 + x), accurate for small x too.

    >>> log1p(Tensor(1e-20)).item()
    1e-20
    """
    return np.log1p(x)
log1p.defvjp(lambda g, out, x: g / (1 + x))


@primitive
def expm1(x: Array) -> Array:
    """exp(x) - 1, accurate for small x too.

    >>> expm1(Tensor(1e-20)).item()
    1e-20
    """
    return np.expm1(x)
expm1.defvjp(lambda g, out, x: g * (out + 1))


def square(x: Operand) -> Tensor:
    """x ** 2

    >>> square(Tensor([3.0]))
    Tensor([9.], power)
    """
    return power(x, 2)


@primitive
def logaddexp(x: Array, y: Array) -> Array:
    """log(exp(x) + exp(y)), without overflow.

    >>> round(logaddexp(Tensor(1000.0), 1000.0).item(), 4)
    1000.6931
    """
    return np.logaddexp(x, y)
logaddexp.defvjp(lambda g, out, x, y: g * sigmoid(x - y),
                 lambda g, out, x, y: g * sigmoid(y - x))


@primitive
def erf(x: Array) -> Array:
    """The error function, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.

    >>> round(erf(Tensor(1.0)).item(), 6)
    0.842701
    """
    return np.array([math.erf(v) for v in x.ravel().tolist()], x.dtype).reshape(x.shape)
erf.defvjp(lambda g, out, x: g * (2 / math.sqrt(math.pi)) * (-x * x).exp())


def gelu(x: Operand) -> Tensor:
    """x times the probability that a standard normal number is less than x: x (1 + erf(x / sqrt(2))) / 2.

    Source: Hendrycks and Gimpel, Gaussian error linear units (2016).

    >>> gelu(Tensor([-100.0, 0.0, 100.0])).data.tolist()
    [-0.0, 0.0, 100.0]
    """
    x = as_tensor(x)
    return x * (1 + erf(x / math.sqrt(2))) / 2


@primitive
def isnan(x: Array) -> Array:
    """1 where x is not a number, else 0."""
    return np.isnan(x)
isnan.defvjp(None)

# -- along axes --------------------------------------------------------------------------------------------------------

def std(x: Operand, axis: Axis = None, keepdims: bool = False, ddof: float = 0) -> Tensor:
    """The standard deviation along axis: the square root of `var`; its derivative at 0 is taken as 0.

    >>> std(Tensor([1.0, 3.0])).item()
    1.0
    """
    variance = var(x, axis, keepdims, ddof)
    return where(variance > 0, sqrt(where(variance > 0, variance, 1)), 0 * variance)


def prod(x: Operand, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The product along axis: halves are multiplied with each other until one number is left, so zeros do no harm.

    >>> x = Tensor([2.0, 0.0, 4.0])
    >>> prod(x).backward()
    >>> x.grad.data
    array([0., 8., 0.])
    """
    x = as_tensor(x)
    axes = normal_axes(axis, x.ndim)
    kept = [1 if a in axes else n for a, n in enumerate(x.shape)]
    rest = [n for a, n in enumerate(x.shape) if a not in axes]
    x = transpose(x, [*axes, *[a for a in range(x.ndim) if a not in axes]])
    factors = reshape(x, product(x.shape[: len(axes)]), *rest)
    if not len(factors):
        return ones(kept if keepdims else rest, dtype=x.dtype)
    while len(factors) > 1:
        half = len(factors) // 2
        left_over = [factors[2 * half :]] if len(factors) % 2 else []
        factors = concatenate([factors[:half] * factors[half : 2 * half], *left_over])
    return reshape(factors, kept if keepdims else rest)


def cumsum(x: Operand, axis: int | None = None) -> Tensor:
    """The sums of the first one, two, three, ... elements along an axis; of all elements, in order, if none is given.

    >>> cumsum(Tensor([1.0, 2.0, 3.0]))
    Tensor([1., 3., 6.], cumsum)
    """
    x = flatten(x) if axis is None else as_tensor(x)
    return _cumsum(x, axis=axis_of(x.shape, axis or 0))


@primitive
def _cumsum(x: Array, *, axis: int) -> Array:
    return x.cumsum(axis=axis, dtype=np.float64).astype(x.dtype)
_cumsum.defvjp(lambda g, out, x, *, axis: flip(cumsum(flip(g, axis), axis), axis))


def argmax(x: Operand, axis: int | None = None) -> Array:
    """The position of the largest element, as plain numbers, which have no derivative.

    >>> int(argmax(Tensor([1.0, 3.0, 2.0])))
    1
    """
    return np.asarray(np.argmax(as_tensor(x).data, axis))

# -- axes -------------------------------------------------------------------------------------------------------------

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


def roll(x: Operand, shift: int, axis: int | None = None) -> Tensor:
    """The elements moved by shift places along an axis, those at the end coming in again at the start.

    Without an axis they are moved in reading order.

    >>> roll(Tensor([1.0, 2.0, 3.0]), 1).data
    array([3., 1., 2.])
    """
    x = as_tensor(x)
    if axis is None:
        return reshape(roll(flatten(x), shift, 0), x.shape)
    at = axis_of(x.shape, axis)
    return index(x, (slice(None),) * at + (np.roll(np.arange(x.shape[at]), whole("shift", shift)),))


def repeat(x: Operand, times: int, axis: int | None = None) -> Tensor:
    """Each element repeated along an axis; of all elements, in reading order, if none is given.

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
    pieces = np.split(np.arange(x.shape[at]), parts if isinstance(parts, Sequence) else whole("parts", parts))
    ranges = [slice(int(p[0]), int(p[-1]) + 1) if p.size else slice(0, 0) for p in pieces]
    return [index(x, (slice(None),) * at + (piece,)) for piece in ranges]


def diag(x: Operand, k: int = 0) -> Tensor:
    """The k-th diagonal of a matrix; of a vector, the matrix with this diagonal.  ValueError for other ranks.

    >>> diag(Tensor([[1.0, 2.0], [3.0, 4.0]])).data, diag(Tensor([1.0, 2.0])).data.tolist()
    (array([1., 4.]), [[1.0, 0.0], [0.0, 2.0]])
    """
    x = as_tensor(x)
    if x.ndim == 1:
        at = np.diag(np.arange(1, len(x) + 1), k)  # the number of the element that stands there, from 1; else 0
        return where((at > 0).astype(float), index(concatenate([zeros(1, dtype=x.dtype), x]), at), 0)
    if x.ndim != 2:
        raise ValueError(f"diag takes a vector or a matrix, got shape {x.shape}")
    return index(x, tuple(np.diagonal(np.indices(x.shape), whole("k", k), 1, 2)))


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

# -- products ----------------------------------------------------------------------------------------------------------

def tensordot(x: Operand, y: Operand, axes: int | tuple[int | Sequence[int], int | Sequence[int]] = 2) -> Tensor:
    """The sum of products over the last axes of x and the first of y, so many, or over these axes of each.

    >>> tensordot(Tensor([[1.0, 2.0]]), Tensor([3.0, 4.0]), 1).data
    array([11.])
    """
    x, y = as_tensors(x, y)
    if isinstance(axes, int | np.integer):
        count = whole("axes", axes)
        if not 0 <= count <= min(x.ndim, y.ndim):
            raise ValueError(f"axes (={axes}) is more than shapes {x.shape} and {y.shape} have")
        axes = tuple(range(x.ndim - count, x.ndim)), tuple(range(count))
    of_x, of_y = ([axis_of(t.shape, a) for a in (its if isinstance(its, Sequence) else [its])]
                  for t, its in zip((x, y), axes, strict=True))
    once = len({*of_x}) == len(of_x) and len({*of_y}) == len(of_y)
    if not once or [x.shape[a] for a in of_x] != [y.shape[b] for b in of_y]:
        raise ValueError(f"axes (={axes}) of shapes {x.shape} and {y.shape} must have the same lengths, each once")
    left, right = [chr(97 + i) for i in range(x.ndim)], [chr(65 + i) for i in range(y.ndim)]
    for a, b in zip(of_x, of_y, strict=True):
        right[b] = left[a]
    out = [c for i, c in enumerate(left) if i not in of_x] + [c for i, c in enumerate(right) if i not in of_y]
    return einsum(f"{''.join(left)},{''.join(right)}->{''.join(out)}", x, y)


def dot(x: Operand, y: Operand) -> Tensor:
    """The sum of products over the last axis of x and the last but one of y, or its only one.

    >>> dot(Tensor([1.0, 2.0]), Tensor([3.0, 4.0])).item()
    11.0
    """
    x, y = as_tensors(x, y)
    if not x.ndim or not y.ndim:
        return multiply(x, y)
    if y.ndim > 2:
        return tensordot(x, y, (-1, -2))
    return matmul(x, y)


def outer(x: Operand, y: Operand) -> Tensor:
    """Every element of x times every element of y.

    >>> outer(Tensor([1.0, 2.0]), Tensor([3.0, 4.0])).data.tolist()
    [[3.0, 4.0], [6.0, 8.0]]
    """
    x, y = as_tensors(x, y)
    return expand_dims(flatten(x), 1) * flatten(y)


def trace(x: Operand) -> Tensor:
    """The sum along the diagonal of a matrix; ValueError for other ranks.

    >>> trace(Tensor([[1.0, 2.0], [3.0, 4.0]])).item()
    5.0
    """
    return total(diag(x))
