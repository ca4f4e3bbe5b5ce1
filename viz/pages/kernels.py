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
from typing import Any

import numpy as np

from minitensor.program.values import Value, needed, ours
from minitensor.tensor import Array, Primitive
from minitensor.windows import Windows

from .page import json_number

Json = Any
Slots = list[int]
Strides = dict[str, int]  # by letter
SAME = None  # the lattice of an array that is read in its own order

ELEMENTWISE = {
    "add", "subtract", "multiply", "divide", "negative", "power", "float_power", "exp", "log", "sqrt", "tanh", "abs",
    "sign", "greater", "greater_equal", "where", "maximum", "minimum", "relu", "leaky_relu", "sigmoid", "softplus",
    "sin", "cos", "log1p", "expm1", "logaddexp", "erf", "isnan",
}  # fmt: skip
UNCHANGED = {"reshape", "astype", "not_below", "distributions"}  # the numbers of their first input, in their order
REDUCTIONS = {"sum", "max", "min", "logsumexp"}
VIEWS = {"transpose", "broadcast_to", "index"}


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
        return self.slots.setdefault(value, self.new(math.prod(value.shape)))

    def write(self, values: Iterable[Value]) -> list[list[Json]]:
        """The lines that make these Values, those left out that are there; ValueError for an unknown operator."""
        before = len(self.lines)
        for value in needed(values):
            if value not in self.slots:
                self.slots[value] = self._constant(value) if value.constant is not None else self._made(value)
        return self.lines[before:]

    def _constant(self, value: Value) -> int:
        return self.numbers(np.asarray(value.constant))

    def numbers(self, array: Array) -> int:
        """The slot of a constant, in float32."""
        content = np.ascontiguousarray(array, np.float32)
        key = (content.shape, content.tobytes())
        if key not in self._same:
            slot = self._same[key] = self.new(content.size)
            self.constants[slot] = content.ravel()
        return self._same[key]

    def _made(self, value: Value) -> int:
        assert value.primitive is not None
        name, function = value.primitive.name, value.primitive.function
        check_known(value.primitive)
        if name in UNCHANGED:
            return self.full(value.inputs[0])
        if name in ELEMENTWISE:
            return self._each(value)
        if name in VIEWS:
            [x], settings = value.inputs, value.params
            return self.view(self.full(x), lattice(x.shape, lambda positions: function(positions, **settings)))
        return WRITERS[name](self, value)

    # -- the five kernels ----------------------------------------------------------------------------------------------

    def _line(self, kernel: str, size: int, inputs: Slots, **settings: Json) -> int:
        out = self.new(size)
        self.lines.append([kernel, out, inputs, settings])
        return out

    def each(self, f: str, shape: Sequence[int], *inputs: tuple[int, Sequence[int]], **settings: float) -> int:
        """f of arrays that broadcast to shape."""
        at = [
            SAME
            if math.prod(own) == math.prod(shape)
            else lattice(own, lambda positions: np.broadcast_to(positions, tuple(shape)))
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

    def full(self, value: Value) -> int:
        """The slot of a Value with all of its elements, also of one that is a single number all over."""
        slot, size = self.slots[value], math.prod(value.shape)
        return slot if self.sizes[slot] == size else self.view(slot, {"offset": 0, "lengths": [size], "steps": [0]})

    def _each(self, value: Value) -> int:
        assert value.primitive is not None
        inputs = [(self.slots[x], () if x.is_uniform else x.shape) for x in value.inputs]
        settings = {name: json_number(n) for name, n in value.params.items()}
        return self.each(value.primitive.name, value.shape, *inputs, **settings)

    def _in_runs(self, x: Value, axis: Sequence[int]) -> tuple[int, int, list[int]]:
        """x with these axes last, how many elements they have together, and the order of axes that this is."""
        order = [*[a for a in range(len(x.shape)) if a not in axis], *sorted(axis)]
        count = math.prod([x.shape[a] for a in axis])
        return self.view(self.full(x), lattice(x.shape, lambda positions: positions.transpose(order))), count, order

    def _reduction(self, value: Value) -> int:
        assert value.primitive is not None
        x, count, _ = self._in_runs(value.inputs[0], value.params["axis"])
        return self.reduce(value.primitive.name, x, count)

    def _kept(self, f: str, value: Value, axis: Sequence[int]) -> int:
        """A reduction that gives a number for each element."""
        [x] = value.inputs
        runs, count, order = self._in_runs(x, axis)
        shape = [x.shape[a] for a in order]
        return self.view(
            self.reduce(f, runs, count),
            lattice(shape, lambda positions: positions.transpose([order.index(a) for a in range(len(order))])),
        )

    def _first_maximum(self, value: Value) -> int:
        return self._kept("first_maximum", value, value.params["axis"])

    def _cumsum(self, value: Value) -> int:
        return self._kept("cumsum", value, [value.params["axis"]])

    def _log_softmax(self, value: Value) -> int:
        [x], axis = value.inputs, value.params["axis"]
        runs, count, _ = self._in_runs(x, axis)
        kept = [1 if a in axis else n for a, n in enumerate(x.shape)]
        return self.each("subtract", x.shape, (self.full(x), x.shape), (self.reduce("logsumexp", runs, count), kept))

    def _pad(self, value: Value) -> int:
        [x], widths = value.inputs, value.params["widths"]
        inside = tuple([slice(before, before + n) for (before, _), n in zip(widths, x.shape, strict=True)])
        at = lattice(value.shape, lambda positions: positions[inside])
        return self.place(math.prod(value.shape), [self.full(x)], [at], value.params["constant_values"])

    def _scatter(self, value: Value) -> int:
        at = lattice(value.shape, lambda positions: positions[value.params["key"]])
        return self.place(math.prod(value.shape), [self.full(value.inputs[0])], [at])

    def _concatenate(self, value: Value) -> int:
        axis = value.params["axis"]
        ends = np.cumsum([x.shape[axis] for x in value.inputs]).tolist()
        parts = [
            (slice(None),) * axis + (slice(end - x.shape[axis], end),)
            for end, x in zip(ends, value.inputs, strict=True)
        ]
        return self._joined(value, parts)

    def _stack(self, value: Value) -> int:
        before = (slice(None),) * value.params["axis"]
        return self._joined(value, [(*before, i) for i in range(len(value.inputs))])

    def _joined(self, value: Value, parts: Sequence[Any]) -> int:
        positions = np.arange(math.prod(value.shape)).reshape(value.shape)
        at = [lattice_of(positions[part]) for part in parts]
        return self.place(math.prod(value.shape), [self.full(x) for x in value.inputs], at)

    # contractions

    def _einsum(self, value: Value) -> int:
        left, output = value.params["spec"].split("->")
        terms = left.split(",")
        operands = [(term, self.full(x)) for term, x in zip(terms, value.inputs, strict=True)]
        lengths = {
            c: n for term, x in zip(terms, value.inputs, strict=True) for c, n in zip(term, x.shape, strict=True)
        }
        (term, slot), *rest = operands
        if not rest:
            rest = [("", self.numbers(np.ones(1)))]
        for i, (other, b) in enumerate(rest):
            later = output + "".join(t for t, _ in rest[i + 1 :])
            both = dict.fromkeys(term + other)
            result = output if i == len(rest) - 1 else "".join(c for c in both if c in later)
            steps = [strides(t, lengths) for t in (result, term, other)]
            size = math.prod(lengths[c] for c in result)
            slot, term = self.contract(size, slot, b, {c: lengths[c] for c in both}, steps), result
        return slot

    def _matmul(self, value: Value) -> int:
        x, y = value.inputs
        front = value.shape[: len(value.shape) - (len(x.shape) > 1) - (len(y.shape) > 1)]
        names = [f"front{a}" for a in range(len(front))]
        lengths = dict(zip(names, front, strict=True)) | {"j": x.shape[-1]}
        ends = (["i", "j"][-len(x.shape) :], ["j", "k"][: len(y.shape)])
        lengths |= {"i": x.shape[-2]} if len(x.shape) > 1 else {}
        lengths |= {"k": y.shape[-1]} if len(y.shape) > 1 else {}
        steps = []
        for one, end in zip((x, y), ends, strict=True):
            own = names[len(front) - (len(one.shape) - len(end)) :]
            letters = [*own, *end]
            each = strides(letters, dict(zip(letters, one.shape, strict=True)))
            steps.append({c: 0 if n == 1 else each[c] for c, n in zip(letters, one.shape, strict=True)})
        result = [*names, *[c for c in "ik" if c in lengths]]
        size = math.prod(value.shape)
        return self.contract(size, self.full(x), self.full(y), lengths, [strides(result, lengths), *steps])

    def _conv(self, value: Value) -> int:
        x, w, *bias = value.inputs
        lengths, steps = trilinear(value, x.shape, w.shape, value.shape)
        seen = self._padded(x, value.params["windows"])
        y = self.contract(math.prod(value.shape), seen, self.full(w), lengths, [steps["g"], steps["x"], steps["w"]])
        for b in bias:
            per_map = (b.shape[0], *[1] * (len(value.shape) - 2))
            y = self.each("add", value.shape, (y, value.shape), (self.full(b), per_map))
        return y

    def _conv_transpose(self, value: Value) -> int:
        g, w = value.inputs
        windows = value.params["windows"]
        lengths, steps = trilinear(value, value.shape, w.shape, g.shape)
        size = math.prod(value.shape[:2]) * math.prod(windows.padded)
        x = self.contract(size, self.full(g), self.full(w), lengths, [steps["x"], steps["g"], steps["w"]])
        return self._inside(x, value.shape[:2], windows)

    def _conv_weight(self, value: Value) -> int:
        x, g = value.inputs
        lengths, steps = trilinear(value, x.shape, value.shape, g.shape)
        seen = self._padded(x, value.params["windows"])
        return self.contract(math.prod(value.shape), seen, self.full(g), lengths, [steps["w"], steps["x"], steps["g"]])

    # windows and pools

    def _padded(self, x: Value, windows: Windows, fill: float = 0) -> int:
        """x with the margin that the windows reach."""
        shape = (*x.shape[: len(x.shape) - len(windows.size)], *windows.padded)
        if windows.padded == windows.size:
            return self.full(x)
        at = lattice(shape, lambda positions: positions[windows.inside])
        return self.place(math.prod(shape), [self.full(x)], [at], fill)

    def _inside(self, padded: int, front: Sequence[int], windows: Windows) -> int:
        return self.view(padded, lattice((*front, *windows.padded), lambda positions: positions[windows.inside]))

    def _seen(self, x: Value, windows: Windows, fill: float = 0) -> int:
        """What each window sees, its taps one after the other."""
        front = x.shape[: len(x.shape) - len(windows.size)]
        return self.view(self._padded(x, windows, fill), seen_by(windows, front))

    def _folded(self, patches: int, front: Sequence[int], windows: Windows) -> int:
        """Patches, taps last, added where the windows have read them."""
        size = math.prod(front) * math.prod(windows.padded)
        return self._inside(self.place(size, [patches], [seen_by(windows, front)]), front, windows)

    def _for_each_tap(self, g: Value, windows: Windows) -> int:
        taps = windows.kernel
        return self.view(
            self.full(g),
            lattice((*g.shape, *[1] * len(taps)), lambda positions: np.broadcast_to(positions, (*g.shape, *taps))),
        )

    def _windows(self, value: Value) -> int:
        return self._seen(value.inputs[0], value.params["windows"])

    def _fold(self, value: Value) -> int:
        [g], windows = value.inputs, value.params["windows"]
        return self._folded(self.full(g), value.shape[: len(value.shape) - len(windows.size)], windows)

    def _max_pool(self, value: Value) -> int:
        [x], windows = value.inputs, value.params["windows"]
        return self.reduce("max", self._seen(x, windows, -math.inf), math.prod(windows.kernel))

    def _choice(self, x: Value, windows: Windows) -> int:
        """1 at the first maximum of each window, 0 elsewhere."""
        return self.reduce("first_maximum", self._seen(x, windows, -math.inf), math.prod(windows.kernel))

    def _max_unpool(self, value: Value) -> int:
        g, x, _ = value.inputs
        windows = value.params["windows"]
        chosen, parts = self._choice(x, windows), self._for_each_tap(g, windows)
        shape = (self.sizes[chosen],)
        return self._folded(self.each("multiply", shape, (chosen, shape), (parts, shape)), x.shape[:2], windows)

    def _at_maxima(self, value: Value) -> int:
        v, x, _ = value.inputs
        windows = value.params["windows"]
        chosen, seen = self._choice(x, windows), self._seen(v, windows)
        shape = (self.sizes[chosen],)
        product = self.each("multiply", shape, (chosen, shape), (seen, shape))
        return self.reduce("sum", product, math.prod(windows.kernel))

    def _avg_pool(self, value: Value) -> int:
        [x], windows = value.inputs, value.params["windows"]
        total = self.reduce("sum", self._seen(x, windows), math.prod(windows.kernel))
        return self._counted(total, value.shape, value)

    def _avg_unpool(self, value: Value) -> int:
        [g], windows = value.inputs, value.params["windows"]
        each = self._counted(self.full(g), g.shape, value)
        parts = lattice(
            (*g.shape, *[1] * len(windows.kernel)), lambda p: np.broadcast_to(p, (*g.shape, *windows.kernel))
        )
        return self._folded(self.view(each, parts), value.shape[:2], windows)

    def _counted(self, total: int, shape: Sequence[int], value: Value) -> int:
        """Divided by how many cells each window has."""
        cells = value.params["windows"].counts(value.params["count_include_pad"]).astype(np.float32)
        return self.each("divide", shape, (total, shape), (self.numbers(cells), cells.shape))

    def _lp_pool(self, value: Value) -> int:
        [x], windows, norm = value.inputs, value.params["windows"], float(value.params["norm"])
        return self.reduce("norm", self._seen(x, windows), math.prod(windows.kernel), norm=norm)


WRITERS: dict[str, Callable[[Lines, Value], int]] = {
    **dict.fromkeys(REDUCTIONS, Lines._reduction),
    "first_maximum": Lines._first_maximum,
    "cumsum": Lines._cumsum,
    "log_softmax": Lines._log_softmax,
    "pad": Lines._pad,
    "scatter": Lines._scatter,
    "concatenate": Lines._concatenate,
    "stack": Lines._stack,
    "einsum": Lines._einsum,
    "matmul": Lines._matmul,
    "conv": Lines._conv,
    "conv_transpose": Lines._conv_transpose,
    "conv_weight": Lines._conv_weight,
    "windows": Lines._windows,
    "fold": Lines._fold,
    "max_pool": Lines._max_pool,
    "max_unpool": Lines._max_unpool,
    "at_maxima": Lines._at_maxima,
    "avg_pool": Lines._avg_pool,
    "avg_unpool": Lines._avg_unpool,
    "lp_pool": Lines._lp_pool,
}
KNOWN = {*UNCHANGED, *ELEMENTWISE, *VIEWS, *WRITERS}


def check_known(primitive: Primitive) -> None:
    """ValueError for an operator that a page does not have."""
    if not ours(primitive) or primitive.name not in KNOWN:
        raise ValueError(
            f"the operator {primitive.name} cannot run in a page: there is no JavaScript for it; "
            "live=False shows what was computed here"
        )


# -- lattices ----------------------------------------------------------------------------------------------------------


def lattice(shape: Sequence[int], move: Callable[[Array], Array]) -> Json:
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
    origin = (0,) * moved.ndim
    offset = int(moved[origin])
    steps = [
        int(moved[(*origin[:axis], 1, *origin[axis + 1 :])]) - offset if n > 1 else 0
        for axis, n in enumerate(moved.shape)
    ]
    regular = np.full(moved.shape, offset)
    for axis, (n, step) in enumerate(zip(moved.shape, steps, strict=True)):
        regular += (step * np.arange(n)).reshape(-1, *[1] * (moved.ndim - axis - 1))
    if not np.array_equal(regular, moved):
        return {"table": moved.ravel().tolist()}
    axes = [(n, step) for n, step in zip(moved.shape, steps, strict=True) if n > 1]
    merged: list[tuple[int, int]] = []
    for n, step in axes:  # two axes that follow on each other are one
        if merged and merged[-1][1] == n * step:
            n, step = merged.pop()[0] * n, step
        merged.append((n, step))
    return {"offset": offset, "lengths": [n for n, _ in merged], "steps": [step for _, step in merged]}


def lattice_size(at: Json) -> int:
    """How many elements a lattice names."""
    return len(at["table"]) if "table" in at else math.prod(at["lengths"])


def is_plain(at: Json, size: int) -> bool:
    """Whether a lattice names all elements of an array, in their order."""
    whole = {"offset": 0, "lengths": [size] if size > 1 else [], "steps": [1] if size > 1 else []}
    return bool(at == whole)


def seen_by(windows: Windows, front: Sequence[int]) -> Json:
    """Which element of the padded images each tap of each window reads."""
    places = [
        np.arange(m)[:, None] * s + np.arange(k) * d
        for m, s, k, d in zip(windows.places, windows.stride, windows.kernel, windows.dilation, strict=True)
    ]
    axes = len(places)

    def move(positions: Array) -> Array:
        index: list[Any] = []
        for axis, place in enumerate(places):
            shape = [1] * (2 * axes)
            shape[axis], shape[axes + axis] = place.shape
            index.append(place.reshape(shape))
        seen: Array = positions[(..., *index)]
        return seen

    return lattice((*front, *windows.padded), move)


def strides(letters: Iterable[str], lengths: dict[str, int]) -> Strides:
    """The step of each letter in an array with these axes.

    >>> strides("ij", {"i": 2, "j": 3})
    {'j': 1, 'i': 3}
    """
    found, step = {}, 1
    for c in reversed(list(letters)):
        found[c] = step
        step *= lengths[c]
    return found


def trilinear(
    value: Value, x: Sequence[int], w: Sequence[int], g: Sequence[int]
) -> tuple[dict[str, int], dict[str, Strides]]:
    """The letters of a convolution with their lengths, and the steps of each in the padded x, in w and in g."""
    windows, groups = value.params["windows"], value.params["groups"]
    axes = range(len(windows.size))
    places, taps = [f"h{a}" for a in axes], [f"i{a}" for a in axes]
    lengths = {"n": g[0], "k": groups, "o": g[1] // groups, "c": w[1]}
    lengths |= dict(zip(places, windows.places, strict=True)) | dict(zip(taps, windows.kernel, strict=True))
    rows = strides(taps, dict(zip(taps, windows.padded, strict=True)))
    image = math.prod(windows.padded)
    steps_x = {"n": groups * w[1] * image, "k": w[1] * image, "c": image}
    for a in axes:
        steps_x[taps[a]], steps_x[places[a]] = (rows[taps[a]] * n for n in (windows.dilation[a], windows.stride[a]))
    return lengths, {
        "x": steps_x,
        "w": strides(["k", "o", "c", *taps], lengths),
        "g": strides(["n", "k", "o", *places], lengths),
    }
