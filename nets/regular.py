"""Layers that behave differently in training and in use, and normalization: they help a network to learn.

What you can do here: `Dropout BatchNorm2d LocalResponseNorm`.
"""

from __future__ import annotations

import numpy as np

from minitensor import Tensor, batch_norm, dropout, local_response_norm
from minitensor.tensor import Array

from .init import generator
from .layers import positive
from .module import Module


class Dropout(Module):
    """In training each value is left out with probability p: `minitensor.dropout`.  In use nothing is.

    `rng` is drawn from at each call; `fit` gives another one to each step, so that a run can be repeated.

    >>> layer = Dropout(0.5, rng=np.random.default_rng(0))
    >>> layer([1.0, 1.0, 1.0, 1.0]).data, layer.eval()([1.0, 1.0]).data
    (array([2., 0., 0., 0.]), array([1., 1.]))
    """

    def __init__(self, p: float = 0.5, *, rng: np.random.Generator | None = None) -> None:
        if not 0 <= p < 1:
            raise ValueError(f"p (={p}) must be at least 0 and less than 1")
        self.p = p
        self._rng = generator(rng)

    def reseed(self, rng: np.random.Generator) -> None:
        """Draw from this generator from now on."""
        self._rng = rng

    def forward(self, x: Tensor) -> Tensor:
        return dropout(x, self.p, self._rng) if self.training else x


class BatchNorm2d(Module):
    """Each channel with mean 0 and variance 1, then scaled and shifted: `minitensor.batch_norm`.

    In training these are the mean and the variance of the batch.  In use they are running means of those, which each
    batch in training moves by the part `momentum`; the running variance is that of the population, n / (n - 1) times
    the batch's.  x (N, C, H, W), scale and shift (C).

    >>> layer = BatchNorm2d(1, momentum=1.0)
    >>> layer(np.array([1.0, 3.0]).reshape(2, 1, 1, 1)).data.ravel().round(2)
    array([-1.,  1.])
    >>> layer.running_mean, layer.running_var, layer.eval()(np.array([[[[2.0]]]])).item()
    (array([2.], dtype=float32), array([2.], dtype=float32), 0.0)
    """

    def __init__(self, channels: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        positive(channels=channels)
        if not eps > 0 or not 0 <= momentum <= 1:
            raise ValueError(f"eps (={eps}) must be greater than 0, and momentum (={momentum}) from 0 to 1")
        self.channels, self.eps, self.momentum = channels, eps, momentum
        self.scale = Tensor(np.ones(channels, np.float32), name="scale")
        self.shift = Tensor(np.zeros(channels, np.float32), name="shift")
        self.running_mean = np.zeros(channels, np.float32)
        self.running_var = np.ones(channels, np.float32)

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != 4 or x.shape[1] != self.channels:
            raise ValueError(f"the input must be (N, {self.channels}, H, W), got shape {x.shape}")
        if not self.training:
            per_channel = (-1, 1, 1)
            mean, var = self.running_mean.reshape(per_channel), self.running_var.reshape(per_channel)
            factor = self.scale.reshape(per_channel) / np.sqrt(var + self.eps, dtype=var.dtype)
            return (x - mean) * factor + self.shift.reshape(per_channel)
        n = x.size // self.channels
        if n == 1:
            raise ValueError(f"one value has no variance: {type(self).__name__} learns from more than shape {x.shape}")
        y = batch_norm(x, self.scale, self.shift, self.eps)
        mean, var = x.data.mean((0, 2, 3)), x.data.var((0, 2, 3)) * (n / (n - 1))
        self.running_mean = self._moved(self.running_mean, mean)
        self.running_var = self._moved(self.running_var, var)
        return y

    def _moved(self, old: Array, new: Array) -> Array:
        return ((1 - self.momentum) * old + self.momentum * new).astype(old.dtype)


class LocalResponseNorm(Module):
    """Each value held down by its neighbours in the next channels: `minitensor.local_response_norm`.

    >>> LocalResponseNorm(1, alpha=1.0, beta=0.5, k=7.0)([[3.0]]).item()
    0.75
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        positive(size=size)
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, x: Tensor) -> Tensor:
        return local_response_norm(x, self.size, self.alpha, self.beta, self.k)
