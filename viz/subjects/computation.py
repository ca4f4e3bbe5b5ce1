"""The graph of a computation: every operator, what went in, what came out.

What you can do here: `computation_graph` of any Tensor.  A gradient is a Tensor with a recipe like any other, so the
graph of a gradient, or of a gradient's gradient, is drawn by the same call.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from minitensor import Tensor, Windows, history, no_grad
from minitensor import gradients as gradients_of
from minitensor.checks import whole
from minitensor.tensor import Array, Operand
from nets import Module
from nets.trace import Call, trace

from ..drawing.dot import ACTIVATION, GREY, LAYERED, LEAF, NOTE, OPERATOR, PARAMETER, RESULT_BOX, Digraph, html, letter
from ..drawing.figure import Figure
from ..drawing.style import LIGHT, Style

Layers = Mapping[str, Sequence[Tensor]]
Box = Tensor | str  # a Tensor's own, or that of its layer
Boxes = dict[Tensor, Box]

UNSAID = {"groups": 1, "keepdims": False, "count_include_pad": True, "constant_values": 0}  # what changes nothing
SHOWN_BY_SHAPE = {"shape", "ends", "rng"}  # or by what was drawn
SMALL = 4  # elements: as many are written out, of more the mean and the spread
LONGEST_NAME = 40
SPINE = {"weight": "200"}  # more than the 128 with which dot pulls the sides of a frame together
CUT = {"shape": "circle", "width": "0.25", "fixedsize": "true", "fontsize": "12", "color": NOTE, "fontcolor": NOTE}
PLACE = {"fontname": "Helvetica", "fontsize": "12", "fontcolor": NOTE, "labeldistance": "1.4", "labelangle": "35"}
MOST_LEVELS, LEVELS_OF_A_PART = 5, 3  # boxes one below the other on a slide; lying, one more; of a part, with leaves
MOST_BOXES, LONGEST_WIRES = 1_500, 10_000  # dot lays out so many in a few seconds


class Wire(NamedTuple):
    """From a box, or from None where it comes from what is not drawn, to another."""

    tail: Box | None
    head: Box
    straight: bool  # it is the spine
    beside: bool  # its tail is the last that its head reads, and a leaf: in columns it stands beside it
    place: str  # the number of the operand


def computation_graph(
    output: Tensor,
    *,
    gradients: bool = False,
    values: bool = True,
    layers: Layers | None = None,
    collapse: bool = False,
    last: int | None = None,
    columns: int = 1,
    style: str | Style = "light",
) -> Figure:
    """Draw what output was computed from: one box for each Tensor, with its operator, settings, shape and value.

    gradients: in each box, the gradient of output's sum by it.  values: small values in full, of others mean ± spread.
    layers: the Tensors that each layer made, as `by_layer` gives them; they are framed, or with collapse one box.
    last: draw only so many of the newest Tensors; what they were made from ends in dots.
    columns: break a long graph into columns, side by side, the oldest Tensors on the left.
    What is too long for a slide has `parts`: each column alone, lying; of a graph in one column as many as it takes.
    style: as `Style`.
    Colours: grey an operator, violet one that treats each element by itself, green the output, amber a parameter, white
    what else is given (inputs, constants).  A parameter is what layers hold by a name, so without layers none is amber.
    Where the order of the operands matters, as in x - y, the wires of an operator are numbered: 1 the first operand.
    Wires between columns are cut: the circles with the same letter are the two ends of one wire.
    Raises TypeError for what is not a Tensor, ValueError for last or columns below 1, and for a graph too large to be
    read.

    >>> x = Tensor(3.0, name="x")
    >>> figure = computation_graph(x * x)
    >>> figure.dot.count("->"), "multiply" in figure.dot
    (2, True)
    """
    if not isinstance(output, Tensor):
        raise TypeError(f"the graph of a Tensor can be drawn, got {type(output).__name__}")
    for name, count in ("columns", columns), ("last", last):
        if count is not None and whole(name, count) < 1:
            raise ValueError(f"{name} (={count}) must be at least 1")
    drawn = history(output)[:last][::-1]
    owner = {t: name for name, made in (layers or {}).items() for t in made}
    boxes: Boxes = {t: owner.get(t, t) if collapse else t for t in drawn}
    depth = _depths(drawn, boxes)
    _check_size(drawn, boxes, depth)
    grads = _gradients(output, drawn) if gradients else {}
    owned = {} if collapse else owner

    def cut(count: int) -> tuple[Digraph, list[Digraph]]:
        """The graph in so many columns, and each of these."""
        column = _columns(drawn, boxes, owner, depth, count)
        side_by_side = {"pack": "24", "packmode": f"array_ti{count}"} if count > 1 else {}  # in the order of the text
        picture = _sheet(side_by_side)
        strips = {c: _strip(c) if count > 1 else picture for c in sorted(set(column.values()))}
        framed = dict.fromkeys(owned[t] for t in drawn if t in owned)
        frames = {name: _frame(number, name) for number, name in enumerate(framed)}
        for box, t in {boxes[t]: t for t in drawn}.items():  # of a collapsed layer, the newest: its output
            title, colours = (box, OPERATOR) if isinstance(box, str) else (_title(t), _colours(t, output, owner))
            sheet = frames[owner[t]] if box is t and t in owned else strips[column[box]]
            sheet.node(names[box], _label(title, t, colours, grads.get(t), values, own=box is t))
        for name, frame in frames.items():
            strips[next(column[t] for t in drawn if owned.get(t) == name)].subgraph(frame)
        _draw(dict.fromkeys(wires) if collapse else wires, names, column, strips)
        for tail, head in _stacked(drawn, owned) if owned else ():
            if column[tail] == column[head]:
                strips[column[head]].edge(names[tail], names[head], style="invis", **SPINE)
        if count > 1:
            for strip in strips.values():
                picture.subgraph(strip)
        return picture, list(strips.values())

    names = {box: f"n{number}" for number, box in enumerate(dict.fromkeys(boxes.values()))}
    wires = _wires(drawn, boxes)
    picture, strips = cut(columns)
    said, style = f"computation graph of {len(drawn)} Tensors", Style.of(style)
    if columns == 1:
        levels = max(depth.values()) + 1
        fits = levels <= MOST_LEVELS + (style.orientation in ("left", "right"))
        strips = [] if fits else cut(-(-levels // LEVELS_OF_A_PART))[1]
    lying = replace(style, orientation="right")
    parts = [Figure(_alone(strip), title=f"{said}, part {c}").styled(lying) for c, strip in enumerate(strips, start=1)]
    return replace(Figure(picture.source, title=said).styled(style), parts=tuple(parts))


def _wires(drawn: Sequence[Tensor], boxes: Boxes) -> list[Wire]:
    """From box to box; none within a box."""
    return [
        Wire(boxes.get(x), boxes[t], x is spine(t), x is t.inputs[-1] and not x.primitive, place)
        for t in drawn
        for x, place in zip(t.inputs, operand_places(t) if boxes[t] is t else [""] * len(t.inputs), strict=True)
        if boxes.get(x) != boxes[t]
    ]


def _draw(
    wires: Iterable[Wire], names: Mapping[Box, str], column: Mapping[Box, int], strips: Mapping[int, Digraph]
) -> None:
    """Draw the wires; one between columns is cut, and both its ends have a letter."""
    letters: dict[Box, str] = {}  # of the boxes that are read in another column
    for number, (tail, head, straight, beside, place) in enumerate(wires):
        here, looks = strips[column[head]], {**(SPINE if straight else {}), **({"headlabel": place} if place else {})}
        looks |= {"minlen": "0"} if beside and len(strips) > 1 else {}  # for short columns
        if tail is None:  # older than what is drawn
            here.node(f"h{number}", "...", shape="plaintext", fontcolor=GREY)
            here.edge(f"h{number}", names[head], **looks)
        elif column[tail] == column[head]:
            here.edge(names[tail], names[head], **looks)
        else:
            if tail not in letters:
                letters[tail] = letter(len(letters)).upper()
                strips[column[tail]].node(f"{names[tail]}_", letters[tail], **CUT)
                strips[column[tail]].edge(names[tail], f"{names[tail]}_", **SPINE)
            here.node(f"{names[tail]}_{column[head]}", letters[tail], **CUT)
            here.edge(f"{names[tail]}_{column[head]}", names[head], **looks)


def by_layer(model: Module, x: Operand) -> tuple[Tensor, dict[str, list[Tensor]]]:
    """Run a model: its output, and what each call of a layer in it made or read as parameters, the newest first.

    What the model computes between its layers, as the sum of two branches, belongs to none.

    >>> from nets import ReLU, Sequential
    >>> output, layers = by_layer(Sequential(squash=ReLU()), [1.0, -1.0])
    >>> layers == {"squash": [output]}
    True
    """
    run = trace(model, x)
    calls = [call for call in run.calls if call.depth == 1] or run.calls
    layers: dict[str, list[Tensor]] = {call.name or type(model).__name__: [] for call in sorted(calls, key=_begun)}
    for t, call in run.owners(calls).items():
        layers[call.name or type(model).__name__].append(t)
    return run.output, layers


def _begun(call: Call) -> int:
    return call.births.start


def settings(params: Mapping[str, Any]) -> str:
    """An operator's settings in few words: what is not said by the shapes, and is not the usual.

    >>> settings({"windows": Windows.over((5, 5), 3, stride=2), "groups": 1})
    '3x3 stride 2'
    >>> settings({"axis": (3,), "keepdims": True})
    'axis 3\\nkeepdims True'
    """
    said = []
    for name, value in params.items():
        short = uniform(value)
        if name in SHOWN_BY_SHAPE or (name in UNSAID and UNSAID[name] == short):
            continue
        if isinstance(value, Windows):
            said.append(str(value))
            continue
        text = str(short) if isinstance(short, str | np.dtype) else reprlib.repr(short)
        said.append(f"{name} {text if len(text) <= 28 else text[:25] + '...'}")
    return "\n".join(said)


def uniform(value: Any) -> Any:
    """The number that a nested tuple repeats, the shape that arrays have, or the value itself."""
    if isinstance(value, np.ndarray):
        return f"of shape {value.shape}"
    if isinstance(value, tuple) and value:
        parts = [uniform(v) for v in value]
        return parts[0] if all(type(p) in (int, str) and p == parts[0] for p in parts) else value
    return value


def _gradients(output: Tensor, tensors: Sequence[Tensor]) -> dict[Tensor, Tensor]:
    with no_grad():
        return dict(zip(tensors, gradients_of(output, tensors), strict=True))


def spine(t: Tensor) -> Tensor | None:
    """The input that t is drawn straight below: the first that an operator made, so that a chain is a column."""
    return next((x for x in t.inputs if x.primitive), None)


def operand_places(t: Tensor) -> list[str]:
    """For each input of an operator "1", "2", ..., or nothing where the order makes no difference: that is tried out.

    >>> x, y = Tensor(1.0), Tensor(2.0)
    >>> operand_places(x - y), operand_places(x + y), operand_places(x**2)
    (['1', '2'], ['', ''], [''])
    """
    if t.primitive is None or len(t.inputs) < 2:
        return [""] * len(t.inputs)
    numbered, rng = [str(n + 1) for n in range(len(t.inputs))], np.random.default_rng(0)
    values = [rng.uniform(1, 2, x.shape) for x in t.inputs]
    orders = values, values[1:] + values[:1], [values[1], values[0], *values[2:]]  # these two give all others
    try:
        largest = math.prod(np.broadcast_shapes(*(x.shape for x in t.inputs)))
        if largest > max(t.size, *(x.size for x in t.inputs)):  # a row times a column: turned round, it may fill memory
            return numbered
        with no_grad(), np.errstate(all="ignore"):
            one, *others = (t.primitive(*order, **t.params).data for order in orders)
    except (ValueError, TypeError, IndexError):  # the operator takes no other order
        return numbered
    alike = all(one.shape == other.shape and np.allclose(one, other) for other in others)
    return [""] * len(t.inputs) if alike else numbered


def _depths(tensors: Sequence[Tensor], boxes: Boxes) -> dict[Box, int]:
    """The level of each box: as many above that of the output as the longest way to it has wires, and 0 at the top."""
    height: dict[Box, int] = {}
    for t in reversed(tensors):
        here = height.setdefault(boxes[t], 0)
        for box in {boxes[x] for x in t.inputs if x in boxes} - {boxes[t]}:
            height[box] = max(height.get(box, 0), here + 1)
    top = max(height.values())
    return {box: top - h for box, h in height.items()}


def _stacked(tensors: Sequence[Tensor], owner: Mapping[Tensor, str]) -> Iterator[tuple[Tensor, Tensor]]:
    """What a layer reads, with each leaf of the layer: where all of these lie below it, frames stand in a column."""
    drawn = set(tensors)
    for t in tensors:
        x = spine(t)
        if x in drawn and t in owner and owner.get(x) != owner[t]:
            yield from ((x, leaf) for leaf in tensors if owner.get(leaf) == owner[t] and not leaf.primitive)


def _check_size(tensors: Sequence[Tensor], boxes: Boxes, depth: Mapping[Box, int]) -> None:
    length = sum(depth[boxes[t]] - depth[boxes[x]] for t in tensors for x in t.inputs if x in boxes)
    if len(depth) > MOST_BOXES or length > LONGEST_WIRES:
        raise ValueError(
            f"this graph has {len(depth):,} boxes and wires that cross {length:,} levels; more than {MOST_BOXES:,}, or "
            f"{LONGEST_WIRES:,}, can be neither laid out nor read: draw its end with last=50, or a part by itself"
        )


def _columns(
    tensors: Sequence[Tensor], boxes: Boxes, owner: Mapping[Tensor, str], depth: Mapping[Box, int], columns: int
) -> dict[Box, int]:
    """The column of each box: cuts are at equal depths, never in a layer or between a leaf and its first reader."""
    levels = max(depth.values()) + 1
    home: dict[str, int] = {}  # the column of each layer: that of its output
    column: dict[Box, int] = {}
    for t in reversed(tensors):
        mine = depth[boxes[t]] * columns // levels
        column.setdefault(boxes[t], home.setdefault(owner[t], mine) if t in owner else mine)
        column |= {x: column[boxes[t]] for x in t.inputs if boxes.get(x) is x and not x.primitive and x not in owner}
    return column


def _sheet(more: Mapping[str, str] | None = None) -> Digraph:
    picture = Digraph("computation", graph_attr={**LAYERED, **(more or {})})
    picture.attr("node", shape="plain", fontname="Helvetica")
    picture.attr("edge", color=LIGHT["arrow"], arrowsize="0.6", **PLACE)
    return picture


def _alone(strip: Digraph) -> str:
    """A column as a graph of its own."""
    picture = _sheet({"ranksep": "0.3"})
    picture.subgraph(strip)
    source: str = picture.source
    return source


def _strip(number: int) -> Digraph:
    """One of the columns."""
    return Digraph(f"cluster_column_{number}", graph_attr={"peripheries": "0"})


def _frame(number: int, name: str) -> Digraph:
    frame = Digraph(f"cluster_{number}")
    frame.attr(label=f"<{html(name)}>", labeljust="l", style="rounded", color=GREY, fontcolor=NOTE, margin="4")
    frame.attr(peripheries="1")
    return frame


def _title(t: Tensor) -> str:
    operator = t.primitive.name if t.primitive else ""
    name = t.name or ("" if operator else "constant")
    return " : ".join(
        part for part in (operator, name if len(name) <= LONGEST_NAME else name[:LONGEST_NAME] + "…") if part
    )


def _colours(t: Tensor, output: Tensor, owner: Mapping[Tensor, str]) -> tuple[str, str]:
    if t.primitive is None:
        return PARAMETER if t.name and t in owner else LEAF
    if t is output:
        return RESULT_BOX
    elementwise = len(t.inputs) == 1 and t.inputs[0].shape == t.shape
    return ACTIVATION if elementwise else OPERATOR


def _label(title: str, t: Tensor, colours: tuple[str, str], grad: Tensor | None, values: bool, own: bool) -> str:
    """A box as a table: the title, the settings if it is the Tensor's own box, then shape, value and gradient."""
    rows = [f'<TR><TD COLSPAN="2"><FONT POINT-SIZE="13"><B>{html(title)}</B></FONT></TD></TR>']
    if own and (said := settings(t.params)):
        rows.append(f'<TR><TD COLSPAN="2"><FONT POINT-SIZE="12">{html(said)}</FONT></TD></TR>')
    facts = [("shape", str(t.shape))] if t.ndim else []
    facts += [("value", in_one_line(t.data))] if values or t.size == 1 else []
    facts += [("grad", in_one_line(grad.data))] if grad is not None else []
    for word, fact in facts:
        rows.append(
            f'<TR><TD ALIGN="LEFT"><FONT POINT-SIZE="12" COLOR="{NOTE}">{word}</FONT></TD>'
            f'<TD ALIGN="RIGHT"><FONT POINT-SIZE="12" FACE="Courier">{html(fact)}</FONT></TD></TR>'
        )
    fill, border = colours
    inside = f'<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="2">{"".join(rows)}</TABLE>'
    outside = f'BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2" STYLE="ROUNDED" BGCOLOR="{fill}"'
    return f'<<TABLE {outside} COLOR="{border}"><TR><TD>{inside}</TD></TR></TABLE>>'


def in_one_line(array: Array) -> str:
    """A value in one line: a few numbers in full, of many the mean and the spread.

    A mean is as fine as the second digit of its spread.  Both are 0 if they are smaller than the rounding errors of the
    sum that gave them; a 0 has no sign.

    >>> in_one_line(Tensor([1.0, -0.5]).data), in_one_line(Tensor(range(9)).data)
    ('1, -0.5', '4 ± 2.6')
    >>> in_one_line(np.array([0.1, 0.2, 0.3, -0.2, -0.4])), in_one_line(np.full(7, 0.1))
    ('0 ± 0.26', '0.1 ± 0')
    """
    if array.size == 0:
        return "empty"
    if array.size <= SMALL:
        return ", ".join(f"{v + 0.0:.4g}" for v in array.ravel())
    rounding = np.finfo(array.dtype).eps * np.abs(array).max() * np.log2(array.size)  # NumPy adds in pairs
    mean, spread = (0.0 if abs(v) < rounding else v for v in (array.mean(), array.std()))
    if spread and np.isfinite(spread):
        mean = round(mean, 1 - math.floor(math.log10(spread))) + 0.0
    return f"{mean:.4g} ± {spread:.2g}"
