"""The explorer: its network in the page is the network of the engine, and what the pointer, pen and keys do."""

import base64
import json
import math
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import minitensor as mt
import nets
import viz
from minitensor import Tensor, gradients
from minitensor.program.values import Value, Values
from viz.pages.explorer import _sheet
from viz.pages.kernels import Lines, lattice_of, lattice_size
from viz.pages.network import network, ran
from viz.pages.page import page, script_of, text_of

from . import strategies as draw_
from .browser import Browser, needs_browser
from .operators import OPERATORS, RULES, Row
from .strategies import few

pytestmark = needs_browser

ENTER, ESCAPE, RIGHT, DOWN = "\ue007", "\ue00c", "\ue014", "\ue015"
NOT_IN_A_PAGE = {"dropout"}  # it draws numbers, and in use it does nothing
BENCH = """
import { prepare } from "./kernels.js";
import { Network, decoded } from "./network.js";
import { fitted, stroke, turned, warped } from "./pixels.js";
const num = (v) => (typeof v === "string" ? Number(v.replace("inf", "Infinity")) : v);
const plain = (a) => Array.from(a, (v) => (Number.isFinite(v) ? v : String(v)));
window.bench = {
  run({ sizes, constants, lines, inputs, outputs }) {
    const arrays = sizes.map((n) => new Float32Array(n));
    for (const [slot, values] of [...constants, ...inputs]) arrays[slot].set(values.map(num));
    for (const line of lines) prepare(line, arrays)();
    return outputs.map((slot) => plain(arrays[slot]));
  },
  windows(program, weights) {
    const network = new Network(program, decoded(weights)), row = network.rows[0];
    const each = (n, f) => Array.from({ length: n }, (_, i) => f(i)).flat();
    const marked = (mask) => [...mask.keys()].filter((i) => mask[i]);
    const reach = (pixel) => network.reach(-1, pixel).get(0);
    return [
      each(row.size, (cell) => marked(network.window(0, cell)[0] || []).map((i) => [i, cell])),
      each(network.values(-1).length, (pixel) => marked(reach(pixel)).map((cell) => [pixel, cell])),
    ];
  },
  warped: (image, sheet, map) => plain(warped(Float32Array.from(image), sheet, map)),
};
"""


@pytest.fixture(scope="module")
def bench_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with the kernels alone."""
    names = ("kernels.js", "network.js", "pixels.js")
    path = tmp_path_factory.mktemp("bench") / "page.html"
    path.write_text(page("bench", "", "", script_of(*map(text_of, names), BENCH)), encoding="utf-8")
    return path


@pytest.fixture
def bench(browser: Browser, bench_page: Path) -> Browser:
    browser.open(bench_page)
    return browser


def floats(values: list[Any]) -> np.ndarray:
    """Numbers from a page, where infinite ones are words."""
    return np.array([float(v) for v in values])


def words(array: np.ndarray) -> list[Any]:
    """Numbers for a page."""
    return [v if np.isfinite(v) else str(v) for v in array.ravel().tolist()]


# -- operators ---------------------------------------------------------------------------------------------------------

ROWS = {name: row for name, row in {**OPERATORS, **RULES}.items() if name not in NOT_IN_A_PAGE}


def test_an_input_has_one_slot_however_often_it_is_given() -> None:
    lines, value = Lines(), Value((2, 3), np.dtype(np.float32))
    assert lines.given(value) == lines.given(value)
    assert lines.sizes == [6]


def in_page(bench: Browser, outputs: list[Tensor], inputs: list[Tensor]) -> list[np.ndarray]:
    """What the page computes."""
    lines = Lines()
    known = {t: Value(t.shape, t.dtype) for t in inputs}
    for value in known.values():
        lines.given(value)
    values = Values(known, {}).of(outputs)
    lines.write(values)
    slots = [lines.full(value) for value in values]
    found = bench.run(
        "return bench.run(arguments[0])",
        {
            "sizes": lines.sizes,
            "constants": [[slot, words(array)] for slot, array in lines.constants.items()],
            "lines": lines.lines,
            "inputs": [[lines.slots[known[t]], words(t.data)] for t in inputs],
            "outputs": slots,
        },
    )
    return [floats(values) for values in found]


def assert_near(found: np.ndarray, wanted: np.ndarray) -> None:
    """Equal to 1e-5 of the largest number."""
    wanted = wanted.ravel()
    finite = np.abs(wanted[np.isfinite(wanted)])
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5 * max(1, finite.max(initial=0)))


@given(
    st.lists(st.integers(1, 3), max_size=4),
    st.randoms(use_true_random=False),
    st.sampled_from([slice(None), slice(None, None, -1), slice(None, None, 2), slice(1, None), slice(0)]),
    st.integers(0, 2),
)
def test_a_lattice_names_the_positions_in_their_order_with_as_few_lengths_as_it_can(
    shape: list[int], rng: random.Random, part: slice, repeated: int
) -> None:
    """None of one element, and no two that are one run."""
    moved = np.arange(math.prod(shape)).reshape(shape).transpose(rng.sample(range(len(shape)), len(shape)))
    moved = moved[part] if shape else moved
    moved = np.broadcast_to(moved, (repeated, *moved.shape)) if repeated else moved
    at = lattice_of(moved)
    if not moved.size:
        assert at == {"table": []}
        return
    named = np.array(at["offset"])
    for n, step in zip(at["lengths"], at["steps"], strict=True):
        named = named[..., None] + step * np.arange(n)
    assert named.ravel().tolist() == moved.ravel().tolist()
    assert lattice_size(at) == moved.size and all(n > 1 for n in at["lengths"])
    runs = zip(at["steps"], at["lengths"][1:], at["steps"][1:], strict=False)
    assert not any(outer == n * step for outer, n, step in runs)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=6))
def test_positions_without_a_step_are_a_table(positions: list[int]) -> None:
    regular = len(positions) < 3 or len(set(np.diff(positions))) == 1
    assert ("table" in lattice_of(np.array(positions))) == (not regular)
    assert lattice_size(lattice_of(np.array(positions))) == len(positions)


@pytest.mark.parametrize("name", ROWS)
def test_each_operator_and_its_gradients_are_the_same_in_a_page(bench: Browser, name: str) -> None:
    row: Row = ROWS[name]

    @settings(few, suppress_health_check=list(HealthCheck))
    @given(row.cases, draw_.rngs)
    def agree(case, rng):
        xs = [Tensor(x.astype(np.float32)) for x in row.values(rng, case.shapes)]
        y = case.f(*xs)
        g = Tensor(rng.uniform(-1, 1, y.shape).astype(np.float32))
        outputs = [y, *gradients(y, xs, g)]
        for found, wanted in zip(in_page(bench, outputs, [*xs, g]), outputs, strict=True):
            assert_near(found, wanted.data)

    agree()


@pytest.mark.parametrize(
    "name", ["max", "min", "maximum", "minimum", "max_pool1d", "max_pool2d", "maxout", "relu", "abs"]
)
def test_a_tie_sends_the_gradient_where_the_engine_sends_it(bench: Browser, name: str) -> None:
    @settings(few, suppress_health_check=list(HealthCheck))
    @given(ROWS[name].cases, draw_.rngs)
    def agree(case, rng):
        xs = [Tensor(x.astype(np.float32)) for x in draw_.whole(rng, case.shapes)]
        y = case.f(*xs)
        g = Tensor(rng.uniform(1, 2, y.shape).astype(np.float32))
        slopes = gradients(y, xs, g)
        for found, wanted in zip(in_page(bench, slopes, [*xs, g]), slopes, strict=True):
            assert_near(found, wanted.data)

    agree()


def test_relu_keeps_nan_in_a_page_as_in_the_engine(bench: Browser) -> None:
    x = Tensor(np.array([np.nan, -np.inf, np.inf, -1, -0.0, 2], np.float32))
    y = mt.relu(x)
    np.testing.assert_array_equal(in_page(bench, [y], [x])[0], y.data)


# -- networks ----------------------------------------------------------------------------------------------------------


class Skipping(nets.Module):
    """A student's network: a skip, a layer that is used twice, and something computed between and behind the layers."""

    def __init__(self) -> None:
        rng = np.random.default_rng(3)
        self.first = nets.Conv2d(1, 4, 3, padding=1, rng=rng)
        self.body = nets.Conv2d(4, 4, 3, padding=1, rng=rng)
        self.pool = nets.MaxPool2d(2)
        self.head = nets.Dense(4 * 16, 5, rng=rng)

    def forward(self, x: Tensor) -> Tensor:
        first = self.first(x)
        again = mt.tanh(self.body(mt.relu(self.body(first)))) + first
        return mt.log_softmax(self.head(self.pool(again).reshape(x.shape[0], -1)))


def perceptron() -> nets.Module:
    rng = np.random.default_rng(0)
    return nets.Sequential(nets.Flatten(), nets.Dense(1024, 30, rng=rng), nets.Tanh(), nets.Dense(30, 10, rng=rng))


def of_all_kinds() -> nets.Module:
    """Layers that the networks of the lecture do not have."""
    rng = np.random.default_rng(1)
    return nets.Sequential(
        nets.LocallyConnected2d(1, 2, 12, 3, stride=2, padding=1, rng=rng), nets.LeakyReLU(),
        nets.TiledConv2d(2, 4, 3, tiles=2, padding="same", rng=rng), nets.GELU(), nets.BatchNorm2d(4),
        nets.LocalResponseNorm(3, alpha=0.5), nets.ConvTranspose2d(4, 4, 3, stride=2, rng=rng), nets.Softplus(),
        nets.Dropout(0.5), nets.Identity(), nets.AvgPool2d(2, ceil_mode=True), nets.LPPool2d(2),
        nets.WeightedAvgPool2d(2, stride=1), nets.Maxout(2), nets.Flatten(), nets.LayerNorm(8), nets.Sigmoid(),
        nets.Dense(8, 3, rng=rng), nets.Softmax(),
    )  # fmt: skip


def of_quarter_turns() -> nets.Module:
    rng = np.random.default_rng(2)
    return nets.Sequential(
        nets.LiftingConv2d(1, 2, 3, rng=rng), nets.ReLU(), nets.GroupConv2d(2, 2, 3, rng=rng), nets.GroupMaxPool(),
        nets.Flatten(), nets.Dense(50, 3, rng=rng),
    )  # fmt: skip


NETWORKS: dict[str, tuple[Callable[[], nets.Module], tuple[int, ...]]] = {
    "perceptron": (perceptron, (1, 32, 32)),
    "lenet": (nets.lenet, (1, 32, 32)),
    "lenet5": (nets.lenet5, (1, 32, 32)),
    "resnet": (lambda: nets.resnet(blocks=1), (3, 32, 32)),
    "a student's": (Skipping, (1, 8, 8)),
    "of all kinds": (of_all_kinds, (1, 12, 12)),
    "one layer": (lambda: nets.Dense(4, 3), (4,)),
    "of quarter turns": (of_quarter_turns, (1, 9, 9)),
    "of volumes": (
        lambda: nets.Sequential(nets.Conv3d(1, 2, 2), nets.MaxPool3d(2), nets.GlobalAvgPool(), nets.Dense(2, 2)),
        (1, 5, 5, 5),
    ),
    "of signals": (lambda: nets.Sequential(nets.Conv1d(2, 3, 3), nets.MaxPool1d(2), nets.Flatten()), (2, 9)),
}


def pictures(shape: tuple[int, ...], count: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.1, 1.1, (count, *shape)).astype(np.float32)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_and_its_gradients_are_the_same_in_its_page(browser: Browser, tmp_path: Path, name: str) -> None:
    build, shape = NETWORKS[name]
    model, images = build(), pictures(shape, 1 if name == "resnet" else 3)  # that is slow
    with model.in_use():
        browser.messages()
        browser.open(viz.explorer(model, images, tmp_path / "page.html"))
        rows = nets.summary(model, shape).rows
        for number, image in enumerate(images):
            x = Tensor(image[None])
            y = model(x)
            found = browser.run("return explorer.forward(arguments[0])", image.ravel().tolist())
            names = [row.name for row in rows]
            assert set(names) <= set(found)
            [last] = set(found) - set(names) or [names[-1]]
            assert_near(floats(found[last]), y.data)
            for row in rows:
                assert len(found[row.name]) == np.prod(row.output_shape)
            for unit in {number, y.size - 1 - number} & set(range(y.size)):
                seed = np.eye(1, y.size, unit, dtype=np.float32).reshape(y.shape)
                slope = browser.run(
                    "return explorer.gradient(arguments[0], arguments[1])", image.ravel().tolist(), unit
                )
                wanted = gradients(y, [x], seed)[0].data.ravel()
                scale = np.abs(wanted).max() or 1
                np.testing.assert_allclose(floats(slope), wanted, rtol=1e-5, atol=1e-5 * scale)
    assert browser.messages() == []


def test_what_each_row_computes_is_what_its_layer_computes(browser: Browser, tmp_path: Path) -> None:
    model, images = nets.lenet(seed=2), pictures((1, 32, 32), 1)
    browser.open(viz.explorer(model, images, tmp_path / "page.html"))
    found = browser.run("return explorer.forward(arguments[0])", images.ravel().tolist())
    x: Any = images
    for name, layer in model.children():
        x = layer(x)
        assert_near(floats(found[name]), x.data)


def test_values_do_not_depend_on_what_was_asked_before(browser: Browser, tmp_path: Path) -> None:
    model, images = Skipping(), pictures((1, 8, 8), 2)
    browser.open(viz.explorer(model, images, tmp_path / "page.html"))
    ask = "return [explorer.forward(arguments[0]), explorer.gradient(arguments[0], arguments[1])]"
    first, second = (image.ravel().tolist() for image in images)
    before = browser.run(ask, first, 2)
    browser.run(ask, second, 0)
    browser.run("document.querySelector('#row-0 .values canvas').focus()")
    browser.press(ENTER)
    fade = "const f = document.getElementById('fade'); f.value = 0; f.dispatchEvent(new Event('input'))"
    browser.run(fade)
    assert browser.run(ask, first, 2) == before
    assert browser.text("#faded") == "Faded: first, map 0 (× 0)."


# -- what a page refuses -----------------------------------------------------------------------------------------------


class Peeking(nets.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * 2 if x.data.sum() > 1 else -x


class Centred(nets.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x - x.data.mean()


class Summing(nets.Module):
    """One number for all images."""

    def forward(self, x: Tensor) -> Tensor:
        return x.sum()


class Cubing(nets.Module):
    def forward(self, x: Tensor) -> Tensor:
        return cube(x)


@mt.primitive
def cube(x):
    return x * x * x


@pytest.mark.parametrize(
    ("model", "images", "labels", "said"),
    [
        (Cubing(), np.ones((2, 3)), None, "operator cube"),
        (Peeking(), np.ones((1, 4)), None, "is looked at"),
        (Centred(), np.ones((1, 4)), None, "is looked at"),
        (nets.Dense(3, 2), np.ones((2, 3)), [1], "2 images need as many labels"),
        (nets.Dense(3, 2), np.ones((3, 3)), [7, 1, -3], "labels must be from 0 to 1, the last output, got 7, -3"),
        (Summing(), np.ones((2, 3)), None, "(N, ...), got shape () for N = 2 images"),
        (Summing(), np.ones((1, 3)), None, "(N, ...), got shape () for N = 1 images"),
        (nets.Dense(3, 2), np.ones((2, 3)), [0.5, 1.0], "whole numbers"),
        (nets.Dense(3, 2), np.ones(3), None, "N > 0"),
        (nets.Dense(3, 2), np.full((1, 3), np.nan), None, "infinite"),
        (nets.Dense(3, 2), np.full((1, 3), 1e39), None, "finite in float32"),
        (nets.Dense(3, 2), np.full((1, 3), 1j), None, "real numbers, got complex128"),
        (nets.Dense(3, 2), np.full((1, 3), "1"), None, "real numbers, got <U1"),
        (nets.Dense(3, 2), np.ones((2, 4)), None, "4"),
    ],
)
def test_what_a_page_cannot_show_is_refused_with_the_reason(
    tmp_path: Path, model: nets.Module, images: np.ndarray, labels: Any, said: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        viz.explorer(model, images, tmp_path / "page.html", labels=labels)
    assert not (tmp_path / "page.html").exists()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("which", ["model", "before"])
def test_a_model_that_is_not_finite_is_refused_by_the_name_of_its_parameter(
    tmp_path: Path, which: str, value: float
) -> None:
    models = {"model": nets.Dense(3, 2), "before": nets.Dense(3, 2)}
    models[which].load_state_dict({"weight": np.full((2, 3), value, np.float32), "bias": np.zeros(2, np.float32)})
    with pytest.raises(ValueError, match=f"{which} must be finite, and its weight holds"):
        viz.explorer(models["model"], pictures((3,)), tmp_path / "page.html", before=models["before"])
    assert not (tmp_path / "page.html").exists()


@pytest.mark.parametrize("live", [True, False])
def test_images_that_a_layer_makes_infinite_are_refused_by_its_name(tmp_path: Path, live: bool) -> None:
    model = nets.Sequential(small=nets.ReLU(), large=nets.Dense(3, 2))
    model.load_state_dict({"large.weight": np.full((2, 3), 1e10, np.float32), "large.bias": np.zeros(2, np.float32)})
    images = pictures((3,), 40)
    viz.explorer(model, images, tmp_path / "page.html", live=live)
    images[33] = 1e30
    with pytest.raises(ValueError, match=r"large must be finite for each image, and these reach 1e\+30"):
        viz.explorer(model, images, tmp_path / "none.html", live=live)
    assert not (tmp_path / "none.html").exists()


@pytest.mark.parametrize("layer", [nets.Tanh, lambda: nets.Dense(2, 5)])
def test_before_is_a_model_of_the_same_layers_and_shapes(tmp_path: Path, layer: Callable[[], nets.Module]) -> None:
    model, before = nets.Sequential(nets.Dense(3, 2), nets.ReLU()), nets.Sequential(nets.Dense(3, 2), layer())
    with pytest.raises(ValueError, match="before must be the same model"):
        viz.explorer(model, pictures((3,)), tmp_path / "page.html", before=before)
    wrong: Any = "before"
    with pytest.raises(TypeError, match="got before of str"):
        viz.explorer(model, pictures((3,)), tmp_path / "page.html", before=wrong)
    number: Any = 3
    with pytest.raises(TypeError, match="title is text, got 3"):
        viz.explorer(model, pictures((3,)), tmp_path / "page.html", title=number)
    with pytest.raises(TypeError, match="setup is lines of Python, got 3"):
        viz.explorer(model, pictures((3,)), tmp_path / "page.html", setup=number)


REFUSED = {
    "explorer.forward([1, 2])": "the image has 3 pixels, got 2",
    "explorer.forward([1, NaN, 2])": "finite numbers, got NaN at 1",
    "explorer.forward('abc')": "finite numbers, got a at 0",
    "explorer.forward(new Array(3))": "finite numbers, got undefined at 0",
    "explorer.gradient([1, 2, Infinity], 0)": "finite numbers, got Infinity at 2",
    "explorer.gradient([1, 2, 3], 2)": "no unit 2",
    "explorer.gradient([1, 2, 3], 0.5)": "no unit 0.5",
    "explorer.gradient([1, 2, 3], null)": "no unit null",
    "explorer.gradient([1, 2, 3])": "no unit undefined",
}


def test_a_page_refuses_what_is_no_image_and_no_unit(browser: Browser, tmp_path: Path) -> None:
    browser.open(viz.explorer(nets.Dense(3, 2), pictures((3,)), tmp_path / "page.html"))
    for call, said in REFUSED.items():
        assert said in browser.run(f"try {{ {call}; return '' }} catch (error) {{ return error.message }}"), call


@given(st.data(), st.sampled_from([0.01, 1.0, 255.0]), st.sampled_from([-3.0, 0.0, 40.0]), st.booleans())
def test_the_ink_begins_at_a_quarter_of_the_way_from_paper_whatever_the_numbers(
    data: st.DataObject, scale: float, paper: float, light: bool
) -> None:
    """The frame is the mean of those around the ink of each image."""
    levels = st.sampled_from([0.0, 0.125, 0.375, 1.0])
    ink = np.zeros((2, 1, 5, 6))
    ink[:, :, 1:-1, 1:-1] = np.reshape(data.draw(st.lists(levels, min_size=24, max_size=24)), (2, 1, 3, 4))
    ink[0, 0, 2, 2] = 1
    found = _sheet(paper + (-scale if light else scale) * ink)
    frames = [[*dark.min(axis=0), *dark.max(axis=0) + 1] for one in ink[:, 0] if len(dark := np.argwhere(one > 0.25))]
    assert found["frame"] == np.mean(frames, axis=0).tolist()
    assert found["paper"] == paper and (found["ink"] < paper) == light


@given(st.integers(1, 4), st.integers(1, 4))
def test_what_a_model_does_after_its_last_layer_is_a_row_without_weights(inputs: int, outputs: int) -> None:
    run = ran(Negated(inputs, outputs), np.zeros((1, inputs), np.float32))
    assert [row.name for row, _ in run.rows] == ["dense", "output"]
    *_, (last, y) = run.rows
    assert last.output_shape == y.shape[1:] == (outputs,) and last[3:6] == (0, 0, 0)


class Negated(nets.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        self.dense = nets.Dense(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return -self.dense(x)


def test_a_model_stays_as_it_was(tmp_path: Path) -> None:
    model = nets.Sequential(nets.Dense(3, 2), nets.Dropout(0.5))
    before = {name: p.data.copy() for name, p in model.named_parameters()}
    viz.explorer(model, pictures((3,)), tmp_path / "page.html")
    assert model.training
    for name, p in model.named_parameters():
        np.testing.assert_array_equal(p.data, before[name])


# -- wires -------------------------------------------------------------------------------------------------------------


@st.composite
def layers(draw) -> tuple[nets.Module, tuple[int, ...]]:
    """A layer whose cells see some of the image, and the image that it takes."""
    g = draw(draw_.convolutions(2, groups=2))
    stride, padding, dilation = (g.settings[name] for name in draw_.SETTINGS)
    kind = draw(st.sampled_from(["conv", "transposed", "local", "max", "average", "dense", "table"]))
    taps, (c, *size) = g.w[2:], g.x[1:]
    if kind == "conv":
        layer: nets.Module = nets.Conv2d(c, g.w[0], taps, stride, padding, dilation, g.settings["groups"])
    elif kind == "transposed":
        layer = nets.ConvTranspose2d(c, 2, taps, stride)
    elif kind == "local":
        layer = nets.LocallyConnected2d(c, 2, tuple(size), taps, stride, padding, dilation)
    elif kind == "table":  # its weight has zeros where there is no wire
        layer, c, size = nets.TableConv2d(3, [(0, 1), (2,), (0, 1, 2)], 2), 3, [3, 4]
    elif kind == "dense":
        layer, size = nets.Dense(c, 3), []
    else:
        pool = draw(draw_.pools(2, ("stride", "ceil_mode")))
        make: Any = nets.MaxPool2d if kind == "max" else nets.AvgPool2d
        layer = make(pool.kernel_size, pool.settings["stride"], ceil_mode=pool.settings["ceil_mode"])
        c, *size = pool.x[1:]
    return layer, (c, *size)


def test_a_cell_sees_what_it_is_connected_to_and_a_pixel_reaches_the_same_cells(bench: Browser) -> None:
    @settings(few, suppress_health_check=list(HealthCheck))
    @given(layers())
    def agree(drawn):
        layer, shape = drawn
        found = network(layer, ran(layer, pictures(shape, 1)))
        weights = base64.b64encode(found.numbers.tobytes()).decode()
        seen, reached = bench.run("return bench.windows(arguments[0], arguments[1])", found.program, weights)
        wanted = sorted(viz.connections(layer, shape))
        assert sorted(map(tuple, seen)) == wanted
        assert sorted(map(tuple, reached)) == wanted

    agree()


class Mixing(nets.Module):
    """Fixed sums of some of the inputs, and of some of these."""

    def __init__(self, first: np.ndarray, second: np.ndarray) -> None:
        self.first, self.second = first, second

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.first @ self.second


def test_a_cell_does_not_see_what_is_multiplied_by_a_constant_0(bench: Browser) -> None:
    @settings(few)
    @given(draw_.rngs, st.integers(2, 5), st.integers(2, 5))
    def agree(rng, inputs, outputs):
        first, second = (rng.integers(0, 2, shape).astype(np.float32) for shape in ((inputs, 4), (4, outputs)))
        model, mix = Mixing(first, second), first @ second
        found = network(model, ran(model, pictures((inputs,), 1)))
        weights = base64.b64encode(found.numbers.tobytes()).decode()
        for pairs in bench.run("return bench.windows(arguments[0], arguments[1])", found.program, weights):
            assert sorted(map(tuple, pairs)) == sorted(zip(*map(np.ndarray.tolist, np.nonzero(mix)), strict=True))

    agree()


# -- the image ---------------------------------------------------------------------------------------------------------


def test_an_image_is_moved_and_turned_as_warp_does(bench: Browser) -> None:
    @settings(few)
    @given(draw_.rngs, st.integers(1, 3), st.integers(2, 7), st.integers(2, 7))
    def agree(rng, channels, height, width):
        image = rng.uniform(-1, 1, (1, channels, height, width)).astype(np.float32)
        matrix, shift = rng.uniform(-2, 2, (1, 2, 2)), rng.uniform(-3, 3, (1, 2))
        sheet = {"height": height, "width": width, "paper": -0.5}
        found = bench.run(
            "return bench.warped(...arguments)",
            image.ravel().tolist(),
            sheet,
            {"matrix": matrix.ravel().tolist(), "shift": shift.ravel().tolist()},
        )
        wanted = nets.warp(image.astype(np.float64), matrix, shift, fill=-0.5)
        np.testing.assert_allclose(floats(found), wanted.ravel(), atol=1e-5)

    agree()


@pytest.fixture(scope="module")
def digits() -> nets.Examples:
    _, test = nets.digits(size=32)
    return nets.Examples(test.images[:70], test.labels[:70])


@pytest.fixture(scope="module")
def lenet(tmp_path_factory: pytest.TempPathFactory, digits: nets.Examples) -> tuple[nets.Module, Path]:
    """A network that has learnt a little, so that it is wrong now and then."""
    train, _ = nets.digits(size=32)
    model = nets.lenet()
    optimizer = nets.SGD(model, 0.05, momentum=0.9)
    nets.fit(model, nets.Examples(train.images[:200], train.labels[:200]), epochs=6, optimizer=optimizer)
    path = tmp_path_factory.mktemp("explorer") / "lenet.html"
    return model, viz.explorer(
        model, digits.images, path, labels=digits.labels, before=nets.lenet(seed=9), title="LeNet"
    )


PIXELS = "return explorer.pixels()"


def test_the_images_that_are_read_wrong_come_first(browser: Browser, lenet: Any, digits: nets.Examples) -> None:
    model, path = lenet
    browser.open(path)
    answers = model(digits.images).data.argmax(axis=1)
    wrong = np.flatnonzero(answers != digits.labels)
    marks = browser.run("return [...document.querySelectorAll('#images button')].map(b => b.className === 'wrong')")
    assert len(marks) == 60
    assert marks == [True] * len(wrong) + [False] * (60 - len(wrong))
    order = [*wrong, *np.flatnonzero(answers == digits.labels)]
    for i in (0, len(wrong) - 1, len(wrong), 59):
        browser.run("document.querySelectorAll('#images button')[arguments[0]].click()", i)
        assert_near(floats(browser.run(PIXELS)), digits.images[order[i]])
        browser.settled()
        answer = browser.text("#answer")
        assert answer.startswith(f"It reads {answers[order[i]]}")
        assert ("right" in answer) == (i >= len(wrong))


def middle(browser: Browser, selector: str) -> tuple[float, float, float, float]:
    """Left, top, width and height of an element, in the window."""
    box = browser.run(
        "const e = document.querySelector(arguments[0]); e.scrollIntoView({block: 'center'});"
        "const r = e.getBoundingClientRect(); return [r.x, r.y, r.width, r.height]",
        selector,
    )
    return tuple(box)  # type: ignore[return-value]


@pytest.mark.parametrize("kind", ["mouse", "touch", "pen"])
def test_what_is_drawn_is_what_the_network_gets(browser: Browser, lenet: Any, kind: str) -> None:
    model, path = lenet
    browser.open(path)
    browser.click("#clear")
    browser.click("#fit")  # not prepared
    assert_near(floats(browser.run(PIXELS)), np.full(1024, -0.1))
    x, y, w, h = middle(browser, "#paper")
    browser.drag([(x + w / 2, y + h / 4), (x + w / 2, y + h * 3 / 4)], kind)
    found = floats(browser.run(PIXELS)).reshape(32, 32)
    assert found[16, 16] == pytest.approx(1.175, abs=0.01)
    assert found[9:23, 15:17].min() > 1  # two pixels wide at least
    assert np.abs(found[:, :11] + 0.1).max() < 1e-6 and np.abs(found[:5] + 0.1).max() < 1e-6
    browser.settled()
    answer = model(found[None, None].astype(np.float32)).data.argmax()
    assert browser.text("#answer") == f"It reads {answer}."


def test_a_prepared_drawing_fills_the_frame_of_the_data_and_stands_in_its_middle(browser: Browser, lenet: Any) -> None:
    _, path = lenet
    browser.open(path)
    browser.click("#clear")
    x, y, w, h = middle(browser, "#paper")
    browser.drag([(x + w * 0.2, y + h * 0.2), (x + w * 0.35, y + h * 0.5)])
    inked = floats(browser.run(PIXELS)).reshape(32, 32) > 0.3
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    assert rows[0] <= 2 and rows[-1] >= 29
    assert abs(columns[0] + columns[-1] - 31) <= 3


def test_empty_paper_is_called_empty_until_something_is_drawn(browser: Browser, lenet: Any) -> None:
    _, path = lenet
    browser.open(path)
    browser.click("#clear")
    browser.settled()
    assert browser.text("#answer").startswith("Empty paper, read as ")
    x, y, w, h = middle(browser, "#paper")
    browser.drag([(x + w / 2, y + h / 4), (x + w / 2, y + h * 3 / 4)])
    browser.settled()
    assert browser.text("#answer").startswith("It reads ")


# -- pointing and clicking ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("last", [nets.Identity, nets.LogSoftmax, nets.Softmax])
def test_the_chance_of_a_class_is_its_softmax_also_where_the_model_computes_it(
    browser: Browser, tmp_path: Path, last: Callable[[], nets.Module]
) -> None:
    dense, images = nets.Dense(4, 3, rng=np.random.default_rng(0)), pictures((4,), 1)
    browser.open(viz.explorer(nets.Sequential(dense, last()), images, tmp_path / "page.html"))
    browser.settled()
    shown = browser.run("return [...document.querySelectorAll('#scores .chance')].map(e => parseFloat(e.textContent))")
    np.testing.assert_allclose(floats(shown), 100 * mt.softmax(dense(images)).data[0], atol=0.51)


def test_a_click_on_a_score_or_a_cell_sends_its_gradient_back(browser: Browser, lenet: Any) -> None:
    _, path = lenet
    browser.open(path)
    browser.click("#scores button:nth-child(4)")
    browser.settled()
    assert browser.text("#seed") == "score 3"
    assert browser.run("return document.querySelectorAll('#scores [aria-pressed=true]').length") == 1
    x, y, w, h = middle(browser, "#row-3 .values canvas")
    browser.drag([(x + w * 0.05, y + h * 0.2)])
    browser.settled()
    assert browser.text("#seed").startswith("C3, map 0, row")
    assert browser.run("return document.querySelector('#row-4').classList.contains('behind')")
    browser.press(ESCAPE)
    browser.settled()
    assert "the answer" in browser.text("#seed")
    browser.drag([(x + w * 0.95, y + h * 0.2)], "touch")
    browser.settled()
    assert "the answer" in browser.text("#seed")  # a finger explains, and a button sends the gradient back
    assert browser.text("#cell h3").startswith("C3, map 7")
    browser.click("#send")
    browser.settled()
    assert browser.text("#seed").startswith("C3, map 7")


def test_a_cell_is_explained_by_its_products_and_its_bias(browser: Browser, lenet: Any) -> None:
    model, path = lenet
    browser.open(path)
    image = floats(browser.run(PIXELS)).reshape(1, 1, 32, 32).astype(np.float32)
    browser.run("document.querySelector('#row-0 .values canvas').focus()")
    browser.press(RIGHT + RIGHT + DOWN)
    browser.settled()
    said = browser.text("#cell")
    assert "C1, map 0, row 1, column 1" in said
    bias, value = float(model.C1.bias.data[0]), float(model.C1(image).data[0, 0, 1, 1])  # type: ignore[attr-defined]
    numbers = said.replace("−", "-")
    assert "25 products" in numbers
    assert re.search(rf"With the bias: -?[\d.e-]+ \+ \(?{bias:.3g}\)? = {value:.3g}".replace("+ (", "+ "), numbers)
    assert browser.text("#said").startswith("C1, map 0, row 1, column 1")


def test_the_field_of_a_cell_is_outlined_in_each_row_before_it(browser: Browser, lenet: Any) -> None:
    _, path = lenet
    browser.open(path)
    browser.run("document.querySelector('#row-3 .values canvas').focus()")
    browser.press(RIGHT)
    browser.settled()
    edges = "return [-1, 0, 1, 2, 3, 4].map(k => (document.querySelector(`#row-${k} .values .field`).getAttribute('d')"
    sides = browser.run(edges + " || '').split('M').length - 1)")
    assert sides == [4 * 14, 6 * 4 * 10, 6 * 4 * 10, 6 * 4 * 5, 0, 0]  # squares of 14, 10 and 5 cells, in each map


def test_a_pixel_outlines_what_it_reaches(browser: Browser, lenet: Any) -> None:
    _, path = lenet
    browser.open(path)
    browser.run("document.querySelector('#row--1 .values canvas').focus()")
    browser.press(RIGHT)
    browser.settled()
    assert "C1 6 of 4704" in browser.text("#cell")  # the corner pixel is in one window of each map
    assert "output 10 of 10" in browser.text("#cell")


def test_a_map_that_is_taken_out_changes_the_scores_as_in_the_engine(browser: Browser, lenet: Any) -> None:
    model, path = lenet
    browser.open(path)
    image = floats(browser.run(PIXELS)).reshape(1, 1, 32, 32).astype(np.float32)
    browser.run("document.querySelector('#row-2 .values canvas').focus()")
    browser.press(ENTER)
    browser.run("const f = document.getElementById('fade'); f.value = 0.5; f.dispatchEvent(new Event('input'))")
    browser.settled()
    x: Any = image
    for name, layer in model.children():
        x = layer(x)
        if name == "S2":
            x = x * np.array([0.5, 1, 1, 1, 1, 1], np.float32).reshape(1, 6, 1, 1)
    shown = "return [...document.querySelectorAll('#scores .score')].map(e => e.textContent.replace('−', '-'))"
    np.testing.assert_allclose(floats(browser.run(shown)), x.data[0], atol=np.ptp(x.data) / 1000)
    assert browser.text("#faded") == "Faded: S2, map 0 (× 0.5)."
    browser.click("#restore")
    browser.settled()
    np.testing.assert_allclose(floats(browser.run(shown)), model(image).data[0], atol=np.ptp(x.data) / 1000)


@pytest.mark.parametrize(("row", "name", "width"), [(0, "C1", 28), (2, "S2", 14)])
def test_a_cell_of_a_faded_map_is_explained_as_if_it_were_whole_and_then_by_how_much_it_counts(
    browser: Browser, lenet: Any, row: int, name: str, width: int
) -> None:
    _, path = lenet
    browser.open(path)
    values = floats(browser.run("return explorer.forward(explorer.pixels())[arguments[0]]", name))
    y, x = divmod(int(values[: width * width].argmax()), width)
    browser.run(f"document.querySelector('#row-{row} .values canvas').focus()")
    browser.press(RIGHT + RIGHT * x + DOWN * y + ENTER)
    browser.settled()
    number, scores = browser.text("#cell .number"), browser.text("#scores")
    assert number != "0"
    made = "return [...document.querySelectorAll('#cell p, #cell table')].map(e => e.textContent)"
    whole = browser.run(made)
    pictures = "return [...document.querySelectorAll('#cell canvas')].map(c => c.toDataURL())"
    painted = browser.run(pictures)
    fade = "const f = document.getElementById('fade'); f.value = arguments[0]; f.dispatchEvent(new Event('input'))"
    browser.run(fade, 0)
    browser.settled()
    faded = browser.run(made)
    shown = f"({number})" if number.startswith("−") else number
    explained = [line for line in whole[1:] if not line.startswith(("Then", "The gradient"))]
    assert faded[1 : len(explained) + 1] == explained and browser.run(pictures) == painted
    assert faded[len(explained) + 1] == f"The map is faded: 0 · {shown} = 0"
    browser.run(fade, 1)
    browser.settled()
    assert browser.run(made) == whole and browser.text("#scores") == scores


def test_a_layer_that_changes_nothing_is_said_to_keep_a_number(browser: Browser, tmp_path: Path) -> None:
    model = nets.Sequential(nets.Identity(), nets.ReLU())
    browser.open(viz.explorer(model, np.array([[2.5, -2.5]]), tmp_path / "page.html"))
    browser.run("document.querySelector('#row-0 .values canvas').focus()")
    for said in ("Then 1 keeps it.", "Then 1 makes 0 of −2.5."):
        browser.press(RIGHT)
        browser.settled()
        assert said in browser.text("#cell")


def test_before_and_after_training_are_two_networks(browser: Browser, lenet: Any) -> None:
    model, path = lenet
    browser.open(path)
    image = floats(browser.run(PIXELS)).reshape(1, 1, 32, 32).astype(np.float32)
    ask = "return explorer.forward(explorer.pixels()).output"
    assert_near(floats(browser.run(ask)), model(image).data)
    browser.click("input[value=before]")
    assert_near(floats(browser.run(ask)), nets.lenet(seed=9)(image).data)


def test_the_line_of_python_makes_the_same_image_and_gradient(
    browser: Browser, lenet: Any, digits: nets.Examples
) -> None:
    model, path = lenet
    browser.open(path)
    space = {"np": np, "nets": nets, "Tensor": Tensor, "gradients": gradients, "model": model, "images": digits.images}

    def agree(exactly: bool) -> None:
        line, image, slope = browser.run(
            "document.getElementById('copy').click(); const p = explorer.pixels();"
            "return [document.getElementById('python').textContent, p, explorer.gradient(p, 4)]"
        )
        here = dict(space)
        exec(line, here)
        assert_near(here["x"].data.ravel(), floats(image))
        if exactly:  # else a window of paper has another pixel that is the largest, by the last bit
            assert_near(here["g"].data.ravel(), floats(slope))

    browser.click("#scores button:nth-child(5)")
    agree(exactly=True)
    browser.run("const t = document.getElementById('turn'); t.value = 30; t.dispatchEvent(new Event('input'))")
    browser.run("const t = document.getElementById('down'); t.value = -3; t.dispatchEvent(new Event('input'))")
    agree(exactly=False)
    browser.click("#clear")
    x, y, w, h = middle(browser, "#paper")
    browser.drag([(x + w * 0.3, y + h * 0.2), (x + w * 0.6, y + h * 0.7)])
    agree(exactly=True)


def test_the_images_are_captioned_by_what_the_network_that_is_shown_makes_of_them(
    browser: Browser, lenet: Any, digits: nets.Examples
) -> None:
    model, path = lenet
    browser.open(path)
    order = np.argsort(model(digits.images).data.argmax(axis=1) == digits.labels, kind="stable")[:60]
    for choice, one in (("before", nets.lenet(seed=9)), ("after", model)):
        browser.run("document.querySelector(`input[value=${arguments[0]}]`).click()", choice)
        answers = one(digits.images).data.argmax(axis=1)
        pairs = zip(digits.labels[order], answers[order], strict=True)
        wanted = [f"{label}, read as {answer}" if label != answer else f"{label}" for label, answer in pairs]
        buttons = "[...document.querySelectorAll('#images button')]"
        assert browser.run(f"return {buttons}.map(b => b.textContent)") == wanted
        assert browser.run(f"return {buttons}.map(b => b.className === 'wrong')") == ["read" in one for one in wanted]
        wrong = int((answers != digits.labels).sum())
        said = f"first the {wrong} that are read wrong" if choice == "after" else f"before training, {wrong} of the 70 "
        assert said in browser.text("#input h2")


def test_the_lines_of_python_are_those_of_what_is_shown_now(browser: Browser, lenet: Any) -> None:
    _, path = lenet
    browser.open(path)
    browser.run("document.getElementById('take').open = true")

    def shows(*lines: str) -> None:
        browser.settled()
        text = browser.text("#python")
        assert all(line in text for line in lines), text

    shows("scores = model(x)", "gradients(scores[scores.data.argmax()]", "# model, before, images: those that this")
    browser.click("#scores button:nth-child(10)")
    shows("gradients(scores[9], [x])")
    browser.run("document.querySelector('input[value=before]').click()")
    shows("scores = before(x)")
    browser.run("document.querySelector('#row-2 .values canvas').focus()")
    browser.press(RIGHT + ENTER)
    shows("# here of the answer, and in the page of a cell\n[g] = gradients(scores[scores.data.argmax()]")
    assert "faded" not in browser.text("#python")
    browser.run("const f = document.getElementById('fade'); f.value = 0; f.dispatchEvent(new Event('input'))")
    shows("# here all maps are whole, and in the page some are faded\n")


def test_an_image_that_is_drawn_on_is_no_longer_called_by_its_label(browser: Browser, lenet: Any) -> None:
    _, path = lenet
    browser.open(path)
    browser.settled()
    assert ", and " in browser.text("#answer")
    x, y, w, h = middle(browser, "#paper")
    browser.drag([(x + w * 0.1, y + h * 0.1), (x + w * 0.3, y + h * 0.1)])
    browser.settled()
    assert re.fullmatch(r"It reads \d\.", browser.text("#answer"))
    browser.click("#images button")
    browser.settled()
    assert ", and " in browser.text("#answer")


def test_the_walk_goes_down_through_the_values_and_up_through_the_gradients(browser: Browser, lenet: Any) -> None:
    _, path = lenet
    browser.open(path)
    last = int(browser.run("return document.getElementById('place').max"))
    seen = []
    for _ in range(last + 1):
        browser.run("document.getElementById('forward').click()")
        seen.append(browser.text("#walked"))
    assert seen[0].startswith("Forward. The image") and seen[1].startswith("Forward. C1 = conv2d(")
    assert len(set(seen)) == last + 1
    arrives = "Backward. What arrives at image: conv_transpose2d(g, weight). Conv2d: each cell hands its gradient to "
    assert seen[-1] == arrives + "the cells of its window, times its kernel."
    assert browser.run("return document.querySelectorAll('.unmade, .unreached').length") == 0
    assert browser.run("return document.getElementById('forward').getAttribute('aria-disabled')") == "true"


def test_the_walk_back_begins_where_the_gradient_does_and_names_its_row(browser: Browser, lenet: Any) -> None:
    model, path = lenet
    browser.open(path)
    rows = len(model.children())
    said, ends = [], "return document.getElementById('place').max"
    for row, place in ((0, "C1, map 0, row 1, column 1"), (3, "C3, map 0, row 1, column 1")):
        browser.run(f"document.querySelector('#row-{row} .values canvas').focus()")
        browser.press(RIGHT + RIGHT + DOWN + ENTER)
        browser.settled()
        assert browser.run(ends) == str(rows + row + 2)  # the image and the rows, then back to the image
        browser.run("document.getElementById('everything').click()")
        browser.run(f"for (let i = 0; i < {rows + 2}; i++) document.getElementById('forward').click()")
        assert browser.text("#walked") == f"Backward. The gradient begins with 1 at {place}."
        assert browser.run("return document.querySelector('.now').id") == f"row-{row}"
        said.append(browser.text("#seed"))
    assert said == ["C1, map 0, row 1, column 1", "C3, map 0, row 1, column 1"]
    browser.run("document.getElementById('forward').click()")
    assert browser.text("#walked").startswith("Backward. What arrives at S2: conv_transpose2d(g, weight)")
    browser.run("document.querySelectorAll('#scores button')[4].click()")  # the walk back begins anew
    browser.settled()
    assert browser.text("#walked") == "Backward. The gradient begins with 1 at score 4."
    browser.press(ESCAPE)


def test_a_row_that_no_gradient_reaches_is_said_to_get_none(browser: Browser, tmp_path: Path) -> None:
    class Twice(nets.Module):
        def __init__(self) -> None:
            self.left, self.right = nets.Dense(3, 2), nets.Dense(3, 2)

        def forward(self, x: Tensor) -> Tensor:
            left = self.left(x)
            return left + self.right(x)

    browser.open(viz.explorer(Twice(), pictures((3,)), tmp_path / "page.html"))
    browser.run("document.querySelector('#row-1 .values canvas').focus()")
    browser.press(RIGHT + ENTER)
    browser.settled()
    browser.run("for (let i = 0; i < 6; i++) document.getElementById('forward').click()")
    assert browser.text("#walked") == "Backward. Nothing arrives at left: right, unit 0 is not made of it."
    browser.run("document.getElementById('forward').click()")
    assert browser.text("#walked").startswith("Backward. What arrives at image: g @ weight. Dense: each unit hands")


# -- the page ----------------------------------------------------------------------------------------------------------


def test_the_page_asks_nothing_of_the_network_and_complains_of_nothing(browser: Browser, lenet: Any) -> None:
    _, path = lenet
    browser.messages()
    browser.open(path)
    browser.settled()
    assert browser.run("return performance.getEntriesByType('resource').length") == 0
    assert browser.messages() == []
    text = path.read_text(encoding="utf-8")
    assert "default-src 'none'" in text and len(text) < 2_000_000


def test_hostile_names_do_nothing(browser: Browser, tmp_path: Path) -> None:
    bad = "</script><script>document['title']='bad'</script><img src=x onerror=alert(1)>\u202e"
    model = nets.Sequential(**{bad: nets.Dense(4, 4), "__proto__": nets.ReLU(), "<b>": nets.Dense(4, 2)})
    model.children()[0][1].weight.name = bad  # type: ignore[attr-defined]
    browser.messages()
    browser.open(viz.explorer(model, pictures((4,)), tmp_path / "page.html", title=bad))
    assert browser.run("return document.title") == bad.replace("\u202e", "\ufffd")
    assert browser.run("return document.images.length + document.querySelectorAll('section b').length") == 0
    browser.run("document.querySelector('#row-0 .values canvas').focus()")
    browser.press(RIGHT)
    browser.settled()
    assert browser.text("#cell").startswith("</script>") and "\u202e" not in browser.text("#cell")
    assert set(browser.run("return Object.keys(explorer.forward([1, 2, 3, 4]))")) == {bad, "__proto__", "<b>"}
    assert browser.run("return document.images.length") == 0
    assert browser.messages() == []


@pytest.mark.parametrize("width", [1400, 900, 390])
def test_the_page_is_no_wider_for_long_names(browser: Browser, tmp_path: Path, width: int) -> None:
    model = nets.Sequential(**{"a" * 500: nets.Dense(16, 4), "b" * 500: nets.Dense(4, 2)})
    path = viz.explorer(model, pictures((16,)), tmp_path / "page.html", title="t" * 500)
    with browser.emulated(width):
        browser.open(path)
        browser.run("document.querySelector('#row-0 .values canvas').focus()")
        browser.press(RIGHT + ENTER)
        browser.run("const f = document.getElementById('fade'); f.value = 0; f.dispatchEvent(new Event('input'))")
        browser.run("document.getElementById('forward').click()")
        browser.settled()
        wide = "return ['html', '#input', '#about', '#heads'].map(s => document.querySelector(s))"
        assert browser.run(wide + ".filter(e => e.scrollWidth > e.clientWidth).map(e => e.id)") == []


def test_the_page_counts_its_images(browser: Browser, tmp_path: Path) -> None:
    for count, said in {1: "1 image", 2: "2 images"}.items():
        browser.open(viz.explorer(nets.Dense(4, 2), pictures((4,), count), tmp_path / "page.html"))
        assert browser.text("#input h2") == said
    for labels, said in {
        (0, 1): "2 images: first the 1 that is read wrong",
        (1, 1): "2 images, all read wrong",
        (0, 0): "2 images, all read right",
    }.items():
        browser.open(viz.explorer(nets.Identity(), np.array([[2, 1], [2, 1]]), tmp_path / "page.html", labels=labels))
        assert browser.text("#input h2") == said


@pytest.mark.parametrize("width", [1400, 900, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone_and_the_dark(browser: Browser, lenet: Any, width: int, scheme: str) -> None:
    _, path = lenet
    with browser.emulated(width, scheme=scheme, prefers_reduced_motion="reduce"):
        browser.open(path)
        browser.settled()
        assert browser.run("return document.documentElement.scrollWidth") <= width
        paper = browser.run("return getComputedStyle(document.body).backgroundColor")
        assert (paper == "rgb(255, 255, 255)") == (scheme == "light")
        assert browser.run("return document.getAnimations().length") == 0
        wide = (
            "return [...document.querySelectorAll('.maps')].filter(m => m.getBoundingClientRect().right > innerWidth)"
        )
        assert browser.run(wide + ".length") == 0
        if width == 390:
            sides = "return ['values', 'slopes'].map(s => document.querySelector(`#row-0 .${s}`).offsetHeight > 0)"
            assert browser.run(sides) == [True, False]
            browser.run("document.querySelector('input[value=slopes]').click()")
            assert browser.run(sides) == [False, True]


@pytest.mark.parametrize("width", [900, 390])
def test_the_sheet_with_the_scores_covers_neither_the_image_nor_when_it_is_folded_much_else(
    browser: Browser, lenet: Any, width: int
) -> None:
    _, path = lenet
    height = "return document.getElementById('about').offsetHeight"
    with browser.emulated(width):
        browser.open(path)
        browser.run("window.scrollTo(0, document.getElementById('row-0').offsetTop)")
        if width == 900:
            ends = "return ['input', 'about'].map(id => document.getElementById(id).getBoundingClientRect())"
            above, below = browser.run(ends)
            assert above["bottom"] <= below["top"]
        browser.run("document.querySelector('#row-3 .values canvas').focus()")
        browser.press(RIGHT + ENTER)
        browser.settled()
        assert browser.text("#fold") == "C3, map 0, row 0, column 0"
        assert 200 < browser.run(height) < 400
        browser.click("#fold")
        assert browser.run(height) < 120
        assert browser.run("return document.getElementById('fold').getAttribute('aria-expanded')") == "false"
        assert browser.run("return document.getElementById('scores').offsetHeight > 0") == (width == 390)
        browser.click("#fold")
        assert 200 < browser.run(height) < 400


def test_below_the_image_stands_what_its_greys_mean(browser: Browser, tmp_path: Path) -> None:
    images = np.full((1, 1, 4, 4), 0.25, np.float32)
    images[0, 0, 1, 1] = 2
    browser.open(viz.explorer(nets.Identity(), images, tmp_path / "page.html"))
    browser.settled()
    assert browser.text("#row--1 .values .most") == "paper 0.25, ink 2"
    assert browser.text("#row-0 .values .most") == "±2"


def test_it_prints_in_light_colours(browser: Browser, lenet: Any) -> None:
    _, path = lenet
    with browser.emulated(800, scheme="dark"):
        browser.open(path)
        corner = (
            "const c = document.getElementById('paper'); return [...c.getContext('2d').getImageData(0, 0, 1, 1).data]"
        )
        assert max(browser.run(corner)[:3]) < 60
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        browser.settled()
        assert min(browser.run(corner)[:3]) > 240
        assert browser.run("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    with browser.emulated(700):  # the paper is as narrow as a phone, and shows both sides all the same
        sides = "return ['values', 'slopes'].map(s => document.querySelector(`#row-0 .${s}`).offsetHeight > 0)"
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        browser.settled()
        assert browser.run(sides) == [True, True]
        assert browser.run("return getComputedStyle(document.getElementById('about')).position") == "static"


def test_maps_that_are_0_for_the_image_are_struck_out_and_those_that_are_for_all_crossed(
    browser: Browser, tmp_path: Path
) -> None:
    model = nets.Sequential(maps=nets.Conv2d(1, 3, 1), relu=nets.ReLU())
    weight, bias = np.array([1.0, -1.0, -1.0]).reshape(3, 1, 1, 1), np.array([0.0, 0.0, -9.0])
    model.load_state_dict({"maps.weight": weight.astype(np.float32), "maps.bias": bias.astype(np.float32)})
    images = np.concatenate([np.ones((64, 1, 4, 4)), -np.ones((1, 1, 4, 4))]).astype(np.float32)
    browser.open(viz.explorer(model, images, tmp_path / "page.html"))
    browser.settled()
    marked = "return ['silent', 'dead'].map(m => document.querySelector(`#row-1 .values .${m}`).getAttribute('d')"
    assert browser.run(marked + ".split('z').length - 1)") == [2, 1]


def test_everything_can_be_reached_with_the_keyboard_and_has_a_name(browser: Browser, lenet: Any) -> None:
    _, path = lenet
    browser.open(path)
    nameless = browser.run(
        "return [...document.querySelectorAll('button, input, canvas[tabindex]')].filter(e => !(e.textContent.trim() ||"
        "e.hidden || "
        "e.getAttribute('aria-label') || (e.labels && [...e.labels].some(l => l.textContent.trim()))))"
        ".map(e => e.outerHTML)"
    )
    assert nameless == []
    ids = browser.run("return [...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(set(ids)) == len(ids)


def test_the_program_is_plain_data() -> None:
    model = nets.lenet()
    found = network(model, ran(model, pictures((1, 32, 32), 1)))
    assert json.loads(json.dumps(found.program)) == found.program
