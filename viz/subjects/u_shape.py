"""A network in the shape of a U: down to smaller maps, and up to larger ones again.

What you can do here: lay out stages as a `u_shaped` drawing.

Maps of one size stand in one row.  The first of a smaller size stands below what it is made from, the first of a larger
size above; the rest follow to the right.  So a skip from the way down to the way up leads straight across.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from ..drawing.dot import ARROW
from ..drawing.sheet import CHARACTER, UNCLIPPED, Drawing
from .cards import LINE, SIZE, named_width, over
from .stages import Stage

SMALLER = 1.6  # times: maps are smaller, and not cut at the edges as by a convolution without padding
GAP = 14.0  # points, between what belongs to different stages
ARROW_LENGTH = 28.0


@dataclass
class Spot:
    """Where a stage stands: its row, its middle, how far below the middle of the row, its card, and how wide that is.

    named: the width of the picture, or of the name above it.
    """

    row: int
    x: float
    below: float
    card: Drawing
    named: float

    @property
    def half(self) -> tuple[float, float]:
        """Half of the width and of the height of its picture."""
        picture = self.card.shapes[0]
        return picture.width / 2, picture.height / 2


def u_shaped(stages: Sequence[Stage], cards: Mapping[Stage, Drawing]) -> Drawing:
    """The stages in rows, the largest maps at the top, each as its card."""
    spots = _spots(stages, cards)
    heights = _heights(spots)
    drawing = Drawing()
    for spot in spots.values():
        drawing.add(spot.card, spot.x, heights[spot.row] - spot.below)
    for stage in stages:
        _arrows(drawing, stage, spots, heights)
    return drawing


def _rows(stages: Sequence[Stage]) -> dict[Stage, int]:
    """The row of each stage, 0 at the top; one further down for maps that are half as large, two for a quarter."""
    level: dict[Stage, int] = {}
    for stage in stages:
        level[stage] = 0
        if stage.sources:
            before = _main(stage)
            ratio = _size(before) / _size(stage)
            steps = 0 if 1 / SMALLER < ratio < SMALLER else round(math.log2(ratio))  # 1 or -1 at least
            level[stage] = level[before] + steps
    order = sorted(set(level.values()))
    return {stage: order.index(n) for stage, n in level.items()}


def _main(stage: Stage) -> Stage:
    """Of what a stage reads, what was made last."""
    return max(stage.sources, key=lambda source: source.column)


def _size(stage: Stage) -> int:
    return max(stage.output.shape[1:]) if stage.output.ndim == 3 else 1


def _spots(stages: Sequence[Stage], cards: Mapping[Stage, Drawing]) -> dict[Stage, Spot]:
    """Where each stage stands, from left to right as they are computed."""
    rows, spots = _rows(stages), dict[Stage, Spot]()
    ends = dict.fromkeys([*rows.values(), -1], 0.0)  # of each row, and of the words between it and the next
    between = dict(ends)
    for stage in stages:
        row = rows[stage]
        left, _, right, top = cards[stage].extent()
        spot = spots[stage] = Spot(row, -left, 0.0, cards[stage], named_width(stage, cards[stage]))
        if stage.sources:
            before = spots[_main(stage)]
            longest = max(map(len, stage.steps), default=0) * CHARACTER * SIZE
            if before.row == row:
                words = longest + 10 + (before.named + spot.named) / 2 if not stage.joins else 0
                spot.x = max(before.x + before.half[0] + ARROW_LENGTH + spot.half[0], before.x + words)
                spot.x = max(spot.x, ends[row] + GAP - left)
            else:
                upper = min(row, before.row)
                spot.x = max(before.x, ends[row] + GAP - left if ends[row] else 0.0)
                if row < before.row:
                    spot.x = max(spot.x, between[upper] + GAP)
                between[upper] = max(between[upper], spot.x + 10 + longest)
            if row < before.row and any(stage in join.sources and join.joins for join in stages):
                spot.below = top + GAP  # so that the skip to the join passes above
        ends[row] = max(ends[row], spot.x + right)
    return spots


def _heights(spots: Mapping[Stage, Spot]) -> list[float]:
    """The middle of each row, with room below it for the words beside the arrows to the next."""
    found = [0.0]
    count = 1 + max(spot.row for spot in spots.values())
    for row in range(1, count):
        low = min(spot.card.extent()[1] - spot.below for spot in spots.values() if spot.row == row - 1)
        high = max(spot.card.extent()[3] - spot.below for spot in spots.values() if spot.row == row)
        words = [
            len(stage.steps)
            for stage, spot in spots.items()
            if stage.sources and {spot.row, spots[_main(stage)].row} >= {row - 1, row}
        ]
        found.append(found[-1] + low - high - max(ARROW_LENGTH, LINE * max(words, default=0) + GAP))
    return found


def _arrows(drawing: Drawing, stage: Stage, spots: Mapping[Stage, Spot], heights: Sequence[float]) -> None:
    """The arrows that lead to a stage, the words beside that from before, and the numbers of operands."""
    here = spots[stage]
    y, (wide, high) = heights[here.row] - here.below, here.half
    for source, number in zip_longest(stage.sources, stage.places, fillvalue=""):
        assert isinstance(source, Stage) and isinstance(number, str)
        there = spots[source]
        start = heights[there.row] - there.below
        tail, head = (there.x + there.half[0] + 3, start), (here.x - wide - 3, y)
        _, low, _, top = here.card.extent()
        steps = stage.steps if source is _main(stage) and not stage.joins else []
        if there.row != here.row:
            down = there.row < here.row
            head = (here.x, y + (top if down else low) + (4 if down else -4))
            tail = (here.x, start + there.card.extent()[1 if down else 3] + (-4 if down else 4))
            path = [tail, head]
            if abs(there.x - here.x) > there.half[0]:
                path = [(there.x + there.half[0] + 3, start), (here.x, start), head]
            if steps:
                drawing.text(here.x + 10, (tail[1] + head[1]) / 2, "\n".join(steps), SIZE, "l")
        elif start != y:  # from below the row
            path = [tail, (here.x, start), (here.x, y - high - 3)]
        elif any(_between(spot, there, here) for spot in spots.values()):
            path = over(drawing, tail, (here.x, y + high + 3))
        else:
            path = [tail, head]
            if steps:
                middle = (there.x + there.named / 2 + here.x - here.named / 2) / 2
                drawing.text(middle, y + 8 + LINE * len(steps) / 2, "\n".join(steps), SIZE)
        if len(path) > 2:
            drawing.curve(path[:-1], ARROW["color"])
        drawing.wire(drawing.point(*path[-2]), drawing.point(*path[-1]), {**ARROW, **UNCLIPPED})
        if number:  # beside the arrowhead
            (_, y0), (x1, y1) = path[-2:]
            right, up = (-12.0, 15.0) if y0 == y1 else (12.0, math.copysign(15, y0 - y1))
            drawing.text(x1 + right, y1 + up, number, SIZE)


def _between(spot: Spot, one: Spot, other: Spot) -> bool:
    """Whether a stage stands in the way from one to another of its row."""
    return spot.row == one.row and spot.below == one.below and one.x < spot.x < other.x
