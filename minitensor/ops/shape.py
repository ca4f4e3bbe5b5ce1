"""Operators that move elements and do not change them.

What you can do here: `reshape`, `transpose`, `broadcast_to`, index, `pad`, `concatenate`, `stack`.

All of these are linear maps (but for what `pad` puts around, which no derivative sees), and come in adjoint pairs, each
the other's rule:

    reshape     - reshape back          index (gather)  - scatter
    transpose   - transpose back        pad with zeros  - crop
    broadcast   - sum                   concatenate     - cut up

With <a, b> the sum of all a_i b_i, the adjoint f* of a linear f is the map with <f(x), g> = <x, f*(g)> for all x and g.
Let g be dL/d out.  If x moves by dx, f moves the output by f(dx), and hence L by <g, f(dx)> = <f*(g), dx>.  What stands
beside dx is dL/dx: so for a linear map, *the rule is the adjoint*.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, TypeAlias

import numpy as np

from ..sizes import whole
from ..tensor import Array, Operand, Tensor, as_tensor, as_tensors, frozen, primitive

Shape: TypeAlias = tuple[int, ...]


def reshape(x: Operand, *shape: int | Sequence[int]) -> Tensor:
    """The same elements in the same order under another shape; one length may be -1 and is worked out.

    Raises ValueError if the number of elements differs.

    >>> reshape(Tensor([1.0, 2.0, 3.0, 4.0]), 2, -1).data
    array([[1., 2.],
           [3., 4.]])
    """
    x = as_tensor(x)
    lengths = _sequence(shape)
    known = prod(n for n in lengths if n != -1)
    if lengths.count(-1) == 1 and known > 0 and x.size % known == 0:
        lengths = tuple(x.size // known if n == -1 else n for n in lengths)
    if prod(lengths) != x.size or (lengths and min(lengths) < 0):
        raise ValueError(f"cannot reshape {x.shape}, {x.size} elements, to {_sequence(shape)}")
    return _reshape(x, shape=lengths)


@primitive
def _reshape(x: Array, *, shape: Shape) -> Array:
    return x.reshape(shape)


_reshape.defvjp(lambda g, out, x, *, shape: reshape(g, x.shape))


def transpose(x: Operand, *axes: int | Sequence[int]) -> Tensor:
    """The axes in another order; reversed, if none is given.

    Raises ValueError unless axes is a permutation of x's axes.

    >>> transpose(Tensor([[1.0, 2.0], [3.0, 4.0]])).data
    array([[1., 3.],
           [2., 4.]])
    """
    x = as_tensor(x)
    given = _sequence(axes) if axes else tuple(reversed(range(x.ndim)))
    order = tuple(a + x.ndim if a < 0 else a for a in given)
    if sorted(order) != list(range(x.ndim)):
        raise ValueError(f"axes (={given}) must name each of the {x.ndim} axes of shape {x.shape} once")
    return _transpose(x, axes=order)


@primitive
def _transpose(x: Array, *, axes: Shape) -> Array:
    return x.transpose(axes)


_transpose.defvjp(lambda g, out, x, *, axes: _transpose(g, axes=tuple([axes.index(i) for i in range(g.ndim)])))


def broadcast_to(x: Operand, *shape: int | Sequence[int]) -> Tensor:
    """x repeated along new axes in front, and along axes of length 1, as NumPy does.

    Its rule is the sum over the repeated axes, and `gradients` does that for all operators (`backprop.unbroadcast`).
    Raises ValueError where a length is neither 1 nor the one asked for.

    >>> broadcast_to(Tensor([1.0, 2.0]), 2, 2).data
    array([[1., 2.],
           [1., 2.]])
    """
    return _broadcast_to(as_tensor(x), shape=_sequence(shape))


@primitive
def _broadcast_to(x: Array, *, shape: Shape) -> Array:
    try:
        return np.broadcast_to(x, shape)
    except ValueError:
        raise ValueError(f"cannot broadcast shape {x.shape} to {shape}") from None


_broadcast_to.defvjp(lambda g, out, x, *, shape: g)


def index(x: Operand, key: Any) -> Tensor:
    """x[key], for NumPy's basic indices and integer or boolean arrays; written x[key].

    An element that is taken twice gets both gradients.  Raises IndexError out of range.

    >>> x = Tensor([10.0, 20.0, 30.0])
    >>> x[[0, 0, 2]].backward()
    >>> x.grad.data
    array([2., 0., 1.])
    """
    parts = key if isinstance(key, tuple) else (key,)
    return _index(as_tensor(x), key=tuple(_own(part) for part in parts))


def _own(part: Any) -> Any:
    """A part of an index, copied if it is an array, so that a later change of it cannot reach the gradient."""
    if isinstance(part, Tensor):
        raise TypeError("a Tensor holds floats and cannot be an index; use x[t.data.astype(int)]")
    if part is None or part is Ellipsis or isinstance(part, slice):
        return part
    if hasattr(part, "__index__") and not isinstance(part, np.ndarray):  # a number
        return part
    array = np.array(part)
    return frozen(array if array.size else array.astype(int))  # an empty list would be an array of floats


@primitive
def _index(x: Array, *, key: Any) -> Array:
    return x[key]


@primitive
def scatter(g: Array, *, shape: Shape, key: Any) -> Array:
    """Zeros of this shape, with each element of g *added* where x[key] took it from: the adjoint of indexing."""
    total = np.zeros(shape, g.dtype)
    if any(isinstance(part, np.ndarray) for part in key):
        np.add.at(total, key, g)  # `total[key] += g` would lose all but one of two equal indices
    else:
        total[key] = g
    return total


_index.defvjp(lambda g, out, x, *, key: scatter(g, shape=x.shape, key=key))
scatter.defvjp(lambda x, out, g, *, shape, key: index(x, key))  # what arrives is like x, and so has its name


def pad(
    x: Operand, widths: int | Sequence[int | Sequence[int]], mode: str = "constant", constant_values: float = 0
) -> Tensor:
    """x with a margin; widths are a number, one (before, after) for all axes or one for each, as in NumPy.

    mode "constant" fills with constant_values, "wrap" goes round to the other side, "reflect" mirrors at the border
    element.  Raises ValueError for negative widths, an unknown mode, or nothing to wrap or reflect.

    >>> pad(Tensor([1.0, 2.0, 3.0]), 1).data, pad(Tensor([1.0, 2.0, 3.0]), (2, 1), "wrap").data
    (array([0., 1., 2., 3., 0.]), array([2., 3., 1., 2., 3., 1.]))
    """
    x = as_tensor(x)
    if not x.ndim:
        return x
    try:
        pairs = tuple((whole("width", a), whole("width", b)) for a, b in np.broadcast_to(np.array(widths), (x.ndim, 2)))
    except ValueError:
        raise ValueError(f"widths (={widths}) must be one (before, after) for each axis of shape {x.shape}") from None
    if any(w < 0 for pair in pairs for w in pair):
        raise ValueError(f"padding widths must not be negative, got {widths}")
    if mode == "constant":
        return _pad(x, widths=pairs, constant_values=constant_values)
    if mode not in ("wrap", "reflect"):
        raise ValueError(f"mode (={mode!r}) must be 'constant', 'wrap' or 'reflect'")
    shape = x.shape
    for axis, (pair, n) in enumerate(zip(pairs, shape, strict=True)):
        if any(pair):  # wrapping and mirroring are a choice of indices
            if n == 0 or (mode == "reflect" and n == 1):
                raise ValueError(f"axis {axis} of shape {shape} is too short to {mode}")
            x = index(x, (slice(None),) * axis + (np.pad(np.arange(n), pair, mode),))  # type: ignore[call-overload]
    return x


@primitive
def _pad(x: Array, *, widths: tuple[tuple[int, int], ...], constant_values: float) -> Array:
    return np.pad(x, widths, constant_values=constant_values)


_pad.defvjp(
    lambda g, out, x, *, widths, constant_values: index(
        g, tuple(slice(before, before + n) for (before, _), n in zip(widths, x.shape, strict=True))
    )
)


def concatenate(tensors: Sequence[Operand], axis: int = 0) -> Tensor:
    """Tensors joined along an axis that they have.

    Raises ValueError for none at all, for an axis they lack, or where their other lengths differ.

    >>> concatenate([Tensor([1.0]), Tensor([2.0, 3.0])]).data
    array([1., 2., 3.])
    """
    joined, axis = as_tensors(*tensors), whole("axis", axis)
    shapes = [x.shape for x in joined]
    if not joined or not -joined[0].ndim <= axis < joined[0].ndim:
        raise ValueError(f"cannot concatenate shapes {shapes} along axis {axis}")
    try:
        return _concatenate(*joined, axis=axis % joined[0].ndim)
    except ValueError:
        raise ValueError(f"cannot concatenate shapes {shapes} along axis {axis}") from None


@primitive
def _concatenate(*xs: Array, axis: int) -> Array:
    return np.concatenate(xs, axis)


def _cut(i: int, g: Tensor, out: Tensor, *xs: Tensor, axis: int) -> Tensor:
    start = sum(x.shape[axis] for x in xs[:i])
    return index(g, (slice(None),) * axis + (slice(start, start + xs[i].shape[axis]),))


_concatenate.defvjp_each(_cut)


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


def _sequence(numbers: Sequence[Any]) -> Shape:
    """(2, 3) for f(2, 3) and for f((2, 3))."""
    several = numbers[0] if len(numbers) == 1 and isinstance(numbers[0], Sequence | np.ndarray) else numbers
    return tuple(whole("a length or an axis", n) for n in several)
