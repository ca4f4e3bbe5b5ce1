"""Which input reaches which output, and through which parameter: read off the derivatives.

What you can do here: `connections` of any function of a Tensor, so of layers that nobody has thought of yet.

Letters:   x_j input unit j    y_i output unit i    w_k parameter k (flat numbers, counted from 0)

    x_j is wired to y_i        where   d y_i / d x_j          is not zero
    the wire carries w_k       where   d2 y_i / d x_j d w_k   is not zero

The first says that y_i feels x_j.  The second says that *how much* it feels it is set by w_k: for y = w x + b the wire
carries w and not b.  A wire with a weight that happens to be 0 is found by the second.

A layer with kinks shows only some of its wires at any one input: max pooling passes on the largest, and its derivative
by the others is 0.  So we ask at many inputs and take the union.  Every input in turn is made to stand out, far above
all others and far below: then it wins every maximum (or minimum) that it takes part in, and each of its wires shows.
All other numbers are random, so nothing is zero by accident; with each input its negative is tried, so that a unit
relu(w x) which is dead at one of the two is alive at the other; and we go round again until nothing new appears.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np

from minitensor import Tensor, gradients, history
from minitensor.tensor import Array, whole
from nets import Module

Layer = Callable[[Tensor], Tensor]
Parameter = tuple[str, int]
Wires = dict[tuple[int, int], "Parameter | tuple[Parameter, ...] | None"]

STANDS_OUT = 100.0  # all other inputs lie between -1 and 1
MOST_WIRES = 20_000


def connections(
    layer: Layer, input_shape: int | Sequence[int], *, weights: bool = True, limit: int = MOST_WIRES
) -> Wires:
    """All wires of a layer, as {(input unit, output unit): weight}, with units and parameters numbered flat.

    layer is any function of one Tensor.  input_shape is what it takes; the batch axis may be left out.
    weight is (parameter name, flat index), None where the wire carries no parameter, and a tuple of such pairs where
    several meet in one wire.  Parameters are those of a Module, by their names; of another function, all Tensors that
    it reads and that are older than its input, by their names, or p0, p1, ... where they have none.
    weights=False finds the wires alone, faster: for a whole network.
    A Module is asked as it computes in use, where dropout leaves nothing out.
    Raises ValueError for a layer with more units or wires than limit, and where the layer rejects the shape.

    >>> from minitensor import conv1d
    >>> w = Tensor([[[1.0, 10.0]]], name="w")
    >>> connections(lambda x: conv1d(x, w), (1, 3))
    {(0, 0): ('w', 0), (1, 0): ('w', 1), (1, 1): ('w', 0), (2, 1): ('w', 1)}
    """
    return wires_at(layer, accepted_shape(layer, input_shape), weights, limit)


def wires_at(layer: Layer, shape: tuple[int, ...], weights: bool = True, limit: int = MOST_WIRES) -> Wires:
    """As `connections`, for exactly this shape."""
    with _in_use(layer):
        return _found_wires(layer, shape, weights, limit)


def _found_wires(layer: Layer, shape: tuple[int, ...], weights: bool, limit: int) -> Wires:
    inputs, outputs = int(np.prod(shape)), layer(Tensor(np.zeros(shape))).size
    if max(inputs, outputs) > limit:
        raise ValueError(
            f"{inputs:,} inputs and {outputs:,} outputs have too many wires to follow one by one (limit={limit:,}): "
            "ask for a smaller input_shape; the pattern is the same"
        )
    wires: dict[tuple[int, int], set[Parameter]] = {}
    rng, known = np.random.default_rng(0), -1
    while len(wires) > known:
        known = len(wires)
        for x, asked in _telling_inputs(rng.uniform(-1, 1, shape)):
            for j in asked:
                for i in _felt_by(layer, x, j):
                    wires.setdefault((j, i), set())
                _check_limit(len(wires), limit)
    if weights:
        for j, i, parameter in _carried(layer, shape, limit):
            wires.setdefault((j, i), set()).add(parameter)
            _check_limit(len(wires), limit)
    return {wire: _weight(wires[wire]) for wire in sorted(wires, key=lambda wire: (wire[1], wire[0]))}


def accepted_shape(layer: Layer, input_shape: int | Sequence[int]) -> tuple[int, ...]:
    """The shape that the layer takes: a Module one with a batch axis in front, another function the shape as it is.

    Where that is refused the other is tried, then one more axis in front: batch and channel may be left out, or not.
    Raises ValueError, with all refusals, where none will do.

    >>> from nets import Conv1d
    >>> accepted_shape(Conv1d(2, 1, 3), (2, 5)), accepted_shape(Conv1d(1, 1, 3), 5)
    ((1, 2, 5), (1, 1, 5))
    """
    lengths = input_shape if isinstance(input_shape, Sequence) else (input_shape,)
    given = tuple(whole("input_shape", n) for n in lengths)
    shapes = [(1, *given), given] if isinstance(layer, Module) else [given, (1, *given)]
    refusals = []
    for shape in (*shapes, (1, 1, *given)):
        try:
            with _in_use(layer):
                layer(Tensor(np.zeros(shape)))
        except (ValueError, TypeError, IndexError) as error:
            refusals.append(f"{shape}: {error}")
        else:
            return shape
    raise ValueError(f"the layer takes an input of none of these shapes: {'; '.join(refusals)}")


def _in_use(layer: Layer) -> AbstractContextManager[object]:
    """Within the block a Module computes as in use: asking it for its wires teaches it nothing, and drops none."""
    return layer.in_use() if isinstance(layer, Module) else nullcontext()


def _telling_inputs(generic: Array) -> Iterator[tuple[Array, Sequence[int]]]:
    """Inputs to ask at, and for each the units whose wires show there."""
    for x in (generic, -generic):
        yield x, range(x.size)
    for j in range(generic.size):
        x = generic.copy()
        x.flat[j] = STANDS_OUT
        yield x, [j]
        yield -x, [j]


def _felt_by(layer: Layer, x: Array, j: int) -> list[int]:
    """The outputs i with dy_i/dx_j != 0: one column of the Jacobian.

    v = sum_i s_i dy_i/dx is linear in the seed s, so dv_j/ds is that column: backpropagation, twice, goes forward.
    """
    point = Tensor(x)
    with np.errstate(all="ignore"):  # where an input that stands out overflows an exponential, the others still tell
        y = layer(point)
        seed = Tensor(np.ones(y.shape, y.dtype))
        [v] = gradients(y, [point], seed)
        [column] = gradients(v, [seed], _one_hot(point, j))
    return _nonzero(column)


def _carried(layer: Layer, shape: tuple[int, ...], limit: int) -> Iterator[tuple[int, int, Parameter]]:
    """All (j, i, parameter k) with d2y_i / dx_j dw_k != 0, at a generic input and its negative."""
    asked = 0
    generic = np.random.default_rng(0).uniform(-1, 1, shape)
    for x in (generic, -generic):
        point = Tensor(x)
        y = layer(point)
        parameters = parameters_of(layer, y, point)
        for i in range(y.size):
            slopes = gradients(y, list(parameters.values()), _one_hot(y, i))
            for name, slope in zip(parameters, slopes, strict=True):
                for k in _nonzero(slope):
                    asked += 1
                    _check_limit(asked, 4 * limit)
                    [mixed] = gradients(slope, [point], _one_hot(slope, k))
                    for j in _nonzero(mixed):
                        yield j, i, (name, k)


def parameters_of(layer: Layer, y: Tensor, x: Tensor) -> dict[str, Tensor]:
    """The parameters that y = layer(x) was computed with, by the names that `connections` gives them."""
    if isinstance(layer, Module):
        return dict(layer.named_parameters())
    # What is younger than x was made by the layer as it ran: the 2 in 2 * x, the 9 that an average divides by.
    read = [t for t in reversed(history(y)) if t.primitive is None and t.birth < x.birth]
    names = [t.name for t in read]
    return {t.name if t.name and names.count(t.name) == 1 else f"p{n}": t for n, t in enumerate(read)}


def _nonzero(derivative: Tensor) -> list[int]:
    return [int(i) for i in np.flatnonzero(np.nan_to_num(derivative.data))]


def _one_hot(like: Tensor, position: int) -> Array:
    seed = np.zeros(like.shape, like.dtype)
    seed.flat[position] = 1
    return seed


def _weight(parameters: set[Parameter]) -> Parameter | tuple[Parameter, ...] | None:
    ordered = tuple(sorted(parameters))
    return ordered[0] if len(ordered) == 1 else ordered or None


def _check_limit(count: int, limit: int) -> None:
    if count > limit:
        raise ValueError(
            f"this layer has more than {limit:,} wires or shared weights to follow: ask for a smaller input_shape (the "
            "pattern is the same), for one layer at a time, or for the wires alone with weights=False"
        )
