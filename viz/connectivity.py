"""Units and the wires between them: sparse, dense, shared, strided, padded, in rows and on grids.

What you can do here: draw the `connectivity` of a layer, or of a stack of layers.

The wires come from `connections`, so from derivatives; nothing here knows one kind of layer from another.

Letters:   r row of units, counted from below    j unit of one row    i unit of the row above (flat numbers)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
import numpy.typing as npt

from minitensor import Tensor, gradients
from minitensor.tensor import Array

from .connections import Layer, Wires, accepted_shape, parameters_of, wires_at
from .dot import (
    FIELD,
    FOCUS,
    GREY_FIELD,
    GREY_FOCUS,
    GREY_TRACE,
    NUMBER,
    SHARED,
    TRACE,
    WEIGHTS,
    Attributes,
    plain,
    subscripted,
)
from .drawing import Drawing, Pinned

DX, DY, CELL_SIZE = 72.0, 112.0, 36.0
LETTERS = "xhgfedcba"
PLAQUE = {"fontname": "Times-Italic", "style": "filled", "fillcolor": "white"}  # under a letter on a wire
CLEAR = {"style": ""}  # a cell that lines can be seen through
MOST_UNITS, MOST_DRAWN_WIRES = 1_500, 5_000


def connectivity(
    layers: Layer | Sequence[Layer],
    input_shape: int | Sequence[int] | None = None,
    *,
    highlight: int | Iterable[int] | None = None,
    direction: str = "below",
    share: bool | str = False,
    x: npt.ArrayLike | None = None,
    compare: npt.ArrayLike | None = None,
    title: str = "",
    rows: Sequence[str] = (),
    letters: str = "",
    ends: int = 0,
    grey: bool = False,
) -> Pinned:
    """Draw the units of a layer, or of a list of layers from below, and every wire between them.

    highlight: units (flat numbers) to follow; seen from "below" they are inputs, and all that they reach is marked,
    from "above" they are outputs, and all that they see is marked: their receptive field.
    share: give each parameter a colour and a letter; a string of letters shows those alone, in bold.
    x: an input; the values stand in the units, and the wires along which a change would pass (the derivative at x is
    not zero) are bold.  compare: another input; the units whose values differ from those are marked.
    title stands above, rows name the rows from below, letters name the units of each row; ends draws so many units at
    both ends of each row as dots: the row goes on.  grey uses the greys of a printed book.
    A layer of images is drawn as a grid; of each unit that is followed, the window is marked in the grid before.
    Raises ValueError for units that are not there, another direction, a layer that rejects the shape, or one too large
    to be looked at.

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
    stack = Stack.of([layers] if callable(layers) else list(layers), input_shape)
    marks, traced = stack.follow(highlight, direction)
    values = stack.values(x) if x is not None else None
    others = stack.values(compare) if compare is not None else None
    looks = GREY_LOOKS if grey else COLOUR_LOOKS
    labels = letters or ("xs" if len(stack.shapes) == 2 else LETTERS.ljust(len(stack.shapes), "h"))
    if len(labels) < len(stack.shapes):
        raise ValueError(f"letters (={letters!r}) must name each of the {len(stack.shapes)} rows")

    followed = 0 if direction == "below" else len(stack.shapes) - 1

    def unit_looks(r: int, i: int) -> Attributes:
        changed = values is not None and others is not None and values[r].flat[i] != others[r].flat[i]
        marked = looks.focus if i in marks[r] and r == followed else looks.field if i in marks[r] or changed else {}
        return {**(NUMBER if values is not None else {}), **marked}

    decimals = _decimals(values) if values is not None else 0

    def label(r: int, i: int) -> str:
        return subscripted(labels[r], i + 1) if values is None else plain(number(values[r].flat[i], decimals))

    if any(stack.is_grid(r) for r in range(len(stack.shapes))):
        shared = _letters_in_windows(stack, marks) if share else {}

        def inside(r: int, i: int) -> str:
            return label(r, i) if values is not None else plain(shared.get((r, i), ""))

        drawing = _grids(stack, marks, unit_looks, inside, rows)
    else:
        active = stack.active(x) if x is not None else [set[tuple[int, int]]() for _ in stack.wires]
        front = [a | b for a, b in zip(active, traced, strict=True)]
        drawing = _rows(stack, front, looks, unit_looks, label, share, rows, ends)
    drawing.caption(title)
    return drawing.figure(title or f"connectivity of {' to '.join(str(n) for n in stack.sizes)} units")


@dataclass(frozen=True)
class Looks:
    """How what is followed looks."""

    focus: Attributes
    field: Attributes
    trace: Attributes


COLOUR_LOOKS = Looks(FOCUS, FIELD, TRACE)
GREY_LOOKS = Looks(GREY_FOCUS, GREY_FIELD, GREY_TRACE)


@dataclass(frozen=True)
class Stack:
    """Layers, the shape of each row of units (the batch axis in front), and the wires between each two rows."""

    layers: Sequence[Layer]
    shapes: Sequence[tuple[int, ...]]
    wires: Sequence[Wires]
    parameters: Sequence[dict[str, Tensor]]

    @staticmethod
    def of(layers: Sequence[Layer], input_shape: int | Sequence[int]) -> Stack:
        """Follow a shape through the layers; ValueError where a row has too many units to be drawn."""
        shapes, wires, parameters = [accepted_shape(layers[0], input_shape)], [], []
        for layer in layers:
            wires.append(wires_at(layer, shapes[-1]))
            x = Tensor(np.zeros(shapes[-1]))
            y = layer(x)
            parameters.append(parameters_of(layer, y, x))
            shapes.append(y.shape)
        stack = Stack(layers, shapes, wires, parameters)
        if sum(stack.sizes) > MOST_UNITS:
            raise ValueError(
                f"{sum(stack.sizes):,} units are no picture (more than {MOST_UNITS:,}): draw a smaller input_shape; "
                "the pattern is the same"
            )
        return stack

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

    def letters(self) -> dict[tuple[int, int, int], str]:
        """A letter for each wire (row below, j, i) that carries a weight; equal letters are one element of one Tensor.

        a, b, ..., z, aa, ab, ..., in the order in which the weights come.
        """
        names: dict[object, str] = {}
        found = {}
        for r, wires in enumerate(self.wires):
            for (j, i), carried in wires.items():
                if carried is not None:
                    pairs = [carried] if isinstance(carried[0], str) else carried
                    weight = tuple((self.parameters[r][name], k) for name, k in pairs)
                    found[r, j, i] = names.setdefault(weight, _letter(len(names)))
        return found

    def values(self, x: npt.ArrayLike) -> list[Array]:
        """The values of all units for an input x."""
        rows = [Tensor(np.reshape(np.asarray(x, dtype=float), self.shapes[0]))]
        for layer in self.layers:
            rows.append(layer(rows[-1]))
        return [row.data for row in rows]

    def active(self, x: npt.ArrayLike) -> list[set[tuple[int, int]]]:
        """The wires whose derivative at x is not zero, where that is true of some only."""
        found = []
        for layer, wires, before in zip(self.layers, self.wires, self.values(x), strict=False):
            point = Tensor(before)
            y = layer(point)
            slopes = [gradients(y, [point], np.eye(1, y.size, i).reshape(y.shape))[0].data for i in range(y.size)]
            active = {(j, i) for j, i in wires if slopes[i].flat[j]}
            found.append(active if len(active) < len(wires) else set[tuple[int, int]]())
        return found

    def follow(
        self, units: int | Iterable[int] | None, direction: str
    ) -> tuple[list[set[int]], list[set[tuple[int, int]]]]:
        """From these units through all rows: the units that are met in each row, and the wires between them."""
        start, down = (len(self.shapes) - 1, True) if direction == "above" else (0, False)
        met = {units} if isinstance(units, int) else set(units or ())
        if wrong := [u for u in sorted(met) if not 0 <= u < self.sizes[start]]:
            raise ValueError(f"there is no unit {wrong[0]}: the row has units 0 to {self.sizes[start] - 1}")
        marks, traced = [met], []
        for wires in reversed(self.wires) if down else self.wires:
            traced.append({(j, i) for j, i in wires if (i if down else j) in marks[-1]})
            marks.append({(j if down else i) for j, i in traced[-1]})
        return (marks[::-1], traced[::-1]) if down else (marks, traced)


def number(value: float, decimals: int | None = None) -> str:
    """A value short enough for a unit, with so many decimals or as few as it needs, and a true minus sign.

    >>> number(1.0), number(1.0, 1), number(-0.5), number(12.3456)
    ('1', '1.0', '\u22120.5', '12.3')
    """
    text = f"{value + 0.0:.3g}" if decimals is None else f"{value + 0.0:.{decimals}f}"
    return text.replace("-", "\N{MINUS SIGN}")


def _decimals(values: Sequence[Array]) -> int:
    """How many decimals all of these need, two at most."""
    everything = np.concatenate([v.ravel() for v in values])
    return next((d for d in (0, 1) if np.allclose(everything, np.round(everything, d), atol=1e-9)), 2)


# -- units in rows -----------------------------------------------------------------------------------------------------


def _rows(
    stack: Stack,
    front: Sequence[set[tuple[int, int]]],
    looks: Looks,
    unit_looks: Callable[[int, int], Attributes],
    label: Callable[[int, int], str],
    share: bool | str,
    captions: Sequence[str],
    ends: int,
) -> Drawing:
    if (count := sum(map(len, stack.wires))) > MOST_DRAWN_WIRES:
        raise ValueError(
            f"{count:,} wires are no picture (more than {MOST_DRAWN_WIRES:,}): draw a smaller input_shape; the pattern "
            "is the same"
        )
    drawing, placed = Drawing(), _places(stack)
    numbered: list[list[int]] = []
    for r, places in enumerate(placed):
        width = stack.width(r)
        numbered.append([])
        for i, place in enumerate(places):
            if min(i % width, width - 1 - i % width) < ends:
                numbered[r].append(drawing.text(place * DX, r * DY, "...", 20))
            else:
                numbered[r].append(drawing.unit(place * DX, r * DY, label(r, i), unit_looks(r, i)))
    left = min(min(places) for places in placed) * DX - 40
    for r, caption in enumerate(captions):
        drawing.text(left, r * DY, caption, align="r")
    letters = stack.letters() if share else {}
    order = {letter: n for n, letter in enumerate(dict.fromkeys(letters.values()))}
    for r, wires in enumerate(stack.wires):
        near = all(abs(placed[r][j] - placed[r + 1][i]) <= 1 for j, i in wires)
        along = 0.36 if near else 0.24  # where the letter stands: wires meet in the middle
        for j, i in wires:
            style, letter = looks.trace if (j, i) in front[r] else {}, letters.get((r, j, i), "")
            if letter and share is True:
                style = {**TRACE, "color": WEIGHTS[order[letter] % len(WEIGHTS)], "penwidth": "2.2"}
                x = placed[r][j] + along * (placed[r + 1][i] - placed[r][j])
                drawing.text(x * DX, (r + along) * DY, letter, 16, **PLAQUE, fontcolor=style["color"])
            elif letter and letter in str(share):
                style = SHARED
            drawing.wire(numbered[r][j], numbered[r + 1][i], style, front=bool(style))
    return drawing


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
    marks: Sequence[set[int]],
    unit_looks: Callable[[int, int], Attributes],
    label: Callable[[int, int], str],
    captions: Sequence[str],
) -> Drawing:
    """Each row of units as a column of grids, the input on the left; windows are joined to the unit that sees them."""
    drawing, x = Drawing(), 0.0
    cells: list[dict[int, int]] = []
    for r, shape in enumerate(stack.shapes):
        channels, height, width = shape[1:] if stack.is_grid(r) else (1, stack.sizes[r], 1)
        column = channels * (height + 1) - 1
        cells.append({})
        for i in range(stack.sizes[r]):
            c, place = divmod(i, height * width)
            h, w = divmod(place, width)
            y = ((column - 1) / 2 - c * (height + 1) - h) * CELL_SIZE
            cells[r][i] = drawing.cell(x + w * CELL_SIZE, y, label(r, i), {**CLEAR, **unit_looks(r, i)})
        caption = captions[r] if r < len(captions) else " × ".join(str(n) for n in shape[1:])
        drawing.text(x + (width - 1) / 2 * CELL_SIZE, (column + 1) / 2 * CELL_SIZE + 14, caption)
        x += (width + 2.5) * CELL_SIZE
    for (r, before), after in zip(enumerate(marks), marks[1:], strict=False):
        if before and after:
            _join(drawing, [cells[r][j] for j in before], [cells[r + 1][i] for i in after])
    return drawing


def _letters_in_windows(stack: Stack, marks: Sequence[set[int]]) -> dict[tuple[int, int], str]:
    """Where one unit is followed, the letter of the weight that it reads each cell (row, unit) of its window with."""
    letters = stack.letters().items()
    return {(r, j): letter for (r, j, i), letter in letters if len(marks[r + 1]) == 1 and i in marks[r + 1]}


def _join(drawing: Drawing, left: Sequence[int], right: Sequence[int]) -> None:
    """Lines from the right corners of a window to the left corners of what sees it."""
    half = CELL_SIZE / 2
    one, two = ([drawing.shapes[n] for n in cells] for cells in (left, right))
    x, end = max(s.x for s in one) + half, min(s.x for s in two) - half
    for pick, side in ((max, half), (min, -half)):
        tail, head = (drawing.point(at, pick(s.y for s in cells) + side) for at, cells in ((x, one), (end, two)))
        drawing.wire(tail, head, {**TRACE, "arrowhead": "none", "penwidth": "1.2"}, front=True)
