"""One operator by itself: which of its inputs can move which of its outputs, and what multiplies them on the way.

What you can do here: ask an `Operator` for its `pattern` by one of its inputs, and for their `multipliers`.

Letters:   y_i element i of the output    x_j element j of the input that is asked about    q_l element l of another
           J_ij = d y_i / d x_j

    x_j is wired to y_i    where   J_ij is not zero everywhere
    q_l multiplies it      where   J_ij depends on q_l and not on x,  or is zero if all of q is 0 and not if q_l is not

An operator says nothing but its derivatives, so it is differentiated, at points that are drawn for it.  A smooth one
shows all of its wires at any point.  One with kinks shows some of them at each: a maximum passes on the largest only.
So points are drawn until each wire has been met often enough that another, with a like chance, would have been met too.

A whole Jacobian by one-hot seeds costs a pass for each row.  Mostly three passes will do.  If each x_j has only one
destination i, then for a random seed r the passes

    a_j = r_i J_ij        b_j = (i + 1) r_i J_ij        c_j = s_i r_i J_ij   with another random s

name it: i + 1 = b_j / a_j, and c_j / a_j = s_i proves it.  If each y_i has one source, the same is done forwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from itertools import islice, product
from typing import Any

import numpy as np
import numpy.typing as npt

from minitensor import Tensor, gradients
from minitensor.tensor import Array, Primitive

Push = Callable[[Array], Array]

LARGEST = 1_000.0  # an input is tried from -1,000 to 1,000; a threshold beyond it may be missed
INFINITE = 1e6  # what a constant has moved beyond this stays there: a mask of -1e9 means minus infinity
ORDINARY = 1e5  # of a wider range, that from -100,000 to 100,000 is enough
OFTEN = 12  # so often is each wire met, before none is expected any more: e^-12 is six in a million
FEWEST_POINTS, MOST_POINTS = 16, 400  # at which an operator is differentiated
CORNERS, SAMPLES = 9, 24  # at which its value is worked out, to see its range
LOOKED_AT = 4  # rows of a Jacobian, at a point that is likely to say nothing new
PRECISION = {np.dtype(np.float64): 1e-9, np.dtype(np.float32): 1e-4}  # relative errors of a pass stay below these


LONGEST_KEPT, MOST_KEPT = 20_000, 256  # numbers in a pattern that is kept, and so many of these: 40 MB
_found: dict[tuple[Any, ...], Array] = {}


class TooManyWires(ValueError):
    """An operator has more wires than anybody wants to follow."""


@dataclass
class Known:
    """What is known of a Tensor without a value of the input: the range of each element, from low to high.

    moves: which elements the input reaches.  They are tried at any value, unless a constant has put them out of reach.
    generic: whether the rest is made of parameters, of which no two are equal by accident, and none is 0.
    """

    low: Array
    high: Array
    moves: Array
    generic: bool = False

    @staticmethod
    def between(low: npt.ArrayLike, high: npt.ArrayLike, moves: bool = False, generic: bool = False) -> Known:
        """A Tensor of which the input reaches all elements, or none."""
        bottom, top = np.broadcast_arrays(np.asarray(low, dtype=float), np.asarray(high, dtype=float))
        return Known(bottom, top, np.full(bottom.shape, moves), generic)

    @property
    def constant(self) -> Array:
        """Which elements have one value only."""
        return self.low == self.high

    @property
    def least(self) -> Array:
        """The value of each element that is nearest to 0."""
        return np.clip(0, self.low, self.high)

    def digest(self) -> tuple[bytes, bool]:
        """What tells it from others, however long it is."""
        parts = (self.low, self.high, self.moves)
        return blake2b(b"".join([repr(self.low.shape).encode(), *(a.tobytes() for a in parts)])).digest(), self.generic

    def within(self, rng: np.random.Generator) -> Array:
        """A value in the range of each element: an end half of the time, or a condition (0 or 1) would never be 0."""
        inside = _inside(self.low, self.high, _any_number(rng, self.low.shape, LARGEST))
        ends = np.where(rng.random(self.low.shape) < 0.5, self.low, self.high)
        return np.where(self.constant | (rng.random(self.low.shape) < 0.5), ends, inside)

    def tried(self, rng: np.random.Generator, largest: float) -> Array:
        """Any number up to largest for what the input reaches, or where that is 0 one near 1; for the rest as it is."""
        near = rng.uniform(0.1, 1, self.low.shape)
        sign = rng.choice([-1.0, 1.0], self.low.shape)
        rest = _inside(self.low, self.high, sign * (1 + near)) if self.generic else self.within(rng)
        rest = np.where(self.constant, self.low, rest)
        number = _any_number(rng, self.low.shape, largest) if largest else near
        return np.where(self.moves & (self.low <= INFINITE) & (self.high >= -INFINITE), number, rest)


class Operator:
    """A primitive with its settings, and what is known of its inputs."""

    def __init__(self, primitive: Primitive, inputs: Sequence[Known], params: Mapping[str, Any]) -> None:
        self.primitive, self.inputs, self.params = primitive, inputs, params
        constants = np.concatenate([k.low[k.constant & (abs(k.low) < INFINITE)] for k in inputs])
        self.largest = max(LARGEST, 2 * np.abs(constants).max(initial=0))

    def __call__(self, values: Sequence[Array]) -> Array:
        with np.errstate(all="ignore"):
            return self.primitive(*map(Tensor, values), **self.params).data

    def outcome(self) -> tuple[Array, Array]:
        """The least and the largest value of each output, as far as some samples tell."""
        rng = np.random.default_rng(0)  # of its own: the same answer at each call
        corners = islice(product(("low", "high", "least"), repeat=len(self.inputs)), CORNERS)
        points = [[getattr(known, end) for known, end in zip(self.inputs, ends, strict=True)] for ends in corners]
        points += [[known.within(rng) for known in self.inputs] for _ in range(SAMPLES)]
        samples = np.stack([self(values) for values in points])
        untold = np.isnan(samples)
        low, high = np.where(untold, np.inf, samples).min(axis=0), np.where(untold, -np.inf, samples).max(axis=0)
        none = untold.all(axis=0)
        low, high = np.where(none, -LARGEST, low), np.where(none, LARGEST, high)
        # Products of what may be anything grow and grow, until a mask of -1e9 would be a number like the others.
        least, most = np.maximum(low, -ORDINARY), np.minimum(high, ORDINARY)
        return np.where(least < most, least, low), np.where(least < most, most, high)

    def point(self, n: int, rng: np.random.Generator) -> list[Array]:
        """The n-th point: at first all near 1, where most functions are defined, then small and large ones in turn."""
        largest = (0, 2.0, self.largest, self.largest)[n % 4]
        return [known.tried(rng, largest) for known in self.inputs]

    # -- which input moves which output --------------------------------------------------------------------------------

    def pattern(self, slot: int, limit: int) -> Array:
        """All pairs i, j for the input in this slot, as two rows of numbers; TooManyWires for more than limit.

        A network has many layers of a kind, and a figure asks for the same one again: what was found is kept.
        """
        try:
            hash(question := (self.primitive, self.primitive.vjp, *self.params.values(), slot, limit))
        except TypeError:  # an array among the settings
            return self._pattern(slot, limit)
        question = (*question, repr(self.params), *map(Known.digest, self.inputs))  # 1 == 1.0 == True
        if (found := _found.get(question)) is None:
            found = self._pattern(slot, limit)
            if found.size <= LONGEST_KEPT:
                while len(_found) >= MOST_KEPT:
                    del _found[next(iter(_found))]  # the oldest
                _found[question] = found
        return found

    def _pattern(self, slot: int, limit: int) -> Array:
        rng = np.random.default_rng(0)
        size = self.inputs[slot].low.size
        if self.primitive.vjp(slot) is None or not size or self.inputs[slot].constant.all():
            return np.zeros((2, 0), int)
        met, times, steady = np.zeros(0, int), np.zeros(0, int), True
        tried = 0
        ways: list[Way] = [_by_destination, _by_source]
        for n in range(MOST_POINTS):
            slope = Slope(self, slot, self.point(n, rng))
            if not slope.finite:  # a logarithm of what is negative, say: it tells nothing here
                continue
            pairs = slope.pairs(ways, met if tried else None, limit)
            before, tried = len(met) if tried else len(pairs), tried + 1
            met, times = _counted(met, times, pairs)
            steady = steady and before == len(pairs) == len(met)
            if tried >= FEWEST_POINTS and (steady or times.min(initial=OFTEN) >= OFTEN):
                return np.stack(np.divmod(met, size))
        if not tried:  # a slope that is never a number may be anything
            met = Slope(self, slot, self.point(0, rng)).pairs([], None, limit)
        else:
            for j, height in product(np.flatnonzero(~self.inputs[slot].constant), (self.largest, -self.largest)):
                values = self.point(1, rng)
                values[slot].flat[j] = height  # each in turn stands out
                met, times = _counted(met, times, Slope(self, slot, values).pairs(ways, met, limit))
        return np.stack(np.divmod(met, size))

    # -- what multiplies on the way ------------------------------------------------------------------------------------

    def multipliers(self, slot: int, other: int, pairs: Array, asked: Sequence[int]) -> Iterator[tuple[int, int]]:
        """All n, l where q_l, for l of those asked, multiplies x_j on its way to y_i, for the n-th pair i, j."""
        rng = np.random.default_rng(0)
        read, values = Reader(*pairs), self.point(0, rng)
        q, free = values[other].ravel(), np.zeros(values[other].size, bool)
        free[list(asked)] = True
        free &= ~self.inputs[other].constant.ravel()
        xs = [values[slot], *(self.point(n, rng)[slot] for n in range(1, 24))]

        def at(x: Array, q: Array) -> Slope:
            there = list(values)
            there[slot], there[other] = x, q.reshape(values[other].shape)
            return Slope(self, slot, there)

        probe = rng.uniform(1, 2, at(xs[0], q).y.size)
        first, *others = (at(x, q).backward(probe) for x in xs[:5])
        if all(np.allclose(v, first, rtol=1e-9, atol=0, equal_nan=True) for v in others):
            yield from self._on_which_it_depends(lambda q: read(at(xs[0], q)), q, free, rng)
            return
        without = np.where(free, 0, q)
        missing = ~np.any([np.nan_to_num(read(at(x, without))) for x in xs], axis=0)
        for number in np.flatnonzero(free) if missing.any() else ():
            alone = np.where(np.arange(q.size) == number, q, without)
            there = np.any([np.nan_to_num(read(at(x, alone))) for x in xs], axis=0)
            yield from ((int(n), int(number)) for n in np.flatnonzero(there & missing))

    def _on_which_it_depends(
        self, slopes: Push, q: Array, free: Array, rng: np.random.Generator
    ) -> Iterator[tuple[int, int]]:
        """All n, l where the n-th slope changes with q_l.  One that is linear in one q_l names it in three steps."""
        step, other = (np.where(free, rng.uniform(0.5, 1.5, q.size), 0) for _ in range(2))
        first = slopes(q)
        a, b, c = (slopes(q + s) - first for s in (step, step * np.arange(1, q.size + 1), step * other))

        def changed(a: Array) -> Array:
            return ~(np.abs(a) <= 1e-9 * (np.abs(first) + np.abs(first + a)))

        which = _named(a, b, c, other, 1e-6)
        yield from ((int(n), int(which[n])) for n in np.flatnonzero(changed(a) & (which >= 0)))
        if (several := changed(a) & (which < 0)).any():
            for number in np.flatnonzero(free):
                moved = slopes(np.where(np.arange(q.size) == number, q + step, q)) - first
                yield from ((int(n), int(number)) for n in np.flatnonzero(several & changed(moved)))


class Slope:
    """The Jacobian of an operator by one of its inputs at one point: its products with vectors, from both sides."""

    def __init__(self, operator: Operator, slot: int, values: Sequence[Array]) -> None:
        inputs = [Tensor(value) for value in values]
        self.x = inputs[slot]
        with np.errstate(all="ignore"):
            self.y = operator.primitive(*inputs, **operator.params)
            self.seed = Tensor(np.ones(self.y.shape, self.y.dtype))
            [self.back] = gradients(self.y, [self.x], self.seed)
        self.finite = bool(np.isfinite(self.back.data).all())
        self.precision = PRECISION[self.y.dtype]

    def backward(self, r: Array) -> Array:
        """For each j the sum over i of r_i J_ij."""
        with np.errstate(all="ignore"):
            return gradients(self.y, [self.x], r.reshape(self.y.shape))[0].data.ravel()

    def forward(self, r: Array) -> Array:
        """For each i the sum over j of J_ij r_j: the other product is linear in its seed, and this is its slope."""
        with np.errstate(all="ignore"):
            return gradients(self.back, [self.seed], r.reshape(self.x.shape))[0].data.ravel()

    @cached_property
    def goes_forward(self) -> bool:
        """Whether both are products with one matrix: not where a rule of the reader's computes with bare arrays."""
        rng = np.random.default_rng(0)
        u, v = rng.uniform(1, 2, self.y.size), rng.uniform(1, 2, self.x.size)
        try:
            one, two = u @ self.forward(v), self.backward(u) @ v
        except NotImplementedError:  # the rule has no derivative
            return False
        return bool(abs(one - two) <= 1e3 * self.precision * abs(two))

    def pairs(self, ways: list[Way], known: Array | None, limit: int) -> Array:
        """All i * (size of x) + j with J_ij != 0.  Where some are known a few rows are looked at first, for news.

        ways: how the one destination or source of each element can be named; what fails here is not tried again.
        """
        rng = np.random.default_rng(1)
        while ways:
            if (named := ways[0](self, rng)) is not None:
                return named
            del ways[0]
        if known is not None and known.size:
            numbers = np.zeros(self.y.size, bool)
            numbers[rng.permutation(self.y.size)[:LOOKED_AT]] = True
            if np.array_equal(known[numbers[known // self.x.size]], self._rows(np.flatnonzero(numbers), limit)):
                return known
        if self.y.size <= self.x.size or not self.goes_forward:
            return self._rows(range(self.y.size), limit)
        j, i = _one_by_one(self.forward, range(self.x.size), self.x.size, self.precision, limit)
        return np.sort(i * self.x.size + j)

    def _rows(self, numbers: Iterable[int], limit: int) -> Array:
        i, j = _one_by_one(self.backward, numbers, self.y.size, self.precision, limit)
        return np.sort(i * self.x.size + j)


Way = Callable[[Slope, np.random.Generator], "Array | None"]


def _by_destination(slope: Slope, rng: np.random.Generator) -> Array | None:
    """The pairs where each x_j has one destination at most, otherwise None."""
    named = _numbered(slope.backward, slope.y.size, rng, slope.precision)
    return None if named is None else np.sort(named[1] * slope.x.size + named[0])


def _by_source(slope: Slope, rng: np.random.Generator) -> Array | None:
    """The pairs where each y_i has one source at most, otherwise None."""
    named = _numbered(slope.forward, slope.x.size, rng, slope.precision) if slope.goes_forward else None
    return None if named is None else np.sort(named[0] * slope.x.size + named[1])


def _numbered(push: Push, n: int, rng: np.random.Generator, precision: float) -> tuple[Array, Array] | None:
    """The elements that push returns, and of each the one of n that it comes from; None if any has several."""
    r, other = rng.uniform(1, 2, n), rng.uniform(0.5, 1.5, n)
    a, b, c = push(r), push(r * np.arange(1, n + 1)), push(r * other)
    there = np.flatnonzero(np.abs(a) > precision * np.abs(a).max(initial=0))
    which = _named(a, b, c, other, precision)[there]
    return None if (which < 0).any() else (there, which)


def _named(a: Array, b: Array, c: Array, other: Array, precision: float) -> Array:
    """The n of each element where b / a = n + 1 and c / a = other[n]; otherwise -1."""
    with np.errstate(all="ignore"):
        number = np.rint(b / a) - 1
        possible = (number >= 0) & (number < len(other))
        which = np.where(possible, number, 0).astype(int)
        right = np.abs(b - (which + 1) * a) <= precision * np.abs(b)
        right &= np.abs(c - other[which] * a) <= precision * np.abs(c)
    return np.where(possible & right, which, -1)


def _counted(met: Array, times: Array, pairs: Array) -> tuple[Array, Array]:
    """All pairs that are in one or the other, in order, and how often each has been met, now once more."""
    if pairs is met:
        return met, times + 1
    together = np.concatenate([met, pairs])
    order = np.argsort(together, kind="stable")
    starts = np.flatnonzero(np.diff(together[order], prepend=-1))
    if not len(starts):
        return met, times
    return together[order][starts], np.add.reduceat(np.append(times, np.ones_like(pairs))[order], starts)


def _one_by_one(push: Push, numbers: Iterable[int], n: int, precision: float, limit: int) -> tuple[Array, Array]:
    """All (number, element) where the one-hot seed of a number reaches an element; what is not a number counts."""
    found: list[tuple[Array, Array]] = []
    count = 0
    for number in numbers:
        row = np.abs(push(np.eye(1, n, int(number))))
        reached = np.flatnonzero(~(row <= precision * row[np.isfinite(row)].max(initial=0)))
        found.append((np.full(len(reached), number), reached))
        count += len(reached)
        if count > limit:
            raise TooManyWires(f"one operator alone has more than {limit:,}")
    return np.concatenate([f[0] for f in found]), np.concatenate([f[1] for f in found])


class Reader:
    """Reads J_ij at given pairs, in as few passes as rows that share no column can be asked together."""

    def __init__(self, i: Array, j: Array) -> None:
        by_row, by_column = _colours(i, j), _colours(j, i)
        self.backwards = by_row.max(initial=0) <= by_column.max(initial=0)
        self.asked, self.at = (i, j) if self.backwards else (j, i)
        self.colour = by_row if self.backwards else by_column

    def __call__(self, slope: Slope) -> Array:
        found = np.zeros(len(self.asked))
        push, n = (slope.backward, slope.y.size) if self.backwards else (slope.forward, slope.x.size)
        for colour in range(self.colour.max(initial=-1) + 1):
            mine = self.colour == colour
            seed = np.zeros(n)
            seed[self.asked[mine]] = 1
            found[mine] = push(seed)[self.at[mine]]
        return found


def _colours(rows: Array, columns: Array) -> Array:
    """A colour for each pair, equal along a row; rows of one colour have no column in common."""
    cells: dict[int, int] = {}
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        cells[row] = cells.get(row, 0) | 1 << column
    taken: list[int] = []
    colour = {}
    for row, mine in cells.items():
        n = next((n for n, others in enumerate(taken) if not others & mine), len(taken))
        if n == len(taken):
            taken.append(0)
        taken[n] |= mine
        colour[row] = n
    return np.array([colour[row] for row in rows.tolist()], dtype=int)


def _any_number(rng: np.random.Generator, shape: tuple[int, ...], largest: float) -> Array:
    """Numbers of either sign, as often small as large."""
    return rng.choice([-1.0, 1.0], shape) * 10 ** rng.uniform(-2, np.log10(largest), shape)


def _inside(low: Array, high: Array, number: Array) -> Array:
    """The numbers, moved into their ranges without coming to lie on an end, where there is room."""
    low, high = np.clip(low, -1e9, 1e9), np.clip(high, -1e9, 1e9)
    number = np.where(number < low, low - number, np.where(number > high, high - number, number))
    return np.where((number > low) & (number < high), number, (low + high) / 2 + (high - low) * np.sin(number) / 2.1)
