"""More products of vectors and matrices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..checks import axis_of, whole
from ..ops.contract import einsum, matmul
from ..ops.elementwise import multiply
from ..ops.reduce import sum as total
from ..tensor import Operand, Tensor, as_tensor, as_tensors
from .rearrange import diag, expand_dims, flatten

# fmt: off

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


def trace(x: Operand) -> Tensor:
    """The sum along the diagonal of a matrix; ValueError for other ranks.

    >>> trace(Tensor([[1.0, 2.0], [3.0, 4.0]])).item()
    5.0
    """
    x = as_tensor(x)
    if x.ndim != 2:
        raise ValueError(f"trace takes a matrix, got shape {x.shape}")
    return total(diag(x))
