"""One stage of a network on the page: what it makes, its name, its facts.

What you can do here: get the `card` of a stage, and draw the way of a skip `over` others.
"""

from __future__ import annotations

import math

import numpy as np

from minitensor.tensor import Array
from nets.training.png import encode

from ..drawing.dot import NOTE, OPERATOR, plain
from ..drawing.sheet import CHARACTER, Drawing
from .stages import Stage

MOST_MAPS = 16
SIZE = 17.0  # of the words, in points
LINE = 1.25 * SIZE  # from one line of words to the next
TALLEST = 190.0  # points
JOIN_SIZE = 44.0
GAP = 0.16  # between two streams, of the height of one
PARTS = {2: "half", 3: "third", 4: "quarter"}


def card(stage: Stage, counts: bool = True) -> Drawing:
    """What a layer makes, around (0, 0), its name above and the facts below; the first shape is as large as all of it.

    counts: with those of parameters and connections.
    """
    drawing = Drawing()
    if stage.joins:
        font = SIZE if len(stage.joins) > 1 else 22
        size = max(JOIN_SIZE, len(stage.joins) * font * CHARACTER + 10)
        drawing.box(0, 0, size, size, plain(stage.joins), {"shape": "circle", "fontsize": f"{font:g}"})
        if stage.steps:
            drawing.text(8, -size / 2 - 6 - 0.625 * SIZE * len(stage.steps), "\n".join(stage.steps), SIZE, "l")
        return drawing
    if stage.output.ndim == 3:
        sheets, size = _sheets(stage.output, stage.streams)
        one, width = (size * n for n in sheets[0].shape)
        step = one * (1 + GAP)  # from one stream to the next
        height = one + step * (len(sheets) - 1)
        if len(sheets) > 1:
            drawing.box(0, 0, width, height, "", {"style": "invis"})
        for n, pixels in enumerate(sheets):
            drawing.image(0, (height - one) / 2 - n * step, width, one, encode(pixels))
    else:
        fill, border = OPERATOR
        looks = {"style": "filled,rounded", "fillcolor": fill, "color": border, "fontsize": f"{SIZE:g}"}
        height = min(TALLEST, 24 + 14 * math.log2(max(stage.output.size, 2)))
        drawing.box(0, 0, 46, height, plain(str(stage.output.size)), looks)
    drawing.text(0, height / 2 + 3 + 0.625 * SIZE, stage.name, SIZE, fontname="Helvetica-Bold")
    if below := _facts(stage, counts):
        drawing.text(0, -height / 2 - 4 - 0.625 * SIZE * len(below), "\n".join(below), SIZE, fontcolor=NOTE)
    return drawing


def named_width(stage: Stage, drawing: Drawing) -> float:
    """The width of a picture, or of the name above it."""
    return max(drawing.shapes[0].width, len(stage.name) * SIZE * CHARACTER + 4)


def over(row: Drawing, tail: tuple[float, float], head: tuple[float, float]) -> list[tuple[float, float]]:
    """The way of a skip: up behind what it leaves, over all that it skips, and down to what reads it."""
    top = max([s.y + s.height / 2 for s in row.shapes if tail[0] - 4 < s.x < head[0] + 4], default=0) + 16
    return [tail, (tail[0] + 9, tail[1]), (tail[0] + 9, top), (head[0], top), head]


def _sheets(output: Array, streams: int) -> tuple[list[Array], float]:
    """The first maps of each stream side by side, each from black to white, and the size of a pixel in points."""
    if _alike(output):
        output, streams = output[:1], 1
    shown = min(MOST_MAPS, len(output)) // streams
    longest = max(output.shape[1:])
    side = 12 + 8 * math.log2(longest)  # larger for larger maps, but not as much larger
    return [_one_sheet(part[:shown]) for part in np.split(output, streams)], side / (longest * max(1, 64 // longest))


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


def _facts(stage: Stage, counted: bool) -> list[str]:
    lines = []
    if stage.output.ndim == 3:
        channels, height, width = stage.output.shape
        lines.append(f"{channels} @ {width}" if stage.row else f"{channels} @ {height} × {width}")
        if _alike(stage.output):
            lines.append("(all equal)")
        elif channels > MOST_MAPS:
            each = [f"of each {PARTS[stage.streams]})"] if stage.streams > 1 else []
            lines += [f"(the first {MOST_MAPS // stage.streams}{'' if each else ')'}", *each]
    counts = {"parameters": stage.parameters, "connections": stage.connections} if counted else {}
    return lines + [f"{count:,} {what}" for what, count in counts.items() if count]
