"""Units and the wires between them: sparse, dense, shared, strided, padded, in rows and on grids.

What you can do here: draw the `connectivity` of a layer, or of a list of layers.

What there is to draw is a `Stack` (stack.py); rows of units are laid out in rows.py, images as grids here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from minitensor.checks import whole
from minitensor.tensor import Array

from ..drawing.dot import (
    ACTIVE,
    CHANGED,
    FIELD,
    FOCUS,
    NODE,
    NUMBER,
    TRACE,
    WINNER,
    Attributes,
    number,
    plain,
    subscripted,
)
from ..drawing.sheet import CELL_SIZE, CHARACTER, UNCLIPPED, Drawing, Pinned
from ..drawing.style import LIGHT, Style, mixed
from .connections import Layer
from .rows import Page, in_rows
from .stack import Path, Stack, Wire

ROOM = 33.0  # for a number in a unit
ROWS = "xhgfedcbazywvutsrqponmlkji"  # letters of the units of each row, from below
SEEN_THROUGH = {"style": "solid"}  # a cell that a line to a window passes behind
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

    A model is one layer; to see what is between, give its layers: `list(model)` of a Sequential.
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
    style = Style("print") if grey else Style.of(style)
    if direction not in ("below", "above"):
        raise ValueError(f"direction (={direction!r}) must be 'below' or 'above'")
    if input_shape is None:
        if x is None:
            raise ValueError("connectivity needs an input_shape, or an input x that has one")
        input_shape = np.asarray(x).shape
    stack = Stack.of([layers] if callable(layers) else list(layers), input_shape, zeros, most is None)
    if unit is not None:
        if x is not None or share or weigh or bias:
            raise ValueError("a node of several units (unit=) has no number, letter, weight or bias of its own")
        stack = stack.merged(unit, 1 if isinstance(input_shape, int) else len(input_shape))
    named = letters or ("xs" if len(stack.shapes) == 2 else ROWS)
    _check_words(stack, letters, named, rows, labels or {})
    if whole("ends", ends) < 0:
        raise ValueError(f"ends (={ends}) must be at least 0")
    if most is not None and whole("most", most) < 2:
        raise ValueError(f"most (={most}) must be at least 2")
    units = Units.of(stack, highlight, direction, x, compare, labels or {}, style)
    shared = stack.shared(share) if share else {}
    if stack.has_grids:
        if bias or weigh or most is not None:
            raise ValueError("bias, weigh and most belong to units in rows: grids have no wires")
        inside = _letters_in_windows(shared, units.met)
        if shared and (units.numbers or not inside):
            raise ValueError(
                f"share (={share!r}) on a grid writes the weights of one window into it: highlight one unit, seen "
                "from above, and give no x"
            )
        drawing = _grids(stack, units, inside, stack.blocks() if blocks else {}, rows).caption(title)
    elif blocks:
        raise ValueError("blocks belong to grids: these units stand in rows")
    else:
        looks = units.wires() | (stack.weighed() if weigh else {})
        node = units.node(large=unit is not None)
        biased = stack.biased() if bias else {}
        page = Page(style.orientation or "up", ends, stack.kept(most), node, biased, title, rows)
        drawing = in_rows(
            stack, lambda r, i: (units.label(r, i, named), units.looks(r, i)), looks, shared, share is not True, page
        )
    drawing.style = style
    return drawing.figure(title or f"connectivity of {' to '.join(str(n) for n in stack.sizes)} units")


def _check_words(
    stack: Stack, letters: str, named: str, rows: Sequence[str], labels: Mapping[tuple[int, int], str]
) -> None:
    """ValueError where there are letters, names or labels for units and rows that are not there."""
    count = len(stack.shapes)
    if (letters and len(letters) != count) or len(rows) > count:
        raise ValueError(f"letters (={letters!r}) must name each of the {count} rows, and rows (={rows!r}) no more")
    if len(named) < count:
        raise ValueError(f"letters (={named!r}) must name each of the {count} rows: there are too many")
    for r, i in labels:
        if not (0 <= r < count and 0 <= i < stack.sizes[r]):
            raise ValueError(f"labels: there is no unit {i} in row {r} (rows of {stack.sizes} units)")


@dataclass(frozen=True)
class Units:
    """What stands in each unit, and how it looks: those that are followed, what these meet, what has changed.

    start: the row of the followed.  values, others: of all units, for the input and for the one to compare with.
    """

    stack: Stack
    start: int
    followed: Mapping[int, str]  # and their colours, "" the usual one
    paths: Mapping[int, Path]  # of each of them alone
    met: Path
    values: Sequence[Array]
    others: Sequence[Array]
    active: Sequence[set[tuple[int, int]]]
    labels: Mapping[tuple[int, int], str]
    numbers: Sequence[Sequence[str]]
    size: str  # of the numbers
    style: Style

    @staticmethod
    def of(
        stack: Stack,
        highlight: Place | Iterable[Place] | Mapping[Place, str] | None,
        direction: str,
        x: npt.ArrayLike | None,
        compare: npt.ArrayLike | None,
        labels: Mapping[tuple[int, int], str],
        style: Style,
    ) -> Units:
        start = 0 if direction == "below" else len(stack.shapes) - 1
        followed = stack.places(highlight, start)
        met = stack.follow(set(followed), direction)
        paths = {u: stack.follow({u}, direction) for u in followed}
        values = [] if x is None else stack.values(x)
        others = [] if compare is None else stack.values(compare)
        active = [] if x is None else stack.active(x)
        decimals = _decimals(values) if values else 0
        numbers = [[number(v, decimals) for v in row.flat] for row in values]
        longest = max((len(text) for row in numbers for text in row), default=1)
        size = f"{min(13, ROOM / CHARACTER / longest):.3g}"
        return Units(stack, start, followed, paths, met, values, others, active, labels, numbers, size, style)

    def label(self, r: int, i: int, names: str) -> str:
        """What stands in a unit of a row, as DOT text: words, its value, or the letter of its row with its number."""
        if words := self.labels.get((r, i)):
            return plain(words)
        return plain(self.numbers[r][i]) if self.numbers else subscripted(names[r], i + 1)

    def looks(self, r: int, i: int) -> Attributes:
        """How a unit looks."""
        looks: dict[str, str] = {**NUMBER, "fontsize": self.size} if self.numbers else {}
        if self.values and self.others and self.values[r].flat[i] != self.others[r].flat[i]:
            looks |= CHANGED
        if i in self.met.units[r]:
            looks |= FOCUS if r == self.start else FIELD
        if colours := [self.followed[u] for u, path in self.paths.items() if self.followed[u] and i in path.units[r]]:
            paper = self.style.color("paper")
            tints = [mixed(colour, paper, 0.8 if r == self.start else 0.35) for colour in colours]
            filled = "filled" if len(tints) == 1 else "striped" if self.stack.has_grids else "wedged"
            looks |= {"style": filled, "fillcolor": ":".join(tints), "color": colours[0]}
            looks |= {"fontcolor": LIGHT["paper"]} if self.style.words_on(*tints) == "paper" else {}
        return looks

    def wires(self) -> dict[Wire, Attributes]:
        """How the wires look on which something is followed, or along which a change at x would pass."""
        usual = ACTIVE if self.values else TRACE
        looks: dict[Wire, Attributes] = {wire: usual for some in (self.met.wires, self.active) for wire in _wires(some)}
        for u, colour in self.followed.items():
            if colour:
                looks |= {wire: {**TRACE, "color": colour} for wire in _wires(self.paths[u].wires)}
        return looks

    def winners(self) -> set[tuple[int, int]]:
        """The units (row, unit) whose values a followed output takes: of its window only some pass a change on."""
        units = self.met.units
        seen = ((r, j) for r, j, i in _wires(self.active) if j in units[r] and i in units[r + 1])
        return set(seen) if self.start else set()

    def node(self, large: bool) -> Attributes:
        """How a node of many units looks, with room for the longest label; ValueError for one too long for a unit."""
        longest = max(self.labels.values(), key=len, default="")
        room = len(longest) * 19 * CHARACTER + 10
        if large:
            return {**NODE, "width": f"{max(57.6, room) / 72:.3g}"}
        if room > 44:
            raise ValueError(f"labels have room for two or three characters in a unit, got {longest!r}")
        return {}


def _wires(found: Sequence[set[tuple[int, int]]]) -> Iterator[Wire]:
    """The wires between each two rows as wires of the whole."""
    return ((r, j, i) for r, some in enumerate(found) for j, i in some)


def _decimals(values: Sequence[Array]) -> int:
    """How many decimals all of these need: two at most, and fewer where numbers have more than two digits before."""
    everything = np.concatenate([v.ravel() for v in values])
    digits = len(f"{np.abs(everything).max():.0f}")
    most = min(2, max(0, 4 - digits))
    return next((d for d in range(most) if np.allclose(everything, np.round(everything, d), atol=1e-9)), most)


# -- images as grids ---------------------------------------------------------------------------------------------------


def _grids(
    stack: Stack,
    units: Units,
    letters: Mapping[tuple[int, int], str],
    tints: Mapping[tuple[int, int], str],
    captions: Sequence[str],
) -> Drawing:
    """Each row of units as a column of grids, the input on the left.

    From each unit that is followed, the rows of a window are joined to those of what sees it.
    """
    winners = units.winners()

    def text(r: int, i: int) -> str:
        return units.labels.get((r, i)) or (units.numbers[r][i] if units.numbers else letters.get((r, i), ""))

    def looks(r: int, i: int) -> Attributes:
        block = {"style": "filled", "fillcolor": tints[r, i]} if (r, i) in tints else {}
        return {**SEEN_THROUGH, **block, **units.looks(r, i), **(WINNER if (r, i) in winners else {})}

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
            numbers = range(first, first + height * width)
            texts, marked = [text(r, i) for i in numbers], [looks(r, i) for i in numbers]
            cells[r] += drawing.grid(x, y, (height, width), texts, marked)
        caption = captions[r] if r < len(captions) else _size(stack.shapes[r])
        middle, lines = x + (width - 1) / 2 * CELL_SIZE, caption.count("\n")
        drawing.text(middle, (max(columns) + 1) / 2 * CELL_SIZE + 14 + 8.75 * lines, caption)
        x += (width + 2.5) * CELL_SIZE
    for u in sorted(units.paths):
        color = units.followed[u] or TRACE["color"]
        for r, (before, after) in enumerate(pairwise(units.paths[u].units)):
            if before and after:
                _join(drawing, cells[r], before, cells[r + 1], after, color)
    return drawing


def _letters_in_windows(letters: Mapping[Wire, str], met: Path) -> dict[tuple[int, int], str]:
    """Where one unit is followed, the letter of the weight that it reads each cell (row, unit) of its window with."""
    return {
        (r, j): letter
        for (r, j, i), letter in letters.items()
        if j in met.units[r] and i in met.units[r + 1] and len(met.units[r + 1]) == 1
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
