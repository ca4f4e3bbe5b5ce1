"""What is computed: networks, operators and chains, with inputs and weights that are the same for every engine.

An engine (`engines/*.py`) is a module with three functions, or as many of them as it can; each returns a function
without arguments that computes one step and returns its results:

    train(network, weights, batches, rate)      [loss, *new weights]; [loss, *gradients] where the rate is None
    differentiate(layer, inputs, seed, inside)  [y, *gradients of sum(seed * y) by each input]
    chain(length)                               [y, dy/dx]

and `array(result)`, which turns one result into a NumPy array.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import cycle
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

Step = Callable[[], list[Any]]
Arrays = list[np.ndarray]
Batches = Iterator[tuple[np.ndarray, np.ndarray]]  # images (n, c, h, w) float32, and their n labels


class Layer(NamedTuple):
    """An operator by name, its settings in the order in which the engines take them, and the shape of its weight."""

    kind: str
    settings: Sequence[int] = ()
    weight: Sequence[int] = ()


def conv(outputs: int, inputs: int, kernel: int, stride: int = 1, padding: int = 0, groups: int = 1) -> Layer:
    return Layer("conv", (stride, padding, groups), (outputs, inputs // groups, kernel, kernel))


def dense(outputs: int, inputs: int) -> Layer:
    return Layer("dense", (), (outputs, inputs))


def max_pool(kernel: int, stride: int) -> Layer:
    return Layer("max_pool", (kernel, stride))


RELU, FLATTEN = Layer("relu"), Layer("flatten")

LENET = [
    conv(6, 1, 5), RELU, max_pool(2, 2), conv(16, 6, 5), RELU, max_pool(2, 2),
    FLATTEN, dense(120, 400), RELU, dense(84, 120), RELU, dense(10, 84),
]  # fmt: skip
MLP = [FLATTEN, dense(256, 784), RELU, dense(128, 256), RELU, dense(10, 128)]
ALEXNET = [  # of 2012, without response normalisation and dropout
    conv(96, 3, 11, stride=4), RELU, max_pool(3, 2),
    conv(256, 96, 5, padding=2, groups=2), RELU, max_pool(3, 2),
    conv(384, 256, 3, padding=1), RELU,
    conv(384, 384, 3, padding=1, groups=2), RELU,
    conv(256, 384, 3, padding=1, groups=2), RELU, max_pool(3, 2),
    FLATTEN, dense(4096, 9216), RELU, dense(4096, 4096), RELU, dense(1000, 4096),
]  # fmt: skip


def forward(
    operators: Mapping[str, Callable[..., Any]], network: Sequence[Layer], weights: Sequence[Any], x: Any
) -> Any:
    """The output of the network, computed by an engine's own operators."""
    rest = iter(weights)
    for layer in network:
        learnt = (next(rest), next(rest)) if layer.weight else ()
        x = operators[layer.kind](x, *learnt, *layer.settings)
    return x


class Task(NamedTuple):
    title: str
    set_up: Callable[[ModuleType], tuple[Step, Callable[[Arrays], Arrays]]]  # the step; what to compare of its results
    size: int = 1  # how many images or operators a step computes
    tolerance: float = 1e-3  # how far gradients may be apart, as a part of their norm


def training(
    title: str,
    network: Sequence[Layer],
    batch: int,
    image: Sequence[int],
    rate: float | None = 0.01,
    tolerance: float = 1e-3,
) -> Task:
    """A step of plain gradient descent on a fresh batch; without a rate, the gradients only."""

    def set_up(engine: ModuleType) -> tuple[Step, Callable[[Arrays], Arrays]]:
        rng = np.random.default_rng(0)
        weights = [w for layer in network if layer.weight for w in _weights(layer.weight, rng)]
        classes = network[-1].weight[0]
        batches = cycle([(_normal(rng, batch, *image), rng.integers(0, classes, batch)) for _ in range(4)])

        def gradients(results: Arrays) -> Arrays:
            """The loss and the gradients, worked out from the weights: those have changed too little to compare."""
            loss, *new = results
            return [loss, *(new if rate is None else [(w - v) / rate for w, v in zip(weights, new, strict=True)])]

        return engine.train(network, weights, batches, rate), gradients

    return Task(title, set_up, batch, tolerance)


def differentiating(title: str, layer: Layer, shape: Sequence[int], inside: bool = False) -> Task:
    """One layer forward, and backward to its input and its weight, if it has one."""

    def set_up(engine: ModuleType) -> tuple[Step, Callable[[Arrays], Arrays]]:
        rng = np.random.default_rng(0)
        shapes = [shape, layer.weight] if layer.weight else [shape]
        inputs = [_normal(rng, *s) for s in shapes]
        # every convolution here keeps the size, and no pool has padding
        k, s = layer.settings[:2]
        outputs = layer.weight[0] if layer.weight else shape[1]
        places = shape[2:] if layer.weight else [(n - k) // s + 1 for n in shape[2:]]
        seed = _normal(rng, shape[0], outputs, *places)
        return engine.differentiate(layer, inputs, seed, inside), list

    return Task(title, set_up)


def chaining(length: int) -> Task:
    """y = -y and y = y + 1 in turns, on single numbers: exact however long, so a wrong gradient cannot hide."""
    return Task(f"chain of {length:,} scalar operators", lambda engine: (engine.chain(length), list), length)


BATCHES = [1, 8, 32, 128, 512]
LENGTHS = [10**n for n in range(2, 7)]

TASKS: dict[str, Task] = {
    "lenet": training("LeNet step, batch 128", LENET, 128, (1, 32, 32)),
    "conv-32": differentiating("conv 32x16x32x32, 32 filters 3x3, pad 1", conv(32, 16, 3, padding=1), (32, 16, 32, 32)),
    "conv-64": differentiating("conv 8x64x56x56, 64 filters 3x3, pad 1", conv(64, 64, 3, padding=1), (8, 64, 56, 56)),
    "pool-2": differentiating("max-pool 2/2 on 32x32x32x32", max_pool(2, 2), (32, 32, 32, 32), inside=True),
    "pool-3": differentiating("max-pool 3/2 on 32x32x32x32", max_pool(3, 2), (32, 32, 32, 32), inside=True),
    # Where two values under a max-pool are nearly equal, rounding decides which of them gets the gradient: in float64
    # the engines agree to 15 digits, in float32 one such case among the four images moves 0.8 % of a gradient's norm.
    "alexnet": training("AlexNet, batch 4", ALEXNET, 4, (3, 227, 227), rate=None, tolerance=0.03),
    "chain": chaining(1000),
    "mlp": training("MLP 784-256-128-10 step, batch 128", MLP, 128, (1, 28, 28)),
    **{f"batch-{n}": training(f"LeNet step, batch {n}", LENET, n, (1, 32, 32)) for n in BATCHES},
    **{f"graph-{n}": chaining(n) for n in LENGTHS},
}


def _normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.standard_normal(shape, np.float32)


def _weights(shape: Sequence[int], rng: np.random.Generator) -> Arrays:
    """A weight of a size that keeps signals alive through relu, and a bias that is not 0."""
    fan_in = np.prod(shape[1:])
    return [_normal(rng, *shape) * np.float32(np.sqrt(2 / fan_in)), _normal(rng, shape[0]) * np.float32(0.1)]
