"""A model as data that a page can run: for each row of its `summary` the lines that compute it, forward and backward.

What you can do here: take a `Network` apart into rows with `network`.

The recipe is cut where a row ends.  Each piece is replayed on new Tensors, one for the output of each row that it
reads, and differentiated by these alone:

    forward      out = fade * f(outputs of earlier rows)       fade: 1, or less for a map that is taken out
    backward     g of each of these rows += the piece's own vector-Jacobian product, for the g that has arrived at out

So a page goes backward row by row, from whichever row it likes, and each row by itself says what its cells are made of.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minitensor import Tensor, compiled, formula, gradients, history
from minitensor.program.values import Value, Values, needed
from minitensor.recording import recording
from minitensor.tensor import Array
from nets import Module
from nets.summary import Row, counted
from nets.trace import Trace, trace

from ..drawing.dot import visible
from .kernels import Json, Lines, check_known
from .stepper import as_written

MOST_NUMBERS = 2_000_000  # to learn: a page of some 11 MB
MOST_MACS = 100_000_000  # for one image: a page that still moves


@dataclass(eq=False)
class Piece:
    """A row: what it computes, from which rows (-1 is the input), and how a gradient goes back through it."""

    row: Row
    sources: list[int]
    out: Tensor  # made of the leaves of the sources
    leaf: Tensor  # what later rows read in place of out
    fade: Tensor
    seed: Tensor  # the gradient that has arrived at out
    slopes: list[Tensor]  # that of each source
    formula: str
    rules: list[str]
    forward: list[list[Json]] = field(default_factory=list)
    backward: list[list[Json]] = field(default_factory=list)
    affine: bool = False  # whether the slopes are the same for all images


@dataclass
class Network:
    """All that a page needs to show a model: its program as JSON, and the numbers that belong to it, as bytes."""

    program: Json
    numbers: Array
    rows: list[Row]


@dataclass(frozen=True)
class Run:
    """A model that has been run on an image, (1, ...), as it computes in use: its input, and each row with its output.

    The last row is the output of the model: of what a model computes behind its last layer, there is a row more.
    """

    input: Tensor
    rows: list[tuple[Row, Tensor]]
    parameters: int
    macs: int

    @property
    def output(self) -> Tensor:
        return self.rows[-1][1]


def ran(model: Module, image: Array) -> Run:
    """A run of a model, and its rows counted."""
    with model.in_use():
        run = trace(model, image)
    table, outputs = counted(model, run), outputs_of(run)
    rows = list(table.rows)
    if len(outputs) > len(rows):
        names = {row.name for row in rows}
        name = next(n for n in ("output", "answer", *(f"output#{i}" for i in range(2, 99))) if n not in names)
        rows.append(Row(name, "", run.output.shape[1:], 0, 0, 0, None, None))
    return Run(run.inputs[0], list(zip(rows, outputs, strict=True)), table.parameters, table.macs)


def outputs_of(run: Trace) -> list[Tensor]:
    """The output of each layer, and that of the model where it is another one."""
    found = [call.outputs[0] for call in run.layers()]
    return found if found and found[-1] is run.output else [*found, run.output]


def too_large(run: Run) -> str:
    """Why a page cannot run this model; empty where it can."""
    if run.parameters <= MOST_NUMBERS and run.macs <= MOST_MACS:
        return ""
    return (
        f"a page runs networks of at most {MOST_NUMBERS:,} parameters and {MOST_MACS:,} multiply-accumulates, and "
        f"this one has {run.parameters:,} and {run.macs:,}"
    )


def network(model: Module, run: Run) -> Network:
    """The lines that compute a model which has been run.

    Raises ValueError for an operator that the page does not have, for a recipe that depends on the data, and for a
    model that is too large for a page.
    """
    if reason := too_large(run):
        raise ValueError(f"{reason}; live=False shows what was computed here")
    for t in history(run.output):
        if t.primitive is not None:
            check_known(t.primitive)
    with model.in_use():
        compiled(lambda x: model(x)).program(run.input.data)  # raises where another image would have another recipe
    image_leaf = Tensor(run.input.data, name="image")
    return _written(model, image_leaf, pieces_of(run, image_leaf))


def pieces_of(run: Run, image: Tensor) -> list[Piece]:
    """The rows apart: each one computed from the leaves of those that it reads."""
    with recording(True):
        return _pieces(run, image)


def _pieces(run: Run, image: Tensor) -> list[Piece]:
    leaves = {run.input: image}
    numbers = {image: -1}
    pieces: list[Piece] = []
    for number, (row, t) in enumerate(run.rows):
        made = _replayed(t, leaves)
        read = sorted((x for x in {made, *history(made)} if x in numbers), key=lambda x: numbers[x])
        fade = Tensor(np.ones((*t.shape[:2], *(1,) * (t.ndim - 2)), t.dtype), name="fade")
        out, seed = made * fade, Tensor(np.zeros(t.shape, t.dtype), name="g")
        slopes = gradients(out, read, seed)
        leaf = Tensor(out.data, name=row.name)
        said, rules = _said(row, made, read, seed)
        pieces.append(Piece(row, [numbers[x] for x in read], out, leaf, fade, seed, slopes, said, rules))
        leaves[t], numbers[leaf] = leaf, number
    return pieces


def _replayed(t: Tensor, leaves: Mapping[Tensor, Tensor]) -> Tensor:
    """The recipe of t once more, where some Tensors are replaced; what has no recipe stays."""
    copies = dict(leaves)
    for x in _between(t, leaves):
        copies[x] = x if x.primitive is None else x.primitive(*(copies[i] for i in x.inputs), **x.params)
    return copies[t]


def _between(t: Tensor, stops: Mapping[Tensor, Tensor]) -> list[Tensor]:
    """The Tensors that t is made of, oldest first, as far as those that are replaced."""
    found, todo = {t} - set(stops), [t]
    while todo:
        here = todo.pop()
        if here not in stops:
            fresh = {x for x in here.inputs if x not in stops} - found
            found |= fresh
            todo += fresh
    return sorted(found, key=lambda x: x.birth)


def _said(row: Row, made: Tensor, read: list[Tensor], seed: Tensor) -> tuple[str, list[str]]:
    """The formula of a row, and the rule by which a gradient goes back to each row that it reads."""
    try:
        text = _short(formula(made, given=read))
        slopes = gradients(made, read, seed)
        if made.name is None:
            made.name = row.name
        rules = [_short(formula(slope, given=[made, seed, *read])) for slope in slopes]
    except ValueError:  # a formula too long to be read
        return "", [""] * len(read)
    return text, rules


def _short(text: str) -> str:
    """A formula as it is written by hand, without the contents of arrays."""
    return visible(as_written(re.sub(r"array\(\[.*?\]\)", "array(…)", text, flags=re.DOTALL)))


def _written(model: Module, image: Tensor, pieces: list[Piece]) -> Network:
    """The lines of all pieces.

    What depends on the parameters alone is computed once; what depends on a gradient that has arrived, backward; the
    rest, forward, also what only the way back needs.
    """
    lines = Lines()
    fixed = {p: Value(p.shape, p.dtype) for p in model.parameters()}
    moving = {image: Value(image.shape, image.dtype)}
    moving |= {piece.fade: Value(piece.fade.shape, piece.fade.dtype) for piece in pieces}
    seeds = {piece.seed: Value(piece.seed.shape, piece.seed.dtype) for piece in pieces}
    values = Values({**fixed, **moving, **seeds}, {})
    for value in (*fixed.values(), *moving.values(), *seeds.values()):
        lines.given(value)
    for p, value in fixed.items():
        lines.constants[lines.slots[value]] = np.ascontiguousarray(p.data, np.float32).ravel()
    seen = {moving[image]}  # what depends on the image
    live, back = set(moving.values()), set(seeds.values())
    once: list[list[Json]] = []
    rows = []
    for piece in pieces:
        [out] = values.of([piece.out])
        values.known[piece.leaf] = out
        slopes = values.of(piece.slopes)
        for value in needed([out, *slopes]):
            for group in (seen, live, back):
                if any(x in group for x in value.reads):
                    group.add(value)
            new = lines.add(value)
            (piece.backward if value in back else piece.forward if value in live else once).extend(new)
        piece.affine = not any(value in seen for value in needed(slopes))
        rows.append(
            {
                **facts_of(piece.row),
                "sources": [
                    {"row": source, "slope": lines.full(slope), "rule": rule}
                    for source, slope, rule in zip(piece.sources, slopes, piece.rules, strict=True)
                ],
                "out": lines.full(out),
                "fade": lines.slots[moving[piece.fade]],
                "seed": lines.slots[seeds[piece.seed]],
                "formula": piece.formula,
                "affine": piece.affine,
                "forward": piece.forward,
                "backward": piece.backward,
            }
        )
    parts = [array for _, array in sorted(lines.constants.items())]
    program = {
        "sizes": lines.sizes,
        "constants": [[slot, array.size] for slot, array in sorted(lines.constants.items())],
        "image": lines.slots[moving[image]],
        "shape": list(image.shape[1:]),
        "parameters": [lines.slots[value] for value in fixed.values()],
        "once": once,
        "rows": rows,
    }
    return Network(program, np.concatenate([np.zeros(0, np.float32), *parts]), [piece.row for piece in pieces])


def facts_of(row: Row) -> Json:
    """A row of the summary; a field or jump as text, one number or one for each axis."""
    facts: dict[str, Any] = row._asdict()
    for name in ("receptive_field", "jump"):
        n = facts[name]
        numbers = n if isinstance(n, tuple) else () if n is None else (n,)
        facts[name] = "×".join(f"{one:g}" for one in numbers)
    facts["shown"] = visible(row.name)
    facts["output_shape"] = list(row.output_shape)
    facts["size"] = math.prod(row.output_shape)
    return facts
