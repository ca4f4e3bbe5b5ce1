"""Matrix products and contractions, in the shape and order that BLAS likes.

What you can do here: `matmul` and `einsum` on arrays, and `right_rule`; their definitions are in
`minitensor/ops/contract.py`.
"""

from __future__ import annotations

from functools import reduce
from math import prod

import numpy as np

from ..ops.contract import _einsum, swap_last_two
from ..ops.contract import matmul as matmul_of_tensors
from ..ops.contract import right_rule as right_rule_by_definition
from ..tensor import Array, Tensor
from . import cores
from .cores import in_blocks

FEW = 16  # a matrix with a side up to this long is skinny; it is also the most rows or terms of one piece
UNPACKED = 1_000_000  # fewer products than these OpenBLAS adds up without a copy of the matrices


def matmul(x: Array, y: Array) -> Array:
    """x @ y; of long matrices in blocks of rows, which the cores share; of a column and a row without BLAS.

    A transposed y, as the weights of a dense layer, has its rows where others have columns: the blocks are of those.
    """
    if x.ndim == y.ndim == 2 and x.shape[1] == 1:
        return x * y
    if is_skinny(x.shape, y.shape):
        return skinny_product(x, y)
    if x.ndim != 2 or y.ndim != 2 or x.size * y.shape[1] < cores.LONG or cores.is_left_to_blas():
        return x @ y
    out, products = np.empty((len(x), y.shape[1]), np.result_type(x, y)), x.size * y.shape[1]
    if y.flags.f_contiguous:
        cores.in_blocks(lambda a, b: np.matmul(x, y[:, a:b], out=out[:, a:b]), y.shape[1], products)
    else:
        cores.in_blocks(lambda a, b: np.matmul(x[a:b], y, out=out[a:b]), len(x), products)
    return out


def right_rule(g: Tensor, out: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Of Z = X Y: dL/dY = X^T G.

    Where Y lies in memory as a transpose does, as the W^T of a dense layer, this is computed as (G^T X)^T: then it lies
    as Y does, and the gradient of W as W does.
    """
    if x.ndim > 1 and y.ndim > 1 and y._value.flags.f_contiguous and not y._value.flags.c_contiguous:
        return swap_last_two(matmul_of_tensors(swap_last_two(g), x))
    return right_rule_by_definition(g, out, x, y)


def is_skinny(x: tuple[int, ...], y: tuple[int, ...]) -> bool:
    """Whether the product of matrices of these shapes, (m, k) and (k, n), is long, but one of m, k, n is small."""
    return len(x) == len(y) == 2 and min(*x, *y) <= FEW and x[0] * x[1] * y[1] >= UNPACKED


def skinny_product(x: Array, y: Array) -> Array:
    """x @ y, a piece at a time; two to four times as fast where a batch of few images meets a layer of many weights.

    A long product begins by copying ("packing") both matrices into an order of its own.  That pays where each number is
    used often, but here the copy takes longer than the product.  OpenBLAS leaves it out in short products.
    """
    (m, k), n = x.shape, y.shape[1]
    products = 16 * m * k * n // min(m, k, n)  # to read a number of the largest matrix takes as long as 16 products
    if m > FEW:
        out = np.empty((m, n), np.result_type(x, y))
        rows_each = max(1, min(FEW, UNPACKED // (k * n)))

        def rows(start: int, stop: int) -> None:
            stack = ((stop - start) // rows_each, rows_each)
            rest = start + stack[0] * rows_each
            # One call for all pieces, since after each call a thread has to ask for Python's lock.
            np.matmul(x[start:rest].reshape(*stack, k), y, out=out[start:rest].reshape(*stack, n))
            np.matmul(x[rest:stop], y, out=out[rest:stop])

        in_blocks(rows, m, products)
        return out
    if n > FEW and y.flags.f_contiguous:
        return skinny_product(y.T, x.T).T
    terms_each = max(1, min(FEW, UNPACKED // (m * n)))

    def terms(start: int, stop: int) -> Array:
        total = np.zeros((m, n), np.result_type(x, y))
        share = np.empty_like(total)
        for i in range(start, stop, terms_each):
            piece = slice(i, min(i + terms_each, stop))
            total += np.matmul(x[:, piece], y[piece], out=share)
        return total

    return reduce(np.add, in_blocks(terms, k, products))


def einsum(*xs: Array, spec: str) -> Array:
    """Two inputs as one matrix product; any other number by definition, which looks for a good order of contraction."""
    if len(xs) != 2:
        result: Array = _einsum.definition(*xs, spec=spec)
        return result
    left, output = spec.split("->")
    first, second = left.split(",")
    return contract_two(first, xs[0], second, xs[1], output)


def contract_two(la: str, x: Array, lb: str, y: Array, lout: str) -> Array:
    """np.einsum(f"{la},{lb}->{lout}", x, y), as one batched matrix product.

    The letters fall into four kinds: in both and kept (the batch), in both and added up (the inner axis of the
    product), in x alone (its rows), in y alone (its columns).

    >>> contract_two("bij", np.ones((2, 3, 4)), "bkj", np.ones((2, 5, 4)), "kbi").shape
    (5, 2, 3)
    """
    x, la = _without(la, x, lb + lout)
    y, lb = _without(lb, y, la + lout)
    batch = [c for c in lout if c in la and c in lb]
    inner = [c for c in la if c in lb and c not in lout]
    rows = [c for c in lout if c not in lb]
    columns = [c for c in lout if c not in la]
    size = dict(zip(la + lb, x.shape + y.shape, strict=True))

    def shape(*groups: list[str]) -> tuple[int, ...]:
        return tuple(prod(size[c] for c in group) for group in groups)

    lengths = [size[c] for c in batch]
    a = x.transpose([la.index(c) for c in batch + rows + inner]).reshape(*lengths, *shape(rows, inner))
    b = y.transpose([lb.index(c) for c in batch + inner + columns]).reshape(*lengths, *shape(inner, columns))
    order = batch + rows + columns
    return (a @ b).reshape([size[c] for c in order]).transpose([order.index(c) for c in lout])


def _without(letters: str, x: Array, needed: str) -> tuple[Array, str]:
    """x summed over the letters that nothing else needs."""
    alone = tuple(i for i, c in enumerate(letters) if c not in needed)
    return (x.sum(axis=alone) if alone else x), "".join(c for c in letters if c in needed)
