"""A network as the feature maps that it makes of one image.

What you can do here: draw the `architecture` of a model, from its own numbers.

The recipe of the output says what was computed from what, the trace of the run which layer each operator belongs to.
So a chain is a row, branches stand one below the other, and a skip is a wire that passes over what it skips.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import NamedTuple

import numpy as np

from minitensor import Tensor, history
from minitensor.checks import whole
from minitensor.tensor import Array, Operand, as_tensor
from nets import Module
from nets.summary import Row, counted
from nets.trace import Call, Trace, trace
from nets.training.png import encode

from ..drawing.check import SLIDE, SMALLEST
from ..drawing.dot import ARROW, NOTE, OPERATOR, plain
from ..drawing.sheet import CHARACTER, UNCLIPPED, Drawing, Pinned
from ..drawing.style import Style
from .computation import operand_places, uniform

MOST_MAPS, MOST_STREAMS, MOST_STAGES = 16, 4, 150
SIZE = 17.0  # of the words, in points
TALLEST = 190.0  # points
WIDTHS = range(600, 2600, 100)  # of a row, in points, that are tried
ROOM = tuple(side * SIZE / SMALLEST for side in SLIDE)  # where words of this size can be read, if it fills a slide
JOINS = {"add": "+", "subtract": "−", "multiply": "×", "divide": "÷", "concatenate": "concat", "maximum": "max"}
JOIN_SIZE, TURN = 44.0, 16.0
HEADING = 60.0  # points, for a title and the edge
LONGEST_KIND, LONGEST_LINE = 12, 16  # characters; the window of a longer kind is written below it
INPUT = "input"
SETTINGS = ("stride", "padding", "dilation", "output_padding", "groups")  # said where they are not the usual
PARTS = {2: "half", 3: "third", 4: "quarter"}


@dataclass(eq=False)
class Stage:
    """A layer, and what follows it without changing the number of units: its non-linearity, say; or where ways meet.

    steps are the words on the arrow that leads to it, sources the stages that it reads.  groups: that of a convolution.
    """

    name: str
    output: Array
    sources: list[Stage] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    joins: str = ""
    places: list[str] = field(default_factory=list)  # "1", "2", ... for the sources of a join, if their order matters
    groups: int = 1
    streams: int = 1  # parts that are drawn apart, since they are read or made apart
    row: bool = False  # of maps along one axis, drawn as images of one row
    parameters: int = 0
    connections: int = 0
    column: int = 0
    lane: int = 0


@dataclass
class Place:
    """Where the picture of a stage is: its left and right end, its middle, and half of its height."""

    left: float
    right: float
    y: float
    half: float


def architecture(
    model: Module, x: Operand, *, depth: int | None = None, title: str = "", style: str | Style = "light"
) -> Pinned:
    """Draw a model from left to right: what each layer makes of the image x, its size, parameters and connections.

    x is what the model takes, mostly an image, or a batch of which the first is shown.  Of many feature maps the
    first 16 are shown, of equal ones one; in each, white is its largest value and black its smallest.  A vector is a
    box.  Where several ways meet there is a circle that says how.  Maps that a convolution with groups reads, or makes,
    apart are drawn apart.  A long chain goes on in the next row; one
    that fills more than a slide has `parts`.
    depth: how far blocks are opened.  With 1 each part of the model is drawn as one, with 2 what these are made of, and
    so on; without it each row of the `summary`.  style: as `Style`.
    Raises TypeError for what is not a Module, ValueError for a depth below 1, for more stages than can be looked at,
    and for a model whose output does not depend on x.

    >>> from nets import Conv2d, ReLU, Sequential
    >>> figure = architecture(Sequential(C1=Conv2d(1, 2, 3), act=ReLU()), np.zeros((1, 1, 5, 5)))
    >>> "2 @ 3 × 3" in figure.dot and "20 parameters" in figure.dot and "180 connections" in figure.dot
    True
    """
    if not isinstance(model, Module):
        raise TypeError(f"the architecture of a Module can be drawn, got {type(model).__name__}")
    if depth is not None and whole("depth", depth) < 1:
        raise ValueError(f"depth (={depth}) must be at least 1")
    with model.in_use():
        stages = stages_of(model, _run(model, as_tensor(x)), depth)
    if len(stages) > MOST_STAGES:
        raise ValueError(f"{len(stages)} stages are no picture (more than {MOST_STAGES}): draw a part of the model")
    cards, said = {stage: _card(stage) for stage in stages}, title or "architecture"
    rows = min((_rows(cards, width) for width in WIDTHS), key=_too_large)
    parts = []
    if _excess(_stacked(rows)) > 1:
        rows = _rows(cards, ROOM[0] - 40)
        parts = [row.drawing for row in rows]
    return replace(
        _stacked(rows).caption(title, size=SIZE + 2).styled(style).figure(said),
        parts=tuple(part.styled(style).figure(f"{said}, part {n}") for n, part in enumerate(parts, start=1)),
    )


def _run(model: Module, x: Tensor) -> Trace:
    """The model on the first of a batch.  A batch axis, or that of one channel, may be left out, if the model knows.

    Raises what the model raises for an image, where it takes x in no shape.
    """
    image = (1,) * (4 - x.ndim) + x.shape
    shapes = [image, x.shape, (1, *x.shape), (1, 1, *x.shape)]
    if x.ndim == 1 or x.shape[:-1] == (1,):  # a vector: to a dense layer an image of one row would do as well
        shapes = [(1, x.size), *shapes]
    refusal: Exception | None = None
    for shape in shapes:
        try:
            return trace(model, Tensor(x.data.reshape(shape)[:1]))
        except (ValueError, TypeError, IndexError) as error:
            refusal = refusal or error
    assert refusal is not None
    raise refusal


# -- what there is to draw ---------------------------------------------------------------------------------------------

Part = Tensor | Call  # what computes: a call of a layer, or an operator between the layers; the input is one too


def stages_of(model: Module, run: Trace, depth: int | None = None) -> list[Stage]:
    """The stages of a run, each after those that it reads; blocks are opened as far as depth says."""
    layers, rows = _opened(model, run, depth)
    owners = run.owners(layers)
    part_of: dict[Tensor, Part] = {}
    output: dict[Part, Tensor] = {}
    sources: dict[Part, list[Part]] = {}
    for t in history(run.output)[::-1]:
        read = [part_of[x] for x in t.inputs if x in part_of]
        if not read and t not in run.inputs:
            continue  # it does not depend on the input
        part = part_of[t] = owners.get(t, t)
        output[part] = t
        mine = sources.setdefault(part, [])
        mine += [other for other in dict.fromkeys(read) if other is not part and other not in mine]
    if run.output not in part_of:
        raise ValueError(f"the output of this {type(model).__name__} does not depend on x: there is nothing to draw")
    readers = {part: sum(part in read for read in sources.values()) for part in sources}

    stages: dict[Part, Stage] = {}
    for part, read in sources.items():
        value = output[part].data[0] if output[part].ndim else output[part].data
        row = rows.get(part) if isinstance(part, Call) else None
        before = stages[read[0]] if len(read) == 1 else None
        goes_on = before and before.name != INPUT and readers[read[0]] == 1 and not (row and row.parameters)
        if before and goes_on and value.size == before.output.size:
            before.steps += _said(part)
            before.connections += row.connections if row else 0
            if value.shape == before.output.shape:  # and not flattened
                before.output = value
            stages[part] = before
            continue
        stage = stages[part] = Stage("" if row is None else row.name, value, [stages[other] for other in read])
        if part in run.inputs:
            stage.name = INPUT
        elif len(read) > 1 and not row:
            stage.joins = _said(part)[0]
            if isinstance(part, Tensor) and len(read) == len(part.inputs):
                stage.places = operand_places(part)
        else:
            stage.steps = _said(part)
        if row:
            stage.parameters, stage.connections = row.parameters, row.connections
            stage.groups = getattr(part.module, "groups", 1) if isinstance(part, Call) else 1
    for call in layers:
        if call.outputs[0] in call.inputs and call.outputs[0] in part_of:  # in use it does nothing: dropout
            stages[part_of[call.outputs[0]]].steps += _said(call)
    return _arranged(list(dict.fromkeys(stages.values())))


def _opened(model: Module, run: Trace, depth: int | None) -> tuple[list[Call], dict[Call, Row]]:
    """The calls that are drawn, with their rows of the summary; a block has the sums of the rows within it."""
    layers = run.layers()
    rows = dict(zip(layers, counted(model, run).rows, strict=True))
    blocks = [call for call in run.calls if call.depth == depth and call not in rows and call.inputs and call.outputs]
    for block in blocks:
        within = [row for call, row in rows.items() if call in layers and _is_within(call, block)]
        parameters, connections = (sum(getattr(row, what) for row in within) for what in ("parameters", "connections"))
        kind = type(block.module).__name__
        shape = block.outputs[0].shape[1:]
        rows[block] = Row(block.name or kind, kind, shape, parameters, connections, 0, None, None)
    drawn = [call for call in run.calls if call in rows and (depth is None or call.depth <= depth)]
    return drawn, rows


def _is_within(call: Call, block: Call) -> bool:
    return block.births.start <= call.births.start and call.births.stop <= block.births.stop


def _arranged(stages: list[Stage]) -> list[Stage]:
    """The stages with their columns and lanes; after a last join what it makes, and vectors as vectors."""
    if stages[-1].joins:
        stages.append(Stage("output", stages[-1].output, [stages[-1]]))
    taken: set[tuple[int, int]] = set()
    for stage in stages:
        if stage.output.ndim == 2:
            stage.output, stage.row = stage.output[:, None], True
        if stage.output.shape[1:] == (1, 1):
            stage.output = stage.output.ravel()
        if 1 < stage.groups <= MOST_STREAMS:
            for one in (stage, *stage.sources):
                one.streams = max(one.streams, stage.groups)
        stage.column = max((source.column + 1 for source in stage.sources), default=0)
        stage.lane = min((source.lane for source in stage.sources), default=0)
        while (stage.column, stage.lane) in taken:
            stage.lane += 1
        taken.add((stage.column, stage.lane))
    return stages


def _said(part: Part) -> list[str]:
    """What computes, in few words: the sign or name of an operator; the kind of a layer, its window and settings."""
    if not isinstance(part, Call):
        name = part.primitive.name if part.primitive else ""
        return [JOINS.get(name, name)]
    settings = vars(part.module)
    kernel, kind = settings.get("kernel_size"), type(part.module).__name__
    sides = (kernel,) * max(1, part.inputs[0].ndim - 2) if isinstance(kernel, int) else kernel
    chosen = inspect.signature(type(part.module)).parameters
    said = []
    for name in SETTINGS:
        if name in chosen and name in settings:
            value, usual = uniform(settings[name]), chosen[name].default
            usual = uniform(kernel) if usual is None else usual  # as the stride of a pool
            if value is not None and value != usual:
                number = "×".join(map(str, value)) if isinstance(value, tuple) else value
                said.append(f"{value} groups" if name == "groups" else f"{name.replace('_', ' ')} {number}")
    kind, window = kind.removesuffix("1d").removesuffix("2d"), "×".join(map(str, sides or ()))
    title = [f"{kind} {window}"] if window and len(kind) <= LONGEST_KIND else [*_in_lines(kind), window]
    said = [", ".join(said)] if len(", ".join(said)) <= LONGEST_LINE else said
    return [line for line in (*title, *said) if line]


def _in_lines(kind: str) -> list[str]:
    """The name of a kind of layer; the last word of a long one in a line of its own.

    >>> _in_lines("LocalResponseNorm"), _in_lines("Dense")
    (['LocalResponse', 'Norm'], ['Dense'])
    """
    words = re.findall(r"[A-Z]?[^A-Z]+|[A-Z]+", kind)
    return [kind] if len(kind) < LONGEST_LINE or len(words) < 2 else ["".join(words[:-1]), words[-1]]


# -- drawing it --------------------------------------------------------------------------------------------------------


class Line(NamedTuple):
    """A row of the sheet, and where the last picture in it ends."""

    drawing: Drawing
    end: float


def _excess(drawing: Drawing) -> float:
    """How many times too large a drawing is to be read on a slide."""
    left, low, right, high = drawing.extent()
    return max((right - left + 16) / ROOM[0], (high - low + HEADING) / ROOM[1])


def _too_large(rows: Sequence[Line]) -> tuple[float, int]:
    """How much larger than a slide rows are, and how many: of those that can be read, fewer are better."""
    return max(1.0, _excess(_stacked(rows))), len(rows)


def _rows(cards: Mapping[Stage, Drawing], widest: float) -> list[Line]:
    """All columns in rows; a new row may begin where a single wire leads from column to column."""
    columns: list[list[Stage]] = [[] for _ in range(1 + max(stage.column for stage in cards))]
    for stage in cards:
        columns[stage.column].append(stage)
    crossing = [
        sum(s.column <= c < stage.column for stage in cards for s in stage.sources) for c in range(len(columns))
    ]
    ends = [card.extent() for card in cards.values()]
    drop = max(end[3] for end in ends) - min(end[1] for end in ends) + 20  # from one lane to the next
    rows: list[Line] = []
    row, end, places = Drawing(), 0.0, dict[Stage, Place]()
    for c, column in enumerate(columns):
        longest = max((len(line) for stage in column for line in stage.steps), default=0)
        read = {source for stage in column for source in stage.sources}
        down = any(source.lane < stage.lane for stage in column for source in stage.sources)
        start = max(end, row.extent()[2]) if down else end  # a way down keeps clear of the words below a picture
        turns = down or any(stage.column > c and not read.isdisjoint(stage.sources) for stage in cards)
        arrow = max(36.0, CHARACTER * SIZE * longest + 14) + TURN * turns if c else 0.0
        before, behind = (max(side * cards[stage].extent()[n] for stage in column) for side, n in ((-1, 0), (1, 2)))
        half = max(cards[stage].shapes[0].width / 2 for stage in column)
        alone = c and crossing[c - 1] == 1 and len(column) == 1 and column[0].lane == 0
        middle = max(start + arrow + half, row.extent()[2] + 12 + before if row.shapes else 0.0)
        if alone and column[0].groups == 1 and row.shapes and middle + behind > widest:
            rows.append(Line(row, end))
            row, end, places = Drawing(), 0.0, {}
            start, middle = 0.0, arrow + half
        for stage in column:
            picture = cards[stage].shapes[0]
            y = -stage.lane * drop
            row.add(cards[stage], middle, y)
            half_width = picture.width / 2
            places[stage] = Place(middle - half_width, middle + half_width, y, picture.height / 2)
        for stage in column:
            _arrows(row, stage, places, start + 3, TURN * turns)
        end = middle + half
    return [*rows, Line(row, end)]


def _arrows(row: Drawing, stage: Stage, places: Mapping[Stage, Place], start: float, turn: float) -> None:
    """The arrows that lead to a stage from what it reads, and words above; turn: the room for those that turn down."""
    here = places[stage]
    across = (here.left + here.right) / 2
    for source, number in zip_longest(stage.sources, stage.places, fillvalue=""):
        assert isinstance(source, Stage) and isinstance(number, str)
        there = places.get(source, Place(0, 0, here.y, 0))  # what is in the row above arrives from the left
        shifts = [0.0]
        if source in places and stage.streams == source.streams == stage.groups > 1:  # each part reads its own
            shifts = [(k + 0.5) / stage.groups - 0.5 for k in range(stage.groups)]
        for shift in shifts:
            tail, head = (there.right + 3, there.y + 2 * shift * there.half), here.y + 2 * shift * here.half
            path = [tail, (here.left - 3, head)]
            if any(p.left > there.right and p.right < here.left and p.y == there.y for p in places.values()):
                path = _over(row, tail, (across, here.y + here.half + 3))
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
        row.text(
            (start + turn + here.left - 3) / 2, top + 8 + 0.625 * SIZE * len(stage.steps), "\n".join(stage.steps), SIZE
        )


def _over(row: Drawing, tail: tuple[float, float], head: tuple[float, float]) -> list[tuple[float, float]]:
    """The way of a skip: up behind what it leaves, over all that it skips, and down to what reads it."""
    top = max([s.y + s.height / 2 for s in row.shapes if tail[0] - 4 < s.x < head[0] + 4], default=0) + 16
    return [tail, (tail[0] + 9, tail[1]), (tail[0] + 9, top), (head[0], top), head]


def _card(stage: Stage) -> Drawing:
    """What a layer makes, around (0, 0), its name above and the facts below."""
    drawing = Drawing()
    if stage.joins:
        font = SIZE if len(stage.joins) > 1 else 22
        size = max(JOIN_SIZE, len(stage.joins) * font * CHARACTER + 10)
        drawing.box(0, 0, size, size, plain(stage.joins), {"shape": "circle", "fontsize": f"{font:g}"})
        if stage.steps:
            drawing.text(8, -size / 2 - 6 - 0.625 * SIZE * len(stage.steps), "\n".join(stage.steps), SIZE, "l")
        return drawing
    if stage.output.ndim == 3:
        pixels, size = _mosaic(stage.output, stage.streams)
        height, width = (size * n for n in pixels.shape)
        drawing.image(0, 0, width, height, encode(pixels))
    else:
        fill, border = OPERATOR
        looks = {"style": "filled,rounded", "fillcolor": fill, "color": border, "fontsize": f"{SIZE:g}"}
        height = min(TALLEST, 24 + 14 * math.log2(max(stage.output.size, 2)))
        drawing.box(0, 0, 46, height, plain(str(stage.output.size)), looks)
    drawing.text(0, height / 2 + 3 + 0.625 * SIZE, stage.name, SIZE, fontname="Helvetica-Bold")
    if below := _facts(stage):
        drawing.text(0, -height / 2 - 4 - 0.625 * SIZE * len(below), "\n".join(below), SIZE, fontcolor=NOTE)
    return drawing


def _stacked(rows: Sequence[Line]) -> Drawing:
    """Rows from top to bottom; a line leads from the last picture of each to the arrow that begins the next."""
    drawing, y, margin = Drawing(), 0.0, max(row.extent()[2] for row, _ in rows) + 14
    for n, (row, _) in enumerate(rows):
        high = row.extent()[3]
        if n:
            end, above = rows[n - 1].end, y
            lowest = drawing.extent()[1]
            y = lowest - 36 - high
            path = [(end + 3, above), (margin, above), (margin, lowest - 18), (3, lowest - 18), (3, y)]
            drawing.curve(path, ARROW["color"])
        drawing.add(row, 0, y)
    return drawing


def _mosaic(output: Array, streams: int) -> tuple[Array, float]:
    """The first maps side by side, each from black to white, and the size of a pixel in points; streams lie apart."""
    if _alike(output):
        output, streams = output[:1], 1
    shown = min(MOST_MAPS, len(output)) // streams
    sheets = [_one_sheet(part[:shown]) for part in np.split(output, streams)]
    longest = max(output.shape[1:])
    zoom = max(1, 64 // longest)
    white = np.ones((max(2, longest * zoom // 4), sheets[0].shape[1]))
    pixels = np.concatenate([part for sheet in sheets for part in (white, sheet)][1:])
    side = 12 + 8 * math.log2(longest)  # larger for larger maps, but not as much larger
    return pixels, side / (longest * zoom)


def _one_sheet(maps: Array) -> Array:
    """Maps in rows and columns, on grey."""
    columns = next((n for n in (4, 3, 2) if len(maps) % n == 0), math.isqrt(len(maps) - 1) + 1)
    rows = -(-len(maps) // columns)
    low, high = maps.min(axis=(1, 2), keepdims=True), maps.max(axis=(1, 2), keepdims=True)
    scaled = (maps - low) / np.where(high > low, high - low, 1)
    longest = max(maps.shape[1:])
    zoom = max(1, 64 // longest)
    scaled = scaled.repeat(zoom, 1).repeat(zoom, 2)
    height, width = scaled.shape[1:]
    gap = max(1, longest * zoom // 16)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap), 0.82)
    for n, one in enumerate(scaled):
        y, x = n // columns * (height + gap), n % columns * (width + gap)
        sheet[y : y + height, x : x + width] = one
    return sheet


def _alike(output: Array) -> bool:
    return len(output) > 1 and bool((output == output[0]).all())


def _facts(stage: Stage) -> list[str]:
    lines = []
    if stage.output.ndim == 3:
        channels, height, width = stage.output.shape
        lines.append(f"{channels} @ {width}" if stage.row else f"{channels} @ {height} × {width}")
        if _alike(stage.output):
            lines.append("(all equal)")
        elif channels > MOST_MAPS:
            each = [f"of each {PARTS[stage.streams]})"] if stage.streams > 1 else []
            lines += [f"(the first {MOST_MAPS // stage.streams}{'' if each else ')'}", *each]
    counts = {"parameters": stage.parameters, "connections": stage.connections}
    return lines + [f"{count:,} {what}" for what, count in counts.items() if count]
