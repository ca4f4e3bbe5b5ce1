"""A recipe as lines for a page: each operator in terms of five kernels, which data/kernels.js runs.

What you can do here: write the lines of Values with `Lines`, and say as JSON which elements a line reads.

A page has flat arrays of float32 and knows no shapes.  All shapes, axes, strides and windows are worked out here, by
NumPy, into *lattices*: which element of one array belongs to each element of another.

    each       out[i] = f(a[..], b[..], ...)             element by element; a lattice repeats what broadcasts
    view       out[i] = x[at[i]]                         transpose, broadcast, windows, an index
    place      out[at[i]] += x[i], elsewhere a number    their adjoints: pad, fold, scatter, concatenate
    reduce     out[i] = f(x[i n], ..., x[i n + n - 1])   sum, max, ... over runs of n elements
    contract   out[..] += a[..] b[..]                    dense, convolution and its rules: one sum over letters

A convolution, its transpose and the gradient by its weight are the same contraction; only what is written differs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from string import ascii_uppercase
from typing import Any

import numpy as np

from minitensor.program.values import Value, needed, ours
from minitensor.tensor import Array, Primitive
from minitensor.windows import Windows

from .page import json_number

Json = Any
Slots = list[int]
Shape = Sequence[int]
Strides = dict[str, int]  # by letter
SAME = None  # the lattice of an array that is read in its own order

ELEMENTWISE = {
    "add", "subtract", "multiply", "divide", "negative", "power", "float_power", "exp", "log", "sqrt", "tanh", "abs",
    "sign", "greater", "greater_equal", "where", "maximum", "minimum", "relu", "leaky_relu", "sigmoid", "softplus",
    "sin", "cos", "log1p", "expm1", "logaddexp", "erf", "isnan",
}  # fmt: skip
UNCHANGED = {"reshape", "astype", "not_below", "distributions"}  # the numbers of their first input, in their order
VIEWS = {"transpose", "broadcast_to", "index"}
CONVOLUTIONS = {"conv": "xwg", "conv_transpose": "gwx", "conv_weight": "xgw"}  # two are read, the third is made


class Lines:
    """The lines of a program, and the numbers that they begin with.

    A slot is a flat array of the page.  `constants` are those that the page is given; `lines` are [kernel, slot that is
    written, slots that are read, settings].
    """

    def __init__(self) -> None:
        self.slots: dict[Value, int] = {}
        self.sizes: list[int] = []
        self.constants: dict[int, Array] = {}
        self.lines: list[list[Json]] = []
        self._same: dict[Any, int] = {}  # constants that lines have asked for

    def new(self, size: int) -> int:
        """A slot of its own, for so many numbers."""
        self.sizes.append(size)
        return len(self.sizes) - 1

    def given(self, value: Value) -> int:
        """The slot of an input, which the page fills."""
        if value not in self.slots:
            self.slots[value] = self.new(math.prod(value.shape))
        return self.slots[value]

    def write(self, values: Iterable[Value]) -> None:
        """Write the lines that make these Values; ValueError for an unknown operator."""
        for value in needed(values):
            self.add(value)

    def add(self, value: Value) -> list[list[Json]]:
        """The lines that make a Value of those that are there: none if it is there too."""
        before = len(self.lines)
        if value not in self.slots:
            constant = value.constant
            self.slots[value] = self._made(value) if constant is None else self.numbers(np.asarray(constant))
        return self.lines[before:]

    def numbers(self, array: Array) -> int:
        """The slot of a constant, in float32."""
        content = np.ascontiguousarray(array, np.float32)
        key = (content.shape, content.tobytes())
        if key not in self._same:
            slot = self._same[key] = self.new(content.size)
            self.constants[slot] = content.ravel()
        return self._same[key]

    def full(self, value: Value) -> int:
        """The slot of a Value with all of its elements, also of one that is a single number all over."""
        slot, size = self.slots[value], math.prod(value.shape)
        return slot if self.sizes[slot] == size else self.view(slot, {"offset": 0, "lengths": [size], "steps": [0]})

    # -- the five kernels ----------------------------------------------------------------------------------------------

    def _line(self, kernel: str, size: int, inputs: Slots, **settings: Json) -> int:
        out = self.new(size)
        self.lines.append([kernel, out, inputs, settings])
        return out

    def each(self, f: str, shape: Shape, *inputs: tuple[int, Shape], **settings: float) -> int:
        """f of arrays that broadcast to shape."""
        at = [
            SAME if math.prod(own) == math.prod(shape) else lattice(own, lambda x: np.broadcast_to(x, shape))
            for _, own in inputs
        ]
        slots = [slot for slot, _ in inputs]
        return self._line("each", math.prod(shape), slots, f=f, at=at, **settings)

    def view(self, x: int, at: Json) -> int:
        """The elements of x that a lattice names."""
        size = lattice_size(at)
        return x if is_plain(at, self.sizes[x]) else self._line("view", size, [x], at=at)

    def place(self, size: int, inputs: Slots, at: list[Json], fill: float = 0) -> int:
        """Arrays added where their lattices say; elsewhere `fill`."""
        return self._line("place", size, inputs, at=at, fill=json_number(fill))

    def reduce(self, f: str, x: int, count: int, **settings: float) -> int:
        """f of each run of `count` elements; one number, or as many."""
        kept = f in ("first_maximum", "cumsum")
        return self._line("reduce", self.sizes[x] // (1 if kept else count), [x], f=f, count=count, **settings)

    def contract(self, size: int, a: int, b: int, letters: dict[str, int], strides: Sequence[Strides]) -> int:
        """The sum of a * b over letters of these lengths; strides: those of out, a and b, by letter."""
        used = [c for c, n in letters.items() if n > 1]
        inner: list[str] = []
        while used and len(inner) < 2:  # the two loops that run fastest: long, and in small steps
            longest = max(letters[c] for c in used)
            long = [c for c in used if letters[c] >= min(longest, 8)]
            if inner and strides[0].get(inner[0], 0):  # around it rows that add to the same sums, which go quicker
                long = [c for c in used if letters[c] >= 3 and not strides[0].get(c, 0)] or long
            best = min(long, key=lambda c: sum(s.get(c, 0) for s in strides))
            inner.insert(0, best)
            used.remove(best)
        order = used + inner
        steps = [[s.get(c, 0) for c in order] for s in strides]
        return self._line("contract", size, [a, b], lengths=[letters[c] for c in order], steps=steps)

    # -- operators in terms of them ------------------------------------------------------------------------------------

    def _made(self, value: Value) -> int:
        assert value.primitive is not None
        check_known(value.primitive)
        name, function = value.primitive.name, value.primitive.function
        if name in UNCHANGED:
            return self.full(value.inputs[0])
        if name in ELEMENTWISE:
            inputs = [(self.slots[x], () if x.is_uniform else x.shape) for x in value.inputs]
            return self.each(name, value.shape, *inputs, **{s: json_number(n) for s, n in value.params.items()})
        if name in VIEWS:
            return self._moved(value.inputs[0], lambda x: function(x, **value.params))
        return WRITERS[name](self, value)

    def _moved(self, x: Value, move: Callable[[Array], Array]) -> int:
        """The elements of x where a function moves them to."""
        return self.view(self.full(x), lattice(x.shape, move))

    def _placed(self, shape: Shape, inputs: Sequence[Value], keys: Sequence[Any], fill: float = 0) -> int:
        """Each input in the part of an array that its key names."""
        at = [lattice(shape, itemgetter(key)) for key in keys]
        return self.place(math.prod(shape), [self.full(x) for x in inputs], at, fill)

    def _pad(self, value: Value) -> int:
        [x], widths = value.inputs, value.params["widths"]
        inside = tuple([slice(before, before + n) for (before, _), n in zip(widths, x.shape, strict=True)])
        return self._placed(value.shape, [x], [inside], value.params["constant_values"])

    def _scatter(self, value: Value) -> int:
        return self._placed(value.shape, value.inputs, [value.params["key"]])

    def _concatenate(self, value: Value) -> int:
        axis, widths = value.params["axis"], [x.shape[value.params["axis"]] for x in value.inputs]
        ends = np.cumsum(widths).tolist()
        keys = [(slice(None),) * axis + (slice(end - n, end),) for end, n in zip(ends, widths, strict=True)]
        return self._placed(value.shape, value.inputs, keys)

    def _stack(self, value: Value) -> int:
        before = (slice(None),) * value.params["axis"]
        return self._placed(value.shape, value.inputs, [(*before, i) for i in range(len(value.inputs))])

    def _reduction(self, value: Value) -> int:
        """A reduction: its axes become the last ones, and then go back where it keeps all elements."""
        assert value.primitive is not None
        [x], name, axis = value.inputs, value.primitive.name, value.params["axis"]
        axes = [axis] if isinstance(axis, int) else sorted(axis)
        order = [*[a for a in range(len(x.shape)) if a not in axes], *axes]
        runs = self._moved(x, lambda positions: positions.transpose(order))
        count = math.prod([x.shape[a] for a in axes])
        if name == "log_softmax":
            kept = [1 if a in axes else n for a, n in enumerate(x.shape)]
            return self.each(
                "subtract", x.shape, (self.full(x), x.shape), (self.reduce("logsumexp", runs, count), kept)
            )
        found = self.reduce(name, runs, count)
        if self.sizes[found] != self.sizes[runs]:
            return found
        back = lattice([x.shape[a] for a in order], lambda positions: positions.transpose(np.argsort(order)))
        return self.view(found, back)

    # contractions

    def _product(self, terms: Sequence[tuple[str, int, Shape]], output: str) -> int:
        """The sum of the products of arrays with these letters, two arrays at a time."""
        lengths: dict[str, int] = {}
        for c, n in (pair for letters, _, shape in terms for pair in zip(letters, shape, strict=True)):
            lengths[c] = n if lengths.get(c, 1) == 1 else lengths[c]  # an axis of 1 broadcasts
        (term, slot, shape), *rest = terms
        for i, (other, b, other_shape) in enumerate(rest):
            both = dict.fromkeys(term + other)
            later = output + "".join(letters for letters, _, _ in rest[i + 1 :])
            result = output if i == len(rest) - 1 else "".join(c for c in both if c in later)
            made = [lengths[c] for c in result]
            steps = [strides(result, made), strides(term, shape), strides(other, other_shape)]
            slot = self.contract(math.prod(made), slot, b, {c: lengths[c] for c in both}, steps)
            term, shape = result, made
        return slot

    def _einsum(self, value: Value) -> int:
        left, output = value.params["spec"].split("->")
        terms = [(term, self.full(x), x.shape) for term, x in zip(left.split(","), value.inputs, strict=True)]
        return self._product(terms if len(terms) > 1 else [*terms, ("", self.numbers(np.ones(1)), ())], output)

    def _matmul(self, value: Value) -> int:
        x, y = [len(one.shape) for one in value.inputs]
        rows, columns = "ij"[-x:], "jk"[:y]
        front = ascii_uppercase[: max(x, y, 2) - 2]
        names = [front[len(front) - max(0, n - 2) :] + end for n, end in ((x, rows), (y, columns))]
        terms = [(name, self.full(one), one.shape) for name, one in zip(names, value.inputs, strict=True)]
        return self._product(terms, front + (rows + columns).replace("j", ""))

    def _convolution(self, value: Value) -> int:
        """Of x, w and g, the sums that a convolution and its two gradients have in common."""
        assert value.primitive is not None
        read, (windows, roles) = value.inputs[:2], (value.params["windows"], CONVOLUTIONS[value.primitive.name])
        shapes = dict(zip(roles, [*[one.shape for one in read], value.shape], strict=True))
        lengths, steps = trilinear(windows, value.params["groups"], shapes["g"], shapes["w"])
        padded = (*shapes["x"][:2], *windows.padded)
        [a, b] = [
            self._padded(v, windows) if role == "x" else self.full(v) for role, v in zip(roles, read, strict=False)
        ]
        size = math.prod(padded if roles[2] == "x" else value.shape)
        out = self.contract(size, a, b, lengths, [steps[role] for role in (roles[2], *roles[:2])])
        for bias in value.inputs[2:]:
            per_map = (bias.shape[0], *[1] * len(windows.size))
            out = self.each("add", value.shape, (out, value.shape), (self.full(bias), per_map))
        return self._inside(out, padded, windows) if roles[2] == "x" else out

    # windows and pools

    def _padded(self, x: Value, windows: Windows, fill: float = 0) -> int:
        """x with the margin that the windows reach."""
        if windows.padded == windows.size:
            return self.full(x)
        return self._placed(padded_shape(x.shape, windows), [x], [windows.inside], fill)

    def _inside(self, padded: int, shape: Shape, windows: Windows) -> int:
        return self.view(padded, lattice(shape, lambda positions: positions[windows.inside]))

    def _seen(self, x: Value, windows: Windows, fill: float = 0) -> int:
        """What each window sees, its taps one after the other."""
        return self.view(self._padded(x, windows, fill), seen_by(windows, padded_shape(x.shape, windows)))

    def _folded(self, patches: int, shape: Shape, windows: Windows) -> int:
        """Patches, taps last, added where the windows have read them."""
        padded = padded_shape(shape, windows)
        return self._inside(self.place(math.prod(padded), [patches], [seen_by(windows, padded)]), padded, windows)

    def _spread(self, g: int, shape: Shape, windows: Windows) -> int:
        """g once for each tap of its window."""
        taps = windows.kernel
        return self.view(
            g, lattice((*shape, *[1] * len(taps)), lambda positions: np.broadcast_to(positions, (*shape, *taps)))
        )

    def _pooled(self, f: str, seen: int, windows: Windows, **settings: float) -> int:
        return self.reduce(f, seen, math.prod(windows.kernel), **settings)

    def _at_choice(self, x: Value, other: int, windows: Windows) -> int:
        """Of what is there for each tap, that at the first maximum of x in its window; 0 at the other taps."""
        chosen = self._pooled("first_maximum", self._seen(x, windows, -math.inf), windows)
        shape = (self.sizes[chosen],)
        return self.each("multiply", shape, (chosen, shape), (other, shape))

    def _windows(self, value: Value) -> int:
        return self._seen(value.inputs[0], value.params["windows"])

    def _fold(self, value: Value) -> int:
        return self._folded(self.full(value.inputs[0]), value.shape, value.params["windows"])

    def _max_pool(self, value: Value) -> int:
        windows = value.params["windows"]
        return self._pooled("max", self._seen(value.inputs[0], windows, -math.inf), windows)

    def _max_unpool(self, value: Value) -> int:
        (g, x, _), windows = value.inputs, value.params["windows"]
        spread = self._spread(self.full(g), g.shape, windows)
        return self._folded(self._at_choice(x, spread, windows), x.shape, windows)

    def _at_maxima(self, value: Value) -> int:
        (v, x, _), windows = value.inputs, value.params["windows"]
        return self._pooled("sum", self._at_choice(x, self._seen(v, windows), windows), windows)

    def _avg_pool(self, value: Value) -> int:
        windows = value.params["windows"]
        total = self._pooled("sum", self._seen(value.inputs[0], windows), windows)
        return self._counted(total, value.shape, value)

    def _avg_unpool(self, value: Value) -> int:
        [g], windows = value.inputs, value.params["windows"]
        each = self._counted(self.full(g), g.shape, value)
        return self._folded(self._spread(each, g.shape, windows), value.shape, windows)

    def _counted(self, total: int, shape: Shape, value: Value) -> int:
        """Divided by how many cells each window has."""
        cells = value.params["windows"].counts(value.params["count_include_pad"]).astype(np.float32)
        return self.each("divide", shape, (total, shape), (self.numbers(cells), cells.shape))

    def _lp_pool(self, value: Value) -> int:
        windows = value.params["windows"]
        return self._pooled("norm", self._seen(value.inputs[0], windows), windows, norm=float(value.params["norm"]))


WRITERS: dict[str, Callable[[Lines, Value], int]] = {
    **dict.fromkeys(["sum", "max", "min", "logsumexp", "first_maximum", "cumsum", "log_softmax"], Lines._reduction),
    **dict.fromkeys(CONVOLUTIONS, Lines._convolution),
    "pad": Lines._pad, "scatter": Lines._scatter, "concatenate": Lines._concatenate, "stack": Lines._stack,
    "einsum": Lines._einsum, "matmul": Lines._matmul, "windows": Lines._windows, "fold": Lines._fold,
    "max_pool": Lines._max_pool, "max_unpool": Lines._max_unpool, "at_maxima": Lines._at_maxima,
    "avg_pool": Lines._avg_pool, "avg_unpool": Lines._avg_unpool, "lp_pool": Lines._lp_pool,
}  # fmt: skip
KNOWN = {*UNCHANGED, *ELEMENTWISE, *VIEWS, *WRITERS}


def check_known(primitive: Primitive) -> None:
    """ValueError for an operator that a page does not have."""
    if not ours(primitive) or primitive.name not in KNOWN:
        raise ValueError(
            f"the operator {primitive.name} cannot run in a page: there is no JavaScript for it; "
            "live=False shows what was computed here"
        )


# -- lattices ----------------------------------------------------------------------------------------------------------


def lattice(shape: Shape, move: Callable[[Array], Array]) -> Json:
    """Which element of an array of this shape each element of move(array) is, for a function that only moves elements.

    A place to begin, and for each axis a length and a step; a list of all, where steps do not lead there.

    >>> lattice((2, 3), np.transpose)
    {'offset': 0, 'lengths': [3, 2], 'steps': [1, 3]}
    >>> lattice((4,), lambda x: x[[0, 0, 2]])
    {'table': [0, 0, 2]}
    """
    return lattice_of(np.asarray(move(np.arange(math.prod(shape)).reshape(tuple(shape)))))


def lattice_of(moved: Array) -> Json:
    """The lattice that names these positions, in their order."""
    if not moved.size:
        return {"table": []}
    offset = int(moved.flat[0])
    firsts = [moved[(0,) * axis + (slice(2),) + (0,) * (moved.ndim - axis - 1)] for axis in range(moved.ndim)]
    steps = [int(first[-1]) - offset for first in firsts]
    indices = np.ogrid[tuple([slice(n) for n in moved.shape])]
    if not np.array_equal(offset + sum(step * i for step, i in zip(steps, indices, strict=True)), moved):
        return {"table": moved.ravel().tolist()}
    axes: list[tuple[int, int]] = []
    for n, step in zip(moved.shape, steps, strict=True):
        if n > 1 and axes and axes[-1][1] == n * step:  # two axes that follow on each other are one
            n *= axes.pop()[0]
        axes += [(n, step)] if n > 1 else []
    return {"offset": offset, "lengths": [n for n, _ in axes], "steps": [step for _, step in axes]}


def lattice_size(at: Json) -> int:
    """How many elements a lattice names."""
    return len(at["table"]) if "table" in at else math.prod(at["lengths"])


def is_plain(at: Json, size: int) -> bool:
    """Whether a lattice names all elements of an array, in their order."""
    return bool(at == lattice_of(np.arange(size)))


def padded_shape(shape: Shape, windows: Windows) -> Shape:
    """The shape of an array of images with the margin that the windows reach."""
    return (*shape[: len(shape) - len(windows.size)], *windows.padded)


def seen_by(windows: Windows, padded: Shape) -> Json:
    """Which element of the padded images each tap of each window reads."""

    def move(positions: Array) -> Array:
        first = positions.ndim - len(windows.size)
        for axis, (n, k) in enumerate(zip(windows.places, windows.kernel, strict=True), first):
            taps = np.arange(n)[:, None] * windows.stride[axis - first] + np.arange(k) * windows.dilation[axis - first]
            positions = np.moveaxis(positions.take(taps, axis), axis + 1, -1)
        return positions

    return lattice(padded, move)


def strides(letters: str, shape: Shape) -> Strides:
    """The step of each letter in an array with these axes; none along an axis of 1, which broadcasts.

    >>> strides("ijk", (2, 3, 1))
    {'k': 0, 'j': 1, 'i': 3}
    """
    found, step = {}, 1
    for c, n in reversed(list(zip(letters, shape, strict=True))):
        found[c] = 0 if n == 1 else step
        step *= n
    return found


def trilinear(windows: Windows, groups: int, g: Shape, w: Shape) -> tuple[dict[str, int], dict[str, Strides]]:
    """The letters of a convolution with their lengths, and the steps of each in the padded x, in w and in g.

    n: image, k: group, o and c: output and input within it; p, q, r: place; P, Q, R: tap of the window there.
    """
    axes = range(len(windows.size))
    places, taps = "pqr"[: len(axes)], "PQR"[: len(axes)]
    lengths = {"n": g[0], "k": groups, "o": g[1] // groups, "c": w[1]}
    lengths |= dict(zip(places, windows.places, strict=True)) | dict(zip(taps, windows.kernel, strict=True))
    rows = "xyz"[: len(axes)]
    padded = strides("nkc" + rows, (g[0], groups, w[1], *windows.padded))
    for row, place, tap, s, d in zip(rows, places, taps, windows.stride, windows.dilation, strict=True):
        step = padded.pop(row)
        padded[place], padded[tap] = s * step, d * step
    w_steps, g_steps = (strides(one, [lengths[c] for c in one]) for one in ("koc" + taps, "nko" + places))
    return lengths, {"x": padded, "w": w_steps, "g": g_steps}
