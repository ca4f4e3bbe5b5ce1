"""autograd (HIPS): NumPy functions that it has wrapped; it has a convolution, and pooling is put together."""

from __future__ import annotations

from functools import reduce

import autograd.numpy as anp
import numpy as np
from autograd import make_vjp, value_and_grad
from autograd.scipy.signal import convolve

from ..tasks import Arrays, Batches, Layer, Step, forward


def conv(x, w, b, stride, padding, groups):
    if groups != 1 or stride != 1:
        raise NotImplementedError("its convolution knows no groups and no stride")
    x = anp.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)], mode="constant") if padding else x
    y = convolve(x, w[:, :, ::-1, ::-1], axes=([2, 3], [2, 3]), dot_axes=([1], [1]), mode="valid")
    return y if b is None else y + b[:, None, None]


def max_pool(x, kernel, stride):
    h, w = ((n - kernel) // stride * stride + 1 for n in x.shape[2:])
    taps = [x[:, :, i : i + h : stride, j : j + w : stride] for i in range(kernel) for j in range(kernel)]
    return reduce(anp.maximum, taps)


OPERATORS = {
    "conv": conv,
    "max_pool": max_pool,
    "relu": lambda x: anp.maximum(x, 0),
    "flatten": lambda x: x.reshape(len(x), -1),
    "dense": lambda x, w, b: x @ w.T + b,
}


def train(network: list[Layer], weights: Arrays, batches: Batches, rate: float | None) -> Step:
    def cross_entropy(parameters, images, labels):
        y = forward(OPERATORS, network, parameters, images)
        largest = anp.max(y, axis=1, keepdims=True)
        logsumexp = largest[:, 0] + anp.log(anp.sum(anp.exp(y - largest), axis=1))
        return anp.mean(logsumexp - y[np.arange(len(labels)), labels])

    both_ways = value_and_grad(cross_entropy)
    parameters = list(weights)

    def step():
        nonlocal parameters
        loss, slopes = both_ways(parameters, *next(batches))
        if rate is None:
            return [loss, *slopes]
        parameters = [w - rate * g for w, g in zip(parameters, slopes, strict=True)]
        return [loss, *parameters]

    return step


def differentiate(layer: Layer, inputs: Arrays, seed: np.ndarray, inside: bool) -> Step:
    no_bias = [None] * (layer.kind == "conv")

    def step():
        rule, y = make_vjp(lambda xs: OPERATORS[layer.kind](*xs, *no_bias, *layer.settings))(inputs)
        return [y, *rule(seed)]

    return step


def chain(length: int) -> Step:
    a, b = -1.0, 1.0

    def repeated(x):
        for _ in range(length // 2):
            x = x * a
            x = x + b
        return x

    both_ways = value_and_grad(repeated)
    return lambda: list(both_ways(0.5))


def array(result: np.ndarray | float) -> np.ndarray:
    return np.asarray(result)
