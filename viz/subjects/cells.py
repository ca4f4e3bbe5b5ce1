"""Images as grids of cells, and the windows that a unit sees of them.

What you can do here: draw `Units` with `in_grids`, and find the `letters_in_windows`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from ..drawing.dot import TRACE, WINNER, Attributes
from ..drawing.sheet import CELL_SIZE, UNCLIPPED, Drawing
from .stack import Wire
from .units import Units

SEEN_THROUGH = {"style": "solid"}  # a cell that a line to a window passes behind


def in_grids(
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


def letters_in_windows(units: Units, letters: Mapping[Wire, str]) -> dict[tuple[int, int], str]:
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
