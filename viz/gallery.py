"""All figures of the lecture on one page.

What you can do here: write the `gallery`; `python -m viz gallery --out DIR` does it from the command line.
"""

from __future__ import annotations

import base64
import inspect
import textwrap
from collections.abc import Callable
from html import escape
from pathlib import Path

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
IN_THE_README = (
    sparse_and_dense_from_above,
    local_tiled_and_convolutional,
    convolution_in_letters,
    graph_of_an_expression,
)
STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.55 Helvetica, Arial, sans-serif; color: #222; background: #fff; margin: 0 auto; max-width: 1100px;
  padding: 16px 24px 64px; }
figure { margin: 2.5rem 0; border-top: 1px solid #ddd; padding-top: 1rem; }
figure img { max-width: 100%; height: auto; display: block; margin: 1rem auto; }
figcaption { max-width: 46rem; }
pre { background: #f4f5f7; border-radius: 6px; padding: 10px 14px; overflow: auto; font-size: 13px; }
nav li { display: inline-block; margin-right: 1.2rem; }
nav ul { padding: 0; }
"""


def gallery(folder: str | Path) -> Path:
    """Draw every figure of the lecture into folder, and one page with all of them; returns the page's path.

    The page is index.html: each figure with its caption, the code that made it and a link to its section in the book.
    It holds the figures, so it can be sent alone.  Beside it are the figures as svg, the animation and the stepper.
    Raises RenderError where figures cannot be drawn.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    parts, names = [], []
    for section, draw in FIGURES:
        figure = draw()
        path = figure.save(folder / f"{draw.__name__}.svg")
        parts.append(_entry(draw.__name__, section, caption(draw), code(draw), path.read_bytes(), figure.title))
        names.append(draw.__name__)
    moving = convolution_animated(folder / "convolution_animated.svg").read_bytes()
    said = caption(convolution_animated)
    parts.append(_entry("convolution_animated", FIGURES[0][0], said, code(convolution_animated), moving, said))
    names.append("convolution_animated")
    stepper(example(), folder / "stepper.html")
    page = folder / "index.html"
    page.write_text(_page(parts, names), encoding="utf-8")
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
    return animate([convolution_steps(SMALL_IMAGE, SOBEL, position=i) for i in range(9)], path)


def caption(draw: Callable[..., object]) -> str:
    """The docstring of a figure as one line."""
    return " ".join((draw.__doc__ or "").split())


def code(draw: Callable[..., object]) -> str:
    """The lines that make a figure, without its name and its caption."""
    source = inspect.getsource(draw)
    body = source.split('"""')[-1]
    return textwrap.dedent(body.lstrip("\n")).rstrip()


def _entry(name: str, section: str, said: str, made: str, svg: bytes, alternative: str) -> str:
    link = BOOK + CHAPTERS[section.split(".")[0]]
    picture = f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"
    return f"""<figure id="{name}">
<h2>{escape(name.replace("_", " ").capitalize())}</h2>
<img src="{picture}" alt="{escape(alternative)}">
<figcaption>{escape(said)} <a href="{link}">Deep Learning, {escape(section)}</a>.
<details><summary>Code</summary><pre>{escape(made)}</pre></details></figcaption>
</figure>
"""


def _page(parts: list[str], names: list[str]) -> str:
    contents = "".join(f'<li><a href="#{name}">{name.replace("_", " ")}</a></li>' for name in names)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Figures of the lecture</title>
<style>{STYLE}</style>
</head>
<body>
<h1>Figures of the lecture</h1>
<p>Each figure is computed from the layer that it shows. See also the <a href="stepper.html">stepper</a>, which goes
forward and backward through a computation.</p>
<nav aria-label="figures"><ul>{contents}</ul></nav>
<main>
{"".join(parts)}</main>
</body>
</html>
"""
