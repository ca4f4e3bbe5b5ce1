"""LeNet-5, the network of 1998, to the last connection.

What you can do here: build `lenet5`, and train it with its own loss, `map_criterion`.

Three of its layers are not in use any more, and are made here: `Subsampling` (S2 and S4), `TableConv2d` (C3), and
`RadialBasis` (the output).  Everything is from LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to
document recognition, Proceedings of the IEEE 86 (1998), section II-B.

Letters: n image, o output map, c input map, h w place, i j tap of the kernel.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import KW_ONLY, InitVar, dataclass

import numpy as np
import numpy.typing as npt

from minitensor import Tensor, avg_pool2d, concatenate, conv2d, logsumexp
from minitensor.checks.layers import whole_labels
from minitensor.ops.shape import scatter
from minitensor.tensor import Array

from ..layers.functions import Flatten, Tanh
from ..layers.init import generator, lecun_uniform
from ..layers.module import Cost, Module, Sequential, Shape
from ..layers.settings import positive
from ..layers.weighted import Conv2d, Dense, Rng, zero_bias

TABLE = (  # which maps of S2 each map of C3 sees: table I of the paper.  Differences break the symmetry between them.
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5),
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5),
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)  # fmt: skip


@dataclass(eq=False, repr=False)
class Subsampling(Module):
    """The sum of each k x k window, times a coefficient, plus a bias: one pair of numbers to learn for each map.

    y[n, c, h, w] = weight[c] sum_ij x[n, c, h k + i, w k + j] + bias[c].  x (N, C, H, W) gives (N, C, H / k, W / k).

    >>> layer = Subsampling(1, 2)
    >>> layer.replace({layer.weight: Tensor([2.0]), layer.bias: Tensor([0.5])})
    >>> layer([[[[1.0, 2.0], [3.0, 4.0]]]]).item()
    20.5
    """

    channels: int
    kernel_size: int
    _: KW_ONLY
    rng: InitVar[Rng] = None

    def __post_init__(self, rng: Rng) -> None:
        self.channels, self.kernel_size = positive(channels=self.channels, kernel_size=self.kernel_size)
        self.stride, taps = self.kernel_size, self.kernel_size**2
        self.weight = Tensor(lecun_uniform(generator(rng), (self.channels,), taps, taps), name="weight")
        self.bias = zero_bias((self.channels,))

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != 4 or x.shape[1] != self.channels:
            raise ValueError(f"the input must be (N, {self.channels}, H, W), got shape {x.shape}")
        total = avg_pool2d(x, self.kernel_size) * self.kernel_size**2
        return total * self.weight.reshape(-1, 1, 1) + self.bias.reshape(-1, 1, 1)

    def cost(self, x: Shape, y: Shape) -> Cost:
        return Cost(math.prod(y) * (self.kernel_size**2 + 1), math.prod(y))


@dataclass(eq=False, repr=False)
class TableConv2d(Module):
    """A convolution whose output maps see some of the input maps only: `table` lists for each the ones that it sees.

    The weight holds one kernel for each entry of the table, (K, kH, kW), in the table's order; the bias is (O).
    Laid out as (O, C, kH, kW), with zeros for what the table leaves out, they are the weight of an ordinary `conv2d`.
    Raises ValueError for a table with an empty row, or with a map twice in a row.

    >>> layer = TableConv2d(3, [(0, 1), (2,)], 5)
    >>> layer.weight.shape, layer.bias.shape, layer(np.zeros((4, 3, 14, 14), np.float32)).shape
    ((3, 5, 5), (2,), (4, 2, 10, 10))
    """

    in_channels: int
    table: Sequence[Sequence[int]]
    kernel_size: int
    _: KW_ONLY
    rng: InitVar[Rng] = None

    def __post_init__(self, rng: Rng) -> None:
        positive(in_channels=self.in_channels, kernel_size=self.kernel_size, maps=len(self.table))
        for row in self.table:
            if not row or len(set(row)) < len(row) or not set(row) <= set(range(self.in_channels)):
                raise ValueError(f"row {tuple(row)} must name maps from 0 to {self.in_channels - 1}, each at most once")
        self.table, rng = tuple(map(tuple, self.table)), generator(rng)
        self.out_channels, k = len(self.table), self.kernel_size
        kernels = [lecun_uniform(rng, (len(row), k, k), len(row) * k**2, k**2) for row in self.table]
        self.weight = Tensor(np.concatenate(kernels), name="weight")
        self.bias = zero_bias((self.out_channels,))

    def forward(self, x: Tensor) -> Tensor:
        entries = [(o, c) for o, row in enumerate(self.table) for c in row]
        key = tuple(np.array(entries).T)  # (o of each kernel, c of each kernel)
        shape = (self.out_channels, self.in_channels, *self.weight.shape[1:])
        return conv2d(x, scatter(self.weight, shape=shape, key=key), self.bias)

    def cost(self, x: Shape, y: Shape) -> Cost:
        places = math.prod(y[1:])
        return Cost(places * (self.weight.size + self.bias.size), places * self.weight.size)


class RadialBasis(Module):
    """The squared distance of the input from each of some fixed codes: y[n, k] = sum_i (x[n, i] - codes[k, i])^2.

    x (N, I) and codes (K, I) give (N, K); the smallest distance is the answer.  There is nothing to learn: if the codes
    could move, they and the layer before could agree on one point, where all distances are 0.

    >>> RadialBasis([[1.0, -1.0], [-1.0, -1.0]])([[1.0, 0.0]]).data
    array([[1., 5.]])
    """

    def __init__(self, codes: npt.ArrayLike) -> None:
        self.codes = np.array(codes, np.float32)  # an array, so it is kept with the state but is not learnt
        if self.codes.ndim != 2:
            raise ValueError(f"codes must be (K, I), one for each class, got shape {self.codes.shape}")

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != 2 or x.shape[1:] != self.codes.shape[1:]:
            raise ValueError(f"the input must be (N, {self.codes.shape[1]}), got shape {x.shape}")
        return ((x.reshape(x.shape[0], 1, x.shape[1]) - self.codes) ** 2).sum(axis=2)

    def cost(self, x: Shape, y: Shape) -> Cost:
        return Cost(self.codes.size, self.codes.size)


def lenet5(seed: int = 0) -> Sequential:
    """LeNet-5: 60,000 parameters, 340,908 connections.  Takes 1 x 32 x 32 images; the smallest output is the answer.

    Weights begin as in the paper's appendix A, uniform on +-2.4 / fan_in.

    >>> net = lenet5()
    >>> sum(p.size for p in net.parameters()), net(np.zeros((2, 1, 32, 32), np.float32)).shape
    (60000, (2, 10))
    """
    rng = np.random.default_rng(seed)
    return Sequential(
        C1=Conv2d(1, 6, 5, init=lecun_uniform, rng=rng),  # (n, 6, 28, 28)
        squash1=_squash(),
        S2=Subsampling(6, 2, rng=rng),  # (n, 6, 14, 14)
        squash2=_squash(),
        C3=TableConv2d(6, TABLE, 5, rng=rng),  # (n, 16, 10, 10)
        squash3=_squash(),
        S4=Subsampling(16, 2, rng=rng),  # (n, 16, 5, 5)
        squash4=_squash(),
        C5=Conv2d(16, 120, 5, init=lecun_uniform, rng=rng),  # (n, 120, 1, 1)
        squash5=_squash(),
        flatten=Flatten(),
        F6=Dense(120, 84, init=lecun_uniform, rng=rng),
        squash6=_squash(),
        output=RadialBasis(digit_codes()),
    )


def _squash() -> Tanh:
    return Tanh(1.7159, 2 / 3)


def map_criterion(distances: Tensor, labels: npt.ArrayLike, j: float = 1.0) -> Tensor:
    """The loss of LeNet-5: the mean of y[label] + log(exp(-j) + sum_k exp(-y[k])), for the distances y.

    The first term pulls the right distance down.  The second pushes the wrong ones up, and stops where they are beyond
    j: an image of nothing should be far from all codes.  In other words, it is the cross-entropy of the scores -y, with
    one class more, "none of these", whose score is always -j.
    Raises what `cross_entropy` raises.  Source: equation 9 of the paper.

    >>> y = Tensor([[0.0, 5.0]])
    >>> expected = 0.0 + math.log(math.exp(-1.0) + math.exp(0.0) + math.exp(-5.0))
    >>> abs(map_criterion(y, [0]).item() - expected) < 1e-12
    True
    """
    classes = whole_labels(distances.shape, labels)  # "none of these" is no label
    none_of_these = np.full((distances.shape[0], 1), -j, distances.dtype)
    scores = concatenate([-distances, Tensor(none_of_these)], axis=1)
    return (distances[np.arange(len(classes)), classes] + logsumexp(scores, axis=1)).mean()


def digit_codes() -> Array:
    """The targets of the ten classes, (10, 84): 7 x 12 drawings of the digits, ink as +1 and paper as -1.

    With such codes, digits that look alike have targets that are near each other, and +-1 is where the scaled tanh
    bends most: the units are neither linear nor saturated there.

    >>> codes = digit_codes()
    >>> codes.shape, np.unique(codes).tolist()
    ((10, 84), [-1.0, 1.0])
    """
    rows = [line.split() for line in DRAWINGS.strip().splitlines()]
    codes = [[1.0 if cell == "#" else -1.0 for row in rows for cell in row[digit]] for digit in range(10)]
    return np.array(codes, np.float32)


DRAWINGS = """
..###.. ...#... .#####. .#####. .....#. ####### ..####. ####### .#####. .#####.
.#...#. ..##... #.....# #.....# ....##. #...... .#..... ......# #.....# #.....#
#.....# .#.#... #.....# ......# ...#.#. #...... #...... .....#. #.....# #.....#
#.....# ...#... ......# ......# ..#..#. #...... #...... .....#. #.....# #.....#
#.....# ...#... ......# .....#. .#...#. ######. #.###.. ....#.. .#...#. #....##
#.....# ...#... .....#. ..###.. .#...#. ......# ##...#. ....#.. ..###.. .####.#
#.....# ...#... ....#.. .....#. #....#. ......# #.....# ...#... .#...#. ......#
#.....# ...#... ...#... ......# ####### ......# #.....# ...#... #.....# ......#
#.....# ...#... ..#.... ......# .....#. ......# #.....# ..#.... #.....# ......#
#.....# ...#... .#..... #.....# .....#. #.....# #.....# ..#.... #.....# .....#.
.#...#. ...#... #...... #.....# .....#. #.....# .#...#. .#..... #.....# ....##.
..###.. .#####. ####### .#####. .....#. .#####. ..###.. .#..... .#####. ####...
"""
