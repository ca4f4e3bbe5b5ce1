"""The graph of a computation: every operator, what went in, what came out.

What you can do here: `computation_graph` of any Tensor.  A gradient is a Tensor with a recipe like any other, so the
graph of a gradient, or of a gradient's gradient, is drawn by the same call.
"""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from typing import Any

from minitensor import Tensor, as_tensor, history, no_grad
from minitensor import gradients as gradients_of
from minitensor.tensor import Array, Operand
from nets import Sequential

from .dot import ACTIVATION, BLUE, GREY, LAYERED, LEAF, OPERATOR, PARAMETER, RESULT_BOX, Digraph, html
from .figure import Figure

Layers = Mapping[str, Sequence[Tensor]]
Box = Tensor | str  # a Tensor's own, or that of its layer
Boxes = dict[Tensor, Box]

UNSAID = {"stride": 1, "dilation": 1, "groups": 1, "padding": 0, "keepdims": False}  # settings that change nothing
SHOWN_BY_SHAPE = {"shape", "size"}
SMALL = 4  # elements: as many are written out, of more the mean and the spread
LONGEST_NAME = 40
MOST_BOXES, LONGEST_WIRES = 1_500, 10_000  # dot lays out so many in a few seconds


def computation_graph(
    output: Tensor,
    *,
    gradients: bool = False,
    values: bool = True,
    layers: Layers | None = None,
    collapse: bool = False,
    last: int | None = None,
    columns: int = 1,
) -> Figure:
    """Draw what output was computed from: one box for each Tensor, with its operator, settings, shape and value.

    gradients: in each box, the gradient of output's sum by it.  values: small values in full, of others mean ± spread.
    layers: the Tensors that each layer made, as `by_layer` gives them; they are framed, or with collapse one box.
    last: draw only so many of the newest Tensors; what they were made from ends in dots.
    columns: break a long graph into columns, side by side.
    Raises TypeError for what is not a Tensor, ValueError for a graph too large to be read.

    >>> x = Tensor(3.0, name="x")
    >>> figure = computation_graph(x * x)
    >>> figure.dot.count("->"), "multiply" in figure.dot
    (2, True)
    """
    if not isinstance(output, Tensor):
        raise TypeError(f"the graph of a Tensor can be drawn, got {type(output).__name__}")
    drawn = history(output)[:last][::-1]
    owner = {t: name for name, made in (layers or {}).items() for t in made}
    boxes: Boxes = {t: owner.get(t, t) if collapse else t for t in drawn}
    depth = _depths(drawn, boxes)
    _check_size(drawn, boxes, depth)
    grads = _gradients(output, drawn) if gradients else {}

    names = {box: f"n{number}" for number, box in enumerate(dict.fromkeys(boxes.values()))}
    column = _columns(drawn, boxes, owner, depth, columns)
    picture = Digraph("computation", graph_attr=LAYERED, node_attr={"shape": "plain", "fontname": "Helvetica"})
    picture.attr("edge", color="#555555", arrowsize="0.6")
    framed = [] if collapse else dict.fromkeys(owner[t] for t in drawn if t in owner)
    frames = {name: _frame(number, name) for number, name in enumerate(framed)}
    for box, t in {boxes[t]: t for t in drawn}.items():  # of a collapsed layer, the newest: its output
        title, colours = (box, OPERATOR) if isinstance(box, str) else (_title(t), _colours(t, output))
        sheet = frames[owner[t]] if box is t and t in owner else picture
        sheet.node(names[box], _label(title, t, colours, grads.get(t), values, own=box is t))
    for frame in frames.values():
        picture.subgraph(frame)
    wires = [(boxes.get(x), boxes[t]) for t in drawn for x in t.inputs if boxes.get(x) != boxes[t]]
    for number, (tail, head) in enumerate(dict.fromkeys(wires) if collapse else wires):
        if tail is None:  # older than what is drawn
            picture.node(f"h{number}", "...", shape="plaintext", fontcolor=GREY)
            picture.edge(f"h{number}", names[head])
        else:
            across = {"constraint": "false", "color": BLUE} if column[tail] != column[head] else {}
            picture.edge(names[tail], names[head], **across)
    return Figure(picture.source, title=f"computation graph of {len(drawn)} Tensors")


def by_layer(model: Sequential, x: Operand) -> tuple[Tensor, dict[str, list[Tensor]]]:
    """Run a model layer by layer: its output, and the Tensors that each layer made or read as parameters.

    >>> from nets import ReLU, Sequential
    >>> output, layers = by_layer(Sequential(squash=ReLU()), [1.0, -1.0])
    >>> layers == {"squash": [output]}
    True
    """
    x = as_tensor(x)
    seen = set(history(x))
    layers = {}
    for name, layer in model.children():
        x = layer(x)
        layers[name] = [t for t in history(x) if t not in seen]
        seen.update(layers[name])
    return x, layers


def settings(params: Mapping[str, Any]) -> str:
    """An operator's settings in few words: what is not said by the shapes, and is not the usual.

    >>> settings({"stride": (2, 2), "padding": ((0, 0), (0, 0)), "dilation": (1, 1), "groups": 1})
    'stride 2'
    """
    said = []
    for name, value in params.items():
        short = _uniform(value)
        if name in SHOWN_BY_SHAPE or (name in UNSAID and UNSAID[name] == short):
            continue
        text = short if isinstance(short, str) else reprlib.repr(short)
        said.append(f"{name} {text if len(text) <= 28 else text[:25] + '...'}")
    return "\n".join(said)


def _uniform(value: Any) -> Any:
    """The number that a nested tuple repeats, or the value itself."""
    if isinstance(value, tuple) and value:
        parts = [_uniform(v) for v in value]
        return parts[0] if all(type(p) is int and p == parts[0] for p in parts) else value
    return value


def _gradients(output: Tensor, tensors: Sequence[Tensor]) -> dict[Tensor, Tensor]:
    with no_grad():
        return dict(zip(tensors, gradients_of(output, tensors), strict=True))


def _depths(tensors: Sequence[Tensor], boxes: Boxes) -> dict[Box, int]:
    """How many boxes lie below each; a leaf stands just below the first that reads it."""
    depth: dict[Box, int] = {}
    for t in tensors:
        below = [depth[boxes[x]] for x in t.inputs if x in boxes and boxes[x] != boxes[t]]
        depth[boxes[t]] = max([depth.get(boxes[t], 0), *(d + 1 for d in below)])
    for t in reversed(tensors):
        for x in t.inputs:
            if x.primitive is None and boxes.get(x) is x:
                depth[x] = depth[boxes[t]] - 1
    return depth


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
    """The column of each box: the graph is cut at equal depths, and never through a layer."""
    if columns < 1:
        raise ValueError(f"columns (={columns}) must be at least 1")
    levels = max(depth.values()) + 1
    whole: dict[str, int] = {}  # the column of each layer: that of its output
    column: dict[Box, int] = {}
    for t in reversed(tensors):
        mine = depth[boxes[t]] * columns // levels
        column.setdefault(boxes[t], whole.setdefault(owner[t], mine) if t in owner else mine)
    return column


def _frame(number: int, name: str) -> Digraph:
    frame = Digraph(f"cluster_{number}")
    frame.attr(label=f"<{html(name)}>", labeljust="l", style="rounded", color=GREY, fontcolor="#444444", margin="6")
    return frame


def _title(t: Tensor) -> str:
    operator = t.primitive.name if t.primitive else ""
    name = t.name or ("" if operator else "constant")
    return " : ".join(
        part for part in (operator, name if len(name) <= LONGEST_NAME else name[:LONGEST_NAME] + "…") if part
    )


def _colours(t: Tensor, output: Tensor) -> tuple[str, str]:
    if t.primitive is None:
        return PARAMETER if t.name else LEAF
    if t is output:
        return RESULT_BOX
    elementwise = len(t.inputs) == 1 and t.inputs[0].shape == t.shape
    return ACTIVATION if elementwise else OPERATOR


def _label(title: str, t: Tensor, colours: tuple[str, str], grad: Tensor | None, values: bool, own: bool) -> str:
    """A box as a table: the title, the settings if it is the Tensor's own box, then shape, value and gradient."""
    rows = [f'<TR><TD COLSPAN="2"><FONT POINT-SIZE="12"><B>{html(title)}</B></FONT></TD></TR>']
    if own and (said := settings(t.params)):
        rows.append(f'<TR><TD COLSPAN="2"><FONT POINT-SIZE="10">{html(said)}</FONT></TD></TR>')
    facts = [("shape", str(t.shape))] if t.ndim else []
    facts += [("value", summary(t.data))] if values or t.size == 1 else []
    facts += [("grad", summary(grad.data))] if grad is not None else []
    for word, fact in facts:
        rows.append(
            f'<TR><TD ALIGN="LEFT"><FONT POINT-SIZE="10" COLOR="#666666">{word}</FONT></TD>'
            f'<TD ALIGN="RIGHT"><FONT POINT-SIZE="10" FACE="Courier">{html(fact)}</FONT></TD></TR>'
        )
    fill, border = colours
    table = (
        f'BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2" STYLE="ROUNDED" BGCOLOR="{fill}" COLOR="{border}"'
    )
    return f"<<TABLE {table}>{''.join(rows)}</TABLE>>"


def summary(array: Array) -> str:
    """A value in one line: a few numbers in full, of many the mean and the spread.

    >>> summary(Tensor([1.0, -0.5]).data), summary(Tensor(range(9)).data)
    ('1, -0.5', '4 ± 2.58')
    """
    if array.size == 0:
        return "empty"
    if array.size <= SMALL:
        return ", ".join(f"{v:.4g}" for v in array.ravel())
    return f"{array.mean():.3g} ± {array.std():.3g}"
