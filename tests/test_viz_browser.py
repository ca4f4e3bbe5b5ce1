"""The pages in a real browser: driven through WebDriver, skipped where there is no Chromium."""

import re
import xml.etree.ElementTree as ET
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minitensor
import nets
import viz
from minitensor import Tensor, Windows, conv2d, cross_entropy, relu, sizes, tanh
from viz.pages.gallery import gallery

from .browser import Browser, needs_browser

pytestmark = needs_browser

LEFT, RIGHT, UP, DOWN, HOME, END, TAB = "\ue012", "\ue014", "\ue013", "\ue015", "\ue011", "\ue010", "\ue004"


def scalar() -> Tensor:
    x, w, b, t = (Tensor(v, name=n) for n, v in {"x": 0.5, "w": -1.2, "b": 0.8, "t": 1.0}.items())
    return (tanh(w * x + b) - t) ** 2


def perceptron() -> Tensor:
    rng = np.random.default_rng(0)
    model = nets.Sequential(nets.Dense(2, 3, rng=rng), nets.Tanh(), nets.Dense(3, 2, rng=rng))
    return cross_entropy(model(Tensor([[1.0, 2.0]], name="x")), [1])


def convolutional() -> Tensor:
    rng = np.random.default_rng(0)
    model = nets.Sequential(nets.Conv2d(1, 1, 3, rng=rng), nets.ReLU(), nets.MaxPool2d(2), nets.Flatten())
    return cross_entropy(model(Tensor(rng.normal(size=(1, 1, 6, 6)), name="image")), [0])


@pytest.mark.parametrize("example", [scalar, perceptron, convolutional])
def test_every_step_can_be_reached_and_nothing_is_complained_about(
    browser: Browser, tmp_path: Path, example: Any
) -> None:
    browser.open(viz.stepper(example(), tmp_path / "page.html"))
    last = int(browser.run("return document.getElementById('slider').max"))
    seen = []
    for _ in range(last + 1):
        seen.append(browser.run("return document.getElementById('said').textContent"))
        browser.run("document.getElementById('forward').click()")
    assert len(set(seen)) == last + 1
    assert browser.run("return document.getElementById('forward').getAttribute('aria-disabled')") == "true"
    assert browser.messages() == []


def test_buttons_keys_and_slider_all_lead_to_the_same_steps(browser: Browser, tmp_path: Path) -> None:
    browser.open(viz.stepper(scalar(), tmp_path / "page.html"))

    def count() -> str:
        return str(browser.run("return document.getElementById('count').textContent"))

    last = browser.run("return document.getElementById('slider').max")
    assert count() == f"0 / {last}"
    browser.click("#forward")
    browser.click("#forward")
    browser.click("#back")
    assert count() == f"1 / {last}"
    browser.press(RIGHT + RIGHT + LEFT)
    assert count() == f"2 / {last}"
    browser.press(END)
    assert count() == f"{last} / {last}"
    browser.press(HOME)
    assert count() == f"0 / {last}"
    browser.run("const s = document.getElementById('slider'); s.value = 3; s.dispatchEvent(new Event('input'))")
    assert count() == f"3 / {last}"
    browser.run("document.getElementById('slider').focus()")
    browser.press(RIGHT)  # the slider's own keys
    assert count() == f"4 / {last}"
    browser.click("#play")
    assert browser.run("return document.getElementById('play').getAttribute('aria-pressed')") == "true"
    browser.click("#play")
    assert browser.run("return document.getElementById('play').textContent") == "Play"


def test_the_last_step_shows_the_gradients_of_the_engine(browser: Browser, tmp_path: Path) -> None:
    browser.open(viz.stepper(scalar(), tmp_path / "page.html"))
    browser.press(END)
    text = browser.run("return document.getElementById('node-0').textContent")
    assert "grad 1.851" in text


def test_each_step_has_its_line_of_numpy_and_that_line_is_right(browser: Browser, tmp_path: Path) -> None:
    """Executed one after the other, forward and backward, the lines compute what the page shows."""
    x, w = Tensor([[0.5, -1.0, 2.0], [1, 2, 3]], name="x"), Tensor([[1.0, 0.5], [2.0, -1.0], [0.25, 1.0]], name="w")
    b = Tensor([0.5, -0.5], name="b")
    loss = (tanh(x @ w + b) ** 2).sum()
    loss.name = "loss"
    browser.open(viz.stepper(loss, tmp_path / "page.html"))
    space: dict[str, Any] = {"np": np, "x": x.data, "w": w.data, "b": b.data}
    for _ in range(5):
        browser.press(RIGHT)
        exec(browser.run("return document.getElementById('python').textContent"), space)
    np.testing.assert_allclose(space["loss"], loss.item())
    browser.press(RIGHT)
    for _ in range(5):
        browser.press(RIGHT)
        node = browser.run("return document.querySelector('#graph .now text').textContent").split(" ")[0]
        space["g"] = space.get(f"d_{node}", np.float64(1.0))
        for line in browser.run("return [...document.querySelectorAll('#detail pre')].map(e => e.textContent)"):
            exec(line, space)
    for t, slope in zip((x, w, b), minitensor.gradients(loss, [x, w, b]), strict=True):
        np.testing.assert_allclose(space[f"d_{t.name}"], slope.data)


def test_pointing_at_a_pixel_marks_the_windows_that_read_it(browser: Browser, tmp_path: Path) -> None:
    x = Tensor(np.arange(16.0).reshape(1, 1, 4, 4), name="x")
    browser.open(viz.stepper(relu(conv2d(x, Tensor(np.ones((1, 1, 2, 2)), name="w"))), tmp_path / "page.html"))
    browser.press(END)
    marked = browser.run(
        "const share = document.querySelector('#detail .row figure');"
        "share.querySelector('td[data-flat=\"5\"]').focus();"
        "return [...document.querySelectorAll('#detail > div:first-child td.marked')].map(c => +c.dataset.flat)"
    )
    assert marked == [0, 1, 3, 4]  # the four 2 x 2 windows over pixel (1, 1), of nine


def test_a_table_is_one_stop_of_the_tab_key_and_arrow_keys_move_inside_it(browser: Browser, tmp_path: Path) -> None:
    x = Tensor(np.arange(16.0).reshape(1, 1, 4, 4), name="x")
    browser.open(viz.stepper(relu(conv2d(x, Tensor(np.ones((1, 1, 2, 2)), name="w"))), tmp_path / "page.html"))
    browser.press(END)
    step = browser.run("return document.getElementById('count').textContent")
    first_of_each = "return [...document.querySelectorAll('#detail td[tabindex=\"0\"]')].map(c => +c.dataset.flat)"
    focused = "return +document.activeElement.dataset.flat"
    assert browser.run(first_of_each) == [0, 0]  # passed on to x, and to w
    browser.run("document.querySelector('#detail td[tabindex=\"0\"]').focus()")
    browser.press(RIGHT + DOWN + DOWN + LEFT + LEFT + UP)
    assert browser.run(focused) == 4  # row 1, column 0: the second step to the left led nowhere
    assert browser.run(first_of_each) == [4, 0]
    assert browser.run("return document.getElementById('count').textContent") == step
    browser.press(TAB)
    assert browser.run(focused) == 0  # the next table


def test_the_focus_stays_on_the_button_that_leads_no_further(browser: Browser, tmp_path: Path) -> None:
    browser.open(viz.stepper(scalar(), tmp_path / "page.html"))
    for button, steps in ("forward", 30), ("back", 30):
        browser.run(f"document.getElementById('{button}').focus()")
        browser.press("\ue007" * steps)  # enter
        assert browser.run("return document.activeElement.id") == button
        assert browser.run(f"return document.getElementById('{button}').getAttribute('aria-disabled')") == "true"


def test_wires_point_the_way_that_the_step_goes(browser: Browser, tmp_path: Path) -> None:
    x = Tensor(2.0, name="x")
    browser.open(viz.stepper(tanh(x), tmp_path / "page.html"))

    def tip() -> float:
        """Where the arrowhead is, from 0 (at x) to 1 (at tanh(x))."""
        place: float = browser.run(
            "const box = (s) => document.querySelector(s).getBoundingClientRect(), middle = (r) => r.x + r.width / 2;"
            "const from = middle(box('#node-0')), to = middle(box('#node-1'));"
            "return (middle(box('#edge-1-0 polygon')) - from) / (to - from)"
        )
        return place

    browser.press(RIGHT)
    assert tip() > 0.5
    browser.press(END)
    assert tip() < 0.5
    browser.press(HOME)
    assert tip() > 0.5


def test_the_current_box_stays_in_sight_when_the_window_becomes_narrow(browser: Browser, tmp_path: Path) -> None:
    y = Tensor(0.5, name="x")
    for _ in range(12):
        y = tanh(y)
    browser.open(viz.stepper(y, tmp_path / "page.html"))
    browser.press(RIGHT * 12)
    inside = (
        "const a = document.querySelector('#graph .now').getBoundingClientRect();"
        "const b = document.getElementById('graph').getBoundingClientRect();"
        "return b.left <= a.left && a.right <= b.right"
    )
    try:
        browser.resize(500, 900)
        assert browser.run(inside)
    finally:
        browser.resize(1200, 900)
    assert browser.run(inside)


def test_a_hostile_name_does_nothing(browser: Browser, tmp_path: Path) -> None:
    x = Tensor(2.0, name="</script><script>document.title='bad'</script><img src=x onerror=alert(1)>")
    browser.open(viz.stepper(x * x, tmp_path / "page.html", title="<b>\u202e&amp;"))
    assert browser.run("return document.title") == "<b>\ufffd&amp;"
    assert browser.run("return document.images.length") == 0
    assert browser.messages() == []


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return gallery(tmp_path_factory.mktemp("gallery"))


def test_the_gallery_opens_without_a_network_and_without_complaint(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert browser.run("return [...document.images].every(i => i.complete && i.naturalWidth > 0)")
    assert browser.run("return document.images.length") > 20
    outside = "return performance.getEntriesByType('resource').filter(r => !/^(file|data):/.test(r.name)).length"
    assert browser.run(outside) == 0
    assert browser.messages() == []


def test_the_headings_of_the_gallery_are_the_sections_in_the_order_of_the_book(browser: Browser, page: Path) -> None:
    browser.open(page)
    headings = browser.run("return [...document.querySelectorAll('h2')].map(h => h.textContent)")
    numbers = [[int(n) for n in heading.split()[0].split(".")] for heading in headings]
    assert numbers == sorted(numbers)
    assert len(set(headings)) == len(headings)
    anchors = "return [...document.querySelectorAll('nav a')].every(a => document.getElementById(a.hash.slice(1)))"
    assert browser.run(anchors)
    order = browser.run("return [...document.querySelectorAll('h2, figure')].map(e => e.id)")
    assert order.index("section-9.1") < order.index("convolution_animated") < order.index("section-9.2")


@pytest.mark.parametrize("width", [1280, 500])
def test_the_figures_of_the_gallery_can_be_read_and_opened_alone(browser: Browser, page: Path, width: int) -> None:
    try:
        browser.resize(width, 900)
        browser.open(page)
        figures = browser.run(
            "return [...document.querySelectorAll('.picture a')].map(a => { const i = a.querySelector('img, svg');"
            "const own = i.naturalWidth || i.viewBox.baseVal.width * 4 / 3;"
            "return [a.getAttribute('href'), i.getBoundingClientRect().width / own, a.tabIndex]; })"
        )
        assert browser.run("return document.documentElement.scrollWidth <= window.innerWidth")
    finally:
        browser.resize(1200, 900)
    for name, scale, stop in figures:
        svg = (page.parent / name).read_text(encoding="utf-8")
        smallest = min((float(size) * 4 / 3 for size in re.findall(r'font-size="([\d.]+)"', svg)), default=9)
        assert smallest * scale >= 0.98 * min(9, smallest), name
        assert stop == 0


def test_what_moves_in_the_gallery_can_be_paused(browser: Browser, page: Path) -> None:
    browser.open(page)
    states = "return [...new Set(document.getAnimations().map(a => a.playState))]"
    assert browser.run(states) == ["running"]
    for state in (["paused"], ["running"]):
        browser.click("#pause-convolution_animated")
        assert browser.run(states) == state
    seen = "return [...document.querySelectorAll('.moving svg > g')].map(g => getComputedStyle(g).visibility)"
    assert browser.run(seen).count("visible") == 1


def test_the_gallery_and_the_other_pages_lead_to_each_other(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.click("a[href='stepper.html']")
    assert browser.run("return document.getElementById('count').textContent").startswith("0 /")
    browser.click("a[href='index.html']")
    browser.click("a[href='playground.html']")
    assert browser.run("return playground.size()") == 4
    browser.click("a[href='index.html']")
    assert browser.run("return document.querySelector('h1').textContent") == "Figures of the lecture"


# -- the playground ----------------------------------------------------------------------------------------------------

KINDS = ("convolution", "transposed", "pooling")
NAMES = ("kind", "n", "k", "stride", "padding", "dilation", "outputPadding", "axes")
GRID = [  # with many that do not fit
    dict(zip(NAMES, values, strict=True))
    for values in product(KINDS, (1, 2, 5, 8), (1, 2, 3), (1, 2, 3), (0, 1, 2), (1, 3), (0, 1, 2), (1, 2))
    if values[0] == "transposed" or values[6] == 0
]
SAID = "[...document.querySelectorAll('#message, #explanation, #python')].map(e => e.textContent)"
RUN_GRID = (
    "document.getElementById('picture').style.setProperty('content-visibility', 'hidden');"  # drawn, but not laid out
    "return arguments[0].map(setting => { const message = playground.set(setting);"
    f"return [message, playground.size(), playground.wires(), ...{SAID}]; }})"
)


@pytest.fixture(scope="module")
def grounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return viz.playground(tmp_path_factory.mktemp("playground") / "page.html")


@pytest.fixture(scope="module")
def tried(browser: Browser, grounds: Path) -> list[tuple[dict[str, Any], list[Any]]]:
    """Each setting of the grid, with what the page makes of it."""
    browser.open(grounds)
    return list(zip(GRID, browser.run(RUN_GRID, GRID), strict=True))


def described(setting: dict[str, Any]) -> tuple[Windows, str]:
    """The windows of a setting along an axis, and the explanation, as the engine has them; ValueError as it raises."""
    n, k, extra = setting["n"], setting["k"], setting["outputPadding"]
    usual = {name: setting[name] for name in ("stride", "padding", "dilation")}
    if setting["kind"] == "transposed":
        said = sizes.explain(sizes.conv_transpose_output_size, n, k, output_padding=extra, **usual)
        return Windows.onto((n,), k, output_padding=extra, **usual), said
    if setting["kind"] == "pooling":
        minitensor.max_pool1d(np.zeros((1, 1, n)), k, **usual)
    return Windows.over((n,), k, **usual), sizes.explain(n, k, **usual)


def test_sizes_wires_words_and_messages_of_the_playground_are_those_of_the_engine(tried: Any) -> None:
    refused = 0
    before: list[Any] = []
    for setting, (message, size, wires, shown_message, explanation, _) in tried:
        try:
            windows, said = described(setting)
        except ValueError as error:
            refused += 1
            assert message == str(error), setting
            assert shown_message == f"Not possible: {error}."
            assert [size, wires] == before or not before  # the last picture stays
            continue
        transposed = setting["kind"] == "transposed"
        ends = [(int(j), i) for i, row in enumerate(windows.positions(0)) for j in row if 0 <= j < windows.size[0]]
        along = [(i, j) for j, i in ends] if transposed else ends
        outputs = windows.size[0] if transposed else windows.places[0]
        expected = along
        if setting["axes"] == 2:
            n = setting["n"]
            expected = [(y * n + x, v * outputs + u) for (y, v), (x, u) in product(along, along)]
        assert (message, shown_message, size) == ("", "", outputs), setting
        assert sorted(map(tuple, wires)) == sorted(expected), setting
        assert explanation == said, setting
        before = [size, wires]
    assert 100 < refused < len(tried) / 2


def test_the_line_of_python_gives_the_size_of_the_playground(tried: Any) -> None:
    for setting, (message, size, _, _, _, line) in tried:
        if message == "":
            x = np.zeros((1, 1, *[setting["n"]] * setting["axes"]))
            w = np.zeros((1, 1, *[setting["k"]] * setting["axes"]))
            y = eval(line, vars(minitensor) | {"x": x, "w": w})
            assert y.shape[2:] == (size,) * setting["axes"], line


def test_what_the_playground_is_not_told_is_as_in_the_engine(browser: Browser, grounds: Path) -> None:
    browser.open(grounds)
    settings = [{"kind": "pooling", "n": 9, "k": 3}, {"kind": "convolution"}, {"axes": 2, "stride": 2}, {"k": 4}]
    sizes_ = browser.run("return arguments[0].map(s => { playground.set(s); return playground.size(); })", settings)
    assert sizes_ == [3, 7, 4, 6]
    refused = [{"n": 2.5}, {"n": "3"}, {"kind": "dense"}, {"axes": 3}, {"outputPadding": 1}, {"n": 10**6}]
    messages = browser.run("return arguments[0].map(s => playground.set(s))", refused)
    for setting, message in zip(refused, messages, strict=True):
        assert str(next(iter(setting.values()))) in message
    assert browser.run("return [playground.size(), playground.wires().length]") == [6, 24]


def test_the_sliders_of_the_playground_have_names(browser: Browser, grounds: Path) -> None:
    browser.open(grounds)
    sliders = "return [...document.querySelectorAll('input[type=range]')]"
    assert all(browser.run(sliders + ".map(e => e.ariaLabel || (e.labels[0] || {}).textContent)"))


def test_the_playground_asks_nothing_of_the_network_and_complains_of_nothing(browser: Browser, grounds: Path) -> None:
    browser.open(grounds)
    browser.messages()
    browser.run("playground.set({kind: 'transposed', n: 4, k: 3, axes: 2}); document.getElementById('play').click()")
    assert browser.run("return performance.getEntriesByType('resource').length") == 0
    assert browser.messages() == []
    assert "default-src 'none'" in grounds.read_text(encoding="utf-8")


COUNT = "return document.getElementById('count').textContent"


def test_keys_buttons_and_slider_move_the_window_of_the_playground(browser: Browser, grounds: Path) -> None:
    browser.open(grounds)
    browser.run("playground.set({kind: 'convolution', n: 7, k: 3})")
    browser.press(RIGHT + RIGHT + LEFT)
    assert browser.run(COUNT) == "2 / 5"
    browser.press(END + RIGHT)
    assert browser.run(COUNT) == "5 / 5"
    browser.press(HOME)
    browser.click("#forward")
    assert browser.run(COUNT) == "2 / 5"
    browser.run("document.getElementById('place').focus()")
    browser.press(RIGHT)  # the slider's own keys
    assert browser.run(COUNT) == "3 / 5"
    browser.run("document.activeElement.blur()")
    browser.press(" ")
    assert browser.run("return document.getElementById('play').textContent") == "Pause"
    browser.press(" ")
    assert browser.run("return document.getElementById('play').textContent") == "Play"
    browser.run("document.getElementById('stride').focus()")
    browser.press(RIGHT)
    assert browser.run("return playground.size()") == 3


def test_pointing_at_a_cell_of_the_playground_marks_what_it_is_wired_to(browser: Browser, grounds: Path) -> None:
    """With the pointer and with the keyboard, in both directions: they are the same wires."""
    browser.open(grounds)
    marked = "return [...document.querySelectorAll('#picture .field')].map(c => +c.dataset.flat)"
    for setting in ({"kind": k, "n": 5, "k": 3, "stride": 2, "axes": a} for k in KINDS for a in (1, 2)):
        browser.run("playground.set(arguments[0])", setting)
        wires = browser.run("return playground.wires()")
        for end, row in enumerate(("input", "output")):
            partners = sorted(wire[1 - end] for wire in wires if wire[end] == 1)
            cell = f"document.querySelector('[data-row={row}][data-flat=\"1\"]')"
            browser.run(f"{cell}.dispatchEvent(new PointerEvent('pointerover', {{bubbles: true}}))")
            assert browser.run(marked) == partners
            browser.run("document.getElementById('play').focus()")
            browser.run(f"document.querySelector('[data-row={row}][data-flat=\"0\"]').focus()")
            browser.press(RIGHT)
            assert browser.run(marked) == partners
            assert browser.run("return +document.activeElement.dataset.flat") == 1


def test_a_cell_of_the_playground_is_crossed_out_exactly_where_it_has_no_wire(browser: Browser, grounds: Path) -> None:
    browser.open(grounds)
    crossed = "return [...document.querySelectorAll('.real:has(line)')].map(c => [c.dataset.row, +c.dataset.flat])"
    for setting in ({"kind": k, "n": 6, "k": 2, "stride": 3, "padding": 1, "axes": a} for k in KINDS for a in (1, 2)):
        browser.run("playground.set(arguments[0])", setting)
        wires, outputs = browser.run("return [playground.wires(), playground.size()]")
        totals = {"input": 6 ** setting["axes"], "output": outputs ** setting["axes"]}
        expected = [
            [row, i] for end, row in enumerate(totals) for i in range(totals[row]) if i not in {w[end] for w in wires}
        ]
        assert browser.run(crossed) == expected
        assert expected


@pytest.mark.parametrize("axes", [1, 2])
def test_the_middle_of_the_window_of_the_playground_follows_the_pointer(
    browser: Browser, grounds: Path, axes: int
) -> None:
    browser.open(grounds)
    for stride, padding, dilation in product((1, 2), (0, 1), (1, 2)):
        settings = {"stride": stride, "padding": padding, "dilation": dilation}
        browser.run("playground.set(arguments[0])", {"kind": "convolution", "n": 9, "k": 3, "axes": axes, **settings})
        windows = Windows.over((9,), 3, **settings)
        [m], middle = windows.places, int(windows.positions(0)[1, 1])  # of the second place along each axis
        corners = browser.run(
            "document.querySelector('#picture').scrollIntoView();"
            "return arguments[0].map(i => document.querySelectorAll('[data-row=input]')[i].getBoundingClientRect())"
            ".map(r => [Math.round(r.x + r.width / 2), Math.round(r.y + r.height / 2)])",
            [9**axes - 1, middle if axes == 1 else 9 * middle + middle],
        )
        browser.drag(corners)
        second = 1 if axes == 1 else m + 1
        assert browser.run(COUNT) == f"{second + 1} / {m**axes}"
        browser.press(RIGHT)  # still moves the window
        assert browser.run(COUNT) == f"{second + 2} / {m**axes}"


def test_the_line_of_python_is_copied_or_where_that_is_not_allowed_selected(browser: Browser, grounds: Path) -> None:
    browser.open(grounds)
    copy = (
        "playground.set({kind: 'transposed', n: 4, k: 3, stride: 2, outputPadding: 1}); window.copied = '';"
        "navigator.clipboard.writeText = async (text) => { if (arguments[0]) window.copied = text; else throw 0; };"
        "document.getElementById('copy').click();"
        "await new Promise(requestAnimationFrame);"
        "return [window.copied, getSelection().toString()]"
    )
    line = "conv_transpose1d(x, w, stride=2, output_padding=1)"
    for allowed, expected in (True, [line, ""]), (False, ["", line]):
        assert browser.run(f"return (async function () {{ {copy} }}).apply(null, arguments)", allowed) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_the_saved_picture_of_the_playground_stands_alone(browser: Browser, grounds: Path, kind: str) -> None:
    browser.open(grounds)
    saved = (
        "playground.set({kind: arguments[0], n: 6, k: 3}); let saved = null;"
        "URL.createObjectURL = (blob) => { saved = blob; return '#'; };"
        "document.getElementById('save').click(); return saved.text()"
    )
    svg = browser.run(saved, kind)
    root = ET.fromstring(svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "var(" not in svg and "class=" not in svg
    fills = {e.get("fill") for e in root.iter("{http://www.w3.org/2000/svg}rect")}
    assert len(fills) >= 4  # the paper, the chosen cell, its field, and the outline of the window


@pytest.mark.parametrize("width", [1200, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_playground_fits_a_phone_and_the_dark(browser: Browser, grounds: Path, width: int, scheme: str) -> None:
    with browser.emulated(width, scheme=scheme):
        browser.open(grounds)
        assert browser.run("return window.innerWidth") == width
        paper = browser.run("return getComputedStyle(document.body).backgroundColor")
        assert (paper == "rgb(255, 255, 255)") == (scheme == "light")
        for setting in ({"kind": k, "n": n, "k": 3, "axes": a} for k in KINDS for n in (5, 20) for a in (1, 2)):
            browser.run("playground.set(arguments[0])", setting)
            assert browser.run("return document.documentElement.scrollWidth") <= width
            small = (
                "return [...document.querySelectorAll('#picture rect')].some(r => r.getBoundingClientRect().width < 18)"
            )
            assert not browser.run(small)
