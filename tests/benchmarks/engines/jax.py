"""JAX: every step compiled with `jit`."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ..tasks import Arrays, Batches, Layer, Step, forward


def conv(x, w, b, stride, padding, groups):
    y = lax.conv_general_dilated(x, w, (stride, stride), [(padding, padding)] * 2, feature_group_count=groups)
    return y if b is None else y + b[:, None, None]


def max_pool(x, kernel, stride):
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, kernel, kernel), (1, 1, stride, stride), "VALID")


OPERATORS = {
    "conv": conv,
    "max_pool": max_pool,
    "relu": jax.nn.relu,
    "flatten": lambda x: x.reshape(len(x), -1),
    "dense": lambda x, w, b: x @ w.T + b,
}


def train(network: list[Layer], weights: Arrays, batches: Batches, rate: float | None) -> Step:
    def cross_entropy(parameters, images, labels):
        scores = jax.nn.log_softmax(forward(OPERATORS, network, parameters, images))
        return -scores[jnp.arange(len(labels)), labels].mean()

    @jax.jit
    def learn(parameters, images, labels):
        loss, slopes = jax.value_and_grad(cross_entropy)(parameters, images, labels)
        return loss, slopes if rate is None else [w - rate * g for w, g in zip(parameters, slopes, strict=True)]

    parameters = [jnp.asarray(w) for w in weights]

    def step():
        nonlocal parameters
        loss, new = jax.block_until_ready(learn(parameters, *next(batches)))
        if rate is not None:
            parameters = new
        return [loss, *new]

    return step


def differentiate(layer: Layer, inputs: Arrays, seed: np.ndarray, inside: bool) -> Step:
    no_bias = [None] * (layer.kind == "conv")

    @jax.jit
    def both_ways(g, *arrays):
        y, rule = jax.vjp(lambda *xs: OPERATORS[layer.kind](*xs, *no_bias, *layer.settings), *arrays)
        return [y, *rule(g)]

    arguments = [jnp.asarray(x) for x in (seed, *inputs)]
    return lambda: jax.block_until_ready(both_ways(*arguments))


def chain(length: int) -> Step:
    def repeated(x, a, b):
        for _ in range(length // 2):
            x = x * a
            x = x + b
        return x

    both_ways = jax.jit(jax.value_and_grad(repeated))
    numbers = [jnp.float32(n) for n in (0.5, -1.0, 1.0)]
    return lambda: list(jax.block_until_ready(both_ways(*numbers)))


def array(result: jax.Array) -> np.ndarray:
    return np.asarray(result)
