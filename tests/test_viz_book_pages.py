"""What the book makes of the pages that Sphinx has built: pictures with words for who cannot see, slides, notebooks."""

from __future__ import annotations

import base64
import json
import re
import tempfile
from html import escape, unescape
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from viz.book.finish import ALL_FIGURES, INSTALL, finish
from viz.drawing.export import adaptive
from viz.pages.gallery import SMALLEST_TEXT

SLIDES_LINK = ', <a href="01-a-slides.html">its figures as slides</a>'
DRAWN = "lecture.three_stages()"  # the last line of a cell that draws a figure of the lecture
HEADINGS = ["## Why", "## A < B", "Words alone.", "### One\n\ntext\n\n### Two"]


def svg(label: str | None, width: int = 300, sizes: tuple[int, ...] = ()) -> str:
    texts = "".join(f'<text font-size="{size}">a</text>' for size in sizes)
    said = "" if label is None else f' role="img" aria-label="{escape(label)}"'
    return f'<svg{said} width="{width}pt" height="20pt">{texts}</svg>'


def built(root: Path, page: str = "", images: dict[str, str] | None = None) -> tuple[Path, Path, Path]:
    """Folders as Sphinx and the gallery leave them: one page, its images, and nothing else."""
    for folder in ("source/course", "site/course", "site/_images", "site/gallery", "executed/course"):
        (root / folder).mkdir(parents=True)
    files = {"index.html": "", "figures.html": f"<p>{ALL_FIGURES}</p>", "gallery/index.html": "", "page.html": page}
    for name, text in {**files, **{f"_images/{n}": content for n, content in (images or {}).items()}}.items():
        (root / "site" / name).write_text(text, encoding="utf-8")
    return root / "source", root / "site", root / "executed"


def code(source: str, *outputs: dict[str, Any]) -> dict[str, Any]:
    return {"cell_type": "code", "execution_count": 1, "metadata": {}, "source": source, "outputs": list(outputs)}


def words(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


# -- pictures ----------------------------------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "three.svg", "said < here"]),  # alt
            st.sampled_from([None, "a & b"]),  # the figure's own words
            st.integers(50, 900),
            st.lists(st.integers(4, 20), max_size=3).map(tuple),
        ),
        max_size=3,
    )
)
def test_a_picture_of_a_page_has_a_number_its_words_and_a_width_at_which_it_can_be_read(
    pictures: list[tuple[str, str | None, int, tuple[int, ...]]],
) -> None:
    """What the author said comes before what the figure says; a file's name is no description."""
    images = {f"{n}.svg": svg(label, width, sizes) for n, (_, label, width, sizes) in enumerate(pictures)}
    shown = [f'<img alt="{escape(alt)}" src="_images/{n}.svg" />' for n, (alt, *_) in enumerate(pictures)]
    with tempfile.TemporaryDirectory() as folder:
        source, site, executed = built(Path(folder), "|".join(shown), images)
        finish(source, site, executed)
        page = (site / "page.html").read_text(encoding="utf-8")
        for name, text in images.items():
            assert (site / "_images" / name).read_text(encoding="utf-8") == adaptive(text)
        assert ALL_FIGURES not in (site / "figures.html").read_text(encoding="utf-8")
    found = re.findall(
        r'<span class="picture" id="figure-(\d+)"><img +src="_images/(\d+)\.svg" alt="([^"]*)" '
        r'style="min-width: (\d+)px; width: (\d+)px"></span>',
        page,
    )
    assert len(found) == len(pictures) == page.count("<img")
    for n, ((alt, label, width, sizes), (number, name, said, least, wide)) in enumerate(
        zip(pictures, found, strict=True)
    ):
        assert (int(number), int(name)) == (n + 1, n)
        assert unescape(said) == (alt if not alt.endswith(".svg") else label or "figure")
        pixels = width * 4 / 3
        assert int(wide) == round(pixels)
        readable = SMALLEST_TEXT / (min(sizes) * 4 / 3) if sizes else 1
        assert int(least) == round(pixels * min(1, readable))


# -- slides and notebooks ----------------------------------------------------------------------------------------------

CELLS = st.sampled_from([*HEADINGS, "text", "figure", "figure in parts", "two figures"])


@given(st.lists(CELLS, max_size=6), st.integers(2, 11))
def test_the_slides_of_a_chapter_are_its_figures_under_their_headings(kinds: list[str], parts: int) -> None:
    """A figure that the gallery has in parts is shown in parts, which are counted; without figures are no slides."""
    title, heading, expected, cells = "1. A & b", "1. A & b", [], [words("# 1. A & b\n\nWords.")]
    pictures = {n: svg(f"part {n}") for n in range(1, parts + 1)}
    one = svg("a & b")
    for kind in kinds:
        if kind in HEADINGS:
            heading = (re.findall("^#+ (.*)$", kind, re.M) or [heading])[-1]
            cells.append(words(kind))
        elif kind == "text":
            cells.append(code("print(1)", {"output_type": "stream", "name": "stdout", "text": "1"}))
        else:
            shown = {"output_type": "execute_result", "metadata": {}, "data": {"image/svg+xml": [one]}}
            in_parts = kind == "figure in parts"
            cells.append(code(DRAWN if in_parts else "f()", *[shown] * (2 if kind == "two figures" else 1)))
            expected += (
                [(f"{heading} ({n} of {parts})", f"part {n}", text) for n, text in pictures.items()]
                if in_parts
                else [(heading, "a & b", one)] * (2 if kind == "two figures" else 1)
            )
    with tempfile.TemporaryDirectory() as folder:
        source, site, executed = built(Path(folder))
        (site / "course" / "01-a.html").write_text(f"<p>notebook{SLIDES_LINK}</p>", encoding="utf-8")
        (source / "course" / "written.html").write_text("by a cell", encoding="utf-8")
        for n, text in pictures.items():
            (site / "gallery" / f"three_stages_{n}.svg").write_text(text, encoding="utf-8")
        (site / "gallery" / "three_stages.svg").write_text(one, encoding="utf-8")
        (executed / "course" / "01-a.ipynb").write_text(json.dumps({"cells": cells}), encoding="utf-8")
        finish(source, site, executed)
        page = (site / "course" / "01-a.html").read_text(encoding="utf-8")
        notebook = json.loads((site / "course" / "01-a.ipynb").read_text(encoding="utf-8"))
        slides = site / "course" / "01-a-slides.html"
        assert slides.exists() == bool(expected) == (SLIDES_LINK in page)
        said = slides.read_text(encoding="utf-8") if expected else ""
        assert (site / "course" / "written.html").read_text(encoding="utf-8") == "by a cell"
    found = re.findall(
        r'<section><h2>(.*?)</h2><img src="data:image/svg\+xml;base64,(.*?)" alt="(.*?)"></section>', said
    )
    assert [(unescape(h), unescape(alt)) for h, _, alt in found] == [(h, alt) for h, alt, _ in expected]
    assert [base64.b64decode(data).decode() for _, data, _ in found] == [adaptive(text) for *_, text in expected]
    assert not expected or f"<title>{escape(title)}, slides</title>" in said
    assert [cell["source"] for cell in notebook["cells"]] == [INSTALL, *[cell["source"] for cell in cells]]
