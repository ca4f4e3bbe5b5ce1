"""More that makes one number of many, along axes."""

from __future__ import annotations

from math import prod as product

import numpy as np

from ..checks import Axis, Sizes, axis_of, count_or_raise, normal_axes, whole
from ..ops.elementwise import sqrt, where
from ..ops.reduce import first_maximum, mean, spread
from ..ops.reduce import sum as total
from ..ops.shape import concatenate, reshape, transpose
from ..tensor import Array, Operand, Tensor, as_tensor, primitive
from .create import ones
from .rearrange import flatten, flip

# fmt: off

def var(x: Operand, axis: Axis = None, keepdims: bool = False, ddof: float = 0) -> Tensor:
    """The variance along axis: sum((x - mean)^2) / (count - ddof); ValueError unless count > ddof.

    >>> var(Tensor([1.0, 3.0])).item(), var(Tensor([1.0, 3.0]), ddof=1).item()
    (1.0, 2.0)
    """
    x = as_tensor(x)
    return total((x - mean(x, axis, keepdims=True)) ** 2, axis, keepdims) / count_or_raise(x.shape, axis, ddof)


def std(x: Operand, axis: Axis = None, keepdims: bool = False, ddof: float = 0) -> Tensor:
    """The standard deviation along axis: the square root of `var`; its derivative at 0 is taken as 0.

    >>> std(Tensor([1.0, 3.0])).item()
    1.0
    """
    variance = var(x, axis, keepdims, ddof)
    inside = where(variance > 0, variance, 1)  # at 0 the rule of the root would give 0 / 0
    return where(variance > 0, sqrt(inside), 0 * variance)  # and what is not a number stays so


def min(x: Operand, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The smallest element along axis; a tie sends the gradient to the first minimum.

    Raises ValueError if there are no elements.

    >>> x = Tensor([7.0, 1.0, 1.0])
    >>> min(x).backward()
    >>> x.grad.data
    array([0., 1., 0.])
    """
    x = as_tensor(x)
    count_or_raise(x.shape, axis)
    return _min(x, axis=normal_axes(axis, x.ndim), keepdims=keepdims)


@primitive
def _min(x: Array, *, axis: Sizes, keepdims: bool) -> Array:
    return x.min(axis=axis, keepdims=keepdims)
_min.defvjp(lambda g, out, x, *, axis, keepdims: where(first_maximum(-x, axis=axis), spread(g, x, axis), 0))


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


def logsumexp(x: Operand, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """log(sum(exp(x))) along axis, without overflow: max(x) + log(sum(exp(x - max(x)))).

    Its gradient is the softmax (not a number where all of x is -inf).  Raises ValueError if there are no elements.
    Source: Goodfellow, Bengio and Courville, Deep Learning, section 4.1.

    >>> round(logsumexp(Tensor([1000.0, 1000.0])).item(), 4)
    1000.6931
    """
    x = as_tensor(x)
    count_or_raise(x.shape, axis)
    return _logsumexp(x, axis=normal_axes(axis, x.ndim), keepdims=keepdims)


@primitive
def _logsumexp(x: Array, *, axis: Sizes, keepdims: bool) -> Array:
    largest = x.max(axis=axis, keepdims=True)
    largest = np.where(np.isfinite(largest), largest, 0)  # inf - inf is not a number
    with np.errstate(divide="ignore", over="ignore"):  # the log of no probability at all is -inf; beside an inf, all is
        out = largest + np.log(np.exp(x - largest).sum(axis=axis, keepdims=True))
    return out if keepdims else out.squeeze(axis)
_logsumexp.defvjp(lambda g, out, x, *, axis, keepdims: spread(g, x, axis) * (x - spread(out, x, axis)).exp())


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
    return np.asarray(np.argmax(as_tensor(x).data, None if axis is None else whole("axis", axis)))
