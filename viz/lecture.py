"""The figures of the lecture, each a function of a few lines that computes what it shows.

What you can do here: call one of them, or go through `FIGURES`.

The docstring of a figure is its caption.  Sections are those of Goodfellow, Bengio and Courville, Deep Learning:
chapter 9 (https://www.deeplearningbook.org/contents/convnets.html), and chapter 6 for the computation graphs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from minitensor import (
    Tensor,
    avg_pool2d,
    conv1d,
    conv2d,
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
    softplus,
    tanh,
    tiled_conv1d,
    weighted_avg_pool2d,
)
from minitensor.tensor import Array
from nets import Conv2d, GroupMaxPool, LiftingConv2d, alexnet, digits, lenet, lenet5

from .architecture import architecture
from .computation import by_layer, computation_graph
from .connections import wires_at
from .connectivity import DX, DY, connectivity, number
from .dot import ARROW, BLUE, FIELD, KERNEL, NUMBER, PADDING, RESULT, VERMILION, WIRE
from .drawing import Drawing, above, beside, table, words
from .figure import Figure
from .grids import convolution_letters, convolution_steps, grid
from .images import KERNELS, commuting_square, filters, halve, photograph, quarter_turn, shown, translate

SMALL_IMAGE = [[1, 0, 2, 1, 0], [0, 1, 3, 1, 1], [2, 1, 0, 0, 2], [1, 3, 1, 2, 0], [0, 1, 2, 1, 1]]
SOBEL = KERNELS["Sobel"]


def weights(*shape: int) -> Tensor:
    """Some weights, none of them 0; a picture of wires does not depend on their values."""
    return Tensor(np.linspace(1, 2, int(np.prod(shape))).reshape(shape), name="w")


SPARSE, DENSE, SIX = weights(1, 1, 3), weights(5, 5), weights(1, 1, 6)

# -- 9.1 the convolution operation -------------------------------------------------------------------------------------


def convolution_in_letters() -> Figure:
    """Two-dimensional convolution without flipping the kernel: each output is a weighted sum, written out."""
    return convolution_letters(conv2d, (3, 4), (2, 2))


def one_step_of_a_convolution() -> Figure:
    """The window at one position: nine products, one sum, one number of the output."""
    return convolution_steps(SMALL_IMAGE, SOBEL, position=5)


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
    return above(drawing, words("\n".join(counts), 13), gap=18).figure("efficiency of edge detection")


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
        ("Convolution stage", "sums of windows, Sobel's kernel", affine),
        ("Detector stage", "relu: what is negative becomes 0", detected),
        ("Pooling stage", "the largest of each 2 × 2 window", pooled),
    ]
    drawing, before = Drawing(), None
    for n, (name, what, value) in enumerate(stages):
        pixels = value.data[0, 0]
        number_here = drawing.image(n * 210, 0, 128, 128, shown(pixels, signed=value is affine))
        drawing.text(n * 210, -80, name, 14, fontname="Helvetica-Bold")
        drawing.text(n * 210, -108, f"{what}\n{pixels.shape[0]} × {pixels.shape[1]}", 11, fontcolor="#555555")
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
    second = draw(x=shifted, compare=row, title="Input shifted right by one (blue: changed)")
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
            drawing.text(-40, y, name, align="r")
        drawing.text(72, -246, f"the digit turned by {number(degrees)}°", 12)
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
        panels.append(above(words(name, 14), beside(source, _arrow(), result, gap=10), gap=12))
    return table([panels[:2], panels[2:]], gap=60).figure("four kinds of pooling")


def translation_and_pooling() -> Figure:
    """A move by one pixel is half a step of a 2 × 2 pooling: the windows hold other pixels, and the order matters."""
    return _square(partial(max_pool2d, kernel_size=2), partial(translate, right=1), ("max pool 2", "move right"))


# -- 9.5 variants of the basic convolution function --------------------------------------------------------------------


def down_sampling() -> Figure:
    """A stride of 2 (above) is a convolution of which every second output is thrown away (below): the same sums, in
    half of the time."""
    strided = connectivity(lambda x: conv1d(x, SPARSE, stride=2, padding=1), 7, title="Strided convolution, stride 2")
    two_steps = connectivity(
        [lambda x: conv1d(x, SPARSE, padding=1), lambda z: z[:, :, ::2]],
        7,
        letters="xzs",
        title="Convolution, then down-sampling",
    )
    return above(strided, two_steps).figure("down-sampling")


def zero_padding() -> Figure:
    """Kernel width 6.  Without padding each layer loses five units, and three layers leave one of sixteen; with zeros
    (dashed) around each row the network can be as deep as one likes."""
    shrinking = [lambda x: conv1d(x, SIX)] * 3
    staying = [lambda x: conv1d(x, SIX, padding="same")] * 3
    none = connectivity(shrinking, 16, highlight=0, direction="above", title="No padding: 16, 11, 6, 1")
    zeros = connectivity(staying, 16, highlight=7, direction="above", title="Zero padding: 16, 16, 16, 16").drawing
    margin = 5 - max(j for j, i in wires_at(staying[0], (1, 1, 16)) if i == 0)  # zeros on the left
    for row in range(3):
        drawn: dict[int, int] = {}
        for j, i in wires_at(shrinking[0], (1, 1, 16 + 5)):
            if (place := j - margin) not in range(16):
                if place not in drawn:
                    drawn[place] = zeros.unit(place * DX, row * DY, "0", {**NUMBER, **PADDING})
                zeros.wire(drawn[place], 16 * (row + 1) + i, {**WIRE, "style": "dashed"})
    return above(none, zeros).figure("zero padding keeps the size")


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
    panels = [[words(name), connectivity(layer, 5, share=True).drawing] for name, layer in rows]
    return table(panels, gap=44).figure("locally connected, tiled and convolutional layers")


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
    names = ["Edge detection 2", "Edge detection 3", "Gaussian blur", "Sobel"]
    for n, name in enumerate(names):
        y = (len(names) - 1) / 2 * 124 - n * 124
        made = conv2d(image, Tensor([[KERNELS[name]]])).data[0, 0]
        kernel = drawing.image(230, y, 72, 72, shown(np.array(KERNELS[name]), signed=True))
        drawing.text(230, y - 47, name, 11)
        feature = drawing.image(400, y, 108, 108, shown(made, signed=name != "Gaussian blur"))
        for tail, head in (source, kernel), (kernel, feature):
            drawing.wire(tail, head, ARROW)
    for x, text in (0, "Input 32 × 32"), (230, "4 filters 3 × 3"), (400, "4 feature maps 30 × 30"):
        drawing.text(x, 270, text, 14, fontname="Helvetica-Bold")
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
        cells = grid((6, 16), [""] * 96, lambda n, read=read: FIELD if divmod(n, 16) in read else {})  # type: ignore[misc]
        count = sum(p.size for p in layer.parameters())
        panels.append(above(words(f"{name}: {count:,} parameters"), cells, gap=10))
    return above(*panels, gap=26).figure("output channels that see some of the input channels")


def translation_and_stride() -> Figure:
    """With stride 2 a move by one pixel is half a step of the output: the order matters, even far from the border."""
    return _square(partial(_sobel, stride=2), partial(translate, right=1), ("stride-2 Sobel", "move right"))


# -- 6.3, 6.5 non-linearities and computation graphs -------------------------------------------------------------------


def non_linearities() -> Figure:
    """Four non-linearities and their derivatives by backpropagation, from -4 to 4; at the kink of relu it is 0."""
    functions = {"relu": relu, "tanh": tanh, "sigmoid": sigmoid, "softplus": softplus}
    plots = table([[_plot(name, f) for name, f in functions.items()]], gap=44)
    legend = Drawing()
    for x, text, color in (0, "f(x)", BLUE), (90, "derivative f′(x)", VERMILION):
        legend.curve([(x, 0), (x + 26, 0)], color)
        legend.text(x + 32, 0, text, 13, align="l")
    return above(plots, legend, gap=20).figure("four non-linearities")


def graph_of_an_expression() -> Figure:
    """L = (tanh(w x + b) - t)^2, with all values and gradients."""
    x, w, b, t = (Tensor(v, name=name) for name, v in {"x": 0.5, "w": -1.2, "b": 0.8, "t": 1.0}.items())
    loss = (tanh(w * x + b) - t) ** 2
    loss.name = "L"
    return computation_graph(loss, gradients=True)


def graph_of_a_gradient() -> Figure:
    """The derivative of x^3 is a Tensor with a recipe, so it has a derivative in turn, and the same call draws that:
    6 x, which is 18 at x = 3."""
    x = Tensor(3.0, name="x")
    [slope] = gradients(x**3, [x])
    [bend] = gradients(slope, [x])
    return computation_graph(bend)


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
        drawing.text(tick * unit, -0.42 * unit, number(tick), 11)
    drawing.wire(point(-0.12, 1), point(0.12, 1), {"arrowhead": "none"})
    drawing.text(-0.34 * unit, 1.3 * unit, "1", 11)
    for curve, color in (slope, VERMILION), (y, BLUE):
        jumps = np.flatnonzero(np.abs(np.diff(curve.data)) > 0.5) + 1
        for part in np.split(np.stack([x.data, curve.data], axis=1) * unit, jumps):
            drawing.curve([(a, b) for a, b in part.tolist()], color)
    drawing.text(0, -52, name, 14)
    return drawing


FIGURES: tuple[tuple[str, str, Callable[[], Figure]], ...] = (  # section, title; in the order of the book
    ("6.3 Hidden units", "Four non-linearities and their derivatives", non_linearities),
    ("6.5 Back-propagation", "The computation graph of one neuron", graph_of_an_expression),
    ("6.5 Back-propagation", "A gradient has a graph too", graph_of_a_gradient),
    ("6.5 Back-propagation", "A training step of LeNet", training_step_of_lenet),
    ("9.1 The convolution operation", "Convolution, written in letters", convolution_in_letters),
    ("9.1 The convolution operation", "One step of a convolution", one_step_of_a_convolution),
    ("9.1 The convolution operation", "All steps of a convolution", all_steps_of_a_convolution),
    ("9.1 The convolution operation", "What small kernels do to a photograph", filter_effects),
    ("9.2 Motivation", "Sparse and dense connections, seen from below", sparse_and_dense_from_below),
    ("9.2 Motivation", "Sparse and dense connections, seen from above", sparse_and_dense_from_above),
    ("9.2 Motivation", "The receptive field grows with depth", growing_receptive_field),
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
    ("9.5 Variants of the basic convolution function", "A stride is a convolution with down-sampling", down_sampling),
    ("9.5 Variants of the basic convolution function", "Zero padding keeps the size", zero_padding),
    ("9.5 Variants of the basic convolution function", "Zero padding on a grid", padding_on_a_grid),
    ("9.5 Variants of the basic convolution function", "Three degrees of sharing", local_tiled_and_convolutional),
    ("9.5 Variants of the basic convolution function", "Stride, dilation and padding", strides_and_dilation),
    ("9.5 Variants of the basic convolution function", "A receptive field on a grid", a_window_on_a_grid),
    ("9.5 Variants of the basic convolution function", "Filters and feature maps", filters_and_feature_maps),
    ("9.5 Variants of the basic convolution function", "Which channels read which", channels_that_see_some_channels),
    ("9.5 Variants of the basic convolution function", "Translation and stride do not commute", translation_and_stride),
    ("9.11 Convolutional networks and the history of deep learning", "LeNet-5 (1998)", lenet5_architecture),
    ("9.11 Convolutional networks and the history of deep learning", "LeNet in its modern form", lenet_architecture),
    ("9.11 Convolutional networks and the history of deep learning", "AlexNet (2012)", alexnet_architecture),
)
