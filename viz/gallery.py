"""All figures of the lecture on one page.

What you can do here: write the `gallery`; `python -m viz gallery --out DIR` does it from the command line.
"""

from __future__ import annotations

import base64
import inspect
import re
import textwrap
from collections.abc import Callable
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from minitensor import Tensor, tanh

from .grids import animate, convolution_steps
from .lecture import (
    FIGURES,
    SMALL_IMAGE,
    SOBEL,
    convolution_in_letters,
    graph_of_an_expression,
    local_tiled_and_convolutional,
    sparse_and_dense_from_above,
)
from .render import EMBEDDED
from .stepper import stepper

BOOK = "https://www.deeplearningbook.org/contents/"
CHAPTERS = {"6": "mlp.html", "9": "convnets.html"}
ANIMATED = "9.1 The convolution operation"
IN_THE_README = (
    sparse_and_dense_from_above,
    local_tiled_and_convolutional,
    convolution_in_letters,
    graph_of_an_expression,
)
SMALLEST_TEXT = 9  # CSS pixels: figures are made smaller until their smallest text is


class Entry(NamedTuple):
    """A figure of the page; alternative is for those who cannot see it."""

    title: str
    caption: str
    code: str
    path: Path
    alternative: str


def gallery(folder: str | Path) -> Path:
    """Draw every figure of the lecture into folder, and one page with all of them; returns the page's path.

    The page is index.html: section by section, each figure with its caption, its code and a link to the book.
    It holds the figures, so it can be sent alone.  Beside it are the figures as svg, to which they link, the animation
    and the stepper.
    Raises RenderError where figures cannot be drawn.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    sections: dict[str, list[Entry]] = {}
    for section, title, draw in FIGURES:
        figure = draw()
        path = figure.save(folder / f"{draw.__name__}.svg")
        sections.setdefault(section, []).append(Entry(title, caption(draw), code(draw), path, figure.title))
    path, said = convolution_animated(folder / "convolution_animated.svg"), caption(convolution_animated)
    sections[ANIMATED].append(Entry("The window slides", said, code(convolution_animated), path, said))
    stepper(example(), folder / "stepper.html", back="index.html")
    page = folder / "index.html"
    page.write_text(_page(sections), encoding="utf-8")
    return page


def readme_figures(folder: str | Path) -> list[Path]:
    """Draw the figures that the README shows, always with the same renderer, so that a second time changes nothing."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return [draw().save(folder / f"{draw.__name__}.svg", renderer=EMBEDDED) for draw in IN_THE_README]


def example() -> Tensor:
    """L = (tanh(w x + b) - t)^2, for the stepper."""
    x, w, b, t = (Tensor(value, name=name) for name, value in {"x": 0.5, "w": -1.2, "b": 0.8, "t": 1.0}.items())
    loss: Tensor = (tanh(w * x + b) - t) ** 2
    return loss


def convolution_animated(path: Path) -> Path:
    """The window slides: all nine positions, one after the other."""
    return animate([convolution_steps(SMALL_IMAGE, SOBEL, position=i, whole_output=False) for i in range(9)], path)


def caption(draw: Callable[..., object]) -> str:
    """The docstring of a figure as one line."""
    return " ".join((draw.__doc__ or "").split())


def code(draw: Callable[..., object]) -> str:
    """The lines that make a figure, without its name and its caption."""
    source = inspect.getsource(draw)
    body = source.split('"""')[-1]
    return textwrap.dedent(body.lstrip("\n")).rstrip()


def _smallest_width(svg: str) -> float:
    """The width in CSS pixels at which the smallest text of a figure is still readable, at most its own width."""
    width = float(re.findall(r'<svg[^>]* width="([\d.]+)pt"', svg)[0]) * 4 / 3
    sizes = [float(size) * 4 / 3 for size in re.findall(r'font-size="([\d.]+)"', svg)]
    return width * min(1, SMALLEST_TEXT / min(sizes, default=SMALLEST_TEXT))


def _figure(entry: Entry, section: str) -> str:
    svg = entry.path.read_text(encoding="utf-8")
    picture = f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
    link = BOOK + CHAPTERS[section.split(".")[0]]
    return f"""<figure id="{entry.path.stem}">
<h3>{escape(entry.title)}</h3>
<div class="picture"><a href="{entry.path.name}" title="the figure alone, in its full size">
<img src="{picture}" style="min-width: {_smallest_width(svg):.0f}px" alt="{escape(entry.alternative)}"></a></div>
<figcaption>{escape(entry.caption)} <a href="{link}">Deep Learning, {escape(section)}</a>.
<details><summary>Code</summary><pre>{escape(entry.code)}</pre></details></figcaption>
</figure>
"""


def _page(sections: dict[str, list[Entry]]) -> str:
    contents, parts = [], []
    for section, entries in sections.items():
        here = f"section-{section.split()[0]}"
        links = "".join(f'<li><a href="#{entry.path.stem}">{escape(entry.title)}</a></li>' for entry in entries)
        contents.append(f'<li><a href="#{here}">{escape(section)}</a><ul>{links}</ul></li>')
        parts.append(f'<h2 id="{here}">{escape(section)}</h2>\n')
        parts += [_figure(entry, section) for entry in entries]
    style = files("viz").joinpath("data", "gallery.css").read_text(encoding="utf-8")
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Figures of the lecture</title>
<style>{style}</style>
</head>
<body>
<h1>Figures of the lecture</h1>
<p>Each figure is computed from the layer that it shows, and is a link to itself in full size. See also the
<a href="stepper.html">stepper</a>, which goes forward and backward through a computation.</p>
<nav aria-label="figures"><ul>{"".join(contents)}</ul></nav>
<main>
{"".join(parts)}</main>
</body>
</html>
"""
