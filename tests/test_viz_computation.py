"""A computation graph shows each Tensor once, in an order that can be read; the stepper ends with the gradients."""

import functools
import json
import math
import operator
import re
import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minitensor
import nets
import viz
from minitensor import Tensor, concatenate, conv2d, dropout, gradients, history, max_pool2d, maximum, no_grad, tanh
from minitensor.windows import Windows
from viz import Figure, computation_graph
from viz.drawing.check import SMALLEST, measure
from viz.drawing.dot import LEAF, PARAMETER
from viz.drawing.render import EMBEDDED, layout, render
from viz.drawing.style import Style
from viz.pages.stepper import _names, _steps
from viz.subjects import computation
from viz.subjects.computation import in_one_line


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


@given(expressions(), st.sampled_from(["", "right"]))
def test_a_graph_too_long_for_a_slide_has_parts_that_hold_each_box_once(output: Tensor, orientation: str) -> None:
    figure, levels = computation_graph(output, style=Style(orientation=orientation)), dict[Tensor, int]()
    for t in history(output)[::-1]:
        levels[t] = 1 + max((levels[x] for x in t.inputs), default=0)
    long = levels[output] > computation.MOST_LEVELS + bool(orientation)
    assert len(figure.parts) == (-(-levels[output] // computation.LEVELS_OF_A_PART) if long else 0)
    assert sum(counted(part)[0] for part in figure.parts) == (len(levels) if long else 0)


@pytest.mark.parametrize("layers", [3, 6])
def test_the_parts_of_a_tall_loss_can_be_read_on_a_slide(layers: int) -> None:
    h = Tensor(np.linspace(0, 1, 12).reshape(4, 3), name="x")
    for n in range(layers):
        h = tanh(h @ Tensor(np.eye(3) / (n + 1), name=f"w{n}"))
    figure = computation_graph((h**2).mean(), gradients=True)
    assert measure(figure).slide < SMALLEST and all(measure(part).slide >= SMALLEST for part in figure.parts)


@given(expressions(), st.integers(1, 5))
def test_the_end_of_a_graph_has_its_newest_tensors(output: Tensor, last: int) -> None:
    assert counted(computation_graph(output, last=last))[0] == min(last, len(history(output)))


def test_gradients_are_those_of_the_engine() -> None:
    x = Tensor(3.0, name="x")
    assert re.search(r"<B>x</B>.*?grad.*?>6<", computation_graph(x * x, gradients=True).dot)


def heads(figure: Figure, operator: str) -> dict[str, str]:
    """What is written at the end of each wire into the box of an operator, by the title of the box that it leaves."""
    boxes = dict(re.findall(r"^\t+(n\d+) \[.*?<B>(.*?)</B>", figure.dot, re.MULTILINE))
    wires = re.findall(r"(n\d+) -> (n\d+)(?: \[(?:.*?headlabel=(\d+))?.*?\])?", figure.dot)
    return {boxes[tail]: place for tail, head, place in wires if boxes[head] == operator}


@pytest.mark.parametrize(
    ("name", "operator"),
    [
        ("subtract", lambda x, y: x - y),
        ("divide", lambda x, y: x / y),
        ("greater", lambda x, y: x > y),
        ("float_power", lambda x, y: x**y),
    ],
)
def test_where_the_order_matters_the_operands_are_numbered(
    name: str, operator: Callable[[Tensor, Tensor], Tensor]
) -> None:
    x, y = Tensor(2.0, name="x"), Tensor(3.0, name="y")
    assert heads(computation_graph(operator(x, y)), name) == {"x": "1", "y": "2"}
    assert heads(computation_graph(operator(y, x)), name) == {"x": "2", "y": "1"}


def test_where_the_order_makes_no_difference_nothing_is_numbered() -> None:
    x, y = Tensor([1.0, 2.0], name="x"), Tensor([3.0, 4.0], name="y")
    for output in (x + y, x * y, maximum(x, y)):
        assert "headlabel" not in computation_graph(output).dot
    rows = heads(computation_graph(concatenate([x, y])), "concatenate")
    assert rows == {"x": "1", "y": "2"}


@given(*[st.sampled_from([(), (3,), (2, 1), (1, 3), (2, 3)])] * 2)
def test_operands_of_different_shapes_are_numbered_where_their_order_matters_too(
    one: tuple[int, ...], two: tuple[int, ...]
) -> None:
    x, y = Tensor(np.ones(one), name="x"), Tensor(np.ones(two), name="y")
    for output in (x + y, x * y, maximum(x, y)):
        assert computation.operand_places(output) == ["", ""]
    for output in (x - y, x / y):
        assert computation.operand_places(output) == ["1", "2"]


def test_of_many_operands_every_order_counts() -> None:
    """ac + bd stays the same where all are turned round or moved on by one, and not where a and b are swapped."""

    @minitensor.primitive
    def paired(a: Any, b: Any, c: Any, d: Any) -> Any:
        return a * c + b * d

    @minitensor.primitive
    def product_of(a: Any, b: Any, c: Any) -> Any:
        return a * b * c

    @minitensor.primitive
    def last_apart(a: Any, b: Any, c: Any) -> Any:
        return a * b + c

    x = [Tensor(float(n)) for n in range(4)]
    assert computation.operand_places(paired(*x)) == ["1", "2", "3", "4"]
    assert computation.operand_places(product_of(*x[:3])) == ["", "", ""]
    assert computation.operand_places(last_apart(*x[:3])) == ["1", "2", "3"]


def test_a_product_that_would_fill_the_memory_in_the_other_order_is_not_tried_in_it() -> None:
    row = Tensor(np.ones((1, 10**6), np.float32))
    assert computation.operand_places(row @ row.reshape(-1, 1)) == ["1", "2"]
    image, kernel = Tensor(np.ones((1, 2, 4, 4))), Tensor(np.ones((3, 2, 1, 1)))
    assert computation.operand_places(conv2d(image, kernel)) == ["1", "2"]


def test_any_model_is_run_layer_by_layer_as_it_is() -> None:
    """A skip stays a skip: the output is the model's own, and what is between the layers belongs to none."""

    class Residual(nets.Module):
        def __init__(self) -> None:
            self.one, self.two = nets.Dense(2, 2), nets.Dense(2, 2)

        def forward(self, x: Tensor) -> Tensor:
            return x + self.two(tanh(self.one(x)))

    model, x = Residual(), Tensor([[1.0, 2.0]], name="x")
    output, layers = viz.by_layer(model, x)
    np.testing.assert_array_equal(output.data, model(x).data)
    assert list(layers) == ["one", "two"]
    assert not {output, x} & {t for made in layers.values() for t in made}
    assert set(model.parameters()) <= {t for made in layers.values() for t in made}
    again = nets.Sequential(act=nets.Tanh())
    twice = viz.by_layer(nets.Sequential(first=again, act=again), x)[1]
    assert list(twice) == ["first", "act"]


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


SAID: dict[str, tuple[Any, str]] = {  # settings, and what is said of them
    "shape": ((2, 3), ""),
    "rng": (None, ""),
    "groups": (1, ""),
    "keepdims": (True, "keepdims True"),
    "windows": (Windows.over((5, 5), 3, stride=2), "3x3 stride 2"),
    "axis": (((3, 3), 3), "axis 3"),
    "axes": ((1, 0), "axes (1, 0)"),
    "empty": ((), "empty ()"),
    "room": ("x" * 28, f"room {'x' * 28}"),
    "long": ("x" * 29, f"long {'x' * 25}..."),
}


@given(st.permutations(sorted(SAID)), st.integers(0, len(SAID)))
def test_each_setting_that_is_not_the_usual_is_said_in_its_order(names: list[str], count: int) -> None:
    chosen = names[:count]
    said = computation.settings({name: SAID[name][0] for name in chosen})
    assert said == "\n".join(SAID[name][1] for name in chosen if SAID[name][1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_mean_that_is_only_rounding_is_0(dtype: type) -> None:
    values = np.random.default_rng(0).normal(size=1000).astype(dtype)
    assert in_one_line(values - values.mean()).startswith("0 ± ")
    assert in_one_line(np.full(1000, 0.1, dtype)) == "0.1 ± 0"
    with np.errstate(invalid="ignore"):
        assert in_one_line(np.append(values, np.inf)).startswith("inf ")
    assert not in_one_line(values * 1e-12).startswith("0 ")  # small, and meant


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3), st.integers(0, 2**32 - 1))
def test_a_mean_is_as_fine_as_the_second_digit_of_its_spread(middle: float, width: float, seed: int) -> None:
    values = np.random.default_rng(seed).normal(middle, width, 20)
    mean, spread = (float(text) for text in in_one_line(values).split(" ± "))
    step = 10.0 ** (math.floor(math.log10(values.std())) - 1)
    assert abs(spread - values.std()) <= step
    assert abs(mean - values.mean()) <= max(0.51 * step, 5e-4 * abs(values.mean()))


def test_a_zero_has_no_sign() -> None:
    assert in_one_line(np.array([-0.0, 0.0, -1.0])) == "0, 0, -1"
    assert in_one_line(np.array([1.0, -1.01] * 10)) == "0 ± 1"


@given(st.integers(2, 4))
@settings(max_examples=3)
def test_the_parts_of_a_step_have_their_numbers_between_boxes(columns: int) -> None:
    """At the heads of their wires, and on no box but at its very border, where no words are."""
    rng = np.random.default_rng(0)  # boxes are as wide as their numbers
    model = nets.Sequential(a=nets.Dense(3, 4, rng=rng), act=nets.Tanh(), b=nets.Dense(4, 2, rng=rng))
    output, layers = viz.by_layer(model, Tensor(np.ones((2, 3), np.float32), name="x"))
    loss, numbers = (output - 1).sum(), 0
    figure = computation_graph(loss, gradients=True, layers=layers, columns=columns)
    for part in figure.parts:
        found = layout(part.dot)
        boxes = [o for o in found["objects"] if "pos" in o]
        for op in (op for edge in found["edges"] for op in edge.get("_hldraw_", []) if op["op"] == "T"):
            numbers += 1
            x, y = op["pt"][0], op["pt"][1] + 4
            for box in boxes:
                across, upwards = (float(n) for n in box["pos"].split(","))
                half = 36 * float(box["width"]) - 3, 36 * float(box["height"]) - 3
                assert abs(x - across) > half[0] or abs(y - upwards) > half[1], (op["text"], box["name"])
    assert numbers == sum(place != "" for t in history(loss) for place in computation.operand_places(t))


def test_long_wires_alone_are_too_much_and_so_are_many_boxes() -> None:
    """Each by itself: a few boxes that all lead to the last one, and many in a short and wide graph."""
    made = [Tensor([1.0], name="x")]
    for _ in range(150):
        made.append(tanh(made[-1]))
    with pytest.raises(ValueError, match=r"has 152 boxes and wires that cross 11,\d\d\d levels"):
        computation_graph(concatenate(made))
    assert computation_graph(concatenate(made[:100])).dot.count("->") == 99 + 100
    with pytest.raises(ValueError, match=r"has 1,501 boxes and wires that cross 1,500 levels; more than 1,500,"):
        computation_graph(concatenate([Tensor([1.0]) for _ in range(1500)]))
    assert "n1499" in computation_graph(concatenate([Tensor([1.0]) for _ in range(1499)])).dot


@pytest.mark.parametrize("limit", ["LONGEST_WIRES", "MOST_BOXES"])
def test_as_much_as_the_limit_is_drawn_and_one_more_is_not(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    x = Tensor([1.0], name="x")
    y, measured = concatenate([x, tanh(tanh(x))]), {"LONGEST_WIRES": 1 + 1 + 1 + 3, "MOST_BOXES": 4}[limit]
    monkeypatch.setattr(computation, limit, measured)
    assert computation_graph(y).dot.count("->") == 4
    monkeypatch.setattr(computation, limit, measured - 1)
    with pytest.raises(ValueError, match="has 4 boxes and wires that cross 6 levels"):
        computation_graph(y)


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


@given(
    st.lists(
        st.sampled_from(["g", "lambda", "where", "exp", "conv", "3x", "v1", "len", "np", "ä ö"]) | st.text(min_size=1)
    )
)
@settings(max_examples=30)
def test_the_lines_of_a_step_run_and_give_what_it_says_whatever_a_tensor_is_called(words: list[str]) -> None:
    inputs = [Tensor(0.5 + n / 8, name=name) for n, name in enumerate(["g", *words[:3]])]
    output = tanh(functools.reduce(operator.mul, inputs))
    tensors = history(output)[::-1]
    names = _names(tensors)
    space: dict[str, Any] = {"np": np, **{names[t]: t.data for t in inputs}}
    for step in _steps(output, tensors, {t: n for n, t in enumerate(tensors)}, names):
        if step["kind"] == "forward":
            exec(step["python"], space)
            assert step["text"].startswith(f"Forward: {names[tensors[step['node']]]} = ")
        for part in step.get("parts", []):
            space["g"] = step["g"]["data"][0]
            exec(part["python"], space)
            assert space[f"d_{part['name']}"] == pytest.approx(part["share"]["data"][0], rel=1e-4)
            assert set(re.findall(r"[^\W\d²][^\W²]*", part["rule"])) <= {"g", "tanh", *names.values()}
    assert space[names[output]] == pytest.approx(output.item())


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 3), max_size=2))
@settings(max_examples=10)
def test_what_is_drawn_at_random_is_given_and_the_generator_stays_where_it_is(seed: int, shape: list[int]) -> None:
    rng = np.random.default_rng(seed)
    y = dropout(Tensor(np.ones(shape), name="x"), 0.5, rng).sum()
    before = rng.bit_generator.state
    with tempfile.TemporaryDirectory() as folder:
        _, steps, _ = page_of(y, Path(folder))
    assert rng.bit_generator.state == before
    assert len([step for step in steps if step["kind"] == "forward"]) == len([t for t in history(y) if t.inputs])


def page_of(output: Tensor, folder: Path) -> tuple[str, list[dict[str, Any]], list[str]]:
    """The page, its steps, and the names of its Tensors."""
    text = viz.stepper(output, folder / "page.html").read_text(encoding="utf-8")
    [content] = re.findall(r'id="data">(.*?)</script>', text)
    data = json.loads(content)
    return text, data["steps"], [node["name"] for node in data["nodes"]]


def test_every_cell_of_a_window_is_marked_whatever_the_kernel_holds(tmp_path: Path) -> None:
    """Sobel's kernel has a column of zeros: a pixel in the middle is read by nine windows all the same."""
    x = Tensor(np.random.default_rng(0).normal(size=(1, 1, 5, 5)), name="x")
    w = Tensor([[[[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]]], name="w")
    _, steps, names = page_of(conv2d(x, w).sum(), tmp_path)
    [conv] = [step for step in steps if step["kind"] == "backward" and "conv" in step["text"]]
    shares = {names[part["to"]]: part for part in conv["parts"]}
    middle = shares["x"]["sources"][2 * 5 + 2]
    assert [(i, g, slope) for i, g, slope in middle] == [
        (3 * h + v, 1.0, w.data[0, 0, 2 - h, 2 - v]) for h in range(3) for v in range(3)
    ]
    for part, size in ("x", 25), ("w", 9):
        for j in range(size):
            total = sum(g * slope for _, g, slope in shares[part]["sources"][j])
            assert total == pytest.approx(shares[part]["share"]["data"][j], abs=1e-5)
    assert [len(terms) for terms in shares["w"]["sources"]] == [9] * 9


def test_what_a_maximum_passes_over_is_not_marked(tmp_path: Path) -> None:
    x = Tensor(np.arange(16.0).reshape(1, 1, 4, 4), name="x")
    _, steps, _ = page_of(max_pool2d(x, 2).sum(), tmp_path)
    [pool] = [s for s in steps if s["kind"] == "backward" and s["text"].startswith("Backward through v1")]
    assert [j for j, terms in enumerate(pool["parts"][0]["sources"]) if terms] == [5, 7, 13, 15]


def test_a_step_shows_what_its_operator_reads_and_the_page_the_formula_of_the_whole(tmp_path: Path) -> None:
    x, w = Tensor([1.0, 2.0], name="x"), Tensor([3.0, 4.0], name="w")
    text, steps, names = page_of(tanh((w * x).sum() - 3), tmp_path)
    assert '<p id="whole"><code>v4 = tanh(sum(w · x) − 3)</code></p>' in text.replace("sum(x · w)", "sum(w · x)")
    read = {
        step["text"].split()[1 if step["kind"] == "forward" else 2]: step["inputs"]
        for step in steps
        if "inputs" in step
    }
    assert {name: [names[n] for n in inputs] for name, inputs in read.items()} == {
        "v1": ["w", "x"], "v2": ["v1"], "v3": ["v2"], "v4": ["v3"],
    }  # fmt: skip
    assert f'type="range" min="0" max="{len(steps) - 1}" value="0"' in text
    assert [step["kind"] for step in steps if "inputs" in step] == ["forward"] * 4 + ["backward"] * 4


def test_one_pool_is_one_box(tmp_path: Path) -> None:
    x = Tensor(np.zeros((1, 1, 4, 4)), name="x")
    assert page_of(max_pool2d(x, 2), tmp_path)[2] == ["x", "v1"]


def test_a_formula_too_long_to_be_read_is_said_to_be(tmp_path: Path) -> None:
    y = Tensor(0.5, name="x")
    for _ in range(30):
        y = tanh(y) * y + 1
    assert "= (a formula too long to be read)" in page_of(y, tmp_path)[0]


def test_numbers_that_are_not_finite_are_shown_as_such(tmp_path: Path) -> None:
    with np.errstate(invalid="ignore"):
        text, steps, _ = page_of(Tensor([np.nan, np.inf, 1.0], name="x") * Tensor([1.0, 2.0, 3.0], name="w"), tmp_path)
    assert "NaN" not in text and "Infinity" not in text
    [product] = [step for step in steps if step["kind"] == "backward" and len(step["parts"]) == 2]
    own = [slope for j, terms in enumerate(product["parts"][1]["sources"]) for i, _, slope in terms if i == j]
    assert own == ["nan", "inf", 1.0]


def test_a_title_is_text(tmp_path: Path) -> None:
    number: Any = 3
    with pytest.raises(TypeError, match="title is text, got 3"):
        viz.stepper(Tensor(1.0), tmp_path / "page.html", title=number)


def test_a_computation_too_long_to_step_through_is_refused(tmp_path: Path) -> None:
    y = Tensor(1.0)
    for _ in range(151):
        y = y * 1.0
    with pytest.raises(ValueError, match="151 operators are too many"):
        viz.stepper(y, tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


@given(st.integers(1, 3), st.integers(1, 3), st.integers(0, 1))
def test_a_step_says_how_the_windows_lie_that_its_line_names(k: int, stride: int, padding: int) -> None:
    x, w = Tensor(np.arange(25.0).reshape(1, 1, 5, 5), name="x"), Tensor(np.ones((1, 1, k, k)), name="w")
    layer = {"stride": stride, "padding": min(padding, k // 2)}
    lie = Windows.over((5, 5), k, **layer)
    for y, call in ((max_pool2d(x, k, **layer), "max_pool(x"), (conv2d(x, w, **layer), "conv(x, w")):
        tensors = history(y)[::-1]
        steps = _steps(y, tensors, {t: n for n, t in enumerate(tensors)}, _names(tensors))
        assert steps[1]["python"] == f"{_names(tensors)[y]} = {call}, windows=windows)  # windows: {lie}"
