"""DeZero, with the two names given back to NumPy that it needs and NumPy 1.24 dropped."""

from __future__ import annotations

import numpy as np

np.int, np.float = int, float
import dezero.functions as F  # noqa: E402
from dezero import Parameter, Variable, as_variable  # noqa: E402

from ..tasks import Arrays, Batches, Layer, Step, forward  # noqa: E402


def conv(x, w, b, stride, padding, groups):
    if groups != 1:
        raise NotImplementedError("its convolution knows no groups")
    return F.conv2d(x, w, b, stride, padding)


OPERATORS = {
    "conv": conv,
    "max_pool": F.pooling,
    "relu": F.relu,
    "flatten": F.flatten,
    "dense": lambda x, w, b: F.linear(x, F.transpose(w), b),
}


def train(network: list[Layer], weights: Arrays, batches: Batches, rate: float | None) -> Step:
    parameters = [Parameter(w.copy()) for w in weights]

    def step():
        images, labels = next(batches)
        for p in parameters:
            p.cleargrad()
        loss = F.softmax_cross_entropy(forward(OPERATORS, network, parameters, as_variable(images)), labels)
        loss.backward()
        if rate is None:
            return [loss, *(p.grad for p in parameters)]
        for p in parameters:
            p.data -= rate * p.grad.data
        return [loss, *parameters]

    return step


def differentiate(layer: Layer, inputs: Arrays, seed: np.ndarray, inside: bool) -> Step:
    variables = [Variable(x) for x in inputs]
    no_bias = [None] * (layer.kind == "conv")

    def step():
        for x in variables:
            x.cleargrad()
        y = OPERATORS[layer.kind](*variables, *no_bias, *layer.settings)
        y.grad = Variable(seed)
        y.backward()
        return [y, *(x.grad for x in variables)]

    return step


def chain(length: int) -> Step:
    x, a, b = (Variable(np.array(n)) for n in (0.5, -1.0, 1.0))

    def step():
        for v in (x, a, b):
            v.cleargrad()
        y = x
        for _ in range(length // 2):
            y = y * a
            y = y + b
        y.backward()
        return [y, x.grad]

    return step


def array(result: Variable) -> np.ndarray:
    return np.asarray(result.data)
