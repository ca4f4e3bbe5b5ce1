"""Which input reaches which output, and through which parameter: structure, composed along the recipe.

What you can do here: `connections` of any function of a Tensor, so of layers that nobody has thought of yet.

Letters:   x_j input unit j    y_i output unit i    w_k parameter k (flat numbers, counted from 0)

    x_j is wired to y_i       where a path of operators leads from one to the other, and no operator on it has a
                              derivative that is zero everywhere
    the wire carries w_k      where w_k multiplies what comes along such a path

Why not differentiate the whole function?  A derivative at a point says what happens there.  Behind a few relus most
wires are dead at most points, and relu(x - 150) is dead at all points that one would think of; the slope of a sigmoid
depends on its bias, and yet the bias multiplies nothing.  Of one operator a few points tell all (`slopes.py`), and
along the recipe it is index sets that are passed on: for each element, the inputs that reach it.  So the answer is the
same for every value of the parameters.  Where paths cancel, as in x - x, their wires are there: the paths are.
Source: Griewank and Walther, Evaluating Derivatives, 2nd ed., section 7.1 (sparsity patterns).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import product
from typing import Any

import numpy as np

from minitensor import Tensor, history
from minitensor.checks import whole
from minitensor.recording import recording
from minitensor.tensor import Primitive
from nets import Module

from .slopes import LARGEST, Known, Operator, TooManyWires

Layer = Callable[[Tensor], Tensor]
Parameter = tuple[str, int]
Wires = dict[tuple[int, int], "Parameter | tuple[Parameter, ...] | None"]
Numbers = int  # a set of unit numbers: bit j is 1 where j is in it
Carried = dict[Parameter, Numbers]  # for one element: the inputs that each parameter multiplies on their way to it

MOST_WIRES = 20_000
MORE_WITHIN = 30  # times as many between, where one layer of a network has more wires than all have together


def connections(
    layer: Layer,
    input_shape: int | Sequence[int],
    *,
    weights: bool = True,
    zeros: bool | None = None,
    limit: int = MOST_WIRES,
) -> Wires:
    """All wires of a layer, as {(input unit, output unit): weight}, with units and parameters numbered flat.

    layer is any function of one Tensor.  input_shape is what it takes; the batch axis may be left out.
    weight is (parameter name, flat index), None where the wire carries no parameter, and a tuple of such pairs where
    several meet in one wire.  Parameters are those of a Module, by their names; of another function, all Tensors that
    it reads and that are older than its input, by their names, or p0, p1, ... where they have none of their own.
    A wire of a parameter is there whatever its value; a constant, as in an array of numbers, has none where it is 0.
    zeros=False leaves out those whose parameter is 0 now, as in a pruned layer; zeros=True keeps those of constants.
    weights=False finds the wires alone, faster: for a whole network.
    A Module is asked as it computes in use, where dropout leaves nothing out.
    A constant beyond 1e6 that is added counts as infinite: what a mask hides before a softmax has no wire.  A
    threshold beyond 1,000 may be missed, and so may what an operator does in few of the points that it is asked at.
    An operator whose slope is never finite, as that of x * inf, is wired to more than it reaches.
    Raises ValueError for a layer with more units or wires than limit, one that rejects the shape, and one that computes
    by other operators for another input; TypeError for what is no layer, or returns no Tensor; NotImplementedError
    where an operator on the way has no derivative.

    >>> from minitensor import conv1d, tanh
    >>> w = Tensor([[[1.0, 10.0]]], name="w")
    >>> connections(lambda x: tanh(conv1d(x, w)), (1, 3))
    {(0, 0): ('w', 0), (1, 0): ('w', 1), (1, 1): ('w', 0), (2, 1): ('w', 1)}
    >>> len(connections(lambda x: x * [1, 2, 1], 3)), len(connections(lambda x: x * [1, float("inf"), 1], 3))
    (3, 5)
    """
    lengths = input_shape if isinstance(input_shape, Sequence) else (input_shape,)
    _check_units(math.prod(whole("input_shape", n) for n in lengths), "inputs", limit)
    return wires_at(layer, accepted_shape(layer, input_shape), weights=weights, zeros=zeros, limit=limit)


def wires_at(
    layer: Layer, shape: tuple[int, ...], *, weights: bool = True, zeros: bool | None = None, limit: int = MOST_WIRES
) -> Wires:
    """As `connections`, for exactly this shape."""
    return Recipe(layer, shape, zeros, limit).wires(weights)


def accepted_shape(layer: Layer, input_shape: int | Sequence[int]) -> tuple[int, ...]:
    """The shape that the layer takes: a Module one with a batch axis in front, another function the shape as it is.

    Where that is refused the other is tried, then one more axis in front: batch and channel may be left out, or not.
    Raises ValueError, with all refusals, where none will do, and for a length of 0; TypeError for what is no layer.

    >>> from nets import Conv1d
    >>> accepted_shape(Conv1d(2, 1, 3), (2, 5)), accepted_shape(Conv1d(1, 1, 3), 5)
    ((1, 2, 5), (1, 1, 5))
    """
    if not callable(layer):
        raise TypeError(f"a layer is a Module, or a function of one Tensor, got {type(layer).__name__}")
    lengths = input_shape if isinstance(input_shape, Sequence) else (input_shape,)
    given = tuple(whole("input_shape", n) for n in lengths)
    if any(n < 1 for n in given):
        raise ValueError(f"input_shape (={input_shape}) has no units: each length must be at least 1")
    shapes = [(1, *given), given] if isinstance(layer, Module) else [given, (1, *given)]
    refusals = []
    for shape in (*shapes, (1, 1, *given)):
        try:
            with in_use(layer):
                y = _run(layer, Tensor(np.zeros(shape)))
        except (ValueError, TypeError, IndexError) as error:
            refusals.append(f"{shape}: {error}")
        else:
            _tensor_or_raise(y)
            return shape
    raise ValueError(f"the layer takes an input of none of these shapes: {'; '.join(refusals)}")


def in_use(layer: Layer) -> AbstractContextManager[object]:
    """Within the block a Module computes as in use: asking it for its wires teaches it nothing, and drops none."""
    return layer.in_use() if isinstance(layer, Module) else nullcontext()


def computed(layer: Layer, x: Tensor) -> Tensor:
    """layer(x), with its recipe, whatever is recorded elsewhere; TypeError unless it is a Tensor."""
    return _tensor_or_raise(_run(layer, x))


def _run(layer: Layer, x: Tensor) -> object:
    with recording(True), np.errstate(all="ignore"):
        return layer(x)


def _tensor_or_raise(y: object) -> Tensor:
    if not isinstance(y, Tensor):
        raise TypeError(f"the layer must return a Tensor, and it returned {type(y).__name__}")
    return y


def parameters_of(layer: Layer, y: Tensor, x: Tensor) -> dict[str, Tensor]:
    """The parameters that y = layer(x) was computed with, by the names that `connections` gives them."""
    if isinstance(layer, Module):
        return dict(layer.named_parameters())
    # What is younger than x was made by the layer as it ran: the 2 in 2 * x, the 9 that an average divides by.
    read = [t for t in reversed(history(y)) if t.primitive is None and t.birth < x.birth]
    names = [t.name for t in read]
    return {t.name if t.name and names.count(t.name) == 1 else _made_up(n, names): t for n, t in enumerate(read)}


def _made_up(n: int, names: Sequence[str | None]) -> str:
    """p0, p1, ...; with more letters p in front where that is a name already."""
    name = f"p{n}"
    while name in names:
        name = "p" + name
    return name


def _too_many_wires(limit: int, those: str) -> ValueError:
    return ValueError(
        f"a layer of more than {limit:,} wires is not followed, and {those}: ask for a smaller input_shape; the "
        "pattern is the same"
    )


def _check_units(count: int, what: str, limit: int) -> None:
    if count > limit:
        raise ValueError(
            f"{count:,} {what} have too many wires to follow one by one (more than {limit:,}): ask for a smaller "
            "input_shape; the pattern is the same"
        )


class Recipe:
    """What a layer computes, as operators: the oldest Tensor first, and of each what is known."""

    def __init__(self, layer: Layer, shape: tuple[int, ...], zeros: bool | None, limit: int) -> None:
        rng = np.random.default_rng(0)
        x = rng.uniform(-1, 1, shape)
        self.limit, self.most = limit, limit * MORE_WITHIN
        with in_use(layer):
            runs = [Run(layer, value) for value in (x, -x, LARGEST * np.flip(x), -LARGEST * np.flip(x))]
        self.x, self.tensors = runs[0].x, runs[0].tensors
        _check_units(self.output.size, "outputs", limit)
        _check_alike(runs)
        self.parameters = {t: name for name, t in parameters_of(layer, self.output, self.x).items()}
        self.patterns: dict[tuple[Tensor, int], Any] = {}
        self.known: dict[Tensor, Known] = {}
        for t, *others in zip(*(run.tensors for run in runs), strict=True):
            if t.primitive is None:
                self.known[t] = self._leaf(t, others, zeros)

    def _leaf(self, t: Tensor, others: Iterable[Tensor], zeros: bool | None) -> Known:
        value = t.data.astype(float)
        if t is self.x:
            return Known.between(np.full(t.shape, -LARGEST), LARGEST, moves=True)
        if t in self.parameters:
            span = np.where((value == 0) & (zeros is False), 0, LARGEST)
            return Known.between(-span, span, generic=True)
        same = all(np.array_equal(value, other.data, equal_nan=True) for other in others)
        if not same:  # it was computed from the value of x: a mask of x.data, x.detach(), what dropout leaves out
            values = np.stack([value, *(other.data for other in others)])
            return Known.between(np.full(t.shape, values.min()), values.max())
        span = np.where((value == 0) & (zeros is True), 1, 0)
        return Known.between(value - span, value + span)

    @property
    def output(self) -> Tensor:
        """What the layer makes."""
        return self.tensors[-1]

    def wires(self, weights: bool = True) -> Wires:
        """All wires from the input to the output, and what they carry, whatever is recorded around this call."""
        with recording(True):
            reach = self.reach()
            count = sum(inputs.bit_count() for inputs in reach)
            if count > self.limit:
                raise _too_many_wires(self.limit, f"this one has {count:,}")
            carried = self.carried() if weights else [Carried()] * len(reach)
        return {
            (j, i): _weight([parameter for parameter, on in carried[i].items() if on >> j & 1])
            for i, inputs in enumerate(reach)
            for j in _members(inputs)
        }

    def chained(self) -> tuple[Wires, Wires]:
        """The wires by which an output is computed from inputs, and from other outputs, with no third one between.

        As a state of a recurrent network from its input and from the state before.
        """
        with recording(True):
            self.reach()
            origins = self._origins()
            direct = self.reach(origins)
        found, size = [(j, i) for i, sources in enumerate(direct) for j in _members(sources)], self.x.size
        wires: Wires = {(j, i): None for j, i in found if j < size}
        return wires, {(j - size, i): None for j, i in found if j >= size and j - size != i}

    def _origins(self) -> dict[Tensor, dict[int, list[int]]]:
        """Where outputs are computed, before they are merely moved: of Tensors, which elements are which outputs."""
        origins = {self.output: {i: [i] for i in range(self.output.size)}}
        for t in reversed(self.tensors):
            if t not in origins or t.primitive is None:
                continue
            operator, slots = self._operator(t), [slot for slot, s in enumerate(t.inputs) if s in self.reached]
            pairs = [(i, t.inputs[slot], j) for slot in slots for i, j in self._pairs(operator, t, slot)]
            once = len({i for i, _, _ in pairs}) == len(pairs)
            if once and all(t.data.flat[i] == s.data.flat[j] for i, s, j in pairs):
                outputs = origins.pop(t)
                for i, s, j in pairs:
                    if i in outputs:
                        origins.setdefault(s, {}).setdefault(j, []).extend(outputs[i])
        return origins

    def reach(self, cuts: Mapping[Tensor, Mapping[int, list[int]]] | None = None) -> list[Numbers]:
        """For each output the inputs that reach it.

        cuts: elements of Tensors that are outputs, with their numbers; what is computed from such an element is reached
        by it, as by an input with a number after those of x, and what reaches it goes no further.
        """
        ends = [0] * self.output.size
        for j, outputs in (cuts or {}).get(self.x, {}).items():
            ends = [1 << j if i in outputs else inputs for i, inputs in enumerate(ends)]
        reach: dict[Tensor, list[Numbers]] = {self.x: [1 << j for j in range(self.x.size)]}
        for t in self.tensors:
            if t.primitive is None:
                continue
            operator = self._operator(t)
            if not reach.keys().isdisjoint(t.inputs):
                _check_units(t.size, f"numbers from {t.primitive.name}", self.most)
            mine = [0] * t.size
            for slot, source in enumerate(t.inputs):
                if source in reach:
                    for i, j in self._pairs(operator, t, slot):
                        mine[i] |= reach[source][j]
            for k, outputs in (cuts or {}).get(t, {}).items():
                for i in outputs:
                    ends[i] = mine[k]
                mine[k] = 1 << self.x.size + outputs[0]
            if any(mine):
                reach[t] = mine
            low, high = operator.outcome()
            moves = np.array([bool(inputs) for inputs in mine], dtype=bool).reshape(t.shape)
            generic = any(self.known[s].generic and _has_rule(t.primitive, n) for n, s in enumerate(t.inputs))
            self.known[t] = Known(low.reshape(t.shape), high.reshape(t.shape), moves, generic)
        self.reached = reach
        return ends if cuts else reach.get(self.output, [0] * self.output.size)

    def carried(self) -> list[Carried]:
        """For each output the parameters that multiply what reaches it, and on the way from which inputs."""
        made: dict[Tensor, list[set[Parameter]]] = {  # for each element of what is made of parameters alone: of which
            t: [{(name, k)} for k in range(t.size)] for t, name in self.parameters.items()
        }
        carried: dict[Tensor, list[Carried]] = {}
        for t in self.tensors:
            if t.primitive is None:
                continue
            operator = self._operator(t)
            if t not in self.reached:
                mine: list[set[Parameter]] = [set() for _ in range(t.size)]
                for slot, source in enumerate(t.inputs):
                    if source in made:
                        for i, j in self._made_of(operator, t, slot):
                            mine[i] |= made[source][j]
                if any(mine):
                    made[t] = mine
                continue
            carried[t] = [{} for _ in range(t.size)]
            for slot, source in enumerate(t.inputs):
                if source in self.reached:
                    pairs, before = self._pairs(operator, t, slot), carried.get(source, [])
                    if before and (count := sum(len(before[j]) for _, j in pairs)) > 2 * self.most:
                        raise ValueError(
                            f"this layer has too many shared weights to follow ({count:,} on the wires of one operator "
                            "alone): ask for a smaller input_shape (the pattern is the same), or for one layer at a "
                            "time; `connections` finds the wires alone with weights=False"
                        )
                    for i, j in pairs if before else ():
                        _join(carried[t][i], before[j])
                    for other, q in enumerate(t.inputs):
                        if q in made and pairs:
                            asked = [k for k, parameters in enumerate(made[q]) if parameters]
                            for n, k in operator.multipliers(slot, other, np.array(pairs).T, asked):
                                i, j = pairs[n]
                                _join(carried[t][i], dict.fromkeys(made[q][k], self.reached[source][j]))
        return carried.get(self.output, [Carried()] * self.output.size)

    def _operator(self, t: Tensor) -> Operator:
        assert t.primitive is not None
        return Operator(t.primitive, [self.known[source] for source in t.inputs], t.params)

    def _made_of(self, operator: Operator, t: Tensor, slot: int) -> Iterable[tuple[int, int]]:
        """As `_pairs`; an operator without a derivative may use all that it reads."""
        try:
            return self._pairs(operator, t, slot)
        except NotImplementedError:
            return product(range(t.size), range(t.inputs[slot].size))

    def _pairs(self, operator: Operator, t: Tensor, slot: int) -> list[tuple[int, int]]:
        """The pattern of one operator by one of its inputs, as [(i, j), ...]."""
        if not t.size:
            return []
        if (t, slot) not in self.patterns:
            try:
                self.patterns[t, slot] = list(zip(*operator.pattern(slot, self.most).tolist(), strict=True))
            except TooManyWires as error:
                raise _too_many_wires(self.limit, f"{error} ({operator.primitive.name})") from None
        found: list[tuple[int, int]] = self.patterns[t, slot]
        return found


def _has_rule(primitive: Primitive, slot: int) -> bool:
    """Whether an operator has a derivative by this input: not where it is said to be zero, nor where none was given."""
    try:
        return primitive.vjp(slot) is not None
    except NotImplementedError:
        return False


class Run:
    """A layer, computed once: its input, and all Tensors that its output was made from, the oldest first."""

    def __init__(self, layer: Layer, value: Any) -> None:
        self.x = Tensor(value)
        self.tensors = history(computed(layer, self.x))[::-1]
        self.number = {t: n for n, t in enumerate(self.tensors)}

    def step(self, n: int) -> tuple[Any, ...]:
        """What the n-th Tensor is: its shape, and the operator, the settings and the inputs that made it."""
        t = self.tensors[n]
        if t.primitive is None:
            return t.shape, "x" if t is self.x else "leaf"
        return t.shape, t.primitive.name, dict(t.params), [self.number[source] for source in t.inputs]


def _check_alike(runs: Sequence[Run]) -> None:
    """ValueError where a layer computes by other operators for another input: no picture of it holds for all."""
    first = runs[0]
    for run in runs[1:]:
        if len(run.tensors) != len(first.tensors):
            raise ValueError(
                "the wires must be the same for every input, and this layer computes by other operators for another "
                f"input: {len(first.tensors)} Tensors, and then {len(run.tensors)}; an `if` on a value may be the cause"
            )
        for n in range(len(first.tensors)):
            one, two = first.step(n), run.step(n)
            if not _alike(one, two):
                raise ValueError(
                    "the wires must be the same for every input, and this layer computes by other operators for "
                    f"another input: {one[1:3]}, and then {two[1:3]}; an index or an `if` on a value may be the cause"
                )


def _alike(one: Any, two: Any) -> bool:
    """Whether settings are equal; functions and objects that know no equality count as equal if they are of a kind."""
    if type(one) is not type(two):
        return False
    if isinstance(one, np.ndarray):
        return np.array_equal(one, two)
    if isinstance(one, Mapping):
        return one.keys() == two.keys() and all(_alike(one[key], two[key]) for key in one)
    if isinstance(one, tuple | list):
        return len(one) == len(two) and all(map(_alike, one, two))
    knows_equality = type(one).__eq__ is not object.__eq__  # type: ignore[comparison-overlap]
    return bool(not knows_equality or one == two or one != one)


def _join(carried: Carried, more: Carried) -> None:
    for parameter, inputs in more.items():
        carried[parameter] = carried.get(parameter, 0) | inputs


def _members(numbers: Numbers) -> Iterable[int]:
    while numbers:
        least = numbers & -numbers
        yield least.bit_length() - 1
        numbers ^= least


def _weight(parameters: list[Parameter]) -> Parameter | tuple[Parameter, ...] | None:
    ordered = tuple(sorted(parameters))
    return ordered[0] if len(ordered) == 1 else ordered or None
