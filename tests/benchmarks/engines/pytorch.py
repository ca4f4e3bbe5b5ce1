"""PyTorch, as it comes: eager, tensors in its default memory format."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from ..tasks import Arrays, Batches, Layer, Step, forward

torch.set_num_threads(2)


def conv(x, w, b, stride, padding, groups):
    return F.conv2d(x, w, b, stride, padding, groups=groups)


OPERATORS = {
    "conv": conv,
    "max_pool": F.max_pool2d,
    "relu": F.relu,
    "flatten": lambda x: x.flatten(1),
    "dense": F.linear,
}


def train(network: list[Layer], weights: Arrays, batches: Batches, rate: float | None) -> Step:
    parameters = [torch.tensor(w, requires_grad=True) for w in weights]
    optimizer = torch.optim.SGD(parameters, rate or 0.0)

    def step():
        images, labels = next(batches)
        optimizer.zero_grad()
        output = forward(OPERATORS, network, parameters, torch.from_numpy(images))
        loss = F.cross_entropy(output, torch.from_numpy(labels))
        loss.backward()
        if rate is None:
            return [loss, *(p.grad for p in parameters)]
        optimizer.step()
        return [loss, *parameters]

    return step


def differentiate(layer: Layer, inputs: Arrays, seed: np.ndarray, inside: bool) -> Step:
    tensors = [torch.tensor(x, requires_grad=True) for x in inputs]
    no_bias = [None] * (layer.kind == "conv")
    g = torch.tensor(seed)

    def step():
        y = OPERATORS[layer.kind](*tensors, *no_bias, *layer.settings)
        return [y, *torch.autograd.grad(y, tensors, g)]

    return step


def chain(length: int) -> Step:
    x, a, b = torch.tensor(0.5, requires_grad=True), torch.tensor(-1.0), torch.tensor(1.0)

    def step():
        y = x
        for _ in range(length // 2):
            y = y * a
            y = y + b
        return [y, *torch.autograd.grad(y, [x])]

    return step


def array(result: torch.Tensor) -> np.ndarray:
    return result.detach().numpy()
