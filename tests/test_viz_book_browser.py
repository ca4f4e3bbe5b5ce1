"""The book in a real browser: skipped where it has not been built of these sources, or where there is no Chromium."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from selenium.webdriver.support.wait import WebDriverWait

from viz.drawing.check import SMALLEST

from .browser import Browser, needs_browser

ROOT = Path(__file__).parents[1]
SITE = ROOT / "out" / "book"
PAGES = sorted(SITE.rglob("*.html"))
SOURCES = [p for room in ("minitensor", "nets", "viz") for p in (ROOT / room).rglob("*.*") if p.suffix != ".pyc"]
OLD = not PAGES or min(p.stat().st_mtime for p in PAGES) < max(p.stat().st_mtime for p in SOURCES)
# The figures of a page of slides, each with the size of its smallest text in pixels.
TEXT_ON_SLIDES = """
return [...document.images].map((image) => {
  const bytes = Uint8Array.from(atob(image.src.split(",")[1]), (c) => c.charCodeAt(0));
  const svg = new DOMParser().parseFromString(new TextDecoder().decode(bytes), "image/svg+xml").documentElement;
  svg.setAttribute("width", image.clientWidth);
  svg.setAttribute("height", image.clientHeight);
  document.body.append(svg);
  const texts = [...svg.querySelectorAll("text")].filter((text) => text.textContent.trim());
  const sizes = texts.map((text) => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a);
  svg.remove();
  return [image.alt, Math.min(...sizes, 1000)];
});
"""

pytestmark = [needs_browser, pytest.mark.skipif(OLD, reason="needs the book of these sources: make book")]


def test_a_page_asks_nothing_of_the_network_complains_of_nothing_and_is_no_wider_than_its_window(
    browser: Browser,
) -> None:
    for page in PAGES:
        browser.open(page)
        asked = browser.run("return performance.getEntriesByType('resource').map(r => r.name)")
        assert all(address.startswith(("file:", "data:")) for address in asked), page
        for width in 320, 390, 768, 1024, 1280:
            with browser.emulated(width):
                assert browser.run("return document.documentElement.scrollWidth <= innerWidth + 1"), (page, width)
        assert browser.messages() == [], page


def test_headings_leave_out_no_level_and_every_picture_has_words(browser: Browser) -> None:
    """The words may be empty where the picture stands in a link that says the same."""
    for page in PAGES:
        browser.open(page)
        levels = browser.run("return [...document.querySelectorAll('h1, h2, h3, h4')].map(h => +h.tagName[1])")
        assert all(lower <= upper + 1 for upper, lower in pairwise([0, *levels])), page
        assert browser.run("return [...document.images].every(i => i.hasAttribute('alt') && (i.alt || i.closest('a')))")


def test_what_touches_a_formula_is_on_its_line(browser: Browser) -> None:
    """A comma or a bracket that belongs to it: no line is broken between them."""
    script = """return [...document.querySelectorAll('math')].every((math) => {
      const after = math.nextSibling, range = document.createRange();
      if (!after || after.nodeType != 3 || !/^\\S/.test(after.data)) return true;
      range.setStart(after, 0), range.setEnd(after, 1);
      const [sign, box] = [range.getBoundingClientRect(), math.getBoundingClientRect()];
      return sign.left >= box.left && sign.top < box.bottom;
    });"""
    for page in SITE.glob("course/[01]*[a-z].html"):
        browser.open(page)
        for width in range(384, 480, 16):
            with browser.emulated(width):
                assert browser.run(script), (page, width)


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("transposed convolution", "course/06-windows.html"),
        ("conv_transpose2d", "source/conv.html#minitensor.conv.conv_transpose2d"),
        ("tie", "course/09-pooling.html"),
    ],
)
def test_search_finds_without_a_server(browser: Browser, words: str, page: str) -> None:
    assert page in results(browser, words)


def test_search_offers_no_private_name(browser: Browser) -> None:
    assert not [address for address in results(browser, "conv") if "._" in address]


def results(browser: Browser, words: str) -> list[str]:
    """Where the links lead that the search finds."""
    browser.driver.get(f"{(SITE / 'search.html').as_uri()}?q={words.replace(' ', '+')}")
    WebDriverWait(browser.driver, 10).until(lambda _: "finished" in browser.text(".search-summary"))
    links = "return [...document.querySelectorAll('#search-results li a')].map(a => a.getAttribute('href'))"
    return list(browser.run(links))


def test_mathematics_has_its_font_and_its_size(browser: Browser) -> None:
    browser.open(SITE / "course" / "06-windows.html")
    script = "return document.fonts.ready.then(() => [...document.fonts].map(f => f.family + ' ' + f.status))"
    assert any("LM Math Part" in font and "loaded" in font for font in browser.run(script))
    assert browser.run("return Math.min(...[...document.querySelectorAll('math')].map(m => m.clientHeight))") > 5


def test_no_text_on_a_slide_is_smaller_than_12_points(browser: Browser) -> None:
    """On a screen of 1280 x 720 pixels, which is a slide of 960 x 540 points; as the browser has drawn it."""
    with browser.emulated(1280, 720):
        for page in SITE.glob("course/*-slides.html"):
            browser.open(page)
            for words, smallest in browser.run(TEXT_ON_SLIDES):
                assert smallest * 540 / 720 >= SMALLEST, f"{page.name}: {words}"
