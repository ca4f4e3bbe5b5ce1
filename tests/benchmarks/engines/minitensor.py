"""minitensor through its public API: `nets` for the networks, `gradients` for single operators."""

from __future__ import annotations

import numpy as np

from minitensor import Tensor, conv2d, cross_entropy, gradients, max_pool2d, no_grad
from minitensor.fast.memory import batch_first, batch_last, in_order_of
from nets import SGD, Conv2d, Dense, Flatten, MaxPool2d, Module, ReLU, Sequential

from ..tasks import Arrays, Batches, Layer, Step

OPERATORS = {
    "conv": lambda x, w, stride, padding, groups: conv2d(x, w, stride=stride, padding=padding, groups=groups),
    "max_pool": lambda x, kernel, stride: max_pool2d(x, kernel, stride=stride),
}


def as_module(layer: Layer) -> Module:
    if layer.kind == "conv":
        stride, padding, groups = layer.settings
        o, c, k, _ = layer.weight
        return Conv2d(c * groups, o, k, stride, padding, groups=groups)
    if layer.kind == "dense":
        o, c = layer.weight
        return Dense(c, o)
    return {"max_pool": MaxPool2d, "relu": ReLU, "flatten": Flatten}[layer.kind](*layer.settings)


def train(network: list[Layer], weights: Arrays, batches: Batches, rate: float | None) -> Step:
    model = Sequential(*map(as_module, network))
    model.replace(dict(zip(model.parameters(), map(Tensor, weights), strict=True)))
    optimizer = SGD(model, rate or 0.0)
    parameters = model.parameters()

    def step():
        nonlocal parameters
        images, labels = next(batches)
        loss = cross_entropy(model(images), labels)
        with no_grad():
            slopes = gradients(loss, parameters)
        if rate is None:
            return [loss, *slopes]
        optimizer.step(slopes)
        parameters = model.parameters()
        return [loss, *parameters]

    return step


def differentiate(layer: Layer, inputs: Arrays, seed: np.ndarray, inside: bool) -> Step:
    """The gradient arrives in the memory order of the output, as it does in a network; so does the input, if inside."""
    operator = OPERATORS[layer.kind]
    tensors = [Tensor(batch_first(batch_last(x)) if inside else x) for x in inputs]
    g = Tensor(in_order_of(seed, operator(*tensors, *layer.settings).data))

    def step():
        y = operator(*tensors, *layer.settings)
        with no_grad():
            return [y, *gradients(y, tensors, g)]

    return step


def chain(length: int) -> Step:
    x, a, b = Tensor(0.5), Tensor(-1.0), Tensor(1.0)

    def step():
        y = x
        for _ in range(length // 2):
            y = y * a
            y = y + b
        with no_grad():
            return [y, *gradients(y, [x])]

    return step


def array(result: Tensor) -> np.ndarray:
    return result.data
