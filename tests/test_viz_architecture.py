"""The picture of a model is that of its recipe: chains, branches and skips as they are, with their numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nets
from minitensor import Tensor, avg_pool1d, avg_pool2d, avg_pool3d, concatenate, max_pool2d, relu
from nets.trace import trace
from viz.drawing.check import SMALLEST, measure
from viz.drawing.sheet import Drawing, Pinned, Shape
from viz.subjects import u_shape
from viz.subjects.architecture import architecture
from viz.subjects.stages import Stage, stages_of


class Made(nets.Module):
    """A model from layers and a function of them."""

    def __init__(self, call: Callable[..., Tensor], **layers: nets.Module) -> None:
        for name, layer in layers.items():
            setattr(self, name, layer)
        self.call = call

    def forward(self, x: Tensor) -> Tensor:
        return self.call(self, x)


def same(n: int = 1, m: int = 1) -> nets.Module:
    return nets.Conv2d(n, m, 3, padding=1)


def graph(model: nets.Module, size: int = 8) -> list[tuple[str, list[str], list[str]]]:
    """Of each stage its name or sign, its words, and the names or signs of what it reads."""
    x = np.ones((1, 1, size, size), np.float32)
    with model.in_use():
        stages = stages_of(model, trace(model, x))
    return [(called(stage), stage.steps, [called(source) for source in stage.sources]) for stage in stages]


def called(stage: Stage) -> str:
    return stage.joins or stage.name


def arrows(drawing: Drawing) -> int:
    """The wires with a head; lines that bend have one at their end only."""
    return sum(wire.looks.get("arrowhead") != "none" for wire in drawing.wires)


def texts(figure: Pinned) -> list[str]:
    return [shape.label.replace("\\n", "\n") for shape in figure.drawing.shapes if shape.label]


SAME = ["Conv 3×3", "padding 1"]


def test_a_residual_block_is_a_skip_that_meets_a_branch() -> None:
    model = Made(lambda m, x: relu(x + m.two(relu(m.one(x)))), one=same(), two=same())
    assert graph(model) == [
        ("input", [], []),
        ("one", [*SAME, "relu"], ["input"]),
        ("two", SAME, ["one"]),
        ("+", ["relu"], ["input", "two"]),
        ("output", [], ["+"]),
    ]
    figure = architecture(model, np.eye(8))
    assert arrows(figure.drawing) == 5


def test_what_is_read_before_its_activation_is_drawn_before_it() -> None:
    model = Made(lambda m, x: (lambda y: relu(y) + y)(m.one(x)), one=same())
    assert graph(model)[1:4] == [("one", SAME, ["input"]), ("", ["relu"], ["one"]), ("+", [], ["", "one"])]


def test_branches_stand_one_below_the_other() -> None:
    model = Made(
        lambda m, x: concatenate([m.a(x), m.b(x), m.c(x)], axis=1),
        a=same(),
        b=same(),
        c=nets.MaxPool2d(3, 1, padding=1),
    )
    with model.in_use():
        stages = stages_of(model, trace(model, np.ones((1, 1, 6, 6), np.float32)))
    assert [(called(s), s.column, s.lane) for s in stages] == [
        ("input", 0, 0), ("a", 1, 0), ("b", 1, 1), ("c", 1, 2), ("concat", 2, 0), ("output", 3, 0),
    ]  # fmt: skip
    heights = {name: s.y for name in "abc" for s in architecture(model, np.eye(6)).drawing.shapes if s.label == name}
    assert heights["a"] > heights["b"] > heights["c"]


def test_where_the_order_matters_the_operands_of_a_join_are_numbered() -> None:
    def numbered(call: Callable[[Made, Tensor], Tensor]) -> list[str]:
        figure = architecture(Made(call, one=same(), two=same()), np.eye(8))
        return [label for label in texts(figure) if label in "12"]

    assert numbered(lambda m, x: m.one(x) - m.two(x)) == ["1", "2"]
    assert numbered(lambda m, x: concatenate([m.one(x), m.two(x)], axis=1)) == ["1", "2"]
    assert numbered(lambda m, x: m.one(x) + m.two(x)) == []
    difference = Made(lambda m, x: x - m.one(x), one=same())
    with difference.in_use():
        stages = stages_of(difference, trace(difference, np.ones((1, 1, 4, 4), np.float32)))
    assert [(called(source), n) for source, n in zip(stages[2].sources, stages[2].places, strict=True)] == [
        ("input", "1"), ("one", "2"),
    ]  # fmt: skip


def test_a_u_shaped_network_has_its_skip() -> None:
    layers = {
        "e": same(1, 2),
        "p": nets.MaxPool2d(2),
        "m": same(2, 4),
        "u": nets.ConvTranspose2d(4, 2, 2, 2),
        "d": same(4),
    }

    def forward(m: Made, x: Tensor) -> Tensor:
        e = relu(m.e(x))
        return m.d(concatenate([e, m.u(m.m(m.p(e)))], axis=1))

    assert graph(Made(forward, **layers)) == [
        ("input", [], []),
        ("e", [*SAME, "relu"], ["input"]),
        ("p", ["MaxPool 2×2"], ["e"]),
        ("m", SAME, ["p"]),
        ("u", ["ConvTranspose", "2×2", "stride 2"], ["m"]),
        ("concat", [], ["e", "u"]),
        ("d", SAME, ["concat"]),
    ]


@given(st.lists(st.sampled_from(["chain", "skip", "branch"]), min_size=1, max_size=4), st.sampled_from(["rows", "u"]))
@settings(max_examples=12)
def test_every_stage_has_one_picture_and_every_wire_one_arrow(blocks: list[str], layout: str) -> None:
    """Or one more arrow for each row that ends, whose way goes on in the next."""
    kinds: dict[str, Callable[[Made, Tensor], Tensor]] = {
        "chain": lambda m, x: m.a(x),
        "skip": lambda m, x: x + m.b(m.a(x)),
        "branch": lambda m, x: m.a(x) * m.b(x),
    }
    model = nets.Sequential(**{f"block{n}": Made(kinds[kind], a=same(), b=same()) for n, kind in enumerate(blocks)})
    expected = graph(model)
    figure = architecture(model, np.eye(8), layout=layout)
    assert arrows(figure.drawing) == sum(len(read) for _, _, read in expected)
    names = [name for name, _, _ in expected]
    assert sorted(label for label in texts(figure) if label in names) == sorted(names)
    assert len([s for s in figure.drawing.shapes if "image" in s.looks]) == len([n for n in names if n not in "+×"])


def test_settings_that_change_something_are_said() -> None:
    layers = [
        (nets.Conv2d(2, 4, 3, stride=2, padding=1, groups=2), ["Conv 3×3", "stride 2", "padding 1", "2 groups"]),
        (nets.Conv2d(2, 4, (3, 1), dilation=(2, 1)), ["Conv 3×1", "dilation 2×1"]),
        (nets.Conv2d(2, 4, 3, padding="same"), ["Conv 3×3", "padding same"]),
        (nets.AvgPool2d(2), ["AvgPool 2×2"]),
        (nets.Subsampling(2, 2), ["Subsampling 2×2"]),
        (nets.MaxPool2d(3, stride=2), ["MaxPool 3×3", "stride 2"]),
        (
            nets.ConvTranspose2d(2, 2, 2, stride=2, output_padding=1),
            ["ConvTranspose", "2×2", "stride 2", "output padding 1"],
        ),
    ]
    for layer, words in layers:
        x = np.arange(128.0).reshape(1, 2, 8, 8).astype(np.float32)
        with layer.in_use():
            assert stages_of(layer, trace(layer, x))[1].steps == words
        assert "\n".join(words) in texts(architecture(layer, x))


class Blur(nets.Module):
    """A layer of the reader's own, with one number for all sides of its window."""

    def __init__(self, sides: int) -> None:
        self.kernel_size = sides

    def forward(self, x: Tensor) -> Tensor:
        blur = {1: avg_pool1d, 2: avg_pool2d, 3: avg_pool3d}[x.ndim - 2]
        return blur(x, self.kernel_size, stride=1)


@given(st.integers(1, 3), st.integers(1, 4))
def test_a_window_has_as_many_sides_as_the_input_has_axes(axes: int, side: int) -> None:
    """Also where the layer keeps one number for all of them, as one of the reader's own may."""
    x, layer = np.arange(4.0**axes).reshape(1, 1, *[4] * axes), Blur(side)
    with layer.in_use():
        assert stages_of(layer, trace(layer, x))[1].steps == [f"Blur {'×'.join([str(side)] * axes)}"]


@given(st.one_of(st.sampled_from([(8, 5), (16, 10), (40, 25)]), st.tuples(st.integers(3, 40), st.integers(1, 40))))
def test_in_a_u_maps_stand_further_down_from_eight_fifths_of_their_size_on(sizes: tuple[int, int]) -> None:
    """And further up from there on; a window that cuts a little off the edges leaves the row."""
    large, small = max(sizes), min(sizes)
    model = nets.Sequential(down=nets.Conv2d(1, 1, large - small + 1), up=nets.ConvTranspose2d(1, 1, large - small + 1))
    with model.in_use():
        stages = stages_of(model, trace(model, np.zeros((1, 1, large, large), np.float32)))
    row = u_shape._rows(stages)
    first, down, up = [row[stage] for stage in stages[:3]]
    assert first == up == 0 and down == (large / small >= 8 / 5)


def test_settings_that_are_the_usual_are_not_said() -> None:
    """Written out or not: a pool's stride is its window's, a convolution's 1."""
    for layer, words in [
        (nets.MaxPool2d(2, stride=2), ["MaxPool 2×2"]),
        (nets.Conv2d(2, 2, 3, stride=1, padding=0, dilation=(1, 1), groups=1), ["Conv 3×3"]),
    ]:
        with layer.in_use():
            assert stages_of(layer, trace(layer, np.ones((1, 2, 8, 8), np.float32)))[1].steps == words


def counts(figure: Pinned) -> dict[str, list[int]]:
    """The numbers of parameters and of connections that stand below the pictures."""
    said = "\n".join(texts(figure))
    return {what: [int(n.replace(",", "")) for n in re.findall(rf"([\d,]+) {what}", said)] for what in COUNTED}


COUNTED = ("parameters", "connections")


def test_a_block_is_opened_as_far_as_depth_says() -> None:
    """Each row of the summary is a picture, or with depth=1 each part of the model, with the sums of its rows."""

    def block() -> nets.Module:
        return Made(lambda m, x: x + m.two(relu(m.one(x))), one=same(2, 3), two=same(3, 2))

    model = nets.Sequential(
        stem=same(1, 2), body=nets.Sequential(a=block(), b=block()), flat=nets.Flatten(), out=nets.Dense(128, 3)
    )
    x = np.random.default_rng(0).normal(size=(8, 8)).astype(np.float32)
    rows = nets.summary(model, (1, 8, 8)).rows
    expected = {
        None: ["input", "stem", "body.a.one", "body.a.two", "body.b.one", "body.b.two", "out"],
        1: ["input", "stem", "body", "out"],
        2: ["input", "stem", "body.a", "body.b", "out"],
        3: ["input", "stem", "body.a.one", "body.a.two", "body.b.one", "body.b.two", "out"],
    }
    for depth, names in expected.items():
        figure = architecture(model, x, depth=depth)
        assert [label for label in texts(figure) if label in {n for each in expected.values() for n in each}] == names
        found = counts(figure)
        for what in COUNTED:
            numbers = [getattr(row, what) for row in rows]
            within = [sum(n for row, n in zip(rows, numbers, strict=True) if row.name.startswith(f"{name}"))
                      for name in names if name != "input"]  # fmt: skip
            assert found[what] == within, (depth, what)
    assert "Sequential\nFlatten" in texts(architecture(model, x, depth=1))
    some = {("body",): ["stem", "body.a", "body.b", "out"], ("body.b",): ["stem", "body.a", *expected[3][4:]]}
    for opened, names in some.items():  # a block within another opens that too
        figure = architecture(model, x, depth=1, opened=opened)
        assert [label for label in texts(figure) if label in {*expected[None], *expected[1], *expected[2]}][1:] == names
        for what in COUNTED:
            assert sum(counts(figure)[what]) == sum(getattr(row, what) for row in rows)
    with pytest.raises(ValueError, match=r"there is no block 'stem'; the blocks are .*body"):
        architecture(model, x, depth=1, opened=["stem"])
    lenet, digit = nets.lenet(), np.zeros((32, 32), np.float32)
    assert architecture(lenet, digit, depth=1).dot == architecture(lenet, digit).dot  # it has no blocks
    for wrong in (0, -1):
        with pytest.raises(ValueError, match=rf"depth \(={wrong}\) must be at least 1"):
            architecture(model, x, depth=wrong)


@given(st.lists(st.integers(1, 3), min_size=1, max_size=3), st.integers(1, 4))
@settings(max_examples=12)
def test_at_any_depth_all_parameters_and_connections_are_said(widths: list[int], depth: int) -> None:
    inner = [nets.Sequential(c=same(m, n), act=nets.ReLU()) for m, n in zip([1, *widths], widths, strict=False)]
    model = nets.Sequential(*inner, nets.Flatten(), nets.Dense(16 * widths[-1], 2))
    result = nets.summary(model, (1, 4, 4))
    found = counts(architecture(model, np.eye(4, dtype=np.float32), depth=depth))
    assert sum(found["parameters"]) == result.parameters
    assert sum(found["connections"]) == result.connections


@given(st.integers(1, 40))
@settings(max_examples=10)
def test_a_chain_is_drawn_in_as_few_rows_as_can_be_read_or_in_parts_that_can(n: int) -> None:
    model = nets.Sequential(**{f"c{i}": nets.Conv2d(1, 1, 1) for i in range(n)})
    figure = architecture(model, np.eye(6, dtype=np.float32))
    rows = len({s.y for s in figure.drawing.shapes if "image" in s.looks})
    points = measure(figure).slide
    assert points >= SMALLEST or figure.parts
    assert (rows == 1) == (n <= 7)  # eight pictures in a row can be read, nine not
    pictures = [s for part in figure.parts for s in part.drawing.shapes if "image" in s.looks]  # type: ignore[attr-defined]
    assert len(pictures) == (n + 1 if figure.parts else 0)
    assert all(measure(part).slide >= SMALLEST for part in figure.parts)


def u_net(depth: int, names: Sequence[str]) -> nets.Module:
    """So many times down and up again, each way up joined with what was there on the way down."""
    down, up = names[:depth], names[depth:]
    layers: dict[str, nets.Module] = {name: same(1 if n == 0 else 2, 2) for n, name in enumerate(down)}
    layers |= {name: nets.ConvTranspose2d(2, 2, 2, stride=2) for name in up}

    def call(m: nets.Module, x: Tensor) -> Tensor:
        before = []
        for name in down:
            before.append(getattr(m, name)(x))
            x = max_pool2d(before[-1], 2)
        for name in up:
            x = before.pop() - getattr(m, name)(x)
        return x

    return Made(call, **layers)


words_of_some = st.lists(st.text("abcdefghijklm", min_size=1, max_size=9), min_size=8, max_size=8, unique=True)


@given(st.integers(1, 4), words_of_some)
@settings(max_examples=12)
def test_a_skip_is_one_wire_or_two_ends_with_the_same_letter_and_all_can_be_read(depth: int, names: list[str]) -> None:
    model = u_net(depth, [f"{n}_" for n in names][: 2 * depth])
    figure = architecture(model, np.eye(64, dtype=np.float32))
    x = np.zeros((1, 1, 64, 64), np.float32)
    with model.in_use():
        wires = sum(len(stage.sources) for stage in stages_of(model, trace(model, x)))
    drawing = figure.drawing
    letters = [s for s in drawing.shapes if s.label in tuple("ABCD") and s.looks.get("shape") == "circle"]
    ends = {n for wire in drawing.wires for n in (wire.tail, wire.head)}
    begun = [s for s in letters if drawing.shapes.index(s) in ends]  # of the others the arrow begins below the letter
    assert {s.label for s in letters} == {s.label for s in begun} and len(letters) == 2 * len(begun)
    read = [s.label for s in sorted(begun, key=lambda s: (-s.y, s.x))]  # row by row, and in each from left to right
    assert read == list("ABCD"[: len(begun)])
    assert arrows(drawing) == wires
    assert sorted(said for said in texts(figure) if said in ("1", "2")) == ["1"] * depth + ["2"] * depth
    whole = [figure] if measure(figure).slide >= SMALLEST else list(figure.parts)
    assert whole and all(measure(part).slide >= SMALLEST for part in whole)


@given(st.integers(1, 4), words_of_some)
@settings(max_examples=12)
def test_in_a_u_maps_of_one_size_stand_in_one_row_and_a_skip_leads_straight_across(
    depth: int, names: list[str]
) -> None:
    """Down on the left, up on the right, and one arrow for each wire; what does not fit a slide has parts that do."""
    down, up = names[:depth], names[depth : 2 * depth]
    figure = architecture(u_net(depth, [*down, *up]), np.eye(64, dtype=np.float32), layout="u")
    places = {s.label: s for s in figure.drawing.shapes if s.label in [*down, *up]}
    minus = sorted((s for s in figure.drawing.shapes if s.label == "−"), key=lambda s: s.y)
    pictures = [s for s in figure.drawing.shapes if "image" in s.looks]

    def picture(name: str) -> Shape:
        return min(pictures, key=lambda p: abs(p.x - places[name].x) + abs(p.y + p.height / 2 - places[name].y))

    assert [places[n].y for n in down] == sorted((places[n].y for n in down), reverse=True)  # down, and to the right
    assert [places[n].x for n in [*down, *up]] == sorted(places[n].x for n in [*down, *up])
    assert [places[n].y for n in up] == sorted(places[n].y for n in up)  # and up again
    for before, after, join in zip(reversed(down), up, minus, strict=True):
        assert picture(before).y == join.y > picture(after).y
    straight = [
        wire
        for wire in figure.drawing.wires
        for tail, head in [(figure.drawing.shapes[wire.tail], figure.drawing.shapes[wire.head])]
        if any(tail.y == head.y == join.y and 0 < join.x - head.x < join.width for join in minus)
    ]
    assert len(straight) == depth
    assert arrows(figure.drawing) == 1 + 5 * depth  # from down to down, to the join, up, to the join; and the output
    whole = [figure] if measure(figure).slide >= SMALLEST else list(figure.parts)
    assert whole and all(measure(part).slide >= SMALLEST for part in whole)


@given(st.integers(1, 3), words_of_some, st.sampled_from(["rows", "u"]))
@settings(max_examples=12)
def test_no_words_of_a_model_cover_others(depth: int, names: list[str], layout: str) -> None:
    figure = architecture(u_net(depth, names[: 2 * depth]), np.eye(16, dtype=np.float32), layout=layout)
    said = [s for s in figure.drawing.shapes if s.label and s.looks.get("shape") in ("plaintext", "circle")]
    for n, a in enumerate(said):
        for b in said[:n]:
            apart = abs(a.x - b.x) - (a.width + b.width) / 2, abs(a.y - b.y) - (a.height + b.height) / 2
            assert max(apart) > -1, (a.label, b.label)


def test_rows_and_vectors_are_drawn_as_they_are() -> None:
    model = nets.Sequential(a=nets.Conv1d(1, 2, 3), f=nets.Flatten(), d=nets.Dense(12, 3))
    for shape in (8,), (1, 8), (1, 1, 8):
        said = texts(architecture(model, np.ones(shape, np.float32)))
        assert "1 @ 8\n(all equal)" not in said and "1 @ 8" in said
        assert "2 @ 6\n8 parameters\n48 connections" in said and "3" in said
    for shape in (4,), (1, 4):
        said = texts(architecture(nets.Sequential(d=nets.Dense(4, 3), r=nets.ReLU()), np.ones(shape, np.float32)))
        assert {"4", "3", "Dense\nReLU", "15 parameters\n15 connections"} <= set(said)
    with pytest.raises(ValueError, match=r"got shape \(1, 3\)"):
        architecture(nets.Conv2d(1, 1, 5), np.ones(3))


@given(st.integers(1, 9), st.integers(2, 9), st.integers(2, 4))
@settings(max_examples=10)
def test_of_a_batch_of_vectors_the_first_is_drawn(batch: int, inputs: int, outputs: int) -> None:
    """Its numbers are those of the summary, which knows of no batch; an image of two axes is one image."""
    x = np.random.default_rng(0).normal(size=(batch, inputs)).astype(np.float32)
    model = nets.Sequential(a=nets.Dense(inputs, outputs), r=nets.ReLU(), b=nets.Dense(outputs, 3))
    said = texts(architecture(model, x))
    assert str(inputs) in said and not [text for text in said if "@" in text]
    found = counts(architecture(model, x))
    for what in COUNTED:
        assert found[what] == [getattr(row, what) for row in nets.summary(model, (inputs,)).rows if row.parameters]
    image = architecture(nets.Sequential(c=nets.Conv2d(1, 1, 1)), x)
    assert any(text.startswith(f"1 @ {batch} × {inputs}") for text in texts(image)) or batch == 1


def test_a_kernel_along_one_axis_is_one_number() -> None:
    layer = nets.Conv1d(1, 2, 3)
    assert stages_of(layer, trace(layer, np.ones((1, 1, 8), np.float32)))[1].steps == ["Conv 3"]


def test_alexnet_can_be_checked() -> None:
    """Its sizes follow from what is written: kernels, strides, padding and groups; its halves are drawn apart."""
    x = np.random.default_rng(0).normal(size=(1, 3, 227, 227)).astype(np.float32)
    figure = architecture(nets.alexnet(), x)
    said = texts(figure)
    for words in [
        "Conv 11×11\nstride 4\nReLU\nLocalResponse\nNorm",
        "Conv 5×5\npadding 2\n2 groups\nReLU\nLocalResponse\nNorm",
        "Conv 3×3\npadding 1\nReLU",
        "Conv 3×3\npadding 1\n2 groups\nReLU",
        "MaxPool 3×3\nstride 2\nFlatten\nDropout",
        "96 @ 27 × 27\n(the first 8\nof each half)\n629,856 connections",
        "256 @ 27 × 27\n(the first 8\nof each half)\n307,456 parameters\n224,135,424 connections",
        "Dense\nReLU\nDropout",
    ]:
        assert words in said, words
    assert arrows(figure.drawing) == 11 + 3  # one for each stage, and one more into each of the three with two halves


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_each_part_shows_its_own_maps(groups: int) -> None:
    """The first maps of each group, in a picture of their own; paper, in whatever colour, is between two groups."""
    layer = nets.Conv2d(8, 32, 1, groups=groups, bias=False)
    layer.replace({layer.weight: Tensor(np.ones(layer.weight.shape, np.float32))})
    steps = np.arange(8, dtype=np.float32).reshape(1, 8, 1, 1) * np.float32([[0, 1], [2, 3]])
    figure = architecture(layer, steps + np.float32([[[[0]], [[1]], [[3]], [[2]], [[5]], [[4]], [[7]], [[6]]]]))
    pictures = [s for s in figure.drawing.shapes if "image" in s.looks]
    assert len(pictures) == 2 * groups  # of the input and of the output
    for one, other in pairwise(pictures):
        assert one.x != other.x or one.y - other.y > (one.height + other.height) / 2
    assert (f"of each {dict(zip((1, 2, 4), ('', 'half', 'quarter'), strict=True))[groups]}" in figure.dot) == (
        groups > 1
    )


@given(st.sampled_from([2, 3, 4]), st.sampled_from([1, 2, 3, 4, 6]))
@settings(max_examples=10)
def test_maps_that_are_reshaped_before_they_are_read_in_groups_are_drawn_together(groups: int, maps: int) -> None:
    model = Made(
        lambda m, x: m.two(m.one(x).reshape((x.shape[0], 12, maps, -1))),
        one=nets.Conv2d(1, maps, 1),
        two=nets.Conv2d(12, 12, 1, groups=groups),
    )
    x = np.random.default_rng(0).normal(size=(12, 12)).astype(np.float32)
    pictures = [shape for shape in architecture(model, x).drawing.shapes if "image" in shape.looks]
    assert len(pictures) == 1 + (groups if maps % groups == 0 else 1) + groups


def test_what_is_no_model_or_has_no_picture_is_refused() -> None:
    with pytest.raises(TypeError, match="architecture of a Module can be drawn, got function"):
        architecture(lambda x: x, np.eye(4))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"layout \(='v'\) must be one of rows, u"):
        architecture(nets.Conv2d(1, 1, 3), np.eye(4), layout="v")
    with pytest.raises(ValueError, match=r"does not depend on x"):
        architecture(Made(lambda m, x: Tensor([[1.0]])), np.eye(4))


def test_so_many_stages_are_drawn_and_no_more() -> None:
    def chain(n: int) -> nets.Module:
        return nets.Sequential(**{f"c{i}": nets.Conv2d(1, 1, 1) for i in range(n)})

    architecture(chain(149), np.ones((1, 1, 1, 2)))
    with pytest.raises(ValueError, match=r"151 stages are no picture \(more than 150\)"):
        architecture(chain(150), np.ones((1, 1, 1, 2)))


def test_a_drawn_model_is_left_as_it_was() -> None:
    model = nets.Sequential(a=nets.Conv2d(1, 1, 3), drop=nets.Dropout())
    architecture(model, np.eye(5))
    assert model.training and model[1].training and "forward" not in vars(model[0])
    assert re.search("Dropout", architecture(model, np.eye(5)).dot)
