"""Nodes larger than a unit, marks of many colours, weights, biases, long rows: each shows what the layer has."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minitensor import Tensor, concatenate, conv1d, conv2d, dense, relu, softmax, stack, tanh, transpose
from nets import Conv1d, Conv2d, Dense, MaxPool2d, Sequential
from viz import connections, connectivity
from viz.drawing.sheet import Pinned
from viz.drawing.style import LIGHT, Style

RNG = np.random.default_rng(0)
Q, K, V = (Tensor(RNG.normal(size=(3, 3)), name=name) for name in "qkv")


def attention(x: Tensor, mask: Any = 0.0) -> Tensor:
    return softmax((x @ Q) @ transpose(x @ K, (1, 0)) + mask, axis=-1) @ (x @ V)


def recurrent(x: Tensor) -> Tensor:
    h, out = Tensor(np.zeros((1, 3))), []
    for t in range(x.shape[0]):
        h = tanh(x[t : t + 1] @ Q + h @ K)
        out.append(h)
    return concatenate(out, axis=0)


def wires(figure: Pinned) -> set[tuple[int, int]]:
    """The wires of a figure of two rows, as (unit below, unit above)."""
    units = [n for n, s in enumerate(figure.drawing.shapes) if s.looks["shape"] in ("circle", "box")]
    below = [n for n in units if figure.drawing.shapes[n].y == 0]
    return {(w.tail, w.head - len(below)) for w in figure.drawing.wires}


@given(st.integers(2, 6))
def test_tokens_and_time_steps_are_nodes(n: int) -> None:
    everything = {(j, i) for j in range(n) for i in range(n)}
    earlier = {(j, i) for j, i in everything if j <= i}
    mask = np.triu(np.full((n, n), -1e9), 1)
    assert wires(connectivity(attention, (n, 3), unit=0)) == everything
    assert wires(connectivity(lambda x: attention(x, mask), (n, 3), unit=0)) == earlier
    assert wires(connectivity(recurrent, (n, 3), unit=0)) == earlier
    assert connectivity(Conv1d(1, 1, 2), n, unit=0).dot == connectivity(Conv1d(1, 1, 2), (n,), unit=0).dot


recipes = st.lists(st.tuples(st.booleans(), st.sets(st.integers(0, 3), max_size=2)), min_size=2, max_size=4)


@given(recipes, st.booleans(), st.sampled_from(["stack", "concatenate"]))
@settings(max_examples=10)
def test_a_chain_wires_a_state_to_what_it_reads_itself_and_all_ways_along_it_are_those_of_the_layer(
    steps: list[tuple[bool, set[int]]], twice: bool, joined: str
) -> None:
    """Each step reads its input or not, and some of the states before; the last may be an output twice."""
    reads = [{s for s in before if s < t} for t, (_, before) in enumerate(steps)]

    def layer(x: Tensor) -> Tensor:
        states: list[Tensor] = []
        for t, (own, _) in enumerate(steps):
            read = [x[t : t + 1]] * own + [states[s] for s in reads[t]]
            states.append(tanh(sum((2.0 * r for r in read), Tensor([1.0]))))
        states += states[-1:] * twice
        return concatenate(states) if joined == "concatenate" else stack([s[0] for s in states])

    x = len(steps)
    links = {(s, t) for t in range(x) for s in reads[t]} | {(s, x) for s in reads[-1] if twice}
    inputs = {(t, t) for t, (own, _) in enumerate(steps) if own} | ({(x - 1, x)} if twice and steps[-1][0] else set())
    whole = set(connections(layer, x, weights=False))
    moving = {i for _, i in whole}  # a state may be a constant
    links = {(s, t) for s, t in links if s in moving}
    if not links:
        with pytest.raises(ValueError, match="outputs that are computed from one another, and this layer has none"):
            connectivity(layer, x, chain=True)
        return
    figure = connectivity(layer, x, chain=True)
    found = [(w.tail, w.head) for w in figure.drawing.wires]
    assert sorted(found) == sorted([(j, x + i) for j, i in inputs] + [(x + s, x + t) for s, t in links])
    reached = {(j, j) for j in range(x)}
    for _ in range(2 * x):
        reached |= {(j, head) for j, at in reached for tail, head in found if tail == at}
    assert {(j, i - x) for j, i in reached if i >= x} == whole


@pytest.mark.parametrize("orientation, up", [("up", (0, 1)), ("down", (0, -1)), ("right", (1, 0)), ("left", (-1, 0))])
def test_a_link_over_others_rises_where_the_rows_grow_and_ends_at_its_units(
    orientation: str, up: tuple[int, int]
) -> None:
    def layer(x: Tensor) -> Tensor:
        first, second = tanh(x[:1]), tanh(x[1:2])
        return concatenate([first, second, tanh(first + second + x[2:])])

    drawing = connectivity(layer, 3, chain=True, style=Style(orientation=orientation)).drawing
    [wire] = [w for w in drawing.wires if w.curve]
    ends = [drawing.shapes[n] for n in (wire.tail, wire.head)]
    for (x, y), shape in zip([*wire.curve[:2], *wire.curve[:1:-1]], [*ends[:1] * 2, *ends[1:] * 3], strict=True):
        right, upwards = (x - shape.x) / shape.width, (y - shape.y) / shape.height
        assert right * up[1] == upwards * up[0] and right * up[0] + upwards * up[1] >= 0.5
    for x, y in (wire.curve[0], wire.curve[-1]):
        assert min(abs(x - shape.x) + abs(y - shape.y) for shape in ends) < ends[0].width / 2 + 2


@given(st.integers(2, 4), st.data())
@settings(max_examples=5)
def test_what_is_followed_along_a_chain_is_what_the_layer_reaches(n: int, data: st.DataObject) -> None:
    unit, direction = data.draw(st.integers(0, n - 1)), data.draw(st.sampled_from(["below", "above"]))
    one, other = (
        connectivity(recurrent, (n, 3), unit=0, highlight=unit, direction=direction, chain=chain)
        for chain in (True, False)
    )
    fills = [[s.looks.get("fillcolor") for s in figure.drawing.shapes[: 2 * n]] for figure in (one, other)]
    below = slice(0, n) if direction == "above" else slice(n, 2 * n)
    assert fills[0][below] == fills[1][below] and fills[0].count(LIGHT["followed"]) == 1
    marked = [w for w in one.drawing.wires if w.looks.get("color") == LIGHT["field, line"]]
    assert len(marked) == (n - unit if direction == "below" else 2 * unit + 1)


@given(st.integers(1, 2), st.integers(1, 3), st.sampled_from([0, 1, 2, -1, -3]))
def test_a_node_is_wired_where_any_of_its_units_is(groups: int, each: int, unit: int) -> None:
    layer = Conv2d(groups * each, groups * 2, 3, groups=groups)
    shape, after = (groups * each, 4, 4), (groups * 2, 2, 2)
    index = [np.indices(s)[unit].ravel() for s in (shape, after)]
    expected = {(int(index[0][j]), int(index[1][i])) for j, i in connections(layer, shape)}
    figure = connectivity(layer, shape, unit=unit)
    assert wires(figure) == expected
    assert sum(s.looks["shape"] == "box" for s in figure.drawing.shapes) == shape[unit] + after[unit]


@given(st.integers(0, 3), st.integers(0, 3))
def test_a_place_on_a_grid_is_a_row_and_a_column(row: int, column: int) -> None:
    layer = Conv2d(1, 1, 3, padding=1)
    for place in (row, column), (0, row, column):
        by_place = connectivity(layer, (4, 4), highlight=place, direction="above")
        assert by_place.dot == connectivity(layer, (4, 4), highlight=row * 4 + column, direction="above").dot


def test_what_several_colours_meet_has_all_of_them() -> None:
    w = Tensor(np.ones((1, 1, 3)), name="w")
    figure = connectivity(lambda x: conv1d(x, w), 6, highlight={0: "#FF0000", 1: "#0000FF"}, direction="above")
    fills = [s.looks.get("fillcolor", "") for s in figure.drawing.shapes[:6]]
    assert [f.count("#") for f in fills] == [1, 2, 2, 1, 1, 1]
    assert fills[1].startswith(fills[0]) and fills[1].endswith(fills[3])
    assert figure.svg().count('stroke="#ff0000"') >= 3


@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_wires_are_as_thick_as_weights_are_large_and_dashed_below_0(inputs: int, outputs: int, seed: int) -> None:
    layer = Dense(inputs, outputs, bias=False)
    values = np.random.default_rng(seed).integers(1, 5, (outputs, inputs)) * np.random.default_rng(seed + 1).choice(
        [-1, 1], (outputs, inputs)
    )
    layer.load_state_dict({"weight": values.astype(np.float32)})
    figure = connectivity(layer, inputs, weigh=True)
    found = {}
    for wire in figure.drawing.wires:
        sign = -1 if wire.looks.get("style") == "dashed" else 1
        found[wire.head - inputs, wire.tail] = sign * (float(wire.looks["penwidth"]) - 0.4) / 3.6
    for (i, j), part in found.items():
        assert part == pytest.approx(values[i, j] / np.abs(values).max(), abs=0.01)


@pytest.mark.parametrize("moved", [0, 1, 2])
def test_a_bias_is_wired_to_what_it_moves_and_to_nothing_else(moved: int) -> None:
    w, b = Tensor([2.0, -1.0, 3.0], name="weight"), Tensor(np.ones(3), name="bias")
    drawing = connectivity(lambda x: w * x + b * (np.arange(3) == moved), 3, bias=True).drawing
    dashed = [wire for wire in drawing.wires if wire.looks.get("style") == "dashed"]
    units = [n for n, s in enumerate(drawing.shapes) if s.looks["shape"] == "circle"]
    assert [wire.head for wire in dashed] == [units[3 + moved]]


@pytest.mark.parametrize("side", [1, -1])
def test_a_bias_that_is_felt_on_one_side_of_0_alone_is_drawn(side: int) -> None:
    """Where relu is 0 nothing moves its output; a bias is asked for on both sides."""
    w, b = Tensor([1.0, 1.0], name="weight"), Tensor([0.5, 0.5], name="bias")
    drawing = connectivity(lambda x: relu(side * w * x + b), 2, bias=True).drawing
    assert sum(wire.looks.get("style") == "dashed" for wire in drawing.wires) == 2


@given(st.lists(st.booleans(), min_size=1, max_size=3))
@settings(max_examples=8)
def test_the_layers_of_one_model_have_the_biases_that_they_have(biased: list[bool]) -> None:
    """A weight is none, wherever it stands on the way of what comes in."""
    model = Sequential(*(Dense(3, 3, bias=bias) for bias in biased))
    if any(biased):
        assert sum(s.label == "1" for s in connectivity(model, 3, bias=True).drawing.shapes) == 1
    else:
        with pytest.raises(ValueError, match="no layer has one"):
            connectivity(model, 3, bias=True)


def test_a_bias_is_a_unit_with_the_value_1() -> None:
    with_bias = connectivity([Dense(3, 2), Dense(2, 4, bias=False)], 3, bias=True)
    ones = [s for s in with_bias.drawing.shapes if s.label == "1"]
    assert len(ones) == 1
    assert len(with_bias.drawing.wires) == 3 * 2 + 2 * 4 + 2
    with pytest.raises(ValueError, match="no layer has one"):
        connectivity(Dense(3, 2, bias=False), 3, bias=True)


@given(st.integers(2, 9), st.integers(3, 60))
def test_of_a_long_row_both_ends_are_drawn_and_nothing_behind_the_dots_is_counted(most: int, inputs: int) -> None:
    figure = connectivity(Dense(inputs, 3), inputs, most=most)
    numbers = [int(n) for n in re.findall(r"<I>x</I><FONT[^>]*><SUB>(\d+)</SUB>", figure.dot)]
    kept = min(inputs, most)
    assert len(numbers) == kept
    assert numbers == sorted(numbers) and numbers[0] == 1 and numbers[-1] == inputs
    assert sum(s.label == "..." for s in figure.drawing.shapes) == (inputs > most) + (most < 3)
    assert len(figure.drawing.wires) == kept * min(3, most)


@given(st.integers(2, 9), st.integers(3, 40), st.integers(1, 40))
def test_what_is_drawn_of_a_long_row_stands_evenly_with_one_gap_in_the_middle(
    most: int, inputs: int, outputs: int
) -> None:
    """Dots stand in the gap; the first half has the odd unit; each row is centred on the same line."""
    figure = connectivity(Dense(inputs, outputs), inputs, most=most)
    shapes = figure.drawing.shapes
    middles = []
    for r, size in enumerate((inputs, outputs)):
        y = [0.0, shapes[-1].y][r] if r == 0 else max(s.y for s in shapes)
        units = [s for s in shapes if s.y == y and s.looks["shape"] == "circle"]
        dots = [s.x for s in shapes if s.y == y and s.label == "..."]
        steps = [b.x - a.x for a, b in pairwise(units)]
        kept, half = min(size, most), (min(size, most) + 1) // 2
        assert len(units) == kept
        assert steps == pytest.approx([144.0 if size > most and n == half - 1 else 72.0 for n in range(kept - 1)])
        assert dots == pytest.approx([units[half - 1].x + 72] if size > most else [])
        ends = [units[0].x, (units[-1].x if kept > half or size <= most else dots[0])]
        middles.append(sum(ends) / 2)
    assert middles[0] == pytest.approx(middles[1])


@given(st.integers(2, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 2))
def test_a_unit_stands_over_the_middle_of_what_it_sees(out: int, k: int, s: int, channels: int) -> None:
    """Where nothing is cut off; channels stand side by side, one free place between them."""
    n = (out - 1) * s + k
    w = Tensor(np.ones((channels, 1, k)), name="w")
    drawing = connectivity(lambda x: conv1d(x, w, stride=s), (1, 1, n)).drawing
    below = [shape.x for shape in drawing.shapes[:n]]
    above = [shape.x for shape in drawing.shapes[n : n + channels * out]]
    assert below == pytest.approx([72.0 * j for j in range(n)])
    one = [(below[i * s] + below[i * s + k - 1]) / 2 for i in range(out)] if n != out else below
    apart = max(one) - min(one) + 144
    for c in range(channels):
        shift = apart * (c - (channels - 1) / 2)
        assert above[c * out : (c + 1) * out] == pytest.approx([x + shift for x in one])
    assert {shape.y for shape in drawing.shapes} == {0.0, 112.0}


def test_only_wires_with_one_number_are_weighed() -> None:
    """Others look as usual: what a pool reads, and where several parameters meet."""
    a, b = Tensor([2.0, -1.0], name="a"), Tensor([4.0], name="b")
    figure = connectivity(lambda x: concatenate([x[:2] * a, x[2:3] * b * b * a[:1], x[3:]]), 4, weigh=True)
    looks = {w.tail: w.looks for w in figure.drawing.wires}
    assert float(looks[0]["penwidth"]) == 4.0 and float(looks[1]["penwidth"]) == pytest.approx(0.4 + 1.8)
    assert "style" not in looks[0] and looks[1]["style"] == "dashed"
    assert looks[2]["penwidth"] == looks[3]["penwidth"] == "0.9"
    with pytest.raises(ValueError, match="no wire of this layer carries a single one"):
        connectivity(lambda x: 2 * x, 3, weigh=True)


def test_all_weights_0_are_weighed_too() -> None:
    figure = connectivity(Dense(2, 2), 2, weigh=True)
    zero = Dense(2, 2)
    zero.load_state_dict({"weight": np.zeros((2, 2), np.float32), "bias": np.zeros(2, np.float32)})
    assert {w.looks["penwidth"] for w in connectivity(zero, 2, weigh=True).drawing.wires} == {"0.40"}
    assert max(float(w.looks["penwidth"]) for w in figure.drawing.wires) == 4.0


@given(st.integers(1, 4), st.integers(2, 5), st.sets(st.integers(0, 4), max_size=3))
def test_a_bias_is_wired_to_the_units_that_it_moves_and_stands_before_its_row(
    inputs: int, outputs: int, moved: set[int]
) -> None:
    w, b = Tensor(np.ones((outputs, inputs)), name="w"), Tensor(np.ones(outputs), name="b")
    keep = np.isin(np.arange(outputs), list(moved)).astype(float)
    layer = lambda x: dense(x, w) + b * keep  # noqa: E731
    if not keep.any():
        with pytest.raises(ValueError, match="no layer has one"):
            connectivity(layer, (1, inputs), bias=True)
        return
    drawing = connectivity(layer, (1, inputs), bias=True).drawing
    [one] = [n for n, s in enumerate(drawing.shapes) if s.label == "1"]
    assert {w.head - inputs for w in drawing.wires if w.tail == one} == set(np.flatnonzero(keep).tolist())
    assert drawing.shapes[one].x < min(s.x for s in drawing.shapes[:inputs]) and drawing.shapes[one].y == 0


def test_a_layer_of_784_inputs_can_be_drawn_by_its_ends() -> None:
    assert connectivity([Dense(784, 100), Dense(100, 10)], 784, most=6).dot.count("<SUB>784</SUB>") == 1


def test_an_image_of_mnist_can_be_drawn_with_one_window() -> None:
    figure = connectivity([Conv2d(1, 1, 5), MaxPool2d(2)], (28, 28), highlight=(3, 4), direction="above")
    focus, field = Style().color("followed"), Style().color("field")
    fills = [s.looks.get("fillcolor") for s in figure.drawing.shapes]
    assert fills.count(focus) == 1
    assert fills.count(field) == 4 + 36


@given(st.permutations(range(16)))
def test_the_winner_of_a_maximum_is_framed(values: list[int]) -> None:
    image = np.array(values, dtype=float).reshape(4, 4)
    figure = connectivity(MaxPool2d(2), x=image, highlight=(0, 1), direction="above")
    framed = [s.label for s in figure.drawing.shapes if s.looks.get("penwidth") == "3.5"]
    assert framed == [f"{image[:2, 2:].max():.0f}"]


def test_windows_that_do_not_overlap_are_blocks() -> None:
    figure = connectivity(MaxPool2d(2), (4, 4), blocks=True)
    fills = [s.looks["fillcolor"] for s in figure.drawing.shapes if s.looks["shape"] == "box"]
    assert sorted(fills.count(f) for f in set(fills)) == [5] * 4  # a window, and its output
    with pytest.raises(ValueError, match="do not overlap"):
        connectivity(Conv2d(1, 1, 3), (4, 4), blocks=True)


@pytest.mark.parametrize(
    ("orientation", "sign"), [("up", (0, 1)), ("down", (0, -1)), ("right", (1, 0)), ("left", (-1, 0))]
)
def test_rows_grow_to_where_the_style_says(orientation: str, sign: tuple[int, int]) -> None:
    figure = connectivity(Dense(3, 3), 3, style=Style(orientation=orientation), rows=["in", "out"], title="title")
    first, above = figure.drawing.shapes[0], figure.drawing.shapes[3]
    step = (above.x - first.x, above.y - first.y)
    assert (np.sign(step) == sign).all()


def test_words_stand_in_units_and_nodes() -> None:
    figure = connectivity(attention, (3, 3), unit=0, labels={(0, 0): "the", (0, 1): "longest word", (1, 2): "&"})
    labels = [s.label for s in figure.drawing.shapes]
    assert {"the", "longest word", "&amp;"} <= set(labels)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"unit": 2}, r"unit \(=2\) must be an axis of the input, which has 2"),
        ({"unit": 0, "share": True}, "no number, letter, weight or bias of its own"),
        ({"highlight": {0: "red"}}, "'red'"),
        ({"highlight": 99}, "there is no unit 99"),
        ({"labels": {(0, 99): "x"}}, "there is no unit 99 in row 0"),
        ({"labels": {(0, 0): "much too long"}}, "room for two or three characters"),
        ({"most": 1}, "must be at least 2"),
        ({"blocks": True}, "belong"),
    ],
)
def test_what_cannot_be_shown_is_a_clear_error(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        connectivity(attention, (3, 3), **options)


@pytest.mark.parametrize("labels", [{3: "x"}, {(0,): "x"}, {(0, 0): 3}, {(0, 0.5): "x"}])
def test_labels_of_another_kind_are_a_type_error_with_their_value(labels: Any) -> None:
    with pytest.raises(TypeError, match=r"labels .*(3|0,|0\.5)"):
        connectivity(Dense(3, 3), 3, labels=labels)


def test_a_label_on_a_grid_has_the_room_of_one_in_a_row() -> None:
    for layer, shape in ((Dense(4, 4), (4,)), (Conv2d(1, 1, 1), (4, 4))):
        labels = [s.label for s in connectivity(layer, shape, labels={(0, 0): "abc"}).drawing.shapes]
        assert "abc" in labels
        with pytest.raises(ValueError, match="room for two or three characters in a unit, got 'a long long word'"):
            connectivity(layer, shape, labels={(0, 0): "a long long word", (0, 1): "x"})


@pytest.mark.parametrize("style", ["dark", Style("dark"), Style("light", orientation="right")])
def test_grey_and_another_style_are_not_both_given(style: str | Style) -> None:
    with pytest.raises(ValueError, match=r"grey=True is style='print': give it or style \(=.*not both"):
        connectivity(Dense(2, 2), 2, grey=True, style=style)
    assert connectivity(Dense(2, 2), 2, grey=True).dot == connectivity(Dense(2, 2), 2, style="print").dot


def test_what_is_no_layer_is_a_type_error() -> None:
    for wrong in (5, [5]):
        with pytest.raises(TypeError, match=r"a layer.*, got int"):
            connectivity(wrong, 3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="must return a Tensor, and it returned tuple"):
        connectivity(lambda x: (x, x), 3)  # type: ignore[arg-type, return-value]


@given(st.integers(0, 2**32 - 1), st.tuples(st.integers(0, 1), st.integers(0, 1)))
@settings(max_examples=15)
def test_cells_are_framed_that_pass_a_change_on_where_not_all_do(seed: int, followed: tuple[int, int]) -> None:
    image = np.random.default_rng(seed).integers(-2, 3, (3, 3)).astype(float)
    kernel = Tensor(np.ones((1, 1, 2, 2)), name="w")

    def layer(x: Tensor) -> Tensor:
        return relu(conv2d(x, kernel))

    alive = layer(Tensor(image[None, None])).data[0, 0] > 0
    cells = connectivity(layer, x=image, highlight=followed, direction="above").drawing.shapes
    framed = [s for s in cells if s.looks.get("penwidth") == "3.5"]
    assert len(framed) == (4 if alive[followed] and not alive.all() else 0)


@pytest.mark.parametrize("options", [{"bias": True}, {"weigh": True}, {"most": 3}, {"ends": 1}, {"letters": "xy"}])
def test_grids_have_no_wires(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="grids have no wires"):
        connectivity(Conv2d(1, 1, 3), (4, 4), **options)


@pytest.mark.parametrize("place", [(9, 0), (0, 0, 9), (0,), (0, 0, 0, 0, 0)])
def test_a_place_that_is_not_there_is_a_clear_error(place: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"there is no unit \("):
        connectivity(Conv2d(1, 1, 3), (4, 4), highlight=place)
