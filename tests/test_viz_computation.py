"""A computation graph shows each Tensor once, in an order that can be read; the stepper ends with the gradients."""

import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nets
import viz
from minitensor import Tensor, gradients, history, max_pool2d, no_grad, tanh
from viz import Figure, computation, computation_graph
from viz.computation import in_one_line
from viz.dot import LEAF, PARAMETER
from viz.render import EMBEDDED, render
from viz.stepper import _names, _steps


def counted(figure: Figure) -> tuple[int, int]:
    """The boxes and the wires of a computation graph."""
    return len(re.findall(r"^\t+n\d+ \[", figure.dot, re.MULTILINE)), figure.dot.count("->")


@st.composite
def expressions(draw: st.DrawFn) -> Tensor:
    made = [Tensor(1.0, name="x"), Tensor(2.0, name="y")]
    for _ in range(draw(st.integers(1, 12))):
        a, b = (made[draw(st.integers(0, len(made) - 1))] for _ in range(2))
        made.append(draw(st.sampled_from([lambda a, b: a + b, lambda a, b: a * b, lambda a, b: tanh(a)]))(a, b))
    return made[-1]


@given(expressions(), st.integers(0, 2), st.booleans())
def test_every_tensor_is_a_box_and_every_input_a_wire_in_a_gradient_of_any_order(
    output: Tensor, order: int, with_gradients: bool
) -> None:
    for _ in range(order):
        leaf = history(output)[-1]
        [output] = gradients(output, [leaf])
    tensors = history(output)
    wires = sum(len(t.inputs) for t in tensors)
    assert counted(computation_graph(output, gradients=with_gradients)) == (len(tensors), wires)


@given(expressions(), st.integers(1, 5))
def test_the_end_of_a_graph_has_its_newest_tensors(output: Tensor, last: int) -> None:
    assert counted(computation_graph(output, last=last))[0] == min(last, len(history(output)))


def test_gradients_are_those_of_the_engine() -> None:
    x = Tensor(3.0, name="x")
    assert re.search(r"<B>x</B>.*?grad.*?>6<", computation_graph(x * x, gradients=True).dot)


def test_a_collapsed_layer_is_one_box() -> None:
    model = nets.Sequential(first=nets.Dense(2, 3), squash=nets.Tanh(), second=nets.Dense(3, 1))
    output, layers = viz.by_layer(model, Tensor([[1.0, 2.0]], name="x"))
    assert counted(computation_graph(output, layers=layers, collapse=True)) == (4, 3)
    open_graph = computation_graph(output, layers=layers)
    assert counted(open_graph)[0] == len(history(output))
    assert len(re.findall("subgraph cluster_", open_graph.dot)) == 3


def places(figure: Figure) -> dict[str, tuple[float, float]]:
    """Where the first word of each box stands, as (x, y), y downwards."""
    svg = render(figure.dot, renderer=EMBEDDED).decode()
    found = re.findall(r"<title>(n\d+)</title>.*?<text[^>]* x=\"([-\d.]+)\" y=\"([-\d.]+)\"", svg, re.DOTALL)
    return {name: (float(x), float(y)) for name, x, y in found}


def chain(n: int) -> Tensor:
    y = Tensor(1.0, name="x")
    for _ in range(n):
        y = tanh(y) * 1.5
    return y


def width(figure: Figure) -> float:
    return float(re.findall(r'width="([\d.]+)pt"', figure.svg(EMBEDDED))[0])


def test_a_chain_is_one_straight_column_however_long() -> None:
    assert width(computation_graph(chain(40))) == width(computation_graph(chain(4)))


@pytest.mark.parametrize("columns", range(2, 7))
@pytest.mark.parametrize("layered", [False, True])
def test_columns_stand_from_left_to_right_in_order_of_birth(columns: int, layered: bool) -> None:
    if layered:
        output, layers = viz.by_layer(nets.lenet(), np.zeros((1, 1, 32, 32)))
        trunk = [made[0] for made in layers.values()]  # the outputs of the layers
    else:
        output, layers = chain(15), {}
        trunk = [t for t in history(output)[::-1] if t.primitive]
    where = places(computation_graph(output, layers=layers, columns=columns))
    number = {t: f"n{n}" for n, t in enumerate(history(output)[::-1])}
    path = [where[number[t]] for t in trunk]
    jumps = [(x0, x1) for (x0, y0), (x1, y1) in pairwise(path) if y1 <= y0]  # elsewhere the trunk goes down
    assert len(jumps) == columns - 1 or (layered and jumps)  # a layer is never cut
    assert all(x1 > x0 + 50 for x0, x1 in jumps)


def test_the_frames_of_layers_stand_one_below_the_other() -> None:
    output, layers = viz.by_layer(nets.lenet(), np.zeros((1, 1, 32, 32)))
    where = places(computation_graph(output, layers=layers))
    number = {t: f"n{n}" for n, t in enumerate(history(output)[::-1])}
    heights = [[where[number[t]][1] for t in made] for made in layers.values()]
    assert all(max(upper) < min(lower) for upper, lower in pairwise(heights))


@given(expressions(), st.integers(2, 6))
@settings(max_examples=20)
def test_a_wire_between_columns_has_two_ends_with_one_letter(output: Tensor, columns: int) -> None:
    dot = computation_graph(output, columns=columns).dot
    circles = dict(re.findall(r"^\t+(n\d+_\d*) \[label=(\w+)", dot, re.MULTILINE))
    tails = {name: letter for name, letter in circles.items() if name.endswith("_")}
    assert len(set(tails.values())) == len(tails)  # no letter has two meanings
    assert {name.partition("_")[0] + "_": letter for name, letter in circles.items()} == tails
    whole, cut = counted(computation_graph(output)), counted(computation_graph(output, columns=columns))
    assert cut == (whole[0], whole[1] + len(tails))


def test_a_parameter_has_another_colour_than_an_input() -> None:
    output, layers = viz.by_layer(nets.Sequential(nets.Dense(2, 3)), Tensor([[1.0, 2.0]], name="x"))
    boxes = re.findall(r'BGCOLOR="(\S+)" COLOR.*?<B>([^<]*)</B>', computation_graph(output, layers=layers).dot)
    fills = {name: fill for fill, name in boxes}
    assert fills["weight"] == fills["bias"] == PARAMETER[0]
    assert fills["x"] == LEAF[0]


def test_settings_say_what_is_short_and_new() -> None:
    rows = np.arange(60)
    assert computation.settings({"key": (rows, rows)}) == "key of shape (60,)"
    pooled = max_pool2d(Tensor(np.zeros((1, 1, 4, 4)), name="x"), 2)
    assert computation_graph(pooled).dot.count("2x2 stride 2") == 1  # one pool is one box


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_mean_that_is_only_rounding_is_0(dtype: type) -> None:
    values = np.random.default_rng(0).normal(size=1000).astype(dtype)
    assert in_one_line(values - values.mean()).startswith("0 ± ")
    assert in_one_line(np.full(1000, 0.1, dtype)) == "0.1 ± 0"
    with np.errstate(invalid="ignore"):
        assert in_one_line(np.append(values, np.inf)).startswith("inf ")
    assert not in_one_line(values * 1e-12).startswith("0 ")  # small, and meant


def test_a_graph_of_100_000_operators_is_refused_at_once_with_the_number_and_a_way_out() -> None:
    x = y = Tensor(1.0, name="x")
    for _ in range(100_000):
        y = y * 1.0
    with pytest.raises(ValueError, match=r"this graph has 200,001 boxes.*last=50"):
        computation_graph(y, gradients=True)
    assert x in history(y)
    assert "n49" in computation_graph(y, last=50).dot


# -- the stepper -------------------------------------------------------------------------------------------------------


@given(expressions())
@settings(max_examples=10)
def test_the_steppers_last_sums_are_the_gradients(output: Tensor) -> None:
    tensors = history(output)[::-1]
    number = {t: n for n, t in enumerate(tensors)}
    sums: dict[int, list[float]] = {}
    for step in _steps(output, tensors, number, _names(tensors)):
        sums |= {part["to"]: part["sum"]["data"] for part in step.get("parts", [])}
        sums |= {step["node"]: step["sum"]["data"]} if step["kind"] == "seed" else {}
    with no_grad():
        expected = gradients(output, tensors)
    for n, g in enumerate(expected):
        if n in sums:
            assert sums[n] == [pytest.approx(g.item(), rel=1e-5)]
        else:
            assert g.item() == 0


@given(expressions(), st.integers(0, 1))
@settings(max_examples=20)
def test_the_stepper_writes_formulas_as_by_hand(output: Tensor, order: int) -> None:
    for _ in range(order):
        [output] = gradients(output, [history(output)[-1]])
    tensors = history(output)[::-1]
    steps = _steps(output, tensors, {t: n for n, t in enumerate(tensors)}, _names(tensors))
    said = [step["text"] for step in steps] + [part["rule"] for step in steps for part in step.get("parts", [])]
    assert not [text for text in said if "*" in text or "-" in text]


def test_a_computation_too_long_to_step_through_is_refused(tmp_path: Path) -> None:
    y = Tensor(1.0)
    for _ in range(151):
        y = y * 1.0
    with pytest.raises(ValueError, match="151 operators are too many"):
        viz.stepper(y, tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()
