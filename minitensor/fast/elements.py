"""Choosing and adding up, for arrays that are long.

What you can do here: `where` and `sum` on arrays; `minitensor/ops` has the definitions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tensor import Array
from .memory import bits


def where(condition: Array, x: Any, y: Any) -> Array:
    """np.where; where one side is 0, on the bits of the other, since times 1 or 0 these are all or nothing."""
    if type(y) in (np.float32, np.float64) and y == 0 and _as_large(x, condition, y):
        return (bits(x) * (condition != 0)).view(x.dtype)
    if type(x) in (np.float32, np.float64) and x == 0 and _as_large(y, condition, x):
        return (bits(y) * (condition == 0)).view(y.dtype)
    return np.where(condition, x, y)


def _as_large(x: Any, condition: Any, zero: Any) -> bool:
    """Whether x has the shape and dtype of the result."""
    return isinstance(x, np.ndarray) and x.dtype == zero.dtype and np.shape(condition) == x.shape


def sum(x: Array, *, axis: tuple[int, ...], keepdims: bool) -> Array:
    """NumPy adds up pairwise, and loses nothing, along the axis that runs fastest in memory; else float64 is needed."""
    if x.dtype != np.float64 and axis and min(range(x.ndim), key=lambda a: x.strides[a]) not in axis:
        return x.sum(axis=axis, keepdims=keepdims, dtype=np.float64).astype(x.dtype)
    return x.sum(axis=axis, keepdims=keepdims)
