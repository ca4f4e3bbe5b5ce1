"""Sections 9.1 to 9.3: the convolution operation, why one would want it, and pooling.

What you can do here: call a figure.  The docstring of each is its caption.
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
    dense,
    lp_pool2d,
    max_pool1d,
    max_pool2d,
    maxout,
    relu,
    weighted_avg_pool2d,
)
from minitensor.tensor import Array
from nets import (
    GroupMaxPool,
    LiftingConv2d,
)

from ...drawing.dot import ARROW, FIELD, KERNEL, NOTE, RESULT, number
from ...drawing.figure import Figure
from ...drawing.sheet import Drawing, above, beside, table, words
from ..connections import wires_at
from ..connectivity import connectivity
from ..grids import Moving, convolution_letters, convolution_steps, grid
from ..images import filters, halve, photograph, quarter_turn, shown, translate
from .parts import DENSE, SMALL_IMAGE, SOBEL, SPARSE, a_digit, sobel, square

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
    return square(sobel, partial(translate, right=1), ("Sobel", "move right"))


def rotation_and_convolution() -> Figure:
    """Convolution does not commute with rotation: the kernel would have to turn too."""
    return square(sobel, quarter_turn, ("Sobel", "quarter turn"))


def rotation_and_group_convolution() -> Figure:
    """With Sobel's kernel in all four positions, and the largest of the sums, it does commute with quarter turns."""
    lifting = LiftingConv2d(1, 1, 3, padding=1, bias=False).astype(float)
    lifting.load_state_dict({"weight": [[SOBEL]]})
    return square(lambda x: GroupMaxPool()(lifting(x)), quarter_turn, ("four Sobels", "quarter turn"))


def scale_and_convolution() -> Figure:
    """Convolution does not commute with a change of scale: the kernel stays as large as it was."""
    return square(sobel, halve, ("Sobel", "halve"))


# -- 9.3 pooling -------------------------------------------------------------------------------------------------------


def three_stages() -> Figure:
    """The three stages of a convolutional layer: an affine map, a non-linearity, pooling."""
    image = a_digit()
    affine = sobel(image)
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
    """The detectors shifted to the right by one: every value of the bottom row changes, only half of the top row.
    Bold: the wire that the largest value came along."""
    row = [0.3, 0.1, 1.0, 0.2, 0.1, 0.0]
    shifted = [0.2, 0.3, 0.1, 1.0, 0.2, 0.1]
    pool = partial(max_pool1d, kernel_size=3, stride=1, padding=1)
    draw = partial(connectivity, pool, ends=1, rows=["Detector stage", "Pooling stage"])
    first = draw(x=row, title="Max pooling, width 3, stride 1")
    second = draw(x=shifted, compare=row, title="Input shifted right by one (pink: changed)")
    return above(first, second).figure("max pooling is almost invariant to translation")


def learned_invariance() -> Figure:
    """Maxout over three filters, one for each turn of a digit, asked about another digit of the same kind: for each
    turn another filter answers most (1 would be its own digit), and the answers are nearly as large.  Bold: the largest
    of the three."""
    upright, other = a_digit().data[0, 0], a_digit(n=1).data[0, 0]
    filters = [_turned(upright, degrees) for degrees in (35, 0, -35)]
    bank = Tensor(np.stack([f / np.linalg.norm(f) for f in filters])[:, None])
    panels: list[Drawing] = []
    for degrees in (35, -35):
        image = _turned(other, degrees)
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
    none; with ceil_mode a third, partial window reads it.  That is the book's picture.  Bold: where the largest is."""
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
    (L2 norm), and an average that weighs the middle most, by a bell of width σ, which needs a window with a middle."""
    image = np.array([[1.0, 3, 2, 0], [5, 3, 0, 2], [0, 4, 3, 4], [3, 0, 6, 8]])
    kinds: dict[str, Callable[[Tensor], Tensor]] = {
        "Maximum\n2 × 2, stride 2": partial(max_pool2d, kernel_size=2),
        "Average\n2 × 2, stride 2": partial(avg_pool2d, kernel_size=2),
        "L2 norm\n2 × 2, stride 2": partial(lp_pool2d, kernel_size=2, norm=2),
        "Weighted average\n3 × 3, stride 1, σ = 0.8": partial(weighted_avg_pool2d, kernel_size=3, stride=1, sigma=0.8),
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
    return square(partial(max_pool2d, kernel_size=2), partial(translate, right=1), ("max pool 2", "move right"))


def _picture(pixels: Array, signed: bool = False) -> Drawing:
    drawing = Drawing()
    drawing.image(0, 0, pixels.shape[1], pixels.shape[0], shown(pixels, signed))
    return drawing


def _arrow(length: float = 36) -> Drawing:
    drawing = Drawing()
    drawing.wire(drawing.point(0, 0), drawing.point(length, 0), ARROW)
    return drawing


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
