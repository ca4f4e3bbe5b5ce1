"""Choosing and adding up, for arrays that are long.

What you can do here: `where` and `sum` on arrays; `minitensor/ops` has the definitions.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..tensor import Array
from .memory import bits

SHORT = 512  # so many numbers, added up one by one in float32, lose a digit or two of seven


def where(condition: Array, x: Any, y: Any) -> Array:
    """np.where; where one side is 0, on the bits of the other, since times 1 or 0 these are all or nothing."""
    if type(y) in (np.float32, np.float64) and y == 0 and not np.signbit(y) and _as_large(x, condition, y):
        return (bits(x) * (condition if condition.dtype == bool else condition != 0)).view(x.dtype)
    if type(x) in (np.float32, np.float64) and x == 0 and not np.signbit(x) and _as_large(y, condition, x):
        return (bits(y) * (condition == 0)).view(y.dtype)
    return np.where(condition, x, y)


def _fastest_axis(x: Array) -> int:
    """The axis along which neighbours lie next to each other; -1 where an axis is one element repeated."""
    steps = [(abs(step), a) for a, (n, step) in enumerate(zip(x.shape, x.strides, strict=True)) if n > 1]
    step, axis = min(steps, default=(0, -1))
    return axis if step else -1


def _as_large(x: Any, condition: Any, zero: Any) -> bool:
    """Whether x has the shape and dtype of the result."""
    return isinstance(x, np.ndarray) and x.dtype == zero.dtype and np.shape(condition) == x.shape


def sum(x: Array, *, axis: tuple[int, ...], keepdims: bool) -> Array:
    """The sum in float32, where that loses few digits: in short sums, and where NumPy adds up pairwise.

    It does so along the axis that runs fastest in memory, and adds up one by one along the others.
    """
    terms = prod([x.shape[a] for a in axis])
    if x.dtype == np.float64 or terms <= SHORT or _fastest_axis(x) in axis:
        return x.sum(axis=axis, keepdims=keepdims)
    return x.sum(axis=axis, keepdims=keepdims, dtype=np.float64).astype(x.dtype)
