"""NumPy by hand, without an engine: the backward pass of each layer written out, as in a first course.

Convolution is a product with all windows as rows (im2col); its gradient adds each window's part back, tap by tap.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..tasks import Arrays, Batches, Layer, Step

# Letters: n image, c input and o output channel, h w place, k kernel, s stride, g the gradient of the loss by y.
# Each function returns the output, and a function from g to the gradients by x, w and b; by x only if it is wanted.


def dense(x, w, b):
    def backward(g, wanted):
        return g @ w if wanted else None, g.T @ x, g.sum(axis=0)

    return x @ w.T + b, backward


def conv(x, w, b, s, padding, groups):
    if padding or groups != 1:
        raise NotImplementedError("padding and groups are not written out")
    o, c, k, _ = w.shape
    windows = sliding_window_view(x, (k, k), axis=(2, 3))[:, :, ::s, ::s]  # (n, c, h, w, k, k)
    n, _, height, width = windows.shape[:4]
    rows = windows.transpose(0, 2, 3, 1, 4, 5).reshape(n * height * width, c * k * k)
    y = rows @ w.reshape(o, -1).T + b

    def backward(g, wanted):
        g = g.transpose(0, 2, 3, 1).reshape(-1, o)
        slopes = (g.T @ rows).reshape(w.shape), g.sum(axis=0)
        if not wanted:
            return None, *slopes
        parts = (g @ w.reshape(o, -1)).reshape(n, height, width, c, k, k).transpose(0, 3, 1, 2, 4, 5)
        total = np.zeros_like(x)
        for i in range(k):
            for j in range(k):
                total[:, :, i : i + s * height : s, j : j + s * width : s] += parts[..., i, j]
        return total, *slopes

    return np.ascontiguousarray(y.reshape(n, height, width, o).transpose(0, 3, 1, 2)), backward


def max_pool(x, k, s):
    if k != s or x.shape[2] % k or x.shape[3] % k:
        raise NotImplementedError("windows that overlap are not written out")
    n, c, h, w = x.shape
    tiles = x.reshape(n, c, h // k, k, w // k, k)
    y = tiles.max(axis=(3, 5), keepdims=True)

    def backward(g, wanted):
        at = tiles == y  # where a window has two largest values both get the gradient, which random numbers do not show
        return ((at * g.reshape(y.shape)).reshape(x.shape),)

    return y.reshape(n, c, h // k, w // k), backward


def relu(x):
    return np.maximum(x, 0), lambda g, wanted: (g * (x > 0),)


def flatten(x):
    return x.reshape(len(x), -1), lambda g, wanted: (g.reshape(x.shape),)


OPERATORS = {"dense": dense, "conv": conv, "max_pool": max_pool, "relu": relu, "flatten": flatten}


def train(network: list[Layer], weights: Arrays, batches: Batches, rate: float | None) -> Step:
    """Forward through the layers, and backward through them to the first one that has a weight."""
    first = next(i for i, layer in enumerate(network) if layer.weight)

    def step():
        nonlocal weights
        x, labels = next(batches)
        rest, passes = iter(weights), []
        for layer in network:
            learnt = (next(rest), next(rest)) if layer.weight else ()
            x, backward = OPERATORS[layer.kind](x, *learnt, *layer.settings)
            passes.append(backward)
        rows = np.arange(len(labels))
        x = x - x.max(axis=1, keepdims=True)
        p = np.exp(x)
        p /= p.sum(axis=1, keepdims=True)
        loss = -np.log(p[rows, labels]).mean()
        p[rows, labels] -= 1
        g, slopes = p / len(labels), []
        for i in range(len(network) - 1, first - 1, -1):
            g, *by_weights = passes[i](g, i > first)
            slopes = by_weights + slopes
        if rate is None:
            return [loss, *slopes]
        weights = [w - rate * slope for w, slope in zip(weights, slopes, strict=True)]
        return [loss, *weights]

    return step


def differentiate(layer: Layer, inputs: Arrays, seed: np.ndarray, inside: bool) -> Step:
    if layer.kind == "conv":
        inputs = [*inputs, np.zeros(layer.weight[0], np.float32)]

    def step():
        y, backward = OPERATORS[layer.kind](*inputs, *layer.settings)
        return [y, *backward(seed, True)[:2]]

    return step


def chain(length: int) -> Step:
    raise NotImplementedError("a chain by hand is a loop")


def array(result: np.ndarray) -> np.ndarray:
    return result
