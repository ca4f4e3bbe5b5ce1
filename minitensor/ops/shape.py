"""Operators that move elements and do not change them.

What you can do here: `reshape`, `transpose`, `broadcast_to`, index, `pad`, `concatenate`.

All of these are linear maps (except for what `pad` puts around, which no derivative sees), so the rule of each is its
adjoint (`windows.py` says why).  They come in pairs, each the other's rule.  A crop, or a part cut out, is an index:

    reshape     - reshape back          index (gather)  - scatter
    transpose   - transpose back        pad with zeros  - crop
    broadcast   - sum                   concatenate     - cut up
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from ..checks import Sizes, axis_of, axis_order, holds, index_key, listed, new_shape, pad_widths, sequence, whole
from ..tensor import Array, Operand, Tensor, as_tensor, as_tensors, primitive

# fmt: off

def reshape(x: Operand, *n: int | Sequence[int], shape: int | Sequence[int] | None = None) -> Tensor:
    """The same elements in the same order under another shape; one length may be -1 and is worked out.

    Raises ValueError if the number of elements differs.

    >>> reshape(Tensor([1.0, 2.0, 3.0, 4.0]), 2, -1).data.tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    x = as_tensor(x)
    return _reshape(x, shape=new_shape(x.shape, sequence(n, shape)))

@primitive
def _reshape(x: Array, *, shape: Sizes) -> Array:
    return x.reshape(shape)
_reshape.defvjp(lambda g, out, x, *, shape: reshape(g, x.shape))

def transpose(x: Operand, *order: int | Sequence[int], axes: Sequence[int] | None = None) -> Tensor:
    """The axes in another order; reversed, if none is given.

    Raises ValueError unless the order is a permutation of x's axes.

    >>> transpose(Tensor([[1.0, 2.0], [3.0, 4.0]])).data.tolist()
    [[1.0, 3.0], [2.0, 4.0]]
    """
    x = as_tensor(x)
    reverse = not order and axes is None
    return _transpose(x, axes=axis_order(x.shape, range(x.ndim)[::-1] if reverse else sequence(order, axes)))

@primitive
def _transpose(x: Array, *, axes: Sizes) -> Array:
    return x.transpose(axes)
_transpose.defvjp(  # x's axis i has become axis axes.index(i)
    lambda g, out, x, *, axes: _transpose(g, axes=tuple([axes.index(i) for i in range(g.ndim)]))
)

def broadcast_to(x: Operand, *n: int | Sequence[int], shape: int | Sequence[int] | None = None) -> Tensor:
    """x repeated along new axes in front, and along axes of length 1, as NumPy does.

    Its rule is the sum over the repeated axes, and `gradients` does that for all operators (`backprop.unbroadcast`).
    Raises ValueError where a length is neither 1 nor the one asked for.

    >>> broadcast_to(Tensor([1.0, 2.0]), 2, 2).data.tolist()
    [[1.0, 2.0], [1.0, 2.0]]
    """
    x, after = as_tensor(x), sequence(n, shape)
    try:
        return _broadcast_to(x, shape=after)
    except ValueError:
        raise ValueError(f"cannot broadcast shape {x.shape} to {after}") from None

@primitive
def _broadcast_to(x: Array, *, shape: Sizes) -> Array:
    return np.broadcast_to(x, shape)
_broadcast_to.defvjp(lambda g, out, x, *, shape: g)

def index(x: Operand, key: Any) -> Tensor:
    """x[key], for NumPy's basic indices and integer or boolean arrays.

    An element that is taken twice gets both gradients.  Raises IndexError out of range, or for an index of floats.

    >>> x = Tensor([10.0, 20.0, 30.0])
    >>> x[[0, 0, 2]].backward()
    >>> x.grad.data
    array([2., 0., 1.])
    """
    if holds(key, Tensor):
        raise TypeError("a Tensor holds floats and cannot be an index; write x[t.data.astype(bool)] for a mask, "
                        "x[t.data.astype(int)] for positions")
    return _index(as_tensor(x), key=index_key(key))

@primitive
def _index(x: Array, *, key: Any) -> Array:
    return x[key]

@primitive
def scatter(g: Array, *, shape: Sizes, key: Any) -> Array:
    """Zeros of this shape, with each element of g *added* where x[key] took it from: the adjoint of indexing."""
    if not any(isinstance(part, np.ndarray) for part in key):
        total = np.zeros(shape, g.dtype)
        total[key] = g
        return total
    sums = np.zeros(shape, np.float64)  # float32 would lose digits on the way
    np.add.at(sums, key, g)  # `sums[key] += g` would lose all but one of two equal indices
    return sums.astype(g.dtype)

_index.defvjp(lambda g, out, x, *, key: scatter(g, shape=x.shape, key=key))
scatter.defvjp(lambda x, out, g, *, shape, key: index(x, key))  # the gradient of a scatter is shaped like x

def pad(
    x: Operand, widths: int | Sequence[int | Sequence[int]], mode: str = "constant", constant_values: float = 0
) -> Tensor:
    """x with a margin; widths are a number, one (before, after) for all axes or one for each, as in NumPy.

    mode "constant" fills with constant_values, "wrap" goes round to the other side, "reflect" mirrors at the border
    element, "symmetric" mirrors it too, "edge" repeats it.
    Raises ValueError for negative widths, an unknown mode, or where there is nothing to repeat.

    >>> pad(Tensor([1.0, 2.0, 3.0]), 1).data, pad(Tensor([1.0, 2.0, 3.0]), (2, 1), "wrap").data
    (array([0., 1., 2., 3., 0.]), array([2., 3., 1., 2., 3., 1.]))
    """
    x = as_tensor(x)
    pairs = pad_widths(x.shape, widths, mode)
    if mode == "constant":
        return _pad(x, widths=pairs, constant_values=constant_values) if x.ndim else x
    for axis, (pair, n) in enumerate(zip(pairs, x.shape, strict=True)):
        if any(pair):  # all other modes are a choice of indices
            x = index(x, (slice(None),) * axis + (np.pad(np.arange(n), pair, mode),))  # type: ignore[call-overload]
    return x

@primitive
def _pad(x: Array, *, widths: tuple[tuple[int, int], ...], constant_values: float) -> Array:
    return np.pad(x, widths, constant_values=constant_values)
_pad.defvjp(lambda g, out, x, *, widths, constant_values: index(g, tuple([
    slice(before, before + n) for (before, _), n in zip(widths, x.shape, strict=True)
])))

def concatenate(tensors: Sequence[Operand], axis: int = 0) -> Tensor:
    """Tensors joined along an axis that they have.

    Raises ValueError for none at all, for an axis they lack, or where their other lengths differ.

    >>> concatenate([Tensor([1.0]), Tensor([2.0, 3.0])]).data
    array([1., 2., 3.])
    """
    joined, axis = as_tensors(*listed("tensors", tensors)), whole("axis", axis)
    shapes = [x.shape for x in joined]
    try:
        first = axis_of(shapes[0], axis)
        ends = tuple(accumulate([shape[first] for shape in shapes]))
        return _concatenate(*joined, axis=first, ends=ends)
    except (ValueError, IndexError):
        raise ValueError(f"cannot concatenate shapes {shapes} along axis {axis}") from None

@primitive
def _concatenate(*xs: Array, axis: int, ends: Sizes) -> Array:
    return np.concatenate(xs, axis)
_concatenate.defvjp_each(lambda i, g, out, *xs, axis, ends: index(
    g, (slice(None),) * axis + (slice(ends[i] - xs[i].shape[axis], ends[i]),)
))
