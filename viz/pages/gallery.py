"""All figures of the lecture on one page.

What you can do here: write the `gallery`; `python -m viz gallery --out DIR` does it from the command line.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Callable, Mapping
from functools import partial
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, TypeAlias
from urllib.parse import quote

import numpy as np

from minitensor import Tensor, formula, gradients, mean_squared_error, program, tanh

from ..drawing.export import adaptive, png, size_of
from ..drawing.figure import Figure
from ..drawing.render import EMBEDDED, write_whole
from ..drawing.style import MEANINGS, Style
from ..subjects.arithmetic import SETTINGS, convolution_arithmetic
from ..subjects.computation import computation_graph
from ..subjects.grids import Moving
from ..subjects.lecture import (
    FIGURES,
    IN_THE_BOOK,
    local_tiled_and_convolutional,
    sparse_and_dense_from_above,
)
from ..subjects.samples import sample
from .page import colors, text_of
from .playground import playground
from .stepper import stepper

BOOK = "https://www.deeplearningbook.org/contents/"
CHAPTERS = {"6": "mlp.html", "9": "convnets.html"}
GRAPHS = "6.5 Back-propagation"
ARITHMETIC = "9.5 Variants of the basic convolution function"
SMALLEST_TEXT = 9  # CSS pixels: figures are made smaller until their smallest text is
UNSAID = ("paper", "words", "unit", "cell", "note", "wire", "arrow", "padding, words")  # colours that only draw
THUMBNAIL = 132.0  # CSS pixels, on its longer side


class Entry(NamedTuple):
    """A figure of the page: its file, heading, caption and code, the figure and its SVG at rest, whether it moves, and
    what is written beside it."""

    path: Path
    title: str
    caption: str
    code: str
    figure: Figure
    still: str
    inline: bool = False
    beside: Mapping[str, str] = MappingProxyType({})  # texts, with their headings


def gallery(folder: str | Path, *, explorer: Path | None = None) -> Path:
    """Draw every figure of the lecture into folder, and one page with all of them; returns the page's path.

    The page is index.html: section by section, each figure with its caption, its code and a link to the book.  The code
    runs as it is.  The page holds the figures, so it can be sent alone; where its reader prefers dark pages they are
    dark too.  Beside it are the figures as svg, to which they link, the parts of large ones, the animations, the
    stepper and the playground.  explorer: a page of a network, to which the gallery links too.
    Raises RenderError where figures cannot be drawn.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    sections: dict[str, list[Entry]] = {}
    for section, title, draw in FIGURES:
        figure = draw()
        moves = isinstance(figure, Moving)
        path, still = _saved(figure, folder / f"{draw.__name__}.svg")
        number = IN_THE_BOOK.get(draw.__name__)
        heading = f"Figure {number}: {title}" if number else title
        sections.setdefault(section, []).append(Entry(path, heading, caption(draw), code(draw), figure, still, moves))
    for name, setting in SETTINGS.items():
        moving = of_the_guide(name)
        stem = "arithmetic_" + "_".join("".join(c if c.isalpha() else " " for c in name).split())
        path, still = _saved(moving, folder / f"{stem}.svg", seconds=0.8)
        said = f"{moving.title[:1].upper()}{moving.title[1:]}. It moves where it is opened alone; its code makes a gif."
        call = ", ".join(f"{key}={value!r}" for key, value in setting.items())
        text = f'from viz import convolution_arithmetic\n\nconvolution_arithmetic({call}).save("{stem}.gif")\n'
        sections[ARITHMETIC].append(Entry(path, name.capitalize(), said, text, moving, still))
    sections[GRAPHS] += [forms(folder, form) for form in FORMS]
    stepper(example(), folder / "stepper.html", back="index.html")
    playground(folder / "playground.html", back="index.html")
    live = None if explorer is None else os.path.relpath(explorer, folder)
    return write_whole(folder / "index.html", _page(sections, live))


def figures() -> dict[str, Callable[[], Figure]]:
    """Each figure of the gallery by its name; to call it is to draw it."""
    drawn: dict[str, Callable[[], Figure]] = {draw.__name__: draw for _, _, draw in FIGURES}
    return drawn | {n: partial(of_the_guide, n) for n in SETTINGS} | {f.__name__: partial(graph_of, f) for f in FORMS}


def of_the_guide(name: str) -> Moving:
    """The window of one of the guide's settings, moving."""
    moving = convolution_arithmetic(**SETTINGS[name], title=name.capitalize())
    assert isinstance(moving, Moving)
    return moving


def readme_figures(folder: str | Path) -> list[Path]:
    """Draw the figures that the README shows, always with the same renderer, so that a second time changes nothing."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    drawn = (x_times_its_tanh, sparse_and_dense_from_above, local_tiled_and_convolutional)
    return [draw().save(folder / f"{draw.__name__}.svg", renderer=EMBEDDED) for draw in drawn]


def x_times_its_tanh() -> Figure:
    """y = x tanh(x), the first expression of the README, with values and gradients."""
    x = Tensor(0.5, name="x")
    return computation_graph(x * tanh(x), gradients=True, style=Style(orientation="right"))


def example() -> Tensor:
    """L = (tanh(w x + b) - t)^2, for the stepper."""
    x, w, b, t = (Tensor(value, name=name) for name, value in {"x": 0.5, "w": -1.2, "b": 0.8, "t": 1.0}.items())
    loss: Tensor = (tanh(w * x + b) - t) ** 2
    return loss


Form: TypeAlias = tuple[str, str, Mapping[str, Tensor], Mapping[str, Tensor]]  # heading, caption, outputs, inputs


def an_expression() -> Form:
    """x tanh(w x)"""
    x, w = Tensor([0.5, -1.0], name="x"), Tensor([2.0, 3.0], name="w")
    said = "A recipe as mathematics, as a picture, and as the NumPy that one would write by hand."
    return "An expression in three forms", said, {"y": x * tanh(w * x)}, {"x": x, "w": w}


def its_gradient() -> Form:
    """Its derivative by w."""
    heading, _, outputs, inputs = an_expression()
    [slope] = gradients(outputs["y"], [inputs["w"]])
    said = "A gradient is a recipe too. What it shares with the way forward is computed once."
    return heading.replace("An expression", "Its gradient"), said, {"dy_dw": slope}, inputs


def a_loss() -> Form:
    """The loss of a dense layer, and its gradients."""
    rng = np.random.default_rng(0)
    shapes = {"x": (4, 3), "w": (3, 2), "b": (2,), "target": (4, 2)}
    inputs = {name: Tensor(rng.normal(size=shape), name=name) for name, shape in shapes.items()}
    x, w, b, target = inputs.values()
    loss = mean_squared_error(tanh(x @ w + b), target)
    slopes = dict(zip(("d_w", "d_b"), gradients(loss, [w, b]), strict=True))
    said = "Graph and formula are those of the loss; the program is a whole step of learning, forward and backward."
    return "The loss of a dense layer in three forms", said, {"loss": loss, **slopes}, inputs


FORMS = (an_expression, its_gradient, a_loss)


def graph_of(form: Callable[[], Form]) -> Figure:
    """The graph of the first output."""
    _, _, outputs, _ = form()
    return computation_graph(next(iter(outputs.values())), values=False, style=Style(orientation="right"))


def forms(folder: Path, form: Callable[[], Form]) -> Entry:
    """An entry of the page: the graph of the first output, its formula, and the program of all."""
    heading, said, outputs, inputs = form()
    figure, first = graph_of(form), next(iter(outputs.values()))
    path, still = _saved(figure, folder / f"{'_'.join(heading.lower().split())}.svg")
    beside = {"formula": formula(first), "program": str(program(outputs, inputs))}
    return Entry(path, heading, said, "", figure, still, beside=beside)


def _saved(figure: Figure, path: Path, seconds: float = 1.2) -> tuple[Path, str]:
    """The file of a figure, beside it those of its parts, and its SVG at rest, drawn once where it does not move."""
    for n, part in enumerate(figure.parts, start=1):
        part.save(path.with_stem(f"{path.stem}_{n}"))
    still = figure.svg()
    return figure.save(path, seconds=seconds) if isinstance(figure, Moving) else write_whole(path, still), still


def caption(draw: Callable[..., object]) -> str:
    """The docstring of a figure as one line."""
    return " ".join((draw.__doc__ or "").split())


def code(draw: Callable[..., object]) -> str:
    """A program that draws and saves the figure."""
    return sample(draw)


def smallest_width(svg: str) -> float:
    """The width in CSS pixels at which the smallest text of a figure is still readable, at most its own width."""
    sizes = [float(size) * 4 / 3 for size in re.findall(r'font-size="([\d.]+)"', svg)]
    return size_of(svg)[0] * 4 / 3 * min(1, SMALLEST_TEXT / min(sizes, default=SMALLEST_TEXT))


def _data(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _figure(entry: Entry, section: str) -> str:
    """The figure, scaled down as far as its text can be read; one that moves can be paused."""
    link = BOOK + CHAPTERS[section.split(".")[0]]
    stem, alternative = entry.path.stem, escape(f"{entry.figure.title}. {entry.caption}")
    svg = adaptive(entry.path.read_text(encoding="utf-8") if entry.inline else entry.still)
    width = f"min-width: {smallest_width(svg):.0f}px"
    if entry.inline:
        pause = f'<input type="checkbox" id="pause-{stem}"><label for="pause-{stem}">Pause</label>\n'
        shown = f'<div class="moving" style="{width}" role="img" aria-label="{alternative}">{svg}</div>'
    else:
        pause, shown = "", f'<img src="{_data("svg+xml", svg.encode())}" style="{width}" alt="{alternative}">'
    picture = f'''{pause}<div class="picture"><a href="{entry.path.name}" title="the figure alone, in its full size">
{shown}</a></div>'''
    if entry.beside:
        texts = [f"<div><h4>{kind}</h4><pre>{escape(text)}</pre></div>\n" for kind, text in entry.beside.items()]
        picture = f'<div class="forms">{picture}\n{"".join(texts)}</div>'
    source = f"\n<details><summary>Code</summary><pre>{escape(entry.code)}</pre></details>" if entry.code else ""
    return f"""<figure id="{stem}">
<h3>{escape(entry.title)}</h3>
{picture}
<figcaption>{escape(entry.caption)}{_parts(entry)} <a href="{link}">Deep Learning, {escape(section)}</a>.{source}
</figcaption>
</figure>
"""


def _parts(entry: Entry) -> str:
    """Links to the parts of a figure that is too large for a slide."""
    numbers = range(1, len(entry.figure.parts) + 1)
    links = (f'<a href="{entry.path.stem}_{n}{entry.path.suffix}">{n}</a>' for n in numbers)
    return f" In parts, for slides: {', '.join(links)}." if numbers else ""


def _thumbnail(entry: Entry) -> str:
    """A link to a figure, with a small picture of it."""
    small = _data("png", png(entry.still, entry.title, dpi=THUMBNAIL * 72 / max(size_of(entry.still))))
    return f'<li><a href="#{entry.path.stem}"><img src="{small}" alt=""> {escape(entry.title)}</a></li>'


def _legend() -> str:
    """What each colour means, in light and in dark pages."""
    items = []
    for meaning, (light, dark, _) in MEANINGS.items():
        if meaning.startswith("weight") or meaning in UNSAID or meaning.endswith(", line"):
            continue
        outline, in_the_dark = MEANINGS.get(f"{meaning}, line", (light, dark, ""))[:2]
        colors = f"--light: {light}; --dark: {dark}; --line-light: {outline}; --line-dark: {in_the_dark}"
        items.append(f'<li><span class="swatch" style="{colors}"></span>{escape(meaning)}</li>')
    weights = "weights have a colour and a letter each"
    return f'<ul class="legend" aria-label="what the colours mean">{"".join(items)}<li>{weights}</li></ul>'


def _page(sections: dict[str, list[Entry]], live: str | None) -> str:
    contents, parts = [], []
    for section, entries in sections.items():
        here = f"section-{section.split()[0]}"
        links = "".join(map(_thumbnail, entries))
        contents.append(f'<li><a href="#{here}">{escape(section)}</a><ul>{links}</ul></li>')
        parts.append(f'<h2 id="{here}">{escape(section)}</h2>\n')
        parts += [_figure(entry, section) for entry in entries]
    style = colors() + text_of("gallery.css")
    tries = [
        '<a href="stepper.html">step</a> forward and backward through a computation',
        '<a href="playground.html">slide a window</a> with any stride, padding and dilation',
    ]
    if live is not None:
        tries.append(f'<a href="{escape(quote(live))}">draw a digit</a> for a network that has learnt to read them')
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
<p>Each figure is computed from the layer that it shows, and is a link to itself in full size; the numbers are those of
the book.</p>
<p>Pages to try things out: {", ".join(tries)}.</p>
{_legend()}
<nav aria-label="figures"><ul>{"".join(contents)}</ul></nav>
<main>
{"".join(parts)}</main>
</body>
</html>
"""
