"""Multiply and add up: the contraction behind every layer with weights.

What you can do here: `einsum` and `matmul`.

`einsum("nc,oc->no", x, w)` reads: name the axes of each input with letters, multiply, and add up over every letter that
is not in the output.  Dense, convolution, tiled and locally connected layers differ in their letters only (`conv.py`).
"""

from __future__ import annotations

import numpy as np

from ..checks import letters_of, matmul_or_raise
from ..tensor import Array, Operand, Tensor, as_tensors, primitive
from .shape import _transpose, broadcast_to, index, reshape

# fmt: off

def matmul(x: Operand, y: Operand) -> Tensor:
    """The matrix product, out[..., i, k] = sum_j x[..., i, j] y[..., j, k]; written x @ y.

    As in NumPy, the axes in front broadcast, and a vector on the left is a row, on the right a column.
    Raises ValueError for numbers, and where the lengths do not fit.

    >>> matmul(Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor([1.0, 1.0])).data
    array([3., 7.])
    """
    x, y = as_tensors(x, y)
    matmul_or_raise(x.shape, y.shape)
    return _matmul(x, y)

@primitive
def _matmul(x: Array, y: Array) -> Array:
    return x @ y

# Of Z = X Y with G = dL/dZ:
#
#     z_ik = sum_j x_ij y_jk,   so   dL/dx_ij = sum_k g_ik y_jk:   dL/dX = G Y^T
#                               and  dL/dy_jk = sum_i x_ij g_ik:   dL/dY = X^T G
#
# For X = [[1, 2], [3, 4]], Y = [[5, 6], [7, 8]] and G = [[1, 0], [0, 0]], that is L = z_00 = 1*5 + 2*7:
#     G Y^T = [[5, 7], [0, 0]] and X^T G = [[1, 0], [2, 0]], what stands beside each number in L.
#
# In a product a vector on the left counts as a matrix with one row, on the right as one with one column: so it does in
# the rules, and its gradient is a vector again.

def left_rule(g: Tensor, out: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """dL/dX = G Y^T"""
    if y.ndim == 1:  # Y^T is a row
        return column(g) * y
    return matmul(row(g) if x.ndim == 1 else g, swap_last_two(y))

def right_rule(g: Tensor, out: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """dL/dY = X^T G"""
    if x.ndim == 1:
        return g * x if y.ndim == 1 else column(x) * row(g)
    if y.ndim == 1:
        return reshape(matmul(swap_last_two(x), column(g)), *x.shape[:-2], x.shape[-1])
    return matmul(swap_last_two(x), g)

_matmul.defvjp(left_rule, right_rule)

def column(x: Tensor) -> Tensor:
    """Vectors as matrices with one column."""
    return reshape(x, *x.shape, 1)

def row(x: Tensor) -> Tensor:
    """Vectors as matrices with one row."""
    return reshape(x, *x.shape[:-1], 1, x.shape[-1])

def swap_last_two(x: Tensor) -> Tensor:
    """The transpose of each matrix in a stack of them."""
    return _transpose(x, axes=(*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))

def einsum(spec: str, *tensors: Operand) -> Tensor:
    """Einstein summation: the product of all inputs, added up over the letters that the output does not name.

    For "ij,jk->ik": out[i, k] = sum_j x[i, j] y[j, k].  "..." stands for axes without names, and without "->" the
    output names, in alphabetical order, the letters that occur once: both as in NumPy.  A letter twice in one input is
    the diagonal.  A length of 1 stretches, as in broadcasting.
    Raises ValueError where letters and axes, or the lengths of one letter, do not fit, TypeError without letters.

    >>> einsum("ij,ij->i", Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor([[1.0, 1.0], [0.0, 1.0]])).data
    array([3., 4.])
    """
    xs = as_tensors(*tensors)
    terms, output, sizes = letters_of(spec, [x.shape for x in xs])
    operands = []
    for letters, x in zip(terms, xs, strict=True):
        shape = tuple([sizes[c] for c in letters])
        x, once = x if x.shape == shape else broadcast_to(x, shape), "".join(dict.fromkeys(letters))
        if once != letters:  # x_ii, x_iji, ...: along a letter that occurs twice, only equal positions count
            places = dict(zip(once, np.ix_(*[np.arange(sizes[c]) for c in once]), strict=True))
            x = index(x, tuple([places[c] for c in letters]))
        operands.append((once, x))
    return _einsum(*[x for _, x in operands], spec=",".join([letters for letters, _ in operands]) + "->" + output)

@primitive
def _einsum(*xs: Array, spec: str) -> Array:
    return np.einsum(spec, *xs, optimize=len(xs) > 2)

def _einsum_rule(i: int, g: Tensor, out: Tensor, *xs: Tensor, spec: str) -> Tensor:
    """The derivative by one input is the contraction of g with all the others."""
    left, output = spec.split("->")
    terms = left.split(",")
    others = [(term, x) for j, (term, x) in enumerate(zip(terms, xs, strict=True)) if j != i]
    known = "".join([output, *[term for term, _ in others]])
    here = "".join([c for c in terms[i] if c in known])
    share: Tensor = _einsum(g, *[x for _, x in others], spec=",".join([output, *[t for t, _ in others]]) + "->" + here)
    if here != terms[i]:  # letters that only this input has were summed, so their gradient is the same all along
        kept = [n if c in known else 1 for c, n in zip(terms[i], xs[i].shape, strict=True)]
        share = broadcast_to(reshape(share, kept), xs[i].shape)
    return share

_einsum.defvjp_each(_einsum_rule)
