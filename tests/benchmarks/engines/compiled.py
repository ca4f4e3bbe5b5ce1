"""minitensor's `compiled`: the recipe of a step, traced once, runs as a program; the update of the weights is in it."""

from __future__ import annotations

import numpy as np

from minitensor import Tensor, compiled, conv2d, cross_entropy, dense, flatten, gradients, max_pool2d, relu
from minitensor.fast.memory import batch_first, batch_last, in_order_of

from ..tasks import Arrays, Batches, Layer, Step, forward

OPERATORS = {
    "conv": lambda x, w, b, stride, padding, groups: conv2d(x, w, b, stride, padding, groups=groups),
    "max_pool": max_pool2d,
    "relu": relu,
    "flatten": lambda x: flatten(x, 1),
    "dense": dense,
}


def train(network: list[Layer], weights: Arrays, batches: Batches, rate: float | None) -> Step:
    @compiled
    def computed(images: Tensor, labels: np.ndarray, *weights: Tensor) -> list[Tensor]:
        loss = cross_entropy(forward(OPERATORS, network, weights, images), labels)
        slopes = gradients(loss, weights)
        if rate is None:
            return [loss, *slopes]
        return [loss, *[w - rate * g for w, g in zip(weights, slopes, strict=True)]]

    def step():
        nonlocal weights
        results = computed(*next(batches), *weights)
        if rate is not None:
            weights = results[1:]
        return results

    return step


def differentiate(layer: Layer, inputs: Arrays, seed: np.ndarray, inside: bool) -> Step:
    """The gradient arrives in the memory order of the output, as it does in a network; so does the input, if inside."""

    @compiled
    def computed(g: Tensor, *inputs: Tensor) -> list[Tensor]:
        no_bias = [None] * (layer.kind == "conv")
        y = OPERATORS[layer.kind](*inputs, *no_bias, *layer.settings)
        return [y, *gradients(y, inputs, g)]

    arrays = [batch_first(batch_last(x)) if inside else x for x in inputs]
    g = in_order_of(seed, computed(seed, *arrays)[0])
    return lambda: computed(g, *arrays)


def chain(length: int) -> Step:
    @compiled
    def computed(x: Tensor, a: Tensor, b: Tensor) -> list[Tensor]:
        y = x
        for _ in range(length // 2):
            y = y * a
            y = y + b
        return [y, *gradients(y, [x])]

    x, a, b = np.array(0.5), np.array(-1.0), np.array(1.0)
    return lambda: computed(x, a, b)


def array(result: np.ndarray) -> np.ndarray:
    return result
