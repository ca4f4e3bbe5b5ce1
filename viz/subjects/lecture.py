"""The figures of the lecture, each a function of a few lines that computes what it shows.

What you can do here: call one of them, or go through `FIGURES`.

The docstring of a figure is its caption.  Sections are those of Goodfellow, Bengio and Courville, Deep Learning:
chapter 9 (https://www.deeplearningbook.org/contents/convnets.html), and chapter 6 for the computation graphs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from minitensor import (
    Tensor,
    avg_pool2d,
    concatenate,
    conv1d,
    conv2d,
    conv_transpose2d,
    cross_entropy,
    dense,
    gradients,
    locally_connected1d,
    lp_pool2d,
    max_pool1d,
    max_pool2d,
    maxout,
    pad,
    relu,
    sigmoid,
    softmax,
    softplus,
    tanh,
    tiled_conv1d,
    transpose,
    weighted_avg_pool2d,
)
from minitensor.sizes import conv_output_size, explain, receptive_field
from minitensor.tensor import Array
from nets import (
    SGD,
    Conv2d,
    ConvTranspose2d,
    Dense,
    Flatten,
    GroupMaxPool,
    LiftingConv2d,
    MaxPool2d,
    Module,
    ReLU,
    Sequential,
    alexnet,
    digits,
    fit,
    lenet,
    lenet5,
    summary,
)

from ..drawing.dot import ARROW, FIELD, FOCUS, KERNEL, NOTE, NUMBER, PADDING, RESULT, WIRE, number
from ..drawing.figure import Figure
from ..drawing.sheet import CELL_SIZE, Drawing, above, beside, table, words
from ..drawing.style import LIGHT, Style
from .architecture import architecture
from .arithmetic import SETTINGS, convolution_arithmetic
from .computation import by_layer, computation_graph
from .connections import wires_at
from .connectivity import connectivity
from .grids import Moving, convolution_letters, convolution_steps, grid
from .images import KERNELS, commuting_square, filters, halve, photograph, quarter_turn, shown, translate
from .rows import DX, DY

SMALL_IMAGE = [[1, 0, 2, 1, 0], [0, 1, 3, 1, 1], [2, 1, 0, 0, 2], [1, 3, 1, 2, 0], [0, 1, 2, 1, 1]]
SOBEL = KERNELS["Sobel"]


def weights(*shape: int) -> Tensor:
    """Some weights, none of them 0; a picture of wires does not depend on their values."""
    return Tensor(np.linspace(1, 2, int(np.prod(shape))).reshape(shape), name="w")


GRADIENT, OUTPUT = LIGHT["gradient"], LIGHT["output, line"]
SPARSE, DENSE, SIX = weights(1, 1, 3), weights(5, 5), weights(1, 1, 6)

# -- 9.1 the convolution operation -------------------------------------------------------------------------------------


def convolution_in_letters() -> Figure:
    """Two-dimensional convolution without flipping the kernel: each output is a weighted sum, written out."""
    return convolution_letters(conv2d, (3, 4), (2, 2))


def one_step_of_a_convolution() -> Figure:
    """The window at one position: nine products, one sum, one number of the output."""
    return convolution_steps(SMALL_IMAGE, SOBEL, position=5)


def convolution_animated() -> Moving:
    """The window slides: all nine positions, one after the other."""
    return Moving.of(
        [convolution_steps(SMALL_IMAGE, SOBEL, position=i, whole_output=False) for i in range(9)], "the window slides"
    )


def all_steps_of_a_convolution() -> Figure:
    """The same window at all nine positions, in reading order."""
    return convolution_steps(SMALL_IMAGE, SOBEL)


def filter_effects() -> Figure:
    """What eight small kernels make of a photograph; where the kernel's sum is 0, grey stands for 0."""
    return filters()


# -- 9.2 motivation ----------------------------------------------------------------------------------------------------


def sparse_and_dense_from_below() -> Figure:
    """Seen from below: with a kernel of width 3 the input x3 reaches three outputs, in a dense layer all of them."""
    follow = partial(connectivity, input_shape=5, highlight=2, direction="below")
    convolution = follow(lambda x: conv1d(x, SPARSE, padding=1), title="Sparse: convolution, kernel width 3")
    matrix = follow(lambda x: dense(x, DENSE), title="Dense: matrix multiplication")
    return above(convolution, matrix).figure("sparse and dense connections, seen from below")


def sparse_and_dense_from_above() -> Figure:
    """Seen from above: the output s3 sees three inputs, its receptive field; in a dense layer it sees all of them."""
    follow = partial(connectivity, input_shape=5, highlight=2, direction="above")
    convolution = follow(lambda x: conv1d(x, SPARSE, padding=1), title="Sparse: convolution, kernel width 3")
    matrix = follow(lambda x: dense(x, DENSE), title="Dense: matrix multiplication")
    return above(convolution, matrix).figure("sparse and dense connections, seen from above")


def growing_receptive_field() -> Figure:
    """A unit in a deeper layer sees more of the input, although each layer's connections are sparse."""
    layer = partial(conv1d, w=SPARSE, padding=1)
    return connectivity([layer, layer], 5, highlight=2, direction="above", title="Two layers, kernel width 3")


def parameter_sharing() -> Figure:
    """The bold arrows carry one and the same weight: a convolution uses it everywhere, a dense layer once."""
    convolution = connectivity(
        lambda x: conv1d(x, SPARSE, padding=1), 5, share="b", title="Sharing: one weight, all positions"
    )
    matrix = connectivity(lambda x: dense(x, DENSE), 5, share="m", title="No sharing: each weight once")
    return above(convolution, matrix).figure("parameter sharing")


def weights_with_letters() -> Figure:
    """All three weights of a kernel of width 3: equal letters are one parameter."""
    return connectivity(lambda x: conv1d(x, SPARSE, padding=1), 6, share=True, title="Convolution, kernel width 3")


def efficiency_of_edge_detection() -> Figure:
    """Each pixel less its left neighbour: vertical edges.  A convolution does it with two numbers; a matrix that does
    the same has a number for each pair of an input and an output, nearly all of them 0."""
    image, kernel = photograph(), np.array([[-1.0, 1.0]])
    edges = conv2d(Tensor(image[None, None]), Tensor(kernel[None, None])).data[0, 0]
    counts = []
    for name, terms, stored in (
        ("Convolution", kernel.size, kernel.size),
        ("Matrix", image.size, image.size * edges.size),
    ):
        operations = edges.size * (2 * terms - 1)  # so many products, and one sum less, for each output
        counts.append(f"{name}: {stored:,} numbers to store, {operations:,} multiplications and additions")
    drawing = beside(
        _picture(image), _arrow(), grid((1, 2), [number(v) for v in kernel.flat], lambda _: KERNEL), gap=12
    )
    drawing = beside(drawing, _arrow(), _picture(edges, signed=True), gap=12)
    return above(drawing, words("\n".join(counts), 15), gap=18).figure("efficiency of edge detection")


def translation_and_convolution() -> Figure:
    """Convolution commutes with translation: they differ at the border alone, where pixels leave and zeros enter."""
    return _square(_sobel, partial(translate, right=1), ("Sobel", "move right"))


def rotation_and_convolution() -> Figure:
    """Convolution does not commute with rotation: the kernel would have to turn too."""
    return _square(_sobel, quarter_turn, ("Sobel", "quarter turn"))


def rotation_and_group_convolution() -> Figure:
    """With Sobel's kernel in all four positions, and the largest of the sums, it does commute with quarter turns."""
    lifting = LiftingConv2d(1, 1, 3, padding=1, bias=False).astype(float)
    lifting.load_state_dict({"weight": [[SOBEL]]})
    return _square(lambda x: GroupMaxPool()(lifting(x)), quarter_turn, ("four Sobels", "quarter turn"))


def scale_and_convolution() -> Figure:
    """Convolution does not commute with a change of scale: the kernel stays as large as it was."""
    return _square(_sobel, halve, ("Sobel", "halve"))


# -- 9.3 pooling -------------------------------------------------------------------------------------------------------


def three_stages() -> Figure:
    """The three stages of a convolutional layer: an affine map, a non-linearity, pooling."""
    image = _digit()
    affine = _sobel(image)
    detected = relu(affine)
    pooled = max_pool2d(detected, 2)
    stages = [
        ("Input", "a digit", image),
        ("Convolution stage", "Sobel's kernel; grey is 0", affine),
        ("Detector stage", "relu: negative becomes 0", detected),
        ("Pooling stage", "largest of each 2 × 2", pooled),
    ]
    drawing, before = Drawing(), None
    for n, (name, what, value) in enumerate(stages):
        pixels = value.data[0, 0]
        side = 128.0 * len(pixels) / 32  # pooling makes it smaller
        number_here = drawing.image(n * 220, 0, side, side, shown(pixels, signed=value is affine))
        drawing.text(n * 220, -80, name, 16, fontname="Helvetica-Bold")
        drawing.text(n * 220, -110, f"{what}\n{pixels.shape[0]} × {pixels.shape[1]}", 13, fontcolor=NOTE)
        if before is not None:
            drawing.wire(before, number_here, ARROW)
        before = number_here
    return drawing.figure("the three stages of a convolutional layer")


def max_pooling_invariance() -> Figure:
    """The detectors shifted to the right by one: every value of the bottom row changes, only half of the top row."""
    row = [0.3, 0.1, 1.0, 0.2, 0.1, 0.0]
    shifted = [0.2, 0.3, 0.1, 1.0, 0.2, 0.1]
    pool = partial(max_pool1d, kernel_size=3, stride=1, padding=1)
    draw = partial(connectivity, pool, ends=1, rows=["Detector stage", "Pooling stage"])
    first = draw(x=row, title="Max pooling, width 3, stride 1")
    second = draw(x=shifted, compare=row, title="Input shifted right by one (pink: changed)")
    return above(first, second).figure("max pooling is almost invariant to translation")


def learned_invariance() -> Figure:
    """Maxout over three filters, one for each turn of a digit: another filter answers, and the answer is as large."""
    upright = _digit().data[0, 0]
    filters = [_turned(upright, degrees) for degrees in (35, 0, -35)]
    bank = Tensor(np.stack([f / np.linalg.norm(f) for f in filters])[:, None])
    panels: list[Drawing] = []
    for degrees in (35, -35):
        image = _turned(upright, degrees)
        responses = conv2d(Tensor(image[None, None] / np.linalg.norm(image)), bank).data.reshape(1, 3)
        drawing = connectivity(lambda r: maxout(r, 3), x=responses, rows=["Detectors", "Maxout"]).drawing
        digit = drawing.image(72, -200, 70, 70, shown(image))
        for n, one in enumerate(filters):
            here = drawing.image(n * 72, -84, 54, 54, shown(one))
            drawing.wire(digit, here)
            drawing.wire(here, n)
        for y, name in (-84, "Filters"), (-200, "Input"):
            drawing.text(-40, y, name, 16, align="r")
        drawing.text(72, -246, f"the digit turned by {number(degrees)}°", 16)
        panels.append(drawing)
    return beside(*panels).figure("invariance that is learned")


def pooling_with_stride() -> Figure:
    """Width 3 and stride 2.  The formula, rounding down, gives two pools for six detectors, and the sixth is read by
    none; with ceil_mode a third, partial window reads it.  That is the book's picture."""
    floor = connectivity(
        partial(max_pool1d, kernel_size=3, stride=2),
        x=[0.1, 1.0, 0.2, 0.1, 0.0, 0.1],
        title="ceil_mode=False: floor(3 / 2) + 1 = 2 pools",
    )
    ceil = connectivity(
        partial(max_pool1d, kernel_size=3, stride=2, ceil_mode=True),
        x=[0.1, 1.0, 0.2, 0.1, 0.0, 0.1],
        title="ceil_mode=True: ceil(3 / 2) + 1 = 3 pools",
    )
    return above(floor, ceil).figure("pooling with a stride")


def four_kinds_of_pooling() -> Figure:
    """One image, four ways to make one number of a window: the largest, the average, the root of the sum of squares
    (L2 norm), and an average that weighs the middle most, which needs a window with a middle."""
    image = np.array([[1.0, 3, 2, 0], [5, 3, 0, 2], [0, 4, 3, 4], [3, 0, 6, 8]])
    kinds: dict[str, Callable[[Tensor], Tensor]] = {
        "Maximum\n2 × 2, stride 2": partial(max_pool2d, kernel_size=2),
        "Average\n2 × 2, stride 2": partial(avg_pool2d, kernel_size=2),
        "L2 norm\n2 × 2, stride 2": partial(lp_pool2d, kernel_size=2, norm=2),
        "Weighted average\n3 × 3, stride 1": partial(weighted_avg_pool2d, kernel_size=3, stride=1, sigma=0.8),
    }
    panels = []
    for name, pool in kinds.items():
        y = pool(Tensor(image[None, None])).data[0, 0]
        seen = {j for j, i in wires_at(pool, (1, 1, 4, 4)) if i == 0}
        source = grid((4, 4), [number(v) for v in image.flat], lambda j, seen=seen: FIELD if j in seen else {})  # type: ignore[misc]
        result = grid(y.shape, [number(v) for v in y.flat], lambda i: RESULT if i == 0 else {})
        panels.append(above(words(name, 16), beside(source, _arrow(), result, gap=10), gap=12))
    return table([panels[:2], panels[2:]], gap=60).figure("four kinds of pooling")


def translation_and_pooling() -> Figure:
    """A move by one pixel is half a step of a 2 × 2 pooling: the windows hold other pixels, and the order matters."""
    return _square(partial(max_pool2d, kernel_size=2), partial(translate, right=1), ("max pool 2", "move right"))


# -- 9.5 variants of the basic convolution function --------------------------------------------------------------------


def a_volume() -> Figure:
    """A layer for images is a block of units: width and height as the image, depth for its feature maps.  A window of
    5 × 5 reads through the whole depth, and makes one number of the next block."""
    layer = Conv2d(3, 6, 5)
    (depth, height, width), after = (3, 32, 32), layer(Tensor(np.zeros((1, 3, 32, 32)))).shape[1:]
    drawing, side = Drawing(), 5.0
    start = drawing.cuboid(0, 0, side * width, side * height, side * depth)
    window = drawing.cuboid(-25, 20, side * 5, side * 5, side * depth, looks=FIELD)
    end = drawing.cuboid(300, 0, side * after[2], side * after[1], side * after[0])
    unit = drawing.cuboid(275, 20, side, side, side, looks=RESULT)
    drawing.wire(window, unit, {**ARROW, "color": LIGHT["field, line"]}, front=True)
    for number_, sizes in (start, (depth, height, width)), (end, after):
        block = drawing.shapes[number_]
        drawing.text(block.x, block.y - block.height / 2 - 16, f"width {sizes[2]}", 16)
        drawing.text(block.x - block.width / 2 - 6, block.y, f"height\n{sizes[1]}", 16, align="r")
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
    staying = [lambda x: conv1d(x, SIX, padding="same")] * 3
    drawing = connectivity(staying, 16, highlight=7, direction="above").drawing
    margin = 5 - max(j for j, i in wires_at(staying[0], (1, 1, 16)) if i == 0)  # zeros on the left
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
    """A transposed convolution is a convolution with zeros (dashed) around its cells, with a stride between them."""
    chosen = ["no padding, no strides, transposed", "padding, strides, transposed"]
    return _places_of(chosen).figure("transposed convolution arithmetic")


def _places_of(names: list[str]) -> Drawing:
    """The third place of each of these settings, in two columns."""
    panels = [convolution_arithmetic(**SETTINGS[name], position=2, title=name.capitalize(), side=17) for name in names]
    return table([panels[i : i + 2] for i in range(0, len(panels), 2)], gap=24)


def checkerboard() -> Figure:
    """How many windows of a transposed convolution with stride 2 write into each cell.  With kernels of width 3 the
    counts alternate, and so does the brightness of what is drawn; with width 4, twice the stride, they do not."""
    panels = []
    for width in (3, 4):
        ones = Tensor(np.ones((1, 1, 4, 4))), Tensor(np.ones((1, 1, width, width)))
        counts = conv_transpose2d(*ones, stride=2).data[0, 0]
        cells = Drawing()
        looks = [{1: {}, 2: FIELD, 4: FOCUS}[int(v)] for v in counts.flat]
        cells.grid(0, 0, counts.shape, [number(v) for v in counts.flat], looks)
        panels.append(above(words(f"Kernel {width} × {width}, stride 2", 18), cells, gap=10))
    return beside(*panels, gap=60).figure("the checkerboard of a transposed convolution")


def effective_receptive_field() -> Figure:
    """How much the unit in the middle feels each pixel, through 5, 10 and 15 layers of 3 × 3: far less at the border of
    its receptive field (the frame) than in its middle (Luo et al. 2016).  The mean of 20 random networks."""
    rng, size, panels = np.random.default_rng(0), 35, []
    for depth in (5, 10, 15):
        felt = np.zeros((size, size))
        for _ in range(20):
            x = Tensor(rng.normal(size=(1, 1, size, size)))
            y = x
            for _ in range(depth):
                y = relu(conv2d(y, Tensor(rng.normal(size=(1, 1, 3, 3)) / 2 + 0.2), padding=1))
            [slope] = gradients(y[0, 0, size // 2, size // 2], [x])
            felt += np.abs(slope.data[0, 0]) / (np.abs(slope.data).max() or 1)
        drawing, pixel = Drawing(), 200 / size
        drawing.image(0, 0, 200, 200, shown(np.sqrt(felt / felt.max())))
        field = pixel * receptive_field([(3, 1)] * depth)
        drawing.box(0, 0, field, field, "", {"style": "solid", "color": LIGHT["followed"], "penwidth": "2"})
        said = f"{depth} layers: field {receptive_field([(3, 1)] * depth)} × {receptive_field([(3, 1)] * depth)}"
        panels.append(above(words(said, 17), drawing, gap=10))
    return beside(*panels, gap=30).figure("the effective receptive field")


def learned_filters() -> Figure:
    """Eight filters of 7 × 7, before and after a small network has learnt to read digits with them; grey is 0."""
    model = Sequential(C1=Conv2d(1, 8, 7), act=ReLU(), pool=MaxPool2d(2), flat=Flatten(), out=Dense(8 * 5 * 5, 10))
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
    image, drawing = _digit(), Drawing()
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
    return _square(partial(_sobel, stride=2), partial(translate, right=1), ("stride-2 Sobel", "move right"))


# -- 6.3, 6.5 non-linearities and computation graphs -------------------------------------------------------------------


def non_linearities() -> Figure:
    """Four non-linearities and their derivatives by backpropagation, from -4 to 4; at the kink of relu it is 0."""
    functions = {"relu": relu, "tanh": tanh, "sigmoid": sigmoid, "softplus": softplus}
    plots = [_plot(name, f) for name, f in functions.items()]
    legend = Drawing()
    for x, text, color in (0, "f(x)", OUTPUT), (110, "derivative f′(x)", GRADIENT):
        legend.curve([(x, 0), (x + 26, 0)], color)
        legend.text(x + 32, 0, text, 17, align="l")
    return above(table([plots[:2], plots[2:]], gap=30), legend, gap=14).figure("four non-linearities")


def graph_of_an_expression() -> Figure:
    """L = (tanh(w x + b) - t)^2, with all values and gradients."""
    x, w, b, t = (Tensor(v, name=name) for name, v in {"x": 0.5, "w": -1.2, "b": 0.8, "t": 1.0}.items())
    loss = (tanh(w * x + b) - t) ** 2
    loss.name = "L"
    return computation_graph(loss, gradients=True, style=Style(orientation="right"))


def graph_of_a_gradient() -> Figure:
    """The derivative of x^3 is a Tensor with a recipe, so it has a derivative in turn, and the same call draws that:
    6 x, which is 18 at x = 3."""
    x = Tensor(3.0, name="x")
    [slope] = gradients(x**3, [x])
    [bend] = gradients(slope, [x])
    return computation_graph(bend)


def attention_over_five_tokens() -> Figure:
    """Each token is a node.  In self-attention each output sees all five (above); with a causal mask, which adds -10^9
    before the softmax, only those that came before it and itself (below)."""
    words_ = {(0, n): word for n, word in enumerate(["the", "cat", "sat", "on", "it"])}
    draw = partial(connectivity, input_shape=(5, 4), unit=0, highlight=2, direction="above", labels=words_)
    mask = np.triu(np.full((5, 5), -1e9), 1)
    everything = draw(attention, title="Self-attention")
    causal = draw(lambda x: attention(x, mask), title="With a causal mask")
    return above(everything, causal, gap=30).figure("attention over five tokens, without and with a causal mask")


def unrolled_recurrent_network() -> Figure:
    """A recurrent network reads five time steps with the same weights at each; the third input reaches the third state
    and all after it."""
    return connectivity(recurrent, (5, 4), unit=0, highlight=2, title="Five steps of a recurrent network")


def attention(x: Tensor, mask: Array | float = 0.0) -> Tensor:
    """softmax(q k^T / sqrt(d) + mask) v, for tokens x (n, d)."""
    q, k, v = x @ weights(4, 4), x @ weights(4, 4), x @ weights(4, 4)
    return softmax(q @ transpose(k, (1, 0)) / 2 + mask, axis=-1) @ v


def recurrent(x: Tensor) -> Tensor:
    """h_t = tanh(x_t U + h_{t-1} V), for time steps x (n, d)."""
    h, states = Tensor(np.zeros((1, 3))), []
    for t in range(x.shape[0]):
        h = tanh(x[t : t + 1] @ weights(4, 3) + h @ weights(3, 3))
        states.append(h)
    return concatenate(states, axis=0)


def training_step_of_lenet() -> Figure:
    """One training step of LeNet: 32 digits in, one loss out, and the gradient of the loss by everything between."""
    images, labels = digits(size=32)[1]
    model = lenet()
    logits, layers = by_layer(model, Tensor(images[:32], name="images"))
    loss = cross_entropy(logits, labels[:32])
    loss.name = "loss"
    return computation_graph(loss, gradients=True, layers=layers, columns=3)


def lenet5_architecture() -> Figure:
    """LeNet-5, the network of 1998, and what it makes of a digit before it has learnt anything; in each map, black is
    its smallest value and white its largest."""
    return architecture(lenet5(), digits(size=32)[1].images[:1], title="LeNet-5 (1998)")


def lenet_architecture() -> Figure:
    """LeNet in its modern form: relu, max pooling, and scores in place of the distances of 1998; in each map, black is
    its smallest value and white its largest."""
    return architecture(lenet(), digits(size=32)[1].images[:1], title="LeNet, modern form")


class Block(Module):
    """x + f(x), where f is two convolutions."""

    def __init__(self) -> None:
        self.conv1, self.conv2 = Conv2d(1, 4, 3, padding=1), Conv2d(4, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(relu(self.conv1(x)))


def residual_block() -> Figure:
    """A residual block adds what two convolutions make of its input to the input itself (He et al. 2015)."""
    return architecture(Block(), _digit().data, title="A residual block")


class UNet(Module):
    """A U-shaped network: down by pooling, up by transposed convolution, and what was before beside what is after."""

    def __init__(self) -> None:
        self.down = Conv2d(1, 2, 3, padding=1)
        self.pool = MaxPool2d(2)
        self.deep = Conv2d(2, 4, 3, padding=1)
        self.up = ConvTranspose2d(4, 2, 2, stride=2)
        self.out = Conv2d(4, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        wide = relu(self.down(x))
        deep = relu(self.deep(self.pool(wide)))
        return self.out(concatenate([wide, self.up(deep)], axis=1))


def u_shaped_network() -> Figure:
    """A U-shaped network joins what it has seen at full size with what it has made at half of it (Ronneberger et al.
    2015)."""
    return architecture(UNet(), _digit().data, title="A U-shaped network")


def alexnet_architecture() -> Figure:
    """AlexNet, the network of 2012, and what it makes of a grey photograph, less its mean, before it has learnt
    anything; in each map, black is its smallest value (after relu mostly 0) and white its largest."""
    near = np.rint(np.linspace(0, 191, 227)).astype(int)
    grey = photograph()[near][:, near].astype(np.float32)
    return architecture(alexnet().eval(), np.stack([grey - grey.mean()] * 3)[None], title="AlexNet (2012)")


# -- what they share ---------------------------------------------------------------------------------------------------


def one_zero(x: Tensor) -> Tensor:
    """A zero at the end of each row, so that a kernel of width 2 has as many places as there are inputs."""
    return pad(x, [(0, 0), (0, 0), (0, 1)])


def _picture(pixels: Array, signed: bool = False) -> Drawing:
    drawing = Drawing()
    drawing.image(0, 0, pixels.shape[1], pixels.shape[0], shown(pixels, signed))
    return drawing


def _arrow(length: float = 36) -> Drawing:
    drawing = Drawing()
    drawing.wire(drawing.point(0, 0), drawing.point(length, 0), ARROW)
    return drawing


def _sobel(x: Tensor, stride: int = 1) -> Tensor:
    return conv2d(x, Tensor([[SOBEL]]), padding=1, stride=stride)


def _square(f: Callable[[Tensor], Tensor], g: Callable[[Tensor], Tensor], names: tuple[str, str]) -> Figure:
    blocks = photograph().reshape(96, 2, 96, 2).mean((1, 3))
    pixels = np.rint(255 * blocks)  # whole numbers, so that sums are exact in any order
    return commuting_square(f, g, pixels, names=names)


def _digit() -> Tensor:
    images, labels = digits(size=32)[1]
    first = images[labels.tolist().index(5)]
    return Tensor((first - first.min()).astype(float)[None])


def _turned(image: Array, degrees: float) -> Array:
    """The image turned to the left about its centre, each pixel taken from the nearest."""
    centre = (np.array(image.shape)[:, None] - 1) / 2
    angle = np.deg2rad(degrees)
    y, x = np.indices(image.shape).reshape(2, -1) - centre
    turned = np.stack([np.cos(angle) * y + np.sin(angle) * x, np.cos(angle) * x - np.sin(angle) * y])
    from_y, from_x = np.rint(turned + centre)
    inside = (from_y >= 0) & (from_y < image.shape[0]) & (from_x >= 0) & (from_x < image.shape[1])
    pixels = np.where(inside, image[(from_y * inside).astype(int), (from_x * inside).astype(int)], 0)
    return pixels.reshape(image.shape)


def _plot(name: str, f: Callable[[Tensor], Tensor]) -> Drawing:
    x = Tensor(np.linspace(-4, 4, 129))
    y = f(x)
    [slope] = gradients(y, [x])
    drawing, unit = Drawing(), 26.0

    def point(a: float, b: float) -> int:
        return drawing.point(a * unit, b * unit)

    for start, end in ((-4.4, 0), (4.6, 0)), ((0, -1.3), (0, 4.5)):
        drawing.wire(point(*start), point(*end), WIRE)
    for tick in -4, 4:
        drawing.wire(point(tick, -0.12), point(tick, 0.12), {"arrowhead": "none"})
        drawing.text(tick * unit, -0.5 * unit, number(tick), 16)
    drawing.wire(point(-0.12, 1), point(0.12, 1), {"arrowhead": "none"})
    drawing.text(-0.4 * unit, 1.35 * unit, "1", 16)
    for curve, color in (slope, GRADIENT), (y, OUTPUT):
        jumps = np.flatnonzero(np.abs(np.diff(curve.data)) > 0.5) + 1
        for part in np.split(np.stack([x.data, curve.data], axis=1) * unit, jumps):
            drawing.curve(
                [(a, b) for a, b in part.tolist()], color, 4 if curve is slope else 1.8
            )  # both seen on a line
    drawing.text(3 * unit, 3.4 * unit if name in ("tanh", "sigmoid") else -1.1 * unit, name, 18)
    return drawing


FIGURES: tuple[tuple[str, str, Callable[[], Figure]], ...] = (  # section, title; in the order of the book
    ("6.3 Hidden units", "Four non-linearities and their derivatives", non_linearities),
    ("6.5 Back-propagation", "The computation graph of one neuron", graph_of_an_expression),
    ("6.5 Back-propagation", "A gradient has a graph too", graph_of_a_gradient),
    ("6.5 Back-propagation", "A recurrent network, unrolled", unrolled_recurrent_network),
    ("6.5 Back-propagation", "A training step of LeNet", training_step_of_lenet),
    ("9.1 The convolution operation", "Convolution, written in letters", convolution_in_letters),
    ("9.1 The convolution operation", "One step of a convolution", one_step_of_a_convolution),
    ("9.1 The convolution operation", "The window slides", convolution_animated),
    ("9.1 The convolution operation", "All steps of a convolution", all_steps_of_a_convolution),
    ("9.1 The convolution operation", "What small kernels do to a photograph", filter_effects),
    ("9.2 Motivation", "Sparse and dense connections, seen from below", sparse_and_dense_from_below),
    ("9.2 Motivation", "Sparse and dense connections, seen from above", sparse_and_dense_from_above),
    ("9.2 Motivation", "The receptive field grows with depth", growing_receptive_field),
    ("9.2 Motivation", "Attention over five tokens", attention_over_five_tokens),
    ("9.2 Motivation", "Parameter sharing", parameter_sharing),
    ("9.2 Motivation", "Equal letters are equal weights", weights_with_letters),
    ("9.2 Motivation", "Translation and convolution commute", translation_and_convolution),
    ("9.2 Motivation", "Rotation and convolution do not commute", rotation_and_convolution),
    ("9.2 Motivation", "Rotation and group convolution commute", rotation_and_group_convolution),
    ("9.2 Motivation", "Scaling and convolution do not commute", scale_and_convolution),
    ("9.2 Motivation", "What edge detection costs", efficiency_of_edge_detection),
    ("9.3 Pooling", "The three stages of a convolutional layer", three_stages),
    ("9.3 Pooling", "Max pooling and small translations", max_pooling_invariance),
    ("9.3 Pooling", "Learned invariance", learned_invariance),
    ("9.3 Pooling", "Pooling with a stride", pooling_with_stride),
    ("9.3 Pooling", "Four kinds of pooling", four_kinds_of_pooling),
    ("9.3 Pooling", "Translation and pooling do not commute", translation_and_pooling),
    ("9.5 Variants of the basic convolution function", "A layer is a block of units", a_volume),
    (
        "9.5 Variants of the basic convolution function",
        "One filter through three channels",
        one_filter_through_three_channels,
    ),
    ("9.5 Variants of the basic convolution function", "The size of the output, on a line", the_size_on_a_line),
    ("9.5 Variants of the basic convolution function", "A problem: how large is each layer?", the_problem),
    ("9.5 Variants of the basic convolution function", "Its solution, layer by layer", its_solution),
    ("9.5 Variants of the basic convolution function", "A stride is a convolution with down-sampling", down_sampling),
    ("9.5 Variants of the basic convolution function", "Without padding a network shrinks", no_zero_padding),
    ("9.5 Variants of the basic convolution function", "Zero padding keeps the size", zero_padding),
    ("9.5 Variants of the basic convolution function", "Zero padding on a grid", padding_on_a_grid),
    (
        "9.5 Variants of the basic convolution function",
        "Local, convolutional and full connections",
        local_convolutional_and_full,
    ),
    ("9.5 Variants of the basic convolution function", "Three degrees of sharing", local_tiled_and_convolutional),
    ("9.5 Variants of the basic convolution function", "Stride, dilation and padding", strides_and_dilation),
    ("9.5 Variants of the basic convolution function", "Convolution arithmetic", arithmetic_of_convolution),
    (
        "9.5 Variants of the basic convolution function",
        "Transposed convolution arithmetic",
        arithmetic_of_transposed_convolution,
    ),
    ("9.5 Variants of the basic convolution function", "The checkerboard of a transposed convolution", checkerboard),
    ("9.5 Variants of the basic convolution function", "A receptive field on a grid", a_window_on_a_grid),
    ("9.5 Variants of the basic convolution function", "The effective receptive field", effective_receptive_field),
    ("9.5 Variants of the basic convolution function", "Filters and feature maps", filters_and_feature_maps),
    ("9.5 Variants of the basic convolution function", "Learned filters", learned_filters),
    ("9.5 Variants of the basic convolution function", "Which channels read which", channels_that_see_some_channels),
    ("9.5 Variants of the basic convolution function", "Translation and stride do not commute", translation_and_stride),
    ("9.11 Convolutional networks and the history of deep learning", "LeNet-5 (1998)", lenet5_architecture),
    ("9.11 Convolutional networks and the history of deep learning", "LeNet in its modern form", lenet_architecture),
    ("9.11 Convolutional networks and the history of deep learning", "A residual block", residual_block),
    ("9.11 Convolutional networks and the history of deep learning", "A U-shaped network", u_shaped_network),
    ("9.11 Convolutional networks and the history of deep learning", "AlexNet (2012)", alexnet_architecture),
)

IN_THE_BOOK: dict[str, str] = {  # the figure of chapter 6 or 9 that shows the same
    "convolution_in_letters": "9.1",
    "sparse_and_dense_from_below": "9.2",
    "sparse_and_dense_from_above": "9.3",
    "growing_receptive_field": "9.4",
    "parameter_sharing": "9.5",
    "efficiency_of_edge_detection": "9.6",
    "three_stages": "9.7",
    "max_pooling_invariance": "9.8",
    "learned_invariance": "9.9",
    "pooling_with_stride": "9.10",
    "lenet_architecture": "9.11",
    "down_sampling": "9.12",
    "no_zero_padding": "9.13, above",
    "zero_padding": "9.13, below",
    "local_convolutional_and_full": "9.14",
    "channels_that_see_some_channels": "9.15",
    "local_tiled_and_convolutional": "9.16",
}
