"""A page that runs a network of yours: draw a digit, and see what every layer makes of it and where a gradient goes.

What you can do here: write the `explorer` of a model, one HTML file that needs nothing else, and open it in a browser.

The page holds the model as lines of five kernels (`kernels` and `network` in this folder), and runs them itself:
data/kernels.js and data/network.js.  Of the page, data/state.js is what all parts share, rows.js the maps, cell.js what
is said of a cell, paper.js what one draws on (pixels.js its arithmetic, maps.js the pictures), explorer.js the rest.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from minitensor import no_grad
from minitensor.tensor import Array
from nets import Module
from nets.models.lenet5 import RadialBasis
from nets.summary import Row
from nets.trace import trace

from ..drawing.dot import visible
from ..drawing.render import write_whole
from .kernels import Json
from .network import Network, network
from .page import colors, page, script_of, text_of

MODULES = (
    "kernels.js", "network.js", "pixels.js", "maps.js",
    "state.js", "rows.js", "cell.js", "paper.js", "explorer.js",
)  # fmt: skip
MOST_IMAGES = 60
BATCH = 64
INKED = 0.25  # of the way from paper to ink: from here on a pixel belongs to what is drawn


def explorer(
    model: Module,
    images: npt.ArrayLike,
    path: str | Path,
    *,
    labels: npt.ArrayLike | None = None,
    before: Module | None = None,
    title: str = "",
    smallest: bool | None = None,
) -> Path:
    """Write an HTML page that runs this model on these images, and on what is drawn in it; returns the path.

    images (N, ...) are what the model takes, labels N whole numbers.  Of more than 60 images the page takes those that
    the model reads wrong first, then the first others.  before: the same model as it was before training, to compare.
    smallest: whether the smallest output is the answer, as that of `lenet5` is; if not given, where the last layer is a
    `RadialBasis`.  Computed in float32, as in use (`model.eval()`).
    In the page: the values of each row of `summary` going down, the gradients of a score or of a cell going up; the
    window, kernel and products of the cell that is pointed at; maps that can be faded; an image that can be drawn,
    moved and turned.  The page asks nothing of the network.

    In the page, `explorer.forward(pixels)` is `{row name of the summary: flat array}`, the last row the output;
    `explorer.gradient(pixels, unit)` the flat gradient of that output unit by the pixels.

    Raises ValueError where an operator has no JavaScript, the recipe depends on the data, the model is too large
    (2,000,000 parameters, 100,000,000 multiply-accumulates) or not finite, the images do not fit it, or labels are
    missing.

    >>> import tempfile
    >>> from nets import Dense
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     text = explorer(Dense(4, 2), np.zeros((3, 4)), Path(folder, "page.html")).read_text(encoding="utf-8")
    >>> "<h1>Dense, live</h1>" in text, "http://" in text.replace("http://www.w3.org/", "")
    (True, False)
    """
    for name, one in {"model": model, "before": model if before is None else before}.items():
        _check_model(name, one)
    pictures = _checked_images(images, next((p.dtype for p in model.parameters()), np.dtype(np.float32)))
    truth = None if labels is None else _checked_labels(labels, len(pictures))
    nets = {"after": network(model, pictures[:1])}
    if before is not None:
        nets["before"] = network(before, pictures[:1])
        built = [[(row.name, row.kind, row.output_shape) for row in one.rows] for one in nets.values()]
        if built[0] != built[1]:
            raise ValueError(f"before must be the same model, got rows {built[1]} for {built[0]}")
    with no_grad(), model.in_use():
        outputs = np.concatenate([model(part).data.reshape(len(part), -1) for part in _in_parts(pictures)])
    if smallest is None:
        smallest = isinstance([module for _, module in model.modules()][-1], RadialBasis)
    answers = outputs.argmin(axis=1) if smallest else outputs.argmax(axis=1)
    order = np.arange(len(pictures))
    if truth is not None:
        order = np.argsort(answers == truth, kind="stable")
    order = order[:MOST_IMAGES]
    data = {
        "networks": {name: {"program": one.program, "weights": _base64(one.weights)} for name, one in nets.items()},
        "images": _base64(pictures[order]),
        "numbers": order.tolist(),
        "labels": None if truth is None else truth[order].tolist(),
        "answers": answers[order].tolist(),
        "smallest": bool(smallest),
        "dead": _dead(model, pictures),
        "sheet": _sheet(pictures),
    }
    title = title or f"{type(model).__name__}, live"
    wrong = None if truth is None else int((answers != truth).sum())
    body = _body(title, nets, len(pictures), wrong, data)
    return write_whole(
        path, page(visible(title), body, colors() + text_of("explorer.css"), script_of(*map(text_of, MODULES)))
    )


def _dead(model: Module, pictures: Array) -> list[list[int]]:
    """For each row the maps that are 0 all over, for all of these images."""
    alive: list[Array] = []
    with model.in_use():
        for part in _in_parts(pictures):
            outputs = [call.outputs[0].data for call in trace(model, part).layers()]
            seen = [(y != 0).any(axis=(0, *range(2, y.ndim))) if y.ndim > 2 else np.ones(1, bool) for y in outputs]
            alive = [a | b for a, b in zip(alive, seen, strict=True)] if alive else seen
    return [np.flatnonzero(~one).tolist() for one in alive]


def _in_parts(pictures: Array) -> list[Array]:
    return np.array_split(pictures, -(-len(pictures) // BATCH))


def _check_model(name: str, model: Module) -> None:
    if not isinstance(model, Module):
        raise TypeError(f"the explorer shows a Module, got {name} of {type(model).__name__}")
    for key, array in model.state_dict().items():
        if not _finite(array):
            raise ValueError(f"{name} must be finite, and its {key} holds infinite numbers or nan")


def _checked_images(images: npt.ArrayLike, dtype: np.dtype[Any]) -> Array:
    given = np.asarray(images)
    if given.dtype.kind not in "biuf":
        raise ValueError(f"images hold real numbers, got {given.dtype} of shape {given.shape}")
    if given.ndim < 2 or not given.size:
        raise ValueError(f"images are (N, ...), and N > 0, got shape {given.shape}")
    if not _finite(given):
        raise ValueError("images must be finite in float32, and these hold larger numbers, infinite ones or nan")
    return given.astype(dtype)


def _finite(array: Array) -> bool:
    """Whether float32, in which the page computes, has these numbers."""
    return bool((np.abs(array) <= np.finfo(np.float32).max).all())


def _checked_labels(labels: npt.ArrayLike, count: int) -> Array:
    truth = np.asarray(labels)
    if truth.shape != (count,) or truth.dtype.kind not in "iu":
        raise ValueError(f"{count} images need as many labels, whole numbers, got {truth.dtype} of shape {truth.shape}")
    return truth


def _sheet(pictures: Array) -> Json:
    """The paper that one draws on: its size, the numbers of paper and ink, and where the ink of these images is."""
    shape = pictures.shape[1:]
    side = math.isqrt(shape[-1])
    height, width = shape[-2:] if len(shape) > 1 else (side, side) if side * side == shape[-1] else (1, shape[-1])
    if len(shape) == 2:
        height = 1
    planes = pictures.reshape(len(pictures), -1, height, width)
    low, high = float(planes.min()), float(planes.max())
    border = np.concatenate([planes[..., 0].ravel(), planes[..., -1].ravel()])
    paper, ink = (low, high) if np.median(border) <= (low + high) / 2 else (high, low)
    if low == high:
        paper, ink = low, low + 1
    inked: Array = np.abs(planes - paper).max(axis=1) >= INKED * abs(ink - paper)
    frames = [
        [rows[0], columns[0], rows[-1] + 1, columns[-1] + 1]
        for one in inked
        if len(rows := np.flatnonzero(one.any(axis=1))) and len(columns := np.flatnonzero(one.any(axis=0)))
    ]
    frame = np.mean(frames, axis=0).tolist() if frames else [0, 0, height, width]
    return {"height": height, "width": width, "paper": paper, "ink": ink, "frame": frame}


def _base64(array: Array) -> str:
    return base64.b64encode(np.ascontiguousarray(array, "<f4").tobytes()).decode()


# -- the page ----------------------------------------------------------------------------------------------------------


def _times(numbers: Sequence[int]) -> str:
    return "×".join(map(str, numbers))


def _facts(row: Row) -> str:
    """What `summary` says of a row, in words."""
    facts = [row.kind, _times(row.output_shape)]
    facts += [f"{row.parameters:,} parameters"] if row.parameters else []
    field = row.receptive_field
    if field is not None and row.output_shape[1:]:
        facts.append("field " + (f"{field:g}" if not isinstance(field, tuple) else "×".join(f"{n:g}" for n in field)))
    return " · ".join(filter(None, facts))


def _section(number: int, name: str, facts: str, formula: str, rule: str) -> str:
    said = f'<code title="{escape(formula)}">{escape(formula)}</code>' if formula else ""
    carries = f'<code class="rule" title="{escape(rule)}">{escape(rule)}</code>' if rule else ""
    return f"""<section id="row-{number}" aria-label="{escape(visible(name))}">
<header><h2>{escape(visible(name))}</h2> <span class="facts">{escape(facts)}</span> {said}</header>
<div class="values"><span class="most"></span></div>
<div class="slopes"><span class="most"></span>{carries}</div>
</section>
"""


def _rows(one: Network) -> str:
    """A section for the image and for each row: forward, what it computes; backward, what it gets from its readers."""
    program = one.program
    rules: dict[int, list[str]] = {}
    for row in program["rows"]:
        for source in row["sources"]:
            if source["rule"]:
                rules.setdefault(source["row"], []).append(source["rule"])

    def rule(number: int) -> str:
        return "g ← " + " + ".join(rules[number]) if number in rules else ""

    parts = [_section(-1, "image", _times(program["shape"]), "", rule(-1))]
    for number, (row, facts) in enumerate(zip(program["rows"], one.rows, strict=True)):
        parts.append(_section(number, row["name"], _facts(facts), row["formula"], rule(number)))
    return "".join(parts)


def _slider(name: str, said: str, least: float, most: float, begin: float, step: float = 1) -> str:
    limits = f'min="{least}" max="{most}" value="{begin}" step="{step}"'
    return f'<label for="{name}">{said} <input id="{name}" type="range" {limits}></label>'


def _choice(name: str, said: str, values: dict[str, str]) -> str:
    buttons = "".join(
        f'<label><input type="radio" name="{name}" value="{value}"{"" if i else " checked"}> {word}</label>'
        for i, (value, word) in enumerate(values.items())
    )
    return f'<fieldset id="{name}s"><legend>{said}</legend>{buttons}</fieldset>'


def _body(title: str, nets: dict[str, Network], count: int, wrong: int | None, data: Json) -> str:
    after = nets["after"]
    shift = max(1, round(data["sheet"]["height"] / 4))
    several = _choice("network", "Network", {"after": "after training", "before": "before"}) if "before" in nets else ""
    images = f"{count} image{'s' if count > 1 else ''}"
    of_all = f"{len(data['numbers'])} of {images}" if len(data["numbers"]) < count else images
    first = "this first" if wrong == 1 else "these first"
    mistakes = "" if wrong is None else f", {wrong} read wrong: {first}" if wrong else ", all read right"
    parameters = sum(row.parameters for row in after.rows)
    content = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    return f"""<main>
<h1>{escape(visible(title))}</h1>
<p id="intro">This network runs in this page: {parameters:,} numbers that it has learnt. <b>Draw</b> on the paper, or
choose an image. <b>Point</b> at a cell to see what it is made of. <b>Click</b> a cell or a score to see on which pixels
it depends.</p>
<div id="input">
<div id="pad"></div>
<div id="saliency" aria-hidden="true"></div>
<div id="drawing">
<p><button id="clear" type="button">New paper</button>
<button id="rubber" type="button" aria-pressed="false">Rubber</button></p>
{_slider("width", "pen", 0.5, 4, 1.5, 0.25)}
<label title="moved to the middle and stretched, as the data were"><input id="fit" type="checkbox" checked>
prepare a drawing as the data were</label>
</div>
<details id="moving" open><summary>Move and turn</summary>
{_slider("turn", '<span>turn <output id="turned"></output></span>', -180, 180, 0, 3)}
{_slider("across", '<span>move <output id="moved"></output></span>', -shift, shift, 0)}
{_slider("down", "down", -shift, shift, 0)}
<button id="straight" type="button">Straighten</button>
</details>
<details id="take"><summary>Take it along</summary>
<p><code id="python"></code></p>
<p class="quiet"><code>model</code> and <code>images</code> are those that this page was made from. The line has all
maps whole, and the gradient of a score.</p>
<p><button id="copy" type="button">Copy as Python</button> <span id="done" role="status"></span></p></details>
<details><summary>How to read it</summary>
<p>Each row is a layer. It makes maps: pictures of what it has found, and where. A cell of a map sees a window of the
rows before it, its field; deeper rows see more of the image, and the last one gives a score to each answer.</p>
<p>Colours: <span class="swatch above"></span> above 0, <span class="swatch below"></span> below 0, each row up to its
own largest number, which stands below it (±). Struck out: a map that is 0 all over for this image; crossed out: for
all images. A dashed frame: a map that you have faded. Wires on the left: which rows a row reads.</p>
<p>Beside a score: its bar, its number, and its chance, the softmax of all scores.</p>
<p>The gradient says how much one number would change if another grew a little; raw, it is rough. Below a gradient
stands how the row gets it: g is the gradient of the row that reads it. Keys: <kbd>Tab</kbd> to a
picture, arrows from cell to cell, <kbd>Enter</kbd> sends the gradient back, <kbd>Esc</kbd> lets go.</p></details>
<h2>{of_all}{mistakes}</h2>
<div id="images" role="group" aria-label="images"></div>
</div>
<div id="network">
<div id="top">
<div id="bar">{several}
{_choice("side", "Show", {"values": "values", "slopes": "gradients"})}
<span id="legend">− <canvas id="scale" role="img" aria-label="below 0 red, 0 as paper, above 0 blue"></canvas> +</span>
<span id="walk" role="group" aria-label="row by row"><button id="back" type="button" aria-label="a row back">◀</button>
<input id="place" type="range" min="0" aria-label="row">
<button id="forward" type="button" aria-label="a row on">▶</button>
<button id="everything" type="button">All</button></span>
</div>
<p id="walked" role="status" aria-live="polite"></p>
<div id="heads"><b>Values go down ↓</b> <b>Gradients go up ↑ <span class="quiet">of <span id="seed"></span></span>
<button id="follow" type="button" hidden>of the answer</button></b></div>
</div>
<div id="rows" data-side="values">
<svg id="wires" width="24" aria-hidden="true"><path/><g></g></svg>
{_rows(after)}</div>
</div>
<div id="about">
<p id="answer" role="status" aria-live="polite"></p>
<div id="scores" role="group" aria-label="scores; click one to send its gradient back"></div>
<p id="faded"></p><p><button id="restore" type="button" hidden>All maps back</button></p>
<div id="tools" hidden>
<span id="fading">{_slider("fade", "how much this map counts", 0, 1, 1, 0.05)}</span>
<button id="send" type="button">Gradient from here</button> <button id="unpin" type="button">Let go</button>
</div>
<div id="cell"></div>
<template id="hint"><p class="quiet">Point at a cell of a map: here stands what it is computed from, and the outlines
show what it sees. Click it to keep it, and to send its gradient back; then its map can be taken out.</p></template>
<p id="said" role="status" aria-live="polite"></p>
</div>
</main>
<script type="application/json" id="data">{content}</script>"""
