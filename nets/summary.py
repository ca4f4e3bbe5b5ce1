"""What a network is made of, counted.

What you can do here: make a `summary` of a model, as a table, and with `explain=True` worked out as on the board.

Letters: r receptive field, how many inputs along one axis a unit can see; j jump, the distance of two neighbouring
units measured in inputs.  A layer with kernel k, stride s and dilation d adds d(k - 1) j to r and multiplies j by s; a
transposed convolution adds d(k - 1) j / s and divides by s, and r is then an upper limit.
Source: Araujo, Norris and Sim, Computing receptive fields of convolutional neural networks, Distill (2019).
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from minitensor import Tensor, no_grad, sizes
from minitensor.windows import margins, per_axis

from .layers import Conv1d, Conv2d, ConvTranspose2d, Dense
from .module import Module, Shape

Along = tuple[Fraction | int, ...] | None  # a number for each spatial axis; None once each unit can see everything


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

    @property
    def parameters(self) -> int:
        """Numbers to learn."""
        return sum(row.parameters for row in self.rows)

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
        return "\n".join(
            [*(line.rstrip() for line in table), note, *(["", self.explanation] if self.explanation else [])]
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        def row(cells: list[str], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{html.escape(c)}</{tag}>" for c in cells) + "</tr>"

        head, *body = self._cells()
        table = "".join([row(head, "th"), *(row(cells, "td") for cells in body)])
        return f"<table>{table}</table>" + (f"<pre>{html.escape(self.explanation)}</pre>" if self.explanation else "")


def summary(model: Module, input_shape: Shape, *, explain: bool = False) -> Summary:
    """The layers of a model for an input of this shape (without the batch axis), in the order in which they compute.

    Found by running the model on zeros, so the shapes are those that it really makes.  Connections and macs are what
    `cost` of each layer says; field and jump follow from what it stores as kernel_size, stride, padding and dilation,
    so a layer of your own without a kernel_size counts as one that treats each element by itself.
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
    field: Along = (1,) * (len(input_shape) - 1) or None
    jump: Along = field
    seen: set[Tensor] = set()
    rows, boards = [], []
    image: Shape = ()
    for name, layer, x, y in _trace(model, input_shape):
        own = [p for p in vars(layer).values() if isinstance(p, Tensor) and p not in seen]
        seen.update(own)
        field, jump = _seen_by(layer, x, field, jump, input_shape)
        cost = layer.cost(x, y)
        count = sum(p.size for p in own)
        kind = type(layer).__name__
        rows.append(Row(name or kind, kind, y, count, *cost, _number(_whole(field)), _number(jump)))
        image = image if len(x) == 1 and math.prod(image) == x[0] else x  # what a Flatten has flattened
        if explain:
            lines = _board(layer, image, x, y, count)
            boards.append("\n    ".join([f"{name or kind}: {layer!r}", *lines]))
    dtype = next((p.dtype for p in model.parameters()), np.dtype(np.float32))
    numbers = sum(p.size for p in seen) + sum(math.prod(row.output_shape) for row in rows)
    return Summary(rows, numbers * dtype.itemsize, "\n\n".join(boards))


def _trace(model: Module, input_shape: Shape) -> list[tuple[str, Module, Shape, Shape]]:
    """Each layer that computes, with its name and the shapes of its input and output, from a run on zeros."""
    calls: list[tuple[str, Module, Shape, Shape]] = []
    names: dict[Module, list[str]] = {}  # more than one for a layer that is used in several places
    for name, module in model.modules():
        if not module.children() or any(isinstance(value, Tensor) for value in vars(module).values()):
            names.setdefault(module, []).append(name)

    def record(module: Module, forward: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        y = forward(x)
        name = names[module].pop(0) if len(names[module]) > 1 else names[module][0]
        calls.append((name, module, x.shape[1:], y.shape[1:]))
        return y

    dtype = next((p.dtype for p in model.parameters()), np.dtype(np.float32))
    try:
        for module in names:  # an attribute of the instance goes before the method of its class
            vars(module)["forward"] = lambda x, m=module, f=module.forward: record(m, f, x)
        with model.in_use(), no_grad():
            model(np.zeros((1, *input_shape), dtype))
    finally:
        for module in names:
            del vars(module)["forward"]
    return calls


def _seen_by(layer: Module, x: Shape, field: Along, jump: Along, input_shape: Shape) -> tuple[Along, Along]:
    """Receptive field and jump behind a layer, from those before it."""
    if isinstance(layer, Dense) and field is not None:
        return tuple(input_shape[1:]), None
    if field is None or jump is None or "kernel_size" not in vars(layer):
        return field, jump
    grown, strides = [], []
    for k, s, _, d in _windows(layer, len(field)):
        if isinstance(layer, ConvTranspose2d):
            grown.append(Fraction(d * (k - 1), s))
            strides.append(Fraction(1, s))
        else:
            grown.append(Fraction(d * (k - 1)))
            strides.append(Fraction(s))
    return (
        tuple(r + g * j for r, g, j in zip(field, grown, jump, strict=True)),
        tuple(j * s for j, s in zip(jump, strides, strict=True)),
    )


def _windows(layer: Module, axes: int) -> Iterator[tuple[int, int, tuple[int, int], int]]:
    """Kernel, stride, padding before and after, and dilation, on each axis."""
    settings = vars(layer)
    kernel = per_axis("kernel_size", settings["kernel_size"], axes)
    stride = settings.get("stride", 1)
    stride = kernel if stride is None else per_axis("stride", stride, axes)
    dilation = per_axis("dilation", settings.get("dilation", 1), axes)
    padding = margins(settings.get("padding", 0), kernel, stride, dilation)
    return zip(kernel, stride, padding, dilation, strict=True)


def _whole(along: Along) -> Along:
    return None if along is None else tuple(math.floor(n) for n in along)


def _shape(numbers: tuple[float, ...]) -> str:
    return "x".join(f"{n:g}" for n in numbers)


def _number(along: Along) -> float | tuple[float, ...] | None:
    """The same number on each axis as one number; a whole one as an int."""
    if along is None:
        return None
    numbers = tuple(int(n) if n == int(n) else float(n) for n in along)
    return numbers[0] if len(set(numbers)) == 1 else numbers


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
        yield f"Padding {padding} = {half} keeps the size, since {k} is odd and the stride is 1."


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
