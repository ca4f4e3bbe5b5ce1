"""Multiply and add up: the contraction behind every layer with weights.

What you can do here: `einsum` and `matmul`.

`einsum("nc,oc->no", x, w)` reads: name the axes of each input with letters, multiply, and add up over every letter that
is not in the output.  Dense, convolution, tiled and locally connected layers differ in their letters only (`conv.py`).
"""

from __future__ import annotations

import string
from functools import reduce
from math import prod

import numpy as np

from ..cores import in_blocks
from ..tensor import Array, Operand, Tensor, as_tensors, primitive
from .shape import _transpose, broadcast_to, reshape


def einsum(spec: str, *tensors: Operand) -> Tensor:
    """Einstein summation: the product of all inputs, added up over the letters that the output does not name.

    For "ij,jk->ik": out[i, k] = sum_j x[i, j] y[j, k].  "..." stands for axes without names, and without "->" the
    output names, in alphabetical order, the letters that occur once: both as in NumPy.  A length of 1 stretches, as in
    broadcasting.
    Raises ValueError where letters and axes, or the lengths of one letter, do not fit.

    >>> einsum("ij,ij->i", Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor([[1.0, 1.0], [0.0, 1.0]])).data
    array([3., 4.])
    """
    xs = as_tensors(*tensors)
    inputs, output = _letters(spec, xs)
    sizes: dict[str, int] = {}
    for letters, x in zip(inputs, xs, strict=True):
        for letter, n in zip(letters, x.shape, strict=True):
            if sizes.setdefault(letter, n) in (1, n):
                sizes[letter] = n
            elif n != 1:
                raise ValueError(
                    f"{spec}: {letter} has length {sizes[letter]} and {n} in shapes {[x.shape for x in xs]}"
                )
    operands = []
    unused = (c for c in string.ascii_letters if c not in sizes)
    for letters, x in zip(inputs, xs, strict=True):  # x_ii = sum_j x_ij eye_ij: a letter twice becomes two letters
        x = broadcast_to(x, [sizes[c] for c in letters]) if x.shape != tuple(sizes[c] for c in letters) else x
        for i, letter in enumerate(letters):
            if letter in letters[:i]:
                twin = next(unused)
                letters = letters[:i] + twin + letters[i + 1 :]
                operands.append((letter + twin, as_tensors(x, np.eye(sizes[letter], dtype=x.dtype))[1]))
        operands.append((letters, x))
    return _einsum(*[x for _, x in operands], spec=",".join(letters for letters, _ in operands) + "->" + output)


@primitive
def _einsum(*xs: Array, spec: str) -> Array:
    """The inputs from left to right, two at a time; a letter is added up with the last input that has it."""
    left, output = spec.split("->")
    terms = left.split(",")
    if len(xs) == 1:
        return np.einsum(spec, xs[0])

    def join(a: tuple[str, Array], b: tuple[int, str, Array]) -> tuple[str, Array]:
        (la, x), (i, lb, y) = a, b
        needed = set(output).union(*terms[i + 1 :])
        lout = output if i == len(xs) - 1 else "".join(c for c in dict.fromkeys(la + lb) if c in needed)
        return lout, contract_two(la, x, lb, y, lout)

    rest = [(i, term, x) for i, (term, x) in enumerate(zip(terms, xs, strict=True))][1:]
    return reduce(join, rest, (terms[0], xs[0]))[1]


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


def _einsum_rule(i: int, g: Tensor, out: Tensor, *xs: Tensor, spec: str) -> Tensor:
    """The derivative by one input is the contraction of g with all the others."""
    left, output = spec.split("->")
    terms = left.split(",")
    others = [(term, x) for j, (term, x) in enumerate(zip(terms, xs, strict=True)) if j != i]
    known = "".join([output, *(term for term, _ in others)])
    here = "".join(c for c in terms[i] if c in known)
    share: Tensor = _einsum(g, *[x for _, x in others], spec=",".join([output, *(t for t, _ in others)]) + "->" + here)
    if here != terms[i]:  # letters that only this input has were summed, so their gradient is the same all along
        kept = [n if c in known else 1 for c, n in zip(terms[i], xs[i].shape, strict=True)]
        share = broadcast_to(reshape(share, kept), xs[i].shape)
    return share


_einsum.defvjp_each(_einsum_rule)


def _letters(spec: str, xs: tuple[Tensor, ...]) -> tuple[list[str], str]:
    """The letters of each input and of the output, with "..." and a missing output written out."""
    left, arrow, output = spec.replace(" ", "").partition("->")
    terms = left.split(",")
    shapes = [x.shape for x in xs]
    if len(terms) != len(xs):
        raise ValueError(f"{spec} names {len(terms)} inputs, and {len(xs)} were given")
    free = [c for c in string.ascii_letters if c not in spec]  # for "...", taken from the right, where shapes align
    longest = 0
    inputs = []
    for term, x in zip(terms, xs, strict=True):
        before, dots, after = term.partition("...")
        extra = x.ndim - len(before + after)
        if extra < 0 or (extra and not dots) or (not (before + after).isalpha() and before + after):
            raise ValueError(f"{spec}: {term!r} does not fit an input of shape {x.shape} (all shapes: {shapes})")
        inputs.append(before + "".join(free[:extra][::-1]) + after)
        longest = max(longest, extra)
    dotted = "".join(free[:longest][::-1])
    if not arrow:
        joined = left.replace("...", "")
        output = dotted + "".join(sorted(c for c in set(joined.replace(",", "")) if joined.count(c) == 1))
    if longest and "..." not in output and arrow:
        raise ValueError(f'{spec}: the axes that "..." stands for must be in the output too')
    output = output.replace("...", dotted)
    if len(set(output)) != len(output) or not set(output) <= set("".join(inputs)):
        raise ValueError(f"{spec}: each letter of the output must occur there once, and in some input")
    return inputs, output


def matmul(x: Operand, y: Operand) -> Tensor:
    """The matrix product, out[..., i, k] = sum_j x[..., i, j] y[..., j, k]; written x @ y.

    As in NumPy, the axes in front broadcast, and a vector on the left is a row, on the right a column.
    Raises ValueError for numbers, and where the inner lengths differ.

    >>> matmul(Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor([1.0, 1.0])).data
    array([3., 7.])
    """
    x, y = as_tensors(x, y)
    if not x.ndim or not y.ndim or x.shape[-1] != y.shape[-2:][0]:  # a vector y has one length only
        raise ValueError(f"cannot multiply matrices of shapes {x.shape} and {y.shape}: the inner lengths must agree")
    try:
        return _matmul(x, y)
    except ValueError:
        shapes = f"{x.shape} and {y.shape}"
        raise ValueError(f"cannot multiply matrices of shapes {shapes}: the axes in front must broadcast") from None


@primitive
def _matmul(x: Array, y: Array) -> Array:
    return skinny_product(x, y) if is_skinny(x.shape, y.shape) else x @ y


FEW = 16  # a matrix with a side up to this long is skinny; it is also the most rows or terms of one piece
UNPACKED = 1_000_000  # fewer products than these OpenBLAS adds up without a copy of the matrices


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


def _left_rule(g: Tensor, out: Tensor, x: Tensor, y: Tensor) -> Tensor:
    if y.ndim == 1:
        return column(g) * y
    return matmul(row(g) if x.ndim == 1 else g, swap_last_two(y))


def _right_rule(g: Tensor, out: Tensor, x: Tensor, y: Tensor) -> Tensor:
    if x.ndim == 1:
        return g * x if y.ndim == 1 else column(x) * row(g)
    if y.ndim == 1:
        return matmul(swap_last_two(x), column(g)).reshape(*x.shape[:-2], x.shape[-1])
    if y.data.flags.f_contiguous:
        # y is w.T, as in a dense layer: the same product transposed, so that w's gradient lies in memory as w does
        return swap_last_two(matmul(swap_last_two(g), x))
    return matmul(swap_last_two(x), g)


_matmul.defvjp(_left_rule, _right_rule)


def column(x: Tensor) -> Tensor:
    """Vectors as matrices with one column."""
    return reshape(x, *x.shape, 1)


def row(x: Tensor) -> Tensor:
    """Vectors as matrices with one row."""
    return reshape(x, *x.shape[:-1], 1, x.shape[-1])


def swap_last_two(x: Tensor) -> Tensor:
    """The transpose of each matrix in a stack of them."""
    return _transpose(x, axes=(*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))
