"""Convolution arithmetic: the window at each of its places, with padding, strides, dilation, and transposed.

What you can do here: draw `convolution_arithmetic` of any setting, at one place or moving; `SETTINGS` has those of the
guide.

A transposed convolution is drawn as the guide draws it: a convolution with stride 1 over the input with zeros between
its cells and around them.  Which cells a place reads is asked of the layer itself, by `connections`.
Source: Dumoulin and Visin, A guide to convolution arithmetic for deep learning (2016).

Letters, along one axis:   n input    k kernel    s stride    p padding    d dilation    a output padding
                           span = d (k - 1) + 1, what a dilated kernel covers
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from minitensor import Tensor, conv2d
from minitensor.checks import listed, per_axis, whole
from minitensor.sizes import conv_output_size, conv_transpose_output_size
from minitensor.tensor import Array

from ..drawing.dot import FIELD, PADDING, RESULT, TRACE, Attributes
from ..drawing.sheet import CELL_SIZE, UNCLIPPED, Drawing, Pinned
from ..drawing.style import Style
from .connections import MOST_WIRES, connections
from .grids import Moving

MOST_PLACES, MOST_CELLS = 100, 1_000
LINE = 1.4  # the width of the lines from the window to its output, in points
NOT_FILLED = {"style": "solid"}  # wires lie below all cells: they show through
SETTINGS: dict[str, dict[str, Any]] = {  # the guide's figures 2.1 to 2.7 and 5.1, then 4.1 to 4.7
    "no padding, no strides": {"size": 4, "kernel_size": 3},
    "arbitrary padding, no strides": {"size": 5, "kernel_size": 4, "padding": 2},
    "half padding, no strides": {"size": 5, "kernel_size": 3, "padding": 1},
    "full padding, no strides": {"size": 5, "kernel_size": 3, "padding": 2},
    "no padding, strides": {"size": 5, "kernel_size": 3, "stride": 2},
    "padding, strides": {"size": 5, "kernel_size": 3, "stride": 2, "padding": 1},
    "padding, strides (odd)": {"size": 6, "kernel_size": 3, "stride": 2, "padding": 1},
    "dilation": {"size": 7, "kernel_size": 3, "dilation": 2},
    "no padding, no strides, transposed": {"size": 2, "kernel_size": 3, "transposed": True},
    "arbitrary padding, no strides, transposed": {"size": 6, "kernel_size": 4, "padding": 2, "transposed": True},
    "half padding, no strides, transposed": {"size": 5, "kernel_size": 3, "padding": 1, "transposed": True},
    "full padding, no strides, transposed": {"size": 7, "kernel_size": 3, "padding": 2, "transposed": True},
    "no padding, strides, transposed": {"size": 2, "kernel_size": 3, "stride": 2, "transposed": True},
    "padding, strides, transposed": {"size": 3, "kernel_size": 3, "stride": 2, "padding": 1, "transposed": True},
    "padding, strides, transposed (odd)": {
        "size": 3,
        "kernel_size": 3,
        "stride": 2,
        "padding": 1,
        "output_padding": 1,
        "transposed": True,
    },
}


def convolution_arithmetic(
    size: int | Sequence[int],
    kernel_size: int | Sequence[int],
    *,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    output_padding: int | Sequence[int] = 0,
    transposed: bool = False,
    channels: Sequence[int] = (1, 1),
    position: int | None = None,
    title: str = "",
    side: float = CELL_SIZE,
    style: str | Style = "light",
) -> Pinned:
    """The window of a convolution over an image of this size, at one place, or without a position moving over all.

    Zeros are dashed: those of the padding, and of a transposed convolution those between the cells too.
    channels: of the input and of the output; a window reads all of the input's.  side: of a cell, in points.  position
    counts the places in reading order, channel by channel.  What moves is saved as .gif or .svg; its still, for other
    formats, is the last place.
    Raises ValueError for a setting that a layer would refuse, a position that is not there, a side of no points, or
    more cells or places than can be looked at; TypeError for what must be whole and is not.

    >>> still = convolution_arithmetic(5, 3, stride=2, padding=1, position=0)
    >>> "(5 + 2·1 − 3) / 2" in still.dot, len(convolution_arithmetic(5, 3, stride=2).frames)
    (True, 4)
    """
    if not 0 < side < math.inf:
        raise ValueError(f"side (={side}) must be more than 0 points")
    given = zip(_Setting._fields, (size, kernel_size, stride, padding, dilation, output_padding), strict=True)
    plan = _Plan.of(_Setting(*(per_axis(name, value, 2) for name, value in given)), transposed, channels)
    places = math.prod(plan.output)
    if position is not None and not 0 <= whole("position", position) < places:
        raise ValueError(f"position (={position}) must be from 0 to {places - 1}")
    if position is None and places > MOST_PLACES:
        raise ValueError(f"{places} places are too many to be shown one by one (more than {MOST_PLACES}); choose one")
    style = Style.of(style)
    said = title or plan.said
    frames = [
        plan.drawing(i, title, side).styled(style).figure(f"{said}: place {i + 1} of {places}")
        for i in range(places)
        if position in (None, i)
    ]
    if position is not None:
        return frames[0]
    return Moving.of(frames, f"{said}: the window at each of {places} places")


class _Setting(NamedTuple):
    """What is set, along both axes."""

    size: tuple[int, ...]
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    output_padding: tuple[int, ...]


@dataclass(frozen=True)
class _Plan:
    """What is drawn: the input with its zeros, which of its cells are real, and which cells each place reads."""

    said: str
    formula: str
    real: Array  # (H, W) of the input with its zeros
    size: tuple[int, ...]
    channels: int
    output: tuple[int, int, int]
    read: dict[int, set[int]]

    @staticmethod
    def of(s: _Setting, transposed: bool, channels: Sequence[int]) -> _Plan:
        size, kernel, stride, padding, dilation, extra = s
        if any(extra) and not transposed:
            raise ValueError(f"output_padding (={extra}) belongs to a transposed convolution")
        two = [whole("channels", n) for n in listed("channels", channels)]
        if len(two) != 2 or min(two) < 1:
            raise ValueError(f"channels (={channels}) must be two, of the input and the output, each at least 1")
        sizes = [
            conv_transpose_output_size(n, k, st, p, a, d) if transposed else conv_output_size(n, k, st, p, d)
            for n, k, st, p, d, a in zip(size, kernel, stride, padding, dilation, extra, strict=True)
        ]
        step: tuple[int, ...]
        apart: tuple[int, ...]
        if transposed:
            margins = [d * (k - 1) - p for k, p, d in zip(kernel, padding, dilation, strict=True)]
            if min(margins) < 0:
                raise ValueError(f"padding (={padding}) of more than dilation * (kernel_size - 1) leaves inputs unread")
            step, apart = (1, 1), stride
        else:
            margins, step, apart = list(padding), stride, (1, 1)
        lengths = [(n - 1) * d + 1 + 2 * m + a for n, d, m, a in zip(size, apart, margins, extra, strict=True)]
        if (cells := math.prod(lengths) * channels[0]) > MOST_CELLS:
            raise ValueError(f"{cells:,} cells are no picture (more than {MOST_CELLS:,})")
        if (count := math.prod([*kernel, *sizes, *channels])) > MOST_WIRES:
            raise ValueError(f"windows that read {count:,} cells are no picture (more than {MOST_WIRES:,})")
        lines = [np.zeros(length, bool) for length in lengths]
        for line, n, between, m in zip(lines, size, apart, margins, strict=True):
            line[m : m + (n - 1) * between + 1 : between] = True
        real = np.outer(*lines)
        weight = Tensor(np.ones((channels[1], channels[0], *kernel)), name="w")
        wires = connections(lambda x: conv2d(x, weight, stride=step, dilation=dilation), (1, channels[0], *real.shape))
        read: dict[int, set[int]] = {}
        for j, i in wires:
            read.setdefault(i, set()).add(j)
        names = {"stride": (stride, (1, 1)), "padding": (padding, (0, 0)), "dilation": (dilation, (1, 1))}
        names["output padding"] = (extra, (0, 0))
        settings = [f"{name} {_times(v)}" for name, (v, usual) in names.items() if v != usual]
        said = ", ".join([f"{'transposed convolution, ' * transposed}kernel {_times(kernel, 2)}", *settings])
        return _Plan(said, _formula(s, transposed, sizes), real, size, channels[0], (channels[1], *sizes), read)  # type: ignore[arg-type]

    def drawing(self, place: int, title: str, side: float) -> Drawing:
        """The input with its window, the output with its cell, and the lines between them."""
        drawing, cells = Drawing(), self.real.size
        _, height, width = self.output
        now = {c for c in range(self.output[0]) if place // (height * width) == c}

        def look(j: int) -> Attributes:
            zero = not self.real.flat[j % cells]
            if j in self.read[place]:
                return {**FIELD, "style": PADDING["style"]} if zero else FIELD
            return {**PADDING, "style": "dashed"} if zero else NOT_FILLED

        zeros = ["" if real else "0" for real in self.real.flat]
        tall = self.channels * (self.real.shape[0] + 1) - 1, self.output[0] * (height + 1) - 1
        numbers = []
        for c in range(self.channels):
            top = ((tall[0] - 1) / 2 - c * (self.real.shape[0] + 1)) * side
            looks = [look(c * cells + j) for j in range(cells)]
            numbers += drawing.grid(0, top, self.real.shape, zeros, looks, side)
        right = (self.real.shape[1] + 2.5) * side
        made = []
        for c in range(self.output[0]):
            top = ((tall[1] - 1) / 2 - c * (height + 1)) * side
            here = [RESULT if c in now and place % (height * width) == i else NOT_FILLED for i in range(height * width)]
            made += drawing.grid(right, top, (height, width), [""] * len(here), here, side)
        head = drawing.shapes[made[place]]
        ends = max(drawing.shapes[n].x for n in numbers) + side / 2, drawing.shapes[made[0]].x - side / 2
        for edge in (side / 2, -side / 2):
            _ruled(drawing, ends[1], head.x - side / 2, head.y + edge)
        for c in range(self.channels):
            window = [drawing.shapes[numbers[j]] for j in self.read[place] if j // cells == c]
            for pick, edge in ((max, side / 2), (min, -side / 2)):
                corner = next(s for s in window if s.y == pick(s.y for s in window) and s.x == max(s.x for s in window))
                tail, tip = corner.y + edge, head.y + edge
                _ruled(drawing, corner.x + side / 2, ends[0], tail)
                line = {**TRACE, "arrowhead": "none", "penwidth": f"{LINE:g}", **UNCLIPPED}
                drawing.wire(drawing.point(ends[0], tail), drawing.point(ends[1], tip), line)
        top = (max(tall) / 2) * side + 14
        counts = [f"{n} × " if n > 1 else "" for n in (self.channels, self.output[0])]
        drawing.text((self.real.shape[1] - 1) / 2 * side, top, f"input {counts[0]}{_times(self.size, 2)}", 15)
        drawing.text(right + (width - 1) / 2 * side, top, f"output {counts[1]}{height} × {width}", 15)
        left, low, end_, _ = drawing.extent()
        drawing.text((left + end_) / 2, low - 18, self.formula, 14)
        kind = "transposed convolution, "
        said = self.said.removeprefix(kind) if "transposed" in title else self.said
        return drawing.caption(f"{title}\n{said}" if title else said, gap=30, size=15)


def _ruled(drawing: Drawing, left: float, right: float, y: float) -> None:
    """A line along the edges of cells, so that it crosses none; a box, since wires lie below all cells."""
    if right > left:
        color = TRACE["color"]
        looks = {"style": "filled", "fillcolor": color, "color": color, "penwidth": "0"}
        drawing.box((left + right) / 2, y, right - left, LINE, "", looks)


def _formula(s: _Setting, transposed: bool, sizes: Sequence[int]) -> str:
    """The size of the output with the numbers put in, for each axis that differs."""
    texts = []
    for n, k, stride, p, d, a, m in dict.fromkeys(zip(*s, sizes, strict=True)):
        span = f"{k}" if d == 1 else f"({d}·{k - 1} + 1)"
        padded = f" {'−' if transposed else '+'} 2·{p}" if p else ""
        if transposed:
            start = f"({n} − 1)·{stride}" if stride > 1 else f"{n} − 1"
            texts.append(f"{start}{padded} + {span}{f' + {a}' if a else ''} = {m}")
        else:
            room = f"{n}{padded} − {span}"
            texts.append(f"floor(({room}) / {stride}) + 1 = {m}" if stride > 1 else f"{room} + 1 = {m}")
    return ", ".join(texts)


def _times(sizes: Sequence[int], least: int = 1) -> str:
    """One number where all are the same (and one is enough), else all with × between them."""
    few = sizes[:1] if least == 1 and len(set(sizes)) == 1 else sizes
    return " × ".join(map(str, few))
