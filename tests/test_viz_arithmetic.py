"""Convolution arithmetic: each place reads what the layer reads there, and the sizes that are said are the layer's."""

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from minitensor import Tensor, conv2d, conv_transpose2d
from minitensor.sizes import conv_output_size
from viz import Figure, animate, connections, convolution_arithmetic
from viz.drawing.sheet import CELL_SIZE, Shape
from viz.subjects.arithmetic import SETTINGS, _Plan, _Setting
from viz.subjects.grids import Moving


@st.composite
def convolutions(draw: st.DrawFn) -> dict[str, Any]:
    """Settings of a convolution, the size of the input chosen from that of the output."""

    def pair(low: int, high: int) -> tuple[int, int]:
        return draw(st.tuples(*[st.integers(low, high)] * 2))

    output, kernel, stride, dilation = pair(1, 3), pair(1, 3), pair(1, 3), pair(1, 2)
    span = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    padding = tuple(draw(st.integers(0, n - 1)) for n in span)
    rest = tuple(draw(st.integers(0, s - 1)) for s in stride)
    size = [(m - 1) * s + n - 2 * p + r for m, s, n, p, r in zip(output, stride, span, padding, rest, strict=True)]
    if draw(st.booleans()):
        transposed = {
            "transposed": True,
            "output_padding": tuple(min(r, s - 1) for r, s in zip(rest, stride, strict=True)),
        }
        size = list(output)
    else:
        transposed = {}
    assume(min(size) > 0)
    return {
        "size": tuple(size),
        "kernel_size": kernel,
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
    } | transposed


def layer_of(s: dict[str, Any], channels: tuple[int, int] = (1, 1)) -> Any:
    """The layer that is drawn, with its own padding and nothing between its cells."""
    names = ("stride", "padding", "dilation", "output_padding")
    setting = {name: s[name] for name in names if name in s}
    first, last = channels
    if s.get("transposed"):
        weight = Tensor(np.ones((first, last, *s["kernel_size"])), name="w")
        return lambda x: conv_transpose2d(x, weight, **setting)
    weight = Tensor(np.ones((last, first, *s["kernel_size"])), name="w")
    return lambda x: conv2d(x, weight, **setting)


@given(convolutions(), st.tuples(st.integers(1, 2), st.integers(1, 2)))
@settings(max_examples=20)
def test_each_place_reads_what_the_layer_reads_there(s: dict[str, Any], channels: tuple[int, int]) -> None:
    try:
        layer, (h, w) = layer_of(s, channels), s["size"]
        expected = {(j, i) for j, i in connections(layer, (1, channels[0], h, w))}
    except ValueError:  # of a transposed convolution, padding may leave nothing
        assume(False)
    extra = s.get("output_padding", (0, 0))
    setting = _Setting(s["size"], s["kernel_size"], s["stride"], s["padding"], s["dilation"], extra)
    plan = _Plan.of(setting, "transposed" in s, channels)
    cells = {place: n for n, place in enumerate(np.flatnonzero(plan.real))}
    read = {
        (int(j // plan.real.size * h * w + cells[j % plan.real.size]), i)
        for i, window in plan.read.items()
        for j in window
        if j % plan.real.size in cells
    }
    assert read == expected


@given(convolutions())
@settings(max_examples=20)
def test_the_formula_gives_the_size_that_is_drawn(s: dict[str, Any]) -> None:
    try:
        figure = convolution_arithmetic(**s, position=0)
    except ValueError:
        assume(False)
    words = [shape.label for shape in figure.drawing.shapes if shape.looks["shape"] == "plaintext"]
    [formula] = [w for w in words if " = " in w]
    [said] = [w for w in words if w.startswith("output ")]
    height, width = (int(n) for n in said.removeprefix("output ").split(" × "))
    sizes = []
    for part in formula.split(", "):
        left, right = part.replace("·", "*").replace("−", "-").split(" = ")
        assert eval(left, {"floor": math.floor}) == int(right)
        sizes.append(int(right))
    assert sizes == [height, width] or (height == width and sizes == [height]) or set(sizes) == {height, width}


def test_everything_that_the_guide_shows_is_there() -> None:
    assert len(SETTINGS) == 15
    sizes = {name: int(np.sqrt(len(convolution_arithmetic(**s).frames))) for name, s in SETTINGS.items()}  # type: ignore[attr-defined]
    assert list(sizes.values()) == [2, 6, 5, 7, 2, 3, 3, 3, 4, 5, 5, 5, 5, 5, 6]


@pytest.mark.parametrize(
    ("size", "kernel", "more", "said"),
    [
        (10**6, 3, {}, "1,000,000,000,000 cells are no picture"),
        (10**6, 3, {"transposed": True}, "cells are no picture"),
        (30, 15, {"channels": (1, 1)}, "windows that read 57,600 cells are no picture"),
        (9, 3, {"channels": (10, 10)}, "windows that read 44,100 cells are no picture"),
    ],
)
def test_what_is_too_large_is_said_at_once(size: int, kernel: int, more: dict[str, Any], said: str) -> None:
    """In the words of its own settings, whatever its connections would say."""
    with pytest.raises(ValueError, match=said):
        convolution_arithmetic(size, kernel, position=0, **more)


def test_an_animation_is_made_of_figures_with_a_drawing() -> None:
    with pytest.raises(ValueError, match="at least one figure"):
        Moving.of([], "t")
    with pytest.raises(TypeError, match="figures with a drawing, got Figure"):
        Moving.of([Figure("digraph {}")], "t")  # type: ignore[list-item]


def test_an_animation_moves_where_it_can_and_is_its_last_figure_elsewhere(tmp_path: Path) -> None:
    moving = convolution_arithmetic(3, 2)
    last = convolution_arithmetic(3, 2, position=3)
    assert moving.dot == last.dot
    with Image.open(moving.save(tmp_path / "x.gif", seconds=0.5)) as image:
        assert (image.n_frames, image.info["duration"], image.info["loop"]) == (4, 500, 0)
    text = moving.save(tmp_path / "x.svg").read_text()
    frames = re.findall(r'<g class="f\w{8}"(.*?)>', text)
    assert ['visibility="hidden"' in frame for frame in frames] == [True, True, True, False]  # the last is seen
    for suffix in ("png", "tex", "pdf"):
        one, two = (f.save(tmp_path / f"{n}.{suffix}").read_bytes() for n, f in enumerate([moving, last]))
        assert len(one) > 500
        assert suffix != "tex" or one.split(b"tikzpicture")[1] == two.split(b"tikzpicture")[1]


def test_figures_that_move_are_animated_frame_by_frame(tmp_path: Path) -> None:
    moving = convolution_arithmetic(3, 2)
    still = moving.frames[0]  # type: ignore[attr-defined]
    for suffix in ".gif", ".svg":
        one = animate([still, moving, still], tmp_path / f"one{suffix}", title="t").read_bytes()
        two = animate([still, *moving.frames, still], tmp_path / f"two{suffix}", title="t").read_bytes()  # type: ignore[attr-defined]
        assert one == two


def test_the_window_and_the_output_cell_are_marked() -> None:
    figure = convolution_arithmetic(5, 3, stride=2, padding=1, position=0)
    marked: list[Shape] = [s for s in figure.drawing.shapes if "penwidth" in s.looks and s.looks["penwidth"] == "2"]
    assert len(marked) == 9 + 1
    assert sum("dashed" in s.looks["style"] for s in marked) == 5


@given(convolutions(), st.tuples(st.integers(1, 2), st.integers(1, 2)), st.data())
@settings(max_examples=20)
def test_no_line_crosses_a_cell(s: dict[str, Any], channels: tuple[int, int], data: st.DataObject) -> None:
    """It runs along the edges of cells, and across in the gap between the grids; so it leads on without a break."""
    try:
        out = layer_of(s, channels)(Tensor(np.zeros((1, channels[0], *s["size"])))).size
        figure = convolution_arithmetic(**s, channels=channels, position=data.draw(st.integers(0, out - 1)))
    except ValueError:  # of a transposed convolution, padding may leave nothing
        assume(False)
    shapes = figure.drawing.shapes
    cells = [z for z in shapes if z.height == CELL_SIZE]
    ends = []
    for wire in figure.drawing.wires:
        a, b = shapes[wire.tail], shapes[wire.head]
        assert all(max(z.x - z.width / 2, a.x) >= min(z.x + z.width / 2, b.x) - 0.01 for z in cells)
        ends += [(a.x, a.y), (b.x, b.y)]
    for line in (z for z in shapes if z.looks.get("penwidth") == "0"):
        for z in cells:
            beside = abs(z.x - line.x) >= (z.width + line.width) / 2 - 0.01
            assert beside or abs(z.y - line.y) >= z.height / 2 - 0.01
        sides = [(line.x + side * line.width / 2, line.y) for side in (-1, 1)]
        assert min(math.dist(side, end) for side in sides for end in ends) < 0.01
    assert len(figure.drawing.wires) == 2 * channels[0]


@pytest.mark.parametrize("name", SETTINGS)
def test_each_zero_is_written_once_and_whole_edges_lie_above_dashed_ones(name: str) -> None:
    figure = convolution_arithmetic(**SETTINGS[name], position=0)
    shapes = [s for s in figure.drawing.shapes if s.height == CELL_SIZE]
    zeros = [s for s in shapes if s.label == "0"]
    assert len(zeros) == len({(z.x, z.y) for z in zeros}) == (~plan(name).real).sum()
    for width in ("1", "2"):
        dashed = ["dashed" in s.looks["style"] for s in shapes if s.looks["penwidth"] == width and s.x < 9 * CELL_SIZE]
        assert dashed == sorted(dashed, reverse=True)


def plan(name: str) -> _Plan:
    s = dict(SETTINGS[name])
    transposed = s.pop("transposed", False)
    usual = {"stride": 1, "padding": 0, "dilation": 1, "output_padding": 0}
    return _Plan.of(_Setting(**{key: (v, v) for key, v in {**usual, **s}.items()}), transposed, (1, 1))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"size": 2, "kernel_size": 3}, r"kernel \(=3\)"),
        ({"size": 5, "kernel_size": 3, "output_padding": 1}, "belongs to a transposed"),
        ({"size": 5, "kernel_size": 3, "position": 9}, "must be from 0 to 8"),
        ({"size": 5, "kernel_size": 3, "channels": (0, 1)}, r"channels \(=\(0, 1\)\)"),
        ({"size": 50, "kernel_size": 3}, "no picture"),
        ({"size": 20, "kernel_size": 3}, "too many to be shown one by one"),
        ({"size": 5, "kernel_size": 1, "padding": 1, "transposed": True}, "leaves inputs unread"),
        ({"size": 5, "kernel_size": 3, "style": "pink"}, "'pink'"),
    ],
)
def test_what_cannot_be_drawn_is_a_clear_error(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        convolution_arithmetic(**setting)


def test_sizes_agree_with_the_chapter_on_sizes() -> None:
    assert conv_output_size(6, 3, 2, 1) == 3
    assert "output 3 × 3" in convolution_arithmetic(6, 3, stride=2, padding=1, position=0).dot
