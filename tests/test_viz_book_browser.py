"""The book in a real browser: skipped where it has not been built (make book), or where there is no Chromium."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from . import test_viz_browser
from .test_viz_browser import Browser

SITE = Path(__file__).parents[1] / "out" / "book"
PAGES = sorted(SITE.rglob("*.html"))

browser = test_viz_browser.browser  # its fixture
pytestmark = [test_viz_browser.pytestmark, pytest.mark.skipif(not PAGES, reason="needs the book: make book")]


@pytest.mark.parametrize("width", [390, 1280])
def test_a_page_asks_nothing_of_the_network_complains_of_nothing_and_is_no_wider_than_its_window(
    browser: Browser, width: int
) -> None:
    screen = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 500}
    devtools = {"cmd": "Emulation.setDeviceMetricsOverride", "params": screen}
    browser._send("POST", "/goog/cdp/execute", devtools)
    for page in PAGES:
        browser.open(page)
        asked = browser.run("return performance.getEntriesByType('resource').map(r => r.name)")
        assert all(address.startswith(("file:", "data:")) for address in asked), page
        assert browser.run("return document.documentElement.scrollWidth <= innerWidth + 1"), page
        assert browser.messages() == [], page


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("transposed convolution", "course/06-windows.html"),
        ("conv_transpose2d", "source/conv.html#minitensor.conv.conv_transpose2d"),
        ("tie", "course/09-pooling.html"),
    ],
)
def test_search_finds_without_a_server(browser: Browser, words: str, page: str) -> None:
    browser._send("POST", "/url", {"url": f"{(SITE / 'search.html').as_uri()}?q={words.replace(' ', '+')}"})
    found: list[str] = []
    for _ in range(50):
        found = browser.run(
            "return [...document.querySelectorAll('#search-results li a')].map(a => a.getAttribute('href'))"
        )
        if found:
            break
        time.sleep(0.1)
    assert page in found


def test_mathematics_has_its_font_and_its_size(browser: Browser) -> None:
    browser.open(SITE / "course" / "06-windows.html")
    script = "return document.fonts.ready.then(() => [...document.fonts].map(f => f.family + ' ' + f.status))"
    assert any("LM Math Part" in font and "loaded" in font for font in browser.run(script))
    assert browser.run("return Math.min(...[...document.querySelectorAll('math')].map(m => m.clientHeight))") > 5
