"""The book in a real browser: skipped where it has not been built (make book), or where there is no Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest
from selenium.webdriver.support.wait import WebDriverWait

from .browser import Browser, fixture, needs_browser

__all__ = ["fixture"]
SITE = Path(__file__).parents[1] / "out" / "book"
PAGES = sorted(SITE.rglob("*.html"))

pytestmark = [needs_browser, pytest.mark.skipif(not PAGES, reason="needs the book: make book")]


@pytest.mark.parametrize("width", [390, 1280])
def test_a_page_asks_nothing_of_the_network_complains_of_nothing_and_is_no_wider_than_its_window(
    browser: Browser, width: int
) -> None:
    with browser.emulated(width):
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
    browser.driver.get(f"{(SITE / 'search.html').as_uri()}?q={words.replace(' ', '+')}")
    links = "return [...document.querySelectorAll('#search-results li a')].map(a => a.getAttribute('href'))"
    assert page in WebDriverWait(browser.driver, 10).until(lambda _: browser.run(links))


def test_mathematics_has_its_font_and_its_size(browser: Browser) -> None:
    browser.open(SITE / "course" / "06-windows.html")
    script = "return document.fonts.ready.then(() => [...document.fonts].map(f => f.family + ' ' + f.status))"
    assert any("LM Math Part" in font and "loaded" in font for font in browser.run(script))
    assert browser.run("return Math.min(...[...document.querySelectorAll('math')].map(m => m.clientHeight))") > 5
