"""tinygrad: every step compiled with `TinyJit`, by clang if there is one, else by its own assembler."""

from __future__ import annotations

import os
import shutil

import numpy as np

os.environ.setdefault("DEV", "CPU" if shutil.which("clang") else "CPU:X86")
from tinygrad import Device, Tensor, TinyJit  # it looks at DEV when it is imported

from ..tasks import Arrays, Batches, Layer, Step, forward

OPERATORS = {
    "conv": lambda x, w, b, stride, padding, groups: x.conv2d(w, b, groups, stride, padding=padding),
    "max_pool": lambda x, kernel, stride: x.max_pool2d((kernel, kernel), stride),
    "relu": Tensor.relu,
    "flatten": lambda x: x.flatten(1),
    "dense": lambda x, w, b: x.linear(w.T, b),
}


def compiled(compute):
    """One step that is done when it returns; TinyJit itself only hands the work over."""
    jitted = TinyJit(compute)

    def step(*inputs):
        results = list(jitted(*inputs))
        Device[Device.DEFAULT].synchronize()
        return results

    return step


def train(network: list[Layer], weights: Arrays, batches: Batches, rate: float | None) -> Step:
    parameters = [Tensor(w).realize() for w in weights]

    def compute(images, labels):
        loss = forward(OPERATORS, network, parameters, images).sparse_categorical_crossentropy(labels)
        slopes = loss.gradient(*parameters)
        if rate is None:
            return loss.realize(*slopes), *slopes
        for w, g in zip(parameters, slopes, strict=True):
            w.assign(w - rate * g)
        return loss.realize(*parameters), *parameters

    learn = compiled(compute)
    return lambda: learn(*(Tensor(a).realize() for a in next(batches)))


def differentiate(layer: Layer, inputs: Arrays, seed: np.ndarray, inside: bool) -> Step:
    tensors = [Tensor(x).realize() for x in inputs]
    no_bias = [None] * (layer.kind == "conv")

    def compute(g, *tensors):
        y = OPERATORS[layer.kind](*tensors, *no_bias, *layer.settings)
        slopes = y.gradient(*tensors, gradient=g)
        return y.realize(*slopes), *slopes

    both_ways, g = compiled(compute), Tensor(seed).realize()
    return lambda: both_ways(g, *tensors)


def chain(length: int) -> Step:
    x, a, b = (Tensor(n).contiguous().realize() for n in (0.5, -1.0, 1.0))

    def compute(x, a, b):
        y = x
        for _ in range(length // 2):
            y = y * a
            y = y + b
        [slope] = y.gradient(x)
        return y.realize(slope), slope

    both_ways = compiled(compute)
    return lambda: both_ways(x, a, b)


def array(result: Tensor) -> np.ndarray:
    return result.numpy()
