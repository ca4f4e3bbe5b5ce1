"""A page that runs a network of yours: draw a digit, and see what every layer makes of it and where a gradient goes.

What you can do here: write the `explorer` of a model, one HTML file that needs nothing else, and open it in a browser.

The page holds the model as lines of five kernels (`kernels` and `network` in this folder), and runs them itself:
data/kernels.js and data/network.js.  Of a model that is too large for that it holds what it made of a few images
(`recorded`).  Of the page, data/explorer.html is the frame, state.js what all parts share, rows.js the maps, cell.js
what is said of a cell, paper.js the image and those to choose from, pen.js what draws on it (pixels.js its arithmetic,
maps.js the pictures), keys.js what the arrow keys do, explorer.js the rest.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from html import escape
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from minitensor.tensor import Array
from nets import Module
from nets.models.lenet5 import RadialBasis
from nets.summary import Row
from nets.trace import trace

from ..drawing.dot import visible
from ..drawing.render import write_whole
from .kernels import Json
from .network import MOST_MACS, MOST_NUMBERS, Network, Run, network, outputs_of, ran, too_large
from .page import Back, as_json, base64_of, body_of, check_title, colors, link_back, page, script_of, text_of
from .recorded import MOST_CELLS, MOST_MAPS, MOST_PIXELS, recorded, room_for, shrunk

MODULES = (
    "kernels.js", "network.js", "pixels.js", "maps.js", "recorded.js", "keys.js",
    "state.js", "rows.js", "cell.js", "paper.js", "pen.js", "explorer.js",
)  # fmt: skip
MOST_IMAGES = 60
BATCH = 16
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
    live: bool | None = None,
    back: Back = None,
    setup: str = "",
) -> Path:
    """Write an HTML page that runs this model on these images, and on what is drawn in it; returns the path.

    images (N, ...) are what the model takes, labels N whole numbers.  Of more than 60 images the page takes those that
    the model reads wrong first, then the first others.  before: the same model as it was before training, to compare.
    smallest: whether the smallest output is the answer, as that of `lenet5` is; if not given, where the last layer is a
    `RadialBasis`.  Computed in float32, as in use (`model.eval()`).  back: the address of a page that this one links
    back to, or (address, words).  setup: lines of Python that make `model`, `before` and `images`, for those that the
    page lets one copy.
    In the page: the values of each row of `summary` going down, the gradients of a score or of a cell going up; the
    window, kernel and products of the cell that is pointed at; maps that can be faded; an image that can be drawn,
    moved and turned.  The page asks nothing of the network.

    A page runs at most 2,000,000 parameters and 100,000,000 multiply-accumulates.  Of a larger model, such as
    `alexnet`, it shows what was computed here: for at most 12 images (fewer where the page would be larger than some
    20 MB) the values of each row and the gradient of the answer, at most 16 maps of a row, and of a map at most 4,096
    cells, every k-th row and column.  Then nothing can be drawn, moved or faded, and the page says so.
    live: whether the model runs in the page; if not given, where it is not too large.

    In a page that is live, `explorer.forward(pixels)` is `{row name of the summary: flat array}`, the last row the
    output; `explorer.gradient(pixels, unit)` the flat gradient of that output unit by the pixels.

    Raises ValueError where the model or what it makes of an image is not finite, the images do not fit it, it does not
    give each image outputs of its own, or labels are not one for each image and the number of an output; of a page that
    is live also where an operator has no JavaScript, the recipe depends on the data, or the model is too large.

    >>> import tempfile
    >>> from nets import Dense
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     text = explorer(Dense(4, 2), np.zeros((3, 4)), Path(folder, "page.html")).read_text(encoding="utf-8")
    >>> "<h1>Dense, live</h1>" in text, "http://" in text.replace("http://www.w3.org/", "")
    (True, False)
    """
    check_title(title)
    if not isinstance(setup, str):
        raise TypeError(f"setup is lines of Python, got {setup!r}")
    models = {"after": model} if before is None else {"after": model, "before": before}
    for name, one in models.items():
        _check_model("model" if name == "after" else name, one)
    pictures = _checked_images(images, next((p.dtype for p in model.parameters()), np.dtype(np.float32)))
    if smallest is None:
        smallest = isinstance([module for _, module in model.modules()][-1], RadialBasis)
    tried = {name: _tried(one, pictures, smallest) for name, one in models.items()}
    answers, dead = tried["after"]
    runs = {name: ran(one, pictures[:1]) for name, one in models.items()}
    truth = None if labels is None else _checked_labels(labels, len(pictures), runs["after"].output.size)
    built = [[(row.name, row.kind, row.output_shape) for row, _ in run.rows] for run in runs.values()]
    if built[0] != built[-1]:
        raise ValueError(f"before must be the same model, got rows {built[1]} for {built[0]}")
    if live is None:
        live = not too_large(runs["after"])
    order = _wrong_first(answers, truth)[: MOST_IMAGES if live else room_for(list(runs.values()))]
    own = {name: found[order] for name, (found, _) in tried.items()}
    if live:
        nets = {name: network(models[name], run) for name, run in runs.items()}
    else:
        nets = {name: recorded(models[name], run, pictures[order], own[name]) for name, run in runs.items()}
        pictures = shrunk(pictures, MOST_PIXELS)[0]
    kinds = _kinds(model, nets["after"])
    data = {
        "live": live,
        "networks": {
            name: {"program": one.program, "numbers": base64_of(one.numbers, "<f4" if live else "i1")}
            for name, one in nets.items()
        },
        "images": base64_of(pictures[order], "<f4"),
        "numbers": order.tolist(),
        "labels": None if truth is None else truth[order].tolist(),
        "answers": {name: found.tolist() for name, found in own.items()},
        "counted": {
            name: _counted(len(pictures), len(order), None if truth is None else int((found != truth).sum()), name)
            for name, (found, _) in tried.items()
        },
        "smallest": bool(smallest),
        "setup": setup,
        "dead": dead,
        "sheet": _sheet(pictures),
    }
    title = visible(title or f"{type(model).__name__}, {'live' if live else 'as it was'}")
    body = _body(data, title, link_back(back), _intro(runs["after"], live), kinds, _rows(nets["after"]))
    style = colors() + text_of("explorer.css")
    return write_whole(path, page(title, body, style, script_of(*map(text_of, MODULES))))


def _wrong_first(answers: Array, truth: Array | None) -> Array:
    """The numbers of the images, those first that are read wrong, if that is known."""
    return np.arange(len(answers)) if truth is None else np.argsort(answers == truth, kind="stable")


def _tried(model: Module, pictures: Array, smallest: bool) -> tuple[Array, list[list[int]]]:
    """The model's answer for each image, and for each row the maps that are 0 all over, for all of these images."""
    answers: list[Array] = []
    alive: list[Array] = []
    for part in np.array_split(pictures, -(-len(pictures) // BATCH)):
        with model.in_use(), np.errstate(all="ignore"):
            run = trace(model, part)
        outputs = [t.data for t in outputs_of(run)]
        if outputs[-1].shape[:1] != (len(part),):
            raise ValueError(
                f"a model gives outputs (N, ...), got shape {outputs[-1].shape} for N = {len(part)} images"
            )
        for y, name in zip_longest(outputs, [call.name for call in run.layers()], fillvalue="the output"):
            if not np.isfinite(y).all():
                raise ValueError(f"{name} must be finite for each image, and these reach {np.abs(part).max():g}")
        seen = [(y != 0).any(axis=(0, *range(2, y.ndim))) if y.ndim > 2 else np.ones(1, bool) for y in outputs]
        alive = [a | b for a, b in zip(alive, seen, strict=True)] if alive else seen
        last = outputs[-1].reshape(len(part), -1)
        answers.append(last.argmin(axis=1) if smallest else last.argmax(axis=1))
    return np.concatenate(answers), [np.flatnonzero(~one).tolist() for one in alive]


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


def _checked_labels(labels: npt.ArrayLike, count: int, outputs: int) -> Array:
    truth = np.asarray(labels)
    if truth.shape != (count,) or truth.dtype.kind not in "iu":
        raise ValueError(f"{count} images need as many labels, whole numbers, got {truth.dtype} of shape {truth.shape}")
    if wrong := [n for n in truth.tolist() if not 0 <= n < outputs]:
        raise ValueError(
            f"labels must be from 0 to {outputs - 1}, the last output, got {', '.join(map(str, wrong[:9]))}"
        )
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


# -- the page ----------------------------------------------------------------------------------------------------------

BY_KERNEL = "each cell hands its gradient to the cells of its window, times its kernel"
BY_CURVE = "each gradient times the slope of the curve there"
GOES_BACK = {  # what a layer does with a gradient, by its kind without the number of axes
    "Conv": BY_KERNEL,
    "LocallyConnected": BY_KERNEL,
    "TiledConv": BY_KERNEL,
    "ConvTranspose": "each cell adds up the gradients of the window that it was spread over, times the kernel",
    "Dense": "each unit hands its gradient to the units that it reads, times its weights",
    "ReLU": "where the number was above 0 the gradient goes on, elsewhere it ends",
    "Tanh": BY_CURVE,
    "Sigmoid": BY_CURVE,
    "Softplus": BY_CURVE,
    "GELU": BY_CURVE,
    "MaxPool": "the largest cell of each window gets the gradient, the others none",
    "AvgPool": "each cell shares its gradient equally among the cells of its window",
    "GlobalAvgPool": "the gradient of a map is shared equally among its cells",
    "Flatten": "the same gradient, in the shape of the maps",
}
HINT_LIVE = """Point at a cell of a map: here stands what it is computed from, and the outlines show what it sees. Click
it to keep it, and to send its gradient back; then its map can be taken out. Maps, rows and columns count from 0."""
HINT_RECORDED = """Point at a cell of a map: here stands its number, and its gradient. Maps, rows and columns count from
0."""
GRADIENTS = """A <b>gradient</b> says how much the score would grow if this number grew a little: blue up, red
down."""


def _body(data: Json, title: str, back: str, intro: str, kinds: dict[str, str], rows: str) -> str:
    """What stands in the page, with its data."""
    return body_of(
        "explorer.html",
        back=back,
        title=escape(title),
        intro=intro,
        hint=HINT_LIVE if data["live"] else HINT_RECORDED,
        images=data["counted"]["after"],
        kinds="".join(f"<dt>{escape(visible(k))}</dt><dd>{escape(words)}.</dd>\n" for k, words in kinds.items()),
        alone="" if "before" in data["networks"] else " hidden",
        shift=max(1, round(data["sheet"]["height"] / 4)),
        rows=rows,
        data=as_json(data),
    )


def _intro(run: Run, live: bool) -> str:
    """What one can do in the page, and what not."""
    if live:
        return f"""This network runs in this page: {run.parameters:,} numbers that it has learnt. <b>Draw</b> on the
paper, or choose an image: each row below is a layer, and makes maps of it, pictures whose every cell is a number.
<b>Point</b> at a cell to see what it is made of. <b>Click</b> a cell or a score to see on which pixels it depends.
{GRADIENTS}"""
    why = "This page shows what was computed beforehand"
    if too_large(run):
        why = f"""This network has {run.parameters:,} numbers that it has learnt, and multiplies {run.macs:,} times for
an image. That is too much to run in a page (at most {MOST_NUMBERS:,} and {MOST_MACS:,}), so this one shows what was
computed beforehand"""
    return f"""{why}: <b>choose</b> an image, and see what each layer made of it, and the gradient of its answer.
<b>Point</b> at a cell to see its number. Nothing can be drawn. Of a layer there are at most {MOST_MAPS} maps, of a map
at most {MOST_CELLS:,} cells; numbers are rounded to the steps of the colours, except the scores. {GRADIENTS}"""


def _counted(count: int, shown: int, wrong: int | None, name: str) -> str:
    """How many images there are, and how many of all a network reads wrong; those of the one after training are first.

    >>> _counted(359, 60, 1, "after"), _counted(359, 60, 320, "before")
    ('60 of 359 images: first the 1 that is read wrong', '60 of 359 images; before training, 320 of the 359 read wrong')
    """
    images = f"{count} image{'s' if count > 1 else ''}"
    of_all = f"{shown} of {images}" if shown < count else images
    if wrong is None:
        return of_all
    if name == "before":
        return f"{of_all}; before training, {wrong} of the {count} read wrong"
    if wrong in (0, count):
        return f"{of_all}, all {'read wrong' if wrong else 'read right'}"
    if wrong > shown:
        return f"{of_all}, from the {wrong} that are read wrong"
    return f"{of_all}: first the {wrong} that {'is' if wrong == 1 else 'are'} read wrong"


def _kinds(model: Module, one: Network) -> dict[str, str]:
    """What each kind of layer does, in the first words of its docstring; its rows say it too."""
    docs = {type(module).__name__: (type(module).__doc__ or "").strip() for _, module in model.modules()}
    said = {kind: re.split(r": |\.\s|\.$|\n", text, maxsplit=1)[0].replace("`", "") for kind, text in docs.items()}
    for row in one.program["rows"]:
        row["does"] = visible(said.get(row["kind"], ""))
        row["back"] = GOES_BACK.get(re.sub(r"\dd$", "", row["kind"]), "")
    return {row["kind"]: row["does"] for row in one.program["rows"] if row["does"]}


def _times(numbers: Sequence[int]) -> str:
    return "×".join(map(str, numbers))


def _facts(row: Row) -> str:
    """What `summary` says of a row, in words."""
    facts = [row.kind, _times(row.output_shape)]
    facts += [f"{row.parameters:,} parameters"] if row.parameters else []
    field = row.receptive_field
    if field is not None and row.output_shape[1:]:
        facts.append("field " + ("×".join(f"{n:g}" for n in field) if isinstance(field, tuple) else f"{field:g}"))
    return " · ".join(filter(None, facts))


def _part(row: Json) -> str:
    """How much of a row is shown, where that is not all of it."""
    if "seen" not in row:
        return ""
    axes = 2 if len(row["output_shape"]) > 2 else 1
    maps, seen = (math.prod(row[shape][:-axes]) for shape in ("output_shape", "seen"))
    parts = [f" · {seen} of {maps} maps"] if seen < maps else []
    if row["step"] > 1:
        parts.append(f" · one in {row['step']} rows and columns")
    return "".join(parts)


FIELD = "kind, size, and the field: how many pixels of the image a cell sees along an axis"


def _section(number: int, name: str, facts: str, formula: str, rule: str) -> str:
    said = f'<code title="{escape(formula)}">{escape(formula)}</code>' if formula else ""
    carries = f'<code class="rule" title="{escape(rule)}">{escape(rule)}</code>' if rule else ""
    return f"""<section id="row-{number}" aria-label="{escape(visible(name))}">
<header><h2>{escape(visible(name))}</h2> <span class="facts" title="{FIELD}">{escape(facts)}</span> {said}</header>
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

    image = _times(program["shape"]) + _part({**program, "output_shape": program["shape"]})
    parts = [_section(-1, "image", image, "", rule(-1))]
    for number, (row, facts) in enumerate(zip(program["rows"], one.rows, strict=True)):
        parts.append(_section(number, row["name"], _facts(facts) + _part(row), row["formula"], rule(number)))
    return "".join(parts)
