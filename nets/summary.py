"""What a network is made of, counted.

What you can do here: make a `summary` of a model, as a table, and with `explain=True` worked out as on the board.

Letters: r receptive field, how many inputs along one axis a unit can see; j jump, the distance of two neighbouring
units measured in inputs; b where the field of the first unit begins, which padding moves to the left.  A layer with
kernel k, stride s, padding p and dilation d adds d(k - 1) j to r, moves b by -p j, and multiplies j by s; a transposed
convolution adds d(k - 1) j / s and divides by s, and r is then an upper limit.  Where branches meet, a unit sees what
it sees through any of them.
Source: Araujo, Norris and Sim, Computing receptive fields of convolutional neural networks, Distill (2019).
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from minitensor import Tensor, history, no_grad, sizes
from minitensor.checks import margins, per_axis
from minitensor.windows import Windows

from .layers.module import Module, Shape
from .layers.weighted import Conv1d, Conv2d, ConvTranspose2d, Dense
from .trace import Call, Trace, own_parameters, trace


class Sees(NamedTuple):
    """What a unit sees along one axis: r inputs, of which the first unit's begin at b; j from one unit to the next."""

    r: Fraction
    b: Fraction
    j: Fraction


Along = tuple[Sees, ...] | None  # one for each spatial axis; None once each unit can see everything


class Row(NamedTuple):
    """One layer; shapes are without the batch axis, and a parameter counts in the first layer that has it."""

    name: str
    kind: str
    output_shape: Shape
    parameters: int
    connections: int
    macs: int
    receptive_field: float | tuple[float, ...] | None
    jump: float | tuple[float, ...] | None


@dataclass(frozen=True)
class Summary:
    """The rows of a model and their sums; prints as a table, and shows as one in a notebook."""

    rows: list[Row]
    memory: int  # bytes of all parameters, and of all outputs for one image
    explanation: str = ""
    elsewhere: Mapping[str, int] = field(default_factory=dict)  # the sizes of the parameters that are in no row

    @property
    def parameters(self) -> int:
        """Numbers to learn: all that the model has."""
        return sum(row.parameters for row in self.rows) + sum(self.elsewhere.values())

    @property
    def connections(self) -> int:
        """As the paper of 1998 counts them: a bias is one too, and so is each input of a pool."""
        return sum(row.connections for row in self.rows)

    @property
    def macs(self) -> int:
        """Multiply-accumulates for one image."""
        return sum(row.macs for row in self.rows)

    @property
    def units(self) -> int:
        """Outputs of all layers that weigh their inputs."""
        return sum(math.prod(row.output_shape) for row in self.rows if row.macs)

    def _cells(self) -> list[list[str]]:
        head = ["name", "kind", "output", "parameters", "connections", "macs", "field", "jump"]
        body = [
            [
                row.name,
                row.kind,
                _shape(row.output_shape),
                *(f"{n:,}" for n in (row.parameters, row.connections, row.macs)),
                *("" if n is None else _shape(n) if isinstance(n, tuple) else f"{n:g}" for n in row[-2:]),
            ]
            for row in self.rows
        ]
        total = ["total", "", "", *(f"{n:,}" for n in (self.parameters, self.connections, self.macs)), "", ""]
        return [head, *body, total]

    def __str__(self) -> str:
        cells = self._cells()
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            "  ".join(c.ljust(w) if i < 3 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
            for row in cells
        ]
        rule = "-" * len(lines[0])
        table = [lines[0], rule, *lines[1:-1], rule, lines[-1]]
        note = f"{self.units:,} units; {self.memory / 1e6:,.1f} MB of parameters and of outputs for one image"
        lines = [*(line.rstrip() for line in table), note, *self._notes()]
        return "\n".join([*lines, "", self.explanation] if self.explanation else lines)

    def _notes(self) -> list[str]:
        """What the rows do not say."""
        if not self.elsewhere:
            return []
        count = sum(self.elsewhere.values())
        return [
            f"{count:,} of the parameters are in no row, since their layer is not called: {', '.join(self.elsewhere)}; "
            "what they are used for is in no count of connections and macs"
        ]

    __repr__ = __str__

    def _repr_html_(self) -> str:
        def row(cells: list[str], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{html.escape(c)}</{tag}>" for c in cells) + "</tr>"

        head, *body = self._cells()
        table = "".join([row(head, "th"), *(row(cells, "td") for cells in body)])
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self._notes())
        explanation = f"<pre>{html.escape(self.explanation)}</pre>" if self.explanation else ""
        return f"<table>{table}</table>{notes}{explanation}"


def summary(model: Module, input_shape: Shape, *, explain: bool = False) -> Summary:
    """The layers of a model for an input of this shape (without the batch axis), in the order in which they compute.

    Found by running the model on zeros, so the shapes are those that it really makes; a row for each call of a layer,
    named where it is called, and "act#2" for the second call at the same place.  Connections and macs are what `cost`
    of each layer says.  Field and jump follow from what a layer stores as kernel_size, stride, padding and dilation; of
    one without a kernel_size it is tried out whether it joins the places of an image.  What is computed between the
    layers, as the sum of two branches, has no row, and sees what its parts see.
    With explain=True each size and each count is worked out with its numbers.
    Raises what the model raises for an input that does not fit.

    >>> from nets import Conv2d, lenet
    >>> print(summary(lenet(), (1, 32, 32)))
    name     kind       output    parameters  connections     macs  field  jump
    ---------------------------------------------------------------------------
    C1       Conv2d     6x28x28          156      122,304  117,600      5     1
    ...
    output   Dense      10               850          850      840     32
    ---------------------------------------------------------------------------
    total                             61,706      ...
    ...
    >>> print(summary(Conv2d(3, 3, 5), (3, 32, 32), explain=True).explanation)
    Conv2d: Conv2d(3, 3, 5)
        3x32x32 -> 3x28x28
        output = floor((n + 2p - d(k - 1) - 1) / s) + 1
               = floor((32 + 2*0 - 1*(5 - 1) - 1) / 1) + 1
               = floor(27 / 1) + 1
               = 28
        parameters = 3 (5*5*3 + 1) = 228
        (One filter has 5*5*3 + 1 = 76; the layer has 3 of them.)
        connections: 178,752, of which 2,352 with a bias
    """
    dtype = next((p.dtype for p in model.parameters()), np.dtype(np.float32))
    with model.in_use():
        run = trace(model, np.zeros((1, *input_shape), dtype))
    return counted(model, run, explain)


def counted(model: Module, run: Trace, explain: bool = False) -> Summary:
    """The `summary` of a run of the model on one image, with a row for each of its `layers`."""
    fields, seen = _fields(run), set[Tensor]()
    rows, boards = [], []
    image: Shape = ()
    for call, (along, jump) in zip(run.layers(), fields, strict=True):
        layer, x, y = call.module, call.inputs[0].shape[1:], call.outputs[0].shape[1:]
        own = [p for p in own_parameters(layer) if p not in seen]
        seen.update(own)
        count, kind, name = sum(p.size for p in own), type(layer).__name__, call.name
        rows.append(Row(name or kind, kind, y, count, *layer.cost(x, y), along, jump))
        image = image if len(x) == 1 and math.prod(image) == x[0] else x  # what a Flatten has flattened
        if explain:
            lines = _board(layer, image, x, y, count)
            boards.append("\n    ".join([f"{name or kind}: {layer!r}", *lines]))
    dtype = next((p.dtype for p in model.parameters()), np.dtype(np.float32))
    elsewhere = {name: p.size for name, p in model.named_parameters() if p not in seen}
    numbers = sum(p.size for p in model.parameters()) + sum(math.prod(row.output_shape) for row in rows)
    return Summary(rows, numbers * dtype.itemsize, "\n\n".join(boards), elsewhere)


# -- what a unit sees --------------------------------------------------------------------------------------------------

Number = float | tuple[float, ...] | None


def _fields(run: Trace) -> list[tuple[Number, Number]]:
    """The receptive field and the jump of each layer's output, followed along the recipe."""
    spatial = run.inputs[0].shape[2:]
    start: Along = tuple(Sees(Fraction(1), Fraction(0), Fraction(1)) for _ in spatial)
    sees: dict[Tensor, Along] = dict.fromkeys(run.inputs, start)
    ended = {call.outputs[0]: call for call in reversed(run.layers()) if call.outputs[0] not in call.inputs}
    todo = sorted({*history(run.output), *(t for call in run.layers() for t in history(call.outputs[0]))}, key=_birth)
    for t in todo:
        if t in ended:
            sees[t] = _behind(ended[t], _joined(sees[x] for x in ended[t].inputs if x in sees))
        elif known := [sees[x] for x in t.inputs if x in sees]:
            sees[t] = _slid(t, _joined(known))
    return [_numbers(sees.get(call.outputs[0]), spatial) for call in run.layers()]


def _birth(t: Tensor) -> int:
    return t.birth


def _joined(branches: Iterable[Along]) -> Along:
    """What a unit sees that is computed from several: from where the first field begins to where the last one ends."""
    fields = list(branches)
    if not fields or any(f is None or len(f) != len(fields[0] or ()) for f in fields):
        return None
    joined = []
    for axis in zip(*(f for f in fields if f is not None), strict=True):
        b = min(one.b for one in axis)
        joined.append(Sees(max(one.b + one.r for one in axis) - b, b, max(one.j for one in axis)))
    return tuple(joined)


def _behind(call: Call, before: Along) -> Along:
    """What a unit behind a layer sees."""
    layer, x, y = call.module, call.inputs[0], call.outputs[0]
    if before is None or isinstance(layer, Dense):
        return None
    if "kernel_size" not in vars(layer):
        return None if _joins_places(layer, x, y) else before
    found = []
    for one, (k, s, (p, _), d) in zip(before, _windows(layer, len(before)), strict=True):
        if isinstance(layer, ConvTranspose2d):
            j = one.j / s
            found.append(Sees(one.r + d * (k - 1) * j, one.b - (d * (k - 1) - p) * j, j))
        else:
            found.append(Sees(one.r + d * (k - 1) * one.j, one.b - p * one.j, one.j * s))
    return tuple(found)


def _slid(t: Tensor, before: Along) -> Along:
    """What a unit sees behind an operator between the layers: more, if windows slid over its input."""
    windows = t.params.get("windows")
    if before is None or not isinstance(windows, Windows) or t.shape[2:] not in (windows.places, windows.size):
        return before
    found = []
    for one, k, s, d, (p, _) in zip(
        before, windows.kernel, windows.stride, windows.dilation, windows.margin, strict=True
    ):
        back = t.shape[2:] != windows.places  # a transposed convolution
        j = one.j / s if back else one.j
        b = one.b - ((d * (k - 1) - p) if back else p) * j
        found.append(Sees(one.r + d * (k - 1) * j, b, j if back else one.j * s))
    return tuple(found)


def _joins_places(layer: Module, x: Tensor, y: Tensor) -> bool:
    """Whether one place of an image moves others, as in a mean over all, or what there is beside it is lost."""
    if x.shape != y.shape:
        return x.size > y.size and math.prod(y.shape[2:]) == 1
    places = tuple(range(2, x.ndim)) or (1,)
    value = np.random.default_rng(0).normal(size=x.shape).astype(x.dtype)
    first = (slice(None),) * (x.ndim - len(places)) + (0,) * len(places)
    moved = value.copy()
    moved[first] += 3
    with no_grad(), layer.in_use():
        changed = layer(moved).data != layer(value).data
    changed[first] = False
    return bool(changed.any())


def _numbers(along: Along, spatial: Shape) -> tuple[Number, Number]:
    """Field and jump as numbers; the whole image where a unit sees everything, and nothing where there is no image."""
    if not spatial:
        return None, None
    if along is None:
        return _number(spatial), None
    return _number([math.floor(one.r) for one in along]), _number([one.j for one in along])


def _windows(layer: Module, axes: int) -> Iterator[tuple[int, int, tuple[int, int], int]]:
    """Kernel, stride, padding before and after, and dilation, on each axis."""
    settings = vars(layer)
    kernel = per_axis("kernel_size", settings["kernel_size"], axes)
    stride = settings.get("stride", 1)
    stride = kernel if stride is None else per_axis("stride", stride, axes)
    dilation = per_axis("dilation", settings.get("dilation", 1), axes)
    padding = margins(settings.get("padding", 0), kernel, stride, dilation)
    return zip(kernel, stride, padding, dilation, strict=True)


def _shape(numbers: Sequence[float]) -> str:
    return "x".join(f"{n:g}" for n in numbers)


def _number(numbers: Sequence[Fraction | int]) -> Number:
    """The same number on each axis as one number; a whole one as an int."""
    found = tuple(int(n) if n == int(n) else float(n) for n in numbers)
    return found[0] if len(set(found)) == 1 else found


# -- worked out as on the board ----------------------------------------------------------------------------------------


def _board(layer: Module, image: Shape, x: Shape, y: Shape, parameters: int) -> list[str]:
    lines = [f"{_shape(x)} -> {_shape(y)}"]
    if "kernel_size" in vars(layer) and len(x) > 1:
        lines += _sizes(layer, x)
    lines += _parameters(layer, image, parameters)
    cost = layer.cost(x, y)
    if cost.macs:
        lines.append(f"connections: {cost.connections:,}, of which {cost.connections - cost.macs:,} with a bias")
    return lines


def _sizes(layer: Module, x: Shape) -> Iterator[str]:
    """The output size along each axis, or once where all axes have the same numbers."""
    ceil_mode = vars(layer).get("ceil_mode", False)
    extras = per_axis("output_padding", vars(layer).get("output_padding", 0), len(x) - 1)
    axes = list(zip(x[1:], _windows(layer, len(x) - 1), extras, strict=True))
    for n, (k, s, (before, after), d), extra in dict.fromkeys(axes):
        if isinstance(layer, ConvTranspose2d):
            yield from sizes.explain(sizes.conv_transpose_output_size, n, k, s, before, extra, d).splitlines()
            continue
        if before != after:
            yield f'padding="same" keeps {n}: {before} before and {after} after, {d}*({k} - 1) together'
            continue
        yield from sizes.explain(n, k, s, before, d, ceil_mode).splitlines()
        yield from _keeps_size(k, s, before, d)


def _keeps_size(k: int, stride: int, padding: int, dilation: int) -> Iterator[str]:
    """What (K - 1) / 2 is good for, where that is the padding or nearly."""
    total = dilation * (k - 1)
    if not padding or padding not in (total // 2, total - total // 2):
        return
    half = f"({k} - 1) / 2" if dilation == 1 else f"{dilation}*({k} - 1) / 2"
    if total % 2:
        yield f"{half} = {total / 2} is not a whole number: with an even kernel, no two equal sides keep the size."
    elif stride > 1:
        yield f"Padding {padding} = {half} would keep the size at stride 1; at stride {stride} it does not."
    else:
        why = f"{k} is odd" if dilation == 1 else f"{dilation}*({k} - 1) = {total} is even"
        yield f"Padding {padding} = {half} keeps the size, since {why} and the stride is 1."


def _parameters(layer: Module, image: Shape, parameters: int) -> Iterator[str]:
    own = {name: value for name, value in vars(layer).items() if isinstance(value, Tensor)}
    if not own:
        yield "parameters = 0: there is nothing to learn"
    elif not parameters:
        yield "parameters: shared with a layer above, and counted there"
    elif isinstance(layer, Conv1d | Conv2d):
        o, c, *taps = layer.weight.shape
        products = "*".join(map(str, [*taps, c]))
        plus = " + 1" if layer.bias is not None else ""
        yield f"parameters = {o} ({products}{plus}) = {parameters:,}"
        yield f"(One filter has {products}{plus} = {parameters // o:,}; the layer has {o} of them.)"
    elif isinstance(layer, Dense):
        products = "*".join(map(str, [*image[1:], image[0]]))  # as flattened, if it was
        plus = " + 1" if layer.bias is not None else ""
        yield f"parameters = ({products}{plus}) {layer.out_features} = {parameters:,}"
    else:
        terms = (f"{name} {'*'.join(map(str, value.shape))}" for name, value in own.items())
        yield f"parameters = {' + '.join(terms)} = {parameters:,}"
