"""Units in rows, and letters beside the wires.

What you can do here: draw `Units` with `in_rows`, on a `Page` that says which of them are drawn, and in which direction
the rows grow.

Letters:   r row of units    j unit of one row    i unit of the row above    x, y place on the sheet, in points
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from statistics import median

import numpy as np

from minitensor.checks import whole
from minitensor.tensor import Array

from ..drawing.dot import BIAS, NUMBER, SHARED, WEIGHTS, Attributes, plain
from ..drawing.sheet import Drawing, Shape
from .stack import Stack, Wire
from .units import Units

DX, DY = 72.0, 112.0
LINK = 26.0  # points, more from unit to unit where arrows lead from one to the next
PLAQUE_WIDTH, PLAQUE_HEIGHT, MARGIN = 13.0, 20.0, 5.0  # a letter's; a wire or another within the margin disturbs
ROW_DISTANCES = [n * DY for n in (1, 1.5, 2, 3, 4, 6, 8)]  # with letters on the wires the first that has room for all
MOST_DRAWN_WIRES = 5_000
Places = Callable[[float, float], tuple[float, float]]  # of a place along a row, and of the row: x and y


@dataclass(frozen=True)
class Page:
    """How rows lie on the page: in which direction they grow, what is drawn of them, and the words.

    ends, most: as in `connectivity`.  large: a node stands for many units.  bias: a unit for it.  weigh: wires as thick
    as their weight.  Raises ValueError for a negative `ends`, or `most` below 2.
    """

    orientation: str
    ends: int
    most: int | None
    large: bool
    bias: bool
    weigh: bool
    title: str
    names: Sequence[str]

    def __post_init__(self) -> None:
        if whole("ends", self.ends) < 0:
            raise ValueError(f"ends (={self.ends}) must be at least 0")
        if self.most is not None and whole("most", self.most) < 2:
            raise ValueError(f"most (={self.most}) must be at least 2")

    @property
    def upright(self) -> bool:
        """Whether rows lie, so that they have their names beside them."""
        return self.orientation in ("up", "down")

    def at(self, dy: float, node: Attributes, chained: bool) -> Places:
        """The place of a unit from its place along its row (in steps) and its row; dy from row to row.

        chained: with room for arrows within a row.
        """
        wide = max(DX, 72 * float(node.get("width", 0)) + 22)
        wide, high = wide + LINK * chained, 54 + LINK * chained
        step = {"up": (wide, dy), "down": (wide, -dy), "right": (dy * 1.2, -high), "left": (-dy * 1.2, -high)}[
            self.orientation
        ]

        def place(along: float, row: float) -> tuple[float, float]:
            return (along * step[0], row * step[1]) if self.upright else (row * step[0], along * step[1])

        return place


def in_rows(units: Units, page: Page, letters: Mapping[Wire, str], bold: bool) -> Drawing:
    """Draw units in rows; wires with a letter are bold, or of its colour with the letter beside them.

    Raises ValueError for more wires than can be looked at, or than have room for their letters.
    """
    stack, looks = units.stack, units.wires() | (units.stack.weighed() if page.weigh else {})
    kept, node = stack.kept(page.most), units.node(page.large)
    drawn = [set(some) for some in kept]
    wires = [(r, j, i) for r, found in enumerate(stack.wires) for j, i in found if j in drawn[r] and i in drawn[r + 1]]
    if (count := len(wires)) > MOST_DRAWN_WIRES:
        raise ValueError(
            f"{count:,} wires are no picture (more than {MOST_DRAWN_WIRES:,}): draw a smaller input_shape; the pattern "
            "is the same"
        )
    all_drawn = all(len(some) == n for some, n in zip(kept, stack.sizes, strict=True))
    placed = _places(stack) if all_drawn else _elided_places(stack, kept)
    letters = {wire: letters[wire] for wire in wires if wire in letters}
    plaques, dy = ({}, DY) if bold else _plaques(placed, letters)
    at, drawing = page.at(dy, node, bool(stack.links)), Drawing()
    numbers = _put(drawing, units, node, kept, placed, at, page.ends)
    weights = dict(zip(sorted(set(letters.values()), key=lambda a: (len(a), a)), cycle(WEIGHTS)))
    for wire in wires:
        r, j, i = wire
        own = looks.get(wire, {})
        if letter := letters.get(wire):
            own = SHARED if bold else weights[letter]
            if not bold:
                x, y = plaques[wire]
                drawing.text(*at(x / DX, y / dy), letter, 16, fontname="Times-Italic", fontcolor=own["color"])
        drawing.wire(numbers[r][j], numbers[r + 1][i], own, front=bool(own))
    for link, own in units.links().items():
        r, s, i = link
        if s in drawn[r] and i in drawn[r]:
            _link(drawing, numbers[r][s], numbers[r][i], own, abs(placed[r][i] - placed[r][s]) > 1, page)
    for r, some in (stack.biased() if page.bias else {}).items():
        one = drawing.unit(*at(min(placed[r][i] for i in kept[r]) - 1.3, r), plain("1"), {**NUMBER, **BIAS})
        for i in sorted(drawn[r + 1].intersection(some)):
            drawing.wire(one, numbers[r + 1][i], {"color": BIAS["color"], "style": "dashed"})
    return _named(drawing, at, page)


def _link(drawing: Drawing, tail: int, head: int, looks: Attributes, arched: bool, page: Page) -> None:
    """An arrow from one unit of a row to another, over those between."""
    drawing.wire(tail, head, looks, front=bool(looks))
    if arched:
        one, two = drawing.shapes[tail], drawing.shapes[head]
        up = {"up": (0, 1), "down": (0, -1), "right": (1, 0), "left": (-1, 0)}[page.orientation]
        rise = 22 + 0.2 * (abs(one.x - two.x) + abs(one.y - two.y))

        def above(shape: Shape, distance: float) -> tuple[float, float]:
            return (
                shape.x + up[0] * (shape.width / 2 + distance),
                shape.y + up[1] * (shape.height / 2 + distance),
            )

        curve = above(one, 0), above(one, rise), above(two, rise), above(two, 8), above(two, 1)
        drawing.wires[-1] = replace(drawing.wires[-1], curve=curve)


def _put(
    drawing: Drawing,
    units: Units,
    node: Attributes,
    kept: Sequence[Sequence[int]],
    placed: Sequence[Sequence[float]],
    at: Places,
    ends: int,
) -> list[dict[int, int]]:
    """Put the units that are kept, and dots for the others; returns the number of each in the drawing, row by row."""
    numbers: list[dict[int, int]] = []
    for r, (some, places) in enumerate(zip(kept, placed, strict=True)):
        width = units.stack.width(r)
        numbers.append({})
        for i in some:
            x, y = at(places[i], r)
            if min(i % width, width - 1 - i % width) < ends:
                numbers[r][i] = drawing.text(x, y, "...", 20)
            else:
                numbers[r][i] = drawing.unit(x, y, units.label(r, i), {**units.looks(r, i), **node})
        if len(some) < units.stack.sizes[r]:
            drawing.text(*at(places[some[(len(some) + 1) // 2 - 1]] + 1, r), "...", 20)
    return numbers


def _named(drawing: Drawing, at: Places, page: Page) -> Drawing:
    """The title, and the names of the rows: on their left, or above those that stand upright."""
    left, _, _, top = drawing.extent()
    if page.upright:
        drawing.caption(page.title)
        for r, name in enumerate(page.names):
            drawing.text(left - 21, at(0, r)[1], name, align="r")
        return drawing
    for r, name in enumerate(page.names):
        drawing.text(at(0, r)[0], top + 18, name)
    return drawing.caption(page.title)


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
    if step < 1:  # all see the same, as in a dense layer, or nearly: they would cover each other
        centre = sum(below) / len(below)
        return [centre + i - (count - 1) / 2 for i in range(count)]
    start = median(place - step * i for i, place in middle.items())
    return [start + step * i for i in range(count)]


def _channels(row: list[float], channels: int) -> list[float]:
    """The places of several channels side by side, centred as one of them would be."""
    step = max(row) - min(row) + 2
    return [place + step * (c - (channels - 1) / 2) for c in range(channels) for place in row]
