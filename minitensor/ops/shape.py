"""Operators that move elements and do not change them.

What you can do here: `reshape`, `transpose`, `broadcast_to`, index, `pad`, `concatenate`, `stack`.

All of these are linear maps (except for what `pad` puts around, which no derivative sees).  The *adjoint* f* of a
linear map f is the map with <f(x), g> = <x, f*(g)> for all x and g, where <a, b> is the sum of all a_i b_i.  If f
multiplies by a matrix, f* multiplies by its transpose: for A = [[1, 2], [0, 3]], f(x) = (x_0 + 2 x_1, 3 x_1) and
f*(g) = (g_0, 2 g_0 + 3 g_1).

Let g be dL/d out.  If x moves by dx, f moves the output by f(dx), and hence L by <g, f(dx)> = <f*(g), dx>.  What stands
beside dx is dL/dx: so for a linear map, *the rule is the adjoint*.  The maps of this chapter come in pairs, each the
other's rule:

    reshape     - reshape back          index (gather)  - scatter
    transpose   - transpose back        pad with zeros  - crop
    broadcast   - sum                   concatenate     - cut up

(A crop, and a part that is cut out, are an index; scatter puts zeros around them again.)
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import prod
from typing import Any

import numpy as np

from ..checks import Sizes, axis_of, holds, index_number, sequence, whole
from ..tensor import Array, Operand, Tensor, as_tensor, as_tensors, primitive

# fmt: off

def reshape(x: Operand, *n: int | Sequence[int], shape: int | Sequence[int] | None = None) -> Tensor:
    """The same elements in the same order under another shape; one length may be -1 and is worked out.

    Raises ValueError if the number of elements differs.

    >>> reshape(Tensor([1.0, 2.0, 3.0, 4.0]), 2, -1).data
    array([[1., 2.],
           [3., 4.]])
    """
    x, asked = as_tensor(x), sequence(n, shape)
    known = prod(m for m in asked if m != -1)
    after = asked
    if asked.count(-1) == 1 and known > 0 and x.size % known == 0:
        after = tuple([x.size // known if m == -1 else m for m in asked])
    if prod(after) != x.size or (after and min(after) < 0):
        raise ValueError(f"cannot reshape {x.shape}, {x.size} elements, to {asked}")
    return _reshape(x, shape=after)


@primitive
def _reshape(x: Array, *, shape: Sizes) -> Array:
    return x.reshape(shape)
_reshape.defvjp(lambda g, out, x, *, shape: reshape(g, x.shape))


def transpose(x: Operand, *order: int | Sequence[int], axes: Sequence[int] | None = None) -> Tensor:
    """The axes in another order; reversed, if none is given.

    Raises ValueError unless the order is a permutation of x's axes.

    >>> transpose(Tensor([[1.0, 2.0], [3.0, 4.0]])).data
    array([[1., 3.],
           [2., 4.]])
    """
    x = as_tensor(x)
    reverse = not order and axes is None
    given = tuple(range(x.ndim))[::-1] if reverse else sequence(order, axes)
    after = tuple([a + x.ndim if a < 0 else a for a in given])
    if sorted(after) != list(range(x.ndim)):
        raise ValueError(f"axes (={given}) must name each of the {x.ndim} axes of shape {x.shape} once")
    return _transpose(x, axes=after)


@primitive
def _transpose(x: Array, *, axes: Sizes) -> Array:
    return x.transpose(axes)
_transpose.defvjp(lambda g, out, x, *, axes: _transpose(g, axes=tuple([axes.index(i) for i in range(g.ndim)])))


def broadcast_to(x: Operand, *n: int | Sequence[int], shape: int | Sequence[int] | None = None) -> Tensor:
    """x repeated along new axes in front, and along axes of length 1, as NumPy does.

    Its rule is the sum over the repeated axes, and `gradients` does that for all operators (`backprop.unbroadcast`).
    Raises ValueError where a length is neither 1 nor the one asked for.

    >>> broadcast_to(Tensor([1.0, 2.0]), 2, 2).data
    array([[1., 2.],
           [1., 2.]])
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
    """x[key], for NumPy's basic indices and integer or boolean arrays; written x[key].

    An element that is taken twice gets both gradients.  Raises IndexError out of range, or for an index of floats.

    >>> x = Tensor([10.0, 20.0, 30.0])
    >>> x[[0, 0, 2]].backward()
    >>> x.grad.data
    array([2., 0., 1.])
    """
    parts = key if isinstance(key, tuple) else (key,)
    return _index(as_tensor(x), key=tuple([_own(part) for part in parts]))


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


def _own(part: Any) -> Any:
    """A part of an index, copied if it is an array, so that a later change of it cannot reach the gradient."""
    if isinstance(part, Tensor):
        raise TypeError(
            "a Tensor holds floats and cannot be an index; write x[t.data.astype(bool)] for a mask, "
            "x[t.data.astype(int)] for positions"
        )
    if isinstance(part, slice):
        limits = (part.start, part.stop, part.step)
        return slice(*[n if n is None else index_number(n) for n in limits])
    if part is None or part is Ellipsis or isinstance(part, bool):
        return part
    if hasattr(part, "__index__") and not isinstance(part, np.ndarray):
        return index_number(part)
    if holds(part, np.ma.MaskedArray):
        raise TypeError(f"an index has no mask of NumPy's: {part!r}")
    if isinstance(part, range):
        part = list(part)
    array = np.array(part)
    if isinstance(part, list | tuple) and not array.size:
        array = array.astype(int)  # NumPy makes floats of an empty list
    if array.dtype.kind not in "iub":
        raise IndexError(f"an index is made of whole numbers or booleans, got {part!r}")
    array.setflags(write=False)
    return array


PAD_MODES = ("constant", "wrap", "reflect", "edge", "symmetric")


def pad(
    x: Operand, widths: int | Sequence[int | Sequence[int]], mode: str = "constant", constant_values: float = 0
) -> Tensor:
    """x with a margin; widths are a number, one (before, after) for all axes or one for each, as in NumPy.

    mode "constant" fills with constant_values, "wrap" goes round to the other side, "reflect" mirrors at the border
    element, "symmetric" behind it, "edge" repeats it.
    Raises ValueError for negative widths, an unknown mode, or where there is nothing to repeat.

    >>> pad(Tensor([1.0, 2.0, 3.0]), 1).data, pad(Tensor([1.0, 2.0, 3.0]), (2, 1), "wrap").data
    (array([0., 1., 2., 3., 0.]), array([2., 3., 1., 2., 3., 1.]))
    """
    x = as_tensor(x)
    if not x.ndim:
        return x
    try:
        each = np.broadcast_to(np.array(widths), (x.ndim, 2))
        pairs = tuple([(whole("width", before), whole("width", after)) for before, after in each])
    except ValueError:
        raise ValueError(f"widths (={widths}) must be one (before, after) for each axis of shape {x.shape}") from None
    if any(w < 0 for pair in pairs for w in pair):
        raise ValueError(f"padding widths must not be negative, got {widths}")
    if mode == "constant":
        return _pad(x, widths=pairs, constant_values=constant_values)
    if mode not in PAD_MODES:
        raise ValueError(f"mode (={mode!r}) must be one of {', '.join(map(repr, PAD_MODES))}")
    shape = x.shape
    for axis, (pair, n) in enumerate(zip(pairs, shape, strict=True)):
        if any(pair):  # all these modes are a choice of indices
            if n == 0 or (mode == "reflect" and n == 1):
                raise ValueError(f"axis {axis} of shape {shape} is too short for mode {mode!r}")
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
    joined, axis = as_tensors(*tensors), whole("axis", axis)
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


def stack(tensors: Sequence[Operand], axis: int = 0) -> Tensor:
    """Tensors of one shape, joined along a new axis.

    Raises ValueError for none at all, for different shapes, or for an axis out of range.

    >>> stack([Tensor([1.0, 2.0]), Tensor([3.0, 4.0])]).data
    array([[1., 2.],
           [3., 4.]])
    """
    layers, axis = as_tensors(*tensors), whole("axis", axis)
    shapes = {x.shape for x in layers}
    if len(shapes) != 1 or not -layers[0].ndim - 1 <= axis <= layers[0].ndim:
        raise ValueError(f"cannot stack shapes {[x.shape for x in layers]} along axis {axis}")
    (shape,) = shapes
    return _stack(*layers, axis=axis % (len(shape) + 1))


@primitive
def _stack(*xs: Array, axis: int) -> Array:
    return np.stack(xs, axis)
_stack.defvjp_each(lambda i, g, out, *xs, axis: index(g, (slice(None),) * axis + (i,)))
