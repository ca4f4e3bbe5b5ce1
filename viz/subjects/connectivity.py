"""Units and the wires between them: sparse, dense, shared, strided, padded, in rows and on grids.

What you can do here: draw the `connectivity` of a layer, or of a stack of layers.

The wires come from `connections`, so from derivatives; nothing here knows one kind of layer from another.

Letters:   r row of units, counted from below    j unit of one row    i unit of the row above (flat numbers)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, pairwise
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt

from minitensor import Tensor, gradients
from minitensor.checks import whole
from minitensor.tensor import Array

from ..drawing.dot import (
    ACTIVE,
    BIAS,
    CHANGED,
    FIELD,
    FOCUS,
    NODE,
    NUMBER,
    SHARED,
    SIGNED,
    TRACE,
    WEIGHTS,
    WINNER,
    Attributes,
    plain,
    subscripted,
)
from ..drawing.sheet import CELL_SIZE, CHARACTER, UNCLIPPED, Drawing, Pinned
from ..drawing.style import Style, checked_color, mixed
from .connections import Layer, Wires, accepted_shape, computed, in_use, parameters_of, wires_at

Wire = tuple[int, int, int]  # the row below, j, i

DX, DY = 72.0, 112.0
ROOM = 33.0  # for a number in a unit
ROWS = "xhgfedcbazywvutsrqponmlkji"  # letters of the units of each row, from below
SEEN_THROUGH = {"style": "solid"}  # a cell that a line to a window passes behind
BLOCKS = ("#CFE8F7", "#FBE3B5", "#BFE5DA", "#F6DCEA", "#E8E3F4", "#F4F5F7")  # of windows side by side
PLAQUE_WIDTH, PLAQUE_HEIGHT, MARGIN = 13.0, 20.0, 5.0  # a letter's; a wire or another within the margin disturbs
ROW_DISTANCES = [n * DY for n in (1, 1.5, 2, 3, 4, 6, 8)]  # with letters on the wires the first that has room for all
MOST_UNITS, MOST_DRAWN_WIRES = 1_900, 5_000
MOST_WIRES, MOST_WIRES_BEHIND = 50_000, 1_000_000  # to be found: where all are drawn, and where some are
Place = int | tuple[int, ...]


def connectivity(
    layers: Layer | Sequence[Layer],
    input_shape: int | Sequence[int] | None = None,
    *,
    highlight: Place | Iterable[Place] | Mapping[Place, str] | None = None,
    direction: str = "below",
    share: bool | str = False,
    x: npt.ArrayLike | None = None,
    compare: npt.ArrayLike | None = None,
    title: str = "",
    rows: Sequence[str] = (),
    letters: str = "",
    ends: int = 0,
    zeros: bool | None = None,
    unit: int | None = None,
    labels: Mapping[tuple[int, int], str] | None = None,
    most: int | None = None,
    bias: bool = False,
    weigh: bool = False,
    blocks: bool = False,
    grey: bool = False,
    style: str | Style = "light",
) -> Pinned:
    """Draw the units of a layer, or of a list of layers from below, and every wire between them.

    highlight: units to follow; seen from "below" they are inputs, and all that they reach is marked, from "above" they
    are outputs, and all that they see is marked: their receptive field.  A unit is a flat number or, on a grid, a place
    (row, column) or (channel, row, column); several are a list, or a mapping to colours: {3: "#0072B2"}.  A unit that
    is met from several has all of their colours.
    share: give each parameter a colour and a letter, in the order of its elements; a string of letters shows those
    alone, in bold.  On a grid the letters stand in the window of the one unit that is followed from above.
    x: an input; the values stand in the units, and the wires along which a change would pass (the derivative at x is
    not zero) are bold.  compare: another input; the units whose values differ from those are marked.
    title stands above, rows name the rows from below, letters name the units of each row; ends draws so many units at
    both ends of each row as dots: the row goes on.  style: as `Style`; grey=True is style="print".
    zeros: as in `connections`; with False a pruned layer is drawn as it is pruned.
    unit: an axis of the input; all that lies at one index of it is one node: a token, a time step, a channel.
    labels: words for units, by (row, unit).  most: of a longer row so many units are drawn, from both ends.
    bias: a unit with the value 1 beside each row, wired to all that has a bias.  weigh: wires as thick as their weight
    is large, dashed where it is below 0.  blocks: on grids, each window in a colour of its own, where none overlap.
    With x, the largest of a window that is followed is framed: the one that max pooling takes.
    A layer of images is drawn as a grid, several images of a batch one below the other; of each unit that is followed,
    the window is marked in the grid before.
    Raises ValueError for units or weights that are not there, another direction, no layer, letters or rows for another
    number of rows, a layer that rejects the shape, and one with too many units, wires or letters to be looked at.

    >>> from nets import Conv1d
    >>> connectivity(Conv1d(1, 1, 3), 5, highlight=1, direction="above").dot.count("->")
    9
    """
    if direction not in ("below", "above"):
        raise ValueError(f"direction (={direction!r}) must be 'below' or 'above'")
    if input_shape is None:
        if x is None:
            raise ValueError("connectivity needs an input_shape, or an input x that has one")
        input_shape = np.asarray(x).shape
    style = Style("print") if grey else Style.of(style)
    stack = Stack.of([layers] if callable(layers) else list(layers), input_shape, zeros, most is None)
    if unit is not None:
        if x is not None or share or weigh or bias:
            raise ValueError("a node of several units (unit=) has no number, letter, weight or bias of its own")
        stack = stack.merged(unit, 1 if isinstance(input_shape, int) else len(input_shape))
    start = 0 if direction == "below" else len(stack.shapes) - 1
    followed = stack.places(highlight, start)
    marks, traced = stack.follow(set(followed), direction)
    colours = {u: stack.follow({u}, direction) for u, colour in followed.items() if colour}
    values = stack.values(x) if x is not None else None
    others = stack.values(compare) if compare is not None else None
    looks = LOOKS
    named = letters or ("xs" if len(stack.shapes) == 2 else ROWS)
    if (letters and len(letters) != len(stack.shapes)) or len(rows) > len(stack.shapes):
        raise ValueError(
            f"letters (={letters!r}) must name each of the {len(stack.shapes)} rows, and rows (={rows!r}) no more"
        )
    if len(named) < len(stack.shapes):
        raise ValueError(f"letters (={named!r}) must name each of the {len(stack.shapes)} rows: there are too many")
    if whole("ends", ends) < 0:
        raise ValueError(f"ends (={ends}) must be at least 0")
    shared = _shared(stack, share) if share else {}

    for r, i in labels or {}:
        if not (0 <= r < len(stack.shapes) and 0 <= i < stack.sizes[r]):
            raise ValueError(f"labels: there is no unit {i} in row {r} (rows of {stack.sizes} units)")
    if most is not None and whole("most", most) < 2:
        raise ValueError(f"most (={most}) must be at least 2")
    decimals = _decimals(values) if values is not None else 0
    numbers = [[number(v, decimals) for v in row.flat] for row in values or ()]
    longest = max((len(text) for row in numbers for text in row), default=1)
    size = f"{min(13, ROOM / CHARACTER / longest):.3g}"

    def unit_looks(r: int, i: int) -> Attributes:
        changed = values is not None and others is not None and values[r].flat[i] != others[r].flat[i]
        marked = (looks.focus if r == start else looks.field) if i in marks[r] else {}
        if met := [followed[u] for u, (path, _) in colours.items() if i in path[r]]:
            tints = [mixed(colour, style.color("paper"), 0.8 if r == start else 0.35) for colour in met]
            shape = {"style": "striped" if grid else "wedged"} if len(tints) > 1 else {"style": "filled"}
            marked = {**marked, **shape, "fillcolor": ":".join(tints), "color": met[0]}
        return {**({**NUMBER, "fontsize": size} if numbers else {}), **(looks.changed if changed else {}), **marked}

    grid = any(stack.is_grid(r) for r in range(len(stack.shapes)))

    if grid:
        if bias or weigh or most is not None:
            raise ValueError("bias, weigh and most belong to units in rows: grids have no wires")
        inside = _letters_in_windows(shared, marks)
        if shared and (numbers or not inside):
            raise ValueError(
                f"share (={share!r}) on a grid writes the weights of one window into it: highlight one unit, seen "
                "from above, and give no x"
            )
        own = {(r, i): text for (r, i), text in (labels or {}).items()}
        texts = [
            [own.get((r, i)) or (numbers[r][i] if numbers else inside.get((r, i), "")) for i in range(n)]
            for r, n in enumerate(stack.sizes)
        ]
        windows = [(stack.follow({u}, direction)[0], followed[u] or TRACE["color"]) for u in sorted(followed)]
        tinted = stack.blocks() if blocks else {}
        winners = stack.winners(x, marks) if x is not None and direction == "above" else set()

        def cell_looks(r: int, i: int) -> Attributes:
            block = {"style": "filled", "fillcolor": tinted[r, i]} if (r, i) in tinted else {}
            return {**block, **unit_looks(r, i), **(WINNER if (r, i) in winners else {})}

        drawing = _grids(stack, windows, cell_looks, texts, rows).caption(title)
    elif blocks:
        raise ValueError("blocks belong to grids: these units stand in rows")
    else:

        def label(r: int, i: int) -> str:
            if labels and (r, i) in labels:
                return plain(labels[r, i])
            return plain(numbers[r][i]) if numbers else subscripted(named[r], i + 1)

        active = stack.active(x) if x is not None else [set[tuple[int, int]]() for _ in stack.wires]
        front = [a | b for a, b in zip(active, traced, strict=True)]
        if x is not None:
            looks = replace(looks, trace=ACTIVE)
        own_looks: dict[Wire, Attributes] = {
            (r, j, i): {**TRACE, "color": followed[u]}
            for u, (_, wires) in colours.items()
            for r, found in enumerate(wires)
            for j, i in found
        }
        if weigh:
            own_looks |= stack.weighed()
        room = max(map(len, (labels or {}).values()), default=0) * 19 * CHARACTER + 10
        node = {**NODE, "width": f"{max(57.6, room) / 72:.3g}"} if unit is not None else {}
        if room > 44 and unit is None:
            raise ValueError(
                f"labels have room for two or three characters in a unit, got {max((labels or {}).values(), key=len)!r}"
            )
        page = _Page(style.orientation or "up", ends, stack.kept(most), node, stack.biased() if bias else {})
        drawing = _rows(stack, front, looks, unit_looks, label, shared, share is not True, title, rows, page, own_looks)
    drawing.style = style
    return drawing.figure(title or f"connectivity of {' to '.join(str(n) for n in stack.sizes)} units")


@dataclass(frozen=True)
class Looks:
    """How what is followed looks."""

    focus: Attributes
    field: Attributes
    trace: Attributes
    changed: Attributes


LOOKS = Looks(FOCUS, FIELD, TRACE, CHANGED)


@dataclass(frozen=True)
class Stack:
    """Layers, the shape of each row of units (the batch axis in front), and the wires between each two rows."""

    layers: Sequence[Layer]
    shapes: Sequence[tuple[int, ...]]
    wires: Sequence[Wires]
    parameters: Sequence[dict[str, Tensor]]

    @staticmethod
    def of(
        layers: Sequence[Layer], input_shape: int | Sequence[int], zeros: bool | None = None, all_drawn: bool = True
    ) -> Stack:
        """Follow a shape through the layers; ValueError where a row has too many units, if all are drawn."""
        if not layers:
            raise ValueError("a layer, or a list of layers, can be drawn; this list is empty")
        shapes, parameters = [accepted_shape(layers[0], input_shape)], []
        for layer in layers:
            x = Tensor(np.zeros(shapes[-1]))
            with in_use(layer):
                y = computed(layer, x)
            parameters.append(parameters_of(layer, y, x))
            shapes.append(y.shape)
            if not y.size:
                raise ValueError(f"a row of shape {y.shape} has no units to draw")
            units = sum(math.prod(shape) for shape in shapes)
            if units > MOST_UNITS and all_drawn:
                raise ValueError(
                    f"{units:,} units are no picture (more than {MOST_UNITS:,}): draw a smaller input_shape; the "
                    "pattern is the same"
                )
        limit = MOST_WIRES if all_drawn else MOST_WIRES_BEHIND
        wires = [wires_at(layer, shape, zeros=zeros, limit=limit) for layer, shape in zip(layers, shapes, strict=False)]
        return Stack(layers, shapes, wires, parameters)

    def width(self, r: int) -> int:
        """The number of units that stand side by side in a row: those of one channel."""
        return self.shapes[r][-1] if self.shapes[r] else 1

    @property
    def sizes(self) -> list[int]:
        """The number of units in each row."""
        return [int(np.prod(shape)) for shape in self.shapes]

    def is_grid(self, r: int) -> bool:
        """Whether a row holds images."""
        return len(self.shapes[r]) == 4 and self.shapes[r][2] > 1

    def merged(self, axis: int, rank: int) -> Stack:
        """The same rows with all that lies at one index of an axis as one node; rank: the axes that the input has.

        Batch and channel axes that were put in front are not counted.  A row without this axis keeps its units.
        """
        counted = whole("unit", axis) if -rank <= axis < rank else None
        if counted is None:
            raise ValueError(f"unit (={axis}) must be an axis of the input, which has {rank}")
        place = counted % rank + len(self.shapes[0]) - rank
        node = [
            np.indices(s)[place].ravel() if place < len(s) else np.arange(math.prod(s))  # of each unit of a row
            for s in self.shapes
        ]
        wires: list[Wires] = [
            dict.fromkeys(
                sorted({(int(node[r][j]), int(node[r + 1][i])) for j, i in found}, key=lambda w: (w[1], w[0]))
            )
            for r, found in enumerate(self.wires)
        ]
        return Stack(self.layers, [(1, int(n.max()) + 1) for n in node], wires, [{} for _ in self.layers])

    def places(self, highlight: Any, r: int) -> dict[int, str]:
        """The flat number of each unit of a row that is to be followed, and its colour ("" the usual one)."""
        shape, several = self.shapes[r], highlight
        if highlight is None:
            return {}
        if not isinstance(highlight, Iterable) or (isinstance(highlight, tuple) and self.is_grid(r)):
            several = [highlight]
        colours = {k: checked_color(c) for k, c in highlight.items()} if isinstance(highlight, Mapping) else {}
        found = {}
        for unit in several:
            if isinstance(unit, tuple):
                place = tuple(whole("highlight", n) for n in unit)
                inside = shape[len(shape) - len(place) :]
                if not 2 <= len(place) <= len(shape) or any(not 0 <= n < m for n, m in zip(place, inside, strict=True)):
                    raise ValueError(f"there is no unit {unit}: the row has the shape {shape}")
                number_ = int(np.ravel_multi_index((0,) * (len(shape) - len(place)) + place, shape))
            else:
                number_ = whole("highlight", unit)
            found[number_] = colours.get(unit, "")
        return found

    def kept(self, most: int | None) -> list[list[int]]:
        """The units of each row that are drawn: all, or so many of a longer one, from both ends."""
        if most is None:
            return [list(range(n)) for n in self.sizes]
        half = most // 2
        return [list(range(n)) if n <= most else [*range(most - half), *range(n - half, n)] for n in self.sizes]

    def weighed(self) -> dict[Wire, Attributes]:
        """How a wire looks that carries one number: as thick as that is large, dashed where it is below 0."""
        values = {}
        for r, wires in enumerate(self.wires):
            for (j, i), carried in wires.items():
                if carried is not None and isinstance(carried[0], str):
                    name, k = carried
                    values[r, j, i] = float(self.parameters[r][name].data.flat[k])
        if not values:
            raise ValueError("weigh shows weights, and no wire of this layer carries a single one")
        largest = max(map(abs, values.values())) or 1.0
        return {
            wire: {**SIGNED[-1 if v < 0 else 1], "penwidth": f"{0.4 + 3.6 * abs(v) / largest:.2f}", "arrowsize": "0.65"}
            for wire, v in values.items()
        }

    def biased(self) -> dict[int, list[int]]:
        """The units of the row above each row that have a bias: a parameter that multiplies no input."""
        found: dict[int, list[int]] = {}
        rng = np.random.default_rng(0)
        for r, (layer, wires) in enumerate(zip(self.layers, self.wires, strict=True)):
            carried = {c[0] if isinstance(c[0], str) else c[0][0] for c in wires.values() if c is not None}
            alone = [p for name, p in self.parameters[r].items() if name not in carried]
            moved = set()
            for sign in (1, -1):
                with in_use(layer):
                    y = computed(layer, Tensor(sign * rng.uniform(1, 2, self.shapes[r])))
                for i in range(y.size):
                    slopes = gradients(y, alone, np.eye(1, y.size, i).reshape(y.shape)) if alone else []
                    moved |= {i} if any(s.data.any() for s in slopes) else set()
            if moved:
                found[r] = sorted(moved)
        if not found:
            raise ValueError("bias draws biases, and no layer has one")
        return found

    def blocks(self) -> dict[tuple[int, int], str]:
        """A colour for each window of the first layer, as (row, unit); ValueError where two windows overlap."""
        reader: dict[int, int] = {}
        for j, i in self.wires[0]:
            if reader.setdefault(j, i) != i:
                raise ValueError(f"blocks are windows that do not overlap, and input {j} is read by two of them")
        tints = {i: BLOCKS[n % len(BLOCKS)] for n, i in enumerate(dict.fromkeys(reader.values()))}
        return {(0, j): tints[i] for j, i in reader.items()} | {(1, i): tint for i, tint in tints.items()}

    def winners(self, x: npt.ArrayLike, marks: Sequence[set[int]]) -> set[tuple[int, int]]:
        """The units (row, unit) whose values a followed unit takes: of its window only some pass a change on."""
        return {
            (r, j) for r, wires in enumerate(self.active(x)) for j, i in wires if j in marks[r] and i in marks[r + 1]
        }

    def letters(self) -> dict[Wire, str]:
        """A letter for each wire (row below, j, i) that carries a weight; equal letters are one element of one Tensor.

        a, b, ..., z, aa, ab, ..., in the order of the rows, of the parameters, and of the elements of each.
        """
        names: dict[object, str] = {}
        found = {}
        for r, wires in enumerate(self.wires):
            order = list(self.parameters[r])
            places = {
                wire: [(order.index(name), k) for name, k in ([carried] if isinstance(carried[0], str) else carried)]
                for wire, carried in wires.items()
                if carried is not None
            }
            for j, i in sorted(places, key=places.__getitem__):
                weight = tuple((self.parameters[r][order[n]], k) for n, k in places[j, i])
                found[r, j, i] = names.setdefault(weight, _letter(len(names)))
        return found

    def values(self, x: npt.ArrayLike) -> list[Array]:
        """The values of all units for an input x."""
        value = np.asarray(x, dtype=float)
        if value.size != self.sizes[0]:
            raise ValueError(
                f"x and compare must have the {self.sizes[0]} inputs of {self.shapes[0]}, got {value.shape}"
            )
        rows = [Tensor(value.reshape(self.shapes[0]))]
        for layer in self.layers:
            with in_use(layer):
                rows.append(computed(layer, rows[-1]))
        return [row.data for row in rows]

    def active(self, x: npt.ArrayLike) -> list[set[tuple[int, int]]]:
        """The wires whose derivative at x is not zero, where that is true of some only."""
        found = []
        for layer, wires, before in zip(self.layers, self.wires, self.values(x), strict=False):
            point = Tensor(before)
            with in_use(layer):
                y = computed(layer, point)
            slopes = [gradients(y, [point], np.eye(1, y.size, i).reshape(y.shape))[0].data for i in range(y.size)]
            active = {(j, i) for j, i in wires if slopes[i].flat[j]}
            found.append(active if len(active) < len(wires) else set[tuple[int, int]]())
        return found

    def follow(self, units: set[int], direction: str) -> tuple[list[set[int]], list[set[tuple[int, int]]]]:
        """From these units through all rows: the units that are met in each row, and the wires between them."""
        start, down = (len(self.shapes) - 1, True) if direction == "above" else (0, False)
        if wrong := [u for u in sorted(units) if not 0 <= u < self.sizes[start]]:
            raise ValueError(f"there is no unit {wrong[0]}: the row has units 0 to {self.sizes[start] - 1}")
        marks, traced = [units], []
        for wires in reversed(self.wires) if down else self.wires:
            traced.append({(j, i) for j, i in wires if (i if down else j) in marks[-1]})
            marks.append({(j if down else i) for j, i in traced[-1]})
        return (marks[::-1], traced[::-1]) if down else (marks, traced)


def number(value: float, decimals: int | None = None) -> str:
    """A value short enough for a unit, with so many decimals or as few as it needs, and a true minus sign.

    Whole numbers are whole, up to a thousand million.

    >>> number(1.0), number(1.0, 1), number(-0.5), number(12.3456), number(1020.0), number(-126.5)
    ('1', '1.0', '\u22120.5', '12.3', '1020', '\u2212126.5')
    """
    if decimals is not None:
        text = f"{round(value, decimals) + 0.0:.{decimals}f}"
    elif 100 <= abs(value) < 1e9:
        text = f"{value:.1f}".removesuffix(".0")
    else:
        text = f"{value + 0.0:.3g}"
    return text.replace("-", "\N{MINUS SIGN}")


def _decimals(values: Sequence[Array]) -> int:
    """How many decimals all of these need: two at most, and fewer where numbers have more than two digits before."""
    everything = np.concatenate([v.ravel() for v in values])
    digits = len(f"{np.abs(everything).max():.0f}")
    most = min(2, max(0, 4 - digits))
    return next((d for d in range(most) if np.allclose(everything, np.round(everything, d), atol=1e-9)), most)


def _shared(stack: Stack, share: bool | str) -> dict[Wire, str]:
    """The letters that share asks for; ValueError where there are none, or not these."""
    letters = stack.letters()
    known = list(dict.fromkeys(letters.values()))
    if not known:
        raise ValueError(
            f"share (={share!r}) shows weights, and no wire of this layer carries one: make the weight outside of the "
            "function, so that every call reads the same one"
        )
    if share is True:
        return letters
    if unknown := [letter for letter in str(share) if letter not in known]:
        raise ValueError(f"there is no weight {unknown[0]!r}: the weights are {known[0]} to {known[-1]}")
    return {wire: letter for wire, letter in letters.items() if letter in set(str(share))}


# -- units in rows -----------------------------------------------------------------------------------------------------


def _rows(
    stack: Stack,
    front: Sequence[set[tuple[int, int]]],
    looks: Looks,
    unit_looks: Callable[[int, int], Attributes],
    label: Callable[[int, int], str],
    letters: Mapping[Wire, str],
    bold: bool,
    title: str,
    names: Sequence[str],
    page: _Page,
    own_looks: Mapping[Wire, Attributes],
) -> Drawing:
    """Units in rows; wires with a letter are bold, or of its colour with the letter beside them."""
    drawn = [set(units) for units in page.kept]
    wires = [(r, j, i) for r, found in enumerate(stack.wires) for j, i in found if j in drawn[r] and i in drawn[r + 1]]
    if (count := len(wires)) > MOST_DRAWN_WIRES:
        raise ValueError(
            f"{count:,} wires are no picture (more than {MOST_DRAWN_WIRES:,}): draw a smaller input_shape; the pattern "
            "is the same"
        )
    drawing, elided = Drawing(), [len(units) < n for units, n in zip(page.kept, stack.sizes, strict=True)]
    placed = _elided_places(stack, page.kept) if any(elided) else _places(stack)
    letters = {wire: letters[wire] for wire in wires if wire in letters}
    plaques, dy = ({}, DY) if bold else _plaques(placed, letters)
    at = page.at(dy)
    numbered: list[dict[int, int]] = []
    for r, places in enumerate(placed):
        width = stack.width(r)
        numbered.append({})
        for i in page.kept[r]:
            x, y = at(places[i], r)
            if min(i % width, width - 1 - i % width) < page.ends:
                numbered[r][i] = drawing.text(x, y, "...", 20)
            else:
                own = unit_looks(r, i)
                node = {**own, **page.node} if page.node else own
                numbered[r][i] = drawing.unit(x, y, label(r, i), node)
        if elided[r]:
            last = page.kept[r][(len(page.kept[r]) + 1) // 2 - 1]
            drawing.text(*at(places[last] + 1, r), "...", 20)
    weights = dict(zip(sorted(set(letters.values()), key=lambda a: (len(a), a)), cycle(WEIGHTS)))
    for r, j, i in wires:
        style, letter = looks.trace if (j, i) in front[r] else {}, letters.get((r, j, i), "")
        style = own_looks.get((r, j, i), style)
        if letter and bold:
            style = SHARED
        elif letter:
            style, (x, y) = weights[letter], plaques[r, j, i]
            drawing.text(*at(x / DX, y / dy), letter, 16, fontname="Times-Italic", fontcolor=style["color"])
        drawing.wire(numbered[r][j], numbered[r + 1][i], style, front=bool(style))
    for r, units in page.biased.items():
        one = drawing.unit(*at(min(placed[r][i] for i in page.kept[r]) - 1.3, r), plain("1"), {**NUMBER, **BIAS})
        for i in units:
            if i in drawn[r + 1]:
                drawing.wire(one, numbered[r + 1][i], {"color": BIAS["color"], "style": "dashed"})
    left, _, _, top = drawing.extent()
    if page.upright:
        drawing.caption(title)
    for r, name in enumerate(names):
        if page.upright:
            drawing.text(left - 21, at(0, r)[1], name, align="r")
        else:
            drawing.text(at(0, r)[0], top + 18, name)
    return drawing if page.upright else drawing.caption(title)


@dataclass(frozen=True)
class _Page:
    """How rows lie on the page: where to they grow, which units are drawn, as what, and what has a bias."""

    orientation: str
    ends: int
    kept: Sequence[Sequence[int]]
    node: Attributes
    biased: Mapping[int, Sequence[int]]

    @property
    def upright(self) -> bool:
        return self.orientation in ("up", "down")

    def at(self, dy: float) -> Callable[[float, float], tuple[float, float]]:
        """The place of a unit from its place along its row (in steps) and its row; dy from row to row."""
        wide = max(DX, 72 * float(self.node.get("width", 0)) + 22)
        step = {"up": (wide, dy), "down": (wide, -dy), "right": (dy * 1.2, -54), "left": (-dy * 1.2, -54)}[
            self.orientation
        ]

        def place(along: float, row: float) -> tuple[float, float]:
            return (along * step[0], row * step[1]) if self.upright else (row * step[0], along * step[1])

        return place


def _elided_places(stack: Stack, kept: Sequence[Sequence[int]]) -> list[list[float]]:
    """Where the units that are drawn stand, in steps: around the middle, with a gap for what is left out."""
    rows = []
    for units, size in zip(kept, stack.sizes, strict=True):
        gap = len(units) < size
        half, places = (len(units) + 1) // 2, [0.0] * size
        for n, unit in enumerate(units):
            places[unit] = n + (1 if gap and n >= half else 0) - (len(units) + gap - 1) / 2
        rows.append(places)
    return rows


def _plaques(
    placed: Sequence[Sequence[float]], letters: Mapping[Wire, str]
) -> tuple[dict[Wire, tuple[float, float]], float]:
    """The middle of each letter, and the distance of the rows: the least that has room for all letters.

    Raises ValueError where there are too many wires between two rows.
    """
    width = PLAQUE_WIDTH * max(map(len, letters.values()), default=1)
    for dy in ROW_DISTANCES:
        found: dict[Wire, tuple[float, float]] = {}
        for r in range(len(placed) - 1):
            wires = [wire for wire in letters if wire[0] == r]
            ends = np.array([(placed[r][j] * DX, placed[r + 1][i] * DX) for _, j, i in wires]).reshape(-1, 2)
            middles = _on_lines(ends, dy, width)
            found |= {wire: (x, r * dy + y) for wire, (x, y) in zip(wires, middles, strict=False)}
        if len(found) == len(letters):
            return found, dy
    raise ValueError(
        f"{len(letters)} wires leave no room for a letter on each: show one or a few of the weights in bold, as with "
        "share='abc', or draw a smaller input_shape; the pattern is the same"
    )


def _on_lines(ends: Array, height: float, width: float) -> Iterator[tuple[float, float]]:
    """A place (x, y) for a letter beside each line from (ends[n, 0], 0) to (ends[n, 1], height), while there is room.

    It meets no other letter and no unit; of such places it is the one that covers the fewest other lines.
    """
    heights = np.array(sorted(np.arange(32, 67, 2) / 100, key=lambda t: abs(t - 0.34)))
    along = np.repeat(heights, 2)[:, None]  # on both sides of the line
    taken: list[tuple[float, float]] = []
    low, high = (  # where each line is, as high as the letter begins and ends; (along, line)
        ends[:, 0] + (along + shift / height) * (ends[:, 1] - ends[:, 0])
        for shift in (-PLAQUE_HEIGHT / 3, PLAQUE_HEIGHT / 3)
    )
    left, right = np.minimum(low, high), np.maximum(low, high)
    after = np.tile([True, False], len(heights))[:, None]
    for n in range(len(ends)):
        x = np.where(after, right[:, [n]] + width / 2 + 1, left[:, [n]] - width / 2 - 1)
        y = along * height
        free = np.ones(len(along), bool)
        for other_x, other_y in taken:
            free &= ((abs(x - other_x) >= width + 1) | (abs(y - other_y) >= PLAQUE_HEIGHT))[:, 0]
        if not free.any():
            return
        gaps = np.delete(np.maximum(left - x, x - right), n, axis=1) - width / 2  # to each other line
        covered = np.clip(1 - gaps / MARGIN, 0, 1).sum(axis=1).round(6)
        best = np.flatnonzero(free)[np.argmin(covered[free])]
        taken.append((float(x[best, 0]), float(y[best, 0])))
        yield taken[-1]


def _places(stack: Stack) -> list[list[float]]:
    """Where the units of each row stand, in steps of DX: over the middle of what they see, at equal distances."""
    rows = [[float(j) for j in range(stack.width(0))]]
    for r, wires in enumerate(stack.wires, start=1):
        seen: dict[int, list[float]] = {}
        for j, i in wires:
            seen.setdefault(i % stack.width(r), []).append(rows[-1][j % len(rows[-1])])
        rows.append(_spread(rows[-1], stack.width(r), seen))
    return [_channels(row, size // len(row)) for row, size in zip(rows, stack.sizes, strict=True)]


def _spread(below: list[float], count: int, seen: dict[int, list[float]]) -> list[float]:
    """The places of a row, from those that each of its units sees in the row below."""
    if count == len(below):
        return below
    most = max(map(len, seen.values()), default=0)
    whole = {i: sum(places) / most for i, places in seen.items() if len(places) == most}  # not cut off by the border
    middle = whole if len(whole) > 1 else {i: sum(places) / len(places) for i, places in seen.items()}
    steps = [middle[i + 1] - middle[i] for i in middle if i + 1 in middle]
    step = median(steps) if steps else 0.0
    if step <= 0:  # all see the same, as in a dense layer
        centre = sum(below) / len(below)
        return [centre + i - (count - 1) / 2 for i in range(count)]
    start = median(place - step * i for i, place in middle.items())
    return [start + step * i for i in range(count)]


def _channels(row: list[float], channels: int) -> list[float]:
    """The places of several channels side by side, centred as one of them would be."""
    step = max(row) - min(row) + 2
    return [place + step * (c - (channels - 1) / 2) for c in range(channels) for place in row]


def _letter(n: int) -> str:
    """a, b, ..., z, aa, ab, ... for 0, 1, ..."""
    return (_letter(n // 26 - 1) if n >= 26 else "") + chr(ord("a") + n % 26)


# -- images as grids ---------------------------------------------------------------------------------------------------


def _grids(
    stack: Stack,
    paths: Sequence[tuple[Sequence[set[int]], str]],
    unit_looks: Callable[[int, int], Attributes],
    texts: Sequence[Sequence[str]],
    captions: Sequence[str],
) -> Drawing:
    """Each row of units as a column of grids, the input on the left.

    Along each path, the rows of a window are joined to those of what sees it.
    """
    drawing, x = Drawing(), 0.0
    shapes = [  # several images stand below one another, as channels do
        (shape[0] * shape[1], *shape[2:]) if stack.is_grid(r) else (1, stack.sizes[r], 1)
        for r, shape in enumerate(stack.shapes)
    ]
    columns = [channels * (height + 1) - 1 for channels, height, _ in shapes]  # cells, with a gap between two channels
    cells: list[list[int]] = []
    for r, (channels, height, width) in enumerate(shapes):
        cells.append([])
        for c in range(channels):
            y, first = ((columns[r] - 1) / 2 - c * (height + 1)) * CELL_SIZE, c * height * width
            units = range(first, first + height * width)
            marked = [{**SEEN_THROUGH, **unit_looks(r, i)} for i in units]
            cells[r] += drawing.grid(x, y, (height, width), [texts[r][i] for i in units], marked)
        caption = captions[r] if r < len(captions) else _size(stack.shapes[r])
        middle, lines = x + (width - 1) / 2 * CELL_SIZE, caption.count("\n")
        drawing.text(middle, (max(columns) + 1) / 2 * CELL_SIZE + 14 + 8.75 * lines, caption)
        x += (width + 2.5) * CELL_SIZE
    for path, color in paths:
        for r, (before, after) in enumerate(pairwise(path)):
            if before and after:
                _join(drawing, cells[r], before, cells[r + 1], after, color)
    return drawing


def _letters_in_windows(letters: Mapping[Wire, str], marks: Sequence[set[int]]) -> dict[tuple[int, int], str]:
    """Where one unit is followed, the letter of the weight that it reads each cell (row, unit) of its window with."""
    return {
        (r, j): letter
        for (r, j, i), letter in letters.items()
        if j in marks[r] and i in marks[r + 1] and len(marks[r + 1]) == 1
    }


def _size(shape: tuple[int, ...]) -> str:
    """The size of a row of units: of one image, or of so many."""
    size = " × ".join(map(str, shape[1:]))
    return size if len(shape) < 2 or shape[0] == 1 else f"{shape[0]} images\n{size}"


def _join(
    drawing: Drawing, left: Sequence[int], before: set[int], right: Sequence[int], after: set[int], color: str
) -> None:
    """Two lines from the right corners of the marked cells of one grid to the left corners of those of the next."""
    one, two = ([drawing.shapes[grid[n]] for n in marked] for grid, marked in ((left, before), (right, after)))
    x, end = max(s.x for s in one) + CELL_SIZE / 2, min(s.x for s in two) - CELL_SIZE / 2
    for pick, side in ((max, CELL_SIZE / 2), (min, -CELL_SIZE / 2)):
        tail = drawing.point(x, pick(s.y for s in one) + side)
        head = drawing.point(end, pick(s.y for s in two) + side)
        drawing.wire(
            tail, head, {**TRACE, **UNCLIPPED, "color": color, "arrowhead": "none", "penwidth": "1.2"}, front=True
        )
