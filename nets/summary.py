"""What a network is made of, counted.

What you can do here: make a `summary` of a model, as a table, and with `explain=True` worked out as on the board.
What a unit sees is worked out in `fields.py`.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from minitensor import Tensor, sizes
from minitensor.checks import per_axis
from minitensor.windows import Windows

from .fields import Number, fields, windows_of
from .layers.module import Module, Shape, check_kind
from .layers.weighted import Conv, ConvTranspose, Dense
from .trace import Trace, own_parameters, trace


class Row(NamedTuple):
    """One layer; shapes are without the batch axis, and a parameter counts in the first layer that has it."""

    name: str
    kind: str
    output_shape: Shape
    parameters: int
    connections: int
    macs: int
    receptive_field: Number
    jump: Number


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
                _by(row.output_shape),
                *(f"{n:,}" for n in (row.parameters, row.connections, row.macs)),
                *("" if n is None else _by(n) if isinstance(n, tuple) else f"{n:g}" for n in row[-2:]),
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
        size = f"{self.memory / 1e6:,.1f} MB" if self.memory >= 1e5 else f"{self.memory / 1e3:,.1f} kB"
        note = f"{self.units:,} units; {size} of parameters and of outputs for one image"
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
    one without a kernel_size, and of what is computed between the layers, the operators tell (see `fields.py`).  What
    is computed between the layers has no row.
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
    check_kind("model", model, Module)
    dtype = next((p.dtype for p in model.parameters()), np.dtype(np.float32))
    with model.in_use():
        run = trace(model, np.zeros((1, *input_shape), dtype))
    return counted(model, run, explain)


def counted(model: Module, run: Trace, explain: bool = False) -> Summary:
    """The `summary` of a run of the model on one image, with a row for each of its `layers`."""
    seen = set[Tensor]()
    rows, boards = [], []
    image: Shape = ()
    for call, (sees, jump) in zip(run.layers(), fields(run), strict=True):
        layer, x, y = call.module, call.inputs[0].shape[1:], call.outputs[0].shape[1:]
        own = [p for p in own_parameters(layer) if p not in seen]
        seen.update(own)
        count, kind, name = sum(p.size for p in own), type(layer).__name__, call.name
        rows.append(Row(name or kind, kind, y, count, *layer.cost(x, y), sees, jump))
        image = image if len(x) == 1 and math.prod(image) == x[0] else x  # what a Flatten has flattened
        if explain:
            lines = _board(layer, image, x, y, count)
            boards.append("\n    ".join([f"{name or kind}: {layer!r}", *lines]))
    dtype = next((p.dtype for p in model.parameters()), np.dtype(np.float32))
    elsewhere = {name: p.size for name, p in model.named_parameters() if p not in seen}
    numbers = sum(p.size for p in model.parameters()) + sum(math.prod(row.output_shape) for row in rows)
    return Summary(rows, numbers * dtype.itemsize, "\n\n".join(boards), elsewhere)


# -- worked out as on the board ----------------------------------------------------------------------------------------


def _board(layer: Module, image: Shape, x: Shape, y: Shape, parameters: int) -> list[str]:
    lines = [f"{_by(x)} -> {_by(y)}"]
    if windows := windows_of(layer, x, y):
        lines += _sizes(layer, windows)
    lines += _parameters(layer, image, parameters)
    cost = layer.cost(x, y)
    if cost.macs:
        lines.append(f"connections: {cost.connections:,}, of which {cost.connections - cost.macs:,} with a bias")
    return lines


def _sizes(layer: Module, windows: Windows) -> Iterator[str]:
    """The output size along each axis, or once where all axes have the same numbers."""
    back = isinstance(layer, ConvTranspose)
    sizes_before = windows.places if back else windows.size
    ceil_mode = vars(layer).get("ceil_mode", False)
    extras = per_axis("output_padding", vars(layer).get("output_padding", 0), len(sizes_before))
    settings = windows.kernel, windows.stride, windows.margin, windows.dilation
    for n, k, s, (before, after), d, extra in dict.fromkeys(zip(sizes_before, *settings, extras, strict=True)):
        if back:
            yield from sizes.explain(sizes.conv_transpose_output_size, n, k, s, before, extra, d).splitlines()
        elif before != after:
            yield f'padding="same" keeps {n}: {before} before and {after} after, {d}*({k} - 1) together'
        else:
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
    elif isinstance(layer, Conv):
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


def _by(numbers: Sequence[float]) -> str:
    """As in 3x32x32."""
    return "x".join(f"{n:g}" for n in numbers)
