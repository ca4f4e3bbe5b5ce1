"""Section 9.5: variants of the convolution operation, and the arithmetic of their sizes.

What you can do here: call a figure.  The docstring of each is its caption.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from minitensor import (
    Tensor,
    conv1d,
    conv2d,
    conv_transpose2d,
    dense,
    gradients,
    locally_connected1d,
    max_pool2d,
    pad,
    relu,
    tiled_conv1d,
)
from minitensor.sizes import conv_output_size, explain, receptive_field
from nets import (
    SGD,
    Conv2d,
    Dense,
    Flatten,
    MaxPool2d,
    ReLU,
    Sequential,
    digits,
    fit,
    lenet5,
    summary,
)

from ...drawing.dot import ARROW, FIELD, KERNEL, NUMBER, PADDING, RESULT, WIRE, number
from ...drawing.figure import Figure
from ...drawing.sheet import CELL_SIZE, Drawing, above, beside, table, words
from ...drawing.style import LIGHT
from ..arithmetic import SETTINGS, convolution_arithmetic
from ..connections import wires_at
from ..connectivity import connectivity
from ..grids import convolution_steps, grid
from ..images import KERNELS, shown, translate
from ..rows import DX, DY
from .parts import DENSE, SMALL_IMAGE, SOBEL, SPARSE, a_digit, sobel, square, weights

SIX = weights(1, 1, 6)

# -- 9.5 variants of the basic convolution function --------------------------------------------------------------------


def a_volume() -> Figure:
    """A layer for images is a block of units: width and height as the image, depth for its feature maps.  A window of
    5 × 5 reads through the whole depth, and makes one number of the next block."""
    layer = Conv2d(3, 6, 5)
    (depth, height, width), after = (3, 32, 32), layer(Tensor(np.zeros((1, 3, 32, 32)))).shape[1:]
    drawing, side, clear = Drawing(), 5.0, {"style": "solid"}  # the line between the two lies below all that is filled
    start = drawing.cuboid(0, 0, side * width, side * height, side * depth, looks=clear)
    window = drawing.cuboid(-25, 20, side * 5, side * 5, side * depth, looks=FIELD)
    end = drawing.cuboid(300, 0, side * after[2], side * after[1], side * after[0], looks=clear)
    unit = drawing.cuboid(275, 20, side, side, side, looks=RESULT)
    drawing.wire(window, unit, {**ARROW, "color": LIGHT["field, line"]}, front=True)
    for number_, sizes in (start, (depth, height, width)), (end, after):
        block = drawing.shapes[number_]
        drawing.text(block.x, block.y - block.height / 2 - 16, f"width {sizes[2]}", 16)
        drawing.text(block.x - block.width / 2 - 6, block.y - 30, f"height\n{sizes[1]}", 16, align="r")
        right, top = block.x + block.width / 2 + 2 * sizes[0] + 8, block.y - block.height / 2 + 6
        drawing.text(right, top, f"depth {sizes[0]}", 16, align="l")
    return drawing.figure("a block of units, and a window through its whole depth")


def one_filter_through_three_channels() -> Figure:
    """One filter for an image of three channels is as deep as the image: weights for all of them, and one bias."""
    [weight, bias] = Conv2d(3, 1, 5).parameters()
    channels, height, width = weight.shape[1:]
    parts: list[Drawing] = []
    for channel in range(channels):
        plane = Drawing()
        plane.grid(0, 0, (height, width), [""] * height * width, [KERNEL] * height * width, side=26)
        parts += [above(words(f"channel {channel + 1}", 17), plane, gap=8), words("+", 26)]
    parts += [above(words("bias", 17), grid((1, 1), [""], lambda _: KERNEL), gap=8)]
    count = f"{height}·{width}·{channels} + {bias.size} = {weight.size + bias.size} parameters"
    return above(beside(*parts, gap=8), words(count, 20), gap=14).figure("one filter through three channels")


def the_size_on_a_line() -> Figure:
    """How many places has a window of width 3 and stride 2 on 7 units with a zero at both ends?  As many as there are
    strides in the room that is left beside its first place, and one more."""
    n, k, stride, padding = 7, 3, 2, 1
    places = conv_output_size(n, k, stride, padding)
    drawing, side = Drawing(), CELL_SIZE
    real = [padding <= i < padding + n for i in range(n + 2 * padding)]
    texts = [str(i - padding + 1) if inside else "0" for i, inside in enumerate(real)]
    drawing.grid(0, 0, (1, len(real)), texts, [{} if inside else PADDING for inside in real])
    drawing.text(-side, 0, f"n = {n}, p = {padding}", 16, align="r")
    for m in range(places):
        drawing.grid(m * stride * side, -(m + 1.4) * side, (1, k), [""] * k, [FIELD] * k)
        drawing.text(-side, -(m + 1.4) * side, f"place {m + 1}", 16, align="r")
    formula = explain(n, k, stride=stride, padding=padding).replace("-", "−").replace("*", "·")
    return above(drawing, words(formula, 16, "l"), gap=20).figure("the size of the output, on a line")


PROBLEM = Sequential(
    C1=Conv2d(1, 6, 5), S2=MaxPool2d(2), C3=Conv2d(6, 16, 5), S4=MaxPool2d(2), flat=Flatten(), F5=Dense(400, 10)
)


def the_problem() -> Figure:
    """An image of 32 × 32 goes through these layers: how large is each output, and how many parameters are there?"""
    return _sizes_by_layer(solved=False).figure("layers, and their sizes asked for")


def its_solution() -> Figure:
    """The sizes and the counts, worked out: k weights along an axis of n leave n - k + 1 places, pooling halves."""
    return _sizes_by_layer(solved=True).figure("layers, their sizes and their counts")


def _sizes_by_layer(solved: bool) -> Drawing:
    """A row for each layer, with what `summary` finds, or with question marks."""
    found = summary(PROBLEM, (1, 32, 32)).rows
    rows = [("layer", "", "output", "parameters"), ("input", "", "1 × 32 × 32", "")]
    for row in found:
        layer = dict(PROBLEM.children())[row.name]
        size = " × ".join(map(str, row.output_shape))
        if isinstance(layer, Conv2d):
            outputs, inputs, kernel, _ = layer.weight.shape
            what, count = f"{outputs} filters {kernel} × {kernel}", f"({kernel}·{kernel}·{inputs} + 1)·{outputs}"
        elif isinstance(layer, Dense):
            what, count = f"dense, to {row.output_shape[0]}", f"({layer.weight.shape[1]} + 1)·{row.output_shape[0]}"
        else:
            what, count = {"flat": "as a vector"}.get(row.name, "max of 2 × 2"), ""
        count = f"{count} = {row.parameters:,}" if count else "0"
        rows.append((row.name, what, size if solved else "?", count if solved else "?"))
    drawing = Drawing()
    for n, cells in enumerate(rows):
        for x, text in zip((0, 70, 270, 420), cells, strict=True):
            if text:
                bold = {"fontname": "Helvetica-Bold"} if n == 0 else {}
                drawing.text(x, -30 * n, text, 18, "l", **bold)
    return drawing


def down_sampling() -> Figure:
    """A stride of 2 (above) is a convolution of which every second output is thrown away (below, dashed): the same
    sums, in half of the time."""
    strided = connectivity(lambda x: conv1d(x, SPARSE, stride=2, padding=1), 7, title="Strided convolution, stride 2")
    two_steps = connectivity(
        [lambda x: conv1d(x, SPARSE, padding=1), lambda z: z[:, :, ::2]],
        7,
        letters="xzs",
        title="Convolution, then down-sampling",
    ).drawing
    for thrown_away in (7 + 1, 7 + 3, 7 + 5):
        shape = two_steps.shapes[thrown_away]
        two_steps.shapes[thrown_away] = replace(shape, looks={**shape.looks, **PADDING})
    return above(strided, two_steps, gap=26).figure("down-sampling")


def no_zero_padding() -> Figure:
    """Kernel width 6 and no padding: each layer loses five units, and three layers leave one of sixteen."""
    shrinking = [lambda x: conv1d(x, SIX)] * 3
    drawing = connectivity(shrinking, 16, highlight=0, direction="above").drawing.spread(0.72)
    return drawing.caption("No padding: 16, 11, 6, 1", size=18).figure("without padding a network shrinks")


def zero_padding() -> Figure:
    """Kernel width 6 and zeros (dashed) around each row: the size stays, and a network can be as deep as one likes."""
    staying = partial(conv1d, w=SIX, padding="same")
    drawing = connectivity([staying] * 3, 16, highlight=7, direction="above").drawing
    margin = 5 - max(j for j, i in wires_at(staying, (1, 1, 16)) if i == 0)  # zeros on the left
    for row in range(3):
        drawn: dict[int, int] = {}
        for j, i in wires_at(lambda x: conv1d(x, SIX), (1, 1, 16 + 5)):
            if (place := j - margin) not in range(16):
                if place not in drawn:
                    drawn[place] = drawing.unit(place * DX, row * DY, "0", {**NUMBER, **PADDING, "fontsize": "16"})
                drawing.wire(drawn[place], 16 * (row + 1) + i, {**WIRE, "style": "dashed"})
    drawing = drawing.spread(0.72)
    return drawing.caption("Zero padding: 16, 16, 16, 16", size=18).figure("zero padding keeps the size")


def padding_on_a_grid() -> Figure:
    """A margin of zeros (dashed) lets the window stand at the corner: the output is as large as the input."""
    return convolution_steps(np.array(SMALL_IMAGE)[:4, :4], SOBEL, padding=1, position=0)


def local_tiled_and_convolutional() -> Figure:
    """The same connections, and more and more sharing: none, in turns of t = 2, everywhere."""
    local, tiled, shared = weights(1, 1, 5, 2), weights(1, 1, 2, 2), weights(1, 1, 2)
    rows: list[tuple[str, Callable[[Tensor], Tensor]]] = [
        ("Locally connected:\nno sharing", lambda x: locally_connected1d(one_zero(x), local)),
        ("Tiled convolution:\nt = 2", lambda x: tiled_conv1d(one_zero(x), tiled)),
        ("Convolution:\nt = 1", lambda x: conv1d(one_zero(x), shared)),
    ]
    panels = [[words(name, 17), connectivity(layer, 5, share=True).drawing] for name, layer in rows]
    return table(panels, gap=30).figure("locally connected, tiled and convolutional layers")


def local_convolutional_and_full() -> Figure:
    """Local connections without sharing, a convolution, which shares, and full connections: 9, 2 and 25 weights."""
    local, shared = weights(1, 1, 5, 2), weights(1, 1, 2)
    rows: list[tuple[str, Callable[[Tensor], Tensor]]] = [
        (f"Local connections:\n{local.size - 1} weights", lambda x: locally_connected1d(one_zero(x), local)),
        (f"Convolution:\n{shared.size} weights", lambda x: conv1d(one_zero(x), shared)),
    ]
    panels = [[words(name, 17), connectivity(layer, 5, share=True).drawing] for name, layer in rows]
    full = connectivity(lambda x: dense(x, DENSE), 5).drawing
    return table([*panels, [words(f"Full connections:\n{DENSE.size} weights", 17), full]], gap=30).figure(
        "local connections, convolution, full connections"
    )


def arithmetic_of_convolution() -> Figure:
    """Padding, strides and dilation, as in the guide of Dumoulin and Visin: at one place of each.  Zeros are dashed."""
    chosen = ["no padding, no strides", "half padding, no strides", "padding, strides", "dilation"]
    return _places_of(chosen).figure("convolution arithmetic")


def arithmetic_of_transposed_convolution() -> Figure:
    """A transposed convolution is a convolution with zeros (dashed) around the input and, with a stride, between its
    cells."""
    chosen = ["no padding, no strides, transposed", "padding, strides, transposed"]
    return _places_of(chosen).figure("transposed convolution arithmetic")


def _places_of(names: list[str]) -> Drawing:
    """The third place of each of these settings, in two columns."""
    panels = [convolution_arithmetic(**SETTINGS[name], position=2, title=name.capitalize(), side=17) for name in names]
    return table([panels[i : i + 2] for i in range(0, len(panels), 2)], gap=24)


def checkerboard() -> Figure:
    """How many windows of a transposed convolution with stride 2 write into each cell.  With kernels of width 3 the
    counts alternate, and so does the brightness of what is drawn; with width 4, twice the stride, they do not."""
    panels, often = [], {"fillcolor": LIGHT["output, line"], "fontcolor": LIGHT["paper"]}
    for width in (3, 4):
        ones = Tensor(np.ones((1, 1, 4, 4))), Tensor(np.ones((1, 1, width, width)))
        counts = conv_transpose2d(*ones, stride=2).data[0, 0]
        cells = Drawing()
        looks = [{1: {}, 2: RESULT, 4: {**RESULT, **often}}[int(v)] for v in counts.flat]
        cells.grid(0, 0, counts.shape, [number(v) for v in counts.flat], looks)
        panels.append(above(words(f"Kernel {width} × {width}, stride 2", 18), cells, gap=10))
    return beside(*panels, gap=60).figure("the checkerboard of a transposed convolution")


def effective_receptive_field() -> Figure:
    """How much the unit in the middle feels each pixel, through 5, 10 and 15 layers of 3 × 3: far less at the border of
    its receptive field (the frame) than in its middle (Luo et al. 2016).  The mean of 20 random networks; the
    brightness is its square root, so that small values can be seen."""
    rng, size, panels = np.random.default_rng(0), 35, []
    for depth in (5, 10, 15):
        felt = np.zeros((size, size))
        for _ in range(20):
            x = Tensor(rng.normal(size=(1, 1, size, size)))
            y = x
            for _ in range(depth):
                # A spread of about sqrt(2 / 9) keeps the size through relu, a mean above 0 more of the units above 0.
                w = rng.normal(0.2, 0.5, (1, 1, 3, 3))
                y = relu(conv2d(y, Tensor(w), padding=1))
            [slope] = gradients(y[0, 0, size // 2, size // 2], [x])
            felt += np.abs(slope.data[0, 0]) / (np.abs(slope.data).max() or 1)
        drawing, pixel = Drawing(), 200 / size
        drawing.image(0, 0, 200, 200, shown(np.sqrt(felt / felt.max())))
        field = pixel * receptive_field([(3, 1)] * depth)
        drawing.box(0, 0, field, field, "", {"style": "solid", "color": LIGHT["field, line"], "penwidth": "3"})
        said = f"{depth} layers: field {receptive_field([(3, 1)] * depth)} × {receptive_field([(3, 1)] * depth)}"
        panels.append(above(words(said, 17), drawing, gap=10))
    return beside(*panels, gap=30).figure("the effective receptive field")


def learned_filters() -> Figure:
    """Eight filters of 7 × 7, before and after a small network has learnt to read digits with them; grey is 0."""
    rng = np.random.default_rng(0)  # the same picture each time
    first, last = Conv2d(1, 8, 7, rng=rng), Dense(8 * 5 * 5, 10, rng=rng)
    model = Sequential(C1=first, act=ReLU(), pool=MaxPool2d(2), flat=Flatten(), out=last)
    rows = []
    for name in ("Before", "After"):
        drawing = Drawing()
        for n, kernel in enumerate(model.C1.weight.data[:, 0]):
            drawing.image(n * 84, 0, 72, 72, shown(np.asarray(kernel, dtype=float), signed=True))
        rows.append([words(name, 18), drawing])
        if name == "Before":
            fit(
                model,
                digits(size=16)[0],
                epochs=20,
                optimizer=SGD(model, 0.05, momentum=0.9, weight_decay=0.01),
                progress=False,
            )
    return table(rows, gap=20).figure("filters that have been learnt")


def strides_and_dilation() -> Figure:
    """Stride moves the window further, dilation spreads it out; padding lets it begin before the row does."""
    layers = {
        "Stride 1": partial(conv1d, w=SPARSE),
        "Stride 2": partial(conv1d, w=SPARSE, stride=2),
        "Dilation 2": partial(conv1d, w=SPARSE, dilation=2),
        "Stride 2, padding 1": partial(conv1d, w=SPARSE, stride=2, padding=1),
    }
    panels = [connectivity(layer, 7, highlight=1, direction="above", title=t) for t, layer in layers.items()]
    return table([panels[:2], panels[2:]], gap=70).figure("stride, dilation and padding")


def a_window_on_a_grid() -> Figure:
    """A 3 × 3 convolution and 2 × 2 pooling: one unit at the end sees a window of 4 × 4."""
    kernel = weights(1, 1, 3, 3)
    stack = [lambda x: conv2d(x, kernel), lambda x: max_pool2d(x, 2)]
    return connectivity(
        stack,
        (6, 6),
        highlight=3,
        direction="above",
        rows=["Input\n6 × 6", "after a 3 × 3 convolution\n4 × 4", "after 2 × 2 pooling\n2 × 2"],
    )


def filters_and_feature_maps() -> Figure:
    """Several filters side by side: each makes a feature map of its own."""
    image, drawing = a_digit(), Drawing()
    source = drawing.image(0, 0, 128, 128, shown(image.data[0, 0]))
    names = ["Edge detection 2", "Sharpen", "Gaussian blur", "Sobel"]
    for n, name in enumerate(names):
        y = (len(names) - 1) / 2 * 124 - n * 124
        made = conv2d(image, Tensor([[KERNELS[name]]])).data[0, 0]
        kernel = drawing.image(230, y, 72, 72, shown(np.array(KERNELS[name]), signed=True))
        drawing.text(230, y + (48 if n < 2 else -48), name, 15)
        feature = drawing.image(440, y, 108, 108, shown(made, signed=sum(map(sum, KERNELS[name])) == 0))
        for tail, head in (source, kernel), (kernel, feature):
            drawing.wire(tail, head, ARROW)
    for x, text in (0, "Input 32 × 32"), (230, "4 filters 3 × 3"), (440, "4 maps 30 × 30"):
        drawing.text(x, 274, text, 17, fontname="Helvetica-Bold")
    return drawing.figure("filters and feature maps")


def channels_that_see_some_channels() -> Figure:
    """Which of 6 input channels (rows) each of 16 output channels (columns) reads: all, its group's, or those that
    LeNet-5's table for its layer C3 allows.  Fewer connections are fewer parameters."""
    layers = {
        "All channels": Conv2d(6, 16, 5),
        "Two groups": Conv2d(6, 16, 5, groups=2),
        "LeNet-5's table": lenet5().C3,
    }
    panels = []
    for name, layer in layers.items():
        read = {(j // 25, i) for j, i in wires_at(layer, (1, 6, 5, 5))}
        cells = Drawing()
        cells.grid(0, 0, (6, 16), [""] * 96, [FIELD if divmod(n, 16) in read else {} for n in range(96)], side=20)
        for n in range(16):
            cells.text(20 * n, 20, str(n), 15)
        for n in range(6):
            cells.text(-16, -20 * n, str(n), 15, align="r")
        count = sum(p.size for p in layer.parameters())
        panels.append(above(words(f"{name}: {count:,} parameters", 16), cells, gap=6))
    return above(*panels, gap=12).figure("output channels that see some of the input channels")


def translation_and_stride() -> Figure:
    """With stride 2 a move by one pixel is half a step of the output: the order matters, even far from the border."""
    return square(partial(sobel, stride=2), partial(translate, right=1), ("stride-2 Sobel", "move right"))


def one_zero(x: Tensor) -> Tensor:
    """A zero at the end of each row, so that a kernel of width 2 has as many places as there are inputs."""
    return pad(x, [(0, 0), (0, 0), (0, 1)])
