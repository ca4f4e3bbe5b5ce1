"""A network as the feature maps that it makes of one image.

What you can do here: draw the `architecture` of a model, from its own numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from minitensor import Tensor, no_grad
from minitensor.tensor import Array, Operand, as_tensor
from nets import Module, Sequential, summary

from .dot import OPERATOR, Attributes, plain
from .drawing import Drawing, Pinned
from .png import encode

MOST_MAPS = 16
TALLEST = 190.0  # points


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
    first 16 are shown; in each, white is its largest value and black its smallest.  A vector is a box.
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
    drawing, left = Drawing(), 0.0
    stages = [Stage("input", [], image.data[0]), *_stages(model, image[:1])]
    numbers = []
    for stage in stages:
        width, height = _extent(stage.output)
        below = _facts(stage)
        reach = max(width, 6.2 * max(map(len, [stage.name, *below])))  # the words may be wider than the picture
        if stage.steps:
            left += max(40.0, 6.6 * max(map(len, stage.steps)) + 12 - (reach - width) / 2)
        middle = left + reach / 2
        if stage.output.ndim == 3:
            numbers.append(drawing.image(middle, 0, width, height, _mosaic(stage.output)))
        else:
            fill, border = OPERATOR
            looks = {"style": "filled,rounded", "fillcolor": fill, "color": border, "fontsize": "13"}
            numbers.append(drawing.box(middle, 0, width, height, plain(str(stage.output.size)), looks))
        drawing.text(middle, height / 2 + 12, stage.name, 14, fontname="Helvetica-Bold")
        if below:
            drawing.text(middle, -height / 2 - 6 - 7 * len(below), "\n".join(below), 11, fontcolor="#555555")
        left += reach
    arrow: Attributes = {"color": "#444444", "penwidth": "1.4", "arrowsize": "0.7"}
    for (tail, head), stage in zip(pairwise(numbers), stages[1:], strict=True):
        a, b = drawing.shapes[tail], drawing.shapes[head]
        start, end = a.x + a.width / 2 + 3, b.x - b.width / 2 - 3
        drawing.wire(drawing.point(start, 0), drawing.point(end, 0), arrow)
        drawing.text((start + end) / 2, 8 + 7 * len(stage.steps), "\n".join(stage.steps), 11)
    return drawing.caption(title).figure(title or "architecture")


def _stages(model: Sequential, x: Tensor) -> list[Stage]:
    """The layers, each joined by those after it that change neither the number of units nor have parameters."""
    stages: list[Stage] = []
    rows = summary(model, x.shape[1:]).rows
    with no_grad():
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


def _extent(output: Array) -> tuple[float, float]:
    if output.ndim < 3:
        return 46.0, min(TALLEST, 24 + 14 * math.log2(max(output.size, 2)))
    mosaic = _grid_of(len(output))
    cell = _map_size(output.shape[1:])
    return mosaic[1] * cell, mosaic[0] * cell


def _grid_of(maps: int) -> tuple[int, int]:
    """Rows and columns for so many maps."""
    shown = min(maps, MOST_MAPS)
    columns = math.isqrt(shown)
    return -(-shown // columns), columns


def _map_size(shape: tuple[int, ...]) -> float:
    """The side of one map in points: larger for larger maps, but not as much larger."""
    return 18 + 9 * math.log2(max(shape))


def _mosaic(output: Array) -> bytes:
    """The first maps side by side, each from black to white."""
    rows, columns = _grid_of(len(output))
    maps = output[: rows * columns]
    low, high = maps.min(axis=(1, 2), keepdims=True), maps.max(axis=(1, 2), keepdims=True)
    scaled = (maps - low) / np.where(high > low, high - low, 1)
    height, width = maps.shape[1:]
    zoom = max(1, 64 // max(height, width))
    gap = max(1, 64 // 16) if zoom > 1 else max(1, height // 16)
    sheet = np.full((rows * (height * zoom + gap) - gap, columns * (width * zoom + gap) - gap), 0.82)
    for n, one in enumerate(scaled):
        y, x = divmod(n, columns)
        y, x = y * (height * zoom + gap), x * (width * zoom + gap)
        sheet[y : y + height * zoom, x : x + width * zoom] = one.repeat(zoom, 0).repeat(zoom, 1)
    return encode(sheet)


def _facts(stage: Stage) -> list[str]:
    lines = []
    if stage.output.ndim == 3:
        channels, height, width = stage.output.shape
        lines.append(f"{channels} @ {height} × {width}")
        lines += [f"(the first {MOST_MAPS})"] if channels > MOST_MAPS else []
    counts = {"parameters": stage.parameters, "connections": stage.connections}
    return lines + [f"{count:,} {what}" for what, count in counts.items() if count]
