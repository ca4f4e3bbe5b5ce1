"""The pages that Sphinx is given: chapters with their captions, a page for each source file, the reference.

What you can do here: `prepare` a folder that holds a copy of this one.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path

from ..drawing.figure import Figure
from ..pages.gallery import caption
from ..subjects.lecture import FIGURES, IN_THE_BOOK, ON_SLIDES

HEADER = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n"
TAKE_ALONG = (  # under the title of a chapter
    '<p class="caption-line take-along">Take it along: <a href="{name}.ipynb" download>as a notebook</a>, '
    '<a href="{name}-slides.html">its figures as slides</a></p>\n'
)
CELL = re.compile(r"^```\{code-cell\}.*\n((?:.*\n)*?)```\n", re.M)
FUNCTIONS: dict[str, Callable[[], Figure]] = {draw.__name__: draw for _, _, draw in FIGURES}
SECTIONS = {draw.__name__: section for section, _, draw in FIGURES}


def prepare(source: Path, path_modules: tuple[str, ...]) -> None:
    """Complete a copy of the book's folder: chapters can be run, and pages for source and reference are there."""
    for chapter in sorted((source / "course").glob("*.md")):
        text = chapter.read_text(encoding="utf-8")
        title, rest = text.split("\n", 1)
        taken = TAKE_ALONG.format(name=chapter.stem)
        chapter.write_text(f"{HEADER}{title}\n\n{taken}\n{CELL.sub(_with_caption, rest)}", encoding="utf-8")
    (source / "source").mkdir()
    names = [module.removeprefix("minitensor.") for module in path_modules]
    index = source / "index.md"
    listed = "\n".join(f"source/{name}" for name in names)
    index.write_text(index.read_text(encoding="utf-8").replace("source/*", listed), encoding="utf-8")
    for name, module in zip(names, path_modules, strict=True):
        page = f"---\nhide-toc: true\n---\n# {name.replace('.', '/')}.py\n\n```{{annotated}} {module}\n```\n"
        (source / "source" / f"{name}.md").write_text(page, encoding="utf-8")
    (source / "reference").mkdir()
    for package in ("minitensor", "nets", "viz"):
        page = f"# {package}\n\n```{{reference}} {package}\n```\n"
        (source / "reference" / f"{package}.md").write_text(page, encoding="utf-8")


def figure_of(cell: str) -> str | None:
    """The figure of the lecture that a cell draws: its last line is `lecture.NAME()`.

    >>> figure_of("from viz.subjects import lecture\\nlecture.three_stages()")
    'three_stages'
    """
    last = ast.parse(cell).body[-1] if cell.strip() else None
    called = last.value.func if isinstance(last, ast.Expr) and isinstance(last.value, ast.Call) else None
    ours = isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id == "lecture"
    return called.attr if ours and called.attr in FUNCTIONS else None  # type: ignore[union-attr]


def _with_caption(found: re.Match[str]) -> str:
    """A cell, under it what its figure shows, and in the margin where the book and the lecture have it."""
    name = figure_of(found[1])
    if name is None:
        return found[0]
    words = caption(FUNCTIONS[name]).replace("*", r"\*").replace("_", r"\_").replace("[", r"\[")
    return f"{found[0]}\n{{.margin}}\n{where(name)}\n\n{{.caption-line}}\n{words}\n"


def where(name: str) -> str:
    """The section and the figure of the book, and the slide of the lecture, that show what a figure shows.

    >>> where("one_filter_through_three_channels")
    '*Deep Learning*, section 9.5; slide 20'
    """
    figure = f", figure {IN_THE_BOOK[name]}" if name in IN_THE_BOOK else ""
    slides = f"; {ON_SLIDES[name]}" if name in ON_SLIDES else ""
    return f"*Deep Learning*, section {SECTIONS[name].split()[0]}{figure}{slides}"
