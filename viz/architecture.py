"""A network as the feature maps that it makes of one image.

What you can do here: draw the `architecture` of a model, from its own numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from minitensor import Tensor, no_grad
from minitensor.tensor import Array, Operand, as_tensor
from nets import Module, Sequential, summary
from nets.png import encode

from .dot import ARROW, OPERATOR, plain
from .drawing import Drawing, Pinned

MOST_MAPS = 16
TALLEST, WIDEST = 190.0, 1000.0  # points


@dataclass
class Stage:
    """A layer, and those after it that change neither size nor parameters: its non-linearity, say."""

    name: str
    steps: list[str]
    output: Array
    parameters: int = 0
    connections: int = 0


def architecture(model: Sequential, x: Operand, *, title: str = "") -> Pinned:
    """Draw a model from left to right: what each layer makes of the image x, its size, parameters and connections.

    x is an image in the shape that the model takes, or a batch of which the first is shown.  Of many feature maps the
    first 16 are shown, of equal ones one; in each, white is its largest value and black its smallest.  A vector is a
    box.  A long model goes on in the next row.
    Raises TypeError for a model that is not a Sequential.

    >>> from nets import Conv2d, ReLU
    >>> figure = architecture(Sequential(C1=Conv2d(1, 2, 3), act=ReLU()), np.zeros((1, 1, 5, 5)))
    >>> "2 @ 3 × 3" in figure.dot and "20 parameters" in figure.dot and "180 connections" in figure.dot
    True
    """
    if not isinstance(model, Sequential):
        raise TypeError(f"the architecture of a Sequential can be drawn, got {type(model).__name__}")
    image = as_tensor(x)
    image = image if image.ndim == 4 else image.reshape((1,) * (4 - image.ndim) + image.shape)
    rows: list[tuple[Drawing, float]] = []  # and where the last picture of each ends
    row, end = Drawing(), 0.0
    for stage in [Stage("input", [], image.data[0]), *_stages(model, image[:1])]:
        card = _card(stage)
        picture, (left, _, right, _) = card.shapes[0], card.extent()
        arrow = max(40.0, 6.6 * max(map(len, stage.steps)) + 18) if stage.steps else 0.0
        if row.shapes and end + arrow + picture.width / 2 + right > WIDEST:
            rows.append((row, end))
            row, end = Drawing(), 0.0
        middle = max(end + arrow + picture.width / 2, row.extent()[2] + 12 - left)
        row.add(card, middle)
        if stage.steps:
            start, stop = end + 3, middle - picture.width / 2 - 3
            row.wire(row.point(start, 0), row.point(stop, 0), ARROW)
            row.text((start + stop) / 2, 8 + 7 * len(stage.steps), "\n".join(stage.steps), 11)
        end = middle + picture.width / 2
    return _stacked([*rows, (row, end)]).caption(title).figure(title or "architecture")


def _card(stage: Stage) -> Drawing:
    """What a layer makes, around (0, 0), its name above and the facts below."""
    drawing = Drawing()
    if stage.output.ndim == 3:
        pixels, size = _mosaic(stage.output)
        height, width = (size * n for n in pixels.shape)
        drawing.image(0, 0, width, height, encode(pixels))
    else:
        fill, border = OPERATOR
        looks = {"style": "filled,rounded", "fillcolor": fill, "color": border, "fontsize": "13"}
        height = min(TALLEST, 24 + 14 * math.log2(max(stage.output.size, 2)))
        drawing.box(0, 0, 46, height, plain(str(stage.output.size)), looks)
    drawing.text(0, height / 2 + 12, stage.name, 14, fontname="Helvetica-Bold")
    if below := _facts(stage):
        drawing.text(0, -height / 2 - 6 - 7 * len(below), "\n".join(below), 11, fontcolor="#555555")
    return drawing


def _stacked(rows: Sequence[tuple[Drawing, float]]) -> Drawing:
    """Rows from top to bottom; a line leads from the last picture of each to the arrow that begins the next."""
    drawing, y, margin = Drawing(), 0.0, max(row.extent()[2] for row, _ in rows) + 14
    for n, (row, _) in enumerate(rows):
        high = row.extent()[3]
        if n:
            end, above = rows[n - 1][1], y
            lowest = drawing.extent()[1]
            y = lowest - 36 - high
            path = [(end + 3, above), (margin, above), (margin, lowest - 18), (3, lowest - 18), (3, y)]
            drawing.curve(path, ARROW["color"])
        drawing.add(row, 0, y)
    return drawing


def _stages(model: Sequential, x: Tensor) -> list[Stage]:
    """The layers, each joined by those after it that change neither the number of units nor have parameters."""
    stages: list[Stage] = []
    rows = summary(model, x.shape[1:]).rows
    with model.in_use(), no_grad():
        for name, layer in model.children():
            before, x = x, layer(x)
            mine = [row for row in rows if f"{row.name}.".startswith(f"{name}.")]
            parameters, connections = sum(row.parameters for row in mine), sum(row.connections for row in mine)
            if stages and not parameters and x.size == before.size:
                stages[-1].steps.append(_kind(layer))
                if x.shape[1:] == stages[-1].output.shape:  # and not flattened
                    stages[-1].output = x.data[0]
            else:
                stages.append(Stage(name, [_kind(layer)], x.data[0], parameters, connections))
    for stage in stages:
        if stage.output.shape[1:] == (1, 1):
            stage.output = stage.output.ravel()
    return stages


def _kind(layer: Module) -> str:
    """The kind of a layer in few words: its class, with the size of its window."""
    kernel = getattr(layer, "kernel_size", None)
    stride = getattr(layer, "stride", None)
    sides = (kernel, kernel) if isinstance(kernel, int) else kernel
    text = type(layer).__name__.removesuffix("1d").removesuffix("2d")
    text += f" {'×'.join(map(str, sides))}" if sides else ""
    return text + (f" /{stride}" if stride not in (None, 1, (1, 1), kernel) else "")


def _mosaic(output: Array) -> tuple[Array, float]:
    """The first maps side by side, each from black to white, and the size of a pixel in points."""
    maps = output[:1] if _alike(output) else output[:MOST_MAPS]
    columns = math.isqrt(len(maps))
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
    side = 18 + 9 * math.log2(longest)  # larger for larger maps, but not as much larger
    return sheet, side / (longest * zoom)


def _alike(output: Array) -> bool:
    return len(output) > 1 and bool((output == output[0]).all())


def _facts(stage: Stage) -> list[str]:
    lines = []
    if stage.output.ndim == 3:
        channels, height, width = stage.output.shape
        lines.append(f"{channels} @ {height} × {width}")
        if _alike(stage.output):
            lines.append("(all equal)")
        elif channels > MOST_MAPS:
            lines.append(f"(the first {MOST_MAPS})")
    counts = {"parameters": stage.parameters, "connections": stage.connections}
    return lines + [f"{count:,} {what}" for what, count in counts.items() if count]
