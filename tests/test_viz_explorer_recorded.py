"""The explorer of a network that is too large for a page: what it shows is what the engine has computed."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nets
import viz
from minitensor import Tensor, gradients
from nets.trace import trace
from viz.pages.network import outputs_of, ran
from viz.pages.page import base64_of, page, script_of, text_of
from viz.pages.recorded import MOST_CELLS, MOST_MAPS, MOST_PIXELS, recorded, room_for, shrunk

from . import strategies as draw_
from .browser import Browser, needs_browser
from .strategies import few
from .test_viz_explorer import Skipping, floats, pictures

PAGE_DOWN, RIGHT, DOWN = "\ue00f", "\ue014", "\ue015"


@settings(few)
@given(draw_.rngs, st.lists(st.integers(1, 30), min_size=1, max_size=4), st.integers(1, 100))
def test_what_is_kept_of_a_row_are_cells_of_its_first_maps(rng, shape, most):
    images = rng.normal(size=(2, *shape))
    small, step = shrunk(images, most)
    maps = images.reshape(2, -1, *shape[-2:])[:, :MOST_MAPS] if len(shape) > 2 else images[:, :MOST_MAPS]
    if len(shape) == 1:
        wanted = images[:, ::step]
    else:
        wanted = maps[:, :, ::step, ::step] if len(shape) > 2 else maps[:, :, ::step]
    np.testing.assert_array_equal(small, wanted)
    size = shape[-2:] if len(shape) > 2 else shape[-1:]
    cells = [math.prod(-(-n // k) for n in size) for k in (step, step - 1) if k]
    assert cells[0] <= most and all(c > most for c in cells[1:])


BENCH = """
import { decoded } from "./network.js";
import { Recorded } from "./recorded.js";
window.bench = (program, numbers, pixels, i) => {
  const network = new Recorded(program, numbers);
  network.show(i, pixels);
  const each = (f) => [-1, ...network.rows.keys()].map((row) => Array.from(f(row)));
  return [each((row) => network.values(row)), each((row) => network.gradient(row)),
    network.rows.map((_, row) => network.silent(row))];
};
"""
NETWORKS: dict[str, tuple[Callable[[], nets.Module], tuple[int, ...]]] = {
    "lenet": (nets.lenet, (1, 32, 32)),
    "with more than a page keeps": (
        lambda: nets.Sequential(nets.Conv2d(3, 20, 3), nets.ReLU(), nets.GlobalAvgPool()),
        (3, 140, 70),
    ),
    "a student's": (Skipping, (1, 8, 8)),
    "of volumes": (lambda: nets.Sequential(nets.Conv3d(1, 9, 2), nets.ReLU(), nets.MaxPool3d(2)), (1, 5, 5, 5)),
    "of signals": (lambda: nets.Sequential(nets.Conv1d(2, 20, 3), nets.ReLU(), nets.MaxPool1d(2)), (2, 9)),
}


@needs_browser
@pytest.mark.parametrize("name", NETWORKS)
def test_a_page_has_each_value_and_gradient_to_half_a_step_of_colour(
    browser: Browser, tmp_path: Path, name: str
) -> None:
    build, shape = NETWORKS[name]
    model, images, answers = build(), pictures(shape), np.array([0, 2, 1])
    found = recorded(model, ran(model, images[:1]), images, answers)
    path = tmp_path / "page.html"
    path.write_text(page("", "", "", script_of(*map(text_of, ("network.js", "maps.js", "recorded.js")), BENCH)))
    browser.open(path)
    for i, (image, answer) in enumerate(zip(images, answers, strict=True)):
        run = trace(model, image[None])
        made = outputs_of(run)
        seed = np.eye(1, run.output.size, answer, dtype=np.float32).reshape(run.output.shape)
        slopes = gradients(run.output, [run.inputs[0], *made], seed)
        numbers = base64_of(found.numbers, "i1")
        values, steep, silent = browser.run("return bench(...arguments)", found.program, numbers, [7], i)
        assert values[0] == [7]
        assert floats(values[-1]).tolist() == run.output.data.ravel().tolist()
        rows = [(floats(v), t.data) for v, t in zip(values[1:-1], made[:-1], strict=True)]
        rows += [(floats(v), t.data) for v, t in zip(steep[1:-1], slopes[1:-1], strict=True)]
        for shown, wanted in rows:
            small = shrunk(wanted, MOST_CELLS)[0].ravel()
            np.testing.assert_allclose(shown, small, rtol=0, atol=np.abs(small).max() / 254 * 1.0001)
        by_image = shrunk(slopes[0].data, MOST_PIXELS)[0].ravel()
        np.testing.assert_allclose(floats(steep[0]), by_image, rtol=0, atol=np.abs(by_image).max() / 254 * 1.0001)
        for maps, t in zip(silent, made, strict=True):
            each = t.data[0].reshape(-1, *t.shape[3:] if t.ndim > 4 else t.shape[2:]) if t.ndim > 2 else np.ones((1, 1))
            assert maps == [k for k, one in enumerate(each) if not one.any()]


def test_a_page_takes_as_many_images_as_keep_it_small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    model, images = nets.lenet(), pictures((1, 32, 32), 20)
    run = ran(model, images[:1])
    assert room_for([run]) == 12
    monkeypatch.setattr("viz.pages.recorded.MOST_BYTES", 200_000)
    few_images, fewer = room_for([run]), room_for([run, run])
    assert 2 < few_images < 12 and fewer == few_images // 2
    path = viz.explorer(model, images, tmp_path / "page.html", live=False)
    text = path.read_text(encoding="utf-8")
    data = text[text.index("<script type") : text.index("</script>", text.index("<script type"))]
    assert f">{few_images} of 20 images</h2>" in text and len(data) < 220_000
    monkeypatch.setattr("viz.pages.recorded.MOST_BYTES", 10)
    assert room_for([run]) == 1


class Root(nets.Module):
    """Its slope at 0 is infinite."""

    def forward(self, x: Tensor) -> Tensor:
        return x**0.5


def test_a_gradient_that_is_infinite_is_refused_by_the_name_of_its_row(tmp_path: Path) -> None:
    model = nets.Sequential(act=nets.ReLU(), root=Root())
    viz.explorer(model, np.ones((2, 3)), tmp_path / "page.html", live=False)
    with pytest.raises(ValueError, match="gradient of the answer by act must be finite"):
        viz.explorer(model, np.array([[1.0, 1, 1], [0, 0, 0]]), tmp_path / "none.html", live=False)
    assert not (tmp_path / "none.html").exists()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[nets.Module, np.ndarray, Path]:
    """A network that is too large, since the limit is lower."""
    model, images = nets.lenet(seed=4), pictures((1, 32, 32), 20, seed=5)
    path = tmp_path_factory.mktemp("recorded") / "page.html"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("viz.pages.network.MOST_NUMBERS", 1000)
        patch.setattr("viz.pages.explorer.MOST_NUMBERS", 1000)
        with pytest.raises(ValueError, match=r"at most 1,000 parameters .* this one has 61,706 .*live=False"):
            viz.explorer(model, images, path, live=True)
        viz.explorer(model, images, path, labels=np.zeros(20, int), before=nets.lenet(seed=6))
    return model, images, path


@needs_browser
def test_a_page_that_runs_nothing_says_so_and_why(browser: Browser, large: Any) -> None:
    _, _, path = large
    browser.messages()
    browser.open(path)
    said = browser.text("#intro").replace("\n", " ")
    assert "61,706 numbers" in said and "at most 1,000 and 100,000,000" in said
    assert "Nothing can be drawn" in said and "at most 16 maps" in said
    hidden = "return ['drawing', 'moving'].map(id => document.getElementById(id).hidden)"
    assert browser.run(hidden) == [True, True]
    for call in ("forward(explorer.pixels())", "gradient(explorer.pixels(), 0)"):
        error = browser.run(f"try {{ explorer.{call} }} catch (e) {{ return e.message }}")
        assert "nothing runs here" in error
    x, y, w, h = browser.run("const r = document.getElementById('paper').getBoundingClientRect();"
                             "return [r.x, r.y, r.width, r.height]")  # fmt: skip
    before = browser.run("return explorer.pixels()")
    browser.drag([(x + w / 4, y + h / 2), (x + w / 2, y + h / 2)])
    assert browser.run("return explorer.pixels()") == before
    assert browser.messages() == []


@needs_browser
def test_each_image_has_its_scores_and_the_cells_that_are_pointed_at_their_numbers(
    browser: Browser, large: Any
) -> None:
    model, images, path = large
    browser.open(path)
    answers = model(images).data.argmax(axis=1)
    order = np.argsort(answers == 0, kind="stable")[:12]
    assert browser.text("#input h2").startswith("12 of 20 images")
    for place in (0, 5, 11):
        image = images[order[place]]
        browser.run("document.querySelectorAll('#images button')[arguments[0]].click()", place)
        browser.settled()
        x = Tensor(image[None])
        run = trace(model, x)
        scores = run.output.data[0]
        shown = browser.run("return [...document.querySelectorAll('#scores .score')].map(e => e.textContent)")
        np.testing.assert_allclose(floats([s.replace("−", "-") for s in shown]), scores, atol=np.ptp(scores) / 1000)
        assert browser.text("#answer").startswith(f"It reads {answers[order[place]]}")
        browser.run("document.querySelector('#row--1 .values canvas').focus()")
        browser.press(PAGE_DOWN + RIGHT + RIGHT)
        browser.settled()
        assert browser.text("#cell h3") == "C1, map 0, row 0, column 1"
        maps = run.layers()[0].outputs[0].data
        value = float(browser.text("#cell .number").replace("−", "-"))
        assert value == pytest.approx(maps[0, 0, 0, 1], abs=float(np.abs(maps).max()) / 254 + 0.005 * abs(value))
    browser.messages()
    browser.run("document.querySelector('input[value=before]').click(); document.getElementById('forward').click()")
    browser.settled()
    assert browser.messages() == []
    shown = browser.run("return [...document.querySelectorAll('#scores .score')].map(e => e.textContent)")
    wanted = nets.lenet(seed=6)(images[order[11:]]).data[0]
    browser.run("document.querySelector('#row-11 .values canvas').focus()")
    browser.press(RIGHT * (int(wanted.argmax()) + 1))
    assert browser.text("#said").startswith(f"output, score {wanted.argmax()}")
    assert browser.text("#said").endswith("gradient 1")  # its own answer's
    np.testing.assert_allclose(floats([s.replace("−", "-") for s in shown]), wanted, atol=np.ptp(wanted) / 1000)


@needs_browser
def test_a_cell_of_a_row_that_is_kept_in_part_has_its_place_in_the_whole(browser: Browser, tmp_path: Path) -> None:
    wide = nets.Sequential(nets.ReLU(), nets.Dense(9000, 2))
    large = nets.Sequential(nets.ReLU(), nets.GlobalAvgPool())
    for model, shape, said in (
        (wide, (9000,), "0, unit 6"),
        (large, (2, 90, 140), "0, map 0, row 2, column 4"),
    ):
        browser.open(viz.explorer(model, pictures(shape, 1), tmp_path / "page.html", live=False))
        browser.run("document.querySelector('#row-0 .values canvas').focus()")
        browser.press(RIGHT * 3 + (DOWN if len(shape) > 1 else ""))
        browser.settled()
        assert browser.text("#cell h3") == said


TOUR = """
for (const canvas of document.querySelectorAll('.maps canvas[data-row]')) {
  canvas.focus();
  for (const key of ['ArrowRight', 'ArrowDown', 'Enter', 'PageDown']) {
    canvas.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
  }
}
for (const image of document.querySelectorAll('#images button')) image.click();
document.querySelector('input[value=before]').click();
for (let i = 0; i <= document.getElementById('place').max; i++) document.getElementById('forward').click();
document.getElementById('unpin').click();
"""


@needs_browser
@pytest.mark.parametrize("live", [True, False])
def test_a_page_of_any_network_complains_of_nothing(browser: Browser, tmp_path: Path, live: bool) -> None:
    networks = {
        **NETWORKS,
        "one unit": (lambda: nets.Dense(1, 1), (1,)),
        "maps": (lambda: nets.Conv2d(3, 2, 1), (3, 9, 9)),
    }
    for name, (build, shape) in networks.items():
        if live and math.prod(shape) > 5000:
            continue  # it is slow
        path = viz.explorer(build(), pictures(shape), tmp_path / "page.html", before=build(), live=live)
        browser.messages()
        browser.open(path)
        browser.run(TOUR)
        browser.settled()
        assert browser.messages() == [], name


@needs_browser
def test_alexnet_fits_a_page_with_its_maps_small_and_its_best_answers_first(browser: Browser, tmp_path: Path) -> None:
    model, images = nets.alexnet(), pictures((3, 227, 227), 1)
    path = viz.explorer(model, images, tmp_path / "page.html", title="AlexNet")
    assert path.stat().st_size < 1_500_000
    browser.messages()
    browser.open(path)
    browser.settled()
    with model.in_use():
        scores = model(images[:1]).data[0]
    best = browser.run("return [...document.querySelectorAll('#scores .class')].map(e => Number(e.textContent))")
    assert best == np.argsort(-scores, kind="stable")[:20].tolist()
    facts = browser.text("#row-0 .facts")
    assert facts == "Conv2d · 96×55×55 · 34,944 parameters · field 11 · 16 of 96 maps"
    assert "3×227×227 · one in 2 rows and columns" in browser.text("#row--1 .facts")
    with browser.emulated(390):
        wide = "return ['html', '#about'].map(s => document.querySelector(s)).map(e => e.scrollWidth - e.clientWidth)"
        assert browser.run(wide) == [0, 0]
    assert browser.messages() == []
