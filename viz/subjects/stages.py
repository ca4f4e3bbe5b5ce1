"""What a picture of a model has to show: stages, from the recipe of its output and the trace of its run.

What you can do here: get the `stages_of` a run; architecture.py draws them.

The recipe says what was computed from what, the trace which layer each operator belongs to.  So a chain is a chain,
branches lie in lanes of their own, and a skip is a stage that is read further on too.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection
from dataclasses import dataclass, field

from minitensor import Tensor, history
from minitensor.tensor import Array
from nets import Module
from nets.summary import Row, counted
from nets.trace import Call, Trace

from .computation import operand_places, uniform

MOST_STREAMS = 4
JOINS = {"add": "+", "subtract": "−", "multiply": "×", "divide": "÷", "concatenate": "concat", "maximum": "max"}
INPUT = "input"
SETTINGS = ("stride", "padding", "dilation", "output_padding", "groups")  # said where they are not the usual
LONGEST_KIND, LONGEST_LINE = 12, 16  # characters; the window of a longer kind is written below it

Part = Tensor | Call  # what computes: a call of a layer, or an operator between the layers; the input is one too


@dataclass(eq=False)
class Stage:
    """A layer, and what follows it without changing the number of units: its non-linearity, say; or where ways meet.

    steps are the words on the arrow that leads to it, sources the stages that it reads.  groups: that of a convolution.
    """

    name: str
    output: Array
    sources: list[Stage] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    joins: str = ""
    places: list[str] = field(default_factory=list)  # "1", "2", ... for the sources of a join, if their order matters
    groups: int = 1
    streams: int = 1  # parts that are drawn apart, since they are read or made apart
    row: bool = False  # of maps along one axis, drawn as images of one row
    parameters: int = 0
    connections: int = 0
    column: int = 0
    lane: int = 0


def stages_of(model: Module, run: Trace, depth: int | None = None, opened: Collection[str] = ()) -> list[Stage]:
    """The stages of a run, each after those that it reads; blocks are opened as far as depth says, or one step further.

    opened: the names of those that are.  Raises ValueError for a block that is not there.
    """
    layers, rows = _opened(model, run, depth, opened)
    owners = run.owners(layers)
    part_of: dict[Tensor, Part] = {}
    output: dict[Part, Tensor] = {}
    sources: dict[Part, list[Part]] = {}
    for t in history(run.output)[::-1]:
        read = [part_of[x] for x in t.inputs if x in part_of]
        if not read and t not in run.inputs:
            continue  # it does not depend on the input
        part = part_of[t] = owners.get(t, t)
        output[part] = t
        mine = sources.setdefault(part, [])
        mine += [other for other in dict.fromkeys(read) if other is not part and other not in mine]
    if run.output not in part_of:
        raise ValueError(f"the output of this {type(model).__name__} does not depend on x: there is nothing to draw")
    readers = {part: sum(part in read for read in sources.values()) for part in sources}

    stages: dict[Part, Stage] = {}
    for part, read in sources.items():
        value = output[part].data[0] if output[part].ndim else output[part].data
        row = rows.get(part) if isinstance(part, Call) else None
        before = stages[read[0]] if len(read) == 1 else None
        goes_on = before and before.name != INPUT and readers[read[0]] == 1 and not (row and row.parameters)
        if before and goes_on and value.size == before.output.size:
            before.steps += _said(part)
            before.connections += row.connections if row else 0
            if value.shape == before.output.shape:  # and not flattened
                before.output = value
            stages[part] = before
            continue
        stage = stages[part] = Stage("" if row is None else row.name, value, [stages[other] for other in read])
        if part in run.inputs:
            stage.name = INPUT
        elif len(read) > 1 and not row:
            stage.joins = _said(part)[0]
            if isinstance(part, Tensor) and len(read) == len(part.inputs):
                stage.places = operand_places(part)
        else:
            stage.steps = _said(part)
        if row:
            stage.parameters, stage.connections = row.parameters, row.connections
            stage.groups = getattr(part.module, "groups", 1) if isinstance(part, Call) else 1
    for call in layers:
        if call.outputs[0] in call.inputs and call.outputs[0] in part_of:  # in use it does nothing: dropout
            stages[part_of[call.outputs[0]]].steps += _said(call)
    return _arranged(list(dict.fromkeys(stages.values())))


def _opened(
    model: Module, run: Trace, depth: int | None, opened: Collection[str]
) -> tuple[list[Call], dict[Call, Row]]:
    """The calls that are drawn, with their rows of the summary; a block has the sums of the rows within it."""
    layers = run.layers()
    rows = dict(zip(layers, counted(model, run).rows, strict=True))
    calls = [call for call in run.calls if call.inputs and call.outputs]
    names = [call.name for call in calls if call not in rows and call.depth]
    if unknown := [name for name in opened if name not in names]:
        raise ValueError(f"opened: there is no block {unknown[0]!r}; the blocks are {', '.join(names) or 'none'}")
    around = {name[:end] for name in opened for end in (*(dot.start() for dot in re.finditer(r"\.", name)), None)}
    shut = [call for call in calls if depth is not None and call.depth >= depth and call.name not in around]
    blocks = [call for call in shut if not any(_is_within(call, other) for other in shut if other is not call)]
    for block in blocks:
        within = [row for call, row in rows.items() if call in layers and _is_within(call, block)]
        parameters, connections = (sum(getattr(row, what) for row in within) for what in ("parameters", "connections"))
        kind = type(block.module).__name__
        rows[block] = Row(block.name or kind, kind, block.outputs[0].shape[1:], parameters, connections, 0, None, None)
    inside = {call for call in layers for block in blocks if call is not block and _is_within(call, block)}
    return [call for call in calls if call in rows and call not in inside], rows


def _is_within(call: Call, block: Call) -> bool:
    return block.births.start <= call.births.start and call.births.stop <= block.births.stop


def _arranged(stages: list[Stage]) -> list[Stage]:
    """The stages with their columns and lanes; after a last join what it makes, and vectors as vectors."""
    if stages[-1].joins:
        stages.append(Stage("output", stages[-1].output, [stages[-1]]))
    taken: set[tuple[int, int]] = set()
    for stage in stages:
        if stage.output.ndim == 2:
            stage.output, stage.row = stage.output[:, None], True
        if stage.output.shape[1:] == (1, 1):
            stage.output = stage.output.ravel()
        if 1 < stage.groups <= MOST_STREAMS:
            for one in (stage, *stage.sources):
                if one.output.ndim and len(one.output) % stage.groups == 0:  # not where maps were reshaped on the way
                    one.streams = max(one.streams, stage.groups)
        stage.column = max((source.column + 1 for source in stage.sources), default=0)
        stage.lane = min((source.lane for source in stage.sources), default=0)
        while (stage.column, stage.lane) in taken:
            stage.lane += 1
        taken.add((stage.column, stage.lane))
    return stages


def _said(part: Part) -> list[str]:
    """What computes, in few words: the sign or name of an operator; the kind of a layer, its window and settings."""
    if not isinstance(part, Call):
        name = part.primitive.name if part.primitive else ""
        return [JOINS.get(name, name)]
    settings = vars(part.module)
    kernel, kind = settings.get("kernel_size"), type(part.module).__name__
    sides = (kernel,) * max(1, part.inputs[0].ndim - 2) if isinstance(kernel, int) else kernel
    chosen = inspect.signature(type(part.module)).parameters
    said = []
    for name in SETTINGS:
        if name in chosen and name in settings:
            value, usual = uniform(settings[name]), chosen[name].default
            usual = uniform(kernel) if usual is None else usual  # as the stride of a pool
            if value is not None and value != usual:
                number = "×".join(map(str, value)) if isinstance(value, tuple) else value
                said.append(f"{value} groups" if name == "groups" else f"{name.replace('_', ' ')} {number}")
    kind, window = kind.removesuffix("1d").removesuffix("2d"), "×".join(map(str, sides or ()))
    title = [f"{kind} {window}"] if window and len(kind) <= LONGEST_KIND else [*_in_lines(kind), window]
    said = [", ".join(said)] if len(", ".join(said)) <= LONGEST_LINE else said
    return [line for line in (*title, *said) if line]


def _in_lines(kind: str) -> list[str]:
    """The name of a kind of layer; the last word of a long one in a line of its own.

    >>> _in_lines("LocalResponseNorm"), _in_lines("Dense")
    (['LocalResponse', 'Norm'], ['Dense'])
    """
    words = re.findall(r"[A-Z]?[^A-Z]+|[A-Z]+", kind)
    return [kind] if len(kind) < LONGEST_LINE or len(words) < 2 else ["".join(words[:-1]), words[-1]]
