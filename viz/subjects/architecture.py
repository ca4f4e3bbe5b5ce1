"""A network as the feature maps that it makes of one image.

What you can do here: draw the `architecture` of a model, from its own numbers.

What there is to draw is said in stages.py.  A chain is a row, branches stand one below the other, and a skip is a wire
that passes over what it skips.  Where a row ends below a skip, the wire is cut, and its two ends have the same letter.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import NamedTuple

from minitensor import Tensor
from minitensor.checks import whole
from minitensor.tensor import Operand, as_tensor
from nets import Module
from nets.trace import Trace, trace

from ..drawing.check import SLIDE, SMALLEST
from ..drawing.dot import ARROW, NOTE, letter, plain
from ..drawing.sheet import CHARACTER, UNCLIPPED, Drawing, Pinned
from ..drawing.style import Style
from .cards import SIZE, card, named_width, over
from .stages import Stage, stages_of
from .u_shape import u_shaped

MOST_STAGES = 150
LAYOUTS = ("rows", "u")
WIDTHS = range(600, 2600, 100)  # of a row, in points, that are tried
ROOM = tuple(side * SIZE / SMALLEST for side in SLIDE)  # where words of this size can be read, if it fills a slide
TURN = 16.0
HEADING = 60.0  # points, for a title and the edge


@dataclass
class Place:
    """Where the picture of a stage is: its left and right end, its middle, half of its height, and its row."""

    left: float
    right: float
    y: float
    half: float
    row: Drawing


def architecture(
    model: Module,
    x: Operand,
    *,
    depth: int | None = None,
    opened: Collection[str] = (),
    layout: str = "rows",
    title: str = "",
    style: str | Style = "light",
) -> Pinned:
    """Draw a model from left to right: what each layer makes of the image x, its size, parameters and connections.

    x is what the model takes, mostly an image, or a batch of which the first is shown.  Two axes are a batch of vectors
    where the model takes those, and else one image.  Three are one image of channels where the model takes that, and
    else a batch: a dense layer takes both, so of a batch of tokens give one sequence, (1, 1, T, D).
    Of many feature maps the first 16 are shown, of equal ones one; in each, white is its largest value and black its
    smallest.  A vector is a box.  Where several ways meet there is a circle that says how.  Maps that a convolution
    with groups reads, or makes, apart are drawn apart.  A long chain goes on in the next row; one that fills more than
    a slide has `parts`.  Circles with the same letter are the two ends of one wire.
    depth: how far blocks are opened.  With 1 each part of the model is drawn as one, with 2 what these are made of, and
    so on; without it each row of the `summary`.  opened: names of blocks that are opened further, to their own parts.
    layout: "rows", or "u" for a network that goes down to smaller maps and up again: each size of maps has a height of
    its own, and a skip leads across.  A u that fills more than a slide says no counts; its `parts` are rows.
    style: as `Style`.
    Raises TypeError for what is not a Module, ValueError for a depth below 1, a block or a layout that is not there,
    more stages than can be looked at, and a model whose output does not depend on x.

    >>> from minitensor import zeros
    >>> from nets import Conv2d, ReLU, Sequential
    >>> figure = architecture(Sequential(C1=Conv2d(1, 2, 3), act=ReLU()), zeros((1, 1, 5, 5)))
    >>> "2 @ 3 × 3" in figure.dot and "20 parameters" in figure.dot and "180 connections" in figure.dot
    True
    """
    if not isinstance(model, Module):
        raise TypeError(f"the architecture of a Module can be drawn, got {type(model).__name__}")
    if depth is not None and whole("depth", depth) < 1:
        raise ValueError(f"depth (={depth}) must be at least 1")
    if layout not in LAYOUTS:
        raise ValueError(f"layout (={layout!r}) must be one of {', '.join(LAYOUTS)}")
    with model.in_use():
        stages = stages_of(model, _run(model, as_tensor(x)), depth, opened)
    if len(stages) > MOST_STAGES:
        raise ValueError(f"{len(stages)} stages are no picture (more than {MOST_STAGES}): draw a part of the model")
    cards = {stage: card(stage) for stage in stages}
    rows = min((_rows(cards, width) for width in WIDTHS), key=_too_large)
    drawing = _stacked(rows)
    if layout == "u":
        drawing = u_shaped(stages, cards)
        if _excess(drawing) > 1:
            drawing = u_shaped(stages, {stage: card(stage, counts=False) for stage in stages})
    said, parts = title or "architecture", list[Drawing]()
    if _excess(drawing) > 1:
        rows = _rows(cards, ROOM[0] - 40)
        parts = [row.drawing for row in rows]
        drawing = _stacked(rows) if layout == "rows" else drawing
    return replace(
        drawing.caption(title, size=SIZE + 2).styled(style).figure(said),
        parts=tuple(part.styled(style).figure(f"{said}, part {n}") for n, part in enumerate(parts, start=1)),
    )


def _run(model: Module, x: Tensor) -> Trace:
    """The model on the first of a batch.  A batch axis, or that of one channel, may be left out, if the model knows.

    Raises what the model raises for an image (of one axis: for a vector), where it takes x in no shape.
    """
    image = (1,) * (4 - x.ndim) + x.shape
    shapes = [image, x.shape, (1, *x.shape), (1, 1, *x.shape)]
    if x.ndim in (1, 2):  # vectors: a dense layer would take them as an image too, and a convolution refuses them
        shapes = [(1, *x.shape)[-2:], *shapes]
    refusals: list[Exception] = []
    for shape in shapes:
        try:
            return trace(model, Tensor(x.data.reshape(shape)[:1]))
        except (ValueError, TypeError, IndexError) as error:
            refusals.append(error)
    raise refusals[1 if x.ndim == 2 else 0]


# -- drawing it --------------------------------------------------------------------------------------------------------


End = tuple[Drawing, int]  # of a wire that is cut: the number of its circle in a row


class Line(NamedTuple):
    """A row of the sheet, where the last picture in it ends, and how many cut wires arrive in it."""

    drawing: Drawing
    end: float
    cuts: int


def _excess(drawing: Drawing) -> float:
    """How many times too large a drawing is to be read on a slide."""
    left, low, right, high = drawing.extent()
    return max((right - left + 16) / ROOM[0], (high - low + HEADING) / ROOM[1])


def _too_large(rows: Sequence[Line]) -> tuple[float, int, int]:
    """How much larger than a slide rows are, how many wires are cut, and how many rows there are: less is better."""
    return max(1.0, _excess(_stacked(rows))), sum(row.cuts for row in rows), len(rows)


def _rows(cards: Mapping[Stage, Drawing], widest: float) -> list[Line]:
    """All columns in rows; a new row may begin where no branch is open."""
    columns: list[list[Stage]] = [[] for _ in range(1 + max(stage.column for stage in cards))]
    for stage in cards:
        columns[stage.column].append(stage)
    wires = [(source, stage) for stage in cards for source in stage.sources]
    ends = [card.extent() for card in cards.values()]
    drop = max(end[3] for end in ends) - min(end[1] for end in ends) + 20  # from one lane to the next
    rows: list[Line] = []
    row, end, places, cut_wires = Drawing(), 0.0, dict[Stage, Place](), dict[Stage, list[End]]()
    cuts = 0
    for c, column in enumerate(columns):
        longest = max((len(line) for stage in column for line in stage.steps), default=0)
        read = {source for stage in column for source in stage.sources}
        down = any(source.lane < stage.lane for stage in column for source in stage.sources)
        start = max(end, row.extent()[2]) if down else end  # a way down keeps clear of the words below a picture
        turns = down or any(stage.column > c and not read.isdisjoint(stage.sources) for stage in cards)
        arrow = max(36.0, CHARACTER * SIZE * longest + 14) + TURN * turns if c else 0.0
        before, behind = (max(side * cards[stage].extent()[n] for stage in column) for side, n in ((-1, 0), (1, 2)))
        half = max(named_width(stage, cards[stage]) / 2 for stage in column)
        middle = max(start + arrow + half, row.extent()[2] + 12 + before if row.shapes else 0.0)
        open_ = [max(source.lane, stage.lane) for source, stage in wires if source.column < c <= stage.column]
        alone = len(column) == 1 and column[0].groups == 1 and not any([*open_, column[0].lane])
        if alone and c and row.shapes and middle + behind > widest:
            rows.append(Line(row, end, cuts))
            row, end, cuts = Drawing(), 0.0, 0
            start, middle = 0.0, arrow + half
        for stage in column:
            picture = cards[stage].shapes[0]
            y = -stage.lane * drop
            row.add(cards[stage], middle, y)
            half_width = picture.width / 2
            places[stage] = Place(middle - half_width, middle + half_width, y, picture.height / 2, row)
        for stage in column:
            cuts += _arrows(row, stage, places, cut_wires, start + 3, TURN * turns)
        end = middle + half
    for n, source in enumerate(sorted(cut_wires, key=lambda s: (s.column, s.lane))):  # in reading order
        for there, circle in cut_wires[source]:
            there.shapes[circle] = replace(there.shapes[circle], label=plain(letter(n).upper()))
    return [*rows, Line(row, end, cuts)]


def _arrows(
    row: Drawing,
    stage: Stage,
    everywhere: Mapping[Stage, Place],
    cut_wires: dict[Stage, list[End]],
    start: float,
    turn: float,
) -> int:
    """The arrows that lead to a stage from what it reads, and words above; turn: the room for those that turn down.

    Those that come from another row are cut: their ends are put into `cut_wires`, and how many there are is returned.
    """
    here, cuts = everywhere[stage], 0
    places = {s: place for s, place in everywhere.items() if place.row is row}
    across = (here.left + here.right) / 2
    for source, number in zip_longest(stage.sources, stage.places, fillvalue=""):
        assert isinstance(source, Stage) and isinstance(number, str)
        cut = source not in places and source.column < stage.column - 1
        there = places.get(source, Place(0, 0, here.y, 0, row))  # what is in the row above arrives from the left
        shifts = [0.0]
        if source in places and stage.streams == source.streams == stage.groups > 1:  # each part reads its own
            shifts = [(k + 0.5) / stage.groups - 0.5 for k in range(stage.groups)]
        for shift in shifts:
            tail, head = (there.right + 3, there.y + 2 * shift * there.half), here.y + 2 * shift * here.half
            path = [tail, (here.left - 3, head)]
            if cut:
                if source not in cut_wires:
                    cut_wires[source] = [_stub(everywhere[source])]
                x, top = across + 30 * cuts, here.y + here.half
                cut_wires[source].append((row, _circle(row, x, top + 44)))
                path = [(x, top + 32), (x, top + 3)]
                cuts += 1
            elif any(p.left > there.right and p.right < here.left and p.y == there.y for p in places.values()):
                path = over(row, tail, (across, here.y + here.half + 3))
            elif there.y > here.y:
                path = [tail, (start + turn / 2, tail[1]), (start + turn / 2, head), path[-1]]
            elif there.y < here.y:
                path = [tail, (across, tail[1]), (across, here.y - here.half - 3)]
            if len(path) > 2:
                row.curve(path[:-1], ARROW["color"])
            row.wire(row.point(*path[-2]), row.point(*path[-1]), {**ARROW, **UNCLIPPED})
            if number:  # beside the arrowhead
                (_, y0), (x1, y1) = path[-2:]
                right, up = (-12.0, 15.0) if y0 == y1 else (12.0, math.copysign(15, y0 - y1))
                row.text(x1 + right, y1 + up, number, SIZE)
    if stage.steps and not stage.joins:
        top = here.y + (here.half * (1 - 1 / stage.groups) if stage.groups == stage.streams else 0)
        end = min(here.left, across - len(stage.name) * SIZE * CHARACTER / 2) - 3
        row.text((start + turn + end) / 2, top + 8 + 0.625 * SIZE * len(stage.steps), "\n".join(stage.steps), SIZE)
    return cuts


def _stub(there: Place) -> End:
    """The beginning of a wire that is cut: up behind what it leaves, to its circle, which is returned."""
    x, y = there.right + 3, there.y
    end = _circle(there.row, x + 9, y + there.half + 1.25 * SIZE + 18)
    there.row.curve([(x, y), (x + 9, y)], ARROW["color"])
    there.row.wire(there.row.point(x + 9, y), end, {**ARROW, "arrowhead": "none", "tailclip": "false"})
    return there.row, end


def _circle(row: Drawing, x: float, y: float) -> int:
    """An end of a wire that is cut; its letter is written when all ends are known."""
    return row.box(x, y, 24, 24, "", {"shape": "circle", "fontsize": f"{SIZE:g}", "color": NOTE})


def _stacked(rows: Sequence[Line]) -> Drawing:
    """Rows from top to bottom; a line leads from the last picture of each to the arrow that begins the next."""
    drawing, y, margin = Drawing(), 0.0, max(row.drawing.extent()[2] for row in rows) + 14
    for n, (row, _, _) in enumerate(rows):
        high = row.extent()[3]
        if n:
            end, above = rows[n - 1].end, y
            lowest = drawing.extent()[1]
            y = lowest - 36 - high
            path = [(end + 3, above), (margin, above), (margin, lowest - 18), (3, lowest - 18), (3, y)]
            drawing.curve(path, ARROW["color"])
        drawing.add(row, 0, y)
    return drawing
