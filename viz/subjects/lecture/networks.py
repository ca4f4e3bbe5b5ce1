"""Chapter 6 and section 9.11: non-linearities, computation graphs, recurrent networks and attention, whole networks.

What you can do here: call a figure.  The docstring of each is its caption.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from minitensor import (
    Tensor,
    concatenate,
    cross_entropy,
    gradients,
    relu,
    sigmoid,
    softmax,
    softplus,
    tanh,
    transpose,
)
from minitensor.tensor import Array
from nets import (
    Conv2d,
    ConvTranspose2d,
    MaxPool2d,
    Module,
    alexnet,
    digits,
    lenet,
    lenet5,
)

from ...drawing.dot import WIRE, number
from ...drawing.figure import Figure
from ...drawing.sheet import Drawing, above, table
from ...drawing.style import LIGHT, Style
from ..architecture import architecture
from ..computation import by_layer, computation_graph
from ..connectivity import connectivity
from ..images import photograph
from .parts import a_digit, weights

GRADIENT, OUTPUT = LIGHT["gradient"], LIGHT["output, line"]

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
    """L = (tanh(w x + b) - target)^2, with all values and gradients."""
    numbers = {"x": 0.5, "w": -1.2, "b": 0.8, "target": 1.0}
    x, w, b, target = (Tensor(value, name=name) for name, value in numbers.items())
    loss = (tanh(w * x + b) - target) ** 2
    loss.name = "L"
    return computation_graph(loss, gradients=True, style=Style(orientation="right"))


def graph_of_a_gradient() -> Figure:
    """The derivative of x^3 is a Tensor with a recipe, so it has a derivative in turn: 6 x, which is 18 at x = 3.  Here
    is the recipe of that second derivative."""
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
    """A recurrent network reads five time steps with the same weights at each: a state is made of its input and of the
    state before.  So the third input reaches the third state, and through it all after it."""
    return connectivity(recurrent, (5, 4), unit=0, chain=True, highlight=2, title="Five steps of a recurrent network")


def attention(x: Tensor, mask: Array | float = 0.0) -> Tensor:
    """softmax(q k^T / sqrt(d) + mask) v, for tokens x (n, d) with d = 4."""
    d = 4
    q, k, v = x @ weights(d, d), x @ weights(d, d), x @ weights(d, d)
    return softmax(q @ transpose(k, (1, 0)) / np.sqrt(d) + mask, axis=-1) @ v


def recurrent(x: Tensor) -> Tensor:
    """h_t = tanh(x_t U + h_{t-1} V), for time steps x (n, d)."""
    h, states = Tensor(np.zeros((1, 3))), []
    for t in range(x.shape[0]):
        h = tanh(x[t : t + 1] @ weights(4, 3) + h @ weights(3, 3))
        states.append(h)
    return concatenate(states, axis=0)


def training_step_of_lenet() -> Figure:
    """One training step of LeNet: 32 digits in, one loss out, and the gradient of the loss by everything between.  Of
    large Tensors the mean and the spread are given; circles with the same letter are two ends of one wire."""
    images, labels = digits(size=32)[1]
    model = lenet()
    logits, layers = by_layer(model, Tensor(images[:32], name="images"))
    loss = cross_entropy(logits, labels[:32])
    loss.name = "loss"
    return computation_graph(loss, gradients=True, layers=layers, columns=8)


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
        rng = np.random.default_rng(0)  # the same picture each time
        self.conv1, self.conv2 = Conv2d(1, 4, 3, padding=1, rng=rng), Conv2d(4, 1, 3, padding=1, rng=rng)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(relu(self.conv1(x)))


def residual_block() -> Figure:
    """A residual block adds what two convolutions make of its input to the input itself (He et al. 2015)."""
    return architecture(Block(), a_digit().data, title="A residual block")


class UNet(Module):
    """A U-shaped network: down by pooling, up by transposed convolution, and what was before beside what is after."""

    def __init__(self) -> None:
        rng = np.random.default_rng(3)  # the same picture each time
        self.down1, self.down2 = Conv2d(1, 2, 3, padding=1, rng=rng), Conv2d(2, 2, 3, padding=1, rng=rng)
        self.pool1, self.pool2 = MaxPool2d(2), MaxPool2d(2)
        self.deep = Conv2d(2, 4, 3, padding=1, rng=rng)
        self.up2, self.up1 = ConvTranspose2d(4, 2, 2, 2, rng=rng), ConvTranspose2d(2, 2, 2, 2, rng=rng)
        self.conv2, self.out = Conv2d(4, 2, 3, padding=1, rng=rng), Conv2d(4, 1, 3, padding=1, rng=rng)

    def forward(self, x: Tensor) -> Tensor:
        large = relu(self.down1(x))
        small = relu(self.down2(self.pool1(large)))
        deep = relu(self.deep(self.pool2(small)))
        up = relu(self.conv2(concatenate([small, self.up2(deep)], axis=1)))
        return self.out(concatenate([large, self.up1(up)], axis=1))


def u_shaped_network() -> Figure:
    """A U-shaped network goes down to smaller maps and up again; each skip joins what it has seen on the way down with
    what it makes on the way up (Ronneberger et al. 2015)."""
    return architecture(UNet(), a_digit().data, layout="u", title="A U-shaped network")


def alexnet_architecture() -> Figure:
    """AlexNet, the network of 2012, and what it makes of a grey photograph, less its mean, before it has learnt
    anything; in each map, black is its smallest value (after relu mostly 0) and white its largest."""
    near = np.rint(np.linspace(0, 191, 227)).astype(int)
    grey = photograph()[near][:, near].astype(np.float32)
    return architecture(alexnet().eval(), np.stack([grey - grey.mean()] * 3)[None], title="AlexNet (2012)")


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
    drawing.text((3 if name in ("tanh", "sigmoid") else -2.6) * unit, 3.4 * unit, name, 18)
    return drawing
