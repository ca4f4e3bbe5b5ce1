"""Operators that make fewer elements of many.

What you can do here: `sum mean max` over an axis, several axes or all (`var min prod logsumexp`: in `more`).

Letters: x the input, out the reduced value, g = dL/d out.  `axis` is None, a number or a tuple; with `keepdims` the
axis stays, with length 1.
"""

from __future__ import annotations

from math import prod

import numpy as np

from ..checks import Axis, Sizes, count_or_raise, normal_axes
from ..tensor import Array, Operand, Tensor, as_tensor, primitive
from .elementwise import where
from .shape import broadcast_to, reshape

# fmt: off

def sum(x: Operand, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The sum of the elements along axis.

    >>> sum(Tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0).data
    array([4., 6.])
    """
    x = as_tensor(x)
    return _sum(x, axis=normal_axes(axis, x.ndim), keepdims=keepdims)

@primitive
def _sum(x: Array, *, axis: Sizes, keepdims: bool) -> Array:
    return x.sum(axis=axis, keepdims=keepdims, dtype=np.float64).astype(x.dtype)  # in float32 a long sum loses digits
_sum.defvjp(lambda g, out, x, *, axis, keepdims: spread(g, x, axis))

def spread(g: Tensor, x: Tensor, axis: Sizes) -> Tensor:
    """The value of each reduced group, repeated for each of its members: the adjoint of the sum."""
    kept = tuple([1 if i in axis else n for i, n in enumerate(x.shape)])
    return broadcast_to(g if g.shape == kept else reshape(g, kept), x.shape)

def mean(x: Operand, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The average of the elements along axis; ValueError if there are none.

    >>> mean(Tensor([1.0, 2.0, 6.0])).item()
    3.0
    """
    x = as_tensor(x)
    return sum(x, axis, keepdims) / count_or_raise(x.shape, axis)

def max(x: Operand, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The largest element along axis; a tie sends the gradient to the first maximum.

    Raises ValueError if there are no elements.

    >>> x = Tensor([1.0, 7.0, 7.0])
    >>> max(x).backward()
    >>> x.grad.data
    array([0., 1., 0.])
    """
    x = as_tensor(x)
    count_or_raise(x.shape, axis)
    return _max(x, axis=normal_axes(axis, x.ndim), keepdims=keepdims)

@primitive
def _max(x: Array, *, axis: Sizes, keepdims: bool) -> Array:
    return x.max(axis=axis, keepdims=keepdims)

@primitive
def first_maximum(x: Array, *, axis: Sizes) -> Array:
    """1 at the first maximum along axis, 0 elsewhere.

    >>> first_maximum(Tensor([1.0, 7.0, 7.0]), axis=(0,)).data
    array([0., 1., 0.])
    """
    back = tuple(range(x.ndim - len(axis), x.ndim))
    groups = np.moveaxis(x, axis, back)  # the reduced axes last,
    flat = groups.reshape(*groups.shape[: x.ndim - len(axis)], prod(x.shape[a] for a in axis))  # and then as one
    ones = np.arange(flat.shape[-1]) == flat.argmax(axis=-1)[..., None]
    return np.moveaxis(ones.reshape(groups.shape), back, axis)
first_maximum.defvjp(None)
_max.defvjp(lambda g, out, x, *, axis, keepdims: where(first_maximum(x, axis=axis), spread(g, x, axis), 0))
