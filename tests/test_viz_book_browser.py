"""The book in a real browser: skipped where it has not been built of these sources, or where there is no Chromium."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

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


Facts = dict[Path, dict[str, Any]]
WIDTHS = (320, 390, 768, 1024, 1280)
FACTS = """return {
  asked: performance.getEntriesByType("resource").map((entry) => entry.name),
  levels: [...document.querySelectorAll("h1, h2, h3, h4")].map((heading) => Number(heading.tagName[1])),
  wordless: [...document.images].filter((i) => !i.hasAttribute("alt") || !(i.alt || i.closest("a"))).map((i) => i.src),
};"""
# The formulas whose next sign, such as a comma, is not on their line.
PARTED = """return [...document.querySelectorAll("math")].filter((math) => {
  const after = math.nextSibling, range = document.createRange();
  if (!after || after.nodeType != 3 || !/^\\S/.test(after.data)) return false;
  range.setStart(after, 0), range.setEnd(after, 1);
  const sign = range.getBoundingClientRect(), box = math.getBoundingClientRect();
  return sign.left < box.left || sign.top > box.bottom;
}).map((math) => math.textContent);"""


@pytest.fixture(name="facts", scope="module")
def visited(browser: Browser) -> Facts:
    """What is seen on a visit to each page."""
    facts = {}
    for page in PAGES:
        browser.open(page)
        seen = browser.run(FACTS)
        seen["too wide"], seen["parted"] = [], []
        for width in WIDTHS:
            with browser.emulated(width):
                too_wide, parted = browser.run(
                    f"const root = document.documentElement, parted = (() => {{ {PARTED} }})();"
                    "return [root.scrollWidth > root.clientWidth + 1, parted];"
                )
                seen["too wide"] += [width] * too_wide
                seen["parted"] += [(width, formula) for formula in parted if width > WIDTHS[0]]
        facts[page] = {**seen, "messages": browser.messages()}
    return facts


def test_a_page_asks_nothing_of_the_network_and_complains_of_nothing(facts: Facts) -> None:
    for page, seen in facts.items():
        assert all(address.startswith(("file:", "data:")) for address in seen["asked"]), page
        assert seen["messages"] == [], page


def test_a_page_is_no_wider_than_its_window(facts: Facts) -> None:
    assert {page.name: seen["too wide"] for page, seen in facts.items() if seen["too wide"]} == {}


def test_headings_leave_out_no_level_and_every_picture_has_words(facts: Facts) -> None:
    """A picture's words may be empty where it stands in a link, which says the same."""
    for page, seen in facts.items():
        assert all(lower <= upper + 1 for upper, lower in pairwise([0, *seen["levels"]])), page
        assert seen["wordless"] == [], page


def test_what_touches_a_formula_is_on_its_line(facts: Facts) -> None:
    """A comma or a bracket that belongs to it, in all windows but the narrowest."""
    assert {page.name: seen["parted"] for page, seen in facts.items() if seen["parted"]} == {}


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
