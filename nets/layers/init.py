"""Where learning starts: random weights of a size that keeps signals and gradients alive through many layers.

What you can do here: draw weights with `he_normal he_uniform glorot_normal glorot_uniform lecun_uniform`.

A unit adds up fan_in products.  If the weights have variance v and the inputs variance 1, the sum has variance
fan_in * v; on the way back, a gradient adds up fan_out products.  With v = 1 / fan_in a signal keeps its size through
linear layers, with 2 / fan_in through relu, which loses half of it; 2 / (fan_in + fan_out) is a compromise between the
two directions.  A uniform distribution on [-a, a] has variance a^2 / 3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from minitensor.tensor import Array

Initializer: TypeAlias = Callable[[np.random.Generator, Sequence[int], int, int], Array]


def generator(rng: np.random.Generator | None) -> np.random.Generator:
    """The generator itself, or a new one in the place of None; TypeError for a seed, or what else is no generator.

    >>> rng = np.random.default_rng(0)
    >>> generator(rng) is rng, generator(None) is generator(None)
    (True, False)
    """
    if rng is None:
        return np.random.default_rng()
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng (={rng!r}) must be a numpy.random.Generator, as default_rng(seed) makes one")
    return rng


def he_normal(rng: np.random.Generator, shape: Sequence[int], fan_in: int, fan_out: int) -> Array:
    """Normal with variance 2 / fan_in, for layers before a relu.

    Source: He, Zhang, Ren and Sun, Delving deep into rectifiers, ICCV 2015, section 2.2.

    >>> weights = he_normal(np.random.default_rng(0), (200, 50), 50, 200)
    >>> weights.dtype, round(float(weights.var() * 50), 1)
    (dtype('float32'), 2.0)
    """
    return _normal(rng, shape, 2 / fan_in)


def he_uniform(rng: np.random.Generator, shape: Sequence[int], fan_in: int, fan_out: int) -> Array:
    """Uniform with variance 2 / fan_in; see `he_normal`.

    >>> weights = he_uniform(np.random.default_rng(0), (200, 50), 50, 200)
    >>> round(float(weights.var() * 50), 1)
    2.0
    """
    return _uniform(rng, shape, (6 / fan_in) ** 0.5)


def glorot_normal(rng: np.random.Generator, shape: Sequence[int], fan_in: int, fan_out: int) -> Array:
    """Normal with variance 2 / (fan_in + fan_out), for layers before a tanh.

    Source: Glorot and Bengio, Understanding the difficulty of training deep feedforward networks, AISTATS 2010.

    >>> weights = glorot_normal(np.random.default_rng(0), (150, 50), 50, 150)
    >>> round(float(weights.var() * 200), 1)
    2.0
    """
    return _normal(rng, shape, 2 / (fan_in + fan_out))


def glorot_uniform(rng: np.random.Generator, shape: Sequence[int], fan_in: int, fan_out: int) -> Array:
    """Uniform with variance 2 / (fan_in + fan_out); see `glorot_normal`.

    >>> weights = glorot_uniform(np.random.default_rng(0), (150, 50), 50, 150)
    >>> round(float(weights.var() * 200), 1)
    2.0
    """
    return _uniform(rng, shape, (6 / (fan_in + fan_out)) ** 0.5)


def lecun_uniform(rng: np.random.Generator, shape: Sequence[int], fan_in: int, fan_out: int) -> Array:
    """Uniform on [-2.4 / fan_in, 2.4 / fan_in], as the LeNet of 1998 began.

    Source: LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document recognition, 1998, app. A.

    >>> weights = lecun_uniform(np.random.default_rng(0), (200, 50), 50, 200)
    >>> round(float(abs(weights).max()) * 50, 1)
    2.4
    """
    return _uniform(rng, shape, 2.4 / fan_in)


def _normal(rng: np.random.Generator, shape: Sequence[int], variance: float) -> Array:
    return rng.standard_normal(shape, np.float32) * np.float32(variance**0.5)


def _uniform(rng: np.random.Generator, shape: Sequence[int], limit: float) -> Array:
    return (2 * rng.random(shape, np.float32) - 1) * np.float32(limit)
