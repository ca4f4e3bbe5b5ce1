"""The explorer as a reader sees it: what stays in its place, what is in sight, where the focus is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import nets
import viz
from minitensor import Tensor

from .browser import Browser, needs_browser

pytestmark = needs_browser

TAB, ENTER, ESCAPE, RIGHT = "\ue004", "\ue007", "\ue00c", "\ue014"
FADE = "const f = document.getElementById('fade'); f.value = arguments[0]; f.dispatchEvent(new Event('input'))"
OFF_THE_ROWS = """
const middle = (e) => { const box = e.getBoundingClientRect(); return box.top + box.height / 2; };
const heads = [...document.querySelectorAll('section header')], dots = [...document.querySelectorAll('#wires circle')];
return heads.map((head, i) => Math.abs(middle(head) - middle(dots[i])));
"""
TOP_OF_ROWS = "return document.getElementById('rows').getBoundingClientRect().top"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    images = np.random.default_rng(0).uniform(-0.1, 1.1, (9, 1, 32, 32)).astype(np.float32)
    return viz.explorer(nets.lenet(), images, tmp_path_factory.mktemp("layout") / "page.html", labels=np.arange(9))


@pytest.mark.parametrize("width", [1400, 390])
def test_the_wires_begin_and_end_at_their_rows_whatever_is_shown(browser: Browser, path: Path, width: int) -> None:
    with browser.emulated(width):
        browser.open(path)
        for selector in ("input[value=slopes]", "#forward", "#forward", "#place", "#back", "#everything"):
            browser.run("document.querySelector(arguments[0]).click()", selector)
            browser.settled()
            assert max(browser.run(OFF_THE_ROWS)) < 1, selector


@pytest.mark.parametrize("width", [1400, 1200])
def test_nothing_that_is_clicked_moves_the_rows_away_from_the_pointer(browser: Browser, path: Path, width: int) -> None:
    with browser.emulated(width, 900):
        browser.open(path)
        browser.settled()
        before = browser.run(TOP_OF_ROWS)
        browser.click("#scores button:nth-child(4)")
        browser.settled()
        assert browser.run(TOP_OF_ROWS) == before
        x, y = browser.run(
            "const r = document.querySelector('#row-0 .values canvas').getBoundingClientRect();"
            "return [r.x + 9, r.y + 9]"
        )
        browser.drag([(x, y)])
        browser.settled()
        assert browser.text("#seed").startswith("C1, map")
        assert browser.run(TOP_OF_ROWS) == before
        for _ in range(3):
            browser.click("#forward")
            browser.settled()
            assert browser.run(TOP_OF_ROWS) == before


@pytest.mark.parametrize("selector", ["#paper", "#images button", "#scores button"])
def test_the_ring_around_what_has_the_focus_is_seen_whole(browser: Browser, path: Path, selector: str) -> None:
    browser.open(path)
    browser.press(TAB)  # the browser then draws rings
    room = browser.run(
        "const e = document.querySelector(arguments[0]); e.focus();"
        "const style = getComputedStyle(e), ring = parseFloat(style.outlineWidth) + parseFloat(style.outlineOffset);"
        "const region = e.closest('[role=region]');"
        "const [all, at] = [region, e].map((one) => one.getBoundingClientRect());"
        "return [parseFloat(style.outlineWidth), at.left - ring - all.left, at.top - ring - all.top,"
        "  all.left + region.clientWidth - at.right - ring]",
        selector,
    )
    assert min(room) >= 0 and room[0] == 3


@pytest.mark.parametrize("row", ["#row-0", "#row-3"])
def test_a_cell_that_a_finger_has_chosen_is_above_the_sheet_that_opens(browser: Browser, path: Path, row: str) -> None:
    with browser.emulated(390):
        browser.open(path)
        browser.settled()
        x, y = browser.run(
            "const e = document.querySelector(arguments[0] + ' .values canvas');"
            "window.scrollBy(0, e.getBoundingClientRect().bottom - document.getElementById('about').offsetTop);"
            "const r = e.getBoundingClientRect(); return [r.left + 8, r.bottom - 8]",
            row,
        )
        browser.drag([(x, y)], "touch")
        browser.settled()
        assert browser.text("#fold").startswith({"#row-0": "C1, map", "#row-3": "C3, map"}[row])
        ends = "return [document.querySelector(arguments[0] + ' .values .here').getBoundingClientRect().bottom,"
        cell, sheet = browser.run(ends + "document.getElementById('about').getBoundingClientRect().top]", row)
        assert cell <= sheet


@pytest.mark.parametrize("let_go", ["Escape", "unpin"])
def test_the_focus_returns_to_the_maps_of_the_cell_that_is_let_go_of(browser: Browser, path: Path, let_go: str) -> None:
    browser.open(path)
    browser.run("document.querySelector('#row-2 .values canvas').focus()")
    browser.press(RIGHT + ENTER)
    browser.run("document.getElementById(arguments[0]).focus()", "fade" if let_go == "Escape" else let_go)
    browser.press(ESCAPE if let_go == "Escape" else ENTER)
    here = "const e = document.activeElement; return [e.tagName, e.dataset.row, e.dataset.side]"
    assert browser.run(here) == ["CANVAS", "2", "values"]


def luminance(color: str) -> float:
    """How light a colour is, from 0 to 1: "rgb(1, 2, 3)", as WCAG 2.2 defines it."""
    parts = np.array([float(c) for c in color.removeprefix("rgb(").removesuffix(")").split(",")]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def test_what_is_chosen_stands_out_from_dark_maps(browser: Browser, path: Path) -> None:
    with browser.emulated(1200, scheme="dark"):
        browser.open(path)
        paper = luminance(browser.run("return getComputedStyle(document.body).backgroundColor"))
        for mark in ("here", "faded"):
            stroke = luminance(browser.run(f"return getComputedStyle(document.querySelector('.{mark}')).stroke"))
            assert (stroke + 0.05) / (paper + 0.05) >= 4.5


def test_the_scores_of_a_phone_do_not_touch_each_other(browser: Browser, path: Path) -> None:
    with browser.emulated(375):
        browser.open(path)
        browser.settled()
        gaps = browser.run(
            "const words = [...document.querySelectorAll('#scores .chance')];"
            "words.forEach((word, i) => { word.textContent = i === 4 ? '100 %' : '0.0 %'; });"
            "const boxes = words.map((word) => { const r = document.createRange(); r.selectNodeContents(word);"
            "  return r.getBoundingClientRect(); });"
            "return boxes.slice(1).map((box, i) => box.left - boxes[i].right)"
        )
        assert min(gaps) >= 4
        assert browser.run("const s = document.getElementById('scores'); return s.scrollWidth <= s.clientWidth")


def test_each_map_has_a_frame_also_where_it_is_white(browser: Browser, path: Path) -> None:
    browser.open(path)
    browser.run("document.getElementById('clear').click()")
    paths = browser.run("return [...document.querySelectorAll('#row-0 .edge')].map(e => e.getAttribute('d'))")
    assert [path.count("z") for path in paths] == [6, 6]
    assert browser.run("return getComputedStyle(document.querySelector('#row-0 .edge')).strokeWidth") == "1px"


def test_the_gradient_beside_the_paper_of_a_phone_is_named_and_as_large_as_the_paper(
    browser: Browser, path: Path
) -> None:
    with browser.emulated(390):
        browser.open(path)
        browser.run("document.querySelectorAll('#scores button')[4].click()")
        browser.settled()
        assert browser.run("return document.getElementById('beside').innerText") == "gradient of score 4"
        boxes = "return ['#pad', '#saliency'].map(s => document.querySelector(s + ' .maps').getBoundingClientRect())"
        one, other = browser.run(boxes)
        assert all(abs(one[side] - other[side]) <= 2 for side in ("top", "width", "height"))


@pytest.mark.parametrize("width", [1400, 390])
def test_all_maps_of_a_row_can_be_asked_for_however_long_its_formula_is(
    browser: Browser, tmp_path: Path, width: int
) -> None:
    long = nets.Sequential(**{"name of a layer" * 9: nets.Conv2d(1, 40, 3, padding=1), "b": nets.ReLU()})
    page = viz.explorer(long, np.ones((1, 1, 9, 9)), tmp_path / "page.html")
    with browser.emulated(width):
        browser.open(page)
        browser.settled()
        assert browser.run("return document.querySelector('#row-0 .values canvas').width") < 99
        browser.run("document.querySelector('#row-0').scrollIntoView({block: 'center'})")
        browser.settled()
        browser.click("#row-0 .more")
        browser.settled()
        assert browser.run("return document.querySelectorAll('#row-0 .more').length") == 0
        edges = "return document.querySelector('#row-0 .values .edge').getAttribute('d').split('z').length - 1"
        assert browser.run(edges) == 40


def test_scores_that_are_close_are_told_apart(browser: Browser, tmp_path: Path) -> None:
    model = nets.Dense(2, 3)
    for scores in ([84.0001, 84.0002, 84.0003], [1000.0, -2000.0, 3.0], [0.5, 0.5, 0.5], [-1e-4, 0.0, 2e-4]):
        model.load_state_dict({"weight": np.zeros((3, 2), np.float32), "bias": np.array(scores, np.float32)})
        browser.open(viz.explorer(model, np.zeros((1, 2)), tmp_path / "page.html"))
        browser.settled()
        said = browser.run("return [...document.querySelectorAll('#scores .score')].map(e => e.textContent)")
        assert len(set(said)) == len(set(scores))
        assert max(map(len, said)) < 10


@pytest.mark.parametrize(("took", "busy", "then"), [(500, "true", 1), (1, "false", 2)])
def test_a_page_that_is_slow_says_so_and_shows_what_was_done_before_it_computes(
    browser: Browser, path: Path, took: int, busy: str, then: int
) -> None:
    browser.open(path)
    browser.settled()
    browser.run("let now = 0; performance.now = () => now += arguments[0]", took)
    ask = "document.querySelectorAll('#scores button')[arguments[0]].click();"
    browser.run(ask, 1)
    browser.settled()
    seen = "return [main.getAttribute('aria-busy'), document.getElementById('seed').textContent]"
    found = browser.run(ask + f"return new Promise((d) => requestAnimationFrame(() => d((() => {{ {seen} }})())))", 2)
    assert found == [busy, f"score {then}"]
    browser.settled()
    assert browser.run(seen) == ["false", "score 2"]


def test_pixels_that_a_cell_reads_look_as_they_do_in_the_image(browser: Browser, path: Path) -> None:
    browser.open(path)
    browser.run("document.querySelector('#row-0 .values canvas').focus()")
    browser.press(RIGHT + ENTER)
    browser.settled()
    corner = (
        "return arguments[0].map(s => [...document.querySelector(s).getContext('2d').getImageData(0, 0, 1, 1).data])"
    )
    seen, image = browser.run(corner, ["#cell .blocks canvas", "#row--1 .values canvas"])
    assert seen == image and len(set(seen[:3])) == 1


def test_a_bias_of_0_is_called_so_and_none_is_spoken_of_where_there_is_none(browser: Browser, tmp_path: Path) -> None:
    for layer, said in ((nets.Dense(2, 2), "The bias is 0 here: that is the value."),
                        (nets.AvgPool1d(2), "That is the value: nothing is added to it.")):  # fmt: skip
        browser.open(viz.explorer(layer, np.ones((1, 2) if "bias" in said else (1, 1, 4)), tmp_path / "page.html"))
        browser.run("document.querySelector('#row-0 .values canvas').focus()")
        browser.press(RIGHT)
        browser.settled()
        assert said in browser.text("#cell")


def test_a_page_leads_back_where_it_stands_alone_and_not_in_the_page_that_it_leads_to(
    browser: Browser, tmp_path: Path
) -> None:
    back = ("chapter.html", "Back to <the> chapter")
    viz.explorer(nets.Dense(4, 2), np.ones((1, 4)), tmp_path / "explorer.html", back=back)
    viz.playground(tmp_path / "playground.html", back=back)
    chapter = tmp_path / "chapter.html"
    for name in ("explorer", "playground"):
        chapter.write_text(f'<iframe src="{name}.html"></iframe>', encoding="utf-8")
        browser.open(tmp_path / f"{name}.html")
        assert browser.text("#up a") == "Back to <the> chapter"
        browser.click("#up a")
        browser.driver.switch_to.frame(0)
        assert browser.run("return [document.getElementById('up'), document.querySelector('h1') !== null]") == [
            None,
            True,
        ]


SETTINGS = "return [...document.querySelectorAll('input')].map(e => [e.value, e.checked])"


def test_controls_and_pictures_still_agree_when_one_comes_back(browser: Browser, tmp_path: Path, path: Path) -> None:
    w, x = Tensor(2.0, name="w"), Tensor(3.0, name="x")
    for page in (path, viz.playground(tmp_path / "playground.html"), viz.stepper(w * x, tmp_path / "stepper.html")):
        browser.open(page)
        before = browser.run(SETTINGS)
        browser.run(
            "for (const e of document.querySelectorAll('input')) {"
            "if (e.type === 'range') { e.value = e.max; e.dispatchEvent(new Event('input')); } else e.click(); }"
        )
        browser.settled()
        assert browser.run(SETTINGS) != before
        browser.driver.get("about:blank")
        browser.driver.back()
        browser.settled()
        assert browser.run(SETTINGS) == before


OVERLAPS = """
const boxes = [...document.querySelectorAll('#about > *')].filter((e) => e.id !== 'said' && e.checkVisibility())
  .map((e) => e.getBoundingClientRect()).filter((box) => box.width * box.height > 0);
const before = (one, two) => one.right <= two.left || one.bottom <= two.top;
const apart = (one, two) => before(one, two) || before(two, one);
return boxes.filter((one, i) => boxes.some((two, k) => k > i && !apart(one, two))).length;
"""


@pytest.mark.parametrize("width", [1400, 900, 390])
def test_what_is_said_beside_the_scores_lies_side_by_side_and_fading_moves_no_slider(
    browser: Browser, path: Path, width: int
) -> None:
    top = "return document.getElementById(arguments[0]).getBoundingClientRect().top"
    with browser.emulated(width, 900):
        browser.open(path)
        browser.settled()
        assert browser.run(OVERLAPS) == 0
        if width > 760:
            assert browser.run(top, "cell") < 900 - 100  # in sight
        browser.run("document.querySelector('#row-2 .values canvas').focus()")
        browser.press(RIGHT + ENTER)
        browser.settled()
        before = browser.run(top, "fade")
        browser.run(FADE, 0.5)
        browser.settled()
        assert browser.text("#faded") == "Faded: S2, map 0 (× 0.5)."
        assert browser.run(top, "fade") == before
        assert browser.run(OVERLAPS) == 0
        if width > 760:
            assert browser.run(top, "cell") < 900 - 50
