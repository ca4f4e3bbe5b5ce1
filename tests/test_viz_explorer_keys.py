"""The explorer without a pointer: the tab key stops at each part once, and the arrow keys do the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nets
import viz

from .browser import Browser, needs_browser
from .test_viz_explorer import PIXELS, floats

pytestmark = needs_browser

TAB, ENTER, SPACE, SHIFT = "\ue004", "\ue007", "\ue00d", "\ue008"
LEFT, UP, RIGHT, DOWN = "\ue012", "\ue013", "\ue014", "\ue015"
PAGE_UP, PAGE_DOWN, HOME, END = "\ue00e", "\ue00f", "\ue011", "\ue010"
HERE = "return document.activeElement.closest('[id]').id"
MARK = "return document.querySelector('#pad .here').getAttribute('d')"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[nets.Module, Path]:
    model, images = nets.lenet(seed=2), np.zeros((12, 1, 32, 32), np.float32)
    images[:, :, 8:24, 8:24] = np.random.default_rng(0).uniform(0, 1, (12, 1, 16, 16))
    return model, viz.explorer(model, images, tmp_path_factory.mktemp("keys") / "page.html", labels=np.arange(12) % 10)


@pytest.fixture
def opened(browser: Browser, written: Any) -> Browser:
    browser.open(written[1])
    browser.settled()
    return browser


def focus(browser: Browser, selector: str) -> None:
    browser.run("document.querySelector(arguments[0]).focus()", selector)


def test_the_tab_key_reaches_each_part_once_and_a_link_leads_to_it_at_once(opened: Browser) -> None:
    stops = []
    while "scores" not in stops:
        opened.press(TAB)
        stops.append(opened.run(HERE))
        assert len(stops) < 26
    assert [stops.count(part) for part in ("paper", "images", "row--1", "scores")] == [1, 1, 2, 1]
    for number, part in enumerate(("paper", "walk", "scores"), start=1):
        focus(opened, f"#skip a:nth-child({number})")
        opened.press(ENTER + TAB)
        assert opened.run(HERE.replace("[id]", "[id]:not(button)")) == part


def test_arrow_keys_go_from_image_to_image_and_enter_chooses(opened: Browser) -> None:
    at = "return [...document.querySelectorAll('#images button')].indexOf(document.activeElement)"
    line = opened.run(
        "const all = [...document.querySelectorAll('#images button')];"
        "return all.filter(b => b.offsetTop === all[0].offsetTop).length"
    )
    focus(opened, "#images button")
    places = []
    for key in (LEFT, RIGHT, DOWN, UP, UP, LEFT, END, RIGHT, HOME, RIGHT):
        opened.press(key)
        places.append(opened.run(at))
    assert places == [0, 1, 1 + line, 1, 1, 0, 11, 11, 0, 1]
    opened.press(ENTER)
    pressed = "return [...document.querySelectorAll('#images button')].map(b => b.getAttribute('aria-pressed'))"
    assert opened.run(pressed).index("true") == 1
    assert opened.run("return document.querySelectorAll('#images [tabindex=\"0\"]').length") == 1


def test_arrow_keys_go_from_score_to_score_and_enter_sends_its_gradient_back(opened: Browser) -> None:
    focus(opened, "#scores button")
    opened.press(DOWN + DOWN + DOWN + UP + ENTER)
    opened.settled()
    assert opened.text("#seed") == "score 2"
    name = opened.run("return document.activeElement.getAttribute('aria-label')")
    assert name.startswith("2: score ") and ", chance " in name


def test_the_page_keys_go_from_row_to_row_on_the_same_side(opened: Browser) -> None:
    for side in ("values", "slopes"):
        focus(opened, f"#row--1 .{side} canvas")
        seen = []
        for key in (PAGE_UP, PAGE_DOWN, PAGE_DOWN, PAGE_UP):
            opened.press(key)
            seen.append(opened.run("return [document.activeElement.dataset.row, document.activeElement.dataset.side]"))
        assert seen == [["-1", side], ["0", side], ["1", side], ["0", side]]
        stops = "return [...document.querySelectorAll('.maps [tabindex=\"0\"][data-row]')].map(c => c.dataset.row)"
        assert opened.run(stops) == ["0", "0"]
        opened.resize(1000 if side == "values" else 1200, 900)  # the maps are new, as wide as there is room
        assert opened.run(stops) == ["0", "0"]


def test_one_can_draw_with_the_keyboard_and_hears_where_the_pen_is(opened: Browser) -> None:
    opened.run("document.getElementById('clear').click(); document.getElementById('fit').click()")
    focus(opened, "#paper")
    opened.press(UP + LEFT)
    assert opened.text("#said") == "pen at row 15, column 15: 0 % ink"
    assert np.unique(floats(opened.run(PIXELS))).size == 1  # moving paints nothing
    opened.press(SPACE)
    assert opened.text("#said") == "pen at row 15, column 15: 100 % ink"
    inked = floats(opened.run(PIXELS)).reshape(32, 32) > 0.5
    assert inked[15, 15] and np.argwhere(inked).min() >= 13 and np.argwhere(inked).max() <= 17
    opened.press(RIGHT * 9, held=SHIFT)
    inked = floats(opened.run(PIXELS)).reshape(32, 32) > 0.5
    assert inked[15, 15:25].all() and not inked[:, 27:].any() and not inked[:13].any()
    opened.settled()
    assert opened.text("#answer").startswith("It reads ")
    opened.run("document.getElementById('rubber').click()")
    focus(opened, "#paper")
    opened.press(SPACE)
    assert opened.text("#said") == "pen at row 15, column 24: 0 % ink"
    opened.press(RIGHT * 10 + DOWN * 20)
    assert opened.text("#said") == "pen at row 31, column 31: 0 % ink"  # and no further
    assert opened.run("return getComputedStyle(document.querySelector('#pad svg')).display") != "none"
    assert opened.run(MARK).startswith("M31 31")
