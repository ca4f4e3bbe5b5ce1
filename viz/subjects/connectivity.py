"""Units and the wires between them: sparse, dense, shared, strided, padded, in rows and on grids.

What you can do here: draw the `connectivity` of a layer, or of a list of layers.

What there is to draw is a `Stack` (stack.py), what stands in its units and how they look is said in units.py; rows of
units are laid out in rows.py, images as grids here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ..drawing.dot import TRACE, WINNER, Attributes
from ..drawing.sheet import CELL_SIZE, UNCLIPPED, Drawing, Pinned
from ..drawing.style import Style
from .connections import Layer
from .rows import Page, in_rows
from .stack import Stack, Wire
from .units import Followed, Units

SEEN_THROUGH = {"style": "solid"}  # a cell that a line to a window passes behind


def connectivity(
    layers: Layer | Sequence[Layer],
    input_shape: int | Sequence[int] | None = None,
    *,
    highlight: Followed = None,
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
    if input_shape is None:
        if x is None:
            raise ValueError("connectivity needs an input_shape, or an input x that has one")
        input_shape = np.asarray(x).shape
    stack = Stack.of([layers] if callable(layers) else list(layers), input_shape, zeros, most is None)
    if unit is not None:
        if x is not None or share or weigh or bias:
            raise ValueError("a node of several units (unit=) has no number, letter, weight or bias of its own")
        stack = stack.merged(unit, 1 if isinstance(input_shape, int) else len(input_shape))
    if len(rows) > len(stack.shapes):
        raise ValueError(f"rows (={rows!r}) must name at most the {len(stack.shapes)} rows that there are")
    units = Units(stack, highlight, direction, letters, labels or {}, x, compare, style)
    page = Page(style.orientation or "up", ends, most, unit is not None, bias, weigh, title, rows)
    shared = stack.shared(share) if share else {}
    if not stack.has_grids and blocks:
        raise ValueError("blocks belong to grids: these units stand in rows")
    if stack.has_grids and (bias or weigh or most is not None):
        raise ValueError("bias, weigh and most belong to units in rows: grids have no wires")
    if stack.has_grids:
        drawing = _grids(units, _letters_in_windows(units, shared), stack.blocks() if blocks else {}, rows)
        drawing.caption(title)
    else:
        drawing = in_rows(units, page, shared, share is not True)
    drawing.style = style
    return drawing.figure(title or f"connectivity of {' to '.join(str(n) for n in stack.sizes)} units")


# -- images as grids ---------------------------------------------------------------------------------------------------


def _grids(
    units: Units,
    letters: Mapping[tuple[int, int], str],
    tints: Mapping[tuple[int, int], str],
    captions: Sequence[str],
) -> Drawing:
    """Each row of units as a column of grids, the input on the left.

    From each unit that is followed, the rows of a window are joined to those of what sees it.
    """
    stack, winners = units.stack, units.winners()

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


def _letters_in_windows(units: Units, letters: Mapping[Wire, str]) -> dict[tuple[int, int], str]:
    """The letter of the weight that one followed unit reads each cell (row, unit) of its window with.

    Raises ValueError where there are letters and no such unit, or numbers in the cells.
    """
    met = units.met.units
    inside = {
        (r, j): letter
        for (r, j, i), letter in letters.items()
        if j in met[r] and i in met[r + 1] and len(met[r + 1]) == 1
    }
    if letters and (units.numbers or not inside):
        raise ValueError(
            "share on a grid writes the weights of one window into it: highlight one unit, seen from above, and give "
            "no x"
        )
    return inside


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
